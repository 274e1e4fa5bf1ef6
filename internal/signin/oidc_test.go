package signin_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// TestOwnProvider: what a sign-in at Nextcloud's oidc app comes to, on each
// version and where app passwords for tokens are forbidden.
func TestOwnProvider(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		sim  nextcloudtest.Options
		why  signin.Reason
		kind store.CredentialKind
		user nextcloud.UserID
	}{
		{name: "34", sim: nextcloudtest.Options{Version: "34.0.1"}, kind: store.AppPasswordCredential, user: "alice"},
		{name: "34, JWT", sim: nextcloudtest.Options{Version: "34.0.1", TokenType: "jwt"}, kind: store.AppPasswordCredential, user: "alice"},
		{name: "34, people choose scopes", sim: nextcloudtest.Options{Consent: true}, kind: store.AppPasswordCredential, user: "alice"},
		{name: "32", sim: nextcloudtest.Options{Version: "32.0.0"}, kind: store.AppPasswordCredential, user: "alice"},
		{name: "31.0.3", sim: nextcloudtest.Options{Version: "31.0.3"}, kind: store.AppPasswordCredential, user: "alice"},
		{name: "31.0.2", sim: nextcloudtest.Options{Version: "31.0.2"}, why: signin.ExchangeEndsSoon, user: "alice"},
		{name: "30", sim: nextcloudtest.Options{Version: "30.0.5"}, why: signin.ExchangeEndsSoon, user: "alice"},
		{name: "29", sim: nextcloudtest.Options{Version: "29.0.1"}, why: signin.NoExchange, user: "alice"},
		{name: "28", sim: nextcloudtest.Options{Version: "28.0.2"}, why: signin.NoExchange, user: "alice"},
		{name: "no user_oidc", sim: nextcloudtest.Options{DisableUserOIDC: true}, why: signin.TokenNotTaken},
		{name: "exchange forbidden", sim: nextcloudtest.Options{ForbidAppPasswords: true}, kind: store.RefreshTokenCredential, user: "alice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.sim)
			out := signIn(t, r.own(t), "alice", "alice-password-1")
			want := signin.Person{
				UserID: c.user, LoginName: nextcloud.LoginName(c.user), DisplayName: "Alice Example",
				Issuer: r.sim.URL(), Subject: "alice", Method: store.ByOIDC,
			}
			if diff := cmp.Diff(want, out.Person); diff != "" {
				t.Errorf("person (-want +got):\n%s", diff)
			}
			if out.LoginFlow != c.why || out.Credential.Kind != c.kind {
				t.Errorf("goes on with Login Flow because of %q, credential %q; want %q, %q", out.LoginFlow, out.Credential.Kind, c.why, c.kind)
			}
			if c.kind != store.AppPasswordCredential {
				r.wantPasswords(t, "alice", 0)
				return
			}
			r.wantWorks(t, out, "alice")
			r.clock.advance(6 * time.Minute)
			r.wantWorks(t, out, "alice")
			if got := r.sim.AppPasswords("alice"); len(got) != 1 || got[0].Name != device {
				t.Errorf("app passwords %+v, want one named by client and server", got)
			}
		})
	}
}

// TestExchangeForbidden without a refresh token leaves Login Flow, which works
// there.
func TestExchangeForbidden(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{ForbidAppPasswords: true})
	c := r.sim.AddClient(nextcloudtest.ClientConfig{RedirectURIs: []string{redirect}, Scope: "openid profile"})
	r.discover(t, r.sim.URL(), oidcclient.Client{ID: c.ID, Secret: auth.Secret(c.Secret)})
	first := signIn(t, r.oidc(signin.OIDCOptions{}), "alice", "alice-password-1")
	if first.LoginFlow != signin.ExchangeForbidden || first.Credential != (store.Credential{}) {
		t.Fatalf("came to %q with %q", first.LoginFlow, first.Credential.Kind)
	}
	f := start(t, r.flow)
	approve(t, f, "alice", "alice-password-1")
	out, err := r.flow.Poll(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.flow.Continue(t.Context(), first.Person, out); err != nil {
		t.Error(err)
	}
	r.wantWorks(t, out, "alice")
}

// TestNoCredential: who only opens their account page leaves nothing behind.
func TestNoCredential(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	o := r.own(t)
	a := begin(t, o, &signin.StartOptions{NoCredential: true})
	if strings.Contains(a.URL, "offline_access") {
		t.Error("a refresh token is asked for")
	}
	out, err := o.Finish(t.Context(), a, visit(t, a, "bob", "bob-password-1"))
	if err != nil {
		t.Fatal(err)
	}
	if out.Person.UserID != "bob" || out.Credential != (store.Credential{}) || out.LoginFlow != "" {
		t.Errorf("outcome for %q with %q, %q", out.Person.UserID, out.Credential.Kind, out.LoginFlow)
	}
	if n := r.sim.CountRequests("", exchange); n != 0 {
		t.Errorf("%d exchanges", n)
	}
	r.wantPasswords(t, "bob", 0)
}

// TestAuthorizationRequest: what the browser is sent with.
func TestAuthorizationRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	r.own(t)
	version := ""
	o := r.oidc(signin.OIDCOptions{Resource: "https://cloud.example", Version: func() string { return version }})
	query := func(opts *signin.StartOptions) url.Values {
		a := begin(t, o, opts)
		q := parse(t, a.URL).Query()
		if strings.Contains(a.URL, a.Verifier) || len(a.State) < 26 || len(a.Nonce) < 26 || q.Get("state") != a.State || q.Get("nonce") != a.Nonce {
			t.Error("state or nonce are missing, or the verifier is told")
		}
		return q
	}
	q := query(nil)
	for name, want := range map[string]string{
		"response_type": "code", "client_id": r.client.ID, "redirect_uri": redirect, "code_challenge_method": "S256",
		"scope": "openid profile email offline_access", "prompt": "",
		"resource": "", // Nextcloud's own tokens are taken whatever their audience
	} {
		if got := q.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(q.Get("code_challenge")) != 43 {
		t.Errorf("code_challenge %q", q.Get("code_challenge"))
	}
	if again := query(&signin.StartOptions{Again: true}); again.Get("prompt") != "login" || again.Get("code_challenge") == q.Get("code_challenge") {
		t.Errorf("again: %v", again)
	}
	// A refresh token is no help where app APIs take no token, or passwords last
	// too short for an exchange.
	for version = range map[string]bool{"29.0.1": true, "31.0.2": true} {
		if got := query(nil).Get("scope"); got != "openid profile email" {
			t.Errorf("on %s the scope is %q", version, got)
		}
	}
	// Nor once app passwords were given for tokens.
	version = "34.0.1"
	signIn(t, o, "alice", "alice-password-1")
	if got := query(nil).Get("scope"); got != "openid profile email" {
		t.Errorf("after an exchange the scope is %q", got)
	}
}

// TestOldProviderIgnoresPKCE: Nextcloud 28 and 29; the request is the same.
func TestOldProviderIgnoresPKCE(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{Version: "28.0.2"})
	a := begin(t, r.own(t), nil)
	if parse(t, a.URL).Query().Get("code_challenge_method") != "S256" {
		t.Error("no PKCE")
	}
}

// TestVersionUnknown is asked for, and what fails then says why.
func TestVersionUnknown(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	o := r.own(t)
	a := begin(t, o, nil)
	back := visit(t, a, "alice", "alice-password-1")
	r.sim.Fault(nextcloudtest.Fault{PathPrefix: "/status.php", Status: http.StatusTooManyRequests, Body: "no"})
	_, err := o.Finish(t.Context(), a, back)
	wantProblem(t, err, signin.TooMany)
	r.wantPasswords(t, "alice", 0)
}

// TestNextcloudFails between the code and the credential.
func TestNextcloudFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault nextcloudtest.Fault
		want  signin.ProblemCode
	}{
		"who am I, broken":    {nextcloudtest.Fault{PathPrefix: whoAmI, Status: http.StatusInternalServerError, Body: "x"}, signin.Unreachable},
		"who am I, slow down": {nextcloudtest.Fault{PathPrefix: whoAmI, Status: http.StatusTooManyRequests, Body: "x"}, signin.TooMany},
		"exchange, broken":    {nextcloudtest.Fault{PathPrefix: exchange, Status: http.StatusBadGateway, Body: "x"}, signin.Unreachable},
		"exchange, cut":       {nextcloudtest.Fault{PathPrefix: exchange, Reset: true}, signin.Unreachable},
		"tokens, broken":      {nextcloudtest.Fault{PathPrefix: "/apps/oidc/token", Status: http.StatusInternalServerError, Body: "x"}, signin.ProviderDown},
		"tokens, slow down":   {nextcloudtest.Fault{PathPrefix: "/apps/oidc/token", Status: http.StatusTooManyRequests, Body: "x"}, signin.TooMany},
		"tokens, maintenance": {nextcloudtest.Fault{PathPrefix: "/apps/oidc/token", Status: http.StatusServiceUnavailable, Body: "x", Header: http.Header{"X-Nextcloud-Maintenance-Mode": {"1"}}}, signin.Maintenance},
		"tokens, a web page":  {nextcloudtest.Fault{PathPrefix: "/apps/oidc/token", HTML: true}, signin.ProviderMistake},
		"tokens, cut":         {nextcloudtest.Fault{PathPrefix: "/apps/oidc/token", CutBody: 20}, signin.ProviderDown},
		"tokens, a redirect":  {nextcloudtest.Fault{PathPrefix: "/apps/oidc/token", Status: http.StatusTemporaryRedirect, Body: "x", Header: http.Header{"Location": {"/apps/oidc/elsewhere"}}}, signin.ProviderMistake},
		"keys, broken":        {nextcloudtest.Fault{PathPrefix: "/apps/oidc/jwks", Status: http.StatusInternalServerError, Body: "x"}, signin.ProviderDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nextcloudtest.Options{})
			o := r.own(t)
			a := begin(t, o, nil)
			back := visit(t, a, "alice", "alice-password-1")
			r.sim.Fault(c.fault)
			_, err := o.Finish(t.Context(), a, back)
			wantProblem(t, err, c.want)
			for _, secret := range []string{back.Get("code"), a.Verifier, r.client.Secret.Reveal()} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("error %v holds a secret", err)
				}
			}
			r.wantPasswords(t, "alice", 0)
			if n := r.sim.CountRequests("", "/apps/oidc/elsewhere"); n != 0 {
				t.Error("the code and the client secret followed a redirect")
			}
		})
	}
}

// TestCallerLeaves in the middle: no app password is left that nobody knows.
func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	ctx, leave := context.WithCancel(t.Context())
	r.host = r.through(roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.URL.Path == exchange {
			leave()
		}
		return http.DefaultTransport.RoundTrip(req)
	}))
	o := r.own(t)
	a := begin(t, o, nil)
	out, err := o.Finish(ctx, a, visit(t, a, "alice", "alice-password-1"))
	if err != nil {
		t.Fatal(err)
	}
	r.wantWorks(t, out, "alice")
}

// TestOwnClientIsReplaced: a code comes back to the client it was asked with,
// and a client that the provider refuses is reported.
func TestOwnClientIsReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	r.own(t)
	old := r.client
	lookup := func(_ context.Context, id string) (oidcclient.Client, error) {
		if id != old.ID {
			return oidcclient.Client{}, oidcclient.ErrUnknownClient
		}
		return old, nil
	}
	o := r.oidc(signin.OIDCOptions{Lookup: lookup})
	a := begin(t, o, nil)
	back := visit(t, a, "alice", "alice-password-1")
	r.own(t) // another client from now on
	if _, err := o.Finish(t.Context(), a, back); err != nil {
		t.Errorf("with the client of before: %v", err)
	}

	a = begin(t, o, nil)
	back = visit(t, a, "alice", "alice-password-1")
	a.ClientID = "gone"
	_, err := o.Finish(t.Context(), a, back)
	wantProblem(t, err, signin.ProviderRefusesUs)

	a = begin(t, o, nil)
	back = visit(t, a, "alice", "alice-password-1")
	if len(r.refusals()) != 0 {
		t.Errorf("refused so far: %q", r.refusals())
	}
	r.mu.Lock()
	r.client.Secret = "wrong"
	r.mu.Unlock()
	_, err = o.Finish(t.Context(), a, back)
	wantProblem(t, err, signin.ProviderRefusesUs)
	if got := r.refusals(); !slices.Equal(got, []string{a.ClientID}) {
		t.Errorf("refused %q, want %q", got, a.ClientID)
	}
}

// TestRefresh: the data leg goes on with this server's own token.
func TestRefresh(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{ForbidAppPasswords: true})
	o := r.own(t)
	credential := signIn(t, o, "alice", "alice-password-1").Credential.Secret
	access, expires, next, err := o.Refresh(t.Context(), credential)
	if err != nil {
		t.Fatal(err)
	}
	u, err := nextcloud.New(r.host, nextcloud.Bearer{Token: access}, nil).CurrentUser(t.Context())
	if err != nil || u.ID != "alice" {
		t.Errorf("the access token is of %+v, %v", u, err)
	}
	if left := expires.Sub(r.clock.Now()); left != 15*time.Minute {
		t.Errorf("expires in %v", left)
	}
	if next == credential {
		t.Error("the new refresh token is not the next one")
	}
	_, _, _, err = o.Refresh(t.Context(), credential)
	wantProblem(t, err, signin.Refused)

	// The client of before is asked for by its id.
	before := r.client
	r.own(t)
	_, _, _, err = o.Refresh(t.Context(), next)
	wantProblem(t, err, signin.Refused)
	o = r.oidc(signin.OIDCOptions{Lookup: func(context.Context, string) (oidcclient.Client, error) { return before, nil }})
	if _, _, next, err = o.Refresh(t.Context(), next); err != nil {
		t.Fatal(err)
	}

	for name, fault := range map[string]nextcloudtest.Fault{
		"broken": {Status: http.StatusInternalServerError, Body: "x", Times: 1}, "slow down": {Status: http.StatusTooManyRequests, Body: "x", Times: 1},
		"reset": {Reset: true, Times: 1}, "a web page": {HTML: true, Times: 1},
	} {
		fault.PathPrefix = "/apps/oidc/token"
		clearFault := r.sim.Fault(fault)
		_, _, _, err := o.Refresh(t.Context(), next)
		t.Log(name)
		wantProblem(t, err, signin.ProviderDown)
		clearFault()
	}
	o = r.oidc(signin.OIDCOptions{Lookup: func(context.Context, string) (oidcclient.Client, error) {
		return oidcclient.Client{}, errors.New("the database is away")
	}})
	_, _, _, err = o.Refresh(t.Context(), next)
	wantProblem(t, err, signin.ProviderDown)
	r.sim.RevokeTokens("alice")
	o = r.oidc(signin.OIDCOptions{Lookup: func(context.Context, string) (oidcclient.Client, error) { return before, nil }})
	_, _, _, err = o.Refresh(t.Context(), next)
	wantProblem(t, err, signin.Refused)
}

// TestNoProvider: nothing is ready yet.
func TestNoProvider(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	o := r.oidc(signin.OIDCOptions{})
	if o.Available() {
		t.Error("available without a provider")
	}
	_, err := o.Start(t.Context(), device, nil)
	wantProblem(t, err, signin.ProviderDown)
	_, err = o.Finish(t.Context(), &signin.Attempt{State: "s", StartedAt: r.clock.Now()}, url.Values{"state": {"s"}, "code": {"c"}})
	wantProblem(t, err, signin.ProviderDown)
	_, _, _, err = o.Refresh(t.Context(), "x")
	wantProblem(t, err, signin.ProviderDown)
	r.own(t)
	if !o.Available() {
		t.Error("not available with a provider")
	}
}
