package tool

import (
	"context"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
)

// policing keeps lists and requests to what the policy of the caller's
// connection allows. Calls of tools and reads of resources are checked where
// they run, because those answers go into the audit too.
type policing struct {
	registry *Registry
	binding  *Binding
	byURI    map[string]*Resource // resources and templates
}

func newPolicing(r *Registry, b *Binding) *policing {
	p := &policing{registry: r, binding: b, byURI: map[string]*Resource{}}
	for _, res := range r.resources {
		p.byURI[res.URI] = res
	}
	return p
}

func (p *policing) middleware(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		caller := p.binding.principal(extraOf(req))
		if caller == nil {
			return next(ctx, method, req) // nothing but lists answers nobody
		}
		if why := p.refusal(caller, method, req); why != nil {
			if method == "tools/call" {
				return failed(why.Error()), nil
			}
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: why.Error()}
		}
		res, err := next(ctx, method, req)
		if err == nil {
			p.trim(caller, res)
			p.shown(req, res)
			p.installed(ctx, caller, res)
		}
		return res, err
	}
}

// installed drops from a list what needs an app that the person does not have.
// When that cannot be found out, the list stays whole: a call says it then.
func (p *policing) installed(ctx context.Context, caller *auth.Principal, res mcp.Result) {
	missing := func(string) bool { return false }
	if p.registry.needsApps() && lists(res) {
		nc, err := p.binding.Clients.Client(ctx, caller)
		if err != nil {
			return
		}
		apps, err := nc.Apps(ctx)
		if err != nil {
			return
		}
		missing = func(app string) bool { return app != "" && !apps.Has(app) }
	}
	switch list := res.(type) {
	case *mcp.ListToolsResult:
		list.Tools = slices.DeleteFunc(list.Tools, func(t *mcp.Tool) bool {
			known, ok := p.registry.byName[t.Name]
			return ok && missing(known.App)
		})
	case *mcp.ListResourcesResult:
		list.Resources = slices.DeleteFunc(list.Resources, func(r *mcp.Resource) bool { return p.needs(r.URI, missing) })
	case *mcp.ListResourceTemplatesResult:
		list.ResourceTemplates = slices.DeleteFunc(list.ResourceTemplates, func(r *mcp.ResourceTemplate) bool { return p.needs(r.URITemplate, missing) })
	case *mcp.ListPromptsResult:
		list.Prompts = slices.DeleteFunc(list.Prompts, func(shown *mcp.Prompt) bool {
			prompt, ok := p.registry.prompts[shown.Name]
			return ok && slices.ContainsFunc(p.registry.apps(prompt), missing)
		})
	}
}

func (p *policing) needs(uri string, missing func(app string) bool) bool {
	known, ok := p.byURI[uri]
	return ok && missing(known.App)
}

// lists reports whether the result lists what areas offer.
func lists(res mcp.Result) bool {
	switch res.(type) {
	case *mcp.ListToolsResult, *mcp.ListResourcesResult, *mcp.ListResourceTemplatesResult, *mcp.ListPromptsResult:
		return true
	}
	return false
}

// extraOf is what the front door left with a request; nil on the standard
// streams.
func extraOf(req mcp.Request) *mcp.RequestExtra {
	if req == nil {
		return nil
	}
	return req.GetExtra()
}

// refusal says why the caller's policy denies a request that is no list.
func (p *policing) refusal(caller *auth.Principal, _ string, req mcp.Request) error {
	account := p.binding.AccountURL
	switch params := req.GetParams().(type) {
	case *mcp.CallToolParamsRaw:
		if _, offered := p.registry.byName[params.Name]; offered {
			return nil
		}
	case *mcp.ReadResourceParams:
		if _, offered := p.registry.ResourceNeeds(params.URI); offered {
			return nil
		}
	case *mcp.SubscribeParams:
		return p.resource(caller, params.URI)
	case *mcp.UnsubscribeParams:
		return p.resource(caller, params.URI)
	case *mcp.CompleteParams:
		if params.Ref != nil {
			return p.resource(caller, params.Ref.URI)
		}
	case *mcp.GetPromptParams:
		if _, offered := p.registry.prompts[params.Name]; offered {
			return nil // answered where it runs
		}
	default:
		return nil
	}
	// Something that is not offered, or that has no policy of its own.
	if caller.Policy.Paused {
		return explainDenial(caller, demand{}, account)
	}
	return nil
}

func (p *policing) resource(caller *auth.Principal, uri string) error {
	for _, res := range p.registry.resources {
		if uri == res.URI || res.matches(uri) {
			if err := explainDenial(caller, res.demand(), p.binding.AccountURL); err != nil {
				return err
			}
		}
	}
	if caller.Policy.Paused {
		return explainDenial(caller, demand{}, p.binding.AccountURL)
	}
	return nil
}

// trim drops from a list what the caller's policy denies. Scopes that were not
// asked for yet do not shorten a list: clients would never ask.
func (p *policing) trim(caller *auth.Principal, res mcp.Result) {
	switch list := res.(type) {
	case *mcp.ListToolsResult:
		list.Tools = slices.DeleteFunc(list.Tools, func(t *mcp.Tool) bool { return p.registry.DeniesTool(caller, t.Name) })
	case *mcp.ListResourcesResult:
		list.Resources = slices.DeleteFunc(list.Resources, func(r *mcp.Resource) bool { return p.hides(caller, r.URI) })
	case *mcp.ListResourceTemplatesResult:
		list.ResourceTemplates = slices.DeleteFunc(list.ResourceTemplates, func(r *mcp.ResourceTemplate) bool { return p.hides(caller, r.URITemplate) })
	case *mcp.ListPromptsResult:
		list.Prompts = slices.DeleteFunc(list.Prompts, func(shown *mcp.Prompt) bool {
			prompt, ok := p.registry.prompts[shown.Name]
			if !ok {
				return caller.Policy.Paused
			}
			return denies(caller, p.registry.promptDemand(prompt)) != allowed
		})
	}
}

func (p *policing) hides(caller *auth.Principal, uri string) bool {
	res, ok := p.byURI[uri]
	if !ok {
		return caller.Policy.Paused
	}
	return denies(caller, res.demand()) != allowed
}
