package oidcclient_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/oidcclient"
)

// document is Nextcloud's discovery document, served at base.
func document(t *testing.T, base string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/openid-configuration.json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "http://127.0.0.1:8080", base)
}

// serve is a provider whose answers are written by handler, which is told the
// provider's own address.
func serve(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, base string)) *httptest.Server {
	t.Helper()
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler(w, r, srv.URL) }))
	t.Cleanup(srv.Close)
	return srv
}

func TestDiscover(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, base string) {
		if r.URL.Path != oidcclient.WellKnown {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, document(t, base))
	})
	got, err := oidcclient.Discover(t.Context(), srv.Client(), srv.URL+oidcclient.WellKnown, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &oidcclient.Provider{
		Issuer:                srv.URL,
		AuthorizationEndpoint: srv.URL + "/apps/oidc/authorize",
		TokenEndpoint:         srv.URL + "/apps/oidc/token",
		UserinfoEndpoint:      srv.URL + "/apps/oidc/userinfo",
		JWKSURI:               srv.URL + "/apps/oidc/jwks",
		IntrospectionEndpoint: srv.URL + "/apps/oidc/introspect",
		RegistrationEndpoint:  srv.URL + "/apps/oidc/register",
		EndSessionEndpoint:    srv.URL + "/apps/oidc/logout",
		ScopesSupported:       []string{"openid", "profile", "email", "roles", "groups", "offline_access"},
		CodeChallengeMethods:  []string{"S256", "plain"},
		SigningAlgorithms:     []string{"RS256", "HS256"},
		AuthMethods:           []string{"client_secret_post", "client_secret_basic"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got.PKCE() != oidcclient.PKCES256 || !got.Supports("offline_access") || got.Supports("notes.read") {
		t.Errorf("PKCE %v", got.PKCE())
	}
}

func TestDiscoverOverrides(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, base string) {
		doc := strings.Replace(document(t, base), `"issuer": "`+base, `"issuer": "https://elsewhere.example`, 1)
		io.WriteString(w, strings.ReplaceAll(doc, base, strings.Replace(base, "http://", "https://", 1)))
	})
	got, err := oidcclient.Discover(t.Context(), srv.Client(), srv.URL+oidcclient.WellKnown, &oidcclient.DiscoverOptions{
		Issuer: "https://issuer.example/", JWKS: "https://j.example/", Introspection: "https://i.example/", Userinfo: "https://u.example/",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Issuer != "https://issuer.example/" || got.JWKSURI != "https://j.example/" || got.IntrospectionEndpoint != "https://i.example/" || got.UserinfoEndpoint != "https://u.example/" {
		t.Errorf("got %+v", got)
	}
}

func TestPublicIssuer(t *testing.T) {
	for _, test := range []struct {
		name, says string // the issuer in the document, with $ for our address
		authorize  string
	}{
		{"ours", "$", "https://cloud.example/sub/apps/oidc/authorize"},
		{"the public one", "https://cloud.example/sub", "https://cloud.example/sub/apps/oidc/authorize"},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := serve(t, func(w http.ResponseWriter, _ *http.Request, base string) {
				issuer := strings.ReplaceAll(test.says, "$", base)
				doc := strings.Replace(document(t, base), `"issuer": "`+base, `"issuer": "`+issuer, 1)
				if strings.HasPrefix(issuer, "https") {
					doc = strings.ReplaceAll(doc, base, issuer) // as with overwritehost
				}
				io.WriteString(w, doc)
			})
			got, err := oidcclient.Discover(t.Context(), srv.Client(), srv.URL+oidcclient.WellKnown,
				&oidcclient.DiscoverOptions{PublicIssuer: "https://cloud.example/sub/"})
			if err != nil {
				t.Fatal(err)
			}
			if got.AuthorizationEndpoint != test.authorize {
				t.Errorf("authorize at %s, want %s", got.AuthorizationEndpoint, test.authorize)
			}
			if want := strings.ReplaceAll(test.says, "$", srv.URL); got.Issuer != want || !strings.HasPrefix(got.TokenEndpoint, want) {
				t.Errorf("issuer %s, token at %s", got.Issuer, got.TokenEndpoint)
			}
		})
	}
}

func TestDiscoverProblems(t *testing.T) {
	answer := func(status int, body string, header ...string) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, _ *http.Request, base string) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			io.WriteString(w, strings.ReplaceAll(body, "$", base))
		}
	}
	const minimal = `"authorization_endpoint":"$/a","token_endpoint":"$/t","jwks_uri":"$/j"`
	tests := []struct {
		name    string
		handler func(http.ResponseWriter, *http.Request, string)
		want    string
	}{
		{"maintenance", answer(503, "<!DOCTYPE html>", "X-Nextcloud-Maintenance-Mode", "1", "Retry-After", "120"), "occ maintenance:mode --off"},
		{"server error", answer(502, "bad gateway"), "HTTP 502: look into its log"},
		{"rate limit", answer(429, ""), "HTTP 429"},
		{"no oidc app", answer(404, `{"message":"openid-configuration not supported"}`, "X-NEXTCLOUD-WELL-KNOWN", "1"), "`occ app:install oidc`"},
		{"no well-known", answer(404, "<html>"), "OIDC_DISCOVERY_URL=http://127.0.0.1:"},
		{"untrusted domain", answer(400, `{"error": "Trusted domain error.", "code": 15}`), "occ config:system:set trusted_domains 9 --value=127.0.0.1:"},
		{"untrusted domain, page", answer(400, `<html>Access through untrusted domain</html>`), "trusted_domains"},
		{"forbidden", answer(403, "no"), "HTTP 403"},
		{"page", answer(200, " <!DOCTYPE html><html>"), "a web page came where JSON was expected"},
		{"text", answer(200, "hello"), "not the JSON of a discovery document"},
		{"cut", answer(200, `{"issuer":"$",`), "not the JSON of a discovery document"},
		{"too large", answer(200, strings.Repeat(" ", 1<<20)+"{}"), "larger than 1048576 bytes"},
		{"short", answer(200, "{", "Content-Length", "100"), "cut off"},
		{"empty object", answer(200, `{}`), "no issuer"},
		{"no token endpoint", answer(200, `{"issuer":"$","authorization_endpoint":"$/a"}`), "no token_endpoint"},
		{"no keys", answer(200, `{"issuer":"$","authorization_endpoint":"$/a","token_endpoint":"$/t"}`), "no jwks_uri"},
		{"bad endpoint", answer(200, `{"issuer":"$","authorization_endpoint":"javascript:alert(1)","token_endpoint":"$/t","jwks_uri":"$/j"}`), "authorization_endpoint of the discovery document is not an http"},
		{"another issuer", answer(200, `{"issuer":"http://other.example:8080",`+minimal+`}`), "calls itself http://other.example:8080, but was asked at http://127.0.0.1:"},
		{"localhost", answer(200, `{"issuer":"http://localhost:8080",`+minimal+`}`), "localhost and 127.0.0.1 are different names"},
		{"https issuer", answer(200, `{"issuer":"https://127.0.0.1",`+strings.ReplaceAll(minimal, "$", "https://127.0.0.1")+`}`), "overwriteprotocol"},
		{"insecure endpoint", answer(200, `{"issuer":"https://127.0.0.1",`+minimal+`}`), "is not https, though the issuer is"},
		{"another port", answer(200, `{"issuer":"http://127.0.0.1:1",`+minimal+`}`), "NEXTCLOUD_PUBLIC_ISSUER_URL"},
		{"redirect", func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, "http://other.example/x?token=secret", http.StatusFound)
		}, "sends us to another host (redirect to another host: http://other.example): set NEXTCLOUD_HOST"},
		{"endless redirects", func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		}, "no connection"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := serve(t, test.handler)
			_, err := oidcclient.Discover(t.Context(), srv.Client(), srv.URL+oidcclient.WellKnown+"?key=secret", nil)
			var e *oidcclient.DiscoveryError
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "OIDC discovery failed at "+srv.URL+oidcclient.WellKnown+": ") ||
				!strings.Contains(e.Message, test.want) || strings.Contains(err.Error(), "secret") {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if test.name == "maintenance" && e.RetryAfter != 2*time.Minute {
				t.Errorf("RetryAfter %v, want 2m", e.RetryAfter)
			}
		})
	}
}

func TestDiscoverAccepts(t *testing.T) {
	tests := map[string]struct {
		change  func(doc, base string) string
		handler http.HandlerFunc
		check   func(p *oidcclient.Provider) bool
	}{
		"trailing slash is kept": {
			change: func(doc, base string) string {
				return strings.Replace(doc, `"issuer": "`+base+`"`, `"issuer": "`+base+`/"`, 1)
			},
			check: func(p *oidcclient.Provider) bool { return strings.HasSuffix(p.Issuer, "/") },
		},
		"no code challenge methods": {
			change: func(doc, _ string) string {
				return strings.Replace(doc, "code_challenge_methods_supported", "x", 1)
			},
			check: func(p *oidcclient.Provider) bool { return p.PKCE() == oidcclient.PKCEMissing },
		},
		"null code challenge methods": {
			change: func(doc, _ string) string {
				return strings.Replace(doc, "\n}", `, "code_challenge_methods_supported": null }`, 1)
			},
			check: func(p *oidcclient.Provider) bool { return p.PKCE() == oidcclient.PKCEMissing },
		},
		"plain only": {
			change: func(doc, _ string) string { return strings.Replace(doc, `"S256"`, `"other"`, 1) },
			check:  func(p *oidcclient.Provider) bool { return p.PKCE() == oidcclient.PKCEWithoutS256 },
		},
		"scopes in one string": {
			change: func(doc, _ string) string {
				return strings.Replace(doc, "\n}", `, "scopes_supported": "openid profile" }`, 1)
			},
			check: func(p *oidcclient.Provider) bool { return len(p.ScopesSupported) == 2 },
		},
		"no registration": {
			change: func(doc, _ string) string { return strings.Replace(doc, "registration_endpoint", "x", 1) },
			check:  func(p *oidcclient.Provider) bool { return p.RegistrationEndpoint == "" },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, func(w http.ResponseWriter, r *http.Request, base string) {
				if r.URL.Path == oidcclient.WellKnown { // as Apache sends it on
					http.Redirect(w, r, "/index.php/.well-known/openid-configuration", http.StatusMovedPermanently)
					return
				}
				io.WriteString(w, test.change(document(t, base), base))
			})
			p, err := oidcclient.Discover(t.Context(), srv.Client(), srv.URL+oidcclient.WellKnown, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !test.check(p) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

func TestDiscoverWithoutAnswer(t *testing.T) {
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name, url, want string
		ctx             context.Context
	}{
		{"self-signed", tls.URL, "NEXTCLOUD_CA_BUNDLE", t.Context()},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), "does not speak TLS", t.Context()},
		{"nobody listens", "http://" + closed, "no connection", t.Context()},
		{"no such host", "http://nextcloud.invalid", "cannot be resolved", t.Context()},
		{"cancelled", plain.URL, "cancelled", cancelled},
		{"not a URL", "nextcloud", "not an http or https URL", t.Context()},
		{"another scheme", "file:///etc/passwd", "not an http or https URL", t.Context()},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
			defer client.CloseIdleConnections()
			_, err := oidcclient.Discover(test.ctx, client, test.url, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestPKCE(t *testing.T) {
	for _, test := range []struct {
		methods []string
		want    oidcclient.PKCEState
	}{
		{nil, oidcclient.PKCEMissing},
		{[]string{}, oidcclient.PKCEWithoutS256},
		{[]string{"plain"}, oidcclient.PKCEWithoutS256},
		{[]string{"plain", "S256"}, oidcclient.PKCES256},
	} {
		if got := oidcclient.PKCE(test.methods); got != test.want {
			t.Errorf("PKCE(%v) = %v, want %v", test.methods, got, test.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	b := oidcclient.Backoff{Base: time.Second, Max: 8 * time.Second}
	for _, most := range []time.Duration{1, 2, 4, 8, 8, 8, 8} {
		if got := b.Next(); got < 250*time.Millisecond || got > most*time.Second {
			t.Errorf("got %v, want at most %v s", got, most)
		}
	}
	b.Reset()
	if got := b.Next(); got > time.Second {
		t.Errorf("after Reset: %v", got)
	}
}
