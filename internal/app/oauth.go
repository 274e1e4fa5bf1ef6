package app

import (
	"context"
	"fmt"
	"net/http"

	"nextcloud-mcp-server/internal/audit"
	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/server"
	"nextcloud-mcp-server/internal/store"
	"nextcloud-mcp-server/internal/tool"
)

// oauth serves many people, each signing in.
func (a *app) oauth(ctx context.Context) error {
	a.log.InfoContext(ctx, "OAuth mode detected (NEXTCLOUD_USERNAME/PASSWORD not set)")
	a.log.InfoContext(ctx, "Configuring MCP server for OAuth mode")
	db, err := a.openStore(ctx)
	if err != nil || db == nil {
		return err
	}
	defer db.Close()
	self := ownConnections(a.cfg)
	sign := newSignIn(a, db, self && a.cfg.SignIn.Method != config.OIDCMethod)
	var ways *journeys
	leg := dataleg.New(a.host, db, "nextcloud-mcp-server ("+a.cfg.Server.PublicURL.Host+")", a.log, &dataleg.Options{
		// Tokens are passed on only where one issuer serves both sides.
		NeverBearer: self || !a.cfg.SignIn.BearerPassthrough,
		Link:        func(ctx context.Context, p *auth.Principal) (string, error) { return ways.link(ctx, p) },
		Ended:       func(p *auth.Principal) { sign.refuse(p.Token.Reveal()) },
	})
	f := front{
		mode: "oauth", door: sign, issuer: sign.Issuer, identity: scope.NewSet(scope.OpenID, scope.Profile),
		ready: func() (bool, checks) {
			ready, c := sign.checks(ctx)
			c["store"] = storeCheck(ctx, db)
			c["nextcloud"] = a.nextcloud.check()
			c["data_leg"] = legCheck(leg.Status())
			return ready, c
		},
		mount: func(mux *http.ServeMux, prefix string) {
			a.mountLanding(mux, prefix, ways.pages, "")
			ways.mount(mux, prefix)
		},
	}
	people := legs{foreign: leg}
	binding := tool.Binding{Clients: &people}
	jobs := []func(context.Context){
		leg.Run,
		func(ctx context.Context) { a.watchNextcloud(ctx, leg.SetVersion) },
	}
	if self {
		o, err := newOwn(a, db, sign, leg)
		if err != nil {
			return err
		}
		ways = o.journeys
		defer o.authority.Close()
		people.own = o.connections
		recorder := audit.New(db, a.log, nil)
		binding.Audit, binding.AccountURL = recorder.Record, a.cfg.Server.PublicURL.String()+accountPath
		jobs = append(jobs, recorder.Run)
		f.door, f.identity, f.mount = o, scope.Set{}, o.mount
		f.issuer = func() (string, error) { return a.cfg.Server.PublicURL.String(), nil }
	} else if ways, err = newJourneys(a, db, sign, leg, nil); err != nil {
		return err
	}
	jobs = append(jobs, ways.keeper.Run)
	m, err := a.mcpServer(binding)
	if err != nil {
		return err
	}
	// Everything in the background ends before the store is closed.
	work, stop := context.WithCancel(ctx)
	for _, job := range jobs {
		done := background(func() { job(work) })
		defer done()
	}
	var signedIn func()
	defer func() {
		stop()
		if signedIn != nil {
			signedIn()
		}
	}()
	// Listening first: a client that comes before the provider is known is told
	// to come back, instead of meeting a closed port.
	f.up = func() { signedIn = background(func() { sign.run(work) }) }
	return a.http(ctx, m, f)
}

// openStore opens the database; it is nil when ctx ended before.
func (a *app) openStore(ctx context.Context) (*store.Store, error) {
	c := a.cfg.Storage
	db, err := store.Open(ctx, store.Options{Path: c.Database, URL: c.URL, Key: c.EncryptionKey, PreviousKeys: c.PreviousKeys})
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, nil //nolint:nilnil // stopped before it began
	case err != nil:
		return nil, fmt.Errorf("database error: %w", err)
	}
	return db, nil
}

func storeCheck(ctx context.Context, db *store.Store) server.Check {
	if err := db.Ping(ctx); err != nil {
		return server.Check{Status: "problem", Detail: "the database does not answer"}
	}
	return server.Check{Status: "ok"}
}

// background runs every function on its own goroutine and answers a function
// that waits for all of them.
func background(functions ...func()) (wait func()) {
	done := make(chan struct{}, len(functions))
	for _, f := range functions {
		go func() {
			defer func() { done <- struct{}{} }()
			f()
		}()
	}
	return func() {
		for range functions {
			<-done
		}
	}
}
