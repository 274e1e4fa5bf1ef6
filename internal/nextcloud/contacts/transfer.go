package contacts

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// The bounds of one import and one export.
const (
	MaxImport      = 1 << 20 // bytes of text
	maxImported    = 200
	maxExportBytes = 256 << 10 // of text; what is beyond comes with the next page
)

// Imported is what became of a file of vCards.
type Imported struct {
	Created []Summary
	Skipped []Skipped
}

// Import makes contacts of a text with one or more vCards, each as it is
// written; only vCard 2.1, which Nextcloud refuses, is turned into 3.0. A
// contact whose UID is there already is skipped, unless fresh asks for new
// UIDs.
func (c *Client) Import(ctx context.Context, addressbook, text string, fresh bool) (*Imported, error) {
	const op = "import contacts"
	if len(text) > MaxImport {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrTooLarge, Message: "an import takes at most " + itoa(MaxImport) + " bytes"}
	}
	parts := vcard.ParseAll([]byte(text))
	switch {
	case len(parts) == 0:
		return nil, invalidf(op, "there is no vCard in the text")
	case len(parts) > maxImported:
		return nil, invalidf(op, "the text has more than %d vCards; import fewer at once", maxImported)
	}
	return in(ctx, c, op, addressbook, func(b *Book) (*Imported, error) {
		if err := mayWrite(op, b); err != nil {
			return nil, err
		}
		out := &Imported{Created: []Summary{}}
		for i, p := range parts {
			name := "vCard " + itoa(i+1)
			if p.Err != nil {
				out.Skipped = append(out.Skipped, Skipped{name, p.Err.Error()})
				continue
			}
			s, err := c.importOne(ctx, op, b, p.Card, fresh)
			switch {
			case err == nil:
				out.Created = append(out.Created, *s)
			case len(out.Created) == 0 && ends(err):
				return nil, err
			default:
				if n := displayName(p.Card); n != "" {
					name += " (" + n + ")"
				}
				out.Skipped = append(out.Skipped, Skipped{name, reason(err)})
				if ends(err) {
					for j := i + 1; j < len(parts); j++ {
						out.Skipped = append(out.Skipped, Skipped{"vCard " + itoa(j+1), "not tried after that"})
					}
					return out, nil
				}
			}
		}
		return out, nil
	})
}

// ends reports whether the cards that follow would fail in the same way.
func ends(err error) bool {
	return !errors.Is(err, nextcloud.ErrInvalid) && !errors.Is(err, nextcloud.ErrConflict) && !errors.Is(err, nextcloud.ErrTooLarge) && !errors.Is(err, nextcloud.ErrPrecondition)
}

func (c *Client) importOne(ctx context.Context, op string, b *Book, card *vcard.Card, fresh bool) (*Summary, error) {
	card.Upgrade()
	uid := card.UID()
	if uid == "" || fresh {
		uid = uuid.NewString()
		card.SetText("UID", uid)
	}
	path, err := nextcloud.Path(b.path, uid+".vcf")
	if err != nil || len(uid) > 200 {
		// The UID is no name for a file; any other will do.
		if path, err = nextcloud.Path(b.path, uuid.NewString()+".vcf"); err != nil {
			return nil, err
		}
	}
	etag, err := c.dav.Put(ctx, dav.Query{Op: op, Path: path}, cardType, card.Encode(), dav.Condition{Absent: true})
	if errors.Is(err, nextcloud.ErrPrecondition) {
		return nil, taken(op)
	}
	if err != nil {
		return nil, explain(err)
	}
	c.remember(ctx, b, uid, path)
	s := summarize(card)
	s.ETag = etag
	return &s, nil
}

// ExportQuery says which contacts to export.
type ExportQuery struct {
	Addressbook string
	UIDs        []string // these; else those of the group, or all
	Group       string
	Photos      bool // with pictures, which are most of the bytes
	Limit       int  // default 50, at most MaxLimit
	Cursor      string
}

// Export is a part of an address book as vCards.
type Export struct {
	VCards  string
	Count   int
	Total   int
	Next    string
	Skipped []Skipped
}

// Export gives contacts as vCards: a single one as it is stored, several as
// vCard 3.0, which every program reads.
func (c *Client) Export(ctx context.Context, q ExportQuery) (*Export, error) {
	const op = "export contacts"
	return in(ctx, c, op, q.Addressbook, func(b *Book) (*Export, error) {
		if len(q.UIDs) == 1 {
			o, err := c.find(ctx, op, b, q.UIDs[0])
			if err != nil {
				return nil, err
			}
			if !q.Photos {
				o.card.SetPhoto(nil, "")
			}
			return &Export{VCards: string(o.card.Encode()), Count: 1, Total: 1}, nil
		}
		ix, err := c.load(ctx, op, b)
		if err != nil {
			return nil, err
		}
		list, skipped := ix.chosen(q)
		slices.SortFunc(list, order)
		start, err := offset(op, q.Cursor, len(list))
		if err != nil {
			return nil, err
		}
		limit := q.Limit
		if limit <= 0 {
			limit = defaultLimit
		}
		out := &Export{Total: len(list), Skipped: append(skipped, ix.failures()...)}
		page := list[start:min(len(list), start+min(limit, MaxLimit))]
		return out, c.export(ctx, op, b, page, start, q.Photos, out)
	})
}

// chosen are the contacts to export.
func (ix *index) chosen(q ExportQuery) (list []Summary, skipped []Skipped) {
	if len(q.UIDs) == 0 {
		return ix.filtered(q.Group), nil
	}
	byUID := map[string]Summary{}
	for _, s := range ix.summaries {
		byUID[s.UID] = s
	}
	for _, uid := range q.UIDs {
		if s, ok := byUID[uid]; ok {
			list = append(list, s)
		} else {
			skipped = append(skipped, Skipped{uid, "there is no contact with this uid"})
		}
	}
	return list, skipped
}

// offset reads the cursor of an export.
func offset(op, cursor string, n int) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	i, aerr := strconv.Atoi(string(b))
	if err != nil || aerr != nil || i < 0 || i > n {
		return 0, invalidf(op, "the cursor is not one that this tool gave; leave it out to start again")
	}
	return i, nil
}

// export reads a page with one addressbook-multiget (RFC 6352, 8.7). What
// vanished in between is named.
func (c *Client) export(ctx context.Context, op string, b *Book, page []Summary, start int, photos bool, out *Export) error {
	if len(page) == 0 {
		return nil
	}
	report := dav.El(dav.Name(dav.NSCardDAV, "addressbook-multiget"), dav.Props(propETag, propData))
	for _, s := range page {
		report.Children = append(report.Children, dav.Text(propHref, c.nc.Host().Base().EscapedPath()+s.path))
	}
	ms, err := c.dav.Report(ctx, dav.Query{Op: op, Path: b.path, Depth: dav.Children, MaxBody: maxListing}, report)
	if err != nil {
		return err
	}
	data := map[string]string{}
	for i := range ms.Responses {
		r := &ms.Responses[i]
		path, err := c.dav.Local(r.Href)
		if err == nil && r.Prop(propData) != nil {
			data[path] = r.Prop(propData).Text
		}
	}
	var text strings.Builder
	for i, s := range page {
		card, err := vcard.Parse([]byte(data[s.path]))
		if err != nil {
			out.Skipped = append(out.Skipped, Skipped{s.Name, "it is not there any more, or cannot be read"})
			continue
		}
		if !photos {
			card.SetPhoto(nil, "")
		}
		one := card.Encode()
		if text.Len() > 0 && text.Len()+len(one) > maxExportBytes {
			page = page[:i]
			break
		}
		text.Write(one)
		out.Count++
	}
	out.VCards = text.String()
	if next := start + len(page); next < out.Total {
		out.Next = base64.RawURLEncoding.EncodeToString([]byte(itoa(next)))
	}
	return nil
}
