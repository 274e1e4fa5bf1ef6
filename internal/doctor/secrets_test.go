package doctor_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nextcloud-mcp-server/internal/app"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/doctor"
)

var quiet = log.New(io.Discard, "", 0)

// TestNoSecret runs the doctor with a canary in every secret setting, and with
// answers that repeat what they were sent and are full of canaries themselves.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	const canary = "canary-7Hq2"
	answers := map[string]http.HandlerFunc{
		"echo": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", "session="+canary)
			w.Header().Set("Server", canary) // which is shown, unless it repeats a secret
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, r.Header.Get("Authorization")+canary)
		},
		"challenge": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer error="x", error_description="`+canary+r.Header.Get("Authorization")+`", resource_metadata="https://u:`+canary+`@example.org/?t=`+canary+`#`+canary+`"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://u:"+canary+"@example.org/?token="+canary+"#"+canary)
			w.WriteHeader(http.StatusFound)
		},
		"fields": func(w http.ResponseWriter, _ *http.Request) {
			address := `"https://u:` + canary + `@example.org/?t=` + canary + `"`
			_, _ = io.WriteString(w, `{"status":"alive","mode":"oauth","resource":`+address+`,"authorization_servers":[`+address+`],"issuer":`+address+
				`,"poll":{"token":"`+canary+`","endpoint":`+address+`},"login":`+address+`,"authorization_endpoint":`+address+`,"token_endpoint":`+address+
				`,"jwks_uri":`+address+`,"registration_endpoint":`+address+`,"installed":true,"versionstring":"34.0.1","ocs":{"meta":{"statuscode":997,"message":"`+canary+`"}}}`)
		},
		"page": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "<html>"+canary+r.Header.Get("Authorization"))
		},
	}
	settings := map[string][]string{
		"oauth":  {"NEXTCLOUD_OIDC_CLIENT_ID=id", "NEXTCLOUD_OIDC_CLIENT_SECRET=" + canary, "TOKEN_ENCRYPTION_KEY=" + canary, "TOKEN_ENCRYPTION_KEY_PREVIOUS=" + canary},
		"issuer": {"MCP_AUTHORIZATION_SERVER=issuer", "DATABASE_URL=postgres://u:" + canary + "@127.0.0.1:1/db?sslpassword=" + canary, "TOKEN_ENCRYPTION_KEY=YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="},
		"single": {"NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=" + canary},
		"wrong":  {"NEXTCLOUD_PASWORD=" + canary, "PORT=" + "x", "NEXTCLOUD_PUBLIC_URL=https://u:" + canary + "@example.org"},
	}
	for how, answer := range answers {
		for mode, variables := range settings {
			t.Run(how+" "+mode, func(t *testing.T) {
				t.Parallel()
				s := httptest.NewServer(answer)
				defer s.Close()
				environ := append([]string{"NEXTCLOUD_HOST=" + s.URL, "NEXTCLOUD_MCP_SERVER_URL=" + s.URL, "TOKEN_STORAGE_DB=" + t.TempDir() + "/tokens.db"}, variables...)
				cfg, warnings, err := config.Load(nil, environ, config.EnvFile{}, app.CheckTools)
				problems, _ := err.(config.Problems) //nolint:errorlint // Load answers them as they are
				opts := doctor.Options{Config: cfg, Warnings: warnings, Problems: problems, Token: canary, Each: 5 * time.Second}
				if mode == "single" {
					opts.Token = ""
				}
				report := doctor.Run(t.Context(), opts, nil)
				stranger := opts
				stranger.Config, stranger.Server, stranger.Token = nil, cfg.Server.PublicURL, canary
				for _, r := range []doctor.Report{report, doctor.Run(t.Context(), stranger, nil)} {
					asJSON, err := json.Marshal(r)
					if err != nil {
						t.Fatal(err)
					}
					if strings.Contains(text(r), canary) || strings.Contains(string(asJSON), canary) {
						t.Errorf("a canary is shown:\n%s", text(r))
					}
				}
			})
		}
	}
}

// TestBounded: servers that never answer cost the time that is allowed, and no
// more.
func TestBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		u := &url.URL{Scheme: "https", Host: "mcp.example.org"}
		known := func(context.Context, string) ([]string, error) { return []string{"192.0.2.7"}, nil }
		start := time.Now()
		report := doctor.Run(t.Context(), doctor.Options{Server: u, Dial: silent, Lookup: known}, nil)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %s, want the 10 s of one check, on which the others depend", took)
		}
		want(t, report, line{"server.tls", doctor.Problem, "did not answer in time", "firewall"}, line{"server.alive", doctor.Skipped, "", ""})
		start = time.Now()
		slow := func(context.Context, string) ([]string, error) {
			time.Sleep(2 * time.Second)
			return []string{"192.0.2.7"}, nil
		}
		doctor.Run(t.Context(), doctor.Options{Server: u, Dial: silent, Lookup: slow, All: 3 * time.Second}, nil)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it took %s, want all of the 3 s", took)
		}
	})
}

// TestOrder: results are shown in the order of the report.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := site{down: true}.start(t)
	var shown []string
	cfg, _, _ := config.Load(nil, r.environ, config.EnvFile{})
	report := doctor.Run(t.Context(), doctor.Options{Config: cfg}, func(r doctor.Result) { shown = append(shown, r.ID) })
	for i, c := range report.Checks {
		if i >= len(shown) || shown[i] != c.ID {
			t.Fatalf("shown %q, report %v", shown, report.Checks)
		}
		if c.Title == "" || len(c.Title) > 28 || c.Detail == "" || (c.Fix == "" && (c.Status == doctor.Warning || c.Status == doctor.Problem)) {
			t.Errorf("not a line: %+v", c)
		}
	}
}
