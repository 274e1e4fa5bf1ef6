package idptest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"sync"
)

// signingKey is an RSA key with its name.
type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

// keyRing makes keys when they are first needed and shares them between all
// providers of the process, because making one takes long.
var keyRing struct {
	mu   sync.Mutex // guards the field below
	keys []*signingKey
}

func keyNumber(n int) *signingKey {
	keyRing.mu.Lock()
	defer keyRing.mu.Unlock()
	for len(keyRing.keys) <= n {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err) // only for a broken random source
		}
		keyRing.keys = append(keyRing.keys, &signingKey{id: fmt.Sprintf("key-%d-%s", len(keyRing.keys), rand.Text()[:6]), key: key})
	}
	return keyRing.keys[n]
}

func (s *Server) key() *signingKey {
	s.mu.Lock()
	n := s.keyIndex
	s.mu.Unlock()
	return keyNumber(n)
}

// RotateKeys makes the provider sign with another key from now on; the old one
// leaves the key set.
func (s *Server) RotateKeys() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keyIndex++
}

// Sign makes a JWT with the current key, whatever its header says.
func (s *Server) Sign(header, claims map[string]any) string { return s.key().sign(header, claims) }

// PublicKey is the modulus of the current key, which everybody knows.
func (s *Server) PublicKey() []byte { return s.key().key.N.Bytes() }

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	k := s.key()
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.id,
		"n": base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.key.E)).Bytes()),
	}}})
}

func (k *signingKey) sign(header, claims map[string]any) string {
	text := Encode(header, claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // only for a key that is too small
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// Encode is the first two parts of a JWT: what gets signed.
func Encode(header, claims map[string]any) string {
	return encodePart(header) + "." + encodePart(claims)
}

func encodePart(v map[string]any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // claims are maps of strings, numbers and lists
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
