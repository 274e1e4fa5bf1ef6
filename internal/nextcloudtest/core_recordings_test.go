package nextcloudtest

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// signedIn opens a browser session of a user and returns it with the value of its Cookie header.
func signedIn(t *testing.T, s *Server, userID string) (*session, string) {
	t.Helper()
	a := s.account(userID)
	if a == nil {
		t.Fatalf("no user %s", userID)
	}
	one := s.openSession(httptest.NewRecorder(), identity{account: a, loginName: a.profile().LoginName, how: byPassword})
	return one, sessionCookie + "=" + one.id
}

func TestRecordingsStatus(t *testing.T) {
	replayArea(t, startRecorded(t, nil), replayPlan{area: "status"})
}

func TestRecordingsCapabilities(t *testing.T) {
	replayArea(t, startRecorded(t, nil), replayPlan{area: "capabilities"})
}

func TestRecordingsUsers(t *testing.T) {
	s := startRecorded(t, nil)
	replayArea(t, s, replayPlan{
		area: "users-groups",
		before: func(_ *shapeReplay, x *exchange) {
			if strings.Contains(x.name, "app-password") {
				x.header.Set("Authorization", basic("alice", s.CreateAppPassword("alice", "test")))
			}
		},
	})
}

func TestRecordingsErrors(t *testing.T) {
	s := startRecorded(t, &Options{RateLimitRegistration: true})
	wrong := basic("alice", "wrong")
	replayArea(t, s, replayPlan{
		area: "errors",
		before: func(r *shapeReplay, x *exchange) {
			s.SetUntrustedDomain(strings.Contains(x.name, "untrusted-domain"))
			s.SetMaintenance(strings.Contains(x.name, "maintenance"))
			switch {
			case strings.Contains(x.name, "bad-password"):
				x.header.Set("Authorization", wrong)
			case strings.HasPrefix(x.name, "40-"):
				bad := httptest.NewRequestWithContext(r.t.Context(), "GET", "/", nil)
				bad.RemoteAddr = "127.0.0.1:1"
				for s.BadLogins() < s.opts.BruteForceLimit {
					s.noteBadLogin(bad)
				}
			case strings.HasPrefix(x.name, "43-"):
				s.ResetBruteForce()
				for range registrationsPerMinute {
					again := *x
					r.send(r.t, &again)
				}
			}
		},
	})
}

func TestRecordingsLoginFlow(t *testing.T) {
	s := startRecorded(t, nil)
	one, cookie := signedIn(t, s, "alice")
	const (
		recordedLogin       = "gDKwG1xxfAeI9YPAo9uq5WwApcNLxhqpoV5muPOb5GfsOUeliae8bmDHqBdZQIonH2vErmVcRYMFSg7ZzegLy6zVu7dGWAFc8K8TjbVPCYBCBXCMM6YCZcACG3DLeZj2"
		recordedState       = "JMqkKs4lM2fPQdACobiaOPqC9wWUExDxRQEJRPV69nR7JcGrRqUbx8RSl55H0YBg"
		recordedRequest     = "WdidBOip7hcGDu67sYl+NVuNCU+F1DFGtQZZezjBCzg=:A5fkQarYmidSYafjw7k6Zh/rPiHxoHILhlNrT0yJT1U="
		recordedAppPassword = "iXTqdQZGL6wdUgEYsruZLR5d4EXESq7GUvgUfGgNii48p4bUGGMOsEY57RhGHmjcVgmnR4GU"
	)
	replayArea(t, s, replayPlan{
		area: "login-flow-v2",
		before: func(r *shapeReplay, x *exchange) {
			if strings.Contains(x.name, "browser") {
				x.header.Set("Cookie", cookie)
			}
			switch x.name[:2] {
			case "04":
				login := r.replace[recordedBase+"/login/v2/flow/"+recordedLogin]
				r.replace[recordedLogin] = login[strings.LastIndex(login, "/")+1:]
			case "06":
				r.replace[recordedState], r.replace[recordedRequest] = one.stateToken, one.csrf
			case "10", "11", "12":
				x.header.Set("Authorization", basic("alice", r.replace[recordedAppPassword]))
			case "14":
				x.header.Set("Authorization", basic("alice", s.CreateAppPassword("alice", "test")))
			}
		},
	})
}
