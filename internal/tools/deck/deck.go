// Package deck declares the tools of the Deck app. It is separate from the
// client below it because only this side knows what a model needs to be told
// and what it need not read.
package deck

import (
	"context"
	"unicode/utf8"

	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the Deck area.
var Tools = tool.Group[*api.Client]{
	Name: "deck", Title: "Deck", App: "deck", Client: api.New,
	Tools: []tool.Of[*api.Client]{
		getBoards, overview, getCard, createCard, updateCard,
		getBoard, getStacks, getStack, getArchivedStacks, getCards,
		reorderCard, moveCard, archiveCard, unarchiveCard, deleteCard, restoreCard,
		getComments, createComment, updateComment, deleteComment,
		getLabels, getLabel, createLabel, updateLabel, deleteLabel, assignLabel, removeLabel,
		assignUser, unassignUser, assignDependent, removeDependent,
		createBoard, createStack, updateStack, deleteStack,
		listAttachments, attachFile, attachNote, deleteAttachment,
	},
	Documents: []tool.DocumentOf[*api.Client]{cardDocument},
}

// CardResult is what became of a card.
type CardResult struct {
	CardID  int64    `json:"card_id,omitempty"`
	Title   string   `json:"title,omitempty"`
	StackID int64    `json:"stack_id,omitempty"`
	BoardID int64    `json:"board_id,omitempty"`
	ETag    string   `json:"etag,omitempty"`
	Labels  []string `json:"labels,omitempty"`
	Notice  string   `json:"notice,omitempty"`
	URL     string   `json:"url,omitempty"`
	Undo    string   `json:"undo,omitempty"`
}

func titles(labels []api.Label) []string {
	var out []string
	for _, l := range labels {
		out = append(out, l.Title)
	}
	return out
}

// boardOf is the board of a card tool, whose board is only needed for links
// and names: 0 when none is given.
func boardOf(ctx context.Context, c *api.Client, ref string) (int64, error) {
	if ref == "" {
		return 0, nil
	}
	return c.BoardID(ctx, ref)
}

// place is a list of a board, both by id or title.
func place(ctx context.Context, c *api.Client, board, stack string) (boardID, stackID int64, err error) {
	if boardID, err = c.BoardID(ctx, board); err != nil {
		return 0, 0, err
	}
	stackID, err = c.StackID(ctx, boardID, stack)
	return boardID, stackID, err
}

// cut leaves the first n characters of a text, and says whether that is less.
func cut(text string, n int) (string, bool) {
	if utf8.RuneCountInString(text) <= n {
		return text, false
	}
	for i := range text {
		if n == 0 {
			return text[:i], true
		}
		n--
	}
	return text, false
}

// trash is how long Deck keeps what was deleted.
const trash = "Deck keeps deleted things for a short time only: 5 hours, unless an administrator changed it, and older versions minutes."
