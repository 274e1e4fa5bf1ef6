// Package choice is what a person decides about one connection: which of the
// offered scopes, which limits, for how long. It is apart from the pages that
// ask, because the question at the sign-in and the later narrowing on the
// account page must mean the same.
package choice

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// Choice is a filled-in form.
type Choice struct {
	Ticked   scope.Set
	ReadOnly bool
	NoDelete bool
	Folders  []string // clean
	Lifetime string   // one of Lifetimes

	FoldersText string // as typed
	FoldersBad  string // what is wrong with it: "", "path", "many"
	NothingLeft bool   // nothing is ticked
}

// Good reports whether the form can be acted on.
func (c *Choice) Good() bool { return c.FoldersBad == "" && !c.NothingLeft }

// Offered are the scopes that a person can switch when asked are asked for, by
// area, and within an area read, write, send. Who asks to write asks to read.
// Scopes that unlock no area are no question.
func Offered(asked scope.Set) []scope.Scope {
	var out []scope.Scope
	for _, s := range asked.Scopes() {
		if s.Identity() || right(s) == "" {
			continue
		}
		out = append(out, s)
		if right(s) == "write" {
			out = append(out, scope.Scope(s.Area()+".read"))
		}
	}
	slices.SortFunc(out, func(a, b scope.Scope) int {
		if c := strings.Compare(a.Area(), b.Area()); c != 0 {
			return c
		}
		return rank(a) - rank(b)
	})
	return slices.Compact(out)
}

// right is the part of a scope after its area.
func right(s scope.Scope) string {
	_, right, _ := strings.Cut(string(s), ".")
	return right
}

func rank(s scope.Scope) int { return slices.Index([]string{"read", "write", "send"}, right(s)) }

// AsksFolders reports whether folders mean something to these scopes.
func AsksFolders(asked scope.Set) bool {
	return slices.ContainsFunc(asked.Scopes(), func(s scope.Scope) bool {
		return s.Area() == scope.FilesRead.Area() || s.Area() == scope.SharingRead.Area()
	})
}

// First is the form as a client's question first shows it: what it asks for is
// ticked, and the limits are those of the connection that it has already, nil
// for none.
func First(asked scope.Set, known *store.Grant, now time.Time) *Choice {
	c := &Choice{Ticked: asked, Lifetime: Unlimited}
	if known != nil {
		c.limit(known, now)
	}
	return c
}

// Of is the form for a connection as it is.
func Of(g *store.Grant, now time.Time) *Choice {
	c := &Choice{Ticked: g.Scopes}
	c.limit(g, now)
	return c
}

func (c *Choice) limit(g *store.Grant, now time.Time) {
	c.ReadOnly, c.NoDelete, c.Folders = g.Policy.ReadOnly, g.Policy.NoDelete, g.Policy.Folders
	c.FoldersText, c.Lifetime = strings.Join(g.Policy.Folders, "\n"), LifetimeOf(g.ExpiresAt, now)
}

// ErrForged says that a form holds what the page did not offer.
var ErrForged = errors.New("the form holds what was not offered")

// Parse reads the form that offered the given scopes. Beside ErrForged, what is
// wrong stands in the Choice, for the person to mend.
func Parse(form url.Values, offered []scope.Scope) (*Choice, error) {
	c := &Choice{
		ReadOnly: form.Get("read_only") != "", NoDelete: form.Get("no_delete") != "",
		Lifetime: form.Get("lifetime"), FoldersText: form.Get("folders"),
	}
	var ticked []scope.Scope
	for _, value := range form["scope"] {
		if !slices.Contains(offered, scope.Scope(value)) {
			return nil, ErrForged
		}
		ticked = append(ticked, scope.Scope(value))
	}
	c.Ticked = scope.NewSet(ticked...)
	c.NothingLeft = len(ticked) == 0 && len(offered) > 0
	if c.Lifetime == "" {
		c.Lifetime = Unlimited
	}
	if !slices.Contains(Lifetimes(), c.Lifetime) {
		return nil, ErrForged
	}
	var err error
	c.Folders, err = policy.ParseFolders(c.FoldersText)
	switch {
	case errors.Is(err, policy.ErrTooManyFolders):
		c.FoldersBad = "many"
	case err != nil:
		c.FoldersBad = "path"
	}
	return c, nil
}

// Areas are the switches for the offered scopes, as they stand.
func (c *Choice) Areas(offered []scope.Scope) []pages.ConsentArea {
	var out []pages.ConsentArea
	for _, s := range offered {
		if len(out) == 0 || out[len(out)-1].Area != s.Area() {
			out = append(out, pages.ConsentArea{Area: s.Area()})
		}
		area := &out[len(out)-1]
		area.Switches = append(area.Switches, pages.Switch{Scope: string(s), Right: right(s), On: c.Ticked.Has(s)})
	}
	return out
}

// Decision is what a choice means.
type Decision struct {
	// Granted is what the client gets of what it asked for.
	Granted scope.Set
	// Scopes are all that the connection may do from now on.
	Scopes scope.Set
	Policy policy.Policy
}

// Decide is what the choice means for a client that asks for asked and has the
// connection known, nil for none. What is not asked now stays as it is, granted
// or refused.
func (c *Choice) Decide(asked scope.Set, known *store.Grant) Decision {
	granted := c.Ticked.Scopes()
	for _, s := range asked.Scopes() {
		if s.Identity() || c.Ticked.Has(s) {
			granted = append(granted, s)
		}
	}
	d := Decision{Granted: scope.NewSet(granted...)}
	d.Scopes = d.Granted
	d.Policy = policy.Policy{ReadOnly: c.ReadOnly, NoDelete: c.NoDelete, Folders: c.Folders}
	offered := Offered(asked)
	open := func(s scope.Scope) bool { return slices.Contains(offered, s) }
	refused := slices.DeleteFunc(Offered(asked), d.Granted.Has)
	if known != nil {
		d.Scopes = d.Scopes.Union(scope.NewSet(slices.DeleteFunc(known.Scopes.Scopes(), open)...))
		for _, s := range known.Policy.RefusedScopes().Scopes() {
			if !open(s) && !d.Scopes.Has(s) {
				refused = append(refused, s)
			}
		}
		if !AsksFolders(asked) {
			d.Policy.Folders = known.Policy.Folders // the page did not ask
		}
	}
	d.Policy.Refused = scope.NewSet(refused...).Strings()
	return d
}
