package signin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/signin"
)

const (
	device   = "Claude via mcp.example.org (nextcloud-mcp-server)"
	redirect = "http://127.0.0.1:9/oauth/callback"
	exchange = "/ocs/v2.php/core/getapppassword"
	whoAmI   = "/ocs/v2.php/cloud/user"
	deletion = "/ocs/v2.php/core/apppassword"
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

func parse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// rig is a simulated Nextcloud with both ways to sign in.
type rig struct {
	sim   *nextcloudtest.Server
	clock *clock
	host  *nextcloud.Host
	flow  *signin.LoginFlow

	undeleted []apppassword.Password

	mu       sync.Mutex // guards the fields below
	provider *oidcclient.Provider
	client   oidcclient.Client
	refused  []string
}

func newRig(t *testing.T, sim nextcloudtest.Options) *rig {
	t.Helper()
	r := &rig{clock: newClock()}
	sim.Now = r.clock.Now
	r.sim = nextcloudtest.Start(t, &sim)
	r.host = nextcloud.NewHost(parse(t, r.sim.URL()), nil)
	r.flow = r.loginFlow(r.host)
	return r
}

func (r *rig) loginFlow(host *nextcloud.Host) *signin.LoginFlow {
	return signin.NewLoginFlow(host, &signin.LoginFlowOptions{
		Name: "mcp.example.org", Now: r.clock.Now,
		Undeleted: func(_ context.Context, p apppassword.Password) { r.undeleted = append(r.undeleted, p) },
	})
}

// through is the rig's host with other transport.
func (r *rig) through(rt http.RoundTripper) *nextcloud.Host {
	return nextcloud.NewHost(r.host.Base(), &nextcloud.HostOptions{Transport: rt})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// approve is a person who goes through a flow.
func approve(t *testing.T, f *signin.Flow, user, password string) {
	t.Helper()
	page, err := nextcloudtest.NewBrowser(user, password).Complete(t.Context(), f.LoginURL)
	if err != nil || page.Status != http.StatusOK {
		t.Fatalf("browser came to %+v, %v", page, err)
	}
}

func start(t *testing.T, l *signin.LoginFlow) *signin.Flow {
	t.Helper()
	f, err := l.Start(t.Context(), device)
	if err != nil {
		t.Fatal(err)
	}
	return again(t, f)
}

// again is v as it comes back from storage.
func again[T any](t *testing.T, v *T) *T {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out := new(T)
	if err := json.Unmarshal(data, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantProblem(t *testing.T, err error, want signin.ProblemCode) {
	t.Helper()
	var p *signin.Problem
	if !errors.As(err, &p) || p.Code != want {
		t.Errorf("error %v, want the problem %s", err, want)
	}
}

// wantWorks checks that a credential is an app password that works for user.
func (r *rig) wantWorks(t *testing.T, o *signin.Outcome, user nextcloud.UserID) {
	t.Helper()
	if o.Credential.Kind != "app_password" || o.Credential.Host != r.host.Base().String() {
		t.Fatalf("credential of kind %q for %q", o.Credential.Kind, o.Credential.Host)
	}
	p := apppassword.Password{LoginName: o.Person.LoginName, Secret: o.Credential.Secret}
	u, err := p.Client(r.host, nil).CurrentUser(t.Context())
	if err != nil || u.ID != user || o.Person.UserID != user {
		t.Errorf("the app password is of %+v (%v), the person %+v, want %s", u, err, o.Person, user)
	}
}

// wantPasswords checks how many app passwords a user has.
func (r *rig) wantPasswords(t *testing.T, user string, n int) {
	t.Helper()
	if got := r.sim.AppPasswords(user); len(got) != n {
		t.Errorf("%s has the app passwords %+v, want %d", user, got, n)
	}
}

// discover makes the provider at discovery the one of the rig, with client.
func (r *rig) discover(t *testing.T, discovery string, client oidcclient.Client) {
	t.Helper()
	p, err := oidcclient.Discover(t.Context(), r.host.HTTP(), discovery+oidcclient.WellKnown, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.provider, r.client = p, client
}

// own makes the oidc app the provider of the rig.
func (r *rig) own(t *testing.T) *signin.OIDC {
	t.Helper()
	c := r.sim.AddClient(nextcloudtest.ClientConfig{Name: "us", RedirectURIs: []string{redirect}})
	r.discover(t, r.sim.URL(), oidcclient.Client{ID: c.ID, Secret: auth.Secret(c.Secret)})
	return r.oidc(signin.OIDCOptions{})
}

func (r *rig) oidc(opts signin.OIDCOptions) *signin.OIDC {
	opts.RedirectURI, opts.Now = redirect, r.clock.Now
	opts.RefusedClient = func(_ context.Context, id string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.refused = append(r.refused, id)
	}
	return signin.NewOIDC(r.host, func() (*oidcclient.Provider, oidcclient.Client, bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.provider, r.client, r.provider != nil
	}, opts)
}

func (r *rig) refusals() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused
}

func begin(t *testing.T, o *signin.OIDC, opts *signin.StartOptions) *signin.Attempt {
	t.Helper()
	a, err := o.Start(t.Context(), device, opts)
	if err != nil {
		t.Fatal(err)
	}
	return again(t, a)
}

// visit is a person who signs in; the answer is what comes back.
func visit(t *testing.T, a *signin.Attempt, user, password string) url.Values {
	t.Helper()
	back, err := nextcloudtest.NewBrowser(user, password).Visit(t.Context(), a.URL, redirect)
	if err != nil {
		t.Fatal(err)
	}
	return back.Query()
}

// signIn is a whole sign-in.
func signIn(t *testing.T, o *signin.OIDC, user, password string) *signin.Outcome {
	t.Helper()
	a := begin(t, o, nil)
	out, err := o.Finish(t.Context(), a, visit(t, a, user, password))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// inProcess serves requests without a network, so that it works under synctest.
func inProcess(h http.Handler) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Body == nil {
			r.Body = http.NoBody
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		res := w.Result()
		res.Request = r
		return res, nil
	})
}
