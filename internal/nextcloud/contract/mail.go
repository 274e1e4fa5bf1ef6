package contract

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/mail"
)

// runMail writes to the person's own address. Without a mail account only what
// is not there can be asked for.
func runMail(t *testing.T, env *Env) {
	c := mail.New(env.Client(t))
	accounts, skipped, err := c.Accounts(t.Context())
	if errors.Is(err, nextcloud.ErrAppMissing) {
		t.Skip("this Nextcloud has no Mail app")
	}
	if err != nil || len(skipped) > 0 {
		t.Fatalf("%v, %v", skipped, err)
	}
	t.Run("not there", func(t *testing.T) { mailNotThere(t, c) })
	if len(accounts) == 0 {
		t.Skip("the person has no mail account")
	}
	t.Run("round", func(t *testing.T) { mailRound(t, c, accounts[0]) })
}

func mailNotThere(t *testing.T, c *mail.Client) {
	const none = 1 << 30
	if _, _, err := c.Mailboxes(t.Context(), none); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("mailboxes: %v", err)
	}
	if _, err := c.List(t.Context(), mail.Query{MailboxID: none, Limit: 5}); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("messages: %v", err)
	}
	if _, err := c.Trashes(t.Context()); err != nil {
		t.Errorf("trashes: %v", err)
	}
	for name, call := range map[string]func() error{
		"read":       func() error { _, err := c.Get(t.Context(), none); return err },
		"source":     func() error { _, err := c.Source(t.Context(), none); return err },
		"head":       func() error { _, err := c.Head(t.Context(), none); return err },
		"flags":      func() error { return c.SetFlags(t.Context(), none, map[string]bool{"seen": true}) },
		"delete":     func() error { return c.Delete(t.Context(), none) },
		"attachment": func() error { _, err := c.Attachment(t.Context(), none, "2"); return err },
		"send":       func() error { _, err := c.Send(t.Context(), &mail.Outgoing{AccountID: none}); return err },
	} {
		err := call()
		var e *nextcloud.Error
		if errors.As(err, &e) && e.Status == 500 && name != "send" {
			t.Logf("%s: this server cannot answer for messages at all: %v", name, err)
			continue
		}
		if !errors.Is(err, nextcloud.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// mailRound sends a message, and does with it what can be done.
func mailRound(t *testing.T, c *mail.Client, a mail.Account) {
	boxes, _, err := c.Mailboxes(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	role := func(name string) int64 {
		i := slices.IndexFunc(boxes, func(b mail.Mailbox) bool { return b.Role == name })
		if i < 0 {
			t.Skipf("the account has no mailbox for %s", name)
		}
		return boxes[i].ID
	}
	inbox, archive, trash := role("inbox"), role("archive"), role("trash")
	self := []mail.Address{{Name: "Me", Email: a.Email}}
	subject := unique("Contract & more")
	send := func(o *mail.Outgoing) {
		t.Helper()
		o.AccountID, o.To = a.ID, self
		if copied, err := c.Send(t.Context(), o); err != nil || !copied {
			t.Fatalf("copied %v, %v", copied, err)
		}
	}
	// found waits for the mail server, without sleeping: each look asks it.
	found := func(box int64, subject string, want int) []mail.Message {
		t.Helper()
		filter, err := mail.Filter(`subject:"` + subject + `"`)
		if err != nil {
			t.Fatal(err)
		}
		var got []mail.Message
		for range 20 {
			if _, err := c.Refresh(t.Context(), box); err != nil {
				t.Fatal(err)
			}
			page, err := c.List(t.Context(), mail.Query{MailboxID: box, Filter: filter, Limit: 10})
			if err != nil || len(page.Skipped) > 0 {
				t.Fatal(page, err)
			}
			if got = page.Messages; len(got) == want {
				break
			}
		}
		if len(got) != want {
			t.Fatalf("%d messages %q in mailbox %d, want %d", len(got), subject, box, want)
		}
		return got
	}
	t.Cleanup(func() {
		for _, box := range []int64{inbox, archive, role("sent"), role("drafts"), trash} {
			page, err := c.List(t.Context(), mail.Query{MailboxID: box, Limit: 50})
			if err != nil {
				continue
			}
			for _, m := range page.Messages {
				if strings.Contains(m.Subject, subject) {
					_ = c.Delete(t.Context(), m.ID)
				}
			}
		}
	})

	send(&mail.Outgoing{Subject: subject, Body: "a <b> & c\n"})
	m := found(inbox, subject, 1)[0]
	if m.Flags.Seen || m.MessageID == "" || m.Date == 0 || len(m.From) != 1 || !strings.EqualFold(m.From[0].Email, a.Email) {
		t.Errorf("%+v", m)
	}
	full, err := c.Get(t.Context(), m.ID)
	if err != nil || full.IsHTML || full.Subject != subject || !strings.Contains(full.Body, "a &lt;b&gt; &amp; c") || full.MessageID != m.MessageID {
		t.Errorf("%+v, %v", full, err)
	}
	if opened, err := c.Opened(t.Context(), m.ID); err != nil || opened.AccountID != a.ID || opened.MailboxID != inbox {
		t.Errorf("%+v, %v", opened, err)
	}
	if source, err := c.Source(t.Context(), m.ID); err != nil || !strings.Contains(source, "Message-ID: "+m.MessageID) {
		t.Errorf("%q, %v", source, err)
	}
	if got := found(inbox, subject, 1)[0]; got.Flags.Seen {
		t.Error("reading marked the message as read")
	}

	if err := c.SetFlags(t.Context(), m.ID, map[string]bool{"seen": true, "flagged": true}); err != nil {
		t.Error(err)
	}
	tag, err := c.CreateTag(t.Context(), "Contract tag", "#0082c9")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.CreateTag(t.Context(), "Contract tag", "#ff0000"); err != nil || again.ID != tag.ID {
		t.Errorf("the same tag again: %+v, %v", again, err)
	}
	if err := c.SetTag(t.Context(), m.ID, tag.Label); err != nil {
		t.Error(err)
	}
	head, err := c.Head(t.Context(), m.ID)
	if err != nil || len(head.Tags) != 1 || head.Tags[0].Label != tag.Label || !head.Flags.Seen || !head.Flags.Flagged {
		t.Errorf("%+v, %v", head, err)
	}
	if err := c.RemoveTag(t.Context(), m.ID, tag.Label); err != nil {
		t.Error(err)
	}

	send(&mail.Outgoing{Subject: "Re: " + subject, Body: "<p>Yes</p>", IsHTML: true, InReplyTo: m.MessageID})
	found(inbox, subject, 2)
	if thread, _, err := c.Thread(t.Context(), m.ID); err != nil || len(thread) < 2 || thread[0].Date > thread[len(thread)-1].Date {
		t.Errorf("%+v, %v", thread, err)
	}
	if moved, err := c.Draft(t.Context(), &mail.Outgoing{AccountID: a.ID, Subject: "Draft " + subject, Body: "x"}); err != nil || !moved {
		t.Errorf("draft: moved %v, %v", moved, err)
	}

	if err := c.Move(t.Context(), m.ID, archive); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Head(t.Context(), m.ID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("the id of a message that was moved: %v", err)
	}
	moved := found(archive, subject, 1)[0]
	if err := c.Delete(t.Context(), moved.ID); err != nil {
		t.Fatal(err)
	}
	trashes, err := c.Trashes(t.Context())
	if err != nil || !trashes[trash] {
		t.Errorf("%v, %v", trashes, err)
	}
	if err := c.Delete(t.Context(), found(trash, subject, 1)[0].ID); err != nil {
		t.Fatal(err)
	}
	found(trash, subject, 0)
}
