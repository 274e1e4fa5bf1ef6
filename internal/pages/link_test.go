package pages

import (
	"strings"
	"testing"
)

// hostile are addresses that no browser may be given.
var hostile = []string{
	"", " ", "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)",
	"javascript://client.example/%0aalert(1)", "data:text/html,<script>alert(1)</script>", "DATA:text/html;base64,PHNjcmlwdD4=", "vbscript:x", "file:///etc/passwd",
	"blob:https://client.example/1", "filesystem:https://x/y", "about:blank", "view-source:https://x", "ws://x/", "https:", "https:///x", "http:x", "https://user@client.example/",
	`https:\\client.example`, `https://client.example\@evil.example/`, "https://client.example/\r\nSet-Cookie: x", "https://client.example/ x", "https://[::1", "://x", "%6aavascript:alert(1)",
}

func TestRedirectLink(t *testing.T) {
	for _, raw := range append(hostile, "/path", "//evil.example/", "path", "#x", "?x") {
		if got := redirectLink(raw); got != "" {
			t.Errorf("%q is a link", raw)
		}
	}
	for _, raw := range []string{
		"https://client.example/cb?code=1", "http://127.0.0.1:1/", "http://localhost:33418/", "http://[::1]:1/cb", "cursor://anysphere.cursor-mcp/cb?x=1",
		"com.example.app:/cb", "vscode://vscode.github-authentication/did-authenticate", "HTTPS://client.example/",
	} {
		if got := redirectLink(raw); got != raw {
			t.Errorf("%q became %q", raw, got)
		}
	}
}

func TestWebLink(t *testing.T) {
	for _, raw := range append(hostile, "cursor://x", "//evil.example/", "///evil.example/", `/\evil.example`, "/\t/evil.example", "path", "?x") {
		if got := webLink(raw); got != "" {
			t.Errorf("%q is a link", raw)
		}
	}
	for _, raw := range []string{"https://cloud.example.com/x?y#z", "http://192.0.2.1:8080/", "/", "/account?notice=ended", "/a/b%2Fc"} {
		if got := webLink(raw); got != raw {
			t.Errorf("%q became %q", raw, got)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Claude":                   "Claude",
		" two\n lines\t ":          "two  lines",
		"a\u202eb\u200bc\u2066":    "abc",
		"\x00\x1b[31mred":          "[31mred",
		"\xff\xfe":                 "",
		"Ωμέγα 東京":                 "Ωμέγα 東京",
		strings.Repeat("ä", 300):   strings.Repeat("ä", 300),
		strings.Repeat("ä", 1_000): strings.Repeat("ä", 300) + "…",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// A client's long id is told apart at a glance, and stands in full once.
func TestShortID(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("qmDNUlnp", 8)
	for id, want := range map[string]string{
		"": "", "claude-desktop": "claude-desktop", "https://app.example/oauth/client.json": "app.example", long: "qmDNUlnpqmDNUlnp…",
		strings.Repeat("ü", 33): strings.Repeat("ü", 16) + "…",
	} {
		if got := ShortID(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}
