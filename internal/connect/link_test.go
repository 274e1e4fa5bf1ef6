package connect_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/connect"
	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/idptest"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/store"
)

const mcpClient = "an-mcp-client-of-the-provider"

// caller is who calls with a token of the provider.
func caller(s *connecttest.Server, user string) *auth.Principal {
	p := &auth.Principal{ClientID: mcpClient, Token: auth.Secret("token-of-" + user)}
	if s.IDP != nil {
		p.Issuer = s.IDP.Issuer()
	}
	for _, u := range idptest.DefaultUsers() {
		if u.Username == user {
			p.Subject = auth.Subject(u.Subject)
		}
	}
	return p
}

// whoIs makes a call as p and answers as whom it reached Nextcloud, or the link
// that it got instead.
func whoIs(t *testing.T, s *connecttest.Server, p *auth.Principal) (user nextcloud.UserID, link string) {
	t.Helper()
	nc, err := s.Leg.Client(t.Context(), p)
	if missing, ok := errors.AsType[*auth.SignInRequired](err); ok {
		return "", missing.URL
	}
	if err != nil {
		t.Fatal(err)
	}
	u, err := nc.CurrentUser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u.ID, ""
}

// linkOf is the link that a call of p gets.
func linkOf(t *testing.T, s *connecttest.Server, p *auth.Principal) string {
	t.Helper()
	user, link := whoIs(t, s, p)
	if !strings.HasPrefix(link, s.URL+"/oauth/link/") {
		t.Fatalf("the call works as %q, link %q", user, link)
	}
	return link
}

// proven opens a link and signs in at the provider; the answer is what comes
// then.
func proven(t *testing.T, b *connecttest.Browser, link string) *connecttest.Page {
	t.Helper()
	page := b.Get(link)
	if page.Status != http.StatusOK || page.Link("/open") == "" {
		t.Fatalf("no page: %d %s", page.Status, page.Text())
	}
	return b.Get(b.Provider(b.Click(page.Link("/open")).Elsewhere))
}

// granted grants the access at Nextcloud, and answers what comes then.
func granted(t *testing.T, s *connecttest.Server, b *connecttest.Browser, page *connecttest.Page) *connecttest.Page {
	t.Helper()
	if page.Status != http.StatusOK || page.Link("/open") == "" {
		t.Fatalf("no waiting page: %d %s", page.Status, page.Text())
	}
	b.Nextcloud(b.Click(page.Link("/open")).Elsewhere)
	s.Forward(2 * time.Second)
	return b.Get(self(page))
}

func wantDone(t *testing.T, page *connecttest.Page) {
	t.Helper()
	if page.Status != http.StatusOK || !strings.Contains(page.Text(), "Go back to the program") {
		t.Errorf("not done: %d %s", page.Status, page.Text())
	}
}

func TestLink(t *testing.T) {
	for _, path := range []string{"", "/nc/mcp"} {
		s := connecttest.Start(t, connecttest.Options{External: true, Path: path})
		alice, p := s.Alice(t), caller(s, "alice")
		link := linkOf(t, s, p)

		page := alice.Get(link)
		if page.Status != http.StatusOK || !strings.Contains(page.Text(), mcpClient) || !strings.Contains(page.Text(), "close this page") {
			t.Errorf("the page does not say what it is: %d %s", page.Status, page.Text())
		}
		if alice.Cookie() != "" {
			t.Error("the page of a link begins something")
		}
		page = proven(t, alice, link)
		if !strings.Contains(page.Text(), "allow the access there as well, once") || page.Link("/oidc") != "" {
			t.Errorf("the waiting page does not say why, or offers the provider again: %s", page.Text())
		}
		done := granted(t, s, alice, page)
		wantDone(t, done)
		wantDone(t, alice.Get(self(page)))

		if user, again := whoIs(t, s, p); user != "alice" {
			t.Errorf("the next call works as %q, link %q", user, again)
		}
		names := s.Sim.AppPasswords("alice")
		if len(names) != 1 || !strings.HasPrefix(names[0].Name, "client an-mcp-client-of via ") {
			t.Errorf("app passwords %+v", names)
		}
		// Another client of the same person has to be let in for itself.
		other := caller(s, "alice")
		other.ClientID = "another"
		if second := linkOf(t, s, other); second == link {
			t.Error("two clients have one link")
		}
		for _, suffix := range []string{"", "/open"} {
			wantStatus(t, s.Alice(t).Get(link+suffix), http.StatusGone, "flow_gone")
		}
		if to := alice.Get("/account").Elsewhere; to == "" {
			t.Error("a link signs a browser in to the account pages")
		}
		kept, err := s.Store.AppPassword(t.Context(), p.Grant())
		if err != nil || kept.UserID != "alice" || kept.LoginName != "alice" || kept.Subject != p.Subject || kept.Issuer != p.Issuer || kept.ClientID != mcpClient {
			t.Errorf("kept %+v, %v", kept, err)
		}
		for what, secret := range map[string]string{
			"bearer token": p.Token.Reveal(), "link": link[strings.LastIndex(link, "/")+1:], "app password": kept.Password.Reveal(),
			"journey": strings.TrimPrefix(self(page), path+"/oauth/connect/"),
		} {
			if secret == "" || strings.Contains(s.Log(), secret) {
				t.Errorf("the %s is in the log, or was not there at all", what)
			}
		}
	}
}

// A link that is sent to somebody else must not attach their Nextcloud to the
// client of whoever sent it.
func TestLinkOpenedBySomebodyElse(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{External: true})
	mallory, victim := caller(s, "bob"), s.Alice(t)
	link := linkOf(t, s, mallory)
	page := proven(t, victim, link)
	wantStatus(t, page, http.StatusForbidden, "other_person")
	if strings.Contains(page.Text(), "bob") || strings.Contains(page.Text(), string(mallory.Subject)) {
		t.Errorf("the page says whose link it is: %s", page.Text())
	}

	// The way on asks who it is, and leads nowhere else.
	next := victim.Get(journeyLink(t, page))
	if !strings.HasPrefix(next.Elsewhere, s.IDP.URL()) || !strings.Contains(next.Elsewhere, "prompt=login") {
		t.Errorf("the way on leads to %q %s", next.Elsewhere, next.Text())
	}
	for _, suffix := range []string{"", "/open", "/oidc"} {
		if to := victim.Get(journeyLink(t, page) + suffix).Elsewhere; !strings.HasPrefix(to, s.IDP.URL()) {
			t.Errorf("%s leads to %q", suffix, to)
		}
	}
	if n := len(s.Sim.AppPasswords("alice")) + pending(t, s); n != 0 {
		t.Errorf("%d credentials of the victim were kept", n)
	}
	if again := linkOf(t, s, mallory); again != link {
		t.Error("the link was used up")
	}
	bob := s.Bob(t)
	wantDone(t, granted(t, s, bob, proven(t, bob, link)))
}

// Issuer and subject count byte for byte.
func TestLinkForAlmostTheSamePerson(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{External: true})
	for name, change := range map[string]func(*auth.Principal){
		"issuer":  func(p *auth.Principal) { p.Issuer += "/" },
		"case":    func(p *auth.Principal) { p.Subject = auth.Subject(strings.ToUpper(string(p.Subject))) },
		"space":   func(p *auth.Principal) { p.Subject += " " },
		"user id": func(p *auth.Principal) { p.Subject = "alice" },
	} {
		p := caller(s, "alice")
		p.Token = auth.Secret("token " + name)
		change(p)
		wantStatus(t, proven(t, s.Alice(t), linkOf(t, s, p)), http.StatusForbidden, "other_person")
	}
}

// Every address of a journey that somebody passes on is worth nothing.
func TestRelayedLinkJourney(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{External: true})
	mallory, victim := s.Bob(t), s.Alice(t)
	link := linkOf(t, s, caller(s, "bob"))
	victim.Get("/account") // it has a cookie
	callback := mallory.Provider(mallory.Get(mallory.Get(link).Link("/open")).Elsewhere)

	// Before mallory is proven, and with her answer of the provider.
	wantStatus(t, victim.Get(callback), http.StatusForbidden, "other_browser")
	wantStatus(t, mallory.Get(callback), http.StatusGone, "flow_gone") // good once

	page := proven(t, mallory, link)
	for _, suffix := range []string{"", "/open", "/status", "/oidc"} {
		wantStatus(t, victim.Get(self(page)+suffix), http.StatusForbidden, "other_browser")
		if got := s.WithoutCookies(t).Get(self(page) + suffix); got.Status != http.StatusForbidden || got.Elsewhere != "" {
			t.Errorf("%s without a cookie: %d %s", suffix, got.Status, got.Text())
		}
	}
	// The phone's page names the client and warns before anything begins.
	_, rest, _ := strings.Cut(page.Text(), "/oauth/phone/")
	token, _, _ := strings.Cut(rest, " ")
	if ask := victim.Get("/oauth/phone/" + token); !strings.Contains(ask.Text(), mcpClient) || !strings.Contains(ask.Text(), "If somebody sent you this link") {
		t.Errorf("the phone's page: %s", ask.Text())
	}
	if n := len(s.Sim.AppPasswords("alice")); n != 0 {
		t.Errorf("the victim has %d app passwords", n)
	}
}

// Login Flow is no way around the proof, also while the provider is down.
func TestLinkNeedsTheProvider(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{External: true})
	alice := s.Alice(t)
	link := linkOf(t, s, caller(s, "alice"))
	callback := alice.Provider(alice.Get(link + "/open").Elsewhere)
	s.IDP.SetDown(true)
	page := alice.Get(callback)
	wantStatus(t, page, http.StatusServiceUnavailable, "provider_unreachable")
	s.IDP.SetDown(false)
	for _, suffix := range []string{"", "/open", "/oidc"} {
		if to := alice.Get(journeyLink(t, page) + suffix).Elsewhere; !strings.HasPrefix(to, s.IDP.URL()) {
			t.Errorf("%s leads to %q, want the provider", suffix, to)
		}
	}
	wantDone(t, granted(t, s, alice, alice.Get(alice.Provider(alice.Get(journeyLink(t, page)).Elsewhere))))
}

func TestLinkIsGivenAgainUntilItIsOld(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{External: true})
	p := caller(s, "alice")
	first := linkOf(t, s, p)
	for range 20 {
		s.Forward(40 * time.Second)
		if again := linkOf(t, s, p); again != first {
			t.Fatal("a new link while the first is good")
		}
	}
	s.Forward(2 * time.Minute)
	second := linkOf(t, s, p)
	if second == first {
		t.Error("a link that is about to end is given once more")
	}
	alice := s.Alice(t)
	page := proven(t, alice, first) // it is good to its end
	s.Forward(5 * time.Minute)
	for _, suffix := range []string{"", "/open"} {
		wantStatus(t, alice.Get(first+suffix), http.StatusGone, "flow_gone")
		wantStatus(t, alice.Get(first[:len(first)-1]+suffix), http.StatusGone, "flow_gone")
	}
	s.Forward(10 * time.Minute)
	wantDone(t, granted(t, s, alice, page)) // who began in time may finish
	if user, _ := whoIs(t, s, p); user != "alice" {
		t.Errorf("the call works as %q", user)
	}
}

// Another process on the same database gives the same link.
func TestLinkOfTwoProcesses(t *testing.T) {
	var cfg connect.Config
	s := connecttest.Start(t, connecttest.Options{External: true, Change: func(c *connect.Config) { cfg = *c }})
	other, err := connect.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := caller(s, "alice")
	first := linkOf(t, s, p)
	if second, err := other.Link(t.Context(), p); err != nil || second != first {
		t.Errorf("%q, %v; want %q", second, err, first)
	}
}

func TestLinkUsedTwice(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{External: true})
	p := caller(s, "alice")
	link := linkOf(t, s, p)
	laptop, desktop := s.Alice(t), s.Alice(t)
	one, two := proven(t, laptop, link), proven(t, desktop, link)
	wantDone(t, granted(t, s, laptop, one))
	first, err := s.Store.AppPassword(t.Context(), p.Grant())
	if err != nil {
		t.Fatal(err)
	}
	wantDone(t, granted(t, s, desktop, two))
	if now, err := s.Store.AppPassword(t.Context(), p.Grant()); err != nil || now.Password != first.Password {
		t.Errorf("the password was replaced (%v)", err)
	}
	if n := len(s.Sim.AppPasswords("alice")); n != 1 {
		t.Errorf("%d app passwords, want the second one to be deleted", n)
	}
	if user, _ := whoIs(t, s, p); user != "alice" {
		t.Errorf("the call works as %q", user)
	}
}

// The data leg got a password by itself while the person was on the way.
func TestLinkThatIsNotNeededAnyMore(t *testing.T) {
	for _, when := range []string{"before the sign-in", "before the grant"} {
		s := connecttest.Start(t, connecttest.Options{External: true})
		alice, p := s.Alice(t), caller(s, "alice")
		link := linkOf(t, s, p)
		exchanged := func() {
			kept, err := s.Leg.Keep(t.Context(), store.AppPassword{
				Grant: p.Grant(), LoginName: "alice", UserID: "alice", Password: auth.Secret(s.Sim.CreateAppPassword("alice", "exchanged")),
			})
			if err != nil || !kept {
				t.Fatal(kept, err)
			}
		}
		if when == "before the sign-in" {
			exchanged()
			wantDone(t, proven(t, alice, link))
		} else {
			page := proven(t, alice, link)
			exchanged()
			wantDone(t, granted(t, s, alice, page))
		}
		if names := s.Sim.AppPasswords("alice"); len(names) != 1 || names[0].Name != "exchanged" {
			t.Errorf("%s: app passwords %+v", when, names)
		}
		wantStatus(t, alice.Get(link), http.StatusGone, "flow_gone")
		if user, _ := whoIs(t, s, p); user != "alice" {
			t.Errorf("%s: the call works as %q", when, user)
		}
	}
}

// forgetful fails to keep the first password.
type forgetful struct {
	connect.Passwords
	failed bool
}

func (f *forgetful) Keep(ctx context.Context, p store.AppPassword) (bool, error) {
	if !f.failed {
		f.failed = true
		return false, errors.New("no space left on device")
	}
	return f.Passwords.Keep(ctx, p)
}

func TestLinkWhosePasswordCannotBeKept(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{External: true, Change: func(c *connect.Config) { c.Passwords = &forgetful{Passwords: c.Passwords} }})
	alice, p := s.Alice(t), caller(s, "alice")
	link := linkOf(t, s, p)
	page := proven(t, alice, link)
	wantStatus(t, granted(t, s, alice, page), http.StatusServiceUnavailable, "unavailable")
	if n := len(s.Sim.AppPasswords("alice")); n != 0 {
		t.Errorf("%d app passwords that nobody remembers", n)
	}
	wantDone(t, granted(t, s, alice, proven(t, alice, link)))
	if user, _ := whoIs(t, s, p); user != "alice" {
		t.Errorf("the call works as %q", user)
	}
}

// Somebody else grants at Nextcloud than the provider vouched for: where
// Nextcloud knows whom the provider means, that is noticed.
func TestLinkWithSomebodyElseAtNextcloud(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{OIDC: true})
	p := &auth.Principal{Issuer: s.Sim.URL(), Subject: "alice", ClientID: mcpClient, Token: "not taken"}
	alice := s.Alice(t)
	page := proven(t, alice, linkOf(t, s, p))
	s.Bob(t).Nextcloud(alice.Click(page.Link("/open")).Elsewhere)
	s.Forward(2 * time.Second)
	wantStatus(t, alice.Get(self(page)), http.StatusForbidden, "other_person")
	if n := len(s.Sim.AppPasswords("bob")); n != 0 {
		t.Errorf("bob has %d app passwords left", n)
	}
	wantDone(t, granted(t, s, alice, alice.Get(self(page))))
}

// Without a client of this server's own at the provider nobody can be proven.
func TestNoLinkWithoutAProvider(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	p := &auth.Principal{Issuer: "https://idp.example", Subject: "alice", ClientID: mcpClient, Token: "x"}
	_, err := s.Leg.Client(t.Context(), p)
	if _, asked := errors.AsType[*auth.SignInRequired](err); asked || !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Errorf("%v, want what an administrator can do", err)
	}
}

func TestLinkIsLimited(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{External: true, Change: func(c *connect.Config) {
		c.Limit = func(*http.Request) (bool, time.Duration) { return false, time.Minute }
	}})
	got := s.Alice(t).Get(linkOf(t, s, caller(s, "alice")) + "/open")
	wantStatus(t, got, http.StatusTooManyRequests, "rate_limited")
}
