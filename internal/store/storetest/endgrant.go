package storetest

import (
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/store"
)

func testEndGrant(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g", clock)
	other := activeGrant(t, s, "other", clock)
	began, others := begin(t, s, "g", clock), begin(t, s, "other", clock)
	unused := code("unused", "g", clock)
	noErr(t, s.PutCode(ctx, unused))

	ended, err := s.EndGrant(ctx, "g", store.EndedByPerson)
	noErr(t, err)
	diff(t, true, ended)
	_, err = s.Grant(ctx, "g")
	wantErr(t, "the grant", err, store.ErrNotFound)
	_, err = s.AccessToken(ctx, began.pair.Access)
	wantErr(t, "its access token", err, store.ErrNotFound)
	_, err = s.Rotate(ctx, began.family, began.pair.Refresh, pair("r", clock), okFamily)
	wantErr(t, "its refresh token", err, store.ErrNotFound)
	for _, c := range []store.Hash{unused.Hash, began.code} {
		_, err = s.RedeemCode(ctx, c, store.Family{ID: store.HashOf("f")}, pair("p", clock), okCode)
		wantErr(t, "its code", err, store.ErrNotFound)
	}
	due := revoked(t, s)
	if _, ok := due["password of g"]; len(due) != 1 || !ok {
		t.Errorf("revocations: %v", due)
	}
	wantGrant(t, s, other)
	_, err = s.AccessToken(ctx, others.pair.Access)
	noErr(t, err)
	audit, err := s.AuditOf(ctx, alice, 10)
	noErr(t, err)
	diff(t, []store.AuditEntry{{At: clock.Now(), UserID: alice, GrantID: "g", ClientName: "Claude", Outcome: "ended by the person"}}, audit)

	ended, err = s.EndGrant(ctx, "g", store.EndedByPerson)
	noErr(t, err)
	diff(t, false, ended)

	kept := grant("refresh token", clock)
	kept.Credential.Kind = store.RefreshTokenCredential
	noErr(t, s.CreateGrant(ctx, kept))
	ended, err = s.EndGrant(ctx, kept.ID, store.EndedByPerson)
	noErr(t, err)
	diff(t, true, ended)
	diff(t, 1, len(revoked(t, s))) // only app passwords are revoked
}

func testEndGrantReasons(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "active", clock)
	forever := grant("for ever", clock)
	forever.ExpiresAt = time.Time{}
	noErr(t, s.CreateGrant(ctx, forever))
	end := func(id string, why store.EndReason, want bool) {
		t.Helper()
		ended, err := s.EndGrant(ctx, id, why)
		noErr(t, err)
		if ended != want {
			t.Errorf("%s, %s: ended is %t", id, why, ended)
		}
	}
	end("active", store.EndedUnconfirmed, false)
	end("active", store.EndedByTime, false)
	end("for ever", store.EndedByTime, false)
	end("for ever", store.EndedUnconfirmed, true)
	clock.Advance(24 * time.Hour)
	end("active", store.EndedByTime, true)
	audit, err := s.AuditOf(ctx, alice, 10)
	noErr(t, err)
	if len(audit) != 1 || audit[0].GrantID != "active" {
		t.Errorf("audit: %v", audit) // what never was a connection is not in it
	}
}

func testEndGrantRace(t *testing.T, s Store, clock *Clock) {
	activeGrant(t, s, "g", clock)
	var all sync.WaitGroup
	won := make(chan struct{}, 8)
	for range 8 {
		all.Go(func() {
			ended, err := s.EndGrant(t.Context(), "g", store.EndedByClient)
			if err != nil {
				t.Error(err)
			}
			if ended {
				won <- struct{}{}
			}
		})
	}
	all.Wait()
	diff(t, 1, len(won))
	diff(t, 1, len(revoked(t, s)))
}

func testEndGrantsOf(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g1", clock)
	activeGrant(t, s, "g2", clock)
	noErr(t, s.CreateGrant(ctx, grant("pending", clock)))
	bobs := grant("bob's", clock)
	bobs.State, bobs.UserID = store.GrantActive, bob
	noErr(t, s.CreateGrant(ctx, bobs))
	for _, want := range []int{3, 0} {
		n, err := s.EndGrantsOf(ctx, alice, store.EndedByNextcloud)
		noErr(t, err)
		diff(t, want, n)
	}
	diff(t, 3, len(revoked(t, s)))
	wantGrant(t, s, bobs)
}

func testStaleGrants(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	now := clock.Now()
	pendingBefore, unusedBefore := now.Add(-time.Hour), now.Add(-30*24*time.Hour)
	old := unusedBefore.Add(-time.Second)
	for _, g := range []struct {
		id                     string
		state                  store.GrantState
		created, used, expires time.Time
	}{
		{"pending, new", store.GrantPending, pendingBefore, time.Time{}, time.Time{}},
		{"pending, old", store.GrantPending, pendingBefore.Add(-time.Second), now, time.Time{}},
		{"expired", store.GrantActive, now, now, now},
		{"expired and unused", store.GrantActive, old, old, now},
		{"expires soon", store.GrantActive, now, now, now.Add(time.Second)},
		{"used", store.GrantActive, old, unusedBefore, time.Time{}},
		{"never used, new", store.GrantActive, unusedBefore, time.Time{}, time.Time{}},
		{"never used, old", store.GrantActive, old, time.Time{}, time.Time{}},
		{"not used for long", store.GrantActive, old, old, now.Add(time.Hour)},
	} {
		noErr(t, s.CreateGrant(ctx, store.Grant{
			ID: g.id, State: g.state, ClientID: g.id, UserID: alice,
			CreatedAt: g.created, LastUsedAt: g.used, ExpiresAt: g.expires,
		}))
	}
	got, err := s.StaleGrants(ctx, pendingBefore, unusedBefore, 100)
	noErr(t, err)
	why := make(map[string]store.EndReason)
	for _, g := range got {
		why[g.ID] = g.Why
	}
	diff(t, map[string]store.EndReason{
		"pending, old": store.EndedUnconfirmed, "expired": store.EndedByTime, "expired and unused": store.EndedByTime,
		"never used, old": store.EndedUnused, "not used for long": store.EndedUnused,
	}, why)
	for _, limit := range []int{2, 0, -1} {
		got, err = s.StaleGrants(ctx, pendingBefore, unusedBefore, limit)
		noErr(t, err)
		diff(t, max(limit, 0), len(got))
	}
	got, err = s.StaleGrants(ctx, time.Time{}, time.Time{}, 100)
	noErr(t, err)
	diff(t, 2, len(got)) // nothing but what expired
}
