package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// flood is a request that is limited, and how many of it an address may send
// at once at the least and at the most.
type flood struct {
	name        string
	send        func(p *program) (answer, error)
	least, most int
}

func floods(t *testing.T) []flood {
	t.Helper()
	return []flood{
		{"register", func(p *program) (answer, error) {
			return p.send(t.Context(), http.MethodPost, p.at+"/oauth/register", "application/json", `{"redirect_uris":["http://127.0.0.1/callback"]}`)
		}, 5, 200},
		{"authorize", func(p *program) (answer, error) {
			address, _ := p.ask(url.Values{"client_id": {"nobody"}})
			return p.send(t.Context(), http.MethodGet, address, "", "")
		}, 10, 500},
		{"token", func(p *program) (answer, error) {
			got, err := p.token(t.Context(), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}})
			return got.answer, err
		}, 60, 3000},
		{"sign-in", func(p *program) (answer, error) {
			return p.send(t.Context(), http.MethodGet, p.at+"/account", "", "")
		}, 5, 300},
	}
}

// TestRates: whoever asks too often is told when to come back, forged
// addresses do not help, and Nextcloud is spared.
func TestRates(t *testing.T) {
	t.Parallel()
	for _, f := range floods(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			sim := nextcloudtest.Start(t, &nextcloudtest.Options{DisableOIDC: true})
			endpoint, _ := serve(t, sim)
			p := newProgram(endpoint)
			limited := false
			for i := range f.most {
				p.headers = http.Header{
					"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", i%250)}, "X-Real-Ip": {fmt.Sprintf("198.51.100.%d", i%250)},
					"Forwarded": {fmt.Sprintf("for=192.0.2.%d", i%250)}, "True-Client-Ip": {fmt.Sprintf("192.0.2.%d", i%250)},
				}
				a, err := f.send(p)
				if err != nil {
					t.Fatal(err)
				}
				if a.status != http.StatusTooManyRequests {
					continue
				}
				if wait, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || wait < 1 || wait > 120 {
					t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
				}
				if limited = true; i < f.least {
					t.Errorf("limited after %d requests", i)
				}
				break
			}
			if !limited {
				t.Errorf("%d requests went through", f.most)
			}
			if n := sim.RequestCount() - sim.CountRequests("", "/status.php") - sim.CountRequests("", "/.well-known/"); n > 100 {
				t.Errorf("Nextcloud got %d requests", n)
			}
		})
	}
}

// TestRatesBehindAProxy: a listed proxy is believed, so that its people do not
// share one limit.
func TestRatesBehindAProxy(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	endpoint, _ := serve(t, sim, "FORWARDED_ALLOW_IPS=127.0.0.1")
	register := floods(t)[0]
	p := newProgram(endpoint)
	for i := range register.most {
		// What the client itself wrote stands before what the proxy wrote.
		p.headers = http.Header{"X-Forwarded-For": {fmt.Sprintf("127.0.0.1, 203.0.113.%d", i%250)}}
		if a, err := register.send(p); err != nil || a.status != http.StatusCreated {
			t.Fatalf("person %d: %d %v", i, a.status, err)
		}
	}
	limited := 0
	for i := range register.most {
		p.headers = http.Header{"X-Forwarded-For": {fmt.Sprintf("198.51.100.%d, 192.0.2.7", i%250)}}
		if a, err := register.send(p); err != nil || a.status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited == 0 {
		t.Error("one person who forges addresses before the proxy's has no limit")
	}
}
