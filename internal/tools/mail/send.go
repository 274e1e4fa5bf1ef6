package mail

import (
	"context"
	"encoding/json"
	netmail "net/mail"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/mail"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// SendInput is the input of nc_mail_send_message.
type SendInput struct {
	AccountID  int64  `json:"account_id,omitempty" jsonschema:"default the only account"`
	From       string `json:"from,omitempty" jsonschema:"an alias of the account"`
	To         string `json:"to" jsonschema:"addresses with commas between, such as Bob <bob@example.org>"`
	CC         string `json:"cc,omitempty" jsonschema:"as to"`
	BCC        string `json:"bcc,omitempty" jsonschema:"as to"`
	Subject    string `json:"subject" jsonschema:"subject line"`
	Body       string `json:"body" jsonschema:"plain text"`
	IsHTML     bool   `json:"is_html,omitempty" jsonschema:"the body is HTML"`
	References string `json:"references,omitempty" jsonschema:"message_id_header of what it answers"`
	Preview    bool   `json:"preview,omitempty" jsonschema:"only show what would be sent"`
}

// Sent is the outcome of sending, or what would be sent.
type Sent struct {
	Sent      bool     `json:"sent"`
	From      string   `json:"from"`
	To        []string `json:"to,omitempty"`
	CC        []string `json:"cc,omitempty"`
	BCC       []string `json:"bcc,omitempty"`
	Subject   string   `json:"subject"`
	InReplyTo string   `json:"in_reply_to,omitempty"`
	Body      string   `json:"body,omitempty"` // of a preview
	Note      string   `json:"note,omitempty"`
	Undo      string   `json:"undo,omitempty"`
}

var send = tool.New(tool.Def{
	Name:        "nc_mail_send_message",
	Title:       "Send a message",
	Description: "Send mail in the person's name at once. Let them agree to recipients and text before.",
	Scope:       scope.MailSend,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"account_id", "to", "cc", "bcc"},
}, func(ctx context.Context, c *api.Client, in SendInput) (*Sent, error) {
	o, err := outgoing(in.To, in.CC, in.BCC)
	if err != nil {
		return nil, err
	}
	o.Subject, o.Body, o.IsHTML = in.Subject, in.Body, in.IsHTML
	if o.InReplyTo, err = reference(in.References); err != nil {
		return nil, err
	}
	from, err := sender(ctx, c, o, in.AccountID, in.From)
	if err != nil {
		return nil, err
	}
	return deliver(ctx, c, o, from, in.Preview)
})

// outgoing is a message to these people.
func outgoing(to, cc, bcc string) (*api.Outgoing, error) {
	o := &api.Outgoing{}
	for _, list := range []struct {
		name string
		text string
		into *[]api.Address
	}{{"to", to, &o.To}, {"cc", cc, &o.CC}, {"bcc", bcc, &o.BCC}} {
		people, err := recipients(list.name, list.text)
		if err != nil {
			return nil, err
		}
		*list.into = people
	}
	return o, nil
}

// recipients reads addresses as people write them (RFC 5322), or the JSON list
// of {label, email} that older configurations use.
func recipients(name, text string) ([]api.Address, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	if strings.HasPrefix(text, "[") {
		var list []struct{ Label, Email string }
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return nil, tool.Invalidf("%s is no list of addresses", name)
		}
		var written []string
		for _, a := range list {
			written = append(written, (&netmail.Address{Name: a.Label, Address: a.Email}).String())
		}
		text = strings.Join(written, ", ")
	}
	list, err := netmail.ParseAddressList(text)
	if err != nil {
		return nil, tool.Invalidf("%s: %q are no mail addresses. Write them as bob@example.org, Ada Example <ada@example.org>.", name, shorten(text))
	}
	var out []api.Address
	for _, a := range list {
		if _, domain, _ := strings.Cut(a.Address, "@"); domain == "" || strings.ContainsFunc(a.Name+a.Address, func(r rune) bool { return r < ' ' }) {
			return nil, tool.Invalidf("%s: %q is no mail address", name, shorten(a.Address))
		}
		if !among(a.Address, out) {
			out = append(out, api.Address{Name: a.Name, Email: a.Address})
		}
	}
	return out, nil
}

// reference is the Message-ID that an answer names (RFC 5322, 3.6.4).
func reference(id string) (string, error) {
	id = strings.TrimSpace(id)
	if id == "" {
		return "", nil
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">")
	if inner == "" || len(inner) > 900 || strings.ContainsAny(inner, "<> \t\r\n") {
		return "", tool.Invalidf("references has to be one message_id_header, such as <abc@example.org>")
	}
	return "<" + inner + ">", nil
}

// sender sets which account and alias a message leaves from, and answers the
// address.
func sender(ctx context.Context, c *api.Client, o *api.Outgoing, id int64, alias string) (string, error) {
	a, err := account(ctx, c, id)
	if err != nil {
		return "", err
	}
	return leaveFrom(o, a, alias)
}

func leaveFrom(o *api.Outgoing, a *api.Account, alias string) (string, error) {
	o.AccountID = a.ID
	if alias == "" || strings.EqualFold(alias, a.Email) {
		return a.Email, nil
	}
	known := []string{a.Email}
	for _, other := range a.Aliases {
		if strings.EqualFold(other.Email, alias) {
			o.AliasID = other.ID
			return other.Email, nil
		}
		known = append(known, other.Email)
	}
	return "", tool.Invalidf("Account %d does not send from %q, but from %s.", a.ID, shorten(alias), strings.Join(known, ", "))
}

// maxRecipients bounds the recipients of one message.
const maxRecipients = 100

// deliver sends a message, or shows it.
func deliver(ctx context.Context, c *api.Client, o *api.Outgoing, from string, preview bool) (*Sent, error) {
	switch n := len(o.To) + len(o.CC) + len(o.BCC); {
	case len(o.To) == 0:
		return nil, tool.Invalidf("The message is to nobody. Give to.")
	case n > maxRecipients:
		return nil, tool.Invalidf("A message may go to at most %d people, and this one goes to %d.", maxRecipients, n)
	case strings.TrimSpace(o.Body) == "" && strings.TrimSpace(o.Subject) == "":
		return nil, tool.Invalidf("The message is empty.")
	case strings.ContainsAny(o.Subject, "\r\n"):
		return nil, tool.Invalidf("The subject has to be one line.")
	}
	out := &Sent{From: from, To: people(o.To), CC: people(o.CC), BCC: people(o.BCC), Subject: o.Subject, InReplyTo: o.InReplyTo}
	if preview {
		out.Body, out.Note = o.Body, "Nothing was sent. Call again without preview when the person agrees."
		return out, nil
	}
	copied, err := c.Send(ctx, o)
	if err != nil {
		return nil, err
	}
	out.Sent, out.Undo = true, "None: what was sent cannot be taken back."
	if !copied {
		out.Note = "It was sent, but the copy could not be put into the mailbox for sent messages. Nextcloud Mail tries that again. Do not send it again."
	}
	return out, nil
}
