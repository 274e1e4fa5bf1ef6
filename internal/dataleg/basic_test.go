package dataleg_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"testing"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/auth/basic"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestBasic sends the credentials of each request on, and lets them in no more
// when Nextcloud refuses them.
func TestBasic(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{Users: []nextcloudtest.User{
		{ID: "uid-of-alice", LoginName: "alice@example.org", Password: "alice-password-1"},
		{ID: "bob", Password: "bob-password-1"},
	}})
	base, err := url.Parse(sim.URL())
	if err != nil {
		t.Fatal(err)
	}
	host := nextcloud.NewHost(base, nil)
	door := basic.New(host, slog.New(slog.DiscardHandler), nil)
	leg := dataleg.NewBasic(host, door.Forget)
	prove := func(login, password string) (*auth.Principal, error) {
		return door.Prove(t.Context(), login, auth.Secret(password), netip.MustParseAddr("192.0.2.1"))
	}
	app := sim.CreateAppPassword("uid-of-alice", "test")
	alice, err := prove("alice@example.org", app)
	if err != nil {
		t.Fatal(err)
	}
	bob, err := prove("bob", "bob-password-1")
	if err != nil {
		t.Fatal(err)
	}
	sim.ResetRequests()
	clients := map[*auth.Principal]*nextcloud.Client{}
	for _, p := range []*auth.Principal{alice, bob} {
		nc, err := leg.Client(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		clients[p] = nc
		if id, err := nc.UserID(t.Context()); err != nil || string(id) != string(p.Subject) {
			t.Errorf("%q, %v", id, err)
		}
	}
	if n := sim.RequestCount(); n != 0 {
		t.Errorf("%d requests to find out what is known", n)
	}
	for p, nc := range clients {
		if user, err := nc.CurrentUser(t.Context()); err != nil || string(user.ID) != string(p.Subject) {
			t.Errorf("%s: %v, %v", p.Subject, user, err)
		}
	}

	sim.RevokeAppPasswords("uid-of-alice")
	if _, err := clients[alice].CurrentUser(t.Context()); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Errorf("revoked: %v", err)
	}
	sim.ResetRequests()
	var refusal *auth.Error
	if _, err := prove("alice@example.org", app); !errors.As(err, &refusal) || refusal.Status != 401 || sim.RequestCount() != 0 {
		t.Errorf("afterwards: %v, %d requests", err, sim.RequestCount())
	}
	if _, err := prove("bob", "bob-password-1"); err != nil {
		t.Errorf("the other person: %v", err)
	}
}

func TestBasicWithoutCredentials(t *testing.T) {
	t.Parallel()
	leg := dataleg.NewBasic(nextcloud.NewHost(&url.URL{Scheme: "http", Host: "nextcloud.invalid"}, nil), nil)
	for name, p := range map[string]*auth.Principal{
		"nobody":         nil,
		"a bearer":       {Subject: "alice", Token: "token"},
		"no password":    {Subject: "alice", LoginName: "alice"},
		"no user":        {LoginName: "alice", Token: "password"},
		"nothing at all": {},
	} {
		if _, err := leg.Client(t.Context(), p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
