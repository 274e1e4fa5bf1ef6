package server

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/auth"
)

func testHosts(t *testing.T, public string, door auth.Verifier) *hostCheck {
	t.Helper()
	u, err := url.Parse(public)
	if err != nil {
		t.Fatal(err)
	}
	return newHostCheck(&Config{
		Public: u, Door: door,
		AllowedHosts:   []string{"mcp:8000", "Internal.example:*", "[fd00::1]:*", ""},
		AllowedOrigins: []string{"https://App.example/", "http://app.example:8080", "vscode-file://vscode-app"},
	})
}

func TestHosts(t *testing.T) {
	c := testHosts(t, "https://mcp.example.org", doorkeeper{})
	for host, want := range map[string]bool{
		"mcp.example.org":               true,
		"MCP.Example.ORG":               true,
		"mcp.example.org:443":           true,
		"mcp.example.org:80":            true,
		"mcp.example.org:8443":          false,
		"mcp.example.org.":              false,
		"x.mcp.example.org":             false,
		"mcp.example.org.evil.example":  false,
		"evil.example":                  false,
		"mcp:8000":                      true,
		"mcp":                           false,
		"mcp:8001":                      false,
		"internal.example":              true,
		"internal.example:1":            true,
		"internal.example:65535":        true,
		"internal.example:1@evil":       false,
		"x.internal.example:1":          false,
		"[fd00::1]":                     true,
		"[fd00::1]:9":                   true,
		"[fd00::2]:9":                   false,
		"localhost":                     true,
		"LOCALHOST:8000":                true,
		"localhost.":                    false,
		"localhost.evil.example":        false,
		"localhost:8000@evil.example":   false,
		"localhost@evil.example":        false,
		"evil.example@localhost":        false,
		"127.0.0.1":                     true,
		"127.0.0.1:8000":                true,
		"127.9.9.9:8000":                true,
		"127.0.0.1.evil.example":        false,
		"127.1":                         false,
		"2130706433":                    false,
		"0.0.0.0:8000":                  false,
		"[::1]":                         true,
		"[::1]:8000":                    true,
		"[::ffff:127.0.0.1]:8000":       true,
		"[::]:8000":                     false,
		"10.0.0.1":                      false,
		"":                              false,
		":8000":                         false,
		"*":                             false,
		"internal.example:*":            false,
		"mcp.example.org, evil.example": false,
		"mcp.example.org\x00":           false,
	} {
		if got := c.hostAllowed(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
	port := testHosts(t, "http://mcp.example.org:8000", doorkeeper{})
	for host, want := range map[string]bool{"mcp.example.org:8000": true, "mcp.example.org": false, "mcp.example.org:443": false} {
		if got := port.hostAllowed(host); got != want {
			t.Errorf("with a port, %q: %v", host, got)
		}
	}
	standard := testHosts(t, "https://mcp.example.org:443", doorkeeper{})
	if !standard.hostAllowed("mcp.example.org") || !standard.originAllowed("https://mcp.example.org") {
		t.Error("the default port in the public address shuts everybody out")
	}
}

func TestOrigins(t *testing.T) {
	c := testHosts(t, "https://mcp.example.org", doorkeeper{})
	for origin, want := range map[string]bool{
		"https://mcp.example.org":              true,
		"HTTPS://MCP.example.org":              true,
		"https://mcp.example.org:443":          true,
		"https://mcp.example.org:8443":         false,
		"http://mcp.example.org":               false,
		"https://mcp.example.org.evil.example": false,
		"https://mcp.example.org@evil.example": false,
		"https://evil.example":                 false,
		"https://app.example":                  true,
		"https://app.example/":                 false, // no origin has a path
		"http://app.example":                   false,
		"http://app.example:8080":              true,
		"vscode-file://vscode-app":             true,
		"http://localhost:6274":                true,
		"https://localhost":                    true,
		"http://127.0.0.1:1":                   true,
		"http://[::1]:6274":                    true,
		"http://localhost.evil.example":        false,
		"http://localhost:80@evil.example":     false,
		"http://user@localhost":                false,
		"http://localhost/path":                false,
		"http://localhost?q":                   false,
		"http://localhost#f":                   false,
		"http://0.0.0.0:8000":                  false,
		"file://localhost":                     false,
		"chrome-extension://localhost":         false,
		"null":                                 false,
		"":                                     false,
		"*":                                    false,
		"https://":                             false,
		"https://mcp.example.org https://x":    false,
	} {
		if got := c.originAllowed(origin); got != want {
			t.Errorf("%q: %v", origin, got)
		}
	}
	open := testHosts(t, "http://localhost:8000", nil)
	for origin, want := range map[string]bool{
		"http://localhost:8000": true,
		"http://localhost:6274": false, // without a token such a page could do anything
		"http://127.0.0.1:8000": false,
		"https://app.example":   true,
	} {
		if got := open.originAllowed(origin); got != want {
			t.Errorf("without a door, %q: %v", origin, got)
		}
	}
}

func TestHostOnTheWire(t *testing.T) {
	s := newStack(t, nil, func(c *Config) { c.AllowedOrigins = []string{"https://app.example"} })
	for _, path := range []string{"/mcp", "/", wellKnown, wellKnown + "/mcp", "/other"} {
		if a := s.send(t, request{method: "GET", path: path, host: "evil.example", token: "alice"}); a.status != 403 {
			t.Errorf("%s under a foreign name: %d", path, a.status)
		}
	}
	for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS"} {
		a := s.send(t, request{method: method, token: "alice", header: http.Header{"Origin": {"https://evil.example"}}})
		if a.status != 403 || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s from a foreign page: %d, %q", method, a.status, a.header.Get("Access-Control-Allow-Origin"))
		}
	}
	for name, origins := range map[string][]string{"two": {"https://app.example", "https://evil.example"}, "twice": {"https://app.example", "https://app.example"}, "empty": {""}} {
		if a := s.send(t, request{token: "alice", header: http.Header{"Origin": origins}}); a.status != 403 {
			t.Errorf("%s origins: %d", name, a.status)
		}
	}
	// Forwarded headers say nothing: nobody has said whom to trust.
	a := s.send(t, request{token: "alice", host: "evil.example", header: http.Header{"X-Forwarded-Host": {"mcp.example.org"}, "Forwarded": {"host=mcp.example.org"}}})
	if a.status != 403 {
		t.Errorf("forwarded host: %d", a.status)
	}
}

func TestPreflight(t *testing.T) {
	s := newStack(t, nil, func(c *Config) { c.AllowedOrigins = []string{"https://app.example"} })
	a := s.send(t, request{method: "OPTIONS", header: http.Header{
		"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization"},
	}})
	want := http.Header{
		"Access-Control-Allow-Origin":   {"https://app.example"},
		"Access-Control-Allow-Methods":  {"GET, POST, DELETE, OPTIONS"},
		"Access-Control-Allow-Headers":  {"Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name"},
		"Access-Control-Expose-Headers": {"WWW-Authenticate, Mcp-Session-Id, Mcp-Protocol-Version, Retry-After"},
		"Access-Control-Max-Age":        {"600"},
		"Vary":                          {"Origin"},
		"X-Content-Type-Options":        {"nosniff"},
	}
	a.header.Del("Date")
	if diff := cmp.Diff(want, a.header); a.status != 204 || diff != "" {
		t.Errorf("%d (-want +got)\n%s", a.status, diff)
	}
	// The answers themselves can be read by the page, the challenge too.
	a = s.send(t, request{header: http.Header{"Origin": {"https://app.example"}}})
	if a.status != 401 || a.header.Get("Access-Control-Allow-Origin") != "https://app.example" || a.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d, %v", a.status, a.header)
	}
	// Without an origin there is nobody to tell.
	a = s.send(t, request{})
	if a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("CORS headers for a client that is no page")
	}
}
