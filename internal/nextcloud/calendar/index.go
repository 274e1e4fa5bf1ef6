package calendar

import (
	"context"
	"errors"
	"maps"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// index is which UIDs a calendar holds, and where. What needs all of them,
// such as an import, reads the calendar once; later it only asks what changed
// since (RFC 6578).
type index struct {
	token string
	paths map[string]string // UID -> path
	uids  map[string]string // path -> UID
}

// maxIndexed is the most objects whose index is kept.
const maxIndexed = 20_000

var propSyncToken = dav.Name(dav.NSDAV, "sync-token")

func indexKey(cal *Calendar) string { return "calendar/index " + cal.path }

// index answers from memory what did not change.
func (c *Client) index(ctx context.Context, op string, cal *Calendar) (*index, error) {
	if v, ok := c.nc.Cached(ctx, indexKey(cal)); ok {
		if old, ok := v.(*index); ok {
			now, err := c.refresh(ctx, op, cal, old)
			if err == nil {
				return now, nil
			}
			// Nextcloud forgets old changes, and refuses their tokens.
			if !errors.Is(err, nextcloud.ErrForbidden) && !errors.Is(err, nextcloud.ErrInvalid) && !errors.Is(err, nextcloud.ErrConflict) {
				return nil, err
			}
		}
	}
	x := &index{paths: map[string]string{}, uids: map[string]string{}}
	// The token comes first: what changes while the objects are read is then
	// asked for again.
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: op, Path: cal.path}, propSyncToken)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if len(ms.Responses) > 0 {
		x.token = ms.Responses[0].Prop(propSyncToken).String()
	}
	objects, _, err := c.report(ctx, op, cal, "VEVENT")
	if err != nil {
		return nil, err
	}
	for i := range objects {
		x.add(objects[i].First().Text("UID"), objects[i].path)
	}
	c.keepIndex(ctx, cal, x)
	return x, nil
}

func (x *index) add(uid, path string) {
	x.drop(path)
	x.paths[uid], x.uids[path] = path, uid
}

func (x *index) drop(path string) {
	if uid, ok := x.uids[path]; ok {
		delete(x.uids, path)
		delete(x.paths, uid)
	}
}

func (c *Client) keepIndex(ctx context.Context, cal *Calendar, x *index) {
	if x.token == "" || len(x.paths) > maxIndexed {
		c.nc.Forget(ctx, indexKey(cal))
		return
	}
	size := 256
	for uid, path := range x.paths {
		size += 128 + 2*(len(uid)+len(path))
	}
	c.nc.Store(ctx, indexKey(cal), x, size)
}

// refresh asks what changed since the index was made.
func (c *Client) refresh(ctx context.Context, op string, cal *Calendar, old *index) (*index, error) {
	ms, err := c.dav.Report(ctx, dav.Query{Op: op, Path: cal.path, Depth: dav.Self, MaxBody: 64 << 20},
		dav.El(dav.Name(dav.NSDAV, "sync-collection"), dav.Text(propSyncToken, old.token),
			dav.Text(dav.Name(dav.NSDAV, "sync-level"), "1"), dav.Props(propETag, propData)))
	if err != nil {
		return nil, err
	}
	if len(ms.Responses) == 0 && ms.SyncToken == old.token {
		return old, nil
	}
	x := &index{token: ms.SyncToken, paths: maps.Clone(old.paths), uids: maps.Clone(old.uids)}
	for i := range ms.Responses {
		r := &ms.Responses[i]
		path, err := c.dav.Local(r.Href)
		if err != nil {
			continue
		}
		x.drop(path)
		data := r.Prop(propData)
		if data == nil {
			continue
		}
		if o, err := readObject(cal, path, "", []byte(data.Text), "VEVENT"); err == nil {
			x.add(o.First().Text("UID"), path)
		}
	}
	c.keepIndex(ctx, cal, x)
	return x, nil
}
