// Package oauth is the authorization server that MCP clients talk to (OAuth
// 2.1): metadata, authorization requests, tokens, revocation. It speaks the
// protocol and decides who gets which answer. Who a client is (clients), how
// people sign in and consent, and what the pages look like are told to it, so
// that the rules of codes and tokens can be read and tested by themselves.
package oauth

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/ratelimit"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// Store keeps codes, tokens and grants. Its rules (a code is used once, a
// refresh token that comes back ends its family) hold in one transaction each.
type Store interface {
	PutCode(ctx context.Context, c store.Code) error
	RedeemCode(ctx context.Context, code store.Hash, f store.Family, p store.Pair, check func(store.Code) error) (store.Code, error)
	Rotate(ctx context.Context, family, presented store.Hash, p store.Pair, check func(store.Family) error) (store.Family, error)
	AccessToken(ctx context.Context, token store.Hash) (store.AccessToken, error)
	RevokeAccess(ctx context.Context, token store.Hash, clientID string) (bool, error)
	RevokeFamily(ctx context.Context, family store.Hash, clientID string) (grantID string, last bool, err error)
	EndGrant(ctx context.Context, id string, why store.EndReason) (ended bool, err error)
	TouchGrant(ctx context.Context, id string, at time.Time) error
	Client(ctx context.Context, id string) (store.Client, error)
}

// Clients knows the clients. Errors are *clients.Problem; any other error
// means that it cannot tell now.
type Clients interface {
	Find(ctx context.Context, id string) (*clients.Client, error)
	// Authenticate proves the client of a token or revocation request, whose
	// form is parsed already.
	Authenticate(ctx context.Context, r *http.Request) (*clients.Client, error)
	Allows(c *clients.Client, redirectURI string) bool
	Register(w http.ResponseWriter, r *http.Request) // RFC 7591
	Manage(w http.ResponseWriter, r *http.Request)   // RFC 7592
}

// Config is what a Server is made of. Limits, Proxies, Log, Now and Ended may
// be left out.
type Config struct {
	Issuer   string // this server's public URL, without a trailing slash; may have a path
	Resource string // the identifier of what the tokens are for: Issuer with /mcp
	// SameResource are other identifiers of it, which clients may name instead.
	SameResource []string
	// Scopes are all that can be granted, at the moment.
	Scopes  func() scope.Set
	Store   Store
	Clients Clients
	// NoRegistration says that clients cannot register themselves, so that the
	// metadata does not offer it.
	NoRegistration bool
	// NoDocuments says the same of client id metadata documents.
	NoDocuments bool

	// Begin goes on with a proven authorization request: sign-in and consent.
	Begin func(w http.ResponseWriter, r *http.Request, req *Request)
	// Fail tells a person why an authorization request cannot be answered. code
	// is one of the page codes; client is nil while it is not known; detail is
	// a sentence without secrets, or empty.
	Fail func(w http.ResponseWriter, r *http.Request, status int, code string, client *clients.Client, detail string)

	Limits  Limits
	Proxies ratelimit.Proxies // the reverse proxies that are believed about addresses
	Log     *slog.Logger
	Now     func() time.Time
	// Ended is told of a grant that a client ended, so that caches forget it.
	Ended func(grantID string)
}

// The page codes that Fail is called with.
const (
	PageUnknownClient     = "unknown_client"
	PageBadRedirect       = "bad_redirect"
	PageClientUnavailable = "client_unavailable"
	PageBadDocument       = "bad_client_document"
	PageRateLimited       = "rate_limited"
	PageMethod            = "method"
	PageUnavailable       = "unavailable"
)

// Server is the authorization server. It is safe for concurrent use.
type Server struct {
	cfg    Config
	limits limiters
	uses   *uses
}

// New is a Server.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Ended == nil {
		cfg.Ended = func(string) {}
	}
	return &Server{cfg: cfg, limits: newLimiters(cfg.Limits, cfg.Proxies), uses: newUses(cfg.Store, cfg.Log)}
}

// Close waits for what is still being written beside the requests.
func (s *Server) Close() { s.uses.wait() }

// The endpoints, below the issuer.
const (
	authorizePath = "/oauth/authorize"
	tokenPath     = "/oauth/token" //nolint:gosec // a path, not a credential
	revokePath    = "/oauth/revoke"
	registerPath  = "/oauth/register"
	keysPath      = "/oauth/jwks"
)

// The places of metadata (RFC 8414, 3; OpenID Connect Discovery 1.0, 4).
const (
	wellKnownOAuth  = "/.well-known/oauth-authorization-server"
	wellKnownOpenID = "/.well-known/openid-configuration"
)

// Handle registers all routes at their bare paths and, when the public address
// has a path, below it too: a reverse proxy may take the path away or leave it.
func (s *Server) Handle(mux *http.ServeMux, prefix string) {
	prefix = strings.TrimSuffix(prefix, "/")
	s.handleBelow(mux, "")
	if prefix == "" {
		return
	}
	s.handleBelow(mux, prefix)
	// Clients put the well-known part between host and path (RFC 8414, 3.1).
	mux.Handle(wellKnownOAuth+prefix, s.metadata(false))
	mux.Handle(wellKnownOpenID+prefix, s.metadata(true))
}

func (s *Server) handleBelow(mux *http.ServeMux, prefix string) {
	mux.Handle(prefix+wellKnownOAuth, s.metadata(false))
	mux.Handle(prefix+wellKnownOpenID, s.metadata(true))
	mux.Handle(prefix+keysPath, shared(noKeys, http.MethodGet, http.MethodHead))
	mux.HandleFunc(prefix+authorizePath, s.authorize)
	mux.Handle(prefix+tokenPath, shared(s.limited(s.limits.token, s.token), http.MethodPost))
	mux.Handle(prefix+revokePath, shared(s.limited(s.limits.token, s.revoke), http.MethodPost))
	mux.Handle(prefix+registerPath, shared(s.limited(s.limits.register, s.cfg.Clients.Register), http.MethodPost))
	// The methods are the registration's own business: it answers PUT itself.
	mux.Handle(prefix+registerPath+"/{client_id}", shared(s.limited(s.limits.token, s.cfg.Clients.Manage)))
}
