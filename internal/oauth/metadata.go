package oauth

import (
	"encoding/json"
	"net/http"

	"nextcloud-mcp-server/internal/scope"
)

// metadata is what clients learn of this server: RFC 8414, 2; RFC 9207, 3;
// draft-ietf-oauth-client-id-metadata-document, 5.
type metadata struct {
	Issuer                            string   `json:"issuer"`
	AuthorizationEndpoint             string   `json:"authorization_endpoint"`
	TokenEndpoint                     string   `json:"token_endpoint"`
	RegistrationEndpoint              string   `json:"registration_endpoint,omitempty"`
	RevocationEndpoint                string   `json:"revocation_endpoint"`
	ScopesSupported                   []string `json:"scopes_supported"`
	ResponseTypesSupported            []string `json:"response_types_supported"`
	ResponseModesSupported            []string `json:"response_modes_supported"`
	GrantTypesSupported               []string `json:"grant_types_supported"`
	TokenEndpointAuthMethods          []string `json:"token_endpoint_auth_methods_supported"`
	RevocationEndpointAuthMethods     []string `json:"revocation_endpoint_auth_methods_supported"`
	CodeChallengeMethodsSupported     []string `json:"code_challenge_methods_supported"`
	IssParameterSupported             bool     `json:"authorization_response_iss_parameter_supported"`
	ClientIDMetadataDocumentSupported bool     `json:"client_id_metadata_document_supported,omitempty"`
	ServiceDocumentation              string   `json:"service_documentation"`

	*openID
}

// openID is what OpenID Connect Discovery 1.0, 3 requires beside that. No ID
// token is ever issued: "openid" is not among the scopes, and the key set is
// empty. But some clients look only here, and refuse a document without these.
type openID struct {
	JWKSURI                          string   `json:"jwks_uri"`
	SubjectTypesSupported            []string `json:"subject_types_supported"`
	IDTokenSigningAlgValuesSupported []string `json:"id_token_signing_alg_values_supported"`
}

// metadata serves the document; with the members of OpenID Connect when it is
// asked for as openid-configuration.
func (s *Server) metadata(openid bool) http.Handler {
	return shared(func(w http.ResponseWriter, _ *http.Request) {
		methods := []string{"none", "client_secret_basic", "client_secret_post"}
		doc := metadata{
			Issuer:                            s.cfg.Issuer,
			AuthorizationEndpoint:             s.cfg.Issuer + authorizePath,
			TokenEndpoint:                     s.cfg.Issuer + tokenPath,
			RevocationEndpoint:                s.cfg.Issuer + revokePath,
			ScopesSupported:                   s.cfg.Scopes().Union(scope.NewSet(scope.OfflineAccess)).Strings(),
			ResponseTypesSupported:            []string{"code"},
			ResponseModesSupported:            []string{"query"},
			GrantTypesSupported:               []string{grantCode, grantRefresh},
			TokenEndpointAuthMethods:          methods,
			RevocationEndpointAuthMethods:     methods,
			CodeChallengeMethodsSupported:     []string{"S256"},
			IssParameterSupported:             true,
			ClientIDMetadataDocumentSupported: !s.cfg.NoDocuments,
			ServiceDocumentation:              s.cfg.Issuer + "/",
		}
		if !s.cfg.NoRegistration {
			doc.RegistrationEndpoint = s.cfg.Issuer + registerPath
		}
		if openid {
			doc.openID = &openID{
				JWKSURI:                          s.cfg.Issuer + keysPath,
				SubjectTypesSupported:            []string{"public"},
				IDTokenSigningAlgValuesSupported: []string{"RS256"}, // which Discovery requires there
			}
		}
		writePublic(w, doc)
	}, http.MethodGet, http.MethodHead)
}

// noKeys is the key set of a server that signs nothing (RFC 7517, 5).
func noKeys(w http.ResponseWriter, _ *http.Request) {
	writePublic(w, struct {
		Keys []struct{} `json:"keys"`
	}{[]struct{}{}})
}

// writePublic answers what anybody may read and keep for a while.
func writePublic(w http.ResponseWriter, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age=60")
	h.Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(body) // a client that is gone needs no answer
}
