package store

import (
	"context"
	"database/sql"
	"errors"

	"nextcloud-mcp-server/internal/scope"
)

// AccessToken is what an access token stands for. The error is ErrNotFound
// when there is none, when it expired, and when its grant is not active or
// expired.
func (s *Store) AccessToken(ctx context.Context, token Hash) (AccessToken, error) {
	var (
		t       AccessToken
		scopes  string
		expires int64
	)
	// The times are compared here: in the query they would make SQLite plan it
	// anew for each value.
	const query = "SELECT " + grantColumns + `, coalesce(t.scopes, f.scopes), t.expires_at
		FROM access_tokens t JOIN families f ON f.id = t.family_id JOIN grants g ON g.id = f.grant_id
		WHERE t.hash = ?`
	statement, err := s.prepared(ctx, query) //nolint:sqlclosecheck // it ends with the database
	if err != nil {
		return AccessToken{}, s.fail("read access token", err)
	}
	if t.Grant, err = scanGrant(statement.QueryRowContext(ctx, token[:]).Scan, &scopes, &expires); err != nil {
		return AccessToken{}, s.fail("read access token", err)
	}
	t.Scopes, t.ExpiresAt = scope.Parse(scopes), instant(expires)
	now := s.now()
	if t.Grant.State != GrantActive || past(t.Grant.ExpiresAt, now) || !t.ExpiresAt.After(now) {
		return AccessToken{}, ErrNotFound
	}
	return t, nil
}

// RevokeAccess ends one access token (RFC 7009) and reports whether the client
// had it. The refresh token that came with it stays.
func (s *Store) RevokeAccess(ctx context.Context, token Hash, clientID string) (bool, error) {
	var revoked bool
	err := s.write(ctx, "revoke access token", func(tx conn) error {
		var family, refresh []byte
		err := tx.queryRow(ctx, `SELECT f.id, f.refresh FROM access_tokens t JOIN families f ON f.id = t.family_id
			WHERE t.hash = ? AND f.client_id = ?`, token[:], clientID).Scan(&family, &refresh)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		}
		// Without refresh token the family is nothing but this token.
		statement, key := "DELETE FROM access_tokens WHERE hash = ?", token[:]
		if refresh == nil {
			statement, key = "DELETE FROM families WHERE id = ?", family
		}
		n, err := tx.changes(ctx, statement, key)
		revoked = n > 0
		return err
	})
	return revoked && err == nil, err
}

// RevokeFamily ends a family of the client with its access tokens (RFC 7009)
// and names its grant. last says that the grant has no other family that is of
// any use. The error is ErrNotFound when the client has no such family.
func (s *Store) RevokeFamily(ctx context.Context, family Hash, clientID string) (grantID string, last bool, err error) {
	err = s.write(ctx, "revoke refresh token", func(tx conn) error {
		err := tx.queryRow(ctx, "SELECT grant_id FROM families WHERE id = ? AND client_id = ?", family[:], clientID).Scan(&grantID)
		if err != nil {
			return absent(err)
		}
		// Of two that revoke the last two families one has to see that it was
		// the last.
		if err := tx.queryRow(ctx, "SELECT id FROM grants WHERE id = ?"+tx.lock(), grantID).Scan(&grantID); err != nil {
			return absent(err)
		}
		if err := tx.changeOne(ctx, "DELETE FROM families WHERE id = ?", family[:]); err != nil {
			return err
		}
		var others int
		err = tx.queryRow(ctx, `SELECT count(*) FROM families f WHERE f.grant_id = ?1 AND (
			(f.refresh IS NOT NULL AND (f.expires_at = 0 OR f.expires_at > ?2))
			OR EXISTS (SELECT 1 FROM access_tokens t WHERE t.family_id = f.id AND t.expires_at > ?2))`, grantID, millis(s.now())).Scan(&others)
		last = others == 0
		return err
	})
	if err != nil {
		return "", false, err
	}
	return grantID, last, nil
}
