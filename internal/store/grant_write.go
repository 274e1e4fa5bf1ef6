package store

import (
	"context"
	"encoding/json"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
)

// CreateGrant keeps a new grant as it is given; a zero CreatedAt means now.
// The error is ErrConflict when there is one with its ID, or when it is active
// and the person has an active one with the same client.
func (s *Store) CreateGrant(ctx context.Context, g Grant) error {
	if g.CreatedAt.IsZero() {
		g.CreatedAt = s.now()
	}
	narrowed, err := json.Marshal(g.Policy)
	if err != nil {
		return s.fail("create grant", err)
	}
	return s.write(ctx, "create grant", func(tx conn) error {
		n, err := tx.changes(ctx, `INSERT INTO grants (id, state, user_id, login_name, display_name, issuer, subject, method,
			client_id, client_name, client_uri, client_kind, redirect_host, scopes, policy,
			credential_kind, credential_secret, credential_host, credential_version, created_at, last_used_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			g.ID, string(g.State), string(g.UserID), string(g.LoginName), g.DisplayName, g.Issuer, string(g.Subject), string(g.Method),
			g.ClientID, g.ClientName, g.ClientURI, string(g.ClientKind), g.RedirectHost, g.Scopes.String(), string(narrowed),
			string(g.Credential.Kind), s.sealer.seal(g.Credential.Secret, grantCell(g.ID)), g.Credential.Host, g.Credential.Version,
			millis(g.CreatedAt), millis(g.LastUsedAt), millis(g.ExpiresAt))
		if err == nil && n == 0 {
			return ErrConflict
		}
		return err
	})
}

// SetGrantPolicy changes what an active grant of a person allows, and until
// when; a zero time means for ever. The error is ErrNotFound when the grant is
// not that person's.
func (s *Store) SetGrantPolicy(ctx context.Context, id string, user nextcloud.UserID, scopes scope.Set, p policy.Policy, expires time.Time) error {
	narrowed, err := json.Marshal(p)
	if err != nil {
		return s.fail("change grant", err)
	}
	return s.write(ctx, "change grant", func(tx conn) error {
		return tx.changeOne(ctx, `UPDATE grants SET scopes = ?, policy = ?, expires_at = ?
			WHERE id = ? AND user_id = ? AND state = 'active'`,
			scopes.String(), string(narrowed), millis(expires), id, string(user))
	})
}

// ReplaceCredential gives a grant's credential another secret, if it still has
// the given version, and answers the credential as it is then. The error is
// ErrConflict when it has another version by now.
func (s *Store) ReplaceCredential(ctx context.Context, id string, version int64, secret auth.Secret) (Credential, error) {
	c := Credential{Secret: secret}
	err := s.write(ctx, "replace credential", func(tx conn) error {
		err := absent(tx.queryRow(ctx, `UPDATE grants SET credential_secret = ?, credential_version = credential_version + 1
			WHERE id = ? AND credential_version = ? RETURNING credential_kind, credential_host, credential_version`,
			s.sealer.seal(secret, grantCell(id)), id, version).Scan(&c.Kind, &c.Host, &c.Version))
		if err != ErrNotFound { //nolint:errorlint // absent answers the sentinel itself
			return err
		}
		var there int
		err = tx.queryRow(ctx, "SELECT count(*) FROM grants WHERE id = ?", id).Scan(&there)
		switch {
		case err != nil:
			return err
		case there == 0:
			return ErrNotFound
		}
		return ErrConflict
	})
	if err != nil {
		return Credential{}, err
	}
	return c, nil
}

// TouchGrant notes that a grant was used. An earlier time than the noted one
// changes nothing.
func (s *Store) TouchGrant(ctx context.Context, id string, at time.Time) error {
	return s.write(ctx, "note use of grant", func(tx conn) error {
		return tx.changeOne(ctx, "UPDATE grants SET last_used_at = CASE WHEN last_used_at < ?1 THEN ?1 ELSE last_used_at END WHERE id = ?2",
			millis(at), id)
	})
}
