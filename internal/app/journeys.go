package app

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/connect"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// journeys are the ways to sign in with a browser: for clients that ask this
// server for a token, and by links for those whose token is the provider's.
type journeys struct {
	app      *app
	pages    *pages.Pages
	sessions *browser.Sessions
	oidc     *signin.OIDC
	keeper   *dataleg.Keeper
	guide    *connect.Guide
}

// newJourneys leads people to the credentials that leg uses for the provider's
// tokens. more fills in what else the configuration of the guide needs; it may
// be nil.
func newJourneys(a *app, db *store.Store, sign *signIn, leg *dataleg.Leg, more func(*journeys, *connect.Config)) (*journeys, error) {
	cfg, public := a.cfg, a.cfg.Server.PublicURL
	j := &journeys{app: a, pages: a.pages(), keeper: dataleg.NewKeeper(a.host, db, a.log)}
	j.oidc = signin.NewOIDC(a.host, sign.Provider, signin.OIDCOptions{
		RedirectURI:      public.String() + callbackPath,
		ResourceServerID: cfg.SignIn.ResourceServerID,
		Version:          a.nextcloud.currentVersion,
		Lookup:           sign.lookup,
		RefusedClient:    func(_ context.Context, id string) { sign.clientRefused(id) },
		Log:              a.log,
	})
	j.sessions = browser.New(db, &browser.Options{Secure: public.Scheme == "https"})
	login := signin.NewLoginFlow(a.host, &signin.LoginFlowOptions{
		Name: public.Host, Undeleted: j.revokeLater(db), Log: a.log,
	})
	guide := connect.Config{
		Public: public, Nextcloud: cfg.Nextcloud.Public.Host, Method: connect.Method(cfg.SignIn.Method),
		Sessions: j.sessions, Store: db, LoginFlow: login, OIDC: j.oidc, Passwords: leg, Pages: j.pages, Log: a.log,
		Limit: newStartLimit(cfg.Server.TrustedProxies),
	}
	if more != nil {
		more(j, &guide)
	}
	var err error
	if j.guide, err = connect.New(guide); err != nil {
		return nil, fmt.Errorf("sign-in pages: %w", err)
	}
	return j, nil
}

// callbackPath is where the OpenID provider sends browsers back to.
const callbackPath = "/oauth/callback"

// revokeLater notes an app password that could not be deleted now.
func (j *journeys) revokeLater(db *store.Store) func(context.Context, apppassword.Password) {
	return func(ctx context.Context, p apppassword.Password) {
		err := db.AddRevocation(ctx, store.Revocation{
			Host: j.app.host.Base().String(), LoginName: p.LoginName, UserID: p.UserID, Password: p.Secret,
		})
		if err != nil {
			j.app.log.WarnContext(ctx, "An app password could not be deleted at Nextcloud, and not be noted for later", "user", string(p.UserID), "error", err)
		}
	}
}

// link is connect.Guide.Link for the data leg.
func (j *journeys) link(ctx context.Context, p *auth.Principal) (string, error) {
	if j == nil || j.guide == nil {
		return "", nil // nobody is served yet
	}
	return j.guide.Link(ctx, p)
}

// mount adds the routes of the journeys, and below those paths a page that says
// that there is none of that name.
func (j *journeys) mount(mux *http.ServeMux, prefix string, below ...string) {
	j.guide.Handle(mux)
	missing := func(w http.ResponseWriter, r *http.Request) {
		j.pages.Write(w, r, http.StatusNotFound, pages.Failure{Code: pages.CodeNotFound})
	}
	for _, path := range append(below, "/oauth/") {
		mux.HandleFunc(path, missing)
		if prefix != "" {
			mux.HandleFunc(prefix+path, missing)
		}
	}
}

// newStartLimit limits how often one address may begin a sign-in: each asks
// Nextcloud for something.
func newStartLimit(proxies []netip.Prefix) func(r *http.Request) (bool, time.Duration) {
	const perMinute, addresses = 30, 10_000
	return limitByAddress(perMinute, addresses, proxies)
}
