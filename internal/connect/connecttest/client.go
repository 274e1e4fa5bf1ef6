package connecttest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// Client is an MCP client that registered itself.
type Client struct {
	ID       string
	Redirect string

	tb     testing.TB
	server *Server
}

// Client registers a client as official ones do.
func (s *Server) Client(tb testing.TB, name string) *Client {
	tb.Helper()
	c := &Client{Redirect: "https://" + strings.ToLower(name) + ".example/callback", tb: tb, server: s}
	body, err := json.Marshal(map[string]any{
		"client_name": name, "redirect_uris": []string{c.Redirect}, "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	var answer struct {
		ID string `json:"client_id"`
	}
	c.call("/oauth/register", "application/json", body, http.StatusCreated, &answer)
	c.ID = answer.ID
	return c
}

// Try is one authorization that a client asks for.
type Try struct {
	URL string // where it sends the browser

	client          *Client
	state, verifier string
}

// Try begins an authorization; no scope asks for everything.
func (c *Client) Try(scope string) *Try {
	t := &Try{client: c, state: rand.Text(), verifier: oauth2.GenerateVerifier()}
	q := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {c.Redirect}, "state": {t.state},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(t.verifier)}, "code_challenge_method": {"S256"},
		"resource": {c.server.URL + "/mcp"},
	}
	if scope != "" {
		q.Set("scope", scope)
	}
	t.URL = c.server.URL + "/oauth/authorize?" + q.Encode()
	return t
}

// Tokens are what a client holds in the end.
type Tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Scope   string `json:"scope"`
}

// Answer are the parameters that came back with the browser, checked as a
// client checks them.
func (t *Try) Answer(page *Page) url.Values {
	t.client.tb.Helper()
	to := page.Away()
	if !strings.HasPrefix(to, t.client.Redirect+"?") {
		t.client.tb.Fatalf("the page %d leads to %q: %s", page.Status, to, page.Text())
	}
	u, err := url.Parse(to)
	if err != nil {
		t.client.tb.Fatal(err)
	}
	q := u.Query()
	if q.Get("state") != t.state || q.Get("iss") != t.client.server.URL {
		t.client.tb.Fatalf("state %q and iss %q came back", q.Get("state"), q.Get("iss"))
	}
	return q
}

// Redeem takes the tokens for the code on a page.
func (t *Try) Redeem(page *Page) Tokens {
	t.client.tb.Helper()
	var out Tokens
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {t.Answer(page).Get("code")}, "client_id": {t.client.ID},
		"redirect_uri": {t.client.Redirect}, "code_verifier": {t.verifier}, "resource": {t.client.server.URL + "/mcp"},
	}
	t.client.call("/oauth/token", "application/x-www-form-urlencoded", []byte(form.Encode()), http.StatusOK, &out)
	return out
}

func (c *Client) call(path, contentType string, body []byte, want int, out any) {
	c.tb.Helper()
	req, err := http.NewRequestWithContext(c.tb.Context(), http.MethodPost, c.server.URL+path, bytes.NewReader(body))
	if err != nil {
		c.tb.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	res, err := new(http.Client).Do(req)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != want {
		c.tb.Fatalf("%s answers %d", path, res.StatusCode)
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		c.tb.Fatal(err)
	}
}
