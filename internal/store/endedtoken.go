package store

import (
	"context"
	"crypto/sha256"
	"time"
)

// EndToken remembers until the given time that the token with this SHA-256 is
// let in no more.
func (s *Store) EndToken(ctx context.Context, hash [sha256.Size]byte, until time.Time) error {
	return s.write(ctx, "end token", func(tx conn) error {
		if _, err := tx.exec(ctx, "DELETE FROM ended_tokens WHERE until <= ?", millis(s.now())); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `INSERT INTO ended_tokens (hash, until) VALUES (?, ?)
			ON CONFLICT (hash) DO UPDATE SET until = excluded.until WHERE ended_tokens.until < excluded.until`, hash[:], millis(until))
		return err
	})
}

// TokenEnded reports whether the token with this SHA-256 was ended.
func (s *Store) TokenEnded(ctx context.Context, hash [sha256.Size]byte) (bool, error) {
	var n int
	err := s.read().queryRow(ctx, "SELECT count(*) FROM ended_tokens WHERE hash = ? AND until > ?", hash[:], millis(s.now())).Scan(&n)
	if err != nil {
		return false, s.fail("read ended tokens", err)
	}
	return n > 0, nil
}
