package contacts

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Written is a contact after it was written.
type Written struct {
	Contact *Contact
	Note    string // what the person may want to know
	Same    bool   // nothing had to be changed, and nothing was written
}

const producer = "-//nextcloud-mcp-server//EN"

// Create makes a contact. Without a uid it gets a new one.
func (c *Client) Create(ctx context.Context, addressbook, uid string, f Fields) (*Written, error) {
	const op = "create contact"
	card := vcard.New("3.0") // what GET gives every client without converting
	card.Add(vcard.NewLine("PRODID", producer))
	if uid = strings.TrimSpace(uid); uid == "" {
		uid = uuid.NewString()
	}
	card.Add(vcard.NewText("UID", uid))
	if f.Name == nil && f.FamilyName == nil && f.GivenName == nil {
		// A company, or somebody of whom only an address is known.
		f.Name = fallback(&f)
	}
	card.Add(vcard.NewText("FN", ""))
	card.Add(vcard.NewLine("N", ";;;;"))
	note, err := f.apply(op, card)
	if err != nil {
		return nil, err
	}
	if card.Text("FN") == "" {
		return nil, invalidf(op, "the contact needs a name: fn, given_name, family_name or org")
	}
	c.stamp(card, true)
	return in(ctx, c, op, addressbook, func(b *Book) (*Written, error) {
		if err := mayWrite(op, b); err != nil {
			return nil, err
		}
		path, err := nextcloud.Path(b.path, uid+".vcf")
		if err != nil {
			return nil, err
		}
		etag, err := c.put(ctx, op, path, card, dav.Condition{Absent: true})
		if errors.Is(err, nextcloud.ErrPrecondition) {
			err = taken(op)
		}
		if err != nil {
			return nil, err
		}
		c.remember(ctx, b, uid, path)
		out := describe(card)
		out.Addressbook, out.ETag = b.Name, etag
		return &Written{Contact: out, Note: note}, nil
	})
}

// taken says that a UID is in use.
func taken(op string) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrConflict, Message: "a contact with this uid exists in this address book"}
}

// fallback is a name for a contact that was given none.
func fallback(f *Fields) *string {
	switch {
	case f.Organization != nil && *f.Organization != "":
		return f.Organization
	case f.Nickname != nil && *f.Nickname != "":
		return f.Nickname
	case f.Emails != nil && len(*f.Emails) > 0:
		return &(*f.Emails)[0].Value
	case f.Phones != nil && len(*f.Phones) > 0:
		return &(*f.Phones)[0].Value
	}
	return nil
}

// stamp says when the card was last changed, where it says so at all.
func (c *Client) stamp(card *vcard.Card, always bool) {
	if l := card.Prop("REV"); l != nil || always {
		card.SetText("REV", c.now().UTC().Format("20060102T150405Z"))
	}
}

// Target says which contact is meant.
type Target struct {
	Addressbook string
	UID         string // or full name, when only one has it
	ETag        string // when given, nothing is done unless the contact is still this one
}

// Update changes fields and single values of a contact. Everything else of it
// stays as it is stored, byte for byte.
func (c *Client) Update(ctx context.Context, t Target, f Fields, changes Changes) (*Written, error) {
	const op = "update contact"
	return c.edit(ctx, op, t, func(card *vcard.Card) (string, error) {
		note, err := f.apply(op, card)
		if err != nil {
			return "", err
		}
		return note, changes.apply(op, card)
	})
}

// edit reads a contact, changes it and writes it back, unless somebody else
// changed it in between.
func (c *Client) edit(ctx context.Context, op string, t Target, change func(*vcard.Card) (note string, err error)) (*Written, error) {
	return in(ctx, c, op, t.Addressbook, func(b *Book) (*Written, error) {
		if err := mayWrite(op, b); err != nil {
			return nil, err
		}
		o, err := c.find(ctx, op, b, t.UID)
		if err != nil {
			return nil, err
		}
		if err := o.unchanged(op, t.ETag); err != nil {
			return nil, err
		}
		note, err := change(o.card)
		if err != nil {
			return nil, err
		}
		if displayName(o.card) == "" {
			return nil, invalidf(op, "a contact needs a name")
		}
		if string(o.card.Encode()) == string(o.data) {
			return &Written{Contact: o.contact(), Note: note, Same: true}, nil
		}
		c.stamp(o.card, false)
		etag, err := c.put(ctx, op, o.path, o.card, dav.Condition{ETag: o.etag})
		if err != nil {
			return nil, err
		}
		out := o.contact()
		out.ETag = etag
		return &Written{Contact: out, Note: note}, nil
	})
}

// Deleted is a contact that was deleted, as it was.
type Deleted struct {
	Contact *Contact
	VCard   string // as it was stored
}

// Delete deletes a contact for good: Nextcloud has no trash for contacts.
func (c *Client) Delete(ctx context.Context, t Target) (*Deleted, error) {
	const op = "delete contact"
	return in(ctx, c, op, t.Addressbook, func(b *Book) (*Deleted, error) {
		if err := mayWrite(op, b); err != nil {
			return nil, err
		}
		o, err := c.find(ctx, op, b, t.UID)
		if err != nil {
			return nil, err
		}
		if err := o.unchanged(op, t.ETag); err != nil {
			return nil, err
		}
		if err := c.dav.Delete(ctx, dav.Query{Op: op, Path: o.path}, dav.Condition{ETag: o.etag}); err != nil {
			return nil, explain(err)
		}
		c.forget(ctx, b, o.card.UID())
		return &Deleted{Contact: o.contact(), VCard: string(o.data)}, nil
	})
}
