// Package tables is the typed client of the Tables app's REST API, version 1
// (github.com/nextcloud/tables, docs/api.md). It is separate from the tools so
// that what the app stores for each type of column, and what it drops without
// a word, is known in one place. Version 2 is not used: it answers people who
// are not signed in with 200 and nothing.
package tables

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

const apiPath = "/index.php/apps/tables/api/1"

// Client reads and writes the tables that one person can see.
type Client struct {
	nc *nextcloud.Client
}

// New is the tables of the person that nc speaks for.
func New(nc *nextcloud.Client) *Client { return &Client{nc} }

// Tables are all tables of the person, shared ones too, with their views.
func (c *Client) Tables(ctx context.Context) ([]Table, []lenient.Skipped, error) {
	var list lenient.List[wireTable]
	if _, err := c.nc.JSON(ctx, nextcloud.Request{Op: "list tables", Path: apiPath + "/tables"}, &list); err != nil {
		if e, ok := errors.AsType[*nextcloud.Error](err); ok && errors.Is(e, nextcloud.ErrNotFound) {
			return nil, nil, missingApp(e)
		}
		return nil, nil, err
	}
	out := make([]Table, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, c.table(&list.Items[i]))
	}
	return out, list.Skipped, nil
}

// Table is one table with its views.
func (c *Client) Table(ctx context.Context, id int64) (*Table, error) {
	return c.oneTable(ctx, nextcloud.Request{Op: fmt.Sprintf("read table %d", id), Path: tablePath(id)})
}

// CreateTable makes an empty table. A title need not be unique.
func (c *Client) CreateTable(ctx context.Context, title, emoji, description string) (*Table, error) {
	if strings.TrimSpace(title) == "" {
		return nil, invalid("create table", "a table needs a title")
	}
	body := map[string]string{"title": title, "template": "custom", "description": description}
	if emoji != "" {
		body["emoji"] = emoji
	}
	return c.oneTable(ctx, nextcloud.Request{
		Op: "create table", Method: http.MethodPost, Path: apiPath + "/tables", Body: nextcloud.JSONBody(body), Type: "application/json",
	})
}

// DeleteTable removes a table with its rows and views for good.
func (c *Client) DeleteTable(ctx context.Context, id int64) error {
	_, err := c.nc.Do(ctx, nextcloud.Request{Op: fmt.Sprintf("delete table %d", id), Method: http.MethodDelete, Path: tablePath(id)})
	return explained(err)
}

func (c *Client) oneTable(ctx context.Context, r nextcloud.Request) (*Table, error) {
	var w wireTable
	if err := c.one(ctx, r, &w); err != nil {
		return nil, err
	}
	t := c.table(&w)
	return &t, nil
}

// Columns are the columns of a table in the order in which they were made.
func (c *Client) Columns(ctx context.Context, table int64) (*Columns, error) {
	return c.columns(ctx, fmt.Sprintf("list the columns of table %d", table), tablePath(table)+"/columns")
}

// ViewColumns are the columns that a view shows.
func (c *Client) ViewColumns(ctx context.Context, view int64) (*Columns, error) {
	return c.columns(ctx, fmt.Sprintf("list the columns of view %d", view), viewPath(view)+"/columns")
}

func (c *Client) columns(ctx context.Context, op, path string) (*Columns, error) {
	var list lenient.List[wireColumn]
	if _, err := c.nc.JSON(ctx, nextcloud.Request{Op: op, Path: path}, &list); err != nil {
		return nil, explained(err)
	}
	return newColumns(list.Items, list.Skipped), nil
}

// Page is a part of the rows of a table or view.
type Page struct {
	Rows    []Row
	Skipped []lenient.Skipped
	More    bool // there may be rows behind these
}

// Rows are the rows of a table, oldest first.
func (c *Client) Rows(ctx context.Context, table int64, limit, offset int) (*Page, error) {
	return c.rows(ctx, fmt.Sprintf("read the rows of table %d", table), tablePath(table)+"/rows", limit, offset)
}

// ViewRows are the rows that a view lets through, in its order.
func (c *Client) ViewRows(ctx context.Context, view int64, limit, offset int) (*Page, error) {
	return c.rows(ctx, fmt.Sprintf("read the rows of view %d", view), viewPath(view)+"/rows", limit, offset)
}

func (c *Client) rows(ctx context.Context, op, path string, limit, offset int) (*Page, error) {
	// Nextcloud: without a limit all rows come, with 0 or less a broken page.
	if limit <= 0 || offset < 0 {
		return nil, invalid(op, "the limit has to be at least 1 and the offset at least 0")
	}
	var list lenient.List[wireRow]
	query := url.Values{"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
	if _, err := c.nc.JSON(ctx, nextcloud.Request{Op: op, Path: path, Query: query}, &list); err != nil {
		return nil, explained(err)
	}
	p := &Page{Skipped: list.Skipped, More: len(list.Items)+len(list.Skipped) >= limit}
	for i := range list.Items {
		p.Rows = append(p.Rows, list.Items[i].row())
	}
	return p, nil
}

// Row is one row.
func (c *Client) Row(ctx context.Context, id int64) (*Row, error) {
	return c.oneRow(ctx, nextcloud.Request{Op: fmt.Sprintf("read row %d", id), Path: rowPath(id)})
}

// CreateRow adds a row to a table; cells are what Columns.Encode made.
func (c *Client) CreateRow(ctx context.Context, table int64, cells Cells) (*Row, error) {
	return c.oneRow(ctx, nextcloud.Request{
		Op: fmt.Sprintf("add a row to table %d", table), Method: http.MethodPost, Path: tablePath(table) + "/rows",
		Body: nextcloud.JSONBody(map[string]Cells{"data": cells}), Type: "application/json",
	})
}

// UpdateRow writes the given cells of a row and leaves the others alone. The
// API has no etag: the last one who writes a cell wins.
func (c *Client) UpdateRow(ctx context.Context, id int64, cells Cells) (*Row, error) {
	return c.oneRow(ctx, nextcloud.Request{
		Op: fmt.Sprintf("update row %d", id), Method: http.MethodPut, Path: rowPath(id),
		Body: nextcloud.JSONBody(map[string]Cells{"data": cells}), Type: "application/json",
	})
}

// DeleteRow removes a row for good and answers what it was.
func (c *Client) DeleteRow(ctx context.Context, id int64) (*Row, error) {
	return c.oneRow(ctx, nextcloud.Request{Op: fmt.Sprintf("delete row %d", id), Method: http.MethodDelete, Path: rowPath(id)})
}

func (c *Client) oneRow(ctx context.Context, r nextcloud.Request) (*Row, error) {
	var w wireRow
	if err := c.one(ctx, r, &w); err != nil {
		return nil, err
	}
	row := w.row()
	return &row, nil
}

// one sends r, whose answer is one thing with an id.
func (c *Client) one(ctx context.Context, r nextcloud.Request, out lenient.Checker) error {
	if _, err := c.nc.JSON(ctx, r, out); err != nil {
		return explained(err)
	}
	if out.Check() != nil {
		return &nextcloud.Error{Op: r.Op, Kind: nextcloud.ErrBadAnswer, Status: http.StatusOK, Message: "the answer is not what was asked for"}
	}
	return nil
}

func tablePath(id int64) string { return apiPath + "/tables/" + strconv.FormatInt(id, 10) }
func viewPath(id int64) string  { return apiPath + "/views/" + strconv.FormatInt(id, 10) }
func rowPath(id int64) string   { return apiPath + "/rows/" + strconv.FormatInt(id, 10) }

// explained gives the app's errors the kind and the words that they lack.
func explained(err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	out := *e
	switch {
	case e.Status == http.StatusNotFound && bytes.HasPrefix(bytes.TrimSpace(e.Body), []byte("<")):
		return missingApp(e)
	case e.Status == http.StatusNotFound, e.Status == http.StatusInternalServerError && bytes.Contains(e.Body, []byte("Did expect one result")):
		// Nextcloud: the second is the answer to changing what is not there,
		// and both may hold a database query.
		out.Kind, out.Message = nextcloud.ErrNotFound, "it is not there, or not shared with this person"
	case e.Status == http.StatusInternalServerError && bytes.Contains(e.Body, []byte("is not part of table")):
		out.Kind, out.Message = nextcloud.ErrInvalid, "a column is not one of this table"
	case e.Status == http.StatusForbidden && bytes.Contains(e.Body, []byte("no read access")):
		// Nextcloud: the same for what does not exist.
		out.Kind, out.Message = nextcloud.ErrNotFound, "there is no such table or view, or it is not shared with this person"
	default:
		return err
	}
	return &out
}

func missingApp(e *nextcloud.Error) error {
	out := *e
	out.Kind, out.Message = nextcloud.ErrAppMissing, "the Tables app is not installed"
	return &out
}

func invalid(op, message string) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrInvalid, Message: message}
}
