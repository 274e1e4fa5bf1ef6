package dataleg

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/store"
)

// Leftovers are what ended grants leave behind, and grants that nobody will
// end.
type Leftovers interface {
	StaleGrants(ctx context.Context, pendingBefore, unusedBefore time.Time, limit int) ([]store.StaleGrant, error)
	EndGrant(ctx context.Context, id string, why store.EndReason) (bool, error)
	DueRevocations(ctx context.Context, limit int) ([]store.Revocation, error)
	RevocationDone(ctx context.Context, id string) error
	RevocationFailed(ctx context.Context, id string, dueAt time.Time) error
	Sweep(ctx context.Context) error
	Leases
}

// Keeper ends connections that are over and deletes their app passwords at
// Nextcloud, in the background: a connection ends here at once, also while
// Nextcloud cannot be reached.
type Keeper struct {
	host  *nextcloud.Host
	store Leftovers
	log   *slog.Logger
	now   func() time.Time
	wake  chan struct{}
	swept time.Time // last; only Run's goroutine uses it

	// Ended is told of each grant that the keeper ended; may be nil.
	Ended func(grantID string)
	// Sweeps are more that has to be cleaned up once an hour.
	Sweeps []func(ctx context.Context) error
}

// NewKeeper is the keeper of the connections to host.
func NewKeeper(host *nextcloud.Host, s Leftovers, log *slog.Logger) *Keeper {
	return &Keeper{host: host, store: s, log: log, now: time.Now, wake: make(chan struct{}, 1)}
}

const (
	// pendingFor is longer than the journey from a sign-in to the consent may
	// take.
	pendingFor = 2*time.Hour + 10*time.Minute
	// unusedFor is how long a connection may lie unused.
	unusedFor = 90 * 24 * time.Hour
	// revokeFor is how long a password is tried to be deleted at Nextcloud.
	revokeFor = 14 * 24 * time.Hour

	keepEvery   = time.Minute
	sweepsEvery = time.Hour
)

// Wake lets the keeper look at once, for somebody ended a connection.
func (k *Keeper) Wake() {
	select {
	case k.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// Run works until ctx ends. Of several processes on one database one does it
// at a time.
func (k *Keeper) Run(ctx context.Context) {
	owner := rand.Text()
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		mine, err := k.store.AcquireLease(ctx, "ended connections", owner, keepEvery*3/2)
		switch {
		case err != nil && ctx.Err() == nil:
			k.log.WarnContext(ctx, "Ended connections are not looked for now", "error", err)
		case mine:
			k.keep(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-k.wake:
		}
	}
}

// keep is one round of Run.
func (k *Keeper) keep(ctx context.Context) {
	k.endStale(ctx)
	k.revoke(ctx)
	now := k.now()
	if now.Sub(k.swept) < sweepsEvery {
		return
	}
	k.swept = now
	for _, sweep := range append([]func(context.Context) error{k.store.Sweep}, k.Sweeps...) {
		if err := sweep(ctx); err != nil && ctx.Err() == nil {
			k.log.WarnContext(ctx, "What expired could not be deleted from the database", "error", err)
		}
	}
}

// batch bounds what is done at once; the rest comes a minute later.
const batch = 50

func (k *Keeper) endStale(ctx context.Context) {
	now := k.now()
	stale, err := k.store.StaleGrants(ctx, now.Add(-pendingFor), now.Add(-unusedFor), batch)
	if err != nil {
		if ctx.Err() == nil {
			k.log.WarnContext(ctx, "Connections that are over could not be listed", "error", err)
		}
		return
	}
	for _, g := range stale {
		ended, err := k.store.EndGrant(ctx, g.ID, g.Why)
		if err != nil {
			k.log.WarnContext(ctx, "A connection could not be ended", "grant", g.ID, "error", err)
			return
		}
		if ended {
			k.log.InfoContext(ctx, "A connection ended: "+string(g.Why), "grant", g.ID)
			if k.Ended != nil {
				k.Ended(g.ID)
			}
		}
	}
}

func (k *Keeper) revoke(ctx context.Context) {
	due, err := k.store.DueRevocations(ctx, batch)
	if err != nil {
		if ctx.Err() == nil {
			k.log.WarnContext(ctx, "App passwords to delete could not be listed", "error", err)
		}
		return
	}
	// Nextcloud counts a password that is gone as a failed login, and a dozen
	// of those shut out this whole server.
	refusals := 0
	const maxRefusals = 3
	for _, r := range due {
		if refusals == maxRefusals || ctx.Err() != nil {
			return
		}
		done, refused, err := k.revokeOne(ctx, r)
		if refused {
			refusals++
		}
		if done {
			err = k.store.RevocationDone(ctx, r.ID)
		} else {
			err = errors.Join(err, k.store.RevocationFailed(ctx, r.ID, k.now().Add(pauseAfter(r.Attempts))))
		}
		if err != nil && ctx.Err() == nil {
			k.log.InfoContext(ctx, "An app password could not be deleted at Nextcloud yet", "user", string(r.UserID), "error", err)
		}
	}
}

// revokeOne deletes one app password at Nextcloud, with itself. Done is also
// what can never be done.
func (k *Keeper) revokeOne(ctx context.Context, r store.Revocation) (done, refused bool, err error) {
	switch {
	case r.Password == "" || r.Host != k.host.Base().String():
		k.log.WarnContext(ctx, "An app password cannot be deleted at Nextcloud: it is unreadable or of another Nextcloud. The person can delete it in their security settings.", "user", string(r.UserID), "host", r.Host)
		return true, false, nil
	case k.now().Sub(r.CreatedAt) > revokeFor:
		k.log.WarnContext(ctx, "An app password could not be deleted at Nextcloud for two weeks; the person can delete it in their security settings", "user", string(r.UserID))
		return true, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	nc := nextcloud.New(k.host, nextcloud.Basic{LoginName: r.LoginName, Password: r.Password}, &nextcloud.ClientOptions{UserID: r.UserID})
	err = nc.OCS(ctx, nextcloud.Request{Op: "delete an app password", Method: "DELETE", Path: "/ocs/v2.php/core/apppassword"}, nil)
	if errors.Is(err, nextcloud.ErrUnauthenticated) {
		return true, true, nil // gone already
	}
	return err == nil, false, err
}

// pauseAfter is how long to wait after so many attempts.
func pauseAfter(attempts int) time.Duration {
	return min(time.Minute<<min(attempts, 10), 6*time.Hour)
}
