package contacts

import (
	"context"
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Moved is a contact in its new address book.
type Moved struct {
	Contact *Contact
	From    string // name of the address book it was in
}

// Move moves a contact to another address book; copied leaves the original
// where it is. The server moves the bytes, so that nothing is lost.
func (c *Client) Move(ctx context.Context, t Target, to string, copied bool) (*Moved, error) {
	op := "move contact"
	if copied {
		op = "copy contact"
	}
	return in(ctx, c, op, to, func(target *Book) (*Moved, error) {
		if err := mayWrite(op, target); err != nil {
			return nil, err
		}
		return in(ctx, c, op, t.Addressbook, func(b *Book) (*Moved, error) {
			if !copied {
				if err := mayWrite(op, b); err != nil {
					return nil, err
				}
			}
			if b.path == target.path {
				return nil, invalidf(op, "the contact is in this address book already; an address book cannot hold a uid twice")
			}
			o, err := c.find(ctx, op, b, t.UID)
			if err != nil {
				return nil, err
			}
			if err := o.unchanged(op, t.ETag); err != nil {
				return nil, err
			}
			uid := o.card.UID()
			if !copied {
				// Nextcloud: a move does not look whether the UID is there.
				if err := c.absent(ctx, op, target, uid); err != nil {
					return nil, err
				}
			}
			path, err := nextcloud.Path(target.path, dav.Base(o.path))
			if err != nil {
				return nil, err
			}
			if err := c.transfer(ctx, op, o, path, copied); err != nil {
				return nil, err
			}
			if !copied {
				c.forget(ctx, b, uid)
			}
			c.remember(ctx, target, uid, path)
			out := o.contact()
			out.Addressbook = target.Name
			return &Moved{Contact: out, From: b.Name}, nil
		})
	})
}

// transfer sends MOVE or COPY (RFC 4918, 9.8 and 9.9), which replaces nothing.
func (c *Client) transfer(ctx context.Context, op string, o *object, to string, copied bool) error {
	method := "MOVE"
	if copied {
		method = "COPY"
	}
	h := http.Header{}
	h.Set("Destination", c.nc.Host().Base().String()+to)
	h.Set("Overwrite", "F")
	h.Set("If-Match", nextcloud.QuoteETag(o.etag))
	_, err := c.nc.Do(ctx, nextcloud.Request{Op: op, Method: method, Path: o.path, Header: h, Accept: "application/xml"})
	var e *nextcloud.Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusPreconditionFailed && e.Message != "" && !isStale(e):
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrConflict, Status: e.Status, Message: "the other address book has a contact with this file name already"}
	case errors.As(err, &e) && e.Status == http.StatusConflict:
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Status: e.Status, Message: "the other address book is not there"}
	}
	return explain(err)
}

// isStale tells a contact that was changed from a place that is taken.
func isStale(e *nextcloud.Error) bool {
	return e.Message == "An If-Match header was specified, but none of the specified ETags matched."
}
