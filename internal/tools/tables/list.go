package tables

import (
	"context"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
	api "nextcloud-mcp-server/internal/nextcloud/tables"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ListInput is the input of nc_tables_list_tables.
type ListInput struct {
	Archived bool   `json:"archived,omitempty" jsonschema:"archived ones too"`
	Limit    int    `json:"limit,omitempty" jsonschema:"default 50, at most 200"`
	Cursor   string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// List is the outcome of nc_tables_list_tables.
type List struct {
	Items      []api.Table       `json:"items"`
	Total      int               `json:"total"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

var listTables = tool.New(tool.Def{
	Name:        "nc_tables_list_tables",
	Title:       "List tables",
	Description: "List the tables of the person, shared ones too, with their views.",
	Scope:       scope.TablesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
}, func(ctx context.Context, c *api.Client, in ListInput) (*List, error) {
	limit, err := bounded(in.Limit, 50, 200)
	if err != nil {
		return nil, err
	}
	offset, err := position(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, skipped, err := c.Tables(ctx)
	if err != nil {
		return nil, err
	}
	out := &List{Items: []api.Table{}, Skipped: skipped}
	for _, t := range all {
		if t.Archived && !in.Archived {
			continue
		}
		if out.Total++; out.Total > offset && len(out.Items) < limit {
			out.Items = append(out.Items, t)
		}
	}
	if end := offset + len(out.Items); end < out.Total && len(out.Items) > 0 {
		out.NextCursor = strconv.Itoa(end)
	}
	return out, nil
})

// position is where a cursor says to go on.
func position(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	const most = 10_000_000
	n, err := strconv.Atoi(cursor)
	if err != nil || n < 0 || n > most {
		return 0, tool.Invalidf("%q is no cursor of this list", cursor)
	}
	return n, nil
}

// SchemaInput is the input of nc_tables_get_schema.
type SchemaInput struct {
	Table string `json:"table" jsonschema:"id or title"`
}

// Schema is the outcome of nc_tables_get_schema.
type Schema struct {
	Table   api.Table         `json:"table"`
	Columns []api.Column      `json:"columns"`
	Views   []View            `json:"views,omitempty"`
	Skipped []lenient.Skipped `json:"skipped,omitempty"`
}

// View is a view in words.
type View struct {
	api.View
	Filter string `json:"filter,omitempty"`
	Sort   string `json:"sort,omitempty"`
}

var getSchema = tool.New(tool.Def{
	Name:        "nc_tables_get_schema",
	Title:       "Columns and views of a table",
	Description: "Tell the columns of a table with types, options and limits, and its views with filter and sort.",
	Scope:       scope.TablesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Aliases:     map[string]string{"table_id": "table"},
	Object:      []string{"table"},
}, func(ctx context.Context, c *api.Client, in SchemaInput) (*Schema, error) {
	t, columns, err := c.Open(ctx, in.Table)
	if err != nil {
		return nil, err
	}
	out := &Schema{Table: *t, Columns: columns.List, Skipped: columns.Skipped}
	for _, v := range t.Views {
		out.Views = append(out.Views, View{v, filterOf(v, columns), sortOf(v, columns)})
	}
	out.Table.Views = nil
	return out, nil
})

func filterOf(v api.View, columns *api.Columns) string {
	var groups []string
	for _, group := range v.Filters {
		var rules []string
		for _, r := range group {
			rules = append(rules, strings.TrimSpace(columns.Name(r.Column)+" "+r.Operator+" "+r.Value))
		}
		groups = append(groups, strings.Join(rules, " and "))
	}
	return strings.Join(groups, " or ")
}

func sortOf(v api.View, columns *api.Columns) string {
	var orders []string
	for _, o := range v.Sort {
		name := columns.Name(o.Column)
		if o.Descending {
			name += " descending"
		}
		orders = append(orders, name)
	}
	return strings.Join(orders, ", ")
}
