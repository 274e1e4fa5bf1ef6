// Package server is the HTTP side of the MCP server: routes, the checks that
// come before the protocol (host, origin, body, bearer, scope), the router
// between the two protocol generations, and the health report. It decides from
// data whether a call may go on, before anything is dispatched.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
)

// Gate says what a call needs and what a person denied a connection, from the
// tool registry.
type Gate interface {
	ToolNeeds(name string) (needs scope.Set, offered bool)
	ResourceNeeds(uri string) (needs scope.Set, offered bool)
	PromptNeeds(name string) (needs scope.Set, offered bool)
	Scopes() scope.Set
	// DeniesTool, DeniesResource and DeniesPrompt report whether the person who p acts for
	// denies this connection such a call, whatever its scopes. It is then
	// answered with that, where it would run, and no scope is asked for.
	DeniesTool(p *auth.Principal, name string) bool
	DeniesResource(p *auth.Principal, uri string) bool
	DeniesPrompt(p *auth.Principal, name string) bool
}

// Basic proves people by their own Nextcloud login name and password.
//
// Prove answers an *auth.Error: 401 when they are refused, 429 when there were
// too many refused ones, 503 when they cannot be checked now.
type Basic interface {
	Prove(ctx context.Context, loginName string, password auth.Secret, client netip.Addr) (*auth.Principal, error)
}

// Config is what a Handler is built from.
type Config struct {
	MCP  *mcp.Server
	Gate Gate
	Log  *slog.Logger

	// Public is this server's address as clients type it, without /mcp.
	Public *url.URL
	// AllowedHosts and AllowedOrigins are accepted beside the public address
	// and loopback names. "name:*" accepts any port.
	AllowedHosts   []string
	AllowedOrigins []string

	// Door proves bearer tokens. Without it and Basic, /mcp is open
	// (single-user mode).
	Door auth.Verifier
	// Issuer is the authorization server that clients are sent to; it answers
	// an *auth.Error with status 503 while it is not known. Needed with Door.
	Issuer func() (string, error)
	// Identity are the scopes that a first sign-in asks for beside those of the
	// Gate: openid and profile where an OpenID provider issues the tokens.
	Identity scope.Set
	// Basic proves a login name and a password with each request; Door is nil
	// then.
	Basic Basic
	// ClientAddr is the address that a request came from, for Basic to count
	// refusals by; default: that of the connection. What proxies say of it is
	// for this function to believe or not: nothing here reads their headers.
	ClientAddr func(*http.Request) netip.Addr

	// Mount adds routes (pages, an authorization server) behind the host
	// check; may be nil. It has to serve what is at the public address itself.
	// prefix is the path of the public address, without a slash at its end.
	// What browsers of other sites may do there is for each route to decide.
	Mount func(mux *http.ServeMux, prefix string)

	Health Health
	// Observe is told of each answered request to /mcp; may be nil.
	Observe func(method string, status int, took time.Duration)
}

// mcpPath is where MCP is spoken, below the public address.
const mcpPath = "/mcp"

// wellKnown is where the metadata of a protected resource is (RFC 9728, 3).
const wellKnown = "/.well-known/oauth-protected-resource"

// ResourceURL is the identifier of the protected resource (RFC 9728, 1.2) and
// the address people paste into clients: the public address with /mcp.
func ResourceURL(public *url.URL) string {
	return strings.TrimSuffix(public.String(), "/") + mcpPath
}

// New is the handler of everything but /metrics.
func New(cfg Config) http.Handler {
	prefix := strings.TrimSuffix(cfg.Public.Path, "/")
	mux := http.NewServeMux()
	hosts := newHostCheck(&cfg)
	endpoint := hosts.origin(cfg.endpoint())
	mux.Handle(mcpPath, endpoint)
	health := cfg.Health.routes(mux)
	meta := &metadata{cfg: &cfg}
	mux.HandleFunc(wellKnown, meta.serve)
	mux.HandleFunc(wellKnown+mcpPath, meta.serve)
	for _, p := range slices.Compact([]string{"", prefix}) {
		// Browsers ask for it on their own.
		mux.HandleFunc("GET "+p+"/favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	}
	if cfg.Mount != nil {
		cfg.Mount(mux, prefix)
	} else {
		mux.HandleFunc("GET /{$}", cfg.front)
	}
	if prefix != "" {
		// Behind a proxy that keeps the path, everything is below the prefix;
		// RFC 9728 puts the metadata before it.
		mux.Handle(prefix+mcpPath, endpoint)
		mux.HandleFunc(wellKnown+prefix, meta.serve)
		mux.HandleFunc(wellKnown+prefix+mcpPath, meta.serve)
	}
	routes := hosts.host(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header(), isMCP(prefix, r))
		if r.ContentLength != 0 {
			// What a handler leaves of a body, net/http reads after it.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
		}
		if health(r) { // probes come under any host name, and learn nothing
			mux.ServeHTTP(w, r)
			return
		}
		routes.ServeHTTP(w, r)
	})
}

// isMCP reports whether a request is for the MCP endpoint.
func isMCP(prefix string, r *http.Request) bool {
	return r.URL.Path == mcpPath || r.URL.Path == prefix+mcpPath
}

// secure sets what every answer says to browsers unless a route says
// otherwise: nothing in it is a page with scripts, or may be framed.
func secure(h http.Header, mcp bool) {
	h.Set("X-Content-Type-Options", "nosniff")
	if mcp {
		return
	}
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
}

// endpoint is the pipeline of /mcp: front door, body limit and single parse,
// scope, protocol generation.
func (cfg *Config) endpoint() http.Handler {
	h := eras(cfg.MCP, cfg.Log)
	h = tiered(keepAlive(h, 25*time.Second))
	d := newDoor(cfg)
	if d == nil {
		return cfg.observed(peek(h))
	}
	return cfg.observed(d.prove(peek(d.admit(h))))
}

func (cfg *Config) observed(next http.Handler) http.Handler {
	if cfg.Observe == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &statusRecorder{ResponseWriter: w}
		next.ServeHTTP(rec, r)
		cfg.Observe(r.Method, rec.code(), time.Since(start))
	})
}

// statusRecorder notes the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

// Unwrap lets http.ResponseController through.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// front tells a person who opened the address in a browser what to do.
func (cfg *Config) front(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("This is an MCP server for Nextcloud.\nAdd this address to your AI assistant: " + ResourceURL(cfg.Public) + "\n"))
}
