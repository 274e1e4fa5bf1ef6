package store

import (
	"context"
	"errors"
	"fmt"
)

// What can go wrong, for errors.Is. ErrNotFound, ErrConflict and ErrReused come alone; the others come
// in an *Error with a sentence for the administrator.
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("changed meanwhile") // by another process, since it was read
	ErrBadKey      = errors.New("encryption key is malformed")
	ErrWrongKey    = errors.New("wrong encryption key")             // another key than the data was written with, or none
	ErrReadOnly    = errors.New("database is not writable")         // file, directory or file system; a PostgreSQL standby
	ErrLocked      = errors.New("database is locked")               // by another process, beyond the busy time-out
	ErrNotDatabase = errors.New("not a database of this program")   // another kind of file, or another program's tables
	ErrTooNew      = errors.New("database is of a newer version")   // migrations that this program does not know
	ErrDiskFull    = errors.New("disk is full")                     // nothing was written
	ErrDamaged     = errors.New("stored data is damaged or forged") // the database's own check, or a secret that does not belong to its row
	ErrUnreachable = errors.New("database server does not answer")  // PostgreSQL: not there, starting, stopping, or without a free connection
	ErrRefused     = errors.New("database server refuses")          // PostgreSQL: the user, the password, or a right; or there is no such database or schema
)

// Error is a failure of the database. It holds no secret.
type Error struct {
	Op      string // what was tried, in words: "open database"
	Kind    error  // one of the Err values above; nil when it is none of them
	Message string // what is wrong and what to do, in one sentence
	Err     error  // the cause; may be nil
}

// Error is the operation and the sentence, or the cause where there is none.
func (e *Error) Error() string {
	switch {
	case e.Message != "":
		return e.Op + ": " + e.Message
	case e.Err != nil:
		return e.Op + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.Op, e.Kind)
}

// Is matches the kind.
func (e *Error) Is(target error) bool { return e.Kind != nil && target == e.Kind }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// fail is err as this package returns it: what the database says, told as one
// sentence that names it and the setting.
func (s *Store) fail(op string, err error) error {
	var own *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own), errors.Is(err, ErrNotFound), errors.Is(err, ErrConflict), errors.Is(err, ErrReused):
		return err
	}
	kind, message, cause := s.engine.explain(err)
	if kind == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return fmt.Errorf("%s: %w", op, cause)
	}
	return &Error{Op: op, Kind: kind, Message: message, Err: cause}
}
