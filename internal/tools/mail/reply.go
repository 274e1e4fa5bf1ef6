package mail

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/mail"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ReplyInput is the input of nc_mail_reply.
type ReplyInput struct {
	MessageID int64  `json:"message_id" jsonschema:"message to answer"`
	Body      string `json:"body" jsonschema:"plain text, without the quote"`
	ReplyAll  bool   `json:"reply_all,omitempty" jsonschema:"to all recipients too"`
	Quote     bool   `json:"quote,omitempty" jsonschema:"put the answered text below"`
	CC        string `json:"cc,omitempty" jsonschema:"further addresses"`
	IsHTML    bool   `json:"is_html,omitempty" jsonschema:"the body is HTML"`
	Preview   bool   `json:"preview,omitempty" jsonschema:"only show what would be sent"`
}

var reply = tool.New(tool.Def{
	Name:        "nc_mail_reply",
	Title:       "Reply to a message",
	Description: "Answer a message at once, in its thread. Let the person agree to recipients and text before.",
	Scope:       scope.MailSend,
	Also:        []scope.Scope{scope.MailRead},
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"message_id", "cc"},
}, func(ctx context.Context, c *api.Client, in ReplyInput) (*Sent, error) {
	o, err := outgoing("", in.CC, "")
	if err != nil {
		return nil, err
	}
	o.Body, o.IsHTML = in.Body, in.IsHTML
	if strings.TrimSpace(in.Body) == "" {
		return nil, tool.Invalidf("The answer has no text.")
	}
	from, err := answer(ctx, c, o, answering{in.MessageID, in.ReplyAll, in.Quote})
	if err != nil {
		return nil, err
	}
	return deliver(ctx, c, o, from, in.Preview)
})

// answering is what is answered, and how.
type answering struct {
	id    int64
	all   bool
	quote bool
}

// again begins the subject of an answer in the languages of most programs.
var again = regexp.MustCompile(`(?i)^\s*(re|aw|antw|sv|vs|odp|rif|res)\s*(\[\d+\])?:`)

// answer fills in a message what makes it the answer to another one: to whom,
// the subject, from which address, and the reference.
func answer(ctx context.Context, c *api.Client, o *api.Outgoing, how answering) (from string, err error) {
	m, err := c.Opened(ctx, how.id)
	if err != nil {
		return "", err
	}
	if m.AccountID <= 0 {
		return "", tool.Invalidf("This version of Nextcloud Mail does not say which account message %d belongs to. Use nc_mail_send_message with its message_id_header as references.", how.id)
	}
	a, err := account(ctx, c, m.AccountID)
	if err != nil {
		return "", err
	}
	own := []api.Address{{Email: a.Email}}
	alias := ""
	for _, other := range a.Aliases {
		own = append(own, api.Address{Email: other.Email})
		// Who wrote to an alias is answered from there.
		if !among(a.Email, slices.Concat(m.To, m.CC)) && among(other.Email, slices.Concat(m.To, m.CC)) {
			alias = other.Email
		}
	}
	others := func(lists ...[]api.Address) []api.Address {
		var out []api.Address
		for _, one := range slices.Concat(lists...) {
			if one.Email != "" && !among(one.Email, own) && !among(one.Email, out) {
				out = append(out, one)
			}
		}
		return out
	}
	if o.To == nil {
		if o.To = others(m.ReplyTo); len(o.To) == 0 {
			o.To = others(m.From)
		}
		if len(o.To) == 0 {
			o.To = others(m.To) // the person goes on after themselves
		}
		if len(o.To) == 0 {
			o.To = m.From // a message to themselves
		}
	}
	if how.all {
		o.CC = slices.DeleteFunc(others(o.CC, m.To, m.CC), func(one api.Address) bool { return among(one.Email, o.To) })
	}
	if o.Subject == "" {
		if o.Subject = oneLine(m.Subject); !again.MatchString(o.Subject) {
			o.Subject = strings.TrimSpace("Re: " + o.Subject)
		}
	}
	if how.quote {
		if o.IsHTML {
			return "", tool.Invalidf("quote works with plain text only. Put the quote into the HTML, or leave it out.")
		}
		o.Body = strings.TrimRight(o.Body, "\n") + "\n\n" + quotation(m)
	}
	if o.InReplyTo, err = reference(m.MessageID); err != nil {
		o.InReplyTo = "" // a Message-ID that breaks the rules cannot be referred to
	}
	return leaveFrom(o, a, alias)
}

// quotation is a message as its answer quotes it.
func quotation(m *api.Full) string {
	b := bodyOf(m, true)
	var out strings.Builder
	fmt.Fprintf(&out, "On %s %s wrote:\n", timestamp(m.Date), strings.Join(people(m.From), ", "))
	for line := range strings.SplitSeq(tool.Visible(b.text), "\n") {
		if strings.HasPrefix(line, ">") {
			out.WriteString(">" + line + "\n")
			continue
		}
		out.WriteString(strings.TrimRight("> "+line, " ") + "\n")
	}
	return out.String()
}

// DraftInput is the input of nc_mail_create_draft.
type DraftInput struct {
	AccountID int64  `json:"account_id,omitempty" jsonschema:"default the only account"`
	ReplyToID int64  `json:"reply_to_id,omitempty" jsonschema:"message that it answers"`
	ReplyAll  bool   `json:"reply_all,omitempty" jsonschema:"to all recipients too"`
	Quote     bool   `json:"quote,omitempty" jsonschema:"put the answered text below"`
	To        string `json:"to,omitempty" jsonschema:"addresses, default who is answered"`
	CC        string `json:"cc,omitempty" jsonschema:"as to"`
	BCC       string `json:"bcc,omitempty" jsonschema:"as to"`
	Subject   string `json:"subject,omitempty" jsonschema:"default that of what is answered"`
	Body      string `json:"body" jsonschema:"plain text"`
	IsHTML    bool   `json:"is_html,omitempty" jsonschema:"the body is HTML"`
}

// Drafted is the outcome of nc_mail_create_draft.
type Drafted struct {
	From      string   `json:"from"`
	To        []string `json:"to,omitempty"`
	CC        []string `json:"cc,omitempty"`
	BCC       []string `json:"bcc,omitempty"`
	Subject   string   `json:"subject,omitempty"`
	InReplyTo string   `json:"in_reply_to,omitempty"`
	Note      string   `json:"note"`
}

var draft = tool.New(tool.Def{
	Name:        "nc_mail_create_draft",
	Title:       "Write a draft",
	Description: "Put a draft into the account's mailbox for drafts, where the person checks and sends it.",
	Scope:       scope.MailWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"account_id", "reply_to_id", "to", "cc", "bcc"},
}, func(ctx context.Context, c *api.Client, in DraftInput) (*Drafted, error) {
	o, err := outgoing(in.To, in.CC, in.BCC)
	if err != nil {
		return nil, err
	}
	o.Subject, o.Body, o.IsHTML = in.Subject, in.Body, in.IsHTML
	var from string
	if in.ReplyToID > 0 {
		from, err = answer(ctx, c, o, answering{in.ReplyToID, in.ReplyAll, in.Quote})
	} else {
		from, err = sender(ctx, c, o, in.AccountID, "")
	}
	if err != nil {
		return nil, err
	}
	moved, err := c.Draft(ctx, o)
	if err != nil {
		return nil, err
	}
	out := &Drafted{From: from, To: people(o.To), CC: people(o.CC), BCC: people(o.BCC), Subject: o.Subject, InReplyTo: o.InReplyTo}
	out.Note = "The draft is in the mailbox for drafts. Nothing was sent."
	if !moved {
		out.Note = "The draft is in Nextcloud Mail, which moves it to the mailbox for drafts later by itself. Nothing was sent."
	}
	return out, nil
})
