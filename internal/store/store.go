package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"nextcloud-mcp-server/internal/auth"
)

// Options say which database to open.
type Options struct {
	Path        string           // the file; its directory is made when missing
	Key         auth.Secret      // 32 bytes in base64; empty means the key file <Path>.key
	BusyTimeout time.Duration    // how long to wait for another process's lock; default 5 s
	Now         func() time.Time // default time.Now
}

// Store is one open database. It is safe for concurrent use, also by several
// processes on one file.
type Store struct {
	path   string
	busy   time.Duration
	now    func() time.Time
	db     *sql.DB
	sealer *sealer

	// writer is held by whoever writes: waiting here is fair and ends with the
	// context, waiting in SQLite is neither.
	writer chan struct{}
}

// Open opens the database at opts.Path and makes it, its directory and its key
// file when they are missing. Errors are *Error; on any of them nothing that
// was there before is changed.
func Open(ctx context.Context, opts Options) (*Store, error) {
	if opts.Path == "" {
		return nil, &Error{Op: "open database", Message: "no path: set " + pathSetting}
	}
	path, err := filepath.Abs(opts.Path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{path: path, busy: opts.BusyTimeout, now: opts.Now, writer: make(chan struct{}, 1)}
	if s.busy <= 0 {
		s.busy = 5 * time.Second
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.open(ctx, opts.Key); err != nil {
		if s.db != nil {
			_ = s.db.Close()
		}
		return nil, s.fail("open database", err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, configured auth.Secret) error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	if err := createPrivate(s.path); err != nil {
		return err
	}
	if info, err := os.Stat(s.path); err == nil && !info.Mode().IsRegular() {
		return &Error{Op: "open database", Kind: ErrNotDatabase, Message: s.path + " is not a file: give the path of a file in " + pathSetting}
	}
	db, err := sql.Open("sqlite", dsn(s.path, s.busy))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(2)
	s.db = db

	found, err := s.inspect(ctx)
	if err != nil {
		return err
	}
	s.tighten()
	if !found.ready() {
		return s.setUp(ctx, configured)
	}
	if err := s.unlock(configured, found); err != nil {
		return err
	}
	return s.probe(ctx)
}

// tighten takes a database that was copied about back from everybody but its
// owner. Where the file system knows no modes, nothing can be done.
func (s *Store) tighten() {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(s.path + suffix); err == nil && info.Mode().Perm()&0o077 != 0 {
			_ = os.Chmod(s.path+suffix, 0o600)
		}
	}
}

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

// state is what is in a database file.
type state struct {
	wal     bool
	tables  int    // how many there are, of whomever
	version int64  // the last migration; 0 when there was none
	check   []byte // the key check; nil when no key was used yet
}

// ready reports whether there is nothing to set up.
func (f *state) ready() bool { return f.wal && f.version == lastMigration && f.check != nil }

// inspect reads the state and changes nothing.
func (s *Store) inspect(ctx context.Context) (*state, error) {
	var (
		found              state
		mode               string
		versions, hasCheck bool
	)
	if err := s.db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return nil, err
	}
	found.wal = mode == "wal"
	err := s.db.QueryRowContext(ctx, `SELECT count(*), total(name = '`+versionTable+`') > 0, total(name = 'key_check') > 0
		FROM sqlite_schema WHERE type = 'table'`).Scan(&found.tables, &versions, &hasCheck)
	if err != nil {
		return nil, err
	}
	if versions {
		err := s.db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+versionTable+" WHERE is_applied").Scan(&found.version)
		if err != nil {
			return nil, err
		}
	}
	if hasCheck {
		err := s.db.QueryRowContext(ctx, "SELECT value FROM key_check WHERE id = 1").Scan(&found.check)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	}
	switch {
	case found.version > lastMigration:
		return nil, &Error{Op: "open database", Kind: ErrTooNew, Message: "the database " + s.path + " was written by a newer version of this program: run that version, or give another path in " + pathSetting}
	case found.tables > 0 && !versions:
		return nil, &Error{Op: "open database", Kind: ErrNotDatabase, Message: "the database " + s.path + " belongs to another program: give another path in " + pathSetting}
	}
	return &found, nil
}

// The key check is a known text, sealed.
const checkText = auth.Secret("nextcloud-mcp-server")

var checkCell = cell{table: "key_check", column: "value", key: []string{"1"}}

// unlock finds the key and proves that it is the one the data was written
// with. It makes a key only for a database that never had one.
func (s *Store) unlock(configured auth.Secret, found *state) error {
	key, source, err := s.key(configured, found.check == nil)
	if err != nil {
		return err
	}
	s.sealer, err = newSealer(key)
	if err != nil {
		return err
	}
	if found.check == nil {
		return nil
	}
	if text, err := s.sealer.open(found.check, checkCell); err != nil || text != checkText {
		hint := "put the right key back"
		if source == keySetting {
			if _, err := os.Stat(s.keyFile()); err == nil {
				hint = "unset it to use the key file " + s.keyFile() + ", or put the right key back"
			}
		}
		return &Error{Op: "open database", Kind: ErrWrongKey, Message: fmt.Sprintf(
			"%s is not the key that the database %s was written with: %s; nothing was changed", source, s.path, hint)}
	}
	return nil
}

// probe finds out now, not at the first sign-in, that nothing can be written.
func (s *Store) probe(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return tx.Rollback()
}

// Close ends the use of the database. What was written stays.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// Ping reports whether the database can be read now.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.fail("read database", s.db.QueryRowContext(ctx, "SELECT count(*) FROM key_check").Scan(&one))
}

// write runs fn in a transaction that has the write lock from its start.
func (s *Store) write(ctx context.Context, op string, fn func(tx conn) error) error {
	select {
	case s.writer <- struct{}{}:
		defer func() { <-s.writer }()
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return s.fail(op, err)
	}
	if err := fn(conn{tx}); err != nil {
		_ = tx.Rollback()
		return s.fail(op, err)
	}
	return s.fail(op, tx.Commit())
}

// millis is t as the tables keep it; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// instant is what millis made, in UTC.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
