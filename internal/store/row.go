package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// absent is err with ErrNotFound for a query that found no row.
func absent(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// changes runs a statement and reports how many rows it changed.
func (c conn) changes(ctx context.Context, statement string, args ...any) (int64, error) {
	res, err := c.exec(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// changeOne runs a statement that changes one row. The error is ErrNotFound
// when it changed none.
func (c conn) changeOne(ctx context.Context, statement string, args ...any) error {
	n, err := c.changes(ctx, statement, args...)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// column is h as the tables keep it: NULL for the zero hash.
func (h Hash) column() []byte {
	if h == (Hash{}) {
		return nil
	}
	return h[:]
}

// hashColumn is what column made.
func hashColumn(b []byte) Hash {
	var h Hash
	copy(h[:], b)
	return h
}

// past reports whether an end, or zero for none, has come.
func past(end, now time.Time) bool { return !end.IsZero() && !end.After(now) }
