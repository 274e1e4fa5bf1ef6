package calendar

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Status is the status of an event.
type Status string

// Values are the statuses of RFC 5545, 3.8.1.11.
func (Status) Values() []string { return []string{"CONFIRMED", "TENTATIVE", "CANCELLED"} }

// Privacy is who may see an event in a shared calendar.
type Privacy string

// Values are the classes of RFC 5545, 3.8.1.3.
func (Privacy) Values() []string { return []string{"PUBLIC", "PRIVATE", "CONFIDENTIAL"} }

// Scope is how much of a recurring event a change is for.
type Scope string

// Values are the scopes.
func (Scope) Values() []string { return []string{"this", "this_and_future", "all"} }

// Saved is an event after it was written.
type Saved struct {
	UID   string       `json:"uid,omitempty"`
	ETag  string       `json:"etag,omitempty"`
	Event *api.Written `json:"event,omitempty"`
	Note  string       `json:"note,omitempty"`
}

func saved(w *api.Written, err error) (*Saved, error) {
	if err != nil {
		return nil, err
	}
	return &Saved{UID: w.UID, ETag: w.ETag, Event: w, Note: w.Note}, nil
}

// CreateInput is the input of nc_calendar_create_event.
type CreateInput struct {
	CalendarName      string          `json:"calendar_name" jsonschema:"or display name"`
	Title             string          `json:"title" jsonschema:"title"`
	StartDatetime     string          `json:"start_datetime" jsonschema:"time, or date for all-day"`
	EndDatetime       string          `json:"end_datetime,omitempty" jsonschema:"exclusive, default 1 hour or 1 day"`
	AllDay            *bool           `json:"all_day,omitempty" jsonschema:"default from start_datetime"`
	Timezone          *string         `json:"timezone,omitempty" jsonschema:"IANA, default the person's"`
	Description       *string         `json:"description,omitempty" jsonschema:"text"`
	Location          *string         `json:"location,omitempty" jsonschema:"text"`
	Categories        *string         `json:"categories,omitempty" jsonschema:"comma-separated"`
	Attendees         *string         `json:"attendees,omitempty" jsonschema:"comma-separated, get invitations"`
	Recurring         *bool           `json:"recurring,omitempty" jsonschema:"default from recurrence_rule"`
	RecurrenceRule    *string         `json:"recurrence_rule,omitempty" jsonschema:"RRULE"`
	RecurrenceEndDate *string         `json:"recurrence_end_date,omitempty" jsonschema:"last day, inclusive"`
	RecurrenceDates   *string         `json:"recurrence_dates,omitempty" jsonschema:"RDATE, comma-separated"`
	ExcludedDates     *string         `json:"excluded_dates,omitempty" jsonschema:"EXDATE, comma-separated"`
	ReminderMinutes   *int            `json:"reminder_minutes,omitempty" jsonschema:"before start, default 15, 0 none"`
	ReminderEmail     *bool           `json:"reminder_email,omitempty" jsonschema:"by e-mail too"`
	Reminders         *[]api.Reminder `json:"reminders,omitempty" jsonschema:"each minutes_before, trigger or trigger_at, and action"`
	Status            *Status         `json:"status,omitempty" jsonschema:"default CONFIRMED"`
	Priority          *int            `json:"priority,omitempty" jsonschema:"1 high to 9 low, default 5"`
	Privacy           *Privacy        `json:"privacy,omitempty" jsonschema:"default PUBLIC"`
	Transparent       *bool           `json:"transparent,omitempty" jsonschema:"true leaves the person free"`
	URL               *string         `json:"url,omitempty" jsonschema:"web address"`
	Color             *string         `json:"color,omitempty" jsonschema:"CSS name"`
}

var create = tool.New(tool.Def{
	Name:        "nc_calendar_create_event",
	Title:       "Create an event",
	Description: "Create an event. Times: 2026-12-24T18:00 in timezone, or with offset. All-day: dates, end exclusive.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"calendar_name", "title"},
}, func(ctx context.Context, calendars *api.Client, in CreateInput) (*Saved, error) {
	f := api.Fields{
		Title: &in.Title, Start: &in.StartDatetime, End: &in.EndDatetime, AllDay: in.AllDay, TimeZone: in.Timezone,
		Description: in.Description, Location: in.Location, Categories: in.Categories, Attendees: in.Attendees,
		Recurring: in.Recurring, Rule: in.RecurrenceRule, RuleEnd: in.RecurrenceEndDate,
		ExtraDates: in.RecurrenceDates, ExcludedDates: in.ExcludedDates, Transparent: in.Transparent,
		ReminderMinutes: in.ReminderMinutes, ReminderEmail: in.ReminderEmail, Reminders: in.Reminders,
		Status: (*string)(in.Status), Priority: in.Priority, Privacy: (*string)(in.Privacy), URL: in.URL, Color: in.Color,
	}
	or(&f.Status, "CONFIRMED")
	or(&f.Privacy, "PUBLIC")
	or(&f.Priority, 5)
	if f.Reminders == nil {
		or(&f.ReminderMinutes, 15)
	}
	if f.RuleEnd != nil && *f.RuleEnd == "" {
		f.RuleEnd = nil
	}
	return saved(calendars.Create(ctx, in.CalendarName, f))
})

// or gives an argument that was left out its default.
func or[T any](p **T, value T) {
	if *p == nil {
		*p = &value
	}
}

// UpdateInput is the input of nc_calendar_update_event.
type UpdateInput struct {
	CalendarName      string          `json:"calendar_name" jsonschema:"or display name"`
	EventUID          string          `json:"event_uid" jsonschema:"uid"`
	RecurrenceScope   Scope           `json:"recurrence_scope,omitempty" jsonschema:"needed when it recurs"`
	RecurrenceID      string          `json:"recurrence_id,omitempty" jsonschema:"start of the occurrence meant"`
	ETag              string          `json:"etag,omitempty" jsonschema:"fails if changed since"`
	Title             *string         `json:"title,omitempty" jsonschema:"title"`
	StartDatetime     *string         `json:"start_datetime,omitempty" jsonschema:"alone, it moves the event"`
	EndDatetime       *string         `json:"end_datetime,omitempty" jsonschema:"exclusive"`
	AllDay            *bool           `json:"all_day,omitempty" jsonschema:"switches dates and times"`
	Timezone          *string         `json:"timezone,omitempty" jsonschema:"IANA, default the event's"`
	Description       *string         `json:"description,omitempty" jsonschema:"text"`
	Location          *string         `json:"location,omitempty" jsonschema:"text"`
	Categories        *string         `json:"categories,omitempty" jsonschema:"comma-separated, all"`
	Attendees         *string         `json:"attendees,omitempty" jsonschema:"comma-separated, all"`
	Recurring         *bool           `json:"recurring,omitempty" jsonschema:"false ends recurrence"`
	RecurrenceRule    *string         `json:"recurrence_rule,omitempty" jsonschema:"RRULE"`
	RecurrenceEndDate *string         `json:"recurrence_end_date,omitempty" jsonschema:"last day, inclusive"`
	RecurrenceDates   *string         `json:"recurrence_dates,omitempty" jsonschema:"RDATE, comma-separated"`
	ExcludedDates     *string         `json:"excluded_dates,omitempty" jsonschema:"EXDATE, comma-separated"`
	ReminderMinutes   *int            `json:"reminder_minutes,omitempty" jsonschema:"before start, 0 none"`
	ReminderEmail     *bool           `json:"reminder_email,omitempty" jsonschema:"by e-mail too"`
	Reminders         *[]api.Reminder `json:"reminders,omitempty" jsonschema:"all, as in create"`
	Status            *Status         `json:"status,omitempty" jsonschema:"status"`
	Priority          *int            `json:"priority,omitempty" jsonschema:"1 high to 9 low, 0 none"`
	Privacy           *Privacy        `json:"privacy,omitempty" jsonschema:"who sees it"`
	Transparent       *bool           `json:"transparent,omitempty" jsonschema:"true leaves the person free"`
	URL               *string         `json:"url,omitempty" jsonschema:"web address"`
	Color             *string         `json:"color,omitempty" jsonschema:"CSS name"`
}

var update = tool.New(tool.Def{
	Name:  "nc_calendar_update_event",
	Title: "Change an event",
	Description: "Change only the given fields of an event, an empty text clears one. " +
		"For a recurring event ask the person: this occurrence, it and the future ones, or all. Times as in create.",
	Scope:  scope.CalendarWrite,
	Effect: tool.Updates,
	Tier:   tool.Core,
	Object: []string{"calendar_name", "event_uid"},
}, func(ctx context.Context, calendars *api.Client, in UpdateInput) (*Saved, error) {
	return saved(calendars.Update(ctx, api.Target{
		Calendar: in.CalendarName, UID: in.EventUID, ETag: in.ETag,
		Scope: api.Scope(in.RecurrenceScope), RecurrenceID: in.RecurrenceID,
	}, api.Fields{
		Title: in.Title, Start: in.StartDatetime, End: in.EndDatetime, AllDay: in.AllDay, TimeZone: in.Timezone,
		Description: in.Description, Location: in.Location, Categories: in.Categories, Attendees: in.Attendees,
		Recurring: in.Recurring, Rule: in.RecurrenceRule, RuleEnd: in.RecurrenceEndDate,
		ExtraDates: in.RecurrenceDates, ExcludedDates: in.ExcludedDates, Transparent: in.Transparent,
		ReminderMinutes: in.ReminderMinutes, ReminderEmail: in.ReminderEmail, Reminders: in.Reminders,
		Status: (*string)(in.Status), Priority: in.Priority, Privacy: (*string)(in.Privacy), URL: in.URL, Color: in.Color,
	}))
})
