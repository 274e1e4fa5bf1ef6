package calendar

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// MeetingInput is the input of nc_calendar_create_meeting.
type MeetingInput struct {
	Title           string  `json:"title" jsonschema:"title"`
	Date            string  `json:"date" jsonschema:"2026-12-24"`
	Time            string  `json:"time" jsonschema:"18:00"`
	DurationMinutes int     `json:"duration_minutes,omitempty" jsonschema:"default 60"`
	Timezone        *string `json:"timezone,omitempty" jsonschema:"IANA, default the person's"`
	CalendarName    string  `json:"calendar_name,omitempty" jsonschema:"default the person's default"`
	Attendees       *string `json:"attendees,omitempty" jsonschema:"comma-separated, get invitations"`
	Location        *string `json:"location,omitempty" jsonschema:"text"`
	Description     *string `json:"description,omitempty" jsonschema:"text"`
	ReminderMinutes *int    `json:"reminder_minutes,omitempty" jsonschema:"default 15, 0 none"`
}

var meeting = tool.New(tool.Def{
	Name:        "nc_calendar_create_meeting",
	Title:       "Create a meeting",
	Description: "Create a one-off event with the usual settings. Nextcloud invites the attendees.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name", "title"},
}, func(ctx context.Context, calendars *api.Client, in MeetingInput) (*Saved, error) {
	if in.DurationMinutes == 0 {
		in.DurationMinutes = 60
	}
	if in.DurationMinutes < 0 || in.DurationMinutes > 31*24*60 {
		return nil, tool.Invalidf("duration_minutes has to be from 1 to %d", 31*24*60)
	}
	or(&in.ReminderMinutes, 15)
	return saved(calendars.Meet(ctx, in.CalendarName, in.Date, in.Time, in.DurationMinutes, api.Fields{
		Title: &in.Title, TimeZone: in.Timezone, Attendees: in.Attendees, Location: in.Location, Description: in.Description,
		ReminderMinutes: in.ReminderMinutes, Status: new("CONFIRMED"), Privacy: new("PUBLIC"), Priority: new(5),
	}))
})

// MoveInput is the input of nc_calendar_move_event.
type MoveInput struct {
	CalendarName   string `json:"calendar_name" jsonschema:"where it is"`
	EventUID       string `json:"event_uid" jsonschema:"uid"`
	TargetCalendar string `json:"target_calendar" jsonschema:"name or display name"`
	ETag           string `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

// Moved is the outcome of nc_calendar_move_event.
type Moved struct {
	UID   string      `json:"uid"`
	ETag  string      `json:"etag"`
	From  string      `json:"from"`
	Event api.Summary `json:"event"`
	Undo  string      `json:"undo"`
}

var move = tool.New(tool.Def{
	Name:        "nc_calendar_move_event",
	Title:       "Move an event to another calendar",
	Description: "Move an event, a series with all occurrences, to another calendar. Nothing else of it changes.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name", "event_uid", "target_calendar"},
}, func(ctx context.Context, calendars *api.Client, in MoveInput) (*Moved, error) {
	m, err := calendars.Move(ctx, api.Target{Calendar: in.CalendarName, UID: in.EventUID, ETag: in.ETag}, in.TargetCalendar)
	if err != nil {
		return nil, err
	}
	return &Moved{m.UID, m.ETag, m.From.Name, m.Event, "nc_calendar_move_event back to " + m.From.Name}, nil
})
