package files

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// TrashItem is something in the trash.
type TrashItem struct {
	Item    string // its name in the trash, such as "plan.md.d1795404354"
	Path    string // where it was
	Folder  bool
	FileID  int64
	Size    int64 // in bytes; negative when not known
	Type    string
	Deleted time.Time
	By      string // who deleted it, a user id; may be empty
}

var (
	trashTime  = dav.Name(dav.NSNextcloudFiles, "trashbin-deletion-time")
	trashBy    = dav.Name(dav.NSNextcloudFiles, "trashbin-deleted-by-id")
	trashProps = []xml.Name{trashLocation, trashFilename, trashTime, trashBy, davKind, davLength, davType, ocSize, ocFileID}
)

// TrashQuery says what of the trash to list.
type TrashQuery struct {
	Limit  int // default 100, at most MaxLimit
	Cursor string
	Keep   func(*TrashItem) bool // nil means all
}

// TrashPage is a part of the trash, with sums over all of it that may be seen.
type TrashPage struct {
	Items  []TrashItem // what was deleted last comes first
	Total  int
	Size   int64 // in bytes
	Hidden int   // how many may not be seen
	Next   string
}

// trash is a path below the person's trash, encoded; without an item it is the
// trash itself.
func (c *Client) trash(ctx context.Context, segments ...string) (string, error) {
	user, err := c.nc.UserID(ctx)
	if err != nil {
		return "", err
	}
	return nextcloud.Path(dav.Root+"/trashbin", append([]string{string(user)}, segments...)...)
}

// Trash lists the trash, in memory for a page of it.
func (c *Client) Trash(ctx context.Context, q TrashQuery) (*TrashPage, error) {
	const op = "list the trash"
	path, err := c.trash(ctx, "trash")
	if err != nil {
		return nil, err
	}
	after, err := trashCursor(op, q.Cursor)
	if err != nil {
		return nil, err
	}
	out, limit := &TrashPage{}, pageLimit(q.Limit)
	settle := func() {
		slices.SortFunc(out.Items, func(a, b TrashItem) int { return a.compare(&b) })
		out.Items = out.Items[:min(len(out.Items), limit+1)]
	}
	for r, err := range c.dav.PropfindEach(ctx, dav.Query{Op: op, Path: path, Depth: dav.Children}, trashProps...) {
		if err != nil {
			return nil, untrashed(err)
		}
		i, ok := trashItem(r)
		switch {
		case !ok:
			continue
		case q.Keep != nil && !q.Keep(&i):
			out.Hidden++
			continue
		}
		out.Total++
		out.Size += max(i.Size, 0)
		if after == nil || i.compare(after) > 0 {
			out.Items = append(out.Items, i)
		}
		if len(out.Items) > 2*limit+64 {
			settle()
		}
	}
	settle()
	if len(out.Items) > limit {
		out.Items = out.Items[:limit]
		last := &out.Items[limit-1]
		out.Next = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", last.Deleted.Unix(), last.Item))
	}
	return out, nil
}

// compare is the order of the trash: newest first.
func (i *TrashItem) compare(o *TrashItem) int {
	return cmp.Or(o.Deleted.Compare(i.Deleted), cmp.Compare(i.Item, o.Item))
}

func trashCursor(op, cursor string) (*TrashItem, error) {
	if cursor == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	at, item, ok := strings.Cut(string(b), " ")
	seconds, numErr := strconv.ParseInt(at, 10, 64)
	if err != nil || numErr != nil || !ok {
		return nil, invalidf(op, "the cursor is not one that this tool gave; leave it out to start again")
	}
	return &TrashItem{Item: item, Deleted: time.Unix(seconds, 0).UTC()}, nil
}

// untrashed says that there is no trash where there is none.
func untrashed(err error) error {
	return with(err, nextcloud.ErrNotFound, "it is not in the trash, or the trash is switched off in this Nextcloud")
}

// trashItem is what a response says; false when it is about the trash itself.
func trashItem(r *dav.Response) (TrashItem, bool) {
	location := r.Prop(trashLocation).String()
	if location == "" {
		return TrashItem{}, false
	}
	i := TrashItem{
		Item: dav.Base(r.Href), Path: "/" + strings.Trim(location, "/"), Folder: r.Prop(davKind).Has(davFolder),
		FileID: number(r.Prop(ocFileID).String(), 0), Deleted: moment(r.Prop(trashTime)), By: r.Prop(trashBy).String(),
		Size: number(r.Prop(ocSize).String(), number(r.Prop(davLength).String(), -1)),
	}
	if !i.Folder {
		i.Type = r.Prop(davType).String()
	}
	return i, i.Item != ""
}

// TrashItem is one item of the trash.
func (c *Client) TrashItem(ctx context.Context, item string) (*TrashItem, error) {
	op := named("find in the trash", item)
	path, err := c.trashPath(ctx, op, item)
	if err != nil {
		return nil, err
	}
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: op, Path: path}, trashProps...)
	if err != nil {
		return nil, untrashed(err)
	}
	for n := range ms.Responses {
		if i, ok := trashItem(&ms.Responses[n]); ok {
			return &i, nil
		}
	}
	return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Status: http.StatusNotFound}
}

func (c *Client) trashPath(ctx context.Context, op, item string) (string, error) {
	if item == "" {
		return "", invalidf(op, "the item's name in the trash is needed, as the list of the trash gives it")
	}
	path, err := c.trash(ctx, "trash", item)
	if errors.Is(err, nextcloud.ErrInvalid) {
		return "", invalidf(op, "%s", Reason(err))
	}
	return path, err
}

// Restore puts an item back to where it was, and answers where it is now:
// Nextcloud takes the root when the folder is gone, and adds to the name when
// it is taken. The path is empty when it was not found again.
func (c *Client) Restore(ctx context.Context, i *TrashItem) (string, error) {
	op := named("restore", i.Item)
	path, err := c.trashPath(ctx, op, i.Item)
	if err != nil {
		return "", err
	}
	to, err := c.trash(ctx, "restore", i.Item)
	if err != nil {
		return "", err
	}
	if err := c.dav.Move(ctx, dav.Query{Op: op, Path: path}, to, dav.Unsaid); err != nil {
		return "", untrashed(err)
	}
	e, err := c.byID(ctx, i.FileID)
	if err != nil {
		return "", nil //nolint:nilerr // it is restored whether or not it is found
	}
	return e.Path, nil
}

// Purge deletes an item of the trash for good.
func (c *Client) Purge(ctx context.Context, item string) error {
	op := named("delete for good", item)
	path, err := c.trashPath(ctx, op, item)
	if err != nil {
		return err
	}
	return untrashed(c.dav.Delete(ctx, dav.Query{Op: op, Path: path}, dav.Condition{}))
}

// EmptyTrash deletes everything in the trash for good.
func (c *Client) EmptyTrash(ctx context.Context) error {
	path, err := c.trash(ctx, "trash")
	if err != nil {
		return err
	}
	return untrashed(c.dav.Delete(ctx, dav.Query{Op: "empty the trash", Path: path}, dav.Condition{}))
}

// byID finds a file or folder by its id.
func (c *Client) byID(ctx context.Context, id int64) (*Entry, error) {
	const op = "find a file by its id"
	home, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	user, err := c.nc.UserID(ctx)
	if err != nil {
		return nil, err
	}
	name := func(local string) xml.Name { return dav.Name(dav.NSDAV, local) }
	search := dav.El(name("searchrequest"), dav.El(name("basicsearch"),
		dav.El(name("select"), dav.Props(entryProps...)),
		dav.El(name("from"), dav.El(name("scope"), dav.Text(name("href"), "/files/"+string(user)), dav.Text(name("depth"), "infinity"))),
		dav.El(name("where"), dav.El(name("eq"), dav.Props(ocFileID), dav.Text(name("literal"), strconv.FormatInt(id, 10)))),
		dav.El(name("orderby")),
	))
	for r, err := range c.dav.SearchEach(ctx, dav.Query{Op: op, Path: dav.Root + "/"}, search) {
		if err != nil {
			return nil, err
		}
		if e, ok := c.entry(home, r); ok && e.FileID == id {
			return &e, nil
		}
	}
	return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Status: http.StatusNotFound}
}
