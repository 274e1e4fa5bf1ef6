package files

import (
	"context"

	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// SetFavorite makes a file or folder one of the person's favourites, or no
// longer.
func (c *Client) SetFavorite(ctx context.Context, name string, favorite bool) error {
	op := named("mark as a favorite", name)
	if !favorite {
		op = named("unmark as a favorite", name)
	}
	q, clean, err := c.query(ctx, op, name)
	if err != nil {
		return err
	}
	if clean == "/" {
		return invalidf(op, "the root itself cannot be one")
	}
	value := "0"
	if favorite {
		value = "1"
	}
	if err := c.dav.Proppatch(ctx, q, []dav.Element{dav.Text(ocFavorite, value)}); err != nil {
		return c.explain(ctx, clean, err)
	}
	return nil
}
