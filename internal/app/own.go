package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"nextcloud-mcp-server/internal/account"
	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/connect"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/safehttp"
	"nextcloud-mcp-server/internal/server"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// own is this server's own authorization server with all that belongs to it:
// sign-in, consent, connections and their pages.
type own struct {
	*journeys
	app         *app
	sign        *signIn
	authority   *oauth.Server
	connections *dataleg.Connections
	account     *account.Account
}

func newOwn(a *app, db *store.Store, sign *signIn, leg *dataleg.Leg) (*own, error) {
	cfg, public := a.cfg, a.cfg.Server.PublicURL
	schemes, err := redirect.ParseSchemes(cfg.SignIn.Clients.Schemes)
	if err != nil {
		return nil, fmt.Errorf("MCP_REDIRECT_SCHEMES: %w", err)
	}
	o := &own{app: a, sign: sign}
	o.journeys, err = newJourneys(a, db, sign, leg, func(j *journeys, guide *connect.Config) {
		o.newAuthority(db, j, schemes)
		guide.Answers, guide.Ended = o.authority, o.ended
	})
	if err != nil {
		return nil, err
	}
	o.account, err = account.New(account.Config{
		Public: public, Nextcloud: cfg.Nextcloud.Public.Host, MCPURL: server.ResourceURL(public),
		Sessions: o.sessions, Store: db, Pages: o.pages, Log: a.log, SignIn: o.guide.SignIn, Ended: o.ended,
	})
	if err != nil {
		return nil, fmt.Errorf("account pages: %w", err)
	}
	return o, nil
}

// newAuthority makes what gives clients their tokens and connections.
func (o *own) newAuthority(db *store.Store, j *journeys, schemes redirect.Schemes) {
	a, cfg, public := o.app, o.app.cfg, o.app.cfg.Server.PublicURL
	o.connections = dataleg.NewConnections(a.host, db, renewer{j.oidc}, a.log)
	j.keeper.Ended = o.connections.Forget
	directory := clients.New(clients.Config{
		Store: db,
		Documents: safehttp.New(safehttp.Options{
			Allow: o.documentNetworks(), Insecure: cfg.SignIn.Clients.InsecureDocuments,
		}),
		InsecureDocuments: cfg.SignIn.Clients.InsecureDocuments,
		Configured:        configuredClients(cfg.SignIn.Clients.Configured),
		Schemes:           schemes,
		BaseURL:           public.String(),
		NoRegistration:    !cfg.SignIn.Clients.Registration,
		Deleted:           o.clientDeleted(db),
		Log:               a.log,
	})
	j.keeper.Sweeps = append(j.keeper.Sweeps, directory.Sweep)
	o.authority = oauth.New(oauth.Config{
		Issuer: public.String(), Resource: server.ResourceURL(public), SameResource: server.ResourceURLs(public),
		Scopes: a.registry.Scopes, Store: db, Clients: directory, NoRegistration: !cfg.SignIn.Clients.Registration,
		Begin:   func(w http.ResponseWriter, r *http.Request, req *oauth.Request) { o.guide.Begin(w, r, req) },
		Fail:    o.fail,
		Proxies: cfg.Server.TrustedProxies,
		Log:     a.log,
		Ended:   o.ended,
	})
}

// accountPath is where people see their connections.
const accountPath = "/account"

// documentNetworks are the private networks that metadata documents may come
// from.
func (o *own) documentNetworks() []netip.Prefix {
	c := o.app.cfg.SignIn.Clients
	if !c.InsecureDocuments {
		return c.Networks
	}
	return append([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, c.Networks...)
}

// configuredClients are the clients of the configuration. One without redirect
// URIs is a program on people's computers.
func configuredClients(all []config.Client) []clients.Client {
	out := make([]clients.Client, 0, len(all))
	for _, c := range all {
		uris := c.RedirectURIs
		if len(uris) == 0 {
			uris = []string{"http://127.0.0.1/callback", "http://[::1]/callback", "http://localhost/callback"}
		}
		out = append(out, clients.Client{ID: c.ID, Name: c.ID, RedirectURIs: uris, AuthMethod: "none"})
	}
	return out
}

// ended is told of each grant that somebody ended here.
func (o *own) ended(grantID string) {
	o.connections.Forget(grantID)
	o.keeper.Wake()
}

// clientDeleted ends the grants of a client that deletes itself.
func (o *own) clientDeleted(db *store.Store) func(context.Context, string) error {
	return func(ctx context.Context, clientID string) error {
		ids, err := db.EndGrantsOfClient(ctx, clientID, store.EndedByClient)
		for _, id := range ids {
			o.ended(id)
		}
		return err
	}
}

// fail shows why an authorization request cannot be answered.
func (o *own) fail(w http.ResponseWriter, r *http.Request, status int, code string, c *clients.Client, detail string) {
	failure := pages.Failure{Code: code, Detail: detail}
	if c != nil {
		failure.Client = &pages.ClientView{Name: c.Name, URI: c.URI, Kind: string(c.Kind), ID: c.ID}
	}
	o.pages.Write(w, r, status, failure)
}

// mount adds the routes of the authorization server and of its pages.
func (o *own) mount(mux *http.ServeMux, prefix string) {
	o.authority.Handle(mux, prefix)
	o.account.Handle(mux)
	o.app.mountLanding(mux, prefix, o.pages, prefix+accountPath)
	o.journeys.mount(mux, prefix, accountPath+"/")
}

// Verify implements auth.Verifier: own tokens are proved here, those of the
// OpenID provider as ever.
func (o *own) Verify(ctx context.Context, token string) (*auth.Principal, error) {
	if oauth.IsOwn(token) {
		return o.authority.Verify(ctx, token)
	}
	p, err := o.sign.Verify(ctx, token)
	if errors.Is(err, errNoProvider) {
		// Nobody issued such tokens that this server knows of: to wait would be
		// in vain, and the client has to sign in here.
		return nil, errForeign
	}
	return p, err
}

var errForeign = &auth.Error{
	Status: http.StatusUnauthorized, Code: auth.CodeInvalidToken, Description: "the access token was not issued by this server",
}

// legs takes each person's calls to the data leg that holds their credential.
type legs struct {
	own     *dataleg.Connections
	foreign *dataleg.Leg
}

// Client implements tool.Clients.
func (l *legs) Client(ctx context.Context, p *auth.Principal) (*nextcloud.Client, error) {
	if p.GrantID != "" {
		return l.own.Client(ctx, p)
	}
	return l.foreign.Client(ctx, p)
}

// renewer renews the refresh tokens of connections.
type renewer struct{ oidc *signin.OIDC }

func (r renewer) Refresh(ctx context.Context, refresh auth.Secret) (dataleg.Renewed, error) {
	access, expires, next, err := r.oidc.Refresh(ctx, refresh)
	return dataleg.Renewed{Access: access, Expires: expires, Next: next}, err
}

func (renewer) Final(err error) bool {
	p, ok := errors.AsType[*signin.Problem](err)
	return ok && p.Code == signin.Refused
}
