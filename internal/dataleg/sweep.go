package dataleg

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/store"
)

// sweepEvery is how often unused app passwords are looked for.
const sweepEvery = time.Hour

// Run deletes app passwords that lie unused, at Nextcloud and here, once an
// hour until ctx ends. Of several processes on one database one does it.
func (l *Leg) Run(ctx context.Context) {
	owner := rand.Text()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		mine, err := l.store.AcquireLease(ctx, "unused app passwords", owner, sweepEvery*3/2)
		switch {
		case err != nil && ctx.Err() == nil:
			l.log.WarnContext(ctx, "Unused app passwords are not looked for now", "error", err)
		case mine:
			l.clean(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *Leg) clean(ctx context.Context) {
	const batch = 100
	// Nextcloud counts a password that is gone as a failed login, and a dozen
	// of those shut out this whole server.
	const maxRefusals = 3
	before := l.opts.Now().Add(-l.opts.Unused)
	unused, err := l.store.UnusedAppPasswords(ctx, before, batch)
	if err != nil {
		if ctx.Err() == nil {
			l.log.WarnContext(ctx, "Unused app passwords could not be listed", "error", err)
		}
		return
	}
	refusals := 0
	for _, p := range unused {
		if p.Host == l.host.Base().String() && p.Password != "" {
			if refusals == maxRefusals {
				continue
			}
			// Its person may have come back while others were deleted.
			now, err := l.store.AppPassword(ctx, p.Grant)
			if err != nil || !now.LastUsedAt.Before(before) {
				continue
			}
			password := apppassword.Password{LoginName: p.LoginName, UserID: p.UserID, Secret: p.Password}
			err = password.Delete(ctx, l.host)
			switch {
			case errors.Is(err, nextcloud.ErrUnauthenticated):
				refusals++ // gone already
			case err != nil:
				l.log.InfoContext(ctx, "An unused app password could not be deleted at Nextcloud yet", "error", err)
				if ctx.Err() != nil || errors.Is(err, nextcloud.ErrUnavailable) || errors.Is(err, nextcloud.ErrRateLimited) {
					return // the others would fare no better
				}
				continue
			}
		}
		if err := l.store.DeleteAppPassword(ctx, p.Grant); err != nil && !errors.Is(err, store.ErrNotFound) {
			l.log.WarnContext(ctx, "An unused app password could not be deleted from the store", "error", err)
			continue
		}
		l.grants.Remove(p.Grant)
	}
}
