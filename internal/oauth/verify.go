package oauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

var _ auth.Verifier = (*Server)(nil)

// Verify tells who an access token of this server speaks for. It asks the
// store each time, so that a connection that ended or was narrowed is so at
// once, in every process.
//
// The error is an *auth.Error: 401 when the token is not good, 503 when that
// cannot be told now.
func (s *Server) Verify(ctx context.Context, token string) (*auth.Principal, error) {
	refused := &auth.Error{Status: http.StatusUnauthorized, Code: auth.CodeInvalidToken, Description: "The access token is not known, or it has expired or was revoked."}
	if !isAccess(token) {
		return nil, refused
	}
	t, err := s.cfg.Store.AccessToken(ctx, store.HashOf(token))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, refused
	case err != nil:
		return nil, &auth.Error{
			Status: http.StatusServiceUnavailable, Code: auth.CodeTemporarilyUnavailable,
			Description: "The access token cannot be checked now.", RetryAfter: retryLater, Err: err,
		}
	}
	s.uses.note(ctx, t.Grant.ID, s.cfg.Now())
	return &auth.Principal{
		Issuer:   s.cfg.Issuer,
		Subject:  auth.Subject(t.Grant.UserID),
		ClientID: t.Grant.ClientID,
		Name:     cmp.Or(t.Grant.DisplayName, string(t.Grant.UserID)),
		Scopes:   both(t.Scopes, t.Grant.Scopes),
		Expires:  expiry(t),
		Token:    auth.Secret(token),
		GrantID:  t.Grant.ID,
		Policy:   t.Grant.Policy,

		ClientName: t.Grant.ClientName,
		GrantEnds:  t.Grant.ExpiresAt,
	}, nil
}
