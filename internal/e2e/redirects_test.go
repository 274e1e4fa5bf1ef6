package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestOpenRedirects: this server sends browsers to itself, to Nextcloud, and
// to redirect URIs that their client registered, whatever an address says.
func TestOpenRedirects(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{DisableOIDC: true})
	endpoint, _ := serve(t, sim, "FORWARDED_ALLOW_IPS=127.0.0.1")
	p := newProgram(endpoint)
	p.redirect = "https://app.example/cb"
	t.Run("redirect URIs", func(t *testing.T) {
		for i, uri := range []string{
			"https://evil.example/cb", "https://app.example.evil.example/cb", "https://app.example@evil.example/cb", "https://evil.example#@app.example/cb",
			"https://app.example/cb/", "https://app.example/cb?x=1", "https://app.example/cb#x", "https://app.example/cb/../evil", "https://app.example/%63b",
			"https://APP.example/cb", "https://app.example:443/cb", "http://app.example/cb", "//app.example/cb", "/cb", `https:\\evil.example/cb`, `https://evil.example\@app.example/cb`,
			"https://app.example/cb\r\nLocation: https://evil.example", "https://app.example/cb%0d%0aLocation:https://evil.example", "https://app.example\t/cb", " https://app.example/cb",
			"javascript:alert(1)", "data:text/html,x", "https://*.example/cb",
		} {
			// Many requests: no limit is to end them.
			p.headers = http.Header{"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", i)}}
			if err := p.public(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, change := range []url.Values{
				{"redirect_uri": {uri}},
				{"redirect_uri": {uri}, "response_type": {"token"}},       // an error, for the client
				{"redirect_uri": {p.redirect, uri}},                       // two
				{"redirect_uri": {uri}, "code_challenge": nil},            // an error, for the client
				{"redirect_uri": {uri}, "client_id": {"ncmcp_client_no"}}, // nobody
			} {
				address, _ := p.ask(change)
				a, err := p.send(t.Context(), http.MethodGet, address, "", "")
				if err != nil || a.status != http.StatusBadRequest || a.header.Get("Location") != "" || strings.Contains(a.body, `href="`+uri) {
					t.Errorf("%q, %v: %d %s", uri, change, a.status, a.header.Get("Location"))
				}
			}
		}
		// Otherwise the refusals prove nothing.
		address, _ := p.ask(url.Values{"response_type": {"token"}})
		if a := get(t, address); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), p.redirect+"?") {
			t.Errorf("an error for the client: %d %s", a.status, a.header.Get("Location"))
		}
	})
	t.Run("return paths", func(t *testing.T) {
		own, err := url.Parse(p.at)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{
			"/account", "//evil.example/account", "/account//evil.example", "/account/%2f%2fevil.example", "/account/%5c%5cevil.example", "/%5cevil.example/account",
			"/account/..//evil.example", "/account/connections/%09/evil.example", "/account?back=https://evil.example", "/account/connections/x?next=//evil.example",
			"/oauth/connect/x?again=1&back=//evil.example", "/account;//evil.example", "/.//evil.example/account", "/account/connections/https:%2f%2fevil.example",
		} {
			at := p.at + path
			for range 6 {
				a := get(t, at)
				to := a.header.Get("Location")
				if to == "" {
					if strings.Contains(a.body, "evil.example") && strings.Contains(a.body, `href="//evil`) {
						t.Errorf("%s: the page links to it", path)
					}
					break
				}
				base, err := url.Parse(at)
				if err != nil {
					t.Fatal(err)
				}
				next, err := base.Parse(to)
				if err != nil || next.Host != own.Host || strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`) || strings.ContainsAny(to, "\t\\") {
					t.Errorf("%s leads to %q", path, to)
					break
				}
				at = next.String()
			}
		}
	})
}

// TestPKCE: no code without a challenge by S256, and no token without its
// verifier.
func TestPKCE(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	endpoint, _ := serve(t, sim)
	p := newProgram(endpoint)
	if err := p.public(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]url.Values{
		"no challenge": {"code_challenge": nil, "code_challenge_method": nil},
		"plain":        {"code_challenge_method": {"plain"}},
		"no method":    {"code_challenge_method": nil},
		"lower case":   {"code_challenge_method": {"s256"}},
		"too short":    {"code_challenge": {"short"}},
	} {
		address, _ := p.ask(change)
		a := get(t, address)
		to, err := url.Parse(a.header.Get("Location"))
		if err != nil || a.status != http.StatusSeeOther || to.Query().Get("error") != "invalid_request" || to.Query().Get("code") != "" {
			t.Errorf("%s: %d %s", what, a.status, to)
		}
	}
	for what, verifier := range map[string]string{"another": strings.Repeat("a", 43), "none": "", "the challenge": "challenge"} {
		code, own, err := p.code(t.Context(), person("alice"))
		if err != nil {
			t.Fatal(err)
		}
		if verifier == "challenge" {
			address, err := url.Parse(first(p.ask(nil)))
			if err != nil {
				t.Fatal(err)
			}
			verifier = address.Query().Get("code_challenge")
		}
		got, err := p.redeem(t.Context(), code, verifier)
		if err != nil || got.status != http.StatusBadRequest || got.Access != "" {
			t.Errorf("verifier %s: %d %s, %v", what, got.status, got.body, err)
		}
		if what == "another" { // nobody can try until it fits
			got, err := p.redeem(t.Context(), code, own)
			denies(t, "the code again", "invalid_grant", got, err)
		}
	}
}

func first(a, _ string) string { return a }
