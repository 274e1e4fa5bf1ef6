package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// conn runs statements, on the database or inside a transaction. Statements
// are written in what both databases understand, with parameters as ? or ?1
// and no question mark elsewhere.
type conn struct {
	on interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	}
	dialect *dialect
}

// dialect is what one kind of database wants in its statements. The zero value
// is SQLite, where a transaction that writes is alone anyway.
type dialect struct {
	numbered  bool   // parameters are $1, $2
	forShare  string // how a SELECT ends whose rows must not change before the transaction ends
	forUpdate string // the same, when this transaction changes them
	exclusive string // the statement that takes a named lock until the transaction ends
}

func (c conn) exec(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	return c.on.ExecContext(ctx, c.dialect.bind(statement), args...)
}

func (c conn) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	return c.on.QueryContext(ctx, c.dialect.bind(statement), args...)
}

func (c conn) queryRow(ctx context.Context, statement string, args ...any) *sql.Row {
	return c.on.QueryRowContext(ctx, c.dialect.bind(statement), args...)
}

// lock ends a SELECT of rows that the same transaction goes on to change: no
// other transaction changes them meanwhile.
func (c conn) lock() string { return c.dialect.forUpdate }

// exclusive lets one transaction at a time go on for the same name, until it
// ends: for rows that are not there yet and so cannot be locked.
func (c conn) exclusive(ctx context.Context, name string) error {
	if c.dialect.exclusive == "" {
		return nil
	}
	_, err := c.exec(ctx, c.dialect.exclusive, name)
	return err
}

// bind writes the parameters of a statement as the database wants them.
func (d *dialect) bind(statement string) string {
	if !d.numbered {
		return statement
	}
	var out strings.Builder
	out.Grow(len(statement) + 16)
	next := 1
	for rest := statement; ; {
		before, after, found := strings.Cut(rest, "?")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteByte('$')
		// A number that is there already follows by itself.
		if after == "" || after[0] < '0' || '9' < after[0] {
			out.WriteString(strconv.Itoa(next))
			next++
		}
		rest = after
	}
}

// read runs statements that change nothing, outside of transactions.
func (s *Store) read() conn { return conn{s.db, s.engine.dialect()} }
