package contacts

import (
	"context"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
)

// Photo is the picture of a contact.
type Photo struct {
	Name string
	ETag string
	*vcard.Photo
}

// Photo is the picture of a contact; a Photo with only a URI is kept somewhere
// else.
func (c *Client) Photo(ctx context.Context, addressbook, uid string) (*Photo, error) {
	const op = "get photo of contact"
	return in(ctx, c, op, addressbook, func(b *Book) (*Photo, error) {
		o, err := c.find(ctx, op, b, uid)
		if err != nil {
			return nil, err
		}
		p := o.card.Photo()
		switch {
		case p == nil && o.card.Prop("PHOTO") == nil:
			return nil, notFoundf(op, "%.80q has no photo", displayName(o.card))
		case p == nil:
			return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "the photo of this contact cannot be read"}
		}
		return &Photo{Name: displayName(o.card), ETag: o.etag, Photo: p}, nil
	})
}

// SetPhoto replaces the picture of a contact; an empty one removes it.
func (c *Client) SetPhoto(ctx context.Context, t Target, coded string) (*Written, error) {
	const op = "set photo of contact"
	f := Fields{Photo: &coded}
	return c.edit(ctx, op, t, func(card *vcard.Card) (string, error) { return f.apply(op, card) })
}
