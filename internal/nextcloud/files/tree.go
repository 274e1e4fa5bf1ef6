package files

import (
	"context"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Tree is a folder with the folders below it.
type Tree struct {
	Root    Entry
	Folders []Entry // below it, by path
	Deeper  bool    // there are folders below those that are shown
	More    bool    // some folders are left out: there are too many
}

// MaxTree is the most folders of a tree.
const MaxTree = 1000

// Tree lists the folders below a folder down to a depth, with the size of all
// that is in each.
func (c *Client) Tree(ctx context.Context, name string, depth, most int, keep Filter) (*Tree, error) {
	op := named("show the folders of", name)
	root, err := c.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	if !root.Folder {
		return nil, invalidf(op, "it is a file, not a folder")
	}
	scope, err := c.searchScope(ctx, op, name)
	if err != nil {
		return nil, err
	}
	clean := root.Path
	home, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	if most <= 0 {
		most = 200
	}
	most = min(most, MaxTree)
	t := &Tree{Root: *root}
	q := Query{Kind: Folders, Order: ByName}
	above := strings.Count(strings.Trim(clean, "/"), "/") + 1
	if clean == "/" {
		above = 0
	}
	const ask = 5000
	came := 0
	for r, err := range c.dav.SearchEach(ctx, dav.Query{Op: op, Path: dav.Root + "/"}, q.request(scope, glob{}, 0, ask)) {
		if err != nil {
			return nil, c.unsearched(ctx, op, name, err)
		}
		came++
		e, ok := c.entry(home, r)
		if !ok || !e.Folder || e.Path == clean || !keep.keeps(&e) {
			continue
		}
		if strings.Count(e.Path, "/")-above > depth {
			t.Deeper = true
			continue
		}
		t.Folders = append(t.Folders, e)
	}
	t.More = came >= ask
	slices.SortFunc(t.Folders, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	if len(t.Folders) > most {
		t.Folders, t.More = t.Folders[:most], true
	}
	return t, nil
}
