package deck

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// BoardRef is the input of tools for one board.
type BoardRef struct {
	BoardID string `json:"board_id" jsonschema:"board id or title"`
}

// Labels is the outcome of deck_get_labels.
type Labels struct {
	Items []api.Label `json:"items"`
}

var getLabels = tool.New(tool.Def{
	Name:        "deck_get_labels",
	Title:       "List labels",
	Description: "List the labels of a board.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"board_id"},
}, func(ctx context.Context, c *api.Client, in BoardRef) (*Labels, error) {
	b, err := readBoard(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	return &Labels{Items: append([]api.Label{}, b.Labels...)}, nil
})

// LabelRef is the input of tools for one label.
type LabelRef struct {
	BoardID string `json:"board_id" jsonschema:"board id or title"`
	LabelID string `json:"label_id" jsonschema:"label id or title"`
}

// label is board and label, both by id or title.
func (in LabelRef) find(ctx context.Context, c *api.Client) (board, label int64, err error) {
	if board, err = c.BoardID(ctx, in.BoardID); err != nil {
		return 0, 0, err
	}
	label, err = c.LabelID(ctx, board, in.LabelID)
	return board, label, err
}

// LabelResult is what became of a label.
type LabelResult struct {
	LabelID int64  `json:"label_id,omitempty"`
	BoardID int64  `json:"board_id,omitempty"`
	Title   string `json:"title,omitempty"`
	Color   string `json:"color,omitempty"`
	Undo    string `json:"undo,omitempty"`
}

func labelResult(board int64, l *api.Label, err error) (*LabelResult, error) {
	if err != nil {
		return nil, err
	}
	return &LabelResult{LabelID: l.ID, BoardID: board, Title: l.Title, Color: l.Color}, nil
}

var getLabel = tool.New(tool.Def{
	Name:        "deck_get_label",
	Title:       "Read a label",
	Description: "Read one label of a board.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"board_id", "label_id"},
}, func(ctx context.Context, c *api.Client, in LabelRef) (*LabelResult, error) {
	board, label, err := in.find(ctx, c)
	if err != nil {
		return nil, err
	}
	l, err := c.Label(ctx, board, label)
	return labelResult(board, l, err)
})

// CreateLabelInput is the input of deck_create_label.
type CreateLabelInput struct {
	BoardID string `json:"board_id" jsonschema:"board id or title"`
	Title   string `json:"title" jsonschema:"unique on the board"`
	Color   string `json:"color" jsonschema:"hex such as 31cc7c"`
}

var createLabel = tool.New(tool.Def{
	Name:        "deck_create_label",
	Title:       "Create a label",
	Description: "Add a label to a board.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Creates,
	Tier:        tool.Complete,
	Object:      []string{"board_id", "title"},
}, func(ctx context.Context, c *api.Client, in CreateLabelInput) (*LabelResult, error) {
	board, err := c.BoardID(ctx, in.BoardID)
	if err != nil {
		return nil, err
	}
	l, err := c.CreateLabel(ctx, board, in.Title, in.Color)
	return labelResult(board, l, err)
})

// UpdateLabelInput is the input of deck_update_label.
type UpdateLabelInput struct {
	BoardID string  `json:"board_id" jsonschema:"board id or title"`
	LabelID string  `json:"label_id" jsonschema:"label id or title"`
	Title   *string `json:"title,omitempty" jsonschema:"new title"`
	Color   *string `json:"color,omitempty" jsonschema:"new hex color"`
}

var updateLabel = tool.New(tool.Def{
	Name:        "deck_update_label",
	Title:       "Change a label",
	Description: "Change title or color of a label.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Object:      []string{"board_id", "label_id"},
}, func(ctx context.Context, c *api.Client, in UpdateLabelInput) (*LabelResult, error) {
	board, label, err := LabelRef{in.BoardID, in.LabelID}.find(ctx, c)
	if err != nil {
		return nil, err
	}
	l, err := c.UpdateLabel(ctx, board, label, in.Title, in.Color)
	return labelResult(board, l, err)
})

var deleteLabel = tool.New(tool.Def{
	Name:        "deck_delete_label",
	Title:       "Delete a label",
	Description: "Delete a label from its board and all cards for good.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"board_id", "label_id"},
}, func(ctx context.Context, c *api.Client, in LabelRef) (*LabelResult, error) {
	board, label, err := in.find(ctx, c)
	if err != nil {
		return nil, err
	}
	l, err := c.DeleteLabel(ctx, board, label)
	out, err := labelResult(board, l, err)
	if err != nil {
		return nil, err
	}
	out.Undo = fmt.Sprintf("This cannot be undone. deck_create_label with title %q and color %s makes such a label again, on no card.", l.Title, l.Color)
	return out, nil
})

// CardLabelInput is the input of tools for a label of a card.
type CardLabelInput struct {
	BoardID string `json:"board_id,omitempty" jsonschema:"needed for a label by title"`
	StackID string `json:"stack_id,omitempty" jsonschema:"not needed"`
	CardID  int64  `json:"card_id" jsonschema:"card id"`
	LabelID string `json:"label_id" jsonschema:"label id or title"`
}

func (in CardLabelInput) set(ctx context.Context, c *api.Client, on bool) (*CardResult, error) {
	board, err := boardOf(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	if board == 0 && !digits(in.LabelID) {
		return nil, tool.Invalidf("Give board_id to name a label by its title, or the id of the label.")
	}
	label, err := c.LabelID(ctx, board, in.LabelID)
	if err != nil {
		return nil, err
	}
	changed, err := c.SetLabel(ctx, in.CardID, label, on)
	return settled(c, board, in.CardID, changed, err)
}

// settled is the result of a change that may have been there already.
func settled(c *api.Client, board, card int64, changed bool, err error) (*CardResult, error) {
	if err != nil {
		return nil, err
	}
	out := &CardResult{CardID: card, BoardID: board, URL: c.CardURL(board, card)}
	if !changed {
		out.Notice = "It was so already, and nothing was changed."
	}
	return out, nil
}

func digits(ref string) bool {
	for _, r := range ref {
		if r < '0' || r > '9' {
			return false
		}
	}
	return ref != ""
}

var assignLabel = tool.New(tool.Def{
	Name:        "deck_assign_label_to_card",
	Title:       "Label a card",
	Description: "Give a card a label of its board.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"board_id", "card_id", "label_id"},
}, func(ctx context.Context, c *api.Client, in CardLabelInput) (*CardResult, error) {
	return in.set(ctx, c, true)
})

var removeLabel = tool.New(tool.Def{
	Name:        "deck_remove_label_from_card",
	Title:       "Unlabel a card",
	Description: "Take a label off a card.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"board_id", "card_id", "label_id"},
}, func(ctx context.Context, c *api.Client, in CardLabelInput) (*CardResult, error) {
	return in.set(ctx, c, false)
})
