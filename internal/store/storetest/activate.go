package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

func testActivateGrant(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	want := grant("g", clock)
	noErr(t, s.CreateGrant(ctx, want))
	want.State = store.GrantActive
	for _, consent := range []struct {
		scopes  scope.Set
		policy  policy.Policy
		expires time.Time
	}{
		{scope.NewSet(scope.NotesWrite, scope.NotesRead), policy.Policy{ReadOnly: true}, clock.Now().Add(time.Hour)},
		{scope.NewSet(scope.NotesRead), policy.Policy{}, time.Time{}}, // again, without a sign-in
	} {
		got, err := s.ActivateGrant(ctx, "g", consent.scopes, consent.policy, consent.expires)
		noErr(t, err)
		want.Scopes, want.Policy, want.ExpiresAt = consent.scopes, consent.policy, consent.expires
		diff(t, withoutSecret(want), got)
		if got.Credential.Secret != "" {
			t.Error("ActivateGrant tells the secret")
		}
		wantGrant(t, s, want)
	}
	diff(t, 0, len(revoked(t, s)))
	_, err := s.ActivateGrant(ctx, "nobody's", scope.Set{}, policy.Policy{}, time.Time{})
	wantErr(t, "ActivateGrant", err, store.ErrNotFound)
}

func testActivateGrantMerges(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	older := grant("older", clock)
	older.State, older.Credential.Version = store.GrantActive, 7
	noErr(t, s.CreateGrant(ctx, older))
	began := begin(t, s, "older", clock)

	clock.Advance(time.Minute)
	newer := grant("newer", clock)
	newer.LoginName, newer.DisplayName, newer.Issuer, newer.Subject, newer.Method = "alice", "Alice", "https://id.example.org", "sub-2", store.ByOIDC
	newer.ClientName, newer.ClientURI, newer.ClientKind, newer.RedirectHost = "Claude 2", "https://claude.com", store.ClientRegistered, "claude.com"
	newer.Credential.Host = "https://other.example.org"
	noErr(t, s.CreateGrant(ctx, newer))
	bobs := grant("bob's", clock)
	bobs.State, bobs.UserID = store.GrantActive, bob
	noErr(t, s.CreateGrant(ctx, bobs))

	scopes, narrowed, expires := scope.NewSet(scope.NotesWrite), policy.Policy{NoDelete: true}, clock.Now().Add(time.Minute)
	got, err := s.ActivateGrant(ctx, "newer", scopes, narrowed, expires)
	noErr(t, err)
	want := newer
	want.ID, want.State, want.CreatedAt, want.LastUsedAt = "older", store.GrantActive, older.CreatedAt, older.LastUsedAt
	want.Scopes, want.Policy, want.ExpiresAt, want.Credential.Version = scopes, narrowed, expires, 8
	diff(t, withoutSecret(want), got)
	wantGrant(t, s, want)
	wantGrant(t, s, bobs)
	_, err = s.Grant(ctx, "newer")
	wantErr(t, "the pending grant", err, store.ErrNotFound)

	due := revoked(t, s)
	r := due["password of older"]
	if len(due) != 1 || r.Host != issuer || r.LoginName != "alice@example.org" || r.UserID != alice || !r.CreatedAt.Equal(clock.Now()) {
		t.Errorf("revocations: %v", due)
	}
	_, err = s.AccessToken(ctx, began.pair.Access) // the older grant goes on
	noErr(t, err)
}

func testActivateGrantKeepsCredential(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	older := grant("older", clock)
	older.State = store.GrantActive
	noErr(t, s.CreateGrant(ctx, older))
	activate := func(change func(*store.Grant)) store.Grant {
		t.Helper()
		g := grant("newer", clock)
		change(&g)
		noErr(t, s.CreateGrant(ctx, g))
		_, err := s.ActivateGrant(ctx, "newer", older.Scopes, older.Policy, older.ExpiresAt)
		noErr(t, err)
		got, err := s.Grant(ctx, "older")
		noErr(t, err)
		return got
	}
	if got := activate(func(g *store.Grant) { g.Credential = store.Credential{} }); got.Credential != older.Credential {
		t.Errorf("after a sign-in without credential: %v", got.Credential)
	}
	activate(func(g *store.Grant) { g.Credential.Secret = older.Credential.Secret })
	diff(t, 0, len(revoked(t, s))) // a password that is still used is not revoked

	got := activate(func(g *store.Grant) { g.Credential.Kind, g.Credential.Secret = store.RefreshTokenCredential, "a" })
	if got.Credential.Kind != store.RefreshTokenCredential || got.Credential.Secret != "a" || got.Credential.Version != 3 {
		t.Errorf("after a sign-in with a refresh token: %v", got.Credential)
	}
	diff(t, 1, len(revoked(t, s)))
	activate(func(*store.Grant) {})
	diff(t, 1, len(revoked(t, s))) // a refresh token is no app password
}

func testActivateGrantOtherPeople(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	for _, other := range []struct {
		id, client string
		user       nextcloud.UserID
	}{{"other person", client, bob}, {"other client", "other", alice}} {
		g := grant(other.id, clock)
		g.State, g.ClientID, g.UserID = store.GrantActive, other.client, other.user
		noErr(t, s.CreateGrant(ctx, g))
		defer wantGrant(t, s, g)
	}
	noErr(t, s.CreateGrant(ctx, grant("g", clock)))
	got, err := s.ActivateGrant(ctx, "g", scope.Set{}, policy.Policy{}, time.Time{})
	noErr(t, err)
	diff(t, "g", got.ID)
}

func testActivateGrantRace(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	const sessions = 8
	for i := range sessions {
		noErr(t, s.CreateGrant(ctx, grant(fmt.Sprint("g", i), clock)))
	}
	var all sync.WaitGroup
	ids := make([]string, sessions)
	for i := range sessions {
		all.Go(func() {
			g, err := s.ActivateGrant(ctx, fmt.Sprint("g", i), scope.Set{}, policy.Policy{}, time.Time{})
			if err != nil {
				t.Error(err)
			}
			ids[i] = g.ID
		})
	}
	all.Wait()
	grants, err := s.GrantsOf(ctx, alice)
	noErr(t, err)
	if len(grants) != 1 {
		t.Fatalf("%d active grants, want 1", len(grants))
	}
	for _, id := range ids {
		diff(t, grants[0].ID, id)
	}
	got, err := s.Grant(ctx, grants[0].ID)
	noErr(t, err)
	due := revoked(t, s)
	if _, twice := due[got.Credential.Secret.Reveal()]; twice || len(due) != sessions-1 {
		t.Errorf("%d passwords are revoked, want all but the one that is used", len(due))
	}
}
