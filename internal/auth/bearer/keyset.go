package bearer

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

const (
	maxKeys    = 64
	minRSABits = 2048
	maxRSABits = 8192 // bounds the work of one check
)

var errNoUsableKey = errors.New("key set holds no usable signing key")

// algorithms are the accepted ones: asymmetric, and spelt exactly so. "none"
// and the HS family are left out for good: with a published key as the secret
// anybody could sign (RFC 8725, 2.1).
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512,
	jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512,
	jose.EdDSA,
}

// keySet is an issuer's signing keys at one time. It is never changed.
type keySet struct {
	keys    []jose.JSONWebKey
	fetched time.Time
	renew   time.Time // when to look for newer ones
}

// parseKeys reads a JWK set (RFC 7517, 5). What is not a public signing key of
// a known kind is left out, and so is a second key of the same kid and type.
func parseKeys(body []byte) ([]jose.JSONWebKey, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, errors.New("key set is not JSON")
	}
	var keys []jose.JSONWebKey
	for _, r := range raw.Keys[:min(len(raw.Keys), maxKeys)] {
		var use struct {
			Ops []string `json:"key_ops"`
		}
		var k jose.JSONWebKey
		if json.Unmarshal(r, &use) != nil || json.Unmarshal(r, &k) != nil {
			continue
		}
		forSigning := (k.Use == "" || k.Use == "sig") && (use.Ops == nil || slices.Contains(use.Ops, "verify"))
		if forSigning && kty(k.Key) != "" && !slices.ContainsFunc(keys, func(o jose.JSONWebKey) bool {
			return o.KeyID == k.KeyID && k.KeyID != "" && kty(o.Key) == kty(k.Key)
		}) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errNoUsableKey
	}
	return keys, nil
}

// kty is the type of a public key that may sign tokens; empty for all others.
func kty(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= minRSABits && bits <= maxRSABits {
			return "RSA"
		}
	case *ecdsa.PublicKey:
		return "EC"
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return "OKP"
		}
	}
	return ""
}

// fits reports whether key may have signed with alg.
func fits(key *jose.JSONWebKey, alg jose.SignatureAlgorithm) bool {
	if key.Algorithm != "" && key.Algorithm != string(alg) {
		return false
	}
	switch alg {
	case jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512:
		return kty(key.Key) == "RSA"
	case jose.ES256:
		return onCurve(key.Key, elliptic.P256())
	case jose.ES384:
		return onCurve(key.Key, elliptic.P384())
	case jose.ES512:
		return onCurve(key.Key, elliptic.P521())
	case jose.EdDSA:
		return kty(key.Key) == "OKP"
	default:
		return false
	}
}

func onCurve(key any, curve elliptic.Curve) bool {
	k, ok := key.(*ecdsa.PublicKey)
	return ok && k.Curve == curve
}

// find is the key of that kid that fits alg. A token without a kid is taken
// only where there is no choice.
func (s *keySet) find(kid string, alg jose.SignatureAlgorithm) *jose.JSONWebKey {
	var found *jose.JSONWebKey
	for i := range s.keys {
		k := &s.keys[i]
		if (kid != "" && k.KeyID != kid) || !fits(k, alg) {
			continue
		}
		if found != nil {
			return nil
		}
		found = k
	}
	return found
}
