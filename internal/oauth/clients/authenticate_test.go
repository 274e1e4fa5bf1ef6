package clients_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/store"
)

// basic is an Authorization header; both halves are encoded by the caller.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func tokenRequest(t *testing.T, form url.Values, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth/token?client_id=from-the-query&client_secret=from-the-query", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, header := range headers {
		r.Header.Add("Authorization", header)
	}
	return r
}

func TestAuthenticate(t *testing.T) {
	const odd, oddSecret = "o:d d+%", "s:e c&r+%ä"
	documents := newWeb()
	e := setUp(t, func(cfg *clients.Config) {
		cfg.Documents = documents
		cfg.Configured = []clients.Client{
			{ID: odd, AuthMethod: clients.AuthBasic, Secret: store.HashOf(oddSecret)},
			{ID: "static", AuthMethod: clients.AuthNone},
			{ID: "https://known.example/client", AuthMethod: clients.AuthPost, Secret: store.HashOf("s")},
		}
	})
	confidential := e.register(t, `{"redirect_uris":["https://app.example.org/cb"],"token_endpoint_auth_method":"client_secret_basic"}`)
	id, secret := confidential["client_id"].(string), confidential["client_secret"].(string)
	public := e.register(t, `{"redirect_uris":["http://localhost/cb"]}`)["client_id"].(string)
	const document = "https://app.example.org/client.json"
	form := func(pairs ...string) url.Values {
		v := url.Values{"grant_type": {"authorization_code"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v
	}
	tests := []struct {
		name    string
		form    url.Values
		headers []string
		want    string
		err     error
	}{
		{"basic", form(), []string{basic(id, secret)}, id, nil},
		{"basic, in another case", form(), []string{"bAsIc" + strings.TrimPrefix(basic(id, secret), "Basic")}, id, nil},
		{"basic and the same id in the form", form("client_id", id), []string{basic(id, secret)}, id, nil},
		{"post", form("client_id", id, "client_secret", secret), nil, id, nil},
		{"basic, encoded as RFC 6749 has it", form(), []string{basic(url.QueryEscape(odd), url.QueryEscape(oddSecret))}, odd, nil},
		{"post of a configured client", form("client_id", odd, "client_secret", oddSecret), nil, odd, nil},
		{"public", form("client_id", public), nil, public, nil},
		{"public with an empty secret", form("client_id", public, "client_secret", ""), nil, public, nil},
		{"public by basic without a secret", form(), []string{basic(public, "")}, public, nil},
		{"public and configured", form("client_id", "static"), nil, "static", nil},
		{"document", form("client_id", document), nil, document, nil},
		{"document by basic", form(), []string{basic(url.QueryEscape(document), "")}, document, nil},
		{"configured client with an address", form("client_id", "https://known.example/client", "client_secret", "s"), nil, "https://known.example/client", nil},

		{"nothing", form(), nil, "", clients.ErrUnknown},
		{"empty id", form("client_id", ""), nil, "", clients.ErrUnknown},
		{"unknown id", form("client_id", "ncmcp_client_x"), nil, "", clients.ErrUnknown},
		{"unknown id with a secret", form(), []string{basic("ncmcp_client_x", secret)}, "", clients.ErrUnknown},
		{"long id", form("client_id", "ncmcp_client_"+strings.Repeat("x", 5000)), nil, "", clients.ErrUnknown},
		{"wrong secret by basic", form(), []string{basic(id, secret+"x")}, "", clients.ErrSecret},
		{"wrong secret by post", form("client_id", id, "client_secret", secret[:len(secret)-1]), nil, "", clients.ErrSecret},
		{"registration token for the secret", form("client_id", id, "client_secret", confidential["registration_access_token"].(string)), nil, "", clients.ErrSecret},
		{"no secret", form("client_id", id), nil, "", clients.ErrSecret},
		{"empty secret", form("client_id", id, "client_secret", ""), nil, "", clients.ErrSecret},
		{"empty secret by basic", form(), []string{basic(id, "")}, "", clients.ErrSecret},
		{"secret of a public client", form("client_id", public, "client_secret", "x"), nil, "", clients.ErrSecret},
		{"secret of a document", form("client_id", document, "client_secret", "x"), nil, "", clients.ErrSecret},
		{"configured client with an address, without its secret", form("client_id", "https://known.example/client"), nil, "", clients.ErrSecret},
		{"document with dots", form("client_id", "https://app.example.org/a/../client.json"), nil, "", clients.ErrBadDocument},
		{"document without a path", form("client_id", "https://app.example.org"), nil, "", clients.ErrBadDocument},
		{"http document", form("client_id", "http://app.example.org/client.json"), nil, "", clients.ErrUnknown},
		{"assertion", form("client_id", document, "client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), nil, "", clients.ErrSecret},
		{"bearer", form("client_id", public), []string{"Bearer x"}, "", clients.ErrSecret},
		{"broken base64", form(), []string{"Basic !"}, "", clients.ErrSecret},
		{"no colon", form(), []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(id))}, "", clients.ErrSecret},
		{"broken encoding", form(), []string{basic("%zz", "x")}, "", clients.ErrSecret},
		{"empty id by basic", form(), []string{basic("", secret)}, "", clients.ErrSecret},
		{"empty header", form("client_id", public), []string{""}, "", clients.ErrSecret},

		{"both ways", form("client_id", id, "client_secret", secret), []string{basic(id, secret)}, "", clients.ErrAmbiguous},
		{"both ways, one empty", form("client_secret", ""), []string{basic(id, secret)}, "", clients.ErrAmbiguous},
		{"another id in the form", form("client_id", public), []string{basic(id, secret)}, "", clients.ErrAmbiguous},
		{"two ids", form("client_id", id, "client_id", id, "client_secret", secret), nil, "", clients.ErrAmbiguous},
		{"two secrets", form("client_id", id, "client_secret", "x", "client_secret", secret), nil, "", clients.ErrAmbiguous},
		{"two headers", form(), []string{basic(id, secret), basic(id, secret)}, "", clients.ErrAmbiguous},
		{"a form without end", form("client_id", id, "client_secret", secret, "x", strings.Repeat("x", 70<<10)), nil, "", clients.ErrAmbiguous},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := e.Authenticate(t.Context(), tokenRequest(t, tt.form, tt.headers...))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err == nil {
				if c.ID != tt.want {
					t.Errorf("client %q, want %q", c.ID, tt.want)
				}
				return
			}
			p, ok := errors.AsType[*clients.Problem](err)
			if !ok || c != nil || !isDescription(p.Detail) {
				t.Errorf("client %v, error %T %v", c, err, err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Error("the error has the secret")
			}
		})
	}
	if documents.count(document) != 0 {
		t.Error("a token request fetched the document")
	}
}

// Within an hour, use is noted once: token requests do not write otherwise.
func TestUseIsNoted(t *testing.T) {
	e := setUp(t)
	id := e.register(t, `{"redirect_uris":["http://localhost/cb"]}`)["client_id"].(string)
	used := func() time.Time {
		c, err := e.store.Client(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return c.LastUsedAt
	}
	if !used().IsZero() {
		t.Error("used before its first use")
	}
	authenticate := func() {
		if _, err := e.Authenticate(t.Context(), tokenRequest(t, url.Values{"client_id": {id}})); err != nil {
			t.Fatal(err)
		}
	}
	authenticate()
	first := used()
	if !first.Equal(e.clock.now()) {
		t.Errorf("used at %v, want %v", first, e.clock.now())
	}
	e.clock.advance(59 * time.Minute)
	authenticate()
	if !used().Equal(first) {
		t.Error("noted again within the hour")
	}
	e.clock.advance(time.Minute)
	authenticate()
	if !used().Equal(e.clock.now()) {
		t.Error("not noted after an hour")
	}
}

func TestAllows(t *testing.T) {
	e := setUp(t)
	c := &clients.Client{RedirectURIs: []string{"https://app.example.org/cb", "http://127.0.0.1/cb", "cursor://x/cb", "zed://x/cb", "http://evil.example/cb"}}
	for uri, want := range map[string]bool{
		"https://app.example.org/cb": true, "http://127.0.0.1:4711/cb": true, "cursor://x/cb": true,
		"https://app.example.org/cb/": false, "http://localhost:4711/cb": false, "": false,
		"zed://x/cb":             false, // not on the list (any more)
		"http://evil.example/cb": false,
	} {
		if got := e.Allows(c, uri); got != want {
			t.Errorf("Allows(%q) = %v", uri, got)
		}
	}
	if e.Allows(&clients.Client{}, "https://app.example.org/cb") {
		t.Error("a client without redirect URIs is allowed one")
	}
}
