package store

import (
	"path/filepath"
	"testing"

	"nextcloud-mcp-server/internal/auth"
)

// What somebody changes between the reading and the sealing anew is not put
// back to what it was.
func TestResealAfterChange(t *testing.T) {
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "store.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put := func(grant, password string) {
		t.Helper()
		if err := s.PutAppPassword(t.Context(), AppPassword{Grant: grant, Password: auth.Secret(password)}); err != nil {
			t.Fatal(err)
		}
	}
	put("changed", "before")
	put("same", "password")
	to, err := newSealer(newKey())
	if err != nil {
		t.Fatal(err)
	}
	r := rotation{store: s, to: to}
	column := &sealedColumn{"app_passwords", "password", []string{"grant_key"}}
	values, err := r.values(t.Context(), s.read(), column, "", nil)
	if err != nil || len(values) != 2 {
		t.Fatalf("%d values, %v", len(values), err)
	}
	put("changed", "after")
	err = s.write(t.Context(), "test", func(tx conn) error {
		return r.reseal(t.Context(), tx, column, r.foreign(column, values, true))
	})
	if err != nil || r.done.Resealed != 1 {
		t.Errorf("%d resealed, %v; want 1", r.done.Resealed, err)
	}
	if p, err := s.AppPassword(t.Context(), "changed"); err != nil || p.Password != "after" {
		t.Errorf("the change was lost: %v", err)
	}
}
