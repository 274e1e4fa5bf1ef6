package contacts

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
)

// Group is a group of contacts (CATEGORIES), as Nextcloud's Contacts app shows
// them.
type Group struct {
	Name     string `json:"name"`
	Contacts int    `json:"contacts"`
}

// Groups are the groups of an address book by name, with how many contacts
// each has, and how many have none.
func (c *Client) Groups(ctx context.Context, addressbook string) (groups []Group, without int, err error) {
	const op = "list groups"
	ix, err := in(ctx, c, op, addressbook, func(b *Book) (*index, error) { return c.load(ctx, op, b) })
	if err != nil {
		return nil, 0, err
	}
	counts := map[string]int{}
	for _, s := range ix.summaries {
		if len(s.groups) == 0 {
			without++
		}
		for _, g := range s.groups {
			counts[g]++
		}
	}
	groups = make([]Group, 0, len(counts))
	for name, n := range counts {
		groups = append(groups, Group{name, n})
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return groups, without, nil
}

// SetGroup puts a contact into a group, or takes it out. A group is there as
// long as a contact is in it.
func (c *Client) SetGroup(ctx context.Context, t Target, group string, member bool) (*Written, error) {
	const op = "change group of contact"
	group = strings.TrimSpace(group)
	if group == "" {
		return nil, invalidf(op, "the group is missing")
	}
	return c.edit(ctx, op, t, func(card *vcard.Card) (string, error) {
		have := categories(card)
		is := func(g string) bool { return strings.EqualFold(g, group) }
		switch {
		case !member:
			setList(card, "CATEGORIES", slices.DeleteFunc(have, is))
		case !slices.ContainsFunc(have, is):
			setList(card, "CATEGORIES", append(have, group))
		}
		return "", nil
	})
}
