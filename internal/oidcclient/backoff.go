package oidcclient

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before the next try: a random part of a span
// that doubles with each failure ("full jitter"), so that many clients of one
// provider do not come back together. The zero value begins at one second and
// goes up to five minutes.
type Backoff struct {
	Base time.Duration // the first span; default 1 s
	Max  time.Duration // the longest span; default 5 min

	failures int
}

// Next is the wait after one more failure, at least a quarter of Base.
func (b *Backoff) Next() time.Duration {
	base, most := b.Base, b.Max
	if base <= 0 {
		base = time.Second
	}
	if most <= 0 {
		most = 5 * time.Minute
	}
	span := min(base<<min(b.failures, 20), most)
	b.failures++
	return max(rand.N(span+1), base/4) //nolint:gosec // jitter needs no secrecy
}

// Reset begins anew after a success.
func (b *Backoff) Reset() { b.failures = 0 }
