package dataleg

import (
	"context"
	"crypto/rand"
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

// Grants keeps the connections that this server granted itself, with the
// credential of each.
type Grants interface {
	Grant(ctx context.Context, id string) (store.Grant, error) // or store.ErrNotFound, store.ErrDamaged
	ReplaceCredential(ctx context.Context, id string, version int64, secret auth.Secret) (store.Credential, error)
	EndGrant(ctx context.Context, id string, why store.EndReason) (bool, error)
	Leases
}

// Renewer gets an access token for a refresh token at the OpenID provider.
// Final reports whether an error of it means that the provider will never take
// the token again.
type Renewer interface {
	Refresh(ctx context.Context, refresh auth.Secret) (Renewed, error)
	Final(err error) bool
}

// Renewed is the answer to a refresh token.
type Renewed struct {
	Access  auth.Secret
	Expires time.Time
	Next    auth.Secret // the refresh token from now on
}

// Connections is the data leg of connections that this server granted itself:
// each has an app password, or a refresh token of this server's own client.
// It is safe for concurrent use.
type Connections struct {
	host  *nextcloud.Host
	store Grants
	renew Renewer
	log   *slog.Logger
	now   func() time.Time

	mu   sync.Mutex // makes "get or add" of the field below one step
	live *expirable.LRU[string, *connection]
}

// NewConnections is the leg to host. renew may be nil where nobody signs in at
// an OpenID provider.
func NewConnections(host *nextcloud.Host, s Grants, renew Renewer, log *slog.Logger) *Connections {
	const maxConnections = 10_000
	return &Connections{
		host: host, store: s, renew: renew, log: log, now: time.Now,
		// Short, so that a credential that another process replaced is noticed
		// before Nextcloud refuses the old one.
		live: expirable.NewLRU[string, *connection](maxConnections, nil, 10*time.Minute),
	}
}

// connection is what the process remembers of one grant.
type connection struct {
	id   string
	turn chan struct{} // holds one token: whoever takes it may use the fields below

	client  *nextcloud.Client
	version int64
	until   time.Time // of an access token; zero for app passwords

	mu      sync.Mutex // guards the field below
	refused int64      // the version that Nextcloud refused, plus one
}

func (c *connection) refusedVersion(version int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused == version+1
}

// refuse notes that Nextcloud refused a version, and reports whether that is
// news.
func (c *connection) refuse(version int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == version+1 {
		return false
	}
	c.refused = version + 1
	return true
}

// accept forgets a refusal: there is a new access token.
func (c *connection) accept() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = 0
}

// Client implements tool.Clients.
func (l *Connections) Client(ctx context.Context, p *auth.Principal) (*nextcloud.Client, error) {
	c := l.connection(p.GrantID)
	select {
	case <-c.turn:
		defer func() { c.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	fresh := c.until.IsZero() || l.now().Before(c.until)
	if c.client != nil && fresh && !c.refusedVersion(c.version) {
		return c.client, nil
	}
	return l.load(ctx, c)
}

// Forget drops what the process remembers of a grant that has ended.
func (l *Connections) Forget(grantID string) { l.live.Remove(grantID) }

func (l *Connections) connection(id string) *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.live.Get(id); ok {
		return c
	}
	c := &connection{id: id, turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	l.live.Add(id, c)
	return c
}

// load makes a client with what the store has. The caller has the turn.
func (l *Connections) load(ctx context.Context, c *connection) (*nextcloud.Client, error) {
	g, err := l.store.Grant(ctx, c.id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, endedError(nil)
	case errors.Is(err, store.ErrDamaged):
		l.log.ErrorContext(ctx, "The credential of a connection cannot be read; it ends", "grant", c.id, "error", err)
		return nil, l.end(ctx, c.id, err)
	case err != nil:
		return nil, fmt.Errorf("read credential: %w", err)
	case g.Credential.Host != l.host.Base().String():
		// The server was moved to another Nextcloud, which must not see it.
		l.log.WarnContext(ctx, "A connection is for another Nextcloud; it ends", "grant", c.id, "host", g.Credential.Host)
		return nil, l.end(ctx, c.id, nil)
	}
	switch g.Credential.Kind {
	case store.AppPasswordCredential:
		if c.refusedVersion(g.Credential.Version) {
			return nil, l.end(ctx, c.id, nil) // the end could not be noted before
		}
		l.adopt(c, g, nextcloud.Basic{LoginName: g.LoginName, Password: g.Credential.Secret}, time.Time{})
		return c.client, nil
	case store.RefreshTokenCredential:
		return l.refresh(ctx, c)
	}
	return nil, l.end(ctx, c.id, fmt.Errorf("unknown credential %q", g.Credential.Kind))
}

func (l *Connections) adopt(c *connection, g store.Grant, credentials nextcloud.Credentials, until time.Time) {
	version := g.Credential.Version
	c.version, c.until = version, until
	c.client = nextcloud.New(l.host, credentials, &nextcloud.ClientOptions{
		UserID: g.UserID, Refused: func() { l.noteRefusal(c, g, version) },
	})
}

// noteRefusal handles that Nextcloud refused a credential: the person revoked
// it, an administrator disabled the person, or another process replaced it. It
// runs inside the call that was refused.
func (l *Connections) noteRefusal(c *connection, g store.Grant, version int64) {
	if !c.refuse(version) || g.Credential.Kind == store.RefreshTokenCredential {
		return // the next call renews an access token
	}
	// Not the call's context: whoever waits for the call may have left.
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	now, err := l.store.Grant(ctx, c.id)
	if err == nil && now.Credential.Version != version {
		return // the next call takes the new one
	}
	l.log.InfoContext(ctx, "Nextcloud ended a connection; the client has to sign in again", "user", string(g.UserID), "client", g.ClientName)
	_ = l.end(ctx, c.id, err)
}

// end ends a grant that is of no use any more, and answers the error for its
// calls.
func (l *Connections) end(ctx context.Context, id string, cause error) error {
	if _, err := l.store.EndGrant(ctx, id, store.EndedByNextcloud); err != nil {
		l.log.WarnContext(ctx, "The end of a connection could not be noted", "grant", id, "error", err)
	}
	return endedError(cause)
}

const (
	// early is how long before its end an access token is renewed.
	early = 30 * time.Second
	// briefly is how long an access token without an end is used.
	briefly = 5 * time.Minute
)

// refresh gets an access token with the grant's refresh token. One process
// does it at a time: a refresh token works once.
func (l *Connections) refresh(ctx context.Context, c *connection) (*nextcloud.Client, error) {
	if l.renew == nil {
		return nil, errors.New("a connection needs an OpenID provider, and none is configured")
	}
	release, err := lease(ctx, l.store, l.log, "credential "+c.id, rand.Text())
	if err != nil {
		return nil, err
	}
	defer release()
	g, err := l.store.Grant(ctx, c.id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, endedError(nil)
	}
	if err != nil {
		return nil, fmt.Errorf("read credential: %w", err)
	}
	// A caller who leaves in the middle must not leave a used token behind.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	renewed, err := l.renew.Refresh(ctx, g.Credential.Secret)
	switch {
	case err != nil && l.renew.Final(err):
		l.log.InfoContext(ctx, "The OpenID provider ended a connection; the client has to sign in again", "user", string(g.UserID), "client", g.ClientName)
		return nil, l.end(ctx, c.id, err)
	case err != nil:
		return nil, &nextcloud.Error{Op: "renew the sign-in", Kind: nextcloud.ErrUnavailable, Message: "the OpenID provider does not answer", Err: err}
	}
	if next := renewed.Next; next != "" && !same(next, g.Credential.Secret) {
		g.Credential, err = l.store.ReplaceCredential(ctx, c.id, g.Credential.Version, next)
		if err != nil {
			return nil, fmt.Errorf("keep the renewed sign-in: %w", err)
		}
	}
	until := renewed.Expires.Add(-early)
	if renewed.Expires.IsZero() {
		until = l.now().Add(briefly)
	}
	c.accept()
	l.adopt(c, g, nextcloud.Bearer{Token: renewed.Access}, until)
	if _, err := c.client.CurrentUser(ctx); errors.Is(err, nextcloud.ErrUnauthenticated) {
		return nil, l.end(ctx, c.id, err)
	} else if err != nil {
		c.client = nil
		return nil, err
	}
	return c.client, nil
}
