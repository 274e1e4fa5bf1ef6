package deck

import (
	"context"
	"strconv"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ReorderInput is the input of deck_reorder_card.
type ReorderInput struct {
	BoardID string `json:"board_id" jsonschema:"board id or title"`
	StackID string `json:"stack_id,omitempty" jsonschema:"not needed"`
	CardID  int64  `json:"card_id" jsonschema:"card id"`
	Order   int64  `json:"order" jsonschema:"place in the list, 0 is first"`
	Target  string `json:"target_stack_id,omitempty" jsonschema:"list id or title, default the same"`
}

var reorderCard = tool.New(tool.Def{
	Name:        "deck_reorder_card",
	Title:       "Move a card on its board",
	Description: "Put a card at a place of a list of its board.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"board_id", "card_id", "target_stack_id"},
}, func(ctx context.Context, c *api.Client, in ReorderInput) (*CardResult, error) {
	// Deck would take the list of any board and leave the labels of the old one.
	b, err := readBoard(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	k, err := c.Card(ctx, in.CardID)
	if err != nil {
		return nil, err
	}
	if _, err := b.Stack(strconv.FormatInt(k.StackID, 10)); err != nil {
		return nil, tool.Invalidf("Card %d is not on the board %q. deck_move_card_to_board moves it to another board.", in.CardID, b.Title)
	}
	target := k.StackID
	if in.Target != "" {
		s, err := b.Stack(in.Target)
		if err != nil {
			return nil, err
		}
		target = s.ID
	}
	if err := c.Reorder(ctx, in.CardID, target, in.Order); err != nil {
		return nil, err
	}
	return &CardResult{CardID: in.CardID, StackID: target, BoardID: b.ID, URL: c.CardURL(b.ID, in.CardID)}, nil
})

// MoveInput is the input of deck_move_card_to_board.
type MoveInput struct {
	SourceBoard string `json:"source_board_id,omitempty" jsonschema:"not needed"`
	SourceStack string `json:"source_stack_id,omitempty" jsonschema:"not needed"`
	CardID      int64  `json:"card_id" jsonschema:"card id"`
	TargetBoard string `json:"target_board_id" jsonschema:"board id or title"`
	TargetStack string `json:"target_stack_id" jsonschema:"list id or title"`
	Order       int64  `json:"order,omitempty" jsonschema:"place, default first"`
}

var moveCard = tool.New(tool.Def{
	Name:        "deck_move_card_to_board",
	Title:       "Move a card to another board",
	Description: "Move a card with dates, comments and labels to another board.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"card_id", "target_board_id", "target_stack_id"},
}, func(ctx context.Context, c *api.Client, in MoveInput) (*CardResult, error) {
	board, stack, err := place(ctx, c, in.TargetBoard, in.TargetStack)
	if err != nil {
		return nil, err
	}
	moved, err := c.Move(ctx, in.CardID, board, stack, in.Order)
	if err != nil {
		return nil, err
	}
	out := &CardResult{CardID: in.CardID, StackID: stack, BoardID: board, ETag: moved.Card.ETag, Labels: titles(moved.Card.Labels), URL: c.CardURL(board, in.CardID)}
	if len(moved.LostLabels) > 0 {
		out.Notice = "The new board has no such labels, and the person may not make them there: " + strings.Join(moved.LostLabels, ", ")
	}
	return out, nil
})
