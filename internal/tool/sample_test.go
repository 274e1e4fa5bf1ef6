package tool_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	own "nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Mode is a closed set.
type Mode string

func (Mode) Values() []string { return []string{"fast", "slow"} }

// Part is a nested input.
type Part struct {
	Name  string `json:"name" jsonschema:"name of the part"`
	Count *int64 `json:"count,omitempty" jsonschema:"how many"`
	Mode  Mode   `json:"mode,omitempty" jsonschema:"how"`
}

// EchoInput has an argument of every kind.
type EchoInput struct {
	ID     int64    `json:"id" jsonschema:"id of it"`
	Text   string   `json:"text,omitempty" jsonschema:"some text"`
	Ratio  float64  `json:"ratio,omitempty" jsonschema:"some ratio"`
	Done   *bool    `json:"done,omitempty" jsonschema:"whether it is done"`
	Tags   []string `json:"tags,omitempty" jsonschema:"words"`
	Days   []int    `json:"days,omitempty" jsonschema:"day numbers"`
	Mode   Mode     `json:"mode,omitempty" jsonschema:"how"`
	Modes  []Mode   `json:"modes,omitempty" jsonschema:"several ways"`
	Part   *Part    `json:"part,omitempty" jsonschema:"one part"`
	Parts  []Part   `json:"parts,omitempty" jsonschema:"several parts"`
	Small  int8     `json:"small,omitempty" jsonschema:"a small number"`
	Hidden string   `json:"-"`
}

// Echo answers what was understood.
type Echo struct {
	Got   EchoInput      `json:"got"`
	Extra map[string]any `json:"extra,omitempty"`
}

type client struct{}

func newClient(*nextcloud.Client) *client { return &client{} }

var errSecret = errors.New("dial tcp 10.0.0.1: password hunter2 refused")

// picture is a result that is more than JSON.
type picture struct {
	Name string `json:"name"`
}

func (p *picture) Content() []mcp.Content {
	return []mcp.Content{&mcp.ImageContent{Data: []byte(p.Name), MIMEType: "image/png"}}
}

type nothing struct{}

func define(name string, s scope.Scope, e tool.Effect, tier tool.Tier) tool.Def {
	return tool.Def{Name: name, Title: "Title of " + name, Description: "Does " + name + ".", Scope: s, Effect: e, Tier: tier}
}

// does is a tool without arguments that does do.
func does[Out any](def tool.Def, do func(ctx context.Context) (Out, error)) tool.Of[*client] {
	return tool.New(def, func(ctx context.Context, _ *client, _ struct{}) (Out, error) { return do(ctx) })
}

// fails is a tool that fails with err.
func fails(name string, err error) tool.Of[*client] {
	return does(define(name, scope.NotesRead, tool.Reads, tool.Core), func(context.Context) (*nothing, error) { return nil, err })
}

func echo() tool.Of[*client] {
	def := define("nc_echo", scope.NotesRead, tool.Reads, tool.Core)
	def.Aliases = map[string]string{"note_id": "id", "label": "text"}
	return tool.New(def, func(_ context.Context, _ *client, in EchoInput) (*Echo, error) { return &Echo{Got: in}, nil })
}

func sample() []tool.Set {
	notes := tool.Group[*client]{
		Name: "notes", Title: "Notes", Client: newClient,
		Tools: []tool.Of[*client]{
			echo(),
			does(define("nc_write", scope.NotesWrite, tool.Updates, tool.Core), func(context.Context) (*nothing, error) { return &nothing{}, nil }),
			does(define("nc_panic", scope.NotesRead, tool.Reads, tool.Core), func(context.Context) (*nothing, error) { panic("token hunter2") }),
			does(define("nc_wait", scope.NotesRead, tool.Reads, tool.Core), func(ctx context.Context) (*nothing, error) {
				<-ctx.Done()
				return nil, &nextcloud.Error{Kind: nextcloud.ErrUnavailable, Err: ctx.Err()}
			}),
			does(define("nc_picture", scope.NotesRead, tool.Reads, tool.Core), func(context.Context) (*picture, error) { return &picture{"p<&>"}, nil }),
			does(define("nc_nil", scope.NotesRead, tool.Reads, tool.Core), func(context.Context) (*nothing, error) { return nil, nil }),
			does(define("nc_unencodable", scope.NotesRead, tool.Reads, tool.Core), func(context.Context) (*opaque, error) { return &opaque{"x"}, nil }),
			fails("nc_secret", errSecret),
			does(define("nc_extended", scope.NotesRead, tool.Reads, tool.Extended), func(context.Context) (*nothing, error) { return &nothing{}, nil }),
			does(define("nc_complete", scope.NotesWrite, tool.Deletes, tool.Complete), func(context.Context) (*nothing, error) { return &nothing{}, nil }),
		},
		Resources: []tool.ResourceOf[*client]{
			resource("nc://notes/settings", "settings", scope.NotesRead, func(tool.Vars) (tool.Content, error) {
				return tool.JSONContent(map[string]string{"folder": "Notes"})
			}),
			resource("nc://notes/{id}", "note", scope.NotesRead, func(v tool.Vars) (tool.Content, error) {
				switch v["id"] {
				case "missing":
					return tool.Content{}, &nextcloud.Error{Op: "get note", Kind: nextcloud.ErrNotFound}
				case "broken":
					return tool.Content{}, errSecret
				case "panic":
					panic("token hunter2")
				case "blob":
					return tool.Content{MIMEType: "image/png", Blob: []byte{0, 1, 255}}, nil
				}
				return tool.Content{MIMEType: "text/plain", Text: "note " + v["id"]}, nil
			}),
			resource("nc://notes/{id}/files/{name}", "file", scope.FilesRead, func(v tool.Vars) (tool.Content, error) {
				return tool.Content{Text: v["id"] + "|" + v["name"]}, nil
			}),
		},
	}
	deck := tool.Group[*client]{
		Name: "deck", Title: "Deck", Client: newClient,
		Tools: []tool.Of[*client]{
			does(define("nc_deck_read", scope.DeckRead, tool.Reads, tool.Core), func(context.Context) (*nothing, error) { return &nothing{}, nil }),
			does(tool.Def{
				Name: "nc_deck_both", Title: "Both", Description: "Needs two.", Scope: scope.DeckWrite,
				Also: []scope.Scope{scope.FilesRead}, Effect: tool.Creates, Tier: tool.Core,
			}, func(context.Context) (*nothing, error) { return &nothing{}, nil }),
		},
	}
	return []tool.Set{notes.Set(), deck.Set()}
}

// opaque is a result that cannot be sent.
type opaque struct {
	F unencodable `json:"f"`
}

// unencodable cannot be written as JSON.
type unencodable string

func (unencodable) MarshalJSON() ([]byte, error) { return nil, errSecret }

func resource(uri, name string, s scope.Scope, read func(tool.Vars) (tool.Content, error)) tool.ResourceOf[*client] {
	return tool.NewResource(tool.ResourceDef{URI: uri, Name: name, Title: name, Description: "A " + name + ".", Scope: s},
		func(_ context.Context, _ *client, v tool.Vars) (tool.Content, error) { return read(v) })
}

// clients gives everybody the same client, or err.
type clients struct {
	err  error
	mu   sync.Mutex
	seen []*own.Principal
}

func (c *clients) Client(_ context.Context, p *own.Principal) (*nextcloud.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, p)
	if c.err != nil {
		return nil, c.err
	}
	return nextcloud.New(nextcloud.NewHost(&url.URL{Scheme: "http", Host: "nextcloud.invalid"}, nil), nextcloud.Basic{LoginName: "alice"}, nil), nil
}

// setup is what a test connects to.
type setup struct {
	sets      []tool.Set
	selection tool.Selection
	principal *own.Principal // nil: a trusted single user
	nobody    bool           // requests come without any principal
	clients   *clients
	data      tool.Clients // instead of clients
	log       *slog.Logger
	timeout   time.Duration
	observe   func(tool, outcome string, took time.Duration)
	audit     func(tool.Entry)
	account   string             // where connections are changed
	client    *mcp.ClientOptions // may be nil
	version   string             // protocol; default the newest
}

// connect registers the sample and connects the official client in memory.
func connect(tb testing.TB, s setup) *mcp.ClientSession {
	tb.Helper()
	if s.sets == nil {
		s.sets = sample()
	}
	if s.selection.Tier == 0 {
		s.selection.Tier = tool.Complete
	}
	if s.clients == nil {
		s.clients = &clients{}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	registry, unknown := tool.Select(s.sets, s.selection)
	if len(unknown) > 0 {
		tb.Fatal(unknown[0])
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "sample", Version: "1"}, &mcp.ServerOptions{
		Capabilities: &mcp.ServerCapabilities{},
		CompletionHandler: func(context.Context, *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
			return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{"completed"}}}, nil
		},
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	server.AddPrompt(&mcp.Prompt{Name: "greet"}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{}, nil
	})
	if s.data == nil {
		s.data = s.clients
	}
	binding := tool.Binding{Clients: s.data, Log: s.log, Timeout: s.timeout, Observe: s.observe, Audit: s.audit, AccountURL: s.account}
	if s.principal == nil && !s.nobody {
		binding.Single = &own.Principal{Subject: "alice", Trusted: true}
	}
	if err := registry.Register(server, binding); err != nil {
		tb.Fatal(err)
	}
	if s.principal != nil {
		// In memory there is no front door to leave the principal.
		server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
			return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
				extra := &mcp.RequestExtra{TokenInfo: &auth.TokenInfo{Extra: map[string]any{tool.PrincipalKey: s.principal}}}
				switch r := req.(type) {
				case *mcp.CallToolRequest:
					r.Extra = extra
				case *mcp.ReadResourceRequest:
					r.Extra = extra
				case *mcp.ServerRequest[*mcp.ListToolsParams]:
					r.Extra = extra
				case *mcp.ServerRequest[*mcp.ListResourcesParams]:
					r.Extra = extra
				case *mcp.ServerRequest[*mcp.ListResourceTemplatesParams]:
					r.Extra = extra
				case *mcp.ServerRequest[*mcp.ListPromptsParams]:
					r.Extra = extra
				case *mcp.ServerRequest[*mcp.GetPromptParams]:
					r.Extra = extra
				case *mcp.ServerRequest[*mcp.CompleteParams]:
					r.Extra = extra
				case *mcp.ServerRequest[*mcp.SubscribeParams]:
					r.Extra = extra
				}
				return next(ctx, method, req)
			}
		})
	}
	serverSide, clientSide := mcp.NewInMemoryTransports()
	serving, err := server.Connect(tb.Context(), serverSide, nil)
	if err != nil {
		tb.Fatal(err)
	}
	c := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, s.client)
	session, err := c.Connect(tb.Context(), clientSide, &mcp.ClientSessionOptions{ProtocolVersion: s.version})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = session.Close()
		_ = serving.Wait()
	})
	return session
}

// callParams are the parameters of a call with arguments as they are written.
func callParams(name, args string) *mcp.CallToolParams {
	return &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(args)}
}

// call calls a tool and answers the text of the result.
func call(t *testing.T, session *mcp.ClientSession, name string, args any) (text string, failed bool) {
	t.Helper()
	res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		t.Fatalf("%s: protocol error %v", name, err)
	}
	if len(res.Content) != 1 {
		t.Fatalf("%s: %d contents", name, len(res.Content))
	}
	c, ok := res.Content[0].(*mcp.TextContent)
	if !ok {
		t.Fatalf("%s: content is a %T", name, res.Content[0])
	}
	return c.Text, res.IsError
}
