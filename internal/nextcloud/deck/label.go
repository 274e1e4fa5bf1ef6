package deck

import (
	"context"
	"net/http"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

func labelPath(board, label int64) string { return boardPath(board) + "/labels/" + id(label) }

// Label reads one label.
func (c *Client) Label(ctx context.Context, board, label int64) (*Label, error) {
	return c.label(ctx, "read label "+id(label), http.MethodGet, labelPath(board, label), nil)
}

func (c *Client) label(ctx context.Context, op, method, path string, body any) (*Label, error) {
	var w wireLabel
	err := c.send(ctx, op, method, path, body, &w)
	if e, ok := err.(*nextcloud.Error); ok && strings.HasPrefix(e.Message, "title must be unique") { //nolint:errorlint // failure answers it bare
		e.Kind, e.Message = nextcloud.ErrConflict, "the board has a label of this title already"
	}
	if err != nil {
		return nil, err
	}
	l := w.label()
	return &l, nil
}

// CreateLabel adds a label to a board.
func (c *Client) CreateLabel(ctx context.Context, board int64, title, color string) (*Label, error) {
	const op = "create label"
	body, err := labelBody(op, title, color)
	if err != nil {
		return nil, err
	}
	return c.label(ctx, op, http.MethodPost, boardPath(board)+"/labels", body)
}

func labelBody(op, title, color string) (map[string]any, error) {
	if err := checkTitle(op, title, 100); err != nil {
		return nil, err
	}
	color, err := hexColor(op, color)
	if err != nil {
		return nil, err
	}
	return map[string]any{"title": title, "color": color}, nil
}

// UpdateLabel changes title or color of a label; nil keeps it.
func (c *Client) UpdateLabel(ctx context.Context, board, label int64, title, color *string) (*Label, error) {
	op := "change label " + id(label)
	if title == nil && color == nil {
		return nil, invalidf(op, "there is nothing to change")
	}
	if title == nil || color == nil {
		now, err := c.Label(ctx, board, label)
		if err != nil {
			return nil, err
		}
		if title == nil {
			title = &now.Title
		}
		if color == nil {
			color = &now.Color
		}
	}
	body, err := labelBody(op, *title, *color)
	if err != nil {
		return nil, err
	}
	return c.label(ctx, op, http.MethodPut, labelPath(board, label), body)
}

// DeleteLabel removes a label from its board and from all cards, for good.
func (c *Client) DeleteLabel(ctx context.Context, board, label int64) (*Label, error) {
	return c.label(ctx, "delete label "+id(label), http.MethodDelete, labelPath(board, label), nil)
}
