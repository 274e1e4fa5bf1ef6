package nextcloudtest

import (
	"testing"
	"time"
)

func TestReplayMail(t *testing.T) {
	now := time.Unix(1795405703, 0)
	s := startRecorded(t, &Options{Now: func() time.Time { return now }})
	users := DefaultUsers()
	s.mail = newPostOffice()
	alice := s.mail.open(users[0])
	s.mail.addBox(alice, "RecBox1795405173", "")
	bob := s.mail.open(users[1])
	s.mail.addBox(alice, "RecBox1795405297", "")
	s.AddMail("alice", SampleMail{
		Subject: "Hello 0 – grüße", HTML: `<p>HTML <b>body 0</b> <img src="http://example.org/x.png"></p>`, At: time.Unix(1795404049, 0), MessageID: "<rig-0@example.org>", Seen: true, Flagged: true,
	})
	s.AddMail("bob", SampleMail{Subject: "From API", Text: "hello from api", At: time.Unix(1795405297, 0)})
	bob.box("inbox").mail[0].listed = true
	replayArea(t, s, replayPlan{area: "mail"})
}

func TestMail(t *testing.T) {
	s := New(nil)
	const api = "/index.php/apps/mail/api/"
	call := func(s *Server, status int, user, method, target, body string) {
		t.Helper()
		mustCall(t, s, status, user, method, target, body, "OCS-APIRequest", "true", "Content-Type", "application/json")
	}
	id := s.AddMail("alice", SampleMail{Subject: "x", Encrypted: true})
	if id == 0 || s.AddMail("admin", SampleMail{}) != 0 {
		t.Fatal("who has an address has an account, and nobody else")
	}
	call(s, 206, "alice", "GET", "/ocs/v2.php/apps/mail/message/1", "")
	call(s, 403, "bob", "GET", api+"messages/1", "")
	// Deleting moves to the trash under a new id; there it is for good.
	call(s, 200, "alice", "DELETE", api+"messages/1", "")
	call(s, 403, "alice", "DELETE", api+"messages/1", "")
	call(s, 200, "alice", "DELETE", api+"messages/2", "")
	call(s, 403, "alice", "DELETE", api+"messages/2", "")
	s.ForgetMailbox("alice", "inbox")
	call(s, 400, "alice", "GET", api+"messages?mailboxId=6", "")
	call(s, 428, "alice", "POST", api+"mailboxes/6/sync", `{}`)
	call(s, 200, "alice", "POST", api+"mailboxes/6/sync", `{"init":true}`)
	call(s, 200, "alice", "GET", api+"messages?mailboxId=6", "")
	off := New(&Options{DisableMail: true})
	call(off, 404, "alice", "GET", "/ocs/v2.php/apps/mail/account/list", "")
}
