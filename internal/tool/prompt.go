package tool

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/scope"
)

// Prompt is a request that people pick from a menu of their client, for a piece
// of work that takes several tools. It is text alone: the model does the work
// with the tools that it names.
type Prompt struct {
	Name        string
	Title       string
	Description string
	Arguments   []PromptArgument
	// Tools are what the text names. The prompt is there when all of them are,
	// and needs their scopes.
	Tools []string
	// Text is the request for the given arguments; those that were left out are
	// not in the map.
	Text func(args map[string]string) string
}

// PromptArgument is what a person can fill in.
type PromptArgument struct {
	Name        string
	Description string
	Required    bool
}

// maxPromptArgument bounds one argument of a prompt, in characters.
const maxPromptArgument = 1000

// check panics on an incomplete declaration.
func (p *Prompt) check() {
	if !namePattern.MatchString(p.Name) || p.Title == "" || p.Description == "" || len(p.Tools) == 0 || p.Text == nil {
		panic(fmt.Sprintf("prompt %q: name, title, description, tools and text are needed", p.Name))
	}
}

// mcp is the prompt as clients see it.
func (p *Prompt) mcp() *mcp.Prompt {
	decl := &mcp.Prompt{Name: p.Name, Title: p.Title, Description: p.Description}
	for _, a := range p.Arguments {
		decl.Arguments = append(decl.Arguments, &mcp.PromptArgument{Name: a.Name, Description: a.Description, Required: a.Required})
	}
	return decl
}

// fill checks the arguments that a client sent.
func (p *Prompt) fill(sent map[string]string) (map[string]string, error) {
	args := map[string]string{}
	known := map[string]bool{}
	for _, a := range p.Arguments {
		known[a.Name] = true
		value := strings.TrimSpace(sent[a.Name])
		switch {
		case utf8.RuneCountInString(value) > maxPromptArgument:
			return nil, Invalidf("%s is longer than %d characters", a.Name, maxPromptArgument)
		case value != "":
			args[a.Name] = Visible(value)
		case a.Required:
			return nil, Invalidf("%s is missing", a.Name)
		}
	}
	for name := range sent {
		if !known[name] {
			return nil, Invalidf("there is no argument %q", shorten(name))
		}
	}
	return args, nil
}

// prompter answers prompts/get.
func (b *Binding) prompter(p *Prompt) mcp.PromptHandler {
	return func(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		if caller := b.principal(req.Extra); caller != nil {
			if err := explainDenial(caller, b.registry.promptDemand(p), b.AccountURL); err != nil {
				return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: err.Error()}
			}
		}
		args, err := p.fill(req.Params.Arguments)
		if err != nil {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: err.Error()}
		}
		return &mcp.GetPromptResult{Description: p.Description, Messages: []*mcp.PromptMessage{
			{Role: "user", Content: &mcp.TextContent{Text: p.Text(args)}},
		}}, nil
	}
}

// AddPrompts offers those of the prompts whose tools are all offered.
func (r *Registry) AddPrompts(prompts []Prompt) {
	for i := range prompts {
		p := &prompts[i]
		p.check()
		if !r.offersAll(p.Tools) {
			continue
		}
		r.prompts[p.Name] = p
	}
}

func (r *Registry) offersAll(names []string) bool {
	for _, name := range names {
		if _, ok := r.byName[name]; !ok {
			return false
		}
	}
	return true
}

// promptDemand is what the tools of a prompt ask of a connection, all of them.
func (r *Registry) promptDemand(p *Prompt) demand {
	d := demand{effect: Reads, folders: true}
	for _, name := range p.Tools {
		t := r.byName[name]
		d.needs = d.needs.Union(t.Needs())
		d.folders = d.folders && t.Folders
		d.effect = max(d.effect, t.Effect)
	}
	return d
}

// PromptNeeds are the scopes of the tools that the named prompt speaks of;
// false when no such prompt is offered.
func (r *Registry) PromptNeeds(name string) (scope.Set, bool) {
	p, ok := r.prompts[name]
	if !ok {
		return scope.Set{}, false
	}
	return r.promptDemand(p).needs, true
}

// apps are the apps that the tools of a prompt need.
func (r *Registry) apps(p *Prompt) []string {
	var out []string
	for _, name := range p.Tools {
		if app := r.byName[name].App; app != "" {
			out = append(out, app)
		}
	}
	return out
}
