package mail

import (
	"context"
	"net/http"

	"nextcloud-mcp-server/internal/nextcloud"
)

// change sends one change to the app's own API.
func (c *Client) change(ctx context.Context, op, method, target string, body, out any) error {
	r := nextcloud.Request{Op: op, Method: method, Path: target}
	if body != nil {
		r.Body, r.Type = nextcloud.JSONBody(body), "application/json"
	}
	if out != nil {
		return c.own(ctx, r, out)
	}
	_, err := c.nc.Do(ctx, r)
	return explain(err)
}

// SetFlags sets and clears marks by their names on the mail server: seen,
// flagged, answered, $junk, $notjunk.
func (c *Client) SetFlags(ctx context.Context, id int64, flags map[string]bool) error {
	return c.change(ctx, "mark message "+number(id), http.MethodPut, path(ownBase+"/messages", number(id), "flags"), map[string]any{"flags": flags}, nil)
}

// Move moves a message to another mailbox, where it gets a new id.
func (c *Client) Move(ctx context.Context, id, mailboxID int64) error {
	return c.change(ctx, "move message "+number(id), http.MethodPost, path(ownBase+"/messages", number(id), "move"), map[string]any{"destFolderId": mailboxID}, nil)
}

// Delete moves a message to the trash of its account. In the trash it deletes
// for good.
func (c *Client) Delete(ctx context.Context, id int64) error {
	return c.change(ctx, "delete message "+number(id), http.MethodDelete, path(ownBase+"/messages", number(id)), nil, nil)
}

// CreateTag makes a tag. One of the same name is answered as it is.
func (c *Client) CreateTag(ctx context.Context, name, color string) (*Tag, error) {
	const op = "create a tag"
	var w wireTag
	if err := c.change(ctx, op, http.MethodPost, ownBase+"/tags", map[string]any{"displayName": name, "color": color}, &w); err != nil {
		return nil, err
	}
	if w.Label == "" {
		return nil, badAnswer(op, "the tag has no label")
	}
	t := w.tag()
	return &t, nil
}

// SetTag puts a tag on a message.
func (c *Client) SetTag(ctx context.Context, id int64, label string) error {
	return c.tag(ctx, http.MethodPut, id, label)
}

// RemoveTag takes a tag off a message.
func (c *Client) RemoveTag(ctx context.Context, id int64, label string) error {
	return c.tag(ctx, http.MethodDelete, id, label)
}

func (c *Client) tag(ctx context.Context, method string, id int64, label string) error {
	target, err := nextcloud.Path(path(ownBase+"/messages", number(id), "tags"), label)
	if err != nil {
		return err
	}
	return c.change(ctx, "tag message "+number(id), method, target, nil, nil)
}
