package tool

import (
	"context"
	"fmt"
	"regexp"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
)

// DocumentDef is what the gate needs to know of a kind of documents.
type DocumentDef struct {
	Kind    string // begins the ids of its documents: "note" in "note:42"
	Scope   scope.Scope
	Folders bool // see Def.Folders
}

// Text is one document as fetch answers it.
type Text struct {
	Title    string
	Text     string
	URL      string // its page in Nextcloud
	Metadata map[string]string
}

// DocumentOf is a kind of documents of an area whose client is a C.
type DocumentOf[C any] struct {
	def  DocumentDef
	read func(ctx context.Context, client C, id string) (*Text, error)
}

var kindPattern = regexp.MustCompile(`^[a-z]+$`)

// NewDocument declares how the documents of a kind are read, by the id behind
// the kind and the colon. An incomplete declaration panics.
func NewDocument[C any](def DocumentDef, read func(ctx context.Context, client C, id string) (*Text, error)) DocumentOf[C] {
	if !kindPattern.MatchString(def.Kind) || def.Scope == "" {
		panic(fmt.Sprintf("document %q: a kind and a scope are needed", def.Kind))
	}
	return DocumentOf[C]{def, read}
}

func (d DocumentOf[C]) erase(app string, client func(*nextcloud.Client) C) *Document {
	return &Document{DocumentDef: d.def, App: app, read: func(ctx context.Context, nc *nextcloud.Client, id string) (*Text, error) {
		return d.read(ctx, client(nc), id)
	}}
}

// Document is a kind of documents with its client type erased.
type Document struct {
	DocumentDef
	App string // see Group

	read func(ctx context.Context, nc *nextcloud.Client, id string) (*Text, error)
}

func (d *Document) demand() demand { return demand{scope.NewSet(d.Scope), Reads, d.Folders} }

// MayRead reports whether the caller may read documents of a kind, and whether
// there are any here.
func MayRead(ctx context.Context, kind string) bool {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	if !ok || info.nc == nil {
		return false
	}
	d, ok := info.registry.documents[kind]
	return ok && info.mayRead(d) == nil
}

// Permits reports whether the caller may read what needs a scope: its area is
// offered here, and the scope was granted and not refused. Where the person
// limits the connection to some folders, nothing that needs a scope of files is
// permitted, unless the caller of Permits checks each path itself.
func Permits(ctx context.Context, s scope.Scope, checksPaths bool) bool {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	if !ok || !info.registry.offers(s) {
		return false
	}
	needs := scope.NewSet(s)
	return info.caller.Allows(needs) && denies(&info.caller, demand{needs, Reads, checksPaths}) == allowed
}

// ReadDocument reads a document of whatever area it belongs to, if the caller
// may read there.
func ReadDocument(ctx context.Context, kind, id string) (*Text, error) {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	if !ok || info.nc == nil {
		return nil, &nextcloud.Error{Kind: nextcloud.ErrNotFound}
	}
	d, ok := info.registry.documents[kind]
	if !ok {
		return nil, Invalidf("There are no documents of the kind %q on this server. Take an id from a result of search.", shorten(kind))
	}
	if err := info.mayRead(d); err != nil {
		return nil, err
	}
	return d.read(ctx, info.nc, id)
}

// mayRead is nil when the caller may read documents of a kind.
func (c *callInfo) mayRead(d *Document) error {
	if err := explainDenial(&c.caller, d.demand(), c.account); err != nil {
		return err
	}
	if needs := d.demand().needs; !c.caller.Allows(needs) {
		return Invalidf("This connection may not read that: it lacks the scope %s. The person has to allow it when connecting this server in the client.", c.caller.Scopes.Missing(needs))
	}
	return nil
}
