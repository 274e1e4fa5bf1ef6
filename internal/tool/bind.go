package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
)

// PrincipalKey is where the front door leaves the *auth.Principal in
// TokenInfo.Extra. Handlers of stateful sessions must not look in the context:
// its values are those of the session's first request.
const PrincipalKey = "principal"

// Contenter is implemented by results that are more than JSON: images, files.
// Their structured form is sent beside the content.
type Contenter interface {
	Content() []mcp.Content
}

// Clients gives each person's client of Nextcloud (the data leg).
type Clients interface {
	Client(ctx context.Context, p *auth.Principal) (*nextcloud.Client, error)
}

// Binding is what the tools of a process run with.
type Binding struct {
	Clients Clients
	Log     *slog.Logger
	// Single is who everything acts for in a single-user mode; nil when the
	// front door proves a principal for each request.
	Single *auth.Principal
	// Observe is told of each finished call; may be nil.
	Observe func(tool, outcome string, took time.Duration)
	// Timeout bounds one call; default one minute.
	Timeout time.Duration
}

// Register adds everything the registry offers to server.
func (r *Registry) Register(server *mcp.Server, b Binding) error {
	if b.Timeout == 0 {
		b.Timeout = time.Minute
	}
	for _, t := range r.tools {
		decl, schema, err := t.declaration()
		if err != nil {
			return err
		}
		handler, err := b.handler(t, schema)
		if err != nil {
			return err
		}
		server.AddTool(decl, handler)
	}
	for _, res := range r.resources {
		if res.Templated() {
			server.AddResourceTemplate(&mcp.ResourceTemplate{
				URITemplate: res.URI, Name: res.Name, Title: res.Title, Description: res.Description, MIMEType: res.MIMEType,
			}, b.reader(res))
			continue
		}
		server.AddResource(&mcp.Resource{
			URI: res.URI, Name: res.Name, Title: res.Title, Description: res.Description, MIMEType: res.MIMEType,
		}, b.reader(res))
	}
	server.AddReceivingMiddleware(b.recovering, r.explaining)
	return nil
}

// MCP is the tool as clients see it.
func (t *Tool) MCP() (*mcp.Tool, error) {
	decl, _, err := t.declaration()
	return decl, err
}

// declaration is the tool as clients see it, and the schema that its arguments
// are checked against.
func (t *Tool) declaration() (*mcp.Tool, *jsonschema.Schema, error) {
	in, err := inputSchema(t.in)
	if err != nil {
		return nil, nil, fmt.Errorf("tool %s: input: %w", t.Name, err)
	}
	out, err := outputSchema(t.out, t.Effect)
	if err != nil {
		return nil, nil, fmt.Errorf("tool %s: output: %w", t.Name, err)
	}
	decl := &mcp.Tool{Name: t.Name, Title: t.Title, Description: t.Description, Annotations: t.Effect.annotations()}
	if decl.InputSchema, err = encodeInput(publicInput(in)); err != nil {
		return nil, nil, err
	}
	if decl.OutputSchema, err = encodeSchema(out); err != nil {
		return nil, nil, err
	}
	return decl, in, nil
}

// annotations are the four MCP hints of an effect. Everything reaches a world
// outside the client, so openWorldHint is always true.
func (e Effect) annotations() *mcp.ToolAnnotations {
	destructive, openWorld := e == Updates || e == Deletes, true
	return &mcp.ToolAnnotations{
		ReadOnlyHint:    e == Reads,
		DestructiveHint: &destructive,
		IdempotentHint:  e == Reads || e == Deletes,
		OpenWorldHint:   &openWorld,
	}
}

// handler is the one adapter between an MCP call and a tool's work.
func (b *Binding) handler(t *Tool, schema *jsonschema.Schema) (mcp.ToolHandler, error) {
	args, err := newArguments(schema, t.Aliases)
	if err != nil {
		return nil, fmt.Errorf("tool %s: input: %w", t.Name, err)
	}
	needs := t.Needs()
	return func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(ctx, b.Timeout)
		defer cancel()
		var res *mcp.CallToolResult
		err := b.run(ctx, req.Extra, needs, func(nc *nextcloud.Client) error {
			clean, err := args.read(req.Params.Arguments)
			if err != nil {
				return err
			}
			out, err := t.call(ctx, nc, clean)
			if err != nil {
				return err
			}
			res, err = result(out)
			return err
		})
		end := outcome(ctx, err)
		if b.Observe != nil {
			b.Observe(t.Name, end, time.Since(start))
		}
		if err != nil {
			b.Log.DebugContext(ctx, "Tool call failed", "tool", t.Name, "outcome", end)
			return failed(explain(ctx, b.Log, t.Name, err)), nil
		}
		return res, nil
	}, nil
}

func (b *Binding) reader(r *Resource) mcp.ResourceHandler {
	needs := scope.NewSet(r.Scope)
	return func(ctx context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		ctx, cancel := context.WithTimeout(ctx, b.Timeout)
		defer cancel()
		uri := req.Params.URI
		var content Content
		err := b.run(ctx, req.Extra, needs, func(nc *nextcloud.Client) (err error) {
			vars, ok := r.match(uri)
			if !ok {
				return mcp.ResourceNotFoundError(uri)
			}
			content, err = r.read(ctx, nc, vars)
			return err
		})
		var wire *jsonrpc.Error
		switch {
		case errors.As(err, &wire):
			return nil, wire
		case errors.Is(err, nextcloud.ErrNotFound):
			return nil, mcp.ResourceNotFoundError(uri)
		case err != nil:
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: explain(ctx, b.Log, r.Name, err)}
		}
		rc := &mcp.ResourceContents{URI: uri, MIMEType: content.MIMEType, Text: content.Text, Blob: content.Blob}
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{rc}}, nil
	}
}

// run checks once more that the caller may do this, finds the caller's client
// and does the work. The gate of the front door has decided before; this is
// the net under it. A panic of the work is an error like any other.
func (b *Binding) run(ctx context.Context, extra *mcp.RequestExtra, needs scope.Set, work func(*nextcloud.Client) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	p := b.principal(extra)
	if p == nil {
		return &nextcloud.Error{Kind: nextcloud.ErrUnauthenticated, Message: "nobody is signed in"}
	}
	if !p.Allows(needs) {
		return Invalidf("This connection may not do that: it lacks the scope %s. The person has to allow it when connecting this server in the client.", p.Scopes.Missing(needs))
	}
	nc, err := b.Clients.Client(ctx, p)
	if err != nil {
		return err
	}
	return work(nc)
}

func (b *Binding) principal(extra *mcp.RequestExtra) *auth.Principal {
	if b.Single != nil {
		return b.Single
	}
	if extra == nil || extra.TokenInfo == nil {
		return nil
	}
	p, _ := extra.TokenInfo.Extra[PrincipalKey].(*auth.Principal)
	return p
}

func result(out any) (*mcp.CallToolResult, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // a model pays for each \u003c
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	data := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if data[0] != '{' {
		return nil, errors.New("the result is no object") // clients of older revisions drop it
	}
	res := &mcp.CallToolResult{StructuredContent: json.RawMessage(data)}
	if c, ok := out.(Contenter); ok {
		res.Content = c.Content()
	}
	if len(res.Content) == 0 {
		res.Content = []mcp.Content{&mcp.TextContent{Text: string(data)}}
	}
	return res, nil
}

func failed(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

// outcome is one of a few words, for metrics.
func outcome(ctx context.Context, err error) string {
	if err == nil {
		return "ok"
	}
	if _, bad := errors.AsType[*invalid](err); bad {
		return "refused"
	}
	switch {
	case stopped(ctx, err, context.DeadlineExceeded):
		return "timed out"
	case stopped(ctx, err, context.Canceled):
		return "cancelled"
	}
	if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Kind != nil {
		return e.Kind.Error()
	}
	return "internal error"
}

// recovering keeps a panic inside the call that caused it; without it the SDK
// lets the process die.
func (b *Binding) recovering(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (res mcp.Result, err error) {
		defer func() {
			if p := recover(); p != nil {
				b.Log.ErrorContext(ctx, "Panic in a request", "method", method, "panic", p, "stack", string(debug.Stack()))
				res, err = nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error"}
			}
		}()
		return next(ctx, method, req)
	}
}

// explaining answers calls of tools that exist but are not offered with the
// reason, so that a model does not try them under other names.
func (r *Registry) explaining(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		if p, ok := req.GetParams().(*mcp.CallToolParamsRaw); ok {
			if why, off := r.Off(p.Name); off {
				return failed(fmt.Sprintf("The tool %s is not available: %s.", p.Name, why)), nil
			}
		}
		return next(ctx, method, req)
	}
}
