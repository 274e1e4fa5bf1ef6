package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

const issuer = "https://cloud.example.org"

func oauthClient(id string, clock *Clock) store.OAuthClient {
	return store.OAuthClient{
		Provider: issuer, ClientID: id, Secret: "client secret",
		IssuedAt: clock.Now(), SecretExpiresAt: clock.Now().Add(time.Hour),
		RedirectURI: "https://mcp.example.org/oauth/callback", Scopes: "openid notes.read",
		Resource: "https://mcp.example.org/mcp", TokenType: "jwt",
		RegistrationToken: "registration token", RegistrationURI: issuer + "/apps/oidc/register/" + id,
	}
}

func testOAuthClients(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	if got, err := s.OAuthClients(ctx, issuer); err != nil || len(got) != 0 {
		t.Fatalf("empty store: %v, %v", got, err)
	}
	first := oauthClient("first", clock)
	noErr(t, s.ActivateOAuthClient(ctx, first))
	first.CreatedAt, first.UpdatedAt = clock.Now(), clock.Now()
	diff(t, []store.OAuthClient{first}, clients(t, s))

	clock.Advance(time.Minute)
	second := oauthClient("second", clock)
	second.SecretExpiresAt, second.RegistrationToken, second.RegistrationURI = time.Time{}, "", ""
	noErr(t, s.ActivateOAuthClient(ctx, second))
	second.CreatedAt, second.UpdatedAt = clock.Now(), clock.Now()
	first.RetiredAt, first.UpdatedAt = clock.Now(), clock.Now()
	diff(t, []store.OAuthClient{second, first}, clients(t, s))

	clock.Advance(time.Minute)
	third := oauthClient("third", clock)
	noErr(t, s.ActivateOAuthClient(ctx, third))
	var ids []string
	for _, c := range clients(t, s) {
		ids = append(ids, c.ClientID)
	}
	diff(t, []string{"third", "second", "first"}, ids) // active, then newest first

	noErr(t, s.DeleteOAuthClient(ctx, issuer, "third"))
	noErr(t, s.DeleteOAuthClient(ctx, issuer, "third"))
	if got := clients(t, s); len(got) != 2 || got[0].RetiredAt.IsZero() {
		t.Errorf("after deleting the active client: %v", got)
	}
}

func testOtherProviders(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	noErr(t, s.ActivateOAuthClient(ctx, oauthClient("same id", clock)))
	other := oauthClient("same id", clock)
	other.Provider, other.Secret = "https://other.example.org", "other secret"
	noErr(t, s.ActivateOAuthClient(ctx, other))
	got := clients(t, s)
	if len(got) != 1 || !got[0].RetiredAt.IsZero() || got[0].Secret != oauthClient("", clock).Secret {
		t.Errorf("another provider's registration changed ours: %v", got)
	}
	noErr(t, s.DeleteOAuthClient(ctx, other.Provider, "same id"))
	if got := clients(t, s); len(got) != 1 {
		t.Errorf("deleting another provider's registration changed ours: %v", got)
	}
}

func testActivateTwice(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	c := oauthClient("first", clock)
	noErr(t, s.ActivateOAuthClient(ctx, c))
	noErr(t, s.ActivateOAuthClient(ctx, oauthClient("second", clock)))
	c.Secret = "a new secret"
	noErr(t, s.ActivateOAuthClient(ctx, c))
	got := clients(t, s)
	if len(got) != 2 || got[0].ClientID != "first" || got[0].Secret != c.Secret || !got[0].RetiredAt.IsZero() || got[1].RetiredAt.IsZero() {
		t.Errorf("a retired client made active again: %v", got)
	}
}

func testLongExpired(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	noErr(t, s.ActivateOAuthClient(ctx, oauthClient("old", clock)))
	never := oauthClient("never expires", clock)
	never.SecretExpiresAt = time.Time{}
	noErr(t, s.ActivateOAuthClient(ctx, never))
	clock.Advance(29 * 24 * time.Hour)
	noErr(t, s.ActivateOAuthClient(ctx, oauthClient("second", clock)))
	if got := clients(t, s); len(got) != 3 {
		t.Errorf("after 29 days: %v", got)
	}
	clock.Advance(2 * 24 * time.Hour)
	noErr(t, s.ActivateOAuthClient(ctx, oauthClient("third", clock)))
	var ids []string
	for _, c := range clients(t, s) {
		ids = append(ids, c.ClientID)
	}
	diff(t, []string{"third", "second", "never expires"}, ids)
}

func appPassword(grant string, clock *Clock) store.AppPassword {
	return store.AppPassword{
		Grant: grant, Issuer: issuer, Subject: "sub", ClientID: "client", LoginName: "alice@example.org",
		UserID: "alice", Password: "aaaaa-bbbbb", Host: issuer,
		CreatedAt: clock.Now(), LastUsedAt: clock.Now().Add(time.Second), ProvenAt: clock.Now().Add(2 * time.Second),
	}
}

func testAppPassword(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	want := appPassword("g", clock)
	noErr(t, s.PutAppPassword(ctx, want))
	check := func() {
		t.Helper()
		got, err := s.AppPassword(ctx, "g")
		noErr(t, err)
		diff(t, want, got)
	}
	check()

	noErr(t, s.TouchAppPassword(ctx, "g", clock.Now().Add(time.Hour)))
	want.LastUsedAt = clock.Now().Add(time.Hour)
	check()
	noErr(t, s.TouchAppPassword(ctx, "g", clock.Now())) // earlier: no change
	check()

	noErr(t, s.ProveAppPassword(ctx, "g", clock.Now().Add(time.Minute)))
	want.ProvenAt = clock.Now().Add(time.Minute)
	check()

	want.Password, want.ProvenAt = "ccccc-ddddd", time.Time{}
	noErr(t, s.PutAppPassword(ctx, want))
	check()

	noErr(t, s.DeleteAppPassword(ctx, "g"))
	if _, err := s.AppPassword(ctx, "g"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after delete: %v, want ErrNotFound", err)
	}
	noErr(t, s.DeleteAppPassword(ctx, "g"))
}

func testAppPasswordDefaults(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	noErr(t, s.PutAppPassword(ctx, store.AppPassword{Grant: "g", Password: "p"}))
	got, err := s.AppPassword(ctx, "g")
	noErr(t, err)
	diff(t, store.AppPassword{Grant: "g", Password: "p", CreatedAt: clock.Now(), LastUsedAt: clock.Now()}, got)
}

func testMissingAppPassword(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	_, err := s.AppPassword(ctx, "nobody")
	for name, err := range map[string]error{
		"AppPassword":      err,
		"TouchAppPassword": s.TouchAppPassword(ctx, "nobody", clock.Now()),
		"ProveAppPassword": s.ProveAppPassword(ctx, "nobody", clock.Now()),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
}

func testUnusedAppPasswords(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	for i := range 5 {
		p := appPassword(fmt.Sprint("g", i), clock)
		p.LastUsedAt = clock.Now().Add(-time.Duration(i) * time.Hour)
		noErr(t, s.PutAppPassword(ctx, p))
	}
	grants := func(before time.Time, limit int) (out []string) {
		t.Helper()
		got, err := s.UnusedAppPasswords(ctx, before, limit)
		noErr(t, err)
		for _, p := range got {
			out = append(out, p.Grant)
			if p.Password != "aaaaa-bbbbb" {
				t.Errorf("grant %s has another password", p.Grant)
			}
		}
		return out
	}
	diff(t, []string{"g4", "g3", "g2"}, grants(clock.Now().Add(-time.Hour), 10)) // g1 was used at that very time
	diff(t, []string{"g4", "g3"}, grants(clock.Now().Add(-time.Hour), 2))
	diff(t, []string(nil), grants(clock.Now().Add(-24*time.Hour), 10))
	diff(t, []string(nil), grants(clock.Now(), 0))
	diff(t, []string(nil), grants(clock.Now(), -1))
}

func testLease(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	acquire := func(owner string, want bool) {
		t.Helper()
		got, err := s.AcquireLease(ctx, "register", owner, time.Minute)
		noErr(t, err)
		if got != want {
			t.Errorf("AcquireLease by %s = %t, want %t", owner, got, want)
		}
	}
	acquire("a", true)
	acquire("b", false)
	acquire("a", true) // prolonged
	clock.Advance(59 * time.Second)
	acquire("b", false)
	clock.Advance(time.Second)
	acquire("b", true) // expired
	acquire("a", false)
	noErr(t, s.ReleaseLease(ctx, "register", "a")) // not the owner any more
	acquire("a", false)
	noErr(t, s.ReleaseLease(ctx, "register", "b"))
	acquire("a", true)
	if got, err := s.AcquireLease(ctx, "another name", "b", time.Minute); err != nil || !got {
		t.Errorf("a lease of another name: %t, %v", got, err)
	}
}

func testLeaseRace(t *testing.T, s Store, _ *Clock) {
	var wins atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			got, err := s.AcquireLease(t.Context(), "register", fmt.Sprint("owner", i), time.Minute)
			if err != nil {
				t.Error(err)
			}
			if got {
				wins.Add(1)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d of 16 acquired the lease, want 1", wins.Load())
	}
}

func testConcurrentWrites(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	const workers, rounds = 8, 20
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			grant := fmt.Sprint("grant", w)
			for i := range rounds {
				p := appPassword(grant, clock)
				p.ClientID = strconv.Itoa(i)
				err := errors.Join(s.PutAppPassword(ctx, p), s.TouchAppPassword(ctx, grant, clock.Now()),
					s.ActivateOAuthClient(ctx, oauthClient(fmt.Sprintf("%d-%d", w, i), clock)))
				if _, e := s.AppPassword(ctx, grant); err != nil || e != nil {
					t.Errorf("worker %d, round %d: %v, %v", w, i, err, e)
					return
				}
			}
		})
	}
	all.Wait()
	active := 0
	got := clients(t, s)
	for _, c := range got {
		if c.RetiredAt.IsZero() {
			active++
		}
	}
	if len(got) != workers*rounds || active != 1 {
		t.Errorf("%d registrations, %d of them active; want %d and 1", len(got), active, workers*rounds)
	}
}

func testCancelled(t *testing.T, s Store, clock *Clock) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.PutAppPassword(ctx, appPassword("g", clock)); !errors.Is(err, context.Canceled) {
		t.Errorf("PutAppPassword with a cancelled context: %v", err)
	}
	if _, err := s.AppPassword(t.Context(), "g"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a cancelled write was made: %v", err)
	}
}

func clients(t *testing.T, s Store) []store.OAuthClient {
	t.Helper()
	got, err := s.OAuthClients(t.Context(), issuer)
	noErr(t, err)
	return got
}

func noErr(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func diff(t *testing.T, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmp.Comparer(sameSet)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func sameSet(a, b scope.Set) bool { return a.String() == b.String() }

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
