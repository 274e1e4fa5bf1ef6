package dataleg_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/store"
)

func (r *rig) client(name string) nextcloudtest.ClientInfo {
	return r.sim.AddClient(nextcloudtest.ClientConfig{Name: name, RedirectURIs: []string{redirect}})
}

// endedTokens are the tokens that were ended until now.
func (r *rig) endedTokens() map[auth.Secret]bool {
	ended := map[auth.Secret]bool{}
	for {
		select {
		case p := <-r.ended:
			ended[p.Token] = true
		default:
			return ended
		}
	}
}

// TestRenewedTokenEndsWithTheGrant: the token that made the password is not
// the one in use when it is revoked.
func TestRenewedTokenEndsWithTheGrant(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	c := r.client("client")
	first := r.signIn(t, "alice", "alice-password-1", c)
	r.must(t, first)
	renewed := r.signIn(t, "alice", "alice-password-1", c)
	r.must(t, renewed)
	r.sim.RevokeAppPasswords("alice")
	if _, err := use(t.Context(), r.leg, renewed); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatalf("first use after the revocation: %v", err)
	}
	if ended := r.endedTokens(); !ended[first.Token] || !ended[renewed.Token] || len(ended) != 2 {
		t.Errorf("%d tokens ended, both were to be", len(ended))
	}
	r.sim.ResetRequests()
	for _, p := range []*auth.Principal{first, renewed} {
		if _, err := use(t.Context(), r.leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
			t.Errorf("later use: %v", err)
		}
	}
	if n := r.sim.RequestCount(); n != 0 {
		t.Errorf("%d requests for a grant that ended", n)
	}
}

func TestTwoProcessesExchangeOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	legs := []*dataleg.Leg{r.leg, r.newLeg(t, dataleg.Options{})}
	var wait sync.WaitGroup
	for i := range 10 {
		wait.Go(func() {
			if _, err := use(t.Context(), legs[i%2], p); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := len(r.sim.AppPasswords("alice")); n != 1 || r.sim.CountRequests("", exchangePath) != 1 {
		t.Errorf("two processes made %d app passwords for one grant", n)
	}
}

// TestSignInAfterTheEnd: one process noticed the end of a grant and has got a
// new password; the other still has the old one, and must ruin nothing.
func TestSignInAfterTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	c := r.client("client")
	old := r.signIn(t, "alice", "alice-password-1", c)
	other := r.newLeg(t, dataleg.Options{})
	r.must(t, old)
	if _, err := use(t.Context(), other, old); err != nil {
		t.Fatal(err)
	}
	r.sim.RevokeAppPasswords("alice")
	if _, err := use(t.Context(), r.leg, old); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatal(err)
	}
	r.endedTokens()
	again := r.signIn(t, "alice", "alice-password-1", c)
	r.must(t, again)
	// The one call that finds out fails; the next one goes on.
	if _, err := use(t.Context(), other, again); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatalf("with the old password: %v", err)
	}
	if _, err := use(t.Context(), other, again); err != nil {
		t.Errorf("after that: %v", err)
	}
	r.must(t, again)
	if len(r.endedTokens()) != 0 {
		t.Error("the new connection was ended")
	}
	if n := len(r.sim.AppPasswords("alice")); n != 1 {
		t.Errorf("%d app passwords", n)
	}
	if _, err := r.db.AppPassword(t.Context(), again.Grant()); err != nil {
		t.Errorf("the new password is not stored any more: %v", err)
	}
}

// TestOneDeathIsEnough: where passwords die, each question about one counts as
// a failed login, and a dozen shut out everybody.
func TestOneDeathIsEnough(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{Version: "30.0.5", TokenLifetime: time.Hour}, dataleg.Options{})
	var people []*auth.Principal
	for i := range 20 {
		people = append(people, r.principal(t, "alice", "alice-password-1", fmt.Sprintf("client %d", i)))
		r.must(t, people[i])
	}
	r.clock.advance(6 * time.Minute)
	var wait sync.WaitGroup
	for _, p := range people {
		wait.Go(func() {
			if _, err := use(t.Context(), r.leg, p); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := r.sim.BadLogins(); n > 1 {
		t.Errorf("%d failed logins", n)
	}
	if n := len(r.endedTokens()); n != 0 {
		t.Errorf("%d people have to sign in again", n)
	}
	// It is tried again after a day.
	r.clock.advance(25 * time.Hour)
	r.sim.ResetRequests()
	r.must(t, r.principal(t, "bob", "bob-password-1", "client of bob"))
	if r.sim.CountRequests("", exchangePath) != 1 {
		t.Error("not tried again after a day")
	}
}

// TestPasswordDiesALittleEarly: the two clocks differ, and no grant ends.
func TestPasswordDiesALittleEarly(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{Version: "30.0.5", TokenLifetime: time.Hour}, dataleg.Options{})
	p := r.alice(t)
	r.must(t, p)
	r.clock.advance(5*time.Minute - 10*time.Second)
	r.sim.RevokeAppPasswords("alice") // what death looks like
	r.must(t, p)
	if n := len(r.endedTokens()); n != 0 {
		t.Error("the grant was ended")
	}
}

// TestDisabledPerson: what happens to one person says nothing of the others.
func TestDisabledPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	r.must(t, r.alice(t))
	bob := r.principal(t, "bob", "bob-password-1", "client of bob")
	r.sim.DisableUser("bob", true)
	if _, err := use(t.Context(), r.leg, bob); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatalf("disabled: %v", err)
	}
	if st := r.leg.Status(); st.Bearer != "works" || st.Problem || st.Detail != "" {
		t.Errorf("one disabled person, and the report says %+v", st)
	}
	alice := r.alice(t)
	r.must(t, alice)
	r.sim.DisableUser("alice", true)
	if _, err := use(t.Context(), r.leg, alice); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatalf("disabled: %v", err)
	}
	if !r.endedTokens()[alice.Token] {
		t.Error("the grant of a disabled person goes on")
	}
}

// TestBearerThatEnds: in bearer mode, too, the client has to sign in again.
func TestBearerThatEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{ForbidAppPasswords: true}, dataleg.Options{})
	p := r.alice(t)
	r.must(t, p)
	r.sim.RevokeTokens("alice")
	if _, err := use(t.Context(), r.leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatal(err)
	}
	if !r.endedTokens()[p.Token] {
		t.Error("the client does not hear that its token ended")
	}
	r.sim.ResetRequests()
	if _, err := use(t.Context(), r.leg, p); err == nil || r.sim.RequestCount() != 0 {
		t.Errorf("%v, %d requests", err, r.sim.RequestCount())
	}
}

// TestPasswordOfAnotherNextcloud must not be sent to this one.
func TestPasswordOfAnotherNextcloud(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	err := r.db.PutAppPassword(t.Context(), store.AppPassword{
		Grant: p.Grant(), Issuer: p.Issuer, Subject: p.Subject, ClientID: p.ClientID,
		Host: "https://old.example.org", LoginName: "alice", UserID: "alice", Password: "password-of-the-old-one",
	})
	if err != nil {
		t.Fatal(err)
	}
	r.must(t, p)
	if n := r.sim.BadLogins(); n != 0 {
		t.Error("the password of another Nextcloud was sent here")
	}
	if stored, err := r.db.AppPassword(t.Context(), p.Grant()); err != nil || stored.Host != r.sim.URL() {
		t.Errorf("stored for %q, %v", stored.Host, err)
	}
}

// TestClientNameThatNoHeaderCarries must not keep a person out.
func TestClientNameThatNoHeaderCarries(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	p.ClientID = "a\r\nX-Evil: 1\x00é"
	r.must(t, p)
	if n := len(r.sim.AppPasswords("alice")); n != 1 {
		t.Errorf("%d app passwords", n)
	}
}

func TestCleaningSparesTheThrottle(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{Unused: 24 * time.Hour})
	for i := range 30 {
		row := store.AppPassword{
			Grant: fmt.Sprintf("grant %d", i), Host: r.sim.URL(), LoginName: "alice", UserID: "alice", Password: "gone",
		}
		if i%3 == 0 {
			row.Password = "" // as one that does not decrypt
		}
		if err := r.db.PutAppPassword(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	r.clock.advance(25 * time.Hour)
	r.leg.Clean(t.Context())
	if n := r.sim.BadLogins(); n == 0 || n > 5 {
		t.Errorf("%d failed logins in one round", n)
	}
	left, err := r.db.UnusedAppPasswords(t.Context(), r.clock.Now(), 100)
	if err != nil || len(left) != 17 {
		t.Errorf("%d left, %v; want 17, without the 10 unreadable and the 3 that are gone", len(left), err)
	}
}

// roundTrip is a transport that a test makes up.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestNoOrphans: whatever goes wrong after the exchange, no app password is
// left that nobody remembers.
func TestNoOrphans(t *testing.T) {
	t.Parallel()
	errLine := errors.New("the line is down")
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	down := true
	host := r.elsewhere(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		if _, _, basic := req.BasicAuth(); down && basic && req.Method == http.MethodGet {
			return nil, errLine
		}
		return http.DefaultTransport.RoundTrip(req)
	}))
	leg := dataleg.New(host, r.db, "test server", slog.New(slog.DiscardHandler), nil)
	if _, err := use(t.Context(), leg, p); !errors.Is(err, nextcloud.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if n := len(r.sim.AppPasswords("alice")); n != 0 {
		t.Errorf("%d app passwords left that nobody remembers", n)
	}
	down = false
	if _, err := use(t.Context(), leg, p); err != nil {
		t.Errorf("when the line is up again: %v", err)
	}
}

// TestCallerLeavesDuringTheExchange: the password is kept for the next call.
func TestCallerLeavesDuringTheExchange(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	ctx, leave := context.WithCancel(t.Context())
	host := r.elsewhere(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.URL.Path == exchangePath {
			defer leave()
		}
		return http.DefaultTransport.RoundTrip(req)
	}))
	leg := dataleg.New(host, r.db, "test server", slog.New(slog.DiscardHandler), nil)
	_, _ = leg.Client(ctx, p)
	if n := len(r.sim.AppPasswords("alice")); n != 1 {
		t.Errorf("%d app passwords", n)
	}
	if _, err := r.db.AppPassword(t.Context(), p.Grant()); err != nil {
		t.Errorf("not stored: %v", err)
	}
}

// TestExchangeThatFails leaves the token to go on with, for a while.
func TestExchangeThatFails(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	r.sim.Fault(nextcloudtest.Fault{PathPrefix: exchangePath, Status: http.StatusInternalServerError, Body: "secret-of-the-answer", Times: 1})
	p := r.alice(t)
	r.must(t, p)
	if got := r.lastAuth(t); got != "Bearer" {
		t.Errorf("requests carry %s", got)
	}
	if st := r.leg.Status(); st.Exchange != "forbidden" || !strings.Contains(st.Detail, "500") || strings.Contains(st.Detail, "secret") {
		t.Errorf("status %+v", st)
	}
	r.clock.advance(2 * time.Minute)
	r.must(t, p)
	if got := r.lastAuth(t); got != "Basic" {
		t.Errorf("afterwards requests carry %s", got)
	}
}

// TestEndSurvivesRestart: a process that never served the grant does not let
// the token of an ended one in either.
func TestEndSurvivesRestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	p := r.alice(t)
	r.must(t, p)
	r.sim.RevokeAppPasswords("alice")
	if _, err := use(t.Context(), r.leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatalf("first use after the revocation: %v", err)
	}
	<-r.ended
	r.leg = r.newLeg(t, dataleg.Options{})
	r.sim.ResetRequests()
	if _, err := use(t.Context(), r.leg, p); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Fatalf("use after the restart: %v", err)
	}
	if n := r.sim.RequestCount(); n != 0 {
		t.Errorf("the ended token was sent %d times", n)
	}
	select {
	case got := <-r.ended:
		if got.Grant() != p.Grant() {
			t.Errorf("ended %s", got.Grant())
		}
	default:
		t.Error("nobody was told, so the client is not answered with 401")
	}
}
