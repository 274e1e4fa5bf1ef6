package idptest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/idptest"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

const redirect = "http://127.0.0.1:9/cb"

func config(p *idptest.Server, c idptest.Client, scopes ...string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: redirect, Scopes: append([]string{"openid"}, scopes...),
		Endpoint: oauth2.Endpoint{AuthURL: p.URL() + "/authorize", TokenURL: p.URL() + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
}

func visit(t *testing.T, address, password string) url.Values {
	t.Helper()
	back, err := nextcloudtest.NewBrowser("alice", password).Visit(t.Context(), address, redirect)
	if err != nil {
		t.Fatal(err)
	}
	return back.Query()
}

// TestCodeFlow with a client library that is not ours.
func TestCodeFlow(t *testing.T) {
	p := idptest.Start(t, &idptest.Options{Consent: true, IssParameter: true})
	cfg := config(p, p.AddClient(idptest.Client{RedirectURIs: []string{redirect}}), "profile", "offline_access")
	verifier := oauth2.GenerateVerifier()
	back := visit(t, cfg.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), "alice-provider-1")
	if back.Get("state") != "st" || back.Get("iss") != p.Issuer() {
		t.Errorf("came back with %v", back)
	}
	token, err := cfg.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if subject, ok := p.Accept(token.AccessToken); !ok || subject != "5a0c3d52-alice" || p.RefreshTokens() != 1 {
		t.Errorf("the token is of %q", subject)
	}
	res, err := cfg.Client(t.Context(), token).Get(p.URL() + "/userinfo")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var who map[string]any
	if err := json.NewDecoder(res.Body).Decode(&who); err != nil || who["sub"] != "5a0c3d52-alice" || who["name"] != "Alice Example" || who["email"] != nil {
		t.Errorf("userinfo %v, %v", who, err)
	}

	renew := func(refresh string) (*oauth2.Token, error) {
		return cfg.TokenSource(t.Context(), &oauth2.Token{RefreshToken: refresh}).Token()
	}
	next, err := renew(token.RefreshToken)
	if err != nil || next.RefreshToken == token.RefreshToken {
		t.Fatalf("not replaced: %v", err)
	}
	if _, ok := p.Accept(token.AccessToken); ok {
		t.Error("the access token of before is still good")
	}
	if _, err := renew(token.RefreshToken); err == nil {
		t.Error("a refresh token served twice")
	}
	if _, err := renew(next.RefreshToken); err == nil {
		t.Error("after a second use the new one is still good")
	}
	if _, err := cfg.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code served twice")
	}
}

// TestRefusals: what a provider that keeps to the standards refuses.
func TestRefusals(t *testing.T) {
	p := idptest.Start(t, nil)
	cfg := config(p, p.AddClient(idptest.Client{RedirectURIs: []string{redirect}}))
	verifier := oauth2.GenerateVerifier()
	for name, address := range map[string]string{
		"invalid_request":           cfg.AuthCodeURL("st"),
		"invalid_scope":             config(p, idptest.Client{ID: cfg.ClientID}, "files").AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)),
		"login_required":            cfg.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "none")),
		"unsupported_response_type": cfg.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("response_type", "token")),
	} {
		if got := visit(t, address, "alice-provider-1").Get("error"); got != name {
			t.Errorf("error %q, want %q", got, name)
		}
	}
	evil := *cfg
	evil.RedirectURL = redirect + "/evil"
	if _, err := nextcloudtest.NewBrowser("alice", "x").Visit(t.Context(), evil.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), evil.RedirectURL); err == nil {
		t.Error("sent to an unknown redirect")
	}
	if _, err := nextcloudtest.NewBrowser("alice", "wrong").Visit(t.Context(), cfg.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), redirect); err == nil {
		t.Error("signed in with a wrong password")
	}
	code := visit(t, cfg.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), "alice-provider-1").Get("code")
	other := config(p, p.AddClient(idptest.Client{RedirectURIs: []string{redirect}}))
	if _, err := other.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("another client's code: %v", err)
	}
	if _, err := cfg.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("wrong verifier: %v", err)
	}
	cfg.ClientSecret = "wrong"
	if _, err := cfg.Exchange(t.Context(), code); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("wrong secret: %v", err)
	}
}

// TestIntrospection and revocation.
func TestIntrospection(t *testing.T) {
	p := idptest.Start(t, nil)
	c := p.AddClient(idptest.Client{RedirectURIs: []string{redirect}})
	cfg := config(p, c)
	verifier := oauth2.GenerateVerifier()
	code := visit(t, cfg.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), "alice-provider-1").Get("code")
	token, err := cfg.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path string) (status int, active any) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+path, strings.NewReader(url.Values{"token": {token.AccessToken}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(c.ID, c.Secret)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var body map[string]any
		_ = json.NewDecoder(res.Body).Decode(&body)
		return res.StatusCode, body["active"]
	}
	if status, active := ask("/introspect"); status != http.StatusOK || active != true {
		t.Errorf("%d, active %v", status, active)
	}
	if status, _ := ask("/revoke"); status != http.StatusOK {
		t.Errorf("revoke: %d", status)
	}
	if _, active := ask("/introspect"); active != false {
		t.Errorf("after the revocation active is %v", active)
	}
	c.Secret = "wrong"
	if status, _ := ask("/introspect"); status != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %d", status)
	}
}
