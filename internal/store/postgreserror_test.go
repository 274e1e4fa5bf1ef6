package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// What a test cannot make a server say. The codes are those of PostgreSQL's
// Appendix A.
func TestPostgresCodes(t *testing.T) {
	e, err := openPostgres("postgres://user:hunter2@db.example.org/nc", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	s := &Store{engine: e}
	for code, want := range map[string]struct {
		kind error
		text string
	}{
		"53100": {ErrDiskFull, `the disk that holds the database "nc" on db.example.org:5432 is full`},
		"40001": {ErrLocked, "try again"},
		"40P01": {ErrLocked, "try again"},
		"XX001": {ErrDamaged, "restore it from a backup"},
		"53300": {ErrUnreachable, "max_connections"},
		"57P03": {ErrUnreachable, "is starting or stopping"},
		"28000": {ErrRefused, "pg_hba.conf"},
		"3F000": {ErrRefused, "search_path"},
	} {
		err := s.fail("test", fmt.Errorf("wrapped: %w", &pgconn.PgError{Severity: "ERROR", Code: code, Message: "as it is"}))
		if !errors.Is(err, want.kind) || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%s: got %v, want %v with %q", code, err, want.kind, want.text)
		}
	}
	err = s.fail("test", &pgconn.PgError{Severity: "ERROR", Code: "42P01", Message: "as it is"})
	if own, ok := errors.AsType[*Error](err); !ok || own.Kind != nil || !strings.Contains(err.Error(), "as it is") {
		t.Errorf("an error of no kind: %v", err)
	}
}
