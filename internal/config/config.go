// Package config is everything that can be set from outside: one table of
// settings (Settings) that flags, environment variables, the .env file and the
// generated documentation all come from, and the typed Config that the rest of
// the program reads. It is separate so that nothing else looks at the
// environment, and so that every mistake of a start can be shown at once.
package config

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
)

// Config is the configuration of one process. Load makes one; its fields are
// valid when Load reported no problem.
type Config struct {
	Deployment Deployment // how to sign in, when somebody said so; see Mode
	Nextcloud  Nextcloud
	Server     Server
	SignIn     SignIn
	Storage    Storage
	Tools      Tools
	Documents  Documents
	Log        Log
	Metrics    Metrics
}

// Nextcloud is the server that holds people's data.
type Nextcloud struct {
	Host       *url.URL            // as this process reaches it, without a trailing slash
	Public     *url.URL            // as people's browsers reach it; Host unless set
	Username   nextcloud.LoginName // single-user mode only
	Password   auth.Secret         // account or app password; single-user mode only
	LoggedIn   bool                // Host, Username and Password are those of an Account
	SkipVerify bool                // do not verify TLS certificates
	CABundle   string              // PEM file with more certificate authorities; empty for none
	KeepAlive  bool                // reuse connections
}

// Server is how clients reach this process.
type Server struct {
	Transport      Transport
	Host           string         // the address to listen on: an IP address or a name
	Port           int            // 1 to 65535
	PublicURL      *url.URL       // as clients reach it, without a trailing slash
	AllowedHosts   []string       // more Host headers to answer: "name", "name:port" or "name:*" (any port, or none)
	AllowedOrigins []string       // more Origin headers to answer: "https://name" or "https://name:port"
	InsecureNoAuth bool           // serve the single user to a network without any authentication
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
}

// Addr is the address to listen on, in the form of net.Listen.
func (s Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Transport is how MCP messages travel.
type Transport string

// The transports of the MCP specification.
const (
	StreamableHTTP Transport = "streamable-http"
	Stdio          Transport = "stdio"
)

// SignIn is how people sign in and how their tokens are checked.
type SignIn struct {
	ClientID     string      // this server's own client; empty: register one
	ClientSecret auth.Secret // set exactly when ClientID is
	Scopes       scope.Set   // empty: those of the enabled areas
	TokenType    TokenType   // of the registered client

	// AuthorizationServer is who the protected resource metadata names
	// (RFC 9728, 2).
	AuthorizationServer AuthorizationServer
	Method              Method // how people sign in at this server's own authorization server
	Clients             Clients

	DiscoveryURL     string // empty: Nextcloud's own
	Issuer           string // overrides the discovered issuer, compared byte by byte
	PublicIssuer     string // the issuer as clients reach it; empty: the discovered one
	JWKSURI          string // these three override what discovery says
	IntrospectionURI string
	UserinfoURI      string
	ResourceServerID string // prefix that the issuer puts before scope names

	BackoffBase time.Duration // first wait after a failed discovery
	BackoffMax  time.Duration // longest wait between two discoveries

	BearerPassthrough bool // a caller's bearer may be sent on to Nextcloud
}

// AuthorizationServer is who clients get their tokens from.
type AuthorizationServer string

// The authorization servers that can be chosen.
const (
	Self   AuthorizationServer = "self"   // this server
	Issuer AuthorizationServer = "issuer" // the OpenID provider itself
)

// Method is how people prove to this server who they are.
type Method string

// The methods.
const (
	AutoMethod      Method = "auto"      // the OpenID provider where there is one, else Login Flow
	OIDCMethod      Method = "oidc"      // the OpenID provider
	LoginFlowMethod Method = "loginflow" // Nextcloud Login Flow v2
)

// Clients is which MCP clients may connect to this server's own authorization
// server.
type Clients struct {
	Configured   []Client
	Registration bool           // clients may register themselves (RFC 7591)
	Schemes      []string       // URL schemes of native programs that redirect URIs may have
	Networks     []netip.Prefix // private networks that clients' metadata documents may be fetched from

	// InsecureDocuments lets metadata documents come over http from loopback,
	// for the demo; nothing sets it from outside.
	InsecureDocuments bool
}

// Client is an MCP client that the configuration names: a public one, which
// proves itself by PKCE.
type Client struct {
	ID           string
	RedirectURIs []string // empty: any port on loopback, path /callback
}

// TokenType is the kind of access token that a registered client asks for.
type TokenType string

// The token types of Nextcloud's oidc app.
const (
	Opaque TokenType = "opaque"
	JWT    TokenType = "jwt"
)

// Storage is where the process remembers.
type Storage struct {
	Database      string        // path of the SQLite file
	URL           auth.Secret   // of a PostgreSQL database, which is used instead of Database; empty for none
	EncryptionKey auth.Secret   // 32 bytes in base64; empty: a key file beside Database
	PreviousKeys  []auth.Secret // keys that older secrets may still be encrypted with
}

// TierAuto is the tier of a deployment that leaves it to the clients.
const TierAuto = "auto"

// Tools is what clients are offered. The names are checked against the
// registry by whoever knows it.
type Tools struct {
	ReadOnly bool     // only tools that change nothing
	Areas    []string // only these areas; empty: all
	Only     []string // only these tools; empty: all
	Exclude  []string // never these tools
	Tier     string   // auto, core, extended or complete

	ExcludedTags []string // system tags of files that no tool may reach
	UploadFolder string   // whose files may be uploaded, over stdio; empty: none
}

// Documents is how the text of files is read.
type Documents struct {
	MaxMiB       int           // the largest file that is read
	Timeout      time.Duration // of one document
	OCR          bool          // recognize text on pictures with the host's tesseract
	OCRLanguages string        // as tesseract takes them: "eng+deu"
	Converters   bool          // use programs of the host where our own reading fails
}

// Log is what is logged, and how.
type Log struct {
	Level  slog.Level
	Format LogFormat
}

// LogFormat is the shape of log lines.
type LogFormat string

// The log formats.
const (
	Text LogFormat = "text"
	JSON LogFormat = "json"
)

// Metrics is the listener for Prometheus, apart from the MCP one.
type Metrics struct {
	Enabled bool
	Host    string
	Port    int // 1 to 65535
}

// Addr is the address to listen on, in the form of net.Listen.
func (m Metrics) Addr() string { return net.JoinHostPort(m.Host, strconv.Itoa(m.Port)) }

// Deployment is the explicit choice of how people sign in; the zero value
// leaves it to what else is set.
type Deployment string

// The deployments that can be chosen.
const (
	SingleUserBasic Deployment = "single_user_basic"
	MultiUserBasic  Deployment = "multi_user_basic"
	LoginFlow       Deployment = "login_flow"
)

// Mode is who the process works for.
type Mode int

// The modes.
const (
	OAuth      Mode = iota // many people, each signing in
	SingleUser             // one person, whose credentials are in the configuration
	MultiUser              // many people, whose credentials come with each request
)

// String is the mode in words.
func (m Mode) String() string {
	switch m {
	case SingleUser:
		return "single-user"
	case MultiUser:
		return "multi-user Basic"
	case OAuth:
	}
	return "OAuth"
}

// Mode is the chosen mode, or the one that follows from the credentials: with
// any, single-user (Validate says when one is missing); without, OAuth.
func (c *Config) Mode() Mode {
	switch {
	case c.Deployment == LoginFlow:
		return OAuth
	case c.Deployment == MultiUserBasic:
		return MultiUser
	case c.Deployment == SingleUserBasic, c.Nextcloud.Username != "", c.Nextcloud.Password != "":
		return SingleUser
	}
	return OAuth
}
