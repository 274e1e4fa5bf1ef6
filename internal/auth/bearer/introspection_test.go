package bearer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
)

// recorded is the body a real Nextcloud answered to a token of the client
// "QsNN..." that is active, shortened to what matters.
const recorded = `{"active":true,"scope":"openid profile notes.read","client_id":"QsNN","username":"alice","token_type":"Bearer","exp":%d,"iat":%d,"sub":"alice","aud":"QsNN"}`

func active(exp, iat time.Time) string { return fmt.Sprintf(recorded, exp.Unix(), iat.Unix()) }

func trusting(c *Config) { c.TrustIntrospection = true }

func TestIntrospection(t *testing.T) {
	exp := time.Now().Add(30 * time.Minute).Truncate(time.Second)
	p := standardProvider()
	var form map[string][]string
	var user, password string
	p.introspect = func(w http.ResponseWriter, r *http.Request) {
		form = formOf(r)
		user, password, _ = r.BasicAuth()
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%s of %s", r.Method, r.Header.Get("Content-Type"))
		}
		answering(200, active(exp, time.Now()))(w, r)
	}
	odd := func(c *Config) {
		c.Client = func(context.Context) (string, auth.Secret, error) { return "id:1", "a b%+/", nil }
	}
	v := newVerifier(p, trusting, odd)
	got, err := v.Verify(t.Context(), "opaque")
	if err != nil {
		t.Fatal(err)
	}
	if got.Issuer != testIssuer || got.Subject != "alice" || got.ClientID != "QsNN" || got.Name != "alice" ||
		!got.Expires.Equal(exp) || !got.Allows(scope.NewSet(scope.NotesRead)) || got.Token.Reveal() != "opaque" {
		t.Errorf("principal = %+v", got)
	}
	// RFC 6749, 2.3.1: form-encoded before they become Basic credentials.
	if user != "id%3A1" || password != "a+b%25%2B%2F" || len(form) != 1 || form["token"][0] != "opaque" {
		t.Errorf("Basic %q %q, form %v", user, password, form)
	}

	v = newVerifier(p, trusting, odd, func(c *Config) { c.AuthMethod = AuthPost })
	if _, err := v.Verify(t.Context(), "opaque"); err != nil {
		t.Fatal(err)
	}
	if user != "" || form["client_id"][0] != "id:1" || form["client_secret"][0] != "a b%+/" || form["token"][0] != "opaque" {
		t.Errorf("Basic user %q, form %v", user, form)
	}
}

func TestIntrospectionAnswers(t *testing.T) {
	now := time.Now()
	body := func(more values) string {
		return values{"active": true, "sub": "alice", "scope": "notes.read", "exp": now.Unix() + 900, "client_id": "x"}.with(more).json()
	}
	none := func(*Config) {}
	for _, c := range []struct {
		name   string
		config func(*Config)
		status int
		body   string
		want   int // 200 when let in
		reason Reason
	}{
		{"active, trusted", trusting, 200, body(nil), 200, ""},
		{"active, trusted, another's id as audience", trusting, 200, body(values{"aud": "x"}), 200, ""},
		{"active, no audience", none, 200, body(nil), 401, BadAudience},
		{"active, another's audience", none, 200, body(values{"aud": "x"}), 401, BadAudience},
		{"active, our client", none, 200, body(values{"aud": testClient}), 200, ""},
		{"active, our resource in a list", none, 200, body(values{"aud": []string{"x", testResource}}), 200, ""},
		{"active, our client_id, by setting", func(c *Config) { c.ClientIDAsAudience = true }, 200, body(values{"client_id": testClient}), 200, ""},
		{"active, another client_id, by setting", func(c *Config) { c.ClientIDAsAudience = true }, 200, body(nil), 401, BadAudience},
		{"inactive", trusting, 200, `{"active":false}`, 401, Inactive},
		{"inactive with claims", trusting, 200, body(values{"active": false}), 401, Inactive},
		{"active missing", trusting, 200, body(values{"active": nil}), 401, Inactive},
		{"active by another name", trusting, 200, body(values{"active": nil, "Active": true}), 401, Inactive},
		{"active null", trusting, 200, `{"active":null,"sub":"alice"}`, 401, Inactive},
		{"active text", trusting, 200, body(values{"active": "true"}), 503, NetworkError},
		{"active twice", trusting, 200, `{"active":false,"sub":"alice","active":true}`, 503, NetworkError},
		{"expired", trusting, 200, body(values{"exp": now.Unix() - 1}), 401, Expired},
		{"not yet valid", trusting, 200, body(values{"nbf": now.Unix() + 120}), 401, NotYetValid},
		{"no exp", trusting, 200, body(values{"exp": nil}), 200, ""},
		{"no subject", trusting, 200, body(values{"sub": nil}), 401, NoSubject},
		{"our issuer", trusting, 200, body(values{"iss": testIssuer}), 200, ""},
		{"another issuer", trusting, 200, body(values{"iss": testIssuer + "/"}), 401, BadIssuer},
		{"refresh token", trusting, 200, body(values{"token_type": "refresh_token"}), 401, WrongType},
		{"refresh token of Keycloak", trusting, 200, body(values{"typ": "Refresh"}), 401, WrongType},
		{"ID token of Keycloak", trusting, 200, body(values{"typ": "ID"}), 401, WrongType},
		{"refresh token of Hydra", trusting, 200, body(values{"token_use": "refresh_token"}), 401, WrongType},
		{"bearer in lower case", trusting, 200, body(values{"token_type": "bearer"}), 200, ""},
		{"server error", trusting, 500, `{}`, 503, NetworkError},
		{"server error that says active", trusting, 500, body(nil), 503, NetworkError},
		{"not found", trusting, 404, `{}`, 503, NetworkError},
		{"forbidden that says active", trusting, 403, body(nil), 503, NetworkError},
		{"rate limited", trusting, 429, ``, 503, NetworkError},
		{"maintenance page", trusting, 200, `<html>`, 503, NetworkError},
		{"empty", trusting, 200, ``, 503, NetworkError},
		{"endless", trusting, 200, `{"active":true,"sub":"alice","x":"` + strings.Repeat("x", maxAnswer) + `"}`, 503, NetworkError},
		{"401", trusting, 401, `{"error":"invalid_client"}`, 503, InvalidClient},
		{"401 without a body", trusting, 401, ``, 503, InvalidClient},
		{"400 invalid_client", trusting, 400, `{"error":"invalid_client"}`, 503, InvalidClient},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := standardProvider()
			p.introspect = answering(c.status, c.body)
			got, err := newVerifier(p, c.config).Verify(t.Context(), "opaque")
			if c.want == 200 {
				if err != nil {
					t.Fatal(err)
				}
				if got.Subject != "alice" || got.Expires.IsZero() {
					t.Errorf("principal = %+v", got)
				}
				return
			}
			wantReason(t, err, c.want, c.reason)
			if n := p.count("/userinfo"); n != 0 {
				t.Errorf("userinfo asked after introspection")
			}
		})
	}
}

// TestIntrospectionRecorded replays exchanges of a real Nextcloud.
func TestIntrospectionRecorded(t *testing.T) {
	for _, c := range []struct {
		file   string
		status int
		reason Reason
	}{
		{"opaque-active.http", 200, ""},
		{"token-of-other-client.http", 401, Inactive},
		{"wrong-secret-401.http", 503, InvalidClient},
	} {
		t.Run(c.file, func(t *testing.T) {
			raw, err := os.ReadFile("testdata/" + c.file)
			if err != nil {
				t.Fatal(err)
			}
			_, answer, ok := bytes.Cut(raw, []byte("\n\nHTTP/1.1 "))
			_, body, ok2 := bytes.Cut(answer, []byte("\n\n"))
			if !ok || !ok2 {
				t.Fatal("not a recording")
			}
			var status int
			if _, err := fmt.Sscan(string(answer[:3]), &status); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Unix(1795404190, 0))) // when it was recorded
				p := standardProvider()
				p.introspect = answering(status, string(body))
				got, err := newVerifier(p, trusting).Verify(t.Context(), "opaque")
				if c.status == 200 {
					if err != nil || got.Subject != "alice" || got.Expires.Unix() != 1795405985 {
						t.Errorf("principal = %+v, %v", got, err)
					}
					return
				}
				wantReason(t, err, c.status, c.reason)
			})
		})
	}
}

// TestInvalidClient checks that refused credentials are reported once, not
// sent again for a minute, and that new ones are tried at once.
func TestInvalidClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := standardProvider()
		p.introspect = answering(401, `{"error":"invalid_client","error_description":"Client authentication failed."}`)
		id := "old"
		var told []string
		v := newVerifier(p, trusting, func(c *Config) {
			c.Client = func(context.Context) (string, auth.Secret, error) { return id, testSecret, nil }
			c.OnInvalidClient = func(_ context.Context, id string) { told = append(told, id) }
		})
		for n := range 10 {
			_, err := v.Verify(t.Context(), fmt.Sprint("token", n))
			wantReason(t, err, http.StatusServiceUnavailable, InvalidClient)
			if e, ok := errors.AsType[*auth.Error](err); ok && e.RetryAfter <= 0 {
				t.Error("no Retry-After")
			}
		}
		if p.count("/introspect") != 1 || len(told) != 1 || told[0] != "old" {
			t.Errorf("asked %d times, told %v", p.count("/introspect"), told)
		}
		p.introspect = answering(200, active(time.Now().Add(time.Hour), time.Now()))
		id = "new"
		if _, err := v.Verify(t.Context(), "token0"); err != nil {
			t.Errorf("with the new client: %v", err)
		}
		id = "old"
		_, err := v.Verify(t.Context(), "token1")
		wantReason(t, err, http.StatusServiceUnavailable, InvalidClient)
		time.Sleep(denyPause)
		if _, err := v.Verify(t.Context(), "token1"); err != nil {
			t.Errorf("with the old client after a minute: %v", err)
		}
	})
}

func TestNoClient(t *testing.T) {
	p := standardProvider()
	_, err := newVerifier(p, func(c *Config) { c.Client = nil }).Verify(t.Context(), "opaque")
	wantReason(t, err, http.StatusServiceUnavailable, NoClient)
	if n := p.count("/introspect"); n != 0 {
		t.Errorf("asked %d times without a client", n)
	}
}

// TestRetryAfter checks that an issuer that asks to wait is left alone, since
// Nextcloud throttles the whole address.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := standardProvider()
		p.introspect = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "20")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		v := newVerifier(p, trusting)
		for n := range 5 {
			_, err := v.Verify(t.Context(), fmt.Sprint("token", n))
			wantReason(t, err, http.StatusServiceUnavailable, NetworkError)
			if e, ok := errors.AsType[*auth.Error](err); ok && e.RetryAfter != 20*time.Second {
				t.Errorf("Retry-After %v", e.RetryAfter)
			}
		}
		if n := p.count("/introspect"); n != 1 {
			t.Errorf("asked %d times, want 1", n)
		}
		p.introspect = answering(200, active(time.Now().Add(time.Hour), time.Now()))
		time.Sleep(20 * time.Second)
		if _, err := v.Verify(t.Context(), "token0"); err != nil {
			t.Error(err)
		}
	})
}

// TestQuestionsBounded checks that few questions are asked at a time, and that
// one token is asked about once.
func TestQuestionsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := standardProvider()
		p.delay = time.Second
		var mu sync.Mutex
		seen := map[string]int{}
		p.introspect = func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			seen[formOf(r).Get("token")]++
			mu.Unlock()
			answering(200, active(time.Now().Add(time.Hour), time.Now()))(w, r)
		}
		v := newVerifier(p, trusting)
		start := time.Now()
		var wg sync.WaitGroup
		for n := range 4 * maxQuestions {
			for range 3 {
				wg.Go(func() {
					if _, err := v.Verify(t.Context(), fmt.Sprint("token", n)); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		if d := time.Since(start); d != 4*time.Second {
			t.Errorf("took %v, want four rounds of a second", d)
		}
		for token, n := range seen {
			if n != 1 {
				t.Errorf("%s asked about %d times", token, n)
			}
		}
	})
}

func TestUserinfo(t *testing.T) {
	only := func(c *Config) { c.IntrospectionURI = "" }
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   int
		reason Reason
		scopes string
	}{
		{"as recorded", 200, `{"sub":"alice","preferred_username":"alice","scope":"openid notes.read","roles":[],"updated_at":1795404182,"name":"Alice Example","email_verified":false}`, 200, "", "notes.read openid"},
		{"openid only, as recorded", 200, `{"sub":"alice","preferred_username":"alice","scope":"openid"}`, 200, "", "openid"},
		{"no scope", 200, `{"sub":"alice"}`, 200, "", ""},
		{"no subject", 200, `{"scope":"notes.read"}`, 401, NoSubject, ""},
		{"another issuer", 200, `{"sub":"alice","iss":"https://evil.example"}`, 401, BadIssuer, ""},
		{"bad token, as recorded", 400, `{"error":"invalid_request","error_description":"Could not find provided bearer token."}`, 401, Inactive, ""},
		{"401 with a subject", 401, `{"sub":"alice"}`, 401, Inactive, ""},
		{"signed answer", 200, `eyJhbGciOiJSUzI1NiJ9.e30.x`, 503, NetworkError, ""},
		{"not found", 404, ``, 503, NetworkError, ""},
		{"maintenance", 503, `<html>`, 503, NetworkError, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := standardProvider()
			p.userinfo = func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer opaque" {
					t.Errorf("%s with %q", r.Method, r.Header.Get("Authorization"))
				}
				answering(c.status, c.body)(w, r)
			}
			got, err := newVerifier(p, only).Verify(t.Context(), "opaque")
			if c.want != 200 {
				wantReason(t, err, c.want, c.reason)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Subject != "alice" || got.Name != "alice" || got.Scopes.String() != c.scopes || time.Until(got.Expires) > activeKept {
				t.Errorf("principal = %+v", got)
			}
		})
	}
	_, err := newVerifier(standardProvider(), only, func(c *Config) { c.UserinfoURI = "" }).Verify(t.Context(), "opaque")
	wantReason(t, err, http.StatusUnauthorized, NotConfigured)
}

// TestCallerLeaves checks that the first of two callers ends only its own
// waiting.
func TestCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := standardProvider()
		p.delay = 5 * time.Second
		v := newVerifier(p, trusting)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := v.Verify(ctx, "opaque")
			wantReason(t, err, http.StatusServiceUnavailable, NetworkError)
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), "opaque"); err != nil {
				t.Errorf("the one who stayed: %v", err)
			}
		})
		wg.Wait()
		if n := p.count("/introspect"); n != 1 {
			t.Errorf("asked %d times, want 1", n)
		}
	})
}
