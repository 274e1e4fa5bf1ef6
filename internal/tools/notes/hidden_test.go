package notes

import (
	"fmt"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
)

// TestExcluded: notes whose files are excluded by a tag are not there.
func TestExcluded(t *testing.T) {
	sim := nextcloudtest.New(nil)
	open := sim.AddNote("alice", nextcloudtest.SampleNote{Title: "Open", Content: "word"})
	shut := sim.AddNote("alice", nextcloudtest.SampleNote{Title: "Shut", Category: "Secret/Deep", Content: "word"})
	sim.AddFile("alice", "Notes/picture.png", []byte("\x89PNG"))
	sim.AddTag("alice", "no-ai", "Notes/Secret", "Notes/picture.png")
	s := tooltest.Connect(t, sim, &tooltest.Options{ExcludedTags: []string{"no-ai"}}, Tools.Set())
	answer := s.Read(t, "nc_notes_search_notes", `{"query":"word"}`, nil)
	if strings.Contains(answer, "Shut") || !strings.Contains(answer, "Open") || !strings.Contains(answer, `"total":1`) {
		t.Errorf("found %s", answer)
	}
	s.Read(t, "nc_notes_get_note", fmt.Sprintf(`{"note_id":%d}`, open), nil)
	for name, args := range map[string]string{
		"nc_notes_get_note":       fmt.Sprintf(`{"note_id":%d}`, shut),
		"nc_notes_update_note":    fmt.Sprintf(`{"note_id":%d,"etag":"x","title":"y"}`, shut),
		"nc_notes_append_content": fmt.Sprintf(`{"note_id":%d,"content":"y"}`, shut),
		"nc_notes_delete_note":    fmt.Sprintf(`{"note_id":%d}`, shut),
		"nc_notes_get_attachment": fmt.Sprintf(`{"note_id":%d,"attachment_filename":"picture.png"}`, open),
	} {
		if text := s.Refused(t, name, args); !strings.Contains(text, "not found") {
			t.Errorf("%s: %s", name, text)
		}
	}
	for _, category := range []string{"Secret", "Secret/New", "se*cret", ".Secret", "Secret/../Secret"} {
		s.Refused(t, "nc_notes_create_note", fmt.Sprintf(`{"title":"x","content":"x","category":%q}`, category))
	}
	s.Refused(t, "nc_notes_update_note", fmt.Sprintf(`{"note_id":%d,"etag":"x","category":"Secret"}`, open))
	if text := s.Read(t, "nc_notes_create_note", `{"title":"x","content":"x","category":"Fine"}`, nil); !strings.Contains(text, "Fine") {
		t.Error(text)
	}
	// Nobody knows, so nothing is there.
	sim.Fault(nextcloudtest.Fault{Method: "PROPFIND", PathPrefix: "/remote.php/dav/systemtags/", Status: 500})
	s = tooltest.Connect(t, sim, &tooltest.Options{ExcludedTags: []string{"no-ai"}}, Tools.Set())
	for name, args := range map[string]string{
		"nc_notes_search_notes": `{"query":"word"}`,
		"nc_notes_get_note":     fmt.Sprintf(`{"note_id":%d}`, open),
		"nc_notes_create_note":  `{"title":"x","content":"x"}`,
	} {
		if text := s.Refused(t, name, args); strings.Contains(text, "word") {
			t.Errorf("%s: %s", name, text)
		}
	}
}
