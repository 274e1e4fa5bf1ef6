package safehttp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/safehttp"
)

// A proxy that nobody answers at is in the environment of all tests: it is
// never used.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"} {
		if err := os.Setenv(name, "http://127.0.0.1:1"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// names is a name server that gives one answer after the other; the last one
// stays.
type names struct {
	answers [][]string
	calls   atomic.Int32
}

func (n *names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	call := int(n.calls.Add(1)) - 1
	if len(n.answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	var out []netip.Addr
	for _, text := range n.answers[min(call, len(n.answers)-1)] {
		out = append(out, netip.MustParseAddr(text))
	}
	return out, nil
}

// host is a TLS server on a loopback address that counts its requests.
type host struct {
	*httptest.Server
	requests atomic.Int32
	port     string
}

func newHost(t *testing.T, listen string, handler http.HandlerFunc) *host {
	t.Helper()
	h := &host{}
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.requests.Add(1)
		handler(w, r)
	}))
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		t.Skipf("this machine has no %s: %v", listen, err)
	}
	h.Listener.Close()
	h.Listener = listener
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	t.Cleanup(h.Close)
	_, h.port, _ = net.SplitHostPort(listener.Addr().String())
	return h
}

func (h *host) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(h.Certificate())
	return pool
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"hello":"world"}`) }

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func TestGet(t *testing.T) {
	var seen http.Header
	h := newHost(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Set-Cookie", "a=b")
		if r.Host != "example.com:"+r.URL.Query().Get("port") {
			w.WriteHeader(http.StatusBadRequest)
		}
		hello(w, r)
	})
	c := safehttp.New(safehttp.Options{Allow: loopback, RootCAs: h.roots(), Resolver: &names{answers: [][]string{{"127.0.0.1"}}}})
	for range 2 {
		answer, err := c.Get(t.Context(), "https://example.com:"+h.port+"/x?port="+h.port)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status != http.StatusOK || string(answer.Body) != `{"hello":"world"}` || answer.Header.Get("Cache-Control") != "max-age=60" {
			t.Errorf("answer %d %q", answer.Status, answer.Body)
		}
		if seen.Get("Cookie") != "" || seen.Get("Referer") != "" || seen.Get("Accept") != "application/json" || seen.Get("User-Agent") != "nextcloud-mcp-server" {
			t.Errorf("sent %v", seen)
		}
	}
}

// A name server that answers with a harmless address first and with an inner
// one when asked again (DNS rebinding) gets nowhere: there is no second
// question within a request, and the next request looks again.
func TestRebinding(t *testing.T) {
	outside := newHost(t, "127.0.0.2:0", hello)
	inside := newHost(t, "127.0.0.1:"+outside.port, hello)
	resolver := &names{answers: [][]string{{"127.0.0.2"}, {"127.0.0.1"}}}
	c := safehttp.New(safehttp.Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, RootCAs: outside.roots(), Resolver: resolver,
	})
	if _, err := c.Get(t.Context(), "https://example.com:"+outside.port+"/"); err != nil {
		t.Fatal(err)
	}
	if resolver.calls.Load() != 1 || outside.requests.Load() != 1 {
		t.Errorf("%d questions, %d requests, want one each", resolver.calls.Load(), outside.requests.Load())
	}
	if _, err := c.Get(t.Context(), "https://example.com:"+outside.port+"/"); !errors.Is(err, safehttp.ErrForbiddenAddress) {
		t.Errorf("error %v, want ErrForbiddenAddress", err)
	}
	if inside.requests.Load() != 0 {
		t.Error("the inner host was asked")
	}
}

// One inner address among harmless ones is enough to refuse the name.
func TestMixedAddresses(t *testing.T) {
	outside := newHost(t, "127.0.0.2:0", hello)
	c := safehttp.New(safehttp.Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, RootCAs: outside.roots(),
		Resolver: &names{answers: [][]string{{"127.0.0.2", "10.0.0.1"}}},
	})
	if _, err := c.Get(t.Context(), "https://example.com:"+outside.port+"/"); !errors.Is(err, safehttp.ErrForbiddenAddress) {
		t.Errorf("error %v, want ErrForbiddenAddress", err)
	}
	if outside.requests.Load() != 0 {
		t.Error("the host was asked")
	}
}

// An address that nobody listens on does not stand in the way of the next one.
func TestSecondAddress(t *testing.T) {
	h := newHost(t, "127.0.0.1:0", hello)
	c := safehttp.New(safehttp.Options{
		Allow: loopback, RootCAs: h.roots(), Resolver: &names{answers: [][]string{{"127.0.0.9", "127.0.0.1"}}},
	})
	if _, err := c.Get(t.Context(), "https://example.com:"+h.port+"/"); err != nil {
		t.Error(err)
	}
}

func TestForbiddenAddresses(t *testing.T) {
	addresses := []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
		"203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::2", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::c0a8:101",
		"64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1",
		"3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff05::1", "4000::1", "8000::1",
	}
	for _, address := range addresses {
		c := safehttp.New(safehttp.Options{Resolver: &names{answers: [][]string{{address}}}, Timeout: time.Second})
		for _, target := range []string{"https://example.com/", "https://[" + address + "]/", "https://" + address + "/"} {
			_, err := c.Get(t.Context(), target)
			if strings.Contains(address, ":") == strings.HasPrefix(target, "https://"+address) || strings.Contains(target, "%") {
				if !errors.Is(err, safehttp.ErrBadURL) && !errors.Is(err, safehttp.ErrForbiddenAddress) {
					t.Errorf("%s: error %v", target, err)
				}
				continue
			}
			if !errors.Is(err, safehttp.ErrForbiddenAddress) {
				t.Errorf("%s as %s: error %v, want ErrForbiddenAddress", target, address, err)
			} else if strings.Contains(err.Error(), address) {
				t.Errorf("the message names the address: %v", err)
			}
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for _, address := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.1",
		"192.0.1.1", "192.167.255.255", "198.17.255.255", "198.20.0.1", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "3ffe::1",
	} {
		if got := safehttp.IsPublic(netip.MustParseAddr(address)); !got {
			t.Errorf("%s is not public", address)
		}
	}
}

func TestPort(t *testing.T) {
	c := safehttp.New(safehttp.Options{Resolver: &names{answers: [][]string{{"8.8.8.8"}}}, Timeout: time.Second})
	for _, port := range []string{"22", "25", "80", "444", "8443", "65535"} {
		if _, err := c.Get(t.Context(), "https://example.com:"+port+"/"); !errors.Is(err, safehttp.ErrForbiddenAddress) {
			t.Errorf("port %s: error %v, want ErrForbiddenAddress", port, err)
		}
	}
}

func TestBadURLs(t *testing.T) {
	resolver := &names{answers: [][]string{{"127.0.0.1"}}}
	c := safehttp.New(safehttp.Options{Allow: loopback, Resolver: resolver, Timeout: time.Second})
	for _, target := range []string{
		"", "example.com", "//example.com/", "/x", "http://example.com/", "http://127.0.0.1/", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "gopher://127.0.0.1:70/",
		"data:,x", "https:example.com", "https:///x", "https://", "https://user@example.com/", "https://user:pw@example.com/", "https://@example.com/", "https://example.com:x/", "https://example.com:99999999/",
		"https://2130706433/", "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f000001/", "https://127.1/", "https://127.0.1/", "https://0/", "https://127.0.0.1./", "https://1.2.3.4.5/", "https://example.0x1/",
		"https://[::1%25lo]/", "https://[::1/", "https://exa mple.com/", "https://example.com/\n", "https://example.com\x00/", "https://example.com/" + strings.Repeat("a", 2000),
	} {
		_, err := c.Get(t.Context(), target)
		if !errors.Is(err, safehttp.ErrBadURL) && !errors.Is(err, safehttp.ErrForbiddenAddress) {
			t.Errorf("Get(%q): error %v, want ErrBadURL", target, err)
		}
	}
	if resolver.calls.Load() != 0 {
		t.Errorf("%d names were looked up", resolver.calls.Load())
	}
}

func TestPlainHTTP(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(srv.Close)
	tests := []struct {
		name string
		opts safehttp.Options
		want error
	}{
		{"both", safehttp.Options{Allow: loopback, Insecure: true}, nil},
		{"no list", safehttp.Options{Insecure: true}, safehttp.ErrBadURL},
		{"not insecure", safehttp.Options{Allow: loopback}, safehttp.ErrBadURL},
		{"another list", safehttp.Options{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Insecure: true}, safehttp.ErrBadURL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := safehttp.New(tt.opts).Get(t.Context(), srv.URL); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	// Not to others, even when they are on the list.
	c := safehttp.New(safehttp.Options{
		Allow: append([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, loopback...), Insecure: true,
		Resolver: &names{answers: [][]string{{"10.0.0.1"}}}, Timeout: time.Second,
	})
	for _, target := range []string{"http://10.0.0.1/", "http://example.com/", "http://8.8.8.8/"} {
		if _, err := c.Get(t.Context(), target); !errors.Is(err, safehttp.ErrForbiddenAddress) {
			t.Errorf("Get(%q): error %v, want ErrForbiddenAddress", target, err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	inside := newHost(t, "127.0.0.1:0", hello)
	h := newHost(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside.URL+"/latest/meta-data", http.StatusFound)
	})
	c := safehttp.New(safehttp.Options{Allow: loopback, RootCAs: h.roots()})
	answer, err := c.Get(t.Context(), h.URL)
	if err != nil || answer.Status != http.StatusFound {
		t.Errorf("answer %+v, %v, want the redirect itself", answer, err)
	}
	if inside.requests.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestSizeLimit(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    error
	}{
		{"as large as allowed", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) }, nil},
		{"one byte more", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1001)) }, safehttp.ErrTooLarge},
		{"without length", func(w http.ResponseWriter, _ *http.Request) {
			for range 1001 {
				_, _ = w.Write([]byte{'x'})
				_ = http.NewResponseController(w).Flush()
			}
		}, safehttp.ErrTooLarge},
		{"without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, safehttp.ErrTooLarge},
		{"header", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 64<<10))
		}, safehttp.ErrUnreachable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t, "127.0.0.1:0", tt.handler)
			c := safehttp.New(safehttp.Options{Allow: loopback, RootCAs: h.roots(), MaxBody: 1000})
			if _, err := c.Get(t.Context(), h.URL); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func TestTimeLimit(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"slow body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "127.0.0.1:0", handler)
			c := safehttp.New(safehttp.Options{Allow: loopback, RootCAs: h.roots(), Timeout: 100 * time.Millisecond})
			if _, err := c.Get(t.Context(), h.URL); !errors.Is(err, safehttp.ErrTimeout) {
				t.Errorf("error %v, want ErrTimeout", err)
			}
		})
	}
	t.Run("no handshake", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		c := safehttp.New(safehttp.Options{Allow: loopback, Timeout: 100 * time.Millisecond})
		_, err = c.Get(t.Context(), "https://"+listener.Addr().String())
		if !errors.Is(err, safehttp.ErrTimeout) {
			t.Errorf("error %v, want ErrTimeout", err)
		}
	})
	t.Run("no name", func(t *testing.T) {
		c := safehttp.New(safehttp.Options{Resolver: silent{}, Timeout: 50 * time.Millisecond})
		if _, err := c.Get(t.Context(), "https://example.com/"); !errors.Is(err, safehttp.ErrTimeout) {
			t.Errorf("error %v, want ErrTimeout", err)
		}
	})
	t.Run("the caller's", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c := safehttp.New(safehttp.Options{Resolver: silent{}})
		if _, err := c.Get(ctx, "https://example.com/"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want the context's", err)
		}
	})
}

// silent is a name server that never answers.
type silent struct{}

func (silent) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTLS(t *testing.T) {
	h := newHost(t, "127.0.0.1:0", hello)
	resolver := &names{answers: [][]string{{"127.0.0.1"}}}
	t.Run("unknown certificate", func(t *testing.T) {
		_, err := safehttp.New(safehttp.Options{Allow: loopback}).Get(t.Context(), h.URL)
		if !errors.Is(err, safehttp.ErrUnreachable) {
			t.Errorf("error %v, want ErrUnreachable", err)
		}
	})
	t.Run("another name", func(t *testing.T) {
		c := safehttp.New(safehttp.Options{Allow: loopback, RootCAs: h.roots(), Resolver: resolver})
		if _, err := c.Get(t.Context(), "https://other.example:"+h.port); !errors.Is(err, safehttp.ErrUnreachable) {
			t.Errorf("error %v, want ErrUnreachable", err)
		}
	})
	t.Run("old version", func(t *testing.T) {
		old := httptest.NewUnstartedServer(http.HandlerFunc(hello))
		old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		old.Config.ErrorLog = log.New(io.Discard, "", 0)
		old.StartTLS()
		t.Cleanup(old.Close)
		pool := x509.NewCertPool()
		pool.AddCert(old.Certificate())
		if _, err := safehttp.New(safehttp.Options{Allow: loopback, RootCAs: pool}).Get(t.Context(), old.URL); !errors.Is(err, safehttp.ErrUnreachable) {
			t.Errorf("error %v, want ErrUnreachable", err)
		}
	})
	t.Run("unknown name", func(t *testing.T) {
		_, err := safehttp.New(safehttp.Options{Resolver: &names{}}).Get(t.Context(), "https://example.com/")
		if !errors.Is(err, safehttp.ErrUnreachable) {
			t.Errorf("error %v, want ErrUnreachable", err)
		}
	})
}
