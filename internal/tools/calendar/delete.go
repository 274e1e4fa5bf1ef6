package calendar

import (
	"context"
	"fmt"
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// DeleteInput is the input of nc_calendar_delete_event.
type DeleteInput struct {
	CalendarName    string `json:"calendar_name" jsonschema:"or display name"`
	EventUID        string `json:"event_uid" jsonschema:"uid"`
	RecurrenceScope Scope  `json:"recurrence_scope,omitempty" jsonschema:"needed when it recurs"`
	RecurrenceID    string `json:"recurrence_id,omitempty" jsonschema:"start of the occurrence meant"`
	ETag            string `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

// Deleted is the outcome of nc_calendar_delete_event.
type Deleted struct {
	DeletedUID string `json:"deleted_uid,omitempty"`
	Deleted    Gone   `json:"deleted,omitzero"`
	ETag       string `json:"etag,omitempty"`
	Undo       string `json:"undo,omitempty"`
}

// Gone is what was deleted.
type Gone struct {
	What         string `json:"what"`
	CalendarName string `json:"calendar_name"`
	RecurrenceID string `json:"recurrence_id,omitempty"`
	Title        string `json:"summary,omitempty"`
	Start        string `json:"start,omitempty"`
}

var remove = tool.New(tool.Def{
	Name:        "nc_calendar_delete_event",
	Title:       "Delete an event",
	Description: "Delete an event. For a recurring one ask the person: this occurrence, it and the future ones, or all.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Core,
	Object:      []string{"calendar_name", "event_uid"},
}, func(ctx context.Context, calendars *api.Client, in DeleteInput) (*Deleted, error) {
	d, err := calendars.Delete(ctx, api.Target{
		Calendar: in.CalendarName, UID: in.EventUID, ETag: in.ETag,
		Scope: api.Scope(in.RecurrenceScope), RecurrenceID: in.RecurrenceID,
	})
	if err != nil {
		return nil, err
	}
	return deleted(d), nil
})

// deleted says what was deleted and how to get it back.
func deleted(d *api.Deleted) *Deleted {
	out := &Deleted{DeletedUID: d.UID, ETag: d.ETag, Deleted: Gone{
		CalendarName: d.Calendar.Name, RecurrenceID: d.Event.RecurrenceID, Title: d.Event.Title, Start: d.Event.Start,
	}}
	switch {
	case d.Whole:
		out.Deleted.What = "event"
		if d.Scope != "" {
			out.Deleted.What, out.Deleted.RecurrenceID = "whole series", ""
		}
		out.Undo = "nc_calendar_restore_trash with its id from nc_calendar_list_trash" + keeping(d.Retention) +
			". Until then no event with the same uid can be made in this calendar."
	case d.Scope == api.This:
		out.Deleted.What = "one occurrence"
		out.Undo = fmt.Sprintf("Not in the trash. nc_calendar_create_event makes it again as an event of its own: calendar_name=%q, title=%q, start_datetime=%q, end_datetime=%q.",
			d.Calendar.Name, d.Event.Title, d.Event.Start, d.Event.End)
	default:
		out.Deleted.What = "this and all future occurrences"
		out.Undo = fmt.Sprintf("Not in the trash. nc_calendar_update_event makes the series as long as it was, without occurrences that had been changed: calendar_name=%q, event_uid=%q, recurrence_scope=\"all\", recurrence_rule=%q.",
			d.Calendar.Name, d.UID, d.Rule)
	}
	return out
}

// keeping is how long the trash keeps an event.
func keeping(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf(" within %d days", int(d/(24*time.Hour)))
}
