package tables_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

type imported struct {
	Imported int
	FirstID  int64 `json:"first_id"`
	Bad      []struct {
		Line int
		Why  string
	}
	Stopped  string
	NextLine int `json:"next_line"`
}

func importArgs(t *testing.T, csv string, skip bool) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"table": "Inventory", "csv": csv, "skip_bad": skip})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestImport(t *testing.T) {
	h, s := sample(t)
	const good = "Item;Price;Tags;Insured\nLamp;19.90;Electronics | Furniture;yes\n\"Shelf; large\";;;\n"
	var got imported
	s.Read(t, "nc_tables_import_rows", importArgs(t, good, false), &got)
	if got.Imported != 2 || len(got.Bad) > 0 || got.FirstID == 0 {
		t.Fatalf("%+v", got)
	}
	answer := s.Read(t, "nc_tables_read_table", `{"table":"Inventory","cursor":"5"}`, nil)
	for _, part := range []string{`"Price":19.9`, `"Tags":["Electronics","Furniture"]`, `"Item":"Shelf; large"`} {
		if !strings.Contains(answer, part) {
			t.Errorf("%s is not in %s", part, answer)
		}
	}
	const mixed = "Item,Price\nA,1\n,2\nB,x\nC,1,1\nD,3\n"
	s.Requests()
	text := s.Refused(t, "nc_tables_import_rows", importArgs(t, mixed, false))
	if want := `line 3: column "Item" is mandatory; line 4: column "Price" takes a number such as 12.5, and "x" is none; line 5: 3 values for 2 columns. Nothing was written.`; !strings.Contains(text, want) {
		t.Error(text)
	}
	if n := s.Requests(); n != 2 {
		t.Errorf("%d requests", n)
	}
	got = imported{}
	s.Read(t, "nc_tables_import_rows", importArgs(t, mixed, true), &got)
	if got.Imported != 2 || len(got.Bad) != 3 {
		t.Errorf("%+v", got)
	}
	h.Fault(nextcloudtest.Fault{Method: "POST", PathPrefix: "/index.php/apps/tables", Status: http.StatusForbidden})
	got = imported{}
	s.Read(t, "nc_tables_import_rows", importArgs(t, good, true), &got)
	if got.Imported != 0 || got.NextLine != 2 || !strings.Contains(got.Stopped, "not allowed") {
		t.Errorf("%+v", got)
	}
	for csv, want := range map[string]string{
		"":                                    "the first line has to name the columns",
		"Nope\nx\n":                           `there is no column "Nope"`,
		"Item\n":                              "there are no rows",
		"Item\n\"x\n":                         "is no CSV",
		"Item\n" + strings.Repeat("x\n", 501): "more than 500 rows",
	} {
		if text := s.Refused(t, "nc_tables_import_rows", importArgs(t, csv, false)); !strings.Contains(text, want) {
			t.Errorf("%.20q: %s", csv, text)
		}
	}
}

func TestCreate(t *testing.T) {
	h, s := sample(t)
	var made struct {
		ID      int64
		Columns []struct{ Title, Type string }
	}
	s.Read(t, "nc_tables_create_table",
		`{"title":"Trips","emoji":"🚆","columns":[{"title":"To","mandatory":true},{"title":"Cost","type":"number","decimals":2,"max":500},{"title":"By","type":"selection","options":["Train","Bus"]}]}`, &made)
	if made.ID == 0 || len(made.Columns) != 3 || made.Columns[0].Type != "text-line" {
		t.Fatalf("%+v", made)
	}
	s.Read(t, "nc_tables_create_column", `{"table":"Trips","title":"With","type":"usergroup","multiple":true}`, nil)
	answer := s.Read(t, "nc_tables_insert_row", `{"table":"Trips","data":{"To":"Lisbon","Cost":120.5,"By":"Train","With":["alice","bob"]}}`, nil)
	if !strings.Contains(answer, `"With":["alice","bob"]`) {
		t.Error(answer)
	}
	for args, want := range map[string]string{
		`{"title":"X","columns":[]}`:                                                     `between 1 and 50 columns`,
		`{"title":"X","columns":[{"title":"A","type":"selection"}]}`:                     `a selection needs options`,
		`{"title":"X","columns":[{"title":"A"},{"title":"A"}]}`:                          `two columns are called "A"`,
		`{"title":" ","columns":[{"title":"A"}]}`:                                        `a table needs a title`,
		`{"title":"X","columns":[{"title":"A","decimals":2}]}`:                           `only a number has decimals`,
		`{"title":"X","columns":[{"title":"A","type":"number","min":2,"max":1}]}`:        `min is above max`,
		`{"title":"X","columns":[{"title":"A","type":"selection","options":["x","x"]}]}`: `there twice`,
	} {
		if text := s.Refused(t, "nc_tables_create_table", args); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
	h.Fault(nextcloudtest.Fault{Method: "POST", PathPrefix: fmt.Sprintf("/index.php/apps/tables/api/1/tables/%d/columns", made.ID+1), Status: http.StatusForbidden})
	if text := s.Refused(t, "nc_tables_create_table", `{"title":"Half","columns":[{"title":"A"}]}`); !strings.Contains(text, "was made with 0 of 1 columns") {
		t.Error(text)
	}
}
