package doctor

import "context"

// table is all checks, in the order of the report: what this process is told,
// then from the outside in. A check stands behind those it needs.
var table = []check{
	{id: "config.settings", title: "Settings", concerns: (*visit).hasConfig, run: method((*visit).checkSettings)},
	{id: "local.port", title: "Port of this machine", concerns: (*visit).listens, run: method((*visit).checkPort)},

	{id: "server.name", title: "Name of the MCP server", concerns: (*visit).hasServer, run: func(ctx context.Context, v *visit) finding {
		return v.lookUp(ctx, v.base, publicSetting)
	}},
	{id: "server.tls", title: "Connection to the MCP server", concerns: (*visit).hasServer, needs: []string{"server.name"}, run: func(ctx context.Context, v *visit) finding {
		return v.connect(ctx, v.base, v.transport(false), publicSetting)
	}},
	{id: "server.http", title: "The same without TLS", concerns: (*visit).onHTTPS, needs: []string{"server.tls"}, run: method((*visit).checkHTTP)},
	{id: "server.alive", title: "MCP server", concerns: (*visit).hasServer, needs: []string{"server.tls"}, run: method((*visit).checkAlive)},
	{id: "server.ready", title: "Readiness", concerns: (*visit).hasServer, needs: []string{"server.alive"}, run: method((*visit).checkReady)},
	{id: "server.challenge", title: "Request to sign in", concerns: (*visit).hasServer, needs: []string{"server.tls"}, run: method((*visit).checkChallenge)},
	{id: "server.bearer", title: "Authorization header", concerns: (*visit).hasServer, needs: []string{"server.tls"}, run: method((*visit).checkBearer)},
	{id: "server.resource", title: "Resource metadata", concerns: (*visit).hasServer, needs: []string{"server.tls"}, run: method((*visit).checkResource)},
	{id: "server.issuer", title: "Authorization server", concerns: (*visit).hasServer, needs: []string{"server.tls"}, run: method((*visit).checkIssuer)},
	{id: "server.pkce", title: "PKCE for clients", concerns: (*visit).hasServer, needs: []string{"server.tls"}, run: method((*visit).checkPKCE)},
	{id: "server.registration", title: "Registration of clients", concerns: (*visit).hasServer, needs: []string{"server.tls"}, run: method((*visit).checkRegistration)},
	{id: "server.authorize", title: "Sign-in page", concerns: (*visit).hasServer, needs: []string{"server.tls"}, run: method((*visit).checkAuthorize)},
	{id: "server.body", title: "Large requests", concerns: (*visit).hasServer, needs: []string{"server.alive"}, run: method((*visit).checkBody)},
	{id: "server.token", title: "Token at the MCP server", concerns: (*visit).hasServerToken, needs: []string{"server.tls"}, run: method((*visit).checkToken)},
	{id: "server.stream", title: "Event streams", concerns: (*visit).hasServer, needs: []string{"server.alive"}, run: method((*visit).checkStream)},

	{id: "nextcloud.name", title: "Name of Nextcloud", concerns: (*visit).hasNextcloud, run: func(ctx context.Context, v *visit) finding {
		return v.lookUp(ctx, v.host.Base(), cloudSetting)
	}},
	{id: "nextcloud.tls", title: "Connection to Nextcloud", concerns: (*visit).hasNextcloud, needs: []string{"nextcloud.name"}, run: func(ctx context.Context, v *visit) finding {
		return v.connect(ctx, v.host.Base(), v.transport(v.cfg.Nextcloud.SkipVerify), cloudSetting)
	}},
	{id: "nextcloud.status", title: "Nextcloud", concerns: (*visit).hasNextcloud, needs: []string{"nextcloud.tls"}, run: method((*visit).checkStatus)},
	{id: "nextcloud.clock", title: "Nextcloud's clock", concerns: (*visit).hasNextcloud, needs: []string{"nextcloud.tls"}, run: func(_ context.Context, v *visit) finding {
		return clock(v.status(), "Nextcloud")
	}},
	{id: "nextcloud.ocs", title: "Nextcloud's API", concerns: (*visit).hasNextcloud, needs: []string{"nextcloud.status"}, run: method((*visit).checkOCS)},
	{id: "nextcloud.throttling", title: "Brute-force protection", concerns: (*visit).hasNextcloud, needs: []string{"nextcloud.status"}, run: method((*visit).checkThrottle)},
	{id: "nextcloud.loginflow", title: "Login Flow v2", concerns: (*visit).usesLoginFlow, needs: []string{"nextcloud.status"}, run: method((*visit).checkLoginFlow)},

	{id: "provider.discovery", title: "OpenID provider", concerns: (*visit).usesNextcloudsProvider, needs: []string{"nextcloud.status"}, run: method((*visit).checkDiscovery)},
	{id: "provider.discovery", title: "OpenID provider", concerns: (*visit).usesForeignProvider, run: method((*visit).checkDiscovery)},
	{id: "provider.issuer", title: "The provider's issuer", concerns: (*visit).usesProvider, needs: []string{"provider.discovery"}, run: method((*visit).checkProviderIssuer)},
	{id: "provider.pkce", title: "PKCE at the provider", concerns: (*visit).usesProvider, needs: []string{"provider.discovery"}, run: method((*visit).checkProviderPKCE)},
	{id: "provider.client", title: "The server's own client", concerns: (*visit).usesProvider, needs: []string{"provider.discovery"}, run: method((*visit).checkProviderClient)},
	{id: "provider.introspection", title: "Introspection", concerns: (*visit).usesProvider, needs: []string{"provider.discovery"}, run: method((*visit).checkIntrospection)},
	{id: "provider.signing", title: "Signatures", concerns: (*visit).usesProvider, needs: []string{"provider.discovery"}, run: method((*visit).checkSigning)},
	{id: "provider.clock", title: "The provider's clock", concerns: (*visit).usesProvider, needs: []string{"provider.discovery"}, run: method((*visit).checkProviderClock)},

	{id: "access.user", title: "Credentials at OCS", concerns: (*visit).hasNextcloud, needs: []string{"nextcloud.status"}, run: method((*visit).checkUser)},
	{id: "access.webdav", title: "Credentials at WebDAV", concerns: (*visit).hasNextcloud, needs: []string{"access.user"}, run: checkAccess(webDAV)},
	{id: "access.caldav", title: "Credentials at CalDAV", concerns: (*visit).hasNextcloud, needs: []string{"access.user"}, run: checkAccess(calDAV)},
	{id: "access.notes", title: "Credentials at Notes", concerns: (*visit).hasNextcloud, needs: []string{"access.user"}, run: checkAccess(notes)},
	{id: "access.apps", title: "Apps", concerns: (*visit).hasNextcloud, needs: []string{"access.user"}, run: method((*visit).checkApps)},

	{id: "store.files", title: "Files of the database", concerns: (*visit).keepsFile, run: method((*visit).checkFiles)},
	{id: "store.database", title: "Database", concerns: (*visit).keepsData, needs: []string{"store.files"}, run: method((*visit).checkDatabase)},
}

// method is a method of visit as a check.
func method(run func(*visit, context.Context) finding) func(context.Context, *visit) finding {
	return func(ctx context.Context, v *visit) finding { return run(v, ctx) }
}
