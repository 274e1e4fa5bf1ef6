package tables_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/tables"
)

// sample is a Nextcloud with the table of the demo.
func sample(t *testing.T) (*nextcloudtest.Server, *tooltest.Session) {
	t.Helper()
	h := nextcloudtest.New(&nextcloudtest.Options{SampleData: true, Users: nextcloudtest.DefaultUsers()[:2]})
	return h, tooltest.Connect(t, h, nil, tables.Tools.Set())
}

type rows struct {
	Untrusted string
	Items     []struct {
		ID     int64
		Values map[string]any
		Cut    []string
	}
	NextCursor string `json:"next_cursor"`
}

func TestRead(t *testing.T) {
	_, s := sample(t)
	var got rows
	s.Read(t, "nc_tables_read_table", `{"table":"inventory","limit":2}`, &got)
	want := `{"Bought":"2024-03-12","Insured":true,"Item":"Projector","Keeper":["alice"],"Manual":{"title":"Manual","url":"https://example.org/projector"},"Place":"Office","Price":649.9,"Tags":["Electronics"]}`
	if v, _ := json.Marshal(got.Items[0].Values); string(v) != want {
		t.Errorf("got %s\nwant %s", v, want)
	}
	if len(got.Items) != 2 || got.NextCursor != "2" || got.Untrusted == "" {
		t.Errorf("%+v", got)
	}
	seen := len(got.Items)
	for got.NextCursor != "" && seen < 10 {
		cursor := got.NextCursor
		got = rows{}
		s.Read(t, "nc_tables_read_table", fmt.Sprintf(`{"table":"Inventory","limit":2,"cursor":%q}`, cursor), &got)
		seen += len(got.Items)
	}
	if seen != 5 {
		t.Errorf("%d rows", seen)
	}
	got = rows{}
	s.Read(t, "nc_tables_read_table", `{"table":"Inventory","view":"insured things","max_chars":3}`, &got)
	if len(got.Items) != 2 || got.Items[0].Values["Item"] != "Cam" || fmt.Sprint(got.Items[0].Cut) != "[Bought Item Place]" && fmt.Sprint(got.Items[0].Cut) != "[Bought Item]" {
		t.Errorf("%+v", got.Items)
	}
	schema := s.Read(t, "nc_tables_get_schema", `{"table_id":1}`, nil)
	for _, part := range []string{`"options":["Office","Storage","Lent"]`, `"decimals":2`, `"filter":"Insured is-equal @checked"`, `"sort":"Price descending"`, `"mandatory":true`} {
		if !strings.Contains(schema, part) {
			t.Errorf("%s is not in %s", part, schema)
		}
	}
}

// TestRequests is what each tool costs: one more for a table that is named by its title.
func TestRequests(t *testing.T) {
	_, s := sample(t)
	for _, c := range []struct {
		tool, args string
		want       int
	}{
		{"nc_tables_list_tables", `{}`, 1},
		{"nc_tables_get_schema", `{"table":"1"}`, 2},
		{"nc_tables_get_schema", `{"table":"Inventory"}`, 2},
		{"nc_tables_read_table", `{"table_id":1}`, 2},
		{"nc_tables_read_table", `{"table":"Inventory"}`, 3},
		{"nc_tables_read_table", `{"table":"1","view":"Insured things"}`, 3},
		{"nc_tables_insert_row", `{"table_id":1,"data":{"Item":"Lamp"}}`, 2},
		{"nc_tables_update_row", `{"row_id":1,"data":{"Item":"Beamer"}}`, 3},
		{"nc_tables_delete_row", `{"row_id":2}`, 3},
		{"nc_tables_create_column", `{"table_id":1,"title":"New"}`, 1},
		{"nc_tables_create_table", `{"title":"Three","columns":[{"title":"A"},{"title":"B"}]}`, 3}, // the API makes one at a time
		{"nc_tables_import_rows", `{"table_id":1,"csv":"Item\nA\nB\nC\n"}`, 4},                     // and takes one row at a time
	} {
		s.Requests()
		s.Read(t, c.tool, c.args, nil)
		if n := s.Requests(); n != c.want {
			t.Errorf("%s %s: %d requests, want %d", c.tool, c.args, n, c.want)
		}
	}
}

type written struct {
	ID       int64
	Values   map[string]any
	Previous map[string]any
	Undo     string
}

func TestWrite(t *testing.T) {
	_, s := sample(t)
	var made written
	s.Read(t, "nc_tables_insert_row",
		`{"table":"Inventory","data":{"item":"Lamp","Price":"19.90 €","Place":"lent","Tags":"Furniture","Bought":"2026-01-02","Insured":"yes","Manual":"https://example.org/l","Keeper":"bob"}}`, &made)
	const want = `{"Bought":"2026-01-02","Insured":true,"Item":"Lamp","Keeper":["bob"],"Manual":"https://example.org/l","Place":"Lent","Price":19.9,"Tags":["Furniture"]}`
	if v, _ := json.Marshal(made.Values); string(v) != want {
		t.Errorf("got %s\nwant %s", v, want)
	}
	var changed written
	s.Read(t, "nc_tables_update_row", fmt.Sprintf(`{"row_id":%d,"data":{"Place":null,"Price":20}}`, made.ID), &changed)
	if changed.Values["Place"] != nil || changed.Values["Price"] != 20.0 || changed.Previous["Place"] != "Lent" || changed.Previous["Price"] != 19.9 || len(changed.Previous) != 2 {
		t.Errorf("%+v", changed)
	}
	previous, _ := json.Marshal(changed.Previous)
	s.Read(t, "nc_tables_update_row", fmt.Sprintf(`{"row_id":%d,"data":%s}`, made.ID, previous), nil)
	var gone written
	s.Read(t, "nc_tables_delete_row", fmt.Sprintf(`{"row_id":%d}`, made.ID), &gone)
	values, _ := json.Marshal(gone.Values)
	if string(values) != want || !strings.Contains(gone.Undo, "nc_tables_insert_row") {
		t.Errorf("%s, %+v", values, gone)
	}
	var again written
	s.Read(t, "nc_tables_insert_row", fmt.Sprintf(`{"table":"Inventory","data":%s}`, values), &again)
	if v, _ := json.Marshal(again.Values); string(v) != want {
		t.Errorf("made again: %s", v)
	}
	if text := s.Refused(t, "nc_tables_delete_row", fmt.Sprintf(`{"row_id":%d}`, made.ID)); !strings.Contains(text, "not found") || strings.Contains(text, "SELECT") {
		t.Error(text)
	}
}

// TestRefused: what would be stored as nothing is refused before anything is sent.
func TestRefused(t *testing.T) {
	h, s := sample(t)
	h.AddTable("alice", "Twin", nil)
	h.AddTable("alice", "Twin", []nextcloudtest.SampleColumn{{"title": "A", "type": "text"}, {"title": "A", "type": "text"}, {"title": "R", "type": "relation"}})
	for data, want := range map[string]string{
		`{"Nope":1}`:                                 `there is no column "Nope": the columns are "Item", "Price"`,
		`{"Price":"many","Item":"x"}`:                `column "Price" takes a number such as 12.5, and "many" is none`,
		`{"Price":1.005,"Item":"x"}`:                 `column "Price" takes 2 decimals, and 1.005 has more`,
		`{"Price":-1,"Item":"x"}`:                    `column "Price" takes numbers from 0, and not -1`,
		`{"Price":true,"Item":"x"}`:                  `column "Price" takes a number`,
		`{"Place":"Moon","Item":"x"}`:                `column "Place" takes one of "Office", "Storage", "Lent", and not "Moon"`,
		`{"Tags":["Moon"],"Item":"x"}`:               `column "Tags" takes one of`,
		`{"Bought":"24.12.2026","Item":"x"}`:         `column "Bought" takes a text like 2026-12-24, without a time zone`,
		`{"Insured":"maybe","Item":"x"}`:             `column "Insured" takes true or false`,
		`{"Manual":"javascript:x","Item":"x"}`:       `takes a web address that begins with http:// or https://`,
		`{"Keeper":["a","b"],"Item":"x"}`:            `column "Keeper" takes only one`,
		`{"Keeper":"group:x","Item":"x"}`:            `column "Keeper" takes no group, only user`,
		`{"Price":1}`:                                `column "Item" is mandatory`,
		`{"Item":""}`:                                `column "Item" must not be empty`,
		`{"Item":"` + strings.Repeat("ä", 81) + `"}`: `takes at most 80 characters, these are 81`,
		`{"Item":"x","item":"y"}`:                    `column "Item" is given twice`,
		`{}`:                                         `column "Item" is mandatory`,
	} {
		s.Requests()
		if text := s.Refused(t, "nc_tables_insert_row", fmt.Sprintf(`{"table":"1","data":%s}`, data)); !strings.Contains(text, want) {
			t.Errorf("%s: %s", data, text)
		}
		if n := s.Requests(); n != 1 {
			t.Errorf("%s: %d requests", data, n)
		}
	}
	twin := s.Refused(t, "nc_tables_read_table", `{"table":"Twin"}`)
	if !strings.Contains(twin, `several are called "Twin": give the id, one of`) {
		t.Error(twin)
	}
	if text := s.Refused(t, "nc_tables_read_table", `{"table":"Nothing"}`); !strings.Contains(text, "Inventory") {
		t.Error(text)
	}
	if text := s.Refused(t, "nc_tables_read_table", `{"table":"Inventory","view":"x"}`); !strings.Contains(text, "Insured things") {
		t.Error(text)
	}
	if text := s.Refused(t, "nc_tables_read_table", `{"table":"99999"}`); !strings.Contains(text, "not found") {
		t.Error(text)
	}
	if text := s.Refused(t, "nc_tables_insert_row", `{"table":"99999","data":{"A":1}}`); !strings.Contains(text, "no such table") {
		t.Error(text)
	}
}

// TestSharing: tables of others are there with what the person may do to them.
func TestSharing(t *testing.T) {
	h := nextcloudtest.New(nil)
	id := h.AddTable("bob", "Of Bob", []nextcloudtest.SampleColumn{{"title": "A", "type": "text"}}, []any{"x\u202ey"})
	s := tooltest.Connect(t, h, nil, tables.Tools.Set())
	if text := s.Refused(t, "nc_tables_read_table", fmt.Sprintf(`{"table":"%d"}`, id)); !strings.Contains(text, "not found") {
		t.Error(text)
	}
	h.ShareTable(id, "alice", "read")
	if text := s.Read(t, "nc_tables_list_tables", `{}`, nil); !strings.Contains(text, `"owner":"bob"`) || !strings.Contains(text, `"may":["read"]`) {
		t.Error(text)
	}
	if text := s.Read(t, "nc_tables_read_table", `{"table":"Of Bob"}`, nil); !strings.Contains(text, `"A":"xy"`) {
		t.Error(text)
	}
	if text := s.Refused(t, "nc_tables_insert_row", `{"table":"Of Bob","data":{"A":"z"}}`); !strings.Contains(text, "not allowed") {
		t.Error(text)
	}
}

func TestFaults(t *testing.T) {
	h, s := sample(t)
	for _, c := range []struct {
		fault nextcloudtest.Fault
		want  string
	}{
		{nextcloudtest.Fault{HTML: true}, "web page where data was expected"},
		{nextcloudtest.Fault{HTML: true, Status: http.StatusNotFound}, "Tables app is not installed"},
		{nextcloudtest.Fault{GarbageJSON: true}, "not the JSON that was expected"},
		{nextcloudtest.Fault{Status: http.StatusTooManyRequests}, "too many requests"},
		{nextcloudtest.Fault{Status: http.StatusInternalServerError, Body: "stack at /var/www"}, "not available now"},
	} {
		c.fault.PathPrefix = "/index.php/apps/tables"
		done := h.Fault(c.fault)
		for tool, args := range map[string]string{"nc_tables_read_table": `{"table":"1"}`, "nc_tables_list_tables": `{}`, "nc_tables_update_row": `{"row_id":1,"data":{"Item":"x"}}`} {
			if text := s.Refused(t, tool, args); !strings.Contains(text, c.want) || strings.Contains(text, "/var/www") {
				t.Errorf("%s, %+v: %s", tool, c.fault, text)
			}
		}
		done()
	}
}
