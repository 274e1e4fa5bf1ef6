package calendar

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// FreeBusyInput is the input of nc_calendar_get_free_busy.
type FreeBusyInput struct {
	Attendees string `json:"attendees,omitempty" jsonschema:"addresses, default the person"`
	StartDate string `json:"start_date,omitempty" jsonschema:"default today"`
	EndDate   string `json:"end_date,omitempty" jsonschema:"inclusive, default +6 days"`
	Timezone  string `json:"timezone,omitempty" jsonschema:"IANA, default the person's"`
}

var freeBusy = tool.New(tool.Def{
	Name:        "nc_calendar_get_free_busy",
	Title:       "Busy times of people",
	Description: "Read when people with an account in this Nextcloud are busy, without what for.",
	Scope:       scope.CalendarRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
}, func(ctx context.Context, calendars *api.Client, in FreeBusyInput) (*api.FreeBusy, error) {
	return calendars.FreeBusy(ctx, in.Attendees, in.StartDate, in.EndDate, in.Timezone)
})

// AvailabilityInput is the input of nc_calendar_find_availability.
type AvailabilityInput struct {
	DurationMinutes   int    `json:"duration_minutes" jsonschema:"length"`
	Attendees         string `json:"attendees,omitempty" jsonschema:"addresses, comma-separated"`
	DateRangeStart    string `json:"date_range_start,omitempty" jsonschema:"default today"`
	DateRangeEnd      string `json:"date_range_end,omitempty" jsonschema:"inclusive, default +6 days"`
	Timezone          string `json:"timezone,omitempty" jsonschema:"IANA, default the person's"`
	BusinessHoursOnly *bool  `json:"business_hours_only,omitempty" jsonschema:"default true"`
	WorkingHours      string `json:"working_hours,omitempty" jsonschema:"09:00-17:00, default as set in Nextcloud"`
	ExcludeWeekends   *bool  `json:"exclude_weekends,omitempty" jsonschema:"default true"`
	PreferredTimes    string `json:"preferred_times,omitempty" jsonschema:"09:00-12:00,14:00-16:00"`
	MinNoticeMinutes  int    `json:"min_notice_minutes,omitempty" jsonschema:"from now"`
	BufferMinutes     int    `json:"buffer_minutes,omitempty" jsonschema:"free before and after"`
	Limit             int    `json:"limit,omitempty" jsonschema:"default 10, at most 50"`
}

var availability = tool.New(tool.Def{
	Name:        "nc_calendar_find_availability",
	Title:       "Find free times",
	Description: "Find times when the person and all attendees are free, the best first.",
	Scope:       scope.CalendarRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
}, func(ctx context.Context, calendars *api.Client, in AvailabilityInput) (*api.Availability, error) {
	if in.Limit < 0 || in.Limit > 50 {
		return nil, tool.Invalidf("limit has to be from 1 to 50")
	}
	or(&in.BusinessHoursOnly, true)
	or(&in.ExcludeWeekends, true)
	return calendars.Available(ctx, api.Search{
		DurationMinutes: in.DurationMinutes, Attendees: in.Attendees, Start: in.DateRangeStart, End: in.DateRangeEnd, TimeZone: in.Timezone,
		BusinessHours: *in.BusinessHoursOnly, ExcludeWeekends: *in.ExcludeWeekends, WorkingHours: in.WorkingHours, Preferred: in.PreferredTimes,
		MinNoticeMinutes: in.MinNoticeMinutes, BufferMinutes: in.BufferMinutes, Limit: in.Limit,
	})
})
