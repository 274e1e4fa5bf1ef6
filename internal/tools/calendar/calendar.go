// Package calendar declares the tools of the Calendar app. It is separate from
// the client below it because only this side knows what a model needs to be
// told and what it need not read.
package calendar

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the Calendar area.
var Tools = tool.Group[*api.Client]{
	Name: "calendar", Title: "Calendar", Client: api.New,
	Tools: []tool.Of[*api.Client]{
		listCalendars, list, upcoming, get, create, meeting, update, move, remove, bulk,
		invitations, respond, freeBusy, availability,
		manage, share, publish, listTrash, restore, importICS, exportICS,
	},
}

// Calendars is the outcome of nc_calendar_list_calendars.
type Calendars struct {
	Calendars  []api.Calendar `json:"calendars"`
	TotalCount int            `json:"total_count"`
}

var listCalendars = tool.New(tool.Def{
	Name:        "nc_calendar_list_calendars",
	Title:       "List calendars",
	Description: "List calendars and subscriptions.",
	Scope:       scope.CalendarRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
}, func(ctx context.Context, calendars *api.Client, _ struct{}) (*Calendars, error) {
	list, err := calendars.Calendars(ctx)
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []api.Calendar{}
	}
	return &Calendars{list, len(list)}, nil
})
