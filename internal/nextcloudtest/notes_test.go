package nextcloudtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const notesV1 = "/index.php/apps/notes/api/v1/notes"

func decodeNote(t *testing.T, body string) noteJSON {
	t.Helper()
	var n noteJSON
	if err := json.Unmarshal([]byte(body), &n); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return n
}

func TestNoteTitles(t *testing.T) {
	for title, want := range map[string]string{
		"":                        "New note",
		"0":                       "New note",
		"..hidden":                "hidden",
		"a/b\\c":                  "abc",
		"first\nsecond":           "first",
		" padded ":                "padded",
		strings.Repeat("ü", 150):  strings.Repeat("ü", 100),
		"Plan (draft)":            "Plan (draft)",
		"what? <b>\"this\"</b> *": "what bthisb",
	} {
		if got := safeTitle(title); got != want {
			t.Errorf("safeTitle(%q) = %q, want %q", title, got, want)
		}
	}
	if got, want := titleOf("# **Bold** headline #\ntext"), "Bold headline"; got != want {
		t.Errorf("titleOf = %q, want %q", got, want)
	}
	if got, want := safeCategory("/a//../b:c/"), "a/bc"; got != want {
		t.Errorf("safeCategory = %q, want %q", got, want)
	}
}

func TestNoteTitleIsUniqueWithinItsFolder(t *testing.T) {
	s := New(nil)
	create := func(title, category string) string {
		body, _ := json.Marshal(map[string]string{"title": title, "category": category})
		return *decodeNote(t, mustCall(t, s, 200, "alice", "POST", notesV1, string(body), "Content-Type", "application/json")).Title
	}
	for _, step := range []struct{ title, category, want string }{
		{"Plan", "", "Plan"}, {"Plan", "", "Plan (2)"}, {"Plan", "", "Plan (3)"}, {"Plan", "Work", "Plan"}, {"Plan(2)", "", "Plan(2)"}, {"Plan(2)", "", "Plan(2) (2)"},
	} {
		if got := create(step.title, step.category); got != step.want {
			t.Errorf("create %q in %q gave %q, want %q", step.title, step.category, got, step.want)
		}
	}
}

func TestReadOnlyNoteRefusesChanges(t *testing.T) {
	s := New(nil)
	id := s.AddNote("alice", SampleNote{Title: "Theirs", Content: "text", ReadOnly: true})
	url := notesV1 + "/" + jsonNumber(id)
	if n := decodeNote(t, mustCall(t, s, 200, "alice", "GET", url, "")); !*n.ReadOnly {
		t.Error("readonly is false")
	}
	mustCall(t, s, 403, "alice", "PUT", url, `{"content":"mine"}`, "Content-Type", "application/json")
	mustCall(t, s, 403, "alice", "DELETE", url, "")
	if n := decodeNote(t, mustCall(t, s, 200, "alice", "GET", url, "")); *n.Content != "text" {
		t.Errorf("content is %q", *n.Content)
	}
	// A favourite is the reader's own mark.
	mustCall(t, s, 200, "alice", "PUT", url, `{"favorite":true}`, "Content-Type", "application/json")
}

func jsonNumber(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestNotesOfOthersDoNotExist(t *testing.T) {
	s := New(nil)
	id := s.AddNote("bob", SampleNote{Title: "Secret"})
	mustCall(t, s, 404, "alice", "GET", notesV1+"/"+jsonNumber(id), "")
	mustCall(t, s, 404, "alice", "DELETE", notesV1+"/"+jsonNumber(id), "")
	if got := mustCall(t, s, 200, "alice", "GET", notesV1, ""); got != "[]" {
		t.Errorf("list is %s", got)
	}
}

func TestNotesRoutes(t *testing.T) {
	s := New(nil)
	for _, test := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/index.php/apps/notes/api/v1/notes", 200},
		{"GET", "/apps/notes/api/v1/notes", 200},
		{"GET", "/apps/notes/api/v0.2/notes", 200},
		{"GET", "/apps/notes/api/v0.2/settings", 400},
		{"GET", "/apps/notes/api/v1.4/notes", 400},
		{"GET", "/apps/notes/api/v1/attachment/1", 400},
		{"GET", "/apps/notes/api/v1/notes/-1", 400},
		{"POST", "/apps/notes/api/v2/notes", 405},
		{"PATCH", "/apps/notes/api/v1/notes", 405},
	} {
		if got := call(s, "alice", test.method, test.path, "").Code; got != test.status {
			t.Errorf("%s %s: %d, want %d", test.method, test.path, got, test.status)
		}
	}
}

func TestNotesVersion02TakesTheTitleFromTheContent(t *testing.T) {
	s := New(nil)
	body := mustCall(t, s, 200, "alice", "POST", "/apps/notes/api/v0.2/notes", `{"title":"ignored","content":"# Real title\ntext"}`, "Content-Type", "application/json")
	if n := decodeNote(t, body); *n.Title != "Real title" {
		t.Errorf("title is %q", *n.Title)
	}
}

// Without a content type PHP does not look into the body, so an empty note is made.
func TestNotesBodyWithoutType(t *testing.T) {
	s := New(nil)
	if n := decodeNote(t, mustCall(t, s, 200, "alice", "POST", notesV1, `{"title":"Lost"}`)); *n.Title != "New note" {
		t.Errorf("title is %q", *n.Title)
	}
}

func TestNotesPathChoosesTheFolder(t *testing.T) {
	s := New(nil)
	s.AddNote("alice", SampleNote{Title: "Old"})
	settings := "/apps/notes/api/v1/settings"
	mustCall(t, s, 200, "alice", "PUT", settings, `{"notesPath":"../Else/where/","fileSuffix":".txt","noteMode":"nonsense"}`, "Content-Type", "application/json")
	if got, want := mustCall(t, s, 200, "alice", "GET", settings, ""), `{"notesPath":"Else\/where","fileSuffix":".txt","noteMode":"rich"}`; got != want {
		t.Errorf("settings %s, want %s", got, want)
	}
	if got := mustCall(t, s, 200, "alice", "GET", notesV1, ""); got != "[]" {
		t.Errorf("list after the change: %s", got)
	}
}

func TestAttachmentsStayInTheNotesFolder(t *testing.T) {
	s := New(nil)
	id := jsonNumber(s.AddNote("alice", SampleNote{Title: "Pictures", Category: "Work"}))
	upload := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.tar.gz\"\r\n\r\ncontent\r\n--b--\r\n"
	var answer struct{ Filename string }
	body := mustCall(t, s, 200, "alice", "POST", "/apps/notes/api/v1.4/attachment/"+id, upload, "Content-Type", "multipart/form-data; boundary=b")
	if err := json.Unmarshal([]byte(body), &answer); err != nil || !strings.HasSuffix(answer.Filename, ".tar") {
		t.Fatalf("upload answered %s", body)
	}
	read := "/apps/notes/api/v1.4/attachment/" + id + "?path="
	if got := mustCall(t, s, 200, "alice", "GET", read+answer.Filename, ""); got != "content" {
		t.Errorf("attachment is %q", got)
	}
	mustCall(t, s, 200, "alice", "GET", read+"../Work/"+answer.Filename, "")
	mustCall(t, s, 404, "alice", "GET", read+"../../../etc/passwd", "")
	mustCall(t, s, 404, "bob", "GET", read+answer.Filename, "")

	file := "/remote.php/dav/files/alice/Notes/Work/" + answer.Filename
	if got := mustCall(t, s, 200, "alice", "GET", file, ""); got != "content" {
		t.Errorf("over WebDAV: %q", got)
	}
	mustCall(t, s, 404, "bob", "GET", file, "")
	if got := mustCall(t, s, 207, "alice", "PROPFIND", "/remote.php/dav/files/alice/Notes/Work", "", "Depth", "1"); !strings.Contains(got, answer.Filename) || !strings.Contains(got, "Pictures.md") {
		t.Errorf("folder lists %s", got)
	}
	mustCall(t, s, 204, "alice", "DELETE", file, "")
	mustCall(t, s, 404, "alice", "GET", read+answer.Filename, "")
}

func TestNoteETagIsOfTheWholeNote(t *testing.T) {
	s := New(nil)
	url := notesV1 + "/" + jsonNumber(s.AddNote("alice", SampleNote{Title: "One", Content: "text"}))
	etag := call(s, "alice", "GET", url, "").Header().Get("ETag")
	for _, change := range []string{`{"content":"other"}`, `{"category":"Work"}`, `{"favorite":true}`, `{"modified":5}`, `{"title":"Two"}`} {
		w := call(s, "alice", "PUT", url, change, "If-Match", etag, "Content-Type", "application/json")
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d", change, w.Code)
		}
		if next := `"` + *decodeNote(t, w.Body.String()).ETag + `"`; next == etag {
			t.Errorf("%s left the etag as it was", change)
		} else {
			etag = next
		}
	}
	mustCall(t, s, 412, "alice", "PUT", url, `{"content":"x"}`, "If-Match", "*", "Content-Type", "application/json")
}
