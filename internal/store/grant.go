package store

import (
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
)

// Grant is one connection: what one client may do for one person, and the
// credential that this server uses at Nextcloud for it.
type Grant struct {
	ID    string // random; it proves nothing and may be shown
	State GrantState

	UserID      nextcloud.UserID
	LoginName   nextcloud.LoginName
	DisplayName string
	Issuer      string       // who vouched for the person; the Nextcloud's address after Login Flow v2
	Subject     auth.Subject // the person there; the user id after Login Flow v2
	Method      SignInMethod

	ClientID     string
	ClientName   string
	ClientURI    string // the client's home page; may be empty
	ClientKind   ClientKind
	RedirectHost string // where the client's answers go: "claude.ai", "127.0.0.1", "cursor:"

	Scopes scope.Set
	Policy policy.Policy

	Credential Credential

	CreatedAt  time.Time
	LastUsedAt time.Time // zero means never
	ExpiresAt  time.Time // zero means never
}

// GrantState is how far a grant has come.
type GrantState string

// The states. A grant that ended is deleted.
const (
	GrantPending GrantState = "pending" // the person signed in and has not consented yet
	GrantActive  GrantState = "active"
)

// SignInMethod is how a person proved who they are.
type SignInMethod string

// The methods.
const (
	ByLoginFlow SignInMethod = "loginflow" // Nextcloud Login Flow v2
	ByOIDC      SignInMethod = "oidc"      // an OpenID provider
)

// ClientKind is how a client is known.
type ClientKind string

// The kinds.
const (
	ClientDocument   ClientKind = "document"   // by a client id metadata document
	ClientRegistered ClientKind = "registered" // registered itself (RFC 7591)
	ClientConfigured ClientKind = "configured" // named in the configuration
)

// Credential is what this server shows Nextcloud for a grant. The zero value
// is none.
type Credential struct {
	Kind CredentialKind
	// Secret is an app password, or a refresh token.
	Secret auth.Secret
	Host   string // the Nextcloud it is for, as a base URL
	// Version counts the replacements, so that of two processes that replace
	// it at once one notices.
	Version int64
}

// CredentialKind is the kind of a Credential.
type CredentialKind string

// The kinds.
const (
	AppPasswordCredential  CredentialKind = "app_password"
	RefreshTokenCredential CredentialKind = "refresh_token" // of this server's own client at the OpenID provider
)

// EndReason is why a grant ended, for the log and the audit.
type EndReason string

// The reasons.
const (
	EndedByPerson    EndReason = "ended by the person"
	EndedByClient    EndReason = "revoked by the client"
	EndedByNextcloud EndReason = "refused by Nextcloud"
	EndedByReuse     EndReason = "a token was used twice"
	EndedByTime      EndReason = "expired"
	EndedUnused      EndReason = "not used for long"
	EndedUnconfirmed EndReason = "not consented to"
)

// Revocation is an app password that Nextcloud still has to be told to delete.
type Revocation struct {
	ID        string
	Host      string
	LoginName nextcloud.LoginName
	UserID    nextcloud.UserID
	Password  auth.Secret // empty when it does not decrypt
	Attempts  int
	CreatedAt time.Time
	DueAt     time.Time
}
