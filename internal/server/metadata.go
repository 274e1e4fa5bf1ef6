package server

import (
	"encoding/json"
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/auth"
)

// metadata serves the protected resource metadata of RFC 9728.
type metadata struct {
	cfg *Config
}

// resourceMetadata is RFC 9728, 2.
type resourceMetadata struct {
	Resource               string   `json:"resource"`
	AuthorizationServers   []string `json:"authorization_servers"`
	ScopesSupported        []string `json:"scopes_supported"`
	BearerMethodsSupported []string `json:"bearer_methods_supported"`
	ResourceName           string   `json:"resource_name"`
}

func (m *metadata) serve(w http.ResponseWriter, r *http.Request) {
	if m.cfg.Door == nil {
		http.NotFound(w, r) // no token protects anything
		return
	}
	// The document is public; any page may read it.
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	w.Header().Set("Access-Control-Allow-Headers", "*")
	switch r.Method {
	case http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet, http.MethodHead:
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, "Only GET.", http.StatusMethodNotAllowed)
		return
	}
	issuer, err := m.cfg.Issuer()
	if err != nil {
		refusal := &auth.Error{Status: http.StatusServiceUnavailable, Code: auth.CodeTemporarilyUnavailable, Description: "The identity provider is not known yet."}
		errors.As(err, &refusal)
		unavailable(w, refusal)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=60")
	_ = json.NewEncoder(w).Encode(resourceMetadata{
		Resource:               ResourceURL(m.cfg.Public) + tierQuery(r),
		AuthorizationServers:   []string{issuer},
		ScopesSupported:        m.cfg.Identity.Union(m.cfg.Gate.Scopes()).Strings(),
		BearerMethodsSupported: []string{"header"},
		ResourceName:           "Nextcloud MCP Server",
	})
}
