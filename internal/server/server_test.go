package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// people are the tokens that the test's door knows.
var people = map[string]*auth.Principal{
	"alice":      {Issuer: "https://cloud.example.org", Subject: "alice", ClientID: "c", Scopes: scope.NewSet(scope.NotesRead, scope.NotesWrite), Expires: time.Unix(1<<40, 0)},
	"bob":        {Issuer: "https://cloud.example.org", Subject: "bob", ClientID: "c", Scopes: scope.NewSet(scope.NotesRead)},
	"reader":     {Issuer: "https://cloud.example.org", Subject: "reader", Scopes: scope.NewSet(scope.OpenID, scope.OfflineAccess, scope.NotesRead, scope.DeckRead)},
	"powerless":  {Issuer: "https://cloud.example.org", Subject: "powerless"},
	"just-over":  {Issuer: "https://cloud.example.org", Subject: "skewed", Scopes: scope.NewSet(scope.NotesRead), Expires: time.Unix(1000, 0)},
	"impostor-1": nil,

	// Connections that their people narrowed.
	"refusing":   {Subject: "refusing", Scopes: scope.NewSet(scope.NotesRead), Policy: policy.Policy{Refused: []string{"notes.write", "files.read"}}},
	"paused":     {Subject: "paused", Policy: policy.Policy{Paused: true}},
	"read-only":  {Subject: "read-only", Scopes: scope.NewSet(scope.NotesRead), Policy: policy.Policy{ReadOnly: true}},
	"in-folders": {Subject: "in-folders", Policy: policy.Policy{Folders: []string{"/a"}}},
}

// doorkeeper proves the tokens of people; other tokens say what it answers.
type doorkeeper struct{}

func (doorkeeper) Verify(_ context.Context, token string) (*auth.Principal, error) {
	if p, ok := people[token]; ok {
		return p, nil
	}
	switch token {
	case "waiting":
		return nil, &auth.Error{Status: 503, Code: auth.CodeTemporarilyUnavailable, Description: "Not yet.", RetryAfter: 1500 * time.Millisecond}
	case "unchecked":
		return nil, fmt.Errorf("dial tcp: secret %s", "hunter2")
	case "without-status":
		return nil, &auth.Error{Description: "Odd."}
	}
	return nil, fmt.Errorf("verify: %w", &auth.Error{Status: 401, Code: auth.CodeInvalidToken, Description: `The token "has" expired.` + "\r\n"})
}

// ourselves answers for each principal a client; it is never used.
type ourselves struct{}

func (ourselves) Client(_ context.Context, p *auth.Principal) (*nextcloud.Client, error) {
	return nextcloud.New(nextcloud.NewHost(&url.URL{Scheme: "http", Host: "nextcloud.invalid"}, nil), nextcloud.Basic{LoginName: nextcloud.LoginName(p.Subject)}, nil), nil
}

type who struct {
	Subject string `json:"subject"`
}

// sampleTools are a reading and a writing tool, and a tool that answers whose
// client it was given.
func sampleTools() []tool.Set {
	same := func(c *nextcloud.Client) *nextcloud.Client { return c }
	do := func(name string, s scope.Scope, e tool.Effect) tool.Of[*nextcloud.Client] {
		return tool.New(tool.Def{Name: name, Title: name, Description: "Does it.", Scope: s, Effect: e, Tier: tool.Core},
			func(_ context.Context, c *nextcloud.Client, _ struct{}) (*who, error) { return &who{"done"}, nil })
	}
	return []tool.Set{tool.Group[*nextcloud.Client]{
		Name: "notes", Title: "Notes", Client: same,
		Tools: []tool.Of[*nextcloud.Client]{do("nc_read", scope.NotesRead, tool.Reads), do("nc_write", scope.NotesWrite, tool.Updates)},
		Resources: []tool.ResourceOf[*nextcloud.Client]{
			tool.NewResource(tool.ResourceDef{URI: "nc://notes/{id}", Name: "note", Title: "Note", Description: "A note.", Scope: scope.NotesRead},
				func(context.Context, *nextcloud.Client, tool.Vars) (tool.Content, error) {
					return tool.Content{Text: "text"}, nil
				}),
			tool.NewResource(tool.ResourceDef{URI: "nc://files/{path}", Name: "file", Title: "File", Description: "A file.", Scope: scope.FilesRead},
				func(context.Context, *nextcloud.Client, tool.Vars) (tool.Content, error) {
					return tool.Content{Text: "text"}, nil
				}),
		},
	}.Set()}
}

// stack is the whole HTTP side over the sample tools.
type stack struct {
	*httptest.Server
	handler http.Handler
	mcp     *mcp.Server
}

// newStack starts a server; change may change the configuration.
func newStack(tb testing.TB, sets []tool.Set, change func(*Config)) *stack {
	tb.Helper()
	s := newHandler(tb, sets, change)
	s.Server = httptest.NewServer(s.handler)
	tb.Cleanup(func() {
		for session := range s.mcp.Sessions() {
			_ = session.Close()
		}
		s.Close()
	})
	return s
}

// newHandler is newStack without a port.
func newHandler(tb testing.TB, sets []tool.Set, change func(*Config)) *stack {
	tb.Helper()
	if sets == nil {
		sets = sampleTools()
	}
	registry, _ := tool.Select(sets, tool.Selection{Tier: tool.Core})
	s := &stack{}
	s.mcp = mcp.NewServer(&mcp.Implementation{Name: "sample", Version: "1"}, &mcp.ServerOptions{Capabilities: &mcp.ServerCapabilities{}})
	// Who the caller is, as the handler is told.
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "whoami"}, func(_ context.Context, req *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, who, error) {
		p, _ := req.Extra.TokenInfo.Extra[tool.PrincipalKey].(*auth.Principal)
		return nil, who{string(p.Subject)}, nil
	})
	cfg := Config{
		MCP: s.mcp, Gate: registry, Log: slog.New(slog.DiscardHandler),
		Public: &url.URL{Scheme: "https", Host: "mcp.example.org"}, Door: doorkeeper{}, Identity: scope.NewSet(scope.OpenID, scope.Profile),
		Issuer: func() (string, error) { return "https://cloud.example.org", nil },
		Health: Health{Mode: "oauth", Ready: func() (bool, map[string]Check) { return true, map[string]Check{"store": {Status: "ok"}} }},
	}
	if change != nil {
		change(&cfg)
	}
	binding := tool.Binding{Clients: ourselves{}, Log: cfg.Log}
	if cfg.Door == nil && cfg.Basic == nil {
		binding.Single = &auth.Principal{Trusted: true}
	}
	if err := registry.Register(s.mcp, binding); err != nil {
		tb.Fatal(err)
	}
	s.handler = New(cfg)
	return s
}

// request is one request; the zero value posts nothing to /mcp.
type request struct {
	method, path, host, token, body string
	header                          http.Header
}

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *stack) send(tb testing.TB, r request) answer {
	tb.Helper()
	if r.method == "" {
		r.method = http.MethodPost
	}
	if r.path == "" {
		r.path = "/mcp"
	}
	req, err := http.NewRequestWithContext(tb.Context(), r.method, s.URL+r.path, strings.NewReader(r.body))
	if err != nil {
		tb.Fatal(err)
	}
	if r.host != "" {
		req.Host = r.host
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	for k, v := range r.header {
		req.Header[http.CanonicalHeaderKey(k)] = v
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

// modern is a message of protocol 2026-07-28 with its headers.
func modern(token, method, name, params string) request {
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"}}`
	if params != "" {
		params += ","
	}
	h := http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {method}}
	if name != "" {
		h.Set("Mcp-Name", name)
	}
	return request{token: token, header: h, body: fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s%s}}`, method, params, meta)}
}

// older is a message of the older generation.
func older(method, params string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)
}

// bearerTransport adds a token to each request.
type bearerTransport string

func (b bearerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// basicTransport adds a login name and a password to each request.
type basicTransport string

func (b basicTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	login, password, _ := strings.Cut(string(b), ":")
	r.SetBasicAuth(login, password)
	return http.DefaultTransport.RoundTrip(r)
}

// connect connects the official client.
func (s *stack) connect(tb testing.TB, token, version string) *mcp.ClientSession {
	tb.Helper()
	return s.connectWith(tb, bearerTransport(token), version)
}

func (s *stack) connectWith(tb testing.TB, transport http.RoundTripper, version string) *mcp.ClientSession {
	tb.Helper()
	c := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := c.Connect(tb.Context(), &mcp.StreamableClientTransport{
		Endpoint: s.URL + "/mcp", HTTPClient: &http.Client{Transport: transport},
	}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = session.Close() })
	return session
}

// versions are the protocol revisions of both generations.
var versions = []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"}

func TestBothGenerations(t *testing.T) {
	s := newStack(t, nil, nil)
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			session := s.connect(t, "bob", version)
			if got := session.InitializeResult().ProtocolVersion; got != version {
				t.Errorf("negotiated %s", got)
			}
			if stateful := session.ID() != ""; stateful != (version < stateless) {
				t.Errorf("session id %q", session.ID())
			}
			list, err := session.ListTools(t.Context(), nil)
			if err != nil || len(list.Tools) != 3 {
				t.Fatalf("%v, %v", list, err)
			}
			res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "nc_read"})
			if err != nil || res.IsError {
				t.Errorf("nc_read: %+v, %v", res, err)
			}
			content, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "nc://notes/1"})
			if err != nil || content.Contents[0].Text != "text" {
				t.Errorf("resource: %v", err)
			}
			// The client gives up a connection that answers 403.
			if res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "nc_write"}); err == nil || !strings.Contains(err.Error(), "Forbidden") {
				t.Errorf("nc_write without its scope: %+v, %v", res, err)
			}
			session = s.connect(t, "bob", version)
			if _, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "nc://files/1"}); err == nil || !strings.Contains(err.Error(), "Forbidden") {
				t.Errorf("a resource without its scope: %v", err)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	ready := false
	s := newStack(t, nil, func(c *Config) {
		c.Health.Ready = func() (bool, map[string]Check) { return ready, map[string]Check{"oidc_discovery": {Status: "waiting"}} }
	})
	get := func(method, path string) answer {
		return s.send(t, request{method: method, path: path, host: "10.1.2.3:8000"})
	}
	if a := get("GET", "/health/live"); a.status != 200 || a.body != `{"mode":"oauth","status":"alive"}`+"\n" {
		t.Errorf("live: %+v", a)
	}
	if a := get("GET", "/health/ready"); a.status != 503 || a.header.Get("Retry-After") == "" || a.header.Get("Cache-Control") != "no-store" ||
		a.body != `{"status":"not_ready","mode":"oauth","checks":{"oidc_discovery":{"status":"waiting"}}}`+"\n" {
		t.Errorf("not ready: %+v", a)
	}
	ready = true
	if a := get("GET", "/health/ready"); a.status != 200 || !strings.Contains(a.body, `"status":"ready"`) {
		t.Errorf("ready: %+v", a)
	}
	if a := get("HEAD", "/health/ready"); a.status != 200 || a.body != "" {
		t.Errorf("HEAD: %+v", a)
	}
	if a := get("POST", "/health/live"); a.status != 405 {
		t.Errorf("POST: %d", a.status)
	}
	if a := get("GET", "/health/other"); a.status != 404 {
		t.Errorf("other: %d", a.status)
	}
	// Probes come under any name; nothing else must come with them.
	for _, path := range []string{"/health/../mcp", "/health/%2e%2e/mcp", "/health//../mcp"} {
		if a := s.send(t, request{path: path, host: "evil.example", body: older("ping", "{}")}); a.status == 200 || a.status == 401 {
			t.Errorf("%s goes past the host check: %d", path, a.status)
		}
	}
}

func TestFront(t *testing.T) {
	s := newStack(t, nil, nil)
	a := s.send(t, request{method: "GET", path: "/", host: "mcp.example.org"})
	if a.status != 200 || !strings.Contains(a.body, "https://mcp.example.org/mcp") || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%+v", a)
	}
	if a := s.send(t, request{method: "GET", path: "/other"}); a.status != 404 {
		t.Errorf("other path: %d", a.status)
	}
}

func TestObserve(t *testing.T) {
	seen := make(chan string, 10)
	s := newStack(t, nil, func(c *Config) {
		c.Observe = func(method string, status int, took time.Duration) {
			if took < 0 {
				t.Error("negative time")
			}
			seen <- fmt.Sprint(method, " ", status)
		}
	})
	s.send(t, request{})
	s.send(t, request{method: "GET", token: "alice"})
	s.send(t, modern("alice", "tools/list", "", ""))
	s.send(t, request{method: "GET", path: "/health/live"})
	for _, want := range []string{"POST 401", "GET 400", "POST 200"} {
		if got := <-seen; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if len(seen) > 0 {
		t.Errorf("also %s", <-seen)
	}
}

// TestSingleUser checks that without a door there are no challenges and no
// metadata, and that pages of this machine stay out.
func TestSingleUser(t *testing.T) {
	s := newStack(t, nil, func(c *Config) { c.Door, c.Issuer = nil, nil })
	session := s.connect(t, "", "2026-07-28")
	if res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "nc_write"}); err != nil || res.IsError {
		t.Errorf("%+v, %v", res, err)
	}
	if a := s.send(t, request{method: "GET", path: wellKnown + "/mcp"}); a.status != 404 {
		t.Errorf("metadata: %d", a.status)
	}
	if a := s.send(t, request{header: http.Header{"Origin": {"http://localhost:6274"}}, body: older("ping", "{}")}); a.status != 403 {
		t.Errorf("a page of this machine: %d", a.status)
	}
}

func decode(t *testing.T, body string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}
