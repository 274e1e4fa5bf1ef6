package calendar

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ListInput is the input of nc_calendar_list_events.
type ListInput struct {
	CalendarName       string `json:"calendar_name,omitempty" jsonschema:"or display name, default all"`
	StartDate          string `json:"start_date,omitempty" jsonschema:"default today"`
	EndDate            string `json:"end_date,omitempty" jsonschema:"inclusive, default +30 days"`
	Timezone           string `json:"timezone,omitempty" jsonschema:"IANA, default the person's"`
	TitleContains      string `json:"title_contains,omitempty" jsonschema:"text"`
	LocationContains   string `json:"location_contains,omitempty" jsonschema:"text"`
	Categories         string `json:"categories,omitempty" jsonschema:"any of these, comma-separated"`
	Status             string `json:"status,omitempty" jsonschema:"CONFIRMED, TENTATIVE or CANCELLED"`
	MinAttendees       int    `json:"min_attendees,omitempty" jsonschema:"at least"`
	MinDurationMinutes int    `json:"min_duration_minutes,omitempty" jsonschema:"at least"`
	Limit              int    `json:"limit,omitempty" jsonschema:"default 50, at most 500"`
	Cursor             string `json:"cursor,omitempty" jsonschema:"next_cursor"`
	SearchAllCalendars bool   `json:"search_all_calendars,omitempty" jsonschema:"all"`
}

var list = tool.New(tool.Def{
	Name:        "nc_calendar_list_events",
	Title:       "List events",
	Description: "List events by start, recurring ones as occurrences. end is exclusive, last_day is not.",
	Scope:       scope.CalendarRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"calendar_name"},
}, func(ctx context.Context, calendars *api.Client, in ListInput) (*api.Page, error) {
	if in.SearchAllCalendars {
		in.CalendarName = ""
	}
	if in.Limit < 0 || in.Limit > api.MaxLimit {
		return nil, tool.Invalidf("limit has to be between 1 and %d", api.MaxLimit)
	}
	return calendars.List(ctx, api.Query{
		Calendar: in.CalendarName, Start: in.StartDate, End: in.EndDate, TimeZone: in.Timezone,
		MinAttendees: in.MinAttendees, MinDurationMinutes: in.MinDurationMinutes, Categories: in.Categories,
		Status: in.Status, TitleContains: in.TitleContains, LocationContains: in.LocationContains,
		Limit: in.Limit, Cursor: in.Cursor,
	})
})

// UpcomingInput is the input of nc_calendar_get_upcoming_events.
type UpcomingInput struct {
	CalendarName string `json:"calendar_name,omitempty" jsonschema:"or display name, default all"`
	DaysAhead    int    `json:"days_ahead,omitempty" jsonschema:"default 7"`
	Limit        int    `json:"limit,omitempty" jsonschema:"default 10"`
}

var upcoming = tool.New(tool.Def{
	Name:        "nc_calendar_get_upcoming_events",
	Title:       "Upcoming events",
	Description: "List events from now on.",
	Scope:       scope.CalendarRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"calendar_name"},
}, func(ctx context.Context, calendars *api.Client, in UpcomingInput) (*api.Page, error) {
	if in.DaysAhead == 0 {
		in.DaysAhead = 7
	}
	if in.Limit == 0 {
		in.Limit = 10
	}
	if in.DaysAhead < 0 || in.Limit < 0 || in.Limit > api.MaxLimit {
		return nil, tool.Invalidf("days_ahead has to be positive, limit between 1 and %d", api.MaxLimit)
	}
	return calendars.List(ctx, api.Query{Calendar: in.CalendarName, Days: in.DaysAhead, Limit: in.Limit})
})

// GetInput is the input of nc_calendar_get_event.
type GetInput struct {
	CalendarName string `json:"calendar_name" jsonschema:"or display name"`
	EventUID     string `json:"event_uid" jsonschema:"uid"`
	RecurrenceID string `json:"recurrence_id,omitempty" jsonschema:"one occurrence of a series"`
}

// Full is the outcome of nc_calendar_get_event.
type Full struct {
	Event *api.Event `json:"event,omitempty"`
}

var get = tool.New(tool.Def{
	Name:        "nc_calendar_get_event",
	Title:       "Read an event",
	Description: "Read one event whole, with its etag.",
	Scope:       scope.CalendarRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"calendar_name", "event_uid"},
}, func(ctx context.Context, calendars *api.Client, in GetInput) (*Full, error) {
	event, err := calendars.Get(ctx, in.CalendarName, in.EventUID, in.RecurrenceID)
	if err != nil {
		return nil, err
	}
	return &Full{event}, nil
})
