package clients_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/store"
)

// What real clients send, and what they are told.
func TestRegistrationsOfKnownClients(t *testing.T) {
	e := setUp(t)
	tests := []struct {
		name, body   string
		wantType     string
		wantMethod   string
		wantGrants   []any
		wantRedirect []any
	}{
		{
			"claude.ai, without a type",
			`{"client_name":"Claude","redirect_uris":["https://claude.ai/api/mcp/auth_callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none","scope":"notes.read"}`,
			"web", "none",
			[]any{"authorization_code", "refresh_token"},
			[]any{"https://claude.ai/api/mcp/auth_callback"},
		},
		{
			"Claude Code",
			`{"client_name":"Claude Code","application_type":"native","redirect_uris":["http://localhost:3118/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none"}`,
			"native", "none",
			[]any{"authorization_code", "refresh_token"},
			[]any{"http://localhost:3118/callback"},
		},
		{
			"Cursor, three kinds of redirects at once",
			`{"client_name":"Cursor","redirect_uris":["cursor://anysphere.cursor-mcp/oauth/callback","https://www.cursor.com/agents/mcp/oauth/callback","http://localhost:8787/callback"],"token_endpoint_auth_method":"none"}`,
			"native", "none",
			[]any{"authorization_code", "refresh_token"},
			[]any{"cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/agents/mcp/oauth/callback", "http://localhost:8787/callback"},
		},
		{
			"VS Code, native with https and another grant type",
			`{"client_name":"Visual Studio Code","application_type":"native","redirect_uris":["https://insiders.vscode.dev/redirect","https://vscode.dev/redirect","http://127.0.0.1/","http://127.0.0.1:33418/"],"grant_types":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code"],"response_types":["code"],"token_endpoint_auth_method":"none"}`,
			"native", "none",
			[]any{"authorization_code", "refresh_token"},
			[]any{"https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect", "http://127.0.0.1/", "http://127.0.0.1:33418/"},
		},
		{
			"OpenCode, nothing but a loopback redirect",
			`{"redirect_uris":["http://127.0.0.1:19876/mcp/oauth/callback"]}`,
			"native", "none",
			[]any{"authorization_code", "refresh_token"},
			[]any{"http://127.0.0.1:19876/mcp/oauth/callback"},
		},
		{
			"a web application that says nothing gets a secret (RFC 7591, 2)",
			`{"redirect_uris":["https://app.example.org/cb"]}`,
			"web", "client_secret_basic",
			[]any{"authorization_code", "refresh_token"},
			[]any{"https://app.example.org/cb"},
		},
		{
			"a confidential client by post, without refresh",
			`{"redirect_uris":["https://app.example.org/cb"],"application_type":"web","token_endpoint_auth_method":"client_secret_post","grant_types":["authorization_code"],"client_uri":null}`,
			"web", "client_secret_post",
			[]any{"authorization_code"},
			[]any{"https://app.example.org/cb"},
		},
		{
			"nonsense beside it is ignored",
			`{"redirect_uris":["https://app.example.org/cb","https://app.example.org/cb"],"token_endpoint_auth_method":"none","Client_Name":"x","jwks":{"keys":[]},"foo":[1,{"a":null}],"REDIRECT_URIS":["https://evil.example/"],"software_statement":"x"}`,
			"web", "none",
			[]any{"authorization_code", "refresh_token"},
			[]any{"https://app.example.org/cb"},
		},
	}
	seen := map[any]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, got := e.do(t, http.MethodPost, "/oauth/register", tt.body, map[string]string{"Content-Type": "application/json; charset=utf-8"})
			if resp.Code != http.StatusCreated || resp.Header().Get("Cache-Control") != "no-store" || resp.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("answers %d %v %v", resp.Code, resp.Header(), got)
			}
			id, _ := got["client_id"].(string)
			if !strings.HasPrefix(id, "ncmcp_client_") || len(id) < 34 || seen[id] {
				t.Errorf("client_id %q", id)
			}
			seen[id] = true
			want := map[string]any{
				"application_type": tt.wantType, "token_endpoint_auth_method": tt.wantMethod, "grant_types": tt.wantGrants, "redirect_uris": tt.wantRedirect,
				"response_types": []any{"code"}, "client_id_issued_at": float64(e.clock.now().Unix()), "registration_client_uri": baseURL + "/oauth/register/" + id,
			}
			for name, value := range want {
				if diff := cmp.Diff(value, got[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			secret, hasSecret := got["client_secret"].(string)
			if expires, ok := got["client_secret_expires_at"]; hasSecret != (tt.wantMethod != "none") || ok != hasSecret || hasSecret && (expires != 0.0 || len(secret) < 50) {
				t.Errorf("secret %v, expires %v", hasSecret, expires)
			}
			if token, _ := got["registration_access_token"].(string); len(token) < 50 {
				t.Errorf("registration access token of %d bytes", len(token))
			}
			c, err := e.Find(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if c.Kind != store.ClientRegistered || c.AuthMethod != tt.wantMethod || c.Name == "" {
				t.Errorf("found %+v", c)
			}
		})
	}
}

func TestRefusedRegistrations(t *testing.T) {
	e := setUp(t)
	const redirects, metadata = "invalid_redirect_uri", "invalid_client_metadata"
	ok := `"redirect_uris":["https://app.example.org/cb"]`
	tests := []struct{ name, body, code, says string }{
		{"empty", ``, metadata, "JSON object"},
		{"no object", `[]`, metadata, "JSON object"},
		{"null", `null`, metadata, "JSON object"},
		{"text", `"x"`, metadata, "JSON object"},
		{"broken", `{` + ok, metadata, "JSON object"},
		{"two objects", `{` + ok + `}{}`, metadata, "JSON object"},
		{"more behind", `{` + ok + `} x`, metadata, "JSON object"},
		{"a comma too many", `{` + ok + `,}`, metadata, "JSON object"},
		{"a member twice", `{` + ok + `,"redirect_uris":["https://evil.example/cb"]}`, metadata, "twice"},
		{"a member twice, written differently", `{` + ok + `,"redirect\u005furis":["https://evil.example/cb"]}`, metadata, "twice"},
		{"no redirects", `{}`, redirects, "redirect_uris"},
		{"null redirects", `{"redirect_uris":null}`, redirects, "redirect_uris"},
		{"empty redirects", `{"redirect_uris":[]}`, redirects, "redirect_uris"},
		{"redirects in another case", `{"Redirect_URIs":["https://app.example.org/cb"]}`, redirects, "redirect_uris"},
		{"redirects no list", `{"redirect_uris":"https://app.example.org/cb"}`, redirects, "array of strings"},
		{"redirects no strings", `{"redirect_uris":[1]}`, redirects, "array of strings"},
		{"redirects with null", `{"redirect_uris":["https://app.example.org/cb",null]}`, redirects, "array of strings"},
		{"too many", `{"redirect_uris":[` + strings.Repeat(`"https://app.example.org/cb",`, 20) + `"https://app.example.org/cb"]}`, redirects, "20"},
		{"http", `{"redirect_uris":["http://app.example.org/cb"]}`, redirects, "https"},
		{"LAN", `{"redirect_uris":["http://192.168.1.5/oauth/callback"]}`, redirects, "https"},
		{"wildcard", `{"redirect_uris":["https://*.example.org/cb"]}`, redirects, "wildcard"},
		{"fragment", `{"redirect_uris":["https://app.example.org/cb#x"]}`, redirects, "fragment"},
		{"user", `{"redirect_uris":["https://claude.ai@evil.example/cb"]}`, redirects, "user information"},
		{"script", `{"redirect_uris":["javascript:alert(1)"]}`, redirects, "redirect_uris"},
		{"one bad among good ones", `{"redirect_uris":["https://app.example.org/cb","http://evil.example/"]}`, redirects, "https"},
		{"scheme not listed", `{"redirect_uris":["http://localhost:1/cb","zed://oauth/callback"]}`, redirects, redirect.SchemesSetting},
		{"web on loopback", `{"application_type":"web","redirect_uris":["http://localhost:1/cb"]}`, redirects, "native"},
		{"web with a scheme", `{"application_type":"web","redirect_uris":["https://app.example.org/cb","cursor://x/cb"]}`, redirects, "native"},
		{"unknown type", `{` + ok + `,"application_type":"Web"}`, metadata, "application_type"},
		{"type no text", `{` + ok + `,"application_type":["web"]}`, metadata, "application_type"},
		{"unknown method", `{` + ok + `,"token_endpoint_auth_method":"private_key_jwt"}`, metadata, "token_endpoint_auth_method"},
		{"no code grant", `{` + ok + `,"grant_types":["refresh_token"]}`, metadata, "authorization_code"},
		{"empty grants", `{` + ok + `,"grant_types":[]}`, metadata, "authorization_code"},
		{"other grants", `{` + ok + `,"grant_types":["client_credentials","implicit"]}`, metadata, "authorization_code"},
		{"grants no list", `{` + ok + `,"grant_types":"authorization_code"}`, metadata, "grant_types"},
		{"other response", `{` + ok + `,"response_types":["token"]}`, metadata, "response_types"},
		{"name no text", `{` + ok + `,"client_name":1}`, metadata, "client_name"},
		{"long scope", `{` + ok + `,"scope":"` + strings.Repeat("a", 2001) + `"}`, metadata, "scope"},
		{"scope with a quote", `{` + ok + `,"scope":"a\"b"}`, metadata, "scope"},
		{"scope with a line", `{` + ok + `,"scope":"a\nb"}`, metadata, "scope"},
		{"deep", `{` + ok + `,"x":` + strings.Repeat("[", 20000), metadata, "JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, got := e.do(t, http.MethodPost, "/oauth/register", tt.body, nil)
			if resp.Code != http.StatusBadRequest || resp.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("answers %d %v", resp.Code, got)
			}
			description, _ := got["error_description"].(string)
			if got["error"] != tt.code || !strings.Contains(description, tt.says) {
				t.Errorf("answers %v, want %s and %q", got, tt.code, tt.says)
			}
			if strings.Contains(description, "evil") || !isDescription(description) {
				t.Errorf("description %q", description)
			}
		})
	}
	if n, err := e.store.CountClients(t.Context()); n != 0 || err != nil {
		t.Errorf("%d clients were kept, %v", n, err)
	}
}

// isDescription pins RFC 6749, 5.2.
func isDescription(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
}

func TestRegistrationRequests(t *testing.T) {
	e := setUp(t)
	body := `{"redirect_uris":["https://app.example.org/cb"]}`
	tests := []struct {
		name, method, body, contentType string
		status                          int
	}{
		{"a form", http.MethodPost, body, "application/x-www-form-urlencoded", http.StatusBadRequest},
		{"plain text", http.MethodPost, body, "text/plain", http.StatusBadRequest},
		{"no type", http.MethodPost, body, "", http.StatusBadRequest},
		{"too large", http.MethodPost, `{"x":"` + strings.Repeat("x", 65<<10) + `"}`, "application/json", http.StatusRequestEntityTooLarge},
		{"GET", http.MethodGet, "", "application/json", http.StatusMethodNotAllowed},
		{"PUT", http.MethodPut, body, "application/json", http.StatusMethodNotAllowed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, got := e.do(t, tt.method, "/oauth/register", tt.body, map[string]string{"Content-Type": tt.contentType})
			if resp.Code != tt.status || got["error"] == nil {
				t.Errorf("answers %d %v, want %d", resp.Code, got, tt.status)
			}
			if resp.Code == http.StatusMethodNotAllowed && resp.Header().Get("Allow") != http.MethodPost {
				t.Errorf("Allow: %q", resp.Header().Get("Allow"))
			}
		})
	}
}

func TestRegistrationSwitchedOff(t *testing.T) {
	e := setUp(t, func(cfg *clients.Config) { cfg.NoRegistration = true })
	resp, got := e.do(t, http.MethodPost, "/oauth/register", `{"redirect_uris":["https://app.example.org/cb"]}`, nil)
	if resp.Code != http.StatusForbidden || got["error"] != "access_denied" {
		t.Errorf("answers %d %v", resp.Code, got)
	}
}

func TestClientNames(t *testing.T) {
	e := setUp(t)
	tests := []struct{ name, want string }{
		{"Claude", "Claude"},
		{"  Two \t\r\n  lines\u2028here\u00a0 ", "Two lines here"},
		{"Büro 中文 🦊", "Büro 中文 🦊"},
		{"a\u202eb\u2066c\u200fd", "abcd"},
		{"C\u200bl\u200dau\ufeffde\u00ad", "Claude"},
		{"nul\u0000bell\u0007esc\u001b[31m", "nulbellesc[31m"},
		{"\u3164\u2800\u115f", "app.example.org"},
		{"", "app.example.org"},
		{"tag\U000e0041s", "tags"},
		{"private\ue000use", "privateuse"},
		{"z\u0301\u0302\u0303\u0304\u0305", "z\u0301\u0302"},
		{"\u0301x", "x"},
		{strings.Repeat("é", 150), strings.Repeat("é", 100)},
		{strings.Repeat("a ", 150), strings.TrimSpace(strings.Repeat("a ", 50))},
		{"<b>bold</b> & \"quoted\"", "<b>bold</b> & \"quoted\""},
	}
	for _, tt := range tests {
		body, err := json.Marshal(map[string]any{"client_name": tt.name, "redirect_uris": []string{"https://app.example.org/cb"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.register(t, string(body))["client_name"]; got != tt.want {
			t.Errorf("%q is shown as %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestClientURI(t *testing.T) {
	e := setUp(t)
	for uri, want := range map[string]any{
		"https://example.org/": "https://example.org/", "http://example.org/": nil, "javascript:alert(1)": nil, "https://a@b/": nil,
		"https://example.org/\u202e": nil, "x": nil, "": nil, "http://localhost/": nil,
	} {
		body, _ := json.Marshal(map[string]any{"client_uri": uri, "redirect_uris": []string{"https://app.example.org/cb"}})
		if got := e.register(t, string(body))["client_uri"]; got != want {
			t.Errorf("%q is kept as %v, want %v", uri, got, want)
		}
	}
}

func TestManage(t *testing.T) {
	var deleted []string
	var refuse error
	e := setUp(t, func(cfg *clients.Config) {
		cfg.Deleted = func(_ context.Context, id string) error {
			deleted = append(deleted, id)
			return refuse
		}
	})
	first := e.register(t, `{"client_name":"First","redirect_uris":["https://app.example.org/cb"]}`)
	second := e.register(t, `{"redirect_uris":["https://app.example.org/cb"]}`)
	path := "/oauth/register/" + first["client_id"].(string)
	bearer := func(token any) map[string]string {
		return map[string]string{"Authorization": fmt.Sprint("Bearer ", token)}
	}

	for name, header := range map[string]map[string]string{
		"none": nil, "empty": bearer(""), "another client's": bearer(second["registration_access_token"]), "wrong": bearer("ncmcp_reg_x"),
		"the client secret": bearer(first["client_secret"]), "Basic": {"Authorization": "Basic " + first["registration_access_token"].(string)},
	} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			resp, got := e.do(t, method, path, "", header)
			if resp.Code != http.StatusUnauthorized || got["error"] != "invalid_token" || !strings.HasPrefix(resp.Header().Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s with %s token answers %d %v", method, name, resp.Code, got)
			}
		}
	}
	if resp, _ := e.do(t, http.MethodGet, "/oauth/register/ncmcp_client_x", "", bearer(first["registration_access_token"])); resp.Code != http.StatusUnauthorized {
		t.Errorf("an unknown client answers %d", resp.Code)
	}

	resp, got := e.do(t, http.MethodGet, path, "", bearer(first["registration_access_token"]))
	want := map[string]any{}
	for name, value := range first {
		if name != "client_secret" && name != "client_secret_expires_at" && name != "registration_access_token" {
			want[name] = value
		}
	}
	if resp.Code != http.StatusOK || resp.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("GET answers %d", resp.Code)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("GET (-want +got):\n%s", diff)
	}
	for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodPatch} {
		resp, _ := e.do(t, method, path, "{}", bearer(first["registration_access_token"]))
		if resp.Code != http.StatusMethodNotAllowed || resp.Header().Get("Allow") != "GET, DELETE" {
			t.Errorf("%s answers %d, Allow: %q", method, resp.Code, resp.Header().Get("Allow"))
		}
	}

	// While its grants cannot be ended, the client stays.
	refuse = errors.New("no")
	if resp, _ := e.do(t, http.MethodDelete, path, "", bearer(first["registration_access_token"])); resp.Code != http.StatusServiceUnavailable {
		t.Errorf("DELETE answers %d, want 503", resp.Code)
	}
	refuse, deleted = nil, nil
	if resp, _ := e.do(t, http.MethodDelete, path, "", bearer(first["registration_access_token"])); resp.Code != http.StatusNoContent {
		t.Errorf("DELETE answers %d, want 204", resp.Code)
	}
	if len(deleted) != 1 || deleted[0] != first["client_id"] {
		t.Errorf("grants of %v ended", deleted)
	}
	if _, err := e.Find(t.Context(), first["client_id"].(string)); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("found after DELETE: %v", err)
	}
	if resp, _ := e.do(t, http.MethodGet, path, "", bearer(first["registration_access_token"])); resp.Code != http.StatusUnauthorized {
		t.Errorf("GET after DELETE answers %d", resp.Code)
	}
	if _, err := e.Find(t.Context(), second["client_id"].(string)); err != nil {
		t.Errorf("the other client: %v", err)
	}
}

func TestSecretsAreNotLogged(t *testing.T) {
	e := setUp(t)
	c := e.register(t, `{"redirect_uris":["https://app.example.org/cb"]}`)
	path := "/oauth/register/" + c["client_id"].(string)
	e.do(t, http.MethodGet, path, "", map[string]string{"Authorization": "Bearer " + c["registration_access_token"].(string)})
	e.do(t, http.MethodDelete, path, "", map[string]string{"Authorization": "Bearer " + c["registration_access_token"].(string)})
	for _, name := range []string{"client_secret", "registration_access_token"} {
		if strings.Contains(e.log.String(), c[name].(string)) {
			t.Errorf("%s is in the log", name)
		}
	}
	if !strings.Contains(e.log.String(), c["client_id"].(string)) {
		t.Error("the log does not name the client")
	}
}

func TestRoomForClients(t *testing.T) {
	e := setUp(t, func(cfg *clients.Config) { cfg.MaxRegistered = 3 })
	body := `{"redirect_uris":["https://app.example.org/cb"]}`
	first := e.register(t, body)["client_id"].(string)
	e.clock.advance(30 * time.Minute)
	used := e.register(t, body)["client_id"].(string)
	e.register(t, body)
	resp, got := e.do(t, http.MethodPost, "/oauth/register", body, nil)
	if resp.Code != http.StatusServiceUnavailable || got["error"] != "temporarily_unavailable" || resp.Header().Get("Retry-After") == "" {
		t.Fatalf("a registration too many answers %d %v", resp.Code, got)
	}
	// An hour after it registered, a client that does nothing makes room.
	e.clock.advance(45 * time.Minute)
	e.register(t, body)
	if _, err := e.Find(t.Context(), first); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("the oldest: %v, want ErrUnknown", err)
	}
	if _, err := e.Find(t.Context(), used); err != nil {
		t.Errorf("a newer one: %v", err)
	}
}

func TestSweep(t *testing.T) {
	e := setUp(t)
	body := `{"redirect_uris":["https://app.example.org/cb"]}`
	unused := e.register(t, body)["client_id"].(string)
	used := e.register(t, body)["client_id"].(string)
	for range 3 {
		e.clock.advance(40 * 24 * time.Hour)
		if _, err := e.Find(t.Context(), used); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Find(t.Context(), unused); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("unused for 120 days: %v", err)
	}
	if _, err := e.Find(t.Context(), used); err != nil {
		t.Errorf("used today: %v", err)
	}
}

func TestStoreTrouble(t *testing.T) {
	e := setUp(t)
	c := e.register(t, `{"redirect_uris":["https://app.example.org/cb"]}`)
	e.store.Close()
	resp, got := e.do(t, http.MethodPost, "/oauth/register", `{"redirect_uris":["https://app.example.org/cb"]}`, nil)
	if resp.Code != http.StatusServiceUnavailable || got["error"] != "temporarily_unavailable" {
		t.Errorf("registration answers %d %v", resp.Code, got)
	}
	resp, _ = e.do(t, http.MethodGet, "/oauth/register/"+c["client_id"].(string), "", map[string]string{"Authorization": "Bearer " + c["registration_access_token"].(string)})
	if resp.Code != http.StatusServiceUnavailable {
		t.Errorf("GET answers %d", resp.Code)
	}
	_, err := e.Find(t.Context(), c["client_id"].(string))
	if _, ok := errors.AsType[*clients.Problem](err); err == nil || ok {
		t.Errorf("Find: %v, want the store's error", err)
	}
}

// memory is a store for fuzzing.
type memory struct{ last *store.Client }

func (m *memory) PutClient(_ context.Context, c store.Client) error {
	m.last = &c
	return nil
}

func (m *memory) Client(context.Context, string) (store.Client, error) {
	return store.Client{}, store.ErrNotFound
}

func (m *memory) DeleteClient(context.Context, string) error { return nil }

func (m *memory) TouchClient(context.Context, string, time.Time) error { return nil }

func (m *memory) SweepClients(context.Context, time.Time, time.Time, int) (int, error) { return 0, nil }

func (m *memory) CountClients(context.Context) (int, error) { return 0, nil }

func fuzzDirectory(m *memory, documents clients.Documents) *clients.Directory {
	return clients.New(clients.Config{Store: m, Documents: documents, Schemes: redirect.DefaultSchemes(), BaseURL: baseURL})
}

// checkClient pins what holds for every client, whoever wrote its description.
func checkClient(t *testing.T, d *clients.Directory, name, uri string, redirects []string) {
	t.Helper()
	if name == "" || utf8.RuneCountInString(name) > 253 || !utf8.ValidString(name) || strings.TrimSpace(name) != name {
		t.Errorf("name %q", name)
	}
	for _, r := range name {
		if r != ' ' && (!unicode.IsGraphic(r) || unicode.Is(unicode.Cf, r) || unicode.IsSpace(r)) {
			t.Errorf("name %q has %U", name, r)
		}
	}
	if uri != "" && !strings.HasPrefix(uri, "https://") {
		t.Errorf("home page %q", uri)
	}
	if len(redirects) == 0 || len(redirects) > 20 {
		t.Errorf("%d redirect URIs", len(redirects))
	}
	for _, uri := range redirects {
		if err := redirect.Check(uri, redirect.DefaultSchemes()); err != nil {
			t.Errorf("redirect URI %q: %v", uri, err)
		}
		if !d.Allows(&clients.Client{RedirectURIs: redirects}, uri) {
			t.Errorf("redirect URI %q is not allowed", uri)
		}
	}
}

func FuzzRegister(f *testing.F) {
	for _, body := range []string{
		`{"client_name":"Claude","redirect_uris":["https://claude.ai/api/mcp/auth_callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none","scope":"notes.read"}`,
		`{"application_type":"native","redirect_uris":["http://localhost:1/cb","cursor://x/y"]}`,
		`{"application_type":"web","redirect_uris":["https://a.example/?x=%20"],"client_uri":"https://a.example","client_name":"\u202ex\ud800"}`,
		`{"redirect_uris":["https://a.example/"],"redirect_uris":["https://b.example/"]}`,
		`{"redirect_uris":["https://a.example/"]} {}`, `{"redirect_uris":[null]}`, `{"":{}}`, `[`, `{"redirect_uris":["http://127.0.0.1"],"client_name":"   "}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		m := &memory{}
		d := fuzzDirectory(m, nil)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth/register", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		d.Register(w, r)
		var answer map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("answers %q", w.Body)
		}
		switch {
		case w.Code == http.StatusCreated && m.last != nil:
			checkClient(t, d, m.last.Name, m.last.URI, m.last.RedirectURIs)
			if m.last.ApplicationType != "web" && m.last.ApplicationType != "native" || len(m.last.GrantTypes) == 0 || m.last.GrantTypes[0] != "authorization_code" {
				t.Errorf("kept %+v", m.last)
			}
			if (m.last.Secret == store.Hash{}) != (m.last.AuthMethod == "none") {
				t.Errorf("kept a secret for %s", m.last.AuthMethod)
			}
		case w.Code == http.StatusBadRequest || w.Code == http.StatusRequestEntityTooLarge:
			if description, _ := answer["error_description"].(string); m.last != nil || !isDescription(description) {
				t.Errorf("answers %v, kept %v", answer, m.last)
			}
		default:
			t.Errorf("answers %d", w.Code)
		}
	})
}
