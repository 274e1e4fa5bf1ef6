package oauth

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

// Codes and tokens are random and say nothing; only their hashes are kept. The
// prefixes let programs that look for leaked secrets find them.
const (
	ownPrefix     = "ncmcp_"
	codePrefix    = ownPrefix + "ac_"
	accessPrefix  = ownPrefix + "at_"
	refreshPrefix = ownPrefix + "rt_"
)

// The sizes, in random bytes.
const (
	secretBytes = 32
	familyBytes = 16 // it only names the family, and proves nothing
)

// The lengths in characters, without prefix.
var (
	secretLen = base64.RawURLEncoding.EncodedLen(secretBytes)
	familyLen = base64.RawURLEncoding.EncodedLen(familyBytes)
)

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func newCode() auth.Secret { return auth.Secret(codePrefix + random(secretBytes)) }

func newAccess() auth.Secret { return auth.Secret(accessPrefix + random(secretBytes)) }

// newFamily names a family of refresh tokens. All of them share the name, so
// that one that was used long ago still leads to its family.
func newFamily() string { return random(familyBytes) }

func newRefresh(family string) auth.Secret {
	return auth.Secret(refreshPrefix + family + random(secretBytes))
}

// refreshFamily is the family's name in a refresh token; false when it is not
// one of ours.
func refreshFamily(token string) (string, bool) {
	rest, ok := strings.CutPrefix(token, refreshPrefix)
	if !ok || len(rest) != familyLen+secretLen {
		return "", false
	}
	return rest[:familyLen], true
}

func isCode(s string) bool {
	return strings.HasPrefix(s, codePrefix) && len(s) == len(codePrefix)+secretLen
}

func isAccess(s string) bool {
	return strings.HasPrefix(s, accessPrefix) && len(s) == len(accessPrefix)+secretLen
}

// IsOwn reports whether a bearer token is one of this server's, of whatever
// kind: such a token is nobody else's business, and is never sent elsewhere to
// be checked.
func IsOwn(token string) bool { return strings.HasPrefix(token, ownPrefix) }

func hashOf(s auth.Secret) store.Hash { return store.HashOf(s.Reveal()) }
