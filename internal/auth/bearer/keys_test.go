package bearer

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"nextcloud-mcp-server/internal/auth"
)

// TestKeysOpen: the payload of what the issuer signed, and nothing else.
func TestKeysOpen(t *testing.T) {
	p := &provider{keys: []jose.JSONWebKey{publicKey("one", "RS256", rsaKey())}}
	keys := NewKeys(testIssuer+"/jwks", &http.Client{Transport: p}, nil)
	claims := values{"sub": "alice", "exp": time.Now().Unix()}
	good := jwt(rsaKey(), values{"alg": "RS256", "kid": "one", "typ": "JWT"}, claims)
	header, _, _ := strings.Cut(good, ".")
	opened, err := keys.Open(t.Context(), good)
	if err != nil || !strings.Contains(string(opened.Payload), `"sub":"alice"`) || opened.Type != "JWT" || opened.Algorithm != "RS256" {
		t.Errorf("%+v, %v", opened, err)
	}
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, token := range map[string]string{
		"another key":  jwt(otherRSA(), values{"alg": "RS256", "kid": "one"}, claims),
		"no signature": part(`{"alg":"none"}`) + "." + part(`{"sub":"alice"}`) + ".",
		"opaque":       "opaque",
		"too long":     strings.Repeat("x", maxToken+1),
		"empty":        "",
		"changed":      header + "." + part(`{"sub":"bob"}`) + good[strings.LastIndex(good, "."):],
	} {
		opened, err := keys.Open(t.Context(), token)
		var e *auth.Error
		if !errors.As(err, &e) || e.Status != http.StatusUnauthorized || opened != nil {
			t.Errorf("%s: %+v, %v", name, opened, err)
		}
	}
	p.set(func(p *provider) { p.down = true })
	keys = NewKeys(testIssuer+"/jwks", &http.Client{Transport: p}, nil)
	_, err = keys.Open(t.Context(), good)
	var e *auth.Error
	if !errors.As(err, &e) || e.Status != http.StatusServiceUnavailable {
		t.Errorf("without keys: %v", err)
	}
}
