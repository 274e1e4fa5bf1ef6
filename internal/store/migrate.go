package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"nextcloud-mcp-server/internal/auth"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is where goose notes the applied migrations.
const versionTable = "schema_version"

// lastMigration is the version a database must have.
var lastMigration = newest(migrations)

// newest is the highest number at the start of a migration's name. It panics
// on a name without one, which is a programming error.
func newest(files fs.FS) int64 {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		panic(err)
	}
	var last int64
	for _, name := range names {
		digits, _, _ := strings.Cut(path.Base(name), "_")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			panic(err)
		}
		last = max(last, n)
	}
	return last
}

// setUpTimeout is how long to wait for another process that sets up the same
// database.
const setUpTimeout = 30 * time.Second

// setUp makes key, schema and key check, or brings an older schema up to date.
// One process does it at a time: goose has no lock for SQLite, and two of them
// must agree on one key.
func (s *Store) setUp(ctx context.Context, configured auth.Secret) (err error) {
	release, err := s.lockSetUp(ctx)
	if err != nil {
		return err
	}
	defer release()
	found, err := s.inspect(ctx) // another process may have done it meanwhile
	if err != nil {
		return err
	}
	if err := s.probe(ctx); err != nil {
		return err // before a key file is made for nothing
	}
	if err := s.unlock(configured, found); err != nil {
		return err
	}
	if !found.wal {
		if err := s.switchToWAL(ctx); err != nil {
			return err
		}
	}
	if found.version < lastMigration {
		if err := s.migrate(ctx); err != nil {
			return err
		}
	}
	if found.check != nil {
		return nil
	}
	_, err = s.db.ExecContext(ctx, "INSERT INTO key_check (id, value, created_at) VALUES (1, ?, ?)",
		s.sealer.seal(checkText, checkCell), millis(s.now()))
	return err
}

// switchToWAL makes write-ahead logging the database's mode, once for all.
func (s *Store) switchToWAL(ctx context.Context) error {
	for deadline := time.Now().Add(s.busy); ; {
		var mode string
		err := s.db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		if kindOf(err) != ErrLocked || time.Now().After(deadline) { //nolint:errorlint // kindOf answers the sentinels themselves
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

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// lockSetUp holds the set-up lock until release. The lock is SQLite's own, on
// an empty file, so it works wherever SQLite does and ends with the process.
func (s *Store) lockSetUp(ctx context.Context) (release func(), err error) {
	file := s.path + ".lock"
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
