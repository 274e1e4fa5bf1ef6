package connect

import (
	"context"
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// Begin goes on with an authorization request: to the question what the client
// may do when the person is signed in and connected it before, else to the
// sign-in. It is limited by whoever limits authorization requests.
func (g *Guide) Begin(w http.ResponseWriter, r *http.Request, req *oauth.Request) {
	g.begin(w, r, func(session *browser.Session) (*journey, error) {
		j := &journey{Request: keepRequest(req), Step: signingIn}
		known, err := g.connected(r.Context(), session, req.Client.ID)
		if err != nil || known == nil {
			return j, err
		}
		j.Step, j.GrantID = consenting, known.ID
		j.Person = &signin.Person{UserID: session.UserID, DisplayName: session.DisplayName, Issuer: session.Issuer}
		return j, nil
	})
}

// SignIn lets a person sign in to this server's own pages and then sends the
// browser to back, which has to be one of their paths: see ReturnPath.
func (g *Guide) SignIn(w http.ResponseWriter, r *http.Request, back string) {
	if g.limited(w, r) {
		return
	}
	g.begin(w, r, func(*browser.Session) (*journey, error) {
		return &journey{Step: signingIn, Back: back}, nil
	})
}

func (g *Guide) begin(w http.ResponseWriter, r *http.Request, plan func(*browser.Session) (*journey, error)) {
	ctx, cancel := context.WithTimeout(r.Context(), handlerTime)
	defer cancel()
	r = r.WithContext(ctx)
	_, known := g.Sessions.Presented(r)
	session, err := g.Sessions.Ensure(w, r)
	if err != nil {
		g.trouble(w, r, nil, err)
		return
	}
	j, err := plan(session)
	if err != nil {
		g.trouble(w, r, nil, err)
		return
	}
	j.ID, j.Browser, j.Begun, j.Provider = random(), session.ID, g.Now(), g.byProvider(j)
	if err := g.create(ctx, j); err != nil {
		g.trouble(w, r, nil, err)
		return
	}
	if err := g.remember(ctx, j); err != nil {
		g.trouble(w, r, nil, err)
		return
	}
	if j.Step == signingIn && j.Provider {
		g.toProvider(w, r, j)
		return
	}
	page := g.path("/oauth/connect/", j.ID)
	if !known {
		page += "?" + firstParam
	}
	goTo(w, page)
}

// connected is the grant that the person of a session has with a client, nil
// for none. One that expired does not count: its credential is about to be
// revoked.
func (g *Guide) connected(ctx context.Context, session *browser.Session, clientID string) (*store.Grant, error) {
	if !session.SignedIn() {
		return nil, nil
	}
	return g.grantFor(ctx, &signin.Person{UserID: session.UserID}, clientID)
}

// grantFor is connected for a person.
func (g *Guide) grantFor(ctx context.Context, who *signin.Person, clientID string) (*store.Grant, error) {
	found, err := g.Store.GrantFor(ctx, who.UserID, clientID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case !found.ExpiresAt.IsZero() && !g.Now().Before(found.ExpiresAt):
		return nil, nil
	}
	return &found, nil
}
