package dataleg_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/store"
)

// clock is a time that the test moves.
type clock struct {
	mu  sync.Mutex // guards the field below
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rig is a simulated Nextcloud with a leg to it.
type rig struct {
	sim   *nextcloudtest.Server
	clock *clock
	db    *store.Store
	host  *nextcloud.Host
	leg   *dataleg.Leg
	ended chan *auth.Principal
}

func newRig(t *testing.T, sim nextcloudtest.Options, opts dataleg.Options) *rig {
	t.Helper()
	r := &rig{clock: newClock(), ended: make(chan *auth.Principal, 8)}
	sim.Now = r.clock.Now
	r.sim = nextcloudtest.Start(t, &sim)
	base, err := url.Parse(r.sim.URL())
	if err != nil {
		t.Fatal(err)
	}
	r.host = nextcloud.NewHost(base, nil)
	r.db, err = store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "s.db"), Now: r.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.db.Close() })
	r.leg = r.newLeg(t, opts)
	return r
}

// elsewhere is a Nextcloud client's host whose requests pass through.
func (r *rig) elsewhere(t *testing.T, through http.RoundTripper) *nextcloud.Host {
	t.Helper()
	return nextcloud.NewHost(r.host.Base(), &nextcloud.HostOptions{Transport: through})
}

func (r *rig) newLeg(t *testing.T, opts dataleg.Options) *dataleg.Leg {
	t.Helper()
	opts.Now = r.clock.Now
	opts.Ended = func(p *auth.Principal) { r.ended <- p }
	leg := dataleg.New(r.host, r.db, "test server", slog.New(slog.DiscardHandler), &opts)
	status, err := r.host.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leg.SetVersion(status.Version)
	return leg
}

// principal signs a person in and answers who they are to the server.
func (r *rig) principal(t *testing.T, user, password, client string) *auth.Principal {
	t.Helper()
	return r.signIn(t, user, password, r.sim.AddClient(nextcloudtest.ClientConfig{Name: client, RedirectURIs: []string{redirect}}))
}

const redirect = "http://127.0.0.1:9/callback"

// signIn signs a person in with a client that is there already.
func (r *rig) signIn(t *testing.T, user, password string, c nextcloudtest.ClientInfo) *auth.Principal {
	t.Helper()
	cfg := oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: redirect, Scopes: []string{"openid"},
		Endpoint: oauth2.Endpoint{
			AuthURL: r.sim.URL() + "/apps/oidc/authorize", TokenURL: r.sim.URL() + "/apps/oidc/token", AuthStyle: oauth2.AuthStyleInParams,
		},
	}
	verifier := oauth2.GenerateVerifier()
	back, err := nextcloudtest.NewBrowser(user, password).Visit(t.Context(), cfg.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), redirect)
	if err != nil {
		t.Fatal(err)
	}
	token, err := cfg.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return &auth.Principal{Issuer: r.sim.URL(), Subject: auth.Subject(user), ClientID: c.ID, Token: auth.Secret(token.AccessToken)}
}

func (r *rig) alice(t *testing.T) *auth.Principal {
	t.Helper()
	return r.principal(t, "alice", "alice-password-1", "client")
}

// use gets the client of p and asks Nextcloud who it is.
func use(ctx context.Context, leg *dataleg.Leg, p *auth.Principal) (nextcloud.UserID, error) {
	nc, err := leg.Client(ctx, p)
	if err != nil {
		return "", err
	}
	u, err := nc.CurrentUser(ctx)
	if err != nil {
		return "", err
	}
	return u.ID, nil
}

func (r *rig) must(t *testing.T, p *auth.Principal) {
	t.Helper()
	if id, err := use(t.Context(), r.leg, p); err != nil || id != nextcloud.UserID(p.Subject) {
		t.Fatalf("as %q: %q, %v", p.Subject, id, err)
	}
}

func (r *rig) lastAuth(t *testing.T) string {
	t.Helper()
	all := r.sim.Requests()
	if len(all) == 0 {
		t.Fatal("no request")
	}
	return all[len(all)-1].Auth
}

const exchangePath = "/ocs/v2.php/core/getapppassword"

func TestExchangeOncePerGrant(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	for range 3 {
		r.must(t, p)
	}
	if n := r.sim.CountRequests(http.MethodGet, exchangePath); n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}
	if got := r.lastAuth(t); got != "Basic" {
		t.Errorf("requests carry %s, want the app password", got)
	}
	names := r.sim.AppPasswords("alice")
	if len(names) != 1 || !strings.HasPrefix(names[0].Name, "test server for client ") {
		t.Errorf("app passwords in the settings: %+v", names)
	}
	other := r.principal(t, "alice", "alice-password-1", "another client")
	r.must(t, other)
	if n := len(r.sim.AppPasswords("alice")); n != 2 {
		t.Errorf("two clients have %d app passwords, want one each", n)
	}
	if st := r.leg.Status(); st.Exchange != "works" || st.Version != "34.0.1" {
		t.Errorf("status %+v", st)
	}
}

func TestRestartKeepsThePassword(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	r.must(t, p)
	r.leg = r.newLeg(t, dataleg.Options{})
	r.sim.ResetRequests()
	r.must(t, p)
	if n := r.sim.CountRequests("", exchangePath); n != 0 {
		t.Errorf("%d exchanges after a restart, want 0", n)
	}
}

func TestVersionsWithoutExchange(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"28.0.2", "29.0.1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nextcloudtest.Options{Version: version}, dataleg.Options{})
			p := r.alice(t)
			r.must(t, p)
			r.must(t, p)
			if got := r.lastAuth(t); got != "Bearer" {
				t.Errorf("requests carry %s, want the token", got)
			}
			if n := r.sim.CountRequests("", exchangePath); n != 1 {
				t.Errorf("%d tries to exchange, want 1", n)
			}
			if st := r.leg.Status(); st.Exchange != "forbidden" || st.Bearer != "works" || st.Detail == "" {
				t.Errorf("status %+v", st)
			}
			nc, err := r.leg.Client(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			_, err = nc.Do(t.Context(), nextcloud.Request{Op: "list notes", Path: "/index.php/apps/notes/api/v1/notes"})
			if !errors.Is(err, nextcloud.ErrForbidden) || !strings.Contains(err.Error(), "version 30") {
				t.Errorf("notes with a token: %v", err)
			}
			r.must(t, p) // that refusal says nothing about the token
		})
	}
}

// TestPasswordsThatDie: 30.0.5 and 31.0.2 end an exchanged password after five
// minutes; the person must not notice.
func TestPasswordsThatDie(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"30.0.5", "31.0.2"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nextcloudtest.Options{Version: version, TokenLifetime: time.Hour}, dataleg.Options{})
			p := r.alice(t)
			r.must(t, p)
			if got := r.lastAuth(t); got != "Basic" {
				t.Errorf("young: requests carry %s", got)
			}
			r.clock.advance(6 * time.Minute)
			r.must(t, p)
			if got := r.lastAuth(t); got != "Bearer" {
				t.Errorf("old: requests carry %s, want the token", got)
			}
			if st := r.leg.Status(); st.Exchange != "dies" {
				t.Errorf("status %+v", st)
			}
			r.sim.ResetRequests()
			r.must(t, r.principal(t, "bob", "bob-password-1", "client of bob"))
			if n := r.sim.CountRequests("", exchangePath); n != 0 {
				t.Errorf("exchanged again although the passwords die")
			}
			select {
			case <-r.ended:
				t.Error("the grant was ended")
			default:
			}
		})
	}
}

func TestLastingPasswordIsProvedOnce(t *testing.T) {
	t.Parallel()
	// A version that nobody tried: treated with suspicion, found to be good.
	r := newRig(t, nextcloudtest.Options{Version: "34.0.1"}, dataleg.Options{})
	r.leg.SetVersion("32.0.0")
	p := r.alice(t)
	r.must(t, p)
	r.clock.advance(10 * time.Minute)
	r.must(t, p)
	r.sim.ResetRequests()
	r.must(t, p)
	if n := r.sim.RequestCount(); n != 1 {
		t.Errorf("%d requests for one call after the proof", n)
	}
	if st := r.leg.Status(); st.Exchange != "lasts" {
		t.Errorf("status %+v", st)
	}
}

func TestRevokedPasswordEndsTheGrant(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	r.must(t, p)
	r.sim.RevokeAppPasswords("alice")
	if _, err := use(t.Context(), r.leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatalf("first use after the revocation: %v", err)
	}
	if got := <-r.ended; got.Grant() != p.Grant() {
		t.Errorf("ended %s", got.Grant())
	}
	r.sim.ResetRequests()
	for range 20 {
		if _, err := use(t.Context(), r.leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
			t.Fatalf("later use: %v", err)
		}
	}
	if n := r.sim.RequestCount(); n != 0 {
		t.Errorf("a refused credential was sent %d times more", n)
	}
	if _, err := r.db.AppPassword(t.Context(), p.Grant()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("still stored: %v", err)
	}
	// Signing in again works.
	r.must(t, r.alice(t))
}

func TestForbiddenAppPasswords(t *testing.T) {
	t.Parallel()
	t.Run("token instead", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, nextcloudtest.Options{ForbidAppPasswords: true}, dataleg.Options{})
		r.must(t, r.alice(t))
		if got := r.lastAuth(t); got != "Bearer" {
			t.Errorf("requests carry %s", got)
		}
	})
	t.Run("token forbidden", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, nextcloudtest.Options{ForbidAppPasswords: true}, dataleg.Options{NeverBearer: true})
		_, err := use(t.Context(), r.leg, r.alice(t))
		if err == nil || !strings.Contains(err.Error(), "NEXTCLOUD_BEARER_PASSTHROUGH") || !strings.Contains(err.Error(), "auth_can_create_app_token") {
			t.Errorf("error does not say what an administrator can do: %v", err)
		}
		if st := r.leg.Status(); st.Credential != "none" {
			t.Errorf("status %+v", st)
		}
	})
}

func TestTokensNotAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{DisableUserOIDC: true}, dataleg.Options{})
	p := r.alice(t)
	_, err := use(t.Context(), r.leg, p)
	if !errors.Is(err, nextcloud.ErrUnauthenticated) || !strings.Contains(err.Error(), "oidc_provider_bearer_validation") {
		t.Fatalf("error does not say what an administrator can do: %v", err)
	}
	r.sim.ResetRequests()
	if _, err := use(t.Context(), r.leg, p); err == nil {
		t.Fatal("let in")
	}
	if n := r.sim.RequestCount(); n != 0 {
		t.Errorf("the refused token was sent %d times more", n)
	}
	if st := r.leg.Status(); st.Bearer != "refused" {
		t.Errorf("status %+v", st)
	}
}

func TestUnusedPasswordsAreDeleted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{Unused: 24 * time.Hour})
	p := r.alice(t)
	r.must(t, p)
	r.leg.Clean(t.Context())
	if n := len(r.sim.AppPasswords("alice")); n != 1 {
		t.Fatalf("a fresh password was deleted (%d left)", n)
	}
	r.clock.advance(25 * time.Hour)
	r.leg.Clean(t.Context())
	if n := len(r.sim.AppPasswords("alice")); n != 0 {
		t.Errorf("%d unused app passwords left at Nextcloud", n)
	}
	if _, err := r.db.AppPassword(t.Context(), p.Grant()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("still stored: %v", err)
	}
}

// full is a store whose disk is full.
type full struct{ *store.Store }

var errFull = errors.New("no space left on device")

func (full) PutAppPassword(context.Context, store.AppPassword) error { return errFull }

func TestPasswordThatCannotBeStoredIsRevoked(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	leg := dataleg.New(r.host, full{r.db}, "test server", slog.New(slog.DiscardHandler), &dataleg.Options{Now: r.clock.Now})
	if _, err := use(t.Context(), leg, r.alice(t)); !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
	if n := len(r.sim.AppPasswords("alice")); n != 0 {
		t.Errorf("%d app passwords left that nobody remembers", n)
	}
}

func TestPeopleInParallel(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	people := []*auth.Principal{r.alice(t), r.principal(t, "bob", "bob-password-1", "client of bob")}
	var wait sync.WaitGroup
	for i := range 40 {
		p := people[i%2]
		wait.Go(func() {
			if id, err := use(t.Context(), r.leg, p); err != nil || id != nextcloud.UserID(p.Subject) {
				t.Errorf("as %q: %q, %v", p.Subject, id, err)
			}
		})
	}
	wait.Wait()
	if n := r.sim.CountRequests("", exchangePath); n != 2 {
		t.Errorf("%d exchanges for two grants", n)
	}
}
