package deck

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Boards is the outcome of deck_get_boards.
type Boards struct {
	Items   []BoardItem       `json:"items"`
	Skipped []lenient.Skipped `json:"skipped,omitempty"`
}

// BoardItem is a board in a list.
type BoardItem struct {
	ID       int64  `json:"id"`
	Title    string `json:"title"`
	Owner    string `json:"owner,omitempty"`
	Archived bool   `json:"archived,omitempty"`
	ReadOnly bool   `json:"readonly,omitempty"`
}

var getBoards = tool.New(tool.Def{
	Name:        "deck_get_boards",
	Title:       "List boards",
	Description: "List the Deck boards that the person sees.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
}, func(ctx context.Context, c *api.Client, _ struct{}) (*Boards, error) {
	list, err := c.Boards(ctx)
	if err != nil {
		return nil, err
	}
	out := &Boards{Items: []BoardItem{}, Skipped: list.Skipped}
	for _, b := range list.Items {
		out.Items = append(out.Items, BoardItem{b.ID, b.Title, b.Owner.ID, b.Archived, !b.MayEdit})
	}
	return out, nil
})

// BoardInput is the input of deck_get_board.
type BoardInput struct {
	BoardID string `json:"board_id" jsonschema:"board id or title"`
	ACL     *bool  `json:"include_acl,omitempty" jsonschema:"default true"`
	Users   *bool  `json:"include_users,omitempty" jsonschema:"default true"`
	Labels  *bool  `json:"include_labels,omitempty" jsonschema:"default true"`
}

// Board is the outcome of deck_get_board.
type Board struct {
	ID       int64        `json:"id,omitempty"`
	Title    string       `json:"title,omitempty"`
	Color    string       `json:"color,omitempty"`
	Owner    string       `json:"owner,omitempty"`
	Archived bool         `json:"archived,omitempty"`
	ReadOnly bool         `json:"readonly,omitempty"`
	Manage   bool         `json:"may_manage,omitempty"`
	Stacks   []api.Stack  `json:"stacks,omitempty"`
	Labels   []api.Label  `json:"labels,omitempty"`
	Users    []api.User   `json:"users,omitempty"`
	ACL      []api.Access `json:"acl,omitempty"`
	URL      string       `json:"url,omitempty"`
}

func boardResult(c *api.Client, b *api.Board) *Board {
	return &Board{
		ID: b.ID, Title: b.Title, Color: b.Color, Owner: b.Owner.ID, Archived: b.Archived, ReadOnly: !b.MayEdit, Manage: b.MayAdmin,
		Stacks: b.Stacks, Labels: b.Labels, Users: b.Users, ACL: b.Access, URL: c.BoardURL(b.ID),
	}
}

// readBoard is a board by id or title.
func readBoard(ctx context.Context, c *api.Client, ref string) (*api.Board, error) {
	board, err := c.BoardID(ctx, ref)
	if err != nil {
		return nil, err
	}
	return c.Board(ctx, board)
}

var getBoard = tool.New(tool.Def{
	Name:        "deck_get_board",
	Title:       "Read a board",
	Description: "Lists, labels and people of a board, without cards.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"board_id"},
}, func(ctx context.Context, c *api.Client, in BoardInput) (*Board, error) {
	b, err := readBoard(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	out := boardResult(c, b)
	off := func(p *bool) bool { return p != nil && !*p }
	if off(in.ACL) {
		out.ACL = nil
	}
	if off(in.Users) {
		out.Users = nil
	}
	if off(in.Labels) {
		out.Labels = nil
	}
	return out, nil
})

// CreateBoardInput is the input of deck_create_board.
type CreateBoardInput struct {
	Title string `json:"title" jsonschema:"title"`
	Color string `json:"color" jsonschema:"hex such as 0082c9"`
}

var createBoard = tool.New(tool.Def{
	Name:        "deck_create_board",
	Title:       "Create a board",
	Description: "Create a board with Deck's default labels and no lists.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"title"},
}, func(ctx context.Context, c *api.Client, in CreateBoardInput) (*Board, error) {
	b, err := c.CreateBoard(ctx, in.Title, in.Color)
	if err != nil {
		return nil, err
	}
	return boardResult(c, b), nil
})

// StackResult is what became of a list.
type StackResult struct {
	StackID int64  `json:"stack_id,omitempty"`
	BoardID int64  `json:"board_id,omitempty"`
	Title   string `json:"title,omitempty"`
	Order   int64  `json:"order,omitempty"`
	Undo    string `json:"undo,omitempty"`
}

func stackResult(board int64, s *api.Stack, err error) (*StackResult, error) {
	if err != nil {
		return nil, err
	}
	return &StackResult{StackID: s.ID, BoardID: board, Title: s.Title, Order: s.Order}, nil
}

// CreateStackInput is the input of deck_create_stack.
type CreateStackInput struct {
	BoardID string `json:"board_id" jsonschema:"board id or title"`
	Title   string `json:"title" jsonschema:"title"`
	Order   *int64 `json:"order,omitempty" jsonschema:"place, default last"`
}

var createStack = tool.New(tool.Def{
	Name:        "deck_create_stack",
	Title:       "Create a list",
	Description: "Add a list (stack) to a board.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"board_id", "title"},
}, func(ctx context.Context, c *api.Client, in CreateStackInput) (*StackResult, error) {
	board, err := c.BoardID(ctx, in.BoardID)
	if err != nil {
		return nil, err
	}
	var order int64
	if in.Order != nil {
		order = *in.Order
	} else {
		b, err := c.Board(ctx, board)
		if err != nil {
			return nil, err
		}
		for _, s := range b.Stacks {
			order = max(order, s.Order+1)
		}
	}
	s, err := c.CreateStack(ctx, board, in.Title, order)
	return stackResult(board, s, err)
})

// UpdateStackInput is the input of deck_update_stack.
type UpdateStackInput struct {
	BoardID string  `json:"board_id" jsonschema:"board id or title"`
	StackID string  `json:"stack_id" jsonschema:"list id or title"`
	Title   *string `json:"title,omitempty" jsonschema:"new title"`
	Order   *int64  `json:"order,omitempty" jsonschema:"new place"`
}

var updateStack = tool.New(tool.Def{
	Name:        "deck_update_stack",
	Title:       "Change a list",
	Description: "Rename or move a list. With title and order, a deleted list comes back.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Object:      []string{"board_id", "stack_id"},
}, func(ctx context.Context, c *api.Client, in UpdateStackInput) (*StackResult, error) {
	board, stack, err := place(ctx, c, in.BoardID, in.StackID)
	if err != nil {
		return nil, err
	}
	s, err := c.UpdateStack(ctx, board, stack, in.Title, in.Order)
	return stackResult(board, s, err)
})

// StackRef is the input of tools for one list.
type StackRef struct {
	BoardID string `json:"board_id" jsonschema:"board id or title"`
	StackID string `json:"stack_id" jsonschema:"list id or title"`
}

var deleteStack = tool.New(tool.Def{
	Name:        "deck_delete_stack",
	Title:       "Delete a list",
	Description: "Delete a list with all its cards.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"board_id", "stack_id"},
}, func(ctx context.Context, c *api.Client, in StackRef) (*StackResult, error) {
	board, stack, err := place(ctx, c, in.BoardID, in.StackID)
	if err != nil {
		return nil, err
	}
	s, err := c.DeleteStack(ctx, board, stack)
	out, err := stackResult(board, s, err)
	if err != nil {
		return nil, err
	}
	out.Undo = fmt.Sprintf("deck_update_stack with board_id %d, stack_id %d, title %q and order %d brings it back with its cards. %s", board, stack, s.Title, s.Order, trash)
	return out, nil
})
