package doctor

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/version"
)

// visit is one examination: what is examined, and the answers that several
// checks look at, each asked for once.
type visit struct {
	opts    *Options
	cfg     *config.Config // nil in a stranger's view
	secrets secrets

	// base is the MCP server's address without /mcp; nil where there is none.
	base *url.URL
	// resource is the address that people paste into clients, as they type it.
	resource string
	// stranger asks as any client on the network does.
	stranger *http.Client
	// host is Nextcloud as the server reaches it; nil in a stranger's view.
	host *nextcloud.Host

	alive     func() *answer // GET {base}/health/live
	challenge func() *answer // POST {base}/mcp without credentials
	protected func() *answer // the protected resource metadata, as clients look for it
	issuer    func() issuerFound
	status    func() *answer // GET {nextcloud}/status.php
	caps      func() *answer // GET capabilities, without credentials
	provider  func() discovered
	user      func() (nextcloud.UserID, error) // whom the credentials belong to

	access sync.Mutex // held by whoever tries the credentials
}

// userAgent names the requests of the doctor.
var userAgent = "nextcloud-mcp-server/" + version.String() + " doctor"

func newVisit(ctx context.Context, opts *Options) *visit {
	v := &visit{opts: opts, cfg: opts.Config}
	if opts.Server != nil {
		v.cfg = nil
		v.address(opts.Server)
	} else if v.cfg != nil && v.cfg.Server.Transport != config.Stdio && v.cfg.Server.PublicURL != nil && !v.startedByClients(ctx) {
		v.address(v.cfg.Server.PublicURL)
	}
	v.secrets = secretsOf(v.cfg, opts.Token)
	v.stranger = v.client(v.transport(false))
	if v.cfg != nil && v.cfg.Nextcloud.Host != nil {
		v.host = nextcloud.NewHost(v.cfg.Nextcloud.Host, &nextcloud.HostOptions{
			Public: v.cfg.Nextcloud.Public, Transport: v.transport(v.cfg.Nextcloud.SkipVerify), UserAgent: userAgent,
		})
	}
	v.remember(ctx)
	return v
}

// startedByClients reports whether the server of one person does not run: it is
// no problem then, since clients start such a server themselves, over stdio.
func (v *visit) startedByClients(ctx context.Context) bool {
	if v.cfg.Mode() != config.SingleUser || !loopback(v.cfg.Server.PublicURL.Hostname()) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, v.opts.Each)
	defer cancel()
	conn, err := v.opts.Dial(ctx, "tcp", hostPort(v.cfg.Server.PublicURL))
	if err == nil {
		_ = conn.Close()
	}
	return err != nil
}

// remember sets up the answers that are asked for once.
func (v *visit) remember(ctx context.Context) {
	once := func(ask func(ctx context.Context) *answer) func() *answer {
		return sync.OnceValue(func() *answer {
			ctx, cancel := context.WithTimeout(ctx, v.opts.Each)
			defer cancel()
			return ask(ctx)
		})
	}
	v.alive = once(func(ctx context.Context) *answer { return v.get(ctx, v.base.String()+"/health/live") })
	v.challenge = once(func(ctx context.Context) *answer { return v.postMCP(ctx, "") })
	v.protected = once(func(ctx context.Context) *answer { return v.get(ctx, v.wellKnown(protectedResource)+"/mcp") })
	v.status = once(func(ctx context.Context) *answer { return v.askNextcloud(ctx, http.MethodGet, "/status.php") })
	v.caps = once(func(ctx context.Context) *answer {
		return v.askNextcloud(ctx, http.MethodGet, "/ocs/v2.php/cloud/capabilities?format=json")
	})
	v.issuer = sync.OnceValue(func() issuerFound {
		ctx, cancel := context.WithTimeout(ctx, v.opts.Each)
		defer cancel()
		return v.findIssuer(ctx)
	})
	v.user = sync.OnceValues(func() (nextcloud.UserID, error) {
		ctx, cancel := context.WithTimeout(ctx, v.opts.Each)
		defer cancel()
		return v.whose(ctx)
	})
	v.provider = sync.OnceValue(func() discovered {
		ctx, cancel := context.WithTimeout(ctx, v.opts.Each)
		defer cancel()
		return v.discover(ctx)
	})
}

// address notes where the MCP server is. People type the address with /mcp, the
// configuration has it without.
func (v *visit) address(u *url.URL) {
	base := *u
	base.User, base.RawQuery, base.Fragment, base.RawPath = nil, "", "", ""
	typed := base.String()
	base.Path = strings.TrimSuffix(strings.TrimRight(base.Path, "/"), "/mcp")
	v.base, v.resource = &base, base.String()+"/mcp"
	if strings.TrimRight(typed, "/") == v.resource {
		v.resource = typed
	}
}

// transport is like the server's own, with the dialer of the options. The
// server's private authorities count for the stranger, too: they are probably
// known to those who use the server.
func (v *visit) transport(skipVerify bool) *http.Transport {
	opts := &nextcloud.TransportOptions{InsecureSkipTLS: skipVerify}
	if v.cfg != nil && v.cfg.Nextcloud.CABundle != "" {
		// One that cannot be read is a problem of the configuration already.
		if _, err := nextcloud.LoadCABundle(v.cfg.Nextcloud.CABundle); err == nil {
			opts.CABundle = v.cfg.Nextcloud.CABundle
		}
	}
	t := nextcloud.NewTransport(opts)
	t.DialContext = v.opts.Dial
	return t
}

// client follows no redirects: where they lead is a finding.
func (*visit) client(t http.RoundTripper) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (v *visit) close() {
	v.stranger.CloseIdleConnections()
	if v.host != nil {
		v.host.HTTP().CloseIdleConnections()
	}
}

// What is examined.

func (v *visit) hasServer() bool    { return v.base != nil }
func (v *visit) hasConfig() bool    { return v.cfg != nil }
func (v *visit) hasNextcloud() bool { return v.host != nil }

// manyUsers reports whether people sign in with OAuth.
func (v *visit) manyUsers() bool { return v.cfg != nil && v.cfg.Mode() == config.OAuth }

// ownServer reports whether clients get their tokens from the server itself.
func (v *visit) ownServer() bool { return v.cfg.SignIn.AuthorizationServer == config.Self }

func (v *visit) usesProvider() bool {
	return v.hasNextcloud() && v.manyUsers() && v.cfg.SignIn.Method != config.LoginFlowMethod
}

func (v *visit) usesNextcloudsProvider() bool {
	return v.usesProvider() && v.cfg.SignIn.DiscoveryURL == ""
}

func (v *visit) usesForeignProvider() bool {
	return v.usesProvider() && v.cfg.SignIn.DiscoveryURL != ""
}

// needsProvider reports whether nobody can sign in without the provider.
func (v *visit) needsProvider() bool {
	return !v.ownServer() || v.cfg.SignIn.Method == config.OIDCMethod || v.cfg.SignIn.DiscoveryURL != ""
}

func (v *visit) usesLoginFlow() bool {
	return v.hasNextcloud() && v.manyUsers() && v.ownServer() && v.cfg.SignIn.Method != config.OIDCMethod
}

// credentials are those that Nextcloud is tried with; ok is false when there
// are none.
func (v *visit) credentials() (c nextcloud.Credentials, ok bool) {
	switch {
	case v.opts.Token != "" && !v.ownToken():
		return nextcloud.Bearer{Token: v.opts.Token}, true
	case v.cfg != nil && v.cfg.Mode() == config.SingleUser && v.cfg.Nextcloud.Username != "" && v.cfg.Nextcloud.Password != "":
		return nextcloud.Basic{LoginName: v.cfg.Nextcloud.Username, Password: v.cfg.Nextcloud.Password}, true
	}
	return nil, false
}

// ownToken reports whether the token was issued by an MCP server like this one,
// and so is nobody else's business.
func (v *visit) ownToken() bool { return oauth.IsOwn(v.opts.Token.Reveal()) }
