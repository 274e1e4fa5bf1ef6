package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

func TestRefusedTokenRequests(t *testing.T) {
	wrong := strings.Repeat("w", 43)
	r := newRig(t)
	g := r.connect(t, "alice", app, all)
	for _, c := range []struct {
		name   string
		change []string // of a good redemption
		raw    string   // put behind it
		status int
		error  string
	}{
		{"no grant type", []string{"grant_type", ""}, "", 400, "invalid_request"},
		{"password", []string{"grant_type", "password"}, "", 400, "unsupported_grant_type"},
		{"client credentials", []string{"grant_type", "client_credentials"}, "", 400, "unsupported_grant_type"},
		{"implicit", []string{"grant_type", "implicit"}, "", 400, "unsupported_grant_type"},
		{"no code", []string{"code", ""}, "", 400, "invalid_request"},
		{"unknown code", []string{"code", "ncmcp_ac_" + strings.Repeat("A", 43)}, "", 400, "invalid_grant"},
		{"no code of ours", []string{"code", "abc"}, "", 400, "invalid_grant"},
		{"no verifier", []string{"code_verifier", ""}, "", 400, "invalid_request"},
		{"short verifier", []string{"code_verifier", verifier[1:]}, "", 400, "invalid_request"},
		{"long verifier", []string{"code_verifier", strings.Repeat("v", 129)}, "", 400, "invalid_request"},
		{"verifier with other characters", []string{"code_verifier", verifier[1:] + "!"}, "", 400, "invalid_request"},
		{"wrong verifier", []string{"code_verifier", wrong}, "", 400, "invalid_grant"},
		{"the challenge as verifier", []string{"code_verifier", challenge(verifier)}, "", 400, "invalid_grant"},
		{"another redirect URI", []string{"redirect_uri", "https://app.example/cb?tenant=a%20b"}, "", 400, "invalid_grant"},
		{"another client", []string{"client_id", other}, "", 400, "invalid_grant"},
		{"unknown client", []string{"client_id", "nobody"}, "", 400, "invalid_client"},
		{"no client", []string{"client_id", ""}, "", 400, "invalid_client"},
		{"wrong client secret", []string{"client_id", secret, "client_secret", "guess"}, "", 400, "invalid_client"},
		{"a secret of a client that has none", []string{"client_secret", "guess"}, "", 400, "invalid_client"},
		{"client assertion", []string{"client_assertion", "e30.e30.", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "", 400, "invalid_client"},
		{"another resource", []string{"resource", "https://evil.example/mcp"}, "", 400, "invalid_target"},
		{"another resource as well", nil, "&resource=https%3A%2F%2Fevil.example", 400, "invalid_target"},
		{"a parameter twice", nil, "&code=x", 400, "invalid_request"},
		{"broken escape", nil, "&x=%zz", 400, "invalid_request"},
		{"very long", nil, "&x=" + strings.Repeat("x", 40_000), 400, "invalid_request"},
		{"no refresh token", []string{"grant_type", "refresh_token"}, "", 400, "invalid_request"},
		{"unknown refresh token", []string{"grant_type", "refresh_token", "refresh_token", "ncmcp_rt_" + strings.Repeat("A", 65)}, "", 400, "invalid_grant"},
		{"no refresh token of ours", []string{"grant_type", "refresh_token", "refresh_token", "abc"}, "", 400, "invalid_grant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := r.approve(t, g, wellFormed()).Get("code")
			req := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(with(redeem(code, app), c.change...).Encode()+c.raw))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := r.do(req)
			if w.Code != c.status || !strings.Contains(w.Body.String(), `"error":"`+c.error+`"`) || !strings.Contains(w.Body.String(), `"error_description":"`) {
				t.Errorf("status %d, %s; want %d %s", w.Code, w.Body, c.status, c.error)
			}
			if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" || h.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("headers %v", h)
			}
			if strings.Contains(w.Body.String(), "access_token") {
				t.Error("tokens were given")
			}
		})
	}
}

func TestTokenRequestsAreForms(t *testing.T) {
	r := newRig(t)
	code := r.approve(t, r.connect(t, "alice", app, all), wellFormed()).Get("code")
	form := redeem(code, app).Encode()
	for _, kind := range []string{"", "application/json", "multipart/form-data; boundary=x", "text/plain"} {
		req := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(form))
		req.Header.Set("Content-Type", kind)
		if w := r.do(req); w.Code != 400 || !strings.Contains(w.Body.String(), "invalid_request") {
			t.Errorf("%q: status %d, %s", kind, w.Code, w.Body)
		}
	}
	req := httptest.NewRequest(http.MethodPost, "/oauth/token?"+form, nil)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := r.do(req); w.Code != 400 {
		t.Errorf("parameters in the address count: status %d, %s", w.Code, w.Body)
	}
	if w := r.do(httptest.NewRequest(http.MethodGet, "/oauth/token?"+form, nil)); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST, OPTIONS" {
		t.Errorf("GET: status %d, %v", w.Code, w.Header())
	}
	req = httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	if w := r.do(req); w.Code != http.StatusOK {
		t.Errorf("with a charset: status %d, %s", w.Code, w.Body)
	}
}

func TestWrongBasicSecretIsAnsweredWithAChallenge(t *testing.T) {
	r := newRig(t)
	req := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader("grant_type=refresh_token"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(secret, "guess")
	w := r.do(req)
	if w.Code != http.StatusUnauthorized || w.Header().Get("Cache-Control") != "no-store" || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") || !strings.Contains(w.Body.String(), "invalid_client") {
		t.Errorf("status %d, %v, %s", w.Code, w.Header(), w.Body)
	}
}

func TestClientNamedInTwoWays(t *testing.T) {
	r := newRig(t)
	req := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader("grant_type=refresh_token&client_id="+app))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(secret, "s3cret")
	if w := r.do(req); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"error":"invalid_request"`) {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
}

func TestCodeIsExchangedForTokens(t *testing.T) {
	r := newRig(t)
	g, a := r.signIn(t, "alice")
	if a.TokenType != "Bearer" || a.ExpiresIn != 3600 && a.ExpiresIn != 3599 || a.Scope != "notes.read notes.write" ||
		!strings.HasPrefix(a.AccessToken, "ncmcp_at_") || !strings.HasPrefix(a.RefreshToken, "ncmcp_rt_") {
		t.Errorf("answered %+v", a)
	}
	p, err := r.Verify(t.Context(), a.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if p.Issuer != issuer || p.Subject != "alice" || p.ClientID != app || p.Name != "ALICE" || p.GrantID != g.ID ||
		p.Scopes.String() != "notes.read notes.write" || p.Token.Reveal() != a.AccessToken || p.Trusted {
		t.Errorf("the token speaks for %+v", p)
	}
	if left := p.Expires.Sub(r.now()); left > time.Hour || left < 59*time.Minute {
		t.Errorf("it ends in %v", left)
	}
}

// OAuth 2.1 clients do not send the redirect URI again; PKCE binds the code.
func TestCodeWithoutRedirectURI(t *testing.T) {
	r := newRig(t)
	code := r.approve(t, r.connect(t, "alice", app, all), wellFormed()).Get("code")
	if a := r.token(t, with(redeem(code, app), "redirect_uri", "", "resource", "")); a.status != 200 {
		t.Errorf("refused: %+v", a)
	}
}

func TestSecondUseOfACodeEndsItsTokens(t *testing.T) {
	r := newRig(t)
	g := r.connect(t, "alice", app, all)
	code := r.approve(t, g, wellFormed()).Get("code")
	first := r.token(t, redeem(code, app))
	again := r.token(t, redeem(code, app))
	if again.Error != "invalid_grant" {
		t.Errorf("second use: %+v", again)
	}
	if r.lives(t, first.AccessToken) {
		t.Error("the access token of the first use lives")
	}
	if a := r.token(t, refresh(first.RefreshToken, app)); a.Error != "invalid_grant" {
		t.Errorf("the refresh token of the first use lives: %+v", a)
	}
	if _, err := r.store.GrantFor(t.Context(), "alice", app); err != nil {
		t.Errorf("the connection itself: %v", err)
	}
}

// Whoever caught a code cannot try verifiers.
func TestCodeIsSpentByAWrongVerifier(t *testing.T) {
	for _, wrong := range [][]string{{"code_verifier", strings.Repeat("w", 43)}, {"client_id", other}, {"redirect_uri", "https://evil.example"}} {
		r := newRig(t)
		code := r.approve(t, r.connect(t, "alice", app, all), wellFormed()).Get("code")
		r.token(t, with(redeem(code, app), wrong...))
		if a := r.token(t, redeem(code, app)); a.Error != "invalid_grant" {
			t.Errorf("after a wrong %s the code is still good: %+v", wrong[0], a)
		}
	}
}

func TestCodeLivesAMinute(t *testing.T) {
	r := newRig(t)
	g := r.connect(t, "alice", app, all)
	code := r.approve(t, g, wellFormed()).Get("code")
	r.forward(59 * time.Second)
	if a := r.token(t, redeem(code, app)); a.status != 200 {
		t.Errorf("after 59 s: %+v", a)
	}
	code = r.approve(t, g, wellFormed()).Get("code")
	r.forward(61 * time.Second)
	if a := r.token(t, redeem(code, app)); a.Error != "invalid_grant" {
		t.Errorf("after 61 s: %+v", a)
	}
}

func TestCodeEndsWithItsGrant(t *testing.T) {
	r := newRig(t)
	g := r.connect(t, "alice", app, all)
	code := r.approve(t, g, wellFormed()).Get("code")
	if _, err := r.store.EndGrant(t.Context(), g.ID, store.EndedByPerson); err != nil {
		t.Fatal(err)
	}
	if a := r.token(t, redeem(code, app)); a.Error != "invalid_grant" {
		t.Errorf("%+v", a)
	}
}

func TestRefreshTokensAreForClientsThatTakeThem(t *testing.T) {
	r := newRig(t)
	for id, want := range map[string]bool{app: true, brief: false, secret: true} {
		code := r.approve(t, r.connect(t, "alice", id, all), with(wellFormed(), "client_id", id)).Get("code")
		form := redeem(code, id)
		if id == secret {
			form.Set("client_secret", "s3cret")
		}
		a := r.token(t, form)
		if a.status != 200 || (a.RefreshToken != "") != want || !r.lives(t, a.AccessToken) {
			t.Errorf("%s: %+v", id, a)
		}
	}
}

func TestRefreshReplacesBothTokens(t *testing.T) {
	r := newRig(t)
	_, a := r.signIn(t, "alice")
	tokens := []answer{a}
	for range 3 {
		r.forward(time.Minute)
		next := r.token(t, refresh(tokens[len(tokens)-1].RefreshToken, app))
		if next.status != 200 || next.Scope != a.Scope || !r.lives(t, next.AccessToken) {
			t.Fatalf("refresh: %+v", next)
		}
		for _, old := range tokens {
			if old.AccessToken == next.AccessToken || old.RefreshToken == next.RefreshToken {
				t.Fatal("a token came twice")
			}
		}
		tokens = append(tokens, next)
	}
}

func TestReuseOfARefreshTokenEndsTheFamily(t *testing.T) {
	r := newRig(t)
	_, first := r.signIn(t, "alice")
	second := r.token(t, refresh(first.RefreshToken, app))
	third := r.token(t, refresh(second.RefreshToken, app))
	r.forward(store.RaceWindow + time.Second)
	if a := r.token(t, refresh(first.RefreshToken, app)); a.Error != "invalid_grant" {
		t.Fatalf("reuse: %+v", a)
	}
	for _, a := range []answer{first, second, third} {
		if r.lives(t, a.AccessToken) {
			t.Error("an access token of the family lives")
		}
	}
	if a := r.token(t, refresh(third.RefreshToken, app)); a.Error != "invalid_grant" {
		t.Errorf("the newest refresh token lives: %+v", a)
	}
	if !strings.Contains(r.log.String(), "used again") {
		t.Error("nothing was logged")
	}
}

// An answer that was lost, or two calls at once, must not sign a person out.
func TestRefreshTokenIsTakenAgainWithinTheRaceWindow(t *testing.T) {
	r := newRig(t)
	_, first := r.signIn(t, "alice")
	lost := r.token(t, refresh(first.RefreshToken, app))
	again := r.token(t, refresh(first.RefreshToken, app))
	if again.status != 200 || !r.lives(t, again.AccessToken) || !r.lives(t, lost.AccessToken) {
		t.Fatalf("within the window: %+v", again)
	}
	r.forward(store.RaceWindow + time.Second)
	if a := r.token(t, refresh(again.RefreshToken, app)); a.status != 200 {
		t.Fatalf("the newest one after the window: %+v", a)
	}
	if a := r.token(t, refresh(first.RefreshToken, app)); a.Error != "invalid_grant" {
		t.Errorf("the first one after the window: %+v", a)
	}
}

func TestRefreshTokenOfAnotherClient(t *testing.T) {
	r := newRig(t)
	_, a := r.signIn(t, "alice")
	if got := r.token(t, refresh(a.RefreshToken, other)); got.Error != "invalid_grant" {
		t.Errorf("another client: %+v", got)
	}
	if got := r.token(t, with(refresh(a.RefreshToken, app), "resource", "https://evil.example")); got.Error != "invalid_target" {
		t.Errorf("another resource: %+v", got)
	}
	if got := r.token(t, refresh(a.RefreshToken, app)); got.status != 200 {
		t.Errorf("then its own: %+v", got)
	}
}

func TestRefreshNarrowsAndNeverWidens(t *testing.T) {
	r := newRig(t)
	_, a := r.signIn(t, "alice") // with notes.read and notes.write of a grant that holds more
	for _, c := range []struct{ ask, want, error string }{
		{"notes.read", "notes.read", ""},
		{"notes.read calendar.write", "notes.read", ""},
		{"calendar.read", "", "invalid_scope"},
		{"root", "", "invalid_scope"},
		{"openid offline_access", "notes.read notes.write", ""},
		{"", "notes.read notes.write", ""},
	} {
		r.forward(time.Minute)
		got := r.token(t, with(refresh(a.RefreshToken, app), "scope", c.ask))
		if got.Error != c.error || got.Scope != c.want {
			t.Fatalf("asked for %q: %+v", c.ask, got)
		}
		if c.error != "" {
			continue
		}
		p, err := r.Verify(t.Context(), got.AccessToken)
		if err != nil || p.Scopes.String() != c.want {
			t.Errorf("asked for %q: the token may %v (%v)", c.ask, p.Scopes, err)
		}
		a = got
	}
}

func TestRefreshLivesNinetyDaysFromItsLastUse(t *testing.T) {
	const day = 24 * time.Hour
	r := newRig(t)
	_, a := r.signIn(t, "alice")
	for range 3 {
		r.forward(89 * day)
		if a = r.token(t, refresh(a.RefreshToken, app)); a.status != 200 {
			t.Fatalf("within 90 days: %+v", a)
		}
	}
	r.forward(91 * day)
	if a := r.token(t, refresh(a.RefreshToken, app)); a.Error != "invalid_grant" {
		t.Errorf("after 91 days: %+v", a)
	}
}

func TestGrantThatEndsByADateEndsItsTokens(t *testing.T) {
	r := newRig(t)
	g := r.connect(t, "alice", app, all)
	if err := r.store.SetGrantPolicy(t.Context(), g.ID, "alice", all, policy.Policy{}, r.now().Add(30*time.Minute)); err != nil {
		t.Fatal(err)
	}
	a := r.token(t, redeem(r.approve(t, g, wellFormed()).Get("code"), app))
	if a.ExpiresIn > 1800 || a.ExpiresIn < 1700 {
		t.Errorf("expires_in is %d", a.ExpiresIn)
	}
	if p, err := r.Verify(t.Context(), a.AccessToken); err != nil || p.Expires.After(r.now().Add(30*time.Minute)) {
		t.Errorf("ends at %v (%v)", p.Expires, err)
	}
	r.forward(31 * time.Minute)
	if r.lives(t, a.AccessToken) {
		t.Error("the access token outlives the grant")
	}
	if a := r.token(t, refresh(a.RefreshToken, app)); a.Error != "invalid_grant" {
		t.Errorf("the refresh token outlives the grant: %+v", a)
	}
}

func TestNarrowedGrantNarrowsItsTokensAtOnce(t *testing.T) {
	r := newRig(t)
	g, a := r.signIn(t, "alice")
	narrow := policy.Policy{ReadOnly: true, Folders: []string{"/Work"}}
	if err := r.store.SetGrantPolicy(t.Context(), g.ID, "alice", scope.NewSet(scope.NotesRead, scope.CalendarRead), narrow, time.Time{}); err != nil {
		t.Fatal(err)
	}
	p, err := r.Verify(t.Context(), a.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if p.Scopes.String() != "notes.read" || !p.Policy.ReadOnly || len(p.Policy.Folders) != 1 {
		t.Errorf("the token may %v under %+v", p.Scopes, p.Policy)
	}
	if a = r.token(t, refresh(a.RefreshToken, app)); a.Scope != "notes.read" {
		t.Errorf("the next one says %q", a.Scope)
	}
	if err := r.store.SetGrantPolicy(t.Context(), g.ID, "alice", all, policy.Policy{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if a = r.token(t, refresh(a.RefreshToken, app)); a.Scope != "notes.read notes.write" {
		t.Errorf("after the person gave it back: %q", a.Scope)
	}
}

func TestStoreTroubleIsTemporary(t *testing.T) {
	r := newRig(t)
	g := r.connect(t, "alice", app, all)
	a := r.token(t, redeem(r.approve(t, g, wellFormed()).Get("code"), app))
	code := r.approve(t, g, wellFormed()).Get("code")
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"code":           r.post("/oauth/token", redeem(code, app)),
		"refresh":        r.post("/oauth/token", refresh(a.RefreshToken, app)),
		"revoke":         r.post("/oauth/revoke", url.Values{"client_id": {app}, "token": {a.AccessToken}}),
		"revoke refresh": r.post("/oauth/revoke", url.Values{"client_id": {app}, "token": {a.RefreshToken}}),
	} {
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "5" || !strings.Contains(w.Body.String(), "temporarily_unavailable") {
			t.Errorf("%s: status %d, %v, %s", name, w.Code, w.Header(), w.Body)
		}
		if strings.Contains(w.Body.String(), "sql") {
			t.Errorf("%s tells internals: %s", name, w.Body)
		}
	}
}

func TestSecretsAreNotLogged(t *testing.T) {
	r := newRig(t)
	g := r.connect(t, "alice", app, all)
	code := r.approve(t, g, wellFormed()).Get("code")
	a := r.token(t, redeem(code, app))
	b := r.token(t, refresh(a.RefreshToken, app))
	r.forward(time.Hour)
	r.token(t, refresh(a.RefreshToken, app))
	r.token(t, redeem(code, app))
	r.post("/oauth/revoke", url.Values{"client_id": {app}, "token": {b.RefreshToken}})
	_ = r.store.Close()
	r.token(t, refresh(b.RefreshToken, app))
	log := r.log.String()
	if !strings.Contains(log, "used again") || !strings.Contains(log, "failed") {
		t.Fatalf("nothing was logged: %s", log)
	}
	for _, secret := range []string{code, a.AccessToken, a.RefreshToken, b.AccessToken, b.RefreshToken, verifier} {
		if strings.Contains(log, secret[9:]) {
			t.Errorf("the log tells %s", secret[:9])
		}
	}
}

func TestTwoPeopleAtOnceGetTheirOwnTokens(t *testing.T) {
	r := newRig(t)
	var wg sync.WaitGroup
	for _, user := range []string{"alice", "bob", "carol"} {
		g := r.connect(t, user, app, all)
		code := r.approve(t, g, wellFormed()).Get("code")
		wg.Go(func() {
			a := r.token(t, redeem(code, app))
			for range 20 {
				p, err := r.Verify(t.Context(), a.AccessToken)
				if err != nil || nextcloud.UserID(p.Subject) != g.UserID || p.GrantID != g.ID {
					t.Errorf("the token of %s speaks for %+v (%v)", user, p, err)
					return
				}
				next := r.token(t, refresh(a.RefreshToken, app))
				if next.status != 200 {
					t.Errorf("%s: %+v", user, next)
					return
				}
				a = next
			}
		})
	}
	wg.Wait()
}

// A client that refreshes in several threads at once keeps its connection.
func TestParallelRefreshesOfOneToken(t *testing.T) {
	r := newRig(t)
	_, a := r.signIn(t, "alice")
	var mu sync.Mutex
	var got []answer
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			next := r.token(t, refresh(a.RefreshToken, app))
			mu.Lock()
			defer mu.Unlock()
			got = append(got, next)
		})
	}
	wg.Wait()
	good := 0
	for _, next := range got {
		if next.status == 200 && r.lives(t, next.AccessToken) {
			good++
		}
	}
	if good != 4 {
		t.Errorf("%d of 4 parallel refreshes succeeded: %+v", good, got)
	}
}

func FuzzToken(f *testing.F) {
	r := newRig(f)
	g := r.connect(f, "alice", app, all)
	code := r.approve(f, g, wellFormed()).Get("code")
	f.Add(redeem(code[:len(code)-1]+"x", app).Encode())
	f.Add(refresh("ncmcp_rt_"+strings.Repeat("A", 65), app).Encode())
	f.Add("grant_type=refresh_token&refresh_token=%00&client_id=app")
	f.Add("grant_type=authorization_code&grant_type=x;&&client_id=configured&client_secret=s3cret")
	f.Fuzz(func(t *testing.T, form string) {
		req := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(form))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := r.do(req)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"error":"`) {
			t.Errorf("status %d, %s", w.Code, w.Body)
		}
	})
}

func TestOwnTokensAreRecognised(t *testing.T) {
	r := newRig(t)
	_, a := r.signIn(t, "alice")
	for token, want := range map[string]bool{a.AccessToken: true, a.RefreshToken: true, "ncmcp_ac_x": true, "eyJhbGciOi": false, "": false, "NCMCP_at_": false} {
		if oauth.IsOwn(token) != want {
			t.Errorf("IsOwn(%q) is %v", token, !want)
		}
	}
}
