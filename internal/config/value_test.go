package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestValues(t *testing.T) {
	tests := []struct {
		name string
		args []string
		env  []string
		get  func(*Config) any
		want any
	}{
		{
			name: "trailing slash", env: []string{"NEXTCLOUD_HOST=HTTPS://Cloud.Example.org/nextcloud//"},
			get: func(c *Config) any { return c.Nextcloud.Host.String() }, want: "https://cloud.example.org/nextcloud",
		},
		{
			name: "default port", env: []string{"NEXTCLOUD_MCP_SERVER_URL=https://mcp.example.org:443/x/"},
			get: func(c *Config) any { return c.Server.PublicURL.String() }, want: "https://mcp.example.org/x",
		},
		{
			name: "public address follows the port", args: []string{"-p", "9000"},
			get: func(c *Config) any { return c.Server.PublicURL.String() }, want: "http://localhost:9000",
		},
		{
			name: "issuer as written", env: []string{"OIDC_ISSUER=https://id.example.org/"},
			get: func(c *Config) any { return c.SignIn.Issuer }, want: "https://id.example.org/",
		},
		{
			name: "older name", env: []string{"OIDC_DISCOVERY_URI=https://id.example.org/d"},
			get: func(c *Config) any { return c.SignIn.DiscoveryURL }, want: "https://id.example.org/d",
		},
		{
			name: "http is streamable-http", args: []string{"-t", "http"},
			get: func(c *Config) any { return c.Server.Transport }, want: StreamableHTTP,
		},
		{
			name: "Bearer is opaque", env: []string{"NEXTCLOUD_OIDC_TOKEN_TYPE=Bearer"},
			get: func(c *Config) any { return c.SignIn.TokenType }, want: Opaque,
		},
		{
			name: "jwt", args: []string{"--oauth-token-type", "jwt"},
			get: func(c *Config) any { return c.SignIn.TokenType }, want: JWT,
		},
		{
			name: "never pass bearers", env: []string{"NEXTCLOUD_BEARER_PASSTHROUGH=never"},
			get: func(c *Config) any { return c.SignIn.BearerPassthrough }, want: false,
		},
		{
			name: "do not verify", env: []string{"NEXTCLOUD_VERIFY_SSL=False"},
			get: func(c *Config) any { return c.Nextcloud.SkipVerify }, want: true,
		},
		{
			name: "fraction of a second", env: []string{"OIDC_DISCOVERY_BACKOFF_BASE=0.5"},
			get: func(c *Config) any { return c.SignIn.BackoffBase }, want: 500 * time.Millisecond,
		},
		{
			name: "critical", env: []string{"LOG_LEVEL=CRITICAL"},
			get: func(c *Config) any { return c.Log.Level }, want: slog.LevelError,
		},
		{
			name: "trace", args: []string{"-l", "trace"},
			get: func(c *Config) any { return c.Log.Level }, want: slog.LevelDebug,
		},
		{
			name: "warn", args: []string{"-l", "warn"},
			get: func(c *Config) any { return c.Log.Level }, want: slog.LevelWarn,
		},
		{
			name: "scopes", env: []string{"NEXTCLOUD_OIDC_SCOPES=openid notes:read,notes.write"},
			get: func(c *Config) any { return c.SignIn.Scopes.String() }, want: "notes.read notes.write openid",
		},
		{
			name: "areas", env: []string{"MCP_AREAS=notes, calendar,,"},
			get: func(c *Config) any { return c.Tools.Areas }, want: []string{"notes", "calendar"},
		},
		{
			name: "areas by the older flag", args: []string{"-e", "notes", "--enable-app", "deck", "--areas", "files"}, env: []string{"MCP_AREAS=mail"},
			get: func(c *Config) any { return c.Tools.Areas }, want: []string{"files", "notes", "deck"},
		},
		{
			name: "hosts", env: []string{"MCP_ALLOWED_HOSTS=MCP.example.org, mcp:8000,[::1]:*,10.0.0.1:*"},
			get: func(c *Config) any { return c.Server.AllowedHosts }, want: []string{"mcp.example.org", "mcp:8000", "[::1]:*", "10.0.0.1:*"},
		},
		{
			name: "origins", env: []string{"MCP_ALLOWED_ORIGINS=https://Chat.example.org/,http://a:1"},
			get: func(c *Config) any { return c.Server.AllowedOrigins }, want: []string{"https://chat.example.org", "http://a:1"},
		},
		{
			name: "IPv6 address", args: []string{"--host", "[::1]"},
			get: func(c *Config) any { return c.Server.Addr() }, want: "[::1]:8000",
		},
		{
			name: "read only", args: []string{"--read-only"},
			get: func(c *Config) any { return c.Tools.ReadOnly }, want: true,
		},
		{
			name: "flag against the environment", args: []string{"--read-only=false"}, env: []string{"MCP_READ_ONLY=true"},
			get: func(c *Config) any { return c.Tools.ReadOnly }, want: false,
		},
		{
			name: "empty flag", args: []string{"--tier", ""}, env: []string{"MCP_TIER=extended"},
			get: func(c *Config) any { return c.Tools.Tier }, want: "extended",
		},
		{
			name: "spaces around", env: []string{"PORT= 8001 "},
			get: func(c *Config) any { return c.Server.Port }, want: 8001,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _, err := Load(parse(t, tt.args...), append(slices.Clone(many), tt.env...), EnvFile{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tt.get(c)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongValues(t *testing.T) {
	tests := []struct{ set, want string }{
		{"NEXTCLOUD_HOST=cloud.example.org", "the scheme is missing; did you mean https://cloud.example.org?"},
		{"NEXTCLOUD_HOST=ftp://cloud.example.org", "the URL must begin with https:// or http://"},
		{"NEXTCLOUD_HOST=bob:hunter2@cloud", "it is not a URL that begins with https:// or http://"},
		{"NEXTCLOUD_HOST=https://bob:hunter2@cloud", "the URL holds a user name or password; they have settings of their own"},
		{"NEXTCLOUD_HOST=https://cloud/?a=hunter2", "it has a query (?...), which the address of a server has not"},
		{"NEXTCLOUD_HOST=https://cloud/#hunter2", "the URL has a fragment (#...)"},
		{"NEXTCLOUD_HOST=https://", "the URL has no host name"},
		{"NEXTCLOUD_HOST=https://cloud:99999", "the URL has a port that is not from 1 to 65535"},
		{"NEXTCLOUD_HOST=https://clo ud%zz", "it is not a valid URL"},
		{`NEXTCLOUD_HOST="https://cloud"`, "the value has quotes around it; write it without them"},
		{"NEXTCLOUD_CA_BUNDLE=/does/not/exist.pem", "/does/not/exist.pem cannot be read: no such file or directory"},
		{"PORT=0", `"0" is not a port number from 1 to 65535`},
		{"METRICS_PORT=65536", `"65536" is not a port number from 1 to 65535`},
		{"MCP_HOST=127.0.0.1:80", "it is neither an IP address nor a host name (the port goes into PORT)"},
		{"MCP_TRANSPORT=sse", "the sse transport was removed from MCP; use streamable-http"},
		{"MCP_TRANSPORT=grpc", `"grpc" is not one of streamable-http, http, stdio`},
		{"MCP_AUTHORIZATION_SERVER=me", `"me" is not one of self, issuer`},
		{"MCP_SIGN_IN=saml", `"saml" is not one of auto, oidc, loginflow`},
		{"FORWARDED_ALLOW_IPS=10.0.0.0/8,proxy", `"proxy" is neither an IP address nor a prefix such as 10.0.0.0/8`},
		{"MCP_REDIRECT_SCHEMES=cursor,javascript", `"javascript" is not the URL scheme of a program`},
		{"MCP_REDIRECT_SCHEMES=a b", `"a b" is not the URL scheme of a program`},
		{"ALLOWED_MCP_CLIENTS=a,https://x.example", `"https://x.example" is not the id of a client`},
		{"ALLOWED_MCP_CLIENTS=a,a|https://x.example/cb", `the client "a" is there twice; write all its redirect URIs into one entry`},
		{"ALLOWED_MCP_CLIENTS=a|/callback", `"/callback" is not a redirect URI`},
		{"ALLOWED_MCP_CLIENTS=a|https://x.example/cb#f", `"https://x.example/cb#f" is not a redirect URI`},
		{"NEXTCLOUD_VERIFY_SSL=maybe", `"maybe" is neither true nor false`},
		{"OIDC_DISCOVERY_BACKOFF_BASE=-1", `"-1" is not a number of seconds from 0 to 3600`},
		{"OIDC_DISCOVERY_BACKOFF_BASE=NaN", `"NaN" is not a number of seconds from 0 to 3600`},
		{"OIDC_DISCOVERY_BACKOFF_MAX=0", `"0" is not a number of seconds from 0.1 to 3600`},
		{"OIDC_DISCOVERY_BACKOFF_MAX=0.5", "it is less than OIDC_DISCOVERY_BACKOFF_BASE"},
		{"MCP_ALLOWED_HOSTS=*", `"*" is not of the form name, name:port or name:*`},
		{"MCP_ALLOWED_HOSTS=https://a", `"https://a" is not of the form name, name:port or name:*`},
		{"MCP_ALLOWED_HOSTS=a:", `"a:" is not of the form name, name:port or name:*`},
		{"MCP_ALLOWED_HOSTS=[1.2.3.4]", `"[1.2.3.4]" is not of the form name, name:port or name:*`},
		{"MCP_ALLOWED_HOSTS=[::1", `"[::1" is not of the form name, name:port or name:*`},
		{"MCP_ALLOWED_ORIGINS=chat.example.org", `"chat.example.org" is not of the form https://name or https://name:port`},
		{"MCP_ALLOWED_ORIGINS=http://a:*", `"http://a:*" is not of the form https://name or https://name:port`},
		{"TOKEN_ENCRYPTION_KEY=hunter2", "it is not 32 bytes in base64"},
		{"JWKS_URI=id.example.org/jwks", "the scheme is missing; did you mean https://id.example.org/jwks?"},
	}
	for _, tt := range tests {
		t.Run(tt.set, func(t *testing.T) {
			variable, _, _ := strings.Cut(tt.set, "=")
			_, _, err := Load(nil, append(slices.Clone(many), tt.set), EnvFile{})
			if diff := cmp.Diff([]string{variable + ": " + tt.want}, problemsOf(t, err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestKeysInEveryFormOfBase64(t *testing.T) {
	for _, key := range []string{
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd//8=",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd__8=",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd__8",
	} {
		if _, _, err := Load(nil, append([]string{"TOKEN_ENCRYPTION_KEY=" + key}, many...), EnvFile{}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestConnecting(t *testing.T) {
	c, _, err := Load(nil, append([]string{
		"FORWARDED_ALLOW_IPS=127.0.0.1, 10.1.2.3/8,::ffff:192.0.2.1",
		"ALLOWED_MCP_CLIENTS=desk, web|https://a.example/cb|https://b.example/cb",
		"MCP_REDIRECT_SCHEMES=Zed",
		"DATABASE_URL=postgresql+asyncpg://mcp:hunter2@db/mcp?sslmode=require",
		"TOKEN_ENCRYPTION_KEY=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd__8",
	}, many...), EnvFile{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(c.Server.TrustedProxies), "[127.0.0.1/32 10.0.0.0/8 192.0.2.1/32]"; got != want {
		t.Errorf("proxies %s, want %s", got, want)
	}
	want := Clients{Registration: true, Schemes: []string{"zed"}, Configured: []Client{
		{ID: "desk"}, {ID: "web", RedirectURIs: []string{"https://a.example/cb", "https://b.example/cb"}},
	}}
	if diff := cmp.Diff(want, c.SignIn.Clients); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	if got, want := c.Storage.URL.Reveal(), "postgres://mcp:hunter2@db/mcp?sslmode=require"; got != want {
		t.Errorf("database %s, want %s", got, want)
	}
}

func TestDatabaseURL(t *testing.T) {
	for value, want := range map[string]string{
		"mysql://db/mcp": "DATABASE_URL: it is not the URL of a PostgreSQL database (postgres://user@host/name)",
		"sqlite:///x.db": "DATABASE_URL: SQLite needs no URL; set TOKEN_STORAGE_DB to the path of the file",
		"postgres://db/": "TOKEN_ENCRYPTION_KEY: DATABASE_URL needs it, the same for every replica: there is no file beside the database to keep a key in",
	} {
		_, _, err := Load(nil, append([]string{"DATABASE_URL=" + value}, many...), EnvFile{})
		if diff := cmp.Diff([]string{want}, problemsOf(t, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
}
