package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
)

// settings is the table. Flags, variables, .env, secret files, validation
// texts, --help and docs/configuration.md come from it and from nowhere else.
var settings = []Setting{
	{
		Env: "NEXTCLOUD_HOST", Flag: "nextcloud-host", Section: SectionNextcloud,
		Doc:     "Address of Nextcloud, as this server reaches it. A path is fine (https://example.org/nextcloud).",
		Example: "https://cloud.example.org",
		kind:    base(func(c *Config) **url.URL { return &c.Nextcloud.Host }),
	},
	{
		Env: "NEXTCLOUD_PUBLIC_URL", Section: SectionNextcloud, Derived: "`NEXTCLOUD_HOST`",
		Doc:     "Address of Nextcloud, as people's browsers reach it. Used for links and sign-in pages.",
		Example: "https://cloud.example.org",
		kind:    base(func(c *Config) **url.URL { return &c.Nextcloud.Public }),
	},
	{
		Env: "NEXTCLOUD_USERNAME", Flag: "nextcloud-username", Section: SectionNextcloud,
		Doc:     "Login name for single-user mode. Leave it empty for OAuth.",
		Example: "alice",
		kind:    text(func(c *Config) *nextcloud.LoginName { return &c.Nextcloud.Username }),
	},
	{
		Env: "NEXTCLOUD_PASSWORD", Flag: "nextcloud-password", Section: SectionNextcloud, Secret: true,
		Doc:     "App password (Nextcloud: Settings, Security) for single-user mode. An account password works, but each request then costs Nextcloud ten times as much.",
		Example: "app-password",
		kind:    secret(func(c *Config) *auth.Secret { return &c.Nextcloud.Password }),
	},
	{
		Env: "NEXTCLOUD_VERIFY_SSL", Section: SectionNextcloud, Default: "true",
		Doc:  "Verify TLS certificates of Nextcloud and of the OpenID provider. Prefer `NEXTCLOUD_CA_BUNDLE` to switching this off.",
		kind: negated(func(c *Config) *bool { return &c.Nextcloud.SkipVerify }),
	},
	{
		Env: "NEXTCLOUD_CA_BUNDLE", Section: SectionNextcloud,
		Doc:     "PEM file with certificate authorities to trust beside the system's.",
		Example: "/etc/ssl/private-ca.pem",
		kind:    file(func(c *Config) *string { return &c.Nextcloud.CABundle }),
	},
	{
		Env: "NEXTCLOUD_HTTP_KEEPALIVE", Section: SectionNextcloud, Default: "true",
		Doc:  "Reuse connections to Nextcloud.",
		kind: boolean(func(c *Config) *bool { return &c.Nextcloud.KeepAlive }),
	},

	{
		Env: "MCP_TRANSPORT", Flag: "transport", Short: "t", Section: SectionServer, Default: string(StreamableHTTP),
		Doc: "How clients connect. `http` is another word for `streamable-http`.",
		kind: choice(func(c *Config) *Transport { return &c.Server.Transport },
			option[Transport]{name: string(StreamableHTTP), value: StreamableHTTP},
			option[Transport]{name: "http", value: StreamableHTTP},
			option[Transport]{name: string(Stdio), value: Stdio},
			option[Transport]{name: "sse", refusal: "the sse transport was removed from MCP; use streamable-http"}),
	},
	{
		Env: "MCP_HOST", Flag: "host", Section: SectionServer, Default: "127.0.0.1",
		Doc:  "Address to listen on. 0.0.0.0 means every interface.",
		kind: bindHost(func(c *Config) *string { return &c.Server.Host }),
	},
	{
		Env: "PORT", Flag: "port", Short: "p", Section: SectionServer, Default: "8000",
		Doc:  "Port to listen on.",
		kind: port(func(c *Config) *int { return &c.Server.Port }),
	},
	{
		Env: "NEXTCLOUD_MCP_SERVER_URL", Flag: "mcp-server-url", Section: SectionServer, Derived: "`http://localhost:{port}`",
		Doc:     "Address of this server, as clients and browsers reach it. The redirect URI of its OAuth client is this address with `/oauth/callback`, and tokens must be meant for it.",
		Example: "https://mcp.example.org",
		kind:    base(func(c *Config) **url.URL { return &c.Server.PublicURL }),
	},
	{
		Env: "MCP_ALLOWED_HOSTS", Section: SectionServer,
		Doc:     "Host headers to answer beside that of `NEXTCLOUD_MCP_SERVER_URL` and loopback, a comma list of `name`, `name:port` or `name:*` (with or without any port). All others are refused, against DNS rebinding.",
		Example: "mcp.example.org,mcp:8000",
		kind:    hosts(func(c *Config) *[]string { return &c.Server.AllowedHosts }),
	},
	{
		Env: "MCP_ALLOWED_ORIGINS", Section: SectionServer,
		Doc:     "Web origins to answer beside that of `NEXTCLOUD_MCP_SERVER_URL` (and, in OAuth mode, loopback), a comma list.",
		Example: "https://chat.example.org",
		kind:    origins(func(c *Config) *[]string { return &c.Server.AllowedOrigins }),
	},
	{
		Env: "FORWARDED_ALLOW_IPS", Aliases: []string{"MCP_TRUSTED_PROXIES"}, Section: SectionServer,
		Doc:     "Reverse proxies whose `X-Forwarded-For` is believed, a comma list of addresses or prefixes. Only rate limits use it; without it all people behind a proxy share one limit.",
		Example: "127.0.0.1,10.0.0.0/8",
		kind:    prefixes(func(c *Config) *[]netip.Prefix { return &c.Server.TrustedProxies }),
	},
	{
		Env: "MCP_INSECURE_NO_AUTH", Flag: "insecure-no-auth", Section: SectionServer, Default: "false",
		Doc:  "Serve single-user mode to the network without authentication. Everybody who reaches the port then is that user.",
		kind: boolean(func(c *Config) *bool { return &c.Server.InsecureNoAuth }),
	},

	{
		Env: "MCP_DEPLOYMENT_MODE", Section: SectionSignIn,
		Derived: "single-user with `NEXTCLOUD_USERNAME` and `NEXTCLOUD_PASSWORD`, or after the `login` command when `NEXTCLOUD_HOST` is not set either; otherwise OAuth",
		Switches: []Switch{
			{Flag: "oauth", Value: string(LoginFlow), Doc: "Let many people sign in with OAuth, whatever NEXTCLOUD_USERNAME says"},
			{Flag: "no-oauth", Value: string(SingleUserBasic), Doc: "Work for one user, with NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD"},
		},
		Doc: "`login_flow` (many people sign in with OAuth), `single_user_basic` (one person, whose credentials are configured) or `multi_user_basic` (many people, whose login name and app password come with each request).",
		kind: choice(func(c *Config) *Deployment { return &c.Deployment },
			option[Deployment]{name: string(LoginFlow), value: LoginFlow},
			option[Deployment]{name: string(SingleUserBasic), value: SingleUserBasic},
			option[Deployment]{name: string(MultiUserBasic), value: MultiUserBasic},
			option[Deployment]{name: "oauth_single_audience", refusal: "oauth_single_audience is called login_flow now"},
			option[Deployment]{name: "oauth_token_exchange", refusal: "oauth_token_exchange no longer exists; use login_flow"}),
	},
	{
		Env: "NEXTCLOUD_OIDC_CLIENT_ID", Flag: "oauth-client-id", Section: SectionSignIn,
		Derived: "register a client with the provider",
		Doc:     "Id of this server's OAuth client (mode B of the setup guide).",
		Example: "abc123xyz789",
		kind:    text(func(c *Config) *string { return &c.SignIn.ClientID }),
	},
	{
		Env: "NEXTCLOUD_OIDC_CLIENT_SECRET", Flag: "oauth-client-secret", Section: SectionSignIn, Secret: true,
		Doc:     "Secret of this server's OAuth client.",
		Example: "client-secret",
		kind:    secret(func(c *Config) *auth.Secret { return &c.SignIn.ClientSecret }),
	},
	{
		Env: "NEXTCLOUD_OIDC_SCOPES", Flag: "oauth-scopes", Section: SectionSignIn, Derived: "those of the enabled areas",
		Doc:     "OAuth scopes to offer and to ask for, separated by spaces.",
		Example: "openid profile email notes.read notes.write",
		kind:    scopes(func(c *Config) *scope.Set { return &c.SignIn.Scopes }),
	},
	{
		Env: "NEXTCLOUD_OIDC_TOKEN_TYPE", Flag: "oauth-token-type", Section: SectionSignIn, Default: "bearer",
		Doc: "Access tokens that a registered client asks for. `bearer` means `opaque`.",
		kind: choice(func(c *Config) *TokenType { return &c.SignIn.TokenType },
			option[TokenType]{name: "bearer", value: Opaque},
			option[TokenType]{name: string(Opaque), value: Opaque},
			option[TokenType]{name: string(JWT), value: JWT}),
	},
	{
		Env: "MCP_AUTHORIZATION_SERVER", Section: SectionSignIn, Default: string(Self),
		Doc: "Who issues the tokens of clients. `self` is this server: people sign in at their Nextcloud and say on its consent page what a client may do. `issuer` is the OpenID provider itself: Nextcloud's `oidc` app, or that of `OIDC_DISCOVERY_URL`.",
		kind: choice(func(c *Config) *AuthorizationServer { return &c.SignIn.AuthorizationServer },
			option[AuthorizationServer]{name: string(Self), value: Self},
			option[AuthorizationServer]{name: string(Issuer), value: Issuer}),
	},
	{
		Env: "MCP_SIGN_IN", Section: SectionSignIn, Default: string(AutoMethod),
		Doc: "How people sign in when this server issues the tokens. `oidc` at the OpenID provider, `loginflow` by Nextcloud's Login Flow v2, which every Nextcloud has; `auto` takes the provider where there is one.",
		kind: choice(func(c *Config) *Method { return &c.SignIn.Method },
			option[Method]{name: string(AutoMethod), value: AutoMethod},
			option[Method]{name: string(OIDCMethod), value: OIDCMethod},
			option[Method]{name: string(LoginFlowMethod), value: LoginFlowMethod}),
	},
	{
		Env: "MCP_CLIENT_REGISTRATION", Section: SectionSignIn, Default: "true",
		Doc:  "Let MCP clients register themselves (RFC 7591), which most of them need. Clients with a metadata document and those of `ALLOWED_MCP_CLIENTS` can connect without.",
		kind: boolean(func(c *Config) *bool { return &c.SignIn.Clients.Registration }),
	},
	{
		Env: "ALLOWED_MCP_CLIENTS", Section: SectionSignIn,
		Doc:     "MCP clients that need no registration, a comma list of `id|redirect URI`, with more redirect URIs after further `|`. An id alone may redirect to any loopback port with the path `/callback`.",
		Example: "my-assistant|https://assistant.example.org/callback",
		kind:    clients(func(c *Config) *[]Client { return &c.SignIn.Clients.Configured }),
	},
	{
		Env: "MCP_REDIRECT_SCHEMES", Section: SectionSignIn, Default: "cursor,vscode,vscode-insiders",
		Doc:  "URL schemes of programs on people's computers that clients may be sent back to, a comma list. https, and http on loopback, are always allowed.",
		kind: schemes(func(c *Config) *[]string { return &c.SignIn.Clients.Schemes }),
	},
	{
		Env: "MCP_CLIENT_NETWORKS", Section: SectionSignIn,
		Doc:     "Private networks that metadata documents of clients may be fetched from, a comma list of addresses or prefixes. All others are refused.",
		Example: "10.1.0.0/16",
		kind:    prefixes(func(c *Config) *[]netip.Prefix { return &c.SignIn.Clients.Networks }),
	},
	{
		Env: "NEXTCLOUD_BEARER_PASSTHROUGH", Section: SectionSignIn, Default: "auto",
		Doc: "Whether a caller's token may be sent on to Nextcloud. `auto` where the issuer serves both, `never` to use app passwords only.",
		kind: choice(func(c *Config) *bool { return &c.SignIn.BearerPassthrough },
			option[bool]{name: "auto", value: true}, option[bool]{name: "never", value: false}),
	},
	{
		Env: "OIDC_DISCOVERY_URL", Aliases: []string{"OIDC_DISCOVERY_URI"}, Section: SectionSignIn,
		Derived: "`{NEXTCLOUD_HOST}/.well-known/openid-configuration`",
		Doc:     "Discovery document of another OpenID provider than Nextcloud.",
		Example: "https://id.example.org/realms/main/.well-known/openid-configuration",
		kind:    endpoint(func(c *Config) *string { return &c.SignIn.DiscoveryURL }),
	},
	{
		Env: "OIDC_ISSUER", Section: SectionSignIn, Derived: "discovered",
		Doc:     "Issuer that tokens must name.",
		Example: "https://cloud.example.org",
		kind:    endpoint(func(c *Config) *string { return &c.SignIn.Issuer }),
	},
	{
		Env: "NEXTCLOUD_PUBLIC_ISSUER_URL", Flag: "public-issuer-url", Section: SectionSignIn, Derived: "the issuer",
		Doc:     "Issuer, as clients reach it. For when that differs from how this server reaches it.",
		Example: "https://cloud.example.org",
		kind:    endpoint(func(c *Config) *string { return &c.SignIn.PublicIssuer }),
	},
	{
		Env: "JWKS_URI", Section: SectionSignIn, Derived: "discovered",
		Doc:     "Address of the provider's signing keys.",
		Example: "https://cloud.example.org/apps/oidc/jwks",
		kind:    endpoint(func(c *Config) *string { return &c.SignIn.JWKSURI }),
	},
	{
		Env: "INTROSPECTION_URI", Section: SectionSignIn, Derived: "discovered",
		Doc:     "Address of the provider's token introspection.",
		Example: "https://cloud.example.org/apps/oidc/introspect",
		kind:    endpoint(func(c *Config) *string { return &c.SignIn.IntrospectionURI }),
	},
	{
		Env: "USERINFO_URI", Section: SectionSignIn, Derived: "discovered",
		Doc:     "Address of the provider's userinfo.",
		Example: "https://cloud.example.org/apps/oidc/userinfo",
		kind:    endpoint(func(c *Config) *string { return &c.SignIn.UserinfoURI }),
	},
	{
		Env: "OIDC_RESOURCE_SERVER_ID", Section: SectionSignIn,
		Doc:     "Prefix that the provider puts before scope names (AWS Cognito).",
		Example: "nextcloud-mcp",
		kind:    text(func(c *Config) *string { return &c.SignIn.ResourceServerID }),
	},
	{
		Env: "OIDC_DISCOVERY_BACKOFF_BASE", Section: SectionSignIn, Default: "1",
		Doc:  "Seconds to wait after the first failed discovery. The wait grows up to `OIDC_DISCOVERY_BACKOFF_MAX`, and discovery goes on until it succeeds.",
		kind: seconds(func(c *Config) *time.Duration { return &c.SignIn.BackoffBase }, 0, time.Hour),
	},
	{
		Env: "OIDC_DISCOVERY_BACKOFF_MAX", Section: SectionSignIn, Default: "15",
		Doc: "Seconds to wait between two discoveries at most.",
		// A tenth of a second at least: the waits end at this value, and none
		// would ask a broken provider without pause.
		kind: seconds(func(c *Config) *time.Duration { return &c.SignIn.BackoffMax }, time.Second/10, time.Hour),
	},

	{
		Env: "TOKEN_STORAGE_DB", Section: SectionStorage,
		Derived: "`/app/data/tokens.db` in the container, else `$XDG_STATE_HOME/nextcloud-mcp-server/tokens.db`, else `~/.local/state/nextcloud-mcp-server/tokens.db`, on Windows `%LOCALAPPDATA%\\nextcloud-mcp-server\\tokens.db`",
		Doc:     "SQLite file with client registrations and grants. It must survive restarts.",
		Example: "/var/lib/nextcloud-mcp-server/tokens.db",
		kind:    file(func(c *Config) *string { return &c.Storage.Database }),
	},
	{
		Env: "DATABASE_URL", Section: SectionStorage, Secret: true,
		Doc:     "PostgreSQL database to use instead of the SQLite file, for more than one replica. `TOKEN_ENCRYPTION_KEY` is needed then.",
		Example: "postgres://nextcloud_mcp@db.example.org/nextcloud_mcp",
		kind:    database(func(c *Config) *auth.Secret { return &c.Storage.URL }),
	},
	{
		Env: "TOKEN_ENCRYPTION_KEY", Section: SectionStorage, Secret: true,
		Derived: "a key file beside `TOKEN_STORAGE_DB` (its name with `.key`), made at the first start",
		Doc:     "Key for the secrets in `TOKEN_STORAGE_DB`, 32 bytes in base64. `openssl rand -base64 32` makes one.",
		Example: "$(openssl rand -base64 32)",
		kind:    secret(func(c *Config) *auth.Secret { return &c.Storage.EncryptionKey }),
	},
	{
		Env: "TOKEN_ENCRYPTION_KEY_PREVIOUS", Section: SectionStorage, Secret: true,
		Doc:     "Keys that stood in `TOKEN_ENCRYPTION_KEY` before, a comma list. They are only read with; `nextcloud-mcp-server rotate-key` makes them dispensable.",
		Example: "$(cat old.key)",
		kind:    secrets(func(c *Config) *[]auth.Secret { return &c.Storage.PreviousKeys }),
	},

	{
		Env: "MCP_READ_ONLY", Flag: "read-only", Section: SectionTools, Default: "false",
		Doc:  "Offer only tools that change nothing.",
		kind: boolean(func(c *Config) *bool { return &c.Tools.ReadOnly }),
	},
	{
		Env: "MCP_AREAS", Flag: "areas", HiddenFlags: []Flag{{"enable-app", "e"}}, Section: SectionTools, Derived: "all",
		Doc:     "Offer only these areas, a comma list such as notes,calendar. `--enable-app NAME`, repeated, says the same.",
		Example: "notes,calendar,files",
		kind:    list(func(c *Config) *[]string { return &c.Tools.Areas }),
	},
	{
		Env: "MCP_TOOLS", Flag: "tools", Section: SectionTools, Derived: "all of the areas and the tier",
		Doc:     "Offer only these tools, a comma list of names.",
		Example: "nc_notes_search_notes,nc_notes_get_note",
		kind:    list(func(c *Config) *[]string { return &c.Tools.Only }),
	},
	{
		Env: "MCP_EXCLUDE_TOOLS", Flag: "exclude-tools", Section: SectionTools,
		Doc:     "Never offer these tools, a comma list of names.",
		Example: "nc_notes_delete_note",
		kind:    list(func(c *Config) *[]string { return &c.Tools.Exclude }),
	},
	{
		Env: "EXCLUDED_TAGS", Flag: "excluded-tags", Section: SectionTools,
		Doc:     "Names of system tags, a comma list. Files and folders that carry one, and everything in such a folder, are invisible and untouchable for all tools. While a tag cannot be looked up, no file can be reached. See [files.md](files.md).",
		Example: "confidential,no-ai",
		kind:    list(func(c *Config) *[]string { return &c.Tools.ExcludedTags }),
	},
	{
		Env: "MCP_UPLOAD_FOLDER", Section: SectionTools,
		Doc:     "Folder of this computer whose files, and no others, may be uploaded to Nextcloud. Only with `--transport stdio`, where this computer is the user's own.",
		Example: "/home/alice/Uploads",
		kind:    file(func(c *Config) *string { return &c.Tools.UploadFolder }),
	},
	{
		Env: "MCP_TIER", Flag: "tier", Section: SectionTools, Default: TierAuto,
		Doc: "How many tools to offer. `core` is what most people need most days, `complete` is all. A connection gets fewer with `?tier=core` behind its address. " +
			"`auto` offers all, and lists `core` unless the client searches tools by itself or asks for more with `?tier=`.",
		kind: choice(func(c *Config) *string { return &c.Tools.Tier },
			option[string]{name: TierAuto, value: TierAuto},
			option[string]{name: "core", value: "core"},
			option[string]{name: "extended", value: "extended"},
			option[string]{name: "complete", value: "complete"}),
	},

	{
		Env: "DOCUMENT_MAX_SIZE_MB", Aliases: []string{"DOCUMENT_MAX_PDF_SIZE_MB"}, Section: SectionTools, Default: "50",
		Doc:  "The largest file whose text is read, in MiB, up to 64.",
		kind: number(func(c *Config) *int { return &c.Documents.MaxMiB }, 1, 64),
	},
	{
		Env: "DOCUMENT_PARSE_TIMEOUT_SECONDS", Section: SectionTools, Default: "45",
		Doc:  "How long the reading of one document may take.",
		kind: seconds(func(c *Config) *time.Duration { return &c.Documents.Timeout }, time.Second, 55*time.Second),
	},
	{
		Env: "DOCUMENT_CONVERTERS", Section: SectionTools, Default: "true",
		Doc:  "Use `pdftotext` of the host, where it is installed, for a PDF that cannot be read otherwise.",
		kind: boolean(func(c *Config) *bool { return &c.Documents.Converters }),
	},
	{
		Env: "DOCUMENT_OCR_ENABLED", Section: SectionTools, Default: "false",
		Doc:  "Recognize text on pictures and scanned pages when a model asks for it. Needs `tesseract` on the host, and `pdftoppm` for PDF.",
		kind: boolean(func(c *Config) *bool { return &c.Documents.OCR }),
	},
	{
		Env: "DOCUMENT_OCR_LANGUAGES", Section: SectionTools, Default: "eng",
		Doc:     "Languages of OCR, as `tesseract` takes them.",
		Example: "eng+deu",
		kind:    languages(func(c *Config) *string { return &c.Documents.OCRLanguages }),
	},

	{
		Env: "LOG_LEVEL", Flag: "log-level", Short: "l", Section: SectionOperation, Default: "info",
		Doc:  "What to log, and everything above it.",
		kind: choice(func(c *Config) *slog.Level { return &c.Log.Level }, logLevels...),
	},
	{
		Env: "LOG_FORMAT", Flag: "log-format", Section: SectionOperation, Default: string(Text),
		Doc: "Shape of the log lines.",
		kind: choice(func(c *Config) *LogFormat { return &c.Log.Format },
			option[LogFormat]{name: string(Text), value: Text},
			option[LogFormat]{name: string(JSON), value: JSON}),
	},
	{
		Env: "METRICS_ENABLED", Section: SectionOperation, Default: "false",
		Doc:  "Serve Prometheus metrics at `/metrics`, on a listener of their own.",
		kind: boolean(func(c *Config) *bool { return &c.Metrics.Enabled }),
	},
	{
		Env: "METRICS_HOST", Section: SectionOperation, Default: "127.0.0.1",
		Doc:  "Address to serve metrics on.",
		kind: bindHost(func(c *Config) *string { return &c.Metrics.Host }),
	},
	{
		Env: "METRICS_PORT", Section: SectionOperation, Default: "9090",
		Doc:  "Port to serve metrics on.",
		kind: port(func(c *Config) *int { return &c.Metrics.Port }),
	},
}
