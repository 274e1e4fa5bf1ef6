package ratelimit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"nextcloud-mcp-server/internal/ratelimit"
)

func TestBurstThenRefillAtTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.New(ratelimit.Rate{PerMinute: 60, Burst: 3}, 10)
		for i := range 3 {
			if ok, _ := l.Allow("a"); !ok {
				t.Fatalf("request %d of the burst was refused", i)
			}
		}
		ok, wait := l.Allow("a")
		if ok || wait <= 0 || wait > time.Second {
			t.Fatalf("after the burst: ok %v, wait %v; want a refusal for up to a second", ok, wait)
		}
		for range 100 {
			l.Allow("a") // refusals take nothing
		}
		time.Sleep(wait)
		if ok, _ := l.Allow("a"); !ok {
			t.Fatalf("refused after the time that it named")
		}
		if ok, _ := l.Allow("a"); ok {
			t.Fatal("more than the rate was let through")
		}
	})
}

func TestKeysHaveTheirOwnBuckets(t *testing.T) {
	l := ratelimit.New(ratelimit.Rate{PerMinute: 1}, 10)
	l.Allow("a")
	if ok, _ := l.Allow("a"); ok {
		t.Fatal("a second request of a was let through")
	}
	if ok, _ := l.Allow("b"); !ok {
		t.Fatal("b pays for a")
	}
}

func TestOnlyTheLatestKeysAreRemembered(t *testing.T) {
	l := ratelimit.New(ratelimit.Rate{PerMinute: 1}, 3)
	l.Allow("first")
	for i := range 3 {
		l.Allow(fmt.Sprint("other", i))
	}
	if ok, _ := l.Allow("other2"); ok {
		t.Error("a remembered key has a new bucket")
	}
	if ok, _ := l.Allow("first"); !ok {
		t.Error("more keys than allowed are remembered")
	}
}

func TestNoLimit(t *testing.T) {
	for _, r := range []ratelimit.Rate{{}, {PerMinute: -1}} {
		l := ratelimit.New(r, 10)
		for range 1000 {
			if ok, _ := l.Allow("a"); !ok {
				t.Fatalf("%+v limits", r)
			}
		}
	}
}

func TestAddressOfARequest(t *testing.T) {
	proxies := ratelimit.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name      string
		remote    string
		forwarded []string
		want      string
	}{
		{"direct", "192.0.2.1:5000", nil, "192.0.2.1"},
		{"a stranger's header", "192.0.2.1:5000", []string{"198.51.100.7"}, "192.0.2.1"},
		{"one proxy", "10.1.1.1:5000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"one proxy, forged left part", "10.1.1.1:5000", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		{"forged proxy address left of the client", "10.1.1.1:5000", []string{"203.0.113.9, 10.9.9.9, 198.51.100.7"}, "198.51.100.7"},
		{"two proxies", "10.1.1.1:5000", []string{"198.51.100.7, 10.2.2.2"}, "198.51.100.7"},
		{"two headers", "10.1.1.1:5000", []string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7"},
		{"two headers, the right one a proxy", "10.1.1.1:5000", []string{"203.0.113.9, 198.51.100.7", "10.2.2.2"}, "198.51.100.7"},
		{"proxies only", "10.1.1.1:5000", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		{"no header", "10.1.1.1:5000", nil, "10.1.1.1"},
		{"rubbish", "10.1.1.1:5000", []string{"198.51.100.7, unknown"}, "10.1.1.1"},
		{"with a port", "10.1.1.1:5000", []string{"198.51.100.7:443"}, "198.51.100.7"},
		{"IPv6 with a port", "[fd00::1]:5000", []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		{"IPv6 in brackets", "[fd00::1]:5000", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv4 in IPv6 from a proxy", "[::ffff:10.1.1.1]:5000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"IPv4 in IPv6 client", "10.1.1.1:5000", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"a zone", "[fe80::1%eth0]:5000", nil, "fe80::1"},
		{"a Unix socket", "@", []string{"198.51.100.7"}, "invalid IP"},
		{"an empty hop", "10.1.1.1:5000", []string{"198.51.100.7,"}, "10.1.1.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			r.Header["X-Forwarded-For"] = c.forwarded
			if got := proxies.Of(r).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestNoProxiesMeansNobodyIsBelieved(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "127.0.0.1:5000"
	r.Header.Set("X-Forwarded-For", "198.51.100.7")
	if got := ratelimit.Proxies(nil).Of(r).String(); got != "127.0.0.1" {
		t.Errorf("got %s", got)
	}
}

func TestKeyOfAnAddress(t *testing.T) {
	same := func(a, b string) bool {
		return ratelimit.Key(netip.MustParseAddr(a)) == ratelimit.Key(netip.MustParseAddr(b))
	}
	if !same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9") {
		t.Error("addresses of one /64 have different buckets")
	}
	if same("2001:db8:1:2::1", "2001:db8:1:3::1") {
		t.Error("two /64 share a bucket")
	}
	if same("192.0.2.1", "192.0.2.2") {
		t.Error("two IPv4 addresses share a bucket")
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("10.0.0.1:1", "1.2.3.4, 10.0.0.2")
	f.Add("[::1]:1", "[2001:db8::1]:80")
	f.Add("", ",,,")
	proxies := ratelimit.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		r.Header["X-Forwarded-For"] = []string{forwarded}
		got := proxies.Of(r)
		r.Header.Del("X-Forwarded-For")
		if direct := proxies.Of(r); !proxies[0].Contains(direct) && got != direct {
			t.Errorf("a stranger at %s is believed: %s", direct, got)
		}
		ratelimit.Key(got)
	})
}
