package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// explain tells what PostgreSQL and the network say in a sentence that names
// server, database and setting, never the password.
func (e *postgres) explain(err error) (kind error, message string, cause error) {
	cause = err
	connecting := false
	if ce, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		// It carries the whole configuration, password included.
		cause, connecting = ce.Unwrap(), true
	}
	kind, message = e.explainCode(cause)
	switch {
	case kind != nil:
	case errors.Is(cause, context.Canceled):
	case !connecting && errors.Is(cause, context.DeadlineExceeded): // a net.Error, too
	case connecting:
		kind = ErrUnreachable
		message = fmt.Sprintf("PostgreSQL on %s cannot be reached (%s): start it, or correct %s", e.server(), reason(cause), urlSetting)
	case lostConnection(cause):
		kind = ErrUnreachable
		message = fmt.Sprintf("the connection to PostgreSQL on %s was lost: look at its log, then try again", e.server())
	}
	return kind, message, cause
}

// explainCode goes by SQLSTATE (PostgreSQL, Appendix A).
func (e *postgres) explainCode(err error) (kind error, message string) { //nolint:revive,staticcheck // the kind is no failure of this
	pe, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return nil, ""
	}
	database, _ := e.name()
	switch pe.Code {
	case "28P01", "28000": // invalid_password, invalid_authorization_specification
		return ErrRefused, fmt.Sprintf("PostgreSQL on %s refuses the user %q or the password: correct them in %s, or let the user in in pg_hba.conf", e.server(), e.config.User, urlSetting)
	case "3D000": // invalid_catalog_name
		return ErrRefused, fmt.Sprintf("%s does not exist: create it, or correct %s", database, urlSetting)
	case "3F000": // invalid_schema_name
		return ErrRefused, e.noSchema().Message
	case "42501": // insufficient_privilege
		return ErrRefused, fmt.Sprintf("the user %q may not do that in %s: make it the owner of the database, or of a schema of its own", e.config.User, database)
	case "25006": // read_only_sql_transaction
		return ErrReadOnly, fmt.Sprintf("%s takes no changes, as a standby does: name the primary in %s", database, urlSetting)
	case "53100": // disk_full
		return ErrDiskFull, fmt.Sprintf("the disk that holds %s is full: make room, nothing was lost", database)
	case "55P03": // lock_not_available
		return ErrLocked, database + " is locked by another process: wait for it to end (a migration, a shell), then try again"
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return ErrLocked, "two changes of " + database + " got in each other's way and this one was not made: try again"
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return ErrDamaged, database + " is damaged: restore it from a backup"
	case "53300": // too_many_connections
		return ErrUnreachable, fmt.Sprintf("PostgreSQL on %s has no free connection: raise max_connections there, or let fewer processes use it", e.server())
	case "57P03": // cannot_connect_now
		return ErrUnreachable, fmt.Sprintf("PostgreSQL on %s is starting or stopping: try again", e.server())
	case "57P01", "57P02": // admin_shutdown, crash_shutdown
		return ErrUnreachable, fmt.Sprintf("the connection was ended by PostgreSQL on %s: try again", e.server())
	}
	return nil, ""
}

// lostConnection reports whether a connection broke in the middle.
func lostConnection(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, driver.ErrBadConn) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// reason is an error on one line.
func reason(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
