package nextcloudtest

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestClaims(t *testing.T) {
	var recorded map[string]struct {
		Header  map[string]any `json:"header"`
		Payload map[string]any `json:"payload"`
	}
	text, err := os.ReadFile("testdata/decoded-jwts.json")
	if err != nil {
		t.Fatal(err)
	}
	unmarshal(t, string(text), &recorded)
	s := New(&Options{BaseURL: recordedBase})
	client := s.AddClient(ClientConfig{Name: "jwt", RedirectURIs: []string{testCallback}, TokenType: "jwt", ResourceURL: "http://127.0.0.1:8000/mcp"})
	all := url.Values{"scope": {recordedScope}, "nonce": {"n"}}
	withResource := maps.Clone(all)
	withResource["resource"] = []string{"http://127.0.0.1:7777/other"}
	tokens := tokensFor(t, s, "alice", client, all)
	for name, token := range map[string]string{
		"access_token (RFC 9068 at+jwt)":       tokens.Access,
		"id_token":                             tokens.ID,
		"access_token with resource parameter": tokensFor(t, s, "alice", client, withResource).Access,
		"access_token scope openid only":       tokensFor(t, s, "alice", client, url.Values{"scope": {"openid"}}).Access,
	} {
		want, ok := recorded[name]
		if !ok {
			t.Fatalf("%s is not recorded", name)
		}
		verifySignature(t, s.signingKey(), token)
		header, err := jwtPart(token, 0)
		if err != nil {
			t.Fatal(err)
		}
		payload := decodeClaims(t, token)
		for _, varies := range []string{"exp", "auth_time", "iat", "nbf", "jti", "updated_at", "client_id", "azp"} {
			if (want.Payload[varies] == nil) != (payload[varies] == nil) {
				t.Errorf("%s: claim %s recorded %v, here %v", name, varies, want.Payload[varies], payload[varies])
			}
			delete(want.Payload, varies)
			delete(payload, varies)
		}
		if name == "id_token" {
			want.Payload["aud"] = client.ID
		}
		delete(want.Header, "kid")
		delete(header, "kid")
		if diff := cmp.Diff(want.Header, header); diff != "" {
			t.Errorf("%s header (-recorded +here):\n%s", name, diff)
		}
		if diff := cmp.Diff(want.Payload, payload); diff != "" {
			t.Errorf("%s claims (-recorded +here):\n%s", name, diff)
		}
	}
}

func TestKeyRotation(t *testing.T) {
	s := New(&Options{TokenType: "jwt"})
	keyID := func() string {
		var set struct {
			Keys []struct {
				ID string `json:"kid"`
			} `json:"keys"`
		}
		unmarshal(t, ask(t, s, http.MethodGet, "/apps/oidc/jwks", "").Body.String(), &set)
		if len(set.Keys) != 1 {
			t.Fatalf("%d keys, want 1", len(set.Keys))
		}
		return set.Keys[0].ID
	}
	before := keyID()
	s.RotateKeys()
	after := keyID()
	if before == after {
		t.Error("the key is the same after rotation")
	}
	header, err := jwtPart(tokensFor(t, s, "alice", testClient(s), nil).Access, 0)
	if err != nil || header["kid"] != after {
		t.Errorf("token signed with %v, want %s (%v)", header["kid"], after, err)
	}
}

// TestTokenLife: announced 900 s, honoured 1800 s.
func TestTokenLife(t *testing.T) {
	now := newClock()
	s := New(&Options{Now: now.Now})
	client := testClient(s)
	tokens := tokensFor(t, s, "alice", client, nil)
	if tokens.ExpiresIn != 900 {
		t.Errorf("expires_in %d, want 900", tokens.ExpiresIn)
	}
	now.advance(29 * time.Minute)
	wantStatus(t, "after 29 minutes", http.StatusOK, status(t, s, whoAmI, "Bearer "+tokens.Access))
	if code, answer := requestTokens(t, s, client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}}); code != http.StatusBadRequest {
		t.Errorf("refresh after 29 minutes: %d %s, want 400", code, answer.Error)
	}
	now.advance(2 * time.Minute)
	wantStatus(t, "after 31 minutes", http.StatusUnauthorized, status(t, s, whoAmI, "Bearer "+tokens.Access))
}

func TestRefreshEndsOldPair(t *testing.T) {
	s := New(nil)
	client := testClient(s)
	first := tokensFor(t, s, "alice", client, nil)
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Refresh}}
	code, second := requestTokens(t, s, client, form)
	wantStatus(t, "refresh", http.StatusOK, code)
	wantStatus(t, "old access token", http.StatusUnauthorized, status(t, s, whoAmI, "Bearer "+first.Access))
	wantStatus(t, "new access token", http.StatusOK, status(t, s, whoAmI, "Bearer "+second.Access))
	code, _ = requestTokens(t, s, client, form)
	wantStatus(t, "old refresh token", http.StatusBadRequest, code)
	if other := tokensFor(t, s, "alice", client, url.Values{"scope": {"openid"}}); other.Refresh != "" {
		t.Error("a refresh token came without offline_access")
	}
}

// TestCodeReplay: a code that comes twice ends what was issued for it.
func TestCodeReplay(t *testing.T) {
	s := New(nil)
	client := testClient(s)
	form := codeForm(codeFor(t, s, "alice", client.ID, nil))
	code, tokens := requestTokens(t, s, client, form)
	wantStatus(t, "first use", http.StatusOK, code)
	wantStatus(t, "access token", http.StatusOK, status(t, s, whoAmI, "Bearer "+tokens.Access))
	code, again := requestTokens(t, s, client, form)
	wantStatus(t, "second use", http.StatusBadRequest, code)
	if again.Error != "invalid_grant" {
		t.Errorf("error %q, want invalid_grant", again.Error)
	}
	wantStatus(t, "access token after replay", http.StatusUnauthorized, status(t, s, whoAmI, "Bearer "+tokens.Access))
	code, _ = requestTokens(t, s, client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}})
	wantStatus(t, "refresh token after replay", http.StatusBadRequest, code)
}

// TestPKCE: enforced from 30 on, before that a wrong verifier gets a token.
func TestPKCE(t *testing.T) {
	verifier := strings.Repeat("v", 50)
	sum := sha256.Sum256([]byte(verifier))
	challenge := url.Values{"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	for version, wrong := range map[string]int{"28.0.2": http.StatusOK, "30.0.5": http.StatusBadRequest, "34.0.1": http.StatusBadRequest} {
		t.Run(version, func(t *testing.T) {
			s := New(&Options{Version: version})
			client := testClient(s)
			for sent, want := range map[string]int{verifier: http.StatusOK, "wrong": wrong, "": wrong} {
				form := codeForm(codeFor(t, s, "alice", client.ID, challenge))
				form.Set("code_verifier", sent)
				code, _ := requestTokens(t, s, client, form)
				wantStatus(t, "verifier "+sent, want, code)
			}
			discovery := ask(t, s, http.MethodGet, "/.well-known/openid-configuration", "").Body.String()
			if advertised := strings.Contains(discovery, "code_challenge_methods_supported"); advertised != (wrong == http.StatusBadRequest) {
				t.Errorf("PKCE advertised: %v", advertised)
			}
		})
	}
	silent := New(&Options{DisablePKCEMetadata: true})
	if strings.Contains(ask(t, silent, http.MethodGet, "/.well-known/openid-configuration", "").Body.String(), "code_challenge") {
		t.Error("PKCE advertised although it was to be left out")
	}
}

// TestIntrospectionAudience: clients learn about their own tokens and those for their resource, others nothing.
func TestIntrospectionAudience(t *testing.T) {
	s := New(nil)
	const resource = "http://127.0.0.1:8000/mcp"
	owner, stranger := testClient(s), testClient(s)
	byURL := s.AddClient(ClientConfig{Name: "resource server", ResourceURL: resource})
	token := tokensFor(t, s, "alice", owner, url.Values{"resource": {resource}}).Access
	forID := tokensFor(t, s, "alice", owner, url.Values{"resource": {stranger.ID}}).Access
	tests := []struct {
		name   string
		asking ClientInfo
		token  string
		active bool
	}{
		{"its own", owner, token, true},
		{"another's", stranger, token, false},
		{"for its resource URL", byURL, token, true},
		{"for its client id", stranger, forID, true},
		{"unknown", owner, "nonsense", false},
		{"empty", owner, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			form := url.Values{"token": {test.token}, "client_id": {test.asking.ID}, "client_secret": {test.asking.Secret}}
			var answer introspection
			unmarshal(t, ask(t, s, http.MethodPost, "/apps/oidc/introspect", form.Encode(), "Content-Type", formType).Body.String(), &answer)
			if answer.Active != test.active || (answer.Active && answer.Audience != owner.ID) {
				t.Errorf("active %v for %q, want %v", answer.Active, answer.Audience, test.active)
			}
		})
	}
	old := New(&Options{Version: "28.0.2"})
	wantStatus(t, "introspection on 28", http.StatusNotFound, ask(t, old, http.MethodPost, "/apps/oidc/introspect", "").Code)
}

const registrationBody = `{"client_name":"app","redirect_uris":["` + testCallback + `"],"token_type":"jwt","scope":"openid Notes.Read"}`

func registerClient(t *testing.T, s *Server) clientAnswer {
	t.Helper()
	answer := ask(t, s, http.MethodPost, "/apps/oidc/register", registrationBody, "Content-Type", "application/json")
	if answer.Code != http.StatusCreated {
		t.Fatalf("register: %d %s", answer.Code, answer.Body)
	}
	var c clientAnswer
	unmarshal(t, answer.Body.String(), &c)
	return c
}

// TestClientExpiry: expired clients go away with the next authorization or registration.
func TestClientExpiry(t *testing.T) {
	now := newClock()
	s := New(&Options{Now: now.Now})
	static, c := testClient(s), registerClient(t, s)
	if c.ExpiresAt-c.IssuedAt != 3600 {
		t.Errorf("expires after %d s, want 3600", c.ExpiresAt-c.IssuedAt)
	}
	tokens := tokensFor(t, s, "alice", ClientInfo{ID: c.ID, Secret: c.Secret}, nil)
	authorize := "/apps/oidc/authorize?" + url.Values{"client_id": {c.ID}, "redirect_uri": {testCallback}, "response_type": {"code"}}.Encode()
	_, cookie := signedIn(t, s, "alice")
	wantStatus(t, "authorize in time", http.StatusSeeOther, ask(t, s, http.MethodGet, authorize, "", "Cookie", cookie).Code)
	s.ExpireClients()
	if n := len(s.Clients()); n != 2 {
		t.Errorf("%d clients before anybody asked, want 2", n)
	}
	expired := ask(t, s, http.MethodGet, authorize, "", "Cookie", cookie)
	if expired.Code != http.StatusOK || !strings.Contains(expired.Body.String(), "not authorized to connect") {
		t.Errorf("authorize with an expired client: %d %s", expired.Code, expired.Body)
	}
	if got := s.Clients(); len(got) != 1 || got[0].ID != static.ID {
		t.Errorf("clients %+v, want only the administrator's", got)
	}
	wantStatus(t, "token of an expired client", http.StatusUnauthorized, status(t, s, whoAmI, "Bearer "+tokens.Access))
	registerClient(t, s)
	now.advance(2 * time.Hour)
	registerClient(t, s)
	if n := len(s.Clients()); n != 2 {
		t.Errorf("%d clients, want the administrator's and the newest", n)
	}
}

func TestRegistrationLimits(t *testing.T) {
	s := New(&Options{MaxClients: 2})
	for range 3 {
		registerClient(t, s)
	}
	full := ask(t, s, http.MethodPost, "/apps/oidc/register", registrationBody)
	if full.Code != http.StatusBadRequest || !strings.Contains(full.Body.String(), "max_num_clients_exceeded") {
		t.Errorf("one too many: %d %s", full.Code, full.Body)
	}
	s.SetDisableRegistration(true)
	off := ask(t, s, http.MethodPost, "/apps/oidc/register", registrationBody)
	if off.Code != http.StatusBadRequest || !strings.Contains(off.Body.String(), "dynamic_registration_not_allowed") {
		t.Errorf("switched off: %d %s", off.Code, off.Body)
	}
	if strings.Contains(ask(t, s, http.MethodGet, "/.well-known/openid-configuration", "").Body.String(), "registration_endpoint") {
		t.Error("registration is advertised although it is off")
	}
	old := registerClient(t, New(&Options{Version: "29.0.1"}))
	if old.Token != "" || old.TokenType != "" || old.URI != "" {
		t.Errorf("29 answered %+v, want no management token and no token_type", old)
	}
}

// TestScopes: lower-cased, cut to what the client may have, and a default when nothing is left.
func TestScopes(t *testing.T) {
	tests := []struct{ requested, allowed, want string }{
		{"openid Notes.Read", "", "openid notes.read"},
		{"openid notes.read notes.write", "openid notes.read", "openid notes.read"},
		{"calendar.read", "openid notes.read", defaultScope},
		{"", "", defaultScope},
	}
	for _, test := range tests {
		if got := allowedScope(test.requested, test.allowed); got != test.want {
			t.Errorf("allowedScope(%q, %q) = %q, want %q", test.requested, test.allowed, got, test.want)
		}
	}
}

func TestBrowserConsent(t *testing.T) {
	s := Start(t, &Options{Consent: true})
	client := testClient(s)
	start := s.URL() + "/index.php/apps/oidc/authorize?" + url.Values{
		"client_id": {client.ID}, "redirect_uri": {testCallback}, "response_type": {"code"}, "state": {"st&te"}, "scope": {"openid notes.read notes.write"},
	}.Encode()

	browser := NewBrowser("alice", "alice-password-1")
	browser.Untick = []string{"notes.write"}
	at, err := browser.Visit(t.Context(), start, testCallback)
	if err != nil {
		t.Fatal(err)
	}
	if got := at.Query().Get("state"); got != "st&te" {
		t.Errorf("state %q", got)
	}
	_, tokens := requestTokens(t, s, client, codeForm(at.Query().Get("code")))
	var claims struct {
		Scope string `json:"scope"`
	}
	unmarshal(t, ask(t, s, http.MethodGet, "/apps/oidc/userinfo", "", "Authorization", "Bearer "+tokens.Access).Body.String(), &claims)
	if claims.Scope != "openid notes.read" {
		t.Errorf("scope %q, want what was ticked", claims.Scope)
	}

	denier := NewBrowser("bob", "bob-password-1")
	denier.Deny = true
	at, err = denier.Visit(t.Context(), start, testCallback)
	if err != nil {
		t.Fatal(err)
	}
	if got := at.Query().Get("error"); got != "access_denied" || at.Query().Get("state") != "st&te" {
		t.Errorf("denied: %s", at.RawQuery)
	}
	users := map[string]bool{}
	for _, r := range s.Requests() {
		users[r.User] = true
	}
	if got := slices.Sorted(maps.Keys(users)); !slices.Equal(got, []string{"", "alice", "bob"}) {
		t.Errorf("users in the request log: %q", got)
	}
}
