package search_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/calendar"
	"nextcloud-mcp-server/internal/tools/files"
	"nextcloud-mcp-server/internal/tools/notes"
	"nextcloud-mcp-server/internal/tools/search"
)

func start(t *testing.T) *nextcloudtest.Server {
	t.Helper()
	s := nextcloudtest.New(nil)
	s.AddNote("alice", nextcloudtest.SampleNote{Title: "Boat", Category: "Travel", Content: "The boat leaves at nine.\u202e"})
	for i := range 8 {
		s.AddNote("alice", nextcloudtest.SampleNote{Title: fmt.Sprintf("Ferry %d", i), Content: "ferry"})
	}
	s.AddNote("bob", nextcloudtest.SampleNote{Title: "Bob's boat", Content: "secret boat"})
	return s
}

func connect(t *testing.T, h http.Handler, o *tooltest.Options) *tooltest.Session {
	t.Helper()
	return tooltest.Connect(t, h, o, search.Tools.Set(), notes.Tools.Set(), calendar.Tools.Set())
}

type results struct {
	Untrusted string `json:"untrusted"`
	Items     []struct{ ID, Title, About, Source, URL string }
	Results   []struct{ ID, Title, URL string }
	More      []struct {
		Source string
		Cursor string `json:"next_cursor"`
	}
	Skipped []struct{ ID, Why string }
	Sources []string
}

type document struct {
	ID, Title, Text, URL string
	Metadata             map[string]string
}

func TestSearchAndFetch(t *testing.T) {
	s := connect(t, start(t), nil)
	var found results
	s.Read(t, "search", `{"query":"boat"}`, &found)
	if len(found.Results) != 1 || found.Results[0].Title != "Boat" || !strings.HasPrefix(found.Results[0].ID, "note:") || !strings.Contains(found.Results[0].URL, "/apps/notes/note/") {
		t.Fatalf("found %+v", found)
	}
	if found.Untrusted == "" {
		t.Error("what others wrote is not marked")
	}
	// The sources are asked for once, then each that is neither quiet nor of an
	// area that is not offered.
	if n := s.Requests(); n != 3 {
		t.Errorf("%d requests", n)
	}
	var doc document
	s.Read(t, "fetch", fmt.Sprintf(`{"id":%q}`, found.Results[0].ID), &doc)
	if doc.Title != "Boat" || doc.Text != "The boat leaves at nine." || doc.URL != found.Results[0].URL || doc.Metadata["category"] != "Travel" {
		t.Errorf("document %+v", doc)
	}
	if n := s.Requests(); n != 1 {
		t.Errorf("%d requests to read a document", n)
	}
}

// TestFiles: a file is found by its name and read by its path, unless the
// connection is limited to other folders.
func TestFiles(t *testing.T) {
	h := start(t)
	h.AddFolder("alice", "/Plans")
	h.AddFile("alice", "/Plans/moon base.md", []byte("# Moon base\nfirst the dome"))
	for folder, want := range map[string]int{"": 1, "/Plans": 1, "/Other": 0} {
		o := &tooltest.Options{}
		if folder != "" {
			o.Policy.Folders = []string{folder}
		}
		s := tooltest.Connect(t, h, o, search.Tools.Set(), files.Tools.Set())
		var found results
		s.Read(t, "nc_search", `{"query":"moon","in":["files"]}`, &found)
		if len(found.Items) != want {
			t.Fatalf("limited to %q, found %+v", folder, found)
		}
		const id = "file:/Plans/moon base.md"
		if want == 0 {
			if text := s.Refused(t, "fetch", fmt.Sprintf(`{"id":%q}`, id)); !strings.Contains(text, "limits this connection") {
				t.Error(text)
			}
			continue
		}
		var doc document
		s.Read(t, "fetch", fmt.Sprintf(`{"id":%q}`, found.Items[0].ID), &doc)
		if doc.ID != id || doc.Title != "moon base.md" || doc.Text != "# Moon base\nfirst the dome" || !strings.HasSuffix(doc.URL, "/apps/files/?dir=%2FPlans") {
			t.Errorf("document %+v", doc)
		}
	}
}

func TestEverywhere(t *testing.T) {
	s := connect(t, start(t), nil)
	var found results
	s.Read(t, "nc_search", `{"query":"ferry","in":["notes"],"limit":3}`, &found)
	if len(found.Items) != 3 || len(found.Sources) != 1 || found.Items[0].Source != "notes" || found.Skipped[0].Why != "5 more results: use more words, or a higher limit" {
		t.Errorf("found %+v", found)
	}
	s.Read(t, "nc_search", `{"query":"security","in":["Settings"]}`, &found)
	if len(found.Items) != 1 || !strings.HasPrefix(found.Items[0].ID, "entry:") {
		t.Fatalf("found %+v", found)
	}
	var doc document
	s.Read(t, "fetch", fmt.Sprintf(`{"id":%q}`, found.Items[0].ID), &doc)
	if doc.Title != "Personal info" || doc.Text != "Personal info\nSettings" || !strings.HasSuffix(doc.URL, "/settings/user") {
		t.Errorf("document %+v", doc)
	}
}

func TestRefusals(t *testing.T) {
	s := connect(t, start(t), nil)
	for args, want := range map[string]string{
		`{"query":" "}`:                                     "query has to name something to look for.",
		`{"query":"x","limit":26}`:                          "limit has to be between 1 and 25",
		`{"query":"x","in":["mail"]}`:                       `There is no source "mail" that this connection may read. There are: notes, calendar, settings.`,
		`{"query":"x","since":"yesterday"}`:                 "since has to be a date such as 2026-03-01 or a time such as 2026-03-01T09:00:00Z",
		`{"query":"x","in":["notes"],"since":"2026-01-01"}`: "None of these sources can search by time. Leave out since and until.",
		`{"query":"x","cursor":"3"}`:                        `A cursor goes with one source: name it in "in".`,
	} {
		if got := s.Refused(t, "nc_search", args); got != want {
			t.Errorf("%s: %s", args, got)
		}
	}
	for args, want := range map[string]string{
		`{"id":"x"}`:              `"x" is no id of a result. Take one from search.`,
		`{"id":"note:"}`:          `"note:" is no id of a result. Take one from search.`,
		`{"id":"entry:%%%"}`:      `"entry:%%%" is no id of a result. Take one from search.`,
		`{"id":"recipe:1"}`:       `There are no documents of the kind "recipe" on this server. Take an id from a result of search.`,
		`{"id":"note:../../etc"}`: `"../../etc" is no id of a note`,
	} {
		if got := s.Refused(t, "fetch", args); got != want {
			t.Errorf("%s: %s", args, got)
		}
	}
}

// TestOnlyWhatMayBeRead: a search shows nothing of an area that the connection
// may not read, and fetch does not either.
func TestOnlyWhatMayBeRead(t *testing.T) {
	h := start(t)
	id := func() string {
		var found results
		connect(t, h, nil).Read(t, "search", `{"query":"boat"}`, &found)
		return found.Results[0].ID
	}()
	for name, areas := range map[string][]tool.Set{"area switched off": {search.Tools.Set(), calendar.Tools.Set()}} {
		s := tooltest.Connect(t, h, nil, areas...)
		var found results
		s.Read(t, "nc_search", `{"query":"boat"}`, &found)
		if len(found.Items) != 0 {
			t.Errorf("%s: found %+v", name, found.Items)
		}
		s.Refused(t, "fetch", fmt.Sprintf(`{"id":%q}`, id))
	}
	s := connect(t, h, &tooltest.Options{Policy: policy.Policy{Refused: []string{"notes.read"}}})
	var found results
	s.Read(t, "nc_search", `{"query":"boat"}`, &found)
	if len(found.Items) != 0 {
		t.Errorf("found %+v", found.Items)
	}
	if text := s.Refused(t, "fetch", fmt.Sprintf(`{"id":%q}`, id)); !strings.Contains(text, "did not allow") {
		t.Error(text)
	}
}

// TestOneSourceFails: it is named, and the others answer.
func TestOneSourceFails(t *testing.T) {
	h := start(t)
	s := connect(t, h, nil)
	h.Fault(nextcloudtest.Fault{PathPrefix: "/ocs/v2.php/search/providers/calendar/", Status: 500})
	var found results
	s.Read(t, "nc_search", `{"query":"boat"}`, &found)
	if len(found.Items) != 1 || len(found.Skipped) != 1 || found.Skipped[0].ID != "calendar" {
		t.Errorf("found %+v", found)
	}
}
