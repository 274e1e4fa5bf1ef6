package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

const callback = "http://127.0.0.1:9/callback"

// addClient is a client that an administrator made.
func addClient(sim *nextcloudtest.Server, tokenType string) nextcloudtest.ClientInfo {
	return sim.AddClient(nextcloudtest.ClientConfig{Name: "client with " + tokenType + " tokens", RedirectURIs: []string{callback}, TokenType: tokenType})
}

const allScopes = "openid profile notes.read notes.write calendar.read calendar.write"

// signIn gets tokens for a resource as a client does that is no MCP library.
func signIn(t *testing.T, sim *nextcloudtest.Server, c nextcloudtest.ClientInfo, user, resource string) *oauth2.Token {
	t.Helper()
	cfg := oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: callback, Scopes: strings.Fields(allScopes),
		Endpoint: oauth2.Endpoint{
			AuthURL: sim.URL() + "/apps/oidc/authorize", TokenURL: sim.URL() + "/apps/oidc/token", AuthStyle: oauth2.AuthStyleInParams,
		},
	}
	verifier := oauth2.GenerateVerifier()
	where := cfg.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("resource", resource))
	back, err := nextcloudtest.NewBrowser(user, user+"-password-1").Visit(t.Context(), where, callback)
	if err != nil {
		t.Fatal(err)
	}
	token, err := cfg.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// answer is what came back of one request.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) challenge() string { return a.header.Get("WWW-Authenticate") }

const list = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}`

// post begins a session, with a token when it is not empty; edit may change
// the request.
func post(t *testing.T, endpoint, token string, edit func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if edit != nil {
		edit(r)
	}
	return send(t, r)
}

func get(t *testing.T, url string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, r)
}

func send(t *testing.T, r *http.Request) answer {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

// carrying adds a token to each request.
type carrying struct{ token string }

func (c carrying) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+c.token)
	return http.DefaultTransport.RoundTrip(r)
}

// dial begins a session with a token that is there already, or with none.
func dial(t *testing.T, endpoint, token string) *mcp.ClientSession {
	t.Helper()
	client := &http.Client{}
	if token != "" {
		client.Transport = carrying{token}
	}
	s, err := mcp.NewClient(&mcp.Implementation{Name: "dial", Version: "1"}, nil).Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: endpoint, HTTPClient: client, DisableStandaloneSSE: true, MaxRetries: -1,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// fails calls a tool that has to fail, and answers the text of its error.
func fails(t *testing.T, s *mcp.ClientSession, tool string, args map[string]any) string {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		return err.Error()
	}
	if !res.IsError {
		t.Errorf("%s did not fail: %s", tool, texts(res))
	}
	return texts(res)
}

// until waits for what another goroutine brings about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// dataRequests are the requests that reached Nextcloud's own APIs, the
// identity provider's left out.
func dataRequests(sim *nextcloudtest.Server) (found []string) {
	for _, r := range sim.Requests() {
		path := strings.TrimPrefix(r.Path, "/index.php")
		if strings.HasPrefix(path, "/apps/oidc/") || strings.HasPrefix(path, "/.well-known/") || path == "/status.php" {
			continue
		}
		found = append(found, r.Method+" "+r.Path)
	}
	return found
}
