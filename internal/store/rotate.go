package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/auth"
)

// KeyRotation is what RotateKey did.
type KeyRotation struct {
	Resealed int    // values that another key had sealed; 0 means that no other key is needed any more
	Damaged  int    // values that open with no key; they were left alone
	Current  string // the id of the key that seals now, in hex; it tells nothing of the key
}

// rotateBatch is how many values one transaction seals anew.
const rotateBatch = 200

// RotateKey makes the current key the only one that is needed.
//
// With a key file it makes a new key first, unless the file holds several,
// because a rotation did not come to its end. The file holds all of them until
// the work is done, so that a crash leaves everything readable and RotateKey
// can be called again. Processes that run meanwhile take the new key from the
// file. Configured keys are left as they are: the first one becomes the only
// one that is needed, and then the administrator removes the previous ones.
//
// Values are sealed anew in small transactions, so that nobody waits long.
func (s *Store) RotateKey(ctx context.Context) (KeyRotation, error) {
	const op = "rotate encryption key"
	release, err := s.engine.lockSetUp(ctx, s.db)
	if err != nil {
		return KeyRotation{}, s.fail(op, err)
	}
	defer release()
	current, err := s.nextKey()
	if err != nil {
		return KeyRotation{}, s.fail(op, err)
	}
	r := rotation{store: s, to: current, done: KeyRotation{Current: hex.EncodeToString(current.id[:])}}
	for i := range sealedColumns {
		if err := r.column(ctx, &sealedColumns[i]); err != nil {
			return r.done, s.fail(op, err)
		}
	}
	if err := s.transact(ctx, op, s.engine.dialect().forUpdate, func(tx conn) error { return r.finish(ctx, tx) }); err != nil {
		return r.done, err
	}
	s.sealer.promote(current.id)
	return r.done, s.fail(op, s.dropOldKeys())
}

// nextKey is the key to seal everything with: the configured one, the first
// one of a file that holds several, else a new one that the file holds from
// now on.
func (s *Store) nextKey() (*sealer, error) {
	file := s.sealer.file
	if file == "" {
		return s.sealer.current(), nil
	}
	keys, err := readKeyFile(file)
	if err != nil {
		return nil, err
	}
	if len(keys) == 1 {
		keys = [][]byte{newKey(), keys[0]}
		if err := writeKeyFile(file, keys); err != nil {
			return nil, fmt.Errorf("write key file: %w", err)
		}
	}
	s.sealer.take(keys)
	return newSealer(keys[0])
}

// dropOldKeys leaves the first key of the file alone in it.
func (s *Store) dropOldKeys() error {
	if s.sealer.file == "" {
		return nil
	}
	keys, err := readKeyFile(s.sealer.file)
	if err != nil {
		return err
	}
	if err := writeKeyFile(s.sealer.file, keys[:1]); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}

// rotation is the work of one RotateKey.
type rotation struct {
	store *Store
	to    *sealer
	done  KeyRotation
}

// sealedValue is what one row holds.
type sealedValue struct {
	key    []any
	sealed []byte
	plain  auth.Secret
}

// column seals the values of a column anew. It looks at all of them, so that
// damaged ones are counted.
func (r *rotation) column(ctx context.Context, c *sealedColumn) error {
	for after := []any(nil); ; {
		values, err := r.values(ctx, r.store.read(), c, "", after)
		if err != nil {
			return err
		}
		if len(values) == 0 {
			return nil
		}
		after = values[len(values)-1].key
		foreign := r.foreign(c, values, true)
		if len(foreign) == 0 {
			continue
		}
		err = r.store.write(ctx, "rotate encryption key", func(tx conn) error { return r.reseal(ctx, tx, c, foreign) })
		if err != nil {
			return err
		}
	}
}

// finish seals what other processes sealed with another key meanwhile, and
// makes the new key the one that everybody has to seal with. It holds the lock
// of the key check, so nobody writes until it is done.
func (r *rotation) finish(ctx context.Context, tx conn) error {
	for i := range sealedColumns {
		c := &sealedColumns[i]
		for after := []any(nil); ; {
			values, err := r.values(ctx, tx, c, " AND substr("+c.column+", 1, "+strconv.Itoa(sealedHead)+") <> ?", after)
			if err != nil {
				return err
			}
			if len(values) == 0 {
				break
			}
			after = values[len(values)-1].key
			if err := r.reseal(ctx, tx, c, r.foreign(c, values, false)); err != nil {
				return err
			}
		}
	}
	return tx.changeOne(ctx, "UPDATE key_check SET value = ? WHERE id = 1", r.to.seal(checkText, checkCell))
}

// values are the next ones after a key, in the order of keys. The condition
// may have one parameter, the head of values that need no work.
func (r *rotation) values(ctx context.Context, on conn, c *sealedColumn, condition string, after []any) ([]sealedValue, error) {
	keys := strings.Join(c.key, ", ")
	var args []any
	if condition != "" {
		args = append(args, r.to.head())
	}
	if after != nil {
		condition += " AND (" + keys + ") > (?" + strings.Repeat(", ?", len(c.key)-1) + ")"
		args = append(args, after...)
	}
	rows, err := on.query(ctx, "SELECT "+keys+", "+c.column+" FROM "+c.table+" WHERE "+c.column+" IS NOT NULL"+condition+
		" ORDER BY "+keys+" LIMIT ?", append(args, rotateBatch)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []sealedValue
	for rows.Next() {
		v, err := scanSealed(rows, len(c.key))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func scanSealed(rows *sql.Rows, keys int) (sealedValue, error) {
	v := sealedValue{key: make([]any, keys)}
	var into []any
	for i := range v.key {
		into = append(into, &v.key[i])
	}
	err := rows.Scan(append(into, &v.sealed)...)
	return v, err
}

// foreign are those values that another key sealed, decrypted.
func (r *rotation) foreign(c *sealedColumn, values []sealedValue, countDamaged bool) []sealedValue {
	var out []sealedValue
	for _, v := range values {
		id, ok := keyOf(v.sealed)
		var err error
		if ok {
			v.plain, err = r.store.sealer.open(v.sealed, c.cell(v.key))
		}
		switch {
		case (!ok || err != nil) && countDamaged:
			r.done.Damaged++
		case ok && err == nil && id != r.to.id:
			out = append(out, v)
		}
	}
	return out
}

// reseal leaves alone what somebody changed since it was read: finish comes
// back to it.
func (r *rotation) reseal(ctx context.Context, tx conn, c *sealedColumn, values []sealedValue) error {
	statement := "UPDATE " + c.table + " SET " + c.column + " = ? WHERE " + strings.Join(c.key, " = ? AND ") + " = ? AND " + c.column + " = ?"
	for _, v := range values {
		args := append([]any{r.to.seal(v.plain, c.cell(v.key))}, v.key...)
		n, err := tx.changes(ctx, statement, append(args, v.sealed)...)
		if err != nil {
			return err
		}
		r.done.Resealed += int(n)
	}
	return nil
}
