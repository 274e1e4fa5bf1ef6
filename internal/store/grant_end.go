package store

import (
	"context"
	"database/sql"
	"errors"

	"nextcloud-mcp-server/internal/nextcloud"
)

// EndGrant ends a grant with everything that was issued for it, and reports
// whether there was one. Its app password goes to the revocations, and the end
// of an active grant to the audit. A grant that was consented to meanwhile does
// not end as EndedUnconfirmed, and one that was prolonged not as EndedByTime.
func (s *Store) EndGrant(ctx context.Context, id string, why EndReason) (ended bool, err error) {
	err = s.write(ctx, "end grant", func(tx conn) error {
		ended, err = s.endGrant(ctx, tx, id, why)
		return err
	})
	return ended && err == nil, err
}

// EndGrantsOf ends all grants of a person, as EndGrant does one by one, also
// those that nobody consented to yet, and counts them.
func (s *Store) EndGrantsOf(ctx context.Context, user nextcloud.UserID, why EndReason) (int, error) {
	ended, err := s.endGrants(ctx, "user_id", string(user), why)
	return len(ended), err
}

// EndGrantsOfClient ends all grants of a client, as EndGrant does one by one,
// and answers their ids.
func (s *Store) EndGrantsOfClient(ctx context.Context, clientID string, why EndReason) ([]string, error) {
	return s.endGrants(ctx, "client_id", clientID, why)
}

func (s *Store) endGrants(ctx context.Context, column, value string, why EndReason) (all []string, err error) {
	ids, err := s.grantIDs(ctx, column, value)
	if err != nil {
		return nil, s.fail("end grants", err)
	}
	for _, id := range ids {
		ended, err := s.EndGrant(ctx, id, why)
		if err != nil {
			return all, err
		}
		if ended {
			all = append(all, id)
		}
	}
	return all, nil
}

func (s *Store) grantIDs(ctx context.Context, column, value string) ([]string, error) {
	rows, err := s.read().query(ctx, "SELECT id FROM grants WHERE "+column+" = ? ORDER BY id", value)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (s *Store) endGrant(ctx context.Context, tx conn, id string, why EndReason) (bool, error) {
	statement, args := "DELETE FROM grants WHERE id = ?", []any{id}
	switch why {
	case EndedUnconfirmed:
		statement += " AND state = 'pending'"
	case EndedByTime:
		statement += " AND expires_at BETWEEN 1 AND ?"
		args = append(args, millis(s.now()))
	default:
	}
	g := Grant{ID: id}
	var sealed []byte
	// Codes, families and tokens go by their foreign keys.
	err := tx.queryRow(ctx, statement+" RETURNING state, user_id, login_name, client_name, credential_kind, credential_host, credential_secret", args...).
		Scan(&g.State, &g.UserID, &g.LoginName, &g.ClientName, &g.Credential.Kind, &g.Credential.Host, &sealed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	}
	// A password that does not decrypt can be revoked by nobody.
	g.Credential.Secret, _ = s.openCredential(sealed, id)
	if err := s.revokeCredential(ctx, tx, &g); err != nil {
		return false, err
	}
	if g.State != GrantActive {
		return true, nil
	}
	return true, s.appendAudit(ctx, tx, &AuditEntry{UserID: g.UserID, GrantID: id, ClientName: g.ClientName, Outcome: string(why)})
}
