package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// versionTable is where goose notes the applied migrations.
const versionTable = "schema_version"

// lastMigration is the version a database must have.
var lastMigration = newest(migrations)

// newest is the highest number at the start of a migration's name. It panics
// on a name without one, which is a programming error.
func newest(files fs.FS) int64 {
	names, err := fs.Glob(files, "migrations/*/*.sql")
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
// One process does it at a time: they must agree on one key.
func (s *Store) setUp(ctx context.Context, opts *Options) (err error) {
	release, err := s.engine.lockSetUp(ctx, s.db)
	if err != nil {
		return err
	}
	defer release()
	found, err := s.engine.inspect(ctx, s.db) // another process may have done it meanwhile
	if err != nil {
		return err
	}
	if err := s.probeEmpty(ctx); err != nil {
		return err // before a key file is made for nothing
	}
	if err := s.unlock(opts, found); err != nil {
		return err
	}
	if !found.prepared {
		if err := s.engine.prepare(ctx, s.db); err != nil {
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
	check := s.sealer.seal(checkText, checkCell)
	if !s.sealer.prove(check) {
		return errSealed
	}
	_, err = conn{s.db, s.engine.dialect()}.exec(ctx, "INSERT INTO key_check (id, value, created_at) VALUES (1, ?, ?)", check, millis(s.now()))
	return err
}

// probeEmpty is probe for a database that has no tables yet.
func (s *Store) probeEmpty(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, s.engine.writeOptions())
	if err != nil {
		return err
	}
	return tx.Rollback()
}

func (s *Store) migrate(ctx context.Context) error {
	dialect, dir := s.engine.migrations()
	files, err := fs.Sub(migrations, dir)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, s.db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
