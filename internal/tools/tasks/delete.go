package tasks

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// DeleteInput is the input of nc_calendar_delete_todo.
type DeleteInput struct {
	CalendarName string `json:"calendar_name,omitempty" jsonschema:"task list, default looks in all"`
	TodoUID      string `json:"todo_uid" jsonschema:"uid"`
	WithSubtasks bool   `json:"with_subtasks,omitempty" jsonschema:"else they stay on their own"`
	ETag         string `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

// Deleted is the outcome of nc_calendar_delete_todo.
type Deleted struct {
	DeletedUID string         `json:"deleted_uid,omitempty"`
	Deleted    []api.GoneTask `json:"deleted,omitempty"`
	Undo       string         `json:"undo,omitempty"`
}

var remove = tool.New(tool.Def{
	Name:        "nc_calendar_delete_todo",
	Title:       "Delete a task",
	Description: "Move a task, with all its dates when it recurs, to the trash.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Core,
	Object:      []string{"calendar_name", "todo_uid"},
}, func(ctx context.Context, tasks *api.Tasks, in DeleteInput) (*Deleted, error) {
	d, err := tasks.Delete(ctx, api.TaskTarget{Calendar: in.CalendarName, UID: in.TodoUID, ETag: in.ETag}, in.WithSubtasks)
	if err != nil {
		return nil, err
	}
	return deleted(in.TodoUID, d), nil
})

// deleted says what was deleted and how to get it back.
func deleted(uid string, d *api.DeletedTasks) *Deleted {
	out := &Deleted{DeletedUID: uid, Deleted: d.Tasks, Undo: fmt.Sprintf("nc_calendar_restore_todo with todo_uid=%q%s.", uid, keeping(d.Retention))}
	if len(d.Tasks) > 1 {
		out.Undo = fmt.Sprintf("nc_calendar_restore_todo%s, for each uid of deleted.", keeping(d.Retention))
	}
	return out
}

// RestoreInput is the input of nc_calendar_restore_todo.
type RestoreInput struct {
	TodoUID      string `json:"todo_uid" jsonschema:"uid"`
	CalendarName string `json:"calendar_name,omitempty" jsonschema:"list it was in"`
}

var restore = tool.New(tool.Def{
	Name:        "nc_calendar_restore_todo",
	Title:       "Restore a task",
	Description: "Bring a deleted task back from the trash into its list.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name", "todo_uid"},
}, func(ctx context.Context, tasks *api.Tasks, in RestoreInput) (*api.SavedTask, error) {
	return tasks.Restore(ctx, api.TaskTarget{Calendar: in.CalendarName, UID: in.TodoUID})
})

// ClearInput is the input of nc_calendar_clear_completed_todos.
type ClearInput struct {
	CalendarName    string `json:"calendar_name,omitempty" jsonschema:"task list, default all own ones"`
	CompletedBefore string `json:"completed_before,omitempty" jsonschema:"date or time, default now"`
	Timezone        string `json:"timezone,omitempty" jsonschema:"IANA, default the person's"`
	DryRun          *bool  `json:"dry_run,omitempty" jsonschema:"default true, deletes nothing"`
}

// Cleared is the outcome of nc_calendar_clear_completed_todos.
type Cleared struct {
	DryRun  bool           `json:"dry_run"`
	Count   int            `json:"count"`
	Deleted []api.GoneTask `json:"todos"`
	Kept    []string       `json:"kept,omitempty"`
	Failed  []string       `json:"failed,omitempty"`
	Note    string         `json:"note,omitempty"`
	Undo    string         `json:"undo,omitempty"`
}

var clearCompleted = tool.New(tool.Def{
	Name:        "nc_calendar_clear_completed_todos",
	Title:       "Clear completed tasks",
	Description: "Move completed tasks to the trash. The first call shows which, then call with dry_run=false.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name"},
}, func(ctx context.Context, tasks *api.Tasks, in ClearInput) (*Cleared, error) {
	dry := in.DryRun == nil || *in.DryRun
	c, err := tasks.Clear(ctx, in.CalendarName, in.CompletedBefore, in.Timezone, dry)
	if err != nil {
		return nil, err
	}
	out := &Cleared{DryRun: dry, Count: len(c.Tasks), Deleted: c.Tasks, Kept: c.Kept, Failed: c.Failed}
	if dry {
		out.Note = "Nothing was deleted yet. Ask the person, then call again with dry_run=false."
	} else if out.Count > 0 {
		out.Undo = fmt.Sprintf("nc_calendar_restore_todo%s, for each uid of todos.", keeping(c.Retention))
	}
	if c.More {
		out.Note += fmt.Sprintf(" There are more; one call clears at most %d.", api.MaxCleared)
	}
	return out, nil
})
