package calendar

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ShareKind is with whom a calendar is shared.
type ShareKind string

// Values are the kinds.
func (ShareKind) Values() []string { return []string{"user", "group", "circle"} }

// Access is what somebody may do with a calendar.
type Access string

// Values are the accesses; none ends a share.
func (Access) Values() []string { return []string{"read", "read-write", "none"} }

// ShareInput is the input of nc_calendar_share_calendar.
type ShareInput struct {
	CalendarName string    `json:"calendar_name" jsonschema:"an own calendar"`
	ShareWith    string    `json:"share_with" jsonschema:"id of the user or group"`
	ShareType    ShareKind `json:"share_type,omitempty" jsonschema:"default user"`
	Access       Access    `json:"access" jsonschema:"none ends the share"`
}

// Shared is the outcome of nc_calendar_share_calendar.
type Shared struct {
	CalendarName string      `json:"calendar_name"`
	SharedWith   []api.Share `json:"shared_with"`
	Undo         string      `json:"undo"`
}

var share = tool.New(tool.Def{
	Name:        "nc_calendar_share_calendar",
	Title:       "Share a calendar",
	Description: "Share an own calendar with somebody in this Nextcloud, change or end a share.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"calendar_name", "share_with", "access"},
}, func(ctx context.Context, calendars *api.Client, in ShareInput) (*Shared, error) {
	if in.ShareType == "" {
		in.ShareType = "user"
	}
	access := string(in.Access)
	undo := fmt.Sprintf("nc_calendar_share_calendar with share_with=%q, share_type=%q, access=\"none\"", in.ShareWith, in.ShareType)
	if in.Access == "none" {
		access, undo = "", fmt.Sprintf("nc_calendar_share_calendar with share_with=%q, share_type=%q", in.ShareWith, in.ShareType)
	}
	list, err := calendars.ShareCalendar(ctx, in.CalendarName, string(in.ShareType), in.ShareWith, access)
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []api.Share{}
	}
	return &Shared{in.CalendarName, list, undo}, nil
})

// PublishInput is the input of nc_calendar_publish_calendar.
type PublishInput struct {
	CalendarName string `json:"calendar_name" jsonschema:"an own calendar"`
	Published    bool   `json:"published" jsonschema:"false takes the address away"`
}

// Published is the outcome of nc_calendar_publish_calendar.
type Published struct {
	CalendarName string      `json:"calendar_name"`
	Published    bool        `json:"published"`
	Public       *api.Public `json:"public,omitempty"`
	Note         string      `json:"note"`
}

var publish = tool.New(tool.Def{
	Name:        "nc_calendar_publish_calendar",
	Title:       "Publish a calendar",
	Description: "Give an own calendar a public address, or take it away. Whoever has the address can read all events.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Object:      []string{"calendar_name"},
}, func(ctx context.Context, calendars *api.Client, in PublishInput) (*Published, error) {
	public, err := calendars.PublishCalendar(ctx, in.CalendarName, in.Published)
	if err != nil {
		return nil, err
	}
	out := &Published{CalendarName: in.CalendarName, Published: public != nil, Public: public, Note: "The old address works no more; publishing again makes a new one."}
	if public != nil {
		out.Note = "Everybody who has one of these addresses can read the calendar, without a password and until it is unpublished."
	}
	return out, nil
})
