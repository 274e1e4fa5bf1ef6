package app

import (
	"net/http"
	"time"

	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/ratelimit"
	"nextcloud-mcp-server/internal/server"
)

func (a *app) pages() *pages.Pages {
	return pages.New(pages.Options{Base: a.cfg.Server.PublicURL.Path})
}

// mountLanding adds the page for people who open this server's address in a
// browser. account is where they see their connections; it may be empty.
func (a *app) mountLanding(mux *http.ServeMux, prefix string, p *pages.Pages, account string) {
	landing := pages.Landing{
		MCPURL: server.ResourceURL(a.cfg.Server.PublicURL), Nextcloud: a.cfg.Nextcloud.Public.Host, AccountURL: account,
	}
	show := func(w http.ResponseWriter, r *http.Request) { p.Write(w, r, http.StatusOK, landing) }
	// A client that was given the address without /mcp.
	astray := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "MCP is spoken at "+landing.MCPURL+": give that address to the client.", http.StatusNotFound)
	}
	mux.HandleFunc("GET /{$}", show)
	mux.HandleFunc("POST /{$}", astray)
	if prefix != "" {
		mux.HandleFunc("GET "+prefix, show)
		mux.HandleFunc("GET "+prefix+"/{$}", show)
		mux.HandleFunc("POST "+prefix, astray)
		mux.HandleFunc("POST "+prefix+"/{$}", astray)
	}
}

// limitByAddress limits requests of one address. What proxies say of it is
// believed where they are listed.
func limitByAddress(perMinute, addresses int, proxies ratelimit.Proxies) func(r *http.Request) (bool, time.Duration) {
	limiter := ratelimit.New(ratelimit.Rate{PerMinute: perMinute}, addresses)
	return func(r *http.Request) (bool, time.Duration) { return limiter.Allow(ratelimit.Key(proxies.Of(r))) }
}
