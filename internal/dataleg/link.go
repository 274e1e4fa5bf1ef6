package dataleg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

// askToSignIn is the error of a call that no credential can be had for: with
// the address of a page where the person can mend that, else cause, which says
// what an administrator can do.
func (l *Leg) askToSignIn(ctx context.Context, p *auth.Principal, g *grant, cause error) error {
	if l.opts.Link == nil {
		return cause
	}
	g.loaded = false // the person may have brought a password before the next call
	address, err := l.opts.Link(ctx, p)
	if err != nil {
		return fmt.Errorf("make a link to sign in: %w", err)
	}
	l.state.set(func() { l.state.linked = address != "" })
	if address == "" {
		return cause
	}
	return &auth.SignInRequired{
		URL: address, Reason: "This program has no access to Nextcloud yet; it has to be allowed there once",
	}
}

// Has reports whether a grant has an app password for this Nextcloud.
func (l *Leg) Has(ctx context.Context, grant string) (bool, error) {
	stored, err := l.store.AppPassword(ctx, grant)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read app password: %w", err)
	}
	return stored.Host == l.host.Base().String(), nil
}

// Keep gives a grant the app password that its person brought from Nextcloud,
// unless it has one: then kept is false. Nextcloud has just accepted it.
func (l *Leg) Keep(ctx context.Context, p store.AppPassword) (kept bool, err error) {
	release, err := lease(ctx, l.store, l.log, "app password "+p.Grant, rand.Text())
	if err != nil {
		return false, err
	}
	had, err := l.Has(ctx, p.Grant)
	if err == nil && !had {
		now := l.opts.Now()
		p.Host, p.CreatedAt, p.LastUsedAt, p.ProvenAt = l.host.Base().String(), now, now, now
		if err = l.store.PutAppPassword(ctx, p); err != nil {
			err = fmt.Errorf("store app password: %w", err)
		}
	}
	release()
	if had || err != nil {
		return false, err
	}
	l.reload(ctx, p.Grant)
	return true, nil
}

// reload makes the next call of a grant look into the store, also when it works
// with the bearer token at present. Not under the lease: whoever has the turn
// may be waiting for that.
func (l *Leg) reload(ctx context.Context, key string) {
	g, ok := l.grants.Peek(key)
	if !ok {
		return
	}
	select {
	case <-g.turn:
		g.loaded = false
		g.turn <- struct{}{}
	case <-ctx.Done(): // noticed when the process forgets the grant
	}
}
