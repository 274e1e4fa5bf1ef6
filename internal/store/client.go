package store

import "time"

// Client is an MCP client that registered itself (RFC 7591).
type Client struct {
	ID              string
	Name            string
	URI             string // client_uri; may be empty
	ApplicationType string // "web" or "native"
	RedirectURIs    []string
	GrantTypes      []string
	AuthMethod      string // token_endpoint_auth_method
	Scope           string // as registered, space-separated; may be empty
	Secret          Hash   // the zero hash for public clients
	Registration    Hash   // of the registration access token (RFC 7592)
	CreatedAt       time.Time
	LastUsedAt      time.Time // the last authorization or token request; zero means never
}
