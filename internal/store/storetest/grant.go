package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

var grantTests = []namedTest{
	{"Grant", testGrant},
	{"CreateGrantTwice", testCreateGrantTwice},
	{"GrantsOf", testGrantsOf},
	{"GrantsOfBounded", testGrantsOfBounded},
	{"ActivateGrant", testActivateGrant},
	{"ActivateGrantMerges", testActivateGrantMerges},
	{"ActivateGrantKeepsCredential", testActivateGrantKeepsCredential},
	{"ActivateGrantOtherPeople", testActivateGrantOtherPeople},
	{"ActivateGrantRace", testActivateGrantRace},
	{"SetGrantPolicy", testSetGrantPolicy},
	{"ReplaceCredential", testReplaceCredential},
	{"ReplaceCredentialRace", testReplaceCredentialRace},
	{"TouchGrant", testTouchGrant},
	{"EndGrant", testEndGrant},
	{"EndGrantReasons", testEndGrantReasons},
	{"EndGrantRace", testEndGrantRace},
	{"EndGrantsOf", testEndGrantsOf},
	{"StaleGrants", testStaleGrants},
	{"Revocations", testRevocations},
	{"Audit", testAudit},
	{"AuditText", testAuditText},
}

const (
	alice  = nextcloud.UserID("alice")
	bob    = nextcloud.UserID("bob")
	client = "https://claude.ai/client.json"
)

// grant is a pending grant of alice's with an app password.
func grant(id string, clock *Clock) store.Grant {
	return store.Grant{
		ID: id, State: store.GrantPending,
		UserID: alice, LoginName: "alice@example.org", DisplayName: "Älice", Issuer: issuer, Subject: "sub-1", Method: store.ByLoginFlow,
		ClientID: client, ClientName: "Claude", ClientURI: "https://claude.ai", ClientKind: store.ClientDocument, RedirectHost: "claude.ai",
		Scopes: scope.NewSet(scope.NotesRead), Policy: policy.Policy{Refused: []string{"files.write"}, Folders: []string{"/Ä b"}},
		Credential: store.Credential{Kind: store.AppPasswordCredential, Secret: auth.Secret("password of " + id), Host: issuer, Version: 1},
		CreatedAt:  clock.Now(), LastUsedAt: clock.Now().Add(time.Second), ExpiresAt: clock.Now().Add(24 * time.Hour),
	}
}

// activeGrant makes an active grant with a client of its own.
func activeGrant(t *testing.T, s Store, id string, clock *Clock) store.Grant {
	t.Helper()
	g := grant(id, clock)
	g.State, g.ClientID = store.GrantActive, "client of "+id
	noErr(t, s.CreateGrant(t.Context(), g))
	return g
}

func withoutSecret(g store.Grant) store.Grant {
	g.Credential.Secret = ""
	return g
}

func wantGrant(t *testing.T, s Store, want store.Grant) {
	t.Helper()
	got, err := s.Grant(t.Context(), want.ID)
	noErr(t, err)
	diff(t, want, got)
	if got.Credential.Secret.Reveal() != want.Credential.Secret.Reveal() { // diff shows secrets alike
		t.Errorf("grant %s has another secret", want.ID)
	}
}

func testGrant(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	want := grant("g", clock)
	noErr(t, s.CreateGrant(ctx, want))
	wantGrant(t, s, want)
	_, err := s.GrantFor(ctx, alice, client)
	wantErr(t, "GrantFor a pending one", err, store.ErrNotFound)

	bare := store.Grant{ID: "bare", State: store.GrantActive, UserID: alice, ClientID: client}
	noErr(t, s.CreateGrant(ctx, bare))
	bare.CreatedAt = clock.Now()
	wantGrant(t, s, bare)
	got, err := s.GrantFor(ctx, alice, client)
	noErr(t, err)
	diff(t, bare, got)

	_, err = s.Grant(ctx, "nobody's")
	wantErr(t, "Grant", err, store.ErrNotFound)
	for _, other := range []struct {
		user   nextcloud.UserID
		client string
	}{{bob, client}, {alice, "other"}, {"", ""}} {
		_, err = s.GrantFor(ctx, other.user, other.client)
		wantErr(t, "GrantFor", err, store.ErrNotFound)
	}

	active := grant("active", clock)
	active.State, active.UserID = store.GrantActive, bob
	noErr(t, s.CreateGrant(ctx, active))
	got, err = s.GrantFor(ctx, bob, client)
	noErr(t, err)
	diff(t, withoutSecret(active), got)
	if got.Credential.Secret != "" {
		t.Error("GrantFor tells the secret")
	}
}

func testCreateGrantTwice(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	first := grant("g", clock)
	first.State = store.GrantActive
	noErr(t, s.CreateGrant(ctx, first))
	again := grant("g", clock)
	again.UserID = bob
	wantErr(t, "another grant of the same id", s.CreateGrant(ctx, again), store.ErrConflict)
	second := grant("g2", clock)
	second.State = store.GrantActive
	wantErr(t, "another active grant of the same person and client", s.CreateGrant(ctx, second), store.ErrConflict)
	wantGrant(t, s, first)
	noErr(t, s.CreateGrant(ctx, grant("g3", clock))) // pending
}

func testGrantsOf(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	for i, used := range []time.Duration{-3 * time.Hour, -time.Hour, -2 * time.Hour} {
		g := grant(fmt.Sprint("g", i), clock)
		g.State, g.ClientID, g.CreatedAt, g.LastUsedAt = store.GrantActive, fmt.Sprint("c", i), clock.Now().Add(-24*time.Hour), clock.Now().Add(used)
		noErr(t, s.CreateGrant(ctx, g))
	}
	unused := grant("unused", clock)
	unused.State, unused.CreatedAt, unused.LastUsedAt = store.GrantActive, clock.Now().Add(-90*time.Minute), time.Time{}
	noErr(t, s.CreateGrant(ctx, unused))
	noErr(t, s.CreateGrant(ctx, grant("pending", clock)))
	other := grant("bob's", clock)
	other.State, other.UserID = store.GrantActive, bob
	noErr(t, s.CreateGrant(ctx, other))

	got, err := s.GrantsOf(ctx, alice)
	noErr(t, err)
	var ids []string
	for _, g := range got {
		ids = append(ids, g.ID)
		if g.Credential.Secret != "" {
			t.Errorf("the list tells the secret of %s", g.ID)
		}
	}
	diff(t, []string{"g1", "unused", "g2", "g0"}, ids)
	diff(t, withoutSecret(unused), got[1])
	got, err = s.GrantsOf(ctx, "nobody")
	noErr(t, err)
	diff(t, 0, len(got))
}

func testGrantsOfBounded(t *testing.T, s Store, clock *Clock) {
	for i := range 501 {
		activeGrant(t, s, fmt.Sprint("g", i), clock)
	}
	got, err := s.GrantsOf(t.Context(), alice)
	noErr(t, err)
	diff(t, 500, len(got))
}

func testSetGrantPolicy(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	want := activeGrant(t, s, "g", clock)
	noErr(t, s.CreateGrant(ctx, grant("pending", clock)))
	scopes, narrowed := scope.NewSet(scope.NotesRead), policy.Policy{Paused: true}
	for what, err := range map[string]error{
		"another person's": s.SetGrantPolicy(ctx, "g", bob, scopes, narrowed, time.Time{}),
		"a pending one":    s.SetGrantPolicy(ctx, "pending", alice, scopes, narrowed, time.Time{}),
		"none":             s.SetGrantPolicy(ctx, "none", alice, scopes, narrowed, time.Time{}),
	} {
		wantErr(t, what, err, store.ErrNotFound)
	}
	wantGrant(t, s, want)
	want.Scopes, want.Policy, want.ExpiresAt = scopes, narrowed, time.Time{}
	noErr(t, s.SetGrantPolicy(ctx, "g", alice, scopes, narrowed, time.Time{}))
	wantGrant(t, s, want)
}

func testReplaceCredential(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	want := activeGrant(t, s, "g", clock)
	got, err := s.ReplaceCredential(ctx, "g", 1, "new")
	noErr(t, err)
	want.Credential.Secret, want.Credential.Version = "new", 2
	if got != want.Credential {
		t.Errorf("got %v", got)
	}
	_, err = s.ReplaceCredential(ctx, "g", 1, "late")
	wantErr(t, "an older version", err, store.ErrConflict)
	_, err = s.ReplaceCredential(ctx, "none", 1, "late")
	wantErr(t, "no grant", err, store.ErrNotFound)
	wantGrant(t, s, want)
}

func testReplaceCredentialRace(t *testing.T, s Store, clock *Clock) {
	activeGrant(t, s, "g", clock)
	var all sync.WaitGroup
	won := make(chan struct{}, 8)
	for i := range 8 {
		all.Go(func() {
			switch _, err := s.ReplaceCredential(t.Context(), "g", 1, auth.Secret(strconv.Itoa(i))); {
			case err == nil:
				won <- struct{}{}
			case !errors.Is(err, store.ErrConflict):
				t.Error(err)
			}
		})
	}
	all.Wait()
	diff(t, 1, len(won))
}

func testTouchGrant(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	want := activeGrant(t, s, "g", clock)
	want.LastUsedAt = clock.Now().Add(time.Hour)
	noErr(t, s.TouchGrant(ctx, "g", want.LastUsedAt))
	noErr(t, s.TouchGrant(ctx, "g", clock.Now())) // earlier: no change
	wantGrant(t, s, want)
	wantErr(t, "no grant", s.TouchGrant(ctx, "none", clock.Now()), store.ErrNotFound)
}
