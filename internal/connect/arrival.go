package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// keepTime bounds the keeping of a credential, which goes on when the browser
// has left: Nextcloud gives it only once.
const keepTime = 15 * time.Second

// arrive keeps what a sign-in came to: a pending grant with the credential, and
// who signed in. The browser learns of it with its next page. Of several
// sign-ins for one journey the first counts.
func (g *Guide) arrive(ctx context.Context, j *journey, o *signin.Outcome) (*journey, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	switch {
	case j.Linked != nil:
		return g.arriveByLink(ctx, j, o)
	case j.Request == nil:
		return g.arriveForPages(ctx, j, o)
	}
	grant, err := g.pendingGrant(j, o)
	if err == nil {
		err = g.Store.CreateGrant(ctx, grant)
	}
	if err != nil {
		g.LoginFlow.Discard(ctx, o)
		return nil, fmt.Errorf("keep sign-in: %w", err)
	}
	now, err := g.note(ctx, j, &o.Person, grant.ID)
	if err != nil || now.GrantID != grant.ID {
		if endErr := g.endPending(ctx, grant.ID); endErr != nil {
			return nil, endErr
		}
	}
	return now, err
}

// arriveForPages is arrive for this server's own pages, which need to know the
// person and no credential.
func (g *Guide) arriveForPages(ctx context.Context, j *journey, o *signin.Outcome) (*journey, error) {
	now, err := g.note(ctx, j, &o.Person, "")
	g.LoginFlow.Discard(ctx, o)
	return now, err
}

// note writes down who signed in, if nobody did before.
func (g *Guide) note(ctx context.Context, j *journey, who *signin.Person, grantID string) (*journey, error) {
	now, err := g.change(ctx, j.key(), func(j *journey) error {
		if j.Step != signingIn {
			return errMoved
		}
		j.Step, j.Person, j.GrantID, j.Pending = signedIn, who, grantID, grantID != ""
		j.Login, j.Problem = nil, ""
		return nil
	})
	if errors.Is(err, errMoved) {
		err = nil
	}
	return now, err
}

var errNoCredential = &signin.Problem{Code: signin.Internal, Err: errors.New("the sign-in brought no credential for Nextcloud")}

func (g *Guide) pendingGrant(j *journey, o *signin.Outcome) (store.Grant, error) {
	if o.Person.UserID == "" || o.Credential.Kind == "" {
		return store.Grant{}, errNoCredential
	}
	host, _ := redirect.Host(j.Request.RedirectURI)
	return store.Grant{
		ID: random(), State: store.GrantPending,
		UserID: o.Person.UserID, LoginName: o.Person.LoginName, DisplayName: o.Person.DisplayName,
		Issuer: o.Person.Issuer, Subject: o.Person.Subject, Method: o.Person.Method,
		ClientID: j.Request.ClientID, ClientName: j.Request.ClientName, ClientURI: j.Request.ClientURI,
		ClientKind: j.Request.ClientKind, RedirectHost: host,
		Credential: o.Credential, CreatedAt: g.Now(),
	}, nil
}

// settle signs the browser in as the person of a journey, under a new cookie
// (session fixation), and takes its journeys along. It reports whether this
// request did so; otherwise it has answered.
func (g *Guide) settle(w http.ResponseWriter, r *http.Request, t *travel) bool {
	ctx := r.Context()
	next, err := g.Sessions.Open(ctx, store.BrowserSession{
		UserID: t.Person.UserID, DisplayName: t.Person.DisplayName, Issuer: t.Person.Issuer,
	})
	if err != nil {
		g.trouble(w, r, t.journey, err)
		return false
	}
	now, err := g.change(ctx, t.key(), func(j *journey) error {
		if j.Step != signedIn || !same(j.Browser, t.session.ID) {
			return errMoved
		}
		j.Before, j.Browser, j.Step = t.session.ID, next.ID, consenting
		if j.Request == nil {
			j.Step = answered
		}
		return nil
	})
	if err != nil {
		_ = g.Sessions.Drop(ctx, next) // it ends by itself, too
		if errors.Is(err, errMoved) {
			err = errOutdone // another tab was faster
		}
		g.stranger(w, r, err)
		return false
	}
	if err := g.moveAll(ctx, t.session.ID, next.ID); err != nil {
		g.Log.ErrorContext(ctx, "Other sign-ins of a browser were left behind", "error", err)
	}
	if err := g.Sessions.Replace(ctx, w, t.session, next); err != nil {
		g.Log.ErrorContext(ctx, "An old browser session was not ended", "error", err)
	}
	t.journey, t.session = now, next
	return true
}
