package deck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// EachCard visits the cards of a board, those of a list in their order and the
// lists in no certain one: the archived ones or the others. The lists themselves are answered at the end.
// The cards are read one after the other, so that a board of thousands costs no
// more than its answer; what visit does not keep is gone. A list or card that
// cannot be read is skipped and named.
func (c *Client) EachCard(ctx context.Context, board int64, archived bool, visit func(*Card)) ([]Stack, []lenient.Skipped, error) {
	op, path := "list the cards of board "+id(board), boardPath(board)+"/stacks"
	if archived {
		path += "/archived"
	}
	res, err := c.nc.Do(ctx, nextcloud.Request{Op: op, Path: path, MaxBody: maxBoard})
	if err != nil {
		return nil, nil, failure(err, http.MethodGet)
	}
	r := &cardReader{dec: json.NewDecoder(bytes.NewReader(res.Body)), visit: visit}
	if err := r.stacks(); err != nil {
		return nil, nil, badAnswer(op, res, err)
	}
	sortStacks(r.found)
	return r.found, r.skipped, nil
}

// cardReader reads the answer that holds the cards of a board.
type cardReader struct {
	dec     *json.Decoder
	raw     json.RawMessage // of one value, used again for the next
	visit   func(*Card)
	found   []Stack
	skipped []lenient.Skipped
}

var errShape = errors.New("no list of stacks")

// each calls one for every item of the list that comes next. PHP's list with
// gaps is an object, whose keys do not matter here.
func (r *cardReader) each(one func() error) (bool, error) {
	token, err := r.dec.Token()
	if err != nil {
		return false, err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return token == nil, nil // null is an empty list
	}
	for r.dec.More() {
		if open == '{' {
			if _, err := r.dec.Token(); err != nil {
				return false, err
			}
		}
		if err := one(); err != nil {
			return false, err
		}
	}
	_, err = r.dec.Token()
	return true, err
}

func (r *cardReader) stacks() error {
	list, err := r.each(r.stack)
	if err == nil && !list {
		err = errShape
	}
	return err
}

func (r *cardReader) skip(why error, raw json.RawMessage) {
	var v struct {
		ID lenient.Text `json:"id"`
	}
	s := lenient.Skipped{Why: "unreadable answer of the server"}
	if errors.Is(why, lenient.NoID()) {
		s.Why = "the server gave it no id"
	}
	if json.Unmarshal(raw, &v) == nil {
		s.ID = string(v.ID)
	}
	r.skipped = append(r.skipped, s)
}

// stack reads one list: its fields as they come, and its cards one by one.
func (r *cardReader) stack() error {
	token, err := r.dec.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok || open != '{' {
		r.skip(errShape, nil)
		return r.rest(ok)
	}
	fields := map[string]json.RawMessage{}
	for r.dec.More() {
		name, err := r.dec.Token()
		if err != nil {
			return err
		}
		key, _ := name.(string)
		if key == "cards" {
			list, err := r.each(r.card)
			if err != nil {
				return err
			}
			if !list {
				r.skip(errShape, nil)
			}
			continue
		}
		var raw json.RawMessage
		if err := r.dec.Decode(&raw); err != nil {
			return err
		}
		fields[key] = raw
	}
	if _, err := r.dec.Token(); err != nil {
		return err
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	var w wireStack
	if err = json.Unmarshal(b, &w); err == nil {
		err = w.Check()
	}
	if err != nil {
		r.skip(err, b)
		return nil
	}
	r.found = append(r.found, w.stack())
	return nil
}

// rest leaves a list that stands in the place of an object.
func (r *cardReader) rest(open bool) error {
	if !open {
		return nil
	}
	for r.dec.More() {
		if err := r.dec.Decode(&r.raw); err != nil {
			return err
		}
	}
	_, err := r.dec.Token()
	return err
}

func (r *cardReader) card() error {
	if err := r.dec.Decode(&r.raw); err != nil {
		return err
	}
	var w wireCard
	err := json.Unmarshal(r.raw, &w)
	if err == nil {
		err = w.Check()
	}
	if err != nil {
		r.skip(err, r.raw)
		return nil
	}
	r.visit(w.card())
	return nil
}

// CreateStack adds a list to a board.
func (c *Client) CreateStack(ctx context.Context, board int64, title string, order int64) (*Stack, error) {
	const op = "create list"
	if err := checkTitle(op, title, 100); err != nil {
		return nil, err
	}
	var w wireStack
	err := c.send(ctx, op, http.MethodPost, boardPath(board)+"/stacks", map[string]any{"title": title, "order": order}, &w)
	if err != nil {
		return nil, err
	}
	s := w.stack()
	return &s, nil
}

// UpdateStack changes title or place of a list; nil keeps it. With both, a
// deleted list comes back.
func (c *Client) UpdateStack(ctx context.Context, board, stack int64, title *string, order *int64) (*Stack, error) {
	op := "change list " + id(stack)
	if title == nil && order == nil {
		return nil, invalidf(op, "there is nothing to change")
	}
	if title == nil || order == nil {
		now, err := c.stack(ctx, board, stack)
		if err != nil {
			return nil, err
		}
		if title == nil {
			title = &now.Title
		}
		if order == nil {
			order = &now.Order
		}
	}
	if err := checkTitle(op, *title, 100); err != nil {
		return nil, err
	}
	var w wireStack
	err := c.send(ctx, op, http.MethodPut, stackPath(board, stack), map[string]any{"title": *title, "order": *order}, &w)
	if err != nil {
		return nil, err
	}
	s := w.stack()
	return &s, nil
}

// stack is a list as it is now, never from the cache: what is read is written
// back.
func (c *Client) stack(ctx context.Context, board, stack int64) (*Stack, error) {
	var w wireBoard
	if err := c.get(ctx, "read board "+id(board), boardPath(board), &w); err != nil {
		return nil, err
	}
	b := w.board()
	for _, s := range b.Stacks {
		if s.ID == stack {
			return &s, nil
		}
	}
	return nil, notFoundf("find the list", "board %d has no list %d. There are: %s", board, stack, b.stackNames())
}

// DeleteStack puts a list with its cards into Deck's trash.
func (c *Client) DeleteStack(ctx context.Context, board, stack int64) (*Stack, error) {
	var w wireStack
	if err := c.send(ctx, "delete list "+id(stack), http.MethodDelete, stackPath(board, stack), nil, &w); err != nil {
		return nil, err
	}
	s := w.stack()
	return &s, nil
}
