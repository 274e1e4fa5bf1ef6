package dataleg

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/store"
)

// password is the app password of a grant, in use.
type password struct {
	apppassword.Password
	client  *nextcloud.Client
	created time.Time   // before Nextcloud made it
	touched time.Time   // when its use was last noted; guarded by the grant's turn
	proven  atomic.Bool // it worked when older than dying
	refused atomic.Bool // Nextcloud took it no more
}

// adopt makes x the credential of the grant.
func (l *Leg) adopt(g *grant, p apppassword.Password, created, touched time.Time) *password {
	pw := &password{Password: p, created: created, touched: touched}
	pw.client = p.Client(l.host, &nextcloud.ClientOptions{Refused: func() { l.passwordRefused(g, pw) }})
	g.password, g.user = pw, p.UserID
	g.bearer, g.bearerOf = nil, digest{}
	return pw
}

// load reads the grant's app password from the store. One that Nextcloud
// refused just now is none.
func (l *Leg) load(ctx context.Context, g *grant) error {
	if g.password != nil && g.password.refused.Load() {
		g.dead = g.password
	}
	stored, err := l.store.AppPassword(ctx, g.key)
	g.password = nil
	switch {
	case errors.Is(err, store.ErrDamaged):
		// A new exchange replaces what nobody can read.
		l.log.WarnContext(ctx, "A stored app password cannot be read; getting a new one", "error", err)
		return nil
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read app password: %w", err)
	}
	if stored.Host != l.host.Base().String() {
		// The server was moved to another Nextcloud, which must not see it.
		l.log.InfoContext(ctx, "A stored app password is for another Nextcloud; getting a new one", "host", stored.Host)
		return nil
	}
	if g.dead != nil && same(g.dead.Secret, stored.Password) {
		return nil
	}
	pw := l.adopt(g, apppassword.Password{
		LoginName: stored.LoginName, UserID: stored.UserID, Secret: stored.Password,
	}, stored.CreatedAt, stored.LastUsedAt)
	pw.proven.Store(!stored.ProvenAt.IsZero())
	return nil
}

func same(a, b auth.Secret) bool {
	return subtle.ConstantTimeCompare([]byte(a.Reveal()), []byte(b.Reveal())) == 1
}

// usePassword is the client with the grant's app password; nil when there is
// none that can be trusted.
func (l *Leg) usePassword(ctx context.Context, g *grant) (*nextcloud.Client, error) {
	if !g.loaded || (g.password != nil && g.password.refused.Load()) {
		if err := l.load(ctx, g); err != nil {
			return nil, err
		}
		g.loaded = true
	}
	if g.password == nil {
		return nil, nil //nolint:nilnil // "none" is no error, and the caller goes on with the next way
	}
	if l.doubtful(g.password) {
		if err := l.prove(ctx, g); err != nil || g.password == nil {
			return nil, err
		}
	}
	now, pw := l.opts.Now(), g.password
	if now.Sub(pw.touched) > time.Hour {
		err := l.store.TouchAppPassword(ctx, g.key, now)
		switch {
		case errors.Is(err, store.ErrNotFound):
			// Another process noticed that the grant has ended.
			g.password = nil
			l.endGrant(ctx, g, pw.UserID)
			return nil, endedError(nil)
		case err != nil:
			l.log.WarnContext(ctx, "The use of an app password could not be noted", "error", err)
		}
		pw.touched = now
	}
	return pw.client, nil
}

// doubtful reports whether pw is of the age at which some versions end
// exchanged passwords, and nobody knows yet that this one lasts.
func (l *Leg) doubtful(pw *password) bool {
	return !pw.proven.Load() && l.opts.Now().Sub(pw.created) >= dying && !lasting(l.state.version())
}

// prove asks Nextcloud whether an exchanged password outlived the age at which
// some versions end them. When it did not, the grant has none afterwards.
func (l *Leg) prove(ctx context.Context, g *grant) error {
	// One at a time: where passwords die, each question counts as a failed
	// login, and a dozen of those shut out this whole server.
	select {
	case l.proving <- struct{}{}:
		defer func() { <-l.proving }()
	case <-ctx.Done():
		return ctx.Err()
	}
	pw := g.password
	if l.state.passwordsDie() {
		g.password = nil
		l.forget(ctx, g.key, pw)
		return nil
	}
	_, err := pw.client.CurrentUser(ctx)
	switch {
	case errors.Is(err, nextcloud.ErrUnauthenticated):
		g.password = nil // passwordRefused did the rest
		return nil
	case err != nil:
		return err
	}
	if l.opts.Now().Sub(pw.created) < settled {
		return nil
	}
	pw.proven.Store(true)
	l.state.exchangeLasts()
	if err := l.store.ProveAppPassword(ctx, g.key, l.opts.Now()); err != nil {
		l.log.WarnContext(ctx, "The proof of an app password could not be noted", "error", err)
	}
	return nil
}

// passwordRefused handles that Nextcloud refused a grant's app password: it
// died of age, another process replaced it, or the grant has ended, because
// the person revoked it or an administrator disabled the person. It runs
// inside the call that was refused, with or without the grant's turn.
func (l *Leg) passwordRefused(g *grant, pw *password) {
	if !pw.refused.CompareAndSwap(false, true) {
		return
	}
	// Not the call's context: whoever waits for the call may have left.
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	replaced := l.forget(ctx, g.key, pw)
	switch {
	case replaced:
	case l.doubtful(pw):
		l.log.WarnContext(ctx, "This Nextcloud ends exchanged app passwords after five minutes; using the bearer token of each request instead", "version", l.state.version())
		l.state.exchangeDies(l.opts.Now())
	default:
		l.endGrant(ctx, g, pw.UserID)
	}
}

// storeTimeout bounds what is written when nobody waits for it.
const storeTimeout = 5 * time.Second

// forget deletes pw from the store, unless another process has put a newer
// one there, which it reports.
func (l *Leg) forget(ctx context.Context, key string, pw *password) (replaced bool) {
	stored, err := l.store.AppPassword(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false
	case err == nil && !same(stored.Password, pw.Secret):
		return true
	}
	if err := l.store.DeleteAppPassword(ctx, key); err != nil {
		l.log.WarnContext(ctx, "A dead app password could not be deleted from the store", "error", err)
	}
	return false
}

const (
	exchangeTimeout = 30 * time.Second
	// leaseTTL is longer than an exchange with its writes takes.
	leaseTTL  = exchangeTimeout + 3*storeTimeout
	leasePoll = 100 * time.Millisecond
)

// lease makes this process the only one that does what name says.
func lease(ctx context.Context, leases Leases, log *slog.Logger, name, owner string) (release func(), err error) {
	for {
		got, err := leases.AcquireLease(ctx, name, owner, leaseTTL)
		switch {
		case err != nil:
			return nil, fmt.Errorf("wait for another process: %w", err)
		case got:
			return func() {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
				defer cancel()
				if err := leases.ReleaseLease(ctx, name, owner); err != nil {
					log.WarnContext(ctx, "A lease was not given back, it ends by itself", "error", err)
				}
			}, nil
		}
		select {
		case <-time.After(leasePoll):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// newPassword exchanges the token of p for an app password; nil when that is
// not possible here.
func (l *Leg) newPassword(ctx context.Context, p *auth.Principal, g *grant, hash digest) (*nextcloud.Client, error) {
	if !l.state.mayExchange(l.opts.Now()) {
		return nil, nil //nolint:nilnil // the caller goes on with the bearer token
	}
	release, err := lease(ctx, l.store, l.log, "app password "+g.key, rand.Text())
	if err != nil {
		return nil, err
	}
	defer release()
	if err := l.load(ctx, g); err != nil {
		return nil, err
	}
	if g.password != nil {
		return g.password.client, nil // another process was faster
	}
	// A caller who leaves in the middle must not leave a password behind that
	// nobody remembers.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	began := l.opts.Now()
	bearer := nextcloud.New(l.host, nextcloud.Bearer{Token: p.Token}, &nextcloud.ClientOptions{UserAgent: l.nameFor(p)})
	user, err := bearer.CurrentUser(ctx)
	switch {
	case errors.Is(err, nextcloud.ErrUnauthenticated):
		return nil, l.tokenRefused(ctx, p, g, hash, err)
	case err != nil:
		return nil, err
	}
	g.user = user.ID
	l.state.bearerWorks()
	x, err := apppassword.Exchange(ctx, l.host, bearer, user.ID)
	if err != nil {
		return nil, l.exchangeFailed(ctx, err)
	}
	now := l.opts.Now()
	save, stop := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer stop()
	err = l.store.PutAppPassword(save, store.AppPassword{
		Grant: g.key, Issuer: p.Issuer, Subject: p.Subject, ClientID: p.ClientID,
		Host: l.host.Base().String(), LoginName: x.LoginName, UserID: x.UserID, Password: x.Secret,
		CreatedAt: began, LastUsedAt: now,
	})
	if err != nil {
		// A password that nobody remembers could never be revoked.
		if rerr := x.Delete(context.WithoutCancel(ctx), l.host); rerr != nil {
			l.log.WarnContext(ctx, "An app password that could not be stored could not be deleted at Nextcloud either", "error", rerr)
		}
		return nil, fmt.Errorf("store app password: %w", err)
	}
	l.state.exchangeWorks()
	l.log.InfoContext(ctx, "Exchanged a token for an app password", "user", string(x.UserID), "client", p.ClientID)
	return l.adopt(g, *x, began, now).client, nil
}

// exchangeFailed decides whether err leaves the bearer token to go on with,
// which is no error.
func (l *Leg) exchangeFailed(ctx context.Context, err error) error {
	var e *nextcloud.Error
	if !errors.As(err, &e) || e.Status == 0 || errors.Is(e, nextcloud.ErrRateLimited) || errors.Is(e, nextcloud.ErrMaintenance) {
		return err // nothing would work now
	}
	pause := forbiddenPause
	if errors.Is(e, nextcloud.ErrUnavailable) || errors.Is(e, nextcloud.ErrBadAnswer) {
		pause = failurePause
	}
	// Not the text of the answer: the report is open to anybody.
	why := fmt.Sprintf("Nextcloud gives no app password for an OAuth token (%s, HTTP %d)", e.Kind, e.Status)
	l.log.InfoContext(ctx, why+"; using the bearer token of each request", "error", err)
	l.state.exchangeForbidden(l.opts.Now().Add(pause), why)
	return nil
}
