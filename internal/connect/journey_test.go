package connect_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/connect"
	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

var (
	allow = url.Values{"decision": {"allow"}}
	deny  = url.Values{"decision": {"deny"}}
)

// wantStatus checks where a browser ended.
func wantStatus(t *testing.T, p *connecttest.Page, status int, code string) {
	t.Helper()
	if p.Status != status || !strings.Contains(p.Body, code) {
		t.Errorf("%s answers %d, want %d with %s: %.300s", p.URL, p.Status, status, code, p.Text())
	}
}

// waiting is the waiting page of a new try.
func waiting(t *testing.T, b *connecttest.Browser, try *connecttest.Try) *connecttest.Page {
	t.Helper()
	page := b.Get(try.URL)
	if page.Status != http.StatusOK || page.Link("/open") == "" {
		t.Fatalf("no waiting page: %d %s", page.Status, page.Text())
	}
	return page
}

// consent signs a person in by Login Flow and answers the consent page.
func consent(t *testing.T, b *connecttest.Browser, try *connecttest.Try) *connecttest.Page {
	t.Helper()
	page := waiting(t, b, try)
	b.Nextcloud(b.Click(page.Link("/open")).Elsewhere)
	page = b.Get(self(page))
	if action, _ := page.Form("/consent"); page.Status != http.StatusOK || action == "" {
		t.Fatalf("no consent page: %d %s", page.Status, page.Text())
	}
	return page
}

// self is the address of the journey that a page is of.
func self(p *connecttest.Page) string {
	path := p.URL.Path
	before, after, ok := strings.Cut(path, "/oauth/connect/")
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(after, "/")
	return before + "/oauth/connect/" + id
}

type state struct {
	Done    bool   `json:"done"`
	Problem string `json:"problem"`
}

func status(t *testing.T, b *connecttest.Browser, journey string) (int, state) {
	t.Helper()
	page := b.Get(journey + "/status")
	var s state
	if err := json.Unmarshal([]byte(page.Body), &s); err != nil {
		t.Fatalf("%v: %s", err, page.Body)
	}
	return page.Status, s
}

// grants are the active connections of a person.
func grants(t *testing.T, s *connecttest.Server, user string) []store.Grant {
	t.Helper()
	all, err := s.Store.GrantsOf(t.Context(), nextcloud.UserID(user))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// lets reports whether an access token is let in, and for whom.
func lets(t *testing.T, s *connecttest.Server, token string) string {
	t.Helper()
	p, err := s.OAuth.Verify(t.Context(), token)
	if err != nil {
		return ""
	}
	return string(p.Subject)
}

func TestSignInByLoginFlow(t *testing.T) {
	for _, path := range []string{"", "/nc/mcp-server"} {
		t.Run("path "+path, func(t *testing.T) {
			s := connecttest.Start(t, connecttest.Options{Path: path})
			alice := s.Alice(t)
			try := s.Client(t, "Claude").Try("notes.read notes.write calendar.read")
			page := consent(t, alice, try)
			if !strings.Contains(page.Text(), "Claude") || !strings.Contains(page.Text(), "claude.example") || !strings.Contains(page.Text(), "Alice Example") {
				t.Errorf("the consent page does not say who asks, where answers go and who is signed in: %s", page.Text())
			}
			tokens := try.Redeem(alice.Submit(page, "/consent", allow))
			if lets(t, s, tokens.Access) != "alice" || tokens.Refresh == "" {
				t.Errorf("the tokens do not work: %+v", tokens)
			}
			got := grants(t, s, "alice")
			if len(got) != 1 || got[0].Scopes.String() != "calendar.read notes.read notes.write" || got[0].RedirectHost != "claude.example" {
				t.Fatalf("grants %+v", got)
			}
			names := s.Sim.AppPasswords("alice")
			if len(names) != 1 || !strings.HasPrefix(names[0].Name, "Claude via ") {
				t.Errorf("app passwords %+v", names)
			}
			// Nextcloud's own pages come on top.
			if alice.Shown > 3 || alice.Clicks > 2 {
				t.Errorf("%d pages and %d clicks, want no more than 3 and 2", alice.Shown, alice.Clicks)
			}
		})
	}
}

func TestSignInByProvider(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{OIDC: true})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("")
	to := alice.Get(try.URL).Elsewhere
	if !strings.HasPrefix(to, s.Sim.URL()) {
		t.Fatalf("not sent to the provider but to %q", to)
	}
	callback := alice.Provider(to)
	page := alice.Get(callback)
	tokens := try.Redeem(alice.Submit(page, "/consent", allow))
	if lets(t, s, tokens.Access) != "alice" {
		t.Error("the access token does not work")
	}
	if g := grants(t, s, "alice"); len(g) != 1 || g[0].Method != store.ByOIDC || g[0].Credential.Kind != store.AppPasswordCredential {
		t.Errorf("grants %+v", g)
	}
	if alice.Shown > 3 || alice.Clicks > 2 {
		t.Errorf("%d pages and %d clicks, want no more than 3 and 2", alice.Shown, alice.Clicks)
	}
	wantStatus(t, alice.Get(callback), http.StatusGone, "flow_gone") // an answer of the provider is good once
}

func TestProviderThenLoginFlow(t *testing.T) {
	// This version gives no app password for a token.
	s := connecttest.Start(t, connecttest.Options{OIDC: true, Nextcloud: nextcloudtest.Options{Version: "29.0.1"}})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("notes.read")
	page := alice.Get(alice.Provider(alice.Get(try.URL).Elsewhere))
	if page.Link("/open") == "" || !strings.Contains(page.Text(), "one more step") {
		t.Fatalf("no waiting page with the reason: %s", page.Text())
	}
	if page.Link("/oidc") != "" {
		t.Error("the page offers the provider, which was not enough")
	}
	alice.Nextcloud(alice.Click(page.Link("/open")).Elsewhere)
	page = alice.Get(self(page))
	if tokens := try.Redeem(alice.Submit(page, "/consent", allow)); lets(t, s, tokens.Access) != "alice" {
		t.Error("the access token does not work")
	}
}

func TestSomebodyElseAtLoginFlowThanAtProvider(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{OIDC: true, Nextcloud: nextcloudtest.Options{Version: "29.0.1"}})
	alice := s.Alice(t)
	page := alice.Get(alice.Provider(alice.Get(s.Client(t, "Claude").Try("").URL).Elsewhere))
	s.Bob(t).Nextcloud(alice.Click(page.Link("/open")).Elsewhere)
	wantStatus(t, alice.Get(self(page)), http.StatusForbidden, "other_person")
	if n := len(s.Sim.AppPasswords("bob")); n != 0 {
		t.Errorf("bob has %d app passwords left", n)
	}
	if again := alice.Get(self(page)); again.Link("/open") == "" { // the problem is shown once, then the way on
		t.Errorf("no way on: %s", again.Text())
	}
}

func TestProviderSaysNo(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{OIDC: true})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("")
	to, err := url.Parse(alice.Get(try.URL).Elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	page := alice.Get("/oauth/callback?error=access_denied&state=" + to.Query().Get("state"))
	wantStatus(t, page, http.StatusForbidden, "refused")
	if !strings.Contains(page.Body, "error=access_denied") {
		t.Error("there is no way back to the client")
	}
	// The way on leads to the provider once more.
	if again := alice.Get(journeyLink(t, page)); !strings.HasPrefix(again.Elsewhere, s.Sim.URL()) {
		t.Errorf("the next try leads to %q", again.Elsewhere)
	}
}

// journeyLink is the way on that a failure page offers.
func journeyLink(t *testing.T, p *connecttest.Page) string {
	t.Helper()
	_, rest, ok := strings.Cut(p.Body, "/oauth/connect/")
	if !ok {
		t.Fatalf("no way on: %s", p.Text())
	}
	id, _, _ := strings.Cut(rest, `"`)
	return "/oauth/connect/" + id
}

func TestProviderDownLeadsToLoginFlow(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{OIDC: true})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("")
	callback := alice.Provider(alice.Get(try.URL).Elsewhere)
	for _, prefix := range []string{"", "/index.php"} {
		s.Sim.Fault(nextcloudtest.Fault{PathPrefix: prefix + "/apps/oidc/token", Status: http.StatusBadGateway})
	}
	page := alice.Get(callback)
	wantStatus(t, page, http.StatusServiceUnavailable, "provider_unreachable")
	wantStatus(t, page, http.StatusServiceUnavailable, "error=temporarily_unavailable")
	page = alice.Get(journeyLink(t, page))
	if page.Link("/open") == "" || page.Link("/oidc") == "" {
		t.Fatalf("no waiting page that offers both ways: %s", page.Text())
	}
	alice.Nextcloud(alice.Click(page.Link("/open")).Elsewhere)
	if tokens := try.Redeem(alice.Submit(alice.Get(self(page)), "/consent", allow)); lets(t, s, tokens.Access) != "alice" {
		t.Error("the access token does not work")
	}
}

func TestStatusGoesOnByItself(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	page := waiting(t, alice, s.Client(t, "Claude").Try(""))
	at := self(page)
	link := alice.Click(page.Link("/open")).Elsewhere
	if code, got := status(t, alice, at); code != http.StatusOK || got != (state{}) {
		t.Errorf("before the person is done: %d %+v", code, got)
	}
	alice.Nextcloud(link)
	s.Forward(2 * time.Second)
	if _, got := status(t, alice, at); got != (state{Done: true}) {
		t.Errorf("after the person is done: %+v", got)
	}
	// The answer came once, and is kept for whoever asks next.
	if _, got := status(t, alice, at); got != (state{Done: true}) {
		t.Errorf("asked again: %+v", got)
	}
}

func TestNextcloudIsAskedOnceASecond(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	page := waiting(t, alice, s.Client(t, "Claude").Try(""))
	alice.Click(page.Link("/open"))
	s.Sim.ResetRequests()
	for range 20 { // several tabs
		status(t, alice, self(page))
	}
	polls := s.Sim.CountRequests(http.MethodPost, "/login/v2/poll") + s.Sim.CountRequests(http.MethodPost, "/index.php/login/v2/poll")
	// The loop may take longer than a second on a busy machine, not ten.
	if polls == 0 || polls > 10 {
		t.Errorf("%d polls for 20 questions", polls)
	}
	for _, prefix := range []string{"", "/index.php"} {
		s.Sim.Fault(nextcloudtest.Fault{PathPrefix: prefix + "/login/v2/poll", Status: http.StatusServiceUnavailable})
	}
	s.Forward(2 * time.Second)
	if code, got := status(t, alice, self(page)); code != http.StatusServiceUnavailable || got.Problem != "nextcloud_unreachable" || got.Done {
		t.Errorf("while Nextcloud is down: %d %+v", code, got)
	}
}

func TestLoginFlowExpires(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("")
	page := waiting(t, alice, try)
	old := alice.Click(page.Link("/open")).Elsewhere
	if same := alice.Click(page.Link("/open")).Elsewhere; same != old {
		t.Error("a second click began another Login Flow")
	}
	s.Forward(19 * time.Minute)
	fresh := alice.Click(page.Link("/open")).Elsewhere
	if fresh == old {
		t.Fatal("a Login Flow that is about to end was not begun anew")
	}
	s.Forward(21 * time.Minute)
	if _, got := status(t, alice, self(page)); got != (state{Done: true, Problem: "flow_expired"}) {
		t.Errorf("after 20 minutes: %+v", got)
	}
	wantStatus(t, alice.Get(self(page)), http.StatusGone, "flow_expired")
	page = alice.Get(self(page))
	alice.Nextcloud(alice.Click(page.Link("/open")).Elsewhere)
	s.Forward(2 * time.Second) // Nextcloud was asked just now
	if tokens := try.Redeem(alice.Submit(alice.Get(self(page)), "/consent", allow)); lets(t, s, tokens.Access) != "alice" {
		t.Error("the access token does not work")
	}
}

func TestJourneyExpires(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	page := consent(t, alice, s.Client(t, "Claude").Try(""))
	s.Forward(time.Hour)
	wantStatus(t, alice.Submit(page, "/consent", allow), http.StatusGone, "flow_gone")
	wantStatus(t, alice.Get(self(page)), http.StatusGone, "flow_gone")
	if len(grants(t, s, "alice")) != 0 {
		t.Error("a grant became active")
	}
}

func TestStepUpAsksOnceAndSignsInNever(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	claude := s.Client(t, "Claude")
	first := claude.Try("notes.read calendar.read")
	before := first.Redeem(alice.Submit(consent(t, alice, first), "/consent", url.Values{
		"decision": {"allow"}, "scope": {"notes.read"}, "no_delete": {"1"},
	}))

	alice.Shown, alice.Clicks = 0, 0
	second := claude.Try("notes.write")
	page := alice.Get(second.URL)
	_, form := page.Form("/consent")
	if got := scope.Parse(strings.Join(form["scope"], " ")).String(); got != "notes.read notes.write" || form.Get("no_delete") != "1" {
		t.Errorf("ticked are %q, no_delete %q", got, form.Get("no_delete"))
	}
	after := second.Redeem(alice.Submit(page, "/consent", allow))
	if alice.Shown != 2 || alice.Clicks != 1 {
		t.Errorf("%d pages and %d clicks, want the question and the way back, and one click", alice.Shown, alice.Clicks)
	}
	g := grants(t, s, "alice")
	if len(g) != 1 || g[0].Scopes.String() != "notes.read notes.write" || !g[0].Policy.NoDelete {
		t.Fatalf("grants %+v", g)
	}
	if got := strings.Join(g[0].Policy.Refused, " "); got != "calendar.read" {
		t.Errorf("refused is %q, want what was refused before and not asked now", got)
	}
	if lets(t, s, before.Access) != "alice" || lets(t, s, after.Access) != "alice" {
		t.Error("a token does not work")
	}
	if n := len(s.Sim.AppPasswords("alice")); n != 1 {
		t.Errorf("%d app passwords, want the first one", n)
	}
}

func TestSignInAgainReplacesTheConnection(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	claude := s.Client(t, "Claude")
	for _, b := range []*connecttest.Browser{s.Alice(t), s.Alice(t)} { // two browsers of one person
		try := claude.Try("notes.read")
		try.Redeem(b.Submit(consent(t, b, try), "/consent", allow))
	}
	if g := grants(t, s, "alice"); len(g) != 1 {
		t.Errorf("%d connections of one client", len(g))
	}
	due, err := s.Store.DueRevocations(t.Context(), 10)
	if err != nil || len(due) != 1 {
		t.Errorf("revocations %v, %v; want the first app password", due, err)
	}
}

func TestExpiredGrantNeedsASignIn(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	claude := s.Client(t, "Claude")
	first := claude.Try("notes.read")
	first.Redeem(alice.Submit(consent(t, alice, first), "/consent", url.Values{"decision": {"allow"}, "lifetime": {"1d"}}))
	if g := grants(t, s, "alice"); len(g) != 1 || g[0].ExpiresAt.Sub(s.Now()).Round(time.Hour) != 24*time.Hour {
		t.Fatalf("grants %+v", g)
	}
	s.Forward(24*time.Hour - time.Minute)
	again := claude.Try("notes.read") // the browser session ended, not the grant
	page := consent(t, alice, again)
	s.Forward(2 * time.Minute)
	waiting(t, alice, claude.Try("notes.read"))
	// What was begun before goes on with the new credential.
	again.Redeem(alice.Submit(page, "/consent", allow))
	if g := grants(t, s, "alice"); len(g) != 1 || !g[0].ExpiresAt.After(s.Now()) && !g[0].ExpiresAt.IsZero() {
		t.Errorf("grants %+v", g)
	}
}

func TestMethods(t *testing.T) {
	for _, tt := range []struct {
		method   connect.Method
		oidc     bool
		provider bool
	}{
		{connect.Auto, true, true},
		{connect.Auto, false, false},
		{connect.OnlyLoginFlow, true, false},
		{connect.OnlyProvider, true, true},
	} {
		s := connecttest.Start(t, connecttest.Options{Method: tt.method, OIDC: tt.oidc})
		page := s.Alice(t).Get(s.Client(t, "Claude").Try("").URL)
		if got := page.Elsewhere != ""; got != tt.provider {
			t.Errorf("%s with a provider %t: sent to it %t, want %t", tt.method, tt.oidc, got, tt.provider)
		}
		if page.Link("/oidc") != "" {
			t.Errorf("%s offers the provider", tt.method)
		}
	}
}
