package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/e2e"
	"nextcloud-mcp-server/internal/freeport"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestStandInProvider runs what TestKeycloak runs, everywhere.
func TestStandInProvider(t *testing.T) {
	t.Parallel()
	externalProvider(t, newStandIn)
}

// externalProvider is what docs/external-providers.md promises.
func externalProvider(t *testing.T, begin func(*testing.T, providerOptions) provider) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, func(*testing.T, providerOptions) provider){
		"Nextcloud does not take its tokens": tokensNotTaken,
		"Nextcloud takes its tokens":         tokensTaken,
		"tokens for somebody else":           tokensForSomebodyElse,
		"clients go there directly":          clientsGoThere,
		"account disabled":                   accountDisabled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, begin)
		})
	}
}

const (
	ownClient = "nextcloud-mcp-server" // this server's, at the provider
	userOIDCs = "nextcloud"            // user_oidc's, at the provider
)

// serveWith runs the server with its own client at p. It answers the client's
// secret, too.
func serveWith(t *testing.T, sim *nextcloudtest.Server, p provider, audience []string, variables ...string) (endpoint, secret string, said *log) {
	t.Helper()
	port := freeport.Take(t)
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	secret = p.client(t, ownClient, base+"/oauth/callback", audience...)
	endpoint, said = serve(t, sim, append([]string{
		fmt.Sprintf("PORT=%d", port), "NEXTCLOUD_MCP_SERVER_URL=" + base, "OIDC_DISCOVERY_URL=" + p.discovery(),
		"NEXTCLOUD_OIDC_CLIENT_ID=" + ownClient, "NEXTCLOUD_OIDC_CLIENT_SECRET=" + secret,
	}, variables...)...)
	return endpoint, secret, said
}

// loginFlows counts the sign-ins by Login Flow v2 that were begun.
func loginFlows(sim *nextcloudtest.Server) (n int) {
	for _, r := range sim.Requests() {
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/login/v2") {
			n++
		}
	}
	return n
}

// tokensNotTaken: the page goes on with Login Flow v2, once, and says why.
func tokensNotTaken(t *testing.T, begin func(*testing.T, providerOptions) provider) {
	t.Helper()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{DisableOIDC: true, SampleData: true})
	p := begin(t, providerOptions{})
	endpoint, secret, said := serveWith(t, sim, p, nil)
	seen := &pages{host: strings.TrimSuffix(endpoint, "/mcp")}
	s := connect(t, endpoint, "alice", &e2e.Options{Pages: seen})
	call(t, s, "nc_notes_search_notes", anyNote, nil)
	if n := loginFlows(sim); n != 1 {
		t.Errorf("%d sign-ins by Login Flow, want 1", n)
	}
	if !seen.has("You have proved who you are.") {
		t.Error("no page says why Nextcloud asks, too")
	}
	if got := sim.AppPasswords("alice"); len(got) != 1 || !strings.Contains(got[0].Name, "End-to-end client") {
		t.Errorf("app passwords %v, want one with the client's name", got)
	}
	if strings.Contains(said.String(), secret) {
		t.Error("the client's secret is in the log")
	}
}

// tokensTaken: user_oidc takes the provider's tokens, so that one sign-in is
// enough.
func tokensTaken(t *testing.T, begin func(*testing.T, providerOptions) provider) {
	t.Helper()
	p := begin(t, providerOptions{})
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{DisableOIDC: true, SampleData: true, AcceptBearer: userOIDC(t, p, userOIDCs)})
	endpoint, _, _ := serveWith(t, sim, p, []string{userOIDCs})
	for i, revision := range revisions[:2] {
		s := connect(t, endpoint, "alice", &e2e.Options{Revision: revision})
		call(t, s, "nc_notes_search_notes", anyNote, nil)
		if n := loginFlows(sim); n != 0 {
			t.Errorf("%d sign-ins by Login Flow beside the one at the provider", n)
		}
		sim.ResetRequests()
		call(t, s, "nc_notes_create_note", map[string]any{"title": "From " + revision, "content": "x", "category": ""}, nil)
		for _, r := range sim.Requests() {
			if r.Auth != "Basic" {
				t.Errorf("%s %s with %q, want the app password", r.Method, r.Path, r.Auth)
			}
		}
		if n := len(sim.AppPasswords("alice")); n != i+1 {
			t.Errorf("%d app passwords for %d connections", n, i+1)
		}
	}
}

// tokensForSomebodyElse: without user_oidc's client in the audience the second
// sign-in cannot be spared, and nothing breaks.
func tokensForSomebodyElse(t *testing.T, begin func(*testing.T, providerOptions) provider) {
	t.Helper()
	p := begin(t, providerOptions{})
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{DisableOIDC: true, SampleData: true, AcceptBearer: userOIDC(t, p, userOIDCs)})
	endpoint, _, _ := serveWith(t, sim, p, []string{"another-service"})
	call(t, connect(t, endpoint, "alice", nil), "nc_notes_search_notes", anyNote, nil)
	if n := loginFlows(sim); n != 1 {
		t.Errorf("%d sign-ins by Login Flow, want 1", n)
	}
}

// clientsGoThere: with MCP_AUTHORIZATION_SERVER=issuer clients bring tokens of
// the provider, which have to be for this server.
func clientsGoThere(t *testing.T, begin func(*testing.T, providerOptions) provider) {
	t.Helper()
	scopes := []string{"notes.read", "notes.write"}
	p := begin(t, providerOptions{scopes: scopes})
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{DisableOIDC: true, SampleData: true, AcceptBearer: userOIDC(t, p, userOIDCs)})
	endpoint, _, said := serveWith(t, sim, p, nil, "MCP_AUTHORIZATION_SERVER=issuer")
	issuer := describe(t, p).Issuer
	if a := get(t, strings.TrimSuffix(endpoint, "/mcp")+"/.well-known/oauth-protected-resource/mcp"); !strings.Contains(a.body, `"authorization_servers":["`+issuer+`"]`) {
		t.Errorf("metadata %s, want the issuer %s", a.body, issuer)
	}

	secret := p.client(t, "assistant", callback, endpoint, userOIDCs)
	token := tokensAt(t, p, "assistant", secret, callback, scopes...)
	s := dial(t, endpoint, token.AccessToken)
	call(t, s, "nc_notes_search_notes", anyNote, nil)
	call(t, s, "nc_notes_create_note", map[string]any{"title": "Direct", "content": "x", "category": ""}, nil)

	narrow := tokensAt(t, p, "assistant", secret, callback, "notes.read").AccessToken
	reader := dial(t, endpoint, narrow)
	call(t, reader, "nc_notes_search_notes", anyNote, nil)
	if text := fails(t, reader, "nc_notes_create_note", map[string]any{"title": "x", "content": "x", "category": ""}); !strings.Contains(text, "Forbidden") {
		t.Errorf("a token for reading wrote: %s", text)
	}

	foreign := tokensAt(t, p, "stranger", p.client(t, "stranger", callback, userOIDCs), callback, scopes...).AccessToken
	idToken, _ := token.Extra("id_token").(string)
	for what, c := range map[string]struct{ token, says string }{
		"a token for another service": {foreign, "audience"},
		"an ID token":                 {idToken, ""},
		"a refresh token":             {token.RefreshToken, ""},
	} {
		if c.token == "" {
			t.Fatalf("there is no %s", what)
		}
		a := post(t, endpoint, c.token, nil)
		if a.status != http.StatusUnauthorized || !strings.Contains(a.challenge(), `error="invalid_token"`) || !strings.Contains(a.challenge(), c.says) {
			t.Errorf("%s: %d %s", what, a.status, a.challenge())
		}
		if strings.Contains(said.String(), c.token) {
			t.Errorf("%s is in the log", what)
		}
	}
}

// accountDisabled: where app passwords are forbidden the server refreshes its
// own token, and the end of the account at the provider ends the connection.
func accountDisabled(t *testing.T, begin func(*testing.T, providerOptions) provider) {
	t.Helper()
	// Access tokens that end this soon are renewed for each call.
	p := begin(t, providerOptions{tokens: 20 * time.Second})
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{
		DisableOIDC: true, SampleData: true, ForbidAppPasswords: true, AcceptBearer: userOIDC(t, p, userOIDCs),
	})
	endpoint, _, _ := serveWith(t, sim, p, []string{userOIDCs})
	var token string
	s := connect(t, endpoint, "alice", &e2e.Options{Tokens: func(t string) { token = t }})
	for range 2 {
		call(t, s, "nc_notes_search_notes", anyNote, nil)
	}
	if n := len(sim.AppPasswords("alice")) + loginFlows(sim); n != 0 {
		t.Errorf("%d app passwords and sign-ins by Login Flow, want none", n)
	}
	p.disable(t)
	if text := fails(t, s, "nc_notes_search_notes", anyNote); !strings.Contains(text, "sign in again") {
		t.Errorf("after the end of the account: %s", text)
	}
	until(t, "the connection to end", func() bool { return post(t, endpoint, token, nil).status == http.StatusUnauthorized })
	if again, err := e2e.Connect(t.Context(), endpoint, "alice", "alice-password-1", nil); err == nil {
		_ = again.Close()
		t.Error("signed in with an account that is disabled")
	}
}

// pages collects the pages of one server that a browser gets to see.
type pages struct {
	host string

	mu   sync.Mutex // guards the field below
	text strings.Builder
}

func (p *pages) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.String(), p.host+"/") {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.Write(body)
	res.Body = io.NopCloser(strings.NewReader(string(body)))
	return res, nil
}

func (p *pages) has(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Contains(p.text.String(), text)
}
