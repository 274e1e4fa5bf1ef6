package contract

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/notes"
)

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
