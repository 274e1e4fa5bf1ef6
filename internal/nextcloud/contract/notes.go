package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/notes"
)

func runNotes(t *testing.T, env *Env) {
	if _, err := notes.New(env.Client(t)).Settings(t.Context()); errors.Is(err, nextcloud.ErrAppMissing) {
		t.Skip("this Nextcloud has no Notes app")
	}
	for _, part := range []struct {
		name string
		run  func(t *testing.T, n *notebook)
	}{
		{"settings", notesSettings},
		{"create", notesCreate},
		{"titles", notesTitles},
		{"unicode", notesUnicode},
		{"update", notesUpdate},
		{"stale etag loses nothing", notesStale},
		{"move", notesMove},
		{"append", notesAppend},
		{"delete", notesDelete},
		{"not there", notesNotThere},
		{"list in pages", notesPages},
		{"list what changed", notesPruned},
		{"search", notesSearch},
		{"search sees others' changes", notesBehind},
		{"attachment", notesAttachment},
	} {
		t.Run(part.name, func(t *testing.T) {
			client := env.Client(t)
			part.run(t, &notebook{env: env, nc: client, Client: notes.New(client), folder: unique("Contract")})
		})
	}
}

// notebook is a client whose notes are in a category of their own and vanish
// with the test.
type notebook struct {
	*notes.Client
	env    *Env
	nc     *nextcloud.Client
	folder string
}

func (n *notebook) create(t *testing.T, title, content, below string) *notes.Note {
	t.Helper()
	category := strings.TrimSuffix(n.folder+"/"+below, "/")
	note, err := n.Create(t.Context(), notes.Draft{Title: title, Content: content, Category: category})
	if err != nil {
		t.Fatal(err)
	}
	n.forget(t, note.ID)
	return note
}

func (n *notebook) forget(t *testing.T, id int64) {
	t.Cleanup(func() {
		// The test's own context has ended by now.
		_, err := n.Delete(context.WithoutCancel(t.Context()), id, "")
		if err != nil && !errors.Is(err, nextcloud.ErrNotFound) {
			t.Errorf("clean up: %v", err)
		}
	})
}

func (n *notebook) get(t *testing.T, id int64) *notes.Note {
	t.Helper()
	note, err := n.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return note
}


func notesSettings(t *testing.T, n *notebook) {
	s, err := n.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.NotesPath == "" || !strings.HasPrefix(s.FileSuffix, ".") && s.FileSuffix != "custom" {
		t.Errorf("settings = %+v", s)
	}
}

func notesCreate(t *testing.T, n *notebook) {
	before := time.Now().Add(-time.Hour)
	made := n.create(t, "First", "# First\nbody", "Ideas")
	switch {
	case made.ID <= 0, made.ETag == "", made.Favorite, made.ReadOnly:
		t.Errorf("created %+v", made)
	case made.Title != "First", made.Content != "# First\nbody", made.Category != n.folder+"/Ideas":
		t.Errorf("created %+v", made)
	case !strings.HasSuffix(made.Path, "/"+n.folder+"/Ideas/First.md"):
		t.Errorf("path = %q", made.Path)
	case made.Modified.Before(before):
		t.Errorf("modified = %v", made.Modified)
	case !strings.HasSuffix(made.URL, fmt.Sprintf("/index.php/apps/notes/note/%d", made.ID)):
		t.Errorf("url = %q", made.URL)
	}
	if read := n.get(t, made.ID); *read != *made {
		t.Errorf("read  %+v\nafter %+v", read, made)
	}
}

func notesTitles(t *testing.T, n *notebook) {
	if first, second := n.create(t, "Twin", "", ""), n.create(t, "Twin", "", ""); first.Title != "Twin" || second.Title != "Twin (2)" {
		t.Errorf("titles = %q, %q", first.Title, second.Title)
	}
	if made := n.create(t, `a/b:c*?"<>|\`, "", ""); made.Title != "abc" {
		t.Errorf("title = %q, want abc", made.Title)
	}
	if made := n.create(t, "", "text", ""); made.Title == "" {
		t.Error("a note without a title got none")
	}
	if made := n.create(t, "..hidden", "", ""); made.Title != "hidden" {
		t.Errorf("title = %q, want hidden", made.Title)
	}
	if made := n.create(t, strings.Repeat("long ", 60), "", ""); len(made.Title) > 100 {
		t.Errorf("title has %d bytes", len(made.Title))
	}
}

func notesUnicode(t *testing.T, n *notebook) {
	const title, content = "Grüße 🌍 日本語", "Zeile 1\r\nZeile 2 \t<b>&amp;</b> \u2028 👩‍👩‍👧 \\ \" \x7f ende\n"
	made := n.create(t, title, content, "Käse/🧀")
	read := n.get(t, made.ID)
	if read.Title != title || read.Content != content || read.Category != n.folder+"/Käse/🧀" {
		t.Errorf("read %q %q %q", read.Title, read.Content, read.Category)
	}
}

func notesUpdate(t *testing.T, n *notebook) {
	made := n.create(t, "Update", "one", "")
	two, err := n.Update(t.Context(), made.ID, made.ETag, notes.Change{Content: new("two")})
	if err != nil {
		t.Fatal(err)
	}
	if two.Content != "two" || two.Title != made.Title || two.Category != made.Category || two.ETag == made.ETag {
		t.Errorf("after the content: %+v", two)
	}
	three, err := n.Update(t.Context(), made.ID, two.ETag, notes.Change{Title: new("Renamed"), Favorite: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	if three.Title != "Renamed" || !three.Favorite || three.Content != "two" || three.ID != made.ID {
		t.Errorf("after the title: %+v", three)
	}
	// Empty is a value, not the absence of one.
	four, err := n.Update(t.Context(), made.ID, `"`+three.ETag+`"`, notes.Change{Content: new(""), Favorite: new(false)})
	if err != nil {
		t.Fatal(err)
	}
	if four.Content != "" || four.Favorite || four.Title != "Renamed" {
		t.Errorf("after blanking: %+v", four)
	}
	if read := n.get(t, made.ID); *read != *four {
		t.Errorf("read  %+v\nafter %+v", read, four)
	}
	for name, change := range map[string]notes.Change{"nothing": {}, "empty title": {Title: new(" ")}} {
		if _, err := n.Update(t.Context(), made.ID, four.ETag, change); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := n.Update(t.Context(), made.ID, "", notes.Change{Content: new("x")}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("without etag: %v", err)
	}
}

func notesStale(t *testing.T, n *notebook) {
	made := n.create(t, "Stale", "mine", "")
	theirs, err := notes.New(n.env.Client(t)).Update(t.Context(), made.ID, made.ETag, notes.Change{Content: new("theirs " + strings.Repeat("x", 100_000))})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]notes.Change{
		"content":  {Content: new("lost")},
		"title":    {Title: new("Lost")},
		"category": {Category: new(n.folder + "/Lost")},
		"favorite": {Favorite: new(true)},
	} {
		_, err = n.Update(t.Context(), made.ID, made.ETag, change)
		if !errors.Is(err, nextcloud.ErrPrecondition) {
			t.Errorf("%s: %v", name, err)
		} else if text := err.Error(); !strings.Contains(text, theirs.ETag) || !strings.Contains(text, "Stale") {
			t.Errorf("%s: %q names neither the etag nor the title of now", name, text)
		}
	}
	if _, err := n.Delete(t.Context(), made.ID, made.ETag); !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("delete: %v", err)
	}
	if read := n.get(t, made.ID); *read != *theirs {
		t.Error("a change with a stale etag was made")
	}
}

func notesMove(t *testing.T, n *notebook) {
	made := n.create(t, "Move", "text", "From/Deep")
	n.create(t, "Move", "in the way", "To")
	moved, err := n.Update(t.Context(), made.ID, made.ETag, notes.Change{Category: new(n.folder + "/To")})
	if err != nil {
		t.Fatal(err)
	}
	if moved.ID != made.ID || moved.Category != n.folder+"/To" || moved.Content != "text" {
		t.Errorf("moved %+v", moved)
	}
	if moved.Title != "Move (2)" {
		t.Errorf("title = %q, want one that is not taken", moved.Title)
	}
	root, err := n.Update(t.Context(), made.ID, moved.ETag, notes.Change{Category: new(""), Title: new(unique("Rooted"))})
	if err != nil {
		t.Fatal(err)
	}
	if root.Category != "" || root.ID != made.ID {
		t.Errorf("moved to the root: %+v", root)
	}
}

func notesAppend(t *testing.T, n *notebook) {
	made := n.create(t, "Append", "", "")
	for _, step := range []struct{ text, separator, want string }{
		{"one", notes.DefaultSeparator, "one"},
		{"two", notes.DefaultSeparator, "one\n---\ntwo"},
		{"three", " ", "one\n---\ntwo three"},
	} {
		note, err := n.Append(t.Context(), made.ID, step.text, step.separator)
		if err != nil {
			t.Fatal(err)
		}
		if read := n.get(t, made.ID); note.Content != step.want || read.Content != step.want || read.ETag != note.ETag {
			t.Errorf("content = %q, read %q, want %q", note.Content, read.Content, step.want)
		}
	}
}

func notesDelete(t *testing.T, n *notebook) {
	made := n.create(t, "Delete", "text", "Trash")
	gone, err := n.Delete(t.Context(), made.ID, made.ETag)
	if err != nil {
		t.Fatal(err)
	}
	if gone.Path != made.Path || gone.Title != made.Title {
		t.Errorf("deleted %+v", gone)
	}
	if _, err := n.Get(t.Context(), made.ID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("read after delete: %v", err)
	}
	if _, err := n.Delete(t.Context(), made.ID, ""); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("delete after delete: %v", err)
	}
}

func notesNotThere(t *testing.T, n *notebook) {
	const id = 2_000_000_000
	_, getErr := n.Get(t.Context(), id)
	_, updateErr := n.Update(t.Context(), id, "00", notes.Change{Content: new("x")})
	_, appendErr := n.Append(t.Context(), id, "x", "")
	_, deleteErr := n.Delete(t.Context(), id, "")
	_, attachmentErr := n.Attachment(t.Context(), id, "x.png")
	for op, err := range map[string]error{
		"get": getErr, "update": updateErr, "append": appendErr, "delete": deleteErr, "attachment": attachmentErr,
	} {
		if !errors.Is(err, nextcloud.ErrNotFound) || errors.Is(err, nextcloud.ErrAppMissing) {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// pages reads the whole list in pages of size and answers the notes of the
// person that are in the notebook, by id, and the last page.
func (n *notebook) pages(t *testing.T, o notes.ListOptions) (map[int64]*notes.Note, *notes.Page) {
	t.Helper()
	got := map[int64]*notes.Note{}
	for range 1000 {
		page, err := n.List(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if o.Size > 0 && len(page.Notes) > o.Size {
			t.Fatalf("a page of %d has %d notes", o.Size, len(page.Notes))
		}
		for _, note := range page.Notes {
			if strings.HasPrefix(note.Category, n.folder) {
				got[note.ID] = note
			}
		}
		if page.Cursor == "" {
			return got, page
		}
		o.Cursor = page.Cursor
	}
	t.Fatal("the list does not end")
	return nil, nil
}

func notesPages(t *testing.T, n *notebook) {
	made := map[int64]*notes.Note{}
	for i := range 7 {
		note := n.create(t, fmt.Sprintf("Page %d", i), "text", "")
		made[note.ID] = note
	}
	for _, o := range []notes.ListOptions{{}, {Size: 3}, {Size: 3, WithoutContent: true}} {
		got, last := n.pages(t, o)
		for id, want := range made {
			if o.WithoutContent {
				bare := *want
				bare.Content = ""
				want = &bare
			}
			if have := got[id]; have == nil || *have != *want {
				t.Errorf("%+v: got %+v\nwant %+v", o, have, want)
			}
			onLast := slices.Contains(last.Stubs, id) || slices.ContainsFunc(last.Notes, func(m *notes.Note) bool { return m.ID == id })
			if !onLast {
				t.Errorf("%+v: the last page does not name note %d", o, id)
			}
		}
		if last.Time.IsZero() {
			t.Errorf("%+v: no time", o)
		}
	}
}

func notesPruned(t *testing.T, n *notebook) {
	made := n.create(t, "Pruned", "text", "")
	_, page := n.pages(t, notes.ListOptions{})
	future := page.Time.Add(time.Hour)
	got, all := n.pages(t, notes.ListOptions{Since: future})
	if len(got) != 0 || !slices.Contains(all.Stubs, made.ID) {
		t.Errorf("since later: %d notes, stub of %d: %v", len(got), made.ID, slices.Contains(all.Stubs, made.ID))
	}
	got, _ = n.pages(t, notes.ListOptions{Since: page.Time.Add(-time.Minute)})
	if got[made.ID] == nil {
		t.Error("a note that was just written counts as unchanged")
	}
	// Somebody else may write notes of this person between two requests, hence
	// more than one try.
	for range 3 {
		same, err := n.List(t.Context(), notes.ListOptions{Since: future, ETag: all.ETag})
		if err != nil {
			t.Fatal(err)
		}
		if same.NotModified {
			return
		}
		all = same
	}
	t.Error("an unchanged list is sent again")
}

func (n *notebook) find(t *testing.T, q notes.Query) []string {
	t.Helper()
	if q.Category == "" {
		q.Category = n.folder
	}
	found, err := n.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if found.Partial != "" {
		t.Fatalf("partial: %s", found.Partial)
	}
	titles := []string{}
	for _, h := range found.Hits {
		titles = append(titles, h.Note.Title)
	}
	return titles
}

func notesSearch(t *testing.T, n *notebook) {
	n.create(t, "Groceries", "Milk, bread and STRASSE", "")
	n.create(t, "Streets", "The straße of groceries", "Deep/Er")
	n.create(t, "Other", "nothing", "")
	for _, c := range []struct {
		query notes.Query
		want  []string
	}{
		{notes.Query{Text: "groceries"}, []string{"Groceries", "Streets"}},
		{notes.Query{Text: "straße GROC"}, []string{"Groceries", "Streets"}},
		{notes.Query{Text: "milk street"}, []string{}},
		{notes.Query{Text: "groceries", Category: n.folder + "/Deep"}, []string{"Streets"}},
		{notes.Query{Text: "deep the"}, []string{"Streets"}},
	} {
		if got := n.find(t, c.query); !slices.Equal(got, c.want) {
			t.Errorf("%+v = %q, want %q", c.query, got, c.want)
		}
	}
	if got := n.find(t, notes.Query{}); len(got) != 3 {
		t.Errorf("all = %q", got)
	}
}

func notesBehind(t *testing.T, n *notebook) {
	kept := n.create(t, "Kept", "constant", "")
	edited := n.create(t, "Edited", "constant", "")
	deleted := n.create(t, "Deleted", "constant", "")
	if got := n.find(t, notes.Query{Text: "constant"}); len(got) != 3 {
		t.Fatalf("before: %q", got)
	}
	other := &notebook{Client: notes.New(n.env.Client(t)), env: n.env, folder: n.folder}
	if _, err := other.Update(t.Context(), edited.ID, edited.ETag, notes.Change{Content: new("different constant")}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Delete(t.Context(), deleted.ID, ""); err != nil {
		t.Fatal(err)
	}
	other.create(t, "Added", "constant", "")
	got := n.find(t, notes.Query{Text: "constant"})
	slices.Sort(got)
	if want := []string{"Added", "Edited", "Kept"}; !slices.Equal(got, want) {
		t.Errorf("after: %q, want %q", got, want)
	}
	if got := n.find(t, notes.Query{Text: "different"}); !slices.Equal(got, []string{"Edited"}) {
		t.Errorf("the new content: %q", got)
	}
	// Twice within one second, and a favorite, which changes no file.
	if _, err := other.Update(t.Context(), kept.ID, kept.ETag, notes.Change{Favorite: new(true)}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Append(t.Context(), kept.ID, "another", " "); err != nil {
		t.Fatal(err)
	}
	found, err := n.Search(t.Context(), notes.Query{Text: "another", Category: n.folder})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Hits) != 1 || !found.Hits[0].Note.Favorite {
		t.Errorf("after two changes in a row: %+v", found.Hits)
	}
}

func notesAttachment(t *testing.T, n *notebook) {
	data := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0xff, 0xfe, '<')
	for _, below := range []string{"", "With/Deep Category"} {
		made := n.create(t, "Attached", "", below)
		name := n.upload(t, made, "plan.png", data)
		a, err := n.Attachment(t.Context(), made.ID, name)
		if err != nil {
			t.Errorf("%q: %v", below, err)
			continue
		}
		if a.Name != name || a.Type != "image/png" || !bytes.Equal(a.Data, data) {
			t.Errorf("%q: %s %s %q", below, a.Name, a.Type, a.Data)
		}
		if _, err := n.Attachment(t.Context(), made.ID, "not "+name); !errors.Is(err, nextcloud.ErrNotFound) || errors.Is(err, nextcloud.ErrAppMissing) {
			t.Errorf("%q: a name that is not there: %v", below, err)
		}
		for _, name := range []string{"../" + name, `..\x`, ""} {
			if _, err := n.Attachment(t.Context(), made.ID, name); !errors.Is(err, nextcloud.ErrInvalid) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
}

// upload puts a file beside a note, as the Notes app does when a person drops
// an image into it, and answers the name it got.
func (n *notebook) upload(t *testing.T, note *notes.Note, name string, data []byte) string {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	res, err := n.nc.Do(t.Context(), nextcloud.Request{
		Op: "upload", Method: http.MethodPost, Path: fmt.Sprintf("/index.php/apps/notes/api/v1.4/attachment/%d", note.ID),
		Body: body.Bytes(), Type: form.FormDataContentType(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Filename string `json:"filename"`
	}
	if err := json.Unmarshal(res.Body, &answer); err != nil || answer.Filename == "" {
		t.Fatalf("upload: %v, %q", err, res.Body)
	}
	t.Cleanup(func() { n.removeFile(t, path.Dir(note.Path)+"/"+answer.Filename) })
	return answer.Filename
}

// removeFile removes what deleting a note leaves behind. It runs before the
// note is deleted, whose empty folder the server removes.
func (n *notebook) removeFile(t *testing.T, file string) {
	ctx := context.WithoutCancel(t.Context())
	user, err := n.nc.UserID(ctx)
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	target, err := nextcloud.PathTree("/remote.php/dav/files/"+string(user), file)
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	_, err = n.nc.Do(ctx, nextcloud.Request{Op: "clean up", Method: http.MethodDelete, Path: target, Accept: "*/*"})
	if err != nil {
		t.Logf("left behind %s: %v", file, err)
	}
}
