package connect

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// show is GET /oauth/connect/{id}: the page of the step that the journey is at.
func (g *Guide) show(w http.ResponseWriter, r *http.Request) {
	t, err := g.mine(r)
	if err != nil {
		g.stranger(w, r, err)
		return
	}
	if t.Step == signingIn && !g.showSignIn(w, r, t) {
		return
	}
	if t.Step == signedIn && !g.settle(w, r, t) {
		return
	}
	switch {
	case t.Linked != nil:
		g.Pages.Write(w, r, http.StatusOK, pages.SignInDone{Client: t.Linked.Client, Nextcloud: g.Nextcloud})
	case t.Request == nil:
		goTo(w, t.Back)
	case t.Step == answered:
		g.answeredAlready(w, r, t.journey)
	default:
		g.showConsent(w, r, t, nil)
	}
}

// showSignIn shows the page that waits for the person, unless they are done
// meanwhile, which it reports.
func (g *Guide) showSignIn(w http.ResponseWriter, r *http.Request, t *travel) bool {
	if t.Problem != "" {
		g.showProblem(w, r, t.journey)
		return false
	}
	if t.Provider {
		if !g.limited(w, r) {
			g.toProvider(w, r, t.journey)
		}
		return false
	}
	now, problem, err := g.poll(r.Context(), t.journey)
	switch {
	case err != nil:
		g.trouble(w, r, t.journey, err)
		return false
	case now.Step != signingIn:
		t.journey = now
		return true
	case problem != "" && now.Problem != "":
		g.showProblem(w, r, now)
		return false
	}
	if now, err = g.withPhone(r.Context(), now); err != nil {
		g.trouble(w, r, t.journey, err)
		return false
	}
	g.Pages.Write(w, r, http.StatusOK, g.waiting(t, now))
	return false
}

func (g *Guide) waiting(t *travel, j *journey) pages.Waiting {
	at := g.path("/oauth/connect/", j.ID)
	page := pages.Waiting{
		Nextcloud: g.Nextcloud, OpenURL: at + "/open", StatusURL: at + "/status", SelfURL: at,
		PhoneURL: g.absolute(g.path("/oauth/phone/", j.Phone.Token)), Code: j.Phone.Code,
		CSRF: t.session.CSRF(purpose(j)), Reason: string(j.Reason),
	}
	switch {
	case j.Linked != nil:
		page.Client, page.Linked = j.Linked.view(), true
	case j.Request != nil:
		page.Client, page.CancelURL = clientView(j.Request.oauth()), at+"/consent"
	}
	if g.offersProvider(j) {
		page.Other = at + "/oidc"
	}
	return page
}

// showProblem shows a problem once; after that the sign-in begins anew.
func (g *Guide) showProblem(w http.ResponseWriter, r *http.Request, j *journey) {
	code := j.Problem
	_, err := g.change(r.Context(), j.key(), func(j *journey) error {
		if j.Problem != code {
			return errMoved
		}
		j.Problem = ""
		return nil
	})
	if err != nil && !errors.Is(err, errMoved) {
		g.trouble(w, r, j, err)
		return
	}
	g.problem(w, r, j, code)
}

// open is GET /oauth/connect/{id}/open: to Nextcloud's login.
func (g *Guide) open(w http.ResponseWriter, r *http.Request) {
	t, err := g.mine(r)
	if err != nil {
		g.stranger(w, r, err)
		return
	}
	if t.Step != signingIn || t.Provider {
		goTo(w, g.path("/oauth/connect/", t.ID))
		return
	}
	g.toNextcloud(w, r, t.journey, t.journey)
}

// toNextcloud sends the browser to the login link, and begins a Login Flow
// where none is open. shown is the journey as far as the browser may know of
// it: nil on a phone.
func (g *Guide) toNextcloud(w http.ResponseWriter, r *http.Request, j, shown *journey) {
	if !g.usable(j.Login) {
		if g.limited(w, r) {
			return
		}
		if j.Starts >= maxStarts {
			w.Header().Set("Retry-After", "60")
			g.refuse(w, r, http.StatusTooManyRequests, pages.Failure{Code: pages.CodeRateLimited})
			return
		}
		var err error
		if j, err = g.startLogin(r.Context(), j); err != nil {
			if p, ok := errors.AsType[*signin.Problem](err); ok && shown == nil {
				g.logProblem(r.Context(), p)
				g.refuse(w, r, statuses[p.Code], pages.Failure{Code: string(p.Code)})
				return
			}
			g.trouble(w, r, shown, err)
			return
		}
	}
	if j.Login == nil { // done in another tab meanwhile
		goTo(w, g.path("/oauth/connect/", j.ID))
		return
	}
	goTo(w, j.Login.LoginURL)
}

func (g *Guide) usable(f *signin.Flow) bool {
	return f != nil && g.Now().Before(f.StartedAt.Add(signin.FlowLife-loginLeft))
}

// startLogin begins a Login Flow. Of two tabs that do so at once one wins, and
// both get its link.
func (g *Guide) startLogin(ctx context.Context, j *journey) (*journey, error) {
	fresh, err := g.LoginFlow.Start(ctx, g.device(j))
	if err != nil {
		return nil, err
	}
	now, err := g.change(ctx, j.key(), func(j *journey) error {
		if j.Step != signingIn || g.usable(j.Login) {
			return errMoved
		}
		j.Login, j.Starts, j.Problem = fresh, j.Starts+1, ""
		return nil
	})
	if errors.Is(err, errMoved) {
		err = nil
	}
	return now, err
}

// status is GET /oauth/connect/{id}/status, which the waiting page asks.
func (g *Guide) status(w http.ResponseWriter, r *http.Request) {
	t, err := g.mine(r)
	switch {
	case errors.Is(err, errOutdone): // signed in, in another tab
		writeStatus(w, http.StatusOK, true, "")
		return
	case errors.Is(err, errForeign):
		writeStatus(w, http.StatusForbidden, false, pages.CodeOtherBrowser)
		return
	case errors.Is(err, store.ErrNotFound):
		writeStatus(w, http.StatusGone, false, pages.CodeFlowGone)
		return
	case err != nil:
		g.statusTrouble(w, r, err)
		return
	}
	if t.Step != signingIn || t.Problem != "" {
		writeStatus(w, http.StatusOK, true, "")
		return
	}
	now, problem, err := g.poll(r.Context(), t.journey)
	if err != nil {
		g.statusTrouble(w, r, err)
		return
	}
	if done := now.Step != signingIn || now.Problem != ""; done || problem == "" {
		writeStatus(w, http.StatusOK, done, problem)
		return
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(troublePause/time.Second)))
	writeStatus(w, http.StatusServiceUnavailable, false, problem)
}

func (g *Guide) statusTrouble(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) {
		g.Log.ErrorContext(r.Context(), "The state of a sign-in could not be told", "error", err)
	}
	w.Header().Set("Retry-After", "5")
	writeStatus(w, http.StatusServiceUnavailable, false, pages.CodeUnavailable)
}

// writeStatus answers whether the page has something new to show, and what is
// in the way.
func writeStatus(w http.ResponseWriter, status int, done bool, problem string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Done    bool   `json:"done"`
		Problem string `json:"problem"`
	}{done, problem})
}

// poll asks Nextcloud whether the person is done, at most once a second for a
// journey, and keeps the answer. problem is what is in the way: one that
// passes, or one that the journey notes.
func (g *Guide) poll(ctx context.Context, j *journey) (now *journey, problem string, err error) {
	if j.Login == nil {
		return j, "", nil
	}
	turn := g.turns.of(j.key())
	if !turn.take(ctx) {
		return j, "", nil
	}
	defer turn.give()
	// While this tab waited for its turn, another one may have had the answer.
	if j, err = g.load(ctx, j.key()); err != nil || j.Step != signingIn || j.Login == nil || !turn.due() {
		return j, "", err
	}
	outcome, err := g.LoginFlow.Poll(ctx, j.Login)
	turn.wait(pollPause)
	if err == nil && j.Vouched != nil {
		err = g.LoginFlow.Continue(ctx, *j.Vouched, outcome)
	}
	switch {
	case err == nil:
		now, err = g.arrive(ctx, j, outcome)
		return now, "", err
	case errors.Is(err, signin.ErrPending):
		return j, "", nil
	}
	p, ok := errors.AsType[*signin.Problem](err)
	if !ok {
		return j, "", err
	}
	switch p.Code { //nolint:exhaustive // the others do not pass by themselves
	case signin.Unreachable, signin.Maintenance, signin.TooMany:
		turn.wait(troublePause)
		return j, string(p.Code), nil
	}
	g.logProblem(ctx, p)
	asked := j.Login.StartedAt
	now, err = g.change(context.WithoutCancel(ctx), j.key(), func(j *journey) error {
		if j.Step != signingIn || j.Login == nil || !j.Login.StartedAt.Equal(asked) {
			return errMoved
		}
		j.Login, j.Problem = nil, p.Code
		return nil
	})
	if errors.Is(err, errMoved) {
		return now, "", nil
	}
	return now, string(p.Code), err
}

const (
	// pollPause is how long Nextcloud is left alone after it was asked, and
	// troublePause after it could not answer.
	pollPause    = time.Second
	troublePause = 10 * time.Second
)
