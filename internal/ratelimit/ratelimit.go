// Package ratelimit slows down whoever asks too much: token buckets by key,
// and the address that a request really comes from. It is apart from what it
// protects because several doors share it, and its memory is bounded whoever
// asks.
package ratelimit

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// Rate is how often something may happen for one key.
type Rate struct {
	PerMinute int // zero or less means no limit
	Burst     int // how many at once; zero means PerMinute
}

// Limiter has one token bucket a key. It remembers the latest keys only: a key
// that is forgotten starts with a full bucket. A nil Limiter lets everything
// through. It is safe for concurrent use.
type Limiter struct {
	limit rate.Limit
	burst int

	mu      sync.Mutex // guards the field below
	buckets *simplelru.LRU[string, *rate.Limiter]
}

// New is a Limiter that remembers up to keys keys (at least one); nil when the
// rate sets no limit.
func New(r Rate, keys int) *Limiter {
	if r.PerMinute <= 0 {
		return nil
	}
	if r.Burst <= 0 {
		r.Burst = r.PerMinute
	}
	buckets, err := simplelru.NewLRU[string, *rate.Limiter](max(keys, 1), nil)
	if err != nil { // only for a size below one
		return nil
	}
	return &Limiter{limit: rate.Limit(float64(r.PerMinute) / 60), burst: r.Burst, buckets: buckets}
}

// Allow takes one token from the key's bucket. When there is none, nothing is
// taken and retryAfter says when there will be one.
func (l *Limiter) Allow(key string) (ok bool, retryAfter time.Duration) {
	if l == nil {
		return true, 0
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, known := l.buckets.Get(key)
	if !known {
		bucket = rate.NewLimiter(l.limit, l.burst)
		l.buckets.Add(key, bucket)
	}
	taken := bucket.ReserveN(now, 1)
	if wait := taken.DelayFrom(now); wait > 0 {
		taken.CancelAt(now)
		return false, wait
	}
	return true, 0
}
