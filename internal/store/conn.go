package store

import (
	"context"
	"database/sql"
)

// conn runs statements, on the database or inside a transaction. Statements
// are written in what both databases understand, with parameters as ? or ?1.
type conn struct {
	on interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
}

func (c conn) exec(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	return c.on.ExecContext(ctx, statement, args...)
}

func (c conn) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	return c.on.QueryContext(ctx, statement, args...)
}

func (c conn) queryRow(ctx context.Context, statement string, args ...any) *sql.Row {
	return c.on.QueryRowContext(ctx, statement, args...)
}

// read runs statements that change nothing, outside of transactions.
func (s *Store) read() conn { return conn{s.db} }
