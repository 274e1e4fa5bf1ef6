package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/scope"
)

// mounted are routes as pages and an authorization server have them.
func mounted(mux *http.ServeMux, prefix string) {
	say := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if text == "page" {
				w.Header().Set("Content-Security-Policy", "default-src 'self'")
			}
			_, _ = w.Write([]byte(text + " " + r.Method))
		}
	}
	mux.HandleFunc("GET "+prefix+"/{$}", say("page"))
	mux.HandleFunc("POST "+prefix+"/oauth/token", say("token"))
	mux.HandleFunc("POST "+prefix+"/oauth/connect/1/consent", say("consent"))
	mux.HandleFunc("/.well-known/oauth-authorization-server"+prefix, say("metadata"))
}

func TestMount(t *testing.T) {
	for _, prefix := range []string{"", "/ai"} {
		s := newStack(t, nil, func(c *Config) {
			c.Public = &url.URL{Scheme: "https", Host: "mcp.example.org", Path: prefix + "/"}
			c.Mount = mounted
		})
		for path, want := range map[string]string{
			"GET " + prefix + "/":                                      "page GET",
			"POST " + prefix + "/oauth/token":                          "token POST",
			"POST " + prefix + "/oauth/connect/1/consent":              "consent POST",
			"GET /.well-known/oauth-authorization-server" + prefix:     "metadata GET",
			"OPTIONS /.well-known/oauth-authorization-server" + prefix: "metadata OPTIONS",
		} {
			method, path, _ := strings.Cut(path, " ")
			// Pages of other sites reach them: what they may do is decided
			// there. The pages here say nothing of where a person came from.
			for _, origin := range []string{"", "null", "https://inspector.example", "https://mcp.example.org"} {
				h := http.Header{}
				if origin != "" {
					h.Set("Origin", origin)
				}
				if a := s.send(t, request{method: method, path: path, host: "mcp.example.org", header: h}); a.status != 200 || a.body != want {
					t.Errorf("%s %s from %q: %d %s", method, path, origin, a.status, a.body)
				}
			}
			if a := s.send(t, request{method: method, path: path, host: "evil.example", header: http.Header{"X-Forwarded-Host": {"mcp.example.org"}}}); a.status != 403 ||
				!strings.Contains(a.body, "NEXTCLOUD_MCP_SERVER_URL") || !strings.Contains(a.body, "MCP_ALLOWED_HOSTS") {
				t.Errorf("%s under a foreign name: %d %s", path, a.status, a.body)
			}
		}
		// The endpoint itself keeps its check.
		if a := s.send(t, request{path: prefix + "/mcp", token: "alice", header: http.Header{"Origin": {"https://inspector.example"}}}); a.status != 403 {
			t.Errorf("%s/mcp from a foreign page: %d", prefix, a.status)
		}
		if a := s.send(t, request{method: "GET", path: prefix + "/favicon.ico"}); a.status != 204 || a.body != "" {
			t.Errorf("%s/favicon.ico: %d", prefix, a.status)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	s := newStack(t, nil, func(c *Config) { c.Mount = mounted })
	want := http.Header{
		"X-Content-Type-Options":  {"nosniff"},
		"X-Frame-Options":         {"DENY"},
		"Referrer-Policy":         {"no-referrer"},
		"Content-Security-Policy": {"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	}
	for _, r := range []request{
		{method: "GET", path: wellKnown},
		{method: "GET", path: "/nothing"},
		{path: "/oauth/token"},
		{method: "GET", path: "/health/live"},
		{method: "GET", path: "/favicon.ico"},
		{method: "GET", path: "/", host: "evil.example"},
	} {
		a := s.send(t, r)
		got := http.Header{}
		for name := range want {
			got[name] = a.header[name]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", r.path, diff)
		}
	}
	// A page that says what it needs is believed.
	if got := s.send(t, request{method: "GET", path: "/"}).header.Values("Content-Security-Policy"); len(got) != 1 || got[0] != "default-src 'self'" {
		t.Errorf("%q", got)
	}
}

// TestIdentity checks what a first sign-in is told to ask for.
func TestIdentity(t *testing.T) {
	for name, identity := range map[string]scope.Set{"": {}, " openid profile": scope.NewSet(scope.OpenID, scope.Profile)} {
		s := newStack(t, nil, func(c *Config) { c.Identity = identity })
		want := "files.read notes.read notes.write" + name
		if got := s.send(t, request{}).header.Get("WWW-Authenticate"); !strings.HasSuffix(got, `scope="`+want+`"`) {
			t.Errorf("challenge %s", got)
		}
		var listed []string
		for _, one := range decode(t, s.send(t, request{method: "GET", path: wellKnown}).body)["scopes_supported"].([]any) {
			listed = append(listed, one.(string))
		}
		if got := strings.Join(listed, " "); got != want {
			t.Errorf("metadata %s", got)
		}
	}
}
