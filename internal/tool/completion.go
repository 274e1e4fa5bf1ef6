package tool

import (
	"context"
	"errors"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// The bounds of one completion.
const (
	maxCompletions    = 100     // MCP: at most so many values
	maxTyped          = 4 << 10 // bytes
	completionTimeout = 10 * time.Second
)

// Completion answers completion/complete for the variables of resources, with
// the same checks as a read of the resource. It is for mcp.ServerOptions; nil
// when nothing offered can be completed.
func (r *Registry) Completion(b Binding) func(context.Context, *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
	byURI := map[string]*Resource{}
	for _, res := range r.resources {
		if len(res.complete) > 0 {
			byURI[res.URI] = res
		}
	}
	if len(byURI) == 0 {
		return nil
	}
	return func(ctx context.Context, req *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
		out := &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{}}}
		p := req.Params
		if p.Ref == nil || len(p.Argument.Value) > maxTyped {
			return out, nil
		}
		res, ok := byURI[p.Ref.URI]
		if !ok {
			return out, nil
		}
		find, ok := res.complete[p.Argument.Name]
		if !ok {
			return out, nil
		}
		ctx, cancel := context.WithTimeout(ctx, completionTimeout)
		defer cancel()
		var values []string
		err := b.run(ctx, req.Extra, res.demand(), access{app: res.App}, func(ctx context.Context, nc *nextcloud.Client) (err error) {
			values, err = find(ctx, nc, p.Argument.Value)
			return err
		})
		// What is typed is seldom right at once, and nobody can be asked to sign
		// in for a completion: then there are no values.
		_, signIn := errors.AsType[*auth.SignInRequired](err)
		switch {
		case signIn, errors.Is(err, nextcloud.ErrNotFound), errors.Is(err, nextcloud.ErrInvalid):
			return out, nil
		case err != nil:
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: explain(ctx, b.Log, res.Name, err)}
		}
		out.Completion.HasMore = len(values) > maxCompletions
		out.Completion.Values = append(out.Completion.Values, values[:min(len(values), maxCompletions)]...)
		return out, nil
	}
}
