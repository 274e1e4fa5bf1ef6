package store

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"nextcloud-mcp-server/internal/auth"
)

const urlSetting = "DATABASE_URL"

// connectTimeout is how long PostgreSQL may take to answer at first, unless
// the URL says connect_timeout.
const connectTimeout = 5 * time.Second

// postgres is a database on a PostgreSQL server.
type postgres struct {
	config *pgx.ConnConfig // holds the password
	busy   time.Duration
}

// openPostgres reads the URL. No error says what is in it.
func openPostgres(address auth.Secret, busy time.Duration) (*postgres, error) {
	malformed := &Error{Op: "open database", Message: urlSetting + " is not the URL of a PostgreSQL database: write it as postgres://user:password@host:5432/database"}
	u, err := url.Parse(address.Reveal())
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, malformed
	}
	config, err := pgx.ParseConfig(address.Reveal())
	if err != nil {
		return nil, malformed
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "nextcloud-mcp-server"
	}
	return &postgres{config: config, busy: busy}, nil
}

func (e *postgres) name() (database, setting string) {
	return fmt.Sprintf("the database %q on %s", e.config.Database, e.server()), urlSetting
}

// server is the host and port, or the directory of the socket.
func (e *postgres) server() string {
	if strings.HasPrefix(e.config.Host, "/") {
		return e.config.Host
	}
	return net.JoinHostPort(e.config.Host, strconv.Itoa(int(e.config.Port)))
}

// keyFile is nothing: a file is beside one process only.
func (*postgres) keyFile() string { return "" }

func (*postgres) dialect() *dialect {
	return &dialect{
		numbered: true, forShare: " FOR SHARE", forUpdate: " FOR UPDATE",
		exclusive: "SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext(?))",
	}
}

func (*postgres) migrations() (goose.Dialect, string) {
	return goose.DialectPostgres, "migrations/postgres"
}

// writeOptions do not depend on default_transaction_isolation: statements are
// written for READ COMMITTED.
func (*postgres) writeOptions() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

func (e *postgres) connect() (*sql.DB, error) {
	// A start-up parameter would be shorter, but PgBouncer refuses it.
	wait := "SET lock_timeout = " + strconv.FormatInt(e.busy.Milliseconds(), 10)
	db := stdlib.OpenDB(*e.config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, wait, pgx.QueryExecModeSimpleProtocol)
		return err
	}))
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour) // so that a new primary or address is found
	return db, nil
}

func (e *postgres) inspect(ctx context.Context, db *sql.DB) (*state, error) {
	var (
		schema string
		c      contents
	)
	err := db.QueryRowContext(ctx, `SELECT coalesce(current_schema(), ''),
		(SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema()),
		EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
			JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = current_schema() AND c.relname = '`+versionTable+`' AND a.attname = 'version_id'),
		EXISTS (SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'key_check')`).
		Scan(&schema, &c.tables, &c.versions, &c.check)
	if err != nil {
		return nil, err
	}
	if schema == "" {
		return nil, e.noSchema()
	}
	found, err := c.state(ctx, db, e)
	if err != nil {
		return nil, err
	}
	found.prepared = true
	return found, nil
}

func (e *postgres) noSchema() *Error {
	database, _ := e.name()
	return &Error{Op: "open database", Kind: ErrRefused, Message: "there is no schema for the tables in " + database + ": create the one that search_path names, or correct search_path in " + urlSetting}
}

func (*postgres) prepare(context.Context, *sql.DB) error { return nil }

// lockSetUp holds a lock of the schema in a transaction of its own: a lock of
// the session would be lost behind a pool such as PgBouncer.
func (e *postgres) lockSetUp(ctx context.Context, db *sql.DB) (release func(), err error) {
	tx, err := db.BeginTx(ctx, e.writeOptions())
	if err != nil {
		return nil, err
	}
	for _, statement := range []string{
		"SET LOCAL idle_in_transaction_session_timeout = 0",
		"SET LOCAL lock_timeout = " + strconv.FormatInt(setUpTimeout.Milliseconds(), 10),
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			_ = tx.Rollback()
			return nil, err
		}
	}
	if err := (conn{tx, e.dialect()}).exclusive(ctx, "set up"); err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return func() { _ = tx.Rollback() }, nil
}
