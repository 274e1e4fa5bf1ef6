package deck

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// number reads an id.
func number(ref string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(ref), 10, 64)
	return n, err == nil && n > 0
}

// named is something that has an id and a title.
type named struct {
	id    string
	title string
}

// pick finds the one that a name means: by its id or title, and else by its title
// whatever the case.
func pick(op, what, name string, all []named) (int, error) {
	name = strings.TrimSpace(name)
	var exact, part []int
	for i, n := range all {
		switch {
		case n.title == name || n.id == name:
			exact = append(exact, i)
		case strings.EqualFold(n.title, name):
			part = append(part, i)
		}
	}
	found := exact
	if len(found) == 0 {
		found = part
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return 0, notFoundf(op, "there is no %s %.80q. There are: %s", what, name, candidates(all, nil))
	}
	return 0, invalidf(op, "there are several %ss %.80q, so give the id: %s", what, name, candidates(all, found))
}

// maxCandidates bounds what an error lists.
const maxCandidates = 30

func candidates(all []named, only []int) string {
	if only == nil {
		for i := range all {
			only = append(only, i)
		}
	}
	if len(only) == 0 {
		return "none"
	}
	var words []string
	for _, i := range only[:min(len(only), maxCandidates)] {
		words = append(words, fmt.Sprintf("%.60q (%s)", all[i].title, all[i].id))
	}
	if more := len(only) - maxCandidates; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, ", ")
}

// BoardID is the id of a board that is given by id, which costs nothing, or by
// title.
func (c *Client) BoardID(ctx context.Context, ref string) (int64, error) {
	const op = "find the board"
	if n, ok := number(ref); ok {
		return n, nil
	}
	if strings.TrimSpace(ref) == "" {
		return 0, invalidf(op, "board_id is missing: give the id or the title of a board")
	}
	boards, err := c.Boards(ctx)
	if err != nil {
		return 0, err
	}
	var all []named
	for _, b := range boards.Items {
		all = append(all, named{id(b.ID), b.Title})
	}
	i, err := pick(op, "board", ref, all)
	if err != nil {
		return 0, err
	}
	return boards.Items[i].ID, nil
}

// StackID is the id of a list of a board that is given by id, which costs
// nothing, or by title.
func (c *Client) StackID(ctx context.Context, board int64, ref string) (int64, error) {
	const op = "find the list"
	if n, ok := number(ref); ok {
		return n, nil
	}
	if strings.TrimSpace(ref) == "" {
		return 0, invalidf(op, "stack_id is missing: give the id or the title of a list")
	}
	b, err := c.Board(ctx, board)
	if err != nil {
		return 0, err
	}
	s, err := b.Stack(ref)
	return s.ID, err
}

// LabelID is the id of a label of a board that is given by id, which costs
// nothing, or by title.
func (c *Client) LabelID(ctx context.Context, board int64, ref string) (int64, error) {
	if n, ok := number(ref); ok {
		return n, nil
	}
	b, err := c.Board(ctx, board)
	if err != nil {
		return 0, err
	}
	l, err := b.Label(ref)
	return l.ID, err
}

// Stack is the list of the board with an id or a title.
func (b *Board) Stack(ref string) (Stack, error) {
	var all []named
	for _, s := range b.Stacks {
		all = append(all, named{id(s.ID), s.Title})
	}
	i, err := pick("find the list", "list", ref, all)
	if err != nil {
		return Stack{}, err
	}
	return b.Stacks[i], nil
}

// Label is the label of the board with an id or a title.
func (b *Board) Label(ref string) (Label, error) {
	var all []named
	for _, l := range b.Labels {
		all = append(all, named{id(l.ID), l.Title})
	}
	i, err := pick("find the label", "label", ref, all)
	if err != nil {
		return Label{}, err
	}
	return b.Labels[i], nil
}

// User is the person of the board with a user id or a display name.
func (b *Board) User(ref string) (User, error) {
	all := []named{}
	for _, u := range b.Users {
		if u.ID == ref {
			return u, nil
		}
		all = append(all, named{u.ID, u.Name})
	}
	i, err := pick("find the person", "person", ref, all)
	if err != nil {
		return User{}, err
	}
	return b.Users[i], nil
}

// Me is the person's own user id.
func (c *Client) Me(ctx context.Context) (string, error) {
	user, err := c.nc.UserID(ctx)
	return string(user), err
}

func checkTitle(op, title string, limit int) error {
	switch n := utf8.RuneCountInString(title); {
	case strings.TrimSpace(title) == "":
		return invalidf(op, "the title is empty")
	case n > limit:
		return invalidf(op, "the title has %d characters, Deck takes %d", n, limit)
	}
	return nil
}

// hexColor is a color as Deck takes it.
func hexColor(op, color string) (string, error) {
	plain := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(color), "#"))
	if len(plain) == 3 {
		plain = string([]byte{plain[0], plain[0], plain[1], plain[1], plain[2], plain[2]})
	}
	if len(plain) != 6 || strings.Trim(plain, "0123456789abcdef") != "" {
		return "", invalidf(op, "%.20q is no color: give six hexadecimal digits such as 0082c9", color)
	}
	return plain, nil
}
