package dataleg_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

func TestSingleUser(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	leg := dataleg.NewSingle(r.host, nextcloud.Basic{LoginName: "alice", Password: "alice-password-1"}, nil)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			nc, err := leg.Client(t.Context(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			if id, err := nc.UserID(t.Context()); err != nil || id != "alice" {
				t.Errorf("%q, %v", id, err)
			}
		})
	}
	wait.Wait()
	if n := r.sim.CountRequests("", "/ocs/v2.php/cloud/user"); n != 1 {
		t.Errorf("the password was proved %d times", n)
	}
	if st := leg.Status(); st.Problem {
		t.Errorf("status %+v", st)
	}
}

// TestWrongPasswordIsSentRarely: a dozen refusals within half an hour shut out
// the address.
func TestWrongPasswordIsSentRarely(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	leg := dataleg.NewSingle(r.host, nextcloud.Basic{LoginName: "alice", Password: "wrong-password"}, nil)
	leg.SetNow(r.clock.Now)
	try := func() {
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if _, err := leg.Client(t.Context(), nil); !errors.Is(err, nextcloud.ErrUnauthenticated) {
					t.Errorf("wrong password: %v", err)
				}
			})
		}
		wait.Wait()
	}
	try()
	if n := r.sim.BadLogins(); n != 1 {
		t.Errorf("a wrong password was sent %d times", n)
	}
	if st := leg.Status(); !st.Problem || st.Detail == "" {
		t.Errorf("status %+v", st)
	}
	for range 30 {
		r.clock.advance(time.Minute)
		try()
	}
	if n := r.sim.CountRequests("", "/ocs/v2.php/cloud/user"); n > 6 {
		t.Errorf("a wrong password was sent %d times in half an hour", n)
	}
	// Enabled again, it is taken at the latest after an hour.
	r.sim.SetPassword("alice", "wrong-password")
	r.sim.ResetBruteForce()
	r.clock.advance(time.Hour)
	if _, err := leg.Client(t.Context(), nil); err != nil {
		t.Errorf("the right password: %v", err)
	}
}

// TestRefusedAdvice: whoever calls is told what to do about the credential
// that this process has.
func TestRefusedAdvice(t *testing.T) {
	t.Parallel()
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	wrong := nextcloud.Basic{LoginName: "alice", Password: "wrong-password"}
	for want, opts := range map[string]*dataleg.SingleOptions{
		"make an app password in Settings, Security": nil,
		"log in again": {Credential: "of a login", Refused: "log in again"},
	} {
		leg := dataleg.NewSingle(r.host, wrong, opts)
		if _, err := leg.Client(t.Context(), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if opts != nil && leg.Status().Credential != opts.Credential {
			t.Errorf("status %+v", leg.Status())
		}
	}
}
