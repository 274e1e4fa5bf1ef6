package calendar

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// OnDuplicate is what becomes of an event that is there already.
type OnDuplicate string

// Values are the ways.
func (OnDuplicate) Values() []string { return []string{"skip", "replace", "new_uid"} }

// ImportInput is the input of nc_calendar_import_ics.
type ImportInput struct {
	CalendarName    string      `json:"calendar_name" jsonschema:"or display name"`
	ICS             string      `json:"ics" jsonschema:"iCalendar text"`
	OnDuplicate     OnDuplicate `json:"on_duplicate,omitempty" jsonschema:"same uid is there, default skip"`
	SendInvitations bool        `json:"send_invitations,omitempty" jsonschema:"default false"`
	DryRun          bool        `json:"dry_run,omitempty" jsonschema:"only say what would be done"`
}

var importICS = tool.New(tool.Def{
	Name:        "nc_calendar_import_ics",
	Title:       "Import events",
	Description: "Put the events of an ICS text into a calendar, at most 500, and say what became of each.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name"},
}, func(ctx context.Context, calendars *api.Client, in ImportInput) (*api.ImportResult, error) {
	return calendars.Import(ctx, api.Import{
		Calendar: in.CalendarName, ICS: in.ICS, Duplicate: api.Duplicate(in.OnDuplicate), DryRun: in.DryRun, Invite: in.SendInvitations,
	})
})

// ExportInput is the input of nc_calendar_export_ics.
type ExportInput struct {
	CalendarName string `json:"calendar_name" jsonschema:"or display name"`
	EventUID     string `json:"event_uid,omitempty" jsonschema:"default the whole calendar"`
	MaxChars     int    `json:"max_chars,omitempty" jsonschema:"default 50000"`
	Offset       int    `json:"offset,omitempty" jsonschema:"next_offset"`
}

var exportICS = tool.New(tool.Def{
	Name:        "nc_calendar_export_ics",
	Title:       "Export a calendar or event",
	Description: "Read a calendar or one event as ICS text.",
	Scope:       scope.CalendarRead,
	Effect:      tool.Reads,
	Tier:        tool.Complete,
	Object:      []string{"calendar_name", "event_uid"},
}, func(ctx context.Context, calendars *api.Client, in ExportInput) (*api.Export, error) {
	return calendars.Export(ctx, in.CalendarName, in.EventUID, in.Offset, in.MaxChars)
})
