package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// allScopes are as many as a client may ask for.
var allScopes = scope.Parse(strings.Join([]string{
	"openid profile email offline_access",
	"notes.read notes.write calendar.read calendar.write todo.read todo.write contacts.read contacts.write",
	"cookbook.read cookbook.write deck.read deck.write tables.read tables.write files.read files.write",
	"sharing.read sharing.write news.read news.write collectives.read collectives.write talk.read talk.write mail.read mail.write",
}, " "))

func allow(store.Code) error         { return nil }
func allowFamily(store.Family) error { return nil }

func hash(kind string, n int) store.Hash { return store.HashOf(fmt.Sprint(kind, n)) }

func pair(n int) store.Pair {
	return store.Pair{
		Access: hash("at", n), AccessScopes: allScopes, AccessExpires: time.Now().Add(time.Hour),
		Refresh: hash("rt", n), RefreshUntil: time.Now().Add(90 * 24 * time.Hour),
	}
}

// connect makes the nth grant as real ones are, with its tokens.
func connect(ctx context.Context, s *store.Store, n int) error {
	g := store.Grant{
		ID: fmt.Sprintf("%026d", n), State: store.GrantActive,
		UserID: nextcloud.UserID(fmt.Sprint("person", n)), LoginName: "person.of.some.length@example.org", DisplayName: "Person of Some Length",
		Issuer: "https://cloud.example.org", Subject: "person", Method: store.ByLoginFlow,
		ClientID: "https://claude.ai/oauth/client-metadata.json", ClientName: "Claude", ClientURI: "https://claude.ai",
		ClientKind: store.ClientDocument, RedirectHost: "claude.ai", Scopes: allScopes, Policy: policy.Policy{Folders: []string{"/Projects/Moon"}},
		Credential: store.Credential{Kind: store.AppPasswordCredential, Secret: auth.Secret(strings.Repeat("p", 72)), Host: "https://cloud.example.org", Version: 1},
	}
	c := store.Code{
		Hash: hash("code", n), GrantID: g.ID, ClientID: g.ClientID, RedirectURI: "https://claude.ai/api/mcp/auth_callback",
		CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Resource: "https://mcp.example.org/mcp", Scopes: allScopes, ExpiresAt: time.Now().Add(time.Minute),
	}
	if err := errors.Join(s.CreateGrant(ctx, g), s.PutCode(ctx, c)); err != nil {
		return err
	}
	_, err := s.RedeemCode(ctx, c.Hash, store.Family{ID: hash("family", n)}, pair(n), allow)
	return err
}

const many = 10_000

// hashOf is the hash that fill gives the nth thing of a kind.
func hashOf(kind string, n int) store.Hash {
	return store.Hash([]byte(fmt.Sprintf("%s%031d", kind, n)))
}

// fill makes n connections as connect makes them, but all at once: copies of
// one, with other keys and in random order, as random keys would have them.
func fill(tb testing.TB, s *store.Store, file string, n int) {
	tb.Helper()
	if err := connect(tb.Context(), s, n); err != nil {
		tb.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	key := func(kind string) string { return "CAST(printf('" + kind + "%031d', n) AS BLOB)" }
	const grantID = "printf('%026d', n)"
	for _, table := range []struct{ name, keys string }{
		{"grants", "id = " + grantID + ", user_id = printf('person%d', n)"},
		{"codes", "hash = " + key("c") + ", grant_id = " + grantID + ", family_id = " + key("f")},
		{"families", "id = " + key("f") + ", grant_id = " + grantID + ", refresh = " + key("r")},
		{"access_tokens", "hash = " + key("a") + ", family_id = " + key("f")},
	} {
		_, err := db.ExecContext(tb.Context(), fmt.Sprintf(`
			CREATE TEMP TABLE copies AS SELECT %[1]s.*, n FROM %[1]s,
				(WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT %[3]d) SELECT n FROM numbers);
			UPDATE copies SET %[2]s;
			ALTER TABLE copies DROP COLUMN n;
			DELETE FROM %[1]s;
			INSERT INTO %[1]s SELECT * FROM copies ORDER BY random();
			DROP TABLE copies`, table.name, table.keys, n))
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// Ten thousand connections take no more than 40 MB of disk.
func TestDiskUse(t *testing.T) {
	if testing.Short() {
		t.Skip("makes ten thousand grants")
	}
	file := path(t)
	s := open(t, store.Options{Path: file})
	fill(t, s, file, many)
	if _, err := s.AccessToken(t.Context(), hashOf("a", many-1)); err != nil {
		t.Fatal(err)
	}
	execute(t, raw(t, file), "PRAGMA wal_checkpoint(TRUNCATE)")
	var size int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(file + suffix)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	t.Logf("%d grants take %.1f MB", many, float64(size)/1e6)
	if size > 40e6 {
		t.Errorf("%d grants take %d bytes, more than 40 MB", many, size)
	}
}

func BenchmarkAccessToken(b *testing.B) {
	for _, n := range []int{1, many} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			file := path(b)
			s := open(b, store.Options{Path: file})
			fill(b, s, file, n)
			i := 0
			for b.Loop() {
				i = (i + 7919) % n // hardly twice the same page
				if _, err := s.AccessToken(b.Context(), hashOf("a", i)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAccessTokenParallel(b *testing.B) {
	file := path(b)
	s := open(b, store.Options{Path: file})
	fill(b, s, file, many)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i = (i + 7919) % many {
			if _, err := s.AccessToken(b.Context(), hashOf("a", i)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRotate(b *testing.B) {
	file := path(b)
	s := open(b, store.Options{Path: file})
	fill(b, s, file, many)
	current := make([]store.Hash, many)
	for i := range current {
		current[i] = hashOf("r", i)
	}
	i := 0
	for n := 0; b.Loop(); n++ {
		i = (i + 7919) % many
		next := pair(n)
		if _, err := s.Rotate(b.Context(), hashOf("f", i), current[i], next, allowFamily); err != nil {
			b.Fatal(err)
		}
		current[i] = next.Refresh
	}
}

func BenchmarkRedeemCode(b *testing.B) {
	s := open(b, store.Options{Path: path(b)})
	i := 0
	for b.Loop() {
		i++
		if err := connect(b.Context(), s, i); err != nil {
			b.Fatal(err)
		}
	}
}
