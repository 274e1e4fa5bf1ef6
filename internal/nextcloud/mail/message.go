package mail

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Address is a mail address with the name that stands before it.
type Address struct {
	Name  string
	Email string
}

// String is the address as people read it.
func (a Address) String() string {
	switch {
	case a.Name == "" || a.Name == a.Email:
		return a.Email
	case a.Email == "":
		return a.Name
	}
	return a.Name + " <" + a.Email + ">"
}

type wireAddress struct {
	Label lenient.Text `json:"label"`
	Email lenient.Text `json:"email"`
}

func addresses(list lenient.List[wireAddress]) []Address {
	var out []Address
	for _, a := range list.Items {
		if a.Label != "" || a.Email != "" {
			out = append(out, Address{string(a.Label), string(a.Email)})
		}
	}
	return out
}

// Flags are the marks of a message.
type Flags struct {
	Seen, Flagged, Answered, Forwarded, Draft, Junk, Important, Attachments bool
}

type wireFlags struct {
	Seen        lenient.Bool `json:"seen"`
	Flagged     lenient.Bool `json:"flagged"`
	Answered    lenient.Bool `json:"answered"`
	Forwarded   lenient.Bool `json:"forwarded"`
	Draft       lenient.Bool `json:"draft"`
	Junk        lenient.Bool `json:"$junk"`
	Important   lenient.Bool `json:"important"`
	Attachments lenient.Bool `json:"hasAttachments"`
}

func (f *wireFlags) flags() Flags {
	if f == nil {
		return Flags{Seen: true} // unknown: nothing is made of it
	}
	return Flags{
		Seen: bool(f.Seen), Flagged: bool(f.Flagged), Answered: bool(f.Answered), Forwarded: bool(f.Forwarded),
		Draft: bool(f.Draft), Junk: bool(f.Junk), Important: bool(f.Important), Attachments: bool(f.Attachments),
	}
}

// Tag is a mark that people name.
type Tag struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Label string `json:"label"` // what the mail server stores
	Color string `json:"color,omitempty"`
}

type wireTag struct {
	ID    lenient.Int  `json:"id"`
	Name  lenient.Text `json:"displayName"`
	Label lenient.Text `json:"imapLabel"`
	Color lenient.Text `json:"color"`
}

func (w *wireTag) tag() Tag {
	return Tag{ID: int64(w.ID), Name: string(w.Name), Label: string(w.Label), Color: string(w.Color)}
}

// Message is the head of a message, as lists have it.
type Message struct {
	ID         int64
	MailboxID  int64
	MessageID  string // of the message itself (RFC 5322), with its angle brackets
	References []string
	Subject    string
	Date       int64 // Unix seconds
	From       []Address
	To         []Address
	CC         []Address
	Flags      Flags
	Tags       []Tag
	Preview    string
	Encrypted  bool
}

type wireMessage struct {
	ID         lenient.Int                `json:"databaseId"`
	MailboxID  lenient.Int                `json:"mailboxId"`
	MessageID  lenient.Text               `json:"messageId"`
	References lenient.List[lenient.Text] `json:"references"`
	Subject    lenient.Text               `json:"subject"`
	Date       lenient.Int                `json:"dateInt"`
	From       lenient.List[wireAddress]  `json:"from"`
	To         lenient.List[wireAddress]  `json:"to"`
	CC         lenient.List[wireAddress]  `json:"cc"`
	Flags      lenient.Maybe[wireFlags]   `json:"flags"`
	Tags       tagList                    `json:"tags"`
	Preview    lenient.Text               `json:"previewText"`
	Encrypted  lenient.Bool               `json:"encrypted"`
}

// tagList are the tags of a message, which PHP writes as an object by label, or
// as [] when there are none.
type tagList []Tag

// UnmarshalJSON implements json.Unmarshaler.
func (l *tagList) UnmarshalJSON(data []byte) error {
	*l = nil
	var byLabel lenient.Object[lenient.Maybe[wireTag]]
	if err := byLabel.UnmarshalJSON(data); err != nil {
		return nil // a message is worth reading without its tags
	}
	for _, label := range slices.Sorted(maps.Keys(byLabel)) {
		if w := byLabel[label].Value; w != nil {
			if w.Label == "" {
				w.Label = lenient.Text(label)
			}
			*l = append(*l, w.tag())
		}
	}
	return nil
}

func (m *wireMessage) Check() error {
	if m.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (m *wireMessage) message() Message {
	out := Message{
		ID: int64(m.ID), MailboxID: int64(m.MailboxID), MessageID: string(m.MessageID), Subject: string(m.Subject), Date: int64(m.Date),
		From: addresses(m.From), To: addresses(m.To), CC: addresses(m.CC), Flags: m.Flags.Value.flags(), Tags: m.Tags,
		Preview: strings.TrimSpace(string(m.Preview)), Encrypted: bool(m.Encrypted),
	}
	for _, r := range m.References.Items {
		out.References = append(out.References, string(r))
	}
	return out
}

// Head is one message without its text.
func (c *Client) Head(ctx context.Context, id int64) (*Message, error) {
	op := "look at message " + number(id)
	var w wireMessage
	if err := c.own(ctx, nextcloud.Request{Op: op, Path: path(ownBase+"/messages", number(id))}, &w); err != nil {
		return nil, err
	}
	if w.Check() != nil {
		return nil, badAnswer(op, "the message has no id")
	}
	m := w.message()
	return &m, nil
}

// Thread is the conversation that a message belongs to, oldest first, over all
// mailboxes of its account.
func (c *Client) Thread(ctx context.Context, id int64) ([]Message, []lenient.Skipped, error) {
	var list lenient.List[wireMessage]
	if err := c.own(ctx, nextcloud.Request{Op: "read the thread of message " + number(id), Path: path(ownBase+"/messages", number(id), "thread")}, &list); err != nil {
		return nil, nil, err
	}
	out := make([]Message, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, list.Items[i].message())
	}
	slices.SortStableFunc(out, func(a, b Message) int { return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.ID, b.ID)) })
	return out, list.Skipped, nil
}
