package bearer

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysTimeout   = 10 * time.Second
	maxKeySet     = 512 << 10 // bytes
	keysKept      = 24 * time.Hour
	minKeysFresh  = 5 * time.Minute
	searchPause   = 30 * time.Second // between two fetches for an unknown kid
	maxFetchPause = time.Minute      // between two tries while fetching fails
)

// keyCache keeps an issuer's keys at hand. Old keys serve while new ones are
// fetched, and for a day when they cannot be.
type keyCache struct {
	uri  string
	http *http.Client
	log  *slog.Logger

	current atomic.Pointer[keySet]

	mu       sync.Mutex    // guards the fields below
	inflight chan struct{} // closed when the fetch under way ends; nil when there is none
	search   time.Time     // no fetch for an unknown kid before
	retry    time.Time     // no fetch at all before
	failures int           // fetches that failed since one did not
	err      error         // of the last fetch
}

func newKeyCache(uri string, client *http.Client, log *slog.Logger) *keyCache {
	return &keyCache{uri: uri, http: client, log: log}
}

// verify runs check on the key that the header names, and once more with newer
// keys when there is none. It answers an *auth.Error.
func (c *keyCache) verify(ctx context.Context, kid string, alg jose.SignatureAlgorithm, check func(*jose.JSONWebKey) bool) error {
	now := time.Now()
	set, fresh := c.current.Load(), false
	switch {
	case set == nil || now.Sub(set.fetched) >= keysKept:
		if err := c.await(ctx, c.start(ctx, now)); err != nil {
			return err
		}
		if set = c.current.Load(); set == nil || now.Sub(set.fetched) >= keysKept {
			return c.failed(now)
		}
		fresh = true
	case !now.Before(set.renew):
		c.start(ctx, now)
	}
	for {
		key := set.find(kid, alg)
		if key != nil && check(key) {
			return nil
		}
		// A key that is named and fails has failed. Without a name, the issuer
		// may have changed it meanwhile.
		if key != nil && (kid != "" || fresh) {
			return refuse(BadSignature, nil)
		}
		if fresh {
			return refuse(UnknownKey, nil)
		}
		var err error
		if set, err = c.newer(ctx, now, set); err != nil {
			return err
		}
		fresh = true
	}
}

// newer fetches the keys again for the sake of a kid that set does not hold:
// once per searchPause, whoever asks. In between, set is the answer.
func (c *keyCache) newer(ctx context.Context, now time.Time, set *keySet) (*keySet, error) {
	c.mu.Lock()
	done := c.inflight
	if done == nil && !now.Before(c.search) {
		c.search = now.Add(searchPause + rand.N(searchPause/3)) //nolint:gosec // jitter needs no secrecy
		done = c.begin(ctx, now)
	}
	err := c.err
	c.mu.Unlock()
	if done == nil {
		if err != nil {
			return nil, c.failed(now)
		}
		return set, nil
	}
	if err := c.await(ctx, done); err != nil {
		return nil, err
	}
	c.mu.Lock()
	err = c.err
	c.mu.Unlock()
	if err != nil {
		return nil, c.failed(now)
	}
	return c.current.Load(), nil
}

// start begins a fetch or joins the one under way; nil when it is too early.
func (c *keyCache) start(ctx context.Context, now time.Time) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inflight != nil {
		return c.inflight
	}
	return c.begin(ctx, now)
}

// begin begins a fetch that no caller's end ends; nil when it is too early.
// The caller holds mu.
func (c *keyCache) begin(ctx context.Context, now time.Time) chan struct{} {
	if now.Before(c.retry) {
		return nil
	}
	done := make(chan struct{})
	c.inflight = done
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
		defer cancel()
		c.finish(ctx, done)
	}()
	return done
}

func (c *keyCache) finish(ctx context.Context, done chan struct{}) {
	set, wait, err := c.fetch(ctx)
	if err != nil {
		c.log.WarnContext(ctx, "Signing keys not fetched", "cause", err.Error())
	} else {
		c.log.DebugContext(ctx, "Signing keys fetched", "keys", len(set.keys))
		c.current.Store(set)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	c.inflight = nil
	if err != nil {
		c.failures = min(c.failures+1, 8)
		pause := min(time.Second<<c.failures, maxFetchPause)
		c.retry = time.Now().Add(max(wait, pause/2+rand.N(pause/2))) //nolint:gosec // jitter needs no secrecy
	} else {
		c.failures = 0
		c.retry = time.Time{}
	}
	close(done)
}

// fetch is one GET of the key set. The duration is how long the issuer asked
// to be left alone.
func (c *keyCache) fetch(ctx context.Context) (_ *keySet, _ time.Duration, err error) {
	// Nothing above this goroutine would recover a panic of a parser.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("fetch keys: panic: %T", r)
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.uri, nil)
	if err != nil {
		return nil, 0, fmt.Errorf("fetch keys: %w", err)
	}
	a, err := ask(c.http, r, maxKeySet)
	if err != nil {
		return nil, 0, fmt.Errorf("fetch keys: %w", err)
	}
	now := time.Now()
	if a.status != http.StatusOK {
		return nil, a.wait(now), fmt.Errorf("fetch keys: status %d", a.status)
	}
	keys, err := parseKeys(a.body)
	if err != nil {
		return nil, 0, fmt.Errorf("fetch keys: %w", err)
	}
	return &keySet{keys: keys, fetched: now, renew: now.Add(min(max(a.maxAge(), minKeysFresh), keysKept))}, 0, nil
}

// await waits for a fetch; a nil channel is one that may not begin yet.
func (c *keyCache) await(ctx context.Context, done chan struct{}) error {
	if done == nil {
		return c.failed(time.Now())
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return unavailable(NoSigningKeys, defaultWait, ctx.Err())
	}
}

// failed is the answer while there are no keys to check with.
func (c *keyCache) failed(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return unavailable(NoSigningKeys, max(c.retry.Sub(now), time.Second), c.err)
}
