package tasks

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// CreateInput is the input of nc_calendar_create_todo.
type CreateInput struct {
	CalendarName      string          `json:"calendar_name,omitempty" jsonschema:"task list, default the only one"`
	Summary           string          `json:"summary" jsonschema:"title"`
	Description       *string         `json:"description,omitempty" jsonschema:"notes"`
	Due               *string         `json:"due,omitempty" jsonschema:"date or time"`
	Dtstart           *string         `json:"dtstart,omitempty" jsonschema:"start, date or time like due"`
	Timezone          *string         `json:"timezone,omitempty" jsonschema:"IANA, default the person's"`
	Priority          *string         `json:"priority,omitempty" jsonschema:"high, medium, low, none, or 1 (highest) to 9"`
	ParentUID         *string         `json:"parent_uid,omitempty" jsonschema:"makes it a subtask"`
	Categories        *string         `json:"categories,omitempty" jsonschema:"comma-separated"`
	Location          *string         `json:"location,omitempty" jsonschema:"text"`
	URL               *string         `json:"url,omitempty" jsonschema:"web address"`
	Reminders         *[]api.Reminder `json:"reminders,omitempty" jsonschema:"each minutes_before (due) or trigger_at"`
	RecurrenceRule    *string         `json:"recurrence_rule,omitempty" jsonschema:"RRULE"`
	RecurrenceEndDate *string         `json:"recurrence_end_date,omitempty" jsonschema:"last day, inclusive"`
	Status            *Status         `json:"status,omitempty" jsonschema:"default NEEDS-ACTION"`
	PercentComplete   *int            `json:"percent_complete,omitempty" jsonschema:"0 to 100"`
}

var create = tool.New(tool.Def{
	Name:        "nc_calendar_create_todo",
	Title:       "Create a task",
	Description: "Create a task or subtask. Times: 2026-12-24T18:00 in timezone, or with offset, or a date.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"calendar_name", "summary"},
}, func(ctx context.Context, tasks *api.Tasks, in CreateInput) (*api.SavedTask, error) {
	return tasks.Create(ctx, in.CalendarName, api.TaskFields{
		Title: &in.Summary, Description: in.Description, Due: in.Due, Start: in.Dtstart, TimeZone: in.Timezone,
		Priority: in.Priority, Parent: in.ParentUID, Categories: in.Categories, Location: in.Location, URL: in.URL,
		Reminders: in.Reminders, Rule: in.RecurrenceRule, RuleEnd: filled(in.RecurrenceEndDate),
		Status: (*string)(in.Status), Percent: in.PercentComplete,
	})
})

// filled is nil for an empty text: on creation there is nothing to clear.
func filled(s *string) *string {
	if s != nil && *s == "" {
		return nil
	}
	return s
}

// UpdateInput is the input of nc_calendar_update_todo.
type UpdateInput struct {
	CalendarName      string          `json:"calendar_name,omitempty" jsonschema:"task list, default looks in all"`
	TodoUID           string          `json:"todo_uid" jsonschema:"uid"`
	ETag              string          `json:"etag,omitempty" jsonschema:"fails if changed since"`
	Summary           *string         `json:"summary,omitempty" jsonschema:"title"`
	Description       *string         `json:"description,omitempty" jsonschema:"notes"`
	Status            *Status         `json:"status,omitempty" jsonschema:"status"`
	Priority          *string         `json:"priority,omitempty" jsonschema:"high, medium, low, none, or 1 to 9"`
	PercentComplete   *int            `json:"percent_complete,omitempty" jsonschema:"0 to 100, sets status too"`
	Due               *string         `json:"due,omitempty" jsonschema:"date or time"`
	Dtstart           *string         `json:"dtstart,omitempty" jsonschema:"date or time like due"`
	Timezone          *string         `json:"timezone,omitempty" jsonschema:"IANA, default the task's"`
	Completed         *string         `json:"completed,omitempty" jsonschema:"when it was done"`
	ParentUID         *string         `json:"parent_uid,omitempty" jsonschema:"task above, empty for none"`
	Categories        *string         `json:"categories,omitempty" jsonschema:"comma-separated, all"`
	Location          *string         `json:"location,omitempty" jsonschema:"text"`
	URL               *string         `json:"url,omitempty" jsonschema:"web address"`
	Reminders         *[]api.Reminder `json:"reminders,omitempty" jsonschema:"all, as in create"`
	RecurrenceRule    *string         `json:"recurrence_rule,omitempty" jsonschema:"RRULE"`
	RecurrenceEndDate *string         `json:"recurrence_end_date,omitempty" jsonschema:"last day, inclusive"`
	SortOrder         *int            `json:"sort_order,omitempty" jsonschema:"place in manual order"`
}

var update = tool.New(tool.Def{
	Name:        "nc_calendar_update_todo",
	Title:       "Change a task",
	Description: "Change only the given fields of a task, an empty text clears one. Times as in create.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"calendar_name", "todo_uid"},
}, func(ctx context.Context, tasks *api.Tasks, in UpdateInput) (*api.SavedTask, error) {
	return tasks.Update(ctx, api.TaskTarget{Calendar: in.CalendarName, UID: in.TodoUID, ETag: in.ETag}, api.TaskFields{
		Title: in.Summary, Description: in.Description, Status: (*string)(in.Status), Priority: in.Priority,
		Percent: in.PercentComplete, Due: in.Due, Start: in.Dtstart, TimeZone: in.Timezone, Completed: in.Completed,
		Parent: in.ParentUID, Categories: in.Categories, Location: in.Location, URL: in.URL, Reminders: in.Reminders,
		Rule: in.RecurrenceRule, RuleEnd: in.RecurrenceEndDate, SortOrder: in.SortOrder,
	})
})

// CompleteInput is the input of nc_calendar_complete_todo.
type CompleteInput struct {
	CalendarName string `json:"calendar_name,omitempty" jsonschema:"task list, default looks in all"`
	TodoUID      string `json:"todo_uid" jsonschema:"uid"`
	Completed    string `json:"completed,omitempty" jsonschema:"when, default now"`
	Timezone     string `json:"timezone,omitempty" jsonschema:"IANA, default the person's"`
	ETag         string `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

var completeTask = tool.New(tool.Def{
	Name:        "nc_calendar_complete_todo",
	Title:       "Complete a task",
	Description: "Complete a task. A recurring one stays open for its next date.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"calendar_name", "todo_uid"},
}, func(ctx context.Context, tasks *api.Tasks, in CompleteInput) (*api.SavedTask, error) {
	return tasks.Complete(ctx, api.TaskTarget{Calendar: in.CalendarName, UID: in.TodoUID, ETag: in.ETag}, in.Completed, in.Timezone)
})

// ReopenInput is the input of nc_calendar_reopen_todo.
type ReopenInput struct {
	CalendarName string `json:"calendar_name,omitempty" jsonschema:"task list, default looks in all"`
	TodoUID      string `json:"todo_uid" jsonschema:"uid"`
	ETag         string `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

var reopen = tool.New(tool.Def{
	Name:        "nc_calendar_reopen_todo",
	Title:       "Reopen a task",
	Description: "Make a completed or cancelled task one to do again.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name", "todo_uid"},
}, func(ctx context.Context, tasks *api.Tasks, in ReopenInput) (*api.SavedTask, error) {
	return tasks.Reopen(ctx, api.TaskTarget{Calendar: in.CalendarName, UID: in.TodoUID, ETag: in.ETag})
})

// MoveInput is the input of nc_calendar_move_todo.
type MoveInput struct {
	CalendarName   string `json:"calendar_name,omitempty" jsonschema:"list it is in, default looks in all"`
	TodoUID        string `json:"todo_uid" jsonschema:"uid"`
	TargetCalendar string `json:"target_calendar" jsonschema:"task list to move to"`
	ETag           string `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

// Moved is the outcome of nc_calendar_move_todo.
type Moved struct {
	From  string         `json:"from,omitempty"`
	To    string         `json:"to,omitempty"`
	Moved []api.GoneTask `json:"moved,omitempty"`
	Note  string         `json:"note,omitempty"`
}

var move = tool.New(tool.Def{
	Name:        "nc_calendar_move_todo",
	Title:       "Move a task",
	Description: "Move a task with its subtasks to another list.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name", "todo_uid", "target_calendar"},
}, func(ctx context.Context, tasks *api.Tasks, in MoveInput) (*Moved, error) {
	m, err := tasks.Move(ctx, api.TaskTarget{Calendar: in.CalendarName, UID: in.TodoUID, ETag: in.ETag}, in.TargetCalendar)
	if err != nil {
		return nil, err
	}
	out := &Moved{From: m.From.Name, To: m.To.Name, Moved: m.Tasks}
	if m.Orphaned {
		out.Note = "It was a subtask. The task above it stayed in " + m.From.Name + ", so it stands for itself now."
	}
	return out, nil
})
