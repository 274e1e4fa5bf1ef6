package contract

import (
	"context"
	"errors"
	"fmt"
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
