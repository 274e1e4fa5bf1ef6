package nextcloudtest

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// grant is one authorization: a code first, then an access token that refreshing replaces.
type grant struct {
	number    int // jti of its tokens
	client    *oauthClient
	user      string
	scope     string
	resource  string
	nonce     string
	challenge string
	method    string
	redirect  string
	authTime  time.Time
	created   time.Time // of the code
	issued    time.Time // of the access token

	code, access, refresh, idToken string
	used                           bool
}

// forget takes all tokens of a grant out of the tables. The caller holds the lock.
func (p *provider) forget(g *grant) {
	delete(p.byCode, g.code)
	p.revoke(g)
}

// revoke ends the tokens of a grant but remembers its code.
func (p *provider) revoke(g *grant) {
	delete(p.byAccess, g.access)
	delete(p.byRefresh, g.refresh)
	delete(p.byIDToken, g.idToken)
	g.access, g.refresh, g.idToken = "", "", ""
}

// issueCode makes an authorization code.
func (s *Server) issueCode(c *oauthClient, a *account, one *session, query url.Values, scope string) string {
	g := &grant{
		client: c, user: a.id, scope: scope, resource: query.Get("resource"), nonce: query.Get("nonce"),
		redirect: query.Get("redirect_uri"), authTime: one.authTime, created: s.now(), code: randomText(longTokenLength),
	}
	if g.resource == "" {
		g.resource = c.resourceURL
	}
	if s.rules.pkce {
		g.challenge, g.method = query.Get("code_challenge"), query.Get("code_challenge_method")
	}
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	if len(s.oidc.grants) >= maxGrants {
		s.oidc.forget(s.oidc.grants[0])
		s.oidc.grants = s.oidc.grants[1:]
	}
	s.oidc.lastGrant++
	g.number = s.oidc.lastGrant
	s.oidc.grants = append(s.oidc.grants, g)
	s.oidc.byCode[g.code] = g
	return g.code
}

// tokenAnswer is a successful token response (RFC 6749, section 5.1).
type tokenAnswer struct {
	AccessToken      string `json:"access_token"`
	TokenType        string `json:"token_type"`
	ExpiresIn        int    `json:"expires_in"` // seconds
	IDToken          string `json:"id_token"`
	RefreshToken     string `json:"refresh_token,omitempty"`
	RefreshExpiresIn int    `json:"refresh_expires_in,omitempty"` // seconds
}

func (s *Server) token(w http.ResponseWriter, r *http.Request, _ *account) {
	// Nextcloud: every error of this endpoint is 400, a wrong client secret too.
	refuse := func(code, description string) {
		writeOAuthError(w, http.StatusBadRequest, code, description)
	}
	key := s.signingKey()
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	var g *grant
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		g = s.oidc.byCode[r.PostFormValue("code")]
	case "refresh_token":
		g = s.oidc.byRefresh[r.PostFormValue("refresh_token")]
	default:
		refuse("invalid_grant", "Invalid grant_type provided. Must be authorization_code or refresh_token.")
		return
	}
	if g == nil {
		refuse("invalid_grant", "Could not find access token for code or refresh_token.")
		return
	}
	id, secret := clientCredentials(r)
	if id != g.client.id || !same(g.client.secret, secret) {
		refuse("invalid_client", "Client authentication failed.")
		return
	}
	if code, description := s.refuseGrant(r, g); code != "" {
		refuse(code, description)
		return
	}
	answer, ok := s.issueTokens(s.base(r), key, g)
	if !ok {
		refuse("invalid_grant", "User not found.")
		return
	}
	allowOrigin(w, "GET, POST")
	writeJSON(w, http.StatusOK, answer)
}

// refuseGrant says why a code or refresh token is no longer good; an empty code means that it is.
func (s *Server) refuseGrant(r *http.Request, g *grant) (code, description string) {
	if r.PostFormValue("grant_type") == "refresh_token" {
		if s.now().After(g.issued.Add(s.opts.RefreshTokenLifetime)) {
			s.oidc.revoke(g)
			return "invalid_grant", "Refresh token already expired."
		}
		return "", ""
	}
	redirectURI := r.PostFormValue("redirect_uri")
	switch {
	case g.used:
		// RFC 6749, section 4.1.2: a code that comes twice ends what was issued for it.
		s.oidc.revoke(g)
		return "invalid_grant", "Authorization code has already been used."
	case s.now().After(g.created.Add(s.opts.TokenLifetime)):
		s.oidc.forget(g)
		return "invalid_grant", "Access token already expired."
	case redirectURI != "" && redirectURI != g.redirect:
		return "invalid_grant", "Invalid redirect_uri."
	case !verified(g, r.PostFormValue("code_verifier")):
		return "invalid_grant", "Invalid code_verifier."
	}
	g.used = true
	return "", ""
}

// verified checks PKCE (RFC 7636, section 4.6).
func verified(g *grant, verifier string) bool {
	switch {
	case g.challenge == "":
		return true
	case g.method == "S256":
		sum := sha256.Sum256([]byte(verifier))
		return same(g.challenge, base64.RawURLEncoding.EncodeToString(sum[:]))
	}
	return same(g.challenge, verifier)
}

// clientCredentials reads client_secret_basic or client_secret_post.
func clientCredentials(r *http.Request) (id, secret string) {
	if id, secret, ok := r.BasicAuth(); ok {
		return id, secret
	}
	return r.PostFormValue("client_id"), r.PostFormValue("client_secret")
}

// issueTokens replaces the tokens of a grant. The caller holds the lock of the provider.
func (s *Server) issueTokens(issuer string, key *signingKey, g *grant) (tokenAnswer, bool) {
	a := s.account(g.user)
	if a == nil || a.profile().Disabled {
		return tokenAnswer{}, false
	}
	s.oidc.revoke(g)
	g.issued = s.now()
	g.access = randomText(accessTokenLength)
	if g.client.tokenType == tokenTypeJWT {
		g.access = key.sign("at+JWT", s.accessClaims(issuer, a, g))
	}
	g.idToken = key.sign("JWT", s.idClaims(issuer, g))
	s.oidc.byAccess[g.access] = g
	s.oidc.byIDToken[g.idToken] = g
	answer := tokenAnswer{
		AccessToken: g.access, TokenType: "Bearer", ExpiresIn: int(s.opts.TokenLifetime / time.Second), IDToken: g.idToken,
	}
	if slices.Contains(strings.Fields(g.scope), "offline_access") {
		g.refresh = randomText(longTokenLength)
		s.oidc.byRefresh[g.refresh] = g
		answer.RefreshToken, answer.RefreshExpiresIn = g.refresh, int(s.opts.RefreshTokenLifetime/time.Second)
	}
	return answer, true
}

// commonClaims are in access and ID tokens alike.
func (s *Server) commonClaims(issuer, audience string, g *grant) map[string]any {
	return map[string]any{
		"iss":       issuer,
		"sub":       g.user,
		"aud":       audience,
		"exp":       g.issued.Add(s.opts.TokenLifetime).Unix(),
		"auth_time": g.authTime.Unix(),
		"iat":       g.issued.Unix(),
		"acr":       "0",
		"azp":       g.client.id,
		"jti":       strconv.Itoa(g.number),
	}
}

// accessClaims are those of a JWT access token (RFC 9068).
func (s *Server) accessClaims(issuer string, a *account, g *grant) map[string]any {
	audience := g.resource
	if audience == "" {
		audience = g.client.id
	}
	claims := s.commonClaims(issuer, audience, g)
	claims["client_id"] = g.client.id
	maps.Copy(claims, profileClaims(issuer, a, g.scope))
	return claims
}

func (s *Server) idClaims(issuer string, g *grant) map[string]any {
	claims := s.commonClaims(issuer, g.client.id, g)
	claims["nbf"] = g.issued.Unix()
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	return claims
}

// profileClaims are what scopes open of a person.
func profileClaims(issuer string, a *account, scope string) map[string]any {
	u := a.profile()
	a.mu.Lock()
	updated := unix(a.lastLogin)
	a.mu.Unlock()
	claims := map[string]any{"preferred_username": u.ID, "scope": scope}
	for one := range strings.FieldsSeq(scope) {
		switch one {
		case "roles", "groups":
			claims[one] = append([]string{}, u.Groups...)
		case "profile":
			words := strings.Fields(u.DisplayName)
			claims["name"] = u.DisplayName
			claims["updated_at"] = updated
			claims["picture"] = issuer + "/avatar/" + url.PathEscape(u.ID) + "/64"
			if len(words) > 0 {
				claims["given_name"], claims["family_name"] = words[0], words[len(words)-1]
			}
		case "email":
			if u.Email != "" {
				claims["email"], claims["email_verified"] = u.Email, false
			}
		}
	}
	return claims
}
