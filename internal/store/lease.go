package store

import (
	"context"
	"time"
)

// AcquireLease gives the named lease to owner for ttl, and reports whether it
// did: a lease is free, expired, or the owner's own (which prolongs it). Time
// is this process's clock.
func (s *Store) AcquireLease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error) {
	var got bool
	err := s.write(ctx, "acquire lease", func(tx conn) error {
		now := s.now()
		res, err := tx.exec(ctx, `INSERT INTO leases (name, owner, expires_at) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
			WHERE leases.owner = excluded.owner OR leases.expires_at <= ?`,
			name, owner, millis(now.Add(ttl)), millis(now))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		got = n == 1
		return err
	})
	return got && err == nil, err
}

// ReleaseLease gives the named lease back, if it is the owner's.
func (s *Store) ReleaseLease(ctx context.Context, name, owner string) error {
	return s.write(ctx, "release lease", func(tx conn) error {
		_, err := tx.exec(ctx, "DELETE FROM leases WHERE name = ? AND owner = ?", name, owner)
		return err
	})
}
