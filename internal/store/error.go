package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// What can go wrong, for errors.Is. ErrNotFound, ErrConflict and ErrReused come alone; the others come
// in an *Error with a sentence for the administrator.
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("changed meanwhile") // by another process, since it was read
	ErrBadKey      = errors.New("encryption key is malformed")
	ErrWrongKey    = errors.New("wrong encryption key")             // another key than the data was written with, or none
	ErrReadOnly    = errors.New("database is not writable")         // file, directory or file system
	ErrLocked      = errors.New("database is locked")               // by another process, beyond the busy time-out
	ErrNotDatabase = errors.New("not a database of this program")   // another kind of file, or another program's tables
	ErrTooNew      = errors.New("database is of a newer version")   // migrations that this program does not know
	ErrDiskFull    = errors.New("disk is full")                     // nothing was written
	ErrDamaged     = errors.New("stored data is damaged or forged") // SQLite's own check, or a secret that does not belong to its row
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

// fail is err as this package returns it: what SQLite and the operating system
// say, told as one sentence that names the file and the setting.
func (s *Store) fail(op string, err error) error {
	var own *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own), errors.Is(err, ErrNotFound), errors.Is(err, ErrConflict), errors.Is(err, ErrReused):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", op, err)
	}
	e := &Error{Op: op, Kind: kindOf(err), Err: err}
	switch e.Kind {
	case ErrReadOnly: //nolint:errorlint // kindOf answers the sentinels themselves
		e.Message = "the database " + s.path + " or its directory is not writable: give this user write access to both, or another path in " + pathSetting
	case ErrLocked:
		e.Message = "the database " + s.path + " is locked by another process: stop that process (a backup, a shell), then try again"
	case ErrNotDatabase:
		e.Message = "the file " + s.path + " is not a database: move it away, or give another path in " + pathSetting
	case ErrDiskFull:
		e.Message = "the disk that holds " + s.path + " is full: make room, nothing was lost"
	case ErrDamaged:
		e.Message = "the database " + s.path + " is damaged: restore it from a backup, or move it away and let people sign in again"
	}
	return e
}

// kindOf is the kind of an error of SQLite or of the operating system.
func kindOf(err error) error {
	if se, ok := errors.AsType[*sqlite.Error](err); ok {
		switch se.Code() & 0xff { // the primary code without its extension
		case sqlitelib.SQLITE_BUSY, sqlitelib.SQLITE_LOCKED:
			return ErrLocked
		case sqlitelib.SQLITE_READONLY, sqlitelib.SQLITE_CANTOPEN, sqlitelib.SQLITE_PERM:
			return ErrReadOnly
		case sqlitelib.SQLITE_NOTADB:
			return ErrNotDatabase
		case sqlitelib.SQLITE_FULL:
			return ErrDiskFull
		case sqlitelib.SQLITE_CORRUPT:
			return ErrDamaged
		}
		return nil
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ErrDiskFull
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return ErrReadOnly
	}
	return nil
}
