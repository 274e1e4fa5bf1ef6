package bearer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"nextcloud-mcp-server/internal/auth"
)

// unknownKid is a token of a key nobody published; n makes it another one.
func unknownKid(n int) string {
	return jwt(otherRSA(), goodHeader().with(values{"kid": fmt.Sprint("unknown", n)}), goodClaims())
}

// freshToken is a good token that no cache holds.
func freshToken(n int) string {
	return jwt(rsaKey(), goodHeader(), goodClaims().with(values{"jti": strconv.Itoa(n), "exp": time.Now().Add(time.Hour).Unix()}))
}

func onlyRSA() *provider {
	return &provider{keys: []jose.JSONWebKey{publicKey("rsa", "", rsaKey())}}
}

func TestKeysFetchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onlyRSA()
		p.delay = time.Second
		v := newVerifier(p)
		if n := p.count("/jwks"); n != 0 {
			t.Errorf("%d fetches before the first token", n)
		}
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() {
				if _, err := v.Verify(t.Context(), freshToken(n)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := p.count("/jwks"); n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
	})
}

// TestUnknownKidFlood checks that unknown kids cost one fetch in 30 seconds,
// however many come, and that good tokens do not wait for it.
func TestUnknownKidFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onlyRSA()
		v := newVerifier(p)
		if _, err := v.Verify(t.Context(), freshToken(0)); err != nil {
			t.Fatal(err)
		}
		p.set(func(p *provider) { p.delay = 3 * time.Second })
		time.Sleep(time.Minute)
		var wg sync.WaitGroup
		for n := range 50 {
			wg.Go(func() {
				_, err := v.Verify(t.Context(), unknownKid(n))
				wantReason(t, err, http.StatusUnauthorized, UnknownKey)
			})
		}
		synctest.Wait()
		start := time.Now()
		if _, err := v.Verify(t.Context(), freshToken(1)); err != nil || time.Since(start) > 0 {
			t.Errorf("a good token during the flood: %v after %v", err, time.Since(start))
		}
		wg.Wait()
		for n := range 50 {
			_, err := v.Verify(t.Context(), unknownKid(100+n))
			wantReason(t, err, http.StatusUnauthorized, UnknownKey)
		}
		if n := p.count("/jwks"); n != 2 {
			t.Errorf("%d fetches, want the first and one more", n)
		}
		time.Sleep(41 * time.Second)
		for n := range 5 {
			_, err := v.Verify(t.Context(), unknownKid(200+n))
			wantReason(t, err, http.StatusUnauthorized, UnknownKey)
		}
		if n := p.count("/jwks"); n != 3 {
			t.Errorf("%d fetches after the pause, want 3", n)
		}
	})
}

// TestUnknownKidFirst checks that keys fetched for this very token are not
// fetched again for it.
func TestUnknownKidFirst(t *testing.T) {
	p := onlyRSA()
	_, err := newVerifier(p).Verify(t.Context(), unknownKid(0))
	wantReason(t, err, http.StatusUnauthorized, UnknownKey)
	if n := p.count("/jwks"); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

// TestProviderDown checks that the last good keys serve for a day, and no
// longer, and that the provider is not hammered meanwhile.
func TestProviderDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onlyRSA()
		v := newVerifier(p)
		if _, err := v.Verify(t.Context(), freshToken(0)); err != nil {
			t.Fatal(err)
		}
		p.set(func(p *provider) { p.down = true })
		for n := range 23 * 60 {
			time.Sleep(time.Minute)
			if n%60 != 0 {
				continue
			}
			if _, err := v.Verify(t.Context(), freshToken(n)); err != nil {
				t.Fatalf("after %d minutes: %v", n+1, err)
			}
			synctest.Wait()
		}
		_, err := v.Verify(t.Context(), unknownKid(0))
		wantReason(t, err, http.StatusServiceUnavailable, NoSigningKeys)

		time.Sleep(time.Hour + time.Minute)
		_, err = v.Verify(t.Context(), freshToken(-1))
		wantReason(t, err, http.StatusServiceUnavailable, NoSigningKeys)
		if e, ok := errors.AsType[*auth.Error](err); ok && (e.RetryAfter < time.Second || e.RetryAfter > maxWait) {
			t.Errorf("Retry-After %v", e.RetryAfter)
		}
		if n := p.count("/jwks"); n > 40 {
			t.Errorf("%d fetches in a day of outage with 25 tokens", n)
		}
		p.set(func(p *provider) { p.down = false })
		time.Sleep(maxFetchPause)
		if _, err := v.Verify(t.Context(), freshToken(-1)); err != nil {
			t.Errorf("once the provider is back: %v", err)
		}
	})
}

// TestProviderNeverUp checks the answer before any key was ever fetched.
func TestProviderNeverUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onlyRSA()
		p.keysStatus = http.StatusServiceUnavailable
		p.keysHeader = http.Header{"Retry-After": {"120"}}
		v := newVerifier(p)
		for n := range 10 {
			_, err := v.Verify(t.Context(), freshToken(n))
			wantReason(t, err, http.StatusServiceUnavailable, NoSigningKeys)
			if e, ok := errors.AsType[*auth.Error](err); ok && e.RetryAfter != 2*time.Minute {
				t.Errorf("Retry-After %v, want the issuer's", e.RetryAfter)
			}
		}
		if n := p.count("/jwks"); n != 1 {
			t.Errorf("%d fetches against Retry-After, want 1", n)
		}
		time.Sleep(2 * time.Minute)
		p.set(func(p *provider) { p.keysStatus = 0 })
		if _, err := v.Verify(t.Context(), freshToken(0)); err != nil {
			t.Error(err)
		}
	})
}

// TestKeysSlow checks that a fetch without an end ends, and that a caller who
// leaves does not end it for others.
func TestKeysSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onlyRSA()
		p.delay = time.Hour
		v := newVerifier(p)
		start := time.Now()
		_, err := v.Verify(t.Context(), freshToken(0))
		wantReason(t, err, http.StatusServiceUnavailable, NoSigningKeys)
		if d := time.Since(start); d != keysTimeout {
			t.Errorf("gave up after %v, want %v", d, keysTimeout)
		}

		p.set(func(p *provider) { p.delay = 5 * time.Second })
		time.Sleep(maxFetchPause)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		token := freshToken(1)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := v.Verify(ctx, token)
			wantReason(t, err, http.StatusServiceUnavailable, NetworkError)
		})
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Errorf("the one who stayed: %v", err)
			}
		})
		wg.Wait()
	})
}

// TestKeysRenewed checks when keys are fetched again, by what the issuer says.
func TestKeysRenewed(t *testing.T) {
	for _, c := range []struct {
		control string
		want    time.Duration
	}{
		{"", minKeysFresh},
		{"no-store", minKeysFresh},
		{"no-cache, no-store, must-revalidate", minKeysFresh},
		{"max-age=1", minKeysFresh},
		{"public, max-age=3600", time.Hour},
		{"max-age=\"3600\"", time.Hour},
		{"max-age=-1", minKeysFresh},
		{"max-age=99999999999999999999", minKeysFresh},
		{"max-age=604800", keysKept},
	} {
		t.Run(c.control, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := onlyRSA()
				p.keysHeader = http.Header{"Cache-Control": {c.control}}
				v := newVerifier(p)
				check := func() {
					if _, err := v.Verify(t.Context(), freshToken(int(time.Now().Unix()))); err != nil {
						t.Error(err)
					}
					synctest.Wait()
				}
				check()
				time.Sleep(c.want - time.Second)
				check()
				if n := p.count("/jwks"); n != 1 {
					t.Errorf("%d fetches before %v", n, c.want)
				}
				time.Sleep(time.Second)
				check()
				if n := p.count("/jwks"); n != 2 {
					t.Errorf("%d fetches at %v, want 2", n, c.want)
				}
			})
		})
	}
}

// TestRenewalInBackground checks that no token waits for newer keys while
// there are good ones.
func TestRenewalInBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onlyRSA()
		v := newVerifier(p)
		if _, err := v.Verify(t.Context(), freshToken(0)); err != nil {
			t.Fatal(err)
		}
		p.set(func(p *provider) { p.delay = 5 * time.Second })
		time.Sleep(minKeysFresh)
		start := time.Now()
		if _, err := v.Verify(t.Context(), freshToken(1)); err != nil || time.Since(start) > 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		synctest.Wait()
		if n := p.count("/jwks"); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
		time.Sleep(5 * time.Second)
	})
}

// TestRedirects checks that nobody is followed elsewhere with a token.
func TestRedirects(t *testing.T) {
	p := standardProvider()
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://evil.example/stolen", http.StatusTemporaryRedirect)
	}
	p.introspect, p.userinfo = elsewhere, elsewhere
	_, err := newVerifier(p).Verify(t.Context(), "opaque-one")
	wantReason(t, err, http.StatusServiceUnavailable, NetworkError)
	_, err = newVerifier(p, func(c *Config) { c.IntrospectionURI = "" }).Verify(t.Context(), "opaque-two")
	wantReason(t, err, http.StatusServiceUnavailable, NetworkError)
	if n := p.count("/stolen"); n != 0 {
		t.Errorf("redirect followed %d times", n)
	}
	if strings.Contains(err.Error(), "evil") {
		t.Errorf("error names the target: %v", err)
	}
}
