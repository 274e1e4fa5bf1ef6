package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/app"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/freeport"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// transcript collects what a server says, without the time in front.
type transcript struct {
	mu    sync.Mutex // guards the field below
	lines []string
	part  []byte
}

var stamp = regexp.MustCompile(`^\S+ (INFO|WARNING|ERROR|DEBUG) `)

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.part = append(t.part, b...)
	for {
		line, rest, ok := bytes.Cut(t.part, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		t.lines = append(t.lines, stamp.ReplaceAllString(string(line), ""))
		t.part = rest
	}
}

func (t *transcript) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}

func (t *transcript) has(part string) bool {
	return strings.Contains(strings.Join(t.all(), "\n"), part)
}

// running is a server that was started by a test.
type running struct {
	url  string
	log  *transcript
	stop func() error
}

// start runs a server with the given variables until the test ends.
func start(t *testing.T, database string, variables ...string) *running {
	t.Helper()
	port := freeport.Take(t)
	environ := append([]string{
		fmt.Sprintf("PORT=%d", port), "TOKEN_STORAGE_DB=" + database,
		"NEXTCLOUD_MCP_SERVER_URL=" + fmt.Sprintf("http://127.0.0.1:%d", port),
		"OIDC_DISCOVERY_BACKOFF_BASE=0.1", "OIDC_DISCOVERY_BACKOFF_MAX=0.2",
	}, variables...)
	cfg, _, err := config.Load(nil, environ, config.EnvFile{}, app.CheckTools)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{url: fmt.Sprintf("http://127.0.0.1:%d", port), log: &transcript{}}
	done := make(chan error, 1)
	go func() {
		done <- app.Serve(ctx, cfg, app.Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: r.log})
	}()
	var once sync.Once
	var result error
	r.stop = func() error {
		once.Do(func() { cancel(); result = <-done })
		return result
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("server ended with: %v", err)
		}
		if t.Failed() {
			t.Logf("the server said:\n%s", strings.Join(r.log.all(), "\n"))
		}
	})
	return r
}

// until waits for a condition that another goroutine brings about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (r *running) awaitReady(t *testing.T) {
	t.Helper()
	until(t, "the server to be ready", func() bool { return r.log.has("MCP server ready at") })
}

func (r *running) get(t *testing.T, path string) (int, map[string]any, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body map[string]any
	_ = json.NewDecoder(res.Body).Decode(&body)
	return res.StatusCode, body, res.Header
}

// compare checks the lines of a start against the setup guide's.
func compare(t *testing.T, golden string, r *running, sim *nextcloudtest.Server) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", golden))
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`^OAuth client ready: \S{16}\.\.\.$`)
	var got []string
	for _, line := range r.log.all() {
		line = strings.ReplaceAll(line, sim.URL(), "https://your.nextcloud.instance.com")
		line = strings.ReplaceAll(line, r.url, "http://127.0.0.1:8000")
		if id.MatchString(line) {
			line = "OAuth client ready: <client-id>..."
		}
		got = append(got, line)
	}
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(want)), "\n"), got); diff != "" {
		t.Errorf("transcript differs from %s (-guide +server):\n%s", golden, diff)
	}
}

func database(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state", "tokens.db")
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	t.Run("mode A", func(t *testing.T) {
		t.Parallel()
		sim := nextcloudtest.Start(t, nil)
		db := database(t)
		first := start(t, db, "NEXTCLOUD_HOST="+sim.URL())
		first.awaitReady(t)
		compare(t, "mode-a.txt", first, sim)
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		if n := len(sim.Clients()); n != 1 {
			t.Fatalf("%d clients registered, want 1", n)
		}
	})
	t.Run("mode B", func(t *testing.T) {
		t.Parallel()
		sim := nextcloudtest.Start(t, &nextcloudtest.Options{DisableRegistration: true})
		r := start(t, database(t), "NEXTCLOUD_HOST="+sim.URL(),
			"NEXTCLOUD_OIDC_CLIENT_ID=abc123xyz789", "NEXTCLOUD_OIDC_CLIENT_SECRET=secret456def012")
		r.awaitReady(t)
		compare(t, "mode-b.txt", r, sim)
		if n := len(sim.Clients()); n != 0 {
			t.Errorf("%d clients registered in mode B", n)
		}
	})
}

func TestRestartUsesTheStoredClient(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	db := filepath.Join(t.TempDir(), "tokens.db")
	port := freeport.Take(t)
	variables := []string{"NEXTCLOUD_HOST=" + sim.URL(), fmt.Sprintf("NEXTCLOUD_MCP_SERVER_URL=http://127.0.0.1:%d", port)}
	for range 2 {
		r := start(t, db, variables...)
		r.awaitReady(t)
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(sim.Clients()); n != 1 {
		t.Errorf("%d clients registered by two starts, want 1", n)
	}
}

func TestTwoProcessesRegisterOnce(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	db := filepath.Join(t.TempDir(), "tokens.db")
	public := "NEXTCLOUD_MCP_SERVER_URL=http://mcp.example.test:1234"
	a := start(t, db, "NEXTCLOUD_HOST="+sim.URL(), public)
	b := start(t, db, "NEXTCLOUD_HOST="+sim.URL(), public)
	a.awaitReady(t)
	b.awaitReady(t)
	if n := len(sim.Clients()); n != 1 {
		t.Errorf("%d clients registered by two processes on one database, want 1", n)
	}
}

func TestFailuresSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		opts *nextcloudtest.Options
		want []string
	}{
		{"no oidc app", &nextcloudtest.Options{DisableOIDC: true}, []string{"OIDC discovery failed", "oidc"}},
		{"registration off", &nextcloudtest.Options{DisableRegistration: true}, []string{"Dynamic registration failed", "occ config:app:set oidc dynamic_client_registration"}},
		{"no PKCE", &nextcloudtest.Options{DisablePKCEMetadata: true}, []string{"PKCE validation failed", "MCP server ready at"}},
		{"maintenance", &nextcloudtest.Options{Maintenance: true}, []string{"OIDC discovery failed", "maintenance"}},
		{"untrusted domain", &nextcloudtest.Options{UntrustedDomain: true}, []string{"OIDC discovery failed", "trusted_domains"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			sim := nextcloudtest.Start(t, tc.opts)
			r := start(t, database(t), "NEXTCLOUD_HOST="+sim.URL(), "MCP_AUTHORIZATION_SERVER=issuer")
			for _, text := range tc.want {
				until(t, text, func() bool { return r.log.has(text) })
			}
		})
	}
}

// With its own authorization server nobody waits for a provider: every
// Nextcloud has Login Flow.
func TestServesWithoutAProvider(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]nextcloudtest.Options{
		"no oidc app":      {DisableOIDC: true},
		"registration off": {DisableRegistration: true},
		"maintenance":      {Maintenance: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := nextcloudtest.Start(t, &opts)
			r := start(t, database(t), "NEXTCLOUD_HOST="+sim.URL())
			until(t, "the end of the start", func() bool { return r.log.has("MCP server ready at") })
			if status, body, _ := r.get(t, "/health/ready"); status != http.StatusOK {
				t.Errorf("ready: %d %v", status, body)
			}
			if _, body, _ := r.get(t, "/.well-known/oauth-protected-resource/mcp"); fmt.Sprint(body["authorization_servers"]) != "["+r.url+"]" {
				t.Errorf("authorization servers %v, want this server", body["authorization_servers"])
			}
			if r.log.has("ERROR") {
				t.Error("a stock Nextcloud is no error")
			}
		})
	}
}

func TestServesBeforeTheProviderIsThere(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{Maintenance: true})
	r := start(t, database(t), "NEXTCLOUD_HOST="+sim.URL(), "MCP_AUTHORIZATION_SERVER=issuer")
	until(t, "the first failure", func() bool { return r.log.has("OIDC discovery failed") })

	if status, body, _ := r.get(t, "/health/live"); status != http.StatusOK || body["mode"] != "oauth" {
		t.Errorf("live: %d %v", status, body)
	}
	status, body, header := r.get(t, "/health/ready")
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("ready: %d, Retry-After %q", status, header.Get("Retry-After"))
	}
	checks, _ := body["checks"].(map[string]any)
	discovery, _ := checks["oidc_discovery"].(map[string]any)
	if discovery["status"] != "waiting" {
		t.Errorf("the report does not say what it waits for: %v", body)
	}
	if status, _, header := r.get(t, "/.well-known/oauth-protected-resource"); status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("metadata: %d", status)
	}

	sim.SetMaintenance(false)
	r.awaitReady(t)
	if status, body, _ := r.get(t, "/health/ready"); status != http.StatusOK {
		t.Errorf("ready after the maintenance: %d %v", status, body)
	}
	status, body, _ = r.get(t, "/.well-known/oauth-protected-resource/mcp")
	want := map[string]any{"resource": r.url + "/mcp", "authorization_servers": []any{sim.URL()}}
	for k, v := range want {
		if diff := cmp.Diff(v, body[k]); diff != "" {
			t.Errorf("metadata %d, %s: %s", status, k, diff)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	port := freeport.Take(t)
	r := start(t, database(t), "NEXTCLOUD_HOST="+sim.URL(), "METRICS_ENABLED=true", fmt.Sprintf("METRICS_PORT=%d", port))
	r.awaitReady(t)
	if status, _, _ := r.get(t, "/mcp"); status != http.StatusUnauthorized {
		t.Fatalf("/mcp without a token: %d", status)
	}
	if status, _, _ := r.get(t, "/metrics"); status != http.StatusNotFound {
		t.Errorf("/metrics on the main port: %d", status)
	}
	metrics := &running{url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	text := metrics.text(t, "/metrics")
	if !strings.Contains(text, `mcp_http_requests_total{method="GET",status="401"} 1`) {
		t.Errorf("the refused request was not counted:\n%s", text)
	}
}

func (r *running) text(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestSingleUserOverHTTP: on loopback, without tokens, one account.
func TestSingleUserOverHTTP(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	r := start(t, database(t), "NEXTCLOUD_HOST="+sim.URL(), "NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=alice-password-1")
	r.awaitReady(t)
	for _, line := range []string{"BasicAuth mode detected (NEXTCLOUD_USERNAME/PASSWORD set)", "Initializing Nextcloud client with BasicAuth"} {
		if !r.log.has(line) {
			t.Errorf("no line %q", line)
		}
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	s, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: r.url + "/mcp"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "nc_notes_search_notes", Arguments: map[string]any{"query": ""}})
	if err != nil || res.IsError {
		t.Errorf("call: %v %+v", err, res)
	}
	if status, _, _ := r.get(t, "/.well-known/oauth-protected-resource"); status != http.StatusNotFound {
		t.Errorf("metadata of a resource that is not protected: %d", status)
	}
}

// TestStopWithOpenStreams: a client that holds a stream does not hold up the
// stop.
func TestStopWithOpenStreams(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	r := start(t, database(t), "NEXTCLOUD_HOST="+sim.URL(), "NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=alice-password-1")
	r.awaitReady(t)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	s, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: r.url + "/mcp"}, &mcp.ClientSessionOptions{ProtocolVersion: "2025-11-25"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	began := time.Now()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %s", took)
	}
}
