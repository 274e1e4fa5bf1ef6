package nextcloudtest

import "time"

// DefaultVersion is the Nextcloud that the recordings were made with.
const DefaultVersion = "34.0.1"

// Options are the settings of New; nil and the zero value are a stock Nextcloud 34 with the apps oidc, user_oidc, notes,
// calendar and deck and the three DefaultUsers.
type Options struct {
	// Version is what status.php says, "34.0.1" by default. Behaviour that changed between versions follows it, as seen
	// on 28.0.2, 29.0.1, 30.0.5, 31.0.2 and 34.0.1.
	Version string
	Users   []User           // DefaultUsers when empty
	Now     func() time.Time // time.Now when nil

	// BaseURL is the address people use, such as "https://cloud.example", without a path. Empty: the address of Listen,
	// else the Host header of each request.
	BaseURL string

	TokenType            string        // access tokens of clients that do not choose: "opaque" (default) or "jwt"
	ClientLifetime       time.Duration // of dynamically registered clients, 1 h by default
	TokenLifetime        time.Duration // announced for access tokens, 15 min by default; honoured twice as long
	RefreshTokenLifetime time.Duration // 15 min by default
	MaxClients           int           // dynamically registered at the same time, 100 by default

	DisableRegistration   bool // the oidc app refuses dynamic registration
	RateLimitRegistration bool // registration is refused from the 11th call within a minute on
	DisableOIDC           bool // the oidc app is not installed
	DisableUserOIDC       bool // no API takes OAuth access tokens
	DisableNotes          bool // the notes app is not installed
	DisableDeck           bool // the deck app is not installed
	DisableMail           bool // the mail app is not installed
	DisableTables         bool // the tables app is not installed
	DisableTalk           bool // the spreed app is not installed
	DisablePKCEMetadata   bool // discovery is silent about PKCE
	ForbidAppPasswords    bool // auth_can_create_app_token is off: no exchange; Login Flow v2 does not look at it
	Consent               bool // allow_user_settings: people choose scopes on a consent page
	Maintenance           bool // see SetMaintenance
	UntrustedDomain       bool // see SetUntrustedDomain
	BruteForceLimit       int  // bad logins after which an address is locked out, 12 by default; negative: never

	// AllowedUserAgents are regular expressions of applications that may use Login Flow v2
	// (core.login_flow_v2.allowed_user_agents); empty: all may.
	AllowedUserAgents []string
	// FlowServer is what Login Flow v2 says the server's address is; empty: its address.
	FlowServer string
	// AcceptBearer is a provider of user_oidc with check-bearer: it says which user a token of another issuer is for.
	AcceptBearer func(token string) (userID string, ok bool)

	// Sharing are the settings of sharing files.
	Sharing SharingPolicy

	// SampleData fills every account with a few notes, events and tasks.
	SampleData bool
}

// User is a person of the simulated Nextcloud.
type User struct {
	ID          string // the uid, a segment of DAV paths
	LoginName   string // what the person types; ID when empty. With LDAP the two differ.
	DisplayName string // ID when empty
	Email       string
	Password    string
	TimeZone    string // IANA name, "UTC" when empty
	Groups      []string
	Admin       bool
	Disabled    bool
}

// DefaultUsers are the people a Nextcloud without Options.Users has.
func DefaultUsers() []User {
	return []User{
		{ID: "alice", DisplayName: "Alice Example", Email: "alice@example.org", Password: "alice-password-1"},
		{ID: "bob", DisplayName: "Bob Example", Email: "bob@example.org", Password: "bob-password-1"},
		{ID: "admin", DisplayName: "admin", Password: "admin-password-1", Groups: []string{"admin"}, Admin: true},
	}
}

// withDefaults returns a copy in which every unset setting has its default.
func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Version == "" {
		out.Version = DefaultVersion
	}
	if len(out.Users) == 0 {
		out.Users = DefaultUsers()
	}
	if out.Now == nil {
		out.Now = time.Now
	}
	if out.TokenType == "" {
		out.TokenType = tokenTypeOpaque
	}
	if out.ClientLifetime == 0 {
		out.ClientLifetime = time.Hour
	}
	if out.TokenLifetime == 0 {
		out.TokenLifetime = 15 * time.Minute
	}
	if out.RefreshTokenLifetime == 0 {
		out.RefreshTokenLifetime = 15 * time.Minute
	}
	if out.MaxClients == 0 {
		out.MaxClients = 100
	}
	if out.Sharing.DefaultPermissions == 0 {
		out.Sharing.DefaultPermissions = int(allRights)
	}
	if out.BruteForceLimit == 0 {
		out.BruteForceLimit = 12
	}
	return out
}

// withDefaults returns a copy in which every unset field that others are derived from is set.
func (u User) withDefaults() User {
	if u.LoginName == "" {
		u.LoginName = u.ID
	}
	if u.DisplayName == "" {
		u.DisplayName = u.ID
	}
	if u.TimeZone == "" {
		u.TimeZone = "UTC"
	}
	return u
}
