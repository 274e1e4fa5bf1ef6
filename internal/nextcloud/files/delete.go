package files

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Deleted is what was deleted.
type Deleted struct {
	Path   string
	Folder bool
	Size   int64 // in bytes; negative when not known
	// Item is its name in the trash, such as "plan.md.d1795404354"; empty when
	// it is not found there: the trash is off, or this was a share that was left.
	Item string
}

// Delete deletes a file, or a folder with all that is in it, and finds it in
// the trash. With an etag, what changed since is kept.
func (c *Client) Delete(ctx context.Context, name, etag string) (*Deleted, error) {
	op := named("delete", name)
	q, clean, err := c.query(ctx, op, name)
	if err != nil {
		return nil, err
	}
	switch {
	case clean == "/":
		return nil, invalidf(op, "the root itself cannot be deleted")
	case etag != "" && !validETag(etag):
		return nil, invalidf(op, "the etag is not one that an earlier answer gave")
	}
	h := http.Header{}
	if etag != "" {
		h.Set("If-Match", nextcloud.QuoteETag(etag))
	}
	started := c.now()
	res, err := c.nc.Do(ctx, nextcloud.Request{Op: op, Method: http.MethodDelete, Path: q.Path, Header: h, Accept: "application/xml"})
	if err != nil {
		if e, ok := errors.AsType[*nextcloud.Error](err); ok && errors.Is(e, nextcloud.ErrPrecondition) {
			return nil, c.inTheWay(ctx, clean, Guard{ETag: etag}, e)
		}
		return nil, c.explain(ctx, clean, err)
	}
	out := &Deleted{Path: clean, Size: -1}
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		at = c.now()
	}
	if took := c.now().Sub(started); !c.findInTrash(ctx, out, at) {
		c.searchTrash(ctx, out, at.Add(-took-5*time.Second))
	}
	return out, nil
}

// trashLook is how many seconds before the answer an item is looked for: the
// server names it by the second in which it begins to move it.
const trashLook = 3

var (
	trashLocation = dav.Name(dav.NSNextcloudFiles, "trashbin-original-location")
	trashFilename = dav.Name(dav.NSNextcloudFiles, "trashbin-filename")
)

// findInTrash looks for what was just deleted, by the names that it can have
// there. It is deleted whether or not it is found, so errors are of no use; false
// says that it may be there under another name.
func (c *Client) findInTrash(ctx context.Context, d *Deleted, at time.Time) bool {
	user, err := c.nc.UserID(ctx)
	if err != nil {
		return true
	}
	for back := range int64(trashLook) {
		item := fmt.Sprintf("%s.d%d", base(d.Path), at.Unix()-back)
		path, err := nextcloud.Path(dav.Root+"/trashbin", string(user), "trash", item)
		if err != nil {
			return true
		}
		ms, err := c.dav.Propfind(ctx, dav.Query{Op: "find it in the trash", Path: path}, trashLocation, trashFilename, davKind, davLength, ocSize)
		if errors.Is(err, nextcloud.ErrNotFound) {
			continue
		}
		if err != nil || len(ms.Responses) == 0 {
			return true
		}
		r := &ms.Responses[0]
		if strings.Trim(r.Prop(trashLocation).String(), "/") != strings.Trim(d.Path, "/") {
			continue
		}
		d.Item, d.Folder = item, r.Prop(davKind).Has(davFolder)
		d.Size = number(r.Prop(ocSize).String(), number(r.Prop(davLength).String(), -1))
		return true
	}
	return false
}

// searchTrash looks through the trash for what a slow server deleted at some
// time since.
func (c *Client) searchTrash(ctx context.Context, d *Deleted, since time.Time) {
	page, err := c.Trash(ctx, TrashQuery{Limit: 1, Keep: func(i *TrashItem) bool {
		return i.Path == d.Path && !i.Deleted.Before(since)
	}})
	if err != nil || len(page.Items) == 0 {
		return
	}
	d.Item, d.Folder, d.Size = page.Items[0].Item, page.Items[0].Folder, page.Items[0].Size
}
