package tasks

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Lists is the outcome of nc_calendar_list_todo_lists.
type Lists struct {
	Lists      []api.Calendar `json:"lists"`
	TotalCount int            `json:"total_count"`
	Note       string         `json:"note,omitempty"`
}

var listLists = tool.New(tool.Def{
	Name:        "nc_calendar_list_todo_lists",
	Title:       "List task lists",
	Description: "List the calendars that take tasks.",
	Scope:       scope.TodoRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
}, func(ctx context.Context, tasks *api.Tasks, _ struct{}) (*Lists, error) {
	all, err := tasks.Lists(ctx)
	if err != nil {
		return nil, err
	}
	if all == nil {
		all = []api.Calendar{}
	}
	out := &Lists{Lists: all, TotalCount: len(all)}
	writable := false
	for _, l := range all {
		writable = writable || !l.ReadOnly
	}
	if !writable {
		out.Note = "No list takes new tasks. Offer the person to make one with nc_calendar_create_todo_list."
	}
	return out, nil
})

// SavedList is a task list after it was written.
type SavedList struct {
	List *api.Calendar `json:"list,omitempty"`
	Note string        `json:"note,omitempty"`
}

// CreateListInput is the input of nc_calendar_create_todo_list.
type CreateListInput struct {
	DisplayName string `json:"display_name" jsonschema:"name"`
	Color       string `json:"color,omitempty" jsonschema:"#RRGGBB"`
}

var createList = tool.New(tool.Def{
	Name:        "nc_calendar_create_todo_list",
	Title:       "Create a task list",
	Description: "Create a task list.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"display_name"},
}, func(ctx context.Context, tasks *api.Tasks, in CreateListInput) (*SavedList, error) {
	made, err := tasks.CreateList(ctx, in.DisplayName, in.Color)
	if err != nil {
		return nil, err
	}
	return &SavedList{List: made}, nil
})

// UpdateListInput is the input of nc_calendar_update_todo_list.
type UpdateListInput struct {
	CalendarName string `json:"calendar_name" jsonschema:"or display name"`
	DisplayName  string `json:"display_name,omitempty" jsonschema:"new name"`
	Color        string `json:"color,omitempty" jsonschema:"#RRGGBB"`
}

var updateList = tool.New(tool.Def{
	Name:        "nc_calendar_update_todo_list",
	Title:       "Rename a task list",
	Description: "Give a task list another name or colour.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name"},
}, func(ctx context.Context, tasks *api.Tasks, in UpdateListInput) (*SavedList, error) {
	changed, err := tasks.ChangeList(ctx, in.CalendarName, in.DisplayName, in.Color)
	if err != nil {
		return nil, err
	}
	out := &SavedList{List: changed}
	if changed.Shared {
		out.Note = "The list belongs to somebody else, who still sees it as before."
	}
	return out, nil
})

// DeleteListInput is the input of nc_calendar_delete_todo_list.
type DeleteListInput struct {
	CalendarName string `json:"calendar_name" jsonschema:"or display name"`
}

// DeletedList is the outcome of nc_calendar_delete_todo_list.
type DeletedList struct {
	Deleted string `json:"deleted,omitempty"`
	Undo    string `json:"undo,omitempty"`
}

var removeList = tool.New(tool.Def{
	Name:        "nc_calendar_delete_todo_list",
	Title:       "Delete a task list",
	Description: "Move a task list with all its tasks to the trash. Ask the person first.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name"},
}, func(ctx context.Context, tasks *api.Tasks, in DeleteListInput) (*DeletedList, error) {
	d, err := tasks.DeleteList(ctx, in.CalendarName)
	if err != nil {
		return nil, err
	}
	out := &DeletedList{Deleted: d.Calendar.Name}
	if d.Calendar.Shared {
		out.Undo = "The list belongs to somebody else and is only gone from this person's lists; its owner can share it again."
	} else {
		out.Undo = fmt.Sprintf("nc_calendar_restore_todo_list with calendar_name=%q%s.", d.Calendar.Name, keeping(d.Retention))
	}
	return out, nil
})

// RestoreListInput is the input of nc_calendar_restore_todo_list.
type RestoreListInput struct {
	CalendarName string `json:"calendar_name" jsonschema:"or display name"`
}

var restoreList = tool.New(tool.Def{
	Name:        "nc_calendar_restore_todo_list",
	Title:       "Restore a task list",
	Description: "Bring a deleted task list back with its tasks.",
	Scope:       scope.TodoWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name"},
}, func(ctx context.Context, tasks *api.Tasks, in RestoreListInput) (*SavedList, error) {
	back, err := tasks.RestoreList(ctx, in.CalendarName)
	if err != nil {
		return nil, err
	}
	return &SavedList{List: back}, nil
})
