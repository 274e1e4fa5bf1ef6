package deck

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Order is in which order comments come.
type Order string

// Values implements tool.Enum.
func (Order) Values() []string { return []string{"newest", "oldest"} }

// CommentsInput is the input of deck_get_card_comments.
type CommentsInput struct {
	CardID    int64  `json:"card_id" jsonschema:"card id"`
	Detail    Detail `json:"detail,omitempty" jsonschema:"default summary"`
	MaxLength int    `json:"message_max_length,omitempty" jsonschema:"characters of each"`
	Order     Order  `json:"order,omitempty" jsonschema:"within the page"`
	Limit     int    `json:"limit,omitempty" jsonschema:"default 20, at most 200"`
	Cursor    string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Comments is the outcome of deck_get_card_comments.
type Comments struct {
	Items      []CommentItem     `json:"items"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

// CommentItem is a comment in a list.
type CommentItem struct {
	api.Comment
	Truncated bool `json:"truncated,omitempty"`
}

var getComments = tool.New(tool.Def{
	Name:        "deck_get_card_comments",
	Title:       "Read comments of a card",
	Description: "Comments on a card, newest first, page by page.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Aliases:     map[string]string{"offset": "cursor"},
	Foreign:     true,
	Object:      []string{"card_id"},
}, func(ctx context.Context, c *api.Client, in CommentsInput) (*Comments, error) {
	limit := in.Limit
	switch {
	case limit == 0:
		limit = 20
	case limit < 0 || limit > api.MaxComments:
		return nil, tool.Invalidf("limit has to be between 1 and %d", api.MaxComments)
	}
	offset := 0
	if in.Cursor != "" {
		var err error
		if offset, err = strconv.Atoi(in.Cursor); err != nil || offset < 0 {
			return nil, tool.Invalidf("%.40q is no cursor of this list: take next_cursor from the page before, or leave it out", in.Cursor)
		}
	}
	if in.MaxLength < 0 {
		return nil, tool.Invalidf("message_max_length cannot be negative")
	}
	list, skipped, err := c.Comments(ctx, in.CardID, limit, offset)
	if err != nil {
		return nil, err
	}
	out := &Comments{Items: []CommentItem{}, Skipped: skipped}
	for _, x := range list {
		item := CommentItem{Comment: x}
		if in.MaxLength > 0 {
			item.Message, item.Truncated = cut(x.Message, in.MaxLength)
		}
		if in.Detail != "full" {
			item.Name, item.ReplyTo = "", 0
		}
		out.Items = append(out.Items, item)
	}
	if n := len(list) + len(skipped); n >= limit {
		out.NextCursor = strconv.Itoa(offset + n)
	}
	if in.Order == "oldest" {
		slices.Reverse(out.Items)
	}
	return out, nil
})

// Overflow is what to do with a comment that is too long.
type Overflow string

// Values implements tool.Enum.
func (Overflow) Values() []string { return []string{"error", "split"} }

// CreateCommentInput is the input of deck_create_card_comment.
type CreateCommentInput struct {
	CardID   int64    `json:"card_id" jsonschema:"card id"`
	Message  string   `json:"message" jsonschema:"at most 1000 characters, @user mentions"`
	ParentID int64    `json:"parent_id,omitempty" jsonschema:"comment to answer"`
	Overflow Overflow `json:"overflow,omitempty" jsonschema:"split posts up to 10 parts"`
}

// CommentResult is what became of a comment.
type CommentResult struct {
	CardID    int64   `json:"card_id,omitempty"`
	CommentID int64   `json:"comment_id,omitempty"`
	PartIDs   []int64 `json:"part_ids,omitempty"` // when it took several
	Undo      string  `json:"undo,omitempty"`
}

var createComment = tool.New(tool.Def{
	Name:        "deck_create_card_comment",
	Title:       "Comment on a card",
	Description: "Comment on a card.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"card_id", "parent_id"},
}, func(ctx context.Context, c *api.Client, in CreateCommentInput) (*CommentResult, error) {
	parts := split(in.Message)
	switch {
	case len(parts) == 1:
		x, err := c.CreateComment(ctx, in.CardID, in.Message, in.ParentID)
		if err != nil {
			return nil, err
		}
		return &CommentResult{CardID: in.CardID, CommentID: x.ID}, nil
	case len(parts) > maxParts:
		return nil, tool.Invalidf("The comment has %d characters, which is more than %d comments of %d hold. Nothing was posted.", length(in.Message), maxParts, api.MaxComment)
	case in.Overflow != "split":
		return nil, tool.Invalidf("The comment has %d characters, %d more than Nextcloud takes. Nothing was posted. Shorten it, or call again with overflow split for %d comments.",
			length(in.Message), length(in.Message)-api.MaxComment, len(parts))
	}
	return postParts(ctx, c, in, parts)
})

func postParts(ctx context.Context, c *api.Client, in CreateCommentInput, parts []string) (*CommentResult, error) {
	out := &CommentResult{CardID: in.CardID}
	parent := in.ParentID
	for i, part := range parts {
		x, err := c.CreateComment(ctx, in.CardID, fmt.Sprintf("(%d/%d) %s", i+1, len(parts), part), parent)
		if err != nil && i == 0 {
			return nil, err
		}
		if err != nil {
			return nil, &nextcloud.Error{
				Op: "comment on the card", Kind: nextcloud.ErrPartly, Err: err,
				Message: fmt.Sprintf("parts 1 to %d of %d are posted as comments %v; post the rest as answers to comment %d, from %.60q on", i, len(parts), out.PartIDs, out.PartIDs[0], part),
			}
		}
		out.PartIDs = append(out.PartIDs, x.ID)
		if i == 0 {
			out.CommentID, parent = x.ID, x.ID
		}
	}
	return out, nil
}

// maxParts bounds the comments of one message.
const maxParts = 10

// maxPart is what a part holds beside its number, in characters.
const maxPart = api.MaxComment - len("(10/10) ")

func length(message string) int { return len([]rune(api.TrimComment(message))) }

// split cuts a message that is too long for one comment, where possible at
// white space, and never inside of a mention. What is too long for maxParts
// comes as more parts than that, the last of them whole.
func split(message string) []string {
	rest := []rune(api.TrimComment(message))
	if len(rest) <= api.MaxComment {
		return []string{string(rest)}
	}
	var parts []string
	for len(rest) > maxPart && len(parts) < maxParts {
		at := cutAt(rest)
		parts = append(parts, strings.TrimSpace(string(rest[:at])))
		rest = rest[at:]
		for len(rest) > 0 && unicode.IsSpace(rest[0]) {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		parts = append(parts, string(rest))
	}
	return parts
}

// cutAt is where to cut text that is longer than a part.
func cutAt(text []rune) int {
	const enough = maxPart / 2
	inQuotes, opened := false, 0
	space := 0
	for i, r := range text[:maxPart+1] {
		switch {
		case inQuotes:
			// A name with spaces is mentioned as @"name".
			inQuotes = r != '"' && i-opened < 100
		case r == '"' && i > 0 && text[i-1] == '@':
			inQuotes, opened = true, i
		case r == ' ' || r == '\n' || r == '\t':
			space = i
		}
	}
	if space > enough {
		return space
	}
	// A long word: not inside of a mention, though.
	for i := maxPart; i > enough; i-- {
		if text[i] == '@' {
			return i
		}
	}
	return maxPart
}

// UpdateCommentInput is the input of deck_update_card_comment.
type UpdateCommentInput struct {
	CardID    int64  `json:"card_id" jsonschema:"card id"`
	CommentID int64  `json:"comment_id" jsonschema:"comment id"`
	Message   string `json:"message" jsonschema:"at most 1000 characters"`
}

var updateComment = tool.New(tool.Def{
	Name:        "deck_update_card_comment",
	Title:       "Change a comment",
	Description: "Change an own comment on a card.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Object:      []string{"card_id", "comment_id"},
}, func(ctx context.Context, c *api.Client, in UpdateCommentInput) (*CommentResult, error) {
	if _, err := c.UpdateComment(ctx, in.CardID, in.CommentID, in.Message); err != nil {
		return nil, err
	}
	return &CommentResult{CardID: in.CardID, CommentID: in.CommentID}, nil
})

// CommentRef is the input of deck_delete_card_comment.
type CommentRef struct {
	CardID    int64 `json:"card_id" jsonschema:"card id"`
	CommentID int64 `json:"comment_id" jsonschema:"comment id"`
}

var deleteComment = tool.New(tool.Def{
	Name:        "deck_delete_card_comment",
	Title:       "Delete a comment",
	Description: "Delete an own comment for good.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Object:      []string{"card_id", "comment_id"},
}, func(ctx context.Context, c *api.Client, in CommentRef) (*CommentResult, error) {
	if err := c.DeleteComment(ctx, in.CardID, in.CommentID); err != nil {
		return nil, err
	}
	return &CommentResult{CardID: in.CardID, CommentID: in.CommentID, Undo: "This cannot be undone. The text can be posted again with deck_create_card_comment."}, nil
})
