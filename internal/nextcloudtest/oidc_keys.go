package nextcloudtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
)

// signingKey is an RSA key with its name.
type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

// keyRing makes keys when they are first needed and shares them between all servers of the process, because making one
// takes longer than most tests.
var keyRing struct {
	mu   sync.Mutex // guards the fields below
	keys []*signingKey
}

// keyNumber returns the n-th key of the process.
func keyNumber(n int) *signingKey {
	keyRing.mu.Lock()
	defer keyRing.mu.Unlock()
	for len(keyRing.keys) <= n {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err) // only for a broken random source
		}
		sum := sha256.Sum256(key.N.Bytes())
		id := fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
		keyRing.keys = append(keyRing.keys, &signingKey{id: id, key: key})
	}
	return keyRing.keys[n]
}

// signingKey is the key in use.
func (s *Server) signingKey() *signingKey {
	s.oidc.mu.Lock()
	n := s.oidc.keyIndex
	s.oidc.mu.Unlock()
	return keyNumber(n)
}

// RotateKeys makes the oidc app sign with another key from now on; the old one leaves the key set.
func (s *Server) RotateKeys() {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	s.oidc.keyIndex++
}

// jwk is the public half (RFC 7517).
func (k *signingKey) jwk() any {
	return struct {
		Type       string   `json:"kty"`
		Use        string   `json:"use"`
		Operations []string `json:"key_ops"`
		Algorithm  string   `json:"alg"`
		ID         string   `json:"kid"`
		Modulus    string   `json:"n"`
		Exponent   string   `json:"e"`
	}{
		"RSA", "sig",
		[]string{"verify"},
		"RS256", k.id,
		base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()),
		base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.key.E)).Bytes()),
	}
}

// sign makes a JWT (RFC 7519) with RS256.
func (k *signingKey) sign(typ string, claims any) string {
	header := struct {
		Type      string `json:"typ"`
		Algorithm string `json:"alg"`
		ID        string `json:"kid"`
	}{typ, "RS256", k.id}
	text := encodePart(header) + "." + encodePart(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // only for a key that is too small
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func encodePart(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // claims are maps of strings, numbers and lists
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
