package nextcloudtest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// valid tells whether an access token is still good.
//
// Nextcloud: tokens are honoured for twice the time that is announced.
func (s *Server) valid(g *grant) bool {
	return g != nil && g.access != "" && s.now().Before(g.issued.Add(2*s.opts.TokenLifetime))
}

// acceptToken is the bearer validation of user_oidc: any living access token of the oidc app will do, whatever its scope
// and audience.
func (s *Server) acceptToken(token string) (userID string, ok bool) {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	g := s.oidc.byAccess[token]
	if g == nil && s.rules.idTokenAsBearer {
		g = s.oidc.byIDToken[token]
	}
	if token == "" || !s.valid(g) {
		return "", false
	}
	return g.user, true
}

// RevokeTokens ends all OAuth tokens of a user.
func (s *Server) RevokeTokens(userID string) {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	for _, g := range s.oidc.grants {
		if g.user == userID {
			s.oidc.revoke(g)
		}
	}
}

// introspection is RFC 7662, section 2.2.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope"`
	ClientID  string `json:"client_id"`
	Username  string `json:"username"`
	TokenType string `json:"token_type"`
	Expires   int64  `json:"exp"`
	Issued    int64  `json:"iat"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
}

// introspect tells a client about its own tokens and those that were issued for its resource.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request, _ *account) {
	id, secret, token := introspectionParameters(r)
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	asking := s.oidc.clients[id]
	if asking == nil || !same(asking.secret, secret) {
		writeOAuthError(w, http.StatusUnauthorized, "invalid_client", "Client authentication failed.")
		return
	}
	g := s.oidc.byAccess[token]
	if token == "" || !s.valid(g) || !mayIntrospect(asking, g) {
		writeJSON(w, http.StatusOK, map[string]bool{"active": false})
		return
	}
	allowOrigin(w, http.MethodPost)
	writeJSON(w, http.StatusOK, introspection{
		Active: true, Scope: g.scope, ClientID: g.client.id, Username: g.user, TokenType: "Bearer",
		Expires: g.issued.Add(2 * s.opts.TokenLifetime).Unix(), Issued: g.created.Unix(), Subject: g.user,
		// Nextcloud: the client, not the resource the token was issued for.
		Audience: g.client.id,
	})
}

func mayIntrospect(asking *oauthClient, g *grant) bool {
	return asking.id == g.client.id || (g.resource != "" && (g.resource == asking.id || g.resource == asking.resourceURL))
}

// introspectionParameters reads a form or a JSON body.
func introspectionParameters(r *http.Request) (id, secret, token string) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var body struct {
			Token  string `json:"token"`
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
		// Nextcloud: a body that is no JSON has no parameters.
		_ = json.NewDecoder(r.Body).Decode(&body)
		id, secret, token = body.ID, body.Secret, body.Token
		if basicID, basicSecret, ok := r.BasicAuth(); ok {
			id, secret = basicID, basicSecret
		}
		return id, secret, token
	}
	id, secret = clientCredentials(r)
	return id, secret, r.PostFormValue("token")
}

func (s *Server) userinfo(w http.ResponseWriter, r *http.Request, _ *account) {
	token, ok := bearerToken(r)
	if !ok || token == "" {
		writeOAuthError(w, http.StatusBadRequest, "invalid_request", "No bearer token found in request.")
		return
	}
	s.oidc.mu.Lock()
	g := s.oidc.byAccess[token]
	valid := s.valid(g)
	s.oidc.mu.Unlock()
	// Nextcloud: 400, where OpenID Connect Core 5.3.3 asks for 401.
	if !valid {
		writeOAuthError(w, http.StatusBadRequest, "invalid_request", "Could not find provided bearer token.")
		return
	}
	a := s.account(g.user)
	if !s.opts.DisableUserOIDC {
		w.Header().Set("X-User-Id", a.id)
	}
	claims := profileClaims(s.base(r), a, g.scope)
	claims["sub"] = a.id
	allowOrigin(w, "GET, POST")
	writeJSON(w, http.StatusOK, claims)
}
