package deck

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// CardUserInput is the input of tools for who a card is assigned to.
type CardUserInput struct {
	BoardID string `json:"board_id,omitempty" jsonschema:"needed for a display name"`
	StackID string `json:"stack_id,omitempty" jsonschema:"not needed"`
	CardID  int64  `json:"card_id" jsonschema:"card id"`
	UserID  string `json:"user_id" jsonschema:"user id, display name or me"`
}

func (in CardUserInput) set(ctx context.Context, c *api.Client, on bool) (*CardResult, error) {
	board, err := boardOf(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	uid := in.UserID
	switch {
	case uid == "me":
		if uid, err = c.Me(ctx); err != nil {
			return nil, err
		}
	case board > 0:
		b, err := c.Board(ctx, board)
		if err != nil {
			return nil, err
		}
		u, err := b.User(uid)
		if err != nil && on {
			return nil, err
		}
		if err == nil {
			uid = u.ID
		}
	}
	changed, err := c.SetAssigned(ctx, in.CardID, uid, on)
	return settled(c, board, in.CardID, changed, err)
}

var assignUser = tool.New(tool.Def{
	Name:        "deck_assign_user_to_card",
	Title:       "Assign a card",
	Description: "Assign a card to a member of its board.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"board_id", "card_id", "user_id"},
}, func(ctx context.Context, c *api.Client, in CardUserInput) (*CardResult, error) {
	return in.set(ctx, c, true)
})

var unassignUser = tool.New(tool.Def{
	Name:        "deck_unassign_user_from_card",
	Title:       "Unassign a card",
	Description: "Take a card from somebody it is assigned to.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"board_id", "card_id", "user_id"},
}, func(ctx context.Context, c *api.Client, in CardUserInput) (*CardResult, error) {
	return in.set(ctx, c, false)
})

// DependencyInput is the input of tools for what a card depends on.
type DependencyInput struct {
	BoardID string `json:"board_id,omitempty" jsonschema:"not needed"`
	StackID string `json:"stack_id,omitempty" jsonschema:"not needed"`
	CardID  int64  `json:"card_id" jsonschema:"card that waits"`
	OtherID int64  `json:"dependent_card_id" jsonschema:"card it waits for"`
}

func (in DependencyInput) set(ctx context.Context, c *api.Client, on bool) (*CardResult, error) {
	board, err := boardOf(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	k, err := c.SetDependency(ctx, in.CardID, in.OtherID, on)
	return cardResult(c, board, k, err)
}

var assignDependent = tool.New(tool.Def{
	Name:        "deck_assign_dependent_card",
	Title:       "Make a card wait",
	Description: "Note that a card depends on another, from Deck 1.18 on.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Object:      []string{"card_id", "dependent_card_id"},
}, func(ctx context.Context, c *api.Client, in DependencyInput) (*CardResult, error) {
	return in.set(ctx, c, true)
})

var removeDependent = tool.New(tool.Def{
	Name:        "deck_remove_dependent_card",
	Title:       "Let a card wait no more",
	Description: "Take a dependency off a card.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Object:      []string{"card_id", "dependent_card_id"},
}, func(ctx context.Context, c *api.Client, in DependencyInput) (*CardResult, error) {
	return in.set(ctx, c, false)
})
