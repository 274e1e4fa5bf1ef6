package calendar

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
)

// TestBudget keeps what every client pays for these tools on each connection.
func TestBudget(t *testing.T) {
	const budget = 20_500
	total := 0
	for _, tl := range Tools.Set().Tools {
		decl, err := tl.MCP()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(decl)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		t.Logf("%4d %s", len(b), b)
		if strings.ContainsAny(tl.Description, ";→") {
			t.Errorf("%s: semicolon or arrow in the description", tl.Name)
		}
	}
	if total > budget {
		t.Errorf("tools take %d bytes of tools/list, more than %d", total, budget)
	}
	if n := len(Tools.Set().Tools); n != 21 {
		t.Errorf("%d tools, want 21", n)
	}
}

func TestUndo(t *testing.T) {
	cal := &api.Calendar{Name: "work"}
	event := api.Summary{UID: "u", Title: "Standup", Start: "2027-03-01T09:00:00+01:00", End: "2027-03-01T09:15:00+01:00", RecurrenceID: "2027-03-01T09:00:00+01:00"}
	for name, c := range map[string]struct {
		d    *api.Deleted
		what string
		undo []string
	}{
		"event":  {&api.Deleted{UID: "u", Calendar: cal, Whole: true, Retention: 30 * 24 * time.Hour, Event: event}, "event", []string{"nc_calendar_restore_trash", "within 30 days", "same uid"}},
		"series": {&api.Deleted{UID: "u", Calendar: cal, Whole: true, Scope: api.All, Event: event}, "whole series", []string{"nc_calendar_list_trash."}},
		"this": {
			&api.Deleted{UID: "u", Calendar: cal, Scope: api.This, Event: event}, "one occurrence",
			[]string{"nc_calendar_create_event", `title="Standup"`, `start_datetime="2027-03-01T09:00:00+01:00"`, `calendar_name="work"`},
		},
		"future": {
			&api.Deleted{UID: "u", Calendar: cal, Scope: api.ThisAndFuture, Event: event, Rule: "FREQ=DAILY;COUNT=5"}, "this and all future occurrences",
			[]string{"nc_calendar_update_event", `event_uid="u"`, `recurrence_rule="FREQ=DAILY;COUNT=5"`, `recurrence_scope="all"`},
		},
	} {
		out := deleted(c.d)
		if out.Deleted.What != c.what || out.DeletedUID != "u" {
			t.Errorf("%s: %+v", name, out)
		}
		for _, want := range c.undo {
			if !strings.Contains(out.Undo, want) {
				t.Errorf("%s: no %q in %q", name, want, out.Undo)
			}
		}
	}
}

// TestSchemas: what the reference's callers rely on.
func TestSchemas(t *testing.T) {
	required := map[string][]string{
		"nc_calendar_list_calendars": nil, "nc_calendar_list_events": nil, "nc_calendar_get_upcoming_events": nil,
		"nc_calendar_get_event":    {"calendar_name", "event_uid"},
		"nc_calendar_create_event": {"calendar_name", "start_datetime", "title"},
		"nc_calendar_update_event": {"calendar_name", "event_uid"},
		"nc_calendar_delete_event": {"calendar_name", "event_uid"},

		"nc_calendar_create_meeting": {"date", "time", "title"}, "nc_calendar_bulk_operations": {"operation"}, "nc_calendar_manage_calendar": {"action"},
		"nc_calendar_find_availability": {"duration_minutes"}, "nc_calendar_move_event": {"calendar_name", "event_uid", "target_calendar"},
		"nc_calendar_list_invitations": nil, "nc_calendar_respond_invitation": {"response"}, "nc_calendar_get_free_busy": nil,
		"nc_calendar_share_calendar": {"access", "calendar_name", "share_with"}, "nc_calendar_publish_calendar": {"calendar_name", "published"},
		"nc_calendar_list_trash": nil, "nc_calendar_restore_trash": {"id"},
		"nc_calendar_import_ics": {"calendar_name", "ics"}, "nc_calendar_export_ics": {"calendar_name"},
	}
	for _, tl := range Tools.Set().Tools {
		decl, err := tl.MCP()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(decl.InputSchema)
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			Required   []string `json:"required"`
			Properties map[string]struct {
				Type        any    `json:"type"`
				Description string `json:"description"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(b, &schema); err != nil {
			t.Fatal(err)
		}
		slices.Sort(schema.Required)
		want, known := required[tl.Name]
		if !known || !slices.Equal(schema.Required, want) {
			t.Errorf("%s needs %q, want %q", tl.Name, schema.Required, want)
		}
		for name, p := range schema.Properties {
			if _, one := p.Type.(string); !one || p.Description == "" || len(p.Description) > 60 {
				t.Errorf("%s: %s is %v %q", tl.Name, name, p.Type, p.Description)
			}
		}
	}
}
