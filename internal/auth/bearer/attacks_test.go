package bearer

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"nextcloud-mcp-server/internal/auth"
)

// attack is one way to be let in without the right.
type attack struct {
	name  string
	token string
	want  Reason
}

// hs256 signs with a secret, as the classic confusion of algorithms does.
func hs256(secret []byte, header, claims values) string {
	b64 := base64.RawURLEncoding.EncodeToString
	input := b64([]byte(header.json())) + "." + b64([]byte(claims.json()))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

func attacks() []attack {
	head := func(more values) string { return jwt(rsaKey(), goodHeader().with(more), goodClaims()) }
	body := func(more values) string { return jwt(rsaKey(), goodHeader(), goodClaims().with(more)) }
	untyped := func(more values) string {
		return jwt(rsaKey(), goodHeader().with(values{"typ": "JWT"}), goodClaims().with(more))
	}
	raw := func(header, payload string) string { return jwtOf(rsaKey(), "RS256", header, payload) }
	now := time.Now().Unix()
	good := goodToken()
	part := strings.Split(good, ".")
	pkix := must(x509.MarshalPKIXPublicKey(rsaKey().Public()))
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})
	jwk := must(json.Marshal(publicKey("rsa", "", rsaKey())))
	foreignJWK := publicKey("rsa", "", otherRSA())
	claimsJSON := goodClaims().json()
	foreign := func(more values) string { return jwt(otherRSA(), goodHeader().with(more), goodClaims()) }
	idToken := values{"aud": testClient, "azp": testClient, "client_id": nil, "scope": nil, "preferred_username": nil}

	return []attack{
		{"alg none", part0(values{"alg": "none", "typ": "at+jwt"}) + "." + part[1] + ".", Malformed},
		{"alg none with a signature", part0(values{"alg": "none", "kid": "rsa"}) + "." + part[1] + "." + part[2], BadAlgorithm},
		{"alg None", head(values{"alg": "None"}), BadAlgorithm},
		{"alg missing", head(values{"alg": nil}), BadAlgorithm},
		{"alg empty", head(values{"alg": ""}), BadAlgorithm},
		{"alg number", raw(`{"alg":256,"kid":"rsa"}`, claimsJSON), Malformed},
		{"alg null", raw(`{"alg":null,"kid":"rsa"}`, claimsJSON), BadAlgorithm},
		{"alg in lower case", head(values{"alg": "rs256"}), BadAlgorithm},
		{"alg in mixed case", head(values{"alg": "Rs256"}), BadAlgorithm},
		{"alg by another name", raw(`{"ALG":"RS256","kid":"rsa","typ":"at+jwt"}`, claimsJSON), BadAlgorithm},
		{"HS256 with the public key as PEM", hs256(pemKey, goodHeader().with(values{"alg": "HS256"}), goodClaims()), BadAlgorithm},
		{"HS256 with the public key as JWK", hs256(jwk, goodHeader().with(values{"alg": "HS256"}), goodClaims()), BadAlgorithm},
		{"HS256 with the public key as DER", hs256(pkix, goodHeader().with(values{"alg": "HS256"}), goodClaims()), BadAlgorithm},
		{"ES256 with an RSA key", head(values{"alg": "ES256"}), UnknownKey},
		{"RS256 with an EC key", jwt(p256(), goodHeader().with(values{"kid": "p256"}), goodClaims()), UnknownKey},
		{"ES384 with a P-256 key", jwt(p256(), values{"alg": "ES384", "kid": "p256", "typ": "at+jwt"}, goodClaims()), UnknownKey},
		{"PS256 header on a RS256 signature", raw(goodHeader().with(values{"alg": "PS256"}).json(), claimsJSON), BadSignature},
		{"other hash", raw(goodHeader().with(values{"alg": "RS384"}).json(), claimsJSON), BadSignature},
		{"short RSA key", jwt(smallRSA(), goodHeader().with(values{"kid": "small"}), goodClaims()), UnknownKey},
		{"key for encryption", jwt(otherRSA(), goodHeader().with(values{"kid": "enc"}), goodClaims()), UnknownKey},

		{"unpublished key", foreign(values{"kid": "theirs"}), UnknownKey},
		{"unpublished key under a published kid", foreign(nil), BadSignature},
		{"no kid and no published key", jwt(p384(), values{"alg": "RS256", "typ": "at+jwt"}, goodClaims()), BadSignature},
		{"foreign jku", foreign(values{"jku": "https://evil.example/jwks"}), BadSignature},
		{"foreign x5u", foreign(values{"x5u": "https://evil.example/cert.pem"}), BadSignature},
		{"foreign jku with a kid of its own", foreign(values{"jku": "https://evil.example/jwks", "kid": "evil"}), UnknownKey},
		{"embedded jwk", foreign(values{"jwk": foreignJWK}), BadSignature},
		{"embedded jwk under a foreign kid", foreign(values{"jwk": foreignJWK, "kid": "evil"}), BadSignature},
		{"kid with a path", head(values{"kid": "../../../../dev/null"}), UnknownKey},
		{"kid with SQL", head(values{"kid": "x' UNION SELECT 'secret"}), UnknownKey},
		{"kid with a null byte", head(values{"kid": "rsa\x00"}), UnknownKey},
		{"kid very long", head(values{"kid": strings.Repeat("k", 3000)}), Malformed},
		{"kid not a string", head(values{"kid": []string{"rsa"}}), Malformed},
		{"header very long", head(values{"pad": strings.Repeat("x", 5000)}), Malformed},
		{"crit", head(values{"crit": []string{"exp"}, "exp": now + 900}), Malformed},
		{"crit empty", head(values{"crit": []string{}}), Malformed},
		{"b64", head(values{"b64": false, "crit": []string{"b64"}}), Malformed},
		{"nested token", head(values{"cty": "JWT"}), Malformed},
		{"compressed token", head(values{"zip": "DEF"}), Malformed},

		{"issuer foreign", body(values{"iss": "https://evil.example"}), BadIssuer},
		{"issuer with trailing slash", body(values{"iss": testIssuer + "/"}), BadIssuer},
		{"issuer in another case", body(values{"iss": "https://Cloud.example.com"}), BadIssuer},
		{"issuer missing", body(values{"iss": nil}), BadIssuer},
		{"issuer list", body(values{"iss": []string{testIssuer}}), Malformed},
		{"issuer by a null-byte key", body(values{"iss": nil, "iss\x00": testIssuer}), BadIssuer},
		{"issuer by an upper-case key", body(values{"iss": nil, "ISS": testIssuer}), BadIssuer},

		{"audience foreign", body(values{"aud": "https://other.example.com/mcp"}), BadAudience},
		{"audience prefix", body(values{"aud": testResource + "-evil"}), BadAudience},
		{"audience below ours", body(values{"aud": testResource + "/more"}), BadAudience},
		{"audience above ours", body(values{"aud": "https://mcp.example"}), BadAudience},
		{"audience with two slashes", body(values{"aud": testResource + "//"}), BadAudience},
		{"audience in another case", body(values{"aud": strings.ToUpper(testResource)}), BadAudience},
		{"audience joined by a space", body(values{"aud": testResource + " x"}), BadAudience},
		{"audience empty", body(values{"aud": ""}), BadAudience},
		{"audience empty list", body(values{"aud": []string{}}), BadAudience},
		{"audience missing", body(values{"aud": nil}), BadAudience},
		{"audience missing, our client_id", body(values{"aud": nil, "client_id": testClient}), BadAudience},
		{"audience object", body(values{"aud": values{testResource: true}}), Malformed},
		{"audience null", raw(goodHeader().json(), `{"iss":"`+testIssuer+`","sub":"a","exp":99999999999,"aud":null}`), BadAudience},

		{"expired", body(values{"exp": now - 1}), Expired},
		{"expired long ago", body(values{"exp": 1}), Expired},
		{"exp missing", body(values{"exp": nil}), Malformed},
		{"exp null", raw(goodHeader().json(), `{"iss":"`+testIssuer+`","sub":"a","exp":null,"aud":"`+testResource+`"}`), Malformed},
		{"exp string", body(values{"exp": "99999999999"}), Malformed},
		{"exp huge", body(values{"exp": json.Number("1e300")}), Malformed},
		{"exp beyond numbers", body(values{"exp": json.Number("1e999")}), Malformed},
		{"exp negative", body(values{"exp": -1}), Malformed},
		{"exp bool", body(values{"exp": true}), Malformed},
		{"nbf to come", body(values{"nbf": now + 120}), NotYetValid},
		{"nbf string", body(values{"nbf": "0"}), Malformed},
		{"iat to come", body(values{"iat": now + 120}), NotYetValid},

		{"ID token as Nextcloud makes it", untyped(idToken.with(values{"nonce": "n"})), WrongType},
		{"ID token without nonce", untyped(idToken), WrongType},
		{"ID token without typ", jwt(rsaKey(), goodHeader().with(values{"typ": nil}), goodClaims().with(idToken)), WrongType},
		{"ID token with scope and at_hash", untyped(values{"at_hash": "x", "aud": testClient}), WrongType},
		{"ID token with scope and c_hash", untyped(values{"c_hash": "x", "aud": testClient}), WrongType},
		{"ID token with scope and nonce", untyped(values{"nonce": "n", "aud": testClient}), WrongType},
		{"ID token of Keycloak", untyped(values{"typ": "ID", "aud": testClient}), WrongType},
		{"ID token of Keycloak with an access header", body(values{"typ": "ID"}), WrongType},
		{"ID token of Cognito", untyped(values{"token_use": "id", "aud": testClient}), WrongType},
		{"refresh token of Keycloak", untyped(values{"typ": "Refresh"}), WrongType},
		{"offline token of Keycloak", untyped(values{"typ": "Offline"}), WrongType},
		{"refresh token by token_use", untyped(values{"token_use": "refresh_token"}), WrongType},
		{"logout token", untyped(values{"events": values{"http://schemas.openid.net/event/backchannel-logout": values{}}}), WrongType},
		{"logout token by header", head(values{"typ": "logout+jwt"}), WrongType},
		{"proof token by header", head(values{"typ": "dpop+jwt"}), WrongType},

		{"subject missing", body(values{"sub": nil}), NoSubject},
		{"subject empty", body(values{"sub": ""}), NoSubject},
		{"subject with a null byte", body(values{"sub": "alice\x00"}), NoSubject},
		{"subject very long", body(values{"sub": strings.Repeat("a", 300)}), NoSubject},
		{"subject number", body(values{"sub": 1}), Malformed},

		{"duplicate alg", raw(`{"alg":"RS256","kid":"rsa","typ":"at+jwt","alg":"RS256"}`, claimsJSON), Malformed},
		{"duplicate sub", raw(goodHeader().json(), strings.Replace(claimsJSON, `{`, `{"sub":"admin",`, 1)), Malformed},
		{"duplicate aud", raw(goodHeader().json(), strings.Replace(claimsJSON, `{`, `{"aud":"x",`, 1)), Malformed},
		{"claims array", raw(goodHeader().json(), `[`+claimsJSON+`]`), Malformed},
		{"claims null", raw(goodHeader().json(), `null`), BadIssuer},
		{"claims with something after", raw(goodHeader().json(), claimsJSON+`{}`), Malformed},
		{"claims not JSON", raw(goodHeader().json(), `sub=alice`), Malformed},
		{"header null", raw(`{}`, claimsJSON), BadAlgorithm},

		{"empty", "", Malformed},
		{"empty signature", part[0] + "." + part[1] + ".", Malformed},
		{"empty payload", part[0] + ".." + part[2], Malformed},
		{"signature cut", good[:len(good)-2], BadSignature},
		{"signature spelt otherwise", respelt(good), Malformed},
		{"payload of another token", part[0] + "." + strings.Split(body(values{"sub": "admin"}), ".")[1] + "." + part[2], BadSignature},
		{"a dot too few", part[0] + "." + part[1], Malformed},
		{"a dot too many", good + ".x", Malformed},
		{"two dots too many", good + ".x.y", Malformed},
		{"JWE", part0(values{"alg": "RSA-OAEP", "enc": "A256GCM"}) + ".a.b.c.d", Malformed},
		{"only dots after a header", part[0] + strings.Repeat(".", 1000), Malformed},
		{"JSON serialization", `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`, Malformed},
		{"one megabyte", good + strings.Repeat("A", 1<<20), Malformed},
		{"one byte over the limit", strings.Repeat("A", maxToken+1), Malformed},
		{"null byte", good + "\x00", Malformed},
		{"null byte inside", part[0] + "." + part[1] + "\x00." + part[2], Malformed},
		{"newline at the end", good + "\n", Malformed},
		{"newline inside", part[0] + ".\n" + part[1] + "." + part[2], Malformed},
		{"space before", " " + good, Malformed},
		{"two tokens", good + "," + good, Malformed},
		{"padding", good + "=", Malformed},
		{"not UTF-8", "\xff\xfe", Malformed},
	}
}

func part0(header values) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header.json()))
}

// respelt is the same token with other spare bits in its last character.
func respelt(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[i^1])
}

// TestAttacks tries each attack on a verifier whose introspection and userinfo
// endpoints would vouch for anything: none may be let in, by no way around.
func TestAttacks(t *testing.T) {
	p := standardProvider()
	var log logs
	v := newVerifier(p, func(c *Config) { c.Log = log.logger() })
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			for range 2 { // the second time from memory
				principal, err := v.Verify(t.Context(), a.token)
				if principal != nil || err == nil {
					t.Fatalf("let in as %+v", principal)
				}
				wantReason(t, err, http.StatusUnauthorized, a.want)
				if len(a.token) > 40 && strings.Contains(err.Error(), a.token[len(a.token)-40:]) {
					t.Errorf("the error quotes the token: %v", err)
				}
			}
		})
	}
	if n := p.count("/introspect") + p.count("/userinfo"); n != 0 {
		t.Errorf("a refused JWT was tried as an opaque token %d times", n)
	}
	for path := range p.calls {
		if path != "/jwks" {
			t.Errorf("a token made the server ask for %s", path)
		}
	}
	if _, err := v.Verify(t.Context(), goodToken()); err != nil {
		t.Errorf("a good token among the attacks: %v", err)
	}
	for _, a := range attacks() {
		// The log must not even hold a signature or a payload.
		for part := range strings.SplitSeq(a.token, ".") {
			if len(part) > 40 && strings.Contains(log.String(), part[:40]) {
				t.Errorf("%s: the log quotes the token", a.name)
			}
		}
	}
}

// TestAttackDescriptions checks the sentences callers see.
func TestAttackDescriptions(t *testing.T) {
	v := newVerifier(standardProvider())
	for _, c := range []struct {
		claims values
		want   string
	}{
		{values{"exp": time.Now().Unix() - 1}, "the access token has expired"},
		{values{"aud": "x"}, "the access token was issued for another audience: ask for resource=" + testResource},
		{values{"iss": "x"}, "the access token comes from another issuer"},
	} {
		_, err := v.Verify(t.Context(), jwt(rsaKey(), goodHeader(), goodClaims().with(c.claims)))
		if e, ok := errors.AsType[*auth.Error](err); !ok || e.Description != c.want {
			t.Errorf("description of %v = %v, want %q", c.claims, err, c.want)
		}
	}
}

// TestKeySet checks which published keys count.
func TestKeySet(t *testing.T) {
	rsaJWK := func(kid string, key crypto.Signer, more values) json.RawMessage {
		var v values
		if err := json.Unmarshal(must(json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: kid})), &v); err != nil {
			t.Fatal(err)
		}
		return json.RawMessage(v.with(more).json())
	}
	set := func(keys ...json.RawMessage) string { return values{"keys": keys}.json() }
	private := json.RawMessage(must(json.Marshal(jose.JSONWebKey{Key: rsaKey(), KeyID: "rsa"})))
	junk := json.RawMessage(`{"kty":"RSA","n":5}`)
	alien := json.RawMessage(`{"kty":"quantum","kid":"rsa"}`)
	for _, c := range []struct {
		name string
		keys string
		want Reason // empty when the good token passes
	}{
		{"plain", set(rsaJWK("rsa", rsaKey(), nil)), ""},
		{"beside junk and unknown types", set(junk, alien, rsaJWK("rsa", rsaKey(), nil)), ""},
		{"no kid in the set", set(rsaJWK("", rsaKey(), nil)), UnknownKey},
		{"duplicate kid: the first counts", set(rsaJWK("rsa", rsaKey(), nil), rsaJWK("rsa", otherRSA(), nil)), ""},
		{"duplicate kid: the second does not", set(rsaJWK("rsa", otherRSA(), nil), rsaJWK("rsa", rsaKey(), nil)), BadSignature},
		{"same kid, other type", set(rsaJWK("rsa", p256(), nil), rsaJWK("rsa", rsaKey(), nil)), ""},
		{"key_ops verify", set(rsaJWK("rsa", rsaKey(), values{"key_ops": []string{"verify"}})), ""},
		{"key_ops encrypt", set(rsaJWK("rsa", rsaKey(), values{"key_ops": []string{"encrypt"}}), rsaJWK("x", p256(), nil)), UnknownKey},
		{"use enc", set(rsaJWK("rsa", rsaKey(), values{"use": "enc"}), rsaJWK("x", p256(), nil)), UnknownKey},
		{"alg of another algorithm", set(rsaJWK("rsa", rsaKey(), values{"alg": "PS256"})), UnknownKey},
		{"private key", set(private, rsaJWK("x", p256(), nil)), UnknownKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newVerifier(&provider{rawKeys: c.keys})
			_, err := v.Verify(t.Context(), goodToken())
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantReason(t, err, http.StatusUnauthorized, c.want)
		})
	}
	for _, keys := range []string{`{"keys":[]}`, `{}`, `[]`, `<html>`, set(junk), strings.Repeat(" ", maxKeySet+1)} {
		_, err := newVerifier(&provider{rawKeys: keys}).Verify(t.Context(), goodToken())
		wantReason(t, err, http.StatusServiceUnavailable, NoSigningKeys)
	}
}
