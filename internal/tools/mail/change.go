package mail

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/mail"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// FlagsInput is the input of nc_mail_set_flags.
type FlagsInput struct {
	MessageID int64 `json:"message_id" jsonschema:"message id"`
	Seen      *bool `json:"seen,omitempty" jsonschema:"read"`
	Flagged   *bool `json:"flagged,omitempty" jsonschema:"starred"`
	Answered  *bool `json:"answered,omitempty" jsonschema:"answered"`
	Junk      *bool `json:"junk,omitempty" jsonschema:"spam, which does not move it"`
}

// Flagged is the outcome of nc_mail_set_flags.
type Flagged struct {
	MessageID int64           `json:"message_id"`
	Set       map[string]bool `json:"set"`
	Undo      string          `json:"undo"`
}

var setFlags = tool.New(tool.Def{
	Name:        "nc_mail_set_flags",
	Title:       "Mark a message",
	Description: "Mark a message as read or unread, starred, answered or junk. Only what is given changes.",
	Scope:       scope.MailWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"message_id"},
}, func(ctx context.Context, c *api.Client, in FlagsInput) (*Flagged, error) {
	set, flags := map[string]bool{}, map[string]bool{}
	for name, v := range map[string]*bool{"seen": in.Seen, "flagged": in.Flagged, "answered": in.Answered, "junk": in.Junk} {
		if v != nil {
			set[name], flags[name] = *v, *v
		}
	}
	if len(set) == 0 {
		return nil, tool.Invalidf("Give at least one of seen, flagged, answered, junk.")
	}
	if in.Junk != nil {
		// As the Mail app does: filters of mail servers learn from both.
		delete(flags, "junk")
		flags["$junk"], flags["$notjunk"] = *in.Junk, !*in.Junk
	}
	if err := c.SetFlags(ctx, in.MessageID, flags); err != nil {
		return nil, err
	}
	return &Flagged{in.MessageID, set, "Call nc_mail_set_flags with the opposite of " + strings.Join(slices.Sorted(maps.Keys(set)), ", ") + "."}, nil
})

// CreateTagInput is the input of nc_mail_create_tag.
type CreateTagInput struct {
	Name  string `json:"display_name" jsonschema:"at most 128 characters"`
	Color string `json:"color,omitempty" jsonschema:"default #0082c9"`
}

// maxTag is the longest name of a tag, in characters.
const maxTag = 128

var createTag = tool.New(tool.Def{
	Name:        "nc_mail_create_tag",
	Title:       "Create a mail tag",
	Description: "Create a tag for messages. One of the same name is answered as it is.",
	Scope:       scope.MailWrite,
	Effect:      tool.Creates,
	Tier:        tool.Complete,
	Object:      []string{"display_name"},
}, func(ctx context.Context, c *api.Client, in CreateTagInput) (*api.Tag, error) {
	return newTag(ctx, c, in.Name, in.Color)
})

func newTag(ctx context.Context, c *api.Client, name, color string) (*api.Tag, error) {
	name = strings.TrimSpace(name)
	if name == "" || len([]rune(name)) > maxTag || strings.ContainsAny(name, "/\\\r\n\t") {
		return nil, tool.Invalidf("A tag has a name of 1 to %d characters without slashes and line breaks.", maxTag)
	}
	if color == "" {
		color = "#0082c9"
	}
	if len(color) != 7 || color[0] != '#' || strings.Trim(strings.ToLower(color[1:]), "0123456789abcdef") != "" {
		return nil, tool.Invalidf("color has to be written as #0082c9")
	}
	return c.CreateTag(ctx, name, color)
}

// TagInput is the input of nc_mail_set_tag and nc_mail_remove_tag.
type TagInput struct {
	MessageID int64  `json:"message_id" jsonschema:"message id"`
	Tag       string `json:"tag" jsonschema:"name of the tag"`
}

// Tagged is the outcome of nc_mail_set_tag and nc_mail_remove_tag.
type Tagged struct {
	MessageID int64    `json:"message_id"`
	Tag       *api.Tag `json:"tag"`
	Undo      string   `json:"undo"`
}

var setTag = tool.New(tool.Def{
	Name:        "nc_mail_set_tag",
	Title:       "Tag a message",
	Description: "Put a tag on a message. A tag that is new is created.",
	Scope:       scope.MailWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"message_id", "tag"},
}, func(ctx context.Context, c *api.Client, in TagInput) (*Tagged, error) {
	t, err := newTag(ctx, c, in.Tag, "")
	if err != nil {
		return nil, err
	}
	if err := c.SetTag(ctx, in.MessageID, t.Label); err != nil {
		return nil, err
	}
	return &Tagged{in.MessageID, t, "nc_mail_remove_tag"}, nil
})

var removeTag = tool.New(tool.Def{
	Name:        "nc_mail_remove_tag",
	Title:       "Take a tag off a message",
	Description: "Take a tag off a message. The tag stays for others.",
	Scope:       scope.MailWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"message_id", "tag"},
}, func(ctx context.Context, c *api.Client, in TagInput) (*Tagged, error) {
	m, err := c.Head(ctx, in.MessageID)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range m.Tags {
		if strings.EqualFold(t.Name, in.Tag) || t.Label == in.Tag {
			if err := c.RemoveTag(ctx, in.MessageID, t.Label); err != nil {
				return nil, err
			}
			return &Tagged{in.MessageID, &t, "nc_mail_set_tag"}, nil
		}
		names = append(names, fmt.Sprintf("%q", t.Name))
	}
	if len(names) == 0 {
		return nil, tool.Invalidf("Message %d has no tag.", in.MessageID)
	}
	return nil, tool.Invalidf("Message %d has no tag %q. It has %s.", in.MessageID, shorten(in.Tag), strings.Join(names, ", "))
})

// MoveInput is the input of nc_mail_move_message.
type MoveInput struct {
	MessageID   int64  `json:"message_id" jsonschema:"message id"`
	MailboxID   int64  `json:"destination_mailbox_id,omitempty" jsonschema:"mailbox id"`
	Destination string `json:"destination,omitempty" jsonschema:"instead of the id: archive, junk, inbox or a name"`
	AccountID   int64  `json:"account_id,omitempty" jsonschema:"of the destination, default the only account"`
}

// Moved is the outcome of nc_mail_move_message and nc_mail_delete_message.
type Moved struct {
	Subject string `json:"subject,omitempty"`
	From    int64  `json:"from_mailbox_id,omitempty"`
	To      int64  `json:"to_mailbox_id,omitempty"`
	Undo    string `json:"undo"`
}

// back says how to take back a move, in which a message loses its id.
func back(from, to int64) string {
	return fmt.Sprintf("The message has a new id in mailbox %d. Find it there with nc_mail_list_messages, with refresh if needed, and move it to mailbox %d with nc_mail_move_message.", to, from)
}

var move = tool.New(tool.Def{
	Name:        "nc_mail_move_message",
	Title:       "Move a message",
	Description: "Move a message to another mailbox. It gets a new id there.",
	Scope:       scope.MailWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"message_id", "destination_mailbox_id", "destination", "account_id"},
}, func(ctx context.Context, c *api.Client, in MoveInput) (*Moved, error) {
	if in.MailboxID <= 0 && in.Destination == "" {
		return nil, tool.Invalidf("Give destination_mailbox_id or destination.")
	}
	m, err := c.Head(ctx, in.MessageID)
	if err != nil {
		return nil, err
	}
	to, err := mailbox(ctx, c, in.MailboxID, in.Destination, in.AccountID)
	if err != nil {
		return nil, err
	}
	if to == m.MailboxID {
		return nil, tool.Invalidf("The message is in mailbox %d already. Nothing was done.", to)
	}
	if err := c.Move(ctx, in.MessageID, to); err != nil {
		return nil, err
	}
	return &Moved{Subject: m.Subject, From: m.MailboxID, To: to, Undo: back(m.MailboxID, to)}, nil
})

// DeleteInput is the input of nc_mail_delete_message.
type DeleteInput struct {
	MessageID   int64 `json:"message_id" jsonschema:"message id"`
	Permanently bool  `json:"permanently,omitempty" jsonschema:"needed for what is in the trash"`
}

var remove = tool.New(tool.Def{
	Name:        "nc_mail_delete_message",
	Title:       "Delete a message",
	Description: "Move a message to the trash of its account, or delete for good what is there already.",
	Scope:       scope.MailWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"message_id"},
}, func(ctx context.Context, c *api.Client, in DeleteInput) (*Moved, error) {
	m, err := c.Head(ctx, in.MessageID)
	if err != nil {
		return nil, err
	}
	// Nextcloud: the app expunges what it is told to delete in the trash, so a
	// call that is made twice must not do more than the first.
	trashes, err := c.Trashes(ctx)
	if err != nil {
		return nil, err
	}
	switch inTrash := trashes[m.MailboxID]; {
	case inTrash && !in.Permanently:
		return nil, tool.Invalidf("Message %d is in the trash already. Nothing was done. With permanently, it is deleted for good.", in.MessageID)
	case !inTrash && in.Permanently:
		return nil, tool.Invalidf("Message %d is not in the trash. Delete it without permanently first. Nothing was done.", in.MessageID)
	}
	if err := c.Delete(ctx, in.MessageID); err != nil {
		return nil, err
	}
	out := &Moved{Subject: m.Subject, From: m.MailboxID, Undo: "None: it is deleted for good."}
	if in.Permanently {
		return out, nil
	}
	out.Undo = fmt.Sprintf("It lies in the trash under a new id. Find it with nc_mail_list_messages and mailbox trash, and move it to mailbox %d with nc_mail_move_message.", m.MailboxID)
	return out, nil
})
