package calendar

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Operation is what is done to many events.
type Operation string

// Values are the operations.
func (Operation) Values() []string { return []string{"update", "delete", "move"} }

// BulkInput is the input of nc_calendar_bulk_operations.
type BulkInput struct {
	Operation          Operation `json:"operation" jsonschema:"what to do"`
	CalendarName       string    `json:"calendar_name,omitempty" jsonschema:"default all"`
	StartDate          string    `json:"start_date,omitempty" jsonschema:"default today"`
	EndDate            string    `json:"end_date,omitempty" jsonschema:"inclusive, default +30 days"`
	TitleContains      string    `json:"title_contains,omitempty" jsonschema:"text"`
	LocationContains   string    `json:"location_contains,omitempty" jsonschema:"text"`
	Categories         string    `json:"categories,omitempty" jsonschema:"any of these"`
	Status             string    `json:"status,omitempty" jsonschema:"of the events looked for"`
	RecurrenceScope    Scope     `json:"recurrence_scope,omitempty" jsonschema:"this: occurrences found, all: series, default none"`
	NewTitle           *string   `json:"new_title,omitempty" jsonschema:"text"`
	NewDescription     *string   `json:"new_description,omitempty" jsonschema:"text"`
	NewLocation        *string   `json:"new_location,omitempty" jsonschema:"text"`
	NewCategories      *string   `json:"new_categories,omitempty" jsonschema:"comma-separated"`
	NewPriority        *int      `json:"new_priority,omitempty" jsonschema:"1 to 9, 0 none"`
	NewReminderMinutes *int      `json:"new_reminder_minutes,omitempty" jsonschema:"0 none"`
	NewStatus          *Status   `json:"new_status,omitempty" jsonschema:"status"`
	TargetCalendar     string    `json:"target_calendar,omitempty" jsonschema:"for move"`
	DryRun             *bool     `json:"dry_run,omitempty" jsonschema:"default true"`
	ExpectedCount      *int      `json:"expected_count,omitempty" jsonschema:"count of the dry run"`
}

var bulk = tool.New(tool.Def{
	Name:  "nc_calendar_bulk_operations",
	Title: "Change many events",
	Description: "Update, delete or move all events that the filters find, at most 200. " +
		"First runs dry. Show the list to the person, then call with dry_run=false and expected_count.",
	Scope:  scope.CalendarWrite,
	Effect: tool.Deletes,
	Tier:   tool.Extended,
	Object: []string{"operation", "calendar_name", "target_calendar"},
}, func(ctx context.Context, calendars *api.Client, in BulkInput) (*api.BulkResult, error) {
	or(&in.DryRun, true)
	b := api.Bulk{
		Operation: api.BulkOperation(in.Operation), To: in.TargetCalendar, Scope: api.Scope(in.RecurrenceScope), Apply: !*in.DryRun,
		Query: api.Query{
			Calendar: in.CalendarName, Start: in.StartDate, End: in.EndDate, TitleContains: in.TitleContains,
			LocationContains: in.LocationContains, Categories: in.Categories, Status: in.Status,
		},
		Fields: api.Fields{
			Title: in.NewTitle, Description: in.NewDescription, Location: in.NewLocation, Categories: in.NewCategories,
			Priority: in.NewPriority, ReminderMinutes: in.NewReminderMinutes, Status: (*string)(in.NewStatus),
		},
	}
	if b.Apply {
		if in.ExpectedCount == nil {
			return nil, tool.Invalidf("dry_run=false needs expected_count, the count that the dry run answered. Nothing was changed.")
		}
		b.Expect = *in.ExpectedCount
	}
	if in.RecurrenceScope == "this_and_future" {
		return nil, tool.Invalidf("recurrence_scope has to be this or all here; use nc_calendar_update_event for this_and_future")
	}
	res, err := calendars.Bulk(ctx, b)
	if err != nil {
		return nil, err
	}
	res.Undo = bulkUndo(res)
	return res, nil
})

// bulkUndo says how to take back what was done.
func bulkUndo(r *api.BulkResult) string {
	switch {
	case r.DryRun:
		return ""
	case r.Count == 0:
		return "Nothing was changed."
	case r.Operation == api.BulkDelete:
		return "nc_calendar_restore_trash for each id in nc_calendar_list_trash. Single occurrences of series are not in the trash."
	case r.Operation == api.BulkMove:
		return fmt.Sprintf("nc_calendar_move_event back for each of the %d.", r.Count)
	}
	return "The old values are not kept here: nc_calendar_update_event sets them again for each."
}
