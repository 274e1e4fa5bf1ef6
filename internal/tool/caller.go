package tool

import (
	"context"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/document"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/exclusion"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/safehttp"
)

type callKey struct{}

// callInfo is what a handler may know of its call.
type callInfo struct {
	caller    auth.Principal // without its token
	account   string
	registry  *Registry
	excluded  *exclusion.Rule
	nc        *nextcloud.Client // nil for a local tool
	sources   Sources
	documents *document.Extractor
}

// withCaller gives the handlers of one call its principal, without the token:
// handlers get a client of Nextcloud and never a credential.
func (b *Binding) withCaller(ctx context.Context, p *auth.Principal, nc *nextcloud.Client) context.Context {
	info := &callInfo{
		caller: *p, account: b.AccountURL, registry: b.registry, excluded: b.Excluded, nc: nc, sources: b.Sources, documents: b.Documents,
	}
	info.caller.Token = ""
	return context.WithValue(ctx, callKey{}, info)
}

// Caller is who the call acts for, without any credential; nil outside of a
// call.
func Caller(ctx context.Context) *auth.Principal {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	if !ok {
		return nil
	}
	return &info.caller
}

// AccountURL is where the caller sees and changes what this connection may do;
// empty where there is no such page.
func AccountURL(ctx context.Context) string {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	if !ok {
		return ""
	}
	return info.account
}

// Documents reads the text of files for the call; nil outside of a call.
func Documents(ctx context.Context) *document.Extractor {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	if !ok {
		return nil
	}
	return info.documents
}

// Policy is what the caller allows the connection beyond its scopes. Outside of
// a call it allows nothing.
func Policy(ctx context.Context) policy.Policy {
	if p := Caller(ctx); p != nil {
		return p.Policy
	}
	// No file has such a name, so no path is allowed.
	return policy.Policy{ReadOnly: true, NoDelete: true, Paused: true, Folders: []string{"/\x00"}}
}

// Sources are where files may come from that are not in Nextcloud. Its zero
// value has none.
type Sources struct {
	// Folder is the folder of this machine whose files may be read: only where
	// this machine is the caller's own.
	Folder string
	// Web fetches from the public internet.
	Web *safehttp.Client
}

// SourcesOf are the sources of a call; none outside of one.
func SourcesOf(ctx context.Context) Sources {
	info, ok := ctx.Value(callKey{}).(*callInfo)
	if !ok {
		return Sources{}
	}
	return info.sources
}
