package dataleg_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/store"
)

const linkAddress = "https://mcp.example.org/oauth/link/abc"

// giving is a leg's Link that always has the same address.
func giving(address string, err error) func(context.Context, *auth.Principal) (string, error) {
	return func(context.Context, *auth.Principal) (string, error) { return address, err }
}

// wantLink checks that a call of p comes to the link.
func (r *rig) wantLink(t *testing.T, p *auth.Principal) {
	t.Helper()
	_, err := use(t.Context(), r.leg, p)
	if missing, ok := errors.AsType[*auth.SignInRequired](err); !ok || missing.URL != linkAddress || missing.Reason == "" {
		t.Fatalf("%v, want the link", err)
	}
}

// brings is what the page of the link does with a person who went through it.
func (r *rig) brings(t *testing.T, p *auth.Principal) (kept bool) {
	t.Helper()
	kept, err := r.leg.Keep(t.Context(), store.AppPassword{
		Grant: p.Grant(), Issuer: p.Issuer, Subject: p.Subject, ClientID: p.ClientID,
		LoginName: nextcloud.LoginName(p.Subject), UserID: nextcloud.UserID(p.Subject),
		Password: auth.Secret(r.sim.CreateAppPassword(string(p.Subject), "linked")),
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// TestLinkWhereNothingElseWorks: calls get the link, and work as soon as the
// person went through it; the password is one that lasts.
func TestLinkWhereNothingElseWorks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sim   nextcloudtest.Options
		never bool
		ages  bool // the exchange works at first
	}{
		"tokens not taken":                {sim: nextcloudtest.Options{DisableUserOIDC: true}},
		"tokens not taken, never":         {sim: nextcloudtest.Options{DisableUserOIDC: true}, never: true},
		"exchange forbidden, never":       {sim: nextcloudtest.Options{ForbidAppPasswords: true}, never: true},
		"28, never":                       {sim: nextcloudtest.Options{Version: "28.0.2"}, never: true},
		"29, never":                       {sim: nextcloudtest.Options{Version: "29.0.1"}, never: true},
		"passwords of tokens die, never":  {sim: nextcloudtest.Options{Version: "30.0.5", TokenLifetime: time.Hour}, never: true, ages: true},
		"passwords of tokens die, 31.0.2": {sim: nextcloudtest.Options{Version: "31.0.2", TokenLifetime: time.Hour}, never: true, ages: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.sim, dataleg.Options{NeverBearer: c.never, Link: giving(linkAddress, nil)})
			p := r.alice(t)
			if c.ages {
				r.must(t, p)
				r.clock.advance(6 * time.Minute)
			}
			r.wantLink(t, p)
			if st := r.leg.Status(); st.Problem || !strings.Contains(st.Credential, "link") {
				t.Errorf("status %+v, although people can help themselves", st)
			}
			r.sim.ResetRequests()
			for range 5 {
				r.wantLink(t, p)
			}
			if n := r.sim.RequestCount(); n != 0 {
				t.Errorf("%d requests to Nextcloud while nobody went through the link", n)
			}
			if !r.brings(t, p) {
				t.Fatal("not kept")
			}
			for range 2 {
				r.sim.ResetRequests()
				r.must(t, p)
				if n, how := r.sim.RequestCount(), r.lastAuth(t); n != 1 || how != "Basic" {
					t.Errorf("%d requests with %s, want one with the password", n, how)
				}
				r.clock.advance(6 * time.Minute) // it is not one that dies
			}
		})
	}
}

func TestNoLink(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	for name, c := range map[string]struct {
		link func(context.Context, *auth.Principal) (string, error)
		want error
	}{
		"nobody gives one":       {nil, nextcloud.ErrUnauthenticated},
		"nobody could be proven": {giving("", nil), nextcloud.ErrUnauthenticated},
		"it could not be made":   {giving("", broken), broken},
	} {
		r := newRig(t, nextcloudtest.Options{DisableUserOIDC: true}, dataleg.Options{Link: c.link})
		p := r.alice(t)
		for range 2 {
			_, err := use(t.Context(), r.leg, p)
			if _, asked := errors.AsType[*auth.SignInRequired](err); asked || !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if errors.Is(c.want, nextcloud.ErrUnauthenticated) && !strings.Contains(err.Error(), "oidc_provider_bearer_validation") {
				t.Errorf("%s: the error does not say what an administrator can do: %v", name, err)
			}
		}
		if st := r.leg.Status(); !st.Problem {
			t.Errorf("%s: status %+v", name, st)
		}
	}
}

// TestLinkedPasswordElsewhere: the page of the link may be another process's.
func TestLinkedPasswordElsewhere(t *testing.T) {
	t.Parallel()
	opts := dataleg.Options{Link: giving(linkAddress, nil)}
	r := newRig(t, nextcloudtest.Options{DisableUserOIDC: true}, opts)
	p := r.alice(t)
	r.wantLink(t, p)
	here := r.leg
	r.leg = r.newLeg(t, opts)
	r.brings(t, p)
	r.leg = here
	r.must(t, p)
}

// TestLinkedPasswordReplacesTheBearer: a grant that works with its token at
// present takes the password from the next call on.
func TestLinkedPasswordReplacesTheBearer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{ForbidAppPasswords: true}, dataleg.Options{Link: giving(linkAddress, nil)})
	p := r.alice(t)
	r.must(t, p)
	if got := r.lastAuth(t); got != "Bearer" {
		t.Fatalf("requests carry %s", got)
	}
	r.brings(t, p)
	r.must(t, p)
	if got := r.lastAuth(t); got != "Basic" {
		t.Errorf("requests carry %s, want the password", got)
	}
}

func TestKeepIsOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	r.must(t, p) // exchanged
	before, err := r.db.AppPassword(t.Context(), p.Grant())
	if err != nil {
		t.Fatal(err)
	}
	if has, err := r.leg.Has(t.Context(), p.Grant()); err != nil || !has {
		t.Errorf("has %t, %v", has, err)
	}
	if r.brings(t, p) {
		t.Error("a second password was kept")
	}
	if now, err := r.db.AppPassword(t.Context(), p.Grant()); err != nil || now.Password != before.Password {
		t.Errorf("the password was replaced (%v)", err)
	}
	// One of another Nextcloud is none.
	before.Host = "https://old.example.org"
	if err := r.db.PutAppPassword(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if has, err := r.leg.Has(t.Context(), p.Grant()); err != nil || has || !r.brings(t, p) {
		t.Errorf("has %t, %v", has, err)
	}
	if has, err := r.leg.Has(t.Context(), "nobody"); err != nil || has {
		t.Errorf("nobody has %t, %v", has, err)
	}
}

// TestLinkedPasswordRevoked: it ends the grant as any other does.
func TestLinkedPasswordRevoked(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{DisableUserOIDC: true}, dataleg.Options{Link: giving(linkAddress, nil), Unused: 24 * time.Hour})
	client := r.sim.AddClient(nextcloudtest.ClientConfig{Name: "client", RedirectURIs: []string{redirect}})
	p := r.signIn(t, "alice", "alice-password-1", client)
	r.wantLink(t, p)
	r.brings(t, p)
	r.must(t, p)
	r.sim.RevokeAppPasswords("alice")
	for range 2 {
		if _, err := use(t.Context(), r.leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
			t.Fatalf("after the revocation: %v", err)
		}
	}
	if got := <-r.ended; got.Grant() != p.Grant() {
		t.Errorf("ended %s", got.Grant())
	}
	// Signed in again at the provider, the client gets a link, once more.
	again := r.signIn(t, "alice", "alice-password-1", client)
	r.wantLink(t, again)
	r.brings(t, again)
	r.must(t, again)

	r.clock.advance(25 * time.Hour)
	r.leg.Clean(t.Context())
	if n := len(r.sim.AppPasswords("alice")); n != 0 {
		t.Errorf("%d unused app passwords left at Nextcloud", n)
	}
}

// TestKeepDuringACall: a call that holds its grant and waits for the lease
// must not wait for Keep for ever, and the other way round.
func TestKeepDuringACall(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	var watched atomic.Bool
	type answer struct {
		kept bool
		err  error
	}
	done := make(chan answer, 1)
	password := auth.Secret(r.sim.CreateAppPassword("alice", "linked"))
	r.host = r.elsewhere(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		if watched.CompareAndSwap(true, false) {
			go func() {
				kept, err := r.leg.Keep(t.Context(), store.AppPassword{Grant: p.Grant(), LoginName: "alice", UserID: "alice", Password: password})
				done <- answer{kept, err}
			}()
		}
		return http.DefaultTransport.RoundTrip(req)
	}))
	r.leg = r.newLeg(t, dataleg.Options{})
	watched.Store(true)
	r.must(t, p)
	if a := <-done; a.kept || a.err != nil {
		t.Errorf("kept beside the exchanged one: %+v", a)
	}
	r.must(t, p)
}
