package doctor_test

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"nextcloud-mcp-server/internal/doctor"
)

// TestHealthy: where all is well, nothing is found, from either side.
func TestHealthy(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]site{
		"at the root":     {},
		"below a path":    {prefix: "/mcp-server"},
		"prefix stripped": {prefix: "/mcp-server", proxy: stripping("/mcp-server")},
		"login flow only": {variables: []string{"MCP_SIGN_IN=loginflow"}},
		"issuer":          {variables: []string{"MCP_AUTHORIZATION_SERVER=issuer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := s.start(t)
			inside := r.examine(t, nil)
			outside := visit(t, r.public+"/mcp", nil)
			for _, report := range []doctor.Report{inside, outside} {
				if report.Worst != doctor.OK {
					t.Errorf("worst is %s:\n%s", report.Worst, text(report))
				}
				want(t, report,
					line{"server.alive", doctor.OK, "answers", ""},
					line{"server.challenge", doctor.OK, "/.well-known/oauth-protected-resource" + s.prefix + "/mcp$", ""},
					line{"server.bearer", doctor.OK, "arrives", ""},
					line{"server.resource", doctor.OK, r.public + "/mcp$", ""},
					line{"server.issuer", doctor.OK, "", ""},
					line{"server.pkce", doctor.OK, "S256", ""},
					line{"server.registration", doctor.OK, "register themselves", ""},
					line{"server.authorize", doctor.OK, "", ""},
					line{"server.body", doctor.OK, "4 MiB pass", ""},
					line{"server.stream", doctor.Skipped, "", "--token-file"},
				)
			}
			if s.prefix == "" {
				want(t, inside, line{"server.alive", doctor.OK, "mode oauth", ""}, line{"server.ready", doctor.OK, "", ""})
			}
			want(t, inside,
				line{"local.port", doctor.OK, "the server listens", ""},
				line{"nextcloud.status", doctor.OK, "Nextcloud 34.0.1", ""},
				line{"nextcloud.ocs", doctor.OK, "", ""},
				line{"nextcloud.throttling", doctor.OK, "", ""},
				line{"nextcloud.clock", doctor.OK, "", ""},
				line{"store.database", doctor.OK, "opens, and the key fits", ""},
				line{"store.database", doctor.OK, "0 connections, 0 registered clients, 0 app passwords", ""},
			)
		})
	}
}

// stripping takes the prefix away, but not from the well-known addresses.
func stripping(prefix string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = strings.TrimPrefix(r.URL.Path, prefix)
			if r.URL.Path == "" {
				r.URL.Path = "/"
			}
			next.ServeHTTP(w, r)
		})
	}
}

// only passes on what is below some paths, and is Nextcloud-less nginx for the
// rest.
func only(prefixes ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, p := range prefixes {
				if strings.HasPrefix(r.URL.Path, p) {
					next.ServeHTTP(w, r)
					return
				}
			}
			w.Header().Set("Server", "nginx/1.27")
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte("<html><head><title>404 Not Found</title></head></html>"))
		})
	}
}

// everywhere answers in place of the server, where match says so.
func everywhere(match func(*http.Request) bool, answer http.HandlerFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if match(r) {
				answer(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func always(*http.Request) bool { return true }

// changed lets the answers of the server be changed.
func changed(change func(h http.Header)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			change(rec.Header())
			maps.Copy(w.Header(), rec.Header())
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
	}
}

// TestProxy: every mistake that a reverse proxy is known for has its line, and
// blames nobody else.
func TestProxy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		site  site
		lines []line
		only  bool // nothing but the lines is found
	}{
		"drops Authorization": {
			site:  site{rewrite: func(p *httputil.ProxyRequest) { p.Out.Header.Del("Authorization") }},
			lines: []line{{"server.bearer", doctor.Problem, "does not arrive", "CGIPassAuth On"}},
			only:  true,
		},
		"drops WWW-Authenticate": {
			site:  site{proxy: changed(func(h http.Header) { h.Del("WWW-Authenticate") })},
			lines: []line{{"server.challenge", doctor.Problem, "has lost its WWW-Authenticate", "pass on WWW-Authenticate"}},
			only:  true,
		},
		"relative metadata": {
			site: site{proxy: changed(func(h http.Header) {
				if h.Get("WWW-Authenticate") != "" {
					h.Set("WWW-Authenticate", `Bearer error="invalid_token", resource_metadata="/.well-known/oauth-protected-resource/mcp"`)
				}
			})},
			lines: []line{{"server.challenge", doctor.Problem, "not absolute", ""}},
			only:  true,
		},
		"another host in Host": {
			site: site{rewrite: func(p *httputil.ProxyRequest) { p.Out.Host = "backend.internal" }},
			lines: []line{
				{"server.challenge", doctor.Problem, "does not know the host name", `proxy_set_header Host \$host`},
				{"server.resource", doctor.Problem, "does not know the host name", ""},
			},
		},
		"states http behind TLS": {
			site: site{stated: func(public string) string { return strings.Replace(public, "http://", "https://", 1) }},
			lines: []line{
				{"server.resource", doctor.Problem, "calls itself https://, but is reached over http://", "NEXTCLOUD_MCP_SERVER_URL=http://127"},
				{"server.challenge", doctor.Problem, "sends clients to https://127", "NEXTCLOUD_MCP_SERVER_URL=http://127"},
			},
		},
		"states another host": {
			site:  site{stated: func(string) string { return "http://localhost:1" }, variables: []string{"MCP_ALLOWED_HOSTS=127.0.0.1:*"}},
			lines: []line{{"server.resource", doctor.Problem, "calls itself localhost:1, but is reached as 127", "NEXTCLOUD_MCP_SERVER_URL=http://127"}},
		},
		"states no prefix": {
			site: site{prefix: "/mcp-server", proxy: stripping("/mcp-server"), stated: func(p string) string { return strings.TrimSuffix(p, "/mcp-server") }},
			lines: []line{
				{"server.challenge", doctor.Problem, "instead of http://.*/.well-known/oauth-protected-resource/mcp-server/mcp", "NEXTCLOUD_MCP_SERVER_URL=http://.*/mcp-server$"},
				{"server.resource", doctor.Problem, "nothing is at .*/.well-known/oauth-protected-resource/mcp-server/mcp.*before the path", "Below a path of another site"},
			},
		},
		"no well-known for a prefix": {
			site: site{prefix: "/mcp-server", proxy: only("/mcp-server/")},
			lines: []line{
				{"server.alive", doctor.OK, "", ""},
				{"server.resource", doctor.Problem, `nothing is at .*/.well-known/oauth-protected-resource/mcp-server/mcp \(nginx/1.27\)`, "Below a path of another site"},
			},
		},
		"no health": {
			site:  site{proxy: only("/mcp", "/.well-known/", "/oauth/")},
			lines: []line{{"server.alive", doctor.Warning, "not /health/live", "pass on everything below"}},
			only:  true,
		},
		"no oauth pages": {
			site: site{proxy: only("/mcp", "/.well-known/", "/health/")},
			lines: []line{
				{"server.registration", doctor.Problem, `the registration endpoint .*/oauth/register is not there \(HTTP 404\)`, "pass on its path"},
				{"server.authorize", doctor.Problem, `the authorization endpoint .*/oauth/authorize is not there`, "pass on its path"},
			},
			only: true,
		},
		"no short metadata, no OpenID": {
			site: site{proxy: everywhere(func(r *http.Request) bool {
				return r.URL.Path == "/.well-known/oauth-protected-resource" || r.URL.Path == "/.well-known/openid-configuration"
			}, http.NotFound)},
			lines: []line{
				{"server.resource", doctor.Warning, "nothing is at .*/.well-known/oauth-protected-resource,", ""},
				{"server.issuer", doctor.Warning, "nothing is at .*/.well-known/openid-configuration, where ChatGPT looks", ""},
			},
			only: true,
		},
		"limits bodies": {
			site: site{proxy: everywhere(func(r *http.Request) bool { return r.ContentLength > 1<<20 }, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			})},
			lines: []line{{"server.body", doctor.Warning, "HTTP 413", "client_max_body_size 5m"}},
			only:  true,
		},
		"server is down": {
			site:  site{down: true},
			lines: []line{{"server.alive", doctor.Problem, `does not reach the MCP server \(HTTP 502\)`, "MCP_HOST"}, {"local.port", doctor.OK, "is free", ""}},
		},
		"asks for a password": {
			site: site{proxy: everywhere(always, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Basic realm="private"`)
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte("<html>"))
			})},
			lines: []line{{"server.alive", doctor.Problem, "asks for a password", "take Basic authentication off"}},
		},
		"redirects to a sign-in page": {
			site: site{proxy: everywhere(always, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://auth.example.org/?rd=secret", http.StatusFound)
			})},
			lines: []line{{"server.alive", doctor.Problem, `redirected to https://auth.example.org/ \(HTTP 302\)`, "final address"}},
		},
		"a web page for everything": {
			site: site{proxy: everywhere(always, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Server", "cloudflare")
				_, _ = w.Write([]byte("<!DOCTYPE html><title>Just a moment...</title>"))
			})},
			lines: []line{{"server.alive", doctor.Problem, `a web page \(cloudflare\) answers`, "bot protection"}},
		},
		"Nextcloud answers": {
			site: site{proxy: everywhere(always, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Set-Cookie", "oc_sessionPassphrase=x; path=/")
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte("<!DOCTYPE html>"))
			})},
			lines: []line{{"server.alive", doctor.Problem, "Nextcloud answers", "before the rules of Nextcloud"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.site.start(t)
			report := visit(t, r.public+"/mcp", nil)
			lines := c.lines
			var ids []string
			for _, l := range lines {
				ids = append(ids, l.id)
				if l.id == "local.port" {
					want(t, r.examine(t, nil), l)
					continue
				}
				want(t, report, l)
			}
			if c.only {
				wantNothingElse(t, report, ids...)
			}
		})
	}
}

// TestServerOfOnePerson: clients start it themselves, so that it need not run;
// where it is to be reached from elsewhere, it has to.
func TestServerOfOnePerson(t *testing.T) {
	t.Parallel()
	single := []string{"NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=alice-password-1"}
	report := site{variables: single, down: true, stated: func(string) string { return "http://localhost:1" }}.start(t).examine(t, nil)
	want(t, report, line{"local.port", doctor.OK, "is free", ""}, line{"access.user", doctor.OK, "takes", ""})
	wantNothingElse(t, report)
	report = site{variables: single, down: true, stated: func(string) string { return "http://192.0.2.1:1" }}.start(t).examine(t, func(o *doctor.Options) {
		o.Dial = refuseForeign
	})
	want(t, report, line{"server.tls", doctor.Problem, "nobody listens", "start it"})
}

// refuseForeign is a network where nobody is, but this machine.
func refuseForeign(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(address, "127.0.0.1:") {
		return nil, syscall.ECONNREFUSED
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// TestBuffering: a proxy that waits for the end of an answer holds back event
// streams.
func TestBuffering(t *testing.T) {
	t.Parallel()
	single := []string{"NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=alice-password-1"}
	good := site{variables: single}.start(t)
	want(t, good.examine(t, nil),
		line{"server.stream", doctor.OK, "open at once", ""},
		line{"server.challenge", doctor.OK, "no sign-in", ""},
		line{"server.alive", doctor.OK, "version .*, mode basic", ""},
	)
	buffering := site{variables: single, proxy: changed(func(http.Header) {})}.start(t)
	report := buffering.examine(t, func(o *doctor.Options) { o.Each = 4e9 })
	want(t, report, line{"server.stream", doctor.Problem, "waits for its end", "proxy_buffering off"})
	wantNothingElse(t, report, "server.stream")
}

// counting counts what clients send.
type counting struct {
	net.Listener
	bytes *atomic.Int64
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	return countingConn{conn, c.bytes}, err
}

type countingConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}

// TestLargeRequest: whether it would pass is found out without sending it to
// who does not want it.
func TestLargeRequest(t *testing.T) {
	t.Parallel()
	var bytes atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health/live" {
			_, _ = w.Write([]byte(`{"status":"alive","mode":"oauth"}`))
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	s.Listener = counting{s.Listener, &bytes}
	s.Start()
	defer s.Close()
	want(t, visit(t, s.URL, nil), line{"server.body", doctor.OK, "4 MiB pass", ""})
	if n := bytes.Load(); n > 64<<10 {
		t.Errorf("%d bytes were sent", n)
	}
}

// TestSlash: the address is compared byte by byte.
func TestSlash(t *testing.T) {
	t.Parallel()
	r := site{}.start(t)
	report := visit(t, r.public+"/mcp/", nil)
	want(t, report, line{"server.resource", doctor.Warning, "slash at its end", "give people " + r.public + "/mcp$"})
	wantNothingElse(t, report, "server.resource")
	if report := visit(t, r.public+"/", nil); report.Worst != doctor.OK {
		t.Errorf("the address without /mcp:\n%s", text(report))
	}
}
