package store

import (
	"context"
	"crypto/rand"
	"time"
)

func revocationCell(id string) cell {
	return cell{table: "revocations", column: "password", key: []string{id}}
}

// AddRevocation notes an app password that Nextcloud has to be told to delete.
// An empty ID is made up, zero times mean now. Attempts start anew.
func (s *Store) AddRevocation(ctx context.Context, r Revocation) error {
	return s.write(ctx, "add revocation", func(tx conn) error { return s.addRevocation(ctx, tx, r) })
}

func (s *Store) addRevocation(ctx context.Context, tx conn, r Revocation) error {
	if r.ID == "" {
		r.ID = rand.Text()
	}
	if r.CreatedAt.IsZero() {
		r.CreatedAt = s.now()
	}
	if r.DueAt.IsZero() {
		r.DueAt = s.now()
	}
	_, err := tx.exec(ctx, `INSERT INTO revocations (id, host, login_name, user_id, password, attempts, created_at, due_at)
		VALUES (?, ?, ?, ?, ?, 0, ?, ?)`,
		r.ID, r.Host, string(r.LoginName), string(r.UserID), s.sealer.seal(r.Password, revocationCell(r.ID)), millis(r.CreatedAt), millis(r.DueAt))
	return err
}

// revokeCredential notes the app password of a grant that no longer needs it.
func (s *Store) revokeCredential(ctx context.Context, tx conn, g *Grant) error {
	if g.Credential.Kind != AppPasswordCredential || g.Credential.Secret == "" {
		return nil
	}
	return s.addRevocation(ctx, tx, Revocation{Host: g.Credential.Host, LoginName: g.LoginName, UserID: g.UserID, Password: g.Credential.Secret})
}

// DueRevocations are at most limit revocations that are due, longest due
// first. One whose password does not decrypt comes without it, so that it can
// be given up.
func (s *Store) DueRevocations(ctx context.Context, limit int) ([]Revocation, error) {
	const op = "list revocations"
	rows, err := s.read().query(ctx, `SELECT id, host, login_name, user_id, password, attempts, created_at, due_at FROM revocations
		WHERE due_at <= ? ORDER BY due_at, id LIMIT ?`, millis(s.now()), max(limit, 0))
	if err != nil {
		return nil, s.fail(op, err)
	}
	defer rows.Close()
	var out []Revocation
	for rows.Next() {
		var (
			r            Revocation
			sealed       []byte
			created, due int64
		)
		if err := rows.Scan(&r.ID, &r.Host, &r.LoginName, &r.UserID, &sealed, &r.Attempts, &created, &due); err != nil {
			return nil, s.fail(op, err)
		}
		r.Password, _ = s.sealer.open(sealed, revocationCell(r.ID))
		r.CreatedAt, r.DueAt = instant(created), instant(due)
		out = append(out, r)
	}
	return out, s.fail(op, rows.Err())
}

// RevocationDone forgets a revocation. That it is not there is no error.
func (s *Store) RevocationDone(ctx context.Context, id string) error {
	return s.write(ctx, "finish revocation", func(tx conn) error {
		_, err := tx.exec(ctx, "DELETE FROM revocations WHERE id = ?", id)
		return err
	})
}

// RevocationFailed counts an attempt and says when the next one is due.
func (s *Store) RevocationFailed(ctx context.Context, id string, dueAt time.Time) error {
	return s.write(ctx, "postpone revocation", func(tx conn) error {
		return tx.changeOne(ctx, "UPDATE revocations SET attempts = attempts + 1, due_at = ? WHERE id = ?", millis(dueAt), id)
	})
}
