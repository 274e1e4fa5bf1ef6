package e2e_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// site is the pages of the server with an MCP address, for browsers that stop
// at each page.
func site(endpoint string) *connecttest.Server {
	return &connecttest.Server{URL: strings.TrimSuffix(endpoint, "/mcp")}
}

// granted lets a person sign in at Nextcloud, by Login Flow or by the
// provider, and answers the page that comes then.
func granted(t *testing.T, b *connecttest.Browser, page *connecttest.Page) *connecttest.Page {
	t.Helper()
	if page.Elsewhere != "" {
		return b.Get(b.Provider(page.Elsewhere))
	}
	open := page.Link("/open")
	if open == "" {
		t.Fatalf("no sign-in: %d %s", page.Status, page.Text())
	}
	b.Nextcloud(b.Click(open).Elsewhere)
	self := strings.TrimSuffix(open, "/open")
	var next *connecttest.Page
	until(t, "the sign-in", func() bool { // Nextcloud is asked once a second
		next = b.Get(self)
		return next.Link("/open") == ""
	})
	return next
}

// TestRelayedSignIn: Mallory begins a sign-in and sends its addresses to
// Alice. Nothing of it works in her browser, and Mallory never is Alice.
func TestRelayedSignIn(t *testing.T) {
	t.Parallel()
	for _, stock := range []bool{true, false} {
		t.Run(fmt.Sprintf("stock %t", stock), func(t *testing.T) {
			t.Parallel()
			sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true, DisableOIDC: stock})
			endpoint, _ := serve(t, sim)
			alice, mallory := site(endpoint).Alice(t), site(endpoint).Bob(t)
			p := newProgram(endpoint)
			if err := p.public(t.Context()); err != nil {
				t.Fatal(err)
			}
			granted(t, alice, alice.Get("/account"))
			address, _ := p.ask(nil)
			page := mallory.Get(address)
			if !stock {
				// The answer of the provider to Mallory's question, as Alice's.
				back := alice.Provider(page.Elsewhere)
				if got := alice.Get(back); got.Status != http.StatusForbidden {
					t.Errorf("the answer in another browser: %d %s", got.Status, got.Text())
				}
				if got := mallory.Get(back); got.Status < 400 || strings.Contains(got.Body, "alice") {
					t.Errorf("the answer back in the first browser: %d %s", got.Status, got.Text())
				}
				return
			}
			at := strings.TrimSuffix(page.Link("/open"), "/open")
			_, form := page.Form("/consent")
			sim.ResetRequests()
			for _, path := range []string{"", "/open", "/oidc", "/status"} {
				if got := alice.Get(at + path); got.Status != http.StatusForbidden || got.Elsewhere != "" {
					t.Errorf("GET %s in another browser: %d %s", path, got.Status, got.Elsewhere)
				}
			}
			got := alice.Post(at+"/consent", url.Values{"csrf": form["csrf"], "decision": {"allow"}, "scope": {"notes.read"}})
			if got.Status != http.StatusForbidden || got.Away() != "" {
				t.Errorf("the consent in another browser: %d %s", got.Status, got.Text())
			}
			if n := sim.CountRequests(http.MethodPost, "/index.php/login/v2"); n != 0 {
				t.Errorf("another browser began %d sign-ins", n)
			}
			if got := mallory.Get(at); got.Link("/open") == "" {
				t.Errorf("the first browser went on: %s", got.Text())
			}
			if n := len(sim.AppPasswords("alice")); n != 0 {
				t.Errorf("alice has %d app passwords", n)
			}
		})
	}
}

// TestConsentIsForOneClient: the question of one client is not answered by the
// form of another, nor from elsewhere, nor in a frame.
func TestConsentIsForOneClient(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	endpoint, _ := serve(t, sim)
	alice := site(endpoint).Alice(t)
	ask := func(redirect string) *connecttest.Page {
		t.Helper()
		p := newProgram(endpoint)
		p.redirect = redirect
		if err := p.public(t.Context()); err != nil {
			t.Fatal(err)
		}
		address, _ := p.ask(nil)
		return granted(t, alice, alice.Get(address))
	}
	good, evil := ask("https://good.example/cb"), ask("https://evil.example/cb")
	good = alice.Get(good.URL.Path) // the second sign-in gave the browser another cookie
	for host, page := range map[string]*connecttest.Page{"good.example": good, "evil.example": evil} {
		if !strings.Contains(page.Text(), host) {
			t.Errorf("the page does not say that the answer goes to %s: %s", host, page.Text())
		}
		csp := page.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("the page may be framed or load things: %s", csp)
		}
	}
	to, form := good.Form("/consent")
	_, others := evil.Form("/consent")
	form.Set("decision", "allow")
	forged := func(what string, change func(url.Values), header http.Header) {
		t.Helper()
		values := url.Values{}
		maps.Copy(values, form)
		change(values)
		tab := alice.SecondTab()
		maps.Copy(tab.Header, header)
		if got := tab.Post(to, values); got.Status != http.StatusForbidden || got.Away() != "" {
			t.Errorf("%s: %d %s", what, got.Status, got.Away())
		}
	}
	forged("the token of another client's form", func(v url.Values) { v["csrf"] = others["csrf"] }, nil)
	forged("no token", func(v url.Values) { v.Del("csrf") }, nil)
	forged("from another site", func(url.Values) {}, http.Header{"Sec-Fetch-Site": {"cross-site"}})
	forged("from another origin", func(url.Values) {}, http.Header{"Origin": {"https://evil.example"}})
	if got := alice.Post(to, form); !strings.HasPrefix(got.Away(), "https://good.example/cb?") {
		t.Errorf("the form itself: %d %s", got.Status, got.Text())
	}
}

// TestPeopleSignInAtOnce: each gets their own connection, notes and account
// page.
func TestPeopleSignInAtOnce(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	endpoint, _ := serve(t, sim)
	shared := newProgram(endpoint) // one client for all of them
	if err := shared.public(t.Context()); err != nil {
		t.Fatal(err)
	}
	users := []string{"alice", "bob"}
	for _, user := range users {
		p := *shared
		tokens, err := p.signIn(t.Context(), person(user))
		tokens = grants(t, tokens, err)
		text, _, err := p.call(t.Context(), tokens.Access, "2025-06-18", "nc_notes_create_note", `{"title":"of `+user+`","content":"x","category":""}`)
		if err != nil || strings.Contains(text, `"isError":true`) {
			t.Fatalf("%s %v", text, err)
		}
	}
	failures := make(chan error, 8)
	var wait sync.WaitGroup
	for i := range cap(failures) {
		user, other := users[i%2], users[1-i%2]
		wait.Go(func() {
			p := *shared
			p.headers = http.Header{}
			tokens, err := p.signIn(t.Context(), person(user))
			if err != nil {
				failures <- err
				return
			}
			for range 5 {
				text, status, err := p.call(t.Context(), tokens.Access, "2025-06-18", "nc_notes_search_notes", `{"query":""}`)
				if err == nil && status == http.StatusUnauthorized {
					// The same client of the same person connected again, which ended
					// this connection; nobody else's notes came all the same.
					break
				}
				if err != nil || !strings.Contains(text, "of "+user) || strings.Contains(text, "of "+other) {
					failures <- errors.Join(fmt.Errorf("%s sees %d %s", user, status, text), err)
					return
				}
			}
		})
	}
	wait.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	for i, user := range users {
		b := site(endpoint).Browser(t, user, user+"-password-1")
		page := granted(t, b, b.Get("/account"))
		name := []string{"Alice Example", "Bob Example"}
		if !strings.Contains(page.Text(), name[i]) || strings.Contains(page.Text(), name[1-i]) || strings.Count(page.Body, "/end\"") != 1 {
			t.Errorf("the account page of %s: %s", user, page.Text())
		}
	}
}
