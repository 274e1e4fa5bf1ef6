package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
)

const (
	metadataParam = `resource_metadata="https://mcp.example.org/.well-known/oauth-protected-resource/mcp"`
	ordinary      = `scope="files.read notes.read notes.write openid profile"`
)

func TestNoToken(t *testing.T) {
	s := newStack(t, nil, nil)
	want := "Bearer " + metadataParam + ", " + ordinary // RFC 6750, 3.1: no error without a token
	for name, r := range map[string]request{
		"POST":          {body: older("tools/list", "{}")},
		"GET":           {method: "GET"},
		"HEAD":          {method: "HEAD"},
		"OPTIONS":       {method: "OPTIONS"},
		"DELETE":        {method: "DELETE"},
		"PUT":           {method: "PUT"},
		"broken JSON":   {body: "{"},
		"large body":    {body: strings.Repeat(" ", maxBody+1)},
		"modern":        modern("", "tools/list", "", ""),
		"query":         {path: "/mcp?access_token=alice"},
		"Basic":         {header: http.Header{"Authorization": {"Basic YTpi"}}},
		"empty":         {header: http.Header{"Authorization": {"Bearer "}}},
		"scheme only":   {header: http.Header{"Authorization": {"Bearer"}}},
		"two words":     {header: http.Header{"Authorization": {"Bearer alice bob"}}},
		"tab":           {header: http.Header{"Authorization": {"Bearer\talice"}}},
		"not ASCII":     {header: http.Header{"Authorization": {"Bearer alic\u00e9"}}},
		"two headers":   {header: http.Header{"Authorization": {"Bearer alice", "Bearer bob"}}},
		"list":          {header: http.Header{"Authorization": {"Basic YTpi, Bearer alice"}}},
		"session alone": {header: http.Header{"Mcp-Session-Id": {"X"}}},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.send(t, r)
			if a.status != 401 {
				t.Fatalf("status %d", a.status)
			}
			if diff := cmp.Diff([]string{want}, a.header.Values("WWW-Authenticate")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if a.header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be cached")
			}
			if r.method != "HEAD" && a.body != `{"error_description":"Sign in first: this server needs an OAuth access token."}`+"\n" {
				t.Errorf("body %s", a.body)
			}
		})
	}
}

func TestToken(t *testing.T) {
	s := newStack(t, nil, nil)
	for _, h := range []string{"Bearer alice", "bearer alice", "BEARER   alice"} {
		r := modern("", "tools/list", "", "")
		r.header.Set("Authorization", h)
		if a := s.send(t, r); a.status != 200 {
			t.Errorf("%q: %d", h, a.status)
		}
	}
	// The verifier tolerates clock skew, and nobody behind it decides anew.
	if a := s.send(t, modern("just-over", "tools/list", "", "")); a.status != 200 {
		t.Errorf("a token that the verifier takes: %d %s", a.status, a.body)
	}
}

func TestInvalidToken(t *testing.T) {
	s := newStack(t, nil, nil)
	a := s.send(t, modern("forged", "tools/list", "", ""))
	want := `Bearer error="invalid_token", error_description="The token has expired.", ` + metadataParam + ", " + ordinary
	if a.status != 401 || a.header.Get("WWW-Authenticate") != want {
		t.Errorf("%d\ngot  %s\nwant %s", a.status, a.header.Get("WWW-Authenticate"), want)
	}
	if got := decode(t, a.body)["error"]; got != "invalid_token" {
		t.Errorf("body %s", a.body)
	}
}

func TestTokenNotChecked(t *testing.T) {
	s := newStack(t, nil, nil)
	for token, wait := range map[string]string{"waiting": "2", "unchecked": "5", "without-status": "5", "impostor-1": "5"} {
		a := s.send(t, modern(token, "tools/list", "", ""))
		if a.status != 503 || a.header.Get("Retry-After") != wait || a.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d, Retry-After %q, %q", token, a.status, a.header.Get("Retry-After"), a.header.Get("WWW-Authenticate"))
		}
		if strings.Contains(a.body, "hunter2") || strings.Contains(a.body, "dial") {
			t.Errorf("%s: the caller sees the cause: %s", token, a.body)
		}
	}
}

// TestGate checks that nothing reaches data without its scope.
func TestGate(t *testing.T) {
	s := newStack(t, nil, nil)
	legacy := func(body string) request { return request{token: "powerless", body: body} }
	batch := legacy("[" + older("ping", "{}") + "," + older("tools/call", `{"name":"nc_read"}`) + "]")
	for name, test := range map[string]struct {
		r      request
		needed string
	}{
		"call":               {legacy(older("tools/call", `{"name":"nc_read"}`)), "notes.read"},
		"modern call":        {modern("powerless", "tools/call", "nc_read", `"name":"nc_read"`), "notes.read"},
		"lying header":       {modern("powerless", "tools/call", "whoami", `"name":"nc_read"`), "notes.read"},
		"notification":       {legacy(`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"nc_read"}}`), "notes.read"},
		"batch":              {batch, "notes.read"},
		"space":              {legacy(` {"jsonrpc" : "2.0" , "id":1, "method" : "tools/call" , "params" :` + "\n\t" + ` {"name" : "nc_read"}}`), "notes.read"},
		"escaped keys":       {legacy(`{"jsonrpc":"2.0","id":1,"m\u0065thod":"tools/c\u0061ll","p\u0061rams":{"n\u0061me":"nc_r\u0065ad"}}`), "notes.read"},
		"resource":           {legacy(older("resources/read", `{"uri":"nc://notes/1"}`)), "notes.read"},
		"modern resource":    {modern("powerless", "resources/read", "nc://notes/1", `"uri":"nc://notes/1"`), "notes.read"},
		"resource and ref":   {legacy(older("resources/read", `{"uri":"nc://notes/1","ref":{}}`)), "notes.read"},
		"resource, other":    {legacy(older("resources/read", `{"uri":"nc://files/1","ref":{"uri":"nc://notes/1"}}`)), "files.read"},
		"subscription":       {legacy(older("resources/subscribe", `{"uri":"nc://files/1"}`)), "files.read"},
		"unsubscription":     {legacy(older("resources/unsubscribe", `{"uri":"nc://files/1"}`)), "files.read"},
		"completion":         {legacy(older("completion/complete", `{"ref":{"type":"ref/resource","uri":"nc://notes/{id}"},"argument":{"name":"id","value":""}}`)), "notes.read"},
		"completion and uri": {legacy(older("completion/complete", `{"uri":"x","ref":{"type":"ref/resource","uri":"nc://notes/{id}"}}`)), "notes.read"},
		"two needs":          {legacy("[" + older("tools/call", `{"name":"nc_write"}`) + "," + older("resources/read", `{"uri":"nc://files/1"}`) + "]"), "files.read notes.write"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.send(t, test.r)
			want := `Bearer error="insufficient_scope", error_description="This needs the scope ` + test.needed + `, which was not granted.", ` +
				metadataParam + `, scope="` + test.needed + `"`
			if a.status != 403 || a.header.Get("WWW-Authenticate") != want {
				t.Errorf("%d %s\ngot  %s\nwant %s", a.status, a.body, a.header.Get("WWW-Authenticate"), want)
			}
		})
	}
	// The older generation has the same gate within a session.
	session := s.connect(t, "powerless", "2025-11-25")
	r := legacy(older("tools/call", `{"name":"nc_read"}`))
	r.header = http.Header{"Mcp-Session-Id": {session.ID()}, "Mcp-Protocol-Version": {"2025-11-25"}}
	if a := s.send(t, r); a.status != 403 {
		t.Errorf("within a session: %d", a.status)
	}
}

func TestStepUpNamesWhatWasGranted(t *testing.T) {
	s := newStack(t, nil, nil)
	a := s.send(t, modern("reader", "tools/call", "nc_write", `"name":"nc_write"`))
	want := `Bearer error="insufficient_scope", error_description="This needs the scope notes.write, which was not granted.", ` +
		metadataParam + `, scope="deck.read notes.read notes.write openid"`
	if a.status != 403 || a.header.Get("WWW-Authenticate") != want {
		t.Errorf("%d\ngot  %s\nwant %s", a.status, a.header.Get("WWW-Authenticate"), want)
	}
}

// TestUnknownNames checks that what is not there is answered by the protocol.
func TestUnknownNames(t *testing.T) {
	s := newStack(t, nil, nil)
	a := s.send(t, modern("powerless", "tools/call", "nc_never", `"name":"nc_never"`))
	if a.status == 403 || !strings.Contains(a.body, "-32602") {
		t.Errorf("tool: %d %s", a.status, a.body)
	}
	a = s.send(t, modern("powerless", "resources/read", "x://y", `"uri":"x://y"`))
	if a.status == 403 || !strings.Contains(a.body, "-32602") {
		t.Errorf("resource: %d %s", a.status, a.body)
	}
}

// TestSessionBelongsToItsUser checks that a session id is no key.
func TestSessionBelongsToItsUser(t *testing.T) {
	s := newStack(t, nil, nil)
	session := s.connect(t, "alice", "2025-11-25")
	in := func(token, id, method string) answer {
		return s.send(t, request{
			method: method, token: token, body: older("tools/list", "{}"),
			header: http.Header{"Mcp-Session-Id": {id}, "Mcp-Protocol-Version": {"2025-11-25"}},
		})
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if a := in("bob", session.ID(), method); a.status != 403 {
			t.Errorf("%s in the session of somebody else: %d", method, a.status)
		}
		if a := in("bob", "made-up", method); a.status != 404 {
			t.Errorf("%s in no session: %d", method, a.status)
		}
	}
	if a := in("alice", session.ID(), "POST"); a.status != 200 {
		t.Errorf("in the own session: %d %s", a.status, a.body)
	}
}

// TestPrincipalsAreNotMixed calls for two people at once, in every revision.
func TestPrincipalsAreNotMixed(t *testing.T) {
	s := newStack(t, nil, nil)
	var wg sync.WaitGroup
	for _, version := range versions {
		for _, name := range []string{"alice", "bob"} {
			session := s.connect(t, name, version)
			wg.Go(func() {
				for range 10 {
					res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "whoami"})
					if err != nil {
						t.Errorf("%s for %s: %v", version, name, err)
						return
					}
					if got, _ := res.StructuredContent.(map[string]any); got["subject"] != name {
						t.Errorf("%s for %s: %v", version, name, got)
					}
				}
			})
		}
	}
	wg.Wait()
}

func TestMetadata(t *testing.T) {
	var issuerErr error
	for name, test := range map[string]struct {
		public    string
		urls      []string
		resource  string
		challenge string
	}{
		"root": {
			"https://mcp.example.org",
			[]string{wellKnown, wellKnown + "/mcp"},
			"https://mcp.example.org/mcp", "https://mcp.example.org" + wellKnown + "/mcp",
		},
		"prefix": {
			"https://mcp.example.org/ai/",
			[]string{wellKnown + "/ai", wellKnown + "/ai/mcp", wellKnown, wellKnown + "/mcp"},
			"https://mcp.example.org/ai/mcp", "https://mcp.example.org" + wellKnown + "/ai/mcp",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, nil, func(c *Config) {
				c.Public, _ = url.Parse(test.public)
				c.Issuer = func() (string, error) { return "https://cloud.example.org/index.php", issuerErr }
			})
			want := map[string]any{
				"resource": test.resource, "authorization_servers": []any{"https://cloud.example.org/index.php"},
				"scopes_supported":         []any{"files.read", "notes.read", "notes.write", "openid", "profile"},
				"bearer_methods_supported": []any{"header"}, "resource_name": "Nextcloud MCP Server",
			}
			for _, u := range test.urls {
				issuerErr = nil
				get := request{method: "GET", path: u, host: "mcp.example.org", header: http.Header{"Origin": {"https://page.example"}}}
				a := s.send(t, get)
				if a.status != 200 || a.header.Get("Content-Type") != "application/json" || a.header.Get("Access-Control-Allow-Origin") != "*" {
					t.Fatalf("%s: %+v", u, a)
				}
				if diff := cmp.Diff(want, decode(t, a.body)); diff != "" {
					t.Errorf("%s (-want +got)\n%s", u, diff)
				}
				head := get
				head.method = "HEAD"
				if a := s.send(t, head); a.status != 200 || a.body != "" || a.header.Get("Content-Type") != "application/json" {
					t.Errorf("HEAD %s: %+v", u, a)
				}
				options := get
				options.method = "OPTIONS"
				if a := s.send(t, options); a.status != 204 || a.header.Get("Access-Control-Allow-Methods") != "GET, HEAD, OPTIONS" {
					t.Errorf("OPTIONS %s: %+v", u, a)
				}
				post := get
				post.method = "POST"
				if a := s.send(t, post); a.status != 405 || a.header.Get("Allow") != "GET, HEAD, OPTIONS" {
					t.Errorf("POST %s: %+v", u, a)
				}
				for _, err := range []error{
					&auth.Error{Status: 503, Code: auth.CodeTemporarilyUnavailable, Description: "Not yet.", RetryAfter: 7 * time.Second},
					fmt.Errorf("discover: %w", &auth.Error{Status: 503, Code: auth.CodeTemporarilyUnavailable, RetryAfter: 7 * time.Second}),
				} {
					issuerErr = err
					if a := s.send(t, get); a.status != 503 || a.header.Get("Retry-After") != "7" || a.header.Get("Cache-Control") != "no-store" {
						t.Errorf("without an issuer: %+v", a)
					}
				}
				issuerErr = errors.New("secret")
				if a := s.send(t, get); a.status != 503 || strings.Contains(a.body, "secret") {
					t.Errorf("without an issuer: %+v", a)
				}
				get.host = "evil.example"
				if a := s.send(t, get); a.status != 403 {
					t.Errorf("under a foreign name: %d", a.status)
				}
			}
			for _, path := range []string{"/mcp", strings.TrimPrefix(test.resource, "https://mcp.example.org")} {
				if got := s.send(t, request{path: path}).header.Get("WWW-Authenticate"); !strings.Contains(got, `resource_metadata="`+test.challenge+`"`) {
					t.Errorf("the challenge at %s names other metadata: %s", path, got)
				}
			}
		})
	}
}
