// Package storetest is the suite that every implementation of the store has
// to pass. It is separate so that the implementations share one description
// of what their callers rely on.
package storetest

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// Store is what the suite needs of an implementation.
type Store interface {
	Grants
	Tokens
	Browsers

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

// Grants is what the suite needs for grants and what comes of them.
type Grants interface {
	CreateGrant(ctx context.Context, g store.Grant) error
	Grant(ctx context.Context, id string) (store.Grant, error)
	GrantFor(ctx context.Context, user nextcloud.UserID, clientID string) (store.Grant, error)
	GrantsOf(ctx context.Context, user nextcloud.UserID) ([]store.Grant, error)
	ActivateGrant(ctx context.Context, id string, scopes scope.Set, p policy.Policy, expires time.Time) (store.Grant, error)
	SetGrantPolicy(ctx context.Context, id string, user nextcloud.UserID, scopes scope.Set, p policy.Policy, expires time.Time) error
	ReplaceCredential(ctx context.Context, id string, version int64, secret auth.Secret) (store.Credential, error)
	TouchGrant(ctx context.Context, id string, at time.Time) error
	EndGrant(ctx context.Context, id string, why store.EndReason) (bool, error)
	EndGrantsOf(ctx context.Context, user nextcloud.UserID, why store.EndReason) (int, error)
	StaleGrants(ctx context.Context, pendingBefore, unusedBefore time.Time, limit int) ([]store.StaleGrant, error)

	AddRevocation(ctx context.Context, r store.Revocation) error
	DueRevocations(ctx context.Context, limit int) ([]store.Revocation, error)
	RevocationDone(ctx context.Context, id string) error
	RevocationFailed(ctx context.Context, id string, dueAt time.Time) error

	AppendAudit(ctx context.Context, entries []store.AuditEntry) error
	AuditOf(ctx context.Context, user nextcloud.UserID, limit int) ([]store.AuditEntry, error)
}

// Tokens is what the suite needs for codes, tokens and the clients that get
// them.
type Tokens interface {
	PutCode(ctx context.Context, c store.Code) error
	RedeemCode(ctx context.Context, code store.Hash, f store.Family, p store.Pair, check func(store.Code) error) (store.Code, error)
	Rotate(ctx context.Context, family, presented store.Hash, p store.Pair, check func(store.Family) error) (store.Family, error)
	AccessToken(ctx context.Context, token store.Hash) (store.AccessToken, error)
	RevokeAccess(ctx context.Context, token store.Hash, clientID string) (bool, error)
	RevokeFamily(ctx context.Context, family store.Hash, clientID string) (grantID string, last bool, err error)

	PutClient(ctx context.Context, c store.Client) error
	Client(ctx context.Context, id string) (store.Client, error)
	DeleteClient(ctx context.Context, id string) error
	TouchClient(ctx context.Context, id string, at time.Time) error
	SweepClients(ctx context.Context, unusedBefore, neverUsedBefore time.Time, limit int) (int, error)
	CountClients(ctx context.Context) (int, error)
}

// Browsers is what the suite needs for flows, sessions and the local account.
type Browsers interface {
	PutFlow(ctx context.Context, f store.Flow) error
	Flow(ctx context.Context, kind string, key store.Hash) (store.Flow, error)
	TakeFlow(ctx context.Context, kind string, key store.Hash) (store.Flow, error)
	UpdateFlow(ctx context.Context, f store.Flow) error
	PutBrowserSession(ctx context.Context, b store.BrowserSession) error
	BrowserSession(ctx context.Context, id store.Hash) (store.BrowserSession, error)
	DeleteBrowserSession(ctx context.Context, id store.Hash) error
	DeleteBrowserSessionsOf(ctx context.Context, user nextcloud.UserID) error

	Account(ctx context.Context) (store.Account, error)
	PutAccount(ctx context.Context, a store.Account) error
	DeleteAccount(ctx context.Context) error

	Sweep(ctx context.Context) error
}

// Clock is the time a tested store goes by.
type Clock struct{ t time.Time }

// Now is the time the clock shows.
func (c *Clock) Now() time.Time { return c.t }

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) { c.t = c.t.Add(d) }

type namedTest struct {
	name string
	run  func(t *testing.T, s Store, clock *Clock)
}

// Run runs the suite. newStore makes an empty store that goes by now; the
// suite calls it once for every test.
func Run(t *testing.T, newStore func(t *testing.T, now func() time.Time) Store) {
	tests := []namedTest{
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
	tests = append(tests, grantTests...)
	tests = append(tests, tokenTests...)
	tests = append(tests, browserTests...)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clock := &Clock{t: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)}
			test.run(t, newStore(t, clock.Now), clock)
		})
	}
}
