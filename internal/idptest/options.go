package idptest

import "time"

// Options are the settings of New; nil and the zero value are a provider that
// keeps to the standards, with the users alice and bob and no client.
type Options struct {
	Users []User           // DefaultUsers when empty
	Now   func() time.Time // time.Now when nil
	// Issuer is what the provider calls itself; its address when empty.
	Issuer string

	TokenLifetime time.Duration // of access and ID tokens, 5 min by default
	// Audience is the "aud" of access tokens without a resource; "account" by
	// default, as Keycloak has it.
	Audience string
	// Scopes are known beside those of OpenID Connect; any other is refused
	// with invalid_scope.
	Scopes []string
	// AuthMethods are how clients may authenticate: client_secret_basic and
	// client_secret_post by default.
	AuthMethods []string

	Consent          bool   // a consent page for every sign-in
	Opaque           bool   // access tokens are no JWTs
	IssParameter     bool   // answers of the authorization endpoint carry iss (RFC 9207)
	NoOfflineAccess  bool   // offline_access is not known, and there are no refresh tokens
	KeepRefreshToken bool   // refreshing does not replace the refresh token, and its answer has none
	NoNames          bool   // names are in userinfo only
	NoAudience       bool   // access tokens have client_id and token_use in place of aud, as Cognito's
	ScopePrefix      string // Scopes are asked for and granted as "prefix/scope", as Cognito's

	// Keycloak makes tokens and answers those of a Keycloak 26: access tokens
	// have azp and names, and no client_id; a resource that is asked for is ignored; tokens say what they are in their
	// claims; profile and email are granted without being asked for; every
	// sign-in has a refresh token, and those that were replaced stay good; answers of the authorization endpoint carry session_state.
	Keycloak bool

	// ForgeIDToken changes header and claims of an ID token before it is signed.
	// What it returns is used in place of the token, unless it is empty.
	ForgeIDToken func(s *Server, header, claims map[string]any) string
}

// User is a person of the provider.
type User struct {
	Subject  string
	Username string // typed into the login form
	Name     string
	Email    string
	Password string
}

// DefaultUsers are the people a provider without Options.Users has.
func DefaultUsers() []User {
	return []User{
		{Subject: "5a0c3d52-alice", Username: "alice", Name: "Alice Example", Email: "alice@example.org", Password: "alice-provider-1"},
		{Subject: "77b1e9f0-bob", Username: "bob", Name: "Bob Example", Email: "bob@example.org", Password: "bob-provider-1"},
	}
}

// Client is an application that is known to the provider.
type Client struct {
	ID           string
	Secret       string
	RedirectURIs []string
	// Audience is the "aud" of its access tokens without a resource;
	// Options.Audience when empty.
	Audience []string
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if len(out.Users) == 0 {
		out.Users = DefaultUsers()
	}
	if out.Now == nil {
		out.Now = time.Now
	}
	if out.TokenLifetime == 0 {
		out.TokenLifetime = 5 * time.Minute
	}
	if out.Audience == "" {
		out.Audience = "account"
	}
	if out.AuthMethods == nil {
		out.AuthMethods = []string{"client_secret_basic", "client_secret_post"}
	}
	return out
}
