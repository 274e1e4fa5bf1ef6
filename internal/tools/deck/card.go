package deck

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// CardRef is the input of tools for one card. Deck knows a card by its id
// alone; board and list are taken as callers of older servers give them.
type CardRef struct {
	BoardID string `json:"board_id,omitempty" jsonschema:"not needed"`
	StackID string `json:"stack_id,omitempty" jsonschema:"not needed"`
	CardID  int64  `json:"card_id" jsonschema:"card id"`
}

// defaultMaxChars is how much of a description comes at once, in characters.
const defaultMaxChars = 20_000

// GetCardInput is the input of deck_get_card.
type GetCardInput struct {
	BoardID  string `json:"board_id,omitempty" jsonschema:"not needed"`
	StackID  string `json:"stack_id,omitempty" jsonschema:"not needed"`
	CardID   int64  `json:"card_id" jsonschema:"card id"`
	MaxChars int    `json:"max_chars,omitempty" jsonschema:"of the description, default 20000"`
	Offset   int    `json:"offset,omitempty" jsonschema:"first character"`
}

// Card is the outcome of deck_get_card.
type Card struct {
	ID          int64       `json:"id,omitempty"`
	Title       string      `json:"title,omitempty"`
	Description string      `json:"description,omitempty"`
	StackID     int64       `json:"stack_id,omitempty"`
	Due         string      `json:"due,omitempty"`
	Start       string      `json:"start,omitempty"`
	Done        string      `json:"done,omitempty"`
	Archived    bool        `json:"archived,omitempty"`
	Labels      []api.Label `json:"labels,omitempty"`
	Assigned    []api.User  `json:"assigned,omitempty"`
	DependsOn   []int64     `json:"depends_on,omitempty"`
	Comments    int64       `json:"comments,omitempty"`
	Attachments int64       `json:"attachments,omitempty"`
	Owner       string      `json:"owner,omitempty"`
	Color       string      `json:"color,omitempty"`
	Order       int64       `json:"order,omitempty"`
	Modified    string      `json:"modified,omitempty"`
	ETag        string      `json:"etag,omitempty"`
	URL         string      `json:"url,omitempty"`
	NextOffset  int         `json:"next_offset,omitempty"`
	TotalChars  int         `json:"total_chars,omitempty"`
}

func unix(seconds int64) string {
	if seconds <= 0 {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

var getCard = tool.New(tool.Def{
	Name:        "deck_get_card",
	Title:       "Read a card",
	Description: "Read a card with its description.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"board_id", "card_id"},
}, func(ctx context.Context, c *api.Client, in GetCardInput) (*Card, error) {
	if in.MaxChars < 0 || in.Offset < 0 {
		return nil, tool.Invalidf("max_chars and offset cannot be negative")
	}
	board, err := boardOf(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	k, err := c.Card(ctx, in.CardID)
	if err != nil {
		return nil, err
	}
	out := &Card{
		ID: k.ID, Title: k.Title, StackID: k.StackID, Due: k.Due, Start: k.Start, Done: k.Done, Archived: k.Archived, Labels: k.Labels,
		Assigned: k.Assigned, DependsOn: k.DependsOn, Comments: k.Comments, Attachments: k.AttachmentsN, Owner: k.Owner.ID, Color: k.Color,
		Order: k.Order, Modified: unix(k.Modified), ETag: k.ETag, URL: c.CardURL(board, k.ID),
	}
	return out, out.window(k.Description, in.Offset, in.MaxChars)
})

// window takes over size characters of a description from offset on, and says
// so when that is not all of it.
func (out *Card) window(text string, offset, size int) error {
	if size == 0 {
		size = defaultMaxChars
	}
	total := utf8.RuneCountInString(text)
	if offset > total {
		return tool.Invalidf("offset %d is beyond the end: the description has %d characters", offset, total)
	}
	before, _ := cut(text, offset)
	rest := text[len(before):]
	part, less := cut(rest, size)
	out.Description = strings.Clone(part)
	if less || offset > 0 {
		out.TotalChars = total
	}
	if less {
		out.NextOffset = offset + size
	}
	return nil
}

// CreateCardInput is the input of deck_create_card.
type CreateCardInput struct {
	BoardID     string `json:"board_id" jsonschema:"board id or title"`
	StackID     string `json:"stack_id" jsonschema:"list id or title"`
	Title       string `json:"title" jsonschema:"at most 255 characters"`
	Description string `json:"description,omitempty" jsonschema:"Markdown"`
	Due         string `json:"duedate,omitempty" jsonschema:"RFC 3339 with offset, or a date"`
	Start       string `json:"startdate,omitempty" jsonschema:"the same"`
	Order       *int64 `json:"order,omitempty" jsonschema:"default last"`
	Type        string `json:"type,omitempty" jsonschema:"default plain"`
}

var createCard = tool.New(tool.Def{
	Name:        "deck_create_card",
	Title:       "Create a card",
	Description: "Add a card to a list of a board.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"board_id", "stack_id", "title"},
}, func(ctx context.Context, c *api.Client, in CreateCardInput) (*CardResult, error) {
	draft := api.Draft{Title: in.Title, Description: in.Description, Type: in.Type, Order: in.Order}
	for text, into := range map[*string]**time.Time{&in.Due: &draft.Due, &in.Start: &draft.Start} {
		if *text == "" {
			continue
		}
		t, err := api.ParseTime(*text)
		if err != nil {
			return nil, err
		}
		*into = &t
	}
	board, stack, err := place(ctx, c, in.BoardID, in.StackID)
	if err != nil {
		return nil, err
	}
	k, err := c.CreateCard(ctx, board, stack, draft)
	return cardResult(c, board, k, err)
})

func cardResult(c *api.Client, board int64, k *api.Card, err error) (*CardResult, error) {
	if err != nil {
		return nil, err
	}
	return &CardResult{CardID: k.ID, StackID: k.StackID, BoardID: board, ETag: k.ETag, URL: c.CardURL(board, k.ID)}, nil
}

// UpdateCardInput is the input of deck_update_card.
type UpdateCardInput struct {
	BoardID     string  `json:"board_id,omitempty" jsonschema:"not needed"`
	StackID     string  `json:"stack_id,omitempty" jsonschema:"not needed, moves nothing"`
	CardID      int64   `json:"card_id" jsonschema:"card id"`
	ETag        string  `json:"etag,omitempty" jsonschema:"refuse if the card's differs"`
	Title       *string `json:"title,omitempty" jsonschema:"new title"`
	Description *string `json:"description,omitempty" jsonschema:"new Markdown, replaces all"`
	Due         *string `json:"duedate,omitempty" jsonschema:"RFC 3339 with offset, empty for none"`
	Start       *string `json:"startdate,omitempty" jsonschema:"the same"`
	Done        *string `json:"done,omitempty" jsonschema:"now or when, empty for not done"`
	Archived    *bool   `json:"archived,omitempty" jsonschema:"archive or bring back"`
	Order       *int64  `json:"order,omitempty" jsonschema:"place"`
	Owner       *string `json:"owner,omitempty" jsonschema:"user id"`
	Type        *string `json:"type,omitempty" jsonschema:"such as plain"`
	Color       *string `json:"color,omitempty" jsonschema:"hex, empty for none"`
}

var updateCard = tool.New(tool.Def{
	Name:        "deck_update_card",
	Title:       "Change a card",
	Description: "Change the given parts of a card and keep all others.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"board_id", "card_id"},
}, func(ctx context.Context, c *api.Client, in UpdateCardInput) (*CardResult, error) {
	board, err := boardOf(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	done := in.Done
	if done != nil {
		switch strings.ToLower(*done) {
		case "now", "true":
			done = new(time.Now().UTC().Format(time.RFC3339))
		case "false", "null", "none":
			done = new("")
		}
	}
	k, err := c.UpdateCard(ctx, in.CardID, in.ETag, api.Change{
		Title: in.Title, Description: in.Description, Type: in.Type, Owner: in.Owner, Order: in.Order, Due: in.Due, Start: in.Start, Done: done,
		Color: in.Color, Archived: in.Archived,
	})
	out, err := cardResult(c, board, k, err)
	if err == nil && in.Owner != nil && *in.Owner != k.Owner.ID {
		out.Notice = "This version of Deck does not change the owner of a card."
	}
	return out, err
})

var archiveCard = tool.New(tool.Def{
	Name:        "deck_archive_card",
	Title:       "Archive a card",
	Description: "Archive a card.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"board_id", "card_id"},
}, func(ctx context.Context, c *api.Client, in CardRef) (*CardResult, error) {
	return archive(ctx, c, in, true)
})

var unarchiveCard = tool.New(tool.Def{
	Name:        "deck_unarchive_card",
	Title:       "Unarchive a card",
	Description: "Bring an archived card back into its list.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"board_id", "card_id"},
}, func(ctx context.Context, c *api.Client, in CardRef) (*CardResult, error) {
	return archive(ctx, c, in, false)
})

func archive(ctx context.Context, c *api.Client, in CardRef, on bool) (*CardResult, error) {
	board, err := boardOf(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	k, err := c.Archive(ctx, in.CardID, on)
	return cardResult(c, board, k, err)
}

var deleteCard = tool.New(tool.Def{
	Name:        "deck_delete_card",
	Title:       "Delete a card",
	Description: "Delete a card.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"board_id", "card_id"},
}, func(ctx context.Context, c *api.Client, in CardRef) (*CardResult, error) {
	board, err := boardOf(ctx, c, in.BoardID)
	if err != nil {
		return nil, err
	}
	k, err := c.DeleteCard(ctx, in.CardID)
	if err != nil {
		return nil, err
	}
	where := "its board"
	if board > 0 {
		where = strconv.FormatInt(board, 10)
	}
	return &CardResult{
		CardID: in.CardID, BoardID: board, Title: k.Title,
		Undo: fmt.Sprintf("deck_restore_card with board_id %s and card_id %d brings it back. %s", where, in.CardID, trash),
	}, nil
})

// RestoreInput is the input of deck_restore_card.
type RestoreInput struct {
	BoardID string `json:"board_id" jsonschema:"board id or title"`
	CardID  int64  `json:"card_id" jsonschema:"card id"`
}

var restoreCard = tool.New(tool.Def{
	Name:        "deck_restore_card",
	Title:       "Restore a card",
	Description: "Bring back a card that was deleted lately.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Creates,
	Tier:        tool.Complete,
	Object:      []string{"board_id", "card_id"},
}, func(ctx context.Context, c *api.Client, in RestoreInput) (*CardResult, error) {
	board, err := c.BoardID(ctx, in.BoardID)
	if err != nil {
		return nil, err
	}
	k, err := c.RestoreCard(ctx, board, in.CardID)
	return cardResult(c, board, k, err)
})

// cardPath is a card with its board, as far as that is known.
var cardPath = regexp.MustCompile(`^(?:(\d{1,18})/)?card/(\d{1,18})$`)

// cardDocument reads a card that a search found.
var cardDocument = tool.NewDocument(tool.DocumentDef{Kind: "card", Scope: scope.DeckRead},
	func(ctx context.Context, c *api.Client, id string) (*tool.Text, error) {
		m := cardPath.FindStringSubmatch(id)
		if m == nil {
			return nil, tool.Invalidf("%.40q is no id of a card: it is card/ and its number", id)
		}
		board, _ := strconv.ParseInt(m[1], 10, 64) // 0 when it is not known
		card, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil || card <= 0 {
			return nil, &nextcloud.Error{Op: "read the card", Kind: nextcloud.ErrNotFound}
		}
		k, err := c.Card(ctx, card)
		if err != nil {
			return nil, err
		}
		return &tool.Text{Title: k.Title, Text: strings.TrimSpace(k.Title + "\n\n" + k.Description), URL: c.CardURL(board, card), Metadata: map[string]string{
			"due": k.Due, "done": k.Done, "labels": strings.Join(titles(k.Labels), ", "), "etag": k.ETag, "modified": unix(k.Modified),
		}}, nil
	})
