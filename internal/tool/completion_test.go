package tool_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	own "nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// shelves is an area with one resource that can be completed and one that
// cannot.
func shelves() []tool.Set {
	book := func(context.Context, *client, tool.Vars) (tool.Content, error) { return tool.Content{}, nil }
	def := func(uri, name string) tool.ResourceDef {
		return tool.ResourceDef{URI: uri, Name: name, Title: name, Description: "A " + name + ".", Scope: scope.FilesRead, Folders: true}
	}
	return []tool.Set{tool.Group[*client]{
		Name: "shelves", Title: "Shelves", Client: newClient,
		Resources: []tool.ResourceOf[*client]{
			tool.NewResource(def("nc://books/{+path}", "book"), book).Complete("path", func(ctx context.Context, _ *client, typed string) ([]string, error) {
				switch typed {
				case "many":
					var out []string
					for i := range 150 {
						out = append(out, strconv.Itoa(i))
					}
					return out, nil
				case "none":
					return nil, &nextcloud.Error{Kind: nextcloud.ErrNotFound}
				case "broken":
					return nil, errors.New("secret cause")
				case "panic":
					panic("secret cause")
				}
				if err := tool.CheckPath(ctx, typed); err != nil {
					return nil, err
				}
				return []string{typed + "!"}, nil
			}),
			tool.NewResource(def("nc://maps/{id}", "map"), book),
		},
	}.Set()}
}

func completing(t *testing.T, p *own.Principal) func(uri, argument, typed string) (*mcp.CompleteResult, error) {
	t.Helper()
	registry, _ := tool.Select(shelves(), tool.Selection{Tier: tool.Complete})
	binding := tool.Binding{Clients: &clients{}, Log: slog.New(slog.DiscardHandler), Single: p}
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ServerOptions{CompletionHandler: registry.Completion(binding)})
	if err := registry.Register(server, binding); err != nil {
		t.Fatal(err)
	}
	there, here := mcp.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), there, nil); err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return func(uri, argument, typed string) (*mcp.CompleteResult, error) {
		return session.Complete(t.Context(), &mcp.CompleteParams{
			Ref: &mcp.CompleteReference{Type: "ref/resource", URI: uri}, Argument: mcp.CompleteParamsArgument{Name: argument, Value: typed},
		})
	}
}

func TestCompletion(t *testing.T) {
	const books = "nc://books/{+path}"
	complete := completing(t, &own.Principal{Subject: "alice", Trusted: true})
	for _, c := range []struct {
		uri, argument, typed, want string
		more                       bool
	}{
		{books, "path", "a", "a!", false},
		{books, "path", "none", "", false},
		{books, "path", strings.Repeat("x", 5000), "", false},
		{books, "id", "a", "", false},
		{"nc://maps/{id}", "id", "a", "", false},
		{"nc://other/{id}", "id", "a", "", false},
	} {
		res, err := complete(c.uri, c.argument, c.typed)
		if err != nil {
			t.Errorf("%s %.20s: %v", c.uri, c.typed, err)
			continue
		}
		if got := strings.Join(res.Completion.Values, " "); got != c.want || res.Completion.HasMore != c.more {
			t.Errorf("%s %.20s = %q", c.uri, c.typed, got)
		}
	}
	res, err := complete(books, "path", "many")
	if err != nil || len(res.Completion.Values) != 100 || !res.Completion.HasMore {
		t.Errorf("%+v, %v", res, err)
	}
	for _, typed := range []string{"broken", "panic"} {
		if _, err := complete(books, "path", typed); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", typed, err)
		}
	}
}

// TestCompletionIsGated checks that what may not be read is not completed.
func TestCompletionIsGated(t *testing.T) {
	const books = "nc://books/{+path}"
	for name, p := range map[string]*own.Principal{
		"no scope":    person(policy.Policy{}, scope.NewSet(scope.NotesRead)),
		"paused":      person(policy.Policy{Paused: true}, everything),
		"refused":     person(policy.Policy{Refused: []string{"files.read"}}, scope.NewSet(scope.NotesRead)),
		"elsewhere":   person(policy.Policy{Folders: []string{"/b"}}, everything),
		"not allowed": person(policy.Policy{Folders: []string{"/b"}}, scope.NewSet(scope.NotesRead)),
	} {
		res, err := completing(t, p)(books, "path", "a")
		if err == nil && len(res.Completion.Values) > 0 {
			t.Errorf("%s: %q", name, res.Completion.Values)
		}
	}
	res, err := completing(t, person(policy.Policy{Folders: []string{"/a"}}, everything))(books, "path", "a")
	if err != nil || len(res.Completion.Values) != 1 {
		t.Errorf("%+v, %v", res, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a variable that is not there can be completed")
		}
	}()
	tool.NewResource(tool.ResourceDef{URI: "x://{a}", Name: "x", Title: "x", Description: "x", Scope: scope.FilesRead},
		func(context.Context, *client, tool.Vars) (tool.Content, error) { return tool.Content{}, nil }).Complete("b", nil)
}
