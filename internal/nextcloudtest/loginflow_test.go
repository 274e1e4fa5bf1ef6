package nextcloudtest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

type startedFlow struct {
	Poll struct {
		Token    string `json:"token"`
		Endpoint string `json:"endpoint"`
	} `json:"poll"`
	Login string `json:"login"`
}

func startFlow(t *testing.T, s *Server) startedFlow {
	t.Helper()
	answer := ask(t, s, http.MethodPost, "/index.php/login/v2", "", "User-Agent", "test client")
	wantStatus(t, "start", http.StatusOK, answer.Code)
	var flow startedFlow
	unmarshal(t, answer.Body.String(), &flow)
	return flow
}

func pollFlow(t *testing.T, s *Server, flow startedFlow) (int, string) {
	t.Helper()
	answer := ask(t, s, http.MethodPost, "/login/v2/poll", url.Values{"token": {flow.Poll.Token}}.Encode(), "Content-Type", formType)
	return answer.Code, answer.Body.String()
}

func TestLoginFlow(t *testing.T) {
	s := Start(t, &Options{Users: []User{{ID: "5f1c", LoginName: "asmith", DisplayName: "Anne Smith", Password: "anne-password-1"}}})
	flow := startFlow(t, s)
	code, _ := pollFlow(t, s, flow)
	wantStatus(t, "poll before", http.StatusNotFound, code)
	page, err := NewBrowser("asmith", "anne-password-1").Complete(t.Context(), flow.Login)
	if err != nil || page.Status != http.StatusOK || !strings.Contains(page.Text, "connected") {
		t.Fatalf("browser came to %+v, %v", page, err)
	}
	code, body := pollFlow(t, s, flow)
	wantStatus(t, "poll after", http.StatusOK, code)
	var granted struct {
		Server      string `json:"server"`
		LoginName   string `json:"loginName"`
		AppPassword string `json:"appPassword"`
	}
	unmarshal(t, body, &granted)
	if granted.LoginName != "asmith" || granted.Server != s.URL() {
		t.Errorf("granted to %q at %q", granted.LoginName, granted.Server)
	}
	wantStatus(t, "app password", http.StatusOK, status(t, s, whoAmI, basic("asmith", granted.AppPassword)))
	if got := s.AppPasswords("5f1c"); len(got) != 1 || got[0].Name != "test client" {
		t.Errorf("app passwords %+v, want one named by the client", got)
	}
	code, _ = pollFlow(t, s, flow)
	wantStatus(t, "poll again", http.StatusNotFound, code)
	s.RevokeAppPasswords("5f1c")
	wantStatus(t, "revoked", http.StatusUnauthorized, status(t, s, whoAmI, basic("asmith", granted.AppPassword)))
}

func TestLoginFlowGuards(t *testing.T) {
	now := newClock()
	s := New(&Options{Now: now.Now})
	one, cookie := signedIn(t, s, "alice")
	flow := startFlow(t, s)
	target, err := url.Parse(flow.Login)
	if err != nil {
		t.Fatal(err)
	}
	post := func(state, csrf string) int {
		form := url.Values{"stateToken": {state}, "requesttoken": {csrf}}
		return ask(t, s, http.MethodPost, "/login/v2/grant", form.Encode(), "Content-Type", formType, "Cookie", cookie).Code
	}
	wantStatus(t, "grant before the flow was opened", http.StatusForbidden, post("x", one.csrf))
	wantStatus(t, "open", http.StatusSeeOther, ask(t, s, http.MethodGet, target.Path, "", "Cookie", cookie).Code)
	wantStatus(t, "pick", http.StatusOK, ask(t, s, http.MethodGet, "/login/v2/flow", "", "Cookie", cookie).Code)
	wantStatus(t, "wrong state token", http.StatusForbidden, post("wrong", one.csrf))
	wantStatus(t, "no requesttoken", http.StatusPreconditionFailed, post(one.stateToken, ""))
	code, _ := pollFlow(t, s, flow)
	wantStatus(t, "nothing was granted", http.StatusNotFound, code)
	now.advance(21 * time.Minute)
	wantStatus(t, "too late", http.StatusForbidden, post(one.stateToken, one.csrf))
	wantStatus(t, "unknown link", http.StatusForbidden, ask(t, s, http.MethodGet, "/login/v2/flow/unknown", "").Code)
}

func TestBrowserRefused(t *testing.T) {
	s := Start(t, nil)
	_, err := NewBrowser("alice", "wrong").Complete(t.Context(), s.URL()+"/login")
	if !errors.Is(err, ErrLoginRefused) {
		t.Errorf("error %v, want ErrLoginRefused", err)
	}
	_, err = NewBrowser("alice", "alice-password-1").Visit(t.Context(), s.URL()+"/apps/oidc/authorize?client_id=unknown", testCallback)
	if !errors.Is(err, ErrStuck) || !strings.Contains(err.Error(), "not authorized to connect") {
		t.Errorf("error %v, want ErrStuck with the words of the page", err)
	}
	if n := s.BadLogins(); n != 1 {
		t.Errorf("%d bad logins, want 1", n)
	}
}

// A page of another site cannot log a browser in.
func TestLoginWantsRequestToken(t *testing.T) {
	s := New(nil)
	one := s.openSession(httptest.NewRecorder(), identity{})
	cookie := sessionCookie + "=" + one.id
	for csrf, want := range map[string]int{one.csrf: http.StatusSeeOther, "wrong": http.StatusPreconditionFailed, "": http.StatusPreconditionFailed} {
		form := url.Values{"user": {"alice"}, "password": {"alice-password-1"}, "requesttoken": {csrf}}
		answer := ask(t, s, http.MethodPost, "/login", form.Encode(), "Content-Type", formType, "Cookie", cookie)
		wantStatus(t, "requesttoken "+csrf, want, answer.Code)
		if signedIn := answer.Header().Get("Set-Cookie") != ""; signedIn != (want == http.StatusSeeOther) {
			t.Errorf("requesttoken %q: new session %v", csrf, signedIn)
		}
		// A login gives the session another id; the next round needs the old one.
		s.mu.Lock()
		s.sessions.add(one)
		s.mu.Unlock()
	}
}

// A login must not lead to another server.
func TestLoginRedirectStaysHere(t *testing.T) {
	for target, want := range map[string]string{
		"/apps/oidc/redirect?a=b": "/apps/oidc/redirect?a=b",
		"https://evil.example/":   "/",
		"//evil.example/":         "/",
		`/\evil.example`:          "/",
		"evil":                    "/",
		"":                        "/",
	} {
		if got := localTarget(target); got != want {
			t.Errorf("localTarget(%q) = %q, want %q", target, got, want)
		}
	}
}

// Nextcloud tells an application that is not allowed only on the second page of its flow.
func TestLoginFlowAllowedAgents(t *testing.T) {
	s := Start(t, &Options{AllowedUserAgents: []string{"(?i)^other", "^test cl"}})
	if _, err := NewBrowser("alice", "alice-password-1").Complete(t.Context(), startFlow(t, s).Login); err != nil {
		t.Error(err)
	}
	if n := len(s.AppPasswords("alice")); n != 1 {
		t.Errorf("%d app passwords for an allowed application", n)
	}
	s = Start(t, &Options{AllowedUserAgents: []string{"(?i)nextcloud-android"}})
	page, err := NewBrowser("alice", "alice-password-1").Complete(t.Context(), startFlow(t, s).Login)
	if err != nil || page.Status != http.StatusForbidden || page.URL.Path != "/login/v2/flow" || !strings.Contains(page.Text, "original client") {
		t.Errorf("came to %+v, %v", page, err)
	}
	if n := len(s.AppPasswords("alice")); n != 0 {
		t.Errorf("%d app passwords for an application that is not allowed", n)
	}
}

// auth_can_create_app_token is about the exchange and the settings, not about Login Flow v2.
func TestLoginFlowWhereExchangeIsForbidden(t *testing.T) {
	s := Start(t, &Options{ForbidAppPasswords: true, FlowServer: "https://other.example"})
	flow := startFlow(t, s)
	if _, err := NewBrowser("alice", "alice-password-1").Complete(t.Context(), flow.Login); err != nil {
		t.Fatal(err)
	}
	code, body := pollFlow(t, s, flow)
	wantStatus(t, "poll", http.StatusOK, code)
	if !strings.Contains(body, `other.example`) {
		t.Errorf("answer %s does not name FlowServer", body)
	}
}

// Bearer tokens of another issuer count where user_oidc knows it.
func TestAcceptBearer(t *testing.T) {
	accept := func(token string) (string, bool) { return "alice", token == "of-another-issuer" }
	for _, c := range []struct {
		name string
		opts Options
		want int
	}{
		{"known issuer", Options{AcceptBearer: accept}, http.StatusOK},
		{"known issuer, no oidc app", Options{AcceptBearer: accept, DisableOIDC: true}, http.StatusOK},
		{"no user_oidc", Options{AcceptBearer: accept, DisableUserOIDC: true}, http.StatusUnauthorized},
		{"unknown issuer", Options{}, http.StatusUnauthorized},
	} {
		wantStatus(t, c.name, c.want, status(t, New(&c.opts), whoAmI, "Bearer of-another-issuer"))
	}
}
