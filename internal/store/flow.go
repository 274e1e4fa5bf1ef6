package store

import (
	"context"
	"time"

	"nextcloud-mcp-server/internal/auth"
)

// Flow is something that a browser is in the middle of and that has to be
// found again, by any process: an authorization request, a sign-in.
type Flow struct {
	Kind      string // keys of different kinds never meet
	Key       Hash   // of the random id in the address, or of a state parameter
	Payload   auth.Secret
	Version   int64 // counts the updates; set by the store
	ExpiresAt time.Time
}

func flowCell(kind string, key Hash) cell {
	return cell{table: "flows", column: "payload", key: []string{kind, string(key[:])}}
}

// PutFlow keeps a flow and replaces what its kind and key had before.
func (s *Store) PutFlow(ctx context.Context, f Flow) error {
	return s.write(ctx, "save flow", func(tx conn) error {
		_, err := tx.exec(ctx, `INSERT INTO flows (kind, flow_key, payload, version, expires_at) VALUES (?, ?, ?, 1, ?)
			ON CONFLICT (kind, flow_key) DO UPDATE SET payload = excluded.payload, version = flows.version + 1, expires_at = excluded.expires_at`,
			f.Kind, f.Key[:], s.sealer.seal(f.Payload, flowCell(f.Kind, f.Key)), millis(f.ExpiresAt))
		return err
	})
}

// Flow is the flow of a kind with a key. The error is ErrNotFound when there
// is none or it expired, and ErrDamaged when it does not decrypt.
func (s *Store) Flow(ctx context.Context, kind string, key Hash) (Flow, error) {
	const op = "read flow"
	f, sealed, err := scanFlow(s.read().queryRow(ctx, "SELECT payload, version, expires_at FROM flows WHERE kind = ? AND flow_key = ?",
		kind, key[:]).Scan)
	if err != nil {
		return Flow{}, s.fail(op, err)
	}
	return s.openFlow(op, f, sealed, kind, key)
}

// TakeFlow is Flow, and forgets the flow: of several at once only one gets it.
func (s *Store) TakeFlow(ctx context.Context, kind string, key Hash) (Flow, error) {
	const op = "take flow"
	var f Flow
	var sealed []byte
	err := s.write(ctx, op, func(tx conn) (err error) {
		f, sealed, err = scanFlow(tx.queryRow(ctx, "DELETE FROM flows WHERE kind = ? AND flow_key = ? RETURNING payload, version, expires_at",
			kind, key[:]).Scan)
		return err
	})
	if err != nil {
		return Flow{}, err
	}
	return s.openFlow(op, f, sealed, kind, key)
}

func scanFlow(scan func(...any) error) (f Flow, sealed []byte, err error) {
	var expires int64
	if err := scan(&sealed, &f.Version, &expires); err != nil {
		return Flow{}, nil, absent(err)
	}
	f.ExpiresAt = instant(expires)
	return f, sealed, nil
}

func (s *Store) openFlow(op string, f Flow, sealed []byte, kind string, key Hash) (Flow, error) {
	if !f.ExpiresAt.After(s.now()) {
		return Flow{}, ErrNotFound
	}
	var err error
	f.Kind, f.Key = kind, key
	if f.Payload, err = s.sealer.open(sealed, flowCell(kind, key)); err != nil {
		return Flow{}, &Error{Op: op, Kind: ErrDamaged, Message: "what was kept of a sign-in does not belong to it or was changed: start over", Err: err}
	}
	return f, nil
}

// UpdateFlow changes payload and expiry of a flow that still has the version
// of f. The error is ErrConflict when it has another one by now, and
// ErrNotFound when there is none or it expired.
func (s *Store) UpdateFlow(ctx context.Context, f Flow) error {
	return s.write(ctx, "update flow", func(tx conn) error {
		now := millis(s.now())
		n, err := tx.changes(ctx, `UPDATE flows SET payload = ?, expires_at = ?, version = version + 1
			WHERE kind = ? AND flow_key = ? AND version = ? AND expires_at > ?`,
			s.sealer.seal(f.Payload, flowCell(f.Kind, f.Key)), millis(f.ExpiresAt), f.Kind, f.Key[:], f.Version, now)
		if err != nil || n > 0 {
			return err
		}
		var there int
		err = tx.queryRow(ctx, "SELECT count(*) FROM flows WHERE kind = ? AND flow_key = ? AND expires_at > ?", f.Kind, f.Key[:], now).Scan(&there)
		switch {
		case err != nil:
			return err
		case there == 0:
			return ErrNotFound
		}
		return ErrConflict
	})
}
