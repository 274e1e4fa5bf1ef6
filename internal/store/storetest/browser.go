package storetest

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/store"
)

var browserTests = []namedTest{
	{"Flow", testFlow},
	{"UpdateFlow", testUpdateFlow},
	{"FlowExpires", testFlowExpires},
	{"TakeFlowRace", testTakeFlowRace},
	{"BrowserSession", testBrowserSession},
	{"SweepBrowsers", testSweepBrowsers},
	{"SweepAudit", testSweepAudit},
	{"Account", testAccount},
}

func flow(kind, key string, clock *Clock) store.Flow {
	return store.Flow{Kind: kind, Key: store.HashOf(key), Payload: `{"state":"ä"}`, ExpiresAt: clock.Now().Add(time.Hour)}
}

func testFlow(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	want := flow("authorize", "k", clock)
	noErr(t, s.PutFlow(ctx, want))
	other := flow("sign-in", "k", clock) // the same key of another kind
	other.Payload = "other"
	noErr(t, s.PutFlow(ctx, other))
	for range 2 {
		got, err := s.Flow(ctx, "authorize", want.Key)
		noErr(t, err)
		if got.Payload != want.Payload {
			t.Error("another payload came back")
		}
		want.Version = got.Version
		diff(t, want, got)
	}
	noErr(t, s.PutFlow(ctx, want))
	again, err := s.Flow(ctx, "authorize", want.Key)
	noErr(t, err)
	if again.Version == want.Version {
		t.Error("a flow that was put again has the version from before")
	}
	got, err := s.TakeFlow(ctx, "authorize", want.Key)
	noErr(t, err)
	diff(t, again, got)
	if got.Payload != want.Payload {
		t.Error("another payload was taken")
	}
	for _, get := range []func() (store.Flow, error){
		func() (store.Flow, error) { return s.TakeFlow(ctx, "authorize", want.Key) },
		func() (store.Flow, error) { return s.Flow(ctx, "authorize", want.Key) },
		func() (store.Flow, error) { return s.Flow(ctx, "sign-in", store.HashOf("other key")) },
	} {
		_, err := get()
		wantErr(t, "a flow that is not there", err, store.ErrNotFound)
	}
	got, err = s.Flow(ctx, "sign-in", other.Key)
	noErr(t, err)
	if got.Payload != "other" {
		t.Error("the kinds are mixed up")
	}
}

func testUpdateFlow(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	f := flow("authorize", "k", clock)
	noErr(t, s.PutFlow(ctx, f))
	mine, err := s.Flow(ctx, f.Kind, f.Key)
	noErr(t, err)
	theirs := mine
	mine.Payload, mine.ExpiresAt = "mine", clock.Now().Add(2*time.Hour)
	noErr(t, s.UpdateFlow(ctx, mine))
	theirs.Payload = "theirs"
	wantErr(t, "an update of an older version", s.UpdateFlow(ctx, theirs), store.ErrConflict)
	got, err := s.Flow(ctx, f.Kind, f.Key)
	noErr(t, err)
	if got.Payload != "mine" || !got.ExpiresAt.Equal(mine.ExpiresAt) || got.Version == mine.Version {
		t.Errorf("after an update: %v", got)
	}
	noErr(t, s.UpdateFlow(ctx, got))
	missing := flow("authorize", "missing", clock)
	wantErr(t, "an update of nothing", s.UpdateFlow(ctx, missing), store.ErrNotFound)
	_, err = s.TakeFlow(ctx, f.Kind, f.Key)
	noErr(t, err)
	wantErr(t, "an update of what was taken", s.UpdateFlow(ctx, got), store.ErrNotFound)
}

func testFlowExpires(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	f := flow("authorize", "k", clock)
	noErr(t, s.PutFlow(ctx, f))
	clock.Advance(time.Hour - time.Millisecond)
	got, err := s.Flow(ctx, f.Kind, f.Key)
	noErr(t, err)
	clock.Advance(time.Millisecond)
	_, err = s.Flow(ctx, f.Kind, f.Key)
	wantErr(t, "Flow", err, store.ErrNotFound)
	got.ExpiresAt = clock.Now().Add(time.Hour)
	wantErr(t, "UpdateFlow", s.UpdateFlow(ctx, got), store.ErrNotFound)
	_, err = s.TakeFlow(ctx, f.Kind, f.Key)
	wantErr(t, "TakeFlow", err, store.ErrNotFound)
}

func testTakeFlowRace(t *testing.T, s Store, clock *Clock) {
	f := flow("authorize", "k", clock)
	noErr(t, s.PutFlow(t.Context(), f))
	won := make(chan struct{}, 8)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			switch _, err := s.TakeFlow(t.Context(), f.Kind, f.Key); {
			case err == nil:
				won <- struct{}{}
			case !errors.Is(err, store.ErrNotFound):
				t.Error(err)
			}
		})
	}
	all.Wait()
	diff(t, 1, len(won))
}

func testBrowserSession(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	session := func(id string) store.BrowserSession {
		return store.BrowserSession{
			ID: store.HashOf(id), UserID: alice, DisplayName: "Alice", Issuer: issuer,
			CreatedAt: clock.Now(), ExpiresAt: clock.Now().Add(time.Hour),
		}
	}
	there := func(id string) bool {
		t.Helper()
		_, err := s.BrowserSession(ctx, store.HashOf(id))
		if err != nil {
			wantErr(t, id, err, store.ErrNotFound)
		}
		return err == nil
	}
	want := session("a")
	noErr(t, s.PutBrowserSession(ctx, want))
	want.DisplayName = "Changed"
	noErr(t, s.PutBrowserSession(ctx, want))
	got, err := s.BrowserSession(ctx, want.ID)
	noErr(t, err)
	diff(t, want, got)
	bobs := session("bob's")
	bobs.UserID, bobs.CreatedAt = bob, time.Time{}
	noErr(t, s.PutBrowserSession(ctx, bobs))
	got, err = s.BrowserSession(ctx, bobs.ID)
	noErr(t, err)
	bobs.CreatedAt = clock.Now()
	diff(t, bobs, got)

	for _, id := range []string{"b", "c"} {
		noErr(t, s.PutBrowserSession(ctx, session(id)))
	}
	noErr(t, s.DeleteBrowserSession(ctx, store.HashOf("a")))
	noErr(t, s.DeleteBrowserSession(ctx, store.HashOf("a")))
	diff(t, []bool{false, true, true}, []bool{there("a"), there("b"), there("c")})
	noErr(t, s.DeleteBrowserSessionsOf(ctx, alice))
	diff(t, []bool{false, false, true}, []bool{there("b"), there("c"), there("bob's")})
	clock.Advance(time.Hour)
	diff(t, false, there("bob's"))
}

// What a sweep deletes does not come back when the clock goes back: it was
// there and only hidden otherwise.
func testSweepBrowsers(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	const many = 1200 // more than a batch
	for i := range many {
		f := flow("k", strconv.Itoa(i), clock)
		noErr(t, s.PutFlow(ctx, f))
	}
	long := flow("k", "long", clock)
	long.ExpiresAt = clock.Now().Add(time.Hour + time.Millisecond)
	noErr(t, s.PutFlow(ctx, long))
	for id, expires := range map[string]time.Time{"short": clock.Now().Add(time.Hour), "long": long.ExpiresAt} {
		noErr(t, s.PutBrowserSession(ctx, store.BrowserSession{ID: store.HashOf(id), ExpiresAt: expires}))
	}
	clock.Advance(time.Hour)
	noErr(t, s.Sweep(ctx))
	clock.Advance(-time.Hour)
	for i := range many {
		_, err := s.Flow(ctx, "k", store.HashOf(strconv.Itoa(i)))
		wantErr(t, "a swept flow", err, store.ErrNotFound)
	}
	_, err := s.Flow(ctx, "k", long.Key)
	noErr(t, err)
	_, err = s.BrowserSession(ctx, store.HashOf("short"))
	wantErr(t, "a swept session", err, store.ErrNotFound)
	_, err = s.BrowserSession(ctx, store.HashOf("long"))
	noErr(t, err)
}

func testSweepAudit(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	var entries []store.AuditEntry
	for i := range 1010 {
		entries = append(entries, store.AuditEntry{At: clock.Now().Add(time.Duration(i/3) * time.Millisecond), UserID: alice, Object: strconv.Itoa(i)})
	}
	entries = append(entries, store.AuditEntry{UserID: bob, At: clock.Now()})
	noErr(t, s.AppendAudit(ctx, entries))
	noErr(t, s.Sweep(ctx))
	got, err := s.AuditOf(ctx, alice, 2000)
	noErr(t, err)
	if len(got) != 1000 || got[0].Object != "1009" || got[999].Object != "10" {
		t.Errorf("%d entries are left", len(got))
	}
	count := func() int {
		t.Helper()
		got, err := s.AuditOf(ctx, bob, 10)
		noErr(t, err)
		return len(got)
	}
	diff(t, 1, count())
	clock.Advance(90 * 24 * time.Hour)
	noErr(t, s.Sweep(ctx))
	diff(t, 1, count())
	clock.Advance(time.Millisecond)
	noErr(t, s.Sweep(ctx))
	diff(t, 0, count())
}

func testAccount(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	_, err := s.Account(ctx)
	wantErr(t, "no account", err, store.ErrNotFound)
	noErr(t, s.DeleteAccount(ctx))
	for _, want := range []store.Account{
		{Host: issuer, LoginName: "alice@example.org", UserID: alice, Password: "p", CreatedAt: clock.Now().Add(-time.Hour)},
		{Host: "https://other.example.org", LoginName: "bob", UserID: bob, Password: "q"}, // replaces the one before
	} {
		noErr(t, s.PutAccount(ctx, want))
		got, err := s.Account(ctx)
		noErr(t, err)
		if want.CreatedAt.IsZero() {
			want.CreatedAt = clock.Now()
		}
		diff(t, want, got)
		if got.Password != want.Password {
			t.Error("another password came back")
		}
	}
	noErr(t, s.DeleteAccount(ctx))
	_, err = s.Account(ctx)
	wantErr(t, "a deleted account", err, store.ErrNotFound)
}
