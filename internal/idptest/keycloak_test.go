package idptest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/idptest"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestKeycloak: what was seen on a Keycloak 26.7.3.
func TestKeycloak(t *testing.T) {
	p := idptest.Start(t, &idptest.Options{Keycloak: true})
	cfg := config(p, p.AddClient(idptest.Client{RedirectURIs: []string{redirect}, Audience: []string{"nextcloud"}}))
	verifier := oauth2.GenerateVerifier()
	back := visit(t, cfg.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("resource", "https://ignored.example")), "alice-provider-1")
	if back.Get("iss") != p.Issuer() || back.Get("session_state") == "" {
		t.Errorf("came back with %v", back)
	}
	token, err := cfg.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	idToken, _ := token.Extra("id_token").(string)
	for name, want := range map[string]any{"aud": "nextcloud", "azp": cfg.ClientID, "typ": "Bearer", "preferred_username": "alice", "client_id": nil} {
		if got := claims(t, token.AccessToken)[name]; got != want {
			t.Errorf("access token: %s is %v, want %v", name, got, want)
		}
	}
	if got := claims(t, idToken)["typ"]; got != "ID" {
		t.Errorf("ID token: typ %v", got)
	}
	if token.RefreshToken == "" {
		t.Fatal("no refresh token without offline_access")
	}
	renew := func() error {
		_, err := cfg.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		return err
	}
	for range 2 {
		if err := renew(); err != nil {
			t.Errorf("a refresh token that was replaced: %v", err)
		}
	}

	p.Disable("alice")
	if err := renew(); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("refresh of a disabled account: %v", err)
	}
	_, err = nextcloudtest.NewBrowser("alice", "alice-provider-1").Visit(t.Context(), cfg.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)), redirect)
	if !errors.Is(err, nextcloudtest.ErrLoginRefused) || !strings.Contains(err.Error(), "disabled") {
		t.Errorf("sign-in of a disabled account: %v", err)
	}
}

func claims(t *testing.T, token string) (out map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
