package talk

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
	api "nextcloud-mcp-server/internal/nextcloud/talk"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Conversation is a conversation in a list.
type Conversation struct {
	Token      string `json:"token"`
	Name       string `json:"name,omitempty"`
	Type       string `json:"type,omitempty"`
	Unread     int64  `json:"unread,omitempty"`
	Mentioned  bool   `json:"unread_mention,omitempty"`
	Active     string `json:"last_activity,omitempty"`
	Last       *Brief `json:"last_message,omitempty"`
	Favorite   bool   `json:"favorite,omitempty"`
	Archived   bool   `json:"archived,omitempty"`
	ReadOnly   bool   `json:"read_only,omitempty"`
	Lobby      bool   `json:"lobby,omitempty"`
	Status     string `json:"status,omitempty"`
	StatusText string `json:"status_message,omitempty"`
	URL        string `json:"url,omitempty"`
}

// Brief is the beginning of a message.
type Brief struct {
	ID   int64  `json:"id"`
	From string `json:"from,omitempty"`
	Text string `json:"text,omitempty"`
}

// briefChars bounds the text of a Brief.
const briefChars = 120

func brief(m *api.Message) *Brief {
	if m == nil {
		return nil
	}
	text, _ := cut(m.Text, briefChars)
	return &Brief{m.ID, m.From, text}
}

func conversation(c *api.Client, in *api.Conversation) Conversation {
	return Conversation{
		Token: in.Token, Name: in.Name, Type: in.Kind, Unread: in.Unread, Mentioned: in.Mentioned, Active: in.Active, Last: brief(in.LastMessage),
		Favorite: in.Favorite, Archived: in.Archived, ReadOnly: in.ReadOnly, Lobby: in.Lobby, Status: in.Status, StatusText: in.StatusText,
		URL: c.URL(in.Token, 0),
	}
}

// ListInput is the input of talk_list_conversations.
type ListInput struct {
	ModifiedSince int64  `json:"modified_since,omitempty" jsonschema:"Unix seconds, only what happened since"`
	IncludeStatus bool   `json:"include_status,omitempty" jsonschema:"with the status of people"`
	Unread        bool   `json:"unread_only,omitempty" jsonschema:"only with unread messages"`
	Limit         int    `json:"limit,omitempty" jsonschema:"default 30, at most 200"`
	Cursor        string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// List is the outcome of talk_list_conversations.
type List struct {
	Items      []Conversation    `json:"items"`
	Total      int               `json:"total"`
	Modified   int64             `json:"modified_since,omitempty"` // for the next time
	NextCursor string            `json:"next_cursor,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

var list = tool.New(tool.Def{
	Name:        "talk_list_conversations",
	Title:       "List Talk conversations",
	Description: "List the person's conversations, the last active first, with what is unread. Nobody sees it.",
	Scope:       scope.TalkRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
}, func(ctx context.Context, c *api.Client, in ListInput) (*List, error) {
	limit, err := bounded(in.Limit, 30, 200)
	if err != nil {
		return nil, err
	}
	behind, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	all, skipped, modified, err := c.List(ctx, api.ListQuery{ModifiedSince: in.ModifiedSince, Status: in.IncludeStatus})
	if err != nil {
		return nil, err
	}
	out := &List{Items: []Conversation{}, Modified: modified, Skipped: skipped}
	var last *api.Conversation
	for _, room := range all {
		if in.Unread && room.Unread == 0 {
			continue
		}
		out.Total++
		switch {
		case !behind.before(room):
		case len(out.Items) < limit:
			out.Items = append(out.Items, conversation(c, room))
			last = room
		default:
			out.NextCursor = fmt.Sprintf("%d.%s", last.Activity, last.Token)
		}
	}
	return out, nil
})

// place is a place in the order of conversations; its zero value is the
// beginning.
type place struct {
	activity int64
	token    string
}

func parseCursor(text string) (place, error) {
	if text == "" {
		return place{}, nil
	}
	number, token, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || token == "" {
		return place{}, tool.Invalidf("%q is no cursor of this list", text)
	}
	return place{n, token}, nil
}

// before reports whether a conversation comes behind the place.
func (p place) before(room *api.Conversation) bool {
	return p.token == "" || room.Activity < p.activity || room.Activity == p.activity && room.Token > p.token
}

// TokenInput names a conversation.
type TokenInput struct {
	Token string `json:"token" jsonschema:"token or name"`
}

// Detail is one conversation with everything that is of use.
type Detail struct {
	Conversation
	Description   string `json:"description,omitempty"`
	Role          string `json:"role,omitempty"`
	LastRead      int64  `json:"last_read_message,omitempty"`
	CanDelete     bool   `json:"can_delete,omitempty"`
	Notifications string `json:"notifications,omitempty"`
	ObjectType    string `json:"object_type,omitempty"`
	ObjectID      string `json:"object_id,omitempty"`
}

func detail(c *api.Client, in *api.Conversation) *Detail {
	return &Detail{
		Conversation: conversation(c, in), Description: in.Description, Role: in.Role, LastRead: in.LastRead, CanDelete: in.CanDelete,
		Notifications: in.NotifiedOnly, ObjectType: in.ObjectType, ObjectID: in.ObjectID,
	}
}

var get = tool.New(tool.Def{
	Name:        "talk_get_conversation",
	Title:       "Get a Talk conversation",
	Description: "Read what a conversation is: its description, the person's role in it, what is unread.",
	Scope:       scope.TalkRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"token"},
}, func(ctx context.Context, c *api.Client, input TokenInput) (*Detail, error) {
	room, err := in(ctx, c, input.Token, func(token string) (*api.Conversation, error) { return c.Get(ctx, token) })
	if err != nil {
		return nil, err
	}
	return detail(c, room), nil
})

// MarkInput is the input of talk_mark_as_read.
type MarkInput struct {
	Token string `json:"token" jsonschema:"token or name"`
	Last  int64  `json:"last_read_message,omitempty" jsonschema:"id of a message, default the newest"`
}

// Marked is the outcome of talk_mark_as_read.
type Marked struct {
	Token    string `json:"token"`
	Unread   int64  `json:"unread"`
	LastRead int64  `json:"last_read_message,omitempty"`
	Undo     string `json:"undo,omitempty"`
}

var markRead = tool.New(tool.Def{
	Name:        "talk_mark_as_read",
	Title:       "Mark a conversation as read",
	Description: "Mark a conversation as read up to a message, which others can see. An older message moves the mark back. Only when the person asks for it.",
	Scope:       scope.TalkWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"token"},
}, func(ctx context.Context, c *api.Client, input MarkInput) (*Marked, error) {
	if input.Last < 0 {
		return nil, tool.Invalidf("last_read_message has to be the id of a message")
	}
	before, err := in(ctx, c, input.Token, func(token string) (*api.Conversation, error) { return c.Get(ctx, token) })
	if err != nil {
		return nil, err
	}
	now, err := c.MarkRead(ctx, before.Token, input.Last)
	if err != nil {
		return nil, err
	}
	out := &Marked{Token: now.Token, Unread: now.Unread, LastRead: now.LastRead}
	if before.LastRead > 0 && before.LastRead != now.LastRead {
		out.Undo = fmt.Sprintf("talk_mark_as_read: token=%q, last_read_message=%d.", before.Token, before.LastRead)
	}
	return out, nil
})

// CreateInput is the input of talk_create_conversation.
type CreateInput struct {
	Name   string `json:"room_name,omitempty" jsonschema:"name, for types 2 and 3"`
	Type   int    `json:"room_type,omitempty" jsonschema:"1 with one person, 2 group (default), 3 open to everybody with the link"`
	Invite string `json:"invite,omitempty" jsonschema:"type 1: account, type 2: group of people"`
}

// Created is the outcome of talk_create_conversation.
type Created struct {
	Detail
	Existed bool `json:"existed,omitempty"`
}

var create = tool.New(tool.Def{
	Name:        "talk_create_conversation",
	Title:       "Create a Talk conversation",
	Description: "Create a conversation, or get the one that there is with one person. Add people with talk_add_participant.",
	Scope:       scope.TalkWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"room_name", "invite"},
}, func(ctx context.Context, c *api.Client, in CreateInput) (*Created, error) {
	if in.Type == 0 {
		in.Type = 2
	}
	name := strings.TrimSpace(in.Name)
	switch {
	case in.Type < 1 || in.Type > 3:
		return nil, tool.Invalidf("room_type has to be 1, 2 or 3")
	case in.Type == 1 && in.Invite == "":
		return nil, tool.Invalidf("room_type 1 needs the account of the other person in invite")
	case in.Type == 1 && name != "":
		return nil, tool.Invalidf("A conversation of two people has no name: leave room_name out, or take room_type 2.")
	case in.Type != 1 && name == "":
		return nil, tool.Invalidf("room_name is needed")
	case in.Type == 3 && in.Invite != "":
		return nil, tool.Invalidf("room_type 3 takes no invite: create it, then add people with talk_add_participant.")
	}
	kind := []string{api.OneToOne, api.Group, api.Public}[in.Type-1]
	made, existed, err := c.Create(ctx, kind, name, in.Invite)
	if err != nil {
		return nil, err
	}
	return &Created{*detail(c, made), existed}, nil
})
