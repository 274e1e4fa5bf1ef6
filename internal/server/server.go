// Package server is the HTTP side of the MCP server: routes, the checks that
// come before the protocol (host, origin, body, bearer, scope), the router
// between the two protocol generations, and the health report. It decides from
// data whether a call may go on, before anything is dispatched.
package server

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
)

// Gate says what a call needs, from the tool registry.
type Gate interface {
	ToolNeeds(name string) (needs scope.Set, offered bool)
	ResourceNeeds(uri string) (needs scope.Set, offered bool)
	Scopes() scope.Set
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

	// Door proves bearer tokens; nil leaves /mcp open (single-user mode).
	Door auth.Verifier
	// Issuer is the authorization server that clients are sent to; it answers
	// an *auth.Error with status 503 while it is not known. Needed with Door.
	Issuer func() (string, error)

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
	endpoint := cfg.endpoint()
	mux.Handle(mcpPath, endpoint)
	health := cfg.Health.routes(mux)
	meta := &metadata{cfg: &cfg}
	mux.HandleFunc(wellKnown, meta.serve)
	mux.HandleFunc(wellKnown+mcpPath, meta.serve)
	mux.HandleFunc("GET /{$}", cfg.front)
	if prefix != "" {
		// Behind a proxy that keeps the path, everything is below the prefix;
		// RFC 9728 puts the metadata before it.
		mux.Handle(prefix+mcpPath, endpoint)
		mux.HandleFunc(wellKnown+prefix, meta.serve)
		mux.HandleFunc(wellKnown+prefix+mcpPath, meta.serve)
	}
	hosts := newHostCheck(&cfg)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.ContentLength != 0 {
			// What a handler leaves of a body, net/http reads after it.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
		}
		if health(r) { // probes come under any host name, and learn nothing
			mux.ServeHTTP(w, r)
			return
		}
		hosts.check(mux).ServeHTTP(w, r)
	})
}

// endpoint is the pipeline of /mcp: front door, body limit and single parse,
// scope, protocol generation.
func (cfg *Config) endpoint() http.Handler {
	h := eras(cfg.MCP, cfg.Log)
	h = keepAlive(h, 25*time.Second)
	if cfg.Door == nil {
		return cfg.observed(peek(h))
	}
	d := newDoor(cfg)
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
