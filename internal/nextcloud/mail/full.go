package mail

import (
	"context"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Full is a message with its text.
type Full struct {
	ID        int64
	AccountID int64 // 0 when it was not asked for, see Opened
	MailboxID int64 // the same
	MessageID string
	Subject   string
	Date      int64 // Unix seconds
	From      []Address
	To        []Address
	CC        []Address
	BCC       []Address
	ReplyTo   []Address
	Flags     Flags

	// Body is HTML in either case: the app escapes plain text and makes links of
	// what looks like one. IsHTML says whether the sender wrote HTML.
	Body      string
	IsHTML    bool
	Signature string // of plain text, escaped as Body is
	// Unreadable says that the app could not decrypt the message.
	Unreadable  bool
	PGP         bool
	Attachments []Attachment
	// Warnings are what the app found suspicious.
	Warnings []string
	// Signed is whether the sender signed (S/MIME), Valid whether that holds.
	Signed, Valid bool
	Unsubscribe   string
}

// Attachment names a part of a message.
type Attachment struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	MIME   string `json:"mime,omitempty"`
	Size   int64  `json:"size,omitempty"` // in bytes as sent, encoded
	Inline bool   `json:"inline,omitempty"`
}

type wireAttachment struct {
	ID   lenient.Text `json:"id"`
	Name lenient.Text `json:"fileName"`
	MIME lenient.Text `json:"mime"`
	Size lenient.Int  `json:"size"`
}

func (a *wireAttachment) Check() error {
	if a.ID == "" {
		return lenient.NoID()
	}
	return nil
}

type wireFull struct {
	ID          lenient.Int                  `json:"id"`         // OCS
	DatabaseID  lenient.Int                  `json:"databaseId"` // own
	AccountID   lenient.Int                  `json:"accountId"`
	MailboxID   lenient.Int                  `json:"mailboxId"`
	MessageID   lenient.Text                 `json:"messageId"`
	Subject     lenient.Text                 `json:"subject"`
	Date        lenient.Int                  `json:"dateInt"`
	From        lenient.List[wireAddress]    `json:"from"`
	To          lenient.List[wireAddress]    `json:"to"`
	CC          lenient.List[wireAddress]    `json:"cc"`
	BCC         lenient.List[wireAddress]    `json:"bcc"`
	ReplyTo     lenient.List[wireAddress]    `json:"replyTo"`
	Flags       lenient.Maybe[wireFlags]     `json:"flags"`
	Body        *lenient.Text                `json:"body"`
	HasHTML     lenient.Bool                 `json:"hasHtmlBody"`
	Signature   lenient.Text                 `json:"signature"`
	PGP         lenient.Bool                 `json:"isPgpMimeEncrypted"`
	Attachments lenient.List[wireAttachment] `json:"attachments"`
	Inline      lenient.List[wireAttachment] `json:"inlineAttachments"`
	Unsubscribe lenient.Text                 `json:"unsubscribeUrl"`
	SMIME       lenient.Maybe[struct {
		Signed lenient.Bool `json:"isSigned"`
		Valid  lenient.Bool `json:"signatureIsValid"`
	}] `json:"smime"`
	Phishing lenient.Maybe[struct {
		Checks lenient.List[struct {
			Bad     lenient.Bool `json:"isPhishing"`
			Message lenient.Text `json:"message"`
		}] `json:"checks"`
		Warning lenient.Bool `json:"warning"`
	}] `json:"phishingDetails"`
}

func (w *wireFull) full(id int64) *Full {
	out := &Full{
		ID: id, AccountID: int64(w.AccountID), MailboxID: int64(w.MailboxID), MessageID: string(w.MessageID),
		Subject: string(w.Subject), Date: int64(w.Date), From: addresses(w.From), To: addresses(w.To), CC: addresses(w.CC),
		BCC: addresses(w.BCC), ReplyTo: addresses(w.ReplyTo), Flags: w.Flags.Value.flags(),
		IsHTML: bool(w.HasHTML), Signature: string(w.Signature), PGP: bool(w.PGP), Unsubscribe: string(w.Unsubscribe),
	}
	// Nextcloud: a message that cannot be decrypted comes with the status 206
	// and without a body.
	if out.Unreadable = w.Body == nil; !out.Unreadable {
		out.Body = string(*w.Body)
	}
	for i, list := range []lenient.List[wireAttachment]{w.Attachments, w.Inline} {
		for _, a := range list.Items {
			out.Attachments = append(out.Attachments, Attachment{
				ID: string(a.ID), Name: string(a.Name), MIME: string(a.MIME), Size: int64(a.Size), Inline: i == 1,
			})
		}
	}
	if s := w.SMIME.Value; s != nil {
		out.Signed, out.Valid = bool(s.Signed), bool(s.Valid)
	}
	if p := w.Phishing.Value; p != nil && bool(p.Warning) {
		for _, check := range p.Checks.Items {
			if check.Bad {
				out.Warnings = append(out.Warnings, string(check.Message))
			}
		}
		if len(out.Warnings) == 0 {
			out.Warnings = []string{"This may be phishing."}
		}
	}
	return out
}

// maxMessage bounds the answer with one message, in bytes. Attachments are not
// in it.
const maxMessage = 16 << 20

// Get is one message with its text. Reading does not mark it as read.
func (c *Client) Get(ctx context.Context, id int64) (*Full, error) {
	var w wireFull
	err := c.either(ctx, "read message "+number(id),
		nextcloud.Request{Path: path(ocsBase+"/message", number(id)), MaxBody: maxMessage},
		nextcloud.Request{Path: path(ownBase+"/messages", number(id), "body"), MaxBody: maxMessage}, &w, &w)
	if err != nil {
		return nil, err
	}
	return w.full(id), nil
}

// Opened is Get by the app's own API, which says the account and the mailbox.
// It cannot read what it cannot decrypt.
func (c *Client) Opened(ctx context.Context, id int64) (*Full, error) {
	var w wireFull
	err := c.own(ctx, nextcloud.Request{Op: "read message " + number(id), Path: path(ownBase+"/messages", number(id), "body"), MaxBody: maxMessage}, &w)
	if err != nil {
		return nil, err
	}
	return w.full(id), nil
}

// URL is the page of a message in Nextcloud.
func (c *Client) URL(mailboxID, id int64) string {
	if mailboxID <= 0 {
		return ""
	}
	return c.nc.Host().PublicURL("/index.php/apps/mail/box/" + number(mailboxID) + "/thread/" + number(id))
}
