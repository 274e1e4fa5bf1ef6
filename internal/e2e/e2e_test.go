package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/app"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/e2e"
	"nextcloud-mcp-server/internal/freeport"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// revisions are one of each protocol generation, and the oldest.
var revisions = []string{"2026-07-28", "2025-11-25", "2025-03-26"}

// log collects what the server says.
type log struct {
	mu   sync.Mutex // guards the field below
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve runs the whole server against sim until the test ends, and answers its
// MCP address.
func serve(t *testing.T, sim *nextcloudtest.Server, variables ...string) (endpoint string, said *log) {
	t.Helper()
	endpoint, said, _ = serveAt(t, sim.URL(), variables...)
	return endpoint, said
}

// serveAt is serve for a Nextcloud at an address; the server can be stopped
// before the test ends.
func serveAt(t *testing.T, nextcloud string, variables ...string) (endpoint string, said *log, stop func()) {
	t.Helper()
	return serveChanged(t, nil, nextcloud, variables...)
}

// serveChanged is serveAt with what no variable sets: change may be nil.
func serveChanged(t *testing.T, change func(*config.Config), nextcloud string, variables ...string) (endpoint string, said *log, stop func()) {
	t.Helper()
	port := freeport.Take(t)
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	environ := append([]string{
		"NEXTCLOUD_HOST=" + nextcloud, "NEXTCLOUD_MCP_SERVER_URL=" + base, fmt.Sprintf("PORT=%d", port),
		"TOKEN_STORAGE_DB=" + filepath.Join(t.TempDir(), "tokens.db"), "LOG_LEVEL=debug",
	}, variables...)
	cfg, _, err := config.Load(nil, environ, config.EnvFile{}, app.CheckTools)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(cfg)
	}
	// The variables may have named another port.
	base = fmt.Sprintf("http://127.0.0.1:%d", cfg.Server.Port)
	ctx, cancel := context.WithCancel(context.Background())
	said = &log{}
	done := make(chan error, 1)
	go func() {
		done <- app.Serve(ctx, cfg, app.Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: said})
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("the server ended with %v", err)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("the server said:\n%s", said)
		}
	})
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(said.String(), "MCP server ready at") {
		if time.Now().After(deadline) {
			t.Fatal("the server is not ready")
		}
		time.Sleep(5 * time.Millisecond)
	}
	return base + "/mcp", said, stop
}

func connect(t *testing.T, endpoint, user string, opts *e2e.Options) *mcp.ClientSession {
	t.Helper()
	session, err := e2e.Connect(t.Context(), endpoint, user, user+"-password-1", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// call calls a tool and reads its structured result into out.
func call(t *testing.T, s *mcp.ClientSession, tool string, args map[string]any, out any) {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	raw, err := json.Marshal(res.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	if res.IsError {
		t.Fatalf("%s: %s", tool, texts(res))
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(raw, out); err != nil {
		t.Fatalf("%s: %v in %s", tool, err, raw)
	}
}

func texts(res *mcp.CallToolResult) string {
	var b strings.Builder
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			b.WriteString(text.Text)
		}
	}
	return b.String()
}

type note struct {
	ID      int    `json:"id"`
	Title   string `json:"title"`
	Content string `json:"content"`
	ETag    string `json:"etag"`
}

type found struct {
	Items []note `json:"items"`
}

func TestConversation(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true, Consent: true})
	endpoint, said := serve(t, sim)
	for _, revision := range revisions {
		t.Run(revision, func(t *testing.T) {
			var token string
			s := connect(t, endpoint, "alice", &e2e.Options{Revision: revision, Tokens: func(tok string) { token = tok }})
			title := "From " + revision
			var created note
			call(t, s, "nc_notes_create_note", map[string]any{"title": title, "content": "Hello", "category": ""}, &created)
			var hits found
			call(t, s, "nc_notes_search_notes", map[string]any{"query": title}, &hits)
			if len(hits.Items) == 0 || hits.Items[0].ID != created.ID {
				t.Errorf("the new note %d was not found: %+v", created.ID, hits)
			}
			var events map[string]any
			call(t, s, "nc_calendar_list_events", map[string]any{}, &events)
			if list, _ := events["events"].([]any); len(list) == 0 {
				t.Errorf("no events in the sample calendar: %v", events)
			}
			read, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: fmt.Sprintf("nc://Notes/%d", created.ID)})
			if err != nil || !strings.Contains(read.Contents[0].Text, "Hello") {
				t.Errorf("resource: %v %v", read, err)
			}
			secrets := map[string]string{"token": token, "password": "alice-password-1"}
			for _, c := range sim.Clients() {
				secrets["secret of client "+c.Name] = c.Secret
			}
			for what, secret := range secrets {
				if secret == "" || strings.Contains(said.String(), secret) {
					t.Errorf("the %s is in the log, or was not seen at all", what)
				}
			}
		})
	}
}

// TestStepUp signs in for reading and then writes: the server asks for more
// by 403, the client asks the person, and the call goes through.
func TestStepUp(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{Consent: true})
	endpoint, _ := serve(t, sim)
	for _, revision := range revisions {
		t.Run(revision, func(t *testing.T) {
			seen := &challenges{next: &http.Transport{}}
			s := connect(t, endpoint, "alice", &e2e.Options{
				Revision: revision, Scopes: []string{"openid", "profile", "notes.read"}, Transport: seen,
			})
			call(t, s, "nc_notes_search_notes", map[string]any{"query": ""}, nil)
			call(t, s, "nc_notes_create_note", map[string]any{"title": "Step up " + revision, "content": "x", "category": ""}, nil)
			forbidden := seen.with(http.StatusForbidden)
			if len(forbidden) == 0 {
				t.Fatal("no 403 came: the first token already allowed writing")
			}
			for _, part := range []string{`error="insufficient_scope"`, "notes.write", "notes.read", "resource_metadata="} {
				if !strings.Contains(forbidden[0], part) {
					t.Errorf("the challenge %q lacks %s", forbidden[0], part)
				}
			}
		})
	}
}

// challenges notes the WWW-Authenticate headers that pass.
type challenges struct {
	next http.RoundTripper

	mu   sync.Mutex // guards the field below
	seen map[int][]string
}

func (c *challenges) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(r)
	if err == nil {
		if h := res.Header.Get("WWW-Authenticate"); h != "" {
			c.mu.Lock()
			if c.seen == nil {
				c.seen = map[int][]string{}
			}
			c.seen[res.StatusCode] = append(c.seen[res.StatusCode], h)
			c.mu.Unlock()
		}
	}
	return res, err
}

func (c *challenges) with(status int) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[status]
}

// TestTwoPeople lets two people work at the same time; neither ever sees a
// note of the other.
func TestTwoPeople(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	endpoint, _ := serve(t, sim)
	var wait sync.WaitGroup
	failures := make(chan error, 4)
	for i, user := range []string{"alice", "bob", "alice", "bob"} {
		s := connect(t, endpoint, user, &e2e.Options{Revision: revisions[i%2]})
		wait.Go(func() { failures <- work(t.Context(), s, user) })
	}
	wait.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Error(err)
		}
	}
}

func work(ctx context.Context, s *mcp.ClientSession, user string) error {
	for i := range 15 {
		res, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "nc_notes_create_note", Arguments: map[string]any{
			"title": fmt.Sprintf("%s %d", user, i), "content": "belongs to " + user, "category": "",
		}})
		if err != nil || res.IsError {
			return fmt.Errorf("create as %s: %w %v", user, err, res)
		}
		res, err = s.CallTool(ctx, &mcp.CallToolParams{Name: "nc_notes_search_notes", Arguments: map[string]any{"query": "belongs", "limit": 100}})
		if err != nil || res.IsError {
			return fmt.Errorf("search as %s: %w %v", user, err, res)
		}
		raw, err := json.Marshal(res.StructuredContent)
		if err != nil {
			return err
		}
		var hits found
		if err := json.Unmarshal(raw, &hits); err != nil {
			return err
		}
		if len(hits.Items) == 0 {
			return errors.New(user + " does not find their own note")
		}
		for _, n := range hits.Items {
			if !strings.HasPrefix(n.Title, user+" ") {
				return fmt.Errorf("%s sees the note %q", user, n.Title)
			}
		}
	}
	return nil
}

// TestRevokedAppPassword: what the person ends in Nextcloud ends here.
func TestRevokedAppPassword(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	endpoint, _ := serve(t, sim)
	seen := &challenges{next: &http.Transport{}}
	s := connect(t, endpoint, "alice", &e2e.Options{Transport: seen})
	call(t, s, "nc_notes_search_notes", map[string]any{"query": ""}, nil)
	sim.RevokeAppPasswords("alice")
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "nc_notes_search_notes", Arguments: map[string]any{"query": ""}})
	if err != nil {
		t.Fatal(err)
	}
	if !res.IsError || !strings.Contains(texts(res), "sign in again") {
		t.Errorf("the call after the revocation: %s", texts(res))
	}
	before := len(seen.with(http.StatusUnauthorized))
	deadline := time.Now().Add(10 * time.Second)
	for len(seen.with(http.StatusUnauthorized)) == before {
		if time.Now().After(deadline) {
			t.Fatal("the ended grant is still let in")
		}
		// The client signs in anew by itself when it is answered 401.
		_, _ = s.CallTool(t.Context(), &mcp.CallToolParams{Name: "nc_notes_search_notes", Arguments: map[string]any{"query": ""}})
	}
	if h := seen.with(http.StatusUnauthorized); !strings.Contains(h[len(h)-1], `error="invalid_token"`) {
		t.Errorf("challenge: %q", h[len(h)-1])
	}
}

// TestOneRequest: a read call costs one request to Nextcloud.
func TestOneRequest(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	endpoint, _ := serve(t, sim)
	s := connect(t, endpoint, "alice", nil)
	var hits found
	call(t, s, "nc_notes_search_notes", map[string]any{"query": ""}, &hits)
	var calendars struct {
		Calendars []struct {
			Name string `json:"name"`
		} `json:"calendars"`
	}
	call(t, s, "nc_calendar_list_calendars", map[string]any{}, &calendars)
	for _, tc := range []struct {
		tool string
		args map[string]any
	}{
		{"nc_notes_search_notes", map[string]any{"query": "the"}},
		{"nc_notes_get_note", map[string]any{"note_id": hits.Items[0].ID}},
		{"nc_calendar_list_calendars", map[string]any{}},
		{"nc_calendar_list_events", map[string]any{"calendar_name": "personal"}},
	} {
		call(t, s, tc.tool, tc.args, nil) // the person's zone and default calendar are remembered then
		sim.ResetRequests()
		call(t, s, tc.tool, tc.args, nil)
		if n := sim.RequestCount(); n > 1 {
			t.Errorf("%s made %d requests: %v", tc.tool, n, sim.Requests())
		}
		for _, r := range sim.Requests() {
			if r.Cookie || r.Auth != "Basic" {
				t.Errorf("%s: request with cookie=%v and %q", tc.tool, r.Cookie, r.Auth)
			}
		}
	}
}
