// Package storetest is the suite that every implementation of the store has
// to pass. It is separate so that the implementations share one description
// of what their callers rely on.
package storetest

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/store"
)

// Store is what the suite needs of an implementation.
type Store interface {
	OAuthClients(ctx context.Context, provider string) ([]store.OAuthClient, error)
	ActivateOAuthClient(ctx context.Context, c store.OAuthClient) error
	DeleteOAuthClient(ctx context.Context, provider, clientID string) error

	AppPassword(ctx context.Context, grant string) (store.AppPassword, error)
	PutAppPassword(ctx context.Context, p store.AppPassword) error
	TouchAppPassword(ctx context.Context, grant string, usedAt time.Time) error
	ProveAppPassword(ctx context.Context, grant string, at time.Time) error
	DeleteAppPassword(ctx context.Context, grant string) error
	UnusedAppPasswords(ctx context.Context, before time.Time, limit int) ([]store.AppPassword, error)

	EndToken(ctx context.Context, hash [sha256.Size]byte, until time.Time) error
	TokenEnded(ctx context.Context, hash [sha256.Size]byte) (bool, error)

	AcquireLease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, owner string) error
}

// Clock is the time a tested store goes by.
type Clock struct{ t time.Time }

// Now is the time the clock shows.
func (c *Clock) Now() time.Time { return c.t }

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) { c.t = c.t.Add(d) }

// Run runs the suite. newStore makes an empty store that goes by now; the
// suite calls it once for every test.
func Run(t *testing.T, newStore func(t *testing.T, now func() time.Time) Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, s Store, clock *Clock)
	}{
		{"OAuthClients", testOAuthClients},
		{"OAuthClientsOfOtherProviders", testOtherProviders},
		{"ActivateTwice", testActivateTwice},
		{"LongExpiredClients", testLongExpired},
		{"AppPassword", testAppPassword},
		{"AppPasswordDefaults", testAppPasswordDefaults},
		{"MissingAppPassword", testMissingAppPassword},
		{"UnusedAppPasswords", testUnusedAppPasswords},
		{"EndedToken", testEndedToken},
		{"Lease", testLease},
		{"LeaseRace", testLeaseRace},
		{"ConcurrentWrites", testConcurrentWrites},
		{"Cancelled", testCancelled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clock := &Clock{t: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)}
			test.run(t, newStore(t, clock.Now), clock)
		})
	}
}
