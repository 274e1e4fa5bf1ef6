package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/idptest"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// provider is an OpenID provider outside Nextcloud, where alice has an account
// with the password that she has in Nextcloud, too.
type provider interface {
	// discovery is the address of its description.
	discovery() string
	// client makes a confidential client, whose access tokens name audience.
	client(t *testing.T, id, redirect string, audience ...string) (secret string)
	// disable takes alice's account away.
	disable(t *testing.T)
}

// providerOptions are what a test needs of a provider.
type providerOptions struct {
	scopes []string      // known beside those of OpenID Connect
	tokens time.Duration // how long access tokens live
}

// standIn is the simulated provider in the role of a Keycloak.
type standIn struct{ *idptest.Server }

func newStandIn(t *testing.T, opts providerOptions) provider {
	t.Helper()
	return standIn{idptest.Start(t, &idptest.Options{
		Keycloak: true, Scopes: opts.scopes, TokenLifetime: opts.tokens,
		Users: []idptest.User{{Subject: "0b7c-alice", Username: "alice", Name: "Alice Example", Email: "alice@example.org", Password: "alice-password-1"}},
	})}
}

func (s standIn) discovery() string { return s.URL() + wellKnown }

func (s standIn) client(_ *testing.T, id, redirect string, audience ...string) string {
	return s.AddClient(idptest.Client{ID: id, RedirectURIs: []string{redirect}, Audience: audience}).Secret
}

func (s standIn) disable(*testing.T) { s.Disable("alice") }

const wellKnown = "/.well-known/openid-configuration"

// description is what a test reads of a provider.
type description struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Keys          string `json:"jwks_uri"`
}

func describe(t *testing.T, p provider) (d description) {
	t.Helper()
	fetch(t, p.discovery(), &d)
	return d
}

func fetch(t *testing.T, address string, into any) {
	t.Helper()
	a := get(t, address)
	if err := json.Unmarshal([]byte(a.body), into); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s: %d %v", address, a.status, err)
	}
}

// userOIDC is what Nextcloud's user_oidc does with a bearer token (--check-bearer=1,
// --mapping-uid=preferred_username): it checks signature, end, issuer, and
// that the audience is its own client at the provider.
func userOIDC(t *testing.T, p provider, clientID string) func(token string) (userID string, ok bool) {
	t.Helper()
	d := describe(t, p)
	var keys jose.JSONWebKeySet
	fetch(t, d.Keys, &keys)
	return func(token string) (string, bool) {
		parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil || len(parsed.Headers) != 1 {
			return "", false
		}
		for _, key := range keys.Key(parsed.Headers[0].KeyID) {
			var standard jwt.Claims
			var names struct {
				User string `json:"preferred_username"`
			}
			if parsed.Claims(key, &standard, &names) != nil {
				continue
			}
			good := standard.ValidateWithLeeway(jwt.Expected{Issuer: d.Issuer, Time: time.Now()}, 0) == nil
			return names.User, good && slices.Contains(standard.Audience, clientID)
		}
		return "", false
	}
}

// tokensAt signs alice in at the provider as a client does that goes there
// directly.
func tokensAt(t *testing.T, p provider, id, secret, redirect string, scopes ...string) *oauth2.Token {
	t.Helper()
	d := describe(t, p)
	cfg := oauth2.Config{
		ClientID: id, ClientSecret: secret, RedirectURL: redirect, Scopes: append([]string{"openid"}, scopes...),
		Endpoint: oauth2.Endpoint{AuthURL: d.Authorization, TokenURL: d.Token, AuthStyle: oauth2.AuthStyleInParams},
	}
	verifier := oauth2.GenerateVerifier()
	back, err := nextcloudtest.NewBrowser("alice", "alice-password-1").Visit(t.Context(), cfg.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), redirect)
	if err != nil {
		t.Fatal(err)
	}
	token, err := cfg.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return token
}
