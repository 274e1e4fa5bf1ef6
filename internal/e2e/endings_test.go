package e2e_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestEndings: however a connection ends, its tokens are refused at once, at
// the door, and its app password is gone from Nextcloud.
func TestEndings(t *testing.T) {
	t.Parallel()
	for _, stock := range []bool{false, true} {
		sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true, DisableOIDC: stock})
		for _, tc := range []struct {
			name string
			end  func(t *testing.T, sim *nextcloudtest.Server, p *program, tokens pair)
			// late says that this server learns of it by the next call only.
			late bool
			// kept says that Nextcloud keeps the app password: it is useless.
			kept bool
			// others says that the person's other connection ends too.
			others bool
		}{
			{name: "app passwords revoked in Nextcloud", late: true, others: true, end: func(_ *testing.T, sim *nextcloudtest.Server, _ *program, _ pair) {
				sim.RevokeAppPasswords("alice")
			}},
			{name: "user disabled", late: true, kept: true, end: func(_ *testing.T, sim *nextcloudtest.Server, _ *program, _ pair) {
				sim.DisableUser("alice", true)
			}},
			{name: "password reset by an administrator", late: true, kept: true, end: func(_ *testing.T, sim *nextcloudtest.Server, _ *program, _ pair) {
				sim.AdminResetPassword("alice", "another-password-2")
			}},
			{name: "refresh token revoked", end: func(t *testing.T, _ *nextcloudtest.Server, p *program, tokens pair) {
				t.Helper()
				if a, err := p.revoke(t.Context(), tokens.Refresh); err != nil || a.status != http.StatusOK {
					t.Errorf("revocation: %d %s, %v", a.status, a.body, err)
				}
			}},
			{name: "ended on the account page", end: accountButton("/end")},
			{name: "all ended on the account page", others: true, end: accountButton("/end-all")},
			{name: "client deleted itself", end: func(t *testing.T, _ *nextcloudtest.Server, p *program, _ pair) {
				t.Helper()
				own := *p
				own.headers = http.Header{"Authorization": {"Bearer " + p.registration}}
				if a, err := own.send(t.Context(), http.MethodDelete, p.at+"/oauth/register/"+p.id, "", ""); err != nil || a.status != http.StatusNoContent {
					t.Errorf("deletion: %d %s, %v", a.status, a.body, err)
				}
			}},
		} {
			t.Run(tc.name, func(t *testing.T) {
				sim, endpoint := sim, ""
				if tc.kept { // they change the person for good
					sim = nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true, DisableOIDC: stock})
				}
				endpoint, _ = serve(t, sim)
				connected(t, endpoint, "alice") // of another client
				p, tokens := connected(t, endpoint, "alice")
				lets(t, p, tokens.Access)
				if n := len(sim.AppPasswords("alice")); n != 2 {
					t.Fatalf("%d app passwords", n)
				}
				tc.end(t, sim, p, tokens)
				if tc.late {
					if ok, status, err := p.works(t.Context(), tokens.Access); ok || err != nil || status == http.StatusInternalServerError {
						t.Errorf("the first call after the end: %t %d %v", ok, status, err)
					}
				}
				shuts(t, p, tokens.Access)
				if a := post(t, endpoint, tokens.Access, nil); !strings.Contains(a.challenge(), `error="invalid_token"`) {
					t.Errorf("challenge %q", a.challenge())
				}
				got, err := p.refresh(t.Context(), tokens.Refresh)
				if got.Access != "" || err != nil || got.Error != "invalid_grant" && got.Error != "invalid_client" {
					t.Errorf("a refresh: %d %s, %v", got.status, got.body, err)
				}
				left := 1
				if tc.others {
					left = 0
				}
				if !tc.kept {
					until(t, "the app password's end", func() bool { return len(sim.AppPasswords("alice")) <= left })
				}
				if n := len(sim.AppPasswords("alice")); n < left {
					t.Error("another connection's app password is gone")
				}
				sim.RevokeAppPasswords("alice")
			})
		}
	}
}

// accountButton ends connections by a button of the account page.
func accountButton(action string) func(*testing.T, *nextcloudtest.Server, *program, pair) {
	return func(t *testing.T, _ *nextcloudtest.Server, p *program, _ pair) {
		t.Helper()
		b := site(p.at + "/mcp").Alice(t)
		page := granted(t, b, b.Get("/account"))
		if action == "/end" {
			action = newest(page, action)
		}
		if got := b.Submit(page, action, url.Values{}); got.Status != http.StatusOK {
			t.Errorf("%s: %d %s", action, got.Status, got.Text())
		}
	}
}

// newest is the action of the connection that was made last, which stands
// first.
func newest(page *connecttest.Page, action string) string {
	to, _ := page.Form(action)
	return to
}

// TestAccessTokenRevoked: it ends alone.
func TestAccessTokenRevoked(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	endpoint, _ := serve(t, sim)
	p, tokens := connected(t, endpoint, "alice")
	if a, err := p.revoke(t.Context(), tokens.Access); err != nil || a.status != http.StatusOK {
		t.Errorf("revocation: %d %s, %v", a.status, a.body, err)
	}
	shuts(t, p, tokens.Access)
	next, err := p.refresh(t.Context(), tokens.Refresh)
	lets(t, p, grants(t, next, err).Access)
}

// TestEndedWhileNextcloudIsDown: it ends here at once, and at Nextcloud when
// that answers again, also after a restart.
func TestEndedWhileNextcloudIsDown(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true, DisableOIDC: true})
	file := filepath.Join(t.TempDir(), "tokens.db")
	endpoint, _, stop := serveAt(t, sim.URL(), "TOKEN_STORAGE_DB="+file)
	p, tokens := connected(t, endpoint, "alice")
	sim.Fault(nextcloudtest.Fault{Reset: true})
	sim.ResetRequests()
	if a, err := p.revoke(t.Context(), tokens.Refresh); err != nil || a.status != http.StatusOK {
		t.Fatalf("revocation: %d %s, %v", a.status, a.body, err)
	}
	shuts(t, p, tokens.Access)
	until(t, "a try", func() bool { return sim.CountRequests(http.MethodDelete, "/ocs/v2.php/core/apppassword") > 0 })
	stop()
	if n := len(sim.AppPasswords("alice")); n != 1 {
		t.Fatalf("%d app passwords: Nextcloud was not down", n)
	}
	sim.ClearFaults()
	later(t, file)
	serveAt(t, sim.URL(), "TOKEN_STORAGE_DB="+file)
	until(t, "the app password's end", func() bool { return len(sim.AppPasswords("alice")) == 0 })
}

// later lets the pause before the next try pass, and the time in which the
// stopped server's work is left to it.
func later(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	res, err := db.ExecContext(t.Context(), "UPDATE revocations SET due_at = due_at - ?", time.Hour.Milliseconds())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%d app passwords to delete, %v", n, err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM leases"); err != nil {
		t.Fatal(err)
	}
}

// TestSignInWhileNextcloudIsDown: a page says so, with a status that says
// whose fault it is, and the same sign-in goes on afterwards.
func TestSignInWhileNextcloudIsDown(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true, DisableOIDC: true})
	endpoint, _ := serve(t, sim)
	p := newProgram(endpoint)
	if err := p.public(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := site(endpoint).Alice(t)
	address, verifier := p.ask(nil)
	for _, outage := range []struct {
		name  string
		begin func()
	}{
		{"gone", func() { sim.Fault(nextcloudtest.Fault{Reset: true}) }},
		{"bad gateway", func() { sim.Fault(nextcloudtest.Fault{Status: http.StatusBadGateway, HTML: true}) }},
		{"broken", func() { sim.Fault(nextcloudtest.Fault{Status: http.StatusInternalServerError, HTML: true}) }},
		{"garbage", func() { sim.Fault(nextcloudtest.Fault{GarbageJSON: true}) }},
		{"maintenance", func() { sim.SetMaintenance(true) }},
	} {
		outage.begin()
		page := b.Get(address)
		open := page.Link("/open")
		if open == "" {
			t.Fatalf("%s: %d %s", outage.name, page.Status, page.Text())
		}
		down := b.Get(open)
		if down.Status != http.StatusBadGateway && down.Status != http.StatusServiceUnavailable && down.Status != http.StatusGatewayTimeout || down.Elsewhere != "" {
			t.Errorf("%s: %d %s", outage.name, down.Status, down.Text())
		}
		sim.ClearFaults()
		sim.SetMaintenance(false)
	}
	page := granted(t, b, b.Get(address))
	away, err := url.Parse(b.Submit(page, "/consent", url.Values{"decision": {"allow"}}).Away())
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.redeem(t.Context(), away.Query().Get("code"), verifier)
	tokens := grants(t, got, err)
	// While it is down, tokens are refreshed all the same.
	sim.Fault(nextcloudtest.Fault{Reset: true})
	next, err := p.refresh(t.Context(), tokens.Refresh)
	next = grants(t, next, err)
	if text, status, err := p.call(t.Context(), next.Access, "2025-06-18", "nc_notes_search_notes", `{"query":""}`); status != http.StatusOK || !strings.Contains(text, "cannot be reached") {
		t.Errorf("a call while Nextcloud is down: %d %s, %v", status, text, err)
	}
	sim.ClearFaults()
	lets(t, p, next.Access)
}
