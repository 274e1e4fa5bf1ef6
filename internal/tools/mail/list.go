package mail

import (
	"context"
	"fmt"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
	api "nextcloud-mcp-server/internal/nextcloud/mail"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Item is one message of a list.
type Item struct {
	ID          int64    `json:"id"`
	MailboxID   int64    `json:"mailbox_id,omitempty"` // in threads, which reach over mailboxes
	From        string   `json:"from,omitempty"`
	To          string   `json:"to,omitempty"`
	Subject     string   `json:"subject"`
	Date        string   `json:"date,omitempty"`
	Unread      bool     `json:"unread,omitempty"`
	Flagged     bool     `json:"flagged,omitempty"`
	Answered    bool     `json:"answered,omitempty"`
	Important   bool     `json:"important,omitempty"`
	Junk        bool     `json:"junk,omitempty"`
	Attachments bool     `json:"attachments,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Preview     string   `json:"preview,omitempty"`
}

// maxPreview is how much of a message its list shows, in characters.
const maxPreview = 120

func item(m *api.Message) Item {
	out := Item{
		ID: m.ID, From: few(m.From), To: few(m.To), Subject: m.Subject, Date: timestamp(m.Date), Unread: !m.Flags.Seen, Flagged: m.Flags.Flagged,
		Answered: m.Flags.Answered, Important: m.Flags.Important, Junk: m.Flags.Junk, Attachments: m.Flags.Attachments, Preview: strings.Join(strings.Fields(m.Preview), " "),
	}
	if r := []rune(out.Preview); len(r) > maxPreview {
		out.Preview = string(r[:maxPreview]) + "…"
	}
	for _, t := range m.Tags {
		out.Tags = append(out.Tags, t.Name)
	}
	return out
}

// few names the first people of a list.
func few(list []api.Address) string {
	const most = 2
	text := strings.Join(people(list[:min(len(list), most)]), ", ")
	if n := len(list) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// ListInput is the input of nc_mail_list_messages.
type ListInput struct {
	MailboxID int64  `json:"mailbox_id,omitempty" jsonschema:"default the inbox"`
	Mailbox   string `json:"mailbox,omitempty" jsonschema:"instead of the id: inbox, sent, drafts, trash, junk, archive or a name"`
	AccountID int64  `json:"account_id,omitempty" jsonschema:"default the only account"`
	Filter    string `json:"search_filter,omitempty" jsonschema:"such as from:bob subject:\"the budget\" body:x is:unread is:starred flags:attachments start:2026-11-01 end:2026-11-30"`
	Threads   bool   `json:"threads,omitempty" jsonschema:"only the newest of each thread"`
	Refresh   bool   `json:"refresh,omitempty" jsonschema:"ask the mail server for new mail first"`
	Limit     int    `json:"limit,omitempty" jsonschema:"default 20, at most 100"`
	Cursor    string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// List is the outcome of nc_mail_list_messages.
type List struct {
	Items      []Item            `json:"items"`
	MailboxID  int64             `json:"mailbox_id"`
	NextCursor string            `json:"next_cursor,omitempty"`
	Note       string            `json:"note,omitempty"`
	Skipped    []lenient.Skipped `json:"skipped,omitempty"`
}

var list = tool.New(tool.Def{
	Name:        "nc_mail_list_messages",
	Title:       "List or search messages",
	Description: "List a mailbox, newest first, or search in it. All words of the filter must fit, or one with match:anyof.",
	Scope:       scope.MailRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"mailbox_id", "mailbox", "account_id"},
}, func(ctx context.Context, c *api.Client, in ListInput) (*List, error) {
	if in.Limit == 0 {
		in.Limit = 20
	}
	if in.Limit < 0 || in.Limit > api.MaxLimit {
		return nil, tool.Invalidf("limit has to be between 1 and %d", api.MaxLimit)
	}
	filter, err := api.Filter(in.Filter)
	if err != nil {
		return nil, err
	}
	if in.Mailbox == "" {
		in.Mailbox = "inbox"
	}
	id, err := mailbox(ctx, c, in.MailboxID, in.Mailbox, in.AccountID)
	if err != nil {
		return nil, err
	}
	out := &List{MailboxID: id}
	if in.Refresh {
		complete, err := c.Refresh(ctx, id)
		if err != nil {
			return nil, err
		}
		if !complete {
			out.Note = "The mailbox is large and not fetched to its end yet. Refresh again for the rest."
		}
	}
	page, err := c.List(ctx, api.Query{MailboxID: id, Filter: filter, Limit: in.Limit, Cursor: in.Cursor, Threads: in.Threads})
	if err != nil {
		return nil, err
	}
	out.NextCursor, out.Skipped, out.Items = page.Next, page.Skipped, make([]Item, 0, len(page.Messages))
	for i := range page.Messages {
		out.Items = append(out.Items, item(&page.Messages[i]))
	}
	return out, nil
})

// ThreadInput is the input of nc_mail_get_thread.
type ThreadInput struct {
	MessageID int64 `json:"message_id" jsonschema:"any message of it"`
}

// Thread is the outcome of nc_mail_get_thread.
type Thread struct {
	Items   []Item            `json:"items"`
	Total   int               `json:"total"`
	Skipped []lenient.Skipped `json:"skipped,omitempty"`
}

var thread = tool.New(tool.Def{
	Name:        "nc_mail_get_thread",
	Title:       "List a mail thread",
	Description: "List the messages of a conversation in all mailboxes, oldest first. Of more than 100, the newest.",
	Scope:       scope.MailRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"message_id"},
}, func(ctx context.Context, c *api.Client, in ThreadInput) (*Thread, error) {
	messages, skipped, err := c.Thread(ctx, in.MessageID)
	if err != nil {
		return nil, err
	}
	out := &Thread{Items: []Item{}, Total: len(messages), Skipped: skipped}
	messages = messages[max(0, len(messages)-api.MaxLimit):]
	for i := range messages {
		one := item(&messages[i])
		one.MailboxID = messages[i].MailboxID
		out.Items = append(out.Items, one)
	}
	return out, nil
})
