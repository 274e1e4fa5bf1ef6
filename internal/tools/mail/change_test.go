package mail_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/mail"
)

func inboxOf(t *testing.T, h *nextcloudtest.Server, user, filter string) page {
	t.Helper()
	s := tooltest.Connect(t, h, &tooltest.Options{User: user, Password: user + "-password-1"}, mail.Tools.Set())
	var p page
	s.Read(t, "nc_mail_list_messages", fmt.Sprintf(`{"search_filter":%q}`, filter), &p)
	return p
}

func TestSend(t *testing.T) {
	h := nextcloudtest.New(nil)
	s := connect(t, h)
	const args = `{"to":"Bob Example <bob@example.org>, bob@example.org","cc":"[{\"label\":\"Carol, PhD\",\"email\":\"carol@example.org\"}]","bcc":"dave@example.org","subject":"Plan","body":"Shall we?","preview":%v}`
	var got sent
	s.Read(t, "nc_mail_send_message", fmt.Sprintf(args, true), &got)
	if got.Sent || got.Body != "Shall we?" || got.From != "alice@example.org" || !strings.HasPrefix(got.Note, "Nothing was sent.") {
		t.Errorf("%+v", got)
	}
	if p := inboxOf(t, h, "bob", ""); len(p.Items) != 0 {
		t.Errorf("a preview was sent: %+v", p.Items)
	}
	got = sent{}
	s.Read(t, "nc_mail_send_message", fmt.Sprintf(args, false), &got)
	if !got.Sent || !slices.Equal(got.To, []string{"Bob Example <bob@example.org>"}) || !slices.Equal(got.CC, []string{"Carol, PhD <carol@example.org>"}) ||
		!slices.Equal(got.BCC, []string{"dave@example.org"}) || got.Undo == "" || got.Note != "" {
		t.Errorf("%+v", got)
	}
	if p := inboxOf(t, h, "bob", "subject:Plan"); len(p.Items) != 1 || p.Items[0].From != "Alice Example <alice@example.org>" || !p.Items[0].Unread {
		t.Errorf("%+v", p.Items)
	}
	for args, want := range map[string]string{
		`{"to":"","subject":"s","body":"b"}`:                                         "to nobody",
		`{"to":"Bob","subject":"s","body":"b"}`:                                      `to: "Bob" are no mail addresses`,
		`{"to":"[1]","subject":"s","body":"b"}`:                                      "to is no list of addresses",
		`{"to":"a@example.org","cc":"x","subject":"s","body":"b"}`:                   `cc: "x"`,
		`{"to":"a@example.org","subject":" ","body":""}`:                             "empty",
		`{"to":"a@example.org","subject":"s\r\nBcc: x@example.org","body":"b"}`:      "one line",
		`{"to":"a@example.org","subject":"s","body":"b","from":"boss@example.org"}`:  `does not send from "boss@example.org", but from alice@example.org`,
		`{"to":"a@example.org","subject":"s","body":"b","account_id":9}`:             "There is no account 9: 1 is alice@example.org",
		`{"to":"a@example.org","subject":"s","body":"b","references":"<a@b> <c@d>"}`: "one message_id_header",
		`{"to":"` + nextcloudtest.RefusedMail + `","subject":"s","body":"b"}`:        "the mail server refused it, so it was not sent. It waits in the outbox",
		`{"to":"` + many(101) + `","subject":"s","body":"b"}`:                        "at most 100 people",
	} {
		if text := s.Refused(t, "nc_mail_send_message", args); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
	got = sent{}
	s.Read(t, "nc_mail_send_message", `{"to":"`+nextcloudtest.NotCopiedMail+`","subject":"s","body":"b"}`, &got)
	if !got.Sent || !strings.Contains(got.Note, "Do not send it again") {
		t.Errorf("%+v", got)
	}
}

func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("a%d@example.org", i))
	}
	return strings.Join(list, ",")
}

// TestSendFaults: what may have been sent is never called unsent.
func TestSendFaults(t *testing.T) {
	const args = `{"to":"bob@example.org","subject":"s","body":"b"}`
	for name, test := range map[string]struct {
		fault nextcloudtest.Fault
		want  string
	}{
		"outbox full":  {nextcloudtest.Fault{Method: "POST", PathPrefix: "/index.php/apps/mail/api/outbox", Status: 507}, "storage is full"},
		"cut":          {nextcloudtest.Fault{Method: "POST", PathPrefix: "/index.php/apps/mail/api/outbox/", CutBody: 5}, "not known whether it was sent"},
		"error page":   {nextcloudtest.Fault{Method: "POST", PathPrefix: "/index.php/apps/mail/api/outbox/", Status: 500, HTML: true}, "not known whether it was sent"},
		"no id":        {nextcloudtest.Fault{Method: "POST", PathPrefix: "/index.php/apps/mail/api/outbox", Times: 1, Body: `{"status":"success","data":[]}`}, "nothing was sent"},
		"rate limited": {nextcloudtest.Fault{Method: "POST", PathPrefix: "/index.php/apps/mail/api/outbox", Times: 1, Status: 429}, "too many requests"},
	} {
		t.Run(name, func(t *testing.T) {
			h := nextcloudtest.New(nil)
			s := connect(t, h)
			h.Fault(test.fault)
			if text := s.Refused(t, "nc_mail_send_message", args); !strings.Contains(text, test.want) {
				t.Error(text)
			}
		})
	}
}

func TestReply(t *testing.T) {
	h := nextcloudtest.New(nil)
	id := h.AddMail("alice", nextcloudtest.SampleMail{Subject: "Dinner", Text: "When?\nWhere?", At: at, MessageID: "<dinner@example.org>"})
	s := connect(t, h)
	var got sent
	s.Read(t, "nc_mail_reply", fmt.Sprintf(`{"message_id":%d,"body":"At eight.","quote":true,"preview":true}`, id), &got)
	if want := "At eight.\n\nOn 2026-11-23T09:00:00Z Bob Example <bob@example.org> wrote:\n> When?\n> Where?\n"; got.Body != want || got.Sent {
		t.Errorf("%q", got.Body)
	}
	got = sent{}
	s.Read(t, "nc_mail_reply", fmt.Sprintf(`{"message_id":%d,"body":"At eight."}`, id), &got)
	if !got.Sent || got.Subject != "Re: Dinner" || got.InReplyTo != "<dinner@example.org>" || !slices.Equal(got.To, []string{"Bob Example <bob@example.org>"}) || got.Untrusted == "" {
		t.Errorf("%+v", got)
	}
	// Bob gets it in the thread, and answers to the answer without a second Re.
	bob := tooltest.Connect(t, h, &tooltest.Options{User: "bob", Password: "bob-password-1"}, mail.Tools.Set())
	p := inboxOf(t, h, "bob", "")
	source := bob.Read(t, "nc_mail_get_message_source", fmt.Sprintf(`{"message_id":%d}`, p.Items[0].ID), nil)
	if !strings.Contains(source, `In-Reply-To: \u003cdinner@example.org\u003e\r\nReferences: \u003cdinner@example.org\u003e`) {
		t.Error(source)
	}
	got = sent{}
	bob.Read(t, "nc_mail_reply", fmt.Sprintf(`{"message_id":%d,"body":"Good.","preview":true}`, p.Items[0].ID), &got)
	if got.Subject != "Re: Dinner" || !slices.Equal(got.To, []string{"Alice Example <alice@example.org>"}) {
		t.Errorf("%+v", got)
	}
	var thread page
	s.Read(t, "nc_mail_get_thread", fmt.Sprintf(`{"message_id":%d}`, id), &thread)
	if len(thread.Items) != 2 {
		t.Errorf("%+v", thread.Items)
	}
	// To all: everybody but oneself. After oneself: to who got it.
	s.Read(t, "nc_mail_send_message", `{"to":"alice@example.org, bob@example.org","cc":"carol@example.org","subject":"All","body":"x"}`, nil)
	all := inboxOf(t, h, "bob", "subject:All").Items[0].ID
	got = sent{}
	bob.Read(t, "nc_mail_reply", fmt.Sprintf(`{"message_id":%d,"body":"Yes.","reply_all":true,"preview":true}`, all), &got)
	if !slices.Equal(got.To, []string{"Alice Example <alice@example.org>"}) || !slices.Equal(got.CC, []string{"carol@example.org"}) {
		t.Errorf("%+v", got)
	}
	own := find(t, s, `{"mailbox":"sent","search_filter":"subject:All"}`)
	got = sent{}
	s.Read(t, "nc_mail_reply", fmt.Sprintf(`{"message_id":%d,"body":"And?","preview":true}`, own), &got)
	if !slices.Equal(got.To, []string{"bob@example.org"}) {
		t.Errorf("%+v", got)
	}
	for args, want := range map[string]string{
		fmt.Sprintf(`{"message_id":%d,"body":" "}`, id):                             "no text",
		fmt.Sprintf(`{"message_id":%d,"body":"b","quote":true,"is_html":true}`, id): "plain text only",
		`{"message_id":99999,"body":"b"}`:                                           "there is no such message",
		fmt.Sprintf(`{"message_id":%d,"body":"b","cc":"nobody"}`, id):               "no mail addresses",
	} {
		if text := s.Refused(t, "nc_mail_reply", args); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
}

func TestDraft(t *testing.T) {
	h := nextcloudtest.New(nil)
	id := h.AddMail("alice", nextcloudtest.SampleMail{Subject: "Dinner", Text: "When?", MessageID: "<dinner@example.org>"})
	s := connect(t, h)
	answer := s.Read(t, "nc_mail_create_draft", fmt.Sprintf(`{"reply_to_id":%d,"body":"At eight."}`, id), nil)
	if !strings.Contains(answer, `"in_reply_to":"\u003cdinner@example.org\u003e"`) || !strings.Contains(answer, "Nothing was sent") {
		t.Error(answer)
	}
	var p page
	s.Read(t, "nc_mail_list_messages", `{"mailbox":"drafts"}`, &p)
	if len(p.Items) != 1 || p.Items[0].Subject != "Re: Dinner" || len(inboxOf(t, h, "bob", "").Items) != 0 {
		t.Errorf("%+v", p.Items)
	}
	h.Fault(nextcloudtest.Fault{PathPrefix: "/index.php/apps/mail/api/drafts/move", Status: 500, HTML: true})
	if answer := s.Read(t, "nc_mail_create_draft", `{"body":"Dear diary"}`, nil); !strings.Contains(answer, "moves it to the mailbox for drafts later") {
		t.Error(answer)
	}
}

func TestChanges(t *testing.T) {
	h := nextcloudtest.New(nil)
	id := h.AddMail("alice", nextcloudtest.SampleMail{Subject: "One", Text: "x"})
	s := connect(t, h)
	answer := s.Read(t, "nc_mail_set_flags", fmt.Sprintf(`{"message_id":%d,"seen":true,"flagged":true,"junk":false}`, id), nil)
	if !strings.Contains(answer, "opposite of flagged, junk, seen") {
		t.Error(answer)
	}
	var p page
	s.Read(t, "nc_mail_list_messages", `{"search_filter":"is:read is:starred"}`, &p)
	if len(p.Items) != 1 {
		t.Errorf("%+v", p)
	}
	s.Read(t, "nc_mail_set_flags", fmt.Sprintf(`{"message_id":%d,"seen":false}`, id), nil)
	p = page{}
	s.Read(t, "nc_mail_list_messages", `{"search_filter":"is:unread is:starred"}`, &p)
	if len(p.Items) != 1 {
		t.Errorf("%+v", p)
	}
	if text := s.Refused(t, "nc_mail_set_flags", fmt.Sprintf(`{"message_id":%d}`, id)); !strings.Contains(text, "at least one of") {
		t.Error(text)
	}

	s.Read(t, "nc_mail_set_tag", fmt.Sprintf(`{"message_id":%d,"tag":"Later & more"}`, id), nil)
	p = page{}
	s.Read(t, "nc_mail_list_messages", `{}`, &p)
	if !slices.Equal(p.Items[0].Tags, []string{"Later & more"}) {
		t.Errorf("%+v", p.Items[0])
	}
	if text := s.Refused(t, "nc_mail_remove_tag", fmt.Sprintf(`{"message_id":%d,"tag":"Other"}`, id)); !strings.Contains(text, `has no tag "Other". It has "Later & more"`) {
		t.Error(text)
	}
	s.Read(t, "nc_mail_remove_tag", fmt.Sprintf(`{"message_id":%d,"tag":"later & more"}`, id), nil)
	if text := s.Refused(t, "nc_mail_remove_tag", fmt.Sprintf(`{"message_id":%d,"tag":"Other"}`, id)); !strings.Contains(text, "has no tag") {
		t.Error(text)
	}
	for _, args := range []string{`{"display_name":"a/b"}`, `{"display_name":" "}`, `{"display_name":"x","color":"red"}`, `{"display_name":"` + strings.Repeat("x", 129) + `"}`} {
		s.Refused(t, "nc_mail_create_tag", args)
	}
}

func TestMoveAndDelete(t *testing.T) {
	h := nextcloudtest.New(nil)
	id := h.AddMail("alice", nextcloudtest.SampleMail{Subject: "One", Text: "x"})
	s := connect(t, h)
	answer := s.Read(t, "nc_mail_move_message", fmt.Sprintf(`{"message_id":%d,"destination":"archive"}`, id), nil)
	if !strings.Contains(answer, `"from_mailbox_id":6,"subject":"One","to_mailbox_id":5`) || !strings.Contains(answer, "new id in mailbox 5") {
		t.Error(answer)
	}
	if text := s.Refused(t, "nc_mail_move_message", fmt.Sprintf(`{"message_id":%d,"destination":"archive"}`, id)); !strings.Contains(text, "A message that was moved has a new id") {
		t.Error(text)
	}
	moved := find(t, s, `{"mailbox":"archive"}`)
	for args, want := range map[string]string{
		fmt.Sprintf(`{"message_id":%d,"destination_mailbox_id":5}`, moved):   "is in mailbox 5 already",
		fmt.Sprintf(`{"message_id":%d,"destination_mailbox_id":999}`, moved): "there is no such account, mailbox or message",
		fmt.Sprintf(`{"message_id":%d,"destination":"nope"}`, moved):         `no mailbox "nope"`,
		fmt.Sprintf(`{"message_id":%d}`, moved):                              "Give destination_mailbox_id or destination",
	} {
		if text := s.Refused(t, "nc_mail_move_message", args); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
	if text := s.Refused(t, "nc_mail_delete_message", fmt.Sprintf(`{"message_id":%d,"permanently":true}`, moved)); !strings.Contains(text, "is not in the trash") {
		t.Error(text)
	}
	answer = s.Read(t, "nc_mail_delete_message", fmt.Sprintf(`{"message_id":%d}`, moved), nil)
	if !strings.Contains(answer, "move it to mailbox 5 with nc_mail_move_message") {
		t.Error(answer)
	}
	trashed := find(t, s, `{"mailbox":"trash"}`)
	if text := s.Refused(t, "nc_mail_delete_message", fmt.Sprintf(`{"message_id":%d}`, trashed)); !strings.Contains(text, "in the trash already. Nothing was done") {
		t.Error(text)
	}
	s.Read(t, "nc_mail_delete_message", fmt.Sprintf(`{"message_id":%d,"permanently":true}`, trashed), nil)
	var p page
	s.Read(t, "nc_mail_list_messages", `{"mailbox":"trash"}`, &p)
	if len(p.Items) != 0 {
		t.Errorf("%+v", p.Items)
	}
}

func TestAccounts(t *testing.T) {
	h := nextcloudtest.New(nil)
	s := connect(t, h)
	h.CloseMailAccounts("alice")
	if text := s.Refused(t, "nc_mail_list_messages", `{}`); !strings.Contains(text, "no account in Nextcloud Mail") {
		t.Error(text)
	}
	var p page
	s.Read(t, "nc_mail_list_accounts", `{}`, &p)
	if len(p.Items) != 0 {
		t.Errorf("%+v", p)
	}
	if text := s.Refused(t, "nc_mail_list_mailboxes", `{"account_id":2}`); !strings.Contains(text, "not found") {
		t.Errorf("the mailboxes of Bob: %s", text)
	}
	if text := s.Refused(t, "nc_mail_set_flags", `{"message_id":1,"seen":true}`); !strings.Contains(text, "not found") {
		t.Error(text)
	}
	without := connect(t, nextcloudtest.New(&nextcloudtest.Options{DisableMail: true}))
	for _, name := range []string{"nc_mail_list_accounts", "nc_mail_list_messages"} {
		if text := without.Refused(t, name, `{}`); !strings.Contains(text, "app is not installed") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if text := without.Refused(t, "nc_mail_set_flags", `{"message_id":1,"seen":true}`); !strings.Contains(text, "app is not installed") {
		t.Error(text)
	}
	careful := tooltest.Connect(t, nextcloudtest.New(nil), &tooltest.Options{Policy: policy.Policy{ReadOnly: true}}, mail.Tools.Set())
	careful.Refused(t, "nc_mail_send_message", `{"to":"bob@example.org","subject":"s","body":"b"}`)
	careful.Read(t, "nc_mail_list_messages", `{}`, nil)
}

func TestReadFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault nextcloudtest.Fault
		want  string
	}{
		"HTML":        {nextcloudtest.Fault{HTML: true}, "web page"},
		"cut":         {nextcloudtest.Fault{CutBody: 20}, "cut off"},
		"garbage":     {nextcloudtest.Fault{GarbageJSON: true}, "not the JSON"},
		"too many":    {nextcloudtest.Fault{Status: 429}, "too many requests"},
		"mail server": {nextcloudtest.Fault{Status: 500, Body: `{"ocs":{"meta":{"status":"failure","statuscode":500,"message":""},"data":"Could not connect to IMAP server. Please check your logs."}}`}, "mail server of the account does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			h := nextcloudtest.New(nil)
			id := h.AddMail("alice", nextcloudtest.SampleMail{Subject: "One", Text: "x"})
			s := connect(t, h)
			h.Fault(test.fault)
			if text := s.Refused(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d}`, id)); !strings.Contains(text, test.want) {
				t.Error(text)
			}
		})
	}
}
