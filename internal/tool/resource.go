package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/yosida95/uritemplate/v3"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
)

// ResourceDef is what a reader, a client and the gate need to know of a
// resource or of a family of resources.
type ResourceDef struct {
	URI         string // a URI, or a template of RFC 6570 such as nc://Notes/{note_id}
	Name        string
	Title       string
	Description string
	MIMEType    string // when all of the family have it
	Scope       scope.Scope
	Folders     bool // see Def.Folders
}

// Content is the content of one resource: text, or bytes.
type Content struct {
	MIMEType string
	Text     string
	Blob     []byte // when not nil, instead of Text
}

// JSONContent is v as the content of a resource.
func JSONContent(v any) (Content, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return Content{}, fmt.Errorf("encode resource: %w", err)
	}
	return Content{MIMEType: "application/json", Text: string(b)}, nil
}

// Vars are the values that a URI gave for the variables of its template.
type Vars map[string]string

// ResourceOf is a declared resource of an area whose client is a C.
type ResourceOf[C any] struct {
	def      ResourceDef
	read     func(ctx context.Context, client C, vars Vars) (Content, error)
	complete map[string]Completer[C]
}

// Completer finds values of a template's variable that go on from what was
// typed of it, best first.
type Completer[C any] func(ctx context.Context, client C, typed string) ([]string, error)

// NewResource declares a resource. An incomplete declaration panics.
func NewResource[C any](def ResourceDef, read func(ctx context.Context, client C, vars Vars) (Content, error)) ResourceOf[C] {
	if def.URI == "" || def.Name == "" || def.Title == "" || def.Description == "" || def.Scope == "" {
		panic(fmt.Sprintf("resource %q: uri, name, title, description and scope are needed", def.URI))
	}
	return ResourceOf[C]{def: def, read: read}
}

// Complete is the resource with a completer for one of its variables. A
// variable that the URI does not have panics.
func (r ResourceOf[C]) Complete(variable string, find Completer[C]) ResourceOf[C] {
	if !slices.Contains(uritemplate.MustNew(r.def.URI).Varnames(), variable) {
		panic(fmt.Sprintf("resource %s: no variable %q", r.def.URI, variable))
	}
	complete := maps.Clone(r.complete)
	if complete == nil {
		complete = map[string]Completer[C]{}
	}
	complete[variable] = find
	r.complete = complete
	return r
}

func (r ResourceOf[C]) erase(area, app string, client func(*nextcloud.Client) C) *Resource {
	out := &Resource{
		ResourceDef: r.def, Area: area, App: app,
		template: uritemplate.MustNew(r.def.URI),
		read: func(ctx context.Context, nc *nextcloud.Client, vars Vars) (Content, error) {
			return r.read(ctx, client(nc), vars)
		},
		complete: map[string]Completer[*nextcloud.Client]{},
	}
	for variable, find := range r.complete {
		out.complete[variable] = func(ctx context.Context, nc *nextcloud.Client, typed string) ([]string, error) {
			return find(ctx, client(nc), typed)
		}
	}
	return out
}

// Resource is a declared resource with its client type erased.
type Resource struct {
	ResourceDef
	Area string
	App  string // see Group

	template *uritemplate.Template
	read     func(ctx context.Context, nc *nextcloud.Client, vars Vars) (Content, error)
	complete map[string]Completer[*nextcloud.Client]
}

// Templated reports whether the URI has variables.
func (r *Resource) Templated() bool { return len(r.template.Varnames()) > 0 }

// maxURI bounds the URI of a resource, in bytes.
const maxURI = 8 << 10

// matches reports whether uri belongs to the resource, in the way the SDK
// finds the resource to read: the gate must not see another one.
func (r *Resource) matches(uri string) bool {
	if !r.Templated() {
		return uri == r.URI
	}
	return len(uri) <= maxURI && r.template.Regexp().MatchString(uri)
}

// match is the values of the variables when uri belongs to the resource.
func (r *Resource) match(uri string) (Vars, bool) {
	if !r.matches(uri) {
		return nil, false
	}
	if !r.Templated() {
		return nil, true
	}
	values := r.template.Match(uri)
	if values == nil {
		return nil, false
	}
	vars := Vars{}
	for _, name := range r.template.Varnames() {
		vars[name] = values.Get(name).String()
	}
	return vars, true
}
