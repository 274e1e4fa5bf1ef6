package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/store"
)

// rotation is a family of a grant that the tests rotate by the names of its
// tokens. The first one is "0".
type rotation struct {
	t     *testing.T
	s     Store
	clock *Clock
}

func rotating(t *testing.T, s Store, clock *Clock) rotation {
	t.Helper()
	activeGrant(t, s, "g", clock)
	c := code("c", "g", clock)
	noErr(t, s.PutCode(t.Context(), c))
	_, err := s.RedeemCode(t.Context(), c.Hash, store.Family{ID: family("f")}, pair("0", clock), okCode)
	noErr(t, err)
	return rotation{t, s, clock}
}

// turn presents one refresh token for the next.
func (r rotation) turn(presented, next string, want error) {
	r.t.Helper()
	_, err := r.s.Rotate(r.t.Context(), family("f"), rt(presented), pair(next, r.clock), okFamily)
	if !errors.Is(err, want) {
		r.t.Errorf("%s for %s: %v, want %v", presented, next, err, want)
	}
	if err != nil && live(r.t, r.s, at(next)) {
		r.t.Errorf("%s for %s was refused, and its access token lets in", presented, next)
	}
}

func testRotate(t *testing.T, s Store, clock *Clock) {
	r := rotating(t, s, clock)
	began := clock.Now()
	clock.Advance(time.Minute)
	next := pair("1", clock)
	got, err := s.Rotate(t.Context(), family("f"), rt("0"), next, okFamily)
	noErr(t, err)
	c := code("c", "g", clock)
	diff(t, store.Family{
		ID: family("f"), GrantID: "g", ClientID: c.ClientID, Resource: c.Resource, Scopes: c.Scopes,
		CreatedAt: began, ExpiresAt: next.RefreshUntil,
	}, got)
	r.turn("1", "2", nil)
	diff(t, []bool{true, true, true}, []bool{live(t, s, at("0")), live(t, s, at("1")), live(t, s, at("2"))})
	token, err := s.AccessToken(t.Context(), at("1"))
	noErr(t, err)
	diff(t, next.AccessScopes, token.Scopes)
	diff(t, "g", token.Grant.ID)
}

func testRotateRefused(t *testing.T, s Store, clock *Clock) {
	r := rotating(t, s, clock)
	r.turn("0", "1", nil)
	for _, presented := range []string{"1", "0"} {
		f, err := s.Rotate(t.Context(), family("f"), rt(presented), pair("no", clock), noFamily)
		if err != errRefused { //nolint:errorlint // as it is
			t.Errorf("got %v, want the error of check", err)
		}
		diff(t, "g", f.GrantID)
	}
	diff(t, false, live(t, s, at("no")))
	r.turn("1", "2", nil) // nothing changed
}

func testRotateReuse(t *testing.T, s Store, clock *Clock) {
	for name, wait := range map[string]time.Duration{"at the end of the window": store.RaceWindow, "long after": time.Hour} {
		r := rotating(t, s, clock)
		r.turn("0", "1", nil)
		clock.Advance(wait)
		f, err := s.Rotate(t.Context(), family("f"), rt("0"), pair("thief", clock), okFamily)
		wantErr(t, name, err, store.ErrReused)
		diff(t, "g", f.GrantID)
		r.turn("1", "2", store.ErrNotFound)
		diff(t, []bool{false, false, false}, []bool{live(t, s, at("0")), live(t, s, at("1")), live(t, s, at("thief"))})
		if _, err := s.Grant(t.Context(), "g"); err != nil {
			t.Errorf("the grant: %v", err)
		}
		_, err = s.EndGrant(t.Context(), "g", store.EndedByReuse)
		noErr(t, err)
	}

	r := rotating(t, s, clock)
	r.turn("0", "1", nil)
	r.turn("1", "2", nil)
	r.turn("0", "thief", store.ErrReused) // not the last one that was replaced
	r.turn("2", "3", store.ErrNotFound)
	_, err := s.EndGrant(t.Context(), "g", store.EndedByReuse)
	noErr(t, err)

	r = rotating(t, s, clock)
	r.turn("forged", "thief", store.ErrReused)
	r.turn("0", "1", store.ErrNotFound)
}

func testRotateRetry(t *testing.T, s Store, clock *Clock) {
	// Of two calls at once the client may keep either answer.
	for _, kept := range []string{"1", "2"} {
		r := rotating(t, s, clock)
		r.turn("0", "1", nil)
		clock.Advance(store.RaceWindow - time.Millisecond)
		r.turn("0", "2", nil)
		r.turn(kept, "3", nil)
		r.turn("3", "4", nil)
		diff(t, true, live(t, s, at("4")))
		r.turn("0", "thief", store.ErrReused)
		_, err := s.EndGrant(t.Context(), "g", store.EndedByReuse)
		noErr(t, err)
	}
	// A retry does not make the window longer.
	r := rotating(t, s, clock)
	r.turn("0", "1", nil)
	clock.Advance(store.RaceWindow / 2)
	r.turn("0", "2", nil)
	clock.Advance(store.RaceWindow / 2)
	r.turn("0", "3", store.ErrReused)
	_, err := s.EndGrant(t.Context(), "g", store.EndedByReuse)
	noErr(t, err)
	// Both answers stay good until one of them comes; the other one then has its
	// own window.
	for _, kept := range [][2]string{{"1", "2"}, {"2", "1"}} {
		for late, want := range map[bool]error{false: nil, true: store.ErrReused} {
			r = rotating(t, s, clock)
			r.turn("0", "1", nil)
			r.turn("0", "2", nil)
			clock.Advance(time.Hour)
			r.turn(kept[0], "3", nil)
			if late {
				clock.Advance(store.RaceWindow)
			}
			r.turn(kept[1], "4", want)
			_, err := s.EndGrant(t.Context(), "g", store.EndedByReuse)
			noErr(t, err)
		}
	}
}

func testRotateRetries(t *testing.T, s Store, clock *Clock) {
	r := rotating(t, s, clock)
	for round := range 3 { // a regular use allows five more
		last := strconv.Itoa(round)
		r.turn(last, fmt.Sprint(round, "+"), nil)
		for i := range 5 {
			r.turn(last, fmt.Sprint(round, "retry", i), nil)
		}
		r.turn(fmt.Sprint(round, "retry4"), strconv.Itoa(round+1), nil)
	}
	r.turn("3", "3+", nil)
	for _, next := range []string{"a", "b", "c", "d", "e"} {
		r.turn("3", next, nil)
	}
	r.turn("3", "f", store.ErrReused)
	r.turn("e", "f", store.ErrNotFound)
}

func testRotateUnknown(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	r := rotating(t, s, clock)
	_, err := s.Rotate(ctx, family("unknown"), rt("0"), pair("1", clock), okFamily)
	wantErr(t, "an unknown family", err, store.ErrNotFound)
	g, err := s.Grant(ctx, "g")
	noErr(t, err)
	noErr(t, s.SetGrantPolicy(ctx, "g", alice, g.Scopes, g.Policy, time.Time{}))
	clock.Advance(refreshFor - time.Millisecond)
	r.turn("0", "1", nil)
	r.turn("1", "2", nil)
	clock.Advance(refreshFor)
	r.turn("2", "3", store.ErrNotFound)
	r.turn("0", "3", store.ErrNotFound) // nothing is left to protect
}

func testRotateRace(t *testing.T, s Store, clock *Clock) {
	const callers = 16
	rotating(t, s, clock)
	var taken, reused, gone atomic.Int32
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			_, err := s.Rotate(t.Context(), family("f"), rt("0"), pair(fmt.Sprint("next", i), clock), okFamily)
			switch {
			case err == nil:
				taken.Add(1)
			case errors.Is(err, store.ErrReused):
				reused.Add(1)
			case errors.Is(err, store.ErrNotFound):
				gone.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	diff(t, []int32{6, 1, callers - 7}, []int32{taken.Load(), reused.Load(), gone.Load()})
	for i := range callers {
		diff(t, false, live(t, s, at(fmt.Sprint("next", i))))
	}
	_, err := s.EndGrant(t.Context(), "g", store.EndedByReuse)
	noErr(t, err)

	// Within what is allowed exactly one of the answers is the current token.
	r := rotating(t, s, clock)
	won := make([]bool, 4)
	for i := range won {
		all.Go(func() {
			_, err := s.Rotate(t.Context(), family("f"), rt("0"), pair(fmt.Sprint("next", i), clock), okFamily)
			won[i] = err == nil
		})
	}
	all.Wait()
	diff(t, []bool{true, true, true, true}, won)
	clock.Advance(store.RaceWindow)
	current := 0
	for i := range won {
		name := fmt.Sprint("next", i)
		_, err := s.Rotate(t.Context(), family("f"), rt(name), pair("then", clock), noFamily)
		switch {
		case errors.Is(err, errRefused):
			current++
			r.turn(name, fmt.Sprint("then", i), nil)
		case !errors.Is(err, store.ErrReused) && !errors.Is(err, store.ErrNotFound):
			t.Error(err)
		}
	}
	if current > 1 {
		t.Errorf("%d refresh tokens of one family are current", current)
	}
}

// Whatever comes first, nothing of an ended grant is left.
func testRotateAgainstEnd(t *testing.T, s Store, clock *Clock) {
	for round := range 20 {
		id := fmt.Sprint("g", round)
		activeGrant(t, s, id, clock)
		began := begin(t, s, id, clock)
		c := code(fmt.Sprint("second", round), id, clock)
		noErr(t, s.PutCode(t.Context(), c))
		next, second := pair(fmt.Sprint("next", round), clock), pair(fmt.Sprint("second", round), clock)
		var all sync.WaitGroup
		for _, call := range []func() error{
			func() error {
				_, err := s.Rotate(t.Context(), began.family, began.pair.Refresh, next, okFamily)
				return err
			},
			func() error {
				_, err := s.RedeemCode(t.Context(), c.Hash, store.Family{ID: c.Hash}, second, okCode)
				return err
			},
			func() error {
				_, err := s.EndGrant(t.Context(), id, store.EndedByPerson)
				return err
			},
		} {
			all.Go(func() {
				if err := call(); err != nil && !errors.Is(err, store.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		diff(t, []bool{false, false, false}, []bool{live(t, s, began.pair.Access), live(t, s, next.Access), live(t, s, second.Access)})
		_, err := s.Rotate(t.Context(), c.Hash, second.Refresh, pair("later", clock), okFamily)
		wantErr(t, "a refresh token of an ended grant", err, store.ErrNotFound)
	}
}

func testAccessTokenLimit(t *testing.T, s Store, clock *Clock) {
	r := rotating(t, s, clock)
	for i := range 25 {
		clock.Advance(time.Second)
		r.turn(strconv.Itoa(i), strconv.Itoa(i+1), nil)
	}
	for i := range 26 {
		if got := live(t, s, at(strconv.Itoa(i))); got != (i >= 6) {
			t.Errorf("access token %d of 26: %t; the newest 20 let in", i, got)
		}
	}
}

// A client may take no refresh token in exchange, or one that never expires.
func testRotateToNone(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	r := rotating(t, s, clock)
	g, err := s.Grant(ctx, "g")
	noErr(t, err)
	noErr(t, s.SetGrantPolicy(ctx, "g", alice, g.Scopes, g.Policy, time.Time{}))
	forever := pair("for ever", clock)
	forever.RefreshUntil = time.Time{}
	_, err = s.Rotate(ctx, family("f"), rt("0"), forever, okFamily)
	noErr(t, err)
	clock.Advance(10 * refreshFor)
	noErr(t, s.Sweep(ctx))
	none := pair("none", clock)
	none.Refresh, none.RefreshUntil = store.Hash{}, time.Time{}
	f, err := s.Rotate(ctx, family("f"), rt("for ever"), none, okFamily)
	noErr(t, err)
	diff(t, time.Time{}, f.ExpiresAt)
	noErr(t, s.Sweep(ctx))
	diff(t, true, live(t, s, at("none")))
	_, err = s.Rotate(ctx, family("f"), store.Hash{}, pair("thief", clock), okFamily)
	wantErr(t, "no token at all", err, store.ErrReused)
	r.turn("for ever", "1", store.ErrNotFound)
}
