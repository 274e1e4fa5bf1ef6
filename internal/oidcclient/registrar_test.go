package oidcclient_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/scope"
)

// start runs r and answers its end.
func start(t *testing.T, r *oidcclient.Registrar) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func mustCredentials(t *testing.T, r *oidcclient.Registrar) oidcclient.Client {
	t.Helper()
	c, err := r.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFirstRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := &idp{lifetime: time.Hour}, &logs{}
		r := newRegistrar(newStore(t), p, config(), l)
		if _, err := r.Credentials(t.Context()); !errors.Is(err, oidcclient.ErrNotReady) {
			t.Errorf("before Run: %v, want ErrNotReady", err)
		}
		start(t, r)
		<-r.Ready()
		c := mustCredentials(t, r)
		if !p.knows(c) || !c.ExpiresAt.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("credentials %s, expiring %v", c.ID, c.ExpiresAt)
		}
		want := map[string]any{
			"client_name":                "Nextcloud MCP Server",
			"redirect_uris":              []any{"https://mcp.example.org/oauth/callback"},
			"token_endpoint_auth_method": "client_secret_post",
			"grant_types":                []any{"authorization_code", "refresh_token"},
			"response_types":             []any{"code"},
			"application_type":           "web",
			"scope":                      "notes.read openid profile",
			"token_type":                 "jwt",
			"resource_url":               "https://mcp.example.org/mcp",
		}
		if d := cmp.Diff([]map[string]any{want}, p.requests); d != "" {
			t.Errorf("request (-want +got):\n%s", d)
		}
		synctest.Wait()
		wantLog := []string{
			"Attempting dynamic client registration...",
			"Dynamic client registration successful",
			"OAuth client ready: client01-abcdefg...",
			"Saved OAuth client credentials to SQLite database",
		}
		if d := cmp.Diff(wantLog, l.lines(slog.LevelInfo)); d != "" {
			t.Errorf("log (-want +got):\n%s", d)
		}
		if strings.Contains(l.String(), "secret-") || strings.Contains(l.String(), "token-") {
			t.Errorf("a secret is in the log:\n%s", l)
		}
	})
}

func TestReuseAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, file := &idp{lifetime: time.Hour}, filepath.Join(t.TempDir(), "store.db")
		s := openStore(t, file)
		r := newRegistrar(s, p, config(), &logs{})
		stop := start(t, r)
		<-r.Ready()
		first := mustCredentials(t, r)
		stop()
		s.Close()
		time.Sleep(30 * time.Minute)

		l := &logs{}
		r = newRegistrar(openStore(t, file), p, config(), l)
		start(t, r)
		<-r.Ready()
		if c := mustCredentials(t, r); c.ID != first.ID || c.Secret != first.Secret || !p.knows(c) {
			t.Errorf("after restart: %s, want %s", c.ID, first.ID)
		}
		if posts, _ := p.count(); posts != 1 || len(p.deletes) != 0 {
			t.Errorf("%d registrations and %d deletions over a restart", posts, len(p.deletes))
		}
		synctest.Wait()
		if d := cmp.Diff([]string{"OAuth client ready: client01-abcdefg..."}, l.lines(slog.LevelInfo)); d != "" {
			t.Errorf("log (-want +got):\n%s", d)
		}
	})
}

func TestNotReused(t *testing.T) {
	tests := []struct {
		name    string
		pause   time.Duration
		change  func(*oidcclient.RegistrarConfig)
		warning string // empty when nothing is to be said
		deleted bool   // the old one in the end
	}{
		{"expired", 2 * time.Hour, func(*oidcclient.RegistrarConfig) {}, "Stored client has expired", true},
		{"redirect", 0, func(c *oidcclient.RegistrarConfig) { c.RedirectURI = "https://new.example.org/oauth/callback" }, "Stored client is for other settings", true},
		{"scopes", 0, func(c *oidcclient.RegistrarConfig) { c.Scopes = scope.NewSet(scope.OpenID) }, "Stored client is for other settings", true},
		{"resource", 0, func(c *oidcclient.RegistrarConfig) { c.Resource = "https://new.example.org/mcp" }, "Stored client is for other settings", true},
		{"token type", 0, func(c *oidcclient.RegistrarConfig) { c.TokenType = "opaque" }, "Stored client is for other settings", true},
		{"provider", 0, func(c *oidcclient.RegistrarConfig) { c.Provider = "https://other.example.org" }, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, s := &idp{lifetime: time.Hour}, newStore(t)
				r := newRegistrar(s, p, config(), &logs{})
				stop := start(t, r)
				<-r.Ready()
				old := mustCredentials(t, r)
				stop()
				time.Sleep(test.pause)
				cfg, l := config(), &logs{}
				test.change(&cfg)
				r = newRegistrar(s, p, cfg, l)
				start(t, r)
				<-r.Ready()
				if c := mustCredentials(t, r); c.ID == old.ID || !p.knows(c) {
					t.Errorf("got %s again", c.ID)
				}
				synctest.Wait()
				if got := strings.Join(l.lines(slog.LevelWarn), "; "); got != test.warning {
					t.Errorf("warnings: %q, want %q", got, test.warning)
				}
				time.Sleep(40 * time.Minute) // before the next renewal
				synctest.Wait()
				rows, err := s.OAuthClients(t.Context(), config().Provider)
				if err != nil {
					t.Fatal(err)
				}
				gone := true
				for _, row := range rows {
					gone = gone && row.ClientID != old.ID
				}
				if gone != test.deleted || (len(p.deletes) == 1) != test.deleted {
					t.Errorf("old client gone: %t, deletions %v", gone, p.deletes)
				}
			})
		})
	}
}

// For a day, with clients that live an hour, there are always credentials that
// the provider knows, and no more clients than needed.
func TestRenewal(t *testing.T) {
	for _, skew := range []time.Duration{0, 3 * time.Hour, -3 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			p, l := &idp{lifetime: time.Hour, skew: skew}, &logs{}
			r := newRegistrar(newStore(t), p, config(), l)
			start(t, r)
			<-r.Ready()
			ids := map[string]bool{}
			for range 24 * 60 {
				c := mustCredentials(t, r)
				if !p.knows(c) {
					t.Fatalf("skew %v: the provider does not know %s", skew, c.ID)
				}
				ids[c.ID] = true
				// A sign-in that begins now has ten minutes.
				time.Sleep(time.Minute)
				synctest.Wait()
				if _, clients := p.count(); clients > 2 {
					t.Fatalf("%d clients at the provider", clients)
				}
			}
			if len(ids) < 24*60/60 || len(ids) > 24*60/40 {
				t.Errorf("skew %v: %d registrations in 24 hours", skew, len(ids))
			}
			if w := l.lines(slog.LevelWarn); len(w) != 0 {
				t.Errorf("warnings: %v", w)
			}
		})
	}
}

// A sign-in that began with a client can end with it, ten minutes later.
func TestSignInOverRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &idp{lifetime: time.Hour}
		r := newRegistrar(newStore(t), p, config(), &logs{})
		start(t, r)
		<-r.Ready()
		for range 3 * 60 {
			begun := mustCredentials(t, r)
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			c, err := r.Lookup(t.Context(), begun.ID)
			if err != nil || c.Secret != begun.Secret || !p.knows(c) {
				t.Fatalf("%s after ten minutes: %v", begun.ID, err)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestNeverExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &idp{}
		r := newRegistrar(newStore(t), p, config(), &logs{})
		start(t, r)
		<-r.Ready()
		first := mustCredentials(t, r)
		if !first.ExpiresAt.IsZero() {
			t.Errorf("expires at %v, want never", first.ExpiresAt)
		}
		time.Sleep(48 * time.Hour)
		if c := mustCredentials(t, r); c.ID != first.ID {
			t.Error("a client that never expires was replaced")
		}
		if posts, _ := p.count(); posts != 1 {
			t.Errorf("%d registrations", posts)
		}
	})
}

// Two processes on one database register once, whoever comes first.
func TestTwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "store.db")
		p := &idp{lifetime: time.Hour, before: func(*http.Request) { time.Sleep(3 * time.Second) }}
		a := newRegistrar(openStore(t, file), p, config(), &logs{})
		b := newRegistrar(openStore(t, file), p, config(), &logs{})
		start(t, a)
		start(t, b)
		<-a.Ready()
		<-b.Ready()
		if x, y := mustCredentials(t, a), mustCredentials(t, b); x.ID != y.ID {
			t.Errorf("two clients: %s and %s", x.ID, y.ID)
		}
		if posts, _ := p.count(); posts != 1 {
			t.Errorf("%d registrations, want 1", posts)
		}
		time.Sleep(24 * time.Hour) // renewals are shared, too
		synctest.Wait()
		if posts, _ := p.count(); posts > 37 {
			t.Errorf("%d registrations in 24 hours", posts)
		}
		for _, r := range []*oidcclient.Registrar{a, b} {
			if c := mustCredentials(t, r); !p.knows(c) {
				t.Errorf("the provider does not know %s", c.ID)
			}
		}
	})
}

// A process that dies while it registers holds the others up for the length
// of its lease only.
func TestDeadWinner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "store.db")
		p, s := &idp{}, openStore(t, file)
		if ok, err := s.AcquireLease(t.Context(), "oidcclient "+config().Provider, "dead", 45*time.Second); err != nil || !ok {
			t.Fatal(ok, err)
		}
		begin := time.Now()
		r := newRegistrar(openStore(t, file), p, config(), &logs{})
		start(t, r)
		<-r.Ready()
		if took := time.Since(begin); took < 45*time.Second || took > 47*time.Second {
			t.Errorf("ready after %v, want about 45s", took)
		}
	})
}

func TestInvalidClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := &idp{}, &logs{}
		r := newRegistrar(newStore(t), p, config(), l)
		start(t, r)
		<-r.Ready()
		old := mustCredentials(t, r)
		time.Sleep(time.Hour)
		p.lose(old.ID)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := r.InvalidClient(t.Context(), old.ID); err != nil {
					t.Error(err)
				}
				if c := mustCredentials(t, r); c.ID == old.ID || !p.knows(c) {
					t.Errorf("after InvalidClient: %s", c.ID)
				}
			})
		}
		all.Wait()
		if posts, _ := p.count(); posts != 2 {
			t.Errorf("%d registrations, want 2", posts)
		}
		synctest.Wait()
		if d := cmp.Diff([]string{"The provider no longer knows the OAuth client"}, l.lines(slog.LevelWarn)); d != "" {
			t.Errorf("warnings (-want +got):\n%s", d)
		}
		if err := r.InvalidClient(t.Context(), "somebody else's"); err != nil {
			t.Errorf("another client id: %v", err)
		}
	})
}

// A provider that refuses every client makes no loop.
func TestInvalidClientIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &idp{}
		r := newRegistrar(newStore(t), p, config(), &logs{})
		start(t, r)
		<-r.Ready()
		tooSoon := 0
		for range 24 * 30 {
			if err := r.InvalidClient(t.Context(), mustCredentials(t, r).ID); errors.Is(err, oidcclient.ErrTooSoon) {
				tooSoon++
			} else if err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
		}
		if posts, _ := p.count(); posts > 31 || posts < 20 || tooSoon == 0 {
			t.Errorf("%d registrations in 24 hours, %d times too soon", posts, tooSoon)
		}
	})
}

// While a refused client cannot be replaced, the provider is asked with
// backoff only, however many ask us.
func TestInvalidClientWithoutRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &idp{}
		r := newRegistrar(newStore(t), p, config(), &logs{})
		start(t, r)
		<-r.Ready()
		old := mustCredentials(t, r)
		time.Sleep(2 * time.Hour)
		p.lose(old.ID)
		p.refuse(429, "", "Retry-After", "120")
		for range 100 {
			if err := r.InvalidClient(t.Context(), old.ID); !errors.Is(err, oidcclient.ErrRateLimited) {
				t.Fatalf("got %v, want ErrRateLimited", err)
			}
		}
		if _, err := r.Credentials(t.Context()); !errors.Is(err, oidcclient.ErrNotReady) || !errors.Is(err, oidcclient.ErrRateLimited) {
			t.Errorf("Credentials: %v", err)
		}
		time.Sleep(119 * time.Second)
		synctest.Wait()
		if posts, _ := p.count(); posts != 2 {
			t.Errorf("%d registrations before Retry-After was over, want 2", posts)
		}
		p.refuse(0, "")
		time.Sleep(time.Minute)
		if c := mustCredentials(t, r); !p.knows(c) {
			t.Errorf("not replaced in the end: %s", c.ID)
		}
	})
}

// A never-expiring client that was replaced goes away once nobody uses it.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := &idp{}, newStore(t)
		r := newRegistrar(s, p, config(), &logs{})
		stop := start(t, r)
		<-r.Ready()
		old := mustCredentials(t, r)
		stop()
		cfg := config()
		cfg.Scopes = scope.NewSet(scope.OpenID, scope.NotesWrite)
		r = newRegistrar(s, p, cfg, &logs{})
		start(t, r)
		<-r.Ready()
		for range 12 { // two hours of use
			time.Sleep(10 * time.Minute)
			if c, err := r.Lookup(t.Context(), old.ID); err != nil || !p.knows(c) {
				t.Fatalf("in use: %v", err)
			}
		}
		time.Sleep(14 * time.Minute)
		synctest.Wait()
		if !p.knows(old) {
			t.Fatal("deleted before its grace was over")
		}
		p.refuse(500, "") // not even then is it forgotten
		time.Sleep(time.Hour)
		synctest.Wait()
		if rows, err := s.OAuthClients(t.Context(), cfg.Provider); err != nil || len(rows) != 2 {
			t.Fatalf("%d registrations stored, %v; want 2", len(rows), err)
		}
		p.refuse(0, "")
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if p.knows(old) {
			t.Error("still at the provider")
		}
		if _, err := r.Lookup(t.Context(), old.ID); !errors.Is(err, oidcclient.ErrUnknownClient) {
			t.Errorf("Lookup: %v, want ErrUnknownClient", err)
		}
		if c := mustCredentials(t, r); !p.knows(c) {
			t.Error("the current client is gone, too")
		}
	})
}
