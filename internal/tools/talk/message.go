package talk

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
	api "nextcloud-mcp-server/internal/nextcloud/talk"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// MessagesInput is the input of talk_get_messages.
type MessagesInput struct {
	Token    string `json:"token" jsonschema:"token or name"`
	Limit    int    `json:"limit,omitempty" jsonschema:"default 50, at most 200"`
	Cursor   string `json:"cursor,omitempty" jsonschema:"next_cursor or a message id, for what is older"`
	With     bool   `json:"include_last_known,omitempty" jsonschema:"with the message of cursor itself"`
	MaxChars int    `json:"max_chars,omitempty" jsonschema:"of each message, default 2000"`
}

// Message is one message.
type Message struct {
	ID        int64            `json:"id"`
	Time      string           `json:"time,omitempty"`
	From      string           `json:"from,omitempty"`
	FromID    string           `json:"from_id,omitempty"`   // account
	FromKind  string           `json:"from_kind,omitempty"` // when it is no account
	Text      string           `json:"text,omitempty"`
	Chars     int              `json:"chars,omitempty"` // of the whole text, when it is cut
	System    string           `json:"system,omitempty"`
	ReplyTo   *Brief           `json:"reply_to,omitempty"`
	Reactions map[string]int64 `json:"reactions,omitempty"`
	Files     []File           `json:"files,omitempty"`
	Edited    string           `json:"edited,omitempty"`
	Deleted   bool             `json:"deleted,omitempty"`
}

// File is a file that a message shares.
type File struct {
	ID   string `json:"id,omitempty"`
	Path string `json:"path,omitempty"`
}

func message(m *api.Message, maxChars int) Message {
	out := Message{
		ID: m.ID, Time: m.Time, From: m.From, System: m.System, Reactions: m.Reactions, Edited: m.Edited, Deleted: m.Deleted,
	}
	out.Text, out.Chars = cut(m.Text, maxChars)
	if m.FromKind == "users" {
		out.FromID = m.FromID
	} else {
		out.FromKind = m.FromKind
	}
	if m.System == "" {
		out.ReplyTo = brief(m.Parent)
	}
	for _, f := range m.Files {
		out.Files = append(out.Files, File{f.ID, f.Path})
	}
	return out
}

// Messages is the outcome of talk_get_messages.
type Messages struct {
	Token      string            `json:"token"`
	Items      []Message         `json:"items"`
	LeftOut    int               `json:"left_out,omitempty"` // notes of changes that the messages show
	NextCursor string            `json:"next_cursor,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

var messages = tool.New(tool.Def{
	Name:        "talk_get_messages",
	Title:       "Read Talk messages",
	Description: "Read messages of a conversation, newest first. Nothing is marked as read.",
	Scope:       scope.TalkRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"token"},
	Aliases:     map[string]string{"last_known_message_id": "cursor"},
}, func(ctx context.Context, c *api.Client, input MessagesInput) (*Messages, error) {
	limit, err := bounded(input.Limit, 50, 200)
	if err != nil {
		return nil, err
	}
	if input.MaxChars == 0 {
		input.MaxChars = 2000
	}
	if input.MaxChars < 1 || input.MaxChars > api.MaxMessage {
		return nil, tool.Invalidf("max_chars has to be between 1 and %d", api.MaxMessage)
	}
	q := api.Page{With: input.With, Limit: limit}
	if q.Before, err = messageID("cursor", input.Cursor); err != nil {
		return nil, err
	}
	return in(ctx, c, input.Token, func(token string) (*Messages, error) {
		page, skipped, next, err := c.Messages(ctx, token, q)
		if err != nil {
			return nil, err
		}
		out := &Messages{Token: token, Items: []Message{}, Skipped: skipped}
		for _, m := range page {
			if m.Echo() {
				out.LeftOut++
				continue
			}
			out.Items = append(out.Items, message(m, input.MaxChars))
		}
		if next > 0 {
			out.NextCursor = strconv.FormatInt(next, 10)
		}
		return out, nil
	})
})

// messageID reads an id; the empty text is 0.
func messageID(name, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0, tool.Invalidf("%s has to be next_cursor of this list, not %q", name, text)
	}
	return id, nil
}

// SendInput is the input of talk_send_message.
type SendInput struct {
	Token   string `json:"token" jsonschema:"token or name"`
	Message string `json:"message" jsonschema:"Markdown, at most 32000 characters, @account mentions somebody"`
	ReplyTo int64  `json:"reply_to,omitempty" jsonschema:"id of the message to answer"`
	Silent  bool   `json:"silent,omitempty" jsonschema:"notify nobody"`
}

// Sent is the outcome of talk_send_message.
type Sent struct {
	ID       int64    `json:"message_id"`
	Token    string   `json:"token"`
	Time     string   `json:"time,omitempty"`
	Mentions []string `json:"mentions,omitempty"` // whom it names
	URL      string   `json:"url,omitempty"`
}

var send = tool.New(tool.Def{
	Name:        "talk_send_message",
	Title:       "Send a Talk message",
	Description: "Send a message to a conversation in the name of the person, or reply to one.",
	Scope:       scope.TalkWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"token"},
}, func(ctx context.Context, c *api.Client, input SendInput) (*Sent, error) {
	if err := checkText(input.Message); err != nil {
		return nil, err
	}
	return in(ctx, c, input.Token, func(token string) (*Sent, error) {
		m, err := c.Send(ctx, token, api.Draft{Text: input.Message, ReplyTo: input.ReplyTo, Silent: input.Silent})
		if err != nil {
			return nil, err
		}
		return sent(c, m), nil
	})
})

func sent(c *api.Client, m *api.Message) *Sent {
	return &Sent{ID: m.ID, Token: m.Token, Time: m.Time, Mentions: m.Mentions, URL: c.URL(m.Token, m.ID)}
}

func checkText(text string) error {
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "":
		return tool.Invalidf("message is empty")
	case n > api.MaxMessage:
		return tool.Invalidf("message has %d characters, and %d are allowed. Send it in parts.", n, api.MaxMessage)
	}
	return nil
}

// EditInput is the input of talk_edit_message.
type EditInput struct {
	Token   string `json:"token" jsonschema:"token or name"`
	ID      int64  `json:"message_id" jsonschema:"message id"`
	Message string `json:"message" jsonschema:"the whole new text"`
}

// Edited is the outcome of talk_edit_message.
type Edited struct {
	ID       int64    `json:"message_id"`
	Token    string   `json:"token"`
	Mentions []string `json:"mentions,omitempty"`
	Was      string   `json:"was"`
	Undo     string   `json:"undo"`
}

var edit = tool.New(tool.Def{
	Name:        "talk_edit_message",
	Title:       "Edit a Talk message",
	Description: "Replace the text of a message of the person, within a day.",
	Scope:       scope.TalkWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"token"},
}, func(ctx context.Context, c *api.Client, input EditInput) (*Edited, error) {
	if err := checkText(input.Message); err != nil {
		return nil, err
	}
	old, err := one(ctx, c, input.Token, input.ID)
	if err != nil {
		return nil, err
	}
	now, err := c.Edit(ctx, old.Token, old.ID, input.Message)
	if err != nil {
		return nil, err
	}
	out := &Edited{ID: old.ID, Token: old.Token, Was: old.Source, Undo: "talk_edit_message with the text in was."}
	if now.Parent != nil { // Talk answers the note of the change, and the message as its parent
		out.Mentions = now.Parent.Mentions
	}
	return out, nil
})

// one is a message of the conversation that ref names.
func one(ctx context.Context, c *api.Client, ref string, id int64) (*api.Message, error) {
	if id <= 0 {
		return nil, tool.Invalidf("message_id has to be the id of a message")
	}
	return in(ctx, c, ref, func(token string) (*api.Message, error) { return c.Message(ctx, token, id) })
}

// DeleteInput names a message.
type DeleteInput struct {
	Token string `json:"token" jsonschema:"token or name"`
	ID    int64  `json:"message_id" jsonschema:"message id"`
}

// Deleted is the outcome of talk_delete_message.
type Deleted struct {
	ID    int64  `json:"deleted_id"`
	Token string `json:"token"`
	From  string `json:"from,omitempty"`
	Was   string `json:"was,omitempty"`
	Undo  string `json:"undo"`
}

var remove = tool.New(tool.Def{
	Name:        "talk_delete_message",
	Title:       "Delete a Talk message",
	Description: "Delete a message of the person for everybody, or one of others where the person moderates.",
	Scope:       scope.TalkWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"token"},
}, func(ctx context.Context, c *api.Client, input DeleteInput) (*Deleted, error) {
	old, err := one(ctx, c, input.Token, input.ID)
	if err != nil {
		return nil, err
	}
	if old.Deleted {
		return nil, tool.Invalidf("Message %d is deleted already.", old.ID)
	}
	if err := c.Delete(ctx, old.Token, old.ID); err != nil {
		return nil, err
	}
	return &Deleted{ID: old.ID, Token: old.Token, From: old.From, Was: old.Source, Undo: "It does not come back. Its author can send the text in was again."}, nil
})

// messageDocument reads a message that a search found, by token and id.
var messageDocument = tool.NewDocument(tool.DocumentDef{Kind: "message", Scope: scope.TalkRead},
	func(ctx context.Context, c *api.Client, id string) (*tool.Text, error) {
		token, number, _ := strings.Cut(id, "/")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n <= 0 || token == "" {
			return nil, tool.Invalidf("%q is no id of a message of Talk", id)
		}
		m, err := c.Message(ctx, token, n)
		if err != nil {
			return nil, err
		}
		return &tool.Text{
			Title: "Message of " + m.From, Text: m.Text, URL: c.URL(token, n),
			Metadata: map[string]string{"token": token, "message_id": number, "from": m.From, "time": m.Time},
		}, nil
	})
