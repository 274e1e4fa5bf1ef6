package signin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
)

// TestLoginFlow: a whole sign-in on each version.
func TestLoginFlow(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"28.0.2", "29.0.1", "30.0.5", "31.0.2", "34.0.1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nextcloudtest.Options{Version: version})
			f := start(t, r.flow)
			if _, err := r.flow.Poll(t.Context(), f); !errors.Is(err, signin.ErrPending) {
				t.Errorf("before the person was there: %v", err)
			}
			approve(t, f, "alice", "alice-password-1")
			out, err := r.flow.Poll(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			want := signin.Person{
				UserID: "alice", LoginName: "alice", DisplayName: "Alice Example",
				Issuer: r.sim.URL(), Subject: "alice", Method: store.ByLoginFlow,
			}
			if diff := cmp.Diff(want, out.Person); diff != "" {
				t.Errorf("person (-want +got):\n%s", diff)
			}
			r.wantWorks(t, out, "alice")
			if got := r.sim.AppPasswords("alice"); len(got) != 1 || got[0].Name != device {
				t.Errorf("app passwords %+v, want one named by client and server", got)
			}
			r.clock.advance(6 * time.Minute)
			r.wantWorks(t, out, "alice")
			// The answer comes only once.
			if _, err := r.flow.Poll(t.Context(), f); !errors.Is(err, signin.ErrPending) {
				t.Errorf("second poll: %v", err)
			}
			r.flow.Discard(t.Context(), out)
			r.wantPasswords(t, "alice", 0)
			if out.Credential != (store.Credential{}) {
				t.Error("a discarded credential is still there")
			}
		})
	}
}

// TestUserIDIsNotTheLoginName: with LDAP and with e-mail logins they differ.
func TestUserIDIsNotTheLoginName(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{Users: []nextcloudtest.User{{ID: "5f1c-77", LoginName: "anne@example.org", Password: "anne-password-1"}}})
	f := start(t, r.flow)
	approve(t, f, "anne@example.org", "anne-password-1")
	out, err := r.flow.Poll(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if out.Person.UserID != "5f1c-77" || out.Person.LoginName != "anne@example.org" || out.Person.Subject != "5f1c-77" {
		t.Errorf("person %+v", out.Person)
	}
	r.wantWorks(t, out, "5f1c-77")
}

func TestFlowExpires(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	f := start(t, r.flow)
	r.clock.advance(signin.FlowLife - time.Second)
	if _, err := r.flow.Poll(t.Context(), f); !errors.Is(err, signin.ErrPending) {
		t.Errorf("within its time: %v", err)
	}
	r.clock.advance(2 * time.Second)
	_, err := r.flow.Poll(t.Context(), f)
	wantProblem(t, err, signin.FlowExpired)
}

// TestAllowedUserAgents: Nextcloud begins the flow and tells only the person,
// on its second page, that the application is not allowed.
func TestAllowedUserAgents(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{AllowedUserAgents: []string{`(?i)nextcloud-android`}})
	_, err := r.flow.Start(t.Context(), device)
	wantProblem(t, err, signin.FlowForbidden)

	r = newRig(t, nextcloudtest.Options{AllowedUserAgents: []string{`nextcloud-mcp-server`}})
	approve(t, start(t, r.flow), "alice", "alice-password-1")
	r.wantPasswords(t, "alice", 1)
	pages := r.sim.CountRequests(http.MethodGet, "/index.php/login/v2/flow")
	start(t, r.flow)
	if n := r.sim.CountRequests(http.MethodGet, "/index.php/login/v2/flow"); n != pages {
		t.Errorf("a device that was let in is tried again")
	}
}

// foreign is a host that must never be asked.
func foreign(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a foreign host was asked for %s", r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestForeignAddresses: whatever host the answer names, the token goes to our
// Nextcloud and the person to its public address.
func TestForeignAddresses(t *testing.T) {
	t.Parallel()
	evil := foreign(t)
	const public = "https://cloud.example.org/nextcloud"
	for _, c := range []struct {
		name, base, public, login, poll string
		wantLogin, wantPoll             string
		problem                         signin.ProblemCode
	}{
		{
			name: "a foreign poll endpoint", base: "http://internal", public: public,
			login: public + "/login/v2/flow/tok", poll: evil.URL + "/login/v2/poll",
			wantLogin: public + "/login/v2/flow/tok", wantPoll: "/login/v2/poll",
		},
		{
			name: "an internal name in the link", base: "http://internal", public: public,
			login: "http://internal/index.php/login/v2/flow/tok", poll: "http://internal/index.php/login/v2/poll",
			wantLogin: public + "/index.php/login/v2/flow/tok", wantPoll: "/index.php/login/v2/poll",
		},
		{
			name: "both below a path", base: "http://internal/nc", public: public,
			login: "http://internal/nc/login/v2/flow/tok", poll: public + "/login/v2/poll",
			wantLogin: public + "/login/v2/flow/tok", wantPoll: "/login/v2/poll",
		},
		{
			name: "a poll endpoint elsewhere on the host", base: "http://internal", public: public,
			login: "http://internal/login/v2/flow/tok", poll: "http://internal/apps/evil?x=",
			wantLogin: public + "/login/v2/flow/tok", wantPoll: "/index.php/login/v2/poll",
		},
		{
			name: "a poll endpoint of another kind", base: "http://internal", public: public,
			login: "http://internal/login/v2/flow/tok", poll: "http://internal/apps/evil",
			wantLogin: public + "/login/v2/flow/tok", wantPoll: "/index.php/login/v2/poll",
		},
		{name: "a link that is no link", base: "http://internal", public: public, login: "javascript:alert(1)", poll: "http://internal/login/v2/poll", problem: signin.Unreachable},
		{name: "a link with dots", base: "http://internal", public: public, login: "http://internal/login/../../evil", poll: "http://internal/login/v2/poll", problem: signin.Unreachable},
		{name: "a link with a name", base: "http://internal", public: public, login: "http://alice@internal/login/v2/flow/tok", poll: "http://internal/login/v2/poll", problem: signin.Unreachable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			rt := roundTrip(func(r *http.Request) (*http.Response, error) {
				asked = append(asked, r.URL.String())
				w := httptest.NewRecorder()
				switch {
				case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/login/v2"):
					_ = json.NewEncoder(w).Encode(map[string]any{"poll": map[string]string{"token": "secret", "endpoint": c.poll}, "login": c.login})
				case r.Method == http.MethodPost:
					w.WriteHeader(http.StatusNotFound)
				}
				res := w.Result()
				res.Request = r
				return res, nil
			})
			host := nextcloud.NewHost(parse(t, c.base), &nextcloud.HostOptions{Public: parse(t, c.public), Transport: rt})
			l := signin.NewLoginFlow(host, nil)
			f, err := l.Start(t.Context(), device)
			if c.problem != "" {
				wantProblem(t, err, c.problem)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if f.LoginURL != c.wantLogin {
				t.Errorf("login link %s, want %s", f.LoginURL, c.wantLogin)
			}
			if _, err := l.Poll(t.Context(), f); !errors.Is(err, signin.ErrPending) {
				t.Error(err)
			}
			if got := asked[len(asked)-1]; got != c.base+c.wantPoll {
				t.Errorf("polled %s, want %s", got, c.base+c.wantPoll)
			}
		})
	}
}

// TestOtherServer: an answer that names another Nextcloud is not believed, and
// its app password is deleted at the one that gave it, without asking more.
func TestOtherServer(t *testing.T) {
	t.Parallel()
	evil := foreign(t)
	for server, problem := range map[string]signin.ProblemCode{
		evil.URL:                              signin.OtherServer,
		"https://cloud.example.org/other":     signin.OtherServer,
		"https://cloud.example.org.evil":      signin.OtherServer,
		"https://cloud.example.org@evil/":     signin.OtherServer,
		"":                                    "",
		"http://cloud.example.org":            "",
		"https://CLOUD.example.org:443/":      "",
		"https://cloud.example.org/index.php": "",
	} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nextcloudtest.Options{FlowServer: server})
			host := nextcloud.NewHost(r.host.Base(), &nextcloud.HostOptions{Public: parse(t, "https://cloud.example.org")})
			l := r.loginFlow(host)
			f := start(t, l)
			f.LoginURL = strings.Replace(f.LoginURL, "https://cloud.example.org", r.sim.URL(), 1)
			approve(t, f, "alice", "alice-password-1")
			r.sim.ResetRequests()
			_, err := l.Poll(t.Context(), f)
			if problem == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantProblem(t, err, problem)
			r.wantPasswords(t, "alice", 0)
			if n := r.sim.CountRequests("", whoAmI); n != 0 {
				t.Errorf("the password was used before it was dropped")
			}
		})
	}
}

// TestPasswordRefused: a refused password is not sent again, each time counts
// as a failed login of the whole server.
func TestPasswordRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	f := start(t, r.flow)
	approve(t, f, "alice", "alice-password-1")
	r.sim.RevokeAppPasswords("alice")
	r.sim.ResetRequests()
	_, err := r.flow.Poll(t.Context(), f)
	wantProblem(t, err, signin.PasswordRefused)
	if n := r.sim.RequestCount(); n != 2 {
		t.Errorf("%d requests, want the poll and one with the password", n)
	}
}

func TestPasswordsForbidden(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	f := start(t, r.flow)
	approve(t, f, "alice", "alice-password-1")
	r.sim.Fault(nextcloudtest.Fault{PathPrefix: whoAmI, Status: http.StatusForbidden, Body: "no"})
	_, err := r.flow.Poll(t.Context(), f)
	wantProblem(t, err, signin.PasswordsForbidden)
	r.wantPasswords(t, "alice", 0)
}

// TestStartProblems: what Nextcloud answers to the first request.
func TestStartProblems(t *testing.T) {
	t.Parallel()
	for want, fault := range map[signin.ProblemCode]nextcloudtest.Fault{
		signin.FlowForbidden: {Status: http.StatusForbidden, Body: "no"},
		signin.TooMany:       {Status: http.StatusTooManyRequests, Body: "slow down"},
		signin.Unreachable:   {Reset: true},
	} {
		r := newRig(t, nextcloudtest.Options{})
		r.sim.Fault(fault)
		_, err := r.flow.Start(t.Context(), device)
		wantProblem(t, err, want)
	}
	for name, fault := range map[string]nextcloudtest.Fault{
		"a web page": {HTML: true}, "cut off": {CutBody: 10}, "broken": {GarbageJSON: true}, "another shape": {Body: `{"poll":[],"login":7}`},
		"empty": {Body: `{}`}, "gone": {Status: http.StatusNotFound, Body: "x"}, "broken server": {Status: http.StatusInternalServerError, Body: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nextcloudtest.Options{})
			r.sim.Fault(fault)
			_, err := r.flow.Start(t.Context(), device)
			wantProblem(t, err, signin.Unreachable)
		})
	}
	r := newRig(t, nextcloudtest.Options{})
	f := start(t, r.flow)
	r.sim.SetMaintenance(true)
	_, err := r.flow.Start(t.Context(), device)
	wantProblem(t, err, signin.Maintenance)
	_, err = r.flow.Poll(t.Context(), f)
	wantProblem(t, err, signin.Maintenance)
	r.sim.SetMaintenance(false)
	if _, err = r.flow.Poll(t.Context(), f); !errors.Is(err, signin.ErrPending) {
		t.Errorf("after the maintenance: %v", err)
	}
	r.sim.Fault(nextcloudtest.Fault{Status: http.StatusForbidden, Body: "no"})
	_, err = r.flow.Poll(t.Context(), f)
	wantProblem(t, err, signin.FlowForbidden)
}

// TestPasswordIsNotLost: Nextcloud hands the password out once, so what is
// asked next is asked again when the line fails, and whoever polled may leave.
func TestPasswordIsNotLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := nextcloudtest.New(&nextcloudtest.Options{BaseURL: "http://cloud.test"})
		failures := 3
		ctx, leave := context.WithCancel(t.Context())
		rt := roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == whoAmI && failures > 0 {
				leave()
				failures--
				return nil, errors.New("the line is down")
			}
			return inProcess(sim).RoundTrip(r)
		})
		l := signin.NewLoginFlow(nextcloud.NewHost(parse(t, "http://cloud.test"), &nextcloud.HostOptions{Transport: rt}), nil)
		f := start(t, l)
		b := nextcloudtest.NewBrowser("alice", "alice-password-1")
		b.Transport = inProcess(sim)
		if _, err := b.Complete(t.Context(), f.LoginURL); err != nil {
			t.Fatal(err)
		}
		out, err := l.Poll(ctx, f)
		if err != nil || out.Person.UserID != "alice" || failures != 0 {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// TestPasswordIsDropped when nobody can say whose it is: at Nextcloud, or, when
// that cannot be reached at all, by whoever tries again later.
func TestPasswordIsDropped(t *testing.T) {
	t.Parallel()
	for name, dead := range map[string]bool{"only that question fails": false, "nothing works": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := nextcloudtest.New(&nextcloudtest.Options{BaseURL: "http://cloud.test"})
				rt := roundTrip(func(r *http.Request) (*http.Response, error) {
					if r.URL.Path == whoAmI || (dead && r.URL.Path == deletion) {
						return nil, errors.New("the line is down")
					}
					return inProcess(sim).RoundTrip(r)
				})
				r := &rig{sim: sim, clock: newClock(), host: nextcloud.NewHost(parse(t, "http://cloud.test"), &nextcloud.HostOptions{Transport: rt})}
				l := r.loginFlow(r.host)
				f, err := l.Start(t.Context(), device)
				if err != nil {
					t.Fatal(err)
				}
				b := nextcloudtest.NewBrowser("alice", "alice-password-1")
				b.Transport = inProcess(sim)
				if _, err := b.Complete(t.Context(), f.LoginURL); err != nil {
					t.Fatal(err)
				}
				_, err = l.Poll(t.Context(), f)
				wantProblem(t, err, signin.Unreachable)
				if dead {
					r.wantPasswords(t, "alice", 1)
					if len(r.undeleted) != 1 || r.undeleted[0].LoginName != "alice" || r.undeleted[0].Secret == "" {
						t.Errorf("told of %d passwords that are left", len(r.undeleted))
					}
					return
				}
				r.wantPasswords(t, "alice", 0)
				if len(r.undeleted) != 0 {
					t.Error("told of a password that is gone")
				}
			})
		})
	}
}

// TestContinue: after the provider, the same person has to come.
func TestContinue(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{})
	outcome := func() *signin.Outcome {
		f := start(t, r.flow)
		approve(t, f, "bob", "bob-password-1")
		out, err := r.flow.Poll(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := outcome()
	for _, before := range []signin.Person{{}, {UserID: "bob"}, {Subject: "of the provider"}} {
		if err := r.flow.Continue(t.Context(), before, out); err != nil {
			t.Errorf("after %+v: %v", before, err)
		}
	}
	r.wantWorks(t, out, "bob")
	err := r.flow.Continue(t.Context(), signin.Person{UserID: "alice"}, out)
	wantProblem(t, err, signin.OtherPerson)
	r.wantPasswords(t, "bob", 0)
}

// TestNothingSecretIsPrinted: neither by fmt nor by slog.
func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	f := &signin.Flow{LoginURL: "https://x/canary", PollToken: "canary"}
	a := &signin.Attempt{State: "canary", Verifier: "canary", URL: "https://x/?canary"}
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(h).Info("x", "flow", f, "attempt", a, "flow value", *f, "attempt value", *a)
	}
	all := log.String() + fmt.Sprintf("%v %+v %#v %s %v %+v %#v %s", f, *f, f, f, a, *a, a, a)
	if strings.Contains(all, "canary") {
		t.Errorf("printed: %s", all)
	}
	r := newRig(t, nextcloudtest.Options{})
	r.sim.Fault(nextcloudtest.Fault{Status: http.StatusInternalServerError, Body: "token=canary", PathPrefix: "/login/v2/poll"})
	_, err := r.flow.Poll(t.Context(), &signin.Flow{PollToken: "canary", PollPath: "/login/v2/poll", StartedAt: r.clock.Now()})
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v", err)
	}
}
