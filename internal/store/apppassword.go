package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// AppPassword is the Nextcloud app password of one grant: one person, one
// client.
type AppPassword struct {
	Grant      string // see auth.Principal.Grant
	Issuer     string
	Subject    auth.Subject
	ClientID   string // the MCP client
	LoginName  nextcloud.LoginName
	UserID     nextcloud.UserID
	Password   auth.Secret
	Host       string    // the Nextcloud it is for, as a base URL
	CreatedAt  time.Time // zero means now, when it is put
	LastUsedAt time.Time // zero means CreatedAt, when it is put
	ProvenAt   time.Time // when Nextcloud last accepted it for certain; zero means not yet
}

func appPasswordCell(grant string) cell {
	return cell{table: "app_passwords", column: "password", key: []string{grant}}
}

const appPasswordColumns = `grant_key, issuer, subject, client_id, login_name, user_id, password, host, created_at, last_used_at, proven_at`

// scanAppPassword reads appPasswordColumns. When the password does not open
// it is left empty and the error is ErrDamaged.
func (s *Store) scanAppPassword(scan func(...any) error) (AppPassword, error) {
	var (
		p             AppPassword
		sealed        []byte
		created, used int64
		proven        sql.NullInt64
	)
	err := scan(&p.Grant, &p.Issuer, &p.Subject, &p.ClientID, &p.LoginName, &p.UserID, &sealed, &p.Host, &created, &used, &proven)
	if err != nil {
		return AppPassword{}, err
	}
	p.CreatedAt, p.LastUsedAt, p.ProvenAt = instant(created), instant(used), instant(proven.Int64)
	p.Password, err = s.sealer.open(sealed, appPasswordCell(p.Grant))
	if err != nil {
		return p, &Error{Op: "read app password", Kind: ErrDamaged, Message: "a stored app password does not belong to its row or was changed: sign in again to replace it", Err: err}
	}
	return p, nil
}

// AppPassword is the app password of a grant. The error is ErrNotFound when
// there is none, and ErrDamaged when it does not decrypt.
func (s *Store) AppPassword(ctx context.Context, grant string) (AppPassword, error) {
	row := s.read().queryRow(ctx, "SELECT "+appPasswordColumns+" FROM app_passwords WHERE grant_key = ?", grant)
	p, err := s.scanAppPassword(row.Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return AppPassword{}, ErrNotFound
	case err != nil:
		return AppPassword{}, s.fail("read app password", err)
	}
	return p, nil
}

// PutAppPassword keeps p and replaces what its grant had before.
func (s *Store) PutAppPassword(ctx context.Context, p AppPassword) error {
	if p.CreatedAt.IsZero() {
		p.CreatedAt = s.now()
	}
	if p.LastUsedAt.IsZero() {
		p.LastUsedAt = p.CreatedAt
	}
	return s.write(ctx, "save app password", func(tx conn) error {
		_, err := tx.exec(ctx, "INSERT INTO app_passwords ("+appPasswordColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (grant_key) DO UPDATE SET issuer = excluded.issuer, subject = excluded.subject, client_id = excluded.client_id,
			login_name = excluded.login_name, user_id = excluded.user_id, password = excluded.password, host = excluded.host,
			created_at = excluded.created_at, last_used_at = excluded.last_used_at, proven_at = excluded.proven_at`,
			p.Grant, p.Issuer, string(p.Subject), p.ClientID, string(p.LoginName), string(p.UserID),
			s.sealer.seal(p.Password, appPasswordCell(p.Grant)), p.Host, millis(p.CreatedAt), millis(p.LastUsedAt), provenAt(p.ProvenAt))
		return err
	})
}

// TouchAppPassword notes that the app password of a grant was used. An
// earlier time than the noted one changes nothing.
func (s *Store) TouchAppPassword(ctx context.Context, grant string, usedAt time.Time) error {
	return s.updateAppPassword(ctx, "note use of app password",
		"UPDATE app_passwords SET last_used_at = CASE WHEN last_used_at < ?1 THEN ?1 ELSE last_used_at END WHERE grant_key = ?2", millis(usedAt), grant)
}

// ProveAppPassword notes when Nextcloud accepted the app password of a grant
// for certain.
func (s *Store) ProveAppPassword(ctx context.Context, grant string, at time.Time) error {
	return s.updateAppPassword(ctx, "note proof of app password",
		"UPDATE app_passwords SET proven_at = ? WHERE grant_key = ?", provenAt(at), grant)
}

// updateAppPassword runs a statement that changes one row, else the error is
// ErrNotFound.
func (s *Store) updateAppPassword(ctx context.Context, op, statement string, args ...any) error {
	return s.write(ctx, op, func(tx conn) error {
		res, err := tx.exec(ctx, statement, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return nil
	})
}

// DeleteAppPassword forgets the app password of a grant. That it is not there
// is no error.
func (s *Store) DeleteAppPassword(ctx context.Context, grant string) error {
	return s.write(ctx, "delete app password", func(tx conn) error {
		_, err := tx.exec(ctx, "DELETE FROM app_passwords WHERE grant_key = ?", grant)
		return err
	})
}

// UnusedAppPasswords are at most limit app passwords that were not used since
// before, longest unused first. One that does not decrypt comes with an empty
// password, so that it can be deleted.
func (s *Store) UnusedAppPasswords(ctx context.Context, before time.Time, limit int) ([]AppPassword, error) {
	const op = "list unused app passwords"
	rows, err := s.read().query(ctx, "SELECT "+appPasswordColumns+` FROM app_passwords
		WHERE last_used_at < ? ORDER BY last_used_at, grant_key LIMIT ?`, millis(before), max(limit, 0))
	if err != nil {
		return nil, s.fail(op, err)
	}
	defer rows.Close()
	var out []AppPassword
	for rows.Next() {
		p, err := s.scanAppPassword(rows.Scan)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return nil, s.fail(op, err)
		}
		out = append(out, p)
	}
	return out, s.fail(op, rows.Err())
}

// provenAt is NULL for the zero time.
func provenAt(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: millis(t), Valid: !t.IsZero()}
}
