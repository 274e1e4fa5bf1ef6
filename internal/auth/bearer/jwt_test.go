package bearer

import (
	"context"
	"crypto"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
)

func TestVerifyJWT(t *testing.T) {
	v := newVerifier(standardProvider())
	claims := goodClaims()
	token := jwt(rsaKey(), goodHeader(), claims)
	got, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	want := &auth.Principal{
		Issuer:   testIssuer,
		Subject:  "alice",
		ClientID: "inspector",
		Name:     "Alice",
		Scopes:   scope.NewSet(scope.OpenID, scope.NotesRead),
		Expires:  time.Unix(claims["exp"].(int64), 0),
		Token:    auth.Secret(token),
	}
	equal := cmp.Comparer(func(a, b scope.Set) bool { return a.String() == b.String() })
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Errorf("principal (-want +got):\n%s", diff)
	}
}

func TestVerifyAccepts(t *testing.T) {
	untyped := values{"typ": "JWT"}
	now := time.Now().Unix()
	for _, c := range []struct {
		name   string
		key    crypto.Signer
		header values
		claims values
		config func(*Config)
		scopes string // checked when not empty
	}{
		{name: "RS384", key: rsaKey(), header: values{"alg": "RS384"}},
		{name: "RS512", key: rsaKey(), header: values{"alg": "RS512"}},
		{name: "PS256", key: rsaKey(), header: values{"alg": "PS256"}},
		{name: "PS384", key: rsaKey(), header: values{"alg": "PS384"}},
		{name: "PS512", key: rsaKey(), header: values{"alg": "PS512"}},
		{name: "ES256", key: p256(), header: values{"alg": "ES256", "kid": "p256"}},
		{name: "ES384", key: p384(), header: values{"alg": "ES384", "kid": "p384"}},
		{name: "ES512", key: p521(), header: values{"alg": "ES512", "kid": "p521"}},
		{name: "EdDSA", key: edKey(), header: values{"alg": "EdDSA", "kid": "ed"}},
		{name: "no kid and no choice", key: p384(), header: values{"alg": "ES384", "kid": nil}},
		{name: "type at+JWT", key: rsaKey(), header: values{"typ": "at+JWT"}},
		{name: "type application/at+jwt", key: rsaKey(), header: values{"typ": "application/at+jwt"}},
		{name: "type JWT", key: rsaKey(), header: untyped},
		{name: "type absent", key: rsaKey(), header: values{"typ": nil}},
		{name: "certificate names that are not read", key: rsaKey(), header: values{"x5t": "abc", "jku": "https://evil.example"}},
		{name: "nonce in an RFC 9068 token", key: rsaKey(), claims: values{"nonce": "n"}},
		{name: "Keycloak", key: rsaKey(), header: untyped, claims: values{"typ": "Bearer", "azp": "inspector", "client_id": nil, "nonce": "n"}},
		{name: "Cognito", key: rsaKey(), header: values{"typ": nil}, claims: values{"token_use": "access", "aud": nil, "client_id": testClient}, config: func(c *Config) { c.ClientIDAsAudience = true }},
		{name: "audience without path", key: rsaKey(), claims: values{"aud": "https://mcp.example.com"}},
		{name: "audience without path, with slash", key: rsaKey(), claims: values{"aud": "https://mcp.example.com/"}},
		{name: "audience with slash", key: rsaKey(), claims: values{"aud": testResource + "/"}},
		{name: "audience list", key: rsaKey(), claims: values{"aud": []string{"account", testResource}}},
		{name: "audience our client", key: rsaKey(), claims: values{"aud": testClient}},
		{name: "resource configured with slash", key: rsaKey(), config: func(c *Config) { c.Resource = []string{testResource + "/"} }},
		{name: "clock of the issuer ahead", key: rsaKey(), claims: values{"nbf": now + 50, "iat": now + 50}},
		{name: "exp with a fraction", key: rsaKey(), claims: values{"exp": float64(now) + 100.5}},
		{name: "no nbf, no iat", key: rsaKey(), claims: values{"nbf": nil, "iat": nil}},
		{name: "scope list", key: rsaKey(), claims: values{"scope": []string{"notes.read", "files.write"}}, scopes: "files.write notes.read"},
		{name: "scp list", key: rsaKey(), claims: values{"scope": nil, "scp": []string{"notes.read"}}, scopes: "notes.read"},
		{name: "scp text", key: rsaKey(), header: untyped, claims: values{"scope": nil, "client_id": nil, "scp": "notes.read"}, scopes: "notes.read"},
		{name: "colon scopes", key: rsaKey(), claims: values{"scope": "notes:write"}, scopes: "notes.write"},
		{name: "prefixed scopes", key: rsaKey(), claims: values{"scope": "openid api/notes.read other/files.read"}, config: func(c *Config) { c.ScopePrefix = "api" }, scopes: "notes.read openid other/files.read"},
		{name: "prefix that is a URL", key: rsaKey(), claims: values{"scope": testResource + "/notes.read"}, config: func(c *Config) { c.ScopePrefix = testResource }, scopes: "notes.read"},
		{name: "claims of no interest", key: rsaKey(), claims: values{"roles": []string{}, "deep": values{"a": []any{1, nil}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.config == nil {
				c.config = func(*Config) {}
			}
			v := newVerifier(standardProvider(), c.config)
			p, err := v.Verify(t.Context(), jwt(c.key, goodHeader().with(c.header), goodClaims().with(c.claims)))
			if err != nil {
				t.Fatal(err)
			}
			if c.scopes != "" && p.Scopes.String() != c.scopes {
				t.Errorf("scopes = %q, want %q", p.Scopes, c.scopes)
			}
		})
	}
}

// TestVerifyRecorded checks tokens that a real Nextcloud signed, by the keys
// it published.
func TestVerifyRecorded(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	p := &provider{rawKeys: read("jwks.json")}
	config := func(c *Config) {
		c.Issuer = "http://127.0.0.1:8080"
		c.Resource = []string{"http://127.0.0.1:8000/mcp"}
		c.Client = func(context.Context) (string, auth.Secret, error) {
			return "m57vkWtn768PjvKRu1wKyi7hvXNnm4ke4XOcUm8MpxbjgD5aN1IQfWHyiYddsUUZ", "x", nil
		}
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Unix(1795404185, 0))) // its iat
		v := newVerifier(p, config)
		got, err := v.Verify(t.Context(), read("access-token.txt"))
		if err != nil {
			t.Fatal(err)
		}
		if got.Subject != "alice" || got.Name != "alice" || !got.Scopes.Has(scope.NotesRead) || got.Expires.Unix() != 1795405085 {
			t.Errorf("principal = %+v", got)
		}
		_, err = v.Verify(t.Context(), read("id-token.txt"))
		wantReason(t, err, http.StatusUnauthorized, WrongType)

		time.Sleep(15 * time.Minute)
		_, err = v.Verify(t.Context(), read("access-token.txt"))
		wantReason(t, err, http.StatusUnauthorized, Expired)
	})
}

// TestNoKeysConfigured checks that signed tokens then go to introspection, and
// never to userinfo, which takes ID tokens at some providers.
func TestNoKeysConfigured(t *testing.T) {
	p := standardProvider()
	v := newVerifier(p, func(c *Config) { c.JWKSURI = "" })
	if got, err := v.Verify(t.Context(), goodToken()); err != nil || got.Subject != "mallory" {
		t.Errorf("by introspection: %+v, %v", got, err)
	}
	asked := p.count("/introspect")
	_, err := v.Verify(t.Context(), goodToken()+".x.y")
	wantReason(t, err, http.StatusUnauthorized, Malformed)
	if n := p.count("/introspect"); n != asked {
		t.Error("a token of five parts was asked about")
	}
	v = newVerifier(p, func(c *Config) { c.JWKSURI, c.IntrospectionURI = "", "" })
	_, err = v.Verify(t.Context(), goodToken())
	wantReason(t, err, http.StatusUnauthorized, NotConfigured)
}

func TestNoIssuer(t *testing.T) {
	v := newVerifier(standardProvider(), func(c *Config) { c.Issuer = "" })
	_, err := v.Verify(t.Context(), jwt(rsaKey(), goodHeader(), goodClaims().with(values{"iss": nil})))
	wantReason(t, err, http.StatusUnauthorized, BadIssuer)
}

// TestClientUnknown checks that a token for our client is not refused for good
// while the client is not known.
func TestClientUnknown(t *testing.T) {
	ready := false
	v := newVerifier(standardProvider(), func(c *Config) {
		c.Client = func(context.Context) (string, auth.Secret, error) {
			if !ready {
				return "", "", errors.New("not registered yet")
			}
			return testClient, testSecret, nil
		}
	})
	token := jwt(rsaKey(), goodHeader(), goodClaims().with(values{"aud": testClient}))
	_, err := v.Verify(t.Context(), token)
	wantReason(t, err, http.StatusServiceUnavailable, NoClient)
	if _, err := v.Verify(t.Context(), goodToken()); err != nil {
		t.Errorf("token for our resource: %v", err)
	}
	ready = true
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("once registered: %v", err)
	}
}

// TestRotation checks that a new key counts at once and without a restart.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{keys: []jose.JSONWebKey{publicKey("rsa", "", rsaKey())}}
		v := newVerifier(p)
		if _, err := v.Verify(t.Context(), goodToken()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		p.set(func(p *provider) { p.keys = []jose.JSONWebKey{publicKey("new", "", otherRSA())} })
		if _, err := v.Verify(t.Context(), jwt(otherRSA(), goodHeader().with(values{"kid": "new"}), goodClaims())); err != nil {
			t.Fatalf("signed by the new key: %v", err)
		}
		_, err := v.Verify(t.Context(), jwt(rsaKey(), goodHeader(), goodClaims().with(values{"jti": "2"})))
		wantReason(t, err, http.StatusUnauthorized, UnknownKey)
	})
}

// TestRotationWithoutKid is the same where keys have no names.
func TestRotationWithoutKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{keys: []jose.JSONWebKey{publicKey("", "", rsaKey())}}
		v := newVerifier(p)
		nameless := goodHeader().with(values{"kid": nil})
		if _, err := v.Verify(t.Context(), jwt(rsaKey(), nameless, goodClaims())); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		p.set(func(p *provider) { p.keys = []jose.JSONWebKey{publicKey("", "", otherRSA())} })
		if _, err := v.Verify(t.Context(), jwt(otherRSA(), nameless, goodClaims())); err != nil {
			t.Fatalf("signed by the new key: %v", err)
		}
		_, err := v.Verify(t.Context(), jwt(rsaKey(), nameless, goodClaims().with(values{"jti": "2"})))
		wantReason(t, err, http.StatusUnauthorized, BadSignature)
	})
}
