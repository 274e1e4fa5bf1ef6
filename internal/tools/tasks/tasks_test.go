package tasks_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/tasks"
)

// TestBudget keeps what every client pays for these tools on each connection.
func TestBudget(t *testing.T) {
	const budget = 12_500
	total := 0
	for _, tl := range tasks.Tools.Set().Tools {
		decl, err := tl.MCP()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(decl)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		t.Logf("%4d %s", len(b), tl.Name)
		want := scope.TodoWrite
		if tl.Effect == tool.Reads {
			want = scope.TodoRead
		}
		if tl.Scope != want || len(tl.Also) > 0 {
			t.Errorf("%s needs %s %v", tl.Name, tl.Scope, tl.Also)
		}
	}
	if total > budget {
		t.Errorf("tools take %d bytes of tools/list, more than %d", total, budget)
	}
}

func connect(t *testing.T) (*tooltest.Session, *nextcloudtest.Server) {
	t.Helper()
	s := nextcloudtest.New(nil)
	return tooltest.Connect(t, s, nil, tasks.Tools.Set()), s
}

type todo struct {
	UID             string   `json:"uid"`
	Summary         string   `json:"summary"`
	CalendarName    string   `json:"calendar_name"`
	Status          string   `json:"status"`
	Priority        int      `json:"priority"`
	PercentComplete int      `json:"percent_complete"`
	Dtstart         string   `json:"dtstart"`
	Due             string   `json:"due"`
	TimeZone        string   `json:"time_zone"`
	Overdue         bool     `json:"overdue"`
	Completed       string   `json:"completed"`
	Categories      []string `json:"categories"`
	Recurring       bool     `json:"recurring"`
	Missed          int      `json:"missed"`
	ParentUID       string   `json:"parent_uid"`
	Depth           int      `json:"depth"`
	ETag            string   `json:"etag"`
}

type saved struct {
	UID          string `json:"uid"`
	ETag         string `json:"etag"`
	Todo         todo   `json:"todo"`
	TimeZoneUsed string `json:"time_zone_used"`
	Link         string `json:"link"`
	Note         string `json:"note"`
}

type page struct {
	Todos      []todo   `json:"todos"`
	TotalCount int      `json:"total_count"`
	NextCursor string   `json:"next_cursor"`
	Skipped    []string `json:"skipped"`
	Note       string   `json:"note"`
}

func (p page) titles() []string {
	var out []string
	for _, t := range p.Todos {
		out = append(out, strings.Repeat("- ", t.Depth)+t.Summary)
	}
	return out
}

func want(t *testing.T, got []string, list ...string) {
	t.Helper()
	if !slices.Equal(got, list) {
		t.Errorf("got  %q\nwant %q", got, list)
	}
}

// TestNoList: the calendar of a new account takes events only.
func TestNoList(t *testing.T) {
	s, _ := connect(t)
	text := s.Refused(t, "nc_calendar_create_todo", `{"summary":"x"}`)
	if !strings.Contains(text, "nc_calendar_create_todo_list") {
		t.Errorf("no way out: %s", text)
	}
	text = s.Refused(t, "nc_calendar_create_todo", `{"summary":"x","calendar_name":"personal"}`)
	if !strings.Contains(text, "takes no tasks") {
		t.Errorf("error = %s", text)
	}
	var lists struct {
		Lists []struct {
			Name string `json:"name"`
		} `json:"lists"`
		Note string `json:"note"`
	}
	s.Read(t, "nc_calendar_list_todo_lists", `{}`, &lists)
	if len(lists.Lists) != 1 || !strings.Contains(lists.Note, "nc_calendar_create_todo_list") { // Deck's, read-only
		t.Errorf("lists = %+v", lists)
	}
	text = s.Refused(t, "nc_calendar_create_todo", `{"summary":"x","calendar_name":"`+lists.Lists[0].Name+`"}`)
	if !strings.Contains(text, "only be read") {
		t.Errorf("error = %s", text)
	}
}

// TestDay goes through a day with tasks.
func TestDay(t *testing.T) {
	s, _ := connect(t)
	s.Read(t, "nc_calendar_create_todo_list", `{"display_name":"Haus & Hof","color":"#31CC7C"}`, nil)
	var first, second, sub saved
	s.Read(t, "nc_calendar_create_todo", `{"summary":"Roof","priority":"high","due":"2030-05-01T18:00","timezone":"Europe/Berlin","reminders":[{"minutes_before":30}]}`, &first)
	if first.Todo.Due != "2030-05-01T18:00:00+02:00" || first.Todo.TimeZone != "Europe/Berlin" || !strings.Contains(first.TimeZoneUsed, "as asked") || first.ETag == "" || !strings.Contains(first.Link, "/apps/tasks/calendars/haus-hof/tasks/") {
		t.Errorf("created %+v", first)
	}
	s.Read(t, "nc_calendar_create_todo", `{"summary":"Garden","priority":9,"due":"2020-01-01","calendar_name":"haus & hof"}`, &second)
	s.Read(t, "nc_calendar_create_todo", `{"summary":"Tiles","parent_uid":"`+first.UID+`","dtstart":"2030-04-30"}`, &sub)

	var p page
	s.Read(t, "nc_calendar_list_todos", `{}`, &p)
	want(t, p.titles(), "Garden", "Roof", "- Tiles")
	if !p.Todos[0].Overdue || p.Todos[1].Overdue || p.Todos[2].ParentUID != first.UID {
		t.Errorf("listed %+v", p.Todos)
	}
	p = page{}
	s.Read(t, "nc_calendar_list_todos", `{"sort":"priority"}`, &p)
	want(t, p.titles(), "Roof", "- Tiles", "Garden")
	p = page{}
	s.Read(t, "nc_calendar_list_todos", `{"min_priority":"high"}`, &p)
	want(t, p.titles(), "Roof")
	p = page{}
	s.Read(t, "nc_calendar_list_todos", `{"view":"today"}`, &p)
	want(t, p.titles(), "Garden")

	var done saved
	s.Read(t, "nc_calendar_complete_todo", `{"todo_uid":"`+second.UID+`","etag":"`+second.ETag+`"}`, &done)
	if done.Todo.Status != "COMPLETED" || done.Todo.PercentComplete != 100 || done.Todo.Completed == "" || done.Todo.Overdue {
		t.Errorf("completed %+v", done.Todo)
	}
	s.Refused(t, "nc_calendar_update_todo", `{"todo_uid":"`+second.UID+`","etag":"`+second.ETag+`","summary":"stale"}`)
	s.Read(t, "nc_calendar_reopen_todo", `{"todo_uid":"`+second.UID+`"}`, &done)
	if done.Todo.Status != "NEEDS-ACTION" {
		t.Errorf("reopened %+v", done.Todo)
	}
	s.Read(t, "nc_calendar_update_todo", `{"todo_uid":"`+second.UID+`","percent_complete":"100"}`, nil)

	var full struct {
		Todo struct {
			todo
			Subtasks []struct {
				UID   string `json:"uid"`
				Depth int    `json:"depth"`
			} `json:"subtasks"`
			Reminders []struct {
				MinutesBefore int    `json:"minutes_before"`
				Related       string `json:"related"`
			} `json:"reminders"`
		} `json:"todo"`
	}
	s.Read(t, "nc_calendar_get_todo", `{"todo_uid":"`+first.UID+`","with_subtasks":true}`, &full)
	if len(full.Todo.Subtasks) != 1 || full.Todo.Subtasks[0].UID != sub.UID || len(full.Todo.Reminders) != 1 || full.Todo.Reminders[0].MinutesBefore != 30 || full.Todo.Reminders[0].Related != "END" {
		t.Errorf("read %+v", full.Todo)
	}
	if text := s.Refused(t, "nc_calendar_update_todo", `{"todo_uid":"`+first.UID+`","parent_uid":"`+sub.UID+`"}`); !strings.Contains(text, "below this one") {
		t.Errorf("a circle: %s", text)
	}

	// Away and back.
	s.Read(t, "nc_calendar_create_todo_list", `{"display_name":"Other"}`, nil)
	var moved struct {
		Moved []todo `json:"moved"`
	}
	s.Read(t, "nc_calendar_move_todo", `{"todo_uid":"`+first.UID+`","target_calendar":"other"}`, &moved)
	if len(moved.Moved) != 2 || moved.Moved[1].CalendarName != "other" {
		t.Errorf("moved %+v", moved)
	}
	p = page{}
	s.Read(t, "nc_calendar_list_todos", `{"calendar_name":"other"}`, &p)
	want(t, p.titles(), "Roof", "- Tiles")

	var gone struct {
		Deleted []todo `json:"deleted"`
		Undo    string `json:"undo"`
	}
	s.Read(t, "nc_calendar_delete_todo", `{"todo_uid":"`+first.UID+`","with_subtasks":true}`, &gone)
	if len(gone.Deleted) != 2 || !strings.Contains(gone.Undo, "nc_calendar_restore_todo") {
		t.Errorf("deleted %+v", gone)
	}
	s.Refused(t, "nc_calendar_get_todo", `{"todo_uid":"`+first.UID+`"}`)
	for _, g := range gone.Deleted {
		s.Read(t, "nc_calendar_restore_todo", `{"todo_uid":"`+g.UID+`"}`, nil)
	}
	p = page{}
	s.Read(t, "nc_calendar_list_todos", `{"calendar_name":"other"}`, &p)
	want(t, p.titles(), "Roof", "- Tiles")

	var cleared struct {
		DryRun bool   `json:"dry_run"`
		Todos  []todo `json:"todos"`
		Undo   string `json:"undo"`
	}
	s.Read(t, "nc_calendar_clear_completed_todos", `{}`, &cleared)
	if !cleared.DryRun || len(cleared.Todos) != 1 || cleared.Undo != "" {
		t.Errorf("dry run %+v", cleared)
	}
	s.Read(t, "nc_calendar_clear_completed_todos", `{"dry_run":false}`, &cleared)
	if cleared.DryRun || len(cleared.Todos) != 1 || cleared.Todos[0].UID != second.UID || cleared.Undo == "" {
		t.Errorf("cleared %+v", cleared)
	}
	s.Read(t, "nc_calendar_restore_todo", `{"todo_uid":"`+second.UID+`"}`, nil)
	p = page{}
	s.Read(t, "nc_calendar_search_todos", `{"query":"GARD"}`, &p)
	want(t, p.titles(), "Garden")

	// The list itself.
	s.Read(t, "nc_calendar_update_todo_list", `{"calendar_name":"other","display_name":"Another"}`, nil)
	s.Read(t, "nc_calendar_delete_todo_list", `{"calendar_name":"Another"}`, nil)
	if text := s.Refused(t, "nc_calendar_list_todos", `{"calendar_name":"other"}`); !strings.Contains(text, "haus-hof") {
		t.Errorf("a list that is gone: %s", text)
	}
	s.Read(t, "nc_calendar_restore_todo_list", `{"calendar_name":"other"}`, nil)
	p = page{}
	s.Read(t, "nc_calendar_list_todos", `{"calendar_name":"Another"}`, &p)
	want(t, p.titles(), "Roof", "- Tiles")
}

// TestRequests holds what each tool costs Nextcloud, once the person and the
// lists are known.
func TestRequests(t *testing.T) {
	s, _ := connect(t)
	s.Read(t, "nc_calendar_create_todo_list", `{"display_name":"one"}`, nil)
	var a, b saved
	s.Read(t, "nc_calendar_create_todo", `{"summary":"a"}`, &a)
	s.Read(t, "nc_calendar_create_todo", `{"summary":"b"}`, &b)
	at := func(uid string) string { return `"calendar_name":"one","todo_uid":"` + uid + `"` }
	s.Requests()
	for _, c := range []struct {
		tool, args string
		want       int
	}{
		{"nc_calendar_list_todos", `{"calendar_name":"one"}`, 1},
		{"nc_calendar_list_todos", `{}`, 2}, // one for each list: this one and Deck's
		{"nc_calendar_search_todos", `{}`, 2},
		{"nc_calendar_get_todo", `{` + at(a.UID) + `}`, 1},
		{"nc_calendar_get_todo", `{` + at(a.UID) + `,"with_subtasks":true}`, 1}, // the list instead
		{"nc_calendar_list_todo_lists", `{}`, 1},
		{"nc_calendar_create_todo", `{"calendar_name":"one","summary":"c"}`, 1},
		{"nc_calendar_create_todo", `{"calendar_name":"one","summary":"d","parent_uid":"` + a.UID + `"}`, 2}, // the parent is looked at
		{"nc_calendar_update_todo", `{` + at(a.UID) + `,"priority":"low"}`, 2},
		{"nc_calendar_update_todo", `{` + at(b.UID) + `,"parent_uid":"` + a.UID + `"}`, 2},
		{"nc_calendar_update_todo", `{` + at(a.UID) + `,"priority":"low"}`, 1}, // nothing to change
		{"nc_calendar_complete_todo", `{` + at(b.UID) + `}`, 2},
		{"nc_calendar_reopen_todo", `{` + at(b.UID) + `}`, 2},
		{"nc_calendar_delete_todo", `{` + at(b.UID) + `}`, 2},
		{"nc_calendar_restore_todo", `{` + at(b.UID) + `}`, 2},
		{"nc_calendar_clear_completed_todos", `{"calendar_name":"one"}`, 1},
		{"nc_calendar_create_todo_list", `{"display_name":"two"}`, 1},
		{"nc_calendar_move_todo", `{` + at(b.UID) + `,"target_calendar":"two"}`, 3}, // lists anew, the list, the move
		{"nc_calendar_update_todo_list", `{"calendar_name":"two","color":"#000000"}`, 1},
		{"nc_calendar_delete_todo_list", `{"calendar_name":"two"}`, 2}, // lists anew
		{"nc_calendar_restore_todo_list", `{"calendar_name":"two"}`, 2},
	} {
		s.Read(t, c.tool, c.args, nil)
		if got := s.Requests(); got != c.want {
			t.Errorf("%s %s: %d requests, want %d", c.tool, c.args, got, c.want)
		}
	}
}

// TestFaults: what goes wrong is said, and nothing half done is reported as
// done.
func TestFaults(t *testing.T) {
	s, server := connect(t)
	s.Read(t, "nc_calendar_create_todo_list", `{"display_name":"one"}`, nil)
	s.Read(t, "nc_calendar_create_todo_list", `{"display_name":"two"}`, nil)
	var a, b saved
	s.Read(t, "nc_calendar_create_todo", `{"calendar_name":"one","summary":"a"}`, &a)
	s.Read(t, "nc_calendar_create_todo", `{"calendar_name":"one","summary":"b","parent_uid":"`+a.UID+`"}`, &b)
	const dav = "/remote.php/dav/calendars/alice/"
	for name, c := range map[string]struct {
		fault      nextcloudtest.Fault
		tool, args string
		want       string
	}{
		"changed meanwhile": {nextcloudtest.Fault{Method: "PUT", Status: 412}, "nc_calendar_update_todo", `{"todo_uid":"` + a.UID + `","summary":"x"}`, "changed since it was read"},
		"locked":            {nextcloudtest.Fault{Method: "PUT", Status: 423}, "nc_calendar_complete_todo", `{"todo_uid":"` + a.UID + `"}`, "editing it now"},
		"slow down":         {nextcloudtest.Fault{Method: "PUT", Status: 429}, "nc_calendar_create_todo", `{"calendar_name":"one","summary":"x"}`, "slow down"},
		"web page":          {nextcloudtest.Fault{Method: "REPORT", HTML: true}, "nc_calendar_list_todos", `{"calendar_name":"one"}`, "unexpected answer"},
		"cut":               {nextcloudtest.Fault{Method: "REPORT", CutBody: 200}, "nc_calendar_list_todos", `{"calendar_name":"one"}`, ""},
		"no XML":            {nextcloudtest.Fault{Method: "REPORT", GarbageXML: true}, "nc_calendar_list_todos", `{"calendar_name":"one"}`, "not the XML"},
		"delete refused":    {nextcloudtest.Fault{Method: "DELETE", Status: 403}, "nc_calendar_delete_todo", `{"todo_uid":"` + a.UID + `"}`, "read-only"},
		"half of a move":    {nextcloudtest.Fault{Method: "MOVE", PathPrefix: dav + "one/" + b.UID, Status: 412}, "nc_calendar_move_todo", `{"todo_uid":"` + a.UID + `","target_calendar":"two"}`, "1 subtasks were moved (a)"},
		"list limit":        {nextcloudtest.Fault{Method: "MKCALENDAR", Status: 403}, "nc_calendar_create_todo_list", `{"display_name":"x"}`, "only so many"},
	} {
		clear := server.Fault(c.fault)
		if text := s.Refused(t, c.tool, c.args); !strings.Contains(text, c.want) {
			t.Errorf("%s: %s", name, text)
		}
		clear()
	}
	// One list of several that cannot be read is named.
	clear := server.Fault(nextcloudtest.Fault{Method: "REPORT", PathPrefix: dav + "two", Status: 500})
	defer clear()
	var p page
	s.Read(t, "nc_calendar_list_todos", `{}`, &p)
	if len(p.Skipped) != 1 || !strings.Contains(p.Skipped[0], "list two") {
		t.Errorf("skipped %q", p.Skipped)
	}
}

// TestShared: a list of somebody else works as far as they allow.
func TestShared(t *testing.T) {
	alice, server := connect(t)
	bob := tooltest.Connect(t, server, &tooltest.Options{User: "bob", Password: "bob-password-1"}, tasks.Tools.Set())
	alice.Read(t, "nc_calendar_create_todo_list", `{"display_name":"House"}`, nil)
	var w saved
	alice.Read(t, "nc_calendar_create_todo", `{"calendar_name":"house","summary":"Roof"}`, &w)
	share := func(right string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/remote.php/dav/calendars/alice/house/", strings.NewReader(
			`<o:share xmlns:d="DAV:" xmlns:o="http://owncloud.org/ns"><o:set><d:href>principal:principals/users/bob</d:href>`+right+`</o:set></o:share>`))
		r.SetBasicAuth("alice", "alice-password-1")
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK {
			t.Fatal(rec.Code, rec.Body)
		}
	}
	share("<o:read-write/>")
	const list = `"calendar_name":"house_shared_by_alice"`
	bob.Read(t, "nc_calendar_complete_todo", `{`+list+`,"todo_uid":"`+w.UID+`"}`, nil)
	var gone struct {
		Undo string `json:"undo"`
	}
	bob.Read(t, "nc_calendar_delete_todo", `{`+list+`,"todo_uid":"`+w.UID+`"}`, &gone)
	bob.Read(t, "nc_calendar_restore_todo", `{`+list+`,"todo_uid":"`+w.UID+`"}`, nil)
	bob.Read(t, "nc_calendar_update_todo_list", `{`+list+`,"display_name":"Alice's house"}`, nil)
	var p page
	bob.Read(t, "nc_calendar_list_todos", `{"calendar_name":"alice's house","view":"all"}`, &p)
	want(t, p.titles(), "Roof")
	alice.Read(t, "nc_calendar_list_todos", `{"calendar_name":"House","view":"all"}`, nil) // still her name

	share("")
	if text := bob.Refused(t, "nc_calendar_create_todo", `{`+list+`,"summary":"x"}`); !strings.Contains(text, "read-only") {
		t.Errorf("error = %s", text)
	}
	alice.Read(t, "nc_calendar_delete_todo", `{"todo_uid":"`+w.UID+`"}`, nil)
	if text := bob.Refused(t, "nc_calendar_restore_todo", `{"todo_uid":"`+w.UID+`"}`); !strings.Contains(text, "not allowed") {
		t.Errorf("error = %s", text)
	}
	alice.Read(t, "nc_calendar_restore_todo", `{"todo_uid":"`+w.UID+`"}`, nil)
	var left struct {
		Undo string `json:"undo"`
	}
	bob.Read(t, "nc_calendar_delete_todo_list", `{`+list+`}`, &left)
	if !strings.Contains(left.Undo, "somebody else") {
		t.Errorf("undo = %s", left.Undo)
	}
	alice.Read(t, "nc_calendar_get_todo", `{"todo_uid":"`+w.UID+`"}`, nil)
}
