package basic

import (
	"crypto/hmac"
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"nextcloud-mcp-server/internal/auth"
)

// digest stands for credentials. It tells nobody anything who does not have
// the key of the process.
type digest [sha256.Size]byte

type known struct {
	*check // that has ended
	until  time.Time
}

type refusal struct {
	until time.Time
	times int // in a row
}

// noteRefusal keeps credentials from being sent again for a while, which
// doubles with each time.
func (v *Verifier) noteRefusal(hash digest, now time.Time) {
	before, _ := v.refused.Peek(hash)
	pause := min(kept<<min(before.times, 10), maxRefusedKept)
	add(v.refused, hash, refusal{now.Add(pause), before.times + 1})
	v.proven.Remove(hash)
}

// add puts a new value behind all others, so that the oldest is what ends
// first.
func add[V any](to *simplelru.LRU[digest, V], hash digest, value V) {
	to.Remove(hash)
	to.Add(hash, value)
}

// forgetOld drops what is not believed any longer; passwords are among it.
func (v *Verifier) forgetOld(now time.Time) {
	for {
		_, k, ok := v.known.GetOldest()
		if !ok || now.Before(k.until) {
			break
		}
		v.known.RemoveOldest()
	}
	for {
		_, r, ok := v.refused.GetOldest()
		if !ok || now.Sub(r.until) < maxRefusedKept {
			break
		}
		v.refused.RemoveOldest()
	}
	for {
		_, until, ok := v.proven.GetOldest()
		if !ok || now.Before(until) {
			break
		}
		v.proven.RemoveOldest()
	}
}

func (v *Verifier) digest(loginName string, password auth.Secret) digest {
	mac := hmac.New(sha256.New, v.key[:])
	for _, part := range []string{v.issuer, loginName, password.Reveal()} {
		// With its length, so that nothing can move from one part to the next.
		mac.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return digest(mac.Sum(nil))
}
