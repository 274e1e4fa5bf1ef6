package idptest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// codeLife is how long an authorization code may be redeemed.
const codeLife = time.Minute

// grant is one authorization with the tokens that are good for it. It stands
// in the table under each of them, and under its code.
type grant struct {
	clientID, redirectURI, nonce, challenge, scope, resource, session string

	user    User
	created time.Time
	used    bool // the code
	ended   bool

	access, refresh string
	issued          time.Time // of access
	replaced        []string  // refresh tokens that are no good any more
}

func (s *Server) issueCode(q url.Values, user User) string {
	code := "code-" + rand.Text()
	g := &grant{
		session:  rand.Text(),
		clientID: q.Get("client_id"), redirectURI: q.Get("redirect_uri"), nonce: q.Get("nonce"), challenge: q.Get("code_challenge"),
		scope: s.granted(q.Get("scope")), resource: q.Get("resource"), user: user, created: s.opts.Now(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keep(s.grants, code, g)
	return code
}

// granted are the scopes of a request, and those that come by themselves.
func (s *Server) granted(asked string) string {
	scopes := strings.Fields(asked)
	for _, scope := range []string{"profile", "email"} {
		if s.opts.Keycloak && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return strings.Join(scopes, " ")
}

// token is the token endpoint (RFC 6749, 3.2).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	c, ok := s.clientOf(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		writeError(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	var g *grant
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		g = s.redeem(r, c)
	case "refresh_token":
		g = s.rotate(r, c)
	default:
		writeError(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	if g == nil {
		writeError(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	writeJSON(w, http.StatusOK, s.issue(g))
}

// redeem is the grant of a code; nil when it is no good. A second use ends
// what the first one gave (RFC 6749, 4.1.2).
func (s *Server) redeem(r *http.Request, c Client) *grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := r.PostFormValue("code")
	g := s.grants[code]
	if g == nil || !strings.HasPrefix(code, "code-") || g.clientID != c.ID {
		return nil
	}
	if g.used {
		g.ended = true
		return nil
	}
	g.used = true
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !same(g.challenge, base64.RawURLEncoding.EncodeToString(sum[:])) || g.redirectURI != r.PostFormValue("redirect_uri") || s.opts.Now().Sub(g.created) > codeLife {
		return nil
	}
	return g
}

// rotate is the grant of a refresh token; nil when it is no good. One that was
// replaced ends the grant (RFC 9700, 4.14.2).
func (s *Server) rotate(r *http.Request, c Client) *grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := r.PostFormValue("refresh_token")
	g := s.grants[token]
	if g == nil || g.ended || s.disabled[g.user.Username] || !strings.HasPrefix(token, "rt-") || g.clientID != c.ID {
		return nil
	}
	if slices.Contains(g.replaced, token) {
		g.ended = true
		return nil
	}
	return g
}

// issue makes the tokens of a grant.
func (s *Server) issue(g *grant) map[string]any {
	key := s.key()
	s.mu.Lock()
	g.issued = s.opts.Now()
	g.access = "at-" + rand.Text()
	if !s.opts.Opaque {
		g.access = key.sign(map[string]any{"alg": "RS256", "kid": key.id, "typ": s.accessType()}, s.accessClaims(g))
	}
	keep(s.grants, g.access, g)
	out := map[string]any{
		"access_token": g.access, "token_type": "Bearer", "expires_in": int(s.opts.TokenLifetime / time.Second), "scope": g.scope,
	}
	offline := s.opts.Keycloak || slices.Contains(strings.Fields(g.scope), "offline_access")
	if offline && (g.refresh == "" || !s.opts.KeepRefreshToken) {
		if g.refresh != "" && !s.opts.Keycloak {
			g.replaced = append(g.replaced, g.refresh)
		}
		g.refresh = "rt-" + rand.Text()
		keep(s.grants, g.refresh, g)
		out["refresh_token"] = g.refresh
	}
	header, claims := map[string]any{"alg": "RS256", "kid": key.id, "typ": "JWT"}, s.idClaims(g)
	s.mu.Unlock()
	if s.opts.ForgeIDToken != nil {
		if forged := s.opts.ForgeIDToken(s, header, claims); forged != "" {
			out["id_token"] = forged
			return out
		}
	}
	out["id_token"] = key.sign(header, claims)
	return out
}

// accessType is the "typ" of access tokens (RFC 9068, 2.1), which not all
// providers follow.
func (s *Server) accessType() string {
	if s.opts.NoAudience || s.opts.Keycloak {
		return "JWT"
	}
	return "at+jwt"
}

// living is the grant of an access token that is good now. The caller holds
// the lock.
func (s *Server) living(token string) *grant {
	g := s.grants[token]
	if g == nil || g.ended || s.disabled[g.user.Username] || g.access != token || s.opts.Now().After(g.issued.Add(s.opts.TokenLifetime)) {
		return nil
	}
	return g
}

// Accept says whose a living access token is, as a service does that takes the
// tokens of this provider.
func (s *Server) Accept(token string) (subject string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.living(token)
	if g == nil {
		return "", false
	}
	return g.user.Subject, true
}

// RefreshTokens counts the refresh tokens that are good.
func (s *Server) RefreshTokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for token, g := range s.grants {
		if token == g.refresh && !g.ended {
			n++
		}
	}
	return n
}

// Disable takes a user's account away: no sign-in, and no use of what was
// issued before.
func (s *Server) Disable(username string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disabled[username] = true
}

// EndGrants ends all tokens of a subject.
func (s *Server) EndGrants(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.grants {
		if g.user.Subject == subject {
			g.ended = true
		}
	}
}
