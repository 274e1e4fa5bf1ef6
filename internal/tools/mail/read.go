package mail

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/mail"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// defaultMaxChars is how much of a message comes at once, in characters.
const defaultMaxChars = 20_000

// GetInput is the input of nc_mail_get_message.
type GetInput struct {
	MessageID int64 `json:"message_id" jsonschema:"message id"`
	Quoted    bool  `json:"quoted,omitempty" jsonschema:"with the quoted text of earlier messages"`
	MaxChars  int   `json:"max_chars,omitempty" jsonschema:"of the body, default 20000"`
	Offset    int   `json:"offset,omitempty" jsonschema:"first character of the body"`
}

// Message is a message with its text as Markdown, or with a part of it.
type Message struct {
	ID          int64            `json:"id,omitempty"`
	Subject     string           `json:"subject,omitempty"`
	From        []string         `json:"from,omitempty"`
	To          []string         `json:"to,omitempty"`
	CC          []string         `json:"cc,omitempty"`
	BCC         []string         `json:"bcc,omitempty"`
	ReplyTo     []string         `json:"reply_to,omitempty"` // when it is not From
	Date        string           `json:"date,omitempty"`
	MessageID   string           `json:"message_id_header,omitempty"`
	Unread      bool             `json:"unread,omitempty"`
	Flagged     bool             `json:"flagged,omitempty"`
	Answered    bool             `json:"answered,omitempty"`
	Body        string           `json:"body"`
	FoldedLines int              `json:"folded_lines,omitempty"`
	Truncated   bool             `json:"truncated,omitempty"`
	NextOffset  int              `json:"next_offset,omitempty"`
	TotalChars  int              `json:"total_chars,omitempty"`
	Attachments []api.Attachment `json:"attachments,omitempty"`
	Signed      string           `json:"signed,omitempty"`
	Warnings    []string         `json:"warnings,omitempty"`
}

var get = tool.New(tool.Def{
	Name:        "nc_mail_get_message",
	Title:       "Read a message",
	Description: "Read a message as Markdown, quoted text folded. It stays unread. If truncated, go on at next_offset.",
	Scope:       scope.MailRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"message_id"},
}, func(ctx context.Context, c *api.Client, in GetInput) (*Message, error) {
	if in.MaxChars < 0 || in.Offset < 0 {
		return nil, tool.Invalidf("max_chars and offset cannot be negative")
	}
	m, err := c.Get(ctx, in.MessageID)
	if err != nil {
		return nil, err
	}
	out := message(m, in.Quoted)
	out.Body, out.NextOffset, out.TotalChars, err = window(out.Body, in.Offset, in.MaxChars)
	out.Truncated = out.NextOffset > 0
	return out, err
})

func message(m *api.Full, quoted bool) *Message {
	out := &Message{
		ID: m.ID, Subject: m.Subject, From: people(m.From), To: people(m.To), CC: people(m.CC), BCC: people(m.BCC), Date: timestamp(m.Date),
		MessageID: m.MessageID, Unread: !m.Flags.Seen, Flagged: m.Flags.Flagged, Answered: m.Flags.Answered, Attachments: m.Attachments, Warnings: m.Warnings,
	}
	if !sameAddresses(m.ReplyTo, m.From) {
		out.ReplyTo = people(m.ReplyTo)
	}
	switch {
	case m.Signed && m.Valid:
		out.Signed = "valid"
	case m.Signed:
		out.Signed = "not valid"
	}
	switch {
	case m.Unreadable:
		out.Warnings = append(out.Warnings, "The message is encrypted, and Nextcloud Mail could not decrypt it: the person has to add the key in Nextcloud Mail, or read it in another program.")
		return out
	case m.PGP:
		out.Warnings = append(out.Warnings, "The message is encrypted with PGP, which only the person's own program can read.")
	}
	b := bodyOf(m, quoted)
	out.Body, out.FoldedLines = b.text, b.folded
	out.Warnings = append(out.Warnings, b.warnings...)
	if b.cut {
		out.Warnings = append(out.Warnings, fmt.Sprintf("Only the first %d MiB of the HTML were read. nc_mail_get_message_source has all.", maxHTML>>20))
	}
	return out
}

// sameAddresses reports whether nobody of a is missing in b.
func sameAddresses(a, b []api.Address) bool {
	for _, x := range a {
		if !among(x.Email, b) {
			return false
		}
	}
	return true
}

func among(email string, list []api.Address) bool {
	for _, a := range list {
		if strings.EqualFold(a.Email, email) {
			return true
		}
	}
	return false
}

// window is size characters of a text from offset on, where it goes on, 0 at
// the end, and how long all is, when that is not all of it.
func window(text string, offset, size int) (part string, next, total int, err error) {
	r := []rune(text)
	if size == 0 {
		size = defaultMaxChars
	}
	if offset > len(r) {
		return "", 0, 0, tool.Invalidf("offset is behind the end: there are %d characters", len(r))
	}
	if offset == 0 && len(r) <= size {
		return text, 0, 0, nil
	}
	end := offset + min(size, len(r)-offset)
	if end < len(r) {
		next = end
	}
	return string(r[offset:end]), next, len(r), nil
}

// mailDocument reads a message that a search found.
var mailDocument = tool.NewDocument(tool.DocumentDef{Kind: "mail", Scope: scope.MailRead},
	func(ctx context.Context, c *api.Client, id string) (*tool.Text, error) {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			return nil, tool.Invalidf("%q is no id of a message", shorten(id))
		}
		full, err := c.Opened(ctx, n)
		if err != nil {
			return nil, err
		}
		m := message(full, true)
		var b strings.Builder
		for _, line := range []struct {
			name   string
			people []string
		}{{"From", m.From}, {"To", m.To}, {"Cc", m.CC}} {
			if len(line.people) > 0 {
				fmt.Fprintf(&b, "%s: %s\n", line.name, strings.Join(line.people, ", "))
			}
		}
		fmt.Fprintf(&b, "Date: %s\n\n%s", m.Date, m.Body)
		var names []string
		for _, a := range m.Attachments {
			names = append(names, a.Name)
		}
		return &tool.Text{Title: m.Subject, Text: b.String(), URL: c.URL(full.MailboxID, n), Metadata: map[string]string{
			"date": m.Date, "attachments": strings.Join(names, ", "), "warnings": strings.Join(m.Warnings, " "),
		}}, nil
	})

// SourceInput is the input of nc_mail_get_message_source.
type SourceInput struct {
	MessageID int64 `json:"message_id" jsonschema:"message id"`
	MaxChars  int   `json:"max_chars,omitempty" jsonschema:"default 20000"`
	Offset    int   `json:"offset,omitempty" jsonschema:"first character"`
}

// Source is the outcome of nc_mail_get_message_source.
type Source struct {
	Source     string `json:"source"`
	NextOffset int    `json:"next_offset,omitempty"`
	TotalChars int    `json:"total_chars,omitempty"`
}

var source = tool.New(tool.Def{
	Name:        "nc_mail_get_message_source",
	Title:       "Read a message's source",
	Description: "Read the raw message with all headers (RFC 5322).",
	Scope:       scope.MailRead,
	Effect:      tool.Reads,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"message_id"},
}, func(ctx context.Context, c *api.Client, in SourceInput) (*Source, error) {
	if in.MaxChars < 0 || in.Offset < 0 {
		return nil, tool.Invalidf("max_chars and offset cannot be negative")
	}
	text, err := c.Source(ctx, in.MessageID)
	if err != nil {
		return nil, err
	}
	out := &Source{}
	out.Source, out.NextOffset, out.TotalChars, err = window(text, in.Offset, in.MaxChars)
	return out, err
})
