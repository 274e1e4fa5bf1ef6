package e2e_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestReplicas: two servers on one database share the registration and the app
// password of each grant, and a grant that ends at one ends at the other.
func TestReplicas(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	const public = "http://mcp.example.test"
	shared := []string{"TOKEN_STORAGE_DB=" + filepath.Join(t.TempDir(), "tokens.db"), "NEXTCLOUD_MCP_SERVER_URL=" + public}
	first, _, _ := serveAt(t, sim.URL(), shared...)
	second, _, _ := serveAt(t, sim.URL(), shared...)
	if n := len(sim.Clients()); n != 1 {
		t.Errorf("two servers registered %d clients", n)
	}
	c := addClient(sim, "opaque")
	token := signIn(t, sim, c, "alice", public+"/mcp").AccessToken
	var both sync.WaitGroup
	for _, endpoint := range []string{first, second} {
		s := dial(t, endpoint, token)
		both.Go(func() { call(t, s, "nc_notes_search_notes", anyNote, nil) })
	}
	both.Wait()
	if n := len(sim.AppPasswords("alice")); n != 1 {
		t.Errorf("two servers made %d app passwords for one grant", n)
	}
	sessions := []string{first, second}
	at := dial(t, second, token)
	sim.RevokeAppPasswords("alice")
	if text := fails(t, dial(t, first, token), "nc_notes_search_notes", anyNote); !strings.Contains(text, "sign in again") {
		t.Errorf("at the first: %s", text)
	}
	if text := fails(t, at, "nc_notes_search_notes", anyNote); !strings.Contains(text, "sign in again") {
		t.Errorf("at the second: %s", text)
	}
	for i, endpoint := range sessions {
		if a := post(t, endpoint, token, nil); a.status != http.StatusUnauthorized || !strings.Contains(a.challenge(), `error="invalid_token"`) {
			t.Errorf("server %d lets the ended grant in: %d", i+1, a.status)
		}
	}
	if n := len(sim.AppPasswords("alice")); n != 0 {
		t.Errorf("the ended grant has %d app passwords", n)
	}
	// The same client signs in again; both servers take that.
	again := signIn(t, sim, c, "alice", public+"/mcp").AccessToken
	for _, endpoint := range sessions {
		call(t, dial(t, endpoint, again), "nc_notes_search_notes", anyNote, nil)
	}
	if n := len(sim.AppPasswords("alice")); n != 1 {
		t.Errorf("%d app passwords after signing in again", n)
	}
}
