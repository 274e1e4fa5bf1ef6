package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"nextcloud-mcp-server/internal/auth"
)

// Options say which database to open.
type Options struct {
	Path string      // the file of SQLite; its directory is made when missing
	URL  auth.Secret // a postgres:// URL, with its password; PostgreSQL is used when it is set, and Path is not

	Key          auth.Secret   // 32 bytes in base64; empty means the key file <Path>.key, which PostgreSQL has not
	PreviousKeys []auth.Secret // keys that still decrypt, until RotateKey has come to its end

	MaxConnections int              // of this process to the database; default 4, at least 2
	BusyTimeout    time.Duration    // how long to wait for another process's lock; default 5 s
	Now            func() time.Time // default time.Now
}

// Store is one open database. It is safe for concurrent use, also by several
// processes on one database.
type Store struct {
	now    func() time.Time
	engine engine
	db     *sql.DB
	sealer *keyring

	// writer is held by whoever writes to SQLite: waiting here is fair and ends
	// with the context, waiting in SQLite is neither. It is nil for PostgreSQL.
	writer chan struct{}

	statements statements
}

// Open opens the database and makes what is missing: for SQLite the file, its
// directory and its key file, for PostgreSQL the tables. Errors are *Error; on
// any of them nothing that was there before is changed.
func Open(ctx context.Context, opts Options) (*Store, error) {
	s := &Store{now: opts.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if opts.BusyTimeout <= 0 {
		opts.BusyTimeout = 5 * time.Second
	}
	if opts.MaxConnections <= 0 {
		opts.MaxConnections = 4
	}
	if err := s.choose(&opts); err != nil {
		return nil, err
	}
	if err := s.open(ctx, &opts); err != nil {
		if s.db != nil {
			_ = s.db.Close()
		}
		return nil, s.fail("open database", err)
	}
	return s, nil
}

// choose sets the engine.
func (s *Store) choose(opts *Options) error {
	if opts.URL != "" {
		e, err := openPostgres(opts.URL, opts.BusyTimeout)
		if err != nil {
			return err
		}
		s.engine = e
		return nil
	}
	if opts.Path == "" {
		return &Error{Op: "open database", Message: "no path: set " + pathSetting}
	}
	path, err := filepath.Abs(opts.Path)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	e, err := openSQLite(path, opts.BusyTimeout)
	s.engine = e
	s.writer = make(chan struct{}, 1)
	return s.fail("open database", err)
}

func (s *Store) open(ctx context.Context, opts *Options) error {
	db, err := s.engine.connect()
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(max(opts.MaxConnections, 2)) // setting up takes two
	db.SetMaxIdleConns(2)
	s.db = db

	found, err := s.engine.inspect(ctx, db)
	if err != nil {
		return err
	}
	if !found.ready() {
		return s.setUp(ctx, opts)
	}
	if err := s.unlock(opts, found); err != nil {
		return err
	}
	return s.probe(ctx)
}

// The key check is a known text, sealed.
const checkText = auth.Secret("nextcloud-mcp-server")

var checkCell = cell{table: "key_check", column: "value", key: []string{"1"}}

// unlock finds the keys and proves that one of them is the one the data was
// written with. It makes a key only for a database that never had one.
func (s *Store) unlock(opts *Options, found *state) error {
	keys, file, source, err := s.findKeys(opts, found.check == nil)
	if err != nil {
		return err
	}
	s.sealer, err = newKeyring(keys, file)
	if err != nil {
		return err
	}
	if found.check == nil || s.sealer.prove(found.check) {
		return nil
	}
	return s.wrongKey(opts, source)
}

func (s *Store) wrongKey(opts *Options, source string) error {
	database, _ := s.engine.name()
	verdict := source + " is not the key"
	if len(opts.PreviousKeys) > 0 {
		verdict = "neither " + source + " nor " + previousSetting + " holds the key"
	}
	hint := "put the right key back"
	if file := s.engine.keyFile(); file != "" && opts.Key != "" {
		if _, err := os.Stat(file); err == nil {
			hint = "unset it to use the key file " + file + ", or put the right key back"
		}
	}
	return &Error{Op: "open database", Kind: ErrWrongKey, Message: fmt.Sprintf(
		"%s that %s was written with: %s; nothing was changed", verdict, database, hint)}
}

// probe finds out now, not at the first sign-in, that nothing can be written.
func (s *Store) probe(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, s.engine.writeOptions())
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return s.checkKey(ctx, conn{tx, s.engine.dialect()}, s.engine.dialect().forShare)
}

// checkKey keeps the key from being replaced until the transaction ends, and
// goes over to another one when that happened before.
func (s *Store) checkKey(ctx context.Context, tx conn, lock string) error {
	var check []byte
	err := tx.queryRow(ctx, "SELECT value FROM key_check WHERE id = 1"+lock).Scan(&check)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if !s.sealer.follow(check) {
		database, _ := s.engine.name()
		return &Error{Op: "check encryption key", Kind: ErrWrongKey, Message: "the key of " + database + " was replaced: start this process again with the new key"}
	}
	return nil
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

// write runs fn in a transaction. SQLite gives it the write lock from its
// start. PostgreSQL runs others at the same time, so what fn reads and then
// changes it has to lock, by conn.lock or conn.exclusive.
func (s *Store) write(ctx context.Context, op string, fn func(tx conn) error) error {
	return s.transact(ctx, op, s.engine.dialect().forShare, fn)
}

// transact runs fn in a transaction that locks the key check as keyLock says.
func (s *Store) transact(ctx context.Context, op, keyLock string, fn func(tx conn) error) error {
	if s.writer != nil {
		select {
		case s.writer <- struct{}{}:
			defer func() { <-s.writer }()
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", op, ctx.Err())
		}
	}
	tx, err := s.db.BeginTx(ctx, s.engine.writeOptions())
	if err != nil {
		return s.fail(op, err)
	}
	c := conn{tx, s.engine.dialect()}
	if err = s.checkKey(ctx, c, keyLock); err == nil {
		err = fn(c)
	}
	if err != nil {
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
