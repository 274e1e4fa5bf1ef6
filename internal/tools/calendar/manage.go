package calendar

import (
	"context"
	"fmt"
	"slices"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Action is what nc_calendar_manage_calendar does.
type Action string

// Values are the actions.
func (Action) Values() []string { return []string{"list", "create", "update", "delete", "subscribe"} }

// ManageInput is the input of nc_calendar_manage_calendar.
type ManageInput struct {
	Action       Action  `json:"action" jsonschema:"what to do"`
	CalendarName string  `json:"calendar_name,omitempty" jsonschema:"for create optional"`
	DisplayName  *string `json:"display_name,omitempty" jsonschema:"title"`
	Description  *string `json:"description,omitempty" jsonschema:"text"`
	Color        *string `json:"color,omitempty" jsonschema:"#1976D2"`
	CountsAsBusy *bool   `json:"counts_as_busy,omitempty" jsonschema:"for free-busy"`
	Components   string  `json:"components,omitempty" jsonschema:"for create: VEVENT (default), VTODO"`
	Source       string  `json:"source,omitempty" jsonschema:"for subscribe: https or webcal address"`
}

// Managed is the outcome of nc_calendar_manage_calendar.
type Managed struct {
	Action    Action         `json:"action"`
	Calendar  *api.Calendar  `json:"calendar,omitempty"`
	Calendars []api.Calendar `json:"calendars,omitempty"`
	Message   string         `json:"message"`
	Undo      string         `json:"undo,omitempty"`
}

var manage = tool.New(tool.Def{
	Name:        "nc_calendar_manage_calendar",
	Title:       "Manage calendars",
	Description: "List, create, rename and colour, delete calendars, or subscribe to one of the web.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Extended,
	Object:      []string{"action", "calendar_name"},
}, func(ctx context.Context, calendars *api.Client, in ManageInput) (*Managed, error) {
	look := api.Look{DisplayName: in.DisplayName, Description: in.Description, Color: in.Color}
	if look.DisplayName != nil && strings.TrimSpace(*look.DisplayName) == "" {
		look.DisplayName = nil
	}
	if in.CountsAsBusy != nil {
		look.Transparent = new(!*in.CountsAsBusy)
	}
	out := &Managed{Action: in.Action}
	var err error
	switch in.Action {
	case "create", "subscribe":
		if (in.Source != "") != (in.Action == "subscribe") {
			return nil, tool.Invalidf("source is the address to subscribe to: give it with action=subscribe, and only then")
		}
		kinds, err := components(in.Components)
		if err != nil {
			return nil, err
		}
		out.Calendar, err = calendars.CreateCalendar(ctx, api.NewCalendar{Name: in.CalendarName, Components: kinds, Source: in.Source, Look: look})
		if err != nil {
			return nil, err
		}
		out.Message = "Created."
		if in.Action == "subscribe" {
			out.Message = "Subscribed. Nextcloud reads the address when its background jobs run, so the events come some minutes later."
		}
	case "update":
		if out.Calendar, err = calendars.UpdateCalendar(ctx, in.CalendarName, look); err != nil {
			return nil, err
		}
		out.Message = "Changed."
	case "delete":
		gone, err := calendars.DeleteCalendar(ctx, in.CalendarName)
		if err != nil {
			return nil, err
		}
		out.Calendar = &gone.Calendar
		out.Message, out.Undo = removed(gone)
	default:
		out.Action = "list"
		if out.Calendars, err = calendars.Calendars(ctx); err != nil {
			return nil, err
		}
		out.Message = fmt.Sprintf("%d calendars.", len(out.Calendars))
	}
	return out, nil
})

// components are the kinds of entries that a new calendar takes.
func components(list string) ([]string, error) {
	var out []string
	for kind := range strings.SplitSeq(strings.ToUpper(list), ",") {
		if kind = strings.TrimSpace(kind); kind == "" || slices.Contains(out, kind) {
			continue
		}
		if !slices.Contains([]string{"VEVENT", "VTODO", "VJOURNAL"}, kind) {
			return nil, tool.Invalidf("components has to be VEVENT, VTODO or both, separated by a comma")
		}
		out = append(out, kind)
	}
	return out, nil
}

// removed says what became of a calendar and how to get it back.
func removed(r *api.RemovedCalendar) (message, undo string) {
	c := &r.Calendar
	switch {
	case r.Left:
		return "The person no longer sees this calendar. It is still there for its owner.", c.Owner + " has to share it again."
	case c.Source != "":
		return "The subscription is ended.", fmt.Sprintf("nc_calendar_manage_calendar action=subscribe with display_name=%q and source=%q", c.DisplayName, c.Source)
	}
	return "The calendar is in the trash with all its entries.", fmt.Sprintf("nc_calendar_restore_trash with id=%q%s", c.Name, keeping(r.Retention))
}
