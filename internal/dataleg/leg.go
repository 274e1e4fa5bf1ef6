package dataleg

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/store"
)

// Store keeps the app passwords of grants, encrypted.
type Store interface {
	AppPassword(ctx context.Context, grant string) (store.AppPassword, error) // or store.ErrNotFound
	PutAppPassword(ctx context.Context, p store.AppPassword) error
	TouchAppPassword(ctx context.Context, grant string, used time.Time) error
	ProveAppPassword(ctx context.Context, grant string, at time.Time) error
	DeleteAppPassword(ctx context.Context, grant string) error
	UnusedAppPasswords(ctx context.Context, before time.Time, limit int) ([]store.AppPassword, error)
}

// Options are the optional parts of a Leg; nil means all defaults.
type Options struct {
	// NeverBearer forbids sending a person's own bearer token along when no
	// app password can be had (NEXTCLOUD_BEARER_PASSTHROUGH=never).
	NeverBearer bool
	// Unused is how long a grant's app password may lie unused before it is
	// deleted at Nextcloud; default 30 days.
	Unused time.Duration
	// Ended is told when Nextcloud ended a grant, so that its token is
	// answered with 401 from now on; may be nil.
	Ended func(p *auth.Principal)
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Leg is the data leg of OAuth mode: an app password per grant, or the
// person's own bearer token.
type Leg struct {
	host  *nextcloud.Host
	store Store
	name  string
	log   *slog.Logger
	opts  Options

	grants *expirable.LRU[string, *grant]
	state  hostState

	mu      sync.Mutex // guards the field below
	refused *expirable.LRU[[sha256.Size]byte, error]
}

// New is the leg to host. name is what people read in Nextcloud's security
// settings, such as "nextcloud-mcp-server (mcp.example.org)".
func New(host *nextcloud.Host, s Store, name string, log *slog.Logger, opts *Options) *Leg {
	l := &Leg{host: host, store: s, name: name, log: log}
	if opts != nil {
		l.opts = *opts
	}
	if l.opts.Unused == 0 {
		l.opts.Unused = 30 * 24 * time.Hour
	}
	if l.opts.Now == nil {
		l.opts.Now = time.Now
	}
	const maxGrants = 10_000
	l.grants = expirable.NewLRU[string, *grant](maxGrants, nil, time.Hour)
	l.refused = expirable.NewLRU[[sha256.Size]byte, error](maxGrants, nil, refusedPause)
	return l
}

// grant is what the process remembers of one grant.
type grant struct {
	turn chan struct{} // holds one token: whoever takes it may change the fields below

	client  *nextcloud.Client
	bearer  [sha256.Size]byte // the token the client carries; zero for an app password
	user    nextcloud.UserID
	created time.Time // of the app password
	proven  bool      // it worked when older than dying, or the version is known good
	touched time.Time
	loaded  bool // the store has been asked
}

// Client is the client of Nextcloud for the person and client application of
// p. It implements tool.Clients.
func (l *Leg) Client(ctx context.Context, p *auth.Principal) (*nextcloud.Client, error) {
	hash := sha256.Sum256([]byte(p.Token.Reveal()))
	if err, ok := l.refused.Get(hash); ok {
		return nil, err
	}
	g := l.grant(p.Grant())
	select {
	case <-g.turn:
		defer func() { g.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if nc, err := l.usePassword(ctx, p, g); nc != nil || err != nil {
		return nc, err
	}
	if nc, err := l.newPassword(ctx, p, g, hash); nc != nil || err != nil {
		return nc, err
	}
	return l.useBearer(ctx, p, g, hash)
}

func (l *Leg) grant(key string) *grant {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g, ok := l.grants.Get(key); ok {
		return g
	}
	g := &grant{turn: make(chan struct{}, 1)}
	g.turn <- struct{}{}
	l.grants.Add(key, g)
	return g
}

// usePassword is the client with the grant's app password; nil when there is
// none that can be trusted.
func (l *Leg) usePassword(ctx context.Context, p *auth.Principal, g *grant) (*nextcloud.Client, error) {
	now := l.opts.Now()
	if !g.loaded {
		stored, err := l.store.AppPassword(ctx, p.Grant())
		switch {
		case err == nil:
			l.adopt(p, g, &exchanged{user: stored.UserID, password: stored.Password}, stored.CreatedAt)
			g.proven = !stored.ProvenAt.IsZero()
		case errors.Is(err, store.ErrDamaged):
			// A new exchange replaces what nobody can read.
			l.log.WarnContext(ctx, "A stored app password cannot be read; getting a new one", "error", err)
		case !errors.Is(err, store.ErrNotFound):
			return nil, fmt.Errorf("read app password: %w", err)
		}
		g.loaded = true
	}
	if g.client == nil || g.bearer != ([sha256.Size]byte{}) {
		return nil, nil //nolint:nilnil // "none" is no error, and the caller goes on with the next way
	}
	age := now.Sub(g.created)
	if !g.proven && age >= dying && !lasting(l.state.version()) {
		if err := l.prove(ctx, p, g, age); err != nil {
			return nil, err
		}
		if g.client == nil {
			return nil, nil //nolint:nilnil // it died: the caller goes on with the next way
		}
	}
	if now.Sub(g.touched) > time.Hour {
		g.touched = now
		if err := l.store.TouchAppPassword(ctx, p.Grant(), now); err != nil {
			l.log.WarnContext(ctx, "The use of an app password could not be noted", "error", err)
		}
	}
	return g.client, nil
}

// prove asks Nextcloud whether an exchanged password outlived the age at which
// some versions end them.
func (l *Leg) prove(ctx context.Context, p *auth.Principal, g *grant, age time.Duration) error {
	_, err := g.client.CurrentUser(ctx)
	switch {
	case err == nil:
		if age < settled {
			return nil
		}
		g.proven = true
		l.state.exchangeLasts()
		if err := l.store.ProveAppPassword(ctx, p.Grant(), l.opts.Now()); err != nil {
			l.log.WarnContext(ctx, "The proof of an app password could not be noted", "error", err)
		}
		return nil
	case errors.Is(err, nextcloud.ErrUnauthenticated):
		l.log.WarnContext(ctx, "This Nextcloud ends exchanged app passwords after five minutes; using the bearer token of each request instead", "version", l.state.version())
		l.state.exchangeDies()
		l.drop(ctx, p.Grant(), g)
		return nil
	default:
		return err
	}
}

// newPassword exchanges the token of p for an app password; nil when that is
// not possible here.
func (l *Leg) newPassword(ctx context.Context, p *auth.Principal, g *grant, hash [sha256.Size]byte) (*nextcloud.Client, error) {
	if !l.state.mayExchange(l.opts.Now()) {
		return nil, nil //nolint:nilnil // the caller goes on with the bearer token
	}
	x, err := exchange(ctx, l.host, p.Token, l.nameFor(p))
	switch {
	case err == nil:
	case errors.Is(err, nextcloud.ErrUnauthenticated):
		return nil, l.refuse(hash, err)
	case errors.Is(err, nextcloud.ErrForbidden), errors.Is(err, nextcloud.ErrNotFound), errors.Is(err, nextcloud.ErrAppMissing), errors.Is(err, nextcloud.ErrConflict):
		l.log.InfoContext(ctx, "Nextcloud gives no app password for a token; using the bearer token of each request", "error", err)
		l.state.exchangeForbidden(l.opts.Now(), err)
		return nil, nil //nolint:nilnil // the caller goes on with the bearer token
	default:
		return nil, err
	}
	now := l.opts.Now()
	err = l.store.PutAppPassword(ctx, store.AppPassword{
		Grant: p.Grant(), Issuer: p.Issuer, Subject: p.Subject, ClientID: p.ClientID,
		Host: l.host.Base().String(), LoginName: nextcloud.LoginName(x.user), UserID: x.user, Password: x.password,
		CreatedAt: now, LastUsedAt: now,
	})
	if err != nil {
		// A password that nobody remembers could never be revoked.
		if rerr := revoke(context.WithoutCancel(ctx), l.host, x.user, x.password); rerr != nil {
			l.log.WarnContext(ctx, "An app password that could not be stored could not be deleted at Nextcloud either", "error", rerr)
		}
		return nil, fmt.Errorf("store app password: %w", err)
	}
	l.state.exchangeWorks()
	l.adopt(p, g, x, now)
	g.touched = now
	l.log.InfoContext(ctx, "Exchanged a token for an app password", "user", string(x.user), "client", p.ClientID)
	return g.client, nil
}

// adopt makes x the credential of the grant.
func (l *Leg) adopt(p *auth.Principal, g *grant, x *exchanged, created time.Time) {
	who := *p
	var once sync.Once
	g.user, g.created, g.proven, g.bearer = x.user, created, false, [sha256.Size]byte{}
	g.client = x.client(l.host, func() { once.Do(func() { l.passwordRefused(&who, g) }) })
}

// passwordRefused ends a grant whose app password Nextcloud refused: the
// person revoked it, or an administrator disabled the person. The client is
// answered with 401 from now on and has to sign in again.
func (l *Leg) passwordRefused(p *auth.Principal, g *grant) {
	// On its own goroutine: the refusal is noticed inside a call that may hold
	// the grant's turn.
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		<-g.turn
		defer func() { g.turn <- struct{}{} }()
		if g.client == nil || g.bearer != ([sha256.Size]byte{}) {
			return // already handled
		}
		died := !g.proven && l.opts.Now().Sub(g.created) >= dying && !lasting(l.state.version())
		l.drop(ctx, p.Grant(), g)
		if died {
			l.state.exchangeDies()
			return
		}
		l.log.InfoContext(ctx, "Nextcloud ended a grant; the client has to sign in again", "user", string(g.user), "client", p.ClientID)
		_ = l.refuse(sha256.Sum256([]byte(p.Token.Reveal())), nil)
		if l.opts.Ended != nil {
			l.opts.Ended(p)
		}
	}()
}

func (l *Leg) drop(ctx context.Context, key string, g *grant) {
	g.client, g.bearer, g.proven = nil, [sha256.Size]byte{}, false
	if err := l.store.DeleteAppPassword(ctx, key); err != nil && !errors.Is(err, store.ErrNotFound) {
		l.log.WarnContext(ctx, "A dead app password could not be deleted from the store", "error", err)
	}
}

// useBearer is the client with the person's own token.
func (l *Leg) useBearer(ctx context.Context, p *auth.Principal, g *grant, hash [sha256.Size]byte) (*nextcloud.Client, error) {
	if l.opts.NeverBearer {
		return nil, &nextcloud.Error{
			Op: "sign in to Nextcloud", Kind: nextcloud.ErrForbidden,
			Message: "Nextcloud gives no app password for a token (" + l.state.detail() + ") and NEXTCLOUD_BEARER_PASSTHROUGH=never forbids sending the token: an administrator can allow app passwords (auth_can_create_app_token) or set it to auto",
		}
	}
	if g.client != nil && g.bearer == hash {
		return g.client, nil
	}
	nc := nextcloud.New(l.host, nextcloud.Bearer{Token: p.Token}, &nextcloud.ClientOptions{
		UserID: g.user, Refused: func() { _ = l.refuse(hash, nil) },
	})
	if g.user == "" {
		// The uid is the user segment of DAV paths; this also proves the token.
		user, err := nc.UserID(ctx)
		if err != nil {
			if errors.Is(err, nextcloud.ErrUnauthenticated) {
				return nil, l.refuse(hash, err)
			}
			return nil, err
		}
		g.user = user
	}
	l.state.bearerWorks()
	g.client, g.bearer = nc, hash
	return nc, nil
}

// refuse remembers that Nextcloud refused a token, so that it is not sent
// again, and answers the error that says what to do.
func (l *Leg) refuse(hash [sha256.Size]byte, cause error) error {
	err := &nextcloud.Error{
		Op: "sign in to Nextcloud", Kind: nextcloud.ErrUnauthenticated, Status: 401,
		Message: "Nextcloud no longer accepts this connection", Err: cause,
	}
	if cause != nil {
		err.Message = "Nextcloud refused the token: an administrator has to enable the user_oidc app and run: occ config:system:set user_oidc oidc_provider_bearer_validation --value=true --type=boolean"
		l.state.bearerRefused()
	}
	l.refused.Add(hash, err)
	return err
}

// nameFor is how an app password is listed in the person's settings.
func (l *Leg) nameFor(p *auth.Principal) string {
	if p.ClientID == "" {
		return l.name
	}
	client := p.ClientID
	if len(client) > 16 {
		client = client[:16]
	}
	return l.name + " for client " + client
}

// Run deletes app passwords that lie unused, at Nextcloud and here, once an
// hour until ctx ends.
func (l *Leg) Run(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		l.clean(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *Leg) clean(ctx context.Context) {
	const batch = 100
	unused, err := l.store.UnusedAppPasswords(ctx, l.opts.Now().Add(-l.opts.Unused), batch)
	if err != nil {
		if ctx.Err() == nil {
			l.log.WarnContext(ctx, "Unused app passwords could not be listed", "error", err)
		}
		return
	}
	for _, p := range unused {
		if p.Host == l.host.Base().String() {
			if err := revoke(ctx, l.host, p.UserID, p.Password); err != nil {
				l.log.InfoContext(ctx, "An unused app password could not be deleted at Nextcloud yet", "error", err)
				continue
			}
		}
		if err := l.store.DeleteAppPassword(ctx, p.Grant); err != nil {
			l.log.WarnContext(ctx, "An unused app password could not be deleted from the store", "error", err)
			continue
		}
		l.mu.Lock()
		l.grants.Remove(p.Grant)
		l.mu.Unlock()
	}
}
