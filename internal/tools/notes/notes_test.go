package notes

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/tool"
)

// budget is what every client pays for these tools on each connection, in
// bytes of tools/list.
const budget = 5500

func TestBudget(t *testing.T) {
	total := 0
	for _, tl := range Tools.Set().Tools {
		decl, err := tl.MCP()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(decl)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		if strings.ContainsAny(tl.Description, ";→") {
			t.Errorf("%s: semicolon or arrow in the description", tl.Name)
		}
	}
	if total > budget {
		t.Errorf("the tools take %d bytes of tools/list, more than %d", total, budget)
	}
}

// one answers every request of Nextcloud with the same note, and writes down
// the last change.
type one struct {
	note map[string]any
	put  string
	file string
	kind string
}

func (o *one) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/attachment/") {
		w.Header().Set("Content-Type", o.kind)
		_, _ = io.WriteString(w, o.file)
		return
	}
	if r.Method == http.MethodPut || r.Method == http.MethodPost {
		b, _ := io.ReadAll(r.Body)
		o.put = string(b)
	}
	var answer any = o.note
	switch {
	case strings.HasSuffix(r.URL.Path, "/settings"):
		answer = map[string]any{"notesPath": "Notes", "fileSuffix": ".md", "noteMode": "rich"}
	case strings.HasSuffix(r.URL.Path, "/notes") && r.Method == http.MethodGet:
		answer = []any{o.note}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func note(content string) map[string]any {
	return map[string]any{
		"id": 42, "title": "Plan", "category": "Work", "modified": 1795404683, "content": content,
		"etag": "abc", "favorite": false, "readonly": false, "internalPath": "/Notes/Work/Plan.md",
	}
}

type single struct{ nc *nextcloud.Client }

func (s single) Client(context.Context, *auth.Principal) (*nextcloud.Client, error) { return s.nc, nil }

// connect is an MCP client of these tools, for a Nextcloud that h answers for.
func connect(t *testing.T, h http.Handler) *mcp.ClientSession {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	base, err := url.Parse(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	public, err := url.Parse("https://cloud.example/nc")
	if err != nil {
		t.Fatal(err)
	}
	nc := nextcloud.New(nextcloud.NewHost(base, &nextcloud.HostOptions{Public: public}), nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserID: "alice"})
	registry, unknown := tool.Select([]tool.Set{Tools.Set()}, tool.Selection{Tier: tool.Complete})
	if len(unknown) > 0 {
		t.Fatal(unknown)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	err = registry.Register(server, tool.Binding{
		Clients: single{nc}, Single: &auth.Principal{Trusted: true}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	there, here := mcp.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), there, nil); err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// call is the structured result of a tool as JSON, or the text of its error.
func call(t *testing.T, s *mcp.ClientSession, name, args string) (result *mcp.CallToolResult, text string) {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(args)})
	if err != nil {
		t.Fatal(err)
	}
	if res.IsError {
		return res, res.Content[0].(*mcp.TextContent).Text
	}
	b, err := json.Marshal(res.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestCalls(t *testing.T) {
	const saved = `{"category":"Work","etag":"abc","id":42,"modified":"2026-11-23T03:31:23Z","title":"Plan","url":"https://cloud.example/nc/index.php/apps/notes/note/42"}`
	for _, c := range []struct {
		name, args, want string
		sent             string
	}{
		{"nc_notes_create_note", `{"title":"Plan","content":"text","category":null}`, saved, `{"title":"Plan","content":"text"}`},
		{"nc_notes_update_note", `{"note_id":"42","etag":"abc","content":""}`, saved, `{"content":""}`},
		{"nc_notes_update_note", `{"note_id":42,"etag":"abc","title":null,"category":"","favorite":false}`, saved, `{"category":"","favorite":false}`},
		{"nc_notes_update_note", `{"note_id":42,"etag":"abc"}`, "Could not update note 42: invalid request (nothing to change: give title, content, category or favorite). Nothing was changed. Correct the arguments and try again.", ""},
		{"nc_notes_append_content", `{"note_id":42,"content":"more"}`, saved, `{"content":"text\n---\nmore"}`},
		{"nc_notes_append_content", `{"note_id":42,"content":"more","separator":""}`, saved, `{"content":"textmore"}`},
		{"nc_notes_get_note", `{"note_id":42}`, `{"category":"Work","content":"text","etag":"abc","id":42,"modified":"2026-11-23T03:31:23Z","title":"Plan","url":"https://cloud.example/nc/index.php/apps/notes/note/42"}`, ""},
		{"nc_notes_search_notes", `{"query":"TEXT"}`, `{"items":[{"category":"Work","id":42,"modified":"2026-11-23T03:31:23Z","score":1,"snippet":"text","title":"Plan"}],"total":1}`, ""},
		{"nc_notes_search_notes", `{"query":"absent"}`, `{"items":[],"total":0}`, ""},
		{"nc_notes_search_notes", `{"query":"","limit":101}`, "limit has to be between 1 and 100", ""},
		{"nc_notes_delete_note", `{"note_id":42}`, `{"deleted_id":42,"title":"Plan","undo":"The person can restore the file /Notes/Work/Plan.md in Nextcloud under Files, Deleted files, unless an administrator has switched the trash off."}`, ""},
	} {
		h := &one{note: note("text")}
		_, got := call(t, connect(t, h), c.name, c.args)
		if got != c.want {
			t.Errorf("%s %s\n got %s\nwant %s", c.name, c.args, got, c.want)
		}
		if h.put != c.sent {
			t.Errorf("%s %s sent %s, want %s", c.name, c.args, h.put, c.sent)
		}
	}
}

// TestWindows reads a long note part by part, to its last character.
func TestWindows(t *testing.T) {
	content := strings.Repeat("ä€b", 9000) // 27,000 characters
	s := connect(t, &one{note: note(content)})
	var parts strings.Builder
	args := `{"note_id":42}`
	for calls := 1; ; calls++ {
		res, text := call(t, s, "nc_notes_get_note", args)
		if res.IsError {
			t.Fatal(text)
		}
		var f Full
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
		if f.TotalChars != 27_000 || f.Truncated != (f.NextOffset > 0) {
			t.Errorf("total %d, truncated %v, next %d", f.TotalChars, f.Truncated, f.NextOffset)
		}
		parts.WriteString(f.Content)
		if !f.Truncated {
			if calls != 2 {
				t.Errorf("%d calls", calls)
			}
			break
		}
		b, _ := json.Marshal(map[string]int{"note_id": 42, "offset": f.NextOffset})
		args = string(b)
	}
	if parts.String() != content {
		t.Error("the parts are not the whole")
	}
	for args, want := range map[string]string{
		`{"note_id":42,"offset":27001}`:           "offset 27001 is beyond the end: the content has 27000 characters",
		`{"note_id":42,"offset":-1}`:              "max_chars and offset cannot be negative",
		`{"note_id":42,"offset":1,"max_chars":2}`: "€b",
	} {
		res, text := call(t, s, "nc_notes_get_note", args)
		if !res.IsError {
			var f Full
			if err := json.Unmarshal([]byte(text), &f); err != nil {
				t.Fatal(err)
			}
			text = f.Content
		}
		if text != want {
			t.Errorf("%s: %s, want %s", args, text, want)
		}
	}
}

func TestAttachments(t *testing.T) {
	binary, dot := "\x89PNG\x00\xff", "GIF89a\x01\x00\x01\x00\x00\x00\x00;"
	for _, c := range []struct {
		kind, file string
		want       []mcp.Content
		resource   *mcp.ResourceContents
	}{
		{
			"image/gif", dot,
			[]mcp.Content{&mcp.TextContent{Text: "a b.png (image/gif, 14 bytes)"}, &mcp.ImageContent{Data: []byte(dot), MIMEType: "image/gif"}},
			&mcp.ResourceContents{MIMEType: "image/gif", Blob: []byte(dot)},
		},
		{ // no picture at all, whatever its type says
			"image/png", binary,
			[]mcp.Content{&mcp.TextContent{Text: "a b.png (image/png, 6 bytes)"}, &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{
				URI: "nc://Notes/42/attachments/a%20b.png", MIMEType: "image/png", Blob: []byte(binary),
			}}},
			&mcp.ResourceContents{MIMEType: "image/png", Blob: []byte(binary)},
		},
		{
			"text/plain; charset=utf-8", "grüße",
			[]mcp.Content{&mcp.TextContent{Text: "grüße"}},
			&mcp.ResourceContents{MIMEType: "text/plain", Text: "grüße"},
		},
		{
			"text/plain", binary,
			[]mcp.Content{&mcp.TextContent{Text: "a b.png (text/plain, 6 bytes)"}, &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{
				URI: "nc://Notes/42/attachments/a%20b.png", MIMEType: "text/plain", Blob: []byte(binary),
			}}},
			&mcp.ResourceContents{MIMEType: "text/plain", Blob: []byte(binary)},
		},
		{
			"application/pdf", binary,
			[]mcp.Content{&mcp.TextContent{Text: "a b.png (application/pdf, 6 bytes)"}, &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{
				URI: "nc://Notes/42/attachments/a%20b.png", MIMEType: "application/pdf", Blob: []byte(binary),
			}}},
			&mcp.ResourceContents{MIMEType: "application/pdf", Blob: []byte(binary)},
		},
	} {
		s := connect(t, &one{note: note(""), kind: c.kind, file: c.file})
		res, text := call(t, s, "nc_notes_get_attachment", `{"note_id":42,"attachment_filename":"a b.png"}`)
		if d := cmp.Diff(c.want, res.Content); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.kind, d)
		}
		var about Attachment
		if err := json.Unmarshal([]byte(text), &about); err != nil || about.Filename != "a b.png" || about.Size != len(c.file) {
			t.Errorf("%s: %s, %v", c.kind, text, err)
		}
		c.resource.URI = "nc://Notes/42/attachments/a%20b.png"
		read, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: c.resource.URI})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]*mcp.ResourceContents{c.resource}, read.Contents); d != "" {
			t.Errorf("%s as a resource (-want +got):\n%s", c.kind, d)
		}
	}
}

func TestResources(t *testing.T) {
	s := connect(t, &one{note: note(strings.Repeat("x", 30_000))})
	for uri, want := range map[string]string{
		"notes://settings": `{"notesPath":"Notes","fileSuffix":".md","noteMode":"rich"}`,
		"nc://Notes/42":    strings.Repeat("x", 30_000),
	} {
		res, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri})
		if err != nil {
			t.Fatal(err)
		}
		if c := res.Contents[0]; !strings.Contains(c.Text, want) || c.MIMEType != "application/json" {
			t.Errorf("%s = %.200s (%s)", uri, c.Text, c.MIMEType)
		}
	}
	for _, uri := range []string{"nc://Notes/x", "nc://Notes/0", "nc://Notes/-1/attachments/a"} {
		if res, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri}); err == nil {
			t.Errorf("%s = %+v", uri, res.Contents[0])
		}
	}
}
