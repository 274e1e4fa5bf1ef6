package nextcloudtest

import (
	"net/http"
	"sync"
	"time"
)

const (
	tokenTypeOpaque = "opaque"
	tokenTypeJWT    = "jwt"

	// defaultScope is what a request without scopes gets.
	defaultScope = "openid profile email roles"

	maxGrants   = 10_000
	maxConsents = 10_000
)

// provider is the state of the oidc app.
type provider struct {
	mu            sync.Mutex // guards the fields below
	clients       map[string]*oauthClient
	management    map[string]string // registration access token to client id, also of deleted clients
	registrations map[string][]time.Time
	grants        []*grant
	byCode        map[string]*grant
	byAccess      map[string]*grant
	byRefresh     map[string]*grant
	byIDToken     map[string]*grant
	consents      map[consentKey]consent
	lastGrant     int
	keyIndex      int
}

func newProvider() *provider {
	return &provider{
		clients:       map[string]*oauthClient{},
		management:    map[string]string{},
		registrations: map[string][]time.Time{},
		byCode:        map[string]*grant{},
		byAccess:      map[string]*grant{},
		byRefresh:     map[string]*grant{},
		byIDToken:     map[string]*grant{},
		consents:      map[consentKey]consent{},
	}
}

func (s *Server) routesOIDC() {
	s.handle("GET /.well-known/openid-configuration", familyOpen, s.wellKnownConfiguration)
	s.handle("GET /apps/oidc/openid-configuration", familyOpen, s.configuration)
	s.handle("GET /apps/oidc/jwks", familyOpen, s.jwks)
	s.handle("POST /apps/oidc/register", familyOpen, s.register)
	s.handle("GET /apps/oidc/authorize", familyOpen, s.authorize)
	s.handle("GET /apps/oidc/redirect", familyOpen, s.afterLogin)
	s.handle("GET /apps/oidc/logout", familyOpen, s.logout)
	s.handle("GET /apps/oidc/consent", familyWeb, s.showConsent)
	s.handle("POST /apps/oidc/consent/grant", familyWeb, s.grantConsent)
	s.handle("POST /apps/oidc/consent/deny", familyWeb, s.denyConsent)
	s.handle("POST /apps/oidc/token", familyOpen, s.token)
	s.handle("GET /apps/oidc/userinfo", familyOpen, s.userinfo)
	s.handle("POST /apps/oidc/userinfo", familyOpen, s.userinfo)
	if s.rules.introspection {
		s.handle("POST /apps/oidc/introspect", familyOpen, s.introspect)
	}
	if s.rules.managedClients {
		s.handle("GET /apps/oidc/register/{client}", familyOpen, s.readClient)
		s.handle("PUT /apps/oidc/register/{client}", familyOpen, s.updateClient)
		s.handle("DELETE /apps/oidc/register/{client}", familyOpen, s.deleteClient)
	}
}

// oauthError is the body of an error answer (RFC 6749, section 5.2).
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func writeOAuthError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, oauthError{code, description})
}

// allowOrigin marks an answer as readable from other origins; the oidc app does so for successes only.
func allowOrigin(w http.ResponseWriter, methods string) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Methods", methods)
}

func (s *Server) wellKnownConfiguration(w http.ResponseWriter, r *http.Request, a *account) {
	w.Header().Set("X-NEXTCLOUD-WELL-KNOWN", "1")
	s.configuration(w, r, a)
}

// configuration is OpenID Connect discovery.
func (s *Server) configuration(w http.ResponseWriter, r *http.Request, _ *account) {
	base := s.base(r)
	app := base + "/apps/oidc"
	authMethods := []string{"client_secret_post", "client_secret_basic"}
	out := map[string]any{
		"issuer":                                base,
		"authorization_endpoint":                app + "/authorize",
		"token_endpoint":                        app + "/token",
		"userinfo_endpoint":                     app + "/userinfo",
		"jwks_uri":                              app + "/jwks",
		"end_session_endpoint":                  app + "/logout",
		"scopes_supported":                      []string{"openid", "profile", "email", "roles", "groups", "offline_access"},
		"response_types_supported":              []string{"code", "code id_token", "id_token"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"grant_types_supported":                 []string{"authorization_code", "implicit", "refresh_token"},
		"acr_values_supported":                  []string{"0"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "HS256"},
		"token_endpoint_auth_methods_supported": authMethods,
		"display_values_supported":              []string{"page"},
		"claim_types_supported":                 []string{"normal"},
		"claims_supported": []string{
			"iss", "sub", "aud", "exp", "auth_time", "iat", "acr", "azp", "preferred_username", "scope", "nbf", "jti", "roles", "groups", "name",
			"given_name", "family_name", "middle_name", "updated_at", "website", "email", "email_verified", "phone_number", "address", "picture", "quota",
		},
		"claims_parameter_supported":      true,
		"request_parameter_supported":     false,
		"request_uri_parameter_supported": false,
	}
	if !s.switches().disableRegistration {
		out["registration_endpoint"] = app + "/register"
	}
	if s.rules.introspection {
		out["introspection_endpoint"] = app + "/introspect"
		out["introspection_endpoint_auth_methods_supported"] = authMethods
	}
	if s.rules.pkce && !s.opts.DisablePKCEMetadata {
		out["code_challenge_methods_supported"] = []string{"S256", "plain"}
	}
	allowOrigin(w, http.MethodGet)
	writeJSON(w, http.StatusOK, out)
}

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request, _ *account) {
	allowOrigin(w, http.MethodGet)
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{s.signingKey().jwk()}})
}
