package account_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// signIn is the first page of a person after the sign-in.
func signIn(t *testing.T, s *connecttest.Server, b *connecttest.Browser, path string) *connecttest.Page {
	t.Helper()
	page := b.Get(path)
	open := page.Link("/open")
	if open == "" {
		t.Fatalf("no sign-in: %d %s", page.Status, page.Text())
	}
	b.Nextcloud(b.Click(open).Elsewhere)
	s.Forward(2 * time.Second)
	return b.Get(strings.TrimSuffix(open, "/open"))
}

// connect makes a connection of a person with a client, by the pages.
func connect(t *testing.T, s *connecttest.Server, b *connecttest.Browser, client, scopes string, form url.Values) connecttest.Tokens {
	t.Helper()
	try := s.Client(t, client).Try(scopes)
	page := b.Get(try.URL)
	open := page.Link("/open")
	b.Nextcloud(b.Click(open).Elsewhere)
	s.Forward(2 * time.Second)
	page = b.Get(strings.TrimSuffix(open, "/open"))
	changes := url.Values{"decision": {"allow"}}
	maps.Copy(changes, form)
	return try.Redeem(b.Submit(page, "/consent", changes))
}

func grants(t *testing.T, s *connecttest.Server, user nextcloud.UserID) []store.Grant {
	t.Helper()
	all, err := s.Store.GrantsOf(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// lives reports whether an access token is let in.
func lives(t *testing.T, s *connecttest.Server, token string) bool {
	t.Helper()
	_, err := s.OAuth.Verify(t.Context(), token)
	return err == nil
}

func TestSignInToTheAccountPage(t *testing.T) {
	for _, path := range []string{"", "/nc"} {
		for _, oidc := range []bool{false, true} {
			s := connecttest.Start(t, connecttest.Options{OIDC: oidc, Path: path})
			alice := s.Alice(t)
			var page *connecttest.Page
			if oidc {
				page = alice.Get(alice.Provider(alice.Get(path + "/account").Elsewhere))
			} else {
				page = signIn(t, s, alice, path+"/account")
			}
			if page.Status != http.StatusOK || page.URL.Path != path+"/account" || !strings.Contains(page.Text(), "Alice Example") {
				t.Errorf("path %q, oidc %t: %d %s %s", path, oidc, page.Status, page.URL, page.Text())
			}
			if n := len(s.Sim.AppPasswords("alice")); n != 0 {
				t.Errorf("oidc %t: %d app passwords are left of a sign-in that needs none", oidc, n)
			}
			if len(grants(t, s, "alice")) != 0 {
				t.Errorf("oidc %t: there is a grant", oidc)
			}
		}
	}
}

func TestSignInLeadsBack(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	connect(t, s, alice, "Claude", "notes.read", nil)
	id := grants(t, s, "alice")[0].ID
	if page := signIn(t, s, s.Alice(t), "/account/connections/"+id); page.URL.Path != "/account/connections/"+id || page.Status != http.StatusOK {
		t.Errorf("the sign-in leads to %d %s", page.Status, page.URL)
	}
	for _, odd := range []string{"/account/connections/%2f%2fevil.example", "/account/connections/%5cevil.example", "/account/connections/..%2f..%2f"} {
		page := signIn(t, s, s.Alice(t), odd)
		if page.URL.Path != "/account" {
			t.Errorf("%s: the sign-in leads to %s", odd, page.URL)
		}
	}
}

func TestConnections(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	tokens := connect(t, s, alice, "Claude", "notes.read notes.write files.read", url.Values{"folders": {"/Work"}, "no_delete": {"1"}, "lifetime": {"7d"}})
	id := grants(t, s, "alice")[0].ID
	page := alice.Get("/account")
	for _, want := range []string{"Claude", "claude.example", "/Work", "Alice Example"} {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("the page does not say %q: %s", want, page.Text())
		}
	}

	page = alice.Submit(page, "/pause", nil)
	if page.URL.RequestURI() != "/account?done=paused" || !grants(t, s, "alice")[0].Policy.Paused {
		t.Errorf("pausing leads to %s, policy %+v", page.URL, grants(t, s, "alice")[0].Policy)
	}
	page = alice.Submit(page, "/resume", nil)
	if page.URL.RequestURI() != "/account?done=resumed" || grants(t, s, "alice")[0].Policy.Paused {
		t.Errorf("resuming leads to %s", page.URL)
	}
	g := grants(t, s, "alice")[0]
	if !g.Policy.NoDelete || len(g.Policy.Folders) != 1 || g.ExpiresAt.IsZero() || g.Scopes.String() != "files.read notes.read notes.write" {
		t.Errorf("pausing changed %+v", g)
	}

	page = alice.Submit(page, "/end", nil)
	if page.URL.RequestURI() != "/account?done=ended" || len(grants(t, s, "alice")) != 0 || lives(t, s, tokens.Access) {
		t.Errorf("ending leads to %s, %d grants", page.URL, len(grants(t, s, "alice")))
	}
	if due, err := s.Store.DueRevocations(t.Context(), 10); err != nil || len(due) != 1 {
		t.Errorf("%d revocations, %v", len(due), err)
	}
	if ended := s.Ended(); len(ended) != 1 || ended[0] != id {
		t.Errorf("reported as ended: %v", ended)
	}
}

func TestEndAll(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice, bob := s.Alice(t), s.Bob(t)
	one := connect(t, s, alice, "Claude", "notes.read", nil)
	two := connect(t, s, alice, "Cursor", "notes.read", nil)
	bobs := connect(t, s, bob, "Claude", "notes.read", nil)
	page := alice.Submit(alice.Get("/account"), "/end-all", nil)
	if page.URL.RequestURI() != "/account?done=ended_all" {
		t.Errorf("leads to %s", page.URL)
	}
	if lives(t, s, one.Access) || lives(t, s, two.Access) || !lives(t, s, bobs.Access) {
		t.Error("not alice's connections and only hers ended")
	}
	if len(s.Ended()) != 2 {
		t.Errorf("reported as ended: %v", s.Ended())
	}
}

func TestNarrowing(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	tokens := connect(t, s, alice, "Claude", "notes.read notes.write calendar.read files.read", url.Values{
		"scope": {"notes.read", "notes.write", "files.read"}, "lifetime": {"30d"},
	})
	before := grants(t, s, "alice")[0]
	at := "/account/connections/" + before.ID
	page := alice.Get(at)
	_, form := page.Form(at)
	if got := scope.Parse(strings.Join(form["scope"], " ")).String(); got != "files.read notes.read notes.write" || form.Get("lifetime") != "30d" {
		t.Errorf("the page has ticked %q, lifetime %s", got, form.Get("lifetime"))
	}
	if !strings.Contains(page.Body, "calendar.read") {
		t.Error("what was refused cannot be granted later")
	}

	s.Forward(3 * 24 * time.Hour)
	page = signIn(t, s, alice, at)
	done := alice.Submit(page, at, url.Values{"scope": {"notes.read", "calendar.read"}, "read_only": {"1"}})
	if done.URL.RequestURI() != "/account?done=narrowed" {
		t.Fatalf("leads to %d %s: %s", done.Status, done.URL, done.Text())
	}
	g := grants(t, s, "alice")[0]
	if g.Scopes.String() != "calendar.read notes.read" || strings.Join(g.Policy.Refused, " ") != "files.read notes.write" || !g.Policy.ReadOnly {
		t.Errorf("the connection is %+v", g)
	}
	if !g.ExpiresAt.Equal(before.ExpiresAt) {
		t.Errorf("a lifetime that nobody touched moved the end from %s to %s", before.ExpiresAt, g.ExpiresAt)
	}
	alice.Submit(alice.Get(at), at, url.Values{"lifetime": {"1d"}})
	if g := grants(t, s, "alice")[0]; g.ExpiresAt.Sub(s.Now()).Round(time.Hour) != 24*time.Hour {
		t.Errorf("a shorter lifetime ends %s", g.ExpiresAt)
	}
	_ = tokens

	for name, tt := range map[string]struct {
		form   url.Values
		status int
	}{
		"never asked for": {url.Values{"scope": {"notes.read", "mail.send"}}, http.StatusBadRequest},
		"nothing":         {url.Values{"scope": nil}, http.StatusUnprocessableEntity},
		"bad folder":      {url.Values{"folders": {`\\x`}}, http.StatusUnprocessableEntity},
	} {
		want := grants(t, s, "alice")[0].Scopes.String()
		if got := alice.Submit(alice.Get(at), at, tt.form); got.Status != tt.status {
			t.Errorf("%s: %d %s", name, got.Status, got.Text())
		}
		if got := grants(t, s, "alice")[0].Scopes.String(); got != want {
			t.Errorf("%s: the connection has %q", name, got)
		}
	}
}

// A token keeps working after narrowing, for less.
func TestNarrowingWorksAtOnce(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	tokens := connect(t, s, alice, "Claude", "notes.read calendar.read", nil)
	at := "/account/connections/" + grants(t, s, "alice")[0].ID
	alice.Submit(alice.Get(at), at, url.Values{"scope": {"notes.read"}})
	p, err := s.OAuth.Verify(t.Context(), tokens.Access)
	if err != nil || p.Scopes.String() != "notes.read" {
		t.Errorf("the token is good for %v, %v", p, err)
	}
}

func TestSomebodyElsesConnection(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice, bob := s.Alice(t), s.Bob(t)
	tokens := connect(t, s, alice, "Claude", "notes.read notes.write", nil)
	connect(t, s, bob, "Cursor", "notes.read", nil)
	before := grants(t, s, "alice")[0]
	at := "/account/connections/" + before.ID
	_, form := bob.Get("/account").Form("/end")
	form["scope"] = []string{"notes.read"}
	if got := bob.Get(at); got.Status != http.StatusNotFound || strings.Contains(got.Body, "Claude") {
		t.Errorf("bob sees %d %s", got.Status, got.Text())
	}
	for _, path := range []string{"", "/pause", "/resume", "/end"} {
		if got := bob.Post(at+path, form); got.Status != http.StatusNotFound {
			t.Errorf("bob's POST %s: %d", path, got.Status)
		}
	}
	after := grants(t, s, "alice")
	if len(after) != 1 || after[0].Policy.Paused || after[0].Scopes.String() != before.Scopes.String() || !lives(t, s, tokens.Access) {
		t.Errorf("alice's connection is %+v", after)
	}
	if page := bob.Get("/account"); strings.Contains(page.Body, "Claude") || strings.Contains(page.Body, "alice") {
		t.Error("bob sees alice's connections")
	}
}

func TestFormsAreProven(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice, bob := s.Alice(t), s.Bob(t)
	connect(t, s, alice, "Claude", "notes.read", nil)
	connect(t, s, bob, "Cursor", "notes.read", nil)
	_, right := alice.Get("/account").Form("/end")
	_, bobs := bob.Get("/account").Form("/end")
	at := "/account/connections/" + grants(t, s, "alice")[0].ID
	paths := []string{at, at + "/pause", at + "/resume", at + "/end", "/account/end-all", "/account/sign-out"}
	for _, path := range paths {
		for name, form := range map[string]url.Values{"no token": {}, "a wrong token": {"csrf": {"x"}}, "bob's token": bobs} {
			if got := alice.Post(path, form); got.Status != http.StatusForbidden || !strings.Contains(got.Body, "csrf") {
				t.Errorf("%s with %s: %d", path, name, got.Status)
			}
		}
		cross := alice.SecondTab()
		cross.Header.Set("Origin", "https://evil.example")
		if got := cross.Post(path, right); got.Status != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, got.Status)
		}
		if got := s.Alice(t).Post(path, right); got.Status != http.StatusForbidden {
			t.Errorf("%s without a session: %d", path, got.Status)
		}
		if got := alice.Post(path, url.Values{"csrf": right["csrf"], "x": {strings.Repeat("x", 65<<10)}}); got.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s with a big form: %d", path, got.Status)
		}
		if path != at {
			if got := alice.Get(path); got.Status != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "POST" {
				t.Errorf("GET %s: %d, allows %q", path, got.Status, got.Header.Get("Allow"))
			}
		}
	}
	if g := grants(t, s, "alice"); len(g) != 1 || g[0].Policy.Paused {
		t.Errorf("the connection is %+v", g)
	}
	if got := alice.Get("/account"); !strings.Contains(got.Text(), "Claude") {
		t.Error("alice is signed out")
	}
	if got := alice.Post("/account", right); got.Status != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET" {
		t.Errorf("POST /account: %d, allows %q", got.Status, got.Header.Get("Allow"))
	}
}

func TestSignOut(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	page := signIn(t, s, alice, "/account")
	cookie := alice.Cookie()
	if got := alice.Submit(page, "/sign-out", nil); got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Text())
	}
	if alice.Cookie() != "" {
		t.Error("the cookie is still there")
	}
	if got := alice.WithCookie(cookie).Get("/account"); strings.Contains(got.Body, "alice") {
		t.Error("the old cookie is still signed in")
	}
}

func TestSignInEnds(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	signIn(t, s, alice, "/account")
	s.Forward(13 * time.Hour)
	if page := alice.Get("/account"); page.Link("/open") == "" {
		t.Errorf("signed in after 13 hours: %s", page.Text())
	}
}

func TestLately(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	connect(t, s, alice, "Claude", "notes.read", nil)
	g := grants(t, s, "alice")[0]
	err := s.Store.AppendAudit(t.Context(), []store.AuditEntry{
		{At: s.Now(), UserID: "alice", GrantID: g.ID, ClientName: "Claude", Tool: "nc_notes_get_note", Object: "note 7", Outcome: "ok"},
		{At: s.Now(), UserID: "bob", ClientName: "Cursor", Tool: "nc_calendar_list", Object: "secret calendar", Outcome: "ok"},
	})
	if err != nil {
		t.Fatal(err)
	}
	page := alice.Get("/account")
	if !strings.Contains(page.Text(), "nc_notes_get_note") || !strings.Contains(page.Text(), "note 7") {
		t.Errorf("what was done lately is missing: %s", page.Text())
	}
	if strings.Contains(page.Text(), "secret calendar") {
		t.Error("somebody else's doings are shown")
	}
}

func TestNoticesAreOurs(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	signIn(t, s, alice, "/account")
	if page := alice.Get("/account?done=ended"); !strings.Contains(page.Text(), "The connection is ended") {
		t.Error("the notice is missing")
	}
	if page := alice.Get("/account?done=" + url.QueryEscape("<b>send us your password</b>")); strings.Contains(page.Body, "password") {
		t.Error("the address puts words onto the page")
	}
}
