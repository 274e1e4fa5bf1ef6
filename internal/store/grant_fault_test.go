package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// texts are the values of a query with one column.
func texts(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

const secret = "c0ffee-c0ffee-c0ffee"

// keepSecrets puts a secret wherever a store takes one: two of each, so that
// they can be mixed up.
func keepSecrets(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	credential := store.Credential{Kind: store.AppPasswordCredential, Secret: secret}
	later := time.Now().Add(time.Hour)
	err := errors.Join(
		s.CreateGrant(ctx, store.Grant{ID: "a", State: store.GrantActive, UserID: "alice", ClientID: "c", Credential: credential}),
		s.CreateGrant(ctx, store.Grant{ID: "b", State: store.GrantPending, UserID: "alice", ClientID: "c", Credential: credential}),
		s.PutFlow(ctx, store.Flow{Kind: "k", Key: store.HashOf("a"), Payload: secret, ExpiresAt: later}),
		s.PutFlow(ctx, store.Flow{Kind: "k", Key: store.HashOf("b"), Payload: secret, ExpiresAt: later}),
		s.PutFlow(ctx, store.Flow{Kind: "l", Key: store.HashOf("a"), Payload: secret, ExpiresAt: later}),
		s.AddRevocation(ctx, store.Revocation{ID: "a", Password: secret}),
		s.AddRevocation(ctx, store.Revocation{ID: "b", Password: secret}),
		s.PutAccount(ctx, store.Account{Password: secret}),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoGrantSecretOnDisk(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file})
	keepSecrets(t, s)
	if _, err := s.EndGrant(t.Context(), "a", store.EndedByPerson); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{file, file + "-wal"} {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), secret) {
			t.Errorf("%s holds a secret in plain text", f)
		}
	}
}

// A sealed value opens in its own row and column only.
func TestForgedGrantSecrets(t *testing.T) {
	const (
		grantOfB      = "(SELECT credential_secret FROM grants WHERE id = 'b')"
		revocationOfA = "(SELECT password FROM revocations WHERE id = 'a')"
	)
	b := store.HashOf("b")
	keyOfB := fmt.Sprintf("x'%x'", b[:])
	grant := func(t *testing.T, s *store.Store) error {
		t.Helper()
		_, err := s.Grant(t.Context(), "a")
		return err
	}
	flow := func(t *testing.T, s *store.Store) error {
		t.Helper()
		_, err := s.Flow(t.Context(), "k", store.HashOf("a"))
		return err
	}
	account := func(t *testing.T, s *store.Store) error {
		t.Helper()
		_, err := s.Account(t.Context())
		return err
	}
	for _, test := range []struct {
		name, forge string
		read        func(t *testing.T, s *store.Store) error
		text        string
	}{
		{"grant, flipped byte", "UPDATE grants SET credential_secret = CAST(substr(credential_secret, 1, length(credential_secret) - 1) || x'00' AS BLOB)", grant, "sign in again"},
		{"grant, another row's", "UPDATE grants SET credential_secret = " + grantOfB, grant, "sign in again"},
		{"grant, another table's", "UPDATE grants SET credential_secret = " + revocationOfA, grant, "sign in again"},
		{"flow, another key's", "UPDATE flows SET payload = (SELECT payload FROM flows WHERE kind = 'k' AND flow_key = " + keyOfB + ") WHERE kind = 'k'", flow, "start over"},
		{"flow, another kind's", "UPDATE flows SET payload = (SELECT payload FROM flows WHERE kind = 'l') WHERE kind = 'k'", flow, "start over"},
		{"account, another table's", "UPDATE account SET password = " + revocationOfA, account, "log in again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := path(t)
			s := open(t, store.Options{Path: file})
			keepSecrets(t, s)
			if err := test.read(t, s); err != nil {
				t.Fatal(err)
			}
			execute(t, raw(t, file), test.forge)
			wantError(t, test.read(t, s), store.ErrDamaged, test.text)
		})
	}
}

// A grant whose credential is damaged can still be narrowed, seen, replaced
// and ended; there is nothing to revoke then.
func TestDamagedGrant(t *testing.T) {
	for name, handle := range map[string]func(t *testing.T, s *store.Store) error{
		"end": func(t *testing.T, s *store.Store) error {
			t.Helper()
			ended, err := s.EndGrant(t.Context(), "a", store.EndedByNextcloud)
			if !ended {
				t.Error("it did not end")
			}
			return err
		},
		"sign in again": func(t *testing.T, s *store.Store) error {
			t.Helper()
			g, err := s.ActivateGrant(t.Context(), "b", scope.Set{}, policy.Policy{}, time.Time{})
			if err == nil {
				g, err = s.Grant(t.Context(), g.ID)
			}
			if g.ID != "a" || g.Credential.Secret != secret {
				t.Errorf("got %v", g)
			}
			return err
		},
		"consent again": func(t *testing.T, s *store.Store) error {
			t.Helper()
			_, err := s.ActivateGrant(t.Context(), "a", scope.Set{}, policy.Policy{}, time.Time{})
			return err
		},
		"list": func(t *testing.T, s *store.Store) error {
			t.Helper()
			grants, err := s.GrantsOf(t.Context(), "alice")
			if len(grants) != 1 {
				t.Errorf("got %v", grants)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := path(t)
			s := open(t, store.Options{Path: file})
			keepSecrets(t, s)
			execute(t, raw(t, file), "DELETE FROM revocations")
			execute(t, raw(t, file), "UPDATE grants SET credential_secret = x'010203' WHERE id = 'a'")
			if err := handle(t, s); err != nil {
				t.Error(err)
			}
			if due, err := s.DueRevocations(t.Context(), 10); err != nil || len(due) != 0 {
				t.Errorf("revocations: %v, %v", due, err)
			}
		})
	}
}

// A revocation that does not decrypt comes without password, so that it does
// not stay for ever.
func TestDamagedRevocation(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file})
	keepSecrets(t, s)
	execute(t, raw(t, file), "UPDATE revocations SET password = (SELECT password FROM revocations WHERE id = 'b') WHERE id = 'a'")
	due, err := s.DueRevocations(t.Context(), 10)
	if err != nil || len(due) != 2 || due[0].Password != "" || due[1].Password != secret {
		t.Errorf("got %v, %v", due, err)
	}
}

// What narrows a connection must not be lost by damage.
func TestDamagedPolicy(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file})
	if err := connect(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	execute(t, raw(t, file), "UPDATE grants SET policy = '{\"read_only\":tr'")
	_, err := s.AccessToken(t.Context(), hash("at", 1))
	wantError(t, err, store.ErrDamaged, "end the connection")
}

func TestDamagedClient(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file})
	if err := s.PutClient(t.Context(), store.Client{ID: "c"}); err != nil {
		t.Fatal(err)
	}
	execute(t, raw(t, file), "UPDATE clients SET redirect_uris = 'https://evil.example'")
	_, err := s.Client(t.Context(), "c")
	wantError(t, err, store.ErrDamaged, "register again")
}
