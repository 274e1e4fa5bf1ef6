package bearer

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"nextcloud-mcp-server/internal/auth"
)

const (
	badKept     = 30 * time.Second // how long a refusal is remembered
	badKeptSoon = 10 * time.Second // the same, when it may pass by itself
	refusedKept = 24 * time.Hour   // how long Refuse holds when the token's end is unknown
)

// digest stands for a token, so that no memory holds the token itself.
type digest [sha256.Size]byte

func digestOf(token string) digest { return sha256.Sum256([]byte(token)) }

type badEntry struct {
	err   *auth.Error
	until time.Time
}

// memory remembers what became of tokens. The three kinds are bounded apart,
// so that a flood of bad tokens cannot push out the good ones.
type memory struct {
	mu      sync.Mutex // guards the fields below
	good    *simplelru.LRU[digest, *proof]
	bad     *simplelru.LRU[digest, badEntry]
	refused *simplelru.LRU[digest, time.Time] // until when
	epoch   uint64                            // counts forget and refuse
}

func newMemory(size int) *memory {
	return &memory{
		good:    newLRU[*proof](size),
		bad:     newLRU[badEntry](size/4 + 1),
		refused: newLRU[time.Time](size/2 + 1),
	}
}

func newLRU[V any](size int) *simplelru.LRU[digest, V] {
	l, err := simplelru.NewLRU[digest, V](size, nil)
	if err != nil {
		panic(err) // only for a size below one
	}
	return l
}

// get is what is known about a token: a principal, a refusal, or neither.
func (m *memory) get(id digest, now time.Time) (*auth.Principal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if until, ok := m.refused.Get(id); ok {
		if now.Before(until) {
			return nil, refuse(Refused, nil)
		}
		m.refused.Remove(id)
	}
	if p, ok := m.good.Get(id); ok {
		if now.Before(p.until) {
			return &p.principal, nil
		}
		m.good.Remove(id)
	}
	if b, ok := m.bad.Get(id); ok {
		if now.Before(b.until) {
			return nil, b.err
		}
		m.bad.Remove(id)
	}
	return nil, nil
}

// now is the epoch a check starts in.
func (m *memory) now() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.epoch
}

// putGood remembers a proof, unless a token was forgotten since the check of
// this one began: its answer may be older than that.
func (m *memory) putGood(id digest, p *proof, epoch uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epoch == epoch {
		m.bad.Remove(id)
		m.good.Add(id, p)
	}
}

// putBad remembers a refusal, under the same condition.
func (m *memory) putBad(id digest, err *auth.Error, now time.Time, epoch uint64) {
	kept := badKept
	if reason := ReasonOf(err); reason == UnknownKey || reason == NotYetValid || reason == BadAudience {
		kept = badKeptSoon
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epoch == epoch {
		m.bad.Add(id, badEntry{err, now.Add(kept)})
	}
}

func (m *memory) forget(id digest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch++
	m.good.Remove(id)
	m.bad.Remove(id)
}

func (m *memory) refuse(id digest, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch++
	until := now.Add(refusedKept)
	// A proof without an end of its own (userinfo) says nothing of the token's.
	if p, ok := m.good.Peek(id); ok && p.ends {
		until = p.principal.Expires
	}
	m.good.Remove(id)
	m.refused.Add(id, until)
}
