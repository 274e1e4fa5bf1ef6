package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// isProof reports whether s may be a code verifier or a code challenge: 43 to
// 128 unreserved characters (RFC 7636, 4.1 and 4.2).
func isProof(s string) bool {
	if len(s) < 43 || len(s) > 128 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}

// proves reports whether verifier is what challenge was made of, by S256 (RFC
// 7636, 4.6).
func proves(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	made := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(made), []byte(challenge)) == 1
}
