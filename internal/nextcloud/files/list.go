package files

import (
	"context"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Filter says which entries may be seen; nil means all.
type Filter func(*Entry) bool

func (f Filter) keeps(e *Entry) bool { return f == nil || f(e) }

// ListQuery says what of a folder to list.
type ListQuery struct {
	Order  Order // default ByName
	Limit  int   // default 100, at most MaxLimit
	Cursor string
	Keep   Filter
}

// Listing is a part of a folder, with sums over all of it that may be seen.
type Listing struct {
	Folder  Entry
	Entries []Entry
	Folders int
	Files   int
	Size    int64 // of the files directly in it, in bytes
	Next    string
}

// List lists a folder. It reads the answer as it comes, so a folder of any size
// costs the memory of a page.
func (c *Client) List(ctx context.Context, name string, q ListQuery) (*Listing, error) {
	op := named("list", name)
	if q.Order == "" {
		q.Order = ByName
	}
	after, err := q.Order.after(op, q.Cursor)
	if err != nil {
		return nil, err
	}
	dq, clean, err := c.query(ctx, op, name)
	if err != nil {
		return nil, err
	}
	home, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	dq.Depth = dav.Children
	out := &Listing{}
	found := &collector{order: q.Order, after: after, limit: pageLimit(q.Limit)}
	seen := false
	for r, err := range c.dav.PropfindEach(ctx, dq, listProps...) {
		if err != nil {
			return nil, c.explain(ctx, clean, err)
		}
		e, ok := c.entry(home, r)
		switch {
		case !ok:
			continue
		case !seen: // the folder itself comes first
			if out.Folder, seen = e, true; !e.Folder {
				return nil, invalidf(op, "it is a file, not a folder")
			}
			continue
		case !q.Keep.keeps(&e):
			continue
		case e.Folder:
			out.Folders++
		default:
			out.Files++
			out.Size += max(e.Size, 0)
		}
		found.add(&e)
	}
	if !seen {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud's answer is not about this folder"}
	}
	out.Entries, out.Next = found.page()
	return out, nil
}
