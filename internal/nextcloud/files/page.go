package files

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Order is how a listing is sorted.
type Order string

// The orders. ByName puts folders first.
const (
	ByName     Order = "name"
	ByModified Order = "modified" // newest first
	BySize     Order = "size"     // largest first
)

func (o Order) compare(a, b *Entry) int {
	var first int
	switch o {
	case ByModified:
		first = b.Modified.Compare(a.Modified)
	case BySize:
		first = cmp.Compare(b.Size, a.Size)
	default:
		switch {
		case a.Folder && !b.Folder:
			first = -1
		case b.Folder && !a.Folder:
			first = 1
		default:
			first = cmp.Compare(strings.ToLower(base(a.Path)), strings.ToLower(base(b.Path)))
		}
	}
	return cmp.Or(first, cmp.Compare(a.Path, b.Path))
}

// MaxLimit is the most entries of one page.
const MaxLimit = 500

const defaultLimit = 100

func pageLimit(limit int) int {
	if limit <= 0 {
		return defaultLimit
	}
	return min(limit, MaxLimit)
}

// place is where a page ended: as much of an Entry as its order needs.
type place struct {
	Order    Order  `json:"o"`
	Path     string `json:"p"`
	Folder   bool   `json:"d,omitempty"`
	Size     int64  `json:"s,omitempty"`
	Modified int64  `json:"m,omitempty"`
}

func (o Order) cursor(e *Entry) string {
	b, err := json.Marshal(place{o, e.Path, e.Folder, e.Size, e.Modified.Unix()})
	if err != nil {
		panic(err) // strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// after is the last entry of the page before; nil for the first page.
func (o Order) after(op, cursor string) (*Entry, error) {
	if cursor == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	var p place
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || p.Path == "" {
		return nil, invalidf(op, "the cursor is not one that this tool gave; leave it out to start again")
	}
	if p.Order != o {
		return nil, invalidf(op, "the cursor belongs to the order %q; keep the order or leave the cursor out", p.Order)
	}
	return &Entry{Path: p.Path, Folder: p.Folder, Size: p.Size, Modified: time.Unix(p.Modified, 0).UTC()}, nil
}

// collector keeps the first entries of an order, in memory for two pages
// however many there are.
type collector struct {
	order Order
	after *Entry
	limit int
	kept  []Entry
}

func (c *collector) add(e *Entry) {
	if c.after != nil && c.order.compare(e, c.after) <= 0 {
		return
	}
	c.kept = append(c.kept, *e)
	if len(c.kept) > 2*c.limit+64 {
		c.settle()
	}
}

func (c *collector) settle() {
	slices.SortFunc(c.kept, func(a, b Entry) int { return c.order.compare(&a, &b) })
	if len(c.kept) > c.limit+1 {
		c.kept = c.kept[:c.limit+1]
	}
}

// page is what was collected, and where to go on.
func (c *collector) page() (entries []Entry, next string) {
	c.settle()
	if len(c.kept) > c.limit {
		c.kept = c.kept[:c.limit]
		next = c.order.cursor(&c.kept[c.limit-1])
	}
	return c.kept, next
}
