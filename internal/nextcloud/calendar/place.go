package calendar

import (
	"context"
	"errors"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Where the object of a UID is has to be asked for with a calendar-query, for
// which Nextcloud reads the whole calendar. So it is remembered, one entry of
// the bounded cache for each UID. An entry needs no revalidation of its own:
// the object that is then read holds its UID, and a wrong one is looked for
// anew.

// maxPlaceUID is the longest UID, in bytes, whose place is remembered.
const maxPlaceUID = 512

func placeKey(cal *Calendar, uid string) string { return "calendar/place " + cal.path + " " + uid }

// place is where the object of that UID was last seen.
func (c *Client) place(ctx context.Context, cal *Calendar, uid string) (string, bool) {
	v, ok := c.nc.Cached(ctx, placeKey(cal, uid))
	path, isPath := v.(string)
	return path, ok && isPath
}

// remember keeps where an object is.
func (c *Client) remember(ctx context.Context, cal *Calendar, uid, path string) {
	if uid == "" || len(uid) > maxPlaceUID {
		return
	}
	key := placeKey(cal, uid)
	c.nc.Store(ctx, key, path, 64+len(key)+len(path))
}

// forgetPlace drops what remember kept.
func (c *Client) forgetPlace(ctx context.Context, cal *Calendar, uid string) {
	c.nc.Forget(ctx, placeKey(cal, uid))
}

// known reads the object of that UID where it was last seen; nil when it is
// not known, or is something else by now.
func (c *Client) known(ctx context.Context, op string, cal *Calendar, kind, uid string) (*object, error) {
	path, ok := c.place(ctx, cal, uid)
	if !ok {
		return nil, nil //nolint:nilnil // not known is an answer here
	}
	o, err := c.fetch(ctx, op, cal, kind, path)
	switch {
	case err == nil && o.First().Text("UID") == uid:
		return o, nil
	case err == nil, errors.Is(err, nextcloud.ErrNotFound), errors.Is(err, nextcloud.ErrBadAnswer):
		c.forgetPlace(ctx, cal, uid)
		return nil, nil //nolint:nilnil // as above
	}
	return nil, err
}

// fetch reads one object by its path.
func (c *Client) fetch(ctx context.Context, op string, cal *Calendar, kind, path string) (*object, error) {
	raw, err := c.dav.Get(ctx, dav.Query{Op: op, Path: path, Header: webcal(true)}, "text/calendar")
	if err != nil {
		return nil, err
	}
	o, err := readObject(cal, path, raw.ETag, raw.Data, kind)
	if err != nil {
		return nil, unreadable(op, err)
	}
	return o, nil
}
