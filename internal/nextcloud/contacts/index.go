package contacts

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Summary is a contact in a list.
type Summary struct {
	UID          string `json:"uid"`
	Name         string `json:"name"`
	Email        string `json:"email,omitempty"`
	Phone        string `json:"phone,omitempty"`
	Organization string `json:"organization,omitempty"`
	Kind         string `json:"kind,omitempty"` // "group" for a card that lists others
	Addressbook  string `json:"addressbook,omitempty"`
	ETag         string `json:"etag,omitempty"`

	path      string
	key       string // what it is sorted by
	nicknames string
	text      string // of the structured name and, in a search, of the note
	emails    []string
	phones    []string
	groups    []string
}

// Skipped is what could not be read, and why.
type Skipped struct {
	Name   string `json:"name"` // of the file, or of the address book
	Reason string `json:"reason"`
}

// index is all contacts of an address book in short.
type index struct {
	token     string // of the state that it describes; empty when there is none
	summaries map[string]Summary
	skipped   map[string]Skipped
}

func indexKey(b *Book) string { return "contacts/index/" + b.path }

// summaryProps are the properties that a Summary needs.
var summaryProps = []string{"UID", "FN", "N", "NICKNAME", "EMAIL", "TEL", "ORG", "CATEGORIES", "KIND", "X-ADDRESSBOOKSERVER-KIND"}

// load is the index of an address book: from memory when the server says that
// nothing has changed since, else with the changes, else read anew.
func (c *Client) load(ctx context.Context, op string, book *Book) (*index, error) {
	if v, ok := c.nc.Cached(ctx, indexKey(book)); ok {
		if known, ok := v.(*index); ok {
			if fresh, err := c.refresh(ctx, op, book, known); fresh != nil || err != nil {
				return fresh, err
			}
		}
	}
	// The token is asked for first: a change between the two requests is then
	// seen again by the next refresh.
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: op, Path: book.path}, propType, propSyncToken)
	if err != nil {
		return nil, err
	}
	if len(ms.Responses) == 0 || !ms.Responses[0].Prop(propType).Has(typeBook) {
		return nil, notFoundf(op, "%.80q is no address book", book.Name)
	}
	token := ms.Responses[0].Prop(propSyncToken).String()
	ix, err := c.query(ctx, op, book, summaryProps, 0)
	if err != nil {
		return nil, err
	}
	ix.token = token
	c.keep(ctx, book, ix)
	return ix, nil
}

func (c *Client) keep(ctx context.Context, book *Book, ix *index) {
	if ix.token == "" {
		return
	}
	size := 256
	for path, s := range ix.summaries {
		size += 256 + 2*len(path) + len(s.UID) + len(s.Name) + len(s.key) + 64*(len(s.emails)+len(s.phones)+len(s.groups))
	}
	c.nc.Store(ctx, indexKey(book), ix, size)
}

// maxChanges is how many changes a refresh takes; after more, reading anew
// costs less.
const maxChanges = 200

// refresh brings an index up to date with one sync-collection (RFC 6578), or
// answers nil when that cannot be done.
func (c *Client) refresh(ctx context.Context, op string, book *Book, known *index) (*index, error) {
	report := dav.El(dav.Name(dav.NSDAV, "sync-collection"),
		dav.Text(propSyncToken, known.token),
		dav.Text(dav.Name(dav.NSDAV, "sync-level"), "1"),
		dav.El(dav.Name(dav.NSDAV, "limit"), dav.Text(dav.Name(dav.NSDAV, "nresults"), "200")),
		dav.Props(propETag, propData))
	ms, err := c.dav.Report(ctx, dav.Query{Op: op, Path: book.path, Depth: dav.Children}, report)
	switch {
	case err == nil:
	case errors.Is(err, nextcloud.ErrNotFound), errors.Is(err, nextcloud.ErrUnauthenticated), errors.Is(err, nextcloud.ErrRateLimited), errors.Is(err, nextcloud.ErrUnavailable):
		return nil, err
	default:
		return nil, nil // the token is too old, or the changes are too many or too large
	}
	if ms.SyncToken == "" || len(ms.Responses) >= maxChanges {
		return nil, nil
	}
	if len(ms.Responses) == 0 && ms.SyncToken == known.token {
		return known, nil
	}
	ix := &index{token: ms.SyncToken, summaries: maps.Clone(known.summaries), skipped: maps.Clone(known.skipped)}
	for i := range ms.Responses {
		r := &ms.Responses[i]
		path, err := c.dav.Local(r.Href)
		if err != nil || r.Status == http.StatusInsufficientStorage {
			return nil, nil //nolint:nilerr // read anew
		}
		delete(ix.summaries, path)
		delete(ix.skipped, path)
		if r.Status != http.StatusNotFound {
			ix.add(book, path, r)
		}
	}
	c.keep(ctx, book, ix)
	return ix, nil
}

// query runs an addressbook-query (RFC 6352, 8.6) for some properties of what
// passes any of the filters; without filters it is everything. A limit of 0 is
// none.
func (c *Client) query(ctx context.Context, op string, book *Book, props []string, limit int, filters ...dav.Element) (*index, error) {
	data := dav.El(propData)
	for _, p := range props {
		data.Children = append(data.Children, dav.El(dav.Name(dav.NSCardDAV, "prop")).With("name", p))
	}
	report := dav.El(dav.Name(dav.NSCardDAV, "addressbook-query"),
		dav.El(dav.Name(dav.NSDAV, "prop"), dav.El(propETag), data),
		dav.El(dav.Name(dav.NSCardDAV, "filter"), filters...).With("test", "anyof"))
	if limit > 0 {
		report.Children = append(report.Children, dav.El(dav.Name(dav.NSCardDAV, "limit"), dav.Text(dav.Name(dav.NSCardDAV, "nresults"), itoa(limit))))
	}
	ms, err := c.dav.Report(ctx, dav.Query{Op: op, Path: book.path, Depth: dav.Children, MaxBody: maxListing}, report)
	if unreadable(err) {
		// Sabre: a card that it cannot parse fails the whole report.
		return c.everything(ctx, op, book)
	}
	if err != nil {
		return nil, err
	}
	return c.collect(book, ms), nil
}

// unreadable reports whether the server stumbled over what it holds.
func unreadable(err error) bool {
	var e *nextcloud.Error
	return errors.As(err, &e) && e.Status == http.StatusInternalServerError
}

// everything reads an address book as properties, which the server does not
// look into. Filters do not apply: callers look again.
func (c *Client) everything(ctx context.Context, op string, book *Book) (*index, error) {
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: op, Path: book.path, Depth: dav.Children, MaxBody: maxListing}, propETag, propData)
	if err != nil {
		return nil, err
	}
	return c.collect(book, ms), nil
}

func (c *Client) collect(book *Book, ms *dav.Multistatus) *index {
	ix := &index{summaries: make(map[string]Summary, len(ms.Responses)), skipped: map[string]Skipped{}}
	for i := range ms.Responses {
		if path, err := c.dav.Local(ms.Responses[i].Href); err == nil {
			ix.add(book, path, &ms.Responses[i])
		}
	}
	return ix
}

// add reads one card of a listing. What cannot be read is named, and fails
// nothing.
func (ix *index) add(book *Book, path string, r *dav.Response) {
	data := r.Prop(propData)
	if data == nil {
		if r.Prop(propETag) != nil { // a card, and not the address book itself
			ix.skipped[path] = Skipped{dav.Base(path), "Nextcloud gave no data"}
		}
		return
	}
	card, err := vcard.Parse([]byte(data.Text))
	if err != nil {
		ix.skipped[path] = Skipped{dav.Base(path), err.Error()}
		return
	}
	s := summarize(card)
	s.path, s.ETag = path, nextcloud.UnquoteETag(r.Prop(propETag).String())
	s.Addressbook = book.Name
	ix.summaries[path] = s
}

// summarize is a card in short.
func summarize(card *vcard.Card) Summary {
	s := Summary{UID: card.UID(), Name: displayName(card), Organization: card.Prop("ORG").Part(0)}
	if card.IsGroup() {
		s.Kind = "group"
	}
	for _, l := range card.PropAll("EMAIL") {
		if v := strings.TrimSpace(l.Text()); v != "" {
			if s.emails = append(s.emails, v); s.Email == "" || l.Preferred() {
				s.Email = v
			}
		}
	}
	for _, l := range card.PropAll("TEL") {
		if v := phone(l); v != "" {
			if s.phones = append(s.phones, v); s.Phone == "" || l.Preferred() {
				s.Phone = v
			}
		}
	}
	s.nicknames = strings.Join(card.Prop("NICKNAME").Texts(), " ")
	s.groups = categories(card)
	s.text = strings.Join(append(card.Prop("N").Parts(), card.Text("NOTE")), " ")
	s.key = strings.ToLower(s.Name)
	return s
}

// displayName is what a contact is called, even when FN is missing.
func displayName(card *vcard.Card) string {
	if fn := card.Text("FN"); fn != "" {
		return fn
	}
	if n := compose(nameParts(card)); n != "" {
		return n
	}
	for _, name := range []string{"ORG", "NICKNAME", "EMAIL", "TEL"} {
		if v := strings.Trim(card.Text(name), "; "); v != "" {
			return v
		}
	}
	return ""
}

// phone is the number of a line; a tel: address is one, too.
func phone(l *vcard.Line) string {
	v := strings.TrimSpace(l.Text())
	if len(v) > 4 && strings.EqualFold(v[:4], "tel:") {
		v, _, _ = strings.Cut(v[4:], ";")
	}
	return v
}

// categories are the groups of a contact.
func categories(card *vcard.Card) []string {
	var out []string
	for _, l := range card.PropAll("CATEGORIES") {
		for _, g := range l.Texts() {
			if !slices.Contains(out, g) {
				out = append(out, g)
			}
		}
	}
	return out
}
