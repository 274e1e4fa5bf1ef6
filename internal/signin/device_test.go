package signin_test

import (
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/signin"
)

func TestDeviceName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for _, c := range []struct{ client, server, want string }{
		{"Claude", "mcp.example.org", "Claude via mcp.example.org (nextcloud-mcp-server)"},
		{"", "mcp.example.org", "nextcloud-mcp-server (mcp.example.org)"},
		{"Claude", "", "Claude (nextcloud-mcp-server)"},
		{"", "", "nextcloud-mcp-server"},
		{"  Cla\r\nude \x00 é😀 ", "mcp", "Cla ude via mcp (nextcloud-mcp-server)"},
		{"日本語", "mcp", "nextcloud-mcp-server (mcp)"},
		{long, "mcp.example.org", strings.Repeat("x", 77) + " via mcp.example.org (nextcloud-mcp-server)"},
	} {
		if got := signin.DeviceName(c.client, c.server); got != c.want {
			t.Errorf("DeviceName(%.20q, %q) = %q, want %q", c.client, c.server, got, c.want)
		}
	}
}

// FuzzDeviceName: a header can carry it, and the server's part is always there.
func FuzzDeviceName(f *testing.F) {
	f.Add("Claude", "mcp.example.org")
	f.Add(strings.Repeat("é(", 200), strings.Repeat("b", 200))
	f.Fuzz(func(t *testing.T, client, server string) {
		name := signin.DeviceName(client, server)
		if len(name) == 0 || len(name) > 120 || !strings.Contains(name, "nextcloud-mcp-server") || name != strings.TrimSpace(name) {
			t.Errorf("%q", name)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q is not printable ASCII", name)
		}
	})
}
