package talk

import (
	"context"
	"strconv"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
	api "nextcloud-mcp-server/internal/nextcloud/talk"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ParticipantsInput is the input of talk_list_participants.
type ParticipantsInput struct {
	Token         string `json:"token" jsonschema:"token or name"`
	IncludeStatus bool   `json:"include_status,omitempty" jsonschema:"with their status"`
	Limit         int    `json:"limit,omitempty" jsonschema:"default 100, at most 500"`
	Cursor        string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Participant is somebody who takes part.
type Participant struct {
	Attendee   int64  `json:"attendee_id"`
	Name       string `json:"name,omitempty"`
	ID         string `json:"id,omitempty"`
	Source     string `json:"source,omitempty"`
	Role       string `json:"role,omitempty"`
	InCall     bool   `json:"in_call,omitempty"`
	Present    bool   `json:"present,omitempty"`
	Status     string `json:"status,omitempty"`
	StatusText string `json:"status_message,omitempty"`
}

// Participants is the outcome of talk_list_participants.
type Participants struct {
	Items      []Participant     `json:"items"`
	Total      int               `json:"total"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

var participants = tool.New(tool.Def{
	Name:        "talk_list_participants",
	Title:       "List participants",
	Description: "List who takes part in a conversation, in which role.",
	Scope:       scope.TalkRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"token"},
}, func(ctx context.Context, c *api.Client, input ParticipantsInput) (*Participants, error) {
	limit, err := bounded(input.Limit, 100, 500)
	if err != nil {
		return nil, err
	}
	behind, err := messageID("cursor", input.Cursor)
	if err != nil {
		return nil, err
	}
	return in(ctx, c, input.Token, func(token string) (*Participants, error) {
		all, skipped, err := c.Participants(ctx, token, input.IncludeStatus)
		if err != nil {
			return nil, err
		}
		out := &Participants{Items: []Participant{}, Total: len(all), Skipped: skipped}
		for _, p := range all {
			switch {
			case p.Attendee <= behind:
			case len(out.Items) < limit:
				out.Items = append(out.Items, Participant{p.Attendee, p.Name, p.ID, p.Kind, p.Role, p.InCall, p.Present, p.Status, p.StatusText})
			default:
				out.NextCursor = strconv.FormatInt(out.Items[limit-1].Attendee, 10)
			}
		}
		return out, nil
	})
})

// Source is the kind of an id of somebody to add.
type Source string

// Values implements tool.Enum.
func (Source) Values() []string {
	return []string{"users", "groups", "emails", "circles", "federated_users"}
}

// AddInput is the input of talk_add_participant.
type AddInput struct {
	Token       string `json:"token" jsonschema:"token or name"`
	Participant string `json:"participant" jsonschema:"account, group, address or team id"`
	Source      Source `json:"source,omitempty" jsonschema:"what participant is, default users"`
}

// Added is the outcome of talk_add_participant.
type Added struct {
	Token       string `json:"token"`
	Participant string `json:"participant"`
	Source      string `json:"source"`
	Opened      bool   `json:"now_public,omitempty"`
}

var addParticipant = tool.New(tool.Def{
	Name:        "talk_add_participant",
	Title:       "Add a participant",
	Description: "Add somebody to a conversation, who then sees all of it. A mail address opens it to everybody with the link.",
	Scope:       scope.TalkWrite,
	Effect:      tool.Creates,
	Tier:        tool.Complete,
	Object:      []string{"token", "participant"},
}, func(ctx context.Context, c *api.Client, input AddInput) (*Added, error) {
	if input.Participant == "" {
		return nil, tool.Invalidf("participant is needed")
	}
	if input.Source == "" {
		input.Source = "users"
	}
	return in(ctx, c, input.Token, func(token string) (*Added, error) {
		opened, err := c.Invite(ctx, token, input.Participant, string(input.Source))
		if err != nil {
			return nil, err
		}
		return &Added{token, input.Participant, string(input.Source), opened}, nil
	})
})
