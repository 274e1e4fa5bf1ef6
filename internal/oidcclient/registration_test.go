package oidcclient_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/store"
)

func TestRegistrationProblems(t *testing.T) {
	const create = "`occ oidc:create 'Nextcloud MCP Server' https://mcp.example.org/oauth/callback --token_type=jwt --resource_url=https://mcp.example.org/mcp` and set NEXTCLOUD_OIDC_CLIENT_ID and NEXTCLOUD_OIDC_CLIENT_SECRET"
	tests := []struct {
		name   string
		status int
		body   string
		header []string
		want   error
		texts  []string
		retry  time.Duration
	}{
		{
			"disabled", 400, `{"error":"dynamic_registration_not_allowed","error_description":"Dynamic Client Registration is disabled."}`, nil,
			oidcclient.ErrRegistrationDisabled,
			[]string{"`occ config:app:set oidc dynamic_client_registration --value=true`", create},
			0,
		},
		{"no such route", 404, "", nil, oidcclient.ErrRegistrationDisabled, []string{"dynamic_client_registration"}, 0},
		{
			"too many", 400, `{"error":"max_num_clients_exceeded"}`, nil,
			oidcclient.ErrTooManyClients,
			[]string{"`occ oidc:list`", "`occ oidc:remove <client_id>`", create},
			0,
		},
		{"rate limit", 429, "", nil, oidcclient.ErrRateLimited, []string{"tried again in 1m0s", create}, time.Minute},
		{"rate limit with a time", 429, "", []string{"Retry-After", "90"}, oidcclient.ErrRateLimited, []string{"1m30s"}, 90 * time.Second},
		{
			"scope", 400, `{"error":"invalid_scope","error_description":"Scope contains <b>invalid</b>\u0000 characters."}`, nil,
			oidcclient.ErrRejected,
			[]string{"HTTP 400 invalid_scope (Scope contains <b>invalid</b> characters.)", create},
			0,
		},
		{"forbidden", 403, "<html>no</html>", nil, oidcclient.ErrRejected, []string{"HTTP 403", create}, 0},
		{"maintenance", 503, "<html>", []string{"X-Nextcloud-Maintenance-Mode", "1", "Retry-After", "120"}, oidcclient.ErrUnavailable, []string{"occ maintenance:mode --off"}, 2 * time.Minute},
		{"server error", 500, "oops", nil, oidcclient.ErrUnavailable, []string{"HTTP 500"}, 0},
		{"untrusted domain", 400, `{"error": "", "message":"Trusted domain error."}`, nil, oidcclient.ErrUnavailable, []string{"trusted_domains"}, 0},
		{"redirect", 302, "", []string{"Location", "https://evil.example/"}, oidcclient.ErrBadAnswer, []string{"NEXTCLOUD_HOST"}, 0},
		{"page", 200, "<html>", nil, oidcclient.ErrBadAnswer, []string{"no client_id"}, 0},
		{"no secret", 201, `{"client_id":"x"}`, nil, oidcclient.ErrBadAnswer, []string{"no client_id and client_secret"}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, l := &idp{}, &logs{}
				p.refuse(test.status, test.body, test.header...)
				r := newRegistrar(newStore(t), p, config(), l)
				start(t, r)
				synctest.Wait()
				_, err := r.Credentials(t.Context())
				var e *oidcclient.RegistrationError
				if !errors.Is(err, oidcclient.ErrNotReady) || !errors.Is(err, test.want) || !errors.As(err, &e) {
					t.Fatalf("got %v, want %v", err, test.want)
				}
				if !strings.HasPrefix(e.Error(), "Dynamic registration failed: ") || e.RetryAfter != test.retry {
					t.Errorf("got %v, RetryAfter %v", e, e.RetryAfter)
				}
				for _, text := range test.texts {
					if !strings.Contains(e.Error(), text) {
						t.Errorf("%q is not in %q", text, e.Error())
					}
				}
				if !strings.Contains(strings.Join(l.lines(4), "\n"), e.Error()) {
					t.Errorf("not in the log: %v", l)
				}
				// It heals by itself.
				p.refuse(0, "")
				time.Sleep(10 * time.Minute)
				mustCredentials(t, r)
			})
		})
	}
}

func TestNoRegistrationEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config()
		cfg.RegistrationEndpoint, cfg.RedirectURI = "", "http://host/it's here"
		r := newRegistrar(newStore(t), &idp{}, cfg, &logs{})
		start(t, r)
		synctest.Wait()
		_, err := r.Credentials(t.Context())
		if !errors.Is(err, oidcclient.ErrRegistrationDisabled) || !strings.Contains(err.Error(), `'http://host/it'\''s here'`) {
			t.Errorf("got %v", err)
		}
	})
}

// While the provider is down it is asked again with growing pauses, and
// nothing waits for it.
func TestProviderDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &idp{}
		p.refuse(502, "")
		r := newRegistrar(newStore(t), p, config(), &logs{})
		start(t, r)
		time.Sleep(24 * time.Hour)
		begin := time.Now()
		if _, err := r.Credentials(t.Context()); !errors.Is(err, oidcclient.ErrUnavailable) || time.Since(begin) > 0 {
			t.Errorf("Credentials: %v after %v", err, time.Since(begin))
		}
		// Half of five minutes on average.
		if posts, _ := p.count(); posts < 300 || posts > 1200 {
			t.Errorf("%d tries in 24 hours", posts)
		}
	})
}

// A provider that hangs is given up after 30 seconds.
func TestRegistrationTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &idp{before: func(r *http.Request) { <-r.Context().Done() }}
		r := newRegistrar(newStore(t), p, config(), &logs{})
		start(t, r)
		time.Sleep(29 * time.Second)
		if _, err := r.Credentials(t.Context()); errors.Is(err, oidcclient.ErrUnavailable) {
			t.Error("given up too early")
		}
		time.Sleep(2 * time.Second)
		if _, err := r.Credentials(t.Context()); !errors.Is(err, oidcclient.ErrUnavailable) || !strings.Contains(err.Error(), "no answer in time") {
			t.Errorf("got %v", err)
		}
	})
}

// brokenStore cannot save registrations.
type brokenStore struct{ oidcclient.Store }

func (brokenStore) ActivateOAuthClient(context.Context, store.OAuthClient) error {
	return errors.New("disk is full")
}

// A client that cannot be saved is taken back: the provider's places are few.
func TestUnsavedClientIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &idp{}
		r := newRegistrar(brokenStore{newStore(t)}, p, config(), &logs{})
		start(t, r)
		time.Sleep(time.Hour)
		synctest.Wait()
		if _, err := r.Credentials(t.Context()); err == nil || !strings.Contains(err.Error(), "save OAuth client: disk is full") {
			t.Errorf("got %v", err)
		}
		if posts, clients := p.count(); clients != 0 || posts < 2 {
			t.Errorf("%d clients left of %d", clients, posts)
		}
	})
}

// forgetfulStore has lost the secrets of what it keeps.
type forgetfulStore struct{ oidcclient.Store }

func (s forgetfulStore) OAuthClients(ctx context.Context, provider string) ([]store.OAuthClient, error) {
	rows, err := s.Store.OAuthClients(ctx, provider)
	for i := range rows {
		if rows[i].ClientID == "client01-abcdefghijklmnopqrstuvwxyz" {
			rows[i].Secret, rows[i].RegistrationToken = "", ""
		}
	}
	return rows, err
}

func TestUndecryptableClientIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s, l := &idp{}, newStore(t), &logs{}
		r := newRegistrar(s, p, config(), &logs{})
		stop := start(t, r)
		<-r.Ready()
		stop()
		r = newRegistrar(forgetfulStore{s}, p, config(), l)
		start(t, r)
		<-r.Ready()
		synctest.Wait()
		if c := mustCredentials(t, r); !p.knows(c) || !strings.Contains(l.String(), "Stored client cannot be decrypted") {
			t.Errorf("got %s; log %s", c.ID, l)
		}
	})
}

// The registration token goes back only to where it came from.
func TestRegistrationTokenStaysAtItsOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := &idp{}, newStore(t)
		var asked []string
		p.before = func(r *http.Request) { asked = append(asked, r.Method+" "+r.URL.Host) }
		err := s.ActivateOAuthClient(t.Context(), store.OAuthClient{
			Provider: config().Provider, ClientID: "old", Secret: "s",
			RegistrationToken: "t", RegistrationURI: "https://evil.example/register/old",
		})
		if err != nil {
			t.Fatal(err)
		}
		r := newRegistrar(s, p, config(), &logs{})
		start(t, r)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := strings.Join(asked, ", "); got != "POST cloud.example.org" {
			t.Errorf("requests: %s", got)
		}
		if rows, err := s.OAuthClients(t.Context(), config().Provider); err != nil || len(rows) != 1 {
			t.Errorf("%d registrations stored, %v; want 1", len(rows), err)
		}
	})
}

func TestFewerScopesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := &idp{}, &logs{}
		p.refuse(201, `{"client_id":"c","client_secret":"s","scope":"openid","token_type":"opaque","client_secret_expires_at":0}`)
		r := newRegistrar(newStore(t), p, config(), l)
		start(t, r)
		<-r.Ready()
		synctest.Wait()
		if !strings.Contains(l.String(), `"missing":"notes.read profile"`) || !strings.Contains(l.String(), `"got":"opaque"`) {
			t.Errorf("log: %s", l)
		}
	})
}

// A lifetime that cannot be believed makes no loop.
func TestExpiryInThePast(t *testing.T) {
	for _, body := range []string{
		`{"client_id":"c","client_secret":"s","client_secret_expires_at":1000}`,
		`{"client_id":"c","client_secret":"s","client_id_issued_at":2000,"client_secret_expires_at":1000}`,
		`{"client_id":"c","client_secret":"s","client_secret_expires_at":1e300}`,
		`{"client_id":"c","client_secret":"s","client_secret_expires_at":-1}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &idp{}
			p.refuse(201, body)
			r := newRegistrar(newStore(t), p, config(), &logs{})
			start(t, r)
			time.Sleep(24 * time.Hour)
			mustCredentials(t, r)
			if posts, _ := p.count(); posts != 1 {
				t.Errorf("%s: %d registrations", body, posts)
			}
		})
	}
}

// What a real Nextcloud answered is understood, over a real connection.
func TestRecordedAnswer(t *testing.T) {
	answer, err := os.ReadFile("testdata/register-201.json")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		w.Write(answer)
	}))
	defer srv.Close()
	cfg, s := config(), newStore(t)
	cfg.RegistrationEndpoint = srv.URL + "/apps/oidc/register"
	r := oidcclient.New(s, srv.Client(), cfg, (&logs{}).logger(), nil)
	start(t, r)
	<-r.Ready()
	c := mustCredentials(t, r)
	life := time.Until(c.ExpiresAt).Round(time.Hour)
	if !strings.HasPrefix(c.ID, "m57vkWtn768PjvKR") || c.Secret != "test-client-secret" || life != 87600*time.Hour {
		t.Errorf("got %s, living %v", c.ID, life)
	}
	rows, err := s.OAuthClients(t.Context(), cfg.Provider)
	if err != nil || len(rows) != 1 || rows[0].RegistrationToken != "test-registration-token" || !strings.HasSuffix(rows[0].RegistrationURI, rows[0].ClientID) {
		t.Errorf("stored: %v, %v", rows, err)
	}
}

// client is what the users of credentials see of both kinds.
type client interface {
	Credentials(ctx context.Context) (oidcclient.Client, error)
	Lookup(ctx context.Context, clientID string) (oidcclient.Client, error)
	InvalidClient(ctx context.Context, clientID string) error
}

var (
	_ client = (*oidcclient.Registrar)(nil)
	_ client = (*oidcclient.StaticClient)(nil)
)

func TestStatic(t *testing.T) {
	s := oidcclient.Static("id", "a secret")
	<-s.Ready()
	want := oidcclient.Client{ID: "id", Secret: "a secret"}
	if c, err := s.Credentials(t.Context()); err != nil || c != want {
		t.Errorf("Credentials: %v, %v", c, err)
	}
	if c, err := s.Lookup(t.Context(), "id"); err != nil || c != want {
		t.Errorf("Lookup: %v, %v", c, err)
	}
	if _, err := s.Lookup(t.Context(), "other"); !errors.Is(err, oidcclient.ErrUnknownClient) {
		t.Errorf("Lookup of another: %v", err)
	}
	if err := s.InvalidClient(t.Context(), "id"); !errors.Is(err, oidcclient.ErrRefusedClient) {
		t.Errorf("InvalidClient: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx)
	if strings.Contains(fmt.Sprintf("%v %+v %#v", want, want, want), "a secret") {
		t.Error("the secret shows")
	}
}

// A provider that takes no clients is reported once, however long it lasts, and
// once more when it has another reason.
func TestSameReasonIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := &idp{}, &logs{}
		p.refuse(http.StatusForbidden, "no")
		start(t, newRegistrar(newStore(t), p, config(), l))
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(l.lines(slog.LevelWarn)); n != 1 {
			t.Errorf("%d warnings of one reason, want 1", n)
		}
		p.refuse(http.StatusInternalServerError, "oops")
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(l.lines(slog.LevelWarn)); n != 2 {
			t.Errorf("%d warnings of two reasons, want 2", n)
		}
	})
}
