package storetest

import (
	"testing"
	"time"

	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

func testRevokeAccess(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g", clock)
	began, other := begin(t, s, "g", clock), begin(t, s, "g", clock)
	letsIn := true
	for _, test := range []struct {
		token  store.Hash
		client string
		want   bool
	}{
		{began.pair.Access, "another client", false},
		{at("unknown"), "client of g", false},
		{began.pair.Refresh, "client of g", false},
		{began.pair.Access, "client of g", true},
		{began.pair.Access, "client of g", false},
	} {
		revoked, err := s.RevokeAccess(ctx, test.token, test.client)
		noErr(t, err)
		diff(t, test.want, revoked)
		letsIn = letsIn && !test.want
		diff(t, letsIn, live(t, s, began.pair.Access))
	}
	diff(t, true, live(t, s, other.pair.Access))
	_, err := s.Rotate(ctx, began.family, began.pair.Refresh, pair("r", clock), okFamily)
	noErr(t, err) // the refresh token stays
}

func testRevokeFamily(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g", clock)
	activeGrant(t, s, "other", clock)
	begin(t, s, "other", clock)
	idle := begin(t, s, "g", clock)
	clock.Advance(refreshFor - time.Minute)
	noErr(t, s.SetGrantPolicy(ctx, "g", alice, scope.Set{}, policy.Policy{}, time.Time{}))
	first, second := begin(t, s, "g", clock), begin(t, s, "g", clock)
	clock.Advance(time.Minute)
	_, _, err := s.RevokeFamily(ctx, first.family, "another client")
	wantErr(t, "another client's", err, store.ErrNotFound)
	diff(t, true, live(t, s, first.pair.Access))

	for i, b := range []beginning{first, second} { // idle has expired: it does not count
		grantID, last, err := s.RevokeFamily(ctx, b.family, "client of g")
		noErr(t, err)
		diff(t, "g", grantID)
		diff(t, i == 1, last)
		diff(t, false, live(t, s, b.pair.Access))
		_, err = s.Rotate(ctx, b.family, b.pair.Refresh, pair("r", clock), okFamily)
		wantErr(t, "a revoked refresh token", err, store.ErrNotFound)
		_, _, err = s.RevokeFamily(ctx, b.family, "client of g")
		wantErr(t, "revoking it again", err, store.ErrNotFound)
	}
	if _, err := s.Grant(ctx, "g"); err != nil {
		t.Errorf("the grant itself: %v", err)
	}
	_, _, err = s.RevokeFamily(ctx, idle.family, "client of g")
	noErr(t, err)
}

// An access token without refresh token is a use of the grant, too, as long as
// it lasts.
func testRevokeFamilyBesideAccess(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g", clock)
	c := code("c", "g", clock)
	noErr(t, s.PutCode(ctx, c))
	p := pair("p", clock)
	p.Refresh, p.RefreshUntil = store.Hash{}, time.Time{}
	_, err := s.RedeemCode(ctx, c.Hash, store.Family{ID: family("f")}, p, okCode)
	noErr(t, err)
	for _, want := range []bool{false, true} {
		began := begin(t, s, "g", clock)
		_, last, err := s.RevokeFamily(ctx, began.family, c.ClientID)
		noErr(t, err)
		diff(t, want, last)
		clock.Advance(accessFor)
	}
}

func testSweepTokens(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	g := activeGrant(t, s, "g", clock)
	noErr(t, s.SetGrantPolicy(ctx, "g", alice, g.Scopes, g.Policy, time.Time{}))
	began := begin(t, s, "g", clock)
	clock.Advance(accessFor)
	noErr(t, s.Sweep(ctx))
	next := pair("next", clock)
	_, err := s.Rotate(ctx, began.family, began.pair.Refresh, next, okFamily)
	noErr(t, err) // the family outlives its access token

	clock.Advance(accessFor / 2)
	short := pair("short", clock)
	short.RefreshUntil = clock.Now().Add(time.Minute)
	_, err = s.Rotate(ctx, began.family, next.Refresh, short, okFamily)
	noErr(t, err)
	clock.Advance(2 * time.Minute)
	noErr(t, s.Sweep(ctx))
	diff(t, []bool{true, true}, []bool{live(t, s, next.Access), live(t, s, short.Access)}) // access tokens outlive the refresh token
	clock.Advance(accessFor)
	noErr(t, s.Sweep(ctx))
	_, _, err = s.RevokeFamily(ctx, began.family, "client of g")
	wantErr(t, "a family that expired", err, store.ErrNotFound)
	if _, err := s.Grant(ctx, "g"); err != nil {
		t.Errorf("the grant: %v", err)
	}
}
