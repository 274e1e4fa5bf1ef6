package server

import (
	"net/http"
	"net/url"

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

// tierQuery is the query of an address with a tier, "" for one without: to a
// client, an address with a query is a resource of its own (RFC 9728, 3.1).
func tierQuery(r *http.Request) string {
	tier, err := tool.ParseTier(r.URL.Query().Get("tier"))
	if err != nil {
		return ""
	}
	return "?tier=" + tier.String()
}

// ResourceURLs are all identifiers of the protected resource: ResourceURL, and
// that with each tier.
func ResourceURLs(public *url.URL) []string {
	own := ResourceURL(public)
	out := []string{own}
	for _, t := range []tool.Tier{tool.Core, tool.Extended, tool.Complete} {
		out = append(out, own+"?tier="+t.String())
	}
	return out
}
