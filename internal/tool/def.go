// Package tool turns a declaration (name, scope, effect, input, output, work)
// into an MCP tool. It is the one adapter between the areas and the protocol:
// schemas, argument checks, the second scope check, time-outs, the client of
// the calling person and the error texts for the model all live here, so that
// an area declares and never plumbs.
package tool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
)

// Effect is what a tool does to data. Its zero value is invalid.
type Effect int

// The effects, from harmless to harmful.
const (
	Reads Effect = iota + 1
	Creates
	Updates
	Deletes
)

// String is the effect in the words of the documentation.
func (e Effect) String() string {
	switch e {
	case Reads:
		return "reads"
	case Creates:
		return "creates"
	case Updates:
		return "updates"
	case Deletes:
		return "deletes"
	}
	return fmt.Sprintf("Effect(%d)", int(e))
}

// Tier says who needs a tool. Its zero value is invalid.
type Tier int

// The tiers; a higher one contains the lower ones.
const (
	Core     Tier = iota + 1 // what most people need most days
	Extended                 // what many need sometimes
	Complete                 // everything else
)

// String is the tier as --tier takes it.
func (t Tier) String() string {
	switch t {
	case Core:
		return "core"
	case Extended:
		return "extended"
	case Complete:
		return "complete"
	}
	return fmt.Sprintf("Tier(%d)", int(t))
}

// ParseTier reads a tier's name.
func ParseTier(name string) (Tier, error) {
	for _, t := range []Tier{Core, Extended, Complete} {
		if t.String() == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("no tier %q (known: core, extended, complete)", name)
}

// Def is what a reader, a client and the gate need to know of a tool.
type Def struct {
	Name        string
	Title       string
	Description string
	Scope       scope.Scope
	Also        []scope.Scope // further scopes; all are needed
	// Anyone says, in the place of Scope, that everybody who is signed in may
	// call the tool: it reads nothing of Nextcloud.
	Anyone  bool
	Effect  Effect
	Tier    Tier
	Aliases map[string]string // older argument name -> its name here
	// Object are the arguments that say what is touched: an id, a path, a
	// name. Their values go into the audit, so never a content or a query.
	Object []string
	// Foreign says that the result holds what other people wrote: mail, chat,
	// comments, feeds. It is marked as data that is no instruction, and hidden
	// characters in it are dropped.
	Foreign bool
	// Folders says that the tool checks every path that it reaches with
	// CheckPath. Without it, a connection that the person limits to some
	// folders may not call a tool that needs a scope of files or shares.
	Folders bool
	// Timeout bounds a call that may take longer than others.
	Timeout time.Duration
}

// Needs are the scopes that a call needs, all of them; none for Anyone.
func (d *Def) Needs() scope.Set {
	if d.Anyone {
		return scope.Set{}
	}
	return scope.NewSet(append([]scope.Scope{d.Scope}, d.Also...)...)
}

// Tool is a declared tool with its client type erased.
type Tool struct {
	Def
	Area string // the name of its group
	App  string // see Group

	in, out reflect.Type
	local   bool // it never asks Nextcloud, and is called without a client
	call    func(ctx context.Context, nc *nextcloud.Client, args json.RawMessage) (any, error)
}

// Of is a declared tool of an area whose client is a C.
type Of[C any] struct {
	def     Def
	in, out reflect.Type
	call    func(ctx context.Context, client C, args json.RawMessage) (any, error)
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{2,63}$`)

// New declares a tool. The schemas come from In and Out, which must be structs
// (or pointers to structs). A declaration that is not complete is a
// programming error and panics at start-up.
func New[C, In, Out any](def Def, do func(ctx context.Context, client C, in In) (Out, error)) Of[C] {
	switch {
	case !namePattern.MatchString(def.Name):
		panic(fmt.Sprintf("tool %q: not a tool name", def.Name))
	case def.Title == "", def.Description == "":
		panic(fmt.Sprintf("tool %s: title and description are needed", def.Name))
	case (def.Scope == "") != def.Anyone:
		panic(fmt.Sprintf("tool %s: either a scope or Anyone is needed", def.Name))
	case def.Anyone && (def.Effect != Reads || len(def.Also) > 0):
		panic(fmt.Sprintf("tool %s: what changes something needs a scope", def.Name))
	case def.Effect < Reads || def.Effect > Deletes:
		panic(fmt.Sprintf("tool %s: no effect", def.Name))
	case def.Tier < Core || def.Tier > Complete:
		panic(fmt.Sprintf("tool %s: no tier", def.Name))
	}
	return Of[C]{
		def: def,
		in:  reflect.TypeFor[In](),
		out: reflect.TypeFor[Out](),
		call: func(ctx context.Context, client C, args json.RawMessage) (any, error) {
			var in In
			if err := json.Unmarshal(args, &in); err != nil {
				// The schema has let it through: a number too large for its
				// type, or a text with rules of its own such as a time.
				if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
					return nil, Invalidf("%q is out of range", wrong.Field)
				}
				return nil, Invalidf("the arguments cannot be read: %v", err)
			}
			return do(ctx, client, in)
		},
	}
}

// Group is an area: its tools and resources, and how to make its client.
type Group[C any] struct {
	Name  string // as --areas takes it: "notes"
	Title string
	// Client makes the area's client; nil for an area without resources that
	// never asks Nextcloud, whose tools are called without one.
	Client func(*nextcloud.Client) C
	// App is the id of the Nextcloud app that everything of the area needs; it
	// is hidden from people who do not have it. Empty for what is always there.
	App string
	// Connections says that the area makes sense only where this server's own
	// authorization server grants the connections.
	Connections bool
	Tools       []Of[C]
	Resources   []ResourceOf[C]
	Documents   []DocumentOf[C]
}

// Set is an area with its client type erased.
type Set struct {
	Name        string
	Title       string
	App         string // see Group
	Connections bool   // see Group
	Tools       []*Tool
	Resources   []*Resource
	Documents   []*Document
}

// Set erases the client type.
func (g Group[C]) Set() Set {
	s := Set{Name: g.Name, Title: g.Title, App: g.App, Connections: g.Connections}
	for _, t := range g.Tools {
		s.Tools = append(s.Tools, &Tool{
			Def: t.def, Area: g.Name, App: g.App, in: t.in, out: t.out, local: g.Client == nil,
			call: func(ctx context.Context, nc *nextcloud.Client, args json.RawMessage) (any, error) {
				var client C
				if g.Client != nil {
					client = g.Client(nc)
				}
				return t.call(ctx, client, args)
			},
		})
	}
	for _, r := range g.Resources {
		s.Resources = append(s.Resources, r.erase(g.Name, g.App, g.Client))
	}
	for _, d := range g.Documents {
		s.Documents = append(s.Documents, d.erase(g.App, g.Client))
	}
	return s
}
