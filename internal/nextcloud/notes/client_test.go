package notes

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
)

// reply is one answer of a script.
type reply struct {
	status    int
	body      string
	mediaType string // default application/json
}

// script answers with its replies in turn and writes down what was asked.
type script struct {
	replies []reply
	asked   []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	line := r.Method + " " + r.URL.RequestURI()
	if tag := r.Header.Get("If-Match"); tag != "" {
		line += " if " + tag
	}
	s.asked = append(s.asked, strings.TrimSpace(line+" "+string(body)))
	if len(s.replies) == 0 {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	a := s.replies[0]
	s.replies = s.replies[1:]
	if a.mediaType == "" {
		a.mediaType = "application/json; charset=utf-8"
	}
	w.Header().Set("Content-Type", a.mediaType)
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

const (
	wire = `{"id":226,"title":"First note","modified":1795404683,"category":"Work\/Projects","favorite":true,"readonly":false,` +
		`"internalPath":"\/Notes\/Work\/Projects\/First note.md","shareTypes":[],"isShared":false,"error":false,"errorType":"",` +
		`"content":"# First\nBody gr\u00fc\u00dfe","etag":"06cf17ef6a11baeb4c56d345e89a064c"}`
	wireLater = `{"id":226,"title":"Renamed \"now\"","modified":1795404684,"category":"","content":"later","etag":"8ed84878c3e9bd5f7d8abfcc60ec1508"}`
	gone      = `{"errorType":"Exception"}`
	notePage  = apiPath + "/notes/226"
)

func decoded() *Note {
	return &Note{
		ID: 226, Title: "First note", Category: "Work/Projects", Content: "# First\nBody grüße",
		Modified: time.Date(2026, 11, 23, 3, 31, 23, 0, time.UTC), Favorite: true,
		ETag: "06cf17ef6a11baeb4c56d345e89a064c", Path: "/Notes/Work/Projects/First note.md",
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     *Note // nil for a refusal
	}{
		{"as recorded", wire, decoded()},
		{"list of one (Notes 5.0)", "[" + wire + "]", decoded()},
		{"list of two", "[" + wire + "," + wire + "]", nil},
		{"empty list", "[]", nil},
		{
			"loose types", `{"id":"7","title":2024,"modified":"5","category":null,"favorite":1,"readonly":"0","content":false,"etag":"e","new":{}}`,
			&Note{ID: 7, Title: "2024", Modified: time.Unix(5, 0).UTC(), Favorite: true, ETag: "e"},
		},
		{"no id", `{"title":"x"}`, nil},
		{"negative id", `{"id":-1}`, nil},
		{"id that is none", `{"id":"x"}`, nil},
		{"title that is none", `{"id":1,"title":{}}`, nil},
		{"flag that is none", `{"id":1,"favorite":"maybe"}`, nil},
		{"not JSON", `<html>`, nil},
		{"nothing", ``, nil},
	} {
		var w wireNote
		err := w.decode([]byte(c.in))
		if (err == nil) != (c.want != nil) {
			t.Errorf("%s: %v", c.name, err)
		} else if c.want != nil {
			if d := cmp.Diff(c.want, w.note()); d != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, d)
			}
		}
	}
}

func FuzzNoteList(f *testing.F) {
	for _, s := range []string{"[]", "[" + wire + "]", `[{"id":1},{"id":"2"},{"id":null},7,null,"x",[],{}]`, `[{"id":1,"error":true,"title":"x"}]`, `{}`, `<html>`, ``, `[[` + wire + `]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p Page
		if p.decode(body) != nil {
			return
		}
		for _, n := range p.Notes {
			if n.ID <= 0 {
				t.Errorf("a note with the id %d", n.ID)
			}
		}
		s := newSync(nil, nil)
		s.add(&p)
		lib := s.library()
		if len(lib.notes) > len(p.Notes) || lib.size < 0 {
			t.Errorf("%d notes of %d, size %d", len(lib.notes), len(p.Notes), lib.size)
		}
	})
}

func TestListSkips(t *testing.T) {
	var p Page
	err := p.decode([]byte(`[{"id":1},` + wire + `,{"id":"2"},{"id":3,"title":"x","error":true},{"id":4,"title":{}},7]`))
	if err != nil {
		t.Fatal(err)
	}
	want := Page{
		Notes: []*Note{decoded()}, Stubs: []int64{1, 2},
		Skipped: []Skipped{{3, "Nextcloud cannot read its file"}, {4, "unreadable answer of the server"}, {0, "unreadable answer of the server"}},
	}
	if d := cmp.Diff(want, p); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestFailures(t *testing.T) {
	page := "<!DOCTYPE html><html>Not found</html>"
	ops := map[string]func(*Client) error{
		"get": func(c *Client) error { _, err := c.Get(t.Context(), 226); return err },
		"update": func(c *Client) error {
			_, err := c.Update(t.Context(), 226, "e", Change{Content: new("x")})
			return err
		},
		"append": func(c *Client) error { _, err := c.Append(t.Context(), 226, "x", ""); return err },
		"delete": func(c *Client) error { _, err := c.Delete(t.Context(), 226, ""); return err },
	}
	for _, c := range []struct {
		reply   reply
		kind    error
		message string
	}{
		{reply{404, gone, ""}, nextcloud.ErrNotFound, ""},
		{reply{404, "", "text/html; charset=UTF-8"}, nextcloud.ErrAppMissing, "the Notes app is not installed"},
		{reply{404, page, "text/html; charset=UTF-8"}, nextcloud.ErrAppMissing, "the Notes app is not installed"},
		{reply{500, gone, ""}, nextcloud.ErrUnavailable, ""},
		{reply{200, `{"id":226,"title":"T","content":"Error: OCP\\Files\\NotPermittedException","error":true,"etag":"e"}`, ""}, nextcloud.ErrUnavailable, "Nextcloud cannot read the file of this note"},
		{reply{200, page, "text/html"}, nextcloud.ErrBadAnswer, "the answer is not a note"},
		{reply{200, "[]", ""}, nextcloud.ErrBadAnswer, "the answer is not a note"},
	} {
		for name, op := range ops {
			s := &script{replies: []reply{c.reply}}
			err := op(client(t, s))
			var e *nextcloud.Error
			if !errors.As(err, &e) || !errors.Is(e.Kind, c.kind) || e.Message != c.message || !strings.HasSuffix(e.Op, "note 226") {
				t.Errorf("%s, %d %.20q: %v", name, c.reply.status, c.reply.body, err)
			}
			if len(s.asked) != 1 {
				t.Errorf("%s, %d: asked %q", name, c.reply.status, s.asked)
			}
		}
	}
	s := &script{replies: []reply{{404, gone, ""}}}
	if _, err := client(t, s).Settings(t.Context()); !errors.Is(err, nextcloud.ErrAppMissing) {
		t.Errorf("settings: %v", err)
	}
}

func TestRefusedBeforeAsking(t *testing.T) {
	s := &script{}
	c := client(t, s)
	x := "x"
	_, get := c.Get(t.Context(), 0)
	_, update := c.Update(t.Context(), 1, "e\r\nX: y", Change{Content: &x})
	_, quoted := c.Update(t.Context(), 1, `a", "b`, Change{Content: &x})
	_, nothing := c.Update(t.Context(), 1, "e", Change{})
	_, untitled := c.Update(t.Context(), 1, "e", Change{Title: new("")})
	_, text := c.Append(t.Context(), 1, "", "")
	_, remove := c.Delete(t.Context(), 1, "a b")
	_, above := c.Attachment(t.Context(), 1, "a/../../b")
	_, encoded := c.Attachment(t.Context(), -1, "a")
	for i, err := range []error{get, update, quoted, nothing, untitled, text, remove, above, encoded} {
		if !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("asked %q", s.asked)
	}
}

func TestUpdateSendsWhatIsGiven(t *testing.T) {
	for want, change := range map[string]Change{
		`{"content":""}`:                   {Content: new("")},
		`{"category":""}`:                  {Category: new("")},
		`{"title":"a","favorite":false}`:   {Title: new("a"), Favorite: new(false)},
		`{"content":"x","category":"a/b"}`: {Content: new("x"), Category: new("a/b")},
	} {
		s := &script{replies: []reply{{200, wire, ""}}}
		if _, err := client(t, s).Update(t.Context(), 226, `"tag"`, change); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"PUT " + notePage + ` if "tag" ` + want}, s.asked); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

func TestChangedSinceRead(t *testing.T) {
	long := strings.Replace(wireLater, `"later"`, `"`+strings.Repeat("x", 100<<10)+`"`, 1)
	for name, replies := range map[string][]reply{
		"short note": {{412, wireLater, ""}},
		"long note":  {{412, long, ""}, {200, wireLater, ""}},
	} {
		s := &script{replies: replies}
		_, err := client(t, s).Update(t.Context(), 226, "old", Change{Content: new("x")})
		want := `update note 226: changed since it was read (HTTP 412): its etag is now 8ed84878c3e9bd5f7d8abfcc60ec1508 and its title "Renamed \"now\""`
		if !errors.Is(err, nextcloud.ErrPrecondition) || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
		if len(s.replies) != 0 {
			t.Errorf("%s: asked %q", name, s.asked)
		}
	}
}

func TestReadOnly(t *testing.T) {
	for _, replies := range [][]reply{{{403, gone, ""}}, {{200, wire, ""}, {403, gone, ""}}} {
		s := &script{replies: replies}
		c := client(t, s)
		var err error
		if len(replies) == 1 {
			_, err = c.Update(t.Context(), 226, "e", Change{Content: new("x")})
		} else {
			_, err = c.Delete(t.Context(), 226, "")
		}
		if !errors.Is(err, nextcloud.ErrForbidden) || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("error = %v", err)
		}
	}
}

func TestAppend(t *testing.T) {
	read, later, stale := reply{200, wire, ""}, reply{200, wireLater, ""}, reply{412, wireLater, ""}
	s := &script{replies: []reply{read, stale, later, later}}
	if _, err := client(t, s).Append(t.Context(), 226, "more", DefaultSeparator); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET " + notePage,
		"PUT " + notePage + ` if "06cf17ef6a11baeb4c56d345e89a064c" {"content":"# First\nBody grüße\n---\nmore"}`,
		"GET " + notePage,
		"PUT " + notePage + ` if "8ed84878c3e9bd5f7d8abfcc60ec1508" {"content":"later\n---\nmore"}`,
	}
	if d := cmp.Diff(want, s.asked); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	s = &script{replies: []reply{read, stale, read, stale, read, stale, read, read}}
	if _, err := client(t, s).Append(t.Context(), 226, "more", ""); !errors.Is(err, nextcloud.ErrPrecondition) || len(s.asked) != 6 {
		t.Errorf("after %d requests: %v", len(s.asked), err)
	}
	s = &script{replies: []reply{read, {500, gone, ""}, read}}
	if _, err := client(t, s).Append(t.Context(), 226, "more", ""); !errors.Is(err, nextcloud.ErrUnavailable) || len(s.asked) != 2 {
		t.Errorf("a failure that may have been a success is tried again: %q", s.asked)
	}
}

func TestDelete(t *testing.T) {
	read := "GET " + notePage + "?exclude=content"
	for _, c := range []struct {
		etag string
		kind error
		want []string
	}{
		{"", nil, []string{read, "DELETE " + notePage}},
		{`"06cf17ef6a11baeb4c56d345e89a064c"`, nil, []string{read, "DELETE " + notePage}},
		{"old", nextcloud.ErrPrecondition, []string{read}},
	} {
		s := &script{replies: []reply{{200, wire, ""}, {200, "[]", ""}}}
		n, err := client(t, s).Delete(t.Context(), 226, c.etag)
		if !errors.Is(err, c.kind) || (err == nil) != (n != nil) {
			t.Errorf("%q: %v", c.etag, err)
		}
		if d := cmp.Diff(c.want, s.asked); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.etag, d)
		}
	}
}

func TestAttachmentNames(t *testing.T) {
	for name, want := range map[string][]string{
		"plan.png":                 {"plan.png", ".attachments.226/plan.png"},
		"./my%20plan.png":          {"my%20plan.png", "my plan.png", ".attachments.226/my%20plan.png", ".attachments.226/my plan.png"},
		".attachments.226/a b.png": {".attachments.226/a b.png"},
		"100%":                     {"100%", ".attachments.226/100%"},
	} {
		s := &script{}
		for range want {
			s.replies = append(s.replies, reply{404, gone, ""})
		}
		_, err := client(t, s).Attachment(t.Context(), 226, name)
		if !errors.Is(err, nextcloud.ErrNotFound) || !strings.Contains(err.Error(), "names its attachments") {
			t.Errorf("%q: %v", name, err)
		}
		var got []string
		for _, line := range s.asked {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimPrefix(line, "GET "), nil)
			got = append(got, r.URL.Query().Get("path"))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", name, d)
		}
	}
}

func TestAttachmentAnswers(t *testing.T) {
	for _, c := range []struct {
		reply reply
		kind  error
		want  string // media type, or a part of the message
	}{
		{reply{200, "\x89PNG", "image/png"}, nil, "image/png"},
		{reply{200, "x", "Text/Plain; charset=utf-8"}, nil, "text/plain"},
		{reply{200, "x", "b r o k e n"}, nil, "image/png"}, // by its name
		{reply{200, strings.Repeat("x", MaxAttachment+1), "image/png"}, nextcloud.ErrTooLarge, "larger than 5 MiB; the person can open it at http"},
		{reply{400, "[]", ""}, nextcloud.ErrInvalid, "does not give out attachments"},
		{reply{404, "", "text/html"}, nextcloud.ErrAppMissing, "the Notes app is not installed"},
	} {
		a, err := client(t, &script{replies: []reply{c.reply}}).Attachment(t.Context(), 226, "plan.png")
		got := fmt.Sprint(err)
		if err == nil {
			got = a.Type
		}
		if !errors.Is(err, c.kind) || !strings.Contains(got, c.want) {
			t.Errorf("%s: %v, want %s", c.reply.mediaType, got, c.want)
		}
	}
}

func TestListDropsTheMarkOfCompression(t *testing.T) {
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"abc-gzip"`)
		_, _ = io.WriteString(w, "[]")
	}))
	if p, err := c.List(t.Context(), ListOptions{}); err != nil || p.ETag != "abc" {
		t.Errorf("%+v, %v", p, err)
	}
}
