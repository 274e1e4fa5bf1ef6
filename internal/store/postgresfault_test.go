package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

// wantPostgresError also looks for the password of address in the error.
func wantPostgresError(t *testing.T, err, want error, text string, address auth.Secret) {
	t.Helper()
	wantError(t, err, want, text)
	u, parseErr := url.Parse(address.Reveal())
	if parseErr != nil {
		t.Fatal(parseErr)
	}
	if password, ok := u.User.Password(); ok && err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, err), password) {
		t.Errorf("the error tells the password: %v", err)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		t.Error("the error carries the configuration of the connection, password included")
	}
}

func refusedPostgres(t *testing.T, want error, text string, address auth.Secret) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: address, Key: testKey, BusyTimeout: 50 * time.Millisecond})
	if s != nil {
		s.Close()
	}
	wantPostgresError(t, err, want, text, address)
}

func TestMalformedURL(t *testing.T) {
	for _, address := range []auth.Secret{
		"mysql://user:hunter2@127.0.0.1/db", "user:hunter2@127.0.0.1/db", "host=127.0.0.1 password=hunter2",
		"postgres://user:hunter2%@127.0.0.1/db", "postgres://user:hunter2@127.0.0.1:port/db", "postgres://user:hunter2@127.0.0.1/db?sslmode=hunter2",
		"hunter2",
	} {
		_, err := store.Open(t.Context(), store.Options{URL: address, Key: testKey})
		if err == nil || !strings.Contains(err.Error(), "DATABASE_URL is not the URL of a PostgreSQL database") {
			t.Errorf("got %v", err)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(fmt.Sprintf("%+v", e), "hunter2") {
				t.Errorf("the error tells the password: %v", e)
			}
		}
	}
}

func TestNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	where := l.Addr().String()
	refusedPostgres(t, store.ErrUnreachable, "PostgreSQL on "+where+" cannot be reached (",
		auth.Secret("postgres://user:hunter2@"+where+"/db?sslmode=disable"))
}

// A server that takes the connection and says nothing does not hold anybody up
// for ever.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	address := auth.Secret("postgres://user:hunter2@" + l.Addr().String() + "/db?sslmode=disable&connect_timeout=1")
	start := time.Now()
	refusedPostgres(t, store.ErrUnreachable, "DATABASE_URL", address)
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("gave up after %v, want the second of connect_timeout", took)
	}
}

func TestPostgresWithoutKey(t *testing.T) {
	_, err := store.Open(t.Context(), store.Options{URL: database(t)})
	wantError(t, err, store.ErrWrongKey, "TOKEN_ENCRYPTION_KEY is not set, and with DATABASE_URL there is no key file")
	wantError(t, err, store.ErrWrongKey, "openssl rand -base64 32")
}

func TestPostgresKeys(t *testing.T) {
	address := database(t)
	open(t, store.Options{URL: address, Key: oldKey}).Close()
	open(t, store.Options{URL: address, Key: oldKey}).Close()
	refused(t, store.ErrWrongKey, "TOKEN_ENCRYPTION_KEY is not the key that the database ", store.Options{URL: address, Key: freshKey})
	refused(t, store.ErrBadKey, "TOKEN_ENCRYPTION_KEY is not 32 bytes", store.Options{URL: address, Key: "secret"})
}

func TestPostgresRefuses(t *testing.T) {
	address := database(t)
	admin := rawPostgres(t, address)
	role := "role_" + strings.ToLower(rand.Text())
	execute(t, admin, "CREATE ROLE "+role+" LOGIN PASSWORD 'hunter3'")
	t.Cleanup(func() { admin.Exec("DROP ROLE " + role) })
	as := func(user, password string) auth.Secret {
		return changed(t, address, func(u *url.URL) { u.User = url.UserPassword(user, password) })
	}
	for _, test := range []struct {
		name, text string
		address    auth.Secret
	}{
		{"wrong password", `refuses the user "` + role + `" or the password: correct them in DATABASE_URL`, as(role, "hunter4")},
		{"no such user", `refuses the user "nobody_at_all"`, as("nobody_at_all", "hunter4")},
		{"no such database", `the database "no_such_db" on `, changed(t, address, func(u *url.URL) { u.Path = "/no_such_db" })},
		{"no such schema", "create the one that search_path names", withParameter(t, address, "search_path", "no_such_schema")},
		{"no rights", `the user "` + role + `" may not do that`, grantUsage(t, address, role, as(role, "hunter3"))},
	} {
		t.Run(test.name, func(t *testing.T) { refusedPostgres(t, store.ErrRefused, test.text, test.address) })
	}
}

// grantUsage lets role see the schema and nothing else.
func grantUsage(t *testing.T, address auth.Secret, role string, as auth.Secret) auth.Secret {
	t.Helper()
	u, err := url.Parse(address.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	execute(t, rawPostgres(t, address), "GRANT USAGE ON SCHEMA "+u.Query().Get("search_path")+" TO "+role)
	return as
}

func TestPostgresReadOnly(t *testing.T) {
	address := database(t)
	standby := withParameter(t, address, "default_transaction_read_only", "on")
	refusedPostgres(t, store.ErrReadOnly, "name the primary in DATABASE_URL", standby)
	openPostgres(t, store.Options{URL: address})
	refusedPostgres(t, store.ErrReadOnly, "name the primary in DATABASE_URL", standby)
}

func TestForeignSchemas(t *testing.T) {
	for _, test := range []struct {
		name, change, text string
		want               error
	}{
		{"another program's", "CREATE TABLE oauth_clients (id BIGINT)", "belongs to another program", store.ErrNotDatabase},
		{"with a table of versions", "CREATE TABLE schema_version (version TEXT)", "belongs to another program", store.ErrNotDatabase},
		{"a newer version's", "CREATE TABLE schema_version (version_id BIGINT, is_applied BOOLEAN); INSERT INTO schema_version VALUES (99999, true)", "newer version", store.ErrTooNew},
	} {
		t.Run(test.name, func(t *testing.T) {
			address := database(t)
			db := rawPostgres(t, address)
			execute(t, db, test.change)
			refusedPostgres(t, test.want, test.text, address)
			var n int
			if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").Scan(&n); err != nil || n != 1 {
				t.Errorf("%d tables, %v; want one as before", n, err)
			}
		})
	}
}

func TestPostgresLocked(t *testing.T) {
	address := database(t)
	s := openPostgres(t, store.Options{URL: address, BusyTimeout: 50 * time.Millisecond})
	start := time.Now()
	patient := openPostgres(t, store.Options{URL: address})
	put := store.AppPassword{Grant: "g", Password: "p"}
	tx, err := rawPostgres(t, address).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE app_passwords"); err != nil {
		t.Fatal(err)
	}
	wantPostgresError(t, s.PutAppPassword(t.Context(), put), store.ErrLocked, "locked by another process", address)
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("gave up after %v, long after the busy time-out", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := patient.PutAppPassword(ctx, put); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUnreachable) {
		t.Errorf("a write whose time is up: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*store.Store{s, patient} {
		if err := s.PutAppPassword(t.Context(), put); err != nil {
			t.Errorf("after the lock was gone: %v", err)
		}
	}
}

// A server that starts again ends connections, not the store.
func TestPostgresRestarts(t *testing.T) {
	address := withParameter(t, database(t), "application_name", "test_restart")
	s := openPostgres(t, store.Options{URL: address})
	race([2]*store.Store{s, s}, 8, func(s *store.Store, _ int) { s.Ping(t.Context()) }) // so that there are several connections
	execute(t, rawPostgres(t, address), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test_restart' AND pid <> pg_backend_pid()")
	failed := 0
	for range 10 {
		if err := s.Ping(t.Context()); err != nil {
			failed++
			wantPostgresError(t, err, store.ErrUnreachable, "try again", address)
		}
	}
	if failed > 4 { // once for each connection there was
		t.Errorf("%d of 10 calls failed", failed)
	}
}

// Replicas that start at once on nothing agree on the schema.
func TestPostgresStartTogether(t *testing.T) {
	address := database(t)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			s, err := store.Open(t.Context(), store.Options{URL: address, Key: testKey})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: strconv.Itoa(i), Password: "p"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := openPostgres(t, store.Options{URL: address})
	for i := range 6 {
		if p, err := s.AppPassword(t.Context(), strconv.Itoa(i)); err != nil || p.Password != "p" {
			t.Errorf("what replica %d wrote: %v", i, err)
		}
	}
}

// A default of the server's does not change how transactions behave.
func TestPostgresIsolation(t *testing.T) {
	address := withParameter(t, database(t), "default_transaction_isolation", "serializable")
	s := openPostgres(t, store.Options{URL: address})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				if err := s.ActivateOAuthClient(t.Context(), store.OAuthClient{Provider: "p", ClientID: rand.Text()}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
