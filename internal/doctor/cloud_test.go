package doctor_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/doctor"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestNextcloud: each thing that may be wrong with Nextcloud has its line.
func TestNextcloud(t *testing.T) {
	t.Parallel()
	issuer := []string{"MCP_AUTHORIZATION_SERVER=issuer"}
	date := func(by time.Duration) http.Header {
		return http.Header{"Date": {time.Now().Add(by).UTC().Format(http.TimeFormat)}}
	}
	for name, c := range map[string]struct {
		nextcloud nextcloudtest.Options
		variables []string
		fault     nextcloudtest.Fault
		lines     []line
	}{
		"maintenance": {
			nextcloud: nextcloudtest.Options{Maintenance: true},
			lines: []line{
				{"nextcloud.status", doctor.Problem, "maintenance mode", "^occ maintenance:mode --off$"},
				{"nextcloud.loginflow", doctor.Skipped, `needs "Nextcloud"`, ""},
				{"provider.discovery", doctor.Skipped, `needs "Nextcloud"`, ""},
			},
		},
		"untrusted domain": {
			nextcloud: nextcloudtest.Options{UntrustedDomain: true},
			lines:     []line{{"nextcloud.status", doctor.Problem, "does not accept the host name 127.0.0.1", `^occ config:system:set trusted_domains 9 --value=127.0.0.1:\d+$`}},
		},
		"too old": {
			nextcloud: nextcloudtest.Options{Version: "27.1.4"},
			lines:     []line{{"nextcloud.status", doctor.Problem, "27.1.4 is older than 28", "update Nextcloud"}},
		},
		"no bearer on app APIs": {
			nextcloud: nextcloudtest.Options{Version: "29.0.1"}, variables: issuer,
			lines: []line{{"nextcloud.status", doctor.Warning, "no OAuth token on the APIs of Notes", "MCP_AUTHORIZATION_SERVER=self"}},
		},
		"old, but with own tokens": {
			nextcloud: nextcloudtest.Options{Version: "28.0.2"},
			lines:     []line{{"nextcloud.status", doctor.OK, "28.0.2", ""}},
		},
		"database not upgraded": {
			fault: nextcloudtest.Fault{PathPrefix: "/status.php", Body: `{"installed":true,"needsDbUpgrade":true,"versionstring":"34.0.1"}`},
			lines: []line{{"nextcloud.status", doctor.Problem, "database was not", "^occ upgrade$"}},
		},
		"not set up": {
			fault: nextcloudtest.Fault{PathPrefix: "/status.php", Body: `{"installed":false,"versionstring":"34.0.1"}`},
			lines: []line{{"nextcloud.status", doctor.Problem, "not set up", ""}},
		},
		"a web page": {
			fault: nextcloudtest.Fault{PathPrefix: "/status.php", HTML: true},
			lines: []line{{"nextcloud.status", doctor.Problem, "not that of a Nextcloud", "NEXTCLOUD_HOST"}},
		},
		"redirect to another host": {
			fault: nextcloudtest.Fault{Status: 301, Header: http.Header{"Location": {"https://cloud.example.org/status.php"}}},
			lines: []line{{"nextcloud.status", doctor.Problem, "redirects to https://cloud.example.org/status.php", "final address, https://cloud.example.org$"}},
		},
		"redirect to a login": {
			fault: nextcloudtest.Fault{Status: 302, Header: http.Header{"Location": {"/login?redirect_url=%2Fcanary"}}},
			lines: []line{{"nextcloud.status", doctor.Problem, "a sign-in page stands before Nextcloud", "exempt"}},
		},
		"bad gateway": {
			fault: nextcloudtest.Fault{Status: 502, HTML: true},
			lines: []line{{"nextcloud.status", doctor.Problem, `does not reach Nextcloud \(HTTP 502\)`, "log"}},
		},
		"clock ahead": {
			fault: nextcloudtest.Fault{PathPrefix: "/status.php", Header: date(10 * time.Minute)},
			lines: []line{{"nextcloud.clock", doctor.Problem, "the clock of Nextcloud is .* ahead of ours", "NTP"}},
		},
		"clock behind": {
			fault: nextcloudtest.Fault{PathPrefix: "/status.php", Header: date(-10 * time.Minute)},
			lines: []line{{"nextcloud.clock", doctor.Problem, "behind ours", "NTP"}},
		},
		"clock a little off": {
			fault: nextcloudtest.Fault{PathPrefix: "/status.php", Header: date(30 * time.Second)},
			lines: []line{{"nextcloud.clock", doctor.OK, "", ""}},
		},
		"header dropped": {
			fault: nextcloudtest.Fault{PathPrefix: "/ocs/", Status: 412, Body: `{"message":"CSRF check failed"}`},
			lines: []line{{"nextcloud.ocs", doctor.Problem, "OCS-APIRequest header does not arrive", "pass on the header"}},
		},
		"OCS is a page": {
			fault: nextcloudtest.Fault{PathPrefix: "/ocs/", HTML: true},
			lines: []line{{"nextcloud.ocs", doctor.Problem, "does not answer in JSON", ""}},
		},
		"held back": {
			fault: nextcloudtest.Fault{PathPrefix: "/ocs/", Body: `{"ocs":{"meta":{"statuscode":200},"data":{"capabilities":{"bruteforce":{"delay":800}}}}}`},
			lines: []line{{"nextcloud.throttling", doctor.Warning, "by 800 ms", "security:bruteforce:reset"}},
		},
		"locked out": {
			fault: nextcloudtest.Fault{PathPrefix: "/ocs/", Status: 429},
			lines: []line{{"nextcloud.throttling", doctor.Problem, "HTTP 429", "security:bruteforce:reset"}},
		},
		"login flow only for others": {
			nextcloud: nextcloudtest.Options{AllowedUserAgents: []string{"/Android/"}},
			lines:     []line{{"nextcloud.loginflow", doctor.Problem, "not nextcloud-mcp-server", "allowed_user_agents"}},
		},
		"login flow missing": {
			fault: nextcloudtest.Fault{PathPrefix: "/index.php/login/v2", Status: 404},
			lines: []line{{"nextcloud.loginflow", doctor.Problem, "does not start", "/index.php/login/v2"}},
		},
		"login flow at another address": {
			fault: nextcloudtest.Fault{
				PathPrefix: "/index.php/login/v2", Method: http.MethodPost,
				Body: `{"poll":{"token":"canary","endpoint":"https://other.example.org/login/v2/poll"},"login":"https://other.example.org/login/v2/flow/canary"}`,
			},
			lines: []line{{"nextcloud.loginflow", doctor.Problem, "calls itself other.example.org", "NEXTCLOUD_PUBLIC_URL=https://other.example.org"}},
		},
		"no oidc app, none needed": {
			nextcloud: nextcloudtest.Options{DisableOIDC: true},
			lines:     []line{{"provider.discovery", doctor.OK, "sign in with Login Flow v2", ""}, {"nextcloud.loginflow", doctor.OK, "", ""}},
		},
		"no oidc app": {
			nextcloud: nextcloudtest.Options{DisableOIDC: true}, variables: issuer,
			lines: []line{{"provider.discovery", doctor.Problem, "oidc app is missing", "occ app:install oidc"}},
		},
		"discovery below index.php": {
			fault: nextcloudtest.Fault{PathPrefix: "/.well-known/", Status: 404}, variables: issuer,
			lines: []line{{"provider.discovery", doctor.Problem, "does not pass on /.well-known", "OIDC_DISCOVERY_URL=http://.*/index.php/.well-known/openid-configuration"}},
		},
		"no PKCE": {
			nextcloud: nextcloudtest.Options{DisablePKCEMetadata: true}, variables: issuer,
			lines: []line{{"provider.pkce", doctor.Problem, "PKCE is not advertised", "1.10"}},
		},
		"no PKCE, own tokens": {
			nextcloud: nextcloudtest.Options{DisablePKCEMetadata: true},
			lines:     []line{{"provider.pkce", doctor.Warning, "not advertised by the provider", "1.10"}},
		},
		"no registration": {
			nextcloud: nextcloudtest.Options{DisableRegistration: true}, variables: issuer,
			lines: []line{{"provider.client", doctor.Problem, "no client register", "dynamic_client_registration --value=true"}},
		},
		"no registration, Login Flow left": {
			nextcloud: nextcloudtest.Options{DisableRegistration: true},
			lines:     []line{{"provider.client", doctor.Warning, "no client register", "dynamic_client_registration --value=true"}},
		},
		"no registration, client made by hand": {
			nextcloud: nextcloudtest.Options{DisableRegistration: true},
			variables: []string{"NEXTCLOUD_OIDC_CLIENT_ID=abc", "NEXTCLOUD_OIDC_CLIENT_SECRET=def"},
			lines:     []line{{"provider.client", doctor.OK, "configured client", ""}},
		},
		"symmetric signatures, other issuer": {
			variables: issuer,
			fault: nextcloudtest.Fault{
				PathPrefix: "/.well-known/openid-configuration",
				Body: `{"issuer":"https://public.example.org","authorization_endpoint":"https://public.example.org/a","token_endpoint":"https://public.example.org/t",` +
					`"jwks_uri":"https://public.example.org/j","id_token_signing_alg_values_supported":["HS256"]}`,
			},
			lines: []line{{"provider.discovery", doctor.Problem, "calls itself https://public.example.org", ""}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := site{nextcloud: c.nextcloud, variables: c.variables, down: true}.start(t)
			if c.fault.Status != 0 || c.fault.Body != "" || c.fault.HTML || c.fault.Header != nil {
				r.sim.Fault(c.fault)
			}
			want(t, r.examine(t, nil), c.lines...)
		})
	}
}

// TestForeignProvider: what is compared byte by byte is told to the byte.
func TestForeignProvider(t *testing.T) {
	t.Parallel()
	const path = "/realms/main"
	for name, c := range map[string]struct {
		issuer func(base string) string
		more   string
		header http.Header
		env    []string
		lines  []line
	}{
		"fine": {
			issuer: func(base string) string { return base + path },
			lines: []line{
				{"provider.issuer", doctor.OK, "", ""}, {"provider.signing", doctor.OK, "", ""}, {"provider.clock", doctor.Skipped, "", ""},
			},
		},
		"a slash": {
			issuer: func(base string) string { return base + path + "/" },
			lines:  []line{{"provider.issuer", doctor.Warning, "only the slash at the end differs", "OIDC_ISSUER=http://.*/realms/main/$"}},
		},
		"a slash, configured": {
			issuer: func(base string) string { return base + path + "/" }, env: []string{"OIDC_ISSUER=https://id.example.org/"},
			lines: []line{{"provider.issuer", doctor.OK, "OIDC_ISSUER", ""}},
		},
		"HS256 only": {
			issuer: func(base string) string { return base + path }, more: `,"id_token_signing_alg_values_supported":["HS256"]`,
			lines: []line{{"provider.signing", doctor.Problem, "HS256 only", "RS256"}},
		},
		"no introspection": {
			issuer: func(base string) string { return base + path }, env: []string{"MCP_AUTHORIZATION_SERVER=issuer"},
			lines: []line{{"provider.introspection", doctor.Warning, "no introspection", "TOKEN_TYPE=jwt"}},
		},
		"clock": {
			issuer: func(base string) string { return base + path }, header: http.Header{"Date": {"Mon, 02 Jan 2006 15:04:05 GMT"}},
			lines: []line{{"provider.clock", doctor.Problem, "the clock of the OpenID provider", "NTP"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := serveProvider(t, func(w http.ResponseWriter, base string) {
				w.Header()["Date"] = c.header["Date"]
				i := c.issuer(base)
				_, _ = w.Write([]byte(`{"issuer":"` + i + `","authorization_endpoint":"` + i + `/a","token_endpoint":"` + i + `/t","jwks_uri":"` + i + `/j"` + c.more + `}`))
			})
			r := site{down: true, variables: append(c.env, "OIDC_DISCOVERY_URL="+id+path+"/.well-known/openid-configuration")}.start(t)
			want(t, r.examine(t, nil), c.lines...)
		})
	}
}

// TestCredentials are tried at each kind of API.
func TestCredentials(t *testing.T) {
	t.Parallel()
	basic := func(password string) []string {
		return []string{"NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=" + password}
	}
	ldap := []nextcloudtest.User{{ID: "7f3a", LoginName: "alice", Password: "alice-password-1"}}
	for name, c := range map[string]struct {
		nextcloud nextcloudtest.Options
		variables []string
		token     string
		lines     []line
	}{
		"none": {lines: []line{{"access.user", doctor.Skipped, "no credentials", "--token-file"}}},
		"good": {variables: basic("alice-password-1"), lines: []line{
			{"access.user", doctor.OK, "OCS takes", ""},
			{"access.webdav", doctor.OK, "", ""},
			{"access.caldav", doctor.OK, "", ""},
			{"access.notes", doctor.OK, "", ""},
			{"access.apps", doctor.OK, "notes", ""},
		}},
		"wrong": {variables: basic("wrong-password"), lines: []line{
			{"access.user", doctor.Problem, "refuses NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD", "app password"},
			{"access.webdav", doctor.Skipped, "", ""},
		}},
		"another user id": {nextcloud: nextcloudtest.Options{Users: ldap}, variables: basic("alice-password-1"), lines: []line{
			{"access.user", doctor.OK, "user id differs from the login name", ""}, {"access.caldav", doctor.OK, "", ""},
		}},
		"no notes": {nextcloud: nextcloudtest.Options{DisableNotes: true}, variables: basic("alice-password-1"), lines: []line{
			{"access.notes", doctor.Warning, "the app notes is not there", "occ app:install notes"},
		}},
		"refused token": {token: "nobody-issued-this", lines: []line{
			{"access.user", doctor.Problem, "OCS refuses the token", "user_oidc oidc_provider_bearer_validation"},
		}},
		"accepted token": {token: "good-token", lines: []line{
			{"access.user", doctor.OK, "", ""}, {"access.webdav", doctor.OK, "", ""}, {"access.notes", doctor.OK, "", ""},
		}},
		"accepted by some": {nextcloud: nextcloudtest.Options{Version: "29.0.1"}, token: "good-token", lines: []line{
			{"access.user", doctor.OK, "", ""}, {"access.notes", doctor.Problem, "Notes takes no OAuth token", "30 or newer"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.nextcloud.AcceptBearer = func(token string) (string, bool) { return "alice", token == "good-token" }
			r := site{nextcloud: c.nextcloud, variables: c.variables, down: true}.start(t)
			report := r.examine(t, func(o *doctor.Options) { o.Token = authSecret(c.token) })
			want(t, report, c.lines...)
			asked := 0
			for _, q := range r.sim.Requests() {
				if strings.HasSuffix(q.Path, "/cloud/user") {
					asked++
				}
			}
			if asked > 1 {
				t.Errorf("Nextcloud was asked %d times who this is", asked)
			}
			if bad := r.sim.BadLogins(); bad > 1 {
				t.Errorf("a wrong password was sent %d times: Nextcloud locks the address out", bad)
			}
		})
	}
}

// TestOwnToken: a token of this kind of server is not shown to Nextcloud.
func TestOwnToken(t *testing.T) {
	t.Parallel()
	r := site{}.start(t)
	report := r.examine(t, func(o *doctor.Options) { o.Token = "ncmcp_at_nobody-issued-this" })
	want(t, report,
		line{"server.token", doctor.Problem, "refuses the token", "sign in again"},
		line{"access.user", doctor.Skipped, "", ""},
	)
}
