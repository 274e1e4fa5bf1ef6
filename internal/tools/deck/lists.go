package deck

import (
	"context"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// defaultPreview is how much of a description summaries show, in characters.
const defaultPreview = 140

// StackCards is a list of a board with its cards of this page.
type StackCards struct {
	ID        int64      `json:"id"`
	Title     string     `json:"title"`
	Order     int64      `json:"order,omitempty"`
	CardCount int        `json:"card_count"` // all that fit
	Cards     []CardItem `json:"cards,omitempty"`
}

// group sorts the cards of a page into their lists. A page that is not the
// first has only the lists that it holds cards of.
func (p *page) group(q *query, cards bool) []StackCards {
	byStack := map[int64][]CardItem{}
	if cards {
		for _, item := range p.items {
			stack := item.StackID
			item.StackID = 0
			byStack[stack] = append(byStack[stack], item)
		}
	}
	out := []StackCards{}
	for _, s := range p.stacks {
		if q.stack > 0 && s.ID != q.stack || q.cursor != "" && byStack[s.ID] == nil {
			continue
		}
		out = append(out, StackCards{s.ID, s.Title, s.Order, p.counts[s.ID], byStack[s.ID]})
	}
	return out
}

// Stacks is the outcome of tools that list cards by list.
type Stacks struct {
	BoardID    int64             `json:"board_id,omitempty"`
	Items      []StackCards      `json:"items"`
	TotalCards int               `json:"total_cards"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Notice     string            `json:"notice,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

func (q *query) stacks(ctx context.Context, c *api.Client, cards bool) (*Stacks, error) {
	p, err := q.collect(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &Stacks{BoardID: q.board, Items: p.group(q, cards), TotalCards: p.total, Notice: p.notice, Skipped: p.skipped}
	if cards {
		out.NextCursor = p.next
	}
	if q.stack > 0 && len(out.Items) == 0 && q.cursor == "" {
		return nil, noStack(q, p)
	}
	return out, nil
}

func noStack(q *query, p *page) error {
	var words []string
	for _, s := range p.stacks {
		words = append(words, s.Title)
	}
	return tool.Invalidf("Board %d has no list %d. Its lists: %.500s", q.board, q.stack, strings.Join(words, ", "))
}

// StacksInput is the input of deck_get_stacks.
type StacksInput struct {
	BoardID    string `json:"board_id" jsonschema:"board id or title"`
	Cards      *bool  `json:"include_cards,omitempty" jsonschema:"default true"`
	Detail     Detail `json:"detail,omitempty" jsonschema:"default summary"`
	Status     Status `json:"status,omitempty" jsonschema:"default open"`
	Label      string `json:"label,omitempty" jsonschema:"label title"`
	AssignedTo string `json:"assigned_to,omitempty" jsonschema:"user or me"`
	MaxLength  int    `json:"description_max_length,omitempty" jsonschema:"in full"`
	Preview    *int   `json:"description_preview_length,omitempty" jsonschema:"in summary"`
	Limit      int    `json:"limit,omitempty" jsonschema:"cards, default 50"`
	Cursor     string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

func previewOf(p *int) int {
	if p != nil {
		return *p
	}
	return defaultPreview
}

var getStacks = tool.New(tool.Def{
	Name:        "deck_get_stacks",
	Title:       "Read lists with cards",
	Description: "Lists of a board with their cards, filtered.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"board_id"},
}, func(ctx context.Context, c *api.Client, in StacksInput) (*Stacks, error) {
	board, err := c.BoardID(ctx, in.BoardID)
	if err != nil {
		return nil, err
	}
	q := &query{
		board: board, status: in.Status, label: in.Label, assignee: in.AssignedTo, detail: in.Detail,
		preview: previewOf(in.Preview), maxText: in.MaxLength, limit: in.Limit, cursor: in.Cursor,
	}
	return q.stacks(ctx, c, in.Cards == nil || *in.Cards)
})

// StackInput is the input of deck_get_stack.
type StackInput struct {
	BoardID    string `json:"board_id" jsonschema:"board id or title"`
	StackID    string `json:"stack_id" jsonschema:"list id or title"`
	Cards      *bool  `json:"include_cards,omitempty" jsonschema:"default true"`
	Detail     Detail `json:"detail,omitempty" jsonschema:"default summary"`
	Status     Status `json:"status,omitempty" jsonschema:"default open"`
	Label      string `json:"label,omitempty" jsonschema:"label title"`
	AssignedTo string `json:"assigned_to,omitempty" jsonschema:"user or me"`
	MaxLength  int    `json:"description_max_length,omitempty" jsonschema:"in full"`
	Preview    *int   `json:"description_preview_length,omitempty" jsonschema:"in summary"`
	Limit      int    `json:"limit,omitempty" jsonschema:"cards, default 50"`
	Cursor     string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var getStack = tool.New(tool.Def{
	Name:        "deck_get_stack",
	Title:       "Read a list with cards",
	Description: "One list of a board with its cards, filtered.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"board_id", "stack_id"},
}, func(ctx context.Context, c *api.Client, in StackInput) (*Stacks, error) {
	board, stack, err := place(ctx, c, in.BoardID, in.StackID)
	if err != nil {
		return nil, err
	}
	q := &query{
		board: board, stack: stack, status: in.Status, label: in.Label, assignee: in.AssignedTo, detail: in.Detail,
		preview: previewOf(in.Preview), maxText: in.MaxLength, limit: in.Limit, cursor: in.Cursor,
	}
	return q.stacks(ctx, c, in.Cards == nil || *in.Cards)
})

// ArchivedInput is the input of deck_get_archived_stacks.
type ArchivedInput struct {
	BoardID    string `json:"board_id" jsonschema:"board id or title"`
	Detail     Detail `json:"detail,omitempty" jsonschema:"default summary"`
	Label      string `json:"label,omitempty" jsonschema:"label title"`
	AssignedTo string `json:"assigned_to,omitempty" jsonschema:"not known to Deck here"`
	MaxLength  int    `json:"description_max_length,omitempty" jsonschema:"in full"`
	Preview    *int   `json:"description_preview_length,omitempty" jsonschema:"in summary"`
	Limit      int    `json:"limit,omitempty" jsonschema:"cards, default 50"`
	Cursor     string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var getArchivedStacks = tool.New(tool.Def{
	Name:        "deck_get_archived_stacks",
	Title:       "Read archived cards",
	Description: "Archived cards of a board by list.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"board_id"},
}, func(ctx context.Context, c *api.Client, in ArchivedInput) (*Stacks, error) {
	board, err := c.BoardID(ctx, in.BoardID)
	if err != nil {
		return nil, err
	}
	q := &query{
		board: board, status: "archived", label: in.Label, assignee: in.AssignedTo, detail: in.Detail,
		preview: previewOf(in.Preview), maxText: in.MaxLength, limit: in.Limit, cursor: in.Cursor,
	}
	return q.stacks(ctx, c, true)
})

// CardsInput is the input of deck_get_cards.
type CardsInput struct {
	BoardID    string `json:"board_id" jsonschema:"board id or title"`
	StackID    string `json:"stack_id,omitempty" jsonschema:"only this list, id or title"`
	Detail     Detail `json:"detail,omitempty" jsonschema:"default summary"`
	Status     Status `json:"status,omitempty" jsonschema:"default open"`
	Label      string `json:"label,omitempty" jsonschema:"label title"`
	AssignedTo string `json:"assigned_to,omitempty" jsonschema:"user or me"`
	MaxLength  int    `json:"description_max_length,omitempty" jsonschema:"in full"`
	Preview    *int   `json:"description_preview_length,omitempty" jsonschema:"in summary"`
	Limit      int    `json:"limit,omitempty" jsonschema:"default 50, at most 200"`
	Cursor     string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Cards is the outcome of deck_get_cards.
type Cards struct {
	Items      []CardItem        `json:"items"`
	Total      int               `json:"total"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Notice     string            `json:"notice,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

var getCards = tool.New(tool.Def{
	Name:        "deck_get_cards",
	Title:       "List cards",
	Description: "Cards of a board or of one list, filtered.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"board_id", "stack_id"},
}, func(ctx context.Context, c *api.Client, in CardsInput) (*Cards, error) {
	board, err := c.BoardID(ctx, in.BoardID)
	if err != nil {
		return nil, err
	}
	q := &query{
		board: board, status: in.Status, label: in.Label, assignee: in.AssignedTo, detail: in.Detail,
		preview: previewOf(in.Preview), maxText: in.MaxLength, limit: in.Limit, cursor: in.Cursor,
	}
	if in.StackID != "" {
		if q.stack, err = c.StackID(ctx, board, in.StackID); err != nil {
			return nil, err
		}
	}
	p, err := q.collect(ctx, c)
	if err != nil {
		return nil, err
	}
	if q.stack > 0 && len(p.group(q, false)) == 0 && q.cursor == "" {
		return nil, noStack(q, p)
	}
	return &Cards{Items: p.items, Total: p.total, NextCursor: p.next, Notice: p.notice, Skipped: p.skipped}, nil
})

// OverviewInput is the input of deck_get_board_overview.
type OverviewInput struct {
	BoardID    string `json:"board_id" jsonschema:"board id or title"`
	Status     Status `json:"status,omitempty" jsonschema:"default open"`
	Label      string `json:"label,omitempty" jsonschema:"label title"`
	AssignedTo string `json:"assigned_to,omitempty" jsonschema:"user or me"`
	Preview    int    `json:"description_preview_length,omitempty" jsonschema:"characters of descriptions, default none"`
	Limit      int    `json:"limit,omitempty" jsonschema:"cards, default 50"`
	Cursor     string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Overview is the outcome of deck_get_board_overview.
type Overview struct {
	BoardID    int64             `json:"board_id,omitempty"`
	Title      string            `json:"title,omitempty"`
	Archived   bool              `json:"archived,omitempty"`
	ReadOnly   bool              `json:"readonly,omitempty"`
	Labels     []string          `json:"labels,omitempty"`
	Stacks     []StackCards      `json:"stacks"`
	TotalCards int               `json:"total_cards"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Notice     string            `json:"notice,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
	URL        string            `json:"url,omitempty"`
}

var overview = tool.New(tool.Def{
	Name:        "deck_get_board_overview",
	Title:       "Overview of a board",
	Description: "A board at a glance: its lists and cards in short.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"board_id"},
}, func(ctx context.Context, c *api.Client, in OverviewInput) (*Overview, error) {
	id, err := c.BoardID(ctx, in.BoardID)
	if err != nil {
		return nil, err
	}
	q := &query{
		board: id, status: in.Status, label: in.Label, assignee: in.AssignedTo, preview: in.Preview, limit: in.Limit, cursor: in.Cursor,
	}
	var board *api.Board
	var boardErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		board, boardErr = c.Board(ctx, id)
	}()
	p, err := q.collect(ctx, c)
	<-done
	if err != nil {
		return nil, err
	}
	if boardErr != nil {
		return nil, boardErr
	}
	if q.label != "" {
		if _, err := board.Label(q.label); err != nil {
			return nil, err
		}
	}
	return &Overview{
		BoardID: board.ID, Title: board.Title, Archived: board.Archived, ReadOnly: !board.MayEdit, Labels: titles(board.Labels),
		Stacks: p.group(q, true), TotalCards: p.total, NextCursor: p.next, Notice: p.notice, Skipped: p.skipped, URL: c.BoardURL(board.ID),
	}, nil
})
