package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// linked is what a journey that a link began knows of it.
type linked struct {
	Link   store.Hash
	Client string // as the OpenID provider calls it
}

// view is the client as people are shown it: nothing but its id is known.
func (l *linked) view() *pages.ClientView { return &pages.ClientView{Name: pages.ShortID(l.Client)} }

// device is the client's part of the name of an app password.
func (l *linked) device() string {
	if l.Client == "" {
		return ""
	}
	const most = 16 // such ids are often long, and random
	return "client " + l.Client[:min(len(l.Client), most)]
}

// openable is the link that the address names, if it may still be opened. It
// has answered when that is nil.
func (g *Guide) openable(w http.ResponseWriter, r *http.Request) *link {
	l, err := g.link(r.Context(), store.HashOf(r.PathValue("token")))
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !g.Now().Before(l.Until):
		g.refuse(w, r, http.StatusGone, pages.Failure{Code: pages.CodeFlowGone})
		return nil
	case err != nil:
		g.trouble(w, r, nil, err)
		return nil
	}
	return l
}

// showLink is GET /oauth/link/{token}: it says what the link is for, and begins
// nothing, because programs open links to show a preview of them.
func (g *Guide) showLink(w http.ResponseWriter, r *http.Request) {
	l := g.openable(w, r)
	if l == nil {
		return
	}
	g.Pages.Write(w, r, http.StatusOK, pages.SignInLink{
		Client: l.ClientID, Server: g.Public.Host, Nextcloud: g.Nextcloud,
		ContinueURL: g.path("/oauth/link/", r.PathValue("token"), "/open"),
	})
}

// openLink is GET /oauth/link/{token}/open: a journey of this browser begins, at
// the OpenID provider.
func (g *Guide) openLink(w http.ResponseWriter, r *http.Request) {
	l := g.openable(w, r)
	switch {
	case l == nil:
	case !g.givesLinks():
		w.Header().Set("Retry-After", "30")
		g.refuse(w, r, http.StatusServiceUnavailable, pages.Failure{Code: pages.CodeUnavailable})
	case !g.limited(w, r):
		g.begin(w, r, func(*browser.Session) (*journey, error) {
			return &journey{Step: signingIn, Linked: &linked{Link: l.key, Client: l.ClientID}}, nil
		})
	}
}

// provenForLink compares whom the provider named with the person whom the link
// is for: a link that is sent to somebody else must not attach their Nextcloud
// to the client of whoever sent it.
func (g *Guide) provenForLink(w http.ResponseWriter, r *http.Request, j *journey, o *signin.Outcome) {
	ctx := r.Context()
	l, err := g.link(ctx, j.Linked.Link)
	if err != nil {
		g.stranger(w, r, err)
		return
	}
	if !l.of(&o.Person) {
		// The provider would answer the same, unasked.
		if err := g.startOver(ctx, j.key(), true); err != nil && !errors.Is(err, errMoved) {
			g.trouble(w, r, j, err)
			return
		}
		g.logProblem(ctx, &signin.Problem{Code: signin.OtherPerson})
		g.problem(w, r, j, signin.OtherPerson)
		return
	}
	had, err := g.Passwords.Has(ctx, l.Grant)
	switch {
	case err != nil:
		g.trouble(w, r, j, err)
	case had: // Nextcloud gave one for the client's own token meanwhile
		g.doneAlready(w, r, j, l)
	default:
		if o.LoginFlow == "" {
			o.LoginFlow = signin.TokenNotTaken
		}
		g.goOnWithLoginFlow(w, r, j, o)
	}
}

// doneAlready ends a link that is not needed any more.
func (g *Guide) doneAlready(w http.ResponseWriter, r *http.Request, j *journey, l *link) {
	ctx := r.Context()
	if _, err := g.useUp(ctx, l.key); err != nil && !errors.Is(err, store.ErrNotFound) {
		g.trouble(w, r, j, err)
		return
	}
	if _, err := g.noteLinked(ctx, j); err != nil {
		g.trouble(w, r, j, err)
		return
	}
	goTo(w, g.path("/oauth/connect/", j.ID))
}

var errUnproven = &signin.Problem{Code: signin.Internal, Err: errors.New("nobody proved to be the person whom the link is for")}

// arriveByLink gives the grant of a link the app password that its person
// brought, once. Nobody is signed in to this server's own pages by that.
func (g *Guide) arriveByLink(ctx context.Context, j *journey, o *signin.Outcome) (*journey, error) {
	l, err := g.useUp(ctx, j.Linked.Link)
	switch {
	case errors.Is(err, store.ErrNotFound):
		// The same person was faster in another browser.
		g.LoginFlow.Discard(ctx, o)
		return g.noteLinked(ctx, j)
	case err != nil:
		g.LoginFlow.Discard(ctx, o)
		return nil, err
	case !l.of(j.Vouched):
		g.LoginFlow.Discard(ctx, o)
		return nil, errUnproven
	}
	kept, err := g.Passwords.Keep(ctx, store.AppPassword{
		Grant: l.Grant, Issuer: l.Issuer, Subject: l.Subject, ClientID: l.ClientID,
		LoginName: o.Person.LoginName, UserID: o.Person.UserID, Password: o.Credential.Secret,
	})
	if !kept {
		g.LoginFlow.Discard(ctx, o)
	}
	if err != nil {
		// The person may try again.
		return nil, fmt.Errorf("keep sign-in: %w", errors.Join(err, g.putLink(ctx, l)))
	}
	g.Log.InfoContext(ctx, "A person let a client of the OpenID provider work in Nextcloud", "user", string(o.Person.UserID), "client", l.ClientID)
	return g.noteLinked(ctx, j)
}

// noteLinked writes down that a journey has come to its end.
func (g *Guide) noteLinked(ctx context.Context, j *journey) (*journey, error) {
	now, err := g.change(ctx, j.key(), func(j *journey) error {
		if j.Step != signingIn {
			return errMoved
		}
		j.Step, j.Login, j.Problem = answered, nil, ""
		return nil
	})
	if errors.Is(err, errMoved) {
		err = nil
	}
	return now, err
}
