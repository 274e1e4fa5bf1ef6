package deck

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// User is a person as Deck knows them.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Label is a label of a board.
type Label struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
	Color string `json:"color,omitempty"` // hexadecimal, without #
}

// Stack is a list of a board.
type Stack struct {
	ID       int64  `json:"id"`
	Title    string `json:"title"`
	Order    int64  `json:"order"`
	Done     bool   `json:"done_column,omitempty"` // cards that come here are done
	BoardID  int64  `json:"-"`
	Modified int64  `json:"-"` // Unix seconds
}

// Access is what somebody may do on a board that is shared with them.
type Access struct {
	Participant string `json:"participant"`
	Kind        string `json:"kind,omitempty"` // group, team or remote; empty for a person
	Edit        bool   `json:"edit,omitempty"`
	Share       bool   `json:"share,omitempty"`
	Manage      bool   `json:"manage,omitempty"`
}

// Board is a board. Lists of boards leave out labels, stacks and users.
type Board struct {
	ID       int64
	Title    string
	Color    string
	Owner    User
	Archived bool
	Deleted  bool
	Modified int64 // Unix seconds
	ETag     string
	MayEdit  bool
	MayAdmin bool // manage lists and labels
	Labels   []Label
	Stacks   []Stack
	Users    []User
	Access   []Access
}

type wireUser struct {
	UID  lenient.Text `json:"uid"`
	Name lenient.Text `json:"displayname"`
}

// person is an object, or in some answers the uid alone.
type person User

// UnmarshalJSON implements json.Unmarshaler.
func (p *person) UnmarshalJSON(data []byte) error {
	*p = person{}
	var w wireUser
	if json.Unmarshal(data, &w) == nil {
		*p = person{string(w.UID), string(w.Name)}
		return nil
	}
	var uid lenient.Text
	if json.Unmarshal(data, &uid) == nil {
		p.ID = string(uid)
	}
	return nil
}

type wireLabel struct {
	ID    lenient.Int  `json:"id"`
	Title lenient.Text `json:"title"`
	Color lenient.Text `json:"color"`
}

func (l *wireLabel) Check() error {
	if l.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (l *wireLabel) label() Label { return Label{int64(l.ID), string(l.Title), string(l.Color)} }

type wireStack struct {
	ID       lenient.Int  `json:"id"`
	Title    lenient.Text `json:"title"`
	BoardID  lenient.Int  `json:"boardId"`
	Order    lenient.Int  `json:"order"`
	Done     lenient.Bool `json:"isDoneColumn"`
	Modified lenient.Int  `json:"lastModified"`
	Deleted  lenient.Int  `json:"deletedAt"`
}

func (s *wireStack) Check() error {
	if s.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (s *wireStack) stack() Stack {
	return Stack{ID: int64(s.ID), Title: string(s.Title), Order: int64(s.Order), Done: bool(s.Done), BoardID: int64(s.BoardID), Modified: int64(s.Modified)}
}

// sortStacks puts lists in their order. Nextcloud: Deck sends them in none.
func sortStacks(stacks []Stack) {
	slices.SortFunc(stacks, func(a, b Stack) int { return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.ID, b.ID)) })
}

type wireAccess struct {
	Participant person       `json:"participant"`
	Type        lenient.Int  `json:"type"`
	Edit        lenient.Bool `json:"permissionEdit"`
	Share       lenient.Bool `json:"permissionShare"`
	Manage      lenient.Bool `json:"permissionManage"`
}

type wireBoard struct {
	ID       lenient.Int                  `json:"id"`
	Title    lenient.Text                 `json:"title"`
	Color    lenient.Text                 `json:"color"`
	Owner    person                       `json:"owner"`
	Archived lenient.Bool                 `json:"archived"`
	Deleted  lenient.Int                  `json:"deletedAt"`
	Modified lenient.Int                  `json:"lastModified"`
	ETag     lenient.Text                 `json:"ETag"`
	May      lenient.Object[lenient.Bool] `json:"permissions"`
	Labels   lenient.List[wireLabel]      `json:"labels"`
	Stacks   lenient.List[wireStack]      `json:"stacks"`
	Users    lenient.List[person]         `json:"users"`
	Access   lenient.List[wireAccess]     `json:"acl"`
}

func (b *wireBoard) Check() error {
	if b.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (b *wireBoard) board() *Board {
	out := &Board{
		ID: int64(b.ID), Title: string(b.Title), Color: string(b.Color), Owner: User(b.Owner), Archived: bool(b.Archived), Deleted: b.Deleted > 0,
		Modified: int64(b.Modified), ETag: string(b.ETag), MayEdit: bool(b.May["PERMISSION_EDIT"]), MayAdmin: bool(b.May["PERMISSION_MANAGE"]),
	}
	for i := range b.Labels.Items {
		out.Labels = append(out.Labels, b.Labels.Items[i].label())
	}
	for i := range b.Stacks.Items {
		if s := &b.Stacks.Items[i]; s.Deleted == 0 {
			out.Stacks = append(out.Stacks, s.stack())
		}
	}
	sortStacks(out.Stacks)
	for _, u := range b.Users.Items {
		out.Users = append(out.Users, User(u))
	}
	for _, a := range b.Access.Items {
		kind := map[lenient.Int]string{1: "group", 6: "remote", 7: "team"}[a.Type]
		out.Access = append(out.Access, Access{a.Participant.ID, kind, bool(a.Edit), bool(a.Share), bool(a.Manage)})
	}
	return out
}

// kept is a parsed answer with its ETag.
type kept[T any] struct {
	etag  string
	value T
}

// cached gets what has an ETag, and asks Nextcloud only whether it changed when
// it is known.
func cached[T any](ctx context.Context, c *Client, op, path string, read func([]byte) (T, int64, error)) (T, error) {
	var zero T
	key := "deck " + path
	r := nextcloud.Request{Op: op, Path: path}
	known, ok := c.nc.Cached(ctx, key)
	before, _ := known.(kept[T])
	if ok && before.etag != "" {
		r.Header = http.Header{"If-None-Match": {nextcloud.QuoteETag(before.etag)}}
	}
	res, err := c.nc.Do(ctx, r)
	if err != nil {
		return zero, failure(err, http.MethodGet)
	}
	if res.Status == http.StatusNotModified && before.etag != "" {
		return before.value, nil
	}
	value, modified, err := read(res.Body)
	if err != nil {
		return zero, badAnswer(op, res, err)
	}
	// Nextcloud: Deck makes ETags of the second of the last change, so what
	// changed within this second may change once more without a new one.
	now, err := http.ParseTime(res.Header.Get("Date"))
	if etag := res.ETag(); etag != "" && err == nil && now.Unix() > modified+1 {
		c.nc.Store(ctx, key, kept[T]{etag, value}, len(res.Body))
	} else {
		c.nc.Forget(ctx, key)
	}
	return value, nil
}

// Boards is a list of boards.
type Boards struct {
	Items   []*Board
	Skipped []lenient.Skipped
}

// Boards are the boards that the person sees, without the deleted ones.
func (c *Client) Boards(ctx context.Context) (*Boards, error) {
	return cached(ctx, c, "list boards", rest+"/boards", func(body []byte) (*Boards, int64, error) {
		var list lenient.List[wireBoard]
		if err := json.Unmarshal(body, &list); err != nil {
			return nil, 0, err
		}
		out := &Boards{Skipped: list.Skipped}
		var modified int64
		for i := range list.Items {
			b := list.Items[i].board()
			modified = max(modified, b.Modified)
			if !b.Deleted {
				out.Items = append(out.Items, b)
			}
		}
		return out, modified, nil
	})
}

// Board is one board with its labels, lists and people, without cards.
func (c *Client) Board(ctx context.Context, board int64) (*Board, error) {
	return cached(ctx, c, "read board "+id(board), boardPath(board), func(body []byte) (*Board, int64, error) {
		var w wireBoard
		if err := json.Unmarshal(body, &w); err != nil {
			return nil, 0, err
		}
		b := w.board()
		b.ID = board
		return b, b.Modified, nil
	})
}

// CreateBoard makes a board. The color is hexadecimal, without #.
func (c *Client) CreateBoard(ctx context.Context, title, color string) (*Board, error) {
	const op = "create board"
	if err := checkTitle(op, title, 100); err != nil {
		return nil, err
	}
	color, err := hexColor(op, color)
	if err != nil {
		return nil, err
	}
	var w wireBoard
	if err := c.send(ctx, op, http.MethodPost, rest+"/boards", map[string]any{"title": title, "color": color}, &w); err != nil {
		return nil, err
	}
	return w.board(), nil
}

// DeleteBoard puts a board into Deck's trash. No tool does this; it cleans up
// behind tests.
func (c *Client) DeleteBoard(ctx context.Context, board int64) error {
	return c.send(ctx, "delete board "+id(board), http.MethodDelete, boardPath(board), nil, nil)
}

// UndeleteBoard brings a deleted board back.
func (c *Client) UndeleteBoard(ctx context.Context, board int64) error {
	return c.send(ctx, "restore board "+id(board), http.MethodPost, boardPath(board)+"/undo_delete", nil, nil)
}

// ParseTime reads a date and time with an offset, or a date.
func ParseTime(text string) (time.Time, error) {
	const op = "read the date"
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	return time.Time{}, invalidf(op, "%.40q is no date and time with an offset, such as 2026-12-24T18:00:00+01:00", text)
}
