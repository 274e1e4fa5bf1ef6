// Package tooltest calls an area's tools the way a model does: through the
// official MCP client, to a simulated Nextcloud, counting the requests that
// each call costs there. It is for tests, and a package of its own because
// every area's tools need it.
package tooltest

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/exclusion"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool"
)

// Options are the optional parts of a Session; nil means all defaults.
type Options struct {
	// User and Password sign in at Nextcloud; default alice of the simulator.
	User, Password string
	// Policy narrows the connection.
	Policy policy.Policy
	// ExcludedTags hide files.
	ExcludedTags []string
	// Public is the address of links in results; default the one of the handler.
	Public string
	// Sources are where files may come from that are not in Nextcloud.
	Sources tool.Sources
}

// Session is an MCP client of some areas, connected to one Nextcloud.
type Session struct {
	*mcp.ClientSession
	requests atomic.Int64
}

// Connect serves the areas for one person of the Nextcloud that h is, and
// connects the official client to them.
func Connect(t testing.TB, h http.Handler, opts *Options, areas ...tool.Set) *Session {
	t.Helper()
	if opts == nil {
		opts = &Options{}
	}
	o := *opts
	if o.User == "" {
		o.User, o.Password = "alice", "alice-password-1"
	}
	s := &Session{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	host := nextcloud.NewHost(address(t, web.URL), &nextcloud.HostOptions{Public: address(t, cmp.Or(o.Public, web.URL))})
	client := nextcloud.New(host, nextcloud.Basic{LoginName: nextcloud.LoginName(o.User), Password: auth.Secret(o.Password)},
		&nextcloud.ClientOptions{UserID: nextcloud.UserID(o.User)})
	registry, unknown := tool.Select(areas, tool.Selection{Tier: tool.Complete})
	if len(unknown) > 0 {
		t.Fatal(unknown)
	}
	binding := tool.Binding{
		Clients: single{client}, Log: slog.New(slog.NewTextHandler(testLog{t}, nil)),
		Single:   &auth.Principal{Trusted: true, Policy: o.Policy},
		Excluded: exclusion.New(o.ExcludedTags), Sources: o.Sources,
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ServerOptions{CompletionHandler: registry.Completion(binding)})
	if err := registry.Register(server, binding); err != nil {
		t.Fatal(err)
	}
	there, here := mcp.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), there, nil); err != nil {
		t.Fatal(err)
	}
	var err error
	s.ClientSession, err = mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Call calls a tool with arguments in JSON. The answer is the structured
// result as JSON, or the text of the error.
func (s *Session) Call(t testing.TB, name, args string) (res *mcp.CallToolResult, answer string) {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(args)})
	if err != nil {
		t.Fatalf("%s %s: %v", name, args, err)
	}
	if res.IsError {
		text, _ := res.Content[0].(*mcp.TextContent)
		return res, text.Text
	}
	b, err := json.Marshal(res.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// Read is Call for a tool that has to work; the result is read into out when
// out is not nil.
func (s *Session) Read(t testing.TB, name, args string, out any) string {
	t.Helper()
	res, answer := s.Call(t, name, args)
	if res.IsError {
		t.Fatalf("%s %s: %s", name, args, answer)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(answer), out); err != nil {
			t.Fatalf("%s %s: %v in %s", name, args, err, answer)
		}
	}
	return answer
}

// Refused is Call for a tool that has to fail, and answers its text.
func (s *Session) Refused(t testing.TB, name, args string) string {
	t.Helper()
	res, answer := s.Call(t, name, args)
	if !res.IsError {
		t.Fatalf("%s %s is done: %s", name, args, answer)
	}
	return answer
}

// Requests is how many requests Nextcloud got since the last call of Requests.
func (s *Session) Requests() int { return int(s.requests.Swap(0)) }

type single struct{ client *nextcloud.Client }

func (s single) Client(context.Context, *auth.Principal) (*nextcloud.Client, error) {
	return s.client, nil
}

func address(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

type testLog struct{ t testing.TB }

var _ io.Writer = testLog{}

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(string(p))
	return len(p), nil
}
