package store

import (
	"context"
	"time"
)

// What is kept of the audit.
const (
	keepAudit       = 90 * 24 * time.Hour
	maxAuditEntries = 1000 // of a person
)

const sweepOp = "delete what expired"

// sweepBatch is how much a sweep finds or deletes at once.
const sweepBatch = 500

// Sweep deletes what expired: codes, access tokens, families, flows and
// browser sessions, and of the audit what is older than 90 days or beyond the
// newest 1000 entries of a person. It works in small transactions, so that
// nobody waits for it.
func (s *Store) Sweep(ctx context.Context) error {
	now := millis(s.now())
	steps := []func() error{
		func() error { return s.sweepCodes(ctx, now) },
		func() error { return s.sweepFamilies(ctx, now) },
		func() error {
			return s.sweepRows(ctx, `DELETE FROM flows WHERE (kind, flow_key) IN
				(SELECT kind, flow_key FROM flows WHERE expires_at <= ? LIMIT ?)`, now)
		},
		func() error {
			return s.sweepRows(ctx, `DELETE FROM browser_sessions WHERE id IN
				(SELECT id FROM browser_sessions WHERE expires_at <= ? LIMIT ?)`, now)
		},
		func() error {
			return s.sweepRows(ctx, "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? LIMIT ?)",
				millis(s.now().Add(-keepAudit)))
		},
		func() error { return s.sweepAudit(ctx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// sweepRows runs a statement that deletes a batch, until nothing is left.
func (s *Store) sweepRows(ctx context.Context, statement string, before int64) error {
	for n := int64(sweepBatch); n == sweepBatch; {
		err := s.write(ctx, sweepOp, func(tx conn) (err error) {
			n, err = tx.changes(ctx, statement, before, sweepBatch)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sweepCodes deletes codes one by one: the end of a grant locks several of
// them in an order of its own.
func (s *Store) sweepCodes(ctx context.Context, now int64) error {
	const expired = "(expires_at <= ?2 OR (expires_at <= ?1 AND family_id IS NULL))"
	usedBefore := now - keepUsedCode.Milliseconds()
	return s.sweepEach(ctx, "SELECT hash FROM codes WHERE "+expired+" LIMIT ?3", []any{now, usedBefore, sweepBatch},
		func(tx conn, hash []byte) error {
			_, err := tx.exec(ctx, "DELETE FROM codes WHERE "+expired+" AND hash = ?3", now, usedBefore, hash)
			return err
		})
}

// sweepFamilies deletes expired access tokens, and families that have neither
// a refresh token nor an access token left. It locks one family at a time, for
// the reason of sweepCodes.
func (s *Store) sweepFamilies(ctx context.Context, now int64) error {
	const useless = `expires_at <= ?1 AND (expires_at > 0 OR refresh IS NULL)
		AND NOT EXISTS (SELECT 1 FROM access_tokens t WHERE t.family_id = families.id)`
	return s.sweepEach(ctx, "SELECT family_id FROM access_tokens WHERE expires_at <= ?1 UNION SELECT id FROM families WHERE "+useless+" LIMIT ?2",
		[]any{now, sweepBatch}, func(tx conn, id []byte) error {
			var locked []byte
			err := absent(tx.queryRow(ctx, "SELECT id FROM families WHERE id = ?"+tx.lock(), id).Scan(&locked))
			if err == ErrNotFound { //nolint:errorlint // absent answers the sentinel itself
				return nil
			}
			if err != nil {
				return err
			}
			if _, err := tx.exec(ctx, "DELETE FROM access_tokens WHERE family_id = ? AND expires_at <= ?", id, now); err != nil {
				return err
			}
			_, err = tx.exec(ctx, "DELETE FROM families WHERE "+useless+" AND id = ?2", now, id)
			return err
		})
}

// sweepEach lists keys and does something to each in a transaction of its own,
// until the list is short. The list has to shrink by what is done.
func (s *Store) sweepEach(ctx context.Context, list string, args []any, do func(tx conn, key []byte) error) error {
	for {
		keys, err := s.keys(ctx, list, args)
		if err != nil {
			return s.fail(sweepOp, err)
		}
		for _, key := range keys {
			if err := s.write(ctx, sweepOp, func(tx conn) error { return do(tx, key) }); err != nil {
				return err
			}
		}
		if len(keys) < sweepBatch {
			return nil
		}
	}
}

func (s *Store) keys(ctx context.Context, list string, args []any) ([][]byte, error) {
	rows, err := s.read().query(ctx, list, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys [][]byte
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// sweepAudit deletes what people have beyond their newest entries.
func (s *Store) sweepAudit(ctx context.Context) error {
	return s.sweepEach(ctx, "SELECT user_id FROM audit GROUP BY user_id HAVING count(*) > ? LIMIT ?", []any{maxAuditEntries, sweepBatch},
		func(tx conn, user []byte) error {
			_, err := tx.exec(ctx, `DELETE FROM audit WHERE user_id = ?1 AND id NOT IN
				(SELECT id FROM audit WHERE user_id = ?1 ORDER BY at DESC, id DESC LIMIT ?2)`, string(user), maxAuditEntries)
			return err
		})
}
