package store_test

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

// replicas runs a test with two stores on one database, as two processes have
// them.
func replicas(t *testing.T, run func(t *testing.T, both [2]*store.Store)) {
	t.Helper()
	engines(t, func(t *testing.T, opts store.Options) {
		t.Helper()
		opts.Key = testKey
		run(t, [2]*store.Store{open(t, opts), open(t, opts)})
	})
}

// race calls do at once, half of the calls for each store.
func race(both [2]*store.Store, calls int, do func(s *store.Store, i int)) {
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() { do(both[i%2], i) })
	}
	all.Wait()
}

func TestReplicasLease(t *testing.T) {
	replicas(t, func(t *testing.T, both [2]*store.Store) {
		t.Helper()
		for round := range 5 {
			var wins atomic.Int32
			race(both, 16, func(s *store.Store, i int) {
				got, err := s.AcquireLease(t.Context(), fmt.Sprint("lease", round), fmt.Sprint("owner", i), time.Minute)
				if err != nil {
					t.Error(err)
				}
				if got {
					wins.Add(1)
				}
			})
			if wins.Load() != 1 {
				t.Errorf("%d of 16 acquired the lease, want 1", wins.Load())
			}
		}
	})
}

func TestReplicasActivateClient(t *testing.T) {
	replicas(t, func(t *testing.T, both [2]*store.Store) {
		t.Helper()
		race(both, 24, func(s *store.Store, i int) {
			if err := s.ActivateOAuthClient(t.Context(), store.OAuthClient{Provider: "p", ClientID: strconv.Itoa(i), Secret: "s"}); err != nil {
				t.Error(err)
			}
		})
		clients, err := both[0].OAuthClients(t.Context(), "p")
		active := 0
		for _, c := range clients {
			if c.RetiredAt.IsZero() {
				active++
			}
		}
		if err != nil || len(clients) != 24 || active != 1 {
			t.Errorf("%d clients, %d active, %v; want 24 and 1", len(clients), active, err)
		}
	})
}

func tokens(name string) store.Pair {
	later := time.Now().Add(time.Hour)
	return store.Pair{Access: store.HashOf("access " + name), AccessExpires: later, Refresh: store.HashOf("refresh " + name), RefreshUntil: later}
}

// grantWithCode is a grant with a code named code.
func grantWithCode(t *testing.T, s *store.Store) {
	t.Helper()
	err := errors.Join(
		s.CreateGrant(t.Context(), store.Grant{ID: "g", State: store.GrantActive, UserID: "alice", ClientID: "c"}),
		s.PutCode(t.Context(), store.Code{Hash: store.HashOf("code"), GrantID: "g", ClientID: "c", ExpiresAt: time.Now().Add(time.Minute)}),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func redeem(t *testing.T, s *store.Store, name string) error {
	t.Helper()
	_, err := s.RedeemCode(t.Context(), store.HashOf("code"), store.Family{ID: store.HashOf("family " + name)}, tokens(name),
		func(store.Code) error { return nil })
	return err
}

// One of many gets tokens for a code, and none keeps them.
func TestReplicasRedeem(t *testing.T) {
	replicas(t, func(t *testing.T, both [2]*store.Store) {
		t.Helper()
		grantWithCode(t, both[0])
		var wins, reused atomic.Int32
		race(both, 12, func(s *store.Store, i int) {
			switch err := redeem(t, s, strconv.Itoa(i)); {
			case err == nil:
				wins.Add(1)
			case errors.Is(err, store.ErrReused):
				reused.Add(1)
			default:
				t.Error(err)
			}
		})
		if wins.Load() != 1 || reused.Load() != 11 {
			t.Errorf("%d redeemed the code and %d were too late, want 1 and 11", wins.Load(), reused.Load())
		}
		for i := range 12 {
			if _, err := both[1].AccessToken(t.Context(), store.HashOf("access "+strconv.Itoa(i))); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("token %d: %v, want ErrNotFound", i, err)
			}
		}
	})
}

// A refresh token that two processes get many times at once is taken as often
// as the rules for retries say, and then the family ends.
func TestReplicasRotate(t *testing.T) {
	replicas(t, func(t *testing.T, both [2]*store.Store) {
		t.Helper()
		grantWithCode(t, both[0])
		if err := redeem(t, both[0], "first"); err != nil {
			t.Fatal(err)
		}
		var wins atomic.Int32
		race(both, 20, func(s *store.Store, i int) {
			_, err := s.Rotate(t.Context(), store.HashOf("family first"), store.HashOf("refresh first"), tokens(strconv.Itoa(i)),
				func(store.Family) error { return nil })
			switch {
			case err == nil:
				wins.Add(1)
			case !errors.Is(err, store.ErrReused) && !errors.Is(err, store.ErrNotFound):
				t.Error(err)
			}
		})
		if wins.Load() != 6 {
			t.Errorf("%d of 20 were taken, want the first and five retries", wins.Load())
		}
		for i := range 20 {
			if _, err := both[i%2].AccessToken(t.Context(), store.HashOf("access "+strconv.Itoa(i))); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("token %d of the ended family: %v, want ErrNotFound", i, err)
			}
		}
	})
}
