package oauth

import (
	"context"
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/store"
)

// revoke is the revocation endpoint (RFC 7009). An access token ends alone; a
// refresh token ends with everything of its line, and when nothing is left of
// the grant, the grant ends too, with the app password that it held. What is
// not known, or another client's, is answered like what has just ended.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	const op = "revocation request"
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
	token := p.get("token")
	if token == "" {
		s.fail(w, r, op, refuse(codeInvalidRequest, "token is missing."))
		return
	}
	if err := s.end(ctx, c.ID, token); err != nil {
		s.fail(w, r, op, err)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// end ends a token of a client; the prefix says what kind it is, whatever the
// hint says.
func (s *Server) end(ctx context.Context, clientID, token string) error {
	if isAccess(token) {
		_, err := s.cfg.Store.RevokeAccess(ctx, store.HashOf(token), clientID)
		return err
	}
	family, ok := refreshFamily(token)
	if !ok {
		return nil
	}
	grantID, last, err := s.cfg.Store.RevokeFamily(ctx, store.HashOf(family), clientID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil || !last:
		return err
	}
	if _, err := s.cfg.Store.EndGrant(ctx, grantID, store.EndedByClient); err != nil {
		return err
	}
	s.cfg.Log.InfoContext(ctx, "A client ended its connection", "client", clientID, "grant", grantID)
	s.cfg.Ended(grantID)
	return nil
}
