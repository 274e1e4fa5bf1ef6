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
	made := s.mint(family, refreshes, scope.Set{})
	redeemed, err := s.cfg.Store.RedeemCode(ctx, store.HashOf(code), store.Family{ID: store.HashOf(family)}, made.pair, func(k store.Code) error {
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
	return s.tell(ctx, c, made)
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
	asked := areas(scope.Parse(p.get("scope")))
	made := s.mint(family, true, asked)
	f, err := s.rotate(ctx, c, token, made)
	if errors.Is(err, errWider) {
		// Clients repeat what they asked for at first, although the person
		// granted less; that never widens anything (RFC 6749, 3.3).
		narrowed := both(asked, f.Scopes)
		if narrowed.Empty() {
			return nil, refuse(codeInvalidScope, "None of the scopes was granted.")
		}
		made = s.mint(family, true, narrowed)
		f, err = s.rotate(ctx, c, token, made)
	}
	if err != nil {
		return nil, s.lost(ctx, c, f.GrantID, err)
	}
	return s.tell(ctx, c, made)
}

// errWider says that a client asks for more than its family may do.
var errWider = errors.New("wider than granted")

// rotate replaces a refresh token by what was made.
func (s *Server) rotate(ctx context.Context, c *clients.Client, token string, made minted) (store.Family, error) {
	return s.cfg.Store.Rotate(ctx, store.HashOf(made.family), store.HashOf(token), made.pair, func(f store.Family) error {
		switch {
		case f.ClientID != c.ID:
			return refuse(codeInvalidGrant, "The refresh token was issued to another client.")
		case f.Resource != s.cfg.Resource:
			return refuse(codeInvalidGrant, "The refresh token was issued for another resource.")
		case !f.Scopes.HasAll(made.pair.AccessScopes):
			return errWider
		}
		return nil
	})
}

// minted are tokens before the store knows them, and what it is told.
type minted struct {
	family          string
	access, refresh auth.Secret // refresh is empty for a client that takes none
	pair            store.Pair
	now             time.Time
}

// mint makes tokens of a family. No scopes means all that the family has.
func (s *Server) mint(family string, refreshes bool, scopes scope.Set) minted {
	m := minted{family: family, access: newAccess(), now: s.cfg.Now()}
	m.pair = store.Pair{Access: hashOf(m.access), AccessScopes: scopes, AccessExpires: m.now.Add(accessLife), RefreshUntil: m.now.Add(accessLife)}
	if refreshes {
		m.refresh = newRefresh(family)
		m.pair.Refresh, m.pair.RefreshUntil = hashOf(m.refresh), m.now.Add(refreshLife)
	}
	return m
}

// tell is the answer with new tokens. They are read back as every call will
// read them, so that the client is told what it really got.
func (s *Server) tell(ctx context.Context, c *clients.Client, m minted) (*tokens, error) {
	t, err := s.cfg.Store.AccessToken(ctx, m.pair.Access)
	if err != nil {
		return nil, s.lost(ctx, c, "", err)
	}
	return &tokens{
		AccessToken:  m.access.Reveal(),
		TokenType:    "Bearer",
		ExpiresIn:    int64(expiry(t).Sub(m.now) / time.Second),
		RefreshToken: m.refresh.Reveal(),
		Scope:        both(t.Scopes, t.Grant.Scopes).String(),
	}, nil
}

// lost is the answer when a connection cannot go on.
func (s *Server) lost(ctx context.Context, c *clients.Client, grantID string, err error) error {
	switch {
	case errors.Is(err, store.ErrReused):
		s.cfg.Log.WarnContext(ctx, "A refresh token was used again; its family has ended", "client", c.ID, "grant", grantID)
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
