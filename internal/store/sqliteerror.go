package store

import (
	"errors"
	"io/fs"
	"syscall"

	sqlitedriver "modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// explain tells what SQLite and the operating system say in a sentence that
// names the file and the setting.
func (e *sqlite) explain(err error) (kind error, message string, cause error) {
	kind = sqliteKind(err)
	switch {
	case errors.Is(kind, ErrReadOnly):
		message = "the database " + e.path + " or its directory is not writable: give this user write access to both, or another path in " + pathSetting
	case errors.Is(kind, ErrLocked):
		message = "the database " + e.path + " is locked by another process: stop that process (a backup, a shell), then try again"
	case errors.Is(kind, ErrNotDatabase):
		message = "the file " + e.path + " is not a database: move it away, or give another path in " + pathSetting
	case errors.Is(kind, ErrDiskFull):
		message = "the disk that holds " + e.path + " is full: make room, nothing was lost"
	case errors.Is(kind, ErrDamaged):
		message = "the database " + e.path + " is damaged: restore it from a backup, or move it away and let people sign in again"
	}
	return kind, message, err
}

// sqliteKind is the kind of an error of SQLite or of the operating system.
func sqliteKind(err error) error {
	if se, ok := errors.AsType[*sqlitedriver.Error](err); ok {
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
