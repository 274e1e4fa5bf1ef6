package bearer

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"nextcloud-mcp-server/internal/auth"
)

// counting is a provider whose introspection says what answer holds at the moment.
func counting(answer *atomic.Value) *provider {
	p := standardProvider()
	p.introspect = func(w http.ResponseWriter, r *http.Request) { answering(200, answer.Load().(string))(w, r) }
	return p
}

// TestRemembered checks how long an answer is believed: to the token's end,
// and for a bounded time before it.
func TestRemembered(t *testing.T) {
	for _, c := range []struct {
		name  string
		lives time.Duration
		want  time.Duration
	}{
		{"short token", 90 * time.Second, 90 * time.Second},
		{"long token", time.Hour, activeKept},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var answer atomic.Value
				answer.Store(active(time.Now().Add(c.lives), time.Now()))
				p := counting(&answer)
				v := newVerifier(p, trusting)
				if _, err := v.Verify(t.Context(), "opaque"); err != nil {
					t.Fatal(err)
				}
				answer.Store(`{"active":false}`)
				time.Sleep(c.want - time.Nanosecond)
				if _, err := v.Verify(t.Context(), "opaque"); err != nil {
					t.Errorf("just before %v: %v", c.want, err)
				}
				time.Sleep(time.Nanosecond)
				_, err := v.Verify(t.Context(), "opaque")
				wantReason(t, err, http.StatusUnauthorized, Inactive)
				if n := p.count("/introspect"); n != 2 {
					t.Errorf("asked %d times, want 2", n)
				}
			})
		})
	}
}

// TestRememberedJWT checks that a cached JWT dies with its exp, and that its
// key is looked up again after an hour.
func TestRememberedJWT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVerifier(onlyRSA())
		short := jwt(rsaKey(), goodHeader(), goodClaims().with(values{"exp": time.Now().Unix() + 60}))
		long := jwt(rsaKey(), goodHeader(), goodClaims().with(values{"exp": time.Now().Unix() + 86400}))
		for _, token := range []string{short, long} {
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if _, err := v.Verify(t.Context(), short); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Nanosecond)
		_, err := v.Verify(t.Context(), short)
		wantReason(t, err, http.StatusUnauthorized, Expired)

		// Its key withdrawn, the long one ends within the hour.
		v.keys.http.Transport.(*provider).set(func(p *provider) { p.keys = []jose.JSONWebKey{publicKey("new", "", otherRSA())} })
		time.Sleep(30 * time.Minute)
		if _, err := v.Verify(t.Context(), long); err != nil {
			t.Error(err)
		}
		_, err = v.Verify(t.Context(), unknownKid(1)) // fetches the keys
		wantReason(t, err, http.StatusUnauthorized, UnknownKey)
		time.Sleep(30 * time.Minute)
		_, err = v.Verify(t.Context(), long)
		wantReason(t, err, http.StatusUnauthorized, UnknownKey)
	})
}

// TestRefusalsRemembered checks that a bad token is asked about once in a
// while only, and may become good.
func TestRefusalsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answer atomic.Value
		answer.Store(`{"active":false}`)
		p := counting(&answer)
		v := newVerifier(p, trusting)
		for range 5 {
			_, err := v.Verify(t.Context(), "opaque")
			wantReason(t, err, http.StatusUnauthorized, Inactive)
			if e, ok := errors.AsType[*auth.Error](err); ok {
				e.Description = "changed by a caller"
			}
		}
		if n := p.count("/introspect"); n != 1 {
			t.Errorf("asked %d times, want 1", n)
		}
		_, err := v.Verify(t.Context(), "opaque")
		if strings.Contains(err.Error(), "changed") {
			t.Error("callers share an error")
		}
		answer.Store(active(time.Now().Add(time.Hour), time.Now()))
		time.Sleep(badKept)
		if _, err := v.Verify(t.Context(), "opaque"); err != nil {
			t.Error(err)
		}
	})
}

// TestOutageNotRemembered checks that what cannot be checked is tried again.
func TestOutageNotRemembered(t *testing.T) {
	p := standardProvider()
	p.down = true
	v := newVerifier(p, func(c *Config) { c.TrustIntrospection = true })
	_, err := v.Verify(t.Context(), "opaque")
	wantReason(t, err, http.StatusServiceUnavailable, NetworkError)
	p.set(func(p *provider) { p.down = false })
	if _, err := v.Verify(t.Context(), "opaque"); err != nil {
		t.Error(err)
	}
}

// TestBadCannotEvictGood floods the memory with bad tokens.
func TestBadCannotEvictGood(t *testing.T) {
	p := standardProvider()
	v := New(newVerifier(p).cfg, &Options{CacheSize: 8})
	good := goodToken()
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	v.Refuse("another")
	for n := range 100 {
		if _, err := v.Verify(t.Context(), fmt.Sprintf("ey%d.x", n)); err == nil {
			t.Fatal("let in")
		}
	}
	if p, _ := v.seen.get(digestOf(good), time.Now()); p == nil {
		t.Error("the good token was pushed out")
	}
	if _, err := v.Verify(t.Context(), "another"); ReasonOf(err) != Refused {
		t.Errorf("the refusal was pushed out: %v", err)
	}
	if n := v.seen.bad.Len() + v.seen.good.Len(); n > 8+8/4+1 {
		t.Errorf("%d entries", n)
	}
	for n := range 100 {
		v.Refuse(strconv.Itoa(n))
	}
	if n := v.seen.refused.Len(); n > 8/2+1 {
		t.Errorf("%d refusals", n)
	}
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answer atomic.Value
		answer.Store(active(time.Now().Add(time.Hour), time.Now()))
		p := counting(&answer)
		v := newVerifier(p, trusting)
		if _, err := v.Verify(t.Context(), "opaque"); err != nil {
			t.Fatal(err)
		}
		answer.Store(`{"active":false}`)
		v.Forget("opaque")
		_, err := v.Verify(t.Context(), "opaque")
		wantReason(t, err, http.StatusUnauthorized, Inactive)

		// What was asked before is not believed after.
		answer.Store(active(time.Now().Add(time.Hour), time.Now()))
		p.set(func(p *provider) { p.delay = time.Second })
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = v.Verify(t.Context(), "slow") })
		synctest.Wait()
		v.Forget("slow")
		wg.Wait()
		if n := v.seen.good.Len(); n != 0 {
			t.Errorf("an answer from before Forget is remembered")
		}
	})
}

func TestRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVerifier(onlyRSA())
		token := jwt(rsaKey(), goodHeader(), goodClaims().with(values{"exp": time.Now().Unix() + 7*86400}))
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		v.Refuse(token)
		for range 7 {
			_, err := v.Verify(t.Context(), token)
			wantReason(t, err, http.StatusUnauthorized, Refused)
			v.Forget(token)
			time.Sleep(24*time.Hour - time.Second)
		}
		if _, err := v.Verify(t.Context(), freshToken(1)); err != nil {
			t.Errorf("another token: %v", err)
		}
		v.Refuse("unseen")
		time.Sleep(refusedKept - time.Second)
		_, err := v.Verify(t.Context(), "unseen")
		wantReason(t, err, http.StatusUnauthorized, Refused)
	})
}

// TestNeverMixed verifies many people's tokens at once: each answer must be of
// the token it was asked for.
func TestNeverMixed(t *testing.T) {
	p := standardProvider()
	p.introspect = func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(formOf(r).Get("token"), "opaque-")
		answering(200, values{"active": true, "sub": name, "scope": name}.json())(w, r)
	}
	v := New(newVerifier(p, trusting).cfg, &Options{CacheSize: 16})
	tokens := map[string]string{}
	for n := range 24 {
		name := fmt.Sprint("user", n)
		tokens[name] = "opaque-" + name
		if n%2 == 0 {
			tokens[name] = jwt(rsaKey(), goodHeader(), goodClaims().with(values{"sub": name, "scope": name}))
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		for name, token := range tokens {
			wg.Go(func() {
				for range 10 {
					got, err := v.Verify(t.Context(), token)
					if err != nil {
						t.Error(err)
						return
					}
					if string(got.Subject) != name || got.Scopes.String() != name || got.Token.Reveal() != token {
						t.Errorf("%s got the principal of %s", name, got.Subject)
					}
					got.Subject, got.Token = "changed by a caller", ""
				}
			})
		}
	}
	wg.Wait()
}

// TestPanic checks that a panic below is a refusal and not the process's end.
func TestPanic(t *testing.T) {
	var log logs
	p := standardProvider()
	p.introspect = func(http.ResponseWriter, *http.Request) { panic("canary") }
	v := newVerifier(p, func(c *Config) { c.Log = log.logger() })
	_, err := v.Verify(t.Context(), "opaque")
	wantReason(t, err, http.StatusUnauthorized, Malformed)
	if !strings.Contains(log.String(), "panicked") || strings.Contains(log.String(), "canary") {
		t.Errorf("log: %s", log.String())
	}

	p = onlyRSA()
	p.delay = -1 // panics
	_, err = newVerifier(p).Verify(t.Context(), goodToken())
	wantReason(t, err, http.StatusServiceUnavailable, NoSigningKeys)
}

// TestCanary looks for secrets in all logs and errors of good and bad days.
func TestCanary(t *testing.T) {
	const token = "canary-token-0123456789"
	var log logs
	for _, answer := range []http.HandlerFunc{
		answering(200, active(time.Now().Add(time.Hour), time.Now())),
		answering(200, `{"active":false}`),
		answering(401, `{"error":"invalid_client"}`),
		answering(500, "no"),
		answering(200, "canary-answer"),
		answering(200, `{"active":true,"iss":"x"}`),
		answering(200, `{"active":true,"token_type":"x"}`),
		nil,
	} {
		for _, change := range []func(*Config){
			trusting,
			func(c *Config) { c.AuthMethod = AuthPost },
			func(c *Config) { c.IntrospectionURI = "" },
			func(c *Config) { c.IntrospectionURI = "://" },
		} {
			p := standardProvider()
			p.introspect, p.userinfo = answer, answer
			p.down = answer == nil
			v := newVerifier(p, change, func(c *Config) { c.Log = log.logger() })
			for _, token := range []string{token, token + "\n", token + strings.Repeat("A", maxToken)} {
				principal, err := v.Verify(t.Context(), token)
				if text := fmt.Sprintf("%v %+v %#v", err, principal, principal); strings.Contains(text, "canary") {
					t.Errorf("shown: %s", text)
				}
			}
		}
	}
	if log.String() == "" || strings.Contains(log.String(), "canary") {
		t.Errorf("log: %s", log.String())
	}
}

// TestLogLines checks the lines that administrators look for.
func TestLogLines(t *testing.T) {
	for _, c := range []struct {
		token  string
		config func(*Config)
		want   []string
	}{
		{goodToken(), trusting, []string{"Token validation via JWKS", "Token validated successfully for user: Alice"}},
		{"opaque", trusting, []string{"Token validation via introspection endpoint", "Token validated successfully for user: mallory"}},
		{"opaque", func(c *Config) { c.IntrospectionURI = "" }, []string{"Token validation via userinfo endpoint", "Token validated successfully for user: mallory"}},
		{jwt(rsaKey(), goodHeader(), goodClaims().with(values{"iss": "http://localhost"})), trusting, []string{"Token validation via JWKS", `"level":"INFO"`, `"reason":"bad_issuer"`, "http://localhost"}},
	} {
		var log logs
		v := newVerifier(standardProvider(), c.config, func(cfg *Config) { cfg.Log = log.logger() })
		for range 2 {
			_, _ = v.Verify(t.Context(), c.token)
		}
		for _, line := range c.want {
			if n := strings.Count(log.String(), line); n != 1 {
				t.Errorf("%q is there %d times in\n%s", line, n, log.String())
			}
		}
	}
}
