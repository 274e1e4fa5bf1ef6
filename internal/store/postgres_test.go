package store_test

import (
	"cmp"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
	"nextcloud-mcp-server/internal/store/storetest"
)

const testKey auth.Secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// database is the URL of an empty schema that goes away after the test.
func database(tb testing.TB) auth.Secret {
	tb.Helper()
	address := os.Getenv("TEST_POSTGRES_URL")
	if address == "" {
		tb.Skip("TEST_POSTGRES_URL is not set: no PostgreSQL to test with")
	}
	admin := rawPostgres(tb, auth.Secret(address))
	schema := "test_" + strings.ToLower(rand.Text())
	if _, err := admin.ExecContext(tb.Context(), "CREATE SCHEMA "+schema); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			tb.Error(err)
		}
	})
	return withParameter(tb, auth.Secret(address), "search_path", schema)
}

func withParameter(tb testing.TB, address auth.Secret, name, value string) auth.Secret {
	tb.Helper()
	return changed(tb, address, func(u *url.URL) {
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
	})
}

func changed(tb testing.TB, address auth.Secret, change func(*url.URL)) auth.Secret {
	tb.Helper()
	u, err := url.Parse(address.Reveal())
	if err != nil {
		tb.Fatal(err)
	}
	change(u)
	return auth.Secret(u.String())
}

// rawPostgres is the database without this package's care.
func rawPostgres(tb testing.TB, address auth.Secret) *sql.DB {
	tb.Helper()
	db, err := sql.Open("pgx", address.Reveal())
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(2)
	tb.Cleanup(func() { db.Close() })
	return db
}

func openPostgres(tb testing.TB, opts store.Options) *store.Store {
	tb.Helper()
	opts.Key = cmp.Or(opts.Key, testKey)
	return open(tb, opts)
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
		t.Helper()
		return openPostgres(t, store.Options{URL: database(t), Now: now})
	})
}
