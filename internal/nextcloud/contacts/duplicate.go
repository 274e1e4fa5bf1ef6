package contacts

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// Duplicates are contacts that may be the same person.
type Duplicates struct {
	Reasons  []string  `json:"reasons"` // email, phone, name
	Contacts []Summary `json:"contacts"`
}

// Duplicates finds contacts of one address book that share a mail address, a
// phone number or a name, surest first.
func (c *Client) Duplicates(ctx context.Context, addressbook string) (sets []Duplicates, skipped []Skipped, err error) {
	const op = "find duplicate contacts"
	ix, err := in(ctx, c, op, addressbook, func(b *Book) (*index, error) { return c.load(ctx, op, b) })
	if err != nil {
		return nil, nil, err
	}
	list := ix.filtered("")
	list = slices.DeleteFunc(list, func(s Summary) bool { return s.Kind == "group" })
	slices.SortFunc(list, order)

	// parent is a forest of contacts that belong together.
	parent := make([]int, len(list))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	type link struct {
		reason string
		at     int
	}
	var links []link
	first := map[string]int{}
	join := func(reason, key string, i int) {
		key = reason + "\x00" + key
		j, there := first[key]
		if !there {
			first[key] = i
			return
		}
		if i != j {
			parent[root(i)] = root(j)
			links = append(links, link{reason, i})
		}
	}
	for i, s := range list {
		for _, e := range s.emails {
			join("email", strings.ToLower(e), i)
		}
		for _, p := range s.phones {
			// The last nine digits are the same with and without a country code.
			if d := digits(p); len(d) >= 7 {
				join("phone", d[max(0, len(d)-9):], i)
			}
		}
		if name := strings.Join(slices.Sorted(slices.Values(strings.FieldsFunc(s.key, func(r rune) bool { return r == ' ' || r == ',' || r == '.' }))), " "); name != "" {
			join("name", name, i)
		}
	}
	members, reasons := map[int][]Summary{}, map[int][]string{}
	for i, s := range list {
		members[root(i)] = append(members[root(i)], s)
	}
	for _, l := range links {
		if r := root(l.at); !slices.Contains(reasons[r], l.reason) {
			reasons[r] = append(reasons[r], l.reason)
		}
	}
	for r, m := range members {
		if len(m) > 1 {
			slices.Sort(reasons[r])
			sets = append(sets, Duplicates{reasons[r], m})
		}
	}
	slices.SortFunc(sets, func(a, b Duplicates) int {
		return cmp.Or(-cmp.Compare(len(a.Reasons), len(b.Reasons)), cmp.Compare(a.Reasons[0], b.Reasons[0]), order(a.Contacts[0], b.Contacts[0]))
	})
	return sets, ix.failures(), nil
}
