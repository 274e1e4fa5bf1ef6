package calendar

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// TrashInput is the input of nc_calendar_list_trash.
type TrashInput struct {
	Limit  int    `json:"limit,omitempty" jsonschema:"default 50, at most 500"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

var listTrash = tool.New(tool.Def{
	Name:        "nc_calendar_list_trash",
	Title:       "List deleted events and calendars",
	Description: "List the trash of the calendars, the last deleted first.",
	Scope:       scope.CalendarRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
}, func(ctx context.Context, calendars *api.Client, in TrashInput) (*api.TrashPage, error) {
	if in.Limit < 0 || in.Limit > api.MaxLimit {
		return nil, tool.Invalidf("limit has to be between 1 and %d", api.MaxLimit)
	}
	return calendars.Trash(ctx, in.Limit, in.Cursor)
})

// RestoreInput is the input of nc_calendar_restore_trash.
type RestoreInput struct {
	ID string `json:"id" jsonschema:"of the trash"`
}

// Restored is the outcome of nc_calendar_restore_trash.
type Restored struct {
	Restored *api.Trashed `json:"restored"`
}

var restore = tool.New(tool.Def{
	Name:        "nc_calendar_restore_trash",
	Title:       "Restore a deleted event or calendar",
	Description: "Take an event, task or calendar out of the trash, to where it was.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"id"},
}, func(ctx context.Context, calendars *api.Client, in RestoreInput) (*Restored, error) {
	t, err := calendars.Restore(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	t.Until = ""
	return &Restored{t}, nil
})
