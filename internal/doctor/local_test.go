package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/doctor"
	"nextcloud-mcp-server/internal/store"
)

func authSecret(s string) auth.Secret { return auth.Secret(s) }

// serveProvider is an OpenID provider that describes itself as answer says.
func serveProvider(t *testing.T, answer func(w http.ResponseWriter, base string)) string {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, s.URL) }))
	t.Cleanup(s.Close)
	return s.URL
}

// certificate is a self-signed one for mcp.example.org.
func certificate(t *testing.T, ends time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{"mcp.example.org"},
		NotBefore: ends.Add(-2 * 365 * 24 * time.Hour), NotAfter: ends, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// TestConnections: names, certificates and what stands on the port.
func TestConnections(t *testing.T) {
	t.Parallel()
	year := time.Now().Add(365 * 24 * time.Hour)
	for name, c := range map[string]struct {
		address string
		ends    time.Time
		plain   bool
		trusted bool
		http    http.HandlerFunc // what answers on port 80; nil for nothing
		lines   []line
	}{
		"good": {ends: year, trusted: true, lines: []line{
			{"server.name", doctor.OK, "mcp.example.org is 192.0.2.7", ""},
			{"server.tls", doctor.OK, "TLS 1.3, certificate good until", ""},
			{"server.http", doctor.OK, "nothing answers", ""},
		}},
		"ends soon": {ends: time.Now().Add(9*24*time.Hour + time.Hour), trusted: true, lines: []line{
			{"server.tls", doctor.Warning, "ends on .*, in 9 days", "renew"},
		}},
		"ended": {ends: time.Now().Add(-24 * time.Hour), trusted: true, lines: []line{
			{"server.tls", doctor.Problem, "ended on", "renew"}, {"server.alive", doctor.Skipped, "needs", ""},
		}},
		"not yet valid": {ends: time.Now().Add(3 * 365 * 24 * time.Hour), trusted: true, lines: []line{
			{"server.tls", doctor.Problem, "is not valid before", "clock"},
		}},
		"self-signed": {ends: year, lines: []line{{"server.tls", doctor.Problem, "self-signed", "NEXTCLOUD_CA_BUNDLE"}}},
		"other name": {ends: year, trusted: true, address: "https://www.example.org", lines: []line{
			{"server.tls", doctor.Problem, "not for www.example.org, but for mcp.example.org", "use one of its names"},
		}},
		"no such name": {ends: year, address: "https://nosuch.example.org", lines: []line{
			{"server.name", doctor.Problem, "nosuch.example.org has no address", "A or AAAA record"},
			{"server.tls", doctor.Skipped, "needs", ""},
			{"server.alive", doctor.Skipped, "needs", ""},
		}},
		"no TLS on the port": {plain: true, lines: []line{{"server.tls", doctor.Problem, "does not speak TLS", "http://mcp.example.org"}}},
		"TLS missing": {plain: true, address: "http://mcp.example.org", lines: []line{
			{"server.tls", doctor.Warning, "without TLS", "NEXTCLOUD_MCP_SERVER_URL=https://mcp.example.org"},
		}},
		"nobody there": {ends: year, address: "https://closed.example.org", lines: []line{
			{"server.tls", doctor.Problem, "nobody listens at closed.example.org:443", "host and port"},
		}},
		"redirect to https": {ends: year, trusted: true, http: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://mcp.example.org"+r.URL.Path, http.StatusPermanentRedirect)
		}, lines: []line{{"server.http", doctor.OK, "redirected to https", ""}}},
		"redirect elsewhere": {ends: year, trusted: true, http: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.org/?x=canary", http.StatusFound)
		}, lines: []line{{"server.http", doctor.Warning, "redirected to https://www.example.org/,", ""}}},
		"open without TLS": {ends: year, trusted: true, http: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"status":"alive","mode":"oauth"}`)
		}, lines: []line{{"server.http", doctor.Warning, "answers over http, too", "redirect http://mcp.example.org"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secured := httptest.NewUnstartedServer(http.NotFoundHandler())
			secured.Config.ErrorLog = quiet
			bundle := ""
			if c.plain {
				secured.Start()
			} else {
				var cert tls.Certificate
				cert, bundle = certificate(t, c.ends)
				secured.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
				secured.StartTLS()
			}
			defer secured.Close()
			ports := map[string]string{"443": secured.Listener.Addr().String()}
			if c.plain {
				ports["80"] = ports["443"]
			}
			if c.http != nil {
				plain := httptest.NewServer(c.http)
				defer plain.Close()
				ports["80"] = plain.Listener.Addr().String()
			}
			address := c.address
			if address == "" {
				address = "https://mcp.example.org"
			}
			change := func(o *doctor.Options) {
				o.Lookup = func(_ context.Context, name string) ([]string, error) {
					if strings.HasPrefix(name, "nosuch") {
						return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
					}
					return []string{"192.0.2.7"}, nil
				}
				o.Dial = func(ctx context.Context, network, at string) (net.Conn, error) {
					host, port, _ := net.SplitHostPort(at)
					if ports[port] == "" || strings.HasPrefix(host, "closed") {
						return nil, &net.OpError{Op: "dial", Err: io.EOF}
					}
					return (&net.Dialer{}).DialContext(ctx, network, ports[port])
				}
			}
			if !c.trusted {
				want(t, visit(t, address, change), c.lines...)
				return
			}
			// A private authority is known by the settings.
			cfg, _, _ := config.Load(nil, []string{"NEXTCLOUD_MCP_SERVER_URL=" + address, "NEXTCLOUD_CA_BUNDLE=" + bundle}, config.EnvFile{})
			opts := doctor.Options{Config: cfg}
			change(&opts)
			want(t, doctor.Run(t.Context(), opts, nil), c.lines...)
		})
	}
}

// TestDatabase: what is wrong with the place of the data is found, and nothing
// there is changed.
func TestDatabase(t *testing.T) {
	t.Parallel()
	key := func() string { return base64.StdEncoding.EncodeToString([]byte(rand.Text() + rand.Text())[:32]) }
	open := func(t *testing.T, path string) *store.Store {
		t.Helper()
		db, err := store.Open(t.Context(), store.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, path string) (variables []string)
		lines   []line
		absent  bool
	}{
		"not there yet": {
			prepare: func(*testing.T, string) []string { return nil }, absent: true,
			lines: []line{{"store.files", doctor.OK, "there is no database yet", ""}},
		},
		"counted": {
			prepare: func(t *testing.T, path string) []string {
				t.Helper()
				db := open(t, path)
				defer db.Close()
				for range 2 {
					if err := db.AddRevocation(t.Context(), store.Revocation{Host: "https://cloud.example.org", LoginName: "a", UserID: "a", Password: "canary"}); err != nil {
						t.Fatal(err)
					}
				}
				due, err := db.DueRevocations(t.Context(), 1)
				if err != nil || len(due) != 1 {
					t.Fatal(due, err)
				}
				if err := db.RevocationFailed(t.Context(), due[0].ID, time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
				return nil
			},
			lines: []line{
				{"store.files", doctor.OK, "for its owner only", ""},
				{"store.files", doctor.OK, "[MG]B are free", ""},
				{"store.database", doctor.OK, "the key fits", ""},
				{"store.database", doctor.OK, "0 connections, 0 registered clients, 2 app passwords to delete", ""},
				{"store.database", doctor.Warning, "1 app passwords .* could not be deleted", "make Nextcloud reachable"},
			},
		},
		"wrong key": {
			prepare: func(t *testing.T, path string) []string {
				t.Helper()
				_ = open(t, path).Close()
				return []string{"TOKEN_ENCRYPTION_KEY=" + key()}
			},
			lines: []line{{"store.database", doctor.Problem, "TOKEN_ENCRYPTION_KEY is not the key", "put the right key"}},
		},
		"readable by others": {
			prepare: func(t *testing.T, path string) []string {
				t.Helper()
				_ = open(t, path).Close()
				if err := os.Chmod(path+".key", 0o644); err != nil {
					t.Fatal(err)
				}
				return nil
			},
			lines: []line{{"store.files", doctor.Warning, `other users .* can read .*tokens.db.key`, "chmod 600 .*tokens.db.key"}},
		},
		"no database": {
			prepare: func(t *testing.T, path string) []string {
				t.Helper()
				if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
					t.Fatal(err)
				}
				return nil
			},
			lines: []line{{"store.database", doctor.Problem, "tokens.db", "TOKEN_STORAGE_DB"}},
		},
		"a directory": {
			prepare: func(t *testing.T, path string) []string {
				t.Helper()
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Fatal(err)
				}
				return nil
			},
			lines: []line{{"store.files", doctor.Problem, "is not a file", "TOKEN_STORAGE_DB"}, {"store.database", doctor.Skipped, "", ""}},
		},
		"no place": {
			prepare: func(t *testing.T, path string) []string {
				t.Helper()
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				return []string{"TOKEN_STORAGE_DB=" + path + "/below/tokens.db"}
			},
			lines: []line{{"store.files", doctor.Problem, "", "TOKEN_STORAGE_DB"}},
		},
		"PostgreSQL is down": {
			prepare: func(*testing.T, string) []string {
				return []string{"DATABASE_URL=postgres://mcp:canary-password@127.0.0.1:1/mcp", "TOKEN_ENCRYPTION_KEY=" + key()}
			},
			lines: []line{{"store.database", doctor.Problem, `127.0.0.1:1`, "start PostgreSQL"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "tokens.db")
			environ := append([]string{"NEXTCLOUD_HOST=http://127.0.0.1:1", "TOKEN_STORAGE_DB=" + path}, c.prepare(t, path)...)
			cfg, _, err := config.Load(nil, environ, config.EnvFile{})
			if err != nil {
				t.Fatal(err)
			}
			report := doctor.Run(t.Context(), doctor.Options{Config: cfg}, nil)
			want(t, report, c.lines...)
			if strings.Contains(text(report), "canary") {
				t.Errorf("a secret:\n%s", text(report))
			}
			if _, err := os.Stat(path); c.absent && err == nil {
				t.Error("the database was made")
			}
		})
	}
}

// TestSettings: what reading the settings found is part of the report, and the
// rest is examined all the same.
func TestSettings(t *testing.T) {
	t.Parallel()
	r := site{down: true, variables: []string{"MCP_TIER=most", "NEXTCLOUD_VERIFY_SSL=false"}}.start(t)
	report := r.examine(t, nil)
	want(t, report,
		line{"config.settings", doctor.Problem, `MCP_TIER: "most" is not one of`, "correct MCP_TIER, for example MCP_TIER=auto"},
		line{"config.settings", doctor.Warning, "NEXTCLOUD_VERIFY_SSL: TLS certificates are not verified", "docs/configuration.md"},
		line{"nextcloud.status", doctor.OK, "", ""},
	)
	if report.Worst != doctor.Problem {
		t.Errorf("worst is %s", report.Worst)
	}
}

// TestPort: another program on the server's port.
func TestPort(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	u, err := url.Parse(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := site{down: true}.start(t)
	r.environ[0] = "PORT=" + u.Port()
	want(t, r.examine(t, nil), line{"local.port", doctor.Problem, "another program has port", "set PORT"})
}
