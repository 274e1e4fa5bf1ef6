package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/freeport"
	"nextcloud-mcp-server/internal/idptest"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/store"
)

// outside is a server whose people's clients have tokens of a provider that
// Nextcloud does not know.
type outside struct {
	*running
	sim    *nextcloudtest.Server
	idp    *idptest.Server
	secret string // of the server's own client there
}

func startOutside(t *testing.T, sim nextcloudtest.Options, variables ...string) *outside {
	t.Helper()
	users := idptest.DefaultUsers()
	for i := range users {
		users[i].Password = users[i].Username + "-password-1"
	}
	o := &outside{idp: idptest.Start(t, &idptest.Options{Users: users, Scopes: []string{"notes.read", "notes.write"}})}
	if sim.AcceptBearer == nil {
		sim.DisableOIDC = true
	}
	o.sim = nextcloudtest.Start(t, &sim)
	port := freeport.Take(t)
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	own := o.idp.AddClient(idptest.Client{RedirectURIs: []string{base + "/oauth/callback"}})
	o.secret = own.Secret
	o.running = start(t, database(t), append([]string{
		"NEXTCLOUD_HOST=" + o.sim.URL(), fmt.Sprintf("PORT=%d", port), "NEXTCLOUD_MCP_SERVER_URL=" + base, "LOG_LEVEL=debug",
		"OIDC_DISCOVERY_URL=" + o.idp.URL() + "/.well-known/openid-configuration",
		"NEXTCLOUD_OIDC_CLIENT_ID=" + own.ID, "NEXTCLOUD_OIDC_CLIENT_SECRET=" + own.Secret,
	}, variables...)...)
	o.url = base
	o.awaitReady(t)
	return o
}

// token is what a client gets that signs user in at the provider.
func (o *outside) token(t *testing.T, user string) string {
	t.Helper()
	const redirect = "http://127.0.0.1:9/callback"
	c := o.idp.AddClient(idptest.Client{RedirectURIs: []string{redirect}})
	cfg := oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: redirect, Scopes: []string{"openid", "notes.read", "notes.write"},
		Endpoint: oauth2.Endpoint{AuthURL: o.idp.URL() + "/authorize", TokenURL: o.idp.URL() + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	verifier := oauth2.GenerateVerifier()
	at := cfg.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("resource", o.url+"/mcp"))
	back, err := nextcloudtest.NewBrowser(user, user+"-password-1").Visit(t.Context(), at, redirect)
	if err != nil {
		t.Fatal(err)
	}
	token, err := cfg.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// bearing sends a token with each request.
type bearing string

func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func (o *outside) connect(t *testing.T, token, revision string, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	s, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, opts).Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: o.url + "/mcp", HTTPClient: &http.Client{Transport: bearing(token)}, DisableStandaloneSSE: true,
	}, &mcp.ClientSessionOptions{ProtocolVersion: revision})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var anyNote = &mcp.CallToolParams{Name: "nc_notes_search_notes", Arguments: map[string]any{"query": ""}}

// open goes through a link's pages as a person does, and answers the last one.
func (o *outside) open(t *testing.T, link, user string) *connecttest.Page {
	t.Helper()
	b := (&connecttest.Server{URL: o.url}).Browser(t, user, user+"-password-1")
	page := b.Get(link)
	page = b.Get(b.Provider(b.Click(page.Link("/open")).Elsewhere))
	next := page.Link("/open")
	if next == "" {
		return page
	}
	b.Nextcloud(b.Click(next).Elsewhere)
	return b.Get(strings.TrimSuffix(next, "/open"))
}

func said(res *mcp.CallToolResult) string {
	var b strings.Builder
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			b.WriteString(text.Text)
		}
	}
	return b.String()
}

// TestSignInInTheMiddleOfACall: the first call of a client whose token is of no
// use at Nextcloud leads its person to a page, and works afterwards.
func TestSignInInTheMiddleOfACall(t *testing.T) {
	t.Parallel()
	taken := func(string) (string, bool) { return "alice", true }
	for name, c := range map[string]struct {
		sim       nextcloudtest.Options
		variables []string
	}{
		"a provider that Nextcloud does not know": {variables: []string{"MCP_AUTHORIZATION_SERVER=issuer"}},
		"own authorization server":                {},
		"no exchange, never a bearer": {
			sim:       nextcloudtest.Options{AcceptBearer: taken, ForbidAppPasswords: true},
			variables: []string{"MCP_AUTHORIZATION_SERVER=issuer", "NEXTCLOUD_BEARER_PASSTHROUGH=never"},
		},
		"28, never a bearer": {
			sim:       nextcloudtest.Options{Version: "28.0.2", AcceptBearer: taken},
			variables: []string{"MCP_AUTHORIZATION_SERVER=issuer", "NEXTCLOUD_BEARER_PASSTHROUGH=never"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := startOutside(t, c.sim, c.variables...)
			for _, revision := range []string{"2026-07-28", "2025-11-25", "2025-06-18"} {
				token := o.token(t, "alice") // of another client each time
				o.asks(t, token, revision)
				for what, secret := range map[string]string{"token": token, "own client's secret": o.secret, "password": "alice-password-1"} {
					if o.log.has(secret) {
						t.Errorf("%s: the %s is in the log", revision, what)
					}
				}
			}
			if names := o.sim.AppPasswords("alice"); len(names) != 3 {
				t.Errorf("app passwords %+v, want one for each client", names)
			}
		})
	}
}

// asks makes a call that has to lead to a page, goes through it, and makes sure
// that the call works then.
func (o *outside) asks(t *testing.T, token, revision string) {
	t.Helper()
	links, opened := make(chan string, 1), make(chan struct{}, 1)
	s := o.connect(t, token, revision, &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}},
		ElicitationHandler: func(ctx context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			links <- req.Params.URL
			select {
			case <-opened:
				return &mcp.ElicitResult{Action: "accept"}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		},
	})
	type answer struct {
		res *mcp.CallToolResult
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		res, err := s.CallTool(t.Context(), anyNote)
		answers <- answer{res, err}
	}()
	var link string
	select {
	case link = <-links: // 2026-07-28: the call waits
	case a := <-answers:
		link = linkIn(t, a.res, a.err)
		defer func() {
			if res, err := s.CallTool(t.Context(), anyNote); err != nil || res.IsError {
				t.Errorf("%s: the repeated call: %v %s", revision, err, said(res))
			}
		}()
	case <-time.After(30 * time.Second):
		t.Fatal("no answer")
	}
	if !strings.HasPrefix(link, o.url+"/oauth/link/") {
		t.Fatalf("%s: link %q", revision, link)
	}
	if page := o.open(t, link, "bob"); page.Status != http.StatusForbidden || !strings.Contains(page.Body, "other_person") {
		t.Errorf("%s: bob may use the link: %d %s", revision, page.Status, page.Text())
	}
	if page := o.open(t, link, "alice"); page.Status != http.StatusOK || !strings.Contains(page.Text(), "Go back to the program") {
		t.Errorf("%s: not done: %d %s", revision, page.Status, page.Text())
	}
	if o.log.has(link[strings.LastIndex(link, "/")+1:]) {
		t.Errorf("%s: the link is in the log", revision)
	}
	if revision < "2026-07-28" {
		return
	}
	opened <- struct{}{}
	if a := <-answers; a.err != nil || a.res.IsError {
		t.Errorf("%s: the call that waited: %v %s", revision, a.err, said(a.res))
	}
}

// linkIn is the address in the error of 2025-11-25 or in the text of older
// revisions.
func linkIn(t *testing.T, res *mcp.CallToolResult, err error) string {
	t.Helper()
	if err == nil {
		_, rest, _ := strings.Cut(said(res), "Ask the person to open ")
		link, _, _ := strings.Cut(rest, " ")
		return link
	}
	wire, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok || wire.Code != mcp.CodeURLElicitationRequired {
		t.Fatal(err)
	}
	var data struct {
		Elicitations []mcp.ElicitParams `json:"elicitations"`
	}
	if err := json.Unmarshal(wire.Data, &data); err != nil || len(data.Elicitations) != 1 {
		t.Fatalf("%s: %v", wire.Data, err)
	}
	return data.Elicitations[0].URL
}

// TestJourneysWithoutOwnTokens: also where clients get no tokens here, the pages
// of links are there, and app passwords that could not be deleted at Nextcloud
// are deleted later.
func TestJourneysWithoutOwnTokens(t *testing.T) {
	t.Parallel()
	path := database(t)
	db, err := store.Open(t.Context(), store.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	sim := nextcloudtest.Start(t, nil)
	left := store.Revocation{Host: sim.URL(), LoginName: "alice", UserID: "alice", Password: auth.Secret(sim.CreateAppPassword("alice", "left behind"))}
	if err := errors.Join(db.AddRevocation(t.Context(), left), db.Close()); err != nil {
		t.Fatal(err)
	}
	r := start(t, path, "NEXTCLOUD_HOST="+sim.URL(), "MCP_AUTHORIZATION_SERVER=issuer")
	r.awaitReady(t)
	until(t, "the app password to be deleted", func() bool { return len(sim.AppPasswords("alice")) == 0 })
	for path, want := range map[string]int{
		"/oauth/nothing": http.StatusNotFound, "/oauth/authorize": http.StatusNotFound,
		"/oauth/link/unknown": http.StatusGone, "/oauth/link/unknown/open": http.StatusGone, "/oauth/connect/unknown": http.StatusGone,
	} {
		if status, _, header := r.get(t, path); status != want || !strings.HasPrefix(header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s, want a page with %d", path, status, header.Get("Content-Type"), want)
		}
	}
}
