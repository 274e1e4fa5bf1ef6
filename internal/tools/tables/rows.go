package tables

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
	api "nextcloud-mcp-server/internal/nextcloud/tables"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ReadInput is the input of nc_tables_read_table.
type ReadInput struct {
	Table    string `json:"table" jsonschema:"id or title"`
	View     string `json:"view,omitempty" jsonschema:"id or title of a view, for its filter and sort"`
	Limit    int    `json:"limit,omitempty" jsonschema:"default 50, at most 500"`
	Cursor   string `json:"cursor,omitempty" jsonschema:"next_cursor"`
	MaxChars int    `json:"max_chars,omitempty" jsonschema:"of one text, default 1000"`
}

// Row is a row with its values by column.
type Row struct {
	ID       int64          `json:"id"`
	Values   map[string]any `json:"values"`
	EditedBy string         `json:"edited_by,omitempty"`
	EditedAt string         `json:"edited_at,omitempty"`
	Cut      []string       `json:"cut,omitempty"` // columns whose text is longer
}

// Rows is the outcome of nc_tables_read_table.
type Rows struct {
	Items      []Row             `json:"items"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

var readTable = tool.New(tool.Def{
	Name:        "nc_tables_read_table",
	Title:       "Read rows of a table",
	Description: "Read rows of a table or view, values by column title. Empty cells are left out.",
	Scope:       scope.TablesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Aliases:     map[string]string{"table_id": "table", "offset": "cursor"},
	Object:      []string{"table", "view"},
}, func(ctx context.Context, c *api.Client, in ReadInput) (*Rows, error) {
	limit, err := bounded(in.Limit, 50, 500)
	if err != nil {
		return nil, err
	}
	offset, err := position(in.Cursor)
	if err != nil {
		return nil, err
	}
	maxChars := in.MaxChars
	if maxChars == 0 {
		maxChars = 1000
	}
	if maxChars < 0 {
		return nil, tool.Invalidf("max_chars has to be at least 1")
	}
	columns, page, err := rows(ctx, c, in, limit, offset)
	if err != nil {
		return nil, err
	}
	out := &Rows{Items: []Row{}, Skipped: slices.Concat(page.Skipped, columns.Skipped)}
	for i := range page.Rows {
		row := rowOf(&page.Rows[i], columns)
		row.shorten(maxChars)
		out.Items = append(out.Items, row)
	}
	if page.More {
		out.NextCursor = strconv.Itoa(offset + len(page.Rows) + len(page.Skipped))
	}
	return out, nil
})

// rows are a page of a table or view, and its columns, read at the same time.
func rows(ctx context.Context, c *api.Client, in ReadInput, limit, offset int) (columns *api.Columns, page *api.Page, err error) {
	id, view := int64(0), int64(0)
	if in.View != "" {
		if view, err = c.FindView(ctx, in.Table, in.View); err != nil {
			return nil, nil, err
		}
	} else if id, err = c.Find(ctx, in.Table); err != nil {
		return nil, nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if view > 0 {
			columns, err = c.ViewColumns(ctx, view)
		} else {
			columns, err = c.Columns(ctx, id)
		}
		return err
	})
	group.Go(func() (err error) {
		if view > 0 {
			page, err = c.ViewRows(ctx, view, limit, offset)
		} else {
			page, err = c.Rows(ctx, id, limit, offset)
		}
		return err
	})
	return columns, page, group.Wait()
}

func rowOf(r *api.Row, columns *api.Columns) Row {
	return Row{ID: r.ID, Values: columns.Decode(r), EditedBy: r.EditedBy, EditedAt: r.EditedAt}
}

// shorten cuts texts that are longer than most characters, and says which.
func (r *Row) shorten(most int) {
	for name, v := range r.Values {
		text, ok := v.(string)
		if !ok || utf8.RuneCountInString(text) <= most {
			continue
		}
		r.Values[name] = string([]rune(text)[:most])
		r.Cut = append(r.Cut, name)
	}
	slices.Sort(r.Cut)
}

// InsertInput is the input of nc_tables_insert_row.
type InsertInput struct {
	Table string `json:"table" jsonschema:"id or title"`
	Data  Values `json:"data" jsonschema:"values by column title or id, options by label, dates as 2026-12-24"`
}

// Written is the outcome of what writes a row.
type Written struct {
	Row
	Previous map[string]any `json:"previous,omitempty"` // what the changed cells held
	Undo     string         `json:"undo,omitempty"`
}

var insertRow = tool.New(tool.Def{
	Name:        "nc_tables_insert_row",
	Title:       "Add a row to a table",
	Description: "Add a row. Values are checked by column type first.",
	Scope:       scope.TablesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Foreign:     true,
	Aliases:     map[string]string{"table_id": "table"},
	Object:      []string{"table"},
}, func(ctx context.Context, c *api.Client, in InsertInput) (*Written, error) {
	const op = "add a row"
	id, err := c.Find(ctx, in.Table)
	if err != nil {
		return nil, err
	}
	columns, err := c.Columns(ctx, id)
	if err != nil {
		return nil, err
	}
	cells, err := columns.Encode(op, in.Data, true)
	if err != nil {
		return nil, err
	}
	row, err := c.CreateRow(ctx, id, cells)
	if err != nil {
		return nil, err
	}
	if err := kept(op, columns, cells, row); err != nil {
		return nil, err
	}
	return &Written{Row: rowOf(row, columns)}, nil
})

// kept is an error when the server did not keep what was sent.
func kept(op string, columns *api.Columns, cells api.Cells, row *api.Row) error {
	if lost := columns.Lost(cells, row); len(lost) > 0 {
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrPartly, Message: fmt.Sprintf(
			"row %d was written, but Nextcloud kept nothing in %s: look at the column's rules in Nextcloud and update the row", row.ID, strings.Join(lost, ", "))}
	}
	return nil
}

// UpdateInput is the input of nc_tables_update_row.
type UpdateInput struct {
	Row  int64  `json:"row_id" jsonschema:"row id"`
	Data Values `json:"data" jsonschema:"new values by column title or id, null empties"`
}

var updateRow = tool.New(tool.Def{
	Name:        "nc_tables_update_row",
	Title:       "Change a row of a table",
	Description: "Change the given cells of a row and leave the others alone.",
	Scope:       scope.TablesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"row_id"},
}, func(ctx context.Context, c *api.Client, in UpdateInput) (*Written, error) {
	before, columns, err := opened(ctx, c, in.Row)
	if err != nil {
		return nil, err
	}
	op := fmt.Sprintf("update row %d", in.Row)
	cells, err := columns.Encode(op, in.Data, false)
	if err != nil {
		return nil, err
	}
	row, err := c.UpdateRow(ctx, in.Row, cells)
	if err != nil {
		return nil, err
	}
	if err := kept(op, columns, cells, row); err != nil {
		return nil, err
	}
	out := &Written{Row: rowOf(row, columns), Previous: map[string]any{}}
	was := columns.Decode(before)
	for id := range cells {
		if col, err := columns.Find(id); err == nil {
			name := columns.Name(col.ID)
			out.Previous[name] = was[name]
		}
	}
	out.Undo = "nc_tables_update_row with the previous values."
	return out, nil
})

// opened is a row and the columns of its table.
func opened(ctx context.Context, c *api.Client, id int64) (*api.Row, *api.Columns, error) {
	if id <= 0 {
		return nil, nil, tool.Invalidf("row_id has to be the id of a row, as nc_tables_read_table tells it")
	}
	row, err := c.Row(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	columns, err := c.Columns(ctx, row.Table)
	if err != nil {
		return nil, nil, err
	}
	return row, columns, nil
}

// DeleteInput is the input of nc_tables_delete_row.
type DeleteInput struct {
	Row int64 `json:"row_id" jsonschema:"row id"`
}

// Deleted is the outcome of nc_tables_delete_row.
type Deleted struct {
	ID     int64          `json:"deleted_id"`
	Table  int64          `json:"table_id"`
	Values map[string]any `json:"values"`
	Undo   string         `json:"undo"`
}

var deleteRow = tool.New(tool.Def{
	Name:        "nc_tables_delete_row",
	Title:       "Delete a row of a table",
	Description: "Delete a row for good. The result has its values.",
	Scope:       scope.TablesWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"row_id"},
}, func(ctx context.Context, c *api.Client, in DeleteInput) (*Deleted, error) {
	row, columns, err := opened(ctx, c, in.Row)
	if err != nil {
		return nil, err
	}
	// What the delete answers is newer than what was read.
	gone, err := c.DeleteRow(ctx, in.Row)
	if err != nil {
		return nil, err
	}
	return &Deleted{
		ID: in.Row, Table: row.Table, Values: columns.Decode(gone),
		Undo: "Rows have no trash. nc_tables_insert_row with these values makes the row again, with a new id.",
	}, nil
})
