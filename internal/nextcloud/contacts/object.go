package contacts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

const (
	cardType = "text/vcard; charset=utf-8"
	// maxListing bounds an answer about a whole address book, in bytes.
	maxListing = 64 << 20
)

// object is one contact as the server holds it.
type object struct {
	book *Book
	path string // below the host's base, encoded
	etag string
	data []byte
	card *vcard.Card
}

// read is the card at a path as it is stored.
func (c *Client) read(ctx context.Context, op string, book *Book, path string) (*object, error) {
	// Sabre: GET and reports convert the version, which loses what the other
	// one cannot say; as a property the data is what was stored.
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: op, Path: path}, propETag, propData)
	if err != nil {
		return nil, err
	}
	if len(ms.Responses) == 0 || ms.Responses[0].Prop(propData) == nil {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Status: http.StatusNotFound, Message: "there is no contact at this place"}
	}
	r := &ms.Responses[0]
	o := &object{book: book, path: path, etag: nextcloud.UnquoteETag(r.Prop(propETag).String()), data: []byte(r.Prop(propData).Text)}
	if o.card, err = vcard.Parse(o.data); err != nil {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "the contact cannot be read: " + err.Error(), Err: err}
	}
	return o, nil
}

// hrefKey is where the path of a contact is remembered.
func hrefKey(book *Book, uid string) string { return "contacts/href/" + book.path + " " + uid }

func (c *Client) remember(ctx context.Context, book *Book, uid, path string) {
	if uid != "" && len(uid) <= 512 {
		c.nc.Store(ctx, hrefKey(book, uid), path, 256+len(uid)+2*len(path))
	}
}

func (c *Client) forget(ctx context.Context, book *Book, uid string) {
	c.nc.Forget(ctx, hrefKey(book, uid))
}

// find is the contact with that UID, or with that full name when only one has
// it. Most programs name the file of a contact by its UID, so that the place
// is known or guessed first; the server is asked for the property only when
// that fails.
func (c *Client) find(ctx context.Context, op string, book *Book, uid string) (*object, error) {
	uid = strings.TrimSpace(uid)
	if uid == "" {
		return nil, invalidf(op, "the uid is missing")
	}
	var tried string
	if v, ok := c.nc.Cached(ctx, hrefKey(book, uid)); ok {
		tried, _ = v.(string)
		if o, err := c.at(ctx, op, book, tried, uid); o != nil || err != nil {
			return o, err
		}
		c.forget(ctx, book, uid)
	}
	if guess, err := nextcloud.Path(book.path, uid+".vcf"); err == nil && guess != tried {
		if o, err := c.at(ctx, op, book, guess, uid); o != nil || err != nil {
			return o, err
		}
	}
	path, err := c.locate(ctx, op, book, uid)
	if err != nil {
		return nil, err
	}
	o, err := c.read(ctx, op, book, path)
	if err != nil {
		return nil, err
	}
	c.remember(ctx, book, o.card.UID(), path)
	return o, nil
}

// at is the contact at a path when it has that UID; nil when it has not.
func (c *Client) at(ctx context.Context, op string, book *Book, path, uid string) (*object, error) {
	o, err := c.read(ctx, op, book, path)
	switch {
	case errors.Is(err, nextcloud.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case o.card.UID() != uid:
		return nil, nil
	}
	c.remember(ctx, book, uid, path)
	return o, nil
}

// locate asks the server where the contact of a UID or full name is.
func (c *Client) locate(ctx context.Context, op string, book *Book, uid string) (string, error) {
	found, err := c.query(ctx, op, book, []string{"UID", "FN", "EMAIL"}, 0,
		match("UID", uid, "i;octet", "equals"), match("FN", uid, "i;unicode-casemap", "equals"))
	if err != nil {
		return "", err
	}
	var named []Summary
	for _, s := range found.summaries {
		if s.UID == uid {
			return s.path, nil
		}
		if strings.EqualFold(s.Name, uid) {
			named = append(named, s)
		}
	}
	switch len(named) {
	case 0:
		return "", notFoundf(op, "there is no contact with the uid or name %.80q in the address book %s", uid, book.Name)
	case 1:
		return named[0].path, nil
	}
	var list []string
	for _, s := range named[:min(len(named), 10)] {
		list = append(list, fmt.Sprintf("%.80s (%.80s)", s.UID, s.Email))
	}
	return "", invalidf(op, "several contacts are called %.80q; use one of their uids: %s", uid, strings.Join(list, ", "))
}

// absent refuses when the address book has a contact of that UID already.
func (c *Client) absent(ctx context.Context, op string, book *Book, uid string) error {
	found, err := c.query(ctx, op, book, []string{"UID"}, 0, match("UID", uid, "i;octet", "equals"))
	if err != nil {
		return err
	}
	for _, s := range found.summaries {
		if s.UID == uid {
			return &nextcloud.Error{Op: op, Kind: nextcloud.ErrConflict, Message: fmt.Sprintf("the address book %s has a contact with this uid already", book.Name)}
		}
	}
	return nil
}

// match is a prop-filter of a text (RFC 6352, 10.5.1).
func match(prop, text, collation, how string) dav.Element {
	return dav.El(dav.Name(dav.NSCardDAV, "prop-filter"),
		dav.Text(dav.Name(dav.NSCardDAV, "text-match"), text).With("collation", collation).With("match-type", how)).With("name", prop)
}

// defined is a prop-filter of what has a property.
func defined(prop string) dav.Element {
	return dav.El(dav.Name(dav.NSCardDAV, "prop-filter")).With("name", prop)
}

// put writes a card and answers its new entity tag, empty when the server did
// not say it.
func (c *Client) put(ctx context.Context, op, path string, card *vcard.Card, when dav.Condition) (string, error) {
	etag, err := c.dav.Put(ctx, dav.Query{Op: op, Path: path}, cardType, card.Encode(), when)
	if err != nil {
		return "", explain(err)
	}
	if etag != "" {
		return etag, nil
	}
	// Nextcloud: no ETag when it stored something else than it was sent, as it
	// does when it repairs a card.
	etag, err = c.dav.ETag(ctx, dav.Query{Op: op, Path: path})
	if err != nil {
		return "", nil //nolint:nilerr // it is written; only the tag is missing
	}
	return etag, nil
}

// unchanged refuses when the caller knows another state of the contact.
func (o *object) unchanged(op, etag string) error {
	if etag != "" && nextcloud.UnquoteETag(etag) != o.etag {
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrPrecondition, Status: http.StatusPreconditionFailed}
	}
	return nil
}
