package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// forge is a token with the claims of a good one under another header, signed
// with a secret, or not at all when that is nil.
func forge(good, header string, secret []byte) string {
	claims := strings.Split(good, ".")[1]
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + claims
	if secret == nil {
		return signed + "."
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// TestAttacks: whatever is wrong with a request is answered before MCP is
// spoken, and nothing of it reaches Nextcloud's data.
func TestAttacks(t *testing.T) {
	t.Parallel()
	var ago atomic.Int64 // how far the provider's clock is behind
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{
		SampleData: true, Now: func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) },
	})
	endpoint, said := serve(t, sim)
	base := strings.TrimSuffix(endpoint, "/mcp")
	signed, opaque := addClient(sim, "jwt"), addClient(sim, "opaque")

	good := signIn(t, sim, signed, "alice", endpoint)
	jwt := good.AccessToken
	random := signIn(t, sim, opaque, "alice", endpoint).AccessToken
	const elsewhere = "https://other.example.org/mcp"
	foreignJWT := signIn(t, sim, signed, "alice", elsewhere).AccessToken
	foreign := signIn(t, sim, opaque, "alice", elsewhere).AccessToken
	nobody := signIn(t, sim, signed, "alice", "").AccessToken
	ago.Store(int64(2 * time.Hour))
	oldJWT := signIn(t, sim, signed, "alice", endpoint).AccessToken
	old := signIn(t, sim, opaque, "alice", endpoint).AccessToken
	ago.Store(0)
	keys := get(t, sim.URL()+"/apps/oidc/jwks").body
	_, rest, _ := strings.Cut(keys, `"n":"`)
	modulus, _, _ := strings.Cut(rest, `"`)
	public, err := base64.RawURLEncoding.DecodeString(modulus)
	if err != nil || len(public) < 256 {
		t.Fatalf("no public key in %s", keys)
	}
	idToken, _ := good.Extra("id_token").(string)
	if strings.Count(idToken, ".") != 2 || strings.Count(jwt, ".") != 2 || strings.Contains(random, ".") {
		t.Fatal("the tokens are not what the test needs")
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Add(name, value) }
	}

	const malformed, invalid, none = "malformed", `error="invalid_token"`, ""
	for _, tc := range []struct {
		name, token string
		edit        func(*http.Request)
		status      int
		challenge   string // part of it, with status 401
	}{
		{name: "no token", status: 401, challenge: none},
		{name: "garbage", token: "garbage", status: 401, challenge: invalid},
		{name: "garbage that looks like a JWT", token: "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", status: 401, challenge: invalid},
		{name: "two dots too many", token: jwt + ".a.b", status: 401, challenge: malformed},
		{name: "40 KB", token: strings.Repeat("a", 40<<10), status: 401, challenge: malformed},
		{name: "1 MB", token: strings.Repeat("a", 1<<20), status: 431},
		{name: "alg none", token: forge(jwt, `{"alg":"none","typ":"at+jwt"}`, nil), status: 401, challenge: invalid},
		{name: "alg none with a signature", token: forge(jwt, `{"alg":"none","typ":"at+jwt"}`, public), status: 401, challenge: invalid},
		{name: "HS256 with the public key", token: forge(jwt, `{"alg":"HS256","typ":"at+jwt"}`, public), status: 401, challenge: invalid},
		{name: "HS256 with the public key as published", token: forge(jwt, `{"alg":"HS256","typ":"at+jwt"}`, []byte(keys)), status: 401, challenge: invalid},
		{name: "changed claims", token: strings.Replace(jwt, ".", ".e", 1), status: 401, challenge: invalid},
		{name: "ID token", token: idToken, status: 401, challenge: invalid},
		{name: "JWT of another audience", token: foreignJWT, status: 401, challenge: "ask for resource=" + endpoint},
		{name: "JWT without a resource", token: nobody, status: 401, challenge: "ask for resource=" + endpoint},
		{name: "opaque token of another audience", token: foreign, status: 401, challenge: invalid},
		{name: "expired JWT", token: oldJWT, status: 401, challenge: "expired"},
		{name: "expired opaque token", token: old, status: 401, challenge: invalid},
		{name: "in the query", edit: func(r *http.Request) { r.URL.RawQuery = "access_token=" + jwt }, status: 401, challenge: none},
		{name: "two headers", token: jwt, edit: header("Authorization", "Bearer "+jwt), status: 401, challenge: none},
		{name: "Basic", edit: header("Authorization", "Basic YWxpY2U6YWxpY2UtcGFzc3dvcmQtMQ=="), status: 401, challenge: none},
		{name: "foreign host", token: jwt, edit: func(r *http.Request) { r.Host = "evil.example" }, status: 403},
		{name: "foreign origin", token: jwt, edit: header("Origin", "https://evil.example"), status: 403},
		{name: "null origin", token: random, edit: header("Origin", "null"), status: 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sim.ResetRequests()
			a := post(t, endpoint, tc.token, tc.edit)
			if a.status != tc.status {
				t.Errorf("status %d, want %d: %s", a.status, tc.status, a.body)
			}
			if strings.Contains(a.body, "jsonrpc") || a.header.Get("Mcp-Session-Id") != "" {
				t.Errorf("MCP was spoken: %s", a.body)
			}
			c := a.challenge()
			if tc.status != 401 {
				if c != "" {
					t.Errorf("challenge %q", c)
				}
			} else if !strings.Contains(c, tc.challenge) || (tc.challenge == none) == strings.Contains(c, "error=") ||
				!strings.HasPrefix(c, "Bearer ") || !strings.Contains(c, `resource_metadata="`+base+`/.well-known/oauth-protected-resource/mcp"`) ||
				!strings.Contains(c, `scope="`) {
				t.Errorf("challenge %q", c)
			}
			if found := dataRequests(sim); len(found) != 0 {
				t.Errorf("Nextcloud was asked for %v", found)
			}
		})
	}
	// Otherwise the good tokens prove nothing.
	for _, token := range []string{jwt, random} {
		if a := post(t, endpoint, token, nil); a.status != 200 || !strings.Contains(a.body, "serverInfo") {
			t.Errorf("a good token: %d %s", a.status, a.body)
		}
	}
	for _, token := range []string{jwt, random, foreignJWT, foreign, oldJWT, old, idToken} {
		if strings.Contains(said.String(), token) {
			t.Error("a token is in the log")
		}
	}
}
