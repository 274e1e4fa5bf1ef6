package store

import (
	"context"
	"time"

	"nextcloud-mcp-server/internal/auth"
)

// OAuthClient is one registration of this server at an identity provider (RFC
// 7591, 3.2.1). At most one of a provider is not retired.
type OAuthClient struct {
	Provider          string // what the registration belongs to, such as the issuer
	ClientID          string
	Secret            auth.Secret // empty when it can no longer be decrypted
	IssuedAt          time.Time   // by this server's clock
	SecretExpiresAt   time.Time   // zero means never
	RedirectURI       string
	Scopes            string // space-separated
	Resource          string
	TokenType         string
	RegistrationToken auth.Secret // RFC 7592; may be empty
	RegistrationURI   string      // RFC 7592; may be empty
	RetiredAt         time.Time   // zero while it is the active one
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// keepExpired is how long a registration is kept after its end.
const keepExpired = 30 * 24 * time.Hour

func oauthClientCell(column string, c *OAuthClient) cell {
	return cell{table: "oauth_clients", column: column, key: []string{c.Provider, c.ClientID}}
}

// OAuthClients are the registrations at provider: the active one first, if
// there is one, then the retired ones, newest first.
func (s *Store) OAuthClients(ctx context.Context, provider string) ([]OAuthClient, error) {
	const op = "read OAuth clients"
	rows, err := s.read().query(ctx, `SELECT client_id, secret, issued_at, secret_expires_at, redirect_uri, scopes, resource,
		token_type, registration_token, registration_uri, retired_at, created_at, updated_at
		FROM oauth_clients WHERE provider = ? ORDER BY state, retired_at DESC, client_id`, provider)
	if err != nil {
		return nil, s.fail(op, err)
	}
	defer rows.Close()
	var out []OAuthClient
	for rows.Next() {
		var (
			c                                          = OAuthClient{Provider: provider}
			secret, token                              []byte
			issued, expires, retired, created, updated int64
		)
		err := rows.Scan(&c.ClientID, &secret, &issued, &expires, &c.RedirectURI, &c.Scopes, &c.Resource,
			&c.TokenType, &token, &c.RegistrationURI, &retired, &created, &updated)
		if err != nil {
			return nil, s.fail(op, err)
		}
		// A secret that does not open leaves the field empty: the registration
		// is lost, but it can still be replaced.
		c.Secret, _ = s.sealer.open(secret, oauthClientCell("secret", &c))
		c.RegistrationToken, _ = s.sealer.open(token, oauthClientCell("registration_token", &c))
		c.IssuedAt, c.SecretExpiresAt, c.RetiredAt = instant(issued), instant(expires), instant(retired)
		c.CreatedAt, c.UpdatedAt = instant(created), instant(updated)
		out = append(out, c)
	}
	return out, s.fail(op, rows.Err())
}

// ActivateOAuthClient keeps c as the active registration of its provider and
// retires the one before, at once. The times of creation, change and
// retirement are set here.
func (s *Store) ActivateOAuthClient(ctx context.Context, c OAuthClient) error {
	return s.write(ctx, "save OAuth client", func(tx conn) error {
		if err := tx.exclusive(ctx, "oauth_clients "+c.Provider); err != nil {
			return err
		}
		now := millis(s.now())
		_, err := tx.exec(ctx, `UPDATE oauth_clients SET state = 'retired', retired_at = ?, updated_at = ?
			WHERE provider = ? AND state = 'active' AND client_id <> ?`, now, now, c.Provider, c.ClientID)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `INSERT INTO oauth_clients (provider, client_id, secret, issued_at, secret_expires_at,
			redirect_uri, scopes, resource, token_type, registration_token, registration_uri, state, retired_at, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', 0, ?, ?)
			ON CONFLICT (provider, client_id) DO UPDATE SET secret = excluded.secret, issued_at = excluded.issued_at,
			secret_expires_at = excluded.secret_expires_at, redirect_uri = excluded.redirect_uri, scopes = excluded.scopes,
			resource = excluded.resource, token_type = excluded.token_type, registration_token = excluded.registration_token,
			registration_uri = excluded.registration_uri, state = excluded.state, retired_at = excluded.retired_at,
			created_at = excluded.created_at, updated_at = excluded.updated_at`,
			c.Provider, c.ClientID, s.sealer.seal(c.Secret, oauthClientCell("secret", &c)), millis(c.IssuedAt), millis(c.SecretExpiresAt),
			c.RedirectURI, c.Scopes, c.Resource, c.TokenType,
			s.sealer.seal(c.RegistrationToken, oauthClientCell("registration_token", &c)), c.RegistrationURI, now, now)
		if err != nil {
			return err
		}
		// What expired long ago at a provider that is no longer asked.
		_, err = tx.exec(ctx, "DELETE FROM oauth_clients WHERE secret_expires_at BETWEEN 1 AND ?",
			millis(s.now().Add(-keepExpired)))
		return err
	})
}

// DeleteOAuthClient forgets a registration. That it is not there is no error.
func (s *Store) DeleteOAuthClient(ctx context.Context, provider, clientID string) error {
	return s.write(ctx, "delete OAuth client", func(tx conn) error {
		_, err := tx.exec(ctx, "DELETE FROM oauth_clients WHERE provider = ? AND client_id = ?", provider, clientID)
		return err
	})
}
