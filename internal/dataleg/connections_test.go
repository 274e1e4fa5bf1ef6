package dataleg_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// connect gives a person an active grant with the given credential, and
// answers it as the front door would.
func (r *rig) connect(t *testing.T, user, client string, c store.Credential) *auth.Principal {
	t.Helper()
	if c.Host == "" {
		c.Host = r.host.Base().String()
	}
	g := store.Grant{
		ID: user + " " + client, State: store.GrantPending, UserID: nextcloud.UserID(user), LoginName: nextcloud.LoginName(user),
		Issuer: r.sim.URL(), Subject: auth.Subject(user), Method: store.ByLoginFlow,
		ClientID: client, ClientName: client, ClientKind: store.ClientRegistered, Credential: c,
	}
	if err := r.db.CreateGrant(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	active, err := r.db.ActivateGrant(t.Context(), g.ID, scope.NewSet(scope.NotesRead), policy.Policy{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return &auth.Principal{Issuer: "https://mcp.example.org", Subject: auth.Subject(user), ClientID: client, GrantID: active.ID}
}

func (r *rig) password(t *testing.T, user, client string) *auth.Principal {
	t.Helper()
	return r.connect(t, user, client, store.Credential{
		Kind: store.AppPasswordCredential, Secret: auth.Secret(r.sim.CreateAppPassword(user, client)),
	})
}

func (r *rig) connections(renew dataleg.Renewer) *dataleg.Connections {
	return dataleg.NewConnections(r.host, r.db, renew, slog.New(slog.DiscardHandler))
}

// who asks Nextcloud who p is.
func who(t *testing.T, leg *dataleg.Connections, p *auth.Principal) (nextcloud.UserID, error) {
	t.Helper()
	nc, err := leg.Client(t.Context(), p)
	if err != nil {
		return "", err
	}
	u, err := nc.CurrentUser(t.Context())
	if err != nil {
		return "", err
	}
	return u.ID, nil
}

func (r *rig) gone(t *testing.T, p *auth.Principal) bool {
	t.Helper()
	_, err := r.db.Grant(t.Context(), p.GrantID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err != nil
}

func TestConnectionsOfTwoPeople(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	leg := r.connections(nil)
	people := []*auth.Principal{r.password(t, "alice", "one"), r.password(t, "bob", "one"), r.password(t, "alice", "two")}
	var wg sync.WaitGroup
	for range 4 {
		for _, p := range people {
			wg.Go(func() {
				if got, err := who(t, leg, p); err != nil || string(got) != string(p.Subject) {
					t.Errorf("%s is %q, %v", p.GrantID, got, err)
				}
			})
		}
	}
	wg.Wait()
}

// A connection ends with the first 401, and the dead password is not sent
// again: Nextcloud counts it as a failed login.
func TestConnectionRevokedInNextcloud(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	leg := r.connections(nil)
	p, other := r.password(t, "alice", "one"), r.password(t, "bob", "one")
	if _, err := who(t, leg, p); err != nil {
		t.Fatal(err)
	}
	r.sim.RevokeAppPasswords("alice")
	for range 5 {
		if _, err := who(t, leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
			t.Fatalf("after the revocation: %v", err)
		}
	}
	if !r.gone(t, p) {
		t.Error("the grant lives on")
	}
	if n := r.sim.BadLogins(); n != 1 {
		t.Errorf("%d bad logins, want 1", n)
	}
	if _, err := who(t, leg, other); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// Signing in again replaces the password; a process that still has the old one
// goes on with the new one and does not end the connection.
func TestConnectionWithANewPassword(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	leg := r.connections(nil)
	p := r.password(t, "alice", "one")
	if _, err := who(t, leg, p); err != nil {
		t.Fatal(err)
	}
	r.sim.RevokeAppPasswords("alice")
	if _, err := r.db.ReplaceCredential(t.Context(), p.GrantID, 0, auth.Secret(r.sim.CreateAppPassword("alice", "again"))); err != nil {
		t.Fatal(err)
	}
	if _, err := who(t, leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatalf("with the old password: %v", err)
	}
	if _, err := who(t, leg, p); err != nil {
		t.Errorf("with the new password: %v", err)
	}
}

func TestConnectionOfAnotherNextcloud(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.connect(t, "alice", "one", store.Credential{Kind: store.AppPasswordCredential, Secret: "secret", Host: "https://old.example.org"})
	r.sim.ResetRequests()
	if _, err := r.connections(nil).Client(t.Context(), p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Errorf("%v", err)
	}
	if n := r.sim.RequestCount(); n != 0 || !r.gone(t, p) {
		t.Errorf("%d requests, ended %v", n, r.gone(t, p))
	}
}

func TestConnectionWhileNextcloudIsDown(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.password(t, "alice", "one")
	r.sim.SetMaintenance(true)
	if _, err := who(t, r.connections(nil), p); !errors.Is(err, nextcloud.ErrMaintenance) {
		t.Errorf("%v", err)
	}
	if r.gone(t, p) {
		t.Error("an outage ended the grant")
	}
}

// provider answers refresh tokens: each works once.
type provider struct {
	mu      sync.Mutex // guards the fields below
	valid   auth.Secret
	access  func() auth.Secret
	life    time.Duration
	renewed int
	down    bool
}

var errFinal, errDown = errors.New("invalid_grant"), errors.New("provider is down")

func (f *provider) Final(err error) bool { return errors.Is(err, errFinal) }

func (f *provider) Refresh(_ context.Context, refresh auth.Secret) (dataleg.Renewed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.down:
		return dataleg.Renewed{}, errDown
	case refresh != f.valid:
		return dataleg.Renewed{}, errFinal
	}
	f.renewed++
	f.valid += "+"
	return dataleg.Renewed{Access: f.access(), Expires: time.Now().Add(f.life), Next: f.valid}, nil
}

func TestConnectionWithARefreshToken(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	c := r.sim.AddClient(nextcloudtest.ClientConfig{Name: "us", RedirectURIs: []string{redirect}})
	f := &provider{valid: "first", life: time.Hour, access: func() auth.Secret {
		return r.signIn(t, "alice", "alice-password-1", c).Token
	}}
	leg, second := r.connections(f), r.connections(f)
	p := r.connect(t, "alice", "one", store.Credential{Kind: store.RefreshTokenCredential, Secret: "first"})

	for range 3 {
		if got, err := who(t, leg, p); err != nil || got != "alice" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if f.renewed != 1 {
		t.Errorf("renewed %d times, want once", f.renewed)
	}
	// Another process takes what the first one left in the store.
	if _, err := who(t, second, p); err != nil {
		t.Errorf("another process: %v", err)
	}
	// An access token that Nextcloud takes no more is renewed.
	r.sim.RevokeTokens("alice")
	if _, err := who(t, leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Errorf("with a revoked access token: %v", err)
	}
	if _, err := who(t, leg, p); err != nil || r.gone(t, p) {
		t.Errorf("renewed: %v, ended %v", err, r.gone(t, p))
	}

	f.down = true
	r.sim.RevokeTokens("alice")
	_, _ = who(t, leg, p)
	if _, err := who(t, leg, p); !errors.Is(err, nextcloud.ErrUnavailable) || r.gone(t, p) {
		t.Errorf("while the provider is down: %v, ended %v", err, r.gone(t, p))
	}
	f.down, f.valid = false, "somebody else's"
	if _, err := who(t, leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) || !r.gone(t, p) {
		t.Errorf("after the provider ended it: %v, ended %v", err, r.gone(t, p))
	}
}

// Many calls at once renew once.
func TestConnectionRenewedOnce(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	c := r.sim.AddClient(nextcloudtest.ClientConfig{Name: "us", RedirectURIs: []string{redirect}})
	f := &provider{valid: "first", life: time.Hour, access: func() auth.Secret { return r.signIn(t, "alice", "alice-password-1", c).Token }}
	leg := r.connections(f)
	p := r.connect(t, "alice", "one", store.Credential{Kind: store.RefreshTokenCredential, Secret: "first"})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := who(t, leg, p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if f.renewed != 1 {
		t.Errorf("renewed %d times, want once", f.renewed)
	}
}
