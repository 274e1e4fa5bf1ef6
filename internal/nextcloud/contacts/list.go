package contacts

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// MaxLimit is the most contacts of one page.
const MaxLimit = 500

const defaultLimit = 50

func itoa(n int) string { return strconv.Itoa(n) }

// Query says which contacts to list.
type Query struct {
	Addressbook string // name or display name; for a search empty means all
	Group       string // only contacts of this group
	Text        string // of a search
	Limit       int    // default 50, at most MaxLimit
	Cursor      string
}

// Page is a part of a listing, by name.
type Page struct {
	Items   []Summary
	Total   int // in all pages
	Next    string
	Skipped []Skipped
	Note    string
}

// List lists an address book by name.
func (c *Client) List(ctx context.Context, q Query) (*Page, error) {
	const op = "list contacts"
	return in(ctx, c, op, q.Addressbook, func(b *Book) (*Page, error) {
		ix, err := c.load(ctx, op, b)
		if err != nil {
			return nil, err
		}
		p := &Page{Skipped: ix.failures()}
		return p, p.cut(op, ix.filtered(q.Group), q)
	})
}

// failures are what could not be read, by name and bounded.
func (ix *index) failures() []Skipped {
	var out []Skipped
	for _, s := range ix.skipped {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Skipped) int { return strings.Compare(a.Name, b.Name) })
	const most = 20
	if n := len(out); n > most {
		out = append(out[:most:most], Skipped{"and " + itoa(n-most) + " more", "unreadable"})
	}
	return out
}

// filtered are the contacts of a group; all of them without one. What a page
// leaves out of each is cleared: which address book it is, the caller knows.
func (ix *index) filtered(group string) []Summary {
	out := make([]Summary, 0, len(ix.summaries))
	for _, s := range ix.summaries {
		if group != "" && !slices.ContainsFunc(s.groups, func(g string) bool { return strings.EqualFold(g, group) }) {
			continue
		}
		s.Addressbook = ""
		out = append(out, s)
	}
	return out
}

// order sorts by name; the path makes it the same each time.
func order(a, b Summary) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.path, b.path)) }

// cut fills the page with the part of found that the query asks for.
func (p *Page) cut(op string, found []Summary, q Query) error {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, MaxLimit)
	p.Total = len(found)
	slices.SortFunc(found, order)
	if q.Cursor != "" {
		last, err := readCursor(op, q.Cursor)
		if err != nil {
			return err
		}
		i, there := slices.BinarySearchFunc(found, last, order)
		if there {
			i++
		}
		found = found[i:]
	}
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		p.Next = base64.RawURLEncoding.EncodeToString([]byte(last.path + " " + last.key))
	}
	p.Items = append([]Summary{}, found...)
	return nil
}

// readCursor is the last contact of the page before.
func readCursor(op, s string) (Summary, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	path, key, ok := strings.Cut(string(b), " ")
	if err != nil || !ok || !strings.HasPrefix(path, dav.Root) {
		return Summary{}, invalidf(op, "the cursor is not one that this tool gave; leave it out to start again")
	}
	return Summary{path: path, key: key}, nil
}

// The bounds of one search.
const (
	maxMatches = 1000 // asked of one address book
	atOnce     = 4    // requests at the same time
)

const searchOp = "search contacts"

// Search finds contacts by words of name, nickname, mail address, organization
// or note, or by a phone number, in one address book or in all. The server
// looks for the longest word, and the others are looked for in what it found.
func (c *Client) Search(ctx context.Context, q Query) (*Page, error) {
	words := strings.Fields(strings.ToLower(q.Text))
	if len(words) == 0 {
		return nil, invalidf(searchOp, "the query is empty; use the list of contacts to see all of them")
	}
	if strings.TrimSpace(q.Addressbook) != "" {
		return in(ctx, c, searchOp, q.Addressbook, func(b *Book) (*Page, error) {
			p := &Page{}
			found, err := c.searchBook(ctx, b, words, p)
			if err != nil {
				return nil, err
			}
			for i := range found {
				found[i].Addressbook = ""
			}
			return p, p.cut(searchOp, found, q)
		})
	}
	h := c.known(ctx)
	if h == nil {
		var err error
		if h, err = c.readHome(ctx); err != nil {
			return nil, err
		}
	}
	pages := make([]Page, len(h.books))
	founds := make([][]Summary, len(h.books))
	failures := make([]error, len(h.books))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range h.books {
		group.Go(func() error {
			founds[i], failures[i] = c.searchBook(ctx, &h.books[i], words, &pages[i])
			return nil
		})
	}
	_ = group.Wait() // the functions report through the slices
	p := &Page{}
	read := 0
	for i, err := range failures {
		switch {
		case err == nil:
			read++
			p.Skipped = append(p.Skipped, pages[i].Skipped...)
			p.Note = cmp.Or(p.Note, pages[i].Note)
		case errors.Is(err, nextcloud.ErrUnauthenticated):
			return nil, err
		default:
			p.Skipped = append(p.Skipped, Skipped{h.books[i].Name, reason(err)})
		}
	}
	if first := cmp.Or(failures...); read == 0 && first != nil {
		return nil, first
	}
	return p, p.cut(searchOp, slices.Concat(founds...), q)
}

// searchBook asks one address book.
func (c *Client) searchBook(ctx context.Context, b *Book, words []string, p *Page) ([]Summary, error) {
	number := digits(strings.Join(words, ""))
	var filters []dav.Element
	longest := slices.MaxFunc(words, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	if looksLikeNumber(words) {
		// The server compares letters; people write numbers in many ways, so
		// that all that have one are asked for and looked at here.
		filters = append(filters, defined("TEL"))
	} else {
		for _, prop := range []string{"FN", "N", "NICKNAME", "EMAIL", "ORG", "NOTE", "CATEGORIES"} {
			filters = append(filters, match(prop, longest, "i;unicode-casemap", "contains"))
		}
	}
	limit := maxMatches
	if looksLikeNumber(words) {
		limit = 0
	}
	ix, err := c.query(ctx, searchOp, b, append([]string{"NOTE"}, summaryProps...), limit, filters...)
	if err != nil {
		return nil, err
	}
	p.Skipped = ix.failures()
	if limit > 0 && len(ix.summaries) >= limit {
		p.Note = "There are more matches than the " + itoa(limit) + " that were looked at in one address book; use a longer word."
	}
	var found []Summary
	for _, s := range ix.summaries {
		if looksLikeNumber(words) {
			if !slices.ContainsFunc(s.phones, func(v string) bool { return sameNumber(v, number) }) {
				continue
			}
		} else if !s.holds(words) {
			continue
		}
		found = append(found, s)
	}
	return found, nil
}

// holds reports whether every word occurs in what is known of the contact.
func (s *Summary) holds(words []string) bool {
	text := strings.ToLower(strings.Join(slices.Concat(
		[]string{s.Name, s.Organization, s.nicknames, s.text}, s.emails, s.groups), "\n"))
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// digits are the digits of a phone number.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// looksLikeNumber reports whether a search is for a phone number.
func looksLikeNumber(words []string) bool {
	text := strings.Join(words, "")
	return len(digits(text)) >= 4 && strings.Trim(text, "0123456789+-()/.") == ""
}

// sameNumber reports whether a number holds the digits looked for. The zero or
// the country code in front depends on who writes it.
func sameNumber(number, wanted string) bool {
	d := digits(number)
	return strings.Contains(d, wanted) || (len(strings.TrimLeft(wanted, "0")) >= 4 && strings.Contains(d, strings.TrimLeft(wanted, "0")))
}
