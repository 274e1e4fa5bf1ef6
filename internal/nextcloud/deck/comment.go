package deck

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// MaxComment is how long a comment may be, in code points after the white space
// around it is gone (OCP\Comments\IComment::MAX_MESSAGE_LENGTH).
const MaxComment = 1000

// MaxComments is how many comments Deck answers at once.
const MaxComments = 200

// Comment is a comment on a card.
type Comment struct {
	ID      int64  `json:"id"`
	Author  string `json:"author,omitempty"` // user id
	Name    string `json:"author_name,omitempty"`
	Message string `json:"message"`
	Created string `json:"created,omitempty"` // RFC 3339
	ReplyTo int64  `json:"reply_to,omitempty"`
}

type wireComment struct {
	ID      lenient.Int  `json:"id"`
	Author  lenient.Text `json:"actorId"`
	Name    lenient.Text `json:"actorDisplayName"`
	Message lenient.Text `json:"message"`
	Created lenient.Text `json:"creationDateTime"`
	ReplyTo lenient.Maybe[struct {
		ID lenient.Int `json:"id"`
	}] `json:"replyTo"`
}

func (w *wireComment) Check() error {
	if w.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (w *wireComment) comment() Comment {
	out := Comment{ID: int64(w.ID), Author: string(w.Author), Name: string(w.Name), Message: string(w.Message), Created: string(w.Created)}
	if w.ReplyTo.Value != nil {
		out.ReplyTo = int64(w.ReplyTo.Value.ID)
	}
	return out
}

func commentsPath(card int64) string { return "/cards/" + id(card) + "/comments" }

// Comments are comments on a card, newest first.
func (c *Client) Comments(ctx context.Context, card int64, limit, offset int) ([]Comment, []lenient.Skipped, error) {
	var list lenient.List[wireComment]
	query := map[string][]string{"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
	if err := c.ocs(ctx, "list comments of card "+id(card), http.MethodGet, commentsPath(card), query, nil, &list); err != nil {
		return nil, nil, err
	}
	out := make([]Comment, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, list.Items[i].comment())
	}
	return out, list.Skipped, nil
}

// TrimComment is a message as Nextcloud keeps it: PHP's trim takes away spaces,
// tabs, line breaks, vertical tabs and NUL, and no other white space.
func TrimComment(message string) string { return strings.Trim(message, " \t\n\r\v\x00") }

func checkComment(op, message string) (string, error) {
	message = TrimComment(message)
	switch n := utf8.RuneCountInString(message); {
	case message == "":
		return "", invalidf(op, "the comment is empty")
	case n > MaxComment:
		return "", invalidf(op, "the comment has %d characters, %d more than the %d that Nextcloud takes", n, n-MaxComment, MaxComment)
	}
	return message, nil
}

// CreateComment comments on a card; parent is the comment that it answers, or 0.
func (c *Client) CreateComment(ctx context.Context, card int64, message string, parent int64) (*Comment, error) {
	op := "comment on card " + id(card)
	message, err := checkComment(op, message)
	if err != nil {
		return nil, err
	}
	var w wireComment
	err = c.ocs(ctx, op, http.MethodPost, commentsPath(card), nil, map[string]any{"message": message, "parentId": parent}, &w)
	if err != nil {
		return nil, err
	}
	out := w.comment()
	return &out, nil
}

// UpdateComment changes the text of an own comment.
func (c *Client) UpdateComment(ctx context.Context, card, comment int64, message string) (*Comment, error) {
	op := "change comment " + id(comment)
	message, err := checkComment(op, message)
	if err != nil {
		return nil, err
	}
	var w wireComment
	err = c.ocs(ctx, op, http.MethodPut, commentsPath(card)+"/"+id(comment), nil, map[string]any{"message": message}, &w)
	if err != nil {
		return nil, err
	}
	out := w.comment()
	return &out, nil
}

// DeleteComment removes an own comment for good.
func (c *Client) DeleteComment(ctx context.Context, card, comment int64) error {
	return c.ocs(ctx, "delete comment "+id(comment), http.MethodDelete, commentsPath(card)+"/"+id(comment), nil, nil, nil)
}
