package idptest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// accessClaims are those of a JWT access token (RFC 9068). The caller holds
// the lock; the issuer was asked for before.
func (s *Server) accessClaims(g *grant) map[string]any {
	claims := map[string]any{
		"iss": s.issuerLocked(), "sub": g.user.Subject, "client_id": g.clientID, "scope": g.scope,
		"iat": g.issued.Unix(), "exp": g.issued.Add(s.opts.TokenLifetime).Unix(), "jti": rand.Text(),
	}
	if s.opts.Keycloak {
		delete(claims, "client_id")
		claims["azp"], claims["typ"], claims["auth_time"], claims["sid"] = g.clientID, "Bearer", g.created.Unix(), g.session
		s.addNames(claims, g)
	}
	switch {
	case s.opts.NoAudience:
		claims["token_use"] = "access"
	case g.resource != "" && !s.opts.Keycloak:
		claims["aud"] = g.resource
	default:
		claims["aud"] = s.audienceLocked(g.clientID)
	}
	return claims
}

// audienceLocked is the audience of a client's access tokens: a string, or a
// list when there are more.
func (s *Server) audienceLocked(clientID string) any {
	audience := s.clients[clientID].Audience
	switch len(audience) {
	case 0:
		return s.opts.Audience
	case 1:
		return audience[0]
	}
	return audience
}

// idClaims are those of an ID token (OpenID Connect Core, 2). The caller holds
// the lock.
func (s *Server) idClaims(g *grant) map[string]any {
	sum := sha256.Sum256([]byte(g.access))
	claims := map[string]any{
		"iss": s.issuerLocked(), "sub": g.user.Subject, "aud": g.clientID, "azp": g.clientID,
		"iat": g.issued.Unix(), "exp": g.issued.Add(s.opts.TokenLifetime).Unix(), "auth_time": g.created.Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2]),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	switch {
	case s.opts.NoAudience:
		claims["token_use"] = "id"
	case s.opts.Keycloak:
		claims["typ"], claims["sid"] = "ID", g.session
	}
	if !s.opts.NoNames {
		s.addNames(claims, g)
	}
	return claims
}

func (s *Server) issuerLocked() string {
	if s.opts.Issuer != "" {
		return s.opts.Issuer
	}
	return s.url
}

func (s *Server) addNames(claims map[string]any, g *grant) {
	scopes := strings.Fields(g.scope)
	if slices.Contains(scopes, "profile") {
		claims["name"], claims["preferred_username"] = g.user.Name, g.user.Username
	}
	if slices.Contains(scopes, "email") {
		claims["email"], claims["email_verified"] = g.user.Email, true
	}
}

// userinfo is OpenID Connect Core, 5.3.
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	g := s.living(token)
	if g == nil {
		s.mu.Unlock()
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	claims := map[string]any{"sub": g.user.Subject}
	s.addNames(claims, g)
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, claims)
}

// introspect is RFC 7662.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.clientOf(r); !ok {
		writeError(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	s.mu.Lock()
	g := s.living(r.PostFormValue("token"))
	if g == nil {
		s.mu.Unlock()
		writeJSON(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	claims := s.accessClaims(g)
	s.mu.Unlock()
	claims["active"], claims["username"], claims["token_type"] = true, g.user.Username, "Bearer"
	writeJSON(w, http.StatusOK, claims)
}

// revoke is RFC 7009: it ends the whole grant of a token.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	c, ok := s.clientOf(r)
	if !ok {
		writeError(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	token := r.PostFormValue("token")
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.grants[token]; g != nil && g.clientID == c.ID && (token == g.refresh || token == g.access) {
		g.ended = true
	}
	w.WriteHeader(http.StatusOK)
}
