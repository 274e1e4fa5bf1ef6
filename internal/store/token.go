package store

import (
	"crypto/sha256"
	"errors"
	"time"

	"nextcloud-mcp-server/internal/scope"
)

// Hash is the SHA-256 of a random secret. Secrets that only have to be
// recognised are kept as hashes.
type Hash [sha256.Size]byte

// HashOf is the hash of a secret.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// ErrReused says that something that may be used once was used again. What
// came of the first use has been ended.
var ErrReused = errors.New("used again")

// Code is an authorization code (RFC 6749, 4.1.2) with what it is bound to.
type Code struct {
	Hash          Hash
	GrantID       string
	ClientID      string
	RedirectURI   string
	CodeChallenge string // S256 (RFC 7636)
	Resource      string // RFC 8707
	Scopes        scope.Set
	ExpiresAt     time.Time
}

// Family is a line of refresh tokens, each replacing the one before, and the
// access tokens that came with them.
type Family struct {
	ID        Hash // of the part that all refresh tokens of the line share
	GrantID   string
	ClientID  string
	Resource  string
	Scopes    scope.Set
	CreatedAt time.Time
	ExpiresAt time.Time // of the current refresh token; zero when the client takes none
}

// Pair is what a token answer hands out, as hashes.
type Pair struct {
	Access        Hash
	AccessScopes  scope.Set // empty for all of the family's
	AccessExpires time.Time
	Refresh       Hash // the zero hash for none
	RefreshUntil  time.Time
}

// AccessToken is a live access token with the grant it belongs to; the grant's
// credential is left out.
type AccessToken struct {
	Grant     Grant
	Scopes    scope.Set // of the token; the grant may hold fewer by now
	ExpiresAt time.Time
}
