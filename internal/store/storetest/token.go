package storetest

import (
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

var tokenTests = []namedTest{
	{"Code", testCode},
	{"CodeWithoutGrant", testCodeWithoutGrant},
	{"CodeExpired", testCodeExpired},
	{"CodeUsedTwice", testCodeUsedTwice},
	{"CodeRefused", testCodeRefused},
	{"CodeRace", testCodeRace},
	{"CodeWithoutRefresh", testCodeWithoutRefresh},
	{"Rotate", testRotate},
	{"RotateRefused", testRotateRefused},
	{"RotateReuse", testRotateReuse},
	{"RotateRetry", testRotateRetry},
	{"RotateRetries", testRotateRetries},
	{"RotateUnknown", testRotateUnknown},
	{"RotateToNone", testRotateToNone},
	{"RotateRace", testRotateRace},
	{"RotateAgainstEnd", testRotateAgainstEnd},
	{"AccessTokens", testAccessTokens},
	{"AccessTokenLimit", testAccessTokenLimit},
	{"RevokeAccess", testRevokeAccess},
	{"RevokeFamily", testRevokeFamily},
	{"RevokeFamilyBesideAccess", testRevokeFamilyBesideAccess},
	{"SweepTokens", testSweepTokens},
	{"Clients", testClients},
	{"SweepClients", testSweepClients},
}

const (
	accessFor  = time.Hour
	refreshFor = 30 * 24 * time.Hour
	codeFor    = time.Minute
)

var errRefused = errors.New("refused")

func okCode(store.Code) error       { return nil }
func okFamily(store.Family) error   { return nil }
func noCode(store.Code) error       { return errRefused }
func noFamily(store.Family) error   { return errRefused }
func at(name string) store.Hash     { return store.HashOf("access " + name) }
func rt(name string) store.Hash     { return store.HashOf("refresh " + name) }
func family(name string) store.Hash { return store.HashOf("family " + name) }

func code(name, grant string, clock *Clock) store.Code {
	return store.Code{
		Hash: store.HashOf("code " + name), GrantID: grant, ClientID: "client of " + grant,
		RedirectURI: "http://127.0.0.1:33418/", CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Resource: "https://mcp.example.org/mcp",
		Scopes: scope.NewSet(scope.NotesRead, scope.NotesWrite), ExpiresAt: clock.Now().Add(codeFor),
	}
}

func pair(name string, clock *Clock) store.Pair {
	return store.Pair{
		Access: at(name), AccessScopes: scope.NewSet(scope.NotesRead), AccessExpires: clock.Now().Add(accessFor),
		Refresh: rt(name), RefreshUntil: clock.Now().Add(refreshFor),
	}
}

// beginning is what the redemption of a code began.
type beginning struct {
	code, family store.Hash
	pair         store.Pair
}

// begin begins a family, and another one each time it is called for a grant.
func begin(t *testing.T, s Store, grant string, clock *Clock) beginning {
	t.Helper()
	name := rand.Text()
	c := code(name, grant, clock)
	noErr(t, s.PutCode(t.Context(), c))
	b := beginning{c.Hash, family(name), pair(name, clock)}
	_, err := s.RedeemCode(t.Context(), c.Hash, store.Family{ID: b.family}, b.pair, okCode)
	noErr(t, err)
	return b
}

// live reports whether an access token lets in.
func live(t *testing.T, s Store, token store.Hash) bool {
	t.Helper()
	_, err := s.AccessToken(t.Context(), token)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func testCode(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	g := activeGrant(t, s, "g", clock)
	want := code("c", "g", clock)
	noErr(t, s.PutCode(ctx, want))
	var checked store.Code
	p := pair("p", clock)
	got, err := s.RedeemCode(ctx, want.Hash, store.Family{ID: family("f"), GrantID: "other", ClientID: "other"}, p, func(c store.Code) error {
		checked = c
		return nil
	})
	noErr(t, err)
	diff(t, want, got)
	diff(t, want, checked)

	token, err := s.AccessToken(ctx, p.Access)
	noErr(t, err)
	diff(t, store.AccessToken{Grant: withoutSecret(g), Scopes: p.AccessScopes, ExpiresAt: p.AccessExpires}, token)
	if token.Grant.Credential.Secret != "" {
		t.Error("AccessToken tells the secret of the credential")
	}
	var began store.Family
	_, err = s.Rotate(ctx, family("f"), p.Refresh, pair("q", clock), func(f store.Family) error {
		began = f
		return nil
	})
	noErr(t, err)
	diff(t, store.Family{
		ID: family("f"), GrantID: "g", ClientID: want.ClientID, Resource: want.Resource, Scopes: want.Scopes,
		CreatedAt: clock.Now(), ExpiresAt: p.RefreshUntil,
	}, began)
}

func testCodeWithoutGrant(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	noErr(t, s.CreateGrant(ctx, grant("pending", clock)))
	wantErr(t, "a code for no grant", s.PutCode(ctx, code("c", "none", clock)), store.ErrNotFound)
	wantErr(t, "a code for a pending grant", s.PutCode(ctx, code("c", "pending", clock)), store.ErrNotFound)
	_, err := s.RedeemCode(ctx, code("c", "", clock).Hash, store.Family{ID: family("f")}, pair("p", clock), okCode)
	wantErr(t, "an unknown code", err, store.ErrNotFound)

	g := activeGrant(t, s, "g", clock)
	c := code("c", "g", clock)
	noErr(t, s.PutCode(ctx, c))
	noErr(t, s.SetGrantPolicy(ctx, "g", alice, g.Scopes, g.Policy, clock.Now()))
	_, err = s.RedeemCode(ctx, c.Hash, store.Family{ID: family("f")}, pair("p", clock), okCode)
	wantErr(t, "a code of an expired grant", err, store.ErrNotFound)
	wantErr(t, "a code for an expired grant", s.PutCode(ctx, code("d", "g", clock)), store.ErrNotFound)
}

func testCodeExpired(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g", clock)
	for _, c := range []struct {
		name string
		wait time.Duration
		want error
	}{{"in time", codeFor - time.Millisecond, nil}, {"late", codeFor, store.ErrNotFound}} {
		noErr(t, s.PutCode(ctx, code(c.name, "g", clock)))
		hash := code(c.name, "g", clock).Hash
		clock.Advance(c.wait)
		_, err := s.RedeemCode(ctx, hash, store.Family{ID: family(c.name)}, pair(c.name, clock), okCode)
		wantErr(t, c.name, err, c.want)
		diff(t, c.want == nil, live(t, s, at(c.name)))
	}
}

func testCodeUsedTwice(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g", clock)
	// The second use is noticed after the expiry of the code, too, and after a
	// sweep.
	for _, wait := range []time.Duration{0, codeFor + 9*time.Minute} {
		other, began := begin(t, s, "g", clock), begin(t, s, "g", clock)
		clock.Advance(wait)
		noErr(t, s.Sweep(ctx))
		for range 2 {
			_, err := s.RedeemCode(ctx, began.code, store.Family{ID: family("thief")}, pair("thief", clock), okCode)
			wantErr(t, "the second use", err, store.ErrReused)
		}
		_, err := s.Rotate(ctx, began.family, began.pair.Refresh, pair("r", clock), okFamily)
		wantErr(t, "the family of the first use", err, store.ErrNotFound)
		diff(t, []bool{false, false, true}, []bool{live(t, s, began.pair.Access), live(t, s, at("thief")), live(t, s, other.pair.Access)})
	}
	began := begin(t, s, "g", clock)
	clock.Advance(codeFor + 10*time.Minute)
	noErr(t, s.Sweep(ctx))
	_, err := s.RedeemCode(ctx, began.code, store.Family{ID: family("thief")}, pair("thief", clock), okCode)
	wantErr(t, "a second use long after", err, store.ErrNotFound)
	diff(t, true, live(t, s, began.pair.Access))
}

func testCodeRefused(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g", clock)
	c := code("c", "g", clock)
	noErr(t, s.PutCode(ctx, c))
	redeem := func(check func(store.Code) error) error {
		got, err := s.RedeemCode(ctx, c.Hash, store.Family{ID: family("f")}, pair("p", clock), check)
		diff(t, c, got)
		return err
	}
	if err := redeem(noCode); err != errRefused { //nolint:errorlint // as it is
		t.Errorf("got %v, want the error of check", err)
	}
	wantErr(t, "after a refusal", redeem(okCode), store.ErrReused)
	diff(t, false, live(t, s, at("p")))
}

func testCodeRace(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g", clock)
	c := code("c", "g", clock)
	noErr(t, s.PutCode(ctx, c))
	var all sync.WaitGroup
	won := make(chan struct{}, 8)
	for i := range 8 {
		all.Go(func() {
			name := strconv.Itoa(i)
			switch _, err := s.RedeemCode(ctx, c.Hash, store.Family{ID: family(name)}, pair(name, clock), okCode); {
			case err == nil:
				won <- struct{}{}
			case !errors.Is(err, store.ErrReused):
				t.Error(err)
			}
		})
	}
	all.Wait()
	diff(t, 1, len(won))
	for i := range 8 {
		diff(t, false, live(t, s, at(strconv.Itoa(i)))) // the second use ended what the first began
	}
}

func testCodeWithoutRefresh(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	activeGrant(t, s, "g", clock)
	c := code("c", "g", clock)
	noErr(t, s.PutCode(ctx, c))
	p := pair("p", clock)
	p.Refresh, p.RefreshUntil = store.Hash{}, time.Time{}
	_, err := s.RedeemCode(ctx, c.Hash, store.Family{ID: family("f")}, p, okCode)
	noErr(t, err)
	for _, presented := range []store.Hash{{}, rt("guess")} {
		_, err = s.Rotate(ctx, family("f"), presented, pair("q", clock), okFamily)
		wantErr(t, "a refresh token that never was", err, store.ErrNotFound)
	}
	noErr(t, s.Sweep(ctx))
	diff(t, true, live(t, s, p.Access))
	revoked, err := s.RevokeAccess(ctx, p.Access, c.ClientID)
	noErr(t, err)
	diff(t, true, revoked)
	_, _, err = s.RevokeFamily(ctx, family("f"), c.ClientID)
	wantErr(t, "a family without any token", err, store.ErrNotFound)
}

func testAccessTokens(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	g := activeGrant(t, s, "g", clock)
	began := begin(t, s, "g", clock)
	diff(t, []bool{true, false}, []bool{live(t, s, began.pair.Access), live(t, s, began.pair.Refresh)})

	// What the person changes counts at once.
	narrowed := policy.Policy{ReadOnly: true}
	noErr(t, s.SetGrantPolicy(ctx, "g", alice, scope.Set{}, narrowed, clock.Now().Add(time.Minute)))
	token, err := s.AccessToken(ctx, began.pair.Access)
	noErr(t, err)
	diff(t, narrowed, token.Grant.Policy)
	diff(t, scope.Set{}, token.Grant.Scopes)
	clock.Advance(time.Minute)
	diff(t, false, live(t, s, began.pair.Access)) // the grant expired
	_, err = s.Rotate(ctx, began.family, began.pair.Refresh, pair("r", clock), okFamily)
	wantErr(t, "the refresh token of an expired grant", err, store.ErrNotFound)

	noErr(t, s.SetGrantPolicy(ctx, "g", alice, g.Scopes, g.Policy, time.Time{}))
	clock.Advance(accessFor - time.Minute - time.Millisecond)
	diff(t, true, live(t, s, began.pair.Access))
	clock.Advance(time.Millisecond)
	diff(t, false, live(t, s, began.pair.Access))
}
