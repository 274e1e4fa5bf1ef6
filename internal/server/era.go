package server

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// stateless is the first protocol revision without sessions, which the SDK
// serves only from a stateless handler.
const stateless = "2026-07-28"

// eras serves both protocol generations on one URL over one shared server.
func eras(server *mcp.Server, log *slog.Logger) http.Handler {
	get := func(*http.Request) *mcp.Server { return server }
	var older http.Handler = mcp.NewStreamableHTTPHandler(get, &mcp.StreamableHTTPOptions{
		SessionTimeout: 30 * time.Minute, Logger: log, MaxRequestBodyBytes: maxBody,
		EventStore:                 mcp.NewMemoryEventStore(nil),
		DisableLocalhostProtection: true, // the host check comes first, and knows proxies
	})
	older = (&sessions{server: server}).bound(older)
	newer := mcp.NewStreamableHTTPHandler(get, &mcp.StreamableHTTPOptions{
		Stateless: true, PropagateRequestCancellation: true, Logger: log, MaxRequestBodyBytes: maxBody,
		DisableLocalhostProtection: true,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		msgs := messages(r.Context())
		modern := r.Header.Get("Mcp-Protocol-Version") >= stateless ||
			// A client that forgot the header: the stateless handler says so.
			(r.Header.Get("Mcp-Session-Id") == "" && len(msgs) == 1 && msgs[0].meta != "")
		if modern {
			newer.ServeHTTP(w, r)
			return
		}
		older.ServeHTTP(w, r)
	})
}
