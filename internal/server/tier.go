package server

import (
	"net/http"

	"nextcloud-mcp-server/internal/tool"
)

// tiered reads how many tools a connection wants to see from its address
// ("/mcp?tier=complete"), for clients that cannot send headers of their own.
func tiered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chosen := r.Header.Get(tool.TierHeader)
		if q := r.URL.Query(); q.Has("tier") {
			chosen = q.Get("tier")
		}
		if chosen == "" {
			next.ServeHTTP(w, r)
			return
		}
		tier, err := tool.ParseTier(chosen)
		if err != nil {
			http.Error(w, "tier has to be core, extended or complete.", http.StatusBadRequest)
			return
		}
		r.Header.Set(tool.TierHeader, tier.String())
		next.ServeHTTP(w, r)
	})
}
