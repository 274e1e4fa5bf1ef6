package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Client is an MCP client that registered itself (RFC 7591).
type Client struct {
	ID              string
	Name            string
	URI             string // client_uri; may be empty
	ApplicationType string // "web" or "native"
	RedirectURIs    []string
	GrantTypes      []string
	AuthMethod      string // token_endpoint_auth_method
	Scope           string // as registered, space-separated; may be empty
	Secret          Hash   // the zero hash for public clients
	Registration    Hash   // of the registration access token (RFC 7592)
	CreatedAt       time.Time
	LastUsedAt      time.Time // the last authorization or token request; zero means never
}

// PutClient keeps a client and replaces what its ID had before. A zero
// CreatedAt means now.
func (s *Store) PutClient(ctx context.Context, c Client) error {
	const op = "save client"
	if c.CreatedAt.IsZero() {
		c.CreatedAt = s.now()
	}
	redirects, err := json.Marshal(c.RedirectURIs)
	grants, err2 := json.Marshal(c.GrantTypes)
	if err := errors.Join(err, err2); err != nil {
		return s.fail(op, err)
	}
	return s.write(ctx, op, func(tx conn) error {
		_, err := tx.exec(ctx, `INSERT INTO clients (id, name, uri, application_type, redirect_uris, grant_types, auth_method, scope,
			secret, registration, created_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, uri = excluded.uri, application_type = excluded.application_type,
			redirect_uris = excluded.redirect_uris, grant_types = excluded.grant_types, auth_method = excluded.auth_method,
			scope = excluded.scope, secret = excluded.secret, registration = excluded.registration,
			created_at = excluded.created_at, last_used_at = excluded.last_used_at`,
			c.ID, c.Name, c.URI, c.ApplicationType, string(redirects), string(grants), c.AuthMethod, c.Scope,
			c.Secret.column(), c.Registration.column(), millis(c.CreatedAt), millis(c.LastUsedAt))
		return err
	})
}

// Client is a registered client. The error is ErrNotFound when there is none.
func (s *Store) Client(ctx context.Context, id string) (Client, error) {
	const op = "read client"
	var (
		c                    = Client{ID: id}
		redirects, grants    string
		secret, registration []byte
		created, used        int64
	)
	err := s.read().queryRow(ctx, `SELECT name, uri, application_type, redirect_uris, grant_types, auth_method, scope,
		secret, registration, created_at, last_used_at FROM clients WHERE id = ?`, id).
		Scan(&c.Name, &c.URI, &c.ApplicationType, &redirects, &grants, &c.AuthMethod, &c.Scope, &secret, &registration, &created, &used)
	if err != nil {
		return Client{}, s.fail(op, absent(err))
	}
	err = errors.Join(json.Unmarshal([]byte(redirects), &c.RedirectURIs), json.Unmarshal([]byte(grants), &c.GrantTypes))
	if err != nil {
		return Client{}, &Error{Op: op, Kind: ErrDamaged, Message: "a stored client registration is damaged: let the client register again", Err: err}
	}
	c.Secret, c.Registration = hashColumn(secret), hashColumn(registration)
	c.CreatedAt, c.LastUsedAt = instant(created), instant(used)
	return c, nil
}

// DeleteClient forgets a client. That it is not there is no error.
func (s *Store) DeleteClient(ctx context.Context, id string) error {
	return s.write(ctx, "delete client", func(tx conn) error {
		_, err := tx.exec(ctx, "DELETE FROM clients WHERE id = ?", id)
		return err
	})
}

// TouchClient notes that a client was used. An earlier time than the noted one
// changes nothing.
func (s *Store) TouchClient(ctx context.Context, id string, at time.Time) error {
	return s.write(ctx, "note use of client", func(tx conn) error {
		return tx.changeOne(ctx, "UPDATE clients SET last_used_at = CASE WHEN last_used_at < ?1 THEN ?1 ELSE last_used_at END WHERE id = ?2",
			millis(at), id)
	})
}

// SweepClients forgets at most limit clients without a grant, longest unused
// first: those that were used, but not since unusedBefore, and those that
// registered before neverUsedBefore and never were. It counts them.
func (s *Store) SweepClients(ctx context.Context, unusedBefore, neverUsedBefore time.Time, limit int) (int, error) {
	var swept int64
	err := s.write(ctx, "delete unused clients", func(tx conn) (err error) {
		swept, err = tx.changes(ctx, `DELETE FROM clients WHERE id IN (SELECT c.id FROM clients c
			WHERE ((c.last_used_at > 0 AND c.last_used_at < ?) OR (c.last_used_at = 0 AND c.created_at < ?))
			AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.client_id = c.id)
			ORDER BY coalesce(nullif(c.last_used_at, 0), c.created_at), c.id LIMIT ?)`,
			millis(unusedBefore), millis(neverUsedBefore), max(limit, 0))
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(swept), nil
}

// CountClients is how many clients are registered.
func (s *Store) CountClients(ctx context.Context) (int, error) {
	var n int
	err := s.read().queryRow(ctx, "SELECT count(*) FROM clients").Scan(&n)
	return n, s.fail("count clients", err)
}
