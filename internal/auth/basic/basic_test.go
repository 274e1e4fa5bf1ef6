package basic_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/auth/basic"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// rig is a verifier before a simulated Nextcloud.
type rig struct {
	*basic.Verifier
	sim   *nextcloudtest.Server
	web   *httptest.Server
	clock *clock
	log   logBuffer
	gate  chan struct{} // holds up requests to Nextcloud; nil lets them through
}

func newRig(t *testing.T, opts nextcloudtest.Options) *rig {
	t.Helper()
	r := &rig{clock: &clock{at: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}}
	opts.Now = r.clock.now
	r.sim = nextcloudtest.New(&opts)
	r.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.gate != nil {
			r.gate <- struct{}{} // it came
			<-r.gate             // it may go on
		}
		r.sim.ServeHTTP(w, req)
	}))
	t.Cleanup(r.web.Close)
	base, err := url.Parse(r.web.URL)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.Verifier = basic.New(nextcloud.NewHost(base, nil), log, &basic.Options{Now: r.clock.now})
	return r
}

// asked is how often Nextcloud was asked.
func (r *rig) asked() int { return r.sim.CountRequests("", "/ocs/v2.php/cloud/user") }

// home is where most requests come from.
var home = netip.MustParseAddr("198.51.100.7")

// address is one of many.
func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}) }

// status is the HTTP status that an attempt comes to, and how long to wait.
func (r *rig) status(t *testing.T, login, password string, from netip.Addr) (int, time.Duration) {
	t.Helper()
	p, err := r.Prove(t.Context(), login, auth.Secret(password), from)
	if err == nil {
		if p == nil {
			t.Fatal("nobody without an error")
		}
		return 200, 0
	}
	var refusal *auth.Error
	if p != nil || !errors.As(err, &refusal) {
		t.Fatalf("%v, %v", p, err)
	}
	return refusal.Status, refusal.RetryAfter
}

func (r *rig) want(t *testing.T, status int, login, password string, from netip.Addr) {
	t.Helper()
	if got, _ := r.status(t, login, password, from); got != status {
		t.Errorf("%s: %d, want %d", login, got, status)
	}
}

func TestProve(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{Users: []nextcloudtest.User{
		{ID: "uid-of-alice", LoginName: "alice@example.org", DisplayName: "Alice Example", Password: "passwörd:with colon"},
	}})
	p, err := r.Prove(t.Context(), "alice@example.org", "passwörd:with colon", home)
	if err != nil {
		t.Fatal(err)
	}
	if p.Subject != "uid-of-alice" || p.LoginName != "alice@example.org" || p.Name != "Alice Example" || p.Issuer != r.web.URL ||
		p.Token.Reveal() != "passwörd:with colon" || !p.Trusted || p.GrantID != "" {
		t.Errorf("%+v", p)
	}
	for name, c := range map[string][2]string{"no login name": {"", "x"}, "no password": {"alice@example.org", ""}, "neither": {"", ""}} {
		if got, _ := r.status(t, c[0], c[1], home); got != 401 {
			t.Errorf("%s: %d", name, got)
		}
	}
	if n := r.asked(); n != 1 {
		t.Errorf("Nextcloud was asked %d times", n)
	}
	app := r.sim.CreateAppPassword("uid-of-alice", "test")
	r.want(t, 200, "alice@example.org", app, home)
	// Credentials are login name and password together.
	r.want(t, 401, "alice@example.orgp", "asswörd:with colon", home)
}

// TestProofLasts checks that a proof is good for five minutes, used or not.
func TestProofLasts(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{})
	for range 10 {
		r.want(t, 200, "alice", "alice-password-1", home)
		r.clock.pass(29 * time.Second)
	}
	if n := r.asked(); n != 1 {
		t.Errorf("asked %d times within five minutes", n)
	}
	r.clock.pass(11 * time.Second)
	r.sim.SetPassword("alice", "another-password-1")
	r.want(t, 401, "alice", "alice-password-1", home)
	if n := r.asked(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// TestOneQuestionAtATime checks that a client that begins with a dozen calls
// at once costs Nextcloud one login, good or bad.
func TestOneQuestionAtATime(t *testing.T) {
	for password, want := range map[string]int{"alice-password-1": 200, "wrong": 401} {
		r := newRig(t, nextcloudtest.Options{})
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() { r.want(t, want, "alice", password, home) })
		}
		wait.Wait()
		if n := r.asked(); n != 1 {
			t.Errorf("%d: asked %d times", want, n)
		}
	}
}

// TestCallerLeaves checks that a question goes on without who asked: Nextcloud
// counts its answer anyhow.
func TestCallerLeaves(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{})
	r.gate = make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := r.Prove(ctx, "alice", "wrong", home)
		left <- err
	}()
	<-r.gate
	leave()
	var refusal *auth.Error
	if err := <-left; !errors.As(err, &refusal) || refusal.Status != 503 {
		t.Errorf("%v", err)
	}
	r.gate <- struct{}{}
	r.want(t, 401, "alice", "wrong", home)
	if n := r.asked(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestRefusedIsNotSentAgain checks how long a refused credential stays here,
// which doubles for a client that does not give up.
func TestRefusedIsNotSentAgain(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{})
	for i, pause := range []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
		r.want(t, 401, "alice", "wrong", home)
		r.clock.pass(pause - time.Second)
		r.want(t, 401, "alice", "wrong", home)
		if n := r.asked(); n != i+1 {
			t.Fatalf("round %d: sent %d times", i, n)
		}
		r.clock.pass(time.Second)
	}
	r.sim.SetPassword("alice", "wrong") // becomes right
	r.want(t, 200, "alice", "wrong", home)
	// What was good in between begins anew.
	r.sim.SetPassword("alice", "another-password-1")
	r.clock.pass(5 * time.Minute)
	r.want(t, 401, "alice", "wrong", home)
	before := r.asked()
	r.clock.pass(5 * time.Minute)
	r.want(t, 401, "alice", "wrong", home)
	if n := r.asked(); n != before+1 {
		t.Errorf("sent %d times after it had been good", n-before)
	}
}

func TestTriesPerLogin(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{})
	r.want(t, 401, "alice", "wrong 1", address(1))
	r.clock.pass(time.Minute)
	r.want(t, 401, "Alice", "wrong 2", address(2))
	r.want(t, 401, "ALICE", "wrong 3", address(3))
	got, wait := r.status(t, "alice", "alice-password-1", address(4))
	if got != 429 || wait != 9*time.Minute || r.asked() != 3 {
		t.Errorf("%d, wait %s, asked %d times", got, wait, r.asked())
	}
	r.want(t, 200, "bob", "bob-password-1", address(4))
	r.clock.pass(9 * time.Minute)
	r.want(t, 200, "alice", "alice-password-1", address(4))
}

func TestTriesPerAddress(t *testing.T) {
	for name, from := range map[string][2]string{
		"IPv4":        {"203.0.113.1", "203.0.113.1"},
		"IPv4 mapped": {"203.0.113.1", "::ffff:203.0.113.1"},
		"IPv6":        {"2001:db8:1:2::1", "2001:db8:1:2:ffff::"},
		"zone":        {"fe80::1%eth0", "fe80::1%eth1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nextcloudtest.Options{})
			for i := range 4 {
				r.want(t, 401, fmt.Sprint("nobody", i), "wrong", netip.MustParseAddr(from[0]))
			}
			if got, wait := r.status(t, "alice", "alice-password-1", netip.MustParseAddr(from[1])); got != 429 || wait != 10*time.Minute || r.asked() != 4 {
				t.Errorf("%d, wait %s, asked %d times", got, wait, r.asked())
			}
			r.want(t, 200, "alice", "alice-password-1", netip.MustParseAddr("2001:db8:1:3::1"))
		})
	}
	r := newRig(t, nextcloudtest.Options{})
	for i := range 5 {
		want := map[bool]int{true: 401, false: 429}[i < 4]
		r.want(t, want, fmt.Sprint("nobody", i), "wrong", netip.Addr{})
	}
}

// TestNextcloudNeverShutsUsOut lets an attacker try from everywhere, all the
// time, while people go on working.
func TestNextcloudNeverShutsUsOut(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{BruteForceLimit: 9})
	r.want(t, 200, "alice", "alice-password-1", home)
	tries := 0
	for minute := range 120 {
		var wait sync.WaitGroup
		for range 20 {
			tries++
			login, from := fmt.Sprint("victim", tries), address(tries)
			wait.Go(func() {
				if got, after := r.status(t, login, "guess", from); got != 401 && (got != 429 || after <= 0) {
					t.Errorf("%d, wait %s", got, after)
				}
			})
		}
		wait.Wait()
		if n := r.sim.BadLogins(); n > 8 {
			t.Fatalf("minute %d: %d bad logins reached Nextcloud", minute, n)
		}
		// Her proof ends every five minutes; strangers do not keep her out.
		r.want(t, 200, "alice", "alice-password-1", home)
		r.clock.pass(time.Minute)
	}
	if n := r.sim.BadLogins(); n == 0 {
		t.Error("nothing was tried")
	}
}

// TestProvenPeopleHaveALimitToo checks that even credentials that were good
// once do not make Nextcloud shut everybody out.
func TestProvenPeopleHaveALimitToo(t *testing.T) {
	var users []nextcloudtest.User
	for i := range 20 {
		users = append(users, nextcloudtest.User{ID: fmt.Sprint("user", i), Password: "the-old-password"})
	}
	r := newRig(t, nextcloudtest.Options{Users: users, BruteForceLimit: 9})
	for i, u := range users {
		r.want(t, 200, u.ID, u.Password, address(i))
		r.sim.SetPassword(u.ID, "the-new-password")
	}
	r.clock.pass(6 * time.Minute)
	refused := 0
	for i, u := range users {
		switch got, _ := r.status(t, u.ID, u.Password, address(i)); got {
		case 401:
			refused++
		case 429:
		default:
			t.Errorf("%d", got)
		}
	}
	if refused != 8 || r.sim.BadLogins() != 8 {
		t.Errorf("%d refused, %d bad logins", refused, r.sim.BadLogins())
	}
}

// TestNoLongerProven checks that credentials that went bad are those of a
// stranger again.
func TestNoLongerProven(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{})
	r.want(t, 200, "alice", "alice-password-1", home)
	r.sim.SetPassword("alice", "another-password-1")
	r.clock.pass(5 * time.Minute)
	r.want(t, 401, "alice", "alice-password-1", home)
	for i := range 5 {
		r.want(t, 401, fmt.Sprint("nobody", i), "wrong", address(i))
	}
	r.clock.pass(5 * time.Minute)
	r.want(t, 429, "alice", "alice-password-1", home)
}

// TestForget checks that credentials that a call was refused with are not
// believed any longer, and not sent again.
func TestForget(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{})
	app := r.sim.CreateAppPassword("alice", "test")
	p, err := r.Prove(t.Context(), "alice", auth.Secret(app), home)
	if err != nil {
		t.Fatal(err)
	}
	r.Forget(p)
	r.Forget(p) // the other calls of that moment
	r.want(t, 401, "alice", app, home)
	if n := r.asked(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	r.want(t, 200, "alice", "alice-password-1", home) // other credentials of hers
	r.clock.pass(5 * time.Minute)
	r.want(t, 200, "alice", app, home)
	// What a client may have been refused with counts at Nextcloud.
	for i := range 5 {
		name := fmt.Sprint("app", i)
		p, err := r.Prove(t.Context(), "alice", auth.Secret(r.sim.CreateAppPassword("alice", name)), home)
		if err != nil {
			t.Fatal(err)
		}
		r.Forget(p)
	}
	if got, _ := r.status(t, "bob", "bob-password-1", home); got != 429 {
		t.Errorf("a stranger's credentials after that: %d", got)
	}
}

func TestNextcloudCannotBeAsked(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{})
	r.want(t, 200, "alice", "alice-password-1", home)
	r.sim.SetMaintenance(true)
	if got, wait := r.status(t, "bob", "bob-password-1", home); got != 503 || wait != time.Minute {
		t.Errorf("maintenance: %d, wait %s", got, wait)
	}
	r.want(t, 200, "alice", "alice-password-1", home)
	r.sim.SetMaintenance(false)
	r.want(t, 200, "bob", "bob-password-1", home) // nothing was held against him
	r.web.Close()
	for i := range 20 {
		if got, wait := r.status(t, "admin", fmt.Sprint("password", i), home); got != 503 || wait != 5*time.Second {
			t.Fatalf("no connection: %d, wait %s", got, wait)
		}
	}
}

// TestNextcloudThrottles checks that nothing more is sent to a Nextcloud that
// asks to slow down.
func TestNextcloudThrottles(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{})
	r.want(t, 200, "alice", "alice-password-1", home)
	stop := r.sim.Fault(nextcloudtest.Fault{Status: 429, Header: http.Header{"Retry-After": {"90"}}})
	if got, wait := r.status(t, "bob", "bob-password-1", home); got != 429 || wait != 90*time.Second {
		t.Errorf("%d, wait %s", got, wait)
	}
	stop()
	before := r.asked()
	if got, wait := r.status(t, "bob", "bob-password-1", home); got != 429 || wait != 90*time.Second || r.asked() != before {
		t.Errorf("%d, wait %s", got, wait)
	}
	r.want(t, 200, "alice", "alice-password-1", home)
	r.clock.pass(90 * time.Second)
	r.want(t, 200, "bob", "bob-password-1", home)
}

// TestSecretsStayHere checks that no credential reaches a log or an error.
func TestSecretsStayHere(t *testing.T) {
	const canary = "canary-password"
	r := newRig(t, nextcloudtest.Options{})
	var said strings.Builder
	for i := range 10 {
		_, err := r.Prove(t.Context(), fmt.Sprint("canary-login", i), auth.Secret(fmt.Sprint(canary, i)), home)
		fmt.Fprintf(&said, "%v %+v\n", err, err)
	}
	p, err := r.Prove(t.Context(), "alice", "alice-password-1", netip.MustParseAddr("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&said, "%v %+v %#v\n", p, p, p)
	r.web.Close()
	_, err = r.Prove(t.Context(), "canary-login", canary, netip.MustParseAddr("192.0.2.2"))
	fmt.Fprintf(&said, "%v %+v\n", err, err)
	for _, secret := range []string{canary, "canary-login", "alice-password-1"} {
		if strings.Contains(said.String(), secret) || strings.Contains(r.log.String(), secret) {
			t.Errorf("%s is told:\n%s\n%s", secret, said.String(), r.log.String())
		}
	}
}

// TestPeopleInParallel checks that nobody is taken for somebody else.
func TestPeopleInParallel(t *testing.T) {
	var users []nextcloudtest.User
	for i := range 30 {
		users = append(users, nextcloudtest.User{ID: fmt.Sprint("user", i), Password: "the-same-password"})
	}
	r := newRig(t, nextcloudtest.Options{Users: users})
	var wait sync.WaitGroup
	for _, u := range users {
		for range 3 {
			wait.Go(func() {
				p, err := r.Prove(t.Context(), u.ID, "the-same-password", home)
				if err != nil || string(p.Subject) != u.ID {
					t.Errorf("%s: %v, %v", u.ID, p, err)
				}
			})
		}
	}
	wait.Wait()
}
