package calendar

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
)

// TestRequests holds what each tool costs at Nextcloud, for a person whose
// calendars and zone are known already, as they are after the first call.
func TestRequests(t *testing.T) {
	server := nextcloudtest.New(&nextcloudtest.Options{SampleData: true})
	alice := tooltest.Connect(t, server, nil, Tools.Set())
	bob := tooltest.Connect(t, server, &tooltest.Options{User: "bob", Password: "bob-password-1"}, Tools.Set())
	day := time.Now().UTC().AddDate(0, 0, 30).Format(time.DateOnly)
	uid := func(s *tooltest.Session, title, more string) string {
		t.Helper()
		var made struct{ UID string }
		s.Read(t, "nc_calendar_create_event", fmt.Sprintf(`{"calendar_name":"personal","title":%q,"start_datetime":"%sT08:00:00Z"%s}`, title, day, more), &made)
		return made.UID
	}
	plain, series, moving, gone := uid(alice, "plain", ""), uid(alice, "series", `,"recurrence_rule":"FREQ=DAILY;COUNT=3"`), uid(alice, "moving", ""), uid(alice, "gone", "")
	invited := uid(bob, "invited", `,"attendees":"alice@example.org"`)
	uid(alice, "bulk one", "")
	uid(alice, "bulk two", "")
	alice.Read(t, "nc_calendar_delete_event", fmt.Sprintf(`{"calendar_name":"personal","event_uid":%q}`, gone), nil)
	var trash struct{ Items []struct{ ID, UID string } }
	alice.Read(t, "nc_calendar_list_trash", `{}`, &trash)
	if len(trash.Items) != 1 || trash.Items[0].UID != gone {
		t.Fatalf("trash = %+v", trash)
	}
	ics := `"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:imported\nDTSTAMP:20270101T000000Z\nDTSTART:20270110T090000Z\nSUMMARY:I\nEND:VEVENT\nEND:VCALENDAR\n"`
	const events = 2 // of alice's calendars hold events of hers; a third one are the birthdays
	alice.Read(t, "nc_calendar_list_events", `{}`, nil)
	alice.Requests()
	for _, c := range []struct {
		name, args string
		want       int
	}{
		{"nc_calendar_list_calendars", `{}`, 1},
		{"nc_calendar_list_events", `{"calendar_name":"personal"}`, 1},
		{"nc_calendar_list_events", `{}`, events + 1},
		{"nc_calendar_get_upcoming_events", `{"calendar_name":"personal"}`, 1},
		{"nc_calendar_get_event", `{"calendar_name":"personal","event_uid":"` + plain + `"}`, 1},
		{"nc_calendar_create_event", `{"calendar_name":"personal","title":"new","start_datetime":"` + day + `"}`, 1},
		{"nc_calendar_create_event", `{"calendar_name":"personal","title":"new","start_datetime":"` + day + `","attendees":"bob@example.org"}`, 2},
		{"nc_calendar_create_meeting", `{"title":"new","date":"` + day + `","time":"09:00"}`, 1},
		{"nc_calendar_update_event", `{"calendar_name":"personal","event_uid":"` + plain + `","title":"changed"}`, 2},
		{"nc_calendar_update_event", `{"calendar_name":"personal","event_uid":"` + series + `","title":"x","recurrence_scope":"this","recurrence_id":"` + day + `"}`, 2},
		{"nc_calendar_update_event", `{"calendar_name":"personal","event_uid":"` + series + `","title":"x","recurrence_scope":"this_and_future","recurrence_id":"` +
			time.Now().UTC().AddDate(0, 0, 31).Format(time.DateOnly) + `"}`, 3},
		{"nc_calendar_delete_event", `{"calendar_name":"personal","event_uid":"` + plain + `"}`, 2},
		{"nc_calendar_move_event", `{"calendar_name":"personal","event_uid":"` + moving + `","target_calendar":"work"}`, 2},
		{"nc_calendar_bulk_operations", `{"operation":"update","calendar_name":"personal","title_contains":"bulk","start_date":"` + day + `","end_date":"` + day + `","new_location":"R"}`, 1},
		{"nc_calendar_bulk_operations", `{"operation":"update","calendar_name":"personal","title_contains":"bulk","start_date":"` + day + `","end_date":"` + day +
			`","new_location":"R","dry_run":false,"expected_count":2}`, 3},
		{"nc_calendar_list_invitations", `{}`, events + 1},
		{"nc_calendar_respond_invitation", `{"event_uid":"` + invited + `","response":"accept"}`, 2},
		{"nc_calendar_get_free_busy", `{"attendees":"bob@example.org"}`, 1},
		{"nc_calendar_find_availability", `{"duration_minutes":30,"attendees":"bob@example.org"}`, events + 2},
		{"nc_calendar_find_availability", `{"duration_minutes":30,"working_hours":"08:00-12:00"}`, events},
		{"nc_calendar_share_calendar", `{"calendar_name":"work","share_with":"bob","access":"read"}`, 3}, // with a listing, since the one known is forgotten
		{"nc_calendar_publish_calendar", `{"calendar_name":"work","published":true}`, 3},                 // as above
		{"nc_calendar_publish_calendar", `{"calendar_name":"work","published":false}`, 3},                // as above
		{"nc_calendar_list_trash", `{}`, 2},
		{"nc_calendar_restore_trash", `{"id":"` + trash.Items[0].ID + `"}`, 2},
		{"nc_calendar_manage_calendar", `{"action":"create","display_name":"Made"}`, 1},
		{"nc_calendar_manage_calendar", `{"action":"update","calendar_name":"made","color":"#112233"}`, 2}, // with a listing
		{"nc_calendar_manage_calendar", `{"action":"delete","calendar_name":"made"}`, 2},                   // as above
		{"nc_calendar_import_ics", `{"calendar_name":"personal","dry_run":true,"ics":` + ics + `}`, 3},     // as above, and the whole calendar once
		{"nc_calendar_import_ics", `{"calendar_name":"personal","ics":` + ics + `}`, 2},                    // only what changed since
		{"nc_calendar_export_ics", `{"calendar_name":"personal"}`, 1},
	} {
		alice.Read(t, c.name, c.args, nil)
		if got := alice.Requests(); got != c.want {
			t.Errorf("%s %s: %d requests, want %d", c.name, c.args, got, c.want)
		}
	}
}

// TestFaults: what goes wrong at Nextcloud is told in words that help, and
// nothing half-done is told as done.
func TestFaults(t *testing.T) {
	const personal = "/remote.php/dav/calendars/alice/personal/"
	create := `{"calendar_name":"personal","title":"x","start_datetime":"2027-03-01T08:00"}`
	for name, c := range map[string]struct {
		fault      nextcloudtest.Fault
		tool, args string
		want       []string
	}{
		"changed meanwhile": {nextcloudtest.Fault{Method: "PUT", PathPrefix: personal, Status: 412}, "nc_calendar_update_event", "", []string{"changed since it was read"}},
		"locked":            {nextcloudtest.Fault{Method: "PUT", PathPrefix: personal, Status: 423}, "nc_calendar_update_event", "", []string{"editing it now"}},
		"full":              {nextcloudtest.Fault{Method: "PUT", PathPrefix: personal, Status: 507}, "nc_calendar_create_event", create, []string{"storage", "full"}},
		"too many":          {nextcloudtest.Fault{Method: "PUT", PathPrefix: personal, Status: 429}, "nc_calendar_create_event", create, []string{"slow down"}},
		"a web page":        {nextcloudtest.Fault{Method: "REPORT", PathPrefix: personal, HTML: true}, "nc_calendar_list_events", `{"calendar_name":"personal"}`, []string{"unexpected answer"}},
		"cut":               {nextcloudtest.Fault{Method: "REPORT", PathPrefix: personal, CutBody: 300}, "nc_calendar_list_events", `{"calendar_name":"personal"}`, []string{"not available now"}},
		"bad XML":           {nextcloudtest.Fault{Method: "REPORT", PathPrefix: personal, GarbageXML: true}, "nc_calendar_list_events", `{"calendar_name":"personal"}`, []string{"unexpected answer"}},
		"too many calendars in an hour": {
			nextcloudtest.Fault{Method: "MKCALENDAR", Status: 429}, "nc_calendar_manage_calendar", `{"action":"create","display_name":"y"}`, []string{"10 unless"},
		},
		"free-busy refused": {nextcloudtest.Fault{Method: "POST", Status: 403}, "nc_calendar_get_free_busy", `{"attendees":"bob@example.org"}`, []string{"refuses to say"}},
		"own events unknown": { // free would be a guess
			nextcloudtest.Fault{Method: "REPORT", PathPrefix: personal, Status: 403}, "nc_calendar_find_availability", `{"duration_minutes":30}`, []string{"not allowed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := nextcloudtest.New(nil)
			s := tooltest.Connect(t, server, nil, Tools.Set())
			var made struct{ UID string }
			s.Read(t, "nc_calendar_create_event", create, &made)
			server.Fault(c.fault)
			if c.args == "" {
				c.args = fmt.Sprintf(`{"calendar_name":"personal","event_uid":%q,"title":"y"}`, made.UID)
			}
			text := s.Refused(t, c.tool, c.args)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in %q", want, text)
				}
			}
		})
	}
}

// TestBulkFaults: each event's own outcome is told, whatever becomes of the
// others.
func TestBulkFaults(t *testing.T) {
	server := nextcloudtest.New(nil)
	s := tooltest.Connect(t, server, nil, Tools.Set())
	for i := range 4 {
		s.Read(t, "nc_calendar_create_event", fmt.Sprintf(`{"calendar_name":"personal","title":"b%d","start_datetime":"2027-03-0%dT08:00:00Z"}`, i, i+1), nil)
	}
	call := func(more string) (out struct {
		Count        int
		FailedCount  int `json:"failed_count"`
		NotAttempted int `json:"not_attempted_count"`
		Results      []struct{ Summary, Outcome, Reason string }
		Undo         string
	},
	) {
		t.Helper()
		s.Read(t, "nc_calendar_bulk_operations", `{"operation":"delete","title_contains":"b","start_date":"2027-03-01","end_date":"2027-03-31"`+more+`}`, &out)
		return out
	}
	if dry := call(""); dry.Count != 4 || dry.Undo != "" {
		t.Fatalf("dry = %+v", dry)
	}
	server.Fault(nextcloudtest.Fault{Method: "DELETE", Times: 1, Status: 412})
	server.Fault(nextcloudtest.Fault{Method: "DELETE", Times: 1, Status: 502})
	got := call(`,"dry_run":false,"expected_count":4`)
	if got.Count != 2 || got.FailedCount != 2 || got.Results[0].Outcome != "failed" || got.Results[1].Outcome != "unknown" || got.Results[2].Outcome != "deleted" || !strings.Contains(got.Undo, "restore") {
		t.Errorf("result = %+v", got)
	}
	server.Fault(nextcloudtest.Fault{Method: "DELETE", Status: 429})
	got = call(`,"dry_run":false,"expected_count":2`)
	if got.Count != 0 || got.FailedCount != 1 || got.NotAttempted != 1 || got.Results[1].Outcome != "not_attempted" {
		t.Errorf("slowed down: %+v", got)
	}
	if text := s.Refused(t, "nc_calendar_bulk_operations", `{"operation":"delete","title_contains":"b","dry_run":false}`); !strings.Contains(text, "expected_count") {
		t.Error(text)
	}
}

// TestReadOnly: calendars that can only be read say why.
func TestReadOnly(t *testing.T) {
	server := nextcloudtest.New(nil)
	s := tooltest.Connect(t, server, nil, Tools.Set())
	bob := tooltest.Connect(t, server, &tooltest.Options{User: "bob", Password: "bob-password-1"}, Tools.Set())
	bob.Read(t, "nc_calendar_share_calendar", `{"calendar_name":"personal","share_with":"alice","access":"read"}`, nil)
	for name, args := range map[string]string{
		"birthdays": `{"calendar_name":"contact_birthdays","title":"x","start_datetime":"2027-03-01"}`,
		"shared":    `{"calendar_name":"personal_shared_by_bob","title":"x","start_datetime":"2027-03-01"}`,
	} {
		if text := s.Refused(t, "nc_calendar_create_event", args); !strings.Contains(text, "can only be read") {
			t.Errorf("%s: %s", name, text)
		}
	}
	for _, c := range [][3]string{
		{"nc_calendar_manage_calendar", `{"action":"delete","calendar_name":"contact_birthdays"}`, "makes the birthday calendar itself"},
		{"nc_calendar_share_calendar", `{"calendar_name":"contact_birthdays","share_with":"bob","access":"read"}`, "cannot be shared"},
		{"nc_calendar_publish_calendar", `{"calendar_name":"personal_shared_by_bob","published":true}`, "only the owner"},
		{"nc_calendar_share_calendar", `{"calendar_name":"personal","share_with":"nobody","access":"read"}`, "there is no user"},
		{"nc_calendar_restore_trash", `{"id":"../personal"}`, "nothing with the id"},
		{"nc_calendar_respond_invitation", `{"invitation_id":"../../x","response":"accept"}`, "is none"},
	} {
		if text := s.Refused(t, c[0], c[1]); !strings.Contains(text, c[2]) {
			t.Errorf("%s: %s", c[0], text)
		}
	}
	var left struct{ Message string }
	s.Read(t, "nc_calendar_manage_calendar", `{"action":"delete","calendar_name":"personal_shared_by_bob"}`, &left)
	if !strings.Contains(left.Message, "still there for its owner") {
		t.Errorf("left: %+v", left)
	}
}
