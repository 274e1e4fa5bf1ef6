package storetest

import (
	"testing"
	"time"

	"nextcloud-mcp-server/internal/store"
)

// revoked are the passwords that wait to be revoked.
func revoked(t *testing.T, s Store) map[string]store.Revocation {
	t.Helper()
	due, err := s.DueRevocations(t.Context(), 1000)
	noErr(t, err)
	out := make(map[string]store.Revocation)
	for _, r := range due {
		if _, twice := out[r.Password.Reveal()]; twice {
			t.Error("a password is revoked twice")
		}
		out[r.Password.Reveal()] = r
	}
	return out
}

func testRevocations(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	now := clock.Now()
	first := store.Revocation{ID: "first", Host: issuer, LoginName: "a@example.org", UserID: alice, Password: "p", CreatedAt: now.Add(-time.Hour), DueAt: now.Add(-time.Minute)}
	noErr(t, s.AddRevocation(ctx, first))
	noErr(t, s.AddRevocation(ctx, store.Revocation{Password: "q"}))
	noErr(t, s.AddRevocation(ctx, store.Revocation{ID: "later", DueAt: now.Add(time.Hour)}))
	due, err := s.DueRevocations(ctx, 10)
	noErr(t, err)
	if len(due) != 2 || due[1].ID == "" || due[1].Password != "q" || due[0].Password != "p" || !due[1].DueAt.Equal(now) || !due[1].CreatedAt.Equal(now) {
		t.Fatalf("due: %v", due)
	}
	diff(t, first, due[0])
	for _, limit := range []int{1, 0, -1} {
		due, err := s.DueRevocations(ctx, limit)
		noErr(t, err)
		diff(t, max(limit, 0), len(due))
	}
	noErr(t, s.RevocationDone(ctx, due[1].ID))
	noErr(t, s.RevocationDone(ctx, due[1].ID))
	for range 2 {
		noErr(t, s.RevocationFailed(ctx, "first", now.Add(time.Minute)))
	}
	wantErr(t, "RevocationFailed", s.RevocationFailed(ctx, "none", now), store.ErrNotFound)
	due, err = s.DueRevocations(ctx, 10)
	noErr(t, err)
	diff(t, 0, len(due))
	clock.Advance(time.Minute)
	due, err = s.DueRevocations(ctx, 10)
	noErr(t, err)
	first.Attempts, first.DueAt = 2, clock.Now()
	diff(t, []store.Revocation{first}, due)
}
