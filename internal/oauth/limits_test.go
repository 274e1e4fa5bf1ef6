package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/ratelimit"
)

// limit opens one limit of the rig, and leaves the others off.
func limit(set func(*oauth.Limits)) func(*oauth.Config) {
	return func(cfg *oauth.Config) { set(&cfg.Limits) }
}

func from(req *http.Request, addr string) *http.Request {
	req.RemoteAddr = addr + ":4000"
	return req
}

func TestLimitsByAddress(t *testing.T) {
	two := ratelimit.Rate{PerMinute: 2}
	form := func(path string) func() *http.Request {
		return func() *http.Request {
			req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(url.Values{"client_id": {app}, "token": {"x"}}.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return req
		}
	}
	for _, c := range []struct {
		name string
		set  func(*oauth.Limits)
		req  func() *http.Request
	}{
		{"register", func(l *oauth.Limits) { l.Register = two }, form("/oauth/register")},
		{"token", func(l *oauth.Limits) { l.Token = two }, form("/oauth/token")},
		{"revoke", func(l *oauth.Limits) { l.Token = two }, form("/oauth/revoke")},
		{"manage", func(l *oauth.Limits) { l.Token = two }, func() *http.Request { return httptest.NewRequest(http.MethodGet, "/oauth/register/abc", nil) }},
		{"authorize", func(l *oauth.Limits) { l.Authorize = two }, func() *http.Request {
			return httptest.NewRequest(http.MethodGet, "/oauth/authorize?"+wellFormed().Encode(), nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, limit(c.set))
			for i := range 2 {
				if w := r.do(from(c.req(), "192.0.2.1")); w.Code == http.StatusTooManyRequests {
					t.Fatalf("request %d is one too many", i+1)
				}
			}
			w := r.do(from(c.req(), "192.0.2.1"))
			wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
			if w.Code != http.StatusTooManyRequests || err != nil || wait < 1 || wait > 30 {
				t.Errorf("status %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
			}
			if c.name == "authorize" {
				if len(r.failed) != 1 || r.failed[0] != oauth.PageRateLimited {
					t.Errorf("pages %v", r.failed)
				}
			} else if !strings.Contains(w.Body.String(), `"error":"slow_down"`) || w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s %v", w.Body, w.Header())
			}
			if w := r.do(from(c.req(), "192.0.2.2")); w.Code == http.StatusTooManyRequests {
				t.Error("another address pays for it")
			}
		})
	}
}

func TestLimitsByClient(t *testing.T) {
	two := ratelimit.Rate{PerMinute: 2}
	authorize := func(id, redirectURI string) *http.Request {
		return httptest.NewRequest(http.MethodGet, "/oauth/authorize?"+with(wellFormed(), "client_id", id, "redirect_uri", redirectURI).Encode(), nil)
	}
	token := func(id, _ string) *http.Request {
		form := refresh("x", id)
		if id == secret {
			form.Set("client_secret", "s3cret")
		}
		req := httptest.NewRequest(http.MethodPost, "/oauth/token", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return req
	}
	for _, c := range []struct {
		name    string
		set     func(*oauth.Limits)
		req     func(id, redirectURI string) *http.Request
		id, uri string
		shared  bool // an address of its own helps nobody
	}{
		{"authorize, registered", func(l *oauth.Limits) { l.ClientAuthorize = two }, authorize, app, local, true},
		{"authorize, by document", func(l *oauth.Limits) { l.ClientAuthorize = two }, authorize, webApp, local, false},
		{"token, registered", func(l *oauth.Limits) { l.ClientToken = two }, token, app, "", true},
		{"token, with secret", func(l *oauth.Limits) { l.ClientToken = two }, token, secret, "", true},
		{"token, by document", func(l *oauth.Limits) { l.ClientToken = two }, token, webApp, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, limit(c.set))
			for range 2 {
				if w := r.do(from(c.req(c.id, c.uri), "192.0.2.1")); w.Code == http.StatusTooManyRequests {
					t.Fatal("refused too early")
				}
			}
			if w := r.do(from(c.req(c.id, c.uri), "192.0.2.1")); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
				t.Errorf("the third: status %d", w.Code)
			}
			if w := r.do(from(c.req(c.id, c.uri), "192.0.2.2")); (w.Code == http.StatusTooManyRequests) != c.shared {
				t.Errorf("from another address: status %d", w.Code)
			}
			if w := r.do(from(c.req(other, "https://app.example/cb"), "192.0.2.1")); w.Code == http.StatusTooManyRequests {
				t.Error("another client pays for it")
			}
		})
	}
}

// Only a listed proxy decides whose bucket a request takes from.
func TestLimitsBehindAProxy(t *testing.T) {
	r := newRig(t, func(cfg *oauth.Config) {
		cfg.Limits.Register = ratelimit.Rate{PerMinute: 1}
		cfg.Proxies = ratelimit.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	})
	register := func(remote, forwarded string) int {
		req := from(httptest.NewRequest(http.MethodPost, "/oauth/register", nil), remote)
		req.Header.Set("X-Forwarded-For", forwarded)
		return r.do(req).Code
	}
	for _, c := range []struct {
		remote, forwarded string
		want              int
	}{
		{"10.0.0.1", "192.0.2.1", http.StatusBadRequest},
		{"10.0.0.1", "192.0.2.2", http.StatusBadRequest},
		{"10.0.0.1", "198.51.100.1, 192.0.2.1", http.StatusTooManyRequests},
		{"192.0.2.9", "198.51.100.2", http.StatusBadRequest},
		{"192.0.2.9", "198.51.100.3", http.StatusTooManyRequests},
	} {
		if got := register(c.remote, c.forwarded); got != c.want {
			t.Errorf("%s for %s: status %d, want %d", c.remote, c.forwarded, got, c.want)
		}
	}
}

func TestDefaultLimits(t *testing.T) {
	r := newRig(t, func(cfg *oauth.Config) { cfg.Limits = oauth.Limits{} })
	for i := range 21 {
		w := r.post("/oauth/register", nil)
		if want := i == 20; (w.Code == http.StatusTooManyRequests) != want {
			t.Fatalf("registration %d: status %d", i+1, w.Code)
		}
	}
}
