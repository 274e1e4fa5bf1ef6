package idptest

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxEntries bounds each table; when it is full, it is emptied.
const maxEntries = 10_000

// maxForm bounds request bodies, in bytes.
const maxForm = 1 << 20

// Server is one simulated provider. It is safe for concurrent use.
type Server struct {
	opts Options
	mux  *http.ServeMux

	mu       sync.Mutex // guards the fields below
	url      string
	server   *http.Server
	done     chan struct{}
	clients  map[string]Client
	sessions map[string]User // by cookie
	grants   map[string]*grant
	disabled map[string]bool // by user name
	keyIndex int
	callback string // iss of answers, when it is not the issuer
	down     bool
	calls    map[string]int
}

// New builds a provider; Listen or Start make it reachable, or mount it as a
// handler with Options.Issuer as its address.
func New(opts *Options) *Server {
	s := &Server{
		opts: opts.withDefaults(), mux: http.NewServeMux(),
		clients: map[string]Client{}, sessions: map[string]User{}, grants: map[string]*grant{}, calls: map[string]int{}, disabled: map[string]bool{},
	}
	s.mux.HandleFunc("GET /.well-known/openid-configuration", s.configuration)
	s.mux.HandleFunc("GET /jwks", s.jwks)
	s.mux.HandleFunc("GET /authorize", s.authorize)
	s.mux.HandleFunc("POST /login", s.login)
	s.mux.HandleFunc("POST /consent", s.consent)
	s.mux.HandleFunc("POST /token", s.token)
	s.mux.HandleFunc("GET /userinfo", s.userinfo)
	s.mux.HandleFunc("POST /introspect", s.introspect)
	s.mux.HandleFunc("POST /revoke", s.revoke)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if len(s.calls) < maxEntries {
		s.calls[r.URL.Path]++
	}
	down := s.down
	s.mu.Unlock()
	if down {
		http.Error(w, "out of order", http.StatusBadGateway)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	s.mux.ServeHTTP(w, r)
}

// Listen serves on addr ("127.0.0.1:0" takes any free port) until ctx ends or
// Close is called, and returns at once.
func (s *Server) Listen(ctx context.Context, addr string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return errors.New("the simulated provider listens already")
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.done = make(chan struct{})
	go func(server *http.Server, done chan struct{}) {
		defer close(done)
		// Serve always ends with an error; a lost listener shows as refused connections.
		_ = server.Serve(listener)
	}(s.server, s.done)
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return nil
}

// Close ends what Listen began.
func (s *Server) Close() error {
	s.mu.Lock()
	server, done := s.server, s.done
	s.server = nil
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	err := server.Close()
	<-done
	return err
}

// TB is what Start needs of a *testing.T, so that package testing stays out of
// programs.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start runs a provider on a free loopback port for as long as the test runs.
func Start(tb TB, opts *Options) *Server {
	tb.Helper()
	s := New(opts)
	if err := s.Listen(context.Background(), "127.0.0.1:0"); err != nil {
		tb.Fatalf("start simulated provider: %v", err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// URL is the address of Listen, without a trailing slash.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Issuer is what the provider calls itself.
func (s *Server) Issuer() string {
	if s.opts.Issuer != "" {
		return s.opts.Issuer
	}
	return s.URL()
}

// base is where the endpoints are.
func (s *Server) base() string {
	if u := s.URL(); u != "" {
		return u
	}
	return strings.TrimSuffix(s.opts.Issuer, "/")
}

// AddClient makes a client known; empty id and secret are made up.
func (s *Server) AddClient(c Client) Client {
	if c.ID == "" {
		c.ID = "client-" + rand.Text()
	}
	if c.Secret == "" {
		c.Secret = rand.Text()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c.ID] = c
	return c
}

// RemoveClient makes a client unknown.
func (s *Server) RemoveClient(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, id)
}

// SetDown makes every request fail, as a proxy does when the provider is gone.
func (s *Server) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// SetCallbackIssuer makes answers of the authorization endpoint name another
// issuer; the empty one ends that.
func (s *Server) SetCallbackIssuer(issuer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callback = issuer
}

// Calls counts the requests to a path.
func (s *Server) Calls(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

func (s *Server) configuration(w http.ResponseWriter, _ *http.Request) {
	base := s.base()
	scopes := []string{"openid", "profile", "email"}
	if !s.opts.NoOfflineAccess {
		scopes = append(scopes, "offline_access")
	}
	for _, scope := range s.opts.Scopes {
		scopes = append(scopes, s.prefixed(scope))
	}
	out := map[string]any{
		"issuer":                                s.Issuer(),
		"authorization_endpoint":                base + "/authorize",
		"token_endpoint":                        base + "/token",
		"userinfo_endpoint":                     base + "/userinfo",
		"jwks_uri":                              base + "/jwks",
		"introspection_endpoint":                base + "/introspect",
		"revocation_endpoint":                   base + "/revoke",
		"scopes_supported":                      scopes,
		"response_types_supported":              []string{"code"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": s.opts.AuthMethods,
	}
	if s.opts.IssParameter || s.opts.Keycloak {
		out["authorization_response_iss_parameter_supported"] = true
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *Server) prefixed(scope string) string {
	if s.opts.ScopePrefix == "" {
		return scope
	}
	return s.opts.ScopePrefix + "/" + scope
}

// knows reports whether a scope may be asked for.
func (s *Server) knows(scope string) bool {
	switch scope {
	case "openid", "profile", "email":
		return true
	case "offline_access":
		return !s.opts.NoOfflineAccess
	}
	return slices.ContainsFunc(s.opts.Scopes, func(known string) bool { return s.prefixed(known) == scope })
}

// clientOf authenticates the client of a request (RFC 6749, 2.3.1).
func (s *Server) clientOf(r *http.Request) (Client, bool) {
	id, secret, basic := r.BasicAuth()
	method := "client_secret_basic"
	if !basic {
		id, secret, method = r.PostFormValue("client_id"), r.PostFormValue("client_secret"), "client_secret_post"
	} else if r.PostFormValue("client_secret") != "" {
		return Client{}, false // RFC 6749, 2.3: not more than one method
	}
	s.mu.Lock()
	c, ok := s.clients[id]
	s.mu.Unlock()
	return c, ok && slices.Contains(s.opts.AuthMethods, method) && same(c.Secret, secret)
}

func same(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that has gone away is not the simulator's trouble.
	_ = json.NewEncoder(w).Encode(v)
}

func writeError(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": "The simulated provider says " + code + "."})
}

// keep puts an entry into a table, which it empties when it is full.
func keep[K comparable, V any](table map[K]V, key K, value V) {
	if len(table) >= maxEntries {
		maps.DeleteFunc(table, func(K, V) bool { return true })
	}
	table[key] = value
}
