package tool

import (
	"fmt"
	"strings"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
)

// demand is what a tool or a resource asks of a connection's policy.
type demand struct {
	needs   scope.Set
	effect  Effect
	folders bool // it checks the folders itself
}

func (t *Tool) demand() demand { return demand{t.Needs(), t.Effect, t.Folders} }

func (r *Resource) demand() demand { return demand{scope.NewSet(r.Scope), Reads, r.Folders} }

// denial is why the policy of a connection denies something.
type denial int

const (
	allowed denial = iota
	paused
	refused   // the person did not grant a scope that was asked for
	readOnly  // it changes something
	noDelete  // it deletes something
	inFolders // it could reach files outside of the connection's folders
)

// denies says why the person whom p acts for denies d; allowed when they do
// not, which says nothing about scopes that were never asked for.
func denies(p *auth.Principal, d demand) denial {
	pol := p.Policy
	switch {
	case pol.Paused:
		return paused
	case !refusedOf(p, d.needs).Empty():
		return refused
	case pol.ReadOnly && d.effect != Reads:
		return readOnly
	case pol.NoDelete && d.effect == Deletes:
		return noDelete
	case len(pol.Folders) > 0 && !d.folders && reachesFiles(d.needs):
		return inFolders
	}
	return allowed
}

// refusedOf are those of the needed scopes that the person refused, be it that
// they refused to let the same data be read.
func refusedOf(p *auth.Principal, needs scope.Set) scope.Set {
	var out []scope.Scope
	for _, r := range p.Policy.RefusedScopes().Scopes() {
		if p.Scopes.Has(r) {
			continue // granted since
		}
		for _, n := range needs.Scopes() {
			if n.Implies(r) {
				out = append(out, n)
			}
		}
	}
	return scope.NewSet(out...)
}

// reachesFiles reports whether one of the scopes opens files.
func reachesFiles(needs scope.Set) bool {
	for _, s := range needs.Scopes() {
		if s.Area() == scope.FilesRead.Area() || s.Area() == scope.SharingRead.Area() {
			return true
		}
	}
	return false
}

// changing says where the person changes their mind; account may be empty.
func changing(account string) string {
	if account == "" {
		return "they can change that on this server's account page"
	}
	return "they can change that at " + account
}

// explainDenial is a denial as the model sees it; nil for allowed.
func explainDenial(p *auth.Principal, d demand, account string) error {
	var why string
	switch denies(p, d) {
	case allowed:
		return nil
	case paused:
		where := strings.TrimPrefix(changing(account), "they can change that ")
		return Invalidf("This connection is paused; the person can resume it %s.", where)
	case refused:
		why = fmt.Sprintf("The person did not allow this connection %s when connecting it", refusedOf(p, d.needs))
	case readOnly:
		why = "The person allows this connection only to read, and nothing was changed"
	case noDelete:
		why = "The person does not allow this connection to delete anything, and nothing was deleted"
	case inFolders:
		why = "The person limits this connection to some folders, which this tool cannot keep to"
	}
	return Invalidf("%s; %s. Do not try another way.", why, changing(account))
}

// DeniesTool reports whether the policy of p denies a call of the named tool,
// so that the call is answered with that and not with a request for scopes.
func (r *Registry) DeniesTool(p *auth.Principal, name string) bool {
	t, ok := r.byName[name]
	if !ok {
		return p.Policy.Paused
	}
	return denies(p, t.demand()) != allowed
}

// DeniesResource is DeniesTool for reading uri, or completing the template
// uri. Where several resources could be meant, the denial of one counts.
func (r *Registry) DeniesResource(p *auth.Principal, uri string) bool {
	if p.Policy.Paused {
		return true
	}
	for _, res := range r.resources {
		if (uri == res.URI || res.matches(uri)) && denies(p, res.demand()) != allowed {
			return true
		}
	}
	return false
}

// DeniesPrompt is DeniesTool for the named prompt.
func (r *Registry) DeniesPrompt(p *auth.Principal, name string) bool {
	prompt, ok := r.prompts[name]
	if !ok {
		return p.Policy.Paused
	}
	return denies(p, r.promptDemand(prompt)) != allowed
}
