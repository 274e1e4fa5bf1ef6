package store

import (
	"context"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// Account is the one account of a person who works without a server: what the
// login command keeps for stdio.
type Account struct {
	Host      string // the Nextcloud, as a base URL
	LoginName nextcloud.LoginName
	UserID    nextcloud.UserID
	Password  auth.Secret // an app password
	CreatedAt time.Time
}

var accountCell = cell{table: "account", column: "password", key: []string{"1"}}

// Account is the account that is kept. The error is ErrNotFound when there is
// none, and ErrDamaged when its password does not decrypt.
func (s *Store) Account(ctx context.Context) (Account, error) {
	const op = "read account"
	var (
		a       Account
		sealed  []byte
		created int64
	)
	err := s.read().queryRow(ctx, "SELECT host, login_name, user_id, password, created_at FROM account WHERE id = 1").
		Scan(&a.Host, &a.LoginName, &a.UserID, &sealed, &created)
	if err != nil {
		return Account{}, s.fail(op, absent(err))
	}
	a.CreatedAt = instant(created)
	if a.Password, err = s.sealer.open(sealed, accountCell); err != nil {
		return Account{}, &Error{Op: op, Kind: ErrDamaged, Message: "the stored app password of the account was changed: log in again to replace it", Err: err}
	}
	return a, nil
}

// PutAccount keeps an account and replaces the one before. A zero CreatedAt
// means now.
func (s *Store) PutAccount(ctx context.Context, a Account) error {
	if a.CreatedAt.IsZero() {
		a.CreatedAt = s.now()
	}
	return s.write(ctx, "save account", func(tx conn) error {
		_, err := tx.exec(ctx, `INSERT INTO account (id, host, login_name, user_id, password, created_at) VALUES (1, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET host = excluded.host, login_name = excluded.login_name, user_id = excluded.user_id,
			password = excluded.password, created_at = excluded.created_at`,
			a.Host, string(a.LoginName), string(a.UserID), s.sealer.seal(a.Password, accountCell), millis(a.CreatedAt))
		return err
	})
}

// DeleteAccount forgets the account. That there is none is no error.
func (s *Store) DeleteAccount(ctx context.Context) error {
	return s.write(ctx, "delete account", func(tx conn) error {
		_, err := tx.exec(ctx, "DELETE FROM account")
		return err
	})
}
