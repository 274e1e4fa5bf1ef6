package nextcloudtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// claimsOf reads the payload of a JWT without checking it.
func claimsOf(token string) (map[string]any, error) { return jwtPart(token, 1) }

func jwtPart(token string, n int) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("not a JWT")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[n])
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	return claims, json.Unmarshal(text, &claims)
}

// decodeClaims returns the claims of a JWT, and none for anything else.
func decodeClaims(t *testing.T, token string) map[string]any {
	t.Helper()
	claims, err := claimsOf(token)
	if err != nil {
		return nil
	}
	return claims
}

func verifySignature(t *testing.T, key *signingKey, token string) {
	t.Helper()
	text, encoded, _ := cutLast(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(text))
	if err := rsa.VerifyPKCS1v15(&key.key.PublicKey, crypto.SHA256, sum[:], signature); err != nil {
		t.Errorf("signature: %v", err)
	}
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}
