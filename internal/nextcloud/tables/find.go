package tables

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
)

// Find is the id of a table that is named by its id or its title. A number is
// taken for an id without asking.
func (c *Client) Find(ctx context.Context, name string) (int64, error) {
	if id, ok := number64(name); ok {
		return id, nil
	}
	t, err := c.byTitle(ctx, name)
	if err != nil {
		return 0, err
	}
	return t.ID, nil
}

// Open is a table that is named by its id or its title, and its columns.
func (c *Client) Open(ctx context.Context, name string) (*Table, *Columns, error) {
	id, ok := number64(name)
	if !ok {
		t, err := c.byTitle(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		columns, err := c.Columns(ctx, t.ID)
		return t, columns, err
	}
	var t *Table
	var columns *Columns
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		t, err = c.Table(ctx, id)
		return err
	})
	group.Go(func() (err error) {
		columns, err = c.Columns(ctx, id)
		return err
	})
	return t, columns, group.Wait()
}

// FindView is the id of a view of a table, each named by id or title.
func (c *Client) FindView(ctx context.Context, table, view string) (int64, error) {
	var t *Table
	var err error
	if id, ok := number64(table); ok {
		t, err = c.Table(ctx, id)
	} else {
		t, err = c.byTitle(ctx, table)
	}
	if err != nil {
		return 0, err
	}
	names := make([]named, len(t.Views))
	for i, v := range t.Views {
		names[i] = named{v.ID, v.Title, ""}
		if strconv.FormatInt(v.ID, 10) == view {
			return v.ID, nil
		}
	}
	i, err := pick("find view", "view of this table", view, names)
	if err != nil {
		return 0, err
	}
	return t.Views[i].ID, nil
}

func (c *Client) byTitle(ctx context.Context, title string) (*Table, error) {
	all, _, err := c.Tables(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]named, len(all))
	for i, t := range all {
		names[i] = named{t.ID, t.Title, t.Owner}
	}
	i, err := pick("find table", "table", title, names)
	if err != nil {
		return nil, err
	}
	return &all[i], nil
}

// number64 reads an id.
func number64(text string) (int64, bool) {
	id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return id, err == nil && id > 0
}

type named struct {
	id           int64
	title, owner string
}

// pick is the index of the one with a title, in this spelling or else in any.
func pick(op, what, title string, names []named) (int, error) {
	for _, same := range []func(string) bool{
		func(s string) bool { return s == title },
		func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), strings.TrimSpace(title)) },
	} {
		var found []int
		for i, n := range names {
			if same(n.title) {
				found = append(found, i)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			var words []string
			for _, i := range found {
				words = append(words, names[i].String())
			}
			return 0, invalid(op, fmt.Sprintf("several are called %q: give the id, one of %s", title, some(words)))
		}
	}
	var words []string
	for _, n := range names {
		words = append(words, n.String())
	}
	message := fmt.Sprintf("there is no %s %q", what, short(title))
	if len(words) > 0 {
		message += ", there are " + some(words)
	}
	return 0, &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Message: message}
}

func (n named) String() string {
	if n.owner == "" {
		return fmt.Sprintf("%d (%s)", n.id, n.title)
	}
	return fmt.Sprintf("%d (%s, of %s)", n.id, n.title, n.owner)
}
