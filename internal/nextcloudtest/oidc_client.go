package nextcloudtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	registrationsPerMinute = 10
	maxRegistrationTokens  = 10_000
	maxAddresses           = 1000
	maxClientName          = 64
	maxScope               = 512
	maxResourceURL         = 512
)

// oauthClient is an application that is known to the oidc app.
type oauthClient struct {
	id, secret, name, scope string
	tokenType, resourceURL  string
	applicationType         string
	redirects               []string
	issued                  time.Time
	dynamic                 bool
}

// ClientConfig is a client as an administrator creates it, with "occ oidc:create".
type ClientConfig struct {
	Name         string
	RedirectURIs []string
	Scope        string // allowed scopes; empty: all
	TokenType    string // "opaque" or "jwt"; Options.TokenType when empty
	ResourceURL  string
}

// ClientInfo is one client of the oidc app.
type ClientInfo struct {
	ClientConfig
	ID      string
	Secret  string
	Dynamic bool      // registered by itself
	Issued  time.Time // when it was made
	Expires time.Time // zero: never
}

// AddClient makes a client as an administrator does; it never expires.
func (s *Server) AddClient(config ClientConfig) ClientInfo {
	c := &oauthClient{
		id: randomText(clientSecretLength), secret: randomText(clientSecretLength),
		name: config.Name, redirects: config.RedirectURIs, scope: config.Scope,
		tokenType: s.tokenType(config.TokenType), resourceURL: config.ResourceURL, applicationType: "web", issued: s.now(),
	}
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	s.oidc.clients[c.id] = c
	return s.clientInfo(c)
}

// Clients lists the clients of the oidc app, oldest first.
func (s *Server) Clients() []ClientInfo {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	var found []ClientInfo
	for _, c := range s.oidc.clients {
		found = append(found, s.clientInfo(c))
	}
	slices.SortFunc(found, func(a, b ClientInfo) int {
		if n := a.Issued.Compare(b.Issued); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	return found
}

// ExpireClients makes every dynamically registered client as old as client_expire_time. As in the oidc app they go away
// with the next authorization or registration request.
func (s *Server) ExpireClients() {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	for _, c := range s.oidc.clients {
		if c.dynamic {
			c.issued = s.now().Add(-s.opts.ClientLifetime - time.Second)
		}
	}
}

// DeleteClient removes a client and its tokens, as an administrator does, and tells whether it was there.
func (s *Server) DeleteClient(id string) bool {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	_, found := s.oidc.clients[id]
	s.oidc.removeClient(id)
	return found
}

func (s *Server) clientInfo(c *oauthClient) ClientInfo {
	info := ClientInfo{
		ClientConfig: ClientConfig{Name: c.name, RedirectURIs: slices.Clone(c.redirects), Scope: c.scope, TokenType: c.tokenType, ResourceURL: c.resourceURL},
		ID:           c.id, Secret: c.secret, Dynamic: c.dynamic, Issued: c.issued,
	}
	if c.dynamic {
		info.Expires = c.issued.Add(s.opts.ClientLifetime)
	}
	return info
}

func (s *Server) tokenType(asked string) string {
	// Nextcloud: oidc before 1.10 knows opaque tokens only.
	if !s.rules.managedClients {
		return tokenTypeOpaque
	}
	if asked == tokenTypeJWT || asked == tokenTypeOpaque {
		return asked
	}
	return s.opts.TokenType
}

func (p *provider) removeClient(id string) {
	delete(p.clients, id)
	for _, g := range p.grants {
		if g.client.id == id {
			p.forget(g)
		}
	}
	p.grants = slices.DeleteFunc(p.grants, func(g *grant) bool { return g.client.id == id })
}

// cleanUp deletes clients that are too old. The caller holds the lock.
func (p *provider) cleanUp(now time.Time, life time.Duration) {
	for id, c := range p.clients {
		if c.dynamic && now.After(c.issued.Add(life)) {
			p.removeClient(id)
		}
	}
}

// registration is the body of a registration or update (RFC 7591, section 2).
type registration struct {
	Name            string    `json:"client_name"`
	RedirectURIs    *[]string `json:"redirect_uris"`
	ApplicationType string    `json:"application_type"`
	Scope           *string   `json:"scope"`
	TokenType       string    `json:"token_type"`
	ResourceURL     *string   `json:"resource_url"`
}

var scopeCharacters = regexp.MustCompile(`^[a-zA-Z0-9 _:./-]*$`)

// check returns what is wrong with a registration, or nil.
func (g registration) check() *oauthError {
	if g.Scope != nil && !scopeCharacters.MatchString(*g.Scope) {
		return &oauthError{"invalid_scope", "Scope contains invalid characters. Allowed: alphanumeric, spaces, underscores, hyphens, colons, periods, and forward slashes."}
	}
	if g.ResourceURL == nil {
		return nil
	}
	if len(*g.ResourceURL) > maxResourceURL {
		return &oauthError{"invalid_resource_url", "Resource URL exceeds maximum length of 512 characters."}
	}
	if u, err := url.Parse(strings.TrimSpace(*g.ResourceURL)); err != nil || u.Scheme == "" || u.Host == "" {
		return &oauthError{"invalid_resource_url", "Resource URL must be a valid URL (RFC 9728)."}
	}
	return nil
}

// apply writes what a registration says into a client.
func (g registration) apply(c *oauthClient) {
	if g.Name != "" {
		c.name = string([]rune(g.Name)[:min(len([]rune(g.Name)), maxClientName)])
	}
	if g.RedirectURIs != nil {
		c.redirects = *g.RedirectURIs
	}
	if g.Scope != nil {
		scope := strings.TrimSpace(*g.Scope)
		c.scope = scope[:min(len(scope), maxScope)]
	}
	if g.ResourceURL != nil {
		c.resourceURL = strings.TrimSpace(*g.ResourceURL)
	}
	if g.ApplicationType == "native" {
		c.applicationType = "native"
	}
}

// clientAnswer is what registration and RFC 7592 requests are answered with.
type clientAnswer struct {
	Name             string   `json:"client_name"`
	ID               string   `json:"client_id"`
	Secret           string   `json:"client_secret"`
	Token            string   `json:"registration_access_token,omitempty"`
	URI              string   `json:"registration_client_uri,omitempty"`
	RedirectURIs     []string `json:"redirect_uris"`
	AuthMethod       string   `json:"token_endpoint_auth_method"`
	ResponseTypes    []string `json:"response_types"`
	GrantTypes       []string `json:"grant_types"`
	SigningAlgorithm string   `json:"id_token_signed_response_alg"`
	ApplicationType  string   `json:"application_type"`
	IssuedAt         int64    `json:"client_id_issued_at"`
	ExpiresAt        int64    `json:"client_secret_expires_at"`
	Scope            string   `json:"scope"`
	TokenType        string   `json:"token_type,omitempty"`
	ResourceURL      string   `json:"resource_url,omitempty"`
}

// describe makes the answer about a client. The caller holds the lock.
func (s *Server) describe(r *http.Request, c *oauthClient) clientAnswer {
	answer := clientAnswer{
		Name: c.name, ID: c.id, Secret: c.secret, RedirectURIs: c.redirects,
		// Nextcloud: whatever method was asked for, "none" too.
		AuthMethod:    "client_secret_post",
		ResponseTypes: []string{"code"}, GrantTypes: []string{"authorization_code"},
		SigningAlgorithm: "RS256", ApplicationType: c.applicationType, IssuedAt: c.issued.Unix(), Scope: c.scope,
	}
	if c.dynamic {
		answer.ExpiresAt = c.issued.Add(s.opts.ClientLifetime).Unix()
	}
	if s.rules.managedClients {
		answer.URI = s.base(r) + "/apps/oidc/register/" + c.id
	}
	return answer
}

func (s *Server) register(w http.ResponseWriter, r *http.Request, _ *account) {
	if s.rateLimited(r) {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	if s.switches().disableRegistration {
		writeOAuthError(w, http.StatusBadRequest, "dynamic_registration_not_allowed", "Dynamic Client Registration is disabled.")
		return
	}
	var asked registration
	// Nextcloud: a body that is no JSON has no parameters.
	_ = json.NewDecoder(r.Body).Decode(&asked)
	switch {
	case asked.RedirectURIs == nil:
		writeOAuthError(w, http.StatusBadRequest, "no_redirect_uris_provided", "Dynamic Client Registration requires redirect_uris to be set.")
		return
	case len(*asked.RedirectURIs) == 0:
		writeOAuthError(w, http.StatusBadRequest, "no_redirect_uris_provided", "Dynamic Client Registration requires at least one redirect_uris to be set.")
		return
	}
	if wrong := asked.check(); wrong != nil {
		writeOAuthError(w, http.StatusBadRequest, wrong.Error, wrong.Description)
		return
	}
	c := &oauthClient{
		id: randomText(clientSecretLength), secret: randomText(clientSecretLength), name: "DCR-" + address(r),
		tokenType: s.tokenType(asked.TokenType), applicationType: "web", issued: s.now(), dynamic: true,
	}
	asked.apply(c)
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	s.oidc.cleanUp(s.now(), s.opts.ClientLifetime)
	if s.oidc.dynamicClients() > s.opts.MaxClients {
		writeOAuthError(w, http.StatusBadRequest, "max_num_clients_exceeded", "Maximum number of dynamic registered clients exceeded.")
		return
	}
	s.oidc.clients[c.id] = c
	answer := s.describe(r, c)
	if s.rules.managedClients {
		answer.Token = s.oidc.newManagementToken(c.id)
		answer.TokenType, answer.ResourceURL = c.tokenType, c.resourceURL
	}
	allowOrigin(w, http.MethodPost)
	writeJSON(w, http.StatusCreated, answer)
}

func (p *provider) dynamicClients() int {
	n := 0
	for _, c := range p.clients {
		if c.dynamic {
			n++
		}
	}
	return n
}

// newManagementToken makes a registration access token (RFC 7592). Earlier ones stay good.
func (p *provider) newManagementToken(clientID string) string {
	if len(p.management) >= maxRegistrationTokens {
		clear(p.management)
	}
	token := randomText(clientSecretLength)
	p.management[token] = clientID
	return token
}

// rateLimited counts a registration and tells whether it is one too many.
func (s *Server) rateLimited(r *http.Request) bool {
	if !s.opts.RateLimitRegistration {
		return false
	}
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	from, now := address(r), s.now()
	if len(s.oidc.registrations) > maxAddresses {
		clear(s.oidc.registrations)
	}
	recent := slices.DeleteFunc(s.oidc.registrations[from], func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	if len(recent) >= registrationsPerMinute {
		s.oidc.registrations[from] = recent
		return true
	}
	s.oidc.registrations[from] = append(recent, now)
	return false
}

// managed returns the client that a registration access token may manage, or answers why not. The caller holds the lock.
func (s *Server) managed(w http.ResponseWriter, r *http.Request) *oauthClient {
	token, _ := bearerToken(r)
	owner, known := s.oidc.management[token]
	c := s.oidc.clients[owner]
	switch {
	case !known:
		writeOAuthError(w, http.StatusUnauthorized, "invalid_token", "Invalid or missing registration access token.")
	case c == nil:
		writeOAuthError(w, http.StatusUnauthorized, "invalid_token", "Token does not correspond to a valid client.")
	case owner != r.PathValue("client"):
		writeOAuthError(w, http.StatusForbidden, "unauthorized_client", "Token does not match the requested client.")
	default:
		return c
	}
	return nil
}

func (s *Server) readClient(w http.ResponseWriter, r *http.Request, _ *account) {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	if c := s.managed(w, r); c != nil {
		allowOrigin(w, http.MethodGet)
		writeJSON(w, http.StatusOK, s.describe(r, c))
	}
}

func (s *Server) updateClient(w http.ResponseWriter, r *http.Request, _ *account) {
	var asked registration
	_ = json.NewDecoder(r.Body).Decode(&asked) // as in register
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	c := s.managed(w, r)
	if c == nil {
		return
	}
	if wrong := asked.check(); wrong != nil {
		writeOAuthError(w, http.StatusBadRequest, wrong.Error, wrong.Description)
		return
	}
	asked.apply(c)
	answer := s.describe(r, c)
	answer.Token = s.oidc.newManagementToken(c.id)
	allowOrigin(w, http.MethodPut)
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) deleteClient(w http.ResponseWriter, r *http.Request, _ *account) {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	if c := s.managed(w, r); c != nil {
		s.oidc.removeClient(c.id)
		allowOrigin(w, http.MethodDelete)
		w.WriteHeader(http.StatusNoContent)
	}
}
