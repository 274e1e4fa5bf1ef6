package oauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// The grant types (RFC 6749, 4.1.3 and 6).
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

// How long tokens live. A grant that ends by a date ends them too.
const (
	accessLife   = time.Hour
	refreshLife  = 90 * 24 * time.Hour // since its last use
	tokenTimeout = 15 * time.Second
)

// tokens are the answer of RFC 6749, 5.1.
type tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
}

// token is the token endpoint (RFC 6749, 3.2).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	const op = "token request"
	p, err := readForm(w, r)
	if err != nil {
		s.fail(w, r, op, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), tokenTimeout)
	defer cancel()
	c, err := s.cfg.Clients.Authenticate(ctx, r)
	if err != nil {
		s.failClient(w, r, op, err)
		return
	}
	if ok, wait := s.limits.clientToken.Allow(s.limits.clientKey(r, c, c.Secret != store.Hash{})); !ok {
		tooMany(w, wait)
		return
	}
	answer, err := s.grant(ctx, c, p)
	if err != nil {
		s.fail(w, r, op, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) grant(ctx context.Context, c *clients.Client, p parameters) (*tokens, error) {
	kind := p.get("grant_type")
	switch {
	case kind == "":
		return nil, refuse(codeInvalidRequest, "grant_type is missing.")
	case kind != grantCode && kind != grantRefresh:
		return nil, refuse(codeUnsupportedGrantType, "The grant types are authorization_code and refresh_token.")
	case !s.ours(p["resource"]):
		return nil, refuse(codeInvalidTarget, "This server grants access to "+plain(s.cfg.Resource)+" only.")
	case kind == grantRefresh:
		return s.refresh(ctx, c, p)
	default:
		return s.redeem(ctx, c, p)
	}
}

// redeem exchanges an authorization code (RFC 6749, 4.1.3).
//
// A code counts as used as soon as it is shown, so that nobody can try twice.
// The redirect URI has to be the one of the authorization request when it is
// there; OAuth 2.1, 10.2 no longer has it, as PKCE, which is required here,
// binds a code better.
func (s *Server) redeem(ctx context.Context, c *clients.Client, p parameters) (*tokens, error) {
	code, verifier, redirect := p.get("code"), p.get("code_verifier"), p.get("redirect_uri")
	switch {
	case code == "":
		return nil, refuse(codeInvalidRequest, "code is missing.")
	case !isProof(verifier):
		return nil, refuse(codeInvalidRequest, "code_verifier must be 43 to 128 unreserved characters.")
	case !isCode(code):
		return nil, refuse(codeInvalidGrant, "The code is not known.")
	}
	refreshes, err := s.refreshes(ctx, c)
	if err != nil {
		return nil, err
	}
	family := newFamily()
	l := line{client: c, family: family, presented: newRefresh(family), refreshes: refreshes}
	now := s.cfg.Now()
	redeemed, err := s.cfg.Store.RedeemCode(ctx, store.HashOf(code), store.Family{ID: store.HashOf(family)},
		// Nobody is told these two: their scopes are those of the code, which is
		// not known before. The first turn of the line makes the real ones.
		store.Pair{Access: hashOf(newAccess()), AccessExpires: now, Refresh: hashOf(l.presented), RefreshUntil: now.Add(codeLife)},
		func(k store.Code) error {
			switch {
			case k.ClientID != c.ID:
				return refuse(codeInvalidGrant, "The code was issued to another client.")
			case redirect != "" && redirect != k.RedirectURI:
				return refuse(codeInvalidGrant, "redirect_uri is not that of the authorization request.")
			case k.Resource != s.cfg.Resource:
				return refuse(codeInvalidGrant, "The code was issued for another resource.")
			case !proves(verifier, k.CodeChallenge):
				return refuse(codeInvalidGrant, "code_verifier does not fit the code_challenge.")
			}
			return nil
		})
	switch {
	case errors.Is(err, store.ErrReused):
		s.cfg.Log.WarnContext(ctx, "An authorization code was used twice; its tokens have ended", "client", c.ID, "grant", redeemed.GrantID)
		return nil, refuse(codeInvalidGrant, "The code was used before.")
	case errors.Is(err, store.ErrNotFound):
		return nil, refuse(codeInvalidGrant, "The code is not known, or it has expired.")
	case err != nil:
		return nil, err
	}
	return s.turn(ctx, l, redeemed.Scopes)
}

// refreshes reports whether the client takes refresh tokens. One that
// registered itself says so; the others do.
func (s *Server) refreshes(ctx context.Context, c *clients.Client) (bool, error) {
	if c.Kind != store.ClientRegistered {
		return true, nil
	}
	registered, err := s.cfg.Store.Client(ctx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, refuse(codeInvalidClient, "The client is not registered any more.")
	}
	return slices.Contains(registered.GrantTypes, grantRefresh), err
}

// errLook ends a look at a family without changing it.
var errLook = errors.New("only looked")

// refresh exchanges a refresh token (RFC 6749, 6).
func (s *Server) refresh(ctx context.Context, c *clients.Client, p parameters) (*tokens, error) {
	token := p.get("refresh_token")
	family, known := refreshFamily(token)
	switch {
	case token == "":
		return nil, refuse(codeInvalidRequest, "refresh_token is missing.")
	case !known:
		return nil, refuse(codeInvalidGrant, "The refresh token is not known.")
	}
	l := line{client: c, family: family, presented: auth.Secret(token), refreshes: true}
	// What the access token may do has to be said when it is written, and
	// depends on what the family may do; so the first turn only looks.
	f, err := s.cfg.Store.Rotate(ctx, store.HashOf(family), hashOf(l.presented), store.Pair{}, func(f store.Family) error {
		switch {
		case f.ClientID != c.ID:
			return refuse(codeInvalidGrant, "The refresh token was issued to another client.")
		case f.Resource != s.cfg.Resource:
			return refuse(codeInvalidGrant, "The refresh token was issued for another resource.")
		}
		return errLook
	})
	if !errors.Is(err, errLook) {
		return nil, s.lost(ctx, l, f, err)
	}
	scopes := f.Scopes
	if asked := areas(scope.Parse(p.get("scope"))); !asked.Empty() {
		// Clients repeat what they asked for at first, although the person
		// granted less; that never widens anything (RFC 6749, 3.3).
		if scopes = both(asked, f.Scopes); scopes.Empty() {
			return nil, refuse(codeInvalidScope, "None of the scopes was granted.")
		}
	}
	return s.turn(ctx, l, scopes)
}

// line is a line of refresh tokens, from the side of the client that holds its
// end.
type line struct {
	client    *clients.Client
	family    string
	presented auth.Secret
	refreshes bool // the client takes refresh tokens
}

// turn makes the next tokens of a line. The access token gets the given
// scopes, and of them at any time what the grant still holds.
func (s *Server) turn(ctx context.Context, l line, scopes scope.Set) (*tokens, error) {
	now := s.cfg.Now()
	access, refresh := newAccess(), newRefresh(l.family)
	pair := store.Pair{
		Access: hashOf(access), AccessScopes: scopes, AccessExpires: now.Add(accessLife),
		Refresh: hashOf(refresh), RefreshUntil: now.Add(refreshLife),
	}
	if !l.refreshes {
		pair.RefreshUntil = pair.AccessExpires // nobody is told the refresh token
	}
	f, err := s.cfg.Store.Rotate(ctx, store.HashOf(l.family), hashOf(l.presented), pair, func(store.Family) error { return nil })
	if err != nil {
		return nil, s.lost(ctx, l, f, err)
	}
	// Read back as every call will read it, so that the client is told what it
	// really got.
	t, err := s.cfg.Store.AccessToken(ctx, pair.Access)
	if err != nil {
		return nil, s.lost(ctx, l, f, err)
	}
	answer := &tokens{
		AccessToken: access.Reveal(),
		TokenType:   "Bearer",
		ExpiresIn:   int64(expiry(t).Sub(now) / time.Second),
		Scope:       both(t.Scopes, t.Grant.Scopes).String(),
	}
	if l.refreshes {
		answer.RefreshToken = refresh.Reveal()
	}
	return answer, nil
}

// lost is the answer when a line cannot go on.
func (s *Server) lost(ctx context.Context, l line, f store.Family, err error) error {
	switch {
	case errors.Is(err, store.ErrReused):
		s.cfg.Log.WarnContext(ctx, "A refresh token was used again; its family has ended", "client", l.client.ID, "grant", f.GrantID)
		return refuse(codeInvalidGrant, "The refresh token was used before. Sign in again.")
	case errors.Is(err, store.ErrNotFound):
		return refuse(codeInvalidGrant, "The connection has ended or expired. Sign in again.")
	default:
		return err
	}
}

// expiry is when an access token ends, by itself or with its grant.
func expiry(t store.AccessToken) time.Time {
	if end := t.Grant.ExpiresAt; !end.IsZero() && end.Before(t.ExpiresAt) {
		return end
	}
	return t.ExpiresAt
}
