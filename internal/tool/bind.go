package tool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/document"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/exclusion"
)

// PrincipalKey is where the front door leaves the *auth.Principal in
// TokenInfo.Extra. Handlers of stateful sessions must not look in the context:
// its values are those of the session's first request.
const PrincipalKey = "principal"

// Clients gives each person's client of Nextcloud (the data leg). When the
// person has to sign in first, the error is an *auth.SignInRequired.
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
	// Audit is told of each finished call of a tool and read of a resource
	// through a connection that a person granted here, refused ones too. It
	// must return at once; may be nil.
	Audit func(Entry)
	// AccountURL is where people see and change their connections; empty where
	// there are none.
	AccountURL string
	// Documents reads the text of files; nil means in this process.
	Documents *document.Extractor
	// Excluded takes files with certain system tags away from all tools; nil
	// takes none.
	Excluded *exclusion.Rule
	// Timeout bounds one call; default one minute.
	Timeout time.Duration
	// Sources are where files may come from that are not in Nextcloud.
	Sources Sources

	registry *Registry // set by Register
}

// Register adds everything the registry offers to server.
func (r *Registry) Register(server *mcp.Server, b Binding) error {
	if b.Timeout == 0 {
		b.Timeout = time.Minute
	}
	b.registry = r
	if b.Documents == nil {
		b.Documents = document.NewExtractor(nil)
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
	for _, p := range r.prompts {
		server.AddPrompt(p.mcp(), b.prompter(p))
	}
	server.AddReceivingMiddleware(b.recovering, newPolicing(r, &b).middleware, r.explaining)
	return nil
}

// handler is the one adapter between an MCP call and a tool's work.
func (b *Binding) handler(t *Tool, schema *jsonschema.Schema) (mcp.ToolHandler, error) {
	args, err := newArguments(schema, t.Aliases)
	if err != nil {
		return nil, fmt.Errorf("tool %s: input: %w", t.Name, err)
	}
	demand := t.demand()
	return func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(ctx, max(b.Timeout, t.Timeout))
		defer cancel()
		var res *mcp.CallToolResult
		err := b.run(ctx, req.Extra, demand, access{t.App, t.local}, func(ctx context.Context, nc *nextcloud.Client) error {
			clean, err := args.read(req.Params.Arguments)
			if err != nil {
				return err
			}
			out, err := t.call(ctx, nc, clean)
			if err != nil {
				return err
			}
			res, err = result(out, t.Foreign)
			return err
		})
		end := outcome(ctx, err)
		if b.Observe != nil {
			b.Observe(t.Name, end, time.Since(start))
		}
		b.audit(req.Extra, t.Name, end, func() string { return t.object(req.Params.Arguments) })
		if err == nil {
			return res, nil
		}
		b.Log.DebugContext(ctx, "Tool call failed", "tool", t.Name, "outcome", end)
		if missing, ok := errors.AsType[*auth.SignInRequired](err); ok {
			ask, err := askForSignIn(missing, req, req.Params.InputResponses)
			if ask != nil {
				return &mcp.CallToolResult{InputRequests: ask}, nil
			}
			if err != nil {
				return nil, err
			}
		}
		return failed(explain(ctx, b.Log, t.Name, err)), nil
	}, nil
}

// readMethod is what a read of a resource is called in the audit.
const readMethod = "resources/read"

func (b *Binding) reader(r *Resource) mcp.ResourceHandler {
	demand := r.demand()
	return func(ctx context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		ctx, cancel := context.WithTimeout(ctx, b.Timeout)
		defer cancel()
		uri := req.Params.URI
		var content Content
		err := b.run(ctx, req.Extra, demand, access{app: r.App}, func(ctx context.Context, nc *nextcloud.Client) (err error) {
			vars, ok := r.match(uri)
			if !ok {
				return &nextcloud.Error{Kind: nextcloud.ErrNotFound}
			}
			content, err = r.read(ctx, nc, vars)
			return err
		})
		b.audit(req.Extra, readMethod, outcome(ctx, err), func() string { return plain(uri) })
		if errors.Is(err, nextcloud.ErrNotFound) {
			return nil, mcp.ResourceNotFoundError(uri)
		}
		if missing, ok := errors.AsType[*auth.SignInRequired](err); ok {
			ask, err := askForSignIn(missing, req, req.Params.InputResponses)
			if ask != nil {
				return &mcp.ReadResourceResult{InputRequests: ask}, nil
			}
			if err != nil {
				return nil, err
			}
		}
		if err != nil {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: explain(ctx, b.Log, r.Name, err)}
		}
		rc := &mcp.ResourceContents{URI: uri, MIMEType: content.MIMEType, Text: content.Text, Blob: content.Blob}
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{rc}}, nil
	}
}

// access is how a piece of work reaches Nextcloud.
type access struct {
	app   string // the app that it needs, if any
	local bool   // it never asks Nextcloud
}

// run checks that the person allows this connection to do d and, once more,
// that the caller has the scopes, finds the caller's client and does the work.
// The gate of the front door has decided on scopes before; this is the net
// under it. A panic of the work is an error like any other.
func (b *Binding) run(ctx context.Context, extra *mcp.RequestExtra, d demand, a access, work func(context.Context, *nextcloud.Client) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	p := b.principal(extra)
	if p == nil {
		return &nextcloud.Error{Kind: nextcloud.ErrUnauthenticated, Message: "nobody is signed in"}
	}
	if err := explainDenial(p, d, b.AccountURL); err != nil {
		return err
	}
	if !p.Allows(d.needs) {
		return Invalidf("This connection may not do that: it lacks the scope %s. The person has to allow it when connecting this server in the client.", p.Scopes.Missing(d.needs))
	}
	if a.local {
		return work(b.withCaller(ctx, p, nil), nil)
	}
	nc, err := b.Clients.Client(b.withCaller(ctx, p, nil), p)
	if err != nil {
		return err
	}
	// Only what is known already: asking would cost each call a request, and
	// an app that is not there says so itself.
	if known := nc.KnownApps(); a.app != "" && known != nil && !known.Has(a.app) {
		return &nextcloud.Error{Kind: nextcloud.ErrAppMissing, Message: fmt.Sprintf("it needs the app %q", a.app)}
	}
	return work(b.withCaller(ctx, p, nc), nc)
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
