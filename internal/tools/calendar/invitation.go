package calendar

import (
	"context"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// InvitationsInput is the input of nc_calendar_list_invitations.
type InvitationsInput struct {
	Answered bool `json:"answered,omitempty" jsonschema:"answered ones too"`
}

var invitations = tool.New(tool.Def{
	Name:        "nc_calendar_list_invitations",
	Title:       "List invitations",
	Description: "List coming events that others invited the person to and that wait for an answer.",
	Scope:       scope.CalendarRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
}, func(ctx context.Context, calendars *api.Client, in InvitationsInput) (*api.Invitations, error) {
	return calendars.Invitations(ctx, in.Answered)
})

// Response is an answer to an invitation.
type Response string

// Values are the answers.
func (Response) Values() []string { return []string{"accept", "tentative", "decline"} }

var partstats = map[Response]string{"accept": "ACCEPTED", "tentative": "TENTATIVE", "decline": "DECLINED"}

// RespondInput is the input of nc_calendar_respond_invitation.
type RespondInput struct {
	Response        Response `json:"response" jsonschema:"answer"`
	EventUID        string   `json:"event_uid,omitempty" jsonschema:"uid"`
	InvitationID    string   `json:"invitation_id,omitempty" jsonschema:"in the place of event_uid"`
	CalendarName    string   `json:"calendar_name,omitempty" jsonschema:"default wherever it is"`
	RecurrenceScope Scope    `json:"recurrence_scope,omitempty" jsonschema:"this or all, needed when it recurs"`
	RecurrenceID    string   `json:"recurrence_id,omitempty" jsonschema:"start of the occurrence meant"`
}

var respond = tool.New(tool.Def{
	Name:        "nc_calendar_respond_invitation",
	Title:       "Answer an invitation",
	Description: "Answer an invitation. Nextcloud tells the organizer. For a recurring event ask the person: this occurrence or all.",
	Scope:       scope.CalendarWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"event_uid", "invitation_id", "calendar_name"},
}, func(ctx context.Context, calendars *api.Client, in RespondInput) (*Saved, error) {
	return saved(calendars.Respond(ctx, api.Answer{
		Target: api.Target{
			Calendar: in.CalendarName, UID: in.EventUID, Scope: api.Scope(in.RecurrenceScope), RecurrenceID: in.RecurrenceID,
		},
		InvitationID: in.InvitationID, Status: partstats[in.Response],
	}))
})
