package sharing

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Recipient is one that files can be shared with.
type Recipient struct {
	Kind   Kind
	With   string // what Draft.With takes
	Name   string
	Detail string // what tells apart those of one name: an address
	Exact  bool   // it is what was looked for
}

// MaxRecipients is how many of each kind one page of a search holds.
const MaxRecipients = 25

type wireRecipient struct {
	Label  lenient.Text `json:"label"`
	Unique lenient.Text `json:"shareWithDisplayNameUnique"`
	Line   lenient.Text `json:"subline"`
	Value  struct {
		Kind *lenient.Int `json:"shareType"`
		With lenient.Text `json:"shareWith"`
	} `json:"value"`
}

// Check implements lenient.Checker.
func (w *wireRecipient) Check() error {
	if w.Value.Kind == nil || w.Value.With == "" {
		return lenient.NoID()
	}
	return nil
}

// recipientLists are the lists of an answer in the order to show them.
var recipientLists = []string{"users", "groups", "circles", "rooms", "emails", "remotes"}

// Found is one page of a search for recipients.
type Found struct {
	Recipients []Recipient
	Skipped    []lenient.Skipped
	More       bool // another page may hold more
}

// Recipients looks for people, groups, teams, conversations and addresses by a
// text; without one it answers those whom the person shared with most. Kinds
// narrows the search; page counts from 1.
func (c *Client) Recipients(ctx context.Context, text string, kinds []Kind, page, size int) (*Found, error) {
	const op = "look for recipients"
	path, query := "/sharees", url.Values{"search": {text}, "itemType": {"file"}, "page": {strconv.Itoa(page)}, "perPage": {strconv.Itoa(size)}, "lookup": {"false"}}
	if text == "" {
		path, query = "/sharees_recommended", url.Values{"itemType": {"file"}}
	}
	for _, k := range kinds {
		query.Add("shareType[]", strconv.Itoa(int(k)))
	}
	var lists lenient.Object[json.RawMessage]
	if err := c.nc.OCS(ctx, nextcloud.Request{Op: op, Path: apiPath + path, Query: query}, &lists); err != nil {
		return nil, err
	}
	out := &Found{}
	var exact lenient.Object[json.RawMessage]
	if raw := lists["exact"]; raw != nil && json.Unmarshal(raw, &exact) != nil {
		out.Skipped = append(out.Skipped, lenient.Skipped{ID: "exact", Why: "unreadable answer of the server"})
	}
	seen := map[Recipient]bool{}
	for _, part := range []struct {
		lists lenient.Object[json.RawMessage]
		exact bool
	}{{exact, true}, {lists, false}} {
		for _, name := range recipientLists {
			raw := part.lists[name]
			if raw == nil {
				continue
			}
			var list lenient.List[wireRecipient]
			if json.Unmarshal(raw, &list) != nil {
				out.Skipped = append(out.Skipped, lenient.Skipped{ID: name, Why: "unreadable answer of the server"})
				continue
			}
			out.Skipped = append(out.Skipped, list.Skipped...)
			if !part.exact && text != "" && len(list.Items)+len(list.Skipped) >= size {
				out.More = true
			}
			for i := range list.Items {
				r := list.Items[i].recipient(part.exact && text != "")
				key := Recipient{Kind: r.Kind, With: r.With}
				if !seen[key] {
					seen[key] = true
					out.Recipients = append(out.Recipients, r)
				}
			}
		}
	}
	return out, nil
}

func (w *wireRecipient) recipient(exact bool) Recipient {
	r := Recipient{Kind: Kind(*w.Value.Kind), With: string(w.Value.With), Name: string(w.Label), Detail: string(w.Unique), Exact: exact}
	if r.Detail == "" || r.Detail == r.With {
		r.Detail = string(w.Line)
	}
	return r
}
