package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/e2e"
	"nextcloud-mcp-server/internal/freeport"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// spy stands before the simulated Nextcloud, collects every secret that passes
// and can answer as a badly made proxy does: with what it was sent.
type spy struct {
	sim *nextcloudtest.Server
	url string

	echo atomic.Pointer[string] // prefix of the paths that are answered by an echo

	mu      sync.Mutex // guards the field below
	secrets map[string]string
}

// newSpy begins with a Nextcloud whose people have unlikely passwords.
func newSpy(t *testing.T, opts *nextcloudtest.Options) *spy {
	t.Helper()
	s := &spy{secrets: map[string]string{}}
	var handler atomic.Pointer[http.Handler]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.url = server.URL
	users := nextcloudtest.DefaultUsers()
	opts.BaseURL, opts.Users, opts.SampleData, opts.Consent = server.URL, users, true, true
	s.sim = nextcloudtest.New(opts)
	for _, u := range users {
		s.note("account password of "+u.ID, u.Password)
	}
	h := http.Handler(http.HandlerFunc(s.serve))
	handler.Store(&h)
	return s
}

func (s *spy) note(what, secret string) {
	if len(secret) < 8 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets[secret] == "" {
		s.secrets[secret] = what
	}
}

func (s *spy) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	authorization := r.Header.Get("Authorization")
	if _, credentials, ok := strings.Cut(authorization, " "); ok {
		s.note("Authorization header", credentials)
	}
	if name, password, ok := r.BasicAuth(); ok {
		if password, err = url.QueryUnescape(password); err == nil {
			s.note("Basic password of "+name, password)
		}
	}
	if form, err := url.ParseQuery(string(body)); err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		for _, field := range []string{"code", "code_verifier", "client_secret", "refresh_token", "token"} {
			s.note(field+" of a request", form.Get(field))
		}
	}
	if prefix := s.echo.Load(); prefix != nil && strings.HasPrefix(r.URL.Path, *prefix) {
		decoded, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(authorization, "Basic "))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": fmt.Sprintf("failed: %s %s %s", authorization, decoded, body)})
		return
	}
	rec := httptest.NewRecorder()
	s.sim.ServeHTTP(rec, r)
	var fields struct {
		Access       string `json:"access_token"`
		Refresh      string `json:"refresh_token"`
		ID           string `json:"id_token"`
		ClientSecret string `json:"client_secret"`
		Registration string `json:"registration_access_token"`
		AppPassword  string `json:"appPassword"`
		Poll         struct {
			Token string `json:"token"`
		} `json:"poll"`
		OCS struct {
			Data json.RawMessage `json:"data"`
		} `json:"ocs"`
	}
	if json.Unmarshal(rec.Body.Bytes(), &fields) == nil {
		var data struct {
			AppPassword string `json:"apppassword"`
		}
		_ = json.Unmarshal(fields.OCS.Data, &data)
		s.note("app password", data.AppPassword)
		s.note("access token", fields.Access)
		s.note("refresh token", fields.Refresh)
		s.note("ID token", fields.ID)
		s.note("client secret", fields.ClientSecret)
		s.note("registration token", fields.Registration)
		s.note("app password", fields.AppPassword)
		s.note("poll token", fields.Poll.Token)
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

// What people write must stay between them and their assistant.
const (
	canaryTitle   = "canary-title-5d1c"
	canaryContent = "canary-content-9e77"
	canaryQuery   = "canary-query-31aa"
	canaryKey     = "Y2FuYXJ5LWtleS1vZi0zMi1ieXRlcy1sb25nLWFhYWE="
)

// converse works with notes, and provokes failures. It answers every text that
// says that something failed.
func (s *spy) converse(t *testing.T, session *mcp.ClientSession) (errors []string) {
	t.Helper()
	var created note
	call(t, session, "nc_notes_create_note", map[string]any{"title": canaryTitle, "content": canaryContent}, &created)
	call(t, session, "nc_notes_search_notes", map[string]any{"query": canaryQuery}, nil)
	call(t, session, "nc_notes_get_note", map[string]any{"note_id": created.ID}, nil)
	call(t, session, "nc_calendar_list_events", map[string]any{}, nil)
	fail := func(tool string, args map[string]any) {
		t.Helper()
		errors = append(errors, fails(t, session, tool, args))
	}
	stale := map[string]any{"note_id": created.ID, "etag": "stale", "content": canaryContent}
	fail("nc_notes_update_note", stale)
	fail("nc_notes_get_note", map[string]any{"note_id": 99999999})
	fail("nc_notes_create_note", map[string]any{"title": canaryTitle, "body": canaryContent})
	fail("nc_notes_get_note", map[string]any{"note_id": canaryQuery})
	fail("nc_calendar_create_event", map[string]any{"calendar_name": "personal", "title": canaryTitle, "start_datetime": "no date", "description": canaryContent})
	prefix, dav := "/index.php/apps/notes", "/remote.php/dav"
	s.echo.Store(&prefix)
	fail("nc_notes_create_note", map[string]any{"title": canaryTitle, "content": canaryContent})
	fail("nc_notes_get_note", map[string]any{"note_id": created.ID})
	s.echo.Store(&dav)
	fail("nc_calendar_list_events", map[string]any{"calendar_name": "personal"})
	s.echo.Store(nil)
	return errors
}

// search looks for every secret, and for what a person wrote, in what was said.
func (s *spy) search(t *testing.T, where, text string, written ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for secret, what := range s.secrets {
		if strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
			t.Errorf("%s shows the %s:\n%s", where, what, excerpt(text, secret))
		}
	}
	for _, content := range written {
		if strings.Contains(text, content) {
			t.Errorf("%s shows what a person wrote:\n%s", where, excerpt(text, content))
		}
	}
}

func excerpt(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

// has checks that the test saw the secrets it looks for.
func (s *spy) has(t *testing.T, kinds ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kind := range kinds {
		found := false
		for _, what := range s.secrets {
			found = found || strings.HasPrefix(what, kind)
		}
		if !found {
			t.Errorf("the test never saw the %s", kind)
		}
	}
}

func TestCanaries(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"mode A", "mode B", "single user", "wrong password", "wrong client secret"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := newSpy(t, &nextcloudtest.Options{})
			s.note("TOKEN_ENCRYPTION_KEY", canaryKey)
			port := freeport.Take(t)
			vars := []string{"METRICS_ENABLED=true", fmt.Sprintf("METRICS_PORT=%d", port), "TOKEN_ENCRYPTION_KEY=" + canaryKey}
			var single bool
			switch mode {
			case "mode B", "wrong client secret":
				own := freeport.Take(t)
				public := fmt.Sprintf("http://127.0.0.1:%d", own)
				vars = append(vars, fmt.Sprintf("PORT=%d", own), "NEXTCLOUD_MCP_SERVER_URL="+public)
				c := s.sim.AddClient(nextcloudtest.ClientConfig{Name: "own", RedirectURIs: []string{public + "/oauth/callback"}, ResourceURL: public + "/mcp"})
				if mode != "mode B" {
					c.Secret = "canary-wrong-client-secret"
				}
				s.note("client secret of mode B", c.Secret)
				vars = append(vars, "NEXTCLOUD_OIDC_CLIENT_ID="+c.ID, "NEXTCLOUD_OIDC_CLIENT_SECRET="+c.Secret)
			case "single user":
				single = true
				password := s.sim.CreateAppPassword("alice", "test")
				s.note("app password", password)
				vars = append(vars, "NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD="+password)
			case "wrong password":
				single = true
				s.note("wrong password", "canary-wrong-password")
				vars = append(vars, "NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=canary-wrong-password")
			}
			endpoint, said, _ := serveAt(t, s.url, vars...)
			base := strings.TrimSuffix(endpoint, "/mcp")
			var errors []string
			switch {
			case mode == "wrong password":
				errors = append(errors, fails(t, dial(t, endpoint, ""), "nc_notes_search_notes", map[string]any{"query": canaryQuery}))
			case mode == "wrong client secret":
				c := addClient(s.sim, "opaque")
				token := s.signIn(t, c, endpoint)
				a := post(t, endpoint, token, nil)
				if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
					t.Errorf("a token that cannot be checked: %d", a.status)
				}
				errors = append(errors, a.body)
				until(t, "the report", func() bool {
					return strings.Contains(get(t, base+"/health/ready").body, "NEXTCLOUD_OIDC_CLIENT_SECRET")
				})
			case single:
				errors = s.converse(t, dial(t, endpoint, ""))
			default:
				session, err := e2e.Connect(t.Context(), endpoint, "alice", "alice-password-1", nil)
				if err != nil {
					t.Fatal(err)
				}
				defer session.Close()
				errors = s.converse(t, session)
				s.has(t, "access token", "ID token", "client secret", "app password", "code of", "code_verifier", "account password", "Authorization")
			}
			for i, text := range errors {
				s.search(t, fmt.Sprintf("error %d", i), text, canaryContent, canaryQuery) // a title tells people which note it is
			}
			s.search(t, "the log", said.String(), canaryTitle, canaryContent, canaryQuery)
			for _, page := range []string{base + "/health/ready", base + "/health/live", fmt.Sprintf("http://127.0.0.1:%d/metrics", port)} {
				a := get(t, page)
				if a.body == "" {
					t.Errorf("%s is empty", page)
				}
				s.search(t, page, a.body, canaryTitle, canaryContent, canaryQuery)
			}
		})
	}
}

// signIn gets an access token past the spy.
func (s *spy) signIn(t *testing.T, c nextcloudtest.ClientInfo, resource string) string {
	t.Helper()
	return signIn(t, s.sim, c, "alice", resource).AccessToken
}
