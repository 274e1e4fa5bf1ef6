package mail

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Outgoing is a message to send or to keep as a draft.
type Outgoing struct {
	AccountID   int64
	AliasID     int64 // 0: the address of the account
	To, CC, BCC []Address
	Subject     string
	Body        string
	IsHTML      bool
	// InReplyTo is the Message-ID of what is answered, in angle brackets. The
	// app writes it into In-Reply-To and References.
	InReplyTo string
}

func (o *Outgoing) wire() map[string]any {
	people := func(list []Address) []any {
		out := make([]any, 0, len(list))
		for _, a := range list {
			label := a.Name
			if label == "" {
				label = a.Email
			}
			out = append(out, map[string]any{"label": label, "email": a.Email})
		}
		return out
	}
	body := map[string]any{
		"accountId": o.AccountID, "subject": o.Subject, "isHtml": o.IsHTML, "editorBody": o.Body,
		"body": o.Body, // before version 4.3 of the app
		"to":   people(o.To), "cc": people(o.CC), "bcc": people(o.BCC), "attachments": []any{},
		"smimeSign": false, "smimeEncrypt": false,
	}
	if o.IsHTML {
		body["bodyHtml"] = o.Body
	} else {
		body["bodyPlain"] = o.Body
	}
	if o.AliasID > 0 {
		body["aliasId"] = o.AliasID
	}
	if o.InReplyTo != "" {
		body["inReplyToMessageId"] = o.InReplyTo
	}
	return body
}

// local is a message that is kept in Nextcloud.
type local struct {
	Data lenient.Maybe[struct {
		ID lenient.Int `json:"id"`
	}] `json:"data"`
}

func (c *Client) store(ctx context.Context, op, target string, o *Outgoing) (int64, error) {
	var stored local
	if err := c.change(ctx, op, http.MethodPost, target, o.wire(), &stored); err != nil {
		return 0, err
	}
	if stored.Data.Value == nil || stored.Data.Value.ID <= 0 {
		return 0, badAnswer(op, "Nextcloud Mail gave the message no id, so nothing was sent")
	}
	return int64(stored.Data.Value.ID), nil
}

// Send sends a message: it is put into the outbox and sent from there at once.
// When that fails it is not sent later by itself. Copied says whether the copy
// lies in the mailbox for what was sent.
func (c *Client) Send(ctx context.Context, o *Outgoing) (copied bool, err error) {
	const op = "send the message"
	id, err := c.store(ctx, op, ownBase+"/outbox", o)
	if err != nil {
		return false, err
	}
	err = c.change(ctx, op, http.MethodPost, path(ownBase+"/outbox", number(id)), nil, nil)
	if err == nil {
		return true, nil
	}
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return false, err
	}
	status, known := sendStatus(e.Body)
	switch {
	case known && status == sentNotCopied:
		return false, nil
	case known:
		e.Kind, e.Message = nextcloud.ErrPartly, unsent(status)+", so it was not sent. It waits in the outbox of Nextcloud Mail, where the person can correct and send it"
	default:
		e.Kind, e.Message = nextcloud.ErrPartly, "it is not known whether it was sent. Look into the mailbox for sent messages and have the person look into the outbox of Nextcloud Mail"
	}
	return false, e
}

// What became of a message of the outbox.
const (
	sentNotCopied = 11
)

// sendStatus is what the app says of a message that it could not send.
func sendStatus(body []byte) (status int64, known bool) {
	var answer struct {
		Data lenient.List[struct {
			Status *lenient.Int `json:"status"`
		}] `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Data.Items) == 0 || answer.Data.Items[0].Status == nil {
		return 0, false
	}
	return int64(*answer.Data.Items[0].Status), true
}

func unsent(status int64) string {
	switch status {
	case 1:
		return "the account has no mailbox for sent messages"
	case 2, 3, 4:
		return "it could not be signed"
	case 5, 6, 7:
		return "it could not be encrypted"
	case 8:
		return "it has too many recipients"
	case 9:
		return "the mail server takes no more for now"
	case 10:
		return "the mail server refused it"
	}
	return "Nextcloud Mail could not send it"
}

// Draft keeps a message in the account's mailbox for drafts. Moved is false
// when it is still in Nextcloud only, from where the app moves it by itself.
func (c *Client) Draft(ctx context.Context, o *Outgoing) (moved bool, err error) {
	const op = "save the draft"
	id, err := c.store(ctx, op, ownBase+"/drafts", o)
	if err != nil {
		return false, err
	}
	err = c.change(ctx, op, http.MethodPost, path(ownBase+"/drafts/move", number(id)), nil, nil)
	return err == nil, nil
}

// failedOn reports whether the server answered with a status.
func failedOn(err error, status int) bool {
	e, ok := errors.AsType[*nextcloud.Error](err)
	return ok && e.Status == status
}
