// Package account is where people see what they connected, and pause, narrow or
// end it. It is apart from the sign-in journey, which it only borrows: here
// nobody is asked by a client, and everything concerns the signed-in person's
// own connections alone.
package account

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/connect"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// Store keeps grants and what was done with them; *store.Store is one.
type Store interface {
	GrantsOf(ctx context.Context, user nextcloud.UserID) ([]store.Grant, error)
	SetGrantPolicy(ctx context.Context, id string, user nextcloud.UserID, scopes scope.Set, p policy.Policy, expires time.Time) error
	EndGrant(ctx context.Context, id string, why store.EndReason) (ended bool, err error)
	EndGrantsOf(ctx context.Context, user nextcloud.UserID, why store.EndReason) (int, error)
	AuditOf(ctx context.Context, user nextcloud.UserID, limit int) ([]store.AuditEntry, error)
}

// Pages shows pages; *pages.Pages does.
type Pages interface {
	Write(w http.ResponseWriter, r *http.Request, status int, page pages.Page)
}

// Config is what an Account is made of. Ended and Now may be left out.
type Config struct {
	Public    *url.URL // this server's address as people type it
	Nextcloud string   // the host of the Nextcloud that people sign in at
	MCPURL    string   // what people paste into a client

	Sessions *browser.Sessions
	Store    Store
	Pages    Pages
	Log      *slog.Logger
	// SignIn lets the person sign in and then sends the browser to back, a path
	// of this server; *connect.Guide does.
	SignIn func(w http.ResponseWriter, r *http.Request, back string)
	// Ended is told of each connection that the person ended.
	Ended func(grantID string)
	Now   func() time.Time // default time.Now
}

// Account is the pages. It is safe for concurrent use.
type Account struct {
	Config
	guard *browser.Guard
	home  string // the path of the first page, as browsers see it
}

// New is the account pages. The error says what is wrong with the public
// address.
func New(cfg Config) (*Account, error) {
	guard, err := browser.NewGuard(cfg.Public)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Ended == nil {
		cfg.Ended = func(string) {}
	}
	return &Account{Config: cfg, guard: guard, home: strings.TrimSuffix(cfg.Public.Path, "/") + root}, nil
}

const (
	root = "/account"
	// handlerTime bounds one answer.
	handlerTime = 15 * time.Second
	// maxForm is the size of the largest form, in bytes.
	maxForm = 64 << 10
	// purpose is what all forms here are for: their tokens do for no other.
	purpose = "account"
	// maxLately is how much of what was done is shown.
	maxLately = 50
)

// Handle adds the routes to mux, each with and without the path of the public
// address.
func (a *Account) Handle(mux *http.ServeMux) {
	for path, h := range map[string]http.HandlerFunc{
		"":                         a.get(a.overview),
		"/sign-out":                a.post(a.signOut),
		"/end-all":                 a.post(a.endAll),
		"/connections/{id}":        a.both(a.showChange, a.change),
		"/connections/{id}/pause":  a.post(a.pause),
		"/connections/{id}/resume": a.post(a.resume),
		"/connections/{id}/end":    a.post(a.end),
	} {
		mux.HandleFunc(root+path, h)
		if a.home != root {
			mux.HandleFunc(a.home+path, h)
		}
	}
}

// page handles a request of a person who signed in.
type page func(w http.ResponseWriter, r *http.Request, who *browser.Session)

func (a *Account) get(show page) http.HandlerFunc { return a.both(show, nil) }

func (a *Account) post(do page) http.HandlerFunc { return a.both(nil, do) }

// both lets a person look, and a form of theirs act.
func (a *Account) both(show, do page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), handlerTime)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		switch {
		case r.Method == http.MethodPost && do != nil:
			if who := a.form(w, r); who != nil {
				do(w, r, who)
			}
		case (r.Method == http.MethodGet || r.Method == http.MethodHead) && show != nil:
			if who := a.person(w, r); who != nil {
				show(w, r, who)
			}
		default:
			allow := []string{http.MethodGet, http.MethodPost}
			if show == nil {
				allow = allow[1:]
			} else if do == nil {
				allow = allow[:1]
			}
			w.Header().Set("Allow", strings.Join(allow, ", "))
			a.refuse(w, r, http.StatusMethodNotAllowed, pages.CodeMethod)
		}
	}
}

// person is who looks. Whoever is not signed in does so first, and it has
// answered when that is nil.
func (a *Account) person(w http.ResponseWriter, r *http.Request) *browser.Session {
	who, err := a.Sessions.Find(r)
	switch {
	case err == nil && who.SignedIn():
		return who
	case err != nil && !errors.Is(err, browser.ErrNone):
		a.trouble(w, r, err)
		return nil
	}
	back := a.home
	path := r.URL.Path
	if !strings.HasPrefix(path, a.home) { // a proxy took the prefix away
		path = strings.TrimSuffix(a.home, root) + path
	}
	if own, ok := connect.ReturnPath(path, a.home); ok {
		back = own
	}
	a.SignIn(w, r, back)
	return nil
}

// form is who posted a form, which came from a page that was shown to that very
// browser. It has answered when that is nil.
func (a *Account) form(w http.ResponseWriter, r *http.Request) *browser.Session {
	if !a.guard.Allows(r) {
		a.refuse(w, r, http.StatusForbidden, pages.CodeCSRF)
		return nil
	}
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if _, tooBig := errors.AsType[*http.MaxBytesError](err); tooBig {
			status = http.StatusRequestEntityTooLarge
		}
		a.refuse(w, r, status, pages.CodeCSRF)
		return nil
	}
	who, err := a.Sessions.Find(r)
	switch {
	case err != nil && !errors.Is(err, browser.ErrNone):
		a.trouble(w, r, err)
	case err != nil, !who.SignedIn(), !who.CheckCSRF(purpose, r.PostForm.Get("csrf")):
		a.refuse(w, r, http.StatusForbidden, pages.CodeCSRF)
	default:
		return who
	}
	return nil
}

// refuse shows a failure with the way to begin again.
func (a *Account) refuse(w http.ResponseWriter, r *http.Request, status int, code string) {
	a.Pages.Write(w, r, status, pages.Failure{Code: code, RetryURL: a.home})
}

// trouble answers an error of the store.
func (a *Account) trouble(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) {
		a.Log.ErrorContext(r.Context(), "An account page could not be shown", "error", err)
	}
	w.Header().Set("Retry-After", "5")
	a.refuse(w, r, http.StatusServiceUnavailable, pages.CodeUnavailable)
}

// done sends the browser back to the overview, which says what was done.
func (a *Account) done(w http.ResponseWriter, notice string) {
	location := a.home
	if notice != "" {
		location += "?done=" + notice
	}
	w.Header().Set("Location", location)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
}
