package nextcloud

import (
	"encoding/base64"
	"net/http"

	"nextcloud-mcp-server/internal/auth"
)

// LoginName is what a person types to sign in and what Basic authentication
// takes. With LDAP or e-mail logins it differs from the UserID.
type LoginName string

// UserID is Nextcloud's own id of a person ("uid"), the user segment of DAV
// paths.
type UserID string

// Credentials put one person's proof on a request.
type Credentials interface {
	// Authorize sets the Authorization header of r.
	Authorize(r *http.Request)
}

// Basic are a login name with an account password or app password (RFC 7617).
type Basic struct {
	LoginName LoginName
	Password  auth.Secret
}

// Authorize implements Credentials.
func (b Basic) Authorize(r *http.Request) {
	plain := string(b.LoginName) + ":" + b.Password.Reveal()
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(plain)))
}

// Bearer is an OAuth access token (RFC 6750), which Nextcloud takes when the
// user_oidc app validates bearer tokens.
type Bearer struct {
	Token auth.Secret
}

// Authorize implements Credentials.
func (b Bearer) Authorize(r *http.Request) {
	r.Header.Set("Authorization", "Bearer "+b.Token.Reveal())
}

// Anonymous sends no credentials.
type Anonymous struct{}

// Authorize implements Credentials.
func (Anonymous) Authorize(*http.Request) {}
