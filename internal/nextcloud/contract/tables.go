package contract

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/tables"
)

// runTables makes a table of every type of column and removes it again.
func runTables(t *testing.T, env *Env) {
	c := tables.New(env.Client(t))
	if _, _, err := c.Tables(t.Context()); errors.Is(err, nextcloud.ErrAppMissing) {
		t.Skip("this Nextcloud has no tables")
	}
	title := unique("Contract table")
	table, err := c.CreateTable(t.Context(), title, "📋", "for a test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.DeleteTable(context.WithoutCancel(t.Context()), table.ID); err != nil && !errors.Is(err, nextcloud.ErrNotFound) {
			t.Error(err)
		}
	})
	for _, d := range []tables.Draft{
		{Title: "Name", Type: "text-line", Mandatory: true, MaxLength: 50},
		{Title: "Price", Type: "number", Decimals: 2, Min: new(0.0), Max: new(1000.0)},
		{Title: "Place", Type: "selection", Options: []string{"Office", "Storage"}},
		{Title: "Tags", Type: "selection-multi", Options: []string{"Red", "Green", "Blue"}},
		{Title: "Done", Type: "selection-check"},
		{Title: "Day", Type: "datetime-date"},
		{Title: "Start", Type: "datetime-time"},
		{Title: "When", Type: "datetime"},
		{Title: "Stars", Type: "number-stars"},
		{Title: "Progress", Type: "number-progress"},
		{Title: "Page", Type: "text-link"},
		{Title: "Notes", Type: "text-rich"},
		{Title: "People", Type: "usergroup", Multiple: true, Holds: []string{"user"}},
	} {
		got, err := c.CreateColumn(t.Context(), table.ID, d)
		if err != nil || got.Title != d.Title || got.Type != d.Type {
			t.Fatalf("%s: %+v, %v", d.Title, got, err)
		}
	}
	t.Run("find", func(t *testing.T) {
		id, err := c.Find(t.Context(), title)
		if err != nil || id != table.ID {
			t.Errorf("%d, %v, want %d", id, err, table.ID)
		}
		if _, err := c.Find(t.Context(), unique("no such table")); !errors.Is(err, nextcloud.ErrNotFound) {
			t.Error(err)
		}
	})
	t.Run("rows", func(t *testing.T) {
		me, err := env.Client(t).UserID(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		runTableRows(t, c, table.ID, me)
	})
	t.Run("not there", func(t *testing.T) {
		const nowhere = 1 << 30
		_, err := c.Columns(t.Context(), nowhere)
		_, err2 := c.Table(t.Context(), nowhere)
		_, err3 := c.Rows(t.Context(), nowhere, 1, 0)
		_, err4 := c.Row(t.Context(), nowhere)
		_, err5 := c.DeleteRow(t.Context(), nowhere)
		_, err6 := c.UpdateRow(t.Context(), nowhere, tables.Cells{"1": "x"})
		for i, err := range []error{err, err2, err3, err4, err5, err6} {
			if !errors.Is(err, nextcloud.ErrNotFound) {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

func runTableRows(t *testing.T, c *tables.Client, table int64, me nextcloud.UserID) {
	columns, err := c.Columns(t.Context(), table)
	if err != nil || len(columns.Skipped) > 0 {
		t.Fatalf("%v, %v", columns, err)
	}
	full := map[string]any{
		"Name": "Everything", "Price": json.Number("12.35"), "Place": "Storage", "Tags": []any{"Red", "Blue"}, "Done": true,
		"Day": "2026-12-24", "Start": "14:30", "When": "2026-12-24 14:30", "Stars": json.Number("4"), "Progress": json.Number("50"),
		"Page": map[string]any{"url": "https://example.org/x", "title": "Example"}, "Notes": "**bold** & <b>", "People": []any{string(me)},
	}
	want := maps.Clone(full)
	want["Page"] = map[string]string{"url": "https://example.org/x", "title": "Example"}
	cells, err := columns.Encode("test", full, true)
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.CreateRow(t.Context(), table, cells)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, columns.Decode(made)); d != "" || len(columns.Lost(cells, made)) > 0 {
		t.Errorf("lost %v, (-want +got):\n%s", columns.Lost(cells, made), d)
	}
	read, err := c.Row(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, columns.Decode(read)); d != "" {
		t.Errorf("read again (-want +got):\n%s", d)
	}
	changes, err := columns.Encode("test", map[string]any{"Price": json.Number("1"), "Place": nil, "Tags": nil, "People": nil, "Day": nil, "Notes": nil, "Page": nil}, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateRow(t.Context(), made.ID, changes); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"Place", "Tags", "People", "Day", "Notes", "Page"} {
		delete(want, gone)
	}
	want["Price"] = json.Number("1")
	if read, err = c.Row(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, columns.Decode(read)); d != "" {
		t.Errorf("after the change (-want +got):\n%s", d)
	}
	t.Run("silence", func(t *testing.T) { runTableSilence(t, c, table, columns) })
	t.Run("pages", func(t *testing.T) { runTablePages(t, c, table, columns) })
	if _, err := c.DeleteRow(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
	if _, err := c.DeleteRow(t.Context(), made.ID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("a second delete: %v", err)
	}
}

// runTableSilence: what the server stores as nothing, or breaks on.
func runTableSilence(t *testing.T, c *tables.Client, table int64, columns *tables.Columns) {
	name, price, day := field(t, columns, "Name"), field(t, columns, "Price"), field(t, columns, "Day")
	for column, wrong := range map[string]any{price: "many", field(t, columns, "Place"): 99, day: "24.12.2026"} {
		cells := tables.Cells{name: "x", column: wrong}
		row, err := c.CreateRow(t.Context(), table, cells)
		if err != nil {
			t.Errorf("%v: %v", wrong, err)
			continue
		}
		if lost := columns.Lost(cells, row); len(lost) != 1 {
			t.Errorf("%v: lost %v of %v", wrong, lost, columns.Decode(row))
		}
		if _, err := c.DeleteRow(t.Context(), row.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.CreateRow(t.Context(), table, tables.Cells{name: "x", "1073741824": "x"}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("an unknown column: %v", err)
	}
	if _, err := c.CreateRow(t.Context(), table, tables.Cells{price: 1}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("a mandatory column: %v", err)
	}
	if _, err := c.CreateRow(t.Context(), table, tables.Cells{name: "x", price: 5000}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("beyond the maximum: %v", err)
	}
}

func runTablePages(t *testing.T, c *tables.Client, table int64, columns *tables.Columns) {
	name := field(t, columns, "Name")
	for range 4 {
		if _, err := c.CreateRow(t.Context(), table, tables.Cells{name: "page"}); err != nil {
			t.Fatal(err)
		}
	}
	var ids []int64
	for offset := 0; ; offset += 2 {
		p, err := c.Rows(t.Context(), table, 2, offset)
		if err != nil || len(p.Skipped) > 0 || len(p.Rows) > 2 || offset > 10 {
			t.Fatalf("%+v, %v", p, err)
		}
		for _, r := range p.Rows {
			ids = append(ids, r.ID)
		}
		if !p.More {
			break
		}
	}
	if len(ids) != 5 || !slices.IsSorted(ids) {
		t.Errorf("rows %v", ids)
	}
}

// field is the key of a column's cell.
func field(t *testing.T, columns *tables.Columns, name string) string {
	t.Helper()
	col, err := columns.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return col.Key()
}
