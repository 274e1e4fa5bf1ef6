package e2e_test

import (
	"net/http"
	"regexp"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestForgedProxyHeaders: the address of this server is the one that was
// configured, whatever a request says of proxies, also from a listed one.
func TestForgedProxyHeaders(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{DisableOIDC: true})
	for _, variable := range []string{"FORWARDED_ALLOW_IPS=", "FORWARDED_ALLOW_IPS=127.0.0.1"} {
		endpoint, _ := serve(t, sim, variable)
		p := newProgram(endpoint)
		if err := p.public(t.Context()); err != nil {
			t.Fatal(err)
		}
		authorize, _ := p.ask(nil)
		refused, _ := p.ask(map[string][]string{"response_type": {"token"}})
		for what, address := range map[string]string{
			"resource metadata": p.at + "/.well-known/oauth-protected-resource/mcp", "server metadata": p.at + "/.well-known/oauth-authorization-server",
			"openid metadata": p.at + "/.well-known/openid-configuration", "challenge": p.at + "/mcp", "page": p.at + "/", "account": p.at + "/account",
			"authorize": authorize, "refusal": refused, "registration": p.at + "/oauth/register/" + p.id, "health": p.at + "/health/ready",
		} {
			plain := see(t, p, address)
			for name, value := range map[string]string{
				"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Scheme": "https", "X-Forwarded-Prefix": "/evil", "X-Forwarded-Port": "8443",
				"X-Forwarded-Server": "evil.example", "X-Original-Url": "/account", "X-Rewrite-Url": "/account", "X-Forwarded-Uri": "/health/live", "X-Script-Name": "/evil", "X-Host": "evil.example",
				"Forwarded": "host=evil.example;proto=https", "X-Http-Method-Override": "DELETE", "X_Forwarded_Host": "evil.example", "X-Forwarded-Ssl": "on", "Front-End-Https": "on",
			} {
				p.headers = http.Header{name: {value}}
				if got := see(t, p, address); got != plain {
					t.Errorf("%s with %s: %s\nis\n%+v\ninstead of\n%+v", what, name, value, got, plain)
				}
				p.headers = http.Header{}
			}
		}
	}
}

// sight is what an answer says of addresses; what is random in it is masked.
type sight struct {
	status                           int
	location, cookie, challenge, csp string
	body                             string
}

var chance = regexp.MustCompile(`[A-Za-z0-9_-]{32,}|\d+(\.\d+)?(ms|s)\b`)

func see(t *testing.T, p *program, address string) sight {
	t.Helper()
	a, err := p.send(t.Context(), http.MethodGet, address, "", "")
	if err != nil {
		t.Fatal(err)
	}
	mask := func(text string) string { return chance.ReplaceAllString(text, "RANDOM") }
	return sight{
		a.status, mask(a.header.Get("Location")), mask(a.header.Get("Set-Cookie")), a.challenge(), mask(a.header.Get("Content-Security-Policy")), mask(a.body),
	}
}
