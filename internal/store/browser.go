package store

import (
	"context"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

// BrowserSession is a browser, by its cookie, and who signed in there.
type BrowserSession struct {
	ID          Hash // of the cookie
	UserID      nextcloud.UserID
	DisplayName string
	Issuer      string
	CreatedAt   time.Time
	ExpiresAt   time.Time
}

// PutBrowserSession keeps a session and replaces what its ID had before. A
// zero CreatedAt means now.
func (s *Store) PutBrowserSession(ctx context.Context, b BrowserSession) error {
	if b.CreatedAt.IsZero() {
		b.CreatedAt = s.now()
	}
	return s.write(ctx, "save browser session", func(tx conn) error {
		_, err := tx.exec(ctx, `INSERT INTO browser_sessions (id, user_id, display_name, issuer, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, display_name = excluded.display_name, issuer = excluded.issuer,
			created_at = excluded.created_at, expires_at = excluded.expires_at`,
			b.ID[:], string(b.UserID), b.DisplayName, b.Issuer, millis(b.CreatedAt), millis(b.ExpiresAt))
		return err
	})
}

// BrowserSession is a session. The error is ErrNotFound when there is none or
// it expired.
func (s *Store) BrowserSession(ctx context.Context, id Hash) (BrowserSession, error) {
	b := BrowserSession{ID: id}
	var created, expires int64
	err := s.read().queryRow(ctx, `SELECT user_id, display_name, issuer, created_at, expires_at FROM browser_sessions
		WHERE id = ? AND expires_at > ?`, id[:], millis(s.now())).Scan(&b.UserID, &b.DisplayName, &b.Issuer, &created, &expires)
	if err != nil {
		return BrowserSession{}, s.fail("read browser session", absent(err))
	}
	b.CreatedAt, b.ExpiresAt = instant(created), instant(expires)
	return b, nil
}

// DeleteBrowserSession ends a session. That it is not there is no error.
func (s *Store) DeleteBrowserSession(ctx context.Context, id Hash) error {
	return s.write(ctx, "end browser session", func(tx conn) error {
		_, err := tx.exec(ctx, "DELETE FROM browser_sessions WHERE id = ?", id[:])
		return err
	})
}

// DeleteBrowserSessionsOf ends all sessions of a person.
func (s *Store) DeleteBrowserSessionsOf(ctx context.Context, user nextcloud.UserID) error {
	return s.write(ctx, "end browser sessions", func(tx conn) error {
		_, err := tx.exec(ctx, "DELETE FROM browser_sessions WHERE user_id = ?", string(user))
		return err
	})
}
