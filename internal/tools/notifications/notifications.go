// Package notifications declares the tools for what Nextcloud tells people:
// notifications and activities. It is separate from the client below it because
// only this side knows what a model needs to be told.
package notifications

import (
	"context"
	"strconv"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
	api "nextcloud-mcp-server/internal/nextcloud/notifications"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the area.
var Tools = tool.Group[*api.Client]{
	Name: "notifications", Title: "Notifications and activity", Client: api.New,
	Tools: []tool.Of[*api.Client]{list, dismiss, dismissAll, activity},
}

// ListInput is the input of nc_notifications_list.
type ListInput struct {
	App   string `json:"app,omitempty" jsonschema:"only of this app, such as spreed for Talk"`
	Limit int    `json:"limit,omitempty" jsonschema:"default 20, at most 100"`
}

// List is the outcome of nc_notifications_list.
type List struct {
	Items   []api.Notification `json:"items"`
	Total   int                `json:"total"` // that wait, of the app that was asked for
	Skipped []lenient.Skipped  `json:"skipped,omitempty"`
}

var list = tool.New(tool.Def{
	Name:        "nc_notifications_list",
	Title:       "List notifications",
	Description: "List what waits for the person, newest first.",
	Scope:       scope.NotificationsRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"app"},
}, func(ctx context.Context, c *api.Client, in ListInput) (*List, error) {
	limit, err := bounded(in.Limit)
	if err != nil {
		return nil, err
	}
	all, skipped, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &List{Items: []api.Notification{}, Skipped: skipped}
	for _, n := range all {
		if in.App != "" && n.App != in.App {
			continue
		}
		if out.Total++; len(out.Items) < limit {
			out.Items = append(out.Items, n)
		}
	}
	return out, nil
})

const maxLimit = 100

func bounded(limit int) (int, error) {
	switch {
	case limit == 0:
		return 20, nil
	case limit < 0, limit > maxLimit:
		return 0, tool.Invalidf("limit has to be between 1 and %d", maxLimit)
	}
	return limit, nil
}

// DismissInput is the input of nc_notifications_dismiss.
type DismissInput struct {
	ID int64 `json:"notification_id" jsonschema:"notification id"`
}

// Dismissed is the outcome of nc_notifications_dismiss.
type Dismissed struct {
	ID      int64  `json:"dismissed_id,omitempty"`
	Subject string `json:"subject,omitempty"`
	Undo    string `json:"undo"`
}

const undo = "A notification that was dismissed does not come back. What it told of is unchanged."

var dismiss = tool.New(tool.Def{
	Name:        "nc_notifications_dismiss",
	Title:       "Dismiss a notification",
	Description: "Dismiss one notification for good.",
	Scope:       scope.NotificationsWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"notification_id"},
}, func(ctx context.Context, c *api.Client, in DismissInput) (*Dismissed, error) {
	n, err := c.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := c.Dismiss(ctx, in.ID); err != nil {
		return nil, err
	}
	return &Dismissed{ID: in.ID, Subject: n.Subject, Undo: undo}, nil
})

// DismissAllInput is the input of nc_notifications_dismiss_all.
type DismissAllInput struct {
	Expected int `json:"expected" jsonschema:"how many there are, as the person saw them"`
}

// AllDismissed is the outcome of nc_notifications_dismiss_all.
type AllDismissed struct {
	Count int    `json:"count"`
	Undo  string `json:"undo"`
}

var dismissAll = tool.New(tool.Def{
	Name:        "nc_notifications_dismiss_all",
	Title:       "Dismiss all notifications",
	Description: "Dismiss all notifications for good, if there are no more than expected.",
	Scope:       scope.NotificationsWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
}, func(ctx context.Context, c *api.Client, in DismissAllInput) (*AllDismissed, error) {
	all, skipped, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	if n := len(all) + len(skipped); n > in.Expected {
		return nil, tool.Invalidf("There are %d notifications, more than %d. Nothing was dismissed. Show the person the list first.", n, in.Expected)
	}
	if err := c.DismissAll(ctx); err != nil {
		return nil, err
	}
	return &AllDismissed{Count: len(all) + len(skipped), Undo: undo}, nil
})

// ActivityInput is the input of nc_activity_list.
type ActivityInput struct {
	Filter string `json:"filter,omitempty" jsonschema:"self for what I did, by for others, or an area such as files or calendar"`
	FileID int64  `json:"file_id,omitempty" jsonschema:"only of this file"`
	Limit  int    `json:"limit,omitempty" jsonschema:"default 20, at most 100"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Activities is the outcome of nc_activity_list.
type Activities struct {
	Items      []api.Activity    `json:"items"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

var activity = tool.New(tool.Def{
	Name:        "nc_activity_list",
	Title:       "Recent activity",
	Description: "List what happened lately, newest first: files, shares, calendars, comments.",
	Scope:       scope.NotificationsRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"filter", "file_id"},
}, func(ctx context.Context, c *api.Client, in ActivityInput) (*Activities, error) {
	if len(tool.Policy(ctx).Folders) > 0 {
		return nil, tool.Invalidf("The person limits this connection to some folders, and activities tell of all. Do not try another way.")
	}
	limit, err := bounded(in.Limit)
	if err != nil {
		return nil, err
	}
	q := api.ActivityQuery{Filter: in.Filter, Limit: limit}
	if in.FileID != 0 {
		q.ObjectType, q.ObjectID = "files", in.FileID
	}
	if in.Cursor != "" {
		if q.Cursor, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || q.Cursor <= 0 {
			return nil, tool.Invalidf("%q is no cursor of this list", in.Cursor)
		}
	}
	found, skipped, next, err := c.Activities(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &Activities{Items: found, Skipped: skipped}
	if found == nil {
		out.Items = []api.Activity{}
	}
	if next > 0 {
		out.NextCursor = strconv.FormatInt(next, 10)
	}
	return out, nil
})
