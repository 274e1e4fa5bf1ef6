package connect

import (
	"context"
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/connect/choice"
	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/store"
)

// form is the journey of a posted form that came from this browser's own page.
// It has answered when that is nil.
func (g *Guide) form(w http.ResponseWriter, r *http.Request) *travel {
	if !g.guard.Allows(r) {
		g.refuse(w, r, http.StatusForbidden, pages.Failure{Code: pages.CodeCSRF})
		return nil
	}
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if _, tooBig := errors.AsType[*http.MaxBytesError](err); tooBig {
			status = http.StatusRequestEntityTooLarge
		}
		g.refuse(w, r, status, pages.Failure{Code: pages.CodeCSRF})
		return nil
	}
	t, err := g.mine(r)
	switch {
	case err != nil:
		g.stranger(w, r, err)
		return nil
	case !t.session.CheckCSRF(purpose(t.journey), r.PostForm.Get("csrf")):
		g.refuse(w, r, http.StatusForbidden, pages.Failure{Code: pages.CodeCSRF, RetryURL: g.path("/oauth/connect/", t.ID)})
		return nil
	case t.Step == answered:
		g.answeredAlready(w, r, t.journey)
		return nil
	}
	return t
}

func (g *Guide) answeredAlready(w http.ResponseWriter, r *http.Request, j *journey) {
	f := pages.Failure{Code: pages.CodeAlreadyAnswered}
	if j.Request != nil {
		f.Client = clientView(j.Request.oauth())
	}
	g.refuse(w, r, http.StatusConflict, f)
}

// answer is POST /oauth/connect/{id}/consent: the person's word.
func (g *Guide) answer(w http.ResponseWriter, r *http.Request) {
	t := g.form(w, r)
	switch {
	case t == nil:
	case t.Request == nil:
		g.again(w, r, t.journey)
	case r.PostForm.Get("decision") == "deny":
		g.deny(w, r, t.journey)
	case t.Step != consenting || r.PostForm.Get("decision") != "allow":
		g.again(w, r, t.journey)
	default:
		g.allow(w, r, t)
	}
}

// deny sends the browser back without a code. What the sign-in brought ends.
func (g *Guide) deny(w http.ResponseWriter, r *http.Request, j *journey) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), keepTime)
	defer cancel()
	now, err := g.change(ctx, j.key(), func(j *journey) error {
		if j.Step == answered {
			return errMoved
		}
		j.Step, j.Login = answered, nil
		return nil
	})
	switch {
	case errors.Is(err, errMoved):
		g.answeredAlready(w, r, now)
		return
	case err != nil:
		g.trouble(w, r, j, err)
		return
	}
	if now.Pending {
		if err := g.endPending(ctx, now.GrantID); err != nil {
			// It ends with all that nobody consented to; the person is not to wait.
			g.Log.ErrorContext(ctx, "A refused connection was not ended yet", "error", err)
		}
	}
	g.leave(w, r, now, g.Answers.Deny(now.Request.oauth()), true)
}

// allow makes the connection and its one code.
func (g *Guide) allow(w http.ResponseWriter, r *http.Request, t *travel) {
	known, err := g.consentable(r, t)
	if err != nil {
		g.showConsent(w, r, t, nil) // it knows what to do about it
		return
	}
	req := t.Request.oauth()
	typed, err := choice.Parse(r.PostForm, choice.Offered(req.Scopes))
	if err != nil {
		g.refuse(w, r, http.StatusBadRequest, pages.Failure{Code: pages.CodeCSRF, RetryURL: g.path("/oauth/connect/", t.ID)})
		return
	}
	if !typed.Good() {
		g.showConsent(w, r, t, typed)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), keepTime)
	defer cancel()
	// Whoever takes this step makes the code, so there is never a second one.
	now, err := g.change(ctx, t.key(), func(j *journey) error {
		if j.Step != consenting || j.GrantID != t.GrantID {
			return errMoved
		}
		j.Step = answered
		return nil
	})
	switch {
	case errors.Is(err, errMoved):
		g.answeredAlready(w, r, now)
		return
	case err != nil:
		g.trouble(w, r, t.journey, err)
		return
	}
	location, err := g.approve(ctx, now, typed, typed.Decide(req.Scopes, known))
	switch {
	case errors.Is(err, store.ErrNotFound): // the grant ended while the person read
		g.again(w, r, t.journey)
	case err != nil:
		g.trouble(w, r, t.journey, err)
	default:
		g.leave(w, r, now, location, false)
	}
}

// approve carries a decision out and answers where the browser goes with the
// code. When that fails, the person may answer again.
func (g *Guide) approve(ctx context.Context, j *journey, typed *choice.Choice, d choice.Decision) (location string, err error) {
	active, err := g.Store.ActivateGrant(ctx, j.GrantID, d.Scopes, d.Policy, typed.Ends(g.Now()))
	if err == nil {
		j.GrantID, j.Pending = active.ID, false
		location, err = g.Answers.Approve(ctx, j.Request.oauth(), active, d.Granted)
	}
	if err == nil {
		g.Log.InfoContext(ctx, "A person connected a client", "grant", active.ID, "client", active.ClientID, "scopes", active.Scopes.String())
		return location, nil
	}
	_, reopen := g.change(ctx, j.key(), func(stored *journey) error {
		stored.Step, stored.GrantID, stored.Pending = consenting, j.GrantID, j.Pending
		return nil
	})
	return "", errors.Join(err, reopen)
}

// leave shows the page that sends the browser back to the client.
func (g *Guide) leave(w http.ResponseWriter, r *http.Request, j *journey, to string, denied bool) {
	host, local := redirect.Host(j.Request.RedirectURI)
	g.Pages.Write(w, r, http.StatusOK, pages.Leaving{To: to, ClientName: j.Request.ClientName, Host: host, Local: local, Denied: denied})
}

// other is POST /oauth/connect/{id}/other: the person is somebody else.
func (g *Guide) other(w http.ResponseWriter, r *http.Request) {
	t := g.form(w, r)
	if t == nil {
		return
	}
	ctx := r.Context()
	switch err := g.startOver(ctx, t.key(), true); {
	case errors.Is(err, errMoved):
		g.answeredAlready(w, r, t.journey)
		return
	case err != nil:
		g.trouble(w, r, t.journey, err)
		return
	}
	next, err := g.Sessions.Open(ctx, store.BrowserSession{})
	if err == nil {
		err = g.moveAll(ctx, t.session.ID, next.ID)
	}
	if err != nil {
		g.trouble(w, r, t.journey, err)
		return
	}
	if err := g.Sessions.Replace(ctx, w, t.session, next); err != nil {
		g.trouble(w, r, t.journey, err)
		return
	}
	j, err := g.load(ctx, t.key())
	if err != nil {
		g.stranger(w, r, err)
		return
	}
	if !j.Provider {
		goTo(w, g.path("/oauth/connect/", j.ID))
		return
	}
	to, err := g.startProvider(ctx, j)
	if err != nil {
		g.providerFailed(w, r, j, err)
		return
	}
	// The answer to a form must not lead to another host (CSP form-action).
	g.Pages.Write(w, r, http.StatusOK, pages.Onward{To: to})
}
