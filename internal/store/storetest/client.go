package storetest

import (
	"strconv"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/store"
)

func testClients(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	want := store.Client{
		ID: "c", Name: "Cursor \"ä\"", URI: "https://cursor.com", ApplicationType: "native",
		RedirectURIs: []string{"cursor://anysphere.cursor-mcp/oauth/callback", "http://localhost/a b"},
		GrantTypes:   []string{"authorization_code", "refresh_token"}, AuthMethod: "none", Scope: "notes.read notes.write",
		Registration: store.HashOf("registration"), CreatedAt: clock.Now(), LastUsedAt: clock.Now().Add(time.Second),
	}
	noErr(t, s.PutClient(ctx, want))
	check := func() {
		t.Helper()
		got, err := s.Client(ctx, "c")
		noErr(t, err)
		diff(t, want, got)
		n, err := s.CountClients(ctx)
		noErr(t, err)
		diff(t, 1, n)
	}
	check()
	want.Name, want.RedirectURIs, want.GrantTypes, want.Secret = "Changed", nil, nil, store.HashOf("secret")
	want.LastUsedAt = time.Time{}
	noErr(t, s.PutClient(ctx, want))
	check()
	want.LastUsedAt = clock.Now().Add(time.Minute)
	noErr(t, s.TouchClient(ctx, "c", want.LastUsedAt))
	noErr(t, s.TouchClient(ctx, "c", clock.Now())) // earlier: no change
	check()

	noErr(t, s.DeleteClient(ctx, "c"))
	noErr(t, s.DeleteClient(ctx, "c"))
	_, err := s.Client(ctx, "c")
	wantErr(t, "a deleted client", err, store.ErrNotFound)
	wantErr(t, "TouchClient", s.TouchClient(ctx, "c", clock.Now()), store.ErrNotFound)
	noErr(t, s.PutClient(ctx, store.Client{ID: "bare"}))
	got, err := s.Client(ctx, "bare")
	noErr(t, err)
	diff(t, store.Client{ID: "bare", CreatedAt: clock.Now()}, got)
}

func testSweepClients(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	before := clock.Now()
	old := before.Add(-time.Second)
	for id, times := range map[string][2]time.Time{
		"used":              {old, before},
		"new":               {before, {}},
		"old":               {old, {}},
		"older":             {old.Add(-time.Second), {}},
		"not used for long": {old.Add(-time.Minute), old.Add(-2 * time.Second)},
		"has a grant":       {old.Add(-time.Hour), {}},
	} {
		noErr(t, s.PutClient(ctx, store.Client{ID: id, CreatedAt: times[0], LastUsedAt: times[1]}))
	}
	g := grant("g", clock)
	g.ClientID = "has a grant"
	noErr(t, s.CreateGrant(ctx, g))
	left := func() (ids []string) {
		t.Helper()
		for _, id := range []string{"used", "new", "old", "older", "not used for long", "has a grant"} {
			if _, err := s.Client(ctx, id); err == nil {
				ids = append(ids, id)
			}
		}
		return ids
	}
	sweep := func(limit, want int) {
		t.Helper()
		n, err := s.SweepClients(ctx, before, before, limit)
		noErr(t, err)
		diff(t, want, n)
	}
	sweep(0, 0)
	sweep(-1, 0)
	n, err := s.SweepClients(ctx, before.Add(-time.Hour), before.Add(-time.Hour), 10)
	noErr(t, err)
	diff(t, 0, n)
	n, err = s.SweepClients(ctx, before, before.Add(-time.Hour), 10) // one that was used
	noErr(t, err)
	diff(t, 1, n)
	diff(t, []string{"used", "new", "old", "older", "has a grant"}, left())
	sweep(10, 2)
	diff(t, []string{"used", "new", "has a grant"}, left())
	_, err = s.EndGrant(ctx, "g", store.EndedByPerson)
	noErr(t, err)
	sweep(10, 1)
	diff(t, []string{"used", "new"}, left())
	for i := range 3 {
		noErr(t, s.PutClient(ctx, store.Client{ID: strconv.Itoa(i)}))
	}
	n, err = s.CountClients(ctx)
	noErr(t, err)
	diff(t, 5, n)
}
