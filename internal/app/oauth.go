package app

import (
	"context"
	"fmt"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/server"
	"nextcloud-mcp-server/internal/store"
)

// oauth serves many people, each signing in.
func (a *app) oauth(ctx context.Context) error {
	a.log.InfoContext(ctx, "OAuth mode detected (NEXTCLOUD_USERNAME/PASSWORD not set)")
	a.log.InfoContext(ctx, "Configuring MCP server for OAuth mode")
	db, err := store.Open(ctx, store.Options{Path: a.cfg.Storage.Database, Key: a.cfg.Storage.EncryptionKey})
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it began
		}
		return fmt.Errorf("database error: %w", err)
	}
	defer db.Close()
	sign := newSignIn(a, db)
	leg := dataleg.New(a.host, db, "nextcloud-mcp-server ("+a.cfg.Server.PublicURL.Host+")", a.log, &dataleg.Options{
		NeverBearer: !a.cfg.SignIn.BearerPassthrough,
		Ended:       func(p *auth.Principal) { sign.refuse(p.Token.Reveal()) },
	})
	m, err := a.mcpServer(leg, nil)
	if err != nil {
		return err
	}
	// Everything in the background ends before the store is closed.
	work, stop := context.WithCancel(ctx)
	done := background(
		func() { leg.Run(work) },
		func() { a.watchNextcloud(work, leg.SetVersion) },
	)
	defer func() { stop(); done() }()
	var signedIn func()
	defer func() {
		stop()
		if signedIn != nil {
			signedIn()
		}
	}()
	return a.http(ctx, m, front{
		mode: "oauth", door: sign, issuer: sign.Issuer,
		ready: func() (bool, checks) {
			ready, c := sign.checks(ctx)
			c["store"] = storeCheck(ctx, db)
			c["nextcloud"] = a.nextcloud.check()
			c["data_leg"] = legCheck(leg.Status())
			return ready, c
		},
		// Listening first: a client that comes before the provider is known is
		// told to come back, instead of meeting a closed port.
		up: func() {
			signedIn = background(func() { sign.run(work) })
		},
	})
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
