package deck

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
	"nextcloud-mcp-server/internal/tool"
)

// Status picks cards by how far they are.
type Status string

// Values implements tool.Enum.
func (Status) Values() []string { return []string{"open", "done", "archived", "all"} }

// Detail is how much of each card is told.
type Detail string

// Values implements tool.Enum.
func (Detail) Values() []string { return []string{"summary", "full"} }

const (
	defaultLimit = 50
	maxLimit     = 200
)

// query is which cards of a board to list, and how.
type query struct {
	board            int64
	stack            int64 // 0 for all
	status           Status
	label, assignee  string
	detail           Detail
	preview, maxText int // characters of a description in summaries and in full; 0 for none and for all
	limit            int
	cursor           string
}

// CardItem is a card in a list.
type CardItem struct {
	ID             int64    `json:"id"`
	Title          string   `json:"title"`
	StackID        int64    `json:"stack_id,omitempty"`
	Due            string   `json:"due,omitempty"`
	Done           string   `json:"done,omitempty"`
	Archived       bool     `json:"archived,omitempty"`
	Labels         []string `json:"labels,omitempty"`
	Assigned       []string `json:"assigned,omitempty"`
	Comments       int64    `json:"comments,omitempty"`
	Attachments    int64    `json:"attachments,omitempty"`
	HasDescription bool     `json:"has_description,omitempty"`
	Description    string   `json:"description,omitempty"`
	Truncated      bool     `json:"truncated,omitempty"`
	Order          int64    `json:"order,omitempty"`
	Type           string   `json:"type,omitempty"`
	Owner          string   `json:"owner,omitempty"`
	Start          string   `json:"start,omitempty"`
	Color          string   `json:"color,omitempty"`
	DependsOn      []int64  `json:"depends_on,omitempty"`
	ETag           string   `json:"etag,omitempty"`
}

// item keeps of a card what is shown, and nothing else alive.
func (q *query) item(k *api.Card) CardItem {
	out := CardItem{
		ID: k.ID, Title: k.Title, StackID: k.StackID, Due: k.Due, Done: k.Done, Archived: k.Archived, Labels: titles(k.Labels),
		Comments: k.Comments, Attachments: k.AttachmentsN,
	}
	for _, u := range k.Assigned {
		out.Assigned = append(out.Assigned, u.ID)
	}
	limit := q.preview
	if q.detail == "full" {
		limit = q.maxText
		out.Order, out.Type, out.Owner, out.Start, out.Color, out.DependsOn, out.ETag = k.Order, k.Type, k.Owner.ID, k.Start, k.Color, k.DependsOn, k.ETag
		if limit == 0 {
			limit = len(k.Description)
		}
	}
	text, less := cut(k.Description, limit)
	out.Description, out.Truncated = strings.Clone(text), less && limit > 0
	out.HasDescription = k.Description != "" && limit == 0
	return out
}

// position is where a page ended. Cards come list by list, the archived ones
// after all others.
type position struct {
	archived         bool
	stack, order, id int64
}

func (p position) String() string {
	n := 0
	if p.archived {
		n = 1
	}
	return fmt.Sprintf("%d.%d.%d.%d", n, p.stack, p.order, p.id)
}

func parsePosition(text string) (*position, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return nil, tool.Invalidf("%.40q is no cursor of this list: take next_cursor from the page before, or leave it out", text)
	}
	var n [4]int64
	for i, part := range parts {
		var err error
		if n[i], err = strconv.ParseInt(part, 10, 64); err != nil {
			return nil, tool.Invalidf("%.40q is no cursor of this list: take next_cursor from the page before, or leave it out", text)
		}
	}
	return &position{n[0] == 1, n[1], n[2], n[3]}, nil
}

// page is what was found.
type page struct {
	stacks  []api.Stack
	items   []CardItem
	counts  map[int64]int // of all that fit, by list
	total   int
	last    position
	next    string
	skipped []lenient.Skipped
	notice  string
}

// pass collects the cards of one answer: those that are archived, or the
// others.
type pass struct {
	q        *query
	archived bool
	after    *position // where the page begins; nil at the beginning

	items   []CardItem
	at      []position // of items
	more    bool
	counts  map[int64]int
	total   int
	unknown bool              // some card did not say who has it
	people  map[string]string // user id to name, of those that assignee means
}

// visit keeps the first cards behind the page before, in the order of their
// positions: Deck sends lists in no certain order.
func (p *pass) visit(k *api.Card) {
	if p.q.stack > 0 && k.StackID != p.q.stack || !p.fits(k) {
		return
	}
	p.counts[k.StackID]++
	p.total++
	here := position{p.archived, k.StackID, k.Order, k.ID}
	if p.after != nil && comparePositions(here, *p.after) <= 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(p.at, here, comparePositions)
	if i == p.q.limit {
		p.more = true
		return
	}
	p.items, p.at = slices.Insert(p.items, i, p.q.item(k)), slices.Insert(p.at, i, here)
	if len(p.items) > p.q.limit {
		p.items, p.at, p.more = p.items[:p.q.limit], p.at[:p.q.limit], true
	}
}

// comparePositions orders cards of the same pass.
func comparePositions(a, b position) int {
	return cmp.Or(cmp.Compare(a.stack, b.stack), cmp.Compare(a.order, b.order), cmp.Compare(a.id, b.id))
}

func (p *pass) fits(k *api.Card) bool {
	switch p.q.status {
	case "done":
		if k.Done == "" {
			return false
		}
	case "open", "":
		if k.Done != "" {
			return false
		}
	}
	if l := p.q.label; l != "" && !slices.ContainsFunc(k.Labels, func(x api.Label) bool {
		return strings.EqualFold(x.Title, l) || strconv.FormatInt(x.ID, 10) == l
	}) {
		return false
	}
	if p.q.assignee == "" {
		return true
	}
	if k.Unknown {
		p.unknown = true
		return false
	}
	for _, u := range k.Assigned {
		if u.ID == p.q.assignee || strings.EqualFold(u.Name, p.q.assignee) {
			p.people[u.ID] = u.Name
			return true
		}
	}
	return false
}

// collect lists cards. It asks once for those that are not archived, once for
// those that are, or for both at the same time.
func (q *query) collect(ctx context.Context, c *api.Client) (*page, error) {
	if q.limit == 0 {
		q.limit = defaultLimit
	}
	switch {
	case q.limit < 0 || q.limit > maxLimit:
		return nil, tool.Invalidf("limit has to be between 1 and %d", maxLimit)
	case q.preview < 0 || q.maxText < 0:
		return nil, tool.Invalidf("the lengths of descriptions cannot be negative")
	}
	after, err := parsePosition(q.cursor)
	if err != nil {
		return nil, err
	}
	if q.assignee == "me" {
		if q.assignee, err = c.Me(ctx); err != nil {
			return nil, err
		}
	}
	var passes []*pass
	for _, archived := range []bool{false, true} {
		if archived && q.status != "archived" && q.status != "all" || !archived && q.status == "archived" {
			continue
		}
		p := &pass{q: q, archived: archived, counts: map[int64]int{}, people: map[string]string{}}
		if after != nil && after.archived == archived {
			p.after = after
		}
		passes = append(passes, p)
	}
	return q.run(ctx, c, passes, after)
}

func (q *query) run(ctx context.Context, c *api.Client, passes []*pass, after *position) (*page, error) {
	stacks, skipped, errs := make([][]api.Stack, len(passes)), make([][]lenient.Skipped, len(passes)), make([]error, len(passes))
	var wait sync.WaitGroup
	for i, p := range passes {
		wait.Go(func() { stacks[i], skipped[i], errs[i] = c.EachCard(ctx, q.board, p.archived, p.visit) })
	}
	wait.Wait()
	out := &page{items: []CardItem{}, counts: map[int64]int{}}
	people := map[string]string{}
	for i, p := range passes {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if i == 0 {
			out.stacks = stacks[i]
		}
		out.skipped = append(out.skipped, skipped[i]...)
		out.total += p.total
		for id, n := range p.counts {
			out.counts[id] += n
		}
		maps.Copy(people, p.people)
		if p.unknown {
			out.notice = "Deck does not tell in lists who archived cards are assigned to, so archived cards are left out."
		}
		if after != nil && after.archived && !p.archived {
			continue // that was an earlier page
		}
		q.add(out, p)
	}
	if _, exact := people[q.assignee]; !exact && len(people) > 1 {
		return nil, tool.Invalidf("Several people are called %.60q. Give the user id: %s", q.assignee, strings.Join(slices.Sorted(maps.Keys(people)), ", "))
	}
	return out, nil
}

// add takes over what there is room for.
func (q *query) add(out *page, p *pass) {
	more := p.more
	for i, item := range p.items {
		if len(out.items) == q.limit {
			more = true
			break
		}
		out.items, out.last = append(out.items, item), p.at[i]
	}
	if more {
		out.next = out.last.String()
	}
}
