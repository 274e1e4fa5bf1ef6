package server

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
)

// porter proves people by the password "password of NAME".
type porter struct {
	mu   sync.Mutex
	from []netip.Addr
}

func (p *porter) Prove(_ context.Context, loginName string, password auth.Secret, client netip.Addr) (*auth.Principal, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from = append(p.from, client)
	switch loginName {
	case "unknown":
		return nil, errors.New("dial tcp: hunter2")
	case "nobody":
		return nil, nil
	case "many":
		return nil, &auth.Error{Status: 429, Code: "too_many_requests", Description: "Too many.", RetryAfter: 90 * time.Second}
	case "down":
		return nil, &auth.Error{Status: 503, Code: auth.CodeTemporarilyUnavailable, Description: "Down.", RetryAfter: 7 * time.Second}
	}
	if password.Reveal() != "password of "+loginName {
		return nil, &auth.Error{Status: 401, Code: "invalid_credentials", Description: "Wrong."}
	}
	return &auth.Principal{Issuer: "https://cloud.example.org", Subject: auth.Subject(loginName), LoginName: loginName, Token: password, Trusted: true}, nil
}

func basicStack(t *testing.T, change func(*Config)) (*stack, *porter) {
	t.Helper()
	p := &porter{}
	return newStack(t, nil, func(c *Config) {
		c.Door, c.Issuer, c.Basic = nil, nil, p
		if change != nil {
			change(c)
		}
	}), p
}

func basicHeader(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

func TestBasicCredentials(t *testing.T) {
	s, porter := basicStack(t, nil)
	good := basicHeader("alice:password of alice")
	// What is not even a pair of login name and password is not tried.
	const tried = "good, any case, beyond ASCII, wrong, cannot be checked, named nobody, too many, Nextcloud down"
	for name, test := range map[string]struct {
		header []string
		status int
	}{
		"good":              {[]string{good}, 200},
		"any case":          {[]string{"bASIC  " + strings.TrimPrefix(good, "Basic ")}, 200},
		"beyond ASCII":      {[]string{basicHeader("älice:password of älice")}, 200},
		"none":              {nil, 401},
		"wrong":             {[]string{basicHeader("alice:wrong")}, 401},
		"two headers":       {[]string{good, good}, 401},
		"two credentials":   {[]string{good + ", " + good}, 401},
		"bearer":            {[]string{"Bearer alice"}, 401},
		"bearer and good":   {[]string{"Bearer alice", good}, 401},
		"no password":       {[]string{basicHeader("alice:")}, 401},
		"no colon":          {[]string{basicHeader("alice")}, 401},
		"no login name":     {[]string{basicHeader(":password of ")}, 401},
		"scheme only":       {[]string{"Basic"}, 401},
		"empty":             {[]string{"Basic "}, 401},
		"not base64":        {[]string{"Basic alice:password"}, 401},
		"no padding":        {[]string{strings.TrimRight(good, "=")}, 401},
		"loose bits":        {[]string{strings.TrimSuffix(good, "U=") + "V="}, 401},
		"not UTF-8":         {[]string{basicHeader("al\xefce:password of al\xefce")}, 401},
		"control":           {[]string{basicHeader("al\nice:password of al\nice")}, 401},
		"null":              {[]string{basicHeader("alice\x00:password of alice\x00")}, 401},
		"large":             {[]string{basicHeader("alice:" + strings.Repeat("x", 8000))}, 401},
		"cannot be checked": {[]string{basicHeader("unknown:x")}, 503},
		"named nobody":      {[]string{basicHeader("nobody:x")}, 503},
		"too many":          {[]string{basicHeader("many:x")}, 429},
		"Nextcloud down":    {[]string{basicHeader("down:x")}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			r := modern("", "tools/list", "", "")
			if test.header != nil {
				r.header["Authorization"] = test.header
			}
			before := len(porter.from)
			a := s.send(t, r)
			if a.status != test.status {
				t.Errorf("%d %s", a.status, a.body)
			}
			if was := len(porter.from) > before; was != slices.Contains(strings.Split(tried, ", "), name) {
				t.Errorf("tried: %v", was)
			}
			want := ""
			if test.status == 401 {
				want = `Basic realm="Nextcloud", charset="UTF-8"`
			}
			if got := a.header.Get("WWW-Authenticate"); got != want {
				t.Errorf("challenge %s", got)
			}
			if strings.Contains(a.body, "hunter2") || a.status != 200 && a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%v %s", a.header, a.body)
			}
			wait := map[string]string{"too many": "90", "Nextcloud down": "7", "cannot be checked": "5", "named nobody": "5"}[name]
			if got := a.header.Get("Retry-After"); got != wait {
				t.Errorf("Retry-After %q", got)
			}
		})
	}
	for _, from := range porter.from {
		if !from.IsLoopback() {
			t.Errorf("tried from %s", from)
		}
	}
}

// TestBasicBeforeTheBody checks that strangers do not make a body be read.
func TestBasicBeforeTheBody(t *testing.T) {
	s, _ := basicStack(t, nil)
	if a := s.send(t, request{body: "{"}); a.status != 401 {
		t.Errorf("%d", a.status)
	}
}

func TestBasicWorks(t *testing.T) {
	s, _ := basicStack(t, nil)
	for _, version := range versions {
		session := s.connectWith(t, basicTransport("alice:password of alice"), version)
		// No scope has to be granted to anybody.
		if res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "nc_write"}); err != nil || res.IsError {
			t.Errorf("%s: %+v, %v", version, res, err)
		}
		res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "whoami"})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := res.StructuredContent.(map[string]any); got["subject"] != "alice" {
			t.Errorf("%s: %v", version, got)
		}
	}
	// There is no authorization server to be found.
	for _, path := range []string{wellKnown, wellKnown + "/mcp"} {
		if a := s.send(t, request{method: "GET", path: path}); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// TestBasicSessionBelongsToItsUser checks that good credentials open no
// session of somebody else.
func TestBasicSessionBelongsToItsUser(t *testing.T) {
	s, _ := basicStack(t, nil)
	session := s.connectWith(t, basicTransport("alice:password of alice"), "2025-11-25")
	in := func(who, method string) int {
		return s.send(t, request{method: method, body: older("tools/list", "{}"), header: http.Header{
			"Authorization": {basicHeader(who + ":password of " + who)}, "Mcp-Session-Id": {session.ID()}, "Mcp-Protocol-Version": {"2025-11-25"},
		}}).status
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if got := in("bob", method); got != 403 {
			t.Errorf("%s: %d", method, got)
		}
	}
	if got := in("alice", "POST"); got != 200 {
		t.Errorf("her own: %d", got)
	}
}

// TestBasicPasswordStaysAtTheDoor checks that no handler sees the credentials.
func TestBasicPasswordStaysAtTheDoor(t *testing.T) {
	s, _ := basicStack(t, nil)
	seen := make(chan string, 1)
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "header"}, func(_ context.Context, req *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, who, error) {
		seen <- req.Extra.Header.Get("Authorization")
		return nil, who{}, nil
	})
	r := modern("", "tools/call", "header", `"name":"header","arguments":{}`)
	r.header.Set("Authorization", basicHeader("alice:password of alice"))
	if a := s.send(t, r); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got := <-seen; strings.Contains(got, "Basic") {
		t.Errorf("a handler sees %s", got)
	}
}

// TestBasicPages checks that pages of this machine stay out: a browser sends a
// password that it knows along by itself.
func TestBasicPages(t *testing.T) {
	s, _ := basicStack(t, nil)
	r := modern("", "tools/list", "", "")
	r.header.Set("Authorization", basicHeader("alice:password of alice"))
	r.header.Set("Origin", "http://localhost:6274")
	if a := s.send(t, r); a.status != 403 {
		t.Errorf("%d", a.status)
	}
}

func TestClientAddr(t *testing.T) {
	there := netip.MustParseAddr("192.0.2.9")
	s, porter := basicStack(t, func(c *Config) { c.ClientAddr = func(*http.Request) netip.Addr { return there } })
	s.send(t, request{header: http.Header{"Authorization": {basicHeader("alice:wrong")}}})
	if len(porter.from) != 1 || porter.from[0] != there {
		t.Errorf("%v", porter.from)
	}
	s, porter = basicStack(t, nil)
	s.send(t, request{header: http.Header{"Authorization": {basicHeader("alice:wrong")}, "X-Forwarded-For": {"192.0.2.9"}, "Forwarded": {"for=192.0.2.9"}}})
	if len(porter.from) != 1 || !porter.from[0].IsLoopback() {
		t.Errorf("a header is believed: %v", porter.from)
	}
}

func FuzzBasicCredentials(f *testing.F) {
	for _, seed := range []string{basicHeader("alice:secret"), "Basic", "Basic ", "basic YTpi", "Bearer x", "Basic =", basicHeader("a:b:c"), basicHeader(":"), "Basic \x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		login, password, ok := basicCredentials(http.Header{"Authorization": {value}})
		if !ok {
			if login != "" || password != "" {
				t.Errorf("half of the credentials: %q", login)
			}
			return
		}
		if login == "" || password == "" || strings.Contains(login, ":") || strings.ContainsAny(login+password.Reveal(), "\x00\r\n") {
			t.Errorf("%q, %q", login, password.Reveal())
		}
		if again, word, _ := basicCredentials(http.Header{"Authorization": {basicHeader(login + ":" + password.Reveal())}}); again != login || word != password {
			t.Errorf("%q reads otherwise when it is written anew", value)
		}
	})
}
