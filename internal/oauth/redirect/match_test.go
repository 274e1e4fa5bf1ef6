package redirect_test

import (
	"net/url"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/oauth/redirect"
)

// checkAgainstStandardLibrary pins that an allowed URI means the same to
// another parser: the same scheme, no user, the host that people are shown.
func checkAgainstStandardLibrary(t *testing.T, uri string) {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatalf("%q is allowed, and net/url says %v", uri, err)
	}
	name, local := redirect.Host(uri)
	switch {
	case u.User != nil || u.Fragment != "" || !u.IsAbs() || u.Opaque != "":
		t.Errorf("%q is allowed, and net/url reads %#v", uri, u)
	case u.Scheme == "https" && (u.Hostname() == "" || strings.ToLower(u.Hostname()) != strings.Trim(name, "[]")):
		t.Errorf("%q is shown as %q, and net/url reads the host %q", uri, name, u.Hostname())
	case u.Scheme == "http" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" && u.Hostname() != "localhost":
		t.Errorf("%q is allowed, and net/url reads the host %q", uri, u.Hostname())
	case u.Scheme == "http" && !local:
		t.Errorf("%q is not shown as local", uri)
	}
	if u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "cursor" && u.Scheme != "vscode" && u.Scheme != "vscode-insiders" {
		t.Errorf("the scheme of %q is allowed", uri)
	}
}

func TestAllowedMeansTheSameToOthers(t *testing.T) {
	for _, uri := range good {
		checkAgainstStandardLibrary(t, uri)
	}
}

func TestLoopbackPort(t *testing.T) {
	tests := []struct {
		registered, presented string
		want                  bool
	}{
		{"http://localhost/callback", "http://localhost:8080/callback", true},
		{"http://127.0.0.1/callback", "http://127.0.0.1:52163/callback", true},
		{"http://127.0.0.1:3000/callback", "http://127.0.0.1:52163/callback", true},
		{"http://127.0.0.1:3000/callback", "http://127.0.0.1/callback", true},
		{"http://[::1]:3000/callback", "http://[::1]:4000/callback", true},
		{"http://127.0.0.1:3000/cb?a=b", "http://127.0.0.1:4000/cb?a=b", true},
		{"http://127.0.0.1:3000", "http://127.0.0.1:4000", true},
		{"http://127.0.0.1:33418/", "http://127.0.0.1:40000/", true},

		{"http://127.0.0.1:33418", "http://127.0.0.1:40000/", false},
		{"http://127.0.0.1/callback", "http://localhost/callback", false},
		{"http://localhost/callback", "http://127.0.0.1:1/callback", false},
		{"http://[::1]/callback", "http://127.0.0.1/callback", false},
		{"http://[::1]/callback", "http://[0:0:0:0:0:0:0:1]/callback", false},
		{"http://localhost/callback", "http://localhost:1/callback/", false},
		{"http://localhost/callback", "http://localhost:1/Callback", false},
		{"http://localhost/callback", "http://localhost:1/callback?x=1", false},
		{"http://localhost/callback?x=1", "http://localhost:1/callback", false},
		{"http://localhost/callback", "http://localhost:1/callback#x", false},
		{"http://localhost/callback", "http://localhost:1/x/../callback", false},
		{"http://localhost/callback", "http://localhost:1/%63allback", false},
		{"http://localhost/callback", "http://localhost:0/callback", false},
		{"http://localhost/callback", "http://localhost:65536/callback", false},
		{"http://localhost/callback", "http://localhost:/callback", false},
		{"http://localhost/callback", "http://localhost:1@evil.example/callback", false},
		{"http://localhost/callback", "http://localhost:1.evil.example/callback", false},
		{"http://localhost/callback", "http://localhost.evil.example:1/callback", false},
		{"http://localhost/callback", "http://LOCALHOST:1/callback", false},
		{"http://localhost/callback", "https://localhost:1/callback", false},
		{"https://localhost/callback", "http://localhost/callback", false},
		{"https://localhost/callback", "https://localhost:1/callback", false},
		{"https://127.0.0.1:1/callback", "https://127.0.0.1:2/callback", false},
		{"https://example.com/cb", "https://example.com:443/cb", false},
		{"https://example.com:8443/cb", "https://example.com:9443/cb", false},
		{"http://192.168.1.5:1/cb", "http://192.168.1.5:2/cb", false},
		{"http://127.0.0.2:1/cb", "http://127.0.0.2:2/cb", false},
		{"cursor://localhost:1/cb", "cursor://localhost:2/cb", false},
		{"https://example.com/cb", "https://example.com/cb/", false},
		{"https://example.com/cb", "https://EXAMPLE.com/cb", false},
		{"https://example.com/cb", "https://example.com/cb?", false},
		{"https://example.com/cb", "https://example.com/cb/../evil", false},
		{"https://example.com/", "https://example.com", false},
		{"https://example.com/a%2Fb", "https://example.com/a%2fb", false},
		{"https://example.com/cb", "", false},
		{"", "https://example.com/cb", false},
		{"", "", false},
	}
	for _, tt := range tests {
		if got := redirect.Match(tt.registered, tt.presented); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.registered, tt.presented, got)
		}
	}
}

func TestNoOtherURIMatches(t *testing.T) {
	for i, registered := range good {
		for j, presented := range good {
			if got := redirect.Match(registered, presented); got != (i == j || samePortless(registered, presented)) {
				t.Errorf("Match(%q, %q) = %v", registered, presented, got)
			}
		}
		for _, presented := range bad {
			if redirect.Match(registered, presented) {
				t.Errorf("Match(%q, %q)", registered, presented)
			}
		}
	}
}

// samePortless is the exception, said in another way than the code says it.
func samePortless(a, b string) bool {
	u, err := url.Parse(a)
	if err != nil {
		return false
	}
	v, err := url.Parse(b)
	if err != nil || u.Scheme != "http" || v.Scheme != "http" {
		return false
	}
	return u.Hostname() == v.Hostname() && u.RequestURI() == v.RequestURI() && u.Path == v.Path
}

// port is where the digits of a loopback URI's port are.
func port(uri string) (from, to int) {
	for _, prefix := range []string{"http://127.0.0.1:", "http://[::1]:", "http://localhost:"} {
		if rest, ok := strings.CutPrefix(uri, prefix); ok {
			if n := strings.IndexAny(rest, "/?"); n >= 0 {
				rest = rest[:n]
			}
			return len(prefix), len(prefix) + len(rest)
		}
	}
	return 0, 0
}

func TestOneByteOff(t *testing.T) {
	for _, registered := range good {
		from, to := port(registered)
		for i := range len(registered) {
			for c := range 256 {
				presented := registered[:i] + string([]byte{byte(c)}) + registered[i+1:]
				inPort := i >= from && i < to && c >= '0' && c <= '9'
				if presented != registered && !inPort && redirect.Match(registered, presented) {
					t.Fatalf("Match(%q, %q)", registered, presented)
				}
			}
			// One byte more or less. In front of a port, or for a port of one
			// digit, that is another port or none.
			if presented := registered[:i] + registered[i+1:]; (from == 0 || i < from-1 || i >= to) && redirect.Match(registered, presented) {
				t.Fatalf("Match(%q, %q)", registered, presented)
			}
			if presented := registered[:i] + "x" + registered[i:]; redirect.Match(registered, presented) {
				t.Fatalf("Match(%q, %q)", registered, presented)
			}
		}
		if redirect.Match(registered, registered+"x") || redirect.Match(registered, registered+"/") || redirect.Match(registered, registered+"?") {
			t.Fatalf("%q matches with more behind it", registered)
		}
	}
}

func TestHost(t *testing.T) {
	tests := []struct {
		uri, name string
		local     bool
	}{
		{"https://claude.ai/api/mcp/auth_callback", "claude.ai", false},
		{"https://CLAUDE.ai:8443/x", "claude.ai", false},
		{"https://xn--bcher-kva.example/", "xn--bcher-kva.example", false},
		{"https://[2001:db8::1]:1/", "[2001:db8::1]", false},
		{"http://127.0.0.1:1234/cb", "127.0.0.1", true},
		{"http://[::1]:1234/cb", "[::1]", true},
		{"http://localhost/cb", "localhost", true},
		{"https://localhost/cb", "localhost", true},
		{"cursor://anysphere.cursor-mcp/oauth/callback", "cursor:", true},
		{"https://claude.ai@evil.example/", "", false},
		{"https://claude.ai\\.evil.example/", "", false},
		{"", "", false},
	}
	for _, tt := range tests {
		if name, local := redirect.Host(tt.uri); name != tt.name || local != tt.local {
			t.Errorf("Host(%q) = %q, %v, want %q, %v", tt.uri, name, local, tt.name, tt.local)
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, uri := range good {
		f.Add(uri, uri)
		f.Add(uri, strings.Replace(uri, "://localhost", "://localhost:5", 1))
		f.Add(uri, uri+"/")
	}
	for i, uri := range bad {
		f.Add(good[i%len(good)], uri)
	}
	f.Fuzz(func(t *testing.T, registered, presented string) {
		if redirect.Match(registered, presented) && registered != presented && !samePortless(registered, presented) {
			t.Errorf("Match(%q, %q)", registered, presented)
		}
		if redirect.Match(registered, presented) != redirect.Match(presented, registered) {
			t.Errorf("Match(%q, %q) depends on the order", registered, presented)
		}
	})
}
