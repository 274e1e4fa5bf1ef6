package oauth

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	useEvery   = 5 * time.Minute // how exact "last used" is
	useGrants  = 10_000          // that are remembered; one that is forgotten is written once more
	useWriters = 2               // at once
	useTimeout = 10 * time.Second
)

type toucher interface {
	TouchGrant(ctx context.Context, id string, at time.Time) error
}

// uses writes down when grants were last used: seldom, and beside the request,
// which does not wait for it. What cannot be written is written at a later use.
type uses struct {
	store   toucher
	log     *slog.Logger
	writers chan struct{}
	running sync.WaitGroup

	mu   sync.Mutex // guards the field below
	last *simplelru.LRU[string, time.Time]
}

func newUses(st toucher, log *slog.Logger) *uses {
	last, _ := simplelru.NewLRU[string, time.Time](useGrants, nil) // fails for sizes below one only
	return &uses{store: st, log: log, writers: make(chan struct{}, useWriters), last: last}
}

// note says that a grant is used now.
func (u *uses) note(ctx context.Context, grantID string, now time.Time) {
	if !u.due(grantID, now) {
		return
	}
	ctx = context.WithoutCancel(ctx)
	u.running.Go(func() {
		defer func() { <-u.writers }()
		ctx, cancel := context.WithTimeout(ctx, useTimeout)
		defer cancel()
		if err := u.store.TouchGrant(ctx, grantID, now); err != nil {
			u.log.DebugContext(ctx, "The last use of a connection could not be written", "grant", grantID, "error", err)
		}
	})
}

// due reports whether a use has to be written, and takes a writer if so.
func (u *uses) due(grantID string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if at, ok := u.last.Get(grantID); ok && now.Sub(at) < useEvery {
		return false
	}
	select {
	case u.writers <- struct{}{}:
		u.last.Add(grantID, now)
		return true
	default:
		return false // all are busy; the next use will do
	}
}

func (u *uses) wait() { u.running.Wait() }
