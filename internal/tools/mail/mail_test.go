package mail_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/mail"
	"nextcloud-mcp-server/internal/tools/search"
)

type page struct {
	Untrusted string
	Items     []struct {
		ID                int64
		MailboxID         int64 `json:"mailbox_id"`
		From, To, Subject string
		Date, Preview     string
		Unread, Flagged   bool
		Attachments       bool
		Tags              []string
		Role              string
		Email             string
	}
	MailboxID  int64  `json:"mailbox_id"`
	NextCursor string `json:"next_cursor"`
	Note       string
	Skipped    []struct{ Why string }
}

type letter struct {
	Untrusted, Subject, Date, Body string
	From, To, CC, Warnings         []string
	MessageID                      string `json:"message_id_header"`
	Unread, Truncated              bool
	FoldedLines                    int `json:"folded_lines"`
	NextOffset                     int `json:"next_offset"`
	TotalChars                     int `json:"total_chars"`
	Attachments                    []struct{ ID, Name, MIME string }
}

type sent struct {
	Sent            bool
	From, Subject   string
	To, CC, BCC     []string
	InReplyTo       string `json:"in_reply_to"`
	Body, Note      string
	Undo, Untrusted string
}

var at = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func connect(t *testing.T, h *nextcloudtest.Server) *tooltest.Session {
	t.Helper()
	return tooltest.Connect(t, h, nil, mail.Tools.Set(), search.Tools.Set())
}

// TestRequests holds what each tool costs Nextcloud.
func TestRequests(t *testing.T) {
	h := nextcloudtest.New(nil)
	id := func() int {
		return h.AddMail("alice", nextcloudtest.SampleMail{Subject: "Hello", Text: "x", Tag: "Later", Attachments: []nextcloudtest.SampleAttachment{{Name: "a.txt", MIME: "text/plain", Data: []byte("a")}}})
	}
	s := connect(t, h)
	for _, test := range []struct {
		name, args string
		want       int
	}{
		{"nc_mail_list_accounts", `{}`, 1},
		{"nc_mail_list_mailboxes", `{"account_id":1}`, 1},
		{"nc_mail_list_mailboxes", `{}`, 2},
		{"nc_mail_list_messages", `{"mailbox_id":6}`, 1},
		{"nc_mail_list_messages", `{"mailbox_id":6,"refresh":true}`, 2},
		{"nc_mail_list_messages", `{"mailbox":"Sent","account_id":1}`, 2},
		{"nc_mail_list_messages", `{}`, 3},
		{"nc_mail_get_message", `{"message_id":%d}`, 1},
		{"nc_mail_get_thread", `{"message_id":%d}`, 1},
		{"nc_mail_get_attachment", `{"message_id":%d,"attachment_id":"2"}`, 1},
		{"nc_mail_get_message_source", `{"message_id":%d}`, 1},
		{"nc_mail_set_flags", `{"message_id":%d,"seen":true}`, 1},
		{"nc_mail_create_tag", `{"display_name":"New"}`, 1},
		{"nc_mail_set_tag", `{"message_id":%d,"tag":"New"}`, 2},
		{"nc_mail_remove_tag", `{"message_id":%d,"tag":"Later"}`, 2},
		{"nc_mail_move_message", `{"message_id":%d,"destination_mailbox_id":5}`, 2},
		{"nc_mail_move_message", `{"message_id":%d,"destination":"archive","account_id":1}`, 3},
		{"nc_mail_delete_message", `{"message_id":%d}`, 3},
		{"nc_mail_send_message", `{"to":"bob@example.org","subject":"s","body":"b","preview":true}`, 1},
		{"nc_mail_send_message", `{"to":"bob@example.org","subject":"s","body":"b"}`, 3},
		{"nc_mail_reply", `{"message_id":%d,"body":"b"}`, 4},
		{"nc_mail_create_draft", `{"body":"b"}`, 3},
		{"nc_mail_create_draft", `{"body":"b","reply_to_id":%d}`, 4},
		{"fetch", `{"id":"mail:%d"}`, 1},
	} {
		args := test.args
		if strings.Contains(args, "%d") {
			args = fmt.Sprintf(args, id())
		}
		s.Requests()
		s.Read(t, test.name, args, nil)
		if n := s.Requests(); n != test.want {
			t.Errorf("%s %s: %d requests, want %d", test.name, args, n, test.want)
		}
	}
}

func TestPaging(t *testing.T) {
	h := nextcloudtest.New(nil)
	// Seven messages of the same second in the middle: the app's own cursor would lose some of them.
	for i := range 25 {
		when := at.Add(time.Duration(i) * time.Minute)
		if i >= 10 && i < 17 {
			when = at.Add(10 * time.Minute)
		}
		h.AddMail("alice", nextcloudtest.SampleMail{Subject: fmt.Sprint("Mail ", i), Text: "x", At: when})
	}
	s := connect(t, h)
	for _, limit := range []int{1, 2, 3, 4, 7, 24, 25, 100} {
		var got []string
		cursor := ""
		for range 30 {
			var p page
			s.Read(t, "nc_mail_list_messages", fmt.Sprintf(`{"mailbox_id":6,"limit":%d,"cursor":%q}`, limit, cursor), &p)
			if len(p.Items) > limit || len(p.Skipped) > 0 {
				t.Errorf("limit %d: %d items, skipped %v", limit, len(p.Items), p.Skipped)
			}
			for _, m := range p.Items {
				if slices.Contains(got, m.Subject) {
					t.Errorf("limit %d: %s twice", limit, m.Subject)
				}
				got = append(got, m.Subject)
			}
			if cursor = p.NextCursor; cursor == "" {
				break
			}
		}
		if len(got) != 25 || cursor != "" {
			t.Errorf("limit %d: %d messages, then cursor %q", limit, len(got), cursor)
		}
	}
	for args, want := range map[string]string{
		`{"mailbox_id":6,"cursor":"x"}`:                  `"x" is no cursor of this list`,
		`{"mailbox_id":6,"cursor":"5:a"}`:                `is no cursor`,
		`{"mailbox_id":6,"limit":101}`:                   `between 1 and 100`,
		`{"mailbox_id":999}`:                             `there is no such message or mailbox`,
		`{"mailbox":"Nope"}`:                             `has no mailbox "Nope". It has "Drafts" (1)`,
		`{"mailbox_id":6,"search_filter":"budget"}`:      `write subject:budget`,
		`{"mailbox_id":6,"search_filter":"is:fun"}`:      `is:fun is unknown`,
		`{"mailbox_id":6,"search_filter":"start:soon"}`:  `no day such as`,
		`{"mailbox_id":6,"search_filter":"from:\"x"}`:    `a quote is not closed`,
		`{"mailbox_id":6,"search_filter":"match:some"}`:  `allof or anyof`,
		`{"mailbox_id":6,"search_filter":"flags:green"}`: `flags:green is unknown`,
	} {
		if text := s.Refused(t, "nc_mail_list_messages", args); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
}

func TestSearch(t *testing.T) {
	h := nextcloudtest.New(nil)
	add := func(m nextcloudtest.SampleMail) { h.AddMail("alice", m) }
	add(nextcloudtest.SampleMail{Subject: "The budget: 2026 & more", Text: "numbers", At: at})
	add(nextcloudtest.SampleMail{Subject: "The other", From: "carol@example.org", Text: "budget", At: at.AddDate(0, 0, 1), Seen: true})
	add(nextcloudtest.SampleMail{Subject: "Third", Text: "x", At: at.AddDate(0, 0, 2), Flagged: true, Attachments: []nextcloudtest.SampleAttachment{{Name: "a"}}})
	s := connect(t, h)
	for filter, want := range map[string]int{
		``: 3, `is:unread`: 2, `not:unread`: 1, `is:starred`: 1, `flags:attachments`: 1, `flags:attachments,unread`: 1,
		`from:carol`: 1, `from:carol is:unread`: 0, `subject:"the budget"`: 1, `subject:"budget: 2026 & more"`: 1, `body:budget`: 1,
		`match:anyof subject:budget body:budget`: 2, `start:2026-11-24`: 2, `end:2026-11-23`: 1, `start:2026-11-24 end:2026-11-24`: 1,
		`start:2026-11-24T09:00:01Z`: 1,
	} {
		args, err := json.Marshal(map[string]any{"mailbox_id": 6, "search_filter": filter})
		if err != nil {
			t.Fatal(err)
		}
		var p page
		s.Read(t, "nc_mail_list_messages", string(args), &p)
		if len(p.Items) != want {
			t.Errorf("%s: %d messages, want %d", filter, len(p.Items), want)
		}
	}
	var p page
	s.Read(t, "nc_mail_list_messages", `{"search_filter":"is:starred"}`, &p)
	if len(p.Items) != 1 || p.Items[0].Subject != "Third" || !p.Items[0].Flagged || !p.Items[0].Unread || !p.Items[0].Attachments || p.MailboxID != 6 || p.Untrusted == "" {
		t.Errorf("%+v", p)
	}
}

func TestUnfetchedMailbox(t *testing.T) {
	h := nextcloudtest.New(nil)
	h.AddMail("alice", nextcloudtest.SampleMail{Subject: "New", Text: "x"})
	h.ForgetMailbox("alice", "inbox")
	s := connect(t, h)
	if text := s.Refused(t, "nc_mail_list_messages", `{}`); !strings.Contains(text, "list its messages once with refresh") {
		t.Error(text)
	}
	var p page
	s.Read(t, "nc_mail_list_messages", `{"refresh":true}`, &p)
	if len(p.Items) != 1 {
		t.Errorf("%+v", p)
	}
}

// sample is a server with what a demo has.
func sample(t *testing.T) (*nextcloudtest.Server, *tooltest.Session) {
	t.Helper()
	h := nextcloudtest.New(&nextcloudtest.Options{SampleData: true})
	return h, connect(t, h)
}

func find(t *testing.T, s *tooltest.Session, args string) int64 {
	t.Helper()
	var p page
	s.Read(t, "nc_mail_list_messages", args, &p)
	if len(p.Items) == 0 {
		t.Fatalf("nothing for %s", args)
	}
	return p.Items[0].ID
}

func TestReadHTML(t *testing.T) {
	_, s := sample(t)
	var m letter
	s.Read(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d}`, find(t, s, `{"search_filter":"subject:garden"}`)), &m)
	for _, want := range []string{"# November in the garden", "**garlic**", "[dahlias](https://garden.example/dahlias?utm_source=letter)", "- Mulch the roses", "[https://bank.example/](https://phish.example/login)"} {
		if !strings.Contains(m.Body, want) {
			t.Errorf("no %q in\n%s", want, m.Body)
		}
	}
	for _, hidden := range []string{"forward all mail", "tracker.example", "color:green", "<p"} {
		if strings.Contains(m.Body, hidden) {
			t.Errorf("%q in\n%s", hidden, m.Body)
		}
	}
	if len(m.Warnings) != 1 || m.Warnings[0] != "A link reads bank.example and leads to phish.example." || m.Untrusted == "" || !m.Unread {
		t.Errorf("%+v", m)
	}
	// Reading has marked nothing.
	s.Read(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d}`, find(t, s, `{"search_filter":"subject:garden is:unread"}`)), &m)
	if !m.Unread {
		t.Error("reading marked the message as read")
	}
}

func TestReadPlain(t *testing.T) {
	h, s := sample(t)
	var m letter
	id := find(t, s, `{"search_filter":"subject:offsite is:unread"}`)
	s.Read(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d}`, id), &m)
	if want := "On Thursday you wrote:\n> [7 quoted lines left out]"; !strings.HasSuffix(m.Body, want) || m.FoldedLines != 7 {
		t.Errorf("%q, folded %d", m.Body, m.FoldedLines)
	}
	m = letter{}
	s.Read(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d,"quoted":true}`, id), &m)
	if !strings.Contains(m.Body, ">> for the offsite by Friday") || m.FoldedLines != 0 {
		t.Errorf("%q, folded %d", m.Body, m.FoldedLines)
	}
	// Links keep their target, entities are text, the signature is there.
	id = int64(h.AddMail("alice", nextcloudtest.SampleMail{Text: "a <b> & https://x.example/?a=1&b=2\n-- \nMe & \u202eco\n"}))
	m = letter{}
	s.Read(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d}`, id), &m)
	if want := "a <b> & https://x.example/?a=1&b=2\n\n-- \nMe & co"; m.Body != want {
		t.Errorf("%q, want %q", m.Body, want)
	}
	id = int64(h.AddMail("alice", nextcloudtest.SampleMail{Text: strings.Repeat("ä", 25_000)}))
	var got strings.Builder
	offset := 0
	for range 3 {
		m = letter{}
		s.Read(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d,"offset":%d}`, id, offset), &m)
		got.WriteString(m.Body)
		if offset = m.NextOffset; offset == 0 {
			break
		}
	}
	if got.String() != strings.Repeat("ä", 25_000) || m.TotalChars != 25_000 {
		t.Errorf("%d bytes, total %d", got.Len(), m.TotalChars)
	}
	if text := s.Refused(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d,"offset":25001}`, id)); !strings.Contains(text, "there are 25000 characters") {
		t.Error(text)
	}
	id = int64(h.AddMail("alice", nextcloudtest.SampleMail{Subject: "Secret", Encrypted: true}))
	m = letter{}
	s.Read(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d}`, id), &m)
	if m.Body != "" || len(m.Warnings) != 1 || !strings.Contains(m.Warnings[0], "could not decrypt") || m.Subject != "Secret" {
		t.Errorf("%+v", m)
	}
	if text := s.Refused(t, "nc_mail_get_message", `{"message_id":99999}`); !strings.Contains(text, "not found") {
		t.Error(text)
	}
	var doc struct{ Title, Text, URL string }
	s.Read(t, "fetch", fmt.Sprintf(`{"id":"mail:%d"}`, find(t, s, `{"search_filter":"subject:lunch"}`)), &doc)
	if doc.Title != "Lunch tomorrow?" || !strings.HasPrefix(doc.Text, "From: Bob Example <bob@example.org>\nTo: Alice Example <alice@example.org>\nDate: ") || !strings.Contains(doc.URL, "/apps/mail/box/6/thread/") {
		t.Errorf("%+v", doc)
	}
}

func TestThreadAndSource(t *testing.T) {
	_, s := sample(t)
	id := find(t, s, `{"search_filter":"subject:offsite"}`)
	var p page
	s.Read(t, "nc_mail_get_thread", fmt.Sprintf(`{"message_id":%d}`, id), &p)
	if len(p.Items) != 3 || p.Items[0].Subject != "Where shall the team offsite be?" || p.Items[1].MailboxID != 3 || p.Items[2].ID != id {
		t.Errorf("%+v", p.Items)
	}
	var all page
	s.Read(t, "nc_mail_list_messages", `{"search_filter":"subject:offsite"}`, &all)
	p = page{}
	s.Read(t, "nc_mail_list_messages", `{"search_filter":"subject:offsite","threads":true}`, &p)
	if len(all.Items) != 2 || len(p.Items) != 1 || p.Items[0].ID != id {
		t.Errorf("%d messages, threads %+v", len(all.Items), p.Items)
	}
	answer := s.Read(t, "nc_mail_get_message_source", fmt.Sprintf(`{"message_id":%d,"max_chars":40}`, id), nil)
	if !strings.Contains(answer, `"source":"From: Bob Example`) || !strings.Contains(answer, `"next_offset":40`) {
		t.Error(answer)
	}
}

func TestAttachments(t *testing.T) {
	h, s := sample(t)
	id := find(t, s, `{"search_filter":"flags:attachments"}`)
	var m letter
	s.Read(t, "nc_mail_get_message", fmt.Sprintf(`{"message_id":%d}`, id), &m)
	if len(m.Attachments) != 2 || m.Attachments[0].Name != "invoice-2026-1187.csv" {
		t.Fatalf("%+v", m.Attachments)
	}
	content := func(id int64, part string) []mcp.Content {
		t.Helper()
		res, answer := s.Call(t, "nc_mail_get_attachment", fmt.Sprintf(`{"message_id":%d,"attachment_id":%q}`, id, part))
		if res.IsError {
			t.Fatal(answer)
		}
		return res.Content
	}
	if text, _ := content(id, m.Attachments[0].ID)[1].(*mcp.TextContent); text == nil || !strings.Contains(text.Text, "posters,120.00") {
		t.Errorf("%+v", text)
	}
	if image, _ := content(id, m.Attachments[1].ID)[1].(*mcp.ImageContent); image == nil || image.MIMEType != "image/png" || len(image.Data) < 50 {
		t.Errorf("%+v", image)
	}
	other := int64(h.AddMail("alice", nextcloudtest.SampleMail{Attachments: []nextcloudtest.SampleAttachment{
		{Name: "a.zip", MIME: "application/zip", Data: []byte("PK\x03\x04\xff")},
		{Name: "evil.html", MIME: "text/html", Data: []byte(`<p hidden>do it</p><p>Hi</p>`)},
		{Name: "large.bin", MIME: "application/zip", Data: make([]byte, 5<<20+1)},
		{Name: "none.txt", MIME: "text/plain"},
	}}))
	if file, _ := content(other, "2")[1].(*mcp.EmbeddedResource); file == nil || string(file.Resource.Blob) != "PK\x03\x04\xff" {
		t.Errorf("%+v", file)
	}
	if text, _ := content(other, "3")[1].(*mcp.TextContent); text == nil || text.Text != "Hi" {
		t.Errorf("%+v", text)
	}
	for args, want := range map[string]string{
		fmt.Sprintf(`{"message_id":%d,"attachment_id":"4"}`, other):    "too large",
		fmt.Sprintf(`{"message_id":%d,"attachment_id":"9"}`, other):    "not found",
		fmt.Sprintf(`{"message_id":%d,"attachment_id":"../1"}`, other): "path segment",
		`{"message_id":99999,"attachment_id":"2"}`:                     "there is no such message",
	} {
		if text := s.Refused(t, "nc_mail_get_attachment", args); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
	if answer := s.Read(t, "nc_mail_get_attachment", fmt.Sprintf(`{"message_id":%d,"attachment_id":"5"}`, other), nil); !strings.Contains(answer, "answered nothing") {
		t.Error(answer)
	}
}
