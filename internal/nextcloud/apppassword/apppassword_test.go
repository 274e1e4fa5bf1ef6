package apppassword_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// rig is a simulated Nextcloud that takes the token "token" as alice's.
func rig(t *testing.T, opts nextcloudtest.Options) (*nextcloudtest.Server, *nextcloud.Host, *nextcloud.Client) {
	t.Helper()
	opts.AcceptBearer = func(token string) (string, bool) { return "alice", token == "token" }
	sim := nextcloudtest.Start(t, &opts)
	base, err := url.Parse(sim.URL())
	if err != nil {
		t.Fatal(err)
	}
	host := nextcloud.NewHost(base, nil)
	return sim, host, nextcloud.New(host, nextcloud.Bearer{Token: "token"}, &nextcloud.ClientOptions{UserAgent: "a device"})
}

func TestExchange(t *testing.T) {
	t.Parallel()
	sim, host, bearer := rig(t, nextcloudtest.Options{})
	p, err := apppassword.Exchange(t.Context(), host, bearer, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if got := sim.AppPasswords("alice"); len(got) != 1 || got[0].Name != "a device" {
		t.Errorf("app passwords %+v", got)
	}
	if u, err := p.Client(host, nil).CurrentUser(t.Context()); err != nil || u.ID != "alice" {
		t.Errorf("%+v, %v", u, err)
	}
	refused := false
	if err := p.Delete(t.Context(), host); err != nil {
		t.Error(err)
	}
	_, err = p.Client(host, &nextcloud.ClientOptions{Refused: func() { refused = true }}).CurrentUser(t.Context())
	if !errors.Is(err, nextcloud.ErrUnauthenticated) || !refused {
		t.Errorf("after the deletion: %v, told %v", err, refused)
	}
	if err := p.Delete(t.Context(), host); !errors.Is(err, nextcloud.ErrUnauthenticated) {
		t.Errorf("deleted twice: %v", err)
	}
}

// TestExchangeLeavesNothing: whatever goes wrong, no password is left that
// nobody knows, and the kind of the error says what to do.
func TestExchangeLeavesNothing(t *testing.T) {
	t.Parallel()
	const path, whoAmI = "/ocs/v2.php/core/getapppassword", "/ocs/v2.php/cloud/user"
	for name, c := range map[string]struct {
		opts  nextcloudtest.Options
		fault nextcloudtest.Fault
		user  nextcloud.UserID
		want  error
	}{
		"forbidden":           {opts: nextcloudtest.Options{ForbidAppPasswords: true}, user: "alice", want: nextcloud.ErrForbidden},
		"an old version":      {opts: nextcloudtest.Options{Version: "29.0.1"}, user: "alice", want: nextcloud.ErrForbidden},
		"of somebody else":    {user: "bob", want: nextcloud.ErrForbidden}, // the login name does not fit
		"an empty answer":     {fault: nextcloudtest.Fault{PathPrefix: path, Body: `{"ocs":{"meta":{"statuscode":200},"data":[]}}`}, user: "alice", want: nextcloud.ErrBadAnswer},
		"a proof that breaks": {fault: nextcloudtest.Fault{PathPrefix: whoAmI, Status: http.StatusInternalServerError, Body: "x"}, user: "alice", want: nextcloud.ErrUnavailable},
		"a proof of another": {
			fault: nextcloudtest.Fault{PathPrefix: whoAmI, Body: `{"ocs":{"meta":{"statuscode":200},"data":{"id":"mallory"}}}`},
			user:  "alice", want: nextcloud.ErrBadAnswer,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, host, bearer := rig(t, c.opts)
			if c.fault.PathPrefix != "" {
				sim.Fault(c.fault)
			}
			if _, err := apppassword.Exchange(t.Context(), host, bearer, c.user); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			left := len(sim.AppPasswords("alice"))
			if name == "of somebody else" {
				left-- // it cannot sign in, so it cannot delete itself either
			}
			if left != 0 {
				t.Errorf("%d app passwords are left", left)
			}
		})
	}
}
