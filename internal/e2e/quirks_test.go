package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// quirk is how a real client connects, as far as it differs from others.
type quirk struct {
	name string
	// client is what it registers (RFC 7591), or what its metadata document
	// says when document is set.
	client   map[string]any
	document bool
	// redirects are where it wants the answers to go, one sign-in each.
	redirects []string
	// blind says that it reads no protected resource metadata, as the revision
	// of 2025-03-26 has none: it looks at the root of the server.
	blind bool
	// discovery are the documents that it tries, in turn.
	discovery []string
	// resource is what it calls the resource; nil for what the metadata says.
	resource func(endpoint string) string
	// scope is what it asks for, of what the metadata offers; nil for nothing.
	scope func(offered []string) string
	// origin is that of the page it runs in; empty outside of a browser.
	origin   string
	revision string // of the protocol; 2025-06-18 when empty
}

var (
	asOffered = func(offered []string) string { return strings.Join(offered, " ") }
	pkceOnly  = "none"
	// RFC 8414 first, as the MCP specification says.
	oauthFirst  = []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}
	openIDFirst = []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}
)

// registration is what clients register in common.
func registration(name, method string, more map[string]any, redirects ...string) map[string]any {
	m := map[string]any{
		"client_name": name, "redirect_uris": redirects, "token_endpoint_auth_method": method,
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
	}
	maps.Copy(m, more)
	return m
}

const (
	claudeAI   = "https://claude.ai/api/mcp/auth_callback"
	claudeCom  = "https://claude.com/api/mcp/auth_callback"
	chatGPTOne = "https://chatgpt.com/connector/oauth/Ab3dE_fGh1"
	chatGPTTwo = "https://chatgpt.com/connector/oauth/Zy9xW-vUt2"
	cursorOwn  = "cursor://anysphere.cursor-mcp/oauth/callback"
	inspector  = "http://localhost:6274/oauth/callback"
	openWebUI  = "https://chat.example.org/oauth/clients/mcp:nextcloud/callback"
)

var quirks = []quirk{
	{
		name: "claude.ai registers both of its fixed callbacks without a type", discovery: oauthFirst, scope: asOffered,
		client: registration("Claude", pkceOnly, nil, claudeAI, claudeCom), redirects: []string{claudeAI, claudeCom},
	},
	{
		name: "ChatGPT has a fresh path per connector and asks to stay", discovery: openIDFirst,
		client: registration("ChatGPT", pkceOnly, nil, chatGPTOne), redirects: []string{chatGPTOne},
		scope: func(offered []string) string { return strings.Join(append(offered, "offline_access"), " ") },
	},
	{
		name: "ChatGPT's next connector", discovery: openIDFirst,
		client: registration("ChatGPT", pkceOnly, nil, chatGPTTwo), redirects: []string{chatGPTTwo},
		scope: func(offered []string) string { return "offline_access " + strings.Join(offered, " ") },
	},
	{
		name: "ChatGPT's document would rather use a key", discovery: openIDFirst, scope: asOffered, document: true,
		client: registration("ChatGPT", "private_key_jwt", map[string]any{
			"token_endpoint_auth_methods_supported": []string{"none", "private_key_jwt"}, "token_endpoint_auth_signing_alg": "RS256",
			"jwks_uri": "https://chatgpt.com/oauth/jwks.json",
		}, chatGPTOne), redirects: []string{chatGPTOne},
	},
	{
		name: "Claude Code's document names loopback, its port is another each run", discovery: oauthFirst, scope: asOffered, document: true,
		client:    registration("Claude Code", pkceOnly, nil, "http://localhost/callback", "http://127.0.0.1/callback"),
		redirects: []string{"http://localhost:53121/callback", "http://127.0.0.1:61007/callback"},
	},
	{
		name: "Claude Code registers one port and comes back with another", discovery: oauthFirst, scope: asOffered,
		client:    registration("Claude Code", pkceOnly, nil, "http://localhost:53121/callback"),
		redirects: []string{"http://localhost:53121/callback", "http://localhost:61007/callback"},
	},
	{
		name: "Cursor tries its own scheme", discovery: oauthFirst, scope: asOffered,
		client: registration("Cursor", pkceOnly, nil, cursorOwn, "http://localhost:8787/callback"), redirects: []string{cursorOwn, "http://localhost:8787/callback"},
	},
	{
		name: "VS Code, with and without a slash, and in a browser", discovery: oauthFirst, scope: asOffered,
		client: registration("Visual Studio Code", pkceOnly, map[string]any{"application_type": "native", "client_uri": "https://code.visualstudio.com"},
			"https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect", "http://127.0.0.1/", "http://127.0.0.1:33418", "http://127.0.0.1:33418/"),
		redirects: []string{"http://127.0.0.1:33418", "http://127.0.0.1:33418/", "http://127.0.0.1:49152/", "https://vscode.dev/redirect"},
	},
	{
		name: "Open WebUI keeps a secret", discovery: oauthFirst, scope: asOffered,
		client: registration("Open WebUI", "client_secret_basic", map[string]any{"application_type": "web"}, openWebUI), redirects: []string{openWebUI},
	},
	{
		name: "Inspector runs in a browser", discovery: oauthFirst, scope: asOffered, origin: "http://localhost:6274",
		client: registration("MCP Inspector", pkceOnly, nil, inspector, "http://localhost:6274/oauth/callback/debug"), redirects: []string{inspector},
	},
	{
		name: "Gemini CLI", discovery: oauthFirst, scope: asOffered,
		client:    registration("Gemini CLI MCP Client", pkceOnly, map[string]any{"scope": "notes.read"}, "http://localhost:7777/oauth/callback"),
		redirects: []string{"http://localhost:7777/oauth/callback", "http://localhost:50123/oauth/callback"},
	},
	{
		name: "Codex", discovery: oauthFirst,
		client: registration("Codex", pkceOnly, nil, "http://127.0.0.1:1455/callback"), redirects: []string{"http://127.0.0.1:1455/callback"},
	},
	{
		name: "a slash at the end of the resource", discovery: oauthFirst, scope: asOffered, resource: func(endpoint string) string { return endpoint + "/" },
		client: registration("Slash", pkceOnly, nil, callback), redirects: []string{callback},
	},
	{
		name: "no resource and no scope", discovery: oauthFirst, resource: func(string) string { return "" },
		client: registration("Old", pkceOnly, nil, callback), redirects: []string{callback},
	},
	{
		name: "the revision without resource metadata", discovery: oauthFirst, blind: true, resource: func(string) string { return "" }, revision: "2025-03-26",
		client: registration("Older", pkceOnly, nil, callback), redirects: []string{callback},
	},
	{
		name: "a registration with nothing but redirect URIs", discovery: oauthFirst, scope: asOffered,
		client: map[string]any{"redirect_uris": []string{callback}}, redirects: []string{callback},
	},
}

// TestQuirks holds the whole conversation that each client holds: refusal,
// metadata, registration, sign-in, tokens, a tool, and a refresh.
func TestQuirks(t *testing.T) {
	t.Parallel()
	for _, apps := range []string{"oidc", "stock"} {
		sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true, DisableOIDC: apps == "stock", DisableUserOIDC: apps == "stock"})
		for _, q := range quirks {
			t.Run(apps+" "+q.name, func(t *testing.T) {
				t.Parallel()
				endpoint, _, _ := serveChanged(t, func(c *config.Config) { c.SignIn.Clients.InsecureDocuments = true }, sim.URL())
				p := newProgram(endpoint)
				p.origin = q.origin
				offered := q.discover(t, p, endpoint)
				q.introduce(t, p)
				if q.scope != nil {
					p.scope = q.scope(offered)
				}
				// The other tests look closer; this one is about who gets through at all.
				for _, redirect := range q.redirects {
					p.redirect = redirect
					q.work(t, p)
				}
			})
		}
	}
}

// discover finds the authorization server as the client does, and answers the
// scopes that the resource offers.
func (q *quirk) discover(t *testing.T, p *program, endpoint string) (offered []string) {
	t.Helper()
	get := func(address string) (a answer) {
		t.Helper()
		q.preflight(t, p, http.MethodGet, address)
		a, err := p.send(t.Context(), http.MethodGet, address, "", "")
		if err != nil {
			t.Fatal(err)
		}
		q.readable(t, address, a)
		return a
	}
	q.preflight(t, p, http.MethodPost, endpoint)
	first := post(t, endpoint, "", func(r *http.Request) {
		if p.origin != "" {
			r.Header.Set("Origin", p.origin)
		}
	})
	q.readable(t, endpoint, first)
	if first.status != http.StatusUnauthorized {
		t.Fatalf("a request without a token: %d", first.status)
	}
	issuer, resource := p.at, endpoint
	if !q.blind {
		_, rest, _ := strings.Cut(first.challenge(), `resource_metadata="`)
		address, _, _ := strings.Cut(rest, `"`)
		var doc struct {
			Resource string   `json:"resource"`
			Servers  []string `json:"authorization_servers"`
			Scopes   []string `json:"scopes_supported"`
		}
		if a := get(address); json.Unmarshal([]byte(a.body), &doc) != nil || len(doc.Servers) != 1 || doc.Resource != endpoint {
			t.Fatalf("%s answers %d %s", address, a.status, a.body)
		}
		issuer, resource, offered = doc.Servers[0], doc.Resource, doc.Scopes
	}
	var doc struct {
		Issuer     string   `json:"issuer"`
		Authorize  string   `json:"authorization_endpoint"`
		Token      string   `json:"token_endpoint"`
		Register   string   `json:"registration_endpoint"`
		Challenges []string `json:"code_challenge_methods_supported"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
		Documents  bool     `json:"client_id_metadata_document_supported"`
	}
	a := get(issuer + q.discovery[0])
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s answers %d %s", q.discovery[0], a.status, a.body)
	}
	if doc.Issuer != issuer || doc.Authorize != p.at+"/oauth/authorize" || doc.Token != p.at+"/oauth/token" || doc.Register != p.at+"/oauth/register" ||
		!slices.Contains(doc.Challenges, "S256") || !slices.Contains(doc.Methods, "none") || !doc.Documents {
		t.Fatalf("the metadata is %s", a.body)
	}
	if p.endpoint = resource; q.resource != nil {
		p.endpoint = q.resource(resource)
	}
	return offered
}

// introduce makes the client known.
func (q *quirk) introduce(t *testing.T, p *program) {
	t.Helper()
	if q.document {
		p.id = serveDocument(t, q.client)
		return
	}
	address := p.at + "/oauth/register"
	q.preflight(t, p, http.MethodPost, address)
	a, err := p.register(t.Context(), q.client)
	if err != nil {
		t.Fatal(err)
	}
	q.readable(t, address, a)
	if method, _ := q.client["token_endpoint_auth_method"].(string); (p.secret != "") != (method == "client_secret_basic") {
		t.Errorf("secret %t with %q", p.secret != "", method)
	}
}

// serveDocument is the address of a client's metadata document.
func serveDocument(t *testing.T, client map[string]any) string {
	t.Helper()
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	own := map[string]any{"client_id": server.URL + "/client.json"}
	maps.Copy(own, client)
	var err error
	if body, err = json.Marshal(own); err != nil {
		t.Fatal(err)
	}
	return server.URL + "/client.json"
}

// work signs alice in, calls a tool, refreshes, and calls it again.
func (q *quirk) work(t *testing.T, p *program) {
	t.Helper()
	revision := q.revision
	if revision == "" {
		revision = "2025-06-18"
	}
	code, verifier, err := p.code(t.Context(), person("alice"))
	if err != nil {
		t.Fatalf("%s: %v", p.redirect, err)
	}
	q.preflight(t, p, http.MethodPost, p.at+"/oauth/token")
	got, err := p.redeem(t.Context(), code, verifier)
	got = grants(t, got, err)
	q.readable(t, "/oauth/token", got.answer)
	if strings.Contains(p.scope, "offline_access") && got.Refresh == "" {
		t.Error("no refresh token for who asked to stay")
	}
	again, err := p.refresh(t.Context(), got.Refresh)
	again = grants(t, again, err)
	for _, access := range []string{got.Access, again.Access} {
		text, status, err := p.call(t.Context(), access, revision, "nc_notes_search_notes", `{"query":""}`)
		if err != nil || status != http.StatusOK || !strings.Contains(text, `"items"`) {
			t.Errorf("%s: a tool call is answered %d %s, %v", p.redirect, status, text, err)
		}
	}
}

// preflight asks whether a page may make a request, as browsers do (Fetch,
// CORS protocol).
func (q *quirk) preflight(t *testing.T, p *program, method, address string) {
	t.Helper()
	if q.origin == "" {
		return
	}
	wanted := []string{"authorization", "content-type", "mcp-protocol-version"}
	a := preflighted(t.Context(), t, p, method, address, wanted)
	allowed := strings.ToLower(a.header.Get("Access-Control-Allow-Headers"))
	if a.status/100 != 2 || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), method) {
		t.Errorf("the preflight of %s %s is answered %d %v", method, address, a.status, a.header)
	}
	if strings.Contains(address, "/.well-known/") {
		wanted = []string{"mcp-protocol-version"} // all that pages send there
	}
	for _, header := range wanted {
		if !strings.Contains(allowed, header) && (header == "authorization" || !strings.Contains(allowed, "*")) {
			t.Errorf("%s does not let pages send %s: %s", address, header, allowed)
		}
	}
	q.readable(t, address, a)
}

func preflighted(ctx context.Context, t *testing.T, p *program, method, address string, headers []string) answer {
	t.Helper()
	plain := p.headers
	defer func() { p.headers = plain }()
	p.headers = http.Header{"Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {strings.Join(headers, ",")}}
	a, err := p.send(ctx, http.MethodOptions, address, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// readable checks that a page may read an answer.
func (q *quirk) readable(t *testing.T, address string, a answer) {
	t.Helper()
	if q.origin == "" {
		return
	}
	if to := a.header.Get("Access-Control-Allow-Origin"); to != "*" && to != q.origin {
		t.Errorf("%s: a page may not read the answer %d: %q", address, a.status, to)
	}
	if a.status == http.StatusUnauthorized && !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate") {
		t.Errorf("%s: a page does not see the challenge", address)
	}
}

// TestRedirectsOfOtherClients: what the quirks open, they open for those
// clients only.
func TestRedirectsOfOtherClients(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	endpoint, _ := serve(t, sim)
	for _, tc := range []struct{ registered, asked string }{
		{claudeAI, claudeCom},
		{claudeAI, claudeAI + "/"},
		{chatGPTOne, chatGPTTwo},
		{"http://localhost:53121/callback", "http://localhost:53121/other"},
		{"http://localhost:53121/callback", "http://localhost.evil.example:53121/callback"},
		{"http://127.0.0.1/callback", "http://localhost/callback"},
		{cursorOwn, "cursor://evil/oauth/callback"},
		{"https://vscode.dev/redirect", "https://vscode.dev:8443/redirect"},
	} {
		p := newProgram(endpoint)
		p.redirect = tc.registered
		if err := p.public(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.redirect = tc.asked
		address, _ := p.ask(nil)
		if a := get(t, address); a.status != http.StatusBadRequest || a.header.Get("Location") != "" {
			t.Errorf("%s for %s: %d %s", tc.asked, tc.registered, a.status, a.header.Get("Location"))
		}
	}
}

// TestRootAddress: whoever pastes the address without /mcp is told the right
// one: a person by the page, a client by its refusal.
func TestRootAddress(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	endpoint, _ := serve(t, sim)
	root := strings.TrimSuffix(endpoint, "mcp")
	if a := get(t, root); a.status != http.StatusOK || !strings.Contains(a.body, endpoint) {
		t.Errorf("GET %s: %d", root, a.status)
	}
	a := post(t, root, "", nil)
	if a.status < 400 || a.status > 499 || !strings.Contains(fmt.Sprint(a.body, a.header), endpoint) {
		t.Errorf("POST %s: %d %v %s", root, a.status, a.header, a.body)
	}
}
