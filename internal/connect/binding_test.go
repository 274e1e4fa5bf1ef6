package connect_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/store"
)

// pending counts the grants that nobody consented to yet.
func pending(t *testing.T, s *connecttest.Server) int {
	t.Helper()
	stale, err := s.Store.StaleGrants(t.Context(), s.Now().Add(time.Hour), time.Time{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range stale {
		if g.Why == store.EndedUnconfirmed {
			n++
		}
	}
	return n
}

// due counts the app passwords that Nextcloud is to be told to delete.
func due(t *testing.T, s *connecttest.Server) int {
	t.Helper()
	all, err := s.Store.DueRevocations(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// The relay: Mallory begins a sign-in and sends its addresses to Alice, who is
// signed in at Nextcloud and here, in the hope to be signed in as her.
func TestLoginFlowRelay(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice, mallory := s.Alice(t), s.Bob(t)
	own := s.Client(t, "Claude").Try("")
	own.Redeem(alice.Submit(consent(t, alice, own), "/consent", allow))
	cookie := alice.Cookie()

	try := s.Client(t, "Evil").Try("")
	page := waiting(t, mallory, try)
	at := self(page)
	_, form := page.Form("/consent")
	open := func(victim *connecttest.Browser) {
		t.Helper()
		for _, path := range []string{"", "?first", "?again=1", "/open", "/oidc", "/status"} {
			got := victim.Get(at + path)
			if got.Elsewhere != "" || got.Status != http.StatusForbidden && got.Status != http.StatusBadRequest {
				t.Errorf("GET %s in another browser: %d %s %s", path, got.Status, got.Elsewhere, got.Text())
			}
			for _, said := range []string{"Evil", "evil.example", s.Sim.URL()} {
				if strings.Contains(got.Body, said) {
					t.Errorf("GET %s in another browser says %q", path, said)
				}
			}
		}
		for _, path := range []string{"/consent", "/other"} {
			for _, decision := range []string{"allow", "deny"} {
				got := victim.Post(at+path, url.Values{"csrf": form["csrf"], "decision": {decision}, "scope": {"notes.read"}})
				wantStatus(t, got, http.StatusForbidden, "other_browser")
			}
		}
	}
	open(alice)
	open(s.Alice(t)) // one that was never here
	if alice.Cookie() != cookie {
		t.Error("the victim's cookie changed")
	}
	if n := s.Sim.CountRequests(http.MethodPost, "/index.php/login/v2"); n != 1 { // that of alice's own sign-in
		t.Errorf("%d Login Flows were begun", n)
	}
	// Mallory's journey has not moved, and is nobody's.
	if _, got := status(t, mallory, at); got != (state{}) {
		t.Errorf("the attacker's journey: %+v", got)
	}
	if again := mallory.Get(at); again.Link("/open") == "" {
		t.Errorf("the attacker's page: %s", again.Text())
	}
	if account := mallory.Get("/account"); strings.Contains(account.Body, "alice") {
		t.Error("the attacker is signed in as the victim")
	}
	if n := pending(t, s); n != 0 {
		t.Errorf("%d grants of nobody's consent", n)
	}
}

// The answer of the provider to Mallory's sign-in, brought back by Alice's
// browser, and the other way round.
func TestProviderAnswerInAnotherBrowser(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{OIDC: true})
	alice, mallory := s.Alice(t), s.Bob(t)
	alice.Get("/account") // it has a cookie
	to := mallory.Get(s.Client(t, "Evil").Try("").URL).Elsewhere
	callback := alice.Provider(to)
	wantStatus(t, alice.Get(callback), http.StatusForbidden, "other_browser")
	wantStatus(t, mallory.Get(callback), http.StatusGone, "flow_gone")
	if n := pending(t, s) + len(s.Sim.AppPasswords("alice")); n != 0 {
		t.Errorf("%d grants and app passwords of alice", n)
	}
}

func TestPhone(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice, phone := s.Alice(t), s.Alice(t)
	try := s.Client(t, "Claude").Try("")
	page := waiting(t, alice, try)
	_, rest, _ := strings.Cut(page.Text(), "/oauth/phone/")
	token, _, _ := strings.Cut(rest, " ")
	ask := phone.Get("/oauth/phone/" + token)
	if ask.Status != http.StatusOK || !strings.Contains(ask.Text(), "Claude") || ask.Link("/open") == "" {
		t.Fatalf("the phone shows %d %s", ask.Status, ask.Text())
	}
	code := ask.Text()
	if i := strings.Index(page.Body, "<details"); i < 0 || !sharesCode(page.Text(), code) {
		t.Error("the two pages do not show the same code")
	}
	phone.Nextcloud(phone.Click(ask.Link("/open")).Elsewhere)

	// The phone has no part in the journey.
	wantStatus(t, phone.Get(self(page)), http.StatusForbidden, "other_browser")
	if phone.Cookie() != "" {
		t.Error("the phone has a cookie")
	}
	got := alice.Get(self(page))
	if tokens := try.Redeem(alice.Submit(got, "/consent", allow)); lets(t, s, tokens.Access) != "alice" {
		t.Error("the access token does not work")
	}
	for _, path := range []string{"", "/open"} { // it served its purpose
		wantStatus(t, phone.Get("/oauth/phone/"+token+path), http.StatusGone, "flow_gone")
		wantStatus(t, phone.Get("/oauth/phone/"+token[1:]+path), http.StatusGone, "flow_gone")
	}
}

// sharesCode reports whether two texts share a word of six letters and digits
// as the short code is one.
func sharesCode(a, b string) bool {
	for word := range strings.FieldsSeq(a) {
		word = strings.Trim(word, ".:")
		if len(word) == 6 && strings.ToUpper(word) == word && strings.ContainsAny(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") && strings.Contains(b, word) {
			return true
		}
	}
	return false
}

func TestPhoneTokenEnds(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	page := waiting(t, alice, s.Client(t, "Claude").Try(""))
	token := func(p *connecttest.Page) string {
		_, rest, _ := strings.Cut(p.Text(), "/oauth/phone/")
		token, _, _ := strings.Cut(rest, " ")
		return token
	}
	old := token(page)
	if token(alice.Get(self(page))) != old {
		t.Error("the QR code changes with each look")
	}
	s.Forward(21 * time.Minute)
	wantStatus(t, s.Alice(t).Get("/oauth/phone/"+old), http.StatusGone, "flow_gone")
	if fresh := token(alice.Get(self(page))); fresh == old || fresh == "" {
		t.Error("the page still shows a QR code that ended")
	}
}

func TestSessionFixation(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	mallory, alice := s.Bob(t), s.Alice(t)
	waiting(t, mallory, s.Client(t, "Evil").Try(""))
	known := mallory.Cookie()
	alice.SetCookie(known) // planted

	try := s.Client(t, "Claude").Try("")
	page := consent(t, alice, try)
	if alice.Cookie() == known || alice.Cookie() == "" {
		t.Fatal("the cookie did not change with the sign-in")
	}
	// The planted cookie is worth nothing now.
	if account := mallory.Get("/account"); strings.Contains(account.Body, "alice") {
		t.Error("the old cookie is signed in")
	}
	mallory.SetCookie(known)
	wantStatus(t, mallory.Get(self(page)), http.StatusForbidden, "other_browser")
	_, form := page.Form("/consent")
	form.Set("decision", "allow")
	wantStatus(t, mallory.Post(self(page)+"/consent", form), http.StatusForbidden, "other_browser")
	try.Redeem(alice.Submit(page, "/consent", allow))
}

func TestForeignCookieIsNotAdopted(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	made := strings.Repeat("A", 43) // has the right form, and no session
	alice.SetCookie(made)
	waiting(t, alice, s.Client(t, "Claude").Try(""))
	if alice.Cookie() == made {
		t.Error("a cookie that this server never made became a session")
	}
}

func TestNoCookies(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	page := s.WithoutCookies(t).Get(s.Client(t, "Claude").Try("").URL)
	wantStatus(t, page, http.StatusBadRequest, "cookies_off")

	provider := connecttest.Start(t, connecttest.Options{OIDC: true})
	to := provider.WithoutCookies(t).Get(provider.Client(t, "Claude").Try("").URL).Elsewhere
	callback := provider.Alice(t).Provider(to)
	wantStatus(t, provider.WithoutCookies(t).Get(callback), http.StatusBadRequest, "cookies_off")
}

// Two tabs wait for the same sign-in, and both go on at the same moment.
func TestTwoTabs(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("")
	page := waiting(t, alice, try)
	alice.Nextcloud(alice.Click(page.Link("/open")).Elsewhere)
	second := alice.SecondTab()
	old := alice.Cookie()
	got := alice.Get(self(page))
	// The second tab's request left before the new cookie came.
	if p := second.WithCookie(old).Get(self(page)); p.Status != http.StatusForbidden {
		t.Errorf("the old cookie alone: %d %s", p.Status, p.Text())
	}
	answer := second.Once(old, self(page))
	if answer.Status != http.StatusSeeOther {
		t.Errorf("a tab with the old cookie is answered %d", answer.Status)
	}
	other := second.Get(answer.Header.Get("Location"))
	if action, _ := other.Form("/consent"); other.Status != http.StatusOK || action == "" {
		t.Fatalf("the second tab shows %d %s", other.Status, other.Text())
	}
	try.Redeem(second.Submit(other, "/consent", allow))
	wantStatus(t, alice.Submit(got, "/consent", allow), http.StatusConflict, "already_answered")
	if n := len(grants(t, s, "alice")); n != 1 {
		t.Errorf("%d grants", n)
	}
}

// A second client's sign-in in the same browser must survive that of the first.
func TestTwoJourneysInOneBrowser(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	one, two := s.Client(t, "Claude").Try(""), s.Client(t, "Cursor").Try("")
	first := waiting(t, alice, one)
	second := waiting(t, alice, two)
	for _, j := range []struct {
		page *connecttest.Page
		try  *connecttest.Try
	}{{second, two}, {first, one}} {
		alice.Nextcloud(alice.Click(j.page.Link("/open")).Elsewhere)
		j.try.Redeem(alice.Submit(alice.Get(self(j.page)), "/consent", allow))
	}
	if n := len(grants(t, s, "alice")); n != 2 {
		t.Errorf("%d grants, want 2", n)
	}
}

func TestOldJourneysAreDropped(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	oldest := consent(t, alice, s.Client(t, "Claude").Try(""))
	again := s.Client(t, "Again")
	for range 19 {
		waiting(t, alice, again.Try(""))
	}
	if got := alice.Get(self(oldest)); got.Status != http.StatusOK {
		t.Fatalf("the 20th journey drove out the first: %d", got.Status)
	}
	waiting(t, alice, again.Try(""))
	wantStatus(t, alice.Get(self(oldest)), http.StatusGone, "flow_gone")
	if n := pending(t, s); n != 0 || due(t, s) != 1 {
		t.Errorf("%d pending grants, %d revocations, want what waited in the dropped one to end", n, due(t, s))
	}
}

func TestPersonSwitching(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	claude := s.Client(t, "Claude")
	one := claude.Try("")
	one.Redeem(alice.Submit(consent(t, alice, one), "/consent", allow))

	// A step-up in one tab, while the browser is signed in as bob in another.
	stepUp := claude.Try("notes.read")
	page := alice.Get(stepUp.URL)
	stays := self(page)
	bob := alice.As(t, "bob", "bob-password-1")
	cursor := s.Client(t, "Cursor").Try("")
	cursor.Redeem(bob.Submit(consent(t, bob, cursor), "/consent", allow))
	got := alice.Submit(page, "/consent", allow)
	if got.Away() != "" && strings.Contains(got.Away(), "code=") {
		t.Fatal("bob's browser session consented for alice")
	}
	if back := alice.Get(stays); back.Link("/open") == "" {
		t.Errorf("nobody has to sign in again: %d %s", back.Status, back.Text())
	}
	if g := grants(t, s, "alice"); len(g) != 1 {
		t.Errorf("alice has %d grants", len(g))
	}
}

func TestNotYou(t *testing.T) {
	for _, oidc := range []bool{false, true} {
		s := connecttest.Start(t, connecttest.Options{OIDC: oidc})
		b := s.Alice(t)
		try := s.Client(t, "Claude").Try("")
		var page *connecttest.Page
		if oidc {
			page = b.Get(b.Provider(b.Get(try.URL).Elsewhere))
		} else {
			page = consent(t, b, try)
		}
		cookie := b.Cookie()
		next := b.Submit(page, "/other", nil)
		if pending(t, s) != 0 || due(t, s) != 1 {
			t.Errorf("oidc %t: %d pending grants, %d revocations", oidc, pending(t, s), due(t, s))
		}
		if b.Cookie() == cookie {
			t.Errorf("oidc %t: the session goes on", oidc)
		}
		bob := b.As(t, "bob", "bob-password-1")
		if oidc {
			// A page, because a form's answer may not lead to another host.
			to := next.Away()
			if !strings.HasPrefix(to, s.Sim.URL()) || !strings.Contains(to, "prompt=login") {
				t.Fatalf("the browser is sent to %q", to)
			}
			page = bob.Get(bob.Provider(to))
		} else {
			bob.Nextcloud(bob.Click(next.Link("/open")).Elsewhere)
			s.Forward(2 * time.Second)
			page = bob.Get(self(next))
		}
		if tokens := try.Redeem(bob.Submit(page, "/consent", allow)); lets(t, s, tokens.Access) != "bob" {
			t.Errorf("oidc %t: the token is not bob's", oidc)
		}
		if len(grants(t, s, "alice")) != 0 {
			t.Errorf("oidc %t: alice has a grant", oidc)
		}
	}
}

// Not the connection that was there before: only the sign-in ends.
func TestNotYouKeepsAnOlderConnection(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	claude := s.Client(t, "Claude")
	try := claude.Try("")
	tokens := try.Redeem(alice.Submit(consent(t, alice, try), "/consent", allow))
	alice.Submit(alice.Get(claude.Try("").URL), "/other", nil)
	if lets(t, s, tokens.Access) != "alice" || due(t, s) != 0 {
		t.Error("the connection ended")
	}
}

func TestDoubleSubmitMakesOneCode(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("")
	page := consent(t, alice, try)
	action, form := page.Form("/consent")
	form.Set("decision", "allow")
	var (
		mu    sync.Mutex
		codes = map[string]int{}
		wg    sync.WaitGroup
	)
	for range 8 {
		tab := alice.SecondTab()
		wg.Go(func() {
			got := tab.Post(action, form)
			code := ""
			if to, err := url.Parse(got.Away()); err == nil {
				code = to.Query().Get("code")
			}
			if code == "" && got.Status != http.StatusConflict {
				t.Errorf("answered %d: %s", got.Status, got.Text())
			}
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	wg.Wait()
	if delete(codes, ""); len(codes) != 1 {
		t.Errorf("%d codes", len(codes))
	}
	wantStatus(t, alice.Get(self(page)), http.StatusConflict, "already_answered") // the back button
}
