package contacts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Book is one address book.
type Book struct {
	Name        string `json:"name"` // the last segment of its address; what tools take
	DisplayName string `json:"display_name"`
	Description string `json:"description,omitempty"`
	ReadOnly    bool   `json:"read_only,omitempty"`
	System      bool   `json:"system,omitempty"` // made by the server: its accounts, or people lately contacted
	Shared      bool   `json:"shared,omitempty"` // belongs to somebody else
	Owner       string `json:"owner,omitempty"`  // user id, when shared
	SharedWith  int    `json:"shared_with,omitempty"`

	path string // below the host's base, ends in a slash
}

// home is what one listing of a person's address books gave.
type home struct {
	books []Book
	read  time.Time
}

const (
	homeKey = "contacts/home"
	homeAge = time.Minute
)

// madeByServer reports whether an address book of that name is one that nobody
// made. Nextcloud reserves these names.
func madeByServer(name string) bool {
	return strings.HasPrefix(name, "z-server-generated") || strings.HasPrefix(name, "z-app-generated")
}

// The properties of address books and cards (RFC 6352, 6.2 and 10.4;
// CalendarServer; ownCloud).
var (
	propDisplayName = dav.Name(dav.NSDAV, "displayname")
	propType        = dav.Name(dav.NSDAV, "resourcetype")
	propOwner       = dav.Name(dav.NSDAV, "owner")
	propPrivileges  = dav.Name(dav.NSDAV, "current-user-privilege-set")
	propETag        = dav.Name(dav.NSDAV, "getetag")
	propHref        = dav.Name(dav.NSDAV, "href")
	propSyncToken   = dav.Name(dav.NSDAV, "sync-token")
	propDescription = dav.Name(dav.NSCardDAV, "addressbook-description")
	propData        = dav.Name(dav.NSCardDAV, "address-data")
	propReadOnly    = dav.Name(dav.NSOwnCloud, "read-only")
	propInvite      = dav.Name(dav.NSOwnCloud, "invite")
	typeBook        = dav.Name(dav.NSCardDAV, "addressbook")
)

// Books are the person's address books, read anew: own ones, those that others
// share, and the server's.
func (c *Client) Books(ctx context.Context) ([]Book, error) {
	h, err := c.readHome(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(h.books), nil
}

// root is where the person's address books are.
func (c *Client) root(ctx context.Context) (root, user string, err error) {
	id, err := c.nc.UserID(ctx)
	if err != nil {
		return "", "", err
	}
	root, err = nextcloud.Path(dav.Root+"/addressbooks/users", string(id))
	return root + "/", string(id), err
}

func (c *Client) readHome(ctx context.Context) (*home, error) {
	root, user, err := c.root(ctx)
	if err != nil {
		return nil, err
	}
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: "list address books", Path: root, Depth: dav.Children},
		propDisplayName, propType, propOwner, propPrivileges, propDescription, propReadOnly, propInvite)
	if err != nil {
		return nil, err
	}
	h := &home{read: c.now(), books: []Book{}}
	size := 256
	for i := range ms.Responses {
		if b, ok := c.book(&ms.Responses[i], user); ok {
			h.books = append(h.books, b)
			size += 256 + len(b.Description)
		}
	}
	c.nc.Store(ctx, homeKey, h, size)
	return h, nil
}

// book reads one response of a listing.
func (c *Client) book(r *dav.Response, user string) (Book, bool) {
	path, err := c.dav.Local(r.Href)
	name := dav.Base(path)
	if err != nil || name == "" || !r.Prop(propType).Has(typeBook) {
		return Book{}, false
	}
	b := Book{
		Name: name, DisplayName: r.Prop(propDisplayName).String(), Description: r.Prop(propDescription).String(),
		path: strings.TrimSuffix(path, "/") + "/",
	}
	if b.DisplayName == "" {
		b.DisplayName = name
	}
	owner := dav.Base(r.Prop(propOwner).Child(propHref).String())
	b.System = madeByServer(name)
	if b.Shared = !b.System && owner != "" && owner != user; b.Shared {
		b.Owner = owner
	}
	b.ReadOnly = b.System || !writable(r)
	if invite := r.Prop(propInvite); invite != nil && !b.Shared {
		b.SharedWith = len(invite.Children)
	}
	return b, true
}

// writable: Nextcloud says read-only, and leaves out the privilege.
func writable(r *dav.Response) bool {
	if v := r.Prop(propReadOnly).String(); v == "1" || v == "true" {
		return false
	}
	set := r.Prop(propPrivileges)
	if set == nil {
		return true // not said: the server refuses what is not allowed
	}
	for _, p := range set.Children {
		for _, name := range []string{"write", "write-content", "bind", "all"} {
			if p.Has(dav.Name(dav.NSDAV, name)) {
				return true
			}
		}
	}
	return false
}

// known is the last listing, when it is not older than a minute.
func (c *Client) known(ctx context.Context) *home {
	if v, ok := c.nc.Cached(ctx, homeKey); ok {
		if h, ok := v.(*home); ok && c.now().Sub(h.read) < homeAge {
			return h
		}
	}
	return nil
}

// mayWrite refuses what the server would refuse.
func mayWrite(op string, b *Book) error {
	if b.ReadOnly {
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: fmt.Sprintf("the address book %s can only be read by this person", b.Name)}
	}
	return nil
}

// in does something in the address book of that name, or of that display name
// when only one has it. What looks like a name is tried at once; the address
// books are listed only when the server does not know it.
func in[T any](ctx context.Context, c *Client, op, name string, do func(*Book) (T, error)) (T, error) {
	var none T
	name = strings.TrimSpace(strings.Trim(strings.TrimSpace(name), "/"))
	if h := c.known(ctx); h != nil {
		if b, err := pick(op, h.books, name); err == nil {
			out, err := do(b)
			if errors.Is(err, nextcloud.ErrNotFound) {
				c.nc.Forget(ctx, homeKey)
			}
			return out, err
		}
	} else if name != "" {
		root, _, err := c.root(ctx)
		if err != nil {
			return none, err
		}
		path, err := nextcloud.Path(root, name)
		if err == nil {
			out, err := do(&Book{Name: name, DisplayName: name, path: path + "/"})
			if !errors.Is(err, nextcloud.ErrNotFound) {
				return out, err
			}
			h, herr := c.readHome(ctx)
			if herr != nil {
				return none, herr
			}
			b, perr := pick(op, h.books, name)
			switch {
			case perr != nil:
				return none, perr
			case b.path == path+"/" && !b.ReadOnly:
				return none, err
			}
			return do(b)
		}
	}
	b, err := c.Resolve(ctx, op, name)
	if err != nil {
		return none, err
	}
	return do(b)
}

// Resolve is the address book of that name, or of that display name when only
// one has it, from a listing read anew.
func (c *Client) Resolve(ctx context.Context, op, name string) (*Book, error) {
	h, err := c.readHome(ctx)
	if err != nil {
		return nil, err
	}
	return pick(op, h.books, strings.TrimSpace(strings.Trim(strings.TrimSpace(name), "/")))
}

func pick(op string, list []Book, name string) (*Book, error) {
	if name == "" {
		return nil, invalidf(op, "addressbook is missing. Address books: %s", candidates(list))
	}
	for i := range list {
		if list[i].Name == name {
			return &list[i], nil
		}
	}
	var hits []*Book
	for i := range list {
		if strings.EqualFold(list[i].DisplayName, name) {
			hits = append(hits, &list[i])
		}
	}
	switch len(hits) {
	case 1:
		return hits[0], nil
	case 0:
		return nil, notFoundf(op, "there is no address book %.80q. Address books: %s", name, candidates(list))
	}
	names := make([]string, len(hits))
	for i, h := range hits {
		names[i] = h.Name
	}
	return nil, invalidf(op, "several address books are called %.80q; use one of their names: %s", name, strings.Join(names, ", "))
}

// candidates names the address books that a caller may mean.
func candidates(list []Book) string {
	if len(list) == 0 {
		return "none"
	}
	names := make([]string, 0, len(list))
	for _, b := range list[:min(len(list), 40)] {
		n := b.Name
		if b.DisplayName != b.Name {
			n += fmt.Sprintf(" (%.60s)", b.DisplayName)
		}
		names = append(names, n)
	}
	return strings.Join(names, ", ")
}

// CreateBook makes an address book (RFC 5689, RFC 6352 section 6.3.1).
func (c *Client) CreateBook(ctx context.Context, name, title, description string) (*Book, error) {
	const op = "create address book"
	root, _, err := c.root(ctx)
	if err != nil {
		return nil, err
	}
	name, title = strings.TrimSpace(name), strings.TrimSpace(title)
	if name == "" {
		return nil, invalidf(op, "the name is missing")
	}
	if madeByServer(name) {
		return nil, invalidf(op, "names such as this one belong to the server")
	}
	path, err := nextcloud.Path(root, name)
	if err != nil {
		return nil, err
	}
	if title == "" {
		title = name
	}
	props := []dav.Element{
		dav.El(propType, dav.El(dav.Name(dav.NSDAV, "collection")), dav.El(typeBook)),
		dav.Text(propDisplayName, title),
	}
	if description != "" {
		props = append(props, dav.Text(propDescription, description))
	}
	if err := c.dav.Mkcol(ctx, dav.Query{Op: op, Path: path + "/"}, props...); err != nil {
		return nil, explain(err)
	}
	c.nc.Forget(ctx, homeKey)
	return &Book{Name: name, DisplayName: title, Description: description, path: path + "/"}, nil
}

// UpdateBook changes the display name or the description; nil leaves as it is.
func (c *Client) UpdateBook(ctx context.Context, name string, title, description *string) (*Book, error) {
	const op = "change address book"
	var set []dav.Element
	if title != nil {
		if strings.TrimSpace(*title) == "" {
			return nil, invalidf(op, "the display name cannot be empty")
		}
		set = append(set, dav.Text(propDisplayName, strings.TrimSpace(*title)))
	}
	if description != nil {
		set = append(set, dav.Text(propDescription, *description))
	}
	if len(set) == 0 {
		return nil, invalidf(op, "give a new display_name or description")
	}
	b, err := c.Resolve(ctx, op, name)
	if err != nil {
		return nil, err
	}
	if err := c.dav.Proppatch(ctx, dav.Query{Op: op, Path: b.path}, set); err != nil {
		return nil, explain(err)
	}
	c.nc.Forget(ctx, homeKey)
	if title != nil {
		b.DisplayName = strings.TrimSpace(*title)
	}
	if description != nil {
		b.Description = *description
	}
	return b, nil
}

// DeletedBook is an address book that was deleted or given up.
type DeletedBook struct {
	Book
	Contacts int // that went with it
}

// DeleteBook deletes an address book with all its contacts, for good; one that
// somebody else shares is only given up. Without force, one that holds
// contacts is refused, since Nextcloud has no trash for them.
func (c *Client) DeleteBook(ctx context.Context, name string, force bool) (*DeletedBook, error) {
	const op = "delete address book"
	b, err := c.Resolve(ctx, op, name)
	if err != nil {
		return nil, err
	}
	if b.System {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: "this address book belongs to the server"}
	}
	out := &DeletedBook{Book: *b}
	if !b.Shared {
		ms, err := c.dav.Propfind(ctx, dav.Query{Op: op, Path: b.path, Depth: dav.Children, MaxBody: maxListing}, propETag)
		if err != nil {
			return nil, err
		}
		for i := range ms.Responses {
			if ms.Responses[i].Prop(propETag) != nil {
				out.Contacts++
			}
		}
		if out.Contacts > 0 && !force {
			return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrConflict, Message: fmt.Sprintf(
				"it holds %d contacts, which cannot be restored; ask the person, export them first, then set delete_contacts", out.Contacts)}
		}
	}
	if err := c.dav.Delete(ctx, dav.Query{Op: op, Path: b.path}, dav.Condition{}); err != nil {
		return nil, explain(err)
	}
	c.nc.Forget(ctx, homeKey)
	c.nc.Forget(ctx, indexKey(b))
	return out, nil
}
