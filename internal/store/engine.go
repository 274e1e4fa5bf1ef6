package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pressly/goose/v3"
)

// engine is what SQLite and PostgreSQL do each in its own way.
type engine interface {
	// connect makes a pool; the database need not be there yet.
	connect() (*sql.DB, error)
	// inspect reads what is there and changes none of it. The error is *Error
	// when it is not for this program.
	inspect(ctx context.Context, db *sql.DB) (*state, error)
	// prepare changes what has to be changed before migrations run.
	prepare(ctx context.Context, db *sql.DB) error
	// lockSetUp lets one process at a time go on, until release.
	lockSetUp(ctx context.Context, db *sql.DB) (release func(), err error)

	dialect() *dialect
	migrations() (goose.Dialect, string) // and their directory
	writeOptions() *sql.TxOptions

	// name is the database as messages call it, and the setting that names it.
	name() (database, setting string)
	// keyFile is where the key is kept when none is configured; empty when
	// there is no place for it.
	keyFile() string
	// explain is the kind of an error of the database and a sentence for it,
	// both empty when it is of no kind, and the error without what it must not
	// carry along.
	explain(err error) (kind error, message string, cause error)
}

// state is what is in a database.
type state struct {
	prepared bool
	version  int64  // the last migration; 0 when there was none
	check    []byte // the key check; nil when no key was used yet
}

// ready reports whether there is nothing to set up.
func (f *state) ready() bool {
	return f.prepared && f.version == lastMigration && f.check != nil
}

// contents are what both engines look for first.
type contents struct {
	tables   int  // how many there are, of whomever
	versions bool // goose's table is there
	check    bool // the table of the key check is there
}

// state reads on what there is, or says why the database is not for this
// program.
func (c *contents) state(ctx context.Context, db *sql.DB, e engine) (*state, error) {
	database, setting := e.name()
	if c.tables > 0 && !c.versions {
		return nil, &Error{Op: "open database", Kind: ErrNotDatabase, Message: database + " belongs to another program: give another one in " + setting}
	}
	var found state
	if c.versions {
		err := db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+versionTable+" WHERE is_applied").Scan(&found.version)
		if err != nil {
			return nil, err
		}
	}
	if found.version > lastMigration {
		return nil, &Error{Op: "open database", Kind: ErrTooNew, Message: database + " was written by a newer version of this program: run that version, or give another database in " + setting}
	}
	if c.check {
		err := db.QueryRowContext(ctx, "SELECT value FROM key_check WHERE id = 1").Scan(&found.check)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	}
	return &found, nil
}
