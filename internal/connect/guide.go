package connect

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// Store keeps journeys and grants; *store.Store is one.
type Store interface {
	PutFlow(ctx context.Context, f store.Flow) error
	Flow(ctx context.Context, kind string, key store.Hash) (store.Flow, error)
	TakeFlow(ctx context.Context, kind string, key store.Hash) (store.Flow, error)
	UpdateFlow(ctx context.Context, f store.Flow) error

	CreateGrant(ctx context.Context, g store.Grant) error
	Grant(ctx context.Context, id string) (store.Grant, error)
	GrantFor(ctx context.Context, user nextcloud.UserID, clientID string) (store.Grant, error)
	ActivateGrant(ctx context.Context, id string, scopes scope.Set, p policy.Policy, expires time.Time) (store.Grant, error)
	EndGrant(ctx context.Context, id string, why store.EndReason) (ended bool, err error)
}

// LoginFlow is Nextcloud's Login Flow v2; *signin.LoginFlow is one.
type LoginFlow interface {
	Start(ctx context.Context, device string) (*signin.Flow, error)
	Poll(ctx context.Context, f *signin.Flow) (*signin.Outcome, error)
	Continue(ctx context.Context, before signin.Person, flow *signin.Outcome) error
	Discard(ctx context.Context, o *signin.Outcome)
}

// Provider is an OpenID provider; *signin.OIDC is one.
type Provider interface {
	Available() bool
	Start(ctx context.Context, device string, opts *signin.StartOptions) (*signin.Attempt, error)
	Finish(ctx context.Context, a *signin.Attempt, callback url.Values) (*signin.Outcome, error)
}

// Answers are what a client gets in the end; *oauth.Server gives them.
type Answers interface {
	// Approve makes a code and answers the redirect URI that carries it.
	Approve(ctx context.Context, req *oauth.Request, grant store.Grant, scopes scope.Set) (location string, err error)
	// Deny answers the redirect URI that says that the person refused.
	Deny(req *oauth.Request) string
	// Answer answers the redirect URI with an error of RFC 6749, 4.1.2.1.
	Answer(req *oauth.Request, code, description string) string
}

// Pages shows pages; *pages.Pages does.
type Pages interface {
	Write(w http.ResponseWriter, r *http.Request, status int, page pages.Page)
}

// Method is how people sign in.
type Method string

// The methods.
const (
	// Auto is the provider where there is one, else Login Flow v2.
	Auto          Method = "auto"
	OnlyProvider  Method = "oidc"
	OnlyLoginFlow Method = "loginflow"
)

// Config is what a Guide is made of. Everything but OIDC, Passwords, Limit, Ended
// and Now is needed; Answers is not, where clients get no tokens here.
type Config struct {
	Public    *url.URL // this server's address as people type it
	Nextcloud string   // the host of the Nextcloud that people sign in at
	Method    Method

	Sessions  *browser.Sessions
	Store     Store
	LoginFlow LoginFlow
	OIDC      Provider  // nil for none
	Passwords Passwords // where links lead; nil gives none out
	Answers   Answers
	Pages     Pages
	Log       *slog.Logger

	// Limit reports whether the sender of r may begin another sign-in, and when
	// it may try again; nil sets no limit.
	Limit func(r *http.Request) (ok bool, retry time.Duration)
	// Ended is told of each pending grant that a person ended, so that its app
	// password is revoked soon; may be nil.
	Ended func(grantID string)
	Now   func() time.Time // default time.Now
}

// Guide leads browsers. It is safe for concurrent use.
type Guide struct {
	Config
	guard  *browser.Guard
	prefix string // path of the public address, without a slash at its end
	turns  *turns
}

// New is a guide. The error says what is wrong with the public address.
func New(cfg Config) (*Guide, error) {
	guard, err := browser.NewGuard(cfg.Public)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Guide{Config: cfg, guard: guard, prefix: strings.TrimSuffix(cfg.Public.Path, "/"), turns: newTurns(cfg.Now)}, nil
}

const (
	// handlerTime bounds one answer, requests to Nextcloud included.
	handlerTime = 25 * time.Second
	// maxForm is the size of the largest form, in bytes.
	maxForm = 64 << 10
)

// Handle adds the routes to mux, each with and without the path of the public
// address.
func (g *Guide) Handle(mux *http.ServeMux) {
	for path, methods := range map[string]map[string]http.HandlerFunc{
		"/oauth/connect/{id}":         {http.MethodGet: g.show},
		"/oauth/connect/{id}/open":    {http.MethodGet: g.open},
		"/oauth/connect/{id}/status":  {http.MethodGet: g.status},
		"/oauth/connect/{id}/oidc":    {http.MethodGet: g.viaProvider},
		"/oauth/connect/{id}/consent": {http.MethodPost: g.answer},
		"/oauth/connect/{id}/other":   {http.MethodPost: g.other},
		"/oauth/phone/{token}":        {http.MethodGet: g.phone},
		"/oauth/phone/{token}/open":   {http.MethodGet: g.phoneOpen},
		"/oauth/link/{token}":         {http.MethodGet: g.showLink},
		"/oauth/link/{token}/open":    {http.MethodGet: g.openLink},
		"/oauth/callback":             {http.MethodGet: g.callback},
	} {
		h := g.bounded(methods)
		mux.Handle(path, h)
		if g.prefix != "" {
			mux.Handle(g.prefix+path, h)
		}
	}
}

// bounded runs the handler of the request's method within the limits of time
// and size.
func (g *Guide) bounded(methods map[string]http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		handler, ok := methods[method]
		if !ok {
			for allowed := range methods {
				w.Header().Set("Allow", allowed)
			}
			g.refuse(w, r, http.StatusMethodNotAllowed, pages.Failure{Code: pages.CodeMethod})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), handlerTime)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		handler(w, r.WithContext(ctx))
	})
}

// path is a path of this server as browsers see it.
func (g *Guide) path(parts ...string) string { return g.prefix + strings.Join(parts, "") }

// absolute is a path of this server as a URL, for another device.
func (g *Guide) absolute(path string) string {
	return g.Public.Scheme + "://" + g.Public.Host + path
}

// goTo sends the browser on with a GET.
func goTo(w http.ResponseWriter, location string) {
	h := w.Header()
	h.Set("Location", location)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // addresses of journeys stay here
	w.WriteHeader(http.StatusSeeOther)
}

// again sends the browser to the page of a journey, which may lead on to the
// provider. After a form that takes a page: its answer must not lead to another
// host (CSP form-action).
func (g *Guide) again(w http.ResponseWriter, r *http.Request, j *journey) {
	page := g.path("/oauth/connect/", j.ID)
	if r.Method == http.MethodPost {
		g.Pages.Write(w, r, http.StatusOK, pages.Onward{To: g.absolute(page)})
		return
	}
	goTo(w, page)
}

// random is a fresh unguessable value for an address: 32 bytes in base64url.
func random() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:])
}
