package tables

import (
	"context"
	"fmt"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/tables"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ColumnType is a type of column; the first is the default.
type ColumnType string

// Values implements tool.Enum.
func (ColumnType) Values() []string { return api.Types }

// ColumnInput is a column to be made.
type ColumnInput struct {
	Title     string     `json:"title" jsonschema:"of the column"`
	Type      ColumnType `json:"type,omitempty" jsonschema:"default text-line"`
	Mandatory bool       `json:"mandatory,omitempty" jsonschema:"must not be empty"`
	Options   []string   `json:"options,omitempty" jsonschema:"labels of a selection"`
	Decimals  int        `json:"decimals,omitempty" jsonschema:"of a number"`
	Min       *float64   `json:"min,omitempty" jsonschema:"of a number"`
	Max       *float64   `json:"max,omitempty" jsonschema:"of a number"`
	Suffix    string     `json:"suffix,omitempty" jsonschema:"unit of a number"`
	MaxLength int64      `json:"max_length,omitempty" jsonschema:"of a text-line"`
	Multiple  bool       `json:"multiple,omitempty" jsonschema:"several people"`
}

func (in *ColumnInput) draft() api.Draft {
	d := api.Draft{
		Title: in.Title, Type: string(in.Type), Mandatory: in.Mandatory, Options: in.Options, Decimals: in.Decimals, Min: in.Min, Max: in.Max,
		Suffix: in.Suffix, MaxLength: in.MaxLength, Multiple: in.Multiple,
	}
	if d.Type == "" {
		d.Type = api.Types[0]
	}
	return d
}

// CreateInput is the input of nc_tables_create_table.
type CreateInput struct {
	Title       string        `json:"title" jsonschema:"of the table"`
	Emoji       string        `json:"emoji,omitempty" jsonschema:"one emoji"`
	Description string        `json:"description,omitempty" jsonschema:"what it is for"`
	Columns     []ColumnInput `json:"columns" jsonschema:"each with the arguments of nc_tables_create_column"`
}

// Created is the outcome of nc_tables_create_table.
type Created struct {
	api.Table
	Columns []api.Column `json:"columns"`
}

const maxColumns = 50

var createTable = tool.New(tool.Def{
	Name:        "nc_tables_create_table",
	Title:       "Make a table",
	Description: "Make a table with its columns.",
	Scope:       scope.TablesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"title"},
}, func(ctx context.Context, c *api.Client, in CreateInput) (*Created, error) {
	if n := len(in.Columns); n == 0 || n > maxColumns {
		return nil, tool.Invalidf("a table has between 1 and %d columns, these are %d", maxColumns, n)
	}
	titles := map[string]bool{}
	for i := range in.Columns {
		d := in.Columns[i].draft()
		if err := d.Check(); err != nil {
			return nil, err
		}
		if titles[d.Title] {
			return nil, tool.Invalidf("two columns are called %q: values could not be given by title", d.Title)
		}
		titles[d.Title] = true
	}
	t, err := c.CreateTable(ctx, in.Title, in.Emoji, in.Description)
	if err != nil {
		return nil, err
	}
	out := &Created{Table: *t}
	for i := range in.Columns {
		column, err := c.CreateColumn(ctx, t.ID, in.Columns[i].draft())
		if err != nil {
			return nil, &nextcloud.Error{Op: "make a table", Kind: nextcloud.ErrPartly, Message: fmt.Sprintf(
				"table %d was made with %d of %d columns, then: %v. nc_tables_create_column can add the others", t.ID, i, len(in.Columns), err)}
		}
		out.Columns = append(out.Columns, *column)
	}
	out.Table.Columns = int64(len(out.Columns))
	return out, nil
})

// CreateColumnInput is the input of nc_tables_create_column.
type CreateColumnInput struct {
	Table string `json:"table" jsonschema:"id or title"`
	ColumnInput
}

var createColumn = tool.New(tool.Def{
	Name:        "nc_tables_create_column",
	Title:       "Add a column to a table",
	Description: "Add a column to a table.",
	Scope:       scope.TablesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Aliases:     map[string]string{"table_id": "table"},
	Object:      []string{"table", "title"},
}, func(ctx context.Context, c *api.Client, in CreateColumnInput) (*api.Column, error) {
	d := in.draft()
	if err := d.Check(); err != nil {
		return nil, err
	}
	id, err := c.Find(ctx, in.Table)
	if err != nil {
		return nil, err
	}
	return c.CreateColumn(ctx, id, d)
})
