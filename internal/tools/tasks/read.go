package tasks

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ListInput is the input of nc_calendar_list_todos.
type ListInput struct {
	CalendarName    string `json:"calendar_name,omitempty" jsonschema:"task list, default all"`
	View            View   `json:"view,omitempty" jsonschema:"default open"`
	Days            int    `json:"days,omitempty" jsonschema:"of upcoming, default 7"`
	DueFrom         string `json:"due_from,omitempty" jsonschema:"date or time"`
	DueUntil        string `json:"due_until,omitempty" jsonschema:"inclusive"`
	Timezone        string `json:"timezone,omitempty" jsonschema:"IANA, default the person's"`
	Status          Status `json:"status,omitempty" jsonschema:"only this"`
	MinPriority     string `json:"min_priority,omitempty" jsonschema:"high, medium, low, or 1 (highest) to 9"`
	Categories      string `json:"categories,omitempty" jsonschema:"any of these, comma-separated"`
	SummaryContains string `json:"summary_contains,omitempty" jsonschema:"text"`
	Query           string `json:"query,omitempty" jsonschema:"text in title, notes or location"`
	Sort            Sort   `json:"sort,omitempty" jsonschema:"default due"`
	Limit           int    `json:"limit,omitempty" jsonschema:"default 50, at most 500"`
	Cursor          string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var list = tool.New(tool.Def{
	Name:        "nc_calendar_list_todos",
	Title:       "List tasks",
	Description: "List tasks of one list or all, each before its subtasks (depth). today includes overdue. A recurring task is listed once, with its current date.",
	Scope:       scope.TodoRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"calendar_name"},
}, func(ctx context.Context, tasks *api.Tasks, in ListInput) (*api.TaskPage, error) {
	if in.Limit < 0 || in.Limit > api.MaxLimit {
		return nil, tool.Invalidf("limit has to be between 1 and %d", api.MaxLimit)
	}
	return tasks.List(ctx, api.TaskQuery{
		Calendar: in.CalendarName, View: string(in.View), Days: in.Days, DueFrom: in.DueFrom, DueUntil: in.DueUntil,
		TimeZone: in.Timezone, Status: string(in.Status), Priority: in.MinPriority, Categories: in.Categories,
		Title: in.SummaryContains, Text: in.Query, Sort: string(in.Sort), Limit: in.Limit, Cursor: in.Cursor,
	})
})

// SearchInput is the input of nc_calendar_search_todos.
type SearchInput struct {
	Query           string `json:"query,omitempty" jsonschema:"text in title, notes or location"`
	SummaryContains string `json:"summary_contains,omitempty" jsonschema:"text"`
	Status          Status `json:"status,omitempty" jsonschema:"only this"`
	MinPriority     string `json:"min_priority,omitempty" jsonschema:"high, medium, low, or 1 to 9"`
	Categories      string `json:"categories,omitempty" jsonschema:"any of these, comma-separated"`
	Limit           int    `json:"limit,omitempty" jsonschema:"default 50, at most 500"`
	Cursor          string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var search = tool.New(tool.Def{
	Name:        "nc_calendar_search_todos",
	Title:       "Search tasks",
	Description: "Search all task lists, done tasks included.",
	Scope:       scope.TodoRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
}, func(ctx context.Context, tasks *api.Tasks, in SearchInput) (*api.TaskPage, error) {
	if in.Limit < 0 || in.Limit > api.MaxLimit {
		return nil, tool.Invalidf("limit has to be between 1 and %d", api.MaxLimit)
	}
	return tasks.List(ctx, api.TaskQuery{
		View: api.ViewAll, Status: string(in.Status), Priority: in.MinPriority, Categories: in.Categories,
		Title: in.SummaryContains, Text: in.Query, Limit: in.Limit, Cursor: in.Cursor,
	})
})

// GetInput is the input of nc_calendar_get_todo.
type GetInput struct {
	CalendarName string `json:"calendar_name,omitempty" jsonschema:"task list, default looks in all"`
	TodoUID      string `json:"todo_uid" jsonschema:"uid"`
	WithSubtasks bool   `json:"with_subtasks,omitempty" jsonschema:"the tree below it"`
}

// Full is the outcome of nc_calendar_get_todo.
type Full struct {
	Task *api.FullTask `json:"todo,omitempty"`
}

var get = tool.New(tool.Def{
	Name:        "nc_calendar_get_todo",
	Title:       "Read a task",
	Description: "Read one task whole, with its reminders and etag.",
	Scope:       scope.TodoRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"calendar_name", "todo_uid"},
}, func(ctx context.Context, tasks *api.Tasks, in GetInput) (*Full, error) {
	task, err := tasks.Get(ctx, api.TaskTarget{Calendar: in.CalendarName, UID: in.TodoUID}, in.WithSubtasks)
	if err != nil {
		return nil, err
	}
	return &Full{task}, nil
})
