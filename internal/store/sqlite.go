package store

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqlite is a database in one file.
type sqlite struct {
	path string
	busy time.Duration
}

// openSQLite makes the file and its directory when they are missing.
func openSQLite(path string, busy time.Duration) (*sqlite, error) {
	e := &sqlite{path: path, busy: busy}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return e, err
	}
	if err := createPrivate(path); err != nil {
		return e, err
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return e, &Error{Op: "open database", Kind: ErrNotDatabase, Message: path + " is not a file: give the path of a file in " + pathSetting}
	}
	return e, nil
}

func (e *sqlite) name() (database, setting string) { return "the database " + e.path, pathSetting }

func (e *sqlite) keyFile() string { return e.path + ".key" }

func (*sqlite) dialect() *dialect { return &dialect{} }

func (*sqlite) migrations() (goose.Dialect, string) {
	return goose.DialectSQLite3, "migrations/sqlite"
}

func (*sqlite) writeOptions() *sql.TxOptions { return nil }

func (e *sqlite) connect() (*sql.DB, error) { return sql.Open("sqlite", dsn(e.path, e.busy)) }

// dsn opens an existing file only: SQLite would make it readable by everybody.
func dsn(path string, busy time.Duration) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a Windows drive
	}
	u := url.URL{Scheme: "file", Path: slashed}
	q := url.Values{
		"mode":    {"rw"},
		"_txlock": {"immediate"},
		"_pragma": {
			"busy_timeout(" + strconv.FormatInt(busy.Milliseconds(), 10) + ")",
			"foreign_keys(1)",
			"synchronous(normal)",
			"cache_size(-512)", // the database is small, and every connection has its own cache
		},
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// inspect also takes a database that was copied about back from everybody but
// its owner, once it is known to be one.
func (e *sqlite) inspect(ctx context.Context, db *sql.DB) (*state, error) {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return nil, err
	}
	var c contents
	err := db.QueryRowContext(ctx, `SELECT count(*), total(name = '`+versionTable+`') > 0, total(name = 'key_check') > 0
		FROM sqlite_schema WHERE type = 'table'`).Scan(&c.tables, &c.versions, &c.check)
	if err != nil {
		return nil, err
	}
	found, err := c.state(ctx, db, e)
	if err != nil {
		return nil, err
	}
	found.prepared = mode == "wal"
	e.tighten()
	return found, nil
}

// tighten does nothing where the file system knows no modes.
func (e *sqlite) tighten() {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(e.path + suffix); err == nil && info.Mode().Perm()&0o077 != 0 {
			_ = os.Chmod(e.path+suffix, 0o600)
		}
	}
}

// prepare makes write-ahead logging the database's mode, once for all.
func (e *sqlite) prepare(ctx context.Context, db *sql.DB) error {
	for deadline := time.Now().Add(e.busy); ; {
		var mode string
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		if sqliteKind(err) != ErrLocked || time.Now().After(deadline) { //nolint:errorlint // sqliteKind answers the sentinels themselves
			return err
		}
		// SQLite: the busy time-out does not cover this switch.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// lockSetUp uses SQLite's own lock, on an empty file, so it works wherever
// SQLite does and ends with the process. Goose has no lock for SQLite.
func (e *sqlite) lockSetUp(ctx context.Context, _ *sql.DB) (release func(), err error) {
	file := e.path + ".lock"
	if err := createPrivate(file); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(file, setUpTimeout))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		_ = db.Close()
		return nil, err
	}
	return func() {
		_, _ = db.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		_ = db.Close()
	}, nil
}
