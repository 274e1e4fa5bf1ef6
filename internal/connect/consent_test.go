package connect_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/connect"
	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

func TestConsentFormIsProven(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	claude := s.Client(t, "Claude")
	first := claude.Try("")
	first.Redeem(alice.Submit(consent(t, alice, first), "/consent", allow))

	page := alice.Get(claude.Try("").URL)
	other := alice.Get(claude.Try("").URL)
	_, form := page.Form("/consent")
	_, otherForm := other.Form("/consent")
	stranger := s.Bob(t)
	strangers := consent(t, stranger, claude.Try(""))
	_, strangersForm := strangers.Form("/consent")
	account := alice.Get("/account")
	_, accountForm := account.Form("/sign-out")
	for name, csrf := range map[string][]string{
		"none":                  nil,
		"empty":                 {""},
		"wrong":                 {strings.Repeat("x", 43)},
		"of another journey":    otherForm["csrf"],
		"of another browser":    strangersForm["csrf"],
		"of the account page":   accountForm["csrf"],
		"the right one, second": append([]string{"x"}, form["csrf"]...),
	} {
		for _, suffix := range []string{"/consent", "/other"} {
			got := alice.Submit(page, suffix, url.Values{"csrf": csrf, "decision": {"allow"}})
			if got.Status != http.StatusForbidden || !strings.Contains(got.Body, "csrf") {
				t.Errorf("%s with the token %s: %d %s", suffix, name, got.Status, got.Text())
			}
		}
	}
	for _, header := range []http.Header{
		{"Origin": {"https://evil.example"}},
		{"Origin": {"null"}},
		{"Sec-Fetch-Site": {"cross-site"}},
		{"Sec-Fetch-Site": {"same-site"}},
	} {
		tab := alice.SecondTab()
		maps.Copy(tab.Header, header)
		got := tab.Submit(page, "/consent", allow)
		if got.Status != http.StatusForbidden || !strings.Contains(got.Body, "csrf") {
			t.Errorf("a form with %v: %d %s", header, got.Status, got.Text())
		}
	}
	wantStatus(t, alice.Submit(page, "/consent", url.Values{"folders": {strings.Repeat("/x\n", 64<<10)}}), http.StatusRequestEntityTooLarge, "csrf")
	if got := alice.Submit(page, "/consent", allow); got.Away() == "" {
		t.Errorf("the right form: %d %s", got.Status, got.Text())
	}
}

func TestConsentPageIsNotFramed(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	page := consent(t, alice, s.Client(t, "Claude").Try(""))
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || page.Header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("framing headers: %q, %q", csp, page.Header.Get("X-Frame-Options"))
	}
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestPersonGrantsLess(t *testing.T) {
	const asked = "notes.read notes.write calendar.write files.read"
	for _, tt := range []struct {
		name    string
		form    url.Values
		granted string // to the client
		scopes  string // of the connection
		policy  policy.Policy
	}{
		{"everything", url.Values{}, "calendar.read calendar.write files.read notes.read notes.write", "", policy.Policy{Refused: nil}},
		{"read only notes", url.Values{"scope": {"notes.read"}}, "notes.read", "", policy.Policy{Refused: []string{"calendar.read", "calendar.write", "files.read", "notes.write"}}},
		{"write alone", url.Values{"scope": {"notes.write"}}, "notes.read notes.write", "", policy.Policy{Refused: []string{"calendar.read", "calendar.write", "files.read"}}},
		{"less than asked for in one word", url.Values{"scope": {"calendar.read"}}, "calendar.read", "", policy.Policy{Refused: []string{"calendar.write", "files.read", "notes.read", "notes.write"}}},
		{
			"limits",
			url.Values{"scope": {"files.read"}, "read_only": {"1"}, "no_delete": {"1"}, "folders": {"/Work/\n/Work/Moon\n"}},
			"files.read", "",
			policy.Policy{Refused: []string{"calendar.read", "calendar.write", "notes.read", "notes.write"}, ReadOnly: true, NoDelete: true, Folders: []string{"/Work"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := connecttest.Start(t, connecttest.Options{})
			alice := s.Alice(t)
			try := s.Client(t, "Claude").Try(asked)
			tt.form.Set("decision", "allow")
			tokens := try.Redeem(alice.Submit(consent(t, alice, try), "/consent", tt.form))
			g := grants(t, s, "alice")
			if len(g) != 1 {
				t.Fatalf("%d grants", len(g))
			}
			if got := scope.Parse(tokens.Scope).String(); got != tt.granted || g[0].Scopes.String() != tt.granted {
				t.Errorf("the client got %q, the connection %q, want %q", got, g[0].Scopes, tt.granted)
			}
			if got, want := g[0].Policy, tt.policy; strings.Join(got.Refused, " ") != strings.Join(want.Refused, " ") ||
				got.ReadOnly != want.ReadOnly || got.NoDelete != want.NoDelete || strings.Join(got.Folders, " ") != strings.Join(want.Folders, " ") {
				t.Errorf("policy %+v, want %+v", got, want)
			}
		})
	}
}

func TestConsentFormComesBack(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("notes.read files.read")
	page := consent(t, alice, try)
	for _, tt := range []struct {
		form url.Values
		said string
	}{
		{url.Values{"scope": nil}, "Nothing is ticked"},
		{url.Values{"folders": {"/a/../b"}}, "not a folder path"},
		{url.Values{"folders": {strings.Repeat("/x\n", 1) + numbered(21)}}, "too many folders"},
	} {
		tt.form.Set("decision", "allow")
		tt.form.Set("read_only", "1")
		got := alice.Submit(page, "/consent", tt.form)
		wantStatus(t, got, http.StatusUnprocessableEntity, tt.said)
		if _, form := got.Form("/consent"); form.Get("read_only") != "1" || form.Get("folders") != "" && strings.TrimSpace(form.Get("folders")) != strings.TrimSpace(tt.form.Get("folders")) {
			t.Errorf("what was typed is lost: %v", form)
		}
	}
	for name, form := range map[string]url.Values{
		"a scope that was not asked for": {"scope": {"notes.read", "mail.send"}},
		"a scope beyond the asked one":   {"scope": {"notes.write"}},
		"a lifetime that is none":        {"lifetime": {"1000y"}},
	} {
		form.Set("decision", "allow")
		got := alice.Submit(page, "/consent", form)
		if got.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.Status, got.Text())
		}
	}
	if len(grants(t, s, "alice")) != 0 {
		t.Error("a grant became active")
	}
	try.Redeem(alice.Submit(page, "/consent", allow))
}

// numbered are n folder paths.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("/folder" + strings.Repeat("a", i+1) + "\n")
	}
	return b.String()
}

func TestDeny(t *testing.T) {
	t.Run("at the question", func(t *testing.T) {
		s := connecttest.Start(t, connecttest.Options{})
		alice := s.Alice(t)
		try := s.Client(t, "Claude").Try("")
		page := consent(t, alice, try)
		left := alice.Submit(page, "/consent", deny)
		if got := try.Answer(left); got.Get("error") != "access_denied" || got.Has("code") {
			t.Errorf("the client gets %v", got)
		}
		if pending(t, s) != 0 || due(t, s) != 1 || len(s.Ended()) != 1 {
			t.Errorf("%d pending grants, %d revocations, %v reported as ended", pending(t, s), due(t, s), s.Ended())
		}
		wantStatus(t, alice.Submit(page, "/consent", allow), http.StatusConflict, "already_answered")
	})
	t.Run("while waiting", func(t *testing.T) {
		s := connecttest.Start(t, connecttest.Options{})
		alice := s.Alice(t)
		try := s.Client(t, "Claude").Try("")
		page := waiting(t, alice, try)
		if got := try.Answer(alice.Submit(page, "/consent", deny)); got.Get("error") != "access_denied" {
			t.Errorf("the client gets %v", got)
		}
	})
	t.Run("a step-up", func(t *testing.T) {
		s := connecttest.Start(t, connecttest.Options{})
		alice := s.Alice(t)
		claude := s.Client(t, "Claude")
		first := claude.Try("notes.read")
		tokens := first.Redeem(alice.Submit(consent(t, alice, first), "/consent", allow))
		second := claude.Try("notes.write")
		second.Answer(alice.Submit(alice.Get(second.URL), "/consent", deny))
		if lets(t, s, tokens.Access) != "alice" || due(t, s) != 0 {
			t.Error("refusing more ended what was granted before")
		}
	})
}

// A process that dies between sign-in and consent leaves a pending grant and
// nothing that lets anybody in.
func TestNothingBeforeConsent(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	page := waiting(t, alice, s.Client(t, "Claude").Try(""))
	alice.Nextcloud(alice.Click(page.Link("/open")).Elsewhere)
	status(t, alice, self(page)) // the answer arrived; the browser never shows the next page
	if pending(t, s) != 1 || len(grants(t, s, "alice")) != 0 {
		t.Errorf("%d pending and %d active grants", pending(t, s), len(grants(t, s, "alice")))
	}
}

// failing answers once with an error in place of a code.
type failing struct {
	*oauth.Server
	err  error
	left int
}

func (f *failing) Approve(ctx context.Context, req *oauth.Request, g store.Grant, scopes scope.Set) (string, error) {
	if f.left > 0 {
		f.left--
		return "", f.err
	}
	return f.Server.Approve(ctx, req, g, scopes)
}

func TestAnswerAgainAfterAFault(t *testing.T) {
	var answers *failing
	s := connecttest.Start(t, connecttest.Options{Change: func(c *connect.Config) {
		answers = &failing{Server: c.Answers.(*oauth.Server), err: errors.New("disk is full"), left: 1}
		c.Answers = answers
	}})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("")
	page := consent(t, alice, try)
	wantStatus(t, alice.Submit(page, "/consent", allow), http.StatusServiceUnavailable, "unavailable")
	try.Redeem(alice.Submit(alice.Get(self(page)), "/consent", allow))
	if n := len(grants(t, s, "alice")); n != 1 {
		t.Errorf("%d grants", n)
	}
}

// The connection ends while the person reads the question.
func TestGrantEndsWhileAsking(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	alice := s.Alice(t)
	claude := s.Client(t, "Claude")
	first := claude.Try("")
	first.Redeem(alice.Submit(consent(t, alice, first), "/consent", allow))
	second := claude.Try("")
	page := alice.Get(second.URL)
	if _, err := s.Store.EndGrantsOf(t.Context(), "alice", store.EndedByPerson); err != nil {
		t.Fatal(err)
	}
	next := alice.Get(alice.Submit(page, "/consent", allow).Away())
	alice.Nextcloud(alice.Click(next.Link("/open")).Elsewhere)
	s.Forward(2 * time.Second)
	if tokens := second.Redeem(alice.Submit(alice.Get(self(next)), "/consent", allow)); lets(t, s, tokens.Access) != "alice" {
		t.Error("the access token does not work")
	}
}

func TestLimitOnSignIns(t *testing.T) {
	left := 1
	s := connecttest.Start(t, connecttest.Options{Change: func(c *connect.Config) {
		c.Limit = func(*http.Request) (bool, time.Duration) { left--; return left >= 0, 1500 * time.Millisecond }
	}})
	alice := s.Alice(t)
	try := s.Client(t, "Claude").Try("")
	page := waiting(t, alice, try)
	alice.Click(page.Link("/open"))
	alice.Click(page.Link("/open")) // the same Login Flow, which costs nothing
	refused := alice.Click(waiting(t, alice, s.Client(t, "Cursor").Try("")).Link("/open"))
	wantStatus(t, refused, http.StatusTooManyRequests, "rate_limited")
	if got := refused.Header.Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q", got)
	}
}

func TestEveryProblemHasAPage(t *testing.T) {
	for _, code := range []signin.ProblemCode{
		signin.FlowExpired, signin.FlowForbidden, signin.OtherServer, signin.OtherPerson, signin.PasswordsForbidden,
		signin.PasswordRefused, signin.Unreachable, signin.Maintenance, signin.TooMany, signin.Refused,
		signin.ProviderDown, signin.ProviderRefusesUs, signin.ProviderMistake, signin.Internal,
	} {
		s := connecttest.Start(t, connecttest.Options{Change: func(c *connect.Config) { c.LoginFlow = refusing{code} }})
		alice := s.Alice(t)
		page := alice.Click(waiting(t, alice, s.Client(t, "Claude").Try("")).Link("/open"))
		if page.Status < 400 || !strings.Contains(page.Body, string(code)) || !strings.Contains(page.Body, "/oauth/connect/") {
			t.Errorf("%s: %d %s", code, page.Status, page.Text())
		}
		if strings.Contains(page.Body, "internal detail") {
			t.Errorf("%s: the cause is shown", code)
		}
	}
}

// refusing is a Login Flow that never begins.
type refusing struct{ code signin.ProblemCode }

func (r refusing) Start(context.Context, string) (*signin.Flow, error) {
	return nil, &signin.Problem{Code: r.code, Err: errors.New("internal detail")}
}

func (refusing) Poll(context.Context, *signin.Flow) (*signin.Outcome, error) {
	return nil, signin.ErrPending
}

func (refusing) Continue(context.Context, signin.Person, *signin.Outcome) error { return nil }
func (refusing) Discard(context.Context, *signin.Outcome)                       {}

func TestWrongMethods(t *testing.T) {
	s := connecttest.Start(t, connecttest.Options{})
	b := s.Alice(t)
	for path, allowed := range map[string]string{
		"/oauth/connect/x": "GET", "/oauth/connect/x/open": "GET", "/oauth/connect/x/status": "GET", "/oauth/connect/x/oidc": "GET",
		"/oauth/phone/x": "GET", "/oauth/phone/x/open": "GET", "/oauth/callback": "GET",
	} {
		got := b.Post(path, url.Values{})
		wantStatus(t, got, http.StatusMethodNotAllowed, "method")
		if got.Header.Get("Allow") != allowed {
			t.Errorf("%s allows %q", path, got.Header.Get("Allow"))
		}
	}
	for _, path := range []string{"/oauth/connect/x/consent", "/oauth/connect/x/other"} {
		wantStatus(t, b.Get(path), http.StatusMethodNotAllowed, "method")
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	for _, oidc := range []bool{false, true} {
		s := connecttest.Start(t, connecttest.Options{OIDC: oidc})
		alice := s.Alice(t)
		try := s.Client(t, "Claude").Try("")
		var page *connecttest.Page
		callback := ""
		if oidc {
			callback = alice.Provider(alice.Get(try.URL).Elsewhere)
			page = alice.Get(callback)
		} else {
			page = consent(t, alice, try)
		}
		_, form := page.Form("/consent")
		left := alice.Submit(page, "/consent", allow)
		code := try.Answer(left).Get("code")
		g := grants(t, s, "alice")[0]
		full, err := s.Store.Grant(t.Context(), g.ID)
		if err != nil {
			t.Fatal(err)
		}
		log := s.Log()
		if !strings.Contains(log, g.ID) {
			t.Error("the log does not tell of the connection")
		}
		for name, secret := range map[string]string{
			"code": code, "cookie": alice.Cookie(), "app password": full.Credential.Secret.Reveal(), "CSRF token": form.Get("csrf"),
			"journey": strings.TrimPrefix(self(page), "/oauth/connect/"),
		} {
			if secret == "" || strings.Contains(log, secret) {
				t.Errorf("oidc %t: the %s is empty or in the log", oidc, name)
			}
		}
	}
}
