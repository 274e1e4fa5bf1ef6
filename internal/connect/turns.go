package connect

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"nextcloud-mcp-server/internal/store"
)

// maxTurns is how many journeys are paced at the same time; beyond that the
// ones asked for longest ago are forgotten, and polled a little too often.
const maxTurns = 4096

// turns pace what is asked of Nextcloud for each journey.
type turns struct {
	now       func() time.Time
	byJourney *lru.Cache[store.Hash, *turn]
}

func newTurns(now func() time.Time) *turns {
	cache, err := lru.New[store.Hash, *turn](maxTurns)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &turns{now, cache}
}

func (t *turns) of(key store.Hash) *turn {
	fresh := &turn{now: t.now, held: make(chan struct{}, 1)}
	if old, ok, _ := t.byJourney.PeekOrAdd(key, fresh); ok {
		t.byJourney.Get(key) // it is in use
		return old
	}
	return fresh
}

// turn lets one request at a time ask for a journey.
type turn struct {
	now  func() time.Time
	held chan struct{}
	next time.Time // guarded by held: when to ask again
}

// take waits until nobody else asks; false when ctx ends before.
func (t *turn) take(ctx context.Context) bool {
	select {
	case t.held <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *turn) give() { <-t.held }

func (t *turn) due() bool { return !t.now().Before(t.next) }

func (t *turn) wait(d time.Duration) {
	if next := t.now().Add(d); next.After(t.next) {
		t.next = next
	}
}
