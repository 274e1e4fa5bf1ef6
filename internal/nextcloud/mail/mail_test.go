package mail_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/mail"
)

// over is a client of a server that answers what a table says, by method and
// path; everything else is a route that the app's version lacks.
func over(t *testing.T, answers map[string]string) (*mail.Client, *[]string) {
	t.Helper()
	asked := &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = append(*asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(body)))
		answer, known := answers[r.Method+" "+r.URL.Path]
		switch {
		case known:
			w.Header().Set("Content-Type", "application/json")
			status, text, _ := strings.Cut(answer, " ")
			if status == "400" {
				w.WriteHeader(http.StatusBadRequest)
			}
			_, _ = io.WriteString(w, text)
		case strings.HasPrefix(r.URL.Path, "/ocs/"):
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"ocs":{"meta":{"status":"failure","statuscode":998,"message":"Invalid query"},"data":[]}}`)
		default:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>Page not found</title>")
		}
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return mail.New(nextcloud.New(nextcloud.NewHost(base, nil), nextcloud.Basic{LoginName: "alice", Password: "secret-of-alice"}, nil)), asked
}

// TestOldVersions: before 4.0, 4.3 and 5.2 the app has ever fewer routes for
// other programs, and the one of its own pages instead.
func TestOldVersions(t *testing.T) {
	const own = "GET /index.php/apps/mail/api/"
	c, asked := over(t, map[string]string{
		own + "accounts":          `200 [{"id":1,"emailAddress":"alice@example.org","aliases":[{"id":3,"alias":"al@example.org","name":"Al"}],"trashMailboxId":4}]`,
		own + "mailboxes":         `200 {"id":1,"email":"alice@example.org","mailboxes":[{"databaseId":6,"accountId":1,"name":"INBOX","displayName":"INBOX","specialUse":["inbox"],"unread":2}],"delimiter":"."}`,
		own + "messages":          `200 [{"databaseId":9,"subject":"x","dateInt":5}]`,
		own + "messages/9/body":   `200 {"databaseId":9,"accountId":1,"mailboxId":6,"subject":"x","body":"y"}`,
		own + "messages/9/export": `200 From: a`,
	})
	accounts, _, err := c.Accounts(t.Context())
	if err != nil || len(accounts) != 1 || accounts[0].Email != "alice@example.org" || accounts[0].Aliases[0].Email != "al@example.org" {
		t.Errorf("%+v, %v", accounts, err)
	}
	boxes, _, err := c.Mailboxes(t.Context(), 1)
	if err != nil || len(boxes) != 1 || boxes[0].Role != "inbox" || boxes[0].Unread != 2 {
		t.Errorf("%+v, %v", boxes, err)
	}
	page, err := c.List(t.Context(), mail.Query{MailboxID: 6, Limit: 20})
	if err != nil || len(page.Messages) != 1 || page.Next != "" {
		t.Errorf("%+v, %v", page, err)
	}
	if m, err := c.Get(t.Context(), 9); err != nil || m.Body != "y" || m.Unreadable {
		t.Errorf("%+v, %v", m, err)
	}
	if source, err := c.Source(t.Context(), 9); err != nil || source != "From: a" {
		t.Errorf("%q, %v", source, err)
	}
	if n := len(*asked); n != 10 {
		t.Errorf("%d requests: %q", n, *asked)
	}
}

func TestMissingApp(t *testing.T) {
	c, _ := over(t, nil)
	_, _, accounts := c.Accounts(t.Context())
	_, list := c.List(t.Context(), mail.Query{MailboxID: 1, Limit: 1})
	_, send := c.Send(t.Context(), &mail.Outgoing{})
	for name, err := range map[string]error{"accounts": accounts, "list": list, "send": send, "flags": c.SetFlags(t.Context(), 1, nil)} {
		if !errors.Is(err, nextcloud.ErrAppMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMeanings(t *testing.T) {
	for exception, want := range map[string]error{
		"MailboxNotCachedException": nextcloud.ErrConflict, "MailboxLockedException": nextcloud.ErrLocked,
		"TrashMailboxNotSetException": nextcloud.ErrConflict, "ClientException": nextcloud.ErrNotFound, "OtherException": nextcloud.ErrInvalid,
	} {
		c, _ := over(t, map[string]string{
			"GET /index.php/apps/mail/api/messages": `400 {"status":"fail","data":{"message":"<b>no</b>","type":"OCA\\Mail\\Exception\\` + exception + `"}}`,
		})
		_, err := c.List(t.Context(), mail.Query{MailboxID: 6, Limit: 20})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", exception, err)
		}
	}
}

// TestTrashUnknown: what is not known to be no trash is not deleted from.
func TestTrashUnknown(t *testing.T) {
	c, _ := over(t, map[string]string{"GET /index.php/apps/mail/api/accounts": `200 [{"id":1,"trashMailboxId":4},{"id":"x","trashMailboxId":9}]`})
	if ids, err := c.Trashes(t.Context()); !errors.Is(err, nextcloud.ErrBadAnswer) {
		t.Errorf("%v, %v", ids, err)
	}
}

// TestPageOfUnreadable: a page of which nothing can be read ends the list, and
// one that is full of what was seen goes on behind its second.
func TestPageOfUnreadable(t *testing.T) {
	const route = "GET /index.php/apps/mail/api/messages"
	c, _ := over(t, map[string]string{route: `200 [{"databaseId":"x"},{"subject":"no id"}]`})
	page, err := c.List(t.Context(), mail.Query{MailboxID: 6, Limit: 2})
	if err != nil || page.Next != "" || len(page.Skipped) != 2 {
		t.Errorf("%+v, %v", page, err)
	}
	c, _ = over(t, map[string]string{route: `200 [{"databaseId":1,"dateInt":9},{"databaseId":2,"dateInt":9}]`})
	page, err = c.List(t.Context(), mail.Query{MailboxID: 6, Limit: 1, Cursor: "9:1,2"})
	if err != nil || len(page.Messages) != 0 || page.Next != "" {
		t.Errorf("%+v, %v", page, err)
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{`from:bob subject:"the budget: 50 %" is:unread`, `start:2026-11-01 end:2026-11-30T00:00:00Z`, `x`, `:`, `"`, `from:"a b":c`, "subject:\u202e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := mail.Filter(text)
		if err != nil {
			if !errors.Is(err, nextcloud.ErrInvalid) {
				t.Errorf("%v", err)
			}
			return
		}
		if filter == "" {
			return
		}
		// The app splits at spaces and colons: values must hold neither.
		for token := range strings.SplitSeq(filter, " ") {
			if strings.Count(token, ":") != 1 || strings.HasSuffix(token, ":") {
				t.Errorf("%q became %q", text, filter)
			}
		}
	})
}

func TestCursors(t *testing.T) {
	c, asked := over(t, nil)
	for _, cursor := range []string{"5", "5:0", ":", "a:1", "-1:", "5:1,,x", "5:" + strings.Repeat("1,", 200), strings.Repeat("9", 5000)} {
		if _, err := c.List(t.Context(), mail.Query{MailboxID: 6, Limit: 1, Cursor: cursor}); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%.20q: %v", cursor, err)
		}
	}
	if len(*asked) > 0 {
		t.Errorf("asked %q", *asked)
	}
}

func BenchmarkPages(b *testing.B) {
	var answer strings.Builder
	answer.WriteString(`{"ocs":{"meta":{"status":"ok","statuscode":200,"message":"OK"},"data":[`)
	for i := range mail.MaxLimit {
		if i > 0 {
			answer.WriteByte(',')
		}
		answer.WriteString(`{"databaseId":` + strings.Repeat("1", 1+i%9) + `,"subject":"A subject of the usual length","dateInt":1795404049,"flags":{"seen":true},"tags":[],"from":[{"label":"Bob Example","email":"bob@example.org"}],"previewText":"` + strings.Repeat("word ", 50) + `"}`)
	}
	answer.WriteString(`]}}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer.String())
	}))
	defer server.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	c := mail.New(nextcloud.New(nextcloud.NewHost(base, nil), nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserID: "alice"}))
	b.ReportAllocs()
	for b.Loop() { // 100 of them are the 10,000 messages of a large mailbox
		if _, err := c.List(b.Context(), mail.Query{MailboxID: 6, Limit: mail.MaxLimit}); err != nil {
			b.Fatal(err)
		}
	}
}
