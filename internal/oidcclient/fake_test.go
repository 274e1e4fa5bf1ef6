package oidcclient_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// idp registers clients as Nextcloud's oidc app does. It is a transport, too:
// without sockets, time in a synctest bubble goes on.
type idp struct {
	lifetime time.Duration // client_expire_time; 0 means never
	skew     time.Duration // how far its clock is ahead

	mu       sync.Mutex // guards the fields below
	clients  map[string]registered
	requests []map[string]any
	posts    int
	deletes  []string
	before   func(r *http.Request)            // runs before each answer, without mu
	answer   func(w http.ResponseWriter) bool // answers instead of the provider
}

type registered struct {
	secret, token string
	issued        time.Time
}

const endpoint = "https://cloud.example.org/apps/oidc/register"

func (p *idp) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

func (p *idp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.before != nil {
		p.before(r)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Method == http.MethodPost {
		p.posts++
	}
	if p.answer != nil && p.answer(w) {
		return
	}
	switch {
	case r.Method == http.MethodPost && r.URL.String() == endpoint:
		p.register(w, r)
	case r.Method == http.MethodDelete && strings.HasPrefix(r.URL.String(), endpoint+"/"):
		id := strings.TrimPrefix(r.URL.String(), endpoint+"/")
		p.deletes = append(p.deletes, id)
		if c, ok := p.clients[id]; !ok || r.Header.Get("Authorization") != "Bearer "+c.token {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"error":"invalid_token","error_description":"Token does not correspond to a valid client."}`)
			return
		}
		delete(p.clients, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.NotFound(w, r)
	}
}

func (p *idp) register(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.requests = append(p.requests, in)
	p.cleanUp()
	c := registered{secret: fmt.Sprint("secret-", p.posts), token: fmt.Sprint("token-", p.posts), issued: time.Now()}
	id := fmt.Sprintf("client%02d-abcdefghijklmnopqrstuvwxyz", p.posts)
	if p.clients == nil {
		p.clients = make(map[string]registered)
	}
	p.clients[id] = c
	expires := int64(0)
	if p.lifetime > 0 {
		expires = c.issued.Add(p.skew + p.lifetime).Unix()
	}
	out := map[string]any{
		"client_name": in["client_name"], "client_id": id, "client_secret": c.secret,
		"registration_access_token": c.token, "registration_client_uri": endpoint + "/" + id,
		"redirect_uris": in["redirect_uris"], "token_endpoint_auth_method": "client_secret_post",
		"response_types": []string{"code"}, "grant_types": []string{"authorization_code"},
		"client_id_issued_at": c.issued.Add(p.skew).Unix(), "client_secret_expires_at": expires,
		"scope": in["scope"], "token_type": in["token_type"], "resource_url": in["resource_url"],
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(out)
}

// cleanUp deletes what is older than client_expire_time, as Nextcloud does on
// every registration and sign-in.
func (p *idp) cleanUp() {
	for id, c := range p.clients {
		if p.lifetime > 0 && time.Since(c.issued) > p.lifetime {
			delete(p.clients, id)
		}
	}
}

// knows reports whether a client could sign people in now.
func (p *idp) knows(c oidcclient.Client) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanUp()
	got, ok := p.clients[c.ID]
	return ok && got.secret == c.Secret.Reveal()
}

func (p *idp) count() (posts, clients int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.posts, len(p.clients)
}

// lose deletes a client as an administrator does.
func (p *idp) lose(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.clients, id)
}

// refuse has every request answered with status and body; 0 ends it.
func (p *idp) refuse(status int, body string, header ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = nil
	if status != 0 {
		p.answer = func(w http.ResponseWriter) bool {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			io.WriteString(w, body)
			return true
		}
	}
}

func config() oidcclient.RegistrarConfig {
	return oidcclient.RegistrarConfig{
		Provider: "https://cloud.example.org", RegistrationEndpoint: endpoint,
		RedirectURI: "https://mcp.example.org/oauth/callback",
		Scopes:      scope.NewSet(scope.OpenID, scope.Profile, scope.NotesRead),
		Resource:    "https://mcp.example.org/mcp", TokenType: "jwt",
	}
}

// logs is a log to look into.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lines are the messages of a level, without attributes.
func (l *logs) lines(level slog.Level) (out []string) {
	for line := range strings.Lines(l.String()) {
		var rec struct{ Level, Msg string }
		if json.Unmarshal([]byte(line), &rec) == nil && rec.Level == level.String() {
			out = append(out, rec.Msg)
		}
	}
	return out
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func openStore(t *testing.T, file string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newStore(t *testing.T) *store.Store {
	t.Helper()
	return openStore(t, filepath.Join(t.TempDir(), "store.db"))
}

func newRegistrar(s oidcclient.Store, p *idp, cfg oidcclient.RegistrarConfig, l *logs) *oidcclient.Registrar {
	return oidcclient.New(s, &http.Client{Transport: p}, cfg, l.logger(), nil)
}
