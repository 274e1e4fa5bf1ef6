package e2e_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// replicas are two servers on one database under the address of the first.
func replicas(t *testing.T, sim *nextcloudtest.Server) (one, two *program) {
	t.Helper()
	database := "TOKEN_STORAGE_DB=" + filepath.Join(t.TempDir(), "tokens.db")
	a, _, _ := serveAt(t, sim.URL(), database)
	b, _, _ := serveAt(t, sim.URL(), database, "NEXTCLOUD_MCP_SERVER_URL="+strings.TrimSuffix(a, "/mcp"))
	one, two = newProgram(a), newProgram(b)
	if err := one.public(t.Context()); err != nil {
		t.Fatal(err)
	}
	two.id, two.endpoint = one.id, one.endpoint
	return one, two
}

// TestCodesAtTwoServers: a code is used once, wherever.
func TestCodesAtTwoServers(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	one, two := replicas(t, sim)
	code, verifier, err := one.code(t.Context(), person("alice"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := two.redeem(t.Context(), code, verifier)
	got = grants(t, got, err)
	lets(t, one, got.Access)
	lets(t, two, got.Access)
	again, err := one.redeem(t.Context(), code, verifier)
	denies(t, "the second use", "invalid_grant", again, err)
	shuts(t, one, got.Access)
	shuts(t, two, got.Access)
	next, err := two.refresh(t.Context(), got.Refresh)
	denies(t, "the refresh token of a code that was used twice", "invalid_grant", next, err)

	// At the same moment, one of them wins at most, and not for long.
	if code, verifier, err = one.code(t.Context(), person("alice")); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	answers := make([]pair, 6)
	for i := range answers {
		p := []*program{one, two}[i%2]
		wait.Go(func() { answers[i], _ = p.redeem(t.Context(), code, verifier) })
	}
	wait.Wait()
	won := 0
	for _, a := range answers {
		if a.Access != "" {
			won++
			shuts(t, one, a.Access)
		}
	}
	if won > 1 {
		t.Errorf("%d of %d got tokens for one code", won, len(answers))
	}
}

// TestRefreshAtTwoServers: a refresh token that comes back after the next one
// was used ends the line, wherever.
func TestRefreshAtTwoServers(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	one, two := replicas(t, sim)
	stolen, err := one.signIn(t.Context(), person("alice"))
	stolen = grants(t, stolen, err)
	second, err := two.refresh(t.Context(), stolen.Refresh)
	second = grants(t, second, err)
	third, err := one.refresh(t.Context(), second.Refresh)
	third = grants(t, third, err)
	lets(t, two, third.Access)
	got, err := two.refresh(t.Context(), stolen.Refresh)
	denies(t, "the first refresh token", "invalid_grant", got, err)
	shuts(t, one, third.Access)
	shuts(t, two, third.Access)
	got, err = one.refresh(t.Context(), third.Refresh)
	denies(t, "the newest refresh token", "invalid_grant", got, err)
}

// TestMixUp: answers name their issuer, and what one server gave is nothing to
// another one, though they share a database and the client.
func TestMixUp(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	database := "TOKEN_STORAGE_DB=" + filepath.Join(t.TempDir(), "tokens.db")
	a, _, _ := serveAt(t, sim.URL(), database)
	b, _, _ := serveAt(t, sim.URL(), database)
	here, there := newProgram(a), newProgram(b)
	if err := here.public(t.Context()); err != nil {
		t.Fatal(err)
	}
	there.id = here.id

	answers := map[string]string{}
	address, _ := here.ask(nil)
	yes, err := person("alice").Visit(t.Context(), address, callback)
	if err != nil {
		t.Fatal(err)
	}
	answers["a code"] = yes.String()
	no := person("alice")
	no.Deny = true
	refused, err := no.Visit(t.Context(), address, callback)
	if err != nil {
		t.Fatal(err)
	}
	answers["a refusal"] = refused.String()
	address, _ = here.ask(url.Values{"scope": {"nothing.known"}, "prompt": {"none"}})
	answers["an error"] = get(t, address).header.Get("Location")
	address, _ = here.ask(url.Values{"resource": {b}})
	answers["another resource"] = get(t, address).header.Get("Location")
	for what, to := range answers {
		u, err := url.Parse(to)
		if err != nil || !strings.HasPrefix(to, callback+"?") || u.Query().Get("iss") != here.at || u.Query().Get("state") == "" ||
			(u.Query().Get("error") == "") != (what == "a code") {
			t.Errorf("%s: %s", what, to)
		}
	}

	code, verifier, err := here.code(t.Context(), person("alice"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := there.redeem(t.Context(), code, verifier)
	denies(t, "a code of another server", "invalid_grant", got, err)
	tokens, err := here.signIn(t.Context(), person("alice"))
	tokens = grants(t, tokens, err)
	got, err = there.refresh(t.Context(), tokens.Refresh)
	denies(t, "a refresh token of another server", "invalid_grant", got, err)
	there.endpoint = here.endpoint
	got, err = there.refresh(t.Context(), tokens.Refresh)
	denies(t, "a refresh token with its resource", "invalid_target", got, err)
	lets(t, here, tokens.Access) // nothing of this harms the connection
	if a := post(t, a, "", nil); a.status != http.StatusUnauthorized || !strings.Contains(a.challenge(), here.at) || strings.Contains(a.challenge(), there.at) {
		t.Errorf("the challenge names another server: %s", a.challenge())
	}
}
