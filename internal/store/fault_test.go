package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/store"
)

// raw is the database file without this package's care.
func raw(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func wantError(t *testing.T, err, want error, text string) {
	t.Helper()
	var e *store.Error
	if !errors.Is(err, want) || !errors.As(err, &e) || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %v with %q", err, want, text)
	}
}

func TestForgedSecrets(t *testing.T) {
	tests := []struct {
		name  string
		forge string
	}{
		{"a flipped byte", "UPDATE app_passwords SET password = CAST(substr(password, 1, length(password) - 1) || x'00' AS BLOB) WHERE grant_key = 'alice'"},
		{"cut", "UPDATE app_passwords SET password = substr(password, 1, 20) WHERE grant_key = 'alice'"},
		{"another version", "UPDATE app_passwords SET password = CAST(x'02' || substr(password, 2) AS BLOB) WHERE grant_key = 'alice'"},
		{"another key", "UPDATE app_passwords SET password = CAST(x'0100000000' || substr(password, 6) AS BLOB) WHERE grant_key = 'alice'"},
		{"another row's", "UPDATE app_passwords SET password = (SELECT password FROM app_passwords WHERE grant_key = 'bob') WHERE grant_key = 'alice'"},
		{"another table's", "UPDATE app_passwords SET password = (SELECT secret FROM oauth_clients) WHERE grant_key = 'alice'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := path(t)
			s := open(t, store.Options{Path: file})
			for _, grant := range []string{"alice", "bob"} {
				if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: grant, Password: "p"}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.ActivateOAuthClient(t.Context(), store.OAuthClient{Provider: "alice", ClientID: "c", Secret: "p"}); err != nil {
				t.Fatal(err)
			}
			execute(t, raw(t, file), test.forge)
			p, err := s.AppPassword(t.Context(), "alice")
			wantError(t, err, store.ErrDamaged, "sign in again")
			if p.Password != "" {
				t.Error("a forged password was handed out")
			}
			if p, err := s.AppPassword(t.Context(), "bob"); err != nil || p.Password != "p" {
				t.Errorf("the other row: %v", err)
			}
			list, err := s.UnusedAppPasswords(t.Context(), time.Now().Add(time.Hour), 10)
			if err != nil || len(list) != 2 || list[0].Password != "" || list[1].Password != "p" {
				t.Errorf("list with a forged row: %d items, %v", len(list), err)
			}
		})
	}
}

func TestForgedClient(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file})
	err := s.ActivateOAuthClient(t.Context(), store.OAuthClient{Provider: "p", ClientID: "c", Secret: "s", RegistrationToken: "t"})
	if err != nil {
		t.Fatal(err)
	}
	// Swapping two columns of one row is forgery, too.
	execute(t, raw(t, file), "UPDATE oauth_clients SET secret = registration_token, registration_token = secret")
	got, err := s.OAuthClients(t.Context(), "p")
	if err != nil || len(got) != 1 || got[0].Secret != "" || got[0].RegistrationToken != "" {
		t.Errorf("got %v, %v; want one registration without secrets", got, err)
	}
}

func TestLockedDatabase(t *testing.T) {
	file := path(t)
	open(t, store.Options{Path: file}).Close()
	for _, lock := range []string{"BEGIN IMMEDIATE", "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"} {
		t.Run(lock, func(t *testing.T) {
			db := raw(t, file)
			execute(t, db, lock)
			start := time.Now()
			_, err := store.Open(t.Context(), store.Options{Path: file, BusyTimeout: 50 * time.Millisecond})
			wantError(t, err, store.ErrLocked, "locked by another process")
			if took := time.Since(start); took < 40*time.Millisecond {
				t.Errorf("gave up after %v, before the busy time-out", took)
			}
			execute(t, db, "ROLLBACK")
			db.Close()
			open(t, store.Options{Path: file}).Close()
		})
	}
}

func TestLockedWhileOpen(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file, BusyTimeout: 50 * time.Millisecond})
	db := raw(t, file)
	execute(t, db, "BEGIN IMMEDIATE")
	err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: "g", Password: "p"})
	wantError(t, err, store.ErrLocked, "locked by another process")
	if _, err := s.AppPassword(t.Context(), "g"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("reading beside a writer: %v", err)
	}
	execute(t, db, "ROLLBACK")
	if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: "g", Password: "p"}); err != nil {
		t.Errorf("after the lock was gone: %v", err)
	}
}

func TestDiskFull(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file})
	if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: "g", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	s.LimitPages(t)
	big := store.AppPassword{Grant: "g", Password: "q", Host: strings.Repeat("x", 1<<20)}
	wantError(t, s.PutAppPassword(t.Context(), big), store.ErrDiskFull, "make room")
	if p, err := s.AppPassword(t.Context(), "g"); err != nil || p.Password != "p" {
		t.Errorf("what was there before: %v", err)
	}
}

func TestForeignDatabases(t *testing.T) {
	for _, test := range []struct {
		name, change, text string
		want               error
	}{
		{"another program's", "CREATE TABLE oauth_clients (id INTEGER)", "belongs to another program", store.ErrNotDatabase},
		{"a newer version's", "CREATE TABLE schema_version (version_id INTEGER, is_applied INTEGER); INSERT INTO schema_version VALUES (99999, 1)", "newer version", store.ErrTooNew},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "tokens.db")
			db := raw(t, file)
			execute(t, db, test.change)
			db.Close()
			before := snapshot(t, file)
			_, err := store.Open(t.Context(), store.Options{Path: file})
			wantError(t, err, test.want, test.text)
			if after := snapshot(t, file); after != before {
				t.Error("it was changed")
			}
		})
	}
}

func TestDamagedDatabase(t *testing.T) {
	file := path(t)
	open(t, store.Options{Path: file}).Close()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < 4096; i++ {
		data[i] = 0xff // the schema page but for its header
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), store.Options{Path: file})
	wantError(t, err, store.ErrDamaged, "restore it from a backup")
}
