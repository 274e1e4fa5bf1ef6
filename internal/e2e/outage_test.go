package e2e_test

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

var anyNote = map[string]any{"query": ""}

// TestNextcloudDown: sessions live through an outage.
func TestNextcloudDown(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	endpoint, _ := serve(t, sim)
	s := connect(t, endpoint, "alice", nil)
	call(t, s, "nc_notes_search_notes", anyNote, nil)
	for _, outage := range []struct {
		name       string
		begin, end func()
		says       string
	}{
		{"gone", func() { sim.Fault(nextcloudtest.Fault{Reset: true}) }, sim.ClearFaults, "cannot be reached"},
		{"bad gateway", func() { sim.Fault(nextcloudtest.Fault{Status: http.StatusBadGateway, HTML: true}) }, sim.ClearFaults, "cannot be reached"},
		{"maintenance", func() { sim.SetMaintenance(true) }, func() { sim.SetMaintenance(false) }, "maintenance"},
	} {
		outage.begin()
		for range 3 {
			if text := fails(t, s, "nc_notes_search_notes", anyNote); !strings.Contains(text, outage.says) || strings.Contains(text, "sign in") {
				t.Errorf("%s: %s", outage.name, text)
			}
		}
		outage.end()
		call(t, s, "nc_notes_search_notes", anyNote, nil)
	}
	if n := len(sim.AppPasswords("alice")); n != 1 {
		t.Errorf("%d app passwords after the outages", n)
	}
}

// TestProviderDown: signed tokens are checked with known keys; others have to
// wait.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	endpoint, _ := serve(t, sim)
	signed, opaque := addClient(sim, "jwt"), addClient(sim, "opaque")
	first := signIn(t, sim, signed, "alice", endpoint).AccessToken
	call(t, dial(t, endpoint, first), "nc_notes_search_notes", anyNote, nil)
	jwt := signIn(t, sim, signed, "bob", endpoint).AccessToken
	random := signIn(t, sim, opaque, "bob", endpoint).AccessToken

	sim.Fault(nextcloudtest.Fault{PathPrefix: "/apps/oidc", Reset: true})
	sim.Fault(nextcloudtest.Fault{PathPrefix: "/.well-known", Reset: true})
	call(t, dial(t, endpoint, first), "nc_notes_search_notes", anyNote, nil)
	call(t, dial(t, endpoint, jwt), "nc_notes_search_notes", anyNote, nil)
	a := post(t, endpoint, random, nil)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || a.challenge() != "" || strings.Contains(a.body, "jsonrpc") {
		t.Errorf("a token that cannot be checked: %d %v %s", a.status, a.header, a.body)
	}
	sim.ClearFaults()
	call(t, dial(t, endpoint, random), "nc_notes_search_notes", anyNote, nil)
}

// TestClientDeletedAtNextcloud: the server registers again.
func TestClientDeletedAtNextcloud(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	database := "TOKEN_STORAGE_DB=" + filepath.Join(t.TempDir(), "tokens.db")
	public := "NEXTCLOUD_MCP_SERVER_URL=http://127.0.0.1:1"
	_, _, stop := serveAt(t, sim.URL(), database, public)
	stop()
	// One that is refused a moment after its registration would be refused
	// again, so a server gives it some time.
	age(t, strings.TrimPrefix(database, "TOKEN_STORAGE_DB="))
	endpoint, said, _ := serveAt(t, sim.URL(), database, public)
	own := sim.Clients()
	if len(own) != 1 || !sim.DeleteClient(own[0].ID) {
		t.Fatalf("%d clients", len(own))
	}
	opaque := addClient(sim, "opaque")
	token := signIn(t, sim, opaque, "alice", "http://127.0.0.1:1/mcp").AccessToken
	if a := post(t, endpoint, token, nil); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("the first token after the deletion: %d %s", a.status, a.body)
	}
	until(t, "a new client", func() bool { return post(t, endpoint, token, nil).status == http.StatusOK })
	call(t, dial(t, endpoint, token), "nc_notes_search_notes", anyNote, nil)
	if !strings.Contains(said.String(), "The provider no longer knows the OAuth client") {
		t.Error("the log does not say what happened")
	}
	dynamic := 0
	for _, c := range sim.Clients() {
		if c.Dynamic {
			dynamic++
		}
	}
	if dynamic != 1 {
		t.Errorf("%d clients of the server at Nextcloud", dynamic)
	}
}

// age makes a stored client look an hour old, by the server's own clock.
func age(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	res, err := db.ExecContext(t.Context(), "UPDATE oauth_clients SET issued_at = issued_at - ?", (10 * time.Minute).Milliseconds())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%d stored clients, %v", n, err)
	}
}

// TestKeyRotation: a new key is fetched once, and old tokens stay good.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	endpoint, _ := serve(t, sim)
	signed := addClient(sim, "jwt")
	before := signIn(t, sim, signed, "alice", endpoint).AccessToken
	call(t, dial(t, endpoint, before), "nc_notes_search_notes", anyNote, nil)
	sim.RotateKeys()
	sim.ResetRequests()
	after := signIn(t, sim, signed, "bob", endpoint).AccessToken
	call(t, dial(t, endpoint, after), "nc_notes_search_notes", anyNote, nil)
	call(t, dial(t, endpoint, before), "nc_notes_search_notes", anyNote, nil)
	for range 5 {
		if a := post(t, endpoint, forge(after, `{"alg":"RS256","typ":"at+jwt","kid":"unknown"}`, []byte("x")), nil); a.status != http.StatusUnauthorized {
			t.Errorf("a token of an unknown key: %d", a.status)
		}
	}
	if n := sim.CountRequests("", "/apps/oidc/jwks"); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}
