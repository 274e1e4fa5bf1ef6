package clients

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

// Manage answers GET and DELETE {base}/oauth/register/{client_id} for whoever
// has the registration access token (RFC 7592, 2.1 and 2.3). The path value
// client_id says which client. Secrets are told at registration only: unlike
// RFC 7592, 3 has it, the answer to GET has no token.
func (d *Directory) Manage(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
	default:
		w.Header().Set("Allow", "GET, DELETE")
		answer(w, http.StatusMethodNotAllowed, errorAnswer{"invalid_request", "A registration can be read and deleted, not changed: register anew."})
		return
	}
	c, err := d.owned(r)
	if errors.Is(err, store.ErrNotFound) {
		// RFC 7592, 2: the same for a wrong token and for no client.
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		answer(w, http.StatusUnauthorized, errorAnswer{auth.CodeInvalidToken, "The registration access token is not valid for this client."})
		return
	}
	if err == nil && r.Method == http.MethodDelete {
		if err = d.delete(r.Context(), c.ID); err == nil {
			d.cfg.Log.InfoContext(r.Context(), "client deleted itself", "client_id", c.ID)
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	if err != nil {
		d.cfg.Log.ErrorContext(r.Context(), "registration not managed", "error", err)
		busy(w)
		return
	}
	answer(w, http.StatusOK, d.information(c))
}

// owned is the client of the path when the token of the request is its own.
// The error is store.ErrNotFound otherwise.
func (d *Directory) owned(r *http.Request) (store.Client, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return store.Client{}, store.ErrNotFound
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(token, registrationPrefix) {
		return store.Client{}, store.ErrNotFound
	}
	c, err := d.stored(r.Context(), r.PathValue("client_id"))
	if err != nil {
		return store.Client{}, err
	}
	if !matches(auth.Secret(token), c.Registration) {
		return store.Client{}, store.ErrNotFound
	}
	return c, nil
}

// delete ends what the client was granted before it is forgotten: in the other
// order, a failure in between would leave grants that nobody owns.
func (d *Directory) delete(ctx context.Context, id string) error {
	if d.cfg.Deleted != nil {
		if err := d.cfg.Deleted(ctx, id); err != nil {
			return err
		}
	}
	return d.cfg.Store.DeleteClient(ctx, id)
}
