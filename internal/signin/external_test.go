package signin_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/idptest"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// external is a rig with a provider outside Nextcloud.
func external(t *testing.T, sim nextcloudtest.Options, idp idptest.Options) (*rig, *idptest.Server) {
	t.Helper()
	var p *idptest.Server
	sim.DisableOIDC = true
	if sim.AcceptBearer == nil {
		sim.AcceptBearer = func(token string) (string, bool) {
			subject, ok := p.Accept(token)
			_, user, _ := strings.Cut(subject, "-")
			return user[max(0, strings.LastIndex(user, "-")+1):], ok
		}
	}
	r := newRig(t, sim)
	idp.Now = r.clock.Now
	p = idptest.Start(t, &idp)
	r.use(t, p)
	return r, p
}

// use makes p the provider of the rig.
func (r *rig) use(t *testing.T, p *idptest.Server) {
	t.Helper()
	c := p.AddClient(idptest.Client{RedirectURIs: []string{redirect}})
	r.discover(t, p.URL(), oidcclient.Client{ID: c.ID, Secret: auth.Secret(c.Secret)})
}

const (
	aliceThere    = "alice"
	alicePassword = "alice-provider-1"
)

// TestExternalProvider: what a sign-in at a provider outside Nextcloud comes to.
func TestExternalProvider(t *testing.T) {
	t.Parallel()
	notTaken := func(string) (string, bool) { return "", false }
	for _, c := range []struct {
		name string
		sim  nextcloudtest.Options
		idp  idptest.Options
		opts signin.OIDCOptions

		kind    store.CredentialKind
		why     signin.Reason
		refresh int // refresh tokens left at the provider
	}{
		{name: "user_oidc takes its tokens", kind: store.AppPasswordCredential},
		{name: "opaque tokens", idp: idptest.Options{Opaque: true}, kind: store.AppPasswordCredential},
		{name: "consent", idp: idptest.Options{Consent: true}, kind: store.AppPasswordCredential},
		{name: "iss parameter", idp: idptest.Options{IssParameter: true}, kind: store.AppPasswordCredential},
		{name: "basic only", idp: idptest.Options{AuthMethods: []string{"client_secret_basic"}}, kind: store.AppPasswordCredential},
		{name: "post only", idp: idptest.Options{AuthMethods: []string{"client_secret_post"}}, kind: store.AppPasswordCredential},
		{name: "nobody takes its tokens", sim: nextcloudtest.Options{AcceptBearer: notTaken}, why: signin.TokenNotTaken},
		{name: "names in userinfo only", sim: nextcloudtest.Options{AcceptBearer: notTaken}, idp: idptest.Options{NoNames: true}, why: signin.TokenNotTaken},
		{
			name: "like Cognito", idp: idptest.Options{NoAudience: true, ScopePrefix: "nextcloud", Scopes: []string{"files"}, NoOfflineAccess: true},
			opts: signin.OIDCOptions{Scopes: []string{"files", "email"}, ResourceServerID: "nextcloud"}, kind: store.AppPasswordCredential,
		},
		{name: "no exchange", sim: nextcloudtest.Options{ForbidAppPasswords: true}, kind: store.RefreshTokenCredential, refresh: 1},
		{name: "no exchange, nothing to refresh", sim: nextcloudtest.Options{ForbidAppPasswords: true}, idp: idptest.Options{NoOfflineAccess: true}, why: signin.ExchangeForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, p := external(t, c.sim, c.idp)
			out := signIn(t, r.oidc(c.opts), aliceThere, alicePassword)
			if out.LoginFlow != c.why || out.Credential.Kind != c.kind {
				t.Errorf("goes on with Login Flow because of %q, credential %q; want %q, %q", out.LoginFlow, out.Credential.Kind, c.why, c.kind)
			}
			if out.Person.Subject != "5a0c3d52-alice" || out.Person.Issuer != p.URL() || out.Person.DisplayName != "Alice Example" {
				t.Errorf("person %+v", out.Person)
			}
			if known := c.why != signin.TokenNotTaken; known != (out.Person.UserID == "alice") {
				t.Errorf("user id %q", out.Person.UserID)
			}
			if c.kind == store.AppPasswordCredential {
				r.wantWorks(t, out, "alice")
			}
			if n := p.RefreshTokens(); n != c.refresh {
				t.Errorf("%d refresh tokens are left at the provider, want %d", n, c.refresh)
			}
			if c.kind == store.RefreshTokenCredential {
				if _, _, _, err := r.oidc(c.opts).Refresh(t.Context(), out.Credential.Secret); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestRefreshTokenThatStays: some providers do not replace it.
func TestRefreshTokenThatStays(t *testing.T) {
	t.Parallel()
	r, _ := external(t, nextcloudtest.Options{ForbidAppPasswords: true}, idptest.Options{KeepRefreshToken: true})
	o := r.oidc(signin.OIDCOptions{})
	credential := signIn(t, o, aliceThere, alicePassword).Credential.Secret
	for range 2 {
		_, _, next, err := o.Refresh(t.Context(), credential)
		if err != nil || next != credential {
			t.Errorf("the next one is another (%v)", err)
		}
	}
}

// TestResource is sent to an external provider, and with the code.
func TestResource(t *testing.T) {
	t.Parallel()
	const resource = "https://cloud.example.org"
	r, _ := external(t, nextcloudtest.Options{}, idptest.Options{})
	a := begin(t, r.oidc(signin.OIDCOptions{Resource: resource}), nil)
	if got := parse(t, a.URL).Query().Get("resource"); got != resource || a.Resource != resource {
		t.Errorf("resource %q, kept %q", got, a.Resource)
	}
}

// TestPersonOrProviderSaysNo.
func TestPersonOrProviderSaysNo(t *testing.T) {
	t.Parallel()
	r, _ := external(t, nextcloudtest.Options{}, idptest.Options{Consent: true})
	o := r.oidc(signin.OIDCOptions{})
	a := begin(t, o, nil)
	b := nextcloudtest.NewBrowser(aliceThere, alicePassword)
	b.Deny = true
	back, err := b.Visit(t.Context(), a.URL, redirect)
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.Finish(t.Context(), a, back.Query())
	wantProblem(t, err, signin.Refused)

	for code, want := range map[string]signin.ProblemCode{
		"access_denied": signin.Refused, "login_required": signin.Refused, "interaction_required": signin.Refused,
		"server_error": signin.ProviderDown, "temporarily_unavailable": signin.ProviderDown,
		"unauthorized_client": signin.ProviderRefusesUs, "invalid_scope": signin.ProviderRefusesUs, "invalid_request": signin.ProviderRefusesUs,
		"something\nelse": signin.ProviderMistake,
	} {
		_, err := o.Finish(t.Context(), a, url.Values{"state": {a.State}, "error": {code}, "error_description": {"canary"}, "code": {"x"}})
		wantProblem(t, err, want)
		if strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "canary") {
			t.Errorf("error %q", err)
		}
	}
	if got := r.refusals(); len(got) != 1 {
		t.Errorf("the client was refused %d times, want once for unauthorized_client", len(got))
	}
}

// TestHostileCallbacks: nothing of a callback is believed that does not belong
// to the attempt, and no code is redeemed for one.
func TestHostileCallbacks(t *testing.T) {
	t.Parallel()
	r, p := external(t, nextcloudtest.Options{}, idptest.Options{IssParameter: true})
	o := r.oidc(signin.OIDCOptions{})
	a := begin(t, o, nil)
	good := visit(t, a, aliceThere, alicePassword)
	other := begin(t, o, nil)
	for name, change := range map[string]func(url.Values){
		"the state of another attempt": func(q url.Values) { q.Set("state", other.State) },
		"no state":                     func(q url.Values) { q.Del("state") },
		"two states":                   func(q url.Values) { q.Add("state", a.State) },
		"iss of another provider":      func(q url.Values) { q.Set("iss", "https://evil.example") },
		"iss with a slash":             func(q url.Values) { q.Set("iss", p.Issuer()+"/") },
		"no iss though announced":      func(q url.Values) { q.Del("iss") },
		"two iss":                      func(q url.Values) { q.Add("iss", p.Issuer()) },
		"no code":                      func(q url.Values) { q.Del("code") },
		"two codes":                    func(q url.Values) { q.Add("code", "x") },
		"an endless code":              func(q url.Values) { q.Set("code", strings.Repeat("x", 9000)) },
		"an error of another provider": func(q url.Values) { q.Set("iss", "https://evil.example"); q.Set("error", "access_denied") },
	} {
		q := maps.Clone(good)
		for k := range q {
			q[k] = append([]string(nil), q[k]...)
		}
		change(q)
		_, err := o.Finish(t.Context(), a, q)
		t.Log(name)
		wantProblem(t, err, signin.ProviderMistake)
	}
	if n := p.Calls("/token"); n != 0 {
		t.Errorf("%d codes were redeemed", n)
	}
	// An attempt that knows no state matches nothing.
	_, err := o.Finish(t.Context(), &signin.Attempt{Issuer: a.Issuer, StartedAt: a.StartedAt}, url.Values{"code": {"x"}, "iss": {p.Issuer()}})
	wantProblem(t, err, signin.ProviderMistake)

	late := *a
	late.StartedAt = a.StartedAt.Add(-signin.AttemptLife)
	_, err = o.Finish(t.Context(), &late, good)
	wantProblem(t, err, signin.FlowExpired)

	if _, err := o.Finish(t.Context(), a, good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// TestIssThatNobodyAnnounced is checked when it is there.
func TestIssThatNobodyAnnounced(t *testing.T) {
	t.Parallel()
	r, p := external(t, nextcloudtest.Options{}, idptest.Options{})
	o := r.oidc(signin.OIDCOptions{})
	a := begin(t, o, nil)
	p.SetCallbackIssuer("https://evil.example")
	_, err := o.Finish(t.Context(), a, visit(t, a, aliceThere, alicePassword))
	wantProblem(t, err, signin.ProviderMistake)
	if n := p.Calls("/token"); n != 0 {
		t.Error("the code was redeemed")
	}
}

// TestCodeInjection: a code of somebody else's sign-in, put into the callback
// of one's own attempt, is stopped by PKCE.
func TestCodeInjection(t *testing.T) {
	t.Parallel()
	r, p := external(t, nextcloudtest.Options{}, idptest.Options{})
	o := r.oidc(signin.OIDCOptions{})
	victims := begin(t, o, nil)
	stolen := visit(t, victims, aliceThere, alicePassword).Get("code")
	own := begin(t, o, nil)
	_, err := o.Finish(t.Context(), own, url.Values{"state": {own.State}, "code": {stolen}})
	wantProblem(t, err, signin.Refused)
	if n := p.Calls("/token"); n != 1 {
		t.Errorf("%d calls", n)
	}
	r.wantPasswords(t, "alice", 0)
}

// TestCodeInjectionWithoutPKCE: Nextcloud 28 ignores PKCE, and there the nonce
// stops it.
func TestCodeInjectionWithoutPKCE(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{Version: "28.0.2"})
	o := r.own(t)
	victims := begin(t, o, nil)
	stolen := visit(t, victims, "alice", "alice-password-1").Get("code")
	own := begin(t, o, nil)
	_, err := o.Finish(t.Context(), own, url.Values{"state": {own.State}, "code": {stolen}})
	wantProblem(t, err, signin.ProviderMistake)
	if n := r.sim.CountRequests("", whoAmI); n != 0 {
		t.Error("the access token was used")
	}
}

// TestMixUp: a sign-in begun at one provider is not finished at another, and
// its code does not go there.
func TestMixUp(t *testing.T) {
	t.Parallel()
	r, first := external(t, nextcloudtest.Options{}, idptest.Options{})
	o := r.oidc(signin.OIDCOptions{})
	a := begin(t, o, nil)
	back := visit(t, a, aliceThere, alicePassword)
	second := idptest.Start(t, &idptest.Options{Now: r.clock.Now})
	r.use(t, second)
	_, err := o.Finish(t.Context(), a, back)
	wantProblem(t, err, signin.ProviderMistake)
	if first.Calls("/token") != 0 || second.Calls("/token") != 0 {
		t.Error("the code was sent somewhere")
	}
}

// TestForgedIDTokens: none is believed, and nothing is done with what came
// along.
func TestForgedIDTokens(t *testing.T) {
	t.Parallel()
	type parts = map[string]any
	for name, forge := range map[string]func(s *idptest.Server, header, claims parts) string{
		"another issuer":           func(_ *idptest.Server, _, c parts) string { c["iss"] = "https://evil.example"; return "" },
		"issuer with a slash":      func(_ *idptest.Server, _, c parts) string { c["iss"] = c["iss"].(string) + "/"; return "" },
		"no issuer":                func(_ *idptest.Server, _, c parts) string { delete(c, "iss"); return "" },
		"another nonce":            func(_ *idptest.Server, _, c parts) string { c["nonce"] = "x"; return "" },
		"no nonce":                 func(_ *idptest.Server, _, c parts) string { delete(c, "nonce"); return "" },
		"somebody else's audience": func(_ *idptest.Server, _, c parts) string { c["aud"] = "other"; return "" },
		"no audience":              func(_ *idptest.Server, _, c parts) string { delete(c, "aud"); return "" },
		"many audiences, no party": func(_ *idptest.Server, _, c parts) string {
			c["aud"] = []any{c["aud"], "other"}
			delete(c, "azp")
			return ""
		},
		"another authorized party":   func(_ *idptest.Server, _, c parts) string { c["azp"] = "other"; return "" },
		"expired":                    func(_ *idptest.Server, _, c parts) string { c["exp"] = c["iat"].(int64) - 120; return "" },
		"no exp":                     func(_ *idptest.Server, _, c parts) string { delete(c, "exp"); return "" },
		"no iat":                     func(_ *idptest.Server, _, c parts) string { delete(c, "iat"); return "" },
		"from the future":            func(_ *idptest.Server, _, c parts) string { c["iat"] = c["iat"].(int64) + 120; return "" },
		"not valid yet":              func(_ *idptest.Server, _, c parts) string { c["nbf"] = c["iat"].(int64) + 120; return "" },
		"no subject":                 func(_ *idptest.Server, _, c parts) string { delete(c, "sub"); return "" },
		"a subject with a newline":   func(_ *idptest.Server, _, c parts) string { c["sub"] = "a\nb"; return "" },
		"an endless subject":         func(_ *idptest.Server, _, c parts) string { c["sub"] = strings.Repeat("x", 256); return "" },
		"of another access token":    func(_ *idptest.Server, _, c parts) string { c["at_hash"] = "xxxxxxxxxxxxxxxxxxxxxx"; return "" },
		"an access token by header":  func(_ *idptest.Server, h, _ parts) string { h["typ"] = "at+jwt"; return "" },
		"an access token by Cognito": func(_ *idptest.Server, _, c parts) string { c["token_use"] = "access"; return "" },
		"a bearer of Keycloak":       func(_ *idptest.Server, _, c parts) string { c["typ"] = "Bearer"; return "" },
		"claims of the wrong type":   func(_ *idptest.Server, _, c parts) string { c["exp"] = "soon"; return "" },
		"no algorithm": func(_ *idptest.Server, h, c parts) string {
			h["alg"] = "none"
			return idptest.Encode(h, c) + "."
		},
		"no algorithm, old signature": func(s *idptest.Server, h, c parts) string {
			h["alg"] = "none"
			return s.Sign(h, c)
		},
		"the public key as a secret": func(s *idptest.Server, h, c parts) string {
			h["alg"] = "HS256"
			text := idptest.Encode(h, c)
			mac := hmac.New(sha256.New, s.PublicKey())
			mac.Write([]byte(text))
			return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		},
		"changed after signing": func(s *idptest.Server, h, c parts) string {
			signed := s.Sign(h, c)
			c["sub"] = "bob"
			return idptest.Encode(h, c) + signed[strings.LastIndex(signed, "."):]
		},
		"an unknown key": func(_ *idptest.Server, h, _ parts) string { h["kid"] = "other"; return "" },
		"no JWT at all":  func(*idptest.Server, parts, parts) string { return "opaque" },
		"an endless token": func(*idptest.Server, parts, parts) string {
			return "eyJhbGciOiJSUzI1NiJ9." + strings.Repeat("e", 20<<10) + ".e"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, p := external(t, nextcloudtest.Options{}, idptest.Options{ForgeIDToken: forge})
			o := r.oidc(signin.OIDCOptions{})
			a := begin(t, o, nil)
			_, err := o.Finish(t.Context(), a, visit(t, a, aliceThere, alicePassword))
			wantProblem(t, err, signin.ProviderMistake)
			if n := r.sim.CountRequests("", whoAmI); n != 0 {
				t.Error("the access token was used")
			}
			r.wantPasswords(t, "alice", 0)
			if n := p.RefreshTokens(); n > 1 {
				t.Errorf("%d refresh tokens", n)
			}
		})
	}
}

// TestToleratedIDTokens: what the standards allow.
func TestToleratedIDTokens(t *testing.T) {
	t.Parallel()
	type parts = map[string]any
	for name, forge := range map[string]func(s *idptest.Server, header, claims parts) string{
		"no party":                     func(_ *idptest.Server, _, c parts) string { delete(c, "azp"); return "" },
		"no hash":                      func(_ *idptest.Server, _, c parts) string { delete(c, "at_hash"); return "" },
		"a list of one":                func(_ *idptest.Server, _, c parts) string { c["aud"] = []any{c["aud"]}; return "" },
		"many audiences and our party": func(_ *idptest.Server, _, c parts) string { c["aud"] = []any{"other", c["aud"]}; return "" },
		"no kid":                       func(_ *idptest.Server, h, _ parts) string { delete(h, "kid"); return "" },
		"no typ":                       func(_ *idptest.Server, h, _ parts) string { delete(h, "typ"); return "" },
		"a clock that is behind":       func(_ *idptest.Server, _, c parts) string { c["exp"] = c["iat"].(int64) - 30; return "" },
		"a clock that is ahead":        func(_ *idptest.Server, _, c parts) string { c["iat"] = c["iat"].(int64) + 30; return "" },
		"Keycloak says so":             func(_ *idptest.Server, _, c parts) string { c["typ"] = "ID"; return "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := external(t, nextcloudtest.Options{}, idptest.Options{ForgeIDToken: forge})
			r.wantWorks(t, signIn(t, r.oidc(signin.OIDCOptions{}), aliceThere, alicePassword), "alice")
		})
	}
}

// TestKeyRotation: a key that is new is fetched, without a restart.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	r, p := external(t, nextcloudtest.Options{}, idptest.Options{})
	o := r.oidc(signin.OIDCOptions{})
	signIn(t, o, aliceThere, alicePassword)
	signIn(t, o, aliceThere, alicePassword)
	if n := p.Calls("/jwks"); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
	p.RotateKeys()
	signIn(t, o, aliceThere, alicePassword)
	if n := p.Calls("/jwks"); n != 2 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

// TestProviderIsDown between the pages and the code.
func TestProviderIsDown(t *testing.T) {
	t.Parallel()
	r, p := external(t, nextcloudtest.Options{}, idptest.Options{})
	o := r.oidc(signin.OIDCOptions{})
	a := begin(t, o, nil)
	back := visit(t, a, aliceThere, alicePassword)
	p.SetDown(true)
	_, err := o.Finish(t.Context(), a, back)
	wantProblem(t, err, signin.ProviderDown)
	p.SetDown(false)
	r.clock.advance(2 * time.Minute) // longer than a code lives
	_, err = o.Finish(t.Context(), a, back)
	wantProblem(t, err, signin.Refused)
	p.RemoveClient(a.ClientID)
	a2 := again(t, a)
	_, err = o.Finish(t.Context(), a2, back)
	wantProblem(t, err, signin.ProviderRefusesUs)
}

// TestUserinfoOfAnotherPerson is not believed for names.
func TestUserinfoOfAnotherPerson(t *testing.T) {
	t.Parallel()
	r, _ := external(t, nextcloudtest.Options{AcceptBearer: func(string) (string, bool) { return "", false }}, idptest.Options{
		NoNames: true, ForgeIDToken: func(_ *idptest.Server, _, c map[string]any) string { c["sub"] = "somebody-else"; return "" },
	})
	out := signIn(t, r.oidc(signin.OIDCOptions{}), aliceThere, alicePassword)
	if out.Person.DisplayName != "" || out.Person.Subject != "somebody-else" {
		t.Errorf("person %+v", out.Person)
	}
}
