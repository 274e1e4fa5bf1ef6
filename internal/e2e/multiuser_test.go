package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// withPassword sends a login name and a password with each request.
type withPassword struct{ login, password string }

// RoundTrip implements http.RoundTripper.
func (w withPassword) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth(w.login, w.password)
	return http.DefaultTransport.RoundTrip(r)
}

func connectBasic(t *testing.T, endpoint, revision, login, password string) (*mcp.ClientSession, error) {
	t.Helper()
	c := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	return c.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: endpoint, HTTPClient: &http.Client{Transport: withPassword{login, password}}, DisableStandaloneSSE: true, MaxRetries: -1,
	}, &mcp.ClientSessionOptions{ProtocolVersion: revision})
}

func TestManyPeopleWithBasic(t *testing.T) {
	t.Parallel()
	users := append(nextcloudtest.DefaultUsers(), nextcloudtest.User{ID: "ldap-4711", LoginName: "carol@example.org", Password: "carol-password-1"})
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{Users: users})
	endpoint, said := serve(t, sim, "MCP_DEPLOYMENT_MODE=multi_user_basic")
	bob := sim.CreateAppPassword("bob", "e2e")
	for _, revision := range revisions {
		t.Run(revision, func(t *testing.T) {
			for login, password := range map[string]string{"alice": "alice-password-1", "bob": bob, "carol@example.org": "carol-password-1"} {
				s, err := connectBasic(t, endpoint, revision, login, password)
				if err != nil {
					t.Fatalf("%s: %v", login, err)
				}
				defer s.Close()
				var n note
				call(t, s, "nc_notes_create_note", map[string]any{"title": "Of " + login + " " + revision, "content": "x"}, &n)
				var all found
				call(t, s, "nc_notes_search_notes", map[string]any{"query": "Of"}, &all)
				for _, n := range all.Items {
					if !strings.HasPrefix(n.Title, "Of "+login) {
						t.Errorf("%s sees %q", login, n.Title)
					}
				}
			}
		})
	}
	if sim.BadLogins() != 0 {
		t.Errorf("%d bad logins", sim.BadLogins())
	}

	// A wrong password never reaches MCP, and reaches Nextcloud once.
	for range 5 {
		if _, err := connectBasic(t, endpoint, "2026-07-28", "alice", "wrong-canary"); err == nil {
			t.Fatal("a wrong password was let in")
		}
	}
	if n := sim.BadLogins(); n != 1 {
		t.Errorf("%d bad logins reached Nextcloud, want 1", n)
	}
	a := post(t, endpoint, "", nil)
	if a.status != http.StatusUnauthorized || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("without credentials: %d %q", a.status, a.header.Get("WWW-Authenticate"))
	}
	if a := get(t, strings.TrimSuffix(endpoint, "/mcp")+"/.well-known/oauth-protected-resource/mcp"); a.status != http.StatusNotFound {
		t.Errorf("metadata: %d, want 404: there is no OAuth here", a.status)
	}
	for _, secret := range []string{"wrong-canary", "alice-password-1", bob} {
		if strings.Contains(said.String(), secret) {
			t.Error("a password is in the log")
		}
	}
	// Somebody whom Nextcloud lets in no more is out at once.
	s, err := connectBasic(t, endpoint, "2025-11-25", "bob", bob)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sim.RevokeAppPasswords("bob")
	fails(t, s, "nc_notes_search_notes", anyNote)
	if _, err := connectBasic(t, endpoint, "2026-07-28", "bob", bob); err == nil {
		t.Error("a revoked password was let in")
	}
}
