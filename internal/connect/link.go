package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// The kinds of flows of links.
const (
	kindLink   = "link"         // by the token in its address
	kindLinkOf = "link of call" // the token that a grant was given last, by the grant
)

const (
	// linkLife is how long a link may be opened.
	linkLife = 20 * time.Minute
	// linkLeft is what has to be left of a link for it to be given once more;
	// with it, a grant gets a new one every quarter of an hour at most.
	linkLeft = 5 * time.Minute
)

// Passwords keeps the app passwords of grants that the OpenID provider made,
// see auth.Principal.Grant; *dataleg.Leg is one.
type Passwords interface {
	// Has reports whether a grant has an app password.
	Has(ctx context.Context, grant string) (bool, error)
	// Keep gives a grant an app password, unless it has one: then kept is false,
	// and whoever brought this one deletes it.
	Keep(ctx context.Context, p store.AppPassword) (kept bool, err error)
}

// link is what a link is for: one client of one person, who are the only one
// that may use it.
type link struct {
	Issuer   string
	Subject  auth.Subject
	ClientID string
	Grant    string
	Until    time.Time // when it may be opened last; what was begun goes on

	key store.Hash
}

// of reports whether the link is for a person whom the OpenID provider named.
func (l *link) of(p *signin.Person) bool {
	return p != nil && p.Issuer == l.Issuer && p.Subject == l.Subject
}

// Link is the address of a page where the person of p lets this server work in
// their Nextcloud for the client of p. It is empty where nobody can prove there
// to be that person, because this server has no client at the OpenID provider.
// The address holds no secret: whoever opens it has to be the person.
func (g *Guide) Link(ctx context.Context, p *auth.Principal) (address string, err error) {
	if !g.givesLinks() || p.Issuer == "" || p.Subject == "" {
		return "", nil
	}
	grant := store.HashOf(p.Grant())
	last, err := g.Store.Flow(ctx, kindLinkOf, grant)
	if err == nil {
		_, err = g.link(ctx, store.HashOf(last.Payload.Reveal()))
	}
	switch {
	case err == nil:
		return g.linkAddress(last.Payload.Reveal()), nil
	case !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrDamaged):
		return "", err
	}
	token := random()
	l := &link{
		Issuer: p.Issuer, Subject: p.Subject, ClientID: p.ClientID, Grant: p.Grant(),
		Until: g.Now().Add(linkLife), key: store.HashOf(token),
	}
	if err := g.putLink(ctx, l); err != nil {
		return "", err
	}
	err = g.Store.PutFlow(ctx, store.Flow{Kind: kindLinkOf, Key: grant, Payload: auth.Secret(token), ExpiresAt: l.Until.Add(-linkLeft)})
	if err != nil {
		return "", fmt.Errorf("save link: %w", err)
	}
	g.Log.InfoContext(ctx, "A client's person has to sign in at Nextcloud; the client was given a link", "client", p.ClientID)
	return g.linkAddress(token), nil
}

func (g *Guide) givesLinks() bool {
	return g.Passwords != nil && g.OIDC != nil && g.OIDC.Available()
}

func (g *Guide) linkAddress(token string) string { return g.absolute(g.path("/oauth/link/", token)) }

func (g *Guide) putLink(ctx context.Context, l *link) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("save link: %w", err)
	}
	err = g.Store.PutFlow(ctx, store.Flow{
		// Until the last journey that it began is over.
		Kind: kindLink, Key: l.key, Payload: auth.Secret(text), ExpiresAt: l.Until.Add(journeyEnd),
	})
	if err != nil {
		return fmt.Errorf("save link: %w", err)
	}
	return nil
}

// link is the link with a key. The error is store.ErrNotFound when it was used
// up or is over.
func (g *Guide) link(ctx context.Context, key store.Hash) (*link, error) {
	f, err := g.Store.Flow(ctx, kindLink, key)
	if err != nil {
		return nil, fmt.Errorf("read link: %w", err)
	}
	return readLink(f)
}

// useUp is link, and ends it: of several who do so at once one gets it.
func (g *Guide) useUp(ctx context.Context, key store.Hash) (*link, error) {
	f, err := g.Store.TakeFlow(ctx, kindLink, key)
	if err != nil {
		return nil, fmt.Errorf("use up link: %w", err)
	}
	return readLink(f)
}

func readLink(f store.Flow) (*link, error) {
	l := link{key: f.Key}
	if err := json.Unmarshal([]byte(f.Payload.Reveal()), &l); err != nil {
		return nil, fmt.Errorf("read link: %w", err)
	}
	return &l, nil
}
