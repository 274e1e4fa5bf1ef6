package oauth

import (
	"net/http"
	"slices"
	"strings"
)

// shared lets pages of any origin call an endpoint, as clients that run in a
// browser do. No cookie counts there, so there is nothing that a page could
// abuse, and credentials are never allowed along. Without methods, all of them
// go through.
func shared(next http.HandlerFunc, methods ...string) http.Handler {
	allowed := strings.Join(append(slices.Clone(methods), http.MethodOptions), ", ")
	offered := allowed
	if len(methods) == 0 {
		offered = "GET, DELETE, OPTIONS"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		switch {
		case r.Method == http.MethodOptions:
			h.Set("Access-Control-Allow-Methods", offered)
			// The asterisk does not cover Authorization (Fetch, CORS protocol).
			h.Set("Access-Control-Allow-Headers", "*, Authorization, Content-Type, Accept, MCP-Protocol-Version")
			h.Set("Access-Control-Max-Age", "7200")
			h.Set("Allow", offered)
			w.WriteHeader(http.StatusNoContent)
			return
		case len(methods) > 0 && !slices.Contains(methods, r.Method):
			h.Set("Allow", allowed)
			writeError(w, http.StatusMethodNotAllowed, codeInvalidRequest, "Only "+strings.Join(methods, " and ")+" is answered here.")
			return
		}
		h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
		next(w, r)
	})
}
