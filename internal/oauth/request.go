package oauth

import (
	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/scope"
)

// Request is an authorization request (RFC 6749, 4.1.1) whose client and
// redirect URI are proven, so that answers may go there.
type Request struct {
	Client        clients.Client
	RedirectURI   string
	State         string
	Scopes        scope.Set // asked for, cut to what this server can grant
	Resource      string    // RFC 8707
	CodeChallenge string    // S256 (RFC 7636)
}
