package files

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool/tooltest"
)

// TestKeptRequests holds how many requests the tools for trash, versions, tags
// and comments cost Nextcloud.
func TestKeptRequests(t *testing.T) {
	sim, s := open(t, nil)
	sim.AddFile("alice", "Docs/a.txt", []byte("newer"))
	sim.AddTag("alice", "Red", "Docs/b.md")
	trashed := field(t, s.Read(t, "nc_webdav_delete_resource", `{"path":"/Docs/Sub"}`, nil), "trash_item")
	other := field(t, s.Read(t, "nc_webdav_delete_resource", `{"path":"/Docs/data.bin"}`, nil), "trash_item")
	var versions Versions
	s.Read(t, "nc_webdav_list_versions", `{"path":"/Docs/a.txt"}`, &versions)
	old := versions.Items[1].Version
	s.Requests()
	for _, c := range []struct {
		name, args string
		want       int
	}{
		{"nc_webdav_list_trash", `{}`, 1},
		{"nc_webdav_restore_trash_item", fmt.Sprintf(`{"item":%q}`, trashed), 3}, // where it was, the move, where it is
		{"nc_webdav_delete_trash_item", fmt.Sprintf(`{"item":%q}`, other), 2},    // where it was, the deletion
		{"nc_webdav_empty_trash", `{"total_count":0}`, 1},
		{"nc_webdav_list_versions", `{"path":"/Docs/a.txt"}`, 2}, // its id, its versions
		{"nc_webdav_read_version", fmt.Sprintf(`{"path":"/Docs/a.txt","version":%q}`, old), 2},
		{"nc_webdav_label_version", fmt.Sprintf(`{"path":"/Docs/a.txt","version":%q,"label":"x"}`, old), 2},
		{"nc_webdav_restore_version", fmt.Sprintf(`{"path":"/Docs/a.txt","version":%q}`, old), 2},
		{"nc_webdav_set_favorite", `{"path":"/Docs/a.txt","favorite":true}`, 1},
		{"nc_webdav_list_tags", `{}`, 1},
		{"nc_webdav_create_tag", `{"name":"Blue"}`, 1},
		{"nc_webdav_tag_file", `{"path":"/Docs/a.txt","tag":"blue"}`, 3}, // the tag's id, the file's id, the change
		{"nc_webdav_find_by_tag", `{"tags":["Blue"]}`, 2},                // the tag's id, the files
		{"nc_webdav_untag_file", `{"path":"/Docs/a.txt","tag":"Blue"}`, 3},
		{"nc_webdav_create_comment", `{"path":"/Docs/a.txt","message":"hello"}`, 2},
		{"nc_webdav_list_comments", `{"path":"/Docs/a.txt"}`, 2},
		{"nc_webdav_update_comment", `{"path":"/Docs/a.txt","comment_id":1,"message":"hi"}`, 3}, // and what it was
		{"nc_webdav_delete_comment", `{"path":"/Docs/a.txt","comment_id":1}`, 3},
	} {
		s.Read(t, c.name, c.args, nil)
		if got := s.Requests(); got != c.want {
			t.Errorf("%s %s: %d requests, want %d", c.name, c.args, got, c.want)
		}
	}
}

func TestTrashTools(t *testing.T) {
	sim, s := open(t, nil)
	deleted := s.Read(t, "nc_webdav_delete_resource", `{"path":"/Docs/a.txt"}`, nil)
	item := field(t, deleted, "trash_item")
	if undo := field(t, deleted, "undo"); !strings.Contains(undo, "nc_webdav_restore_trash_item") || !strings.Contains(undo, item) {
		t.Errorf("undo: %s", undo)
	}
	sim.AddFile("alice", "Docs/a.txt", []byte("another"))
	restored := s.Read(t, "nc_webdav_restore_trash_item", fmt.Sprintf(`{"item":%q}`, item), nil)
	if field(t, restored, "path") != "/Docs/a (restored).txt" || field(t, restored, "original_path") != "/Docs/a.txt" || field(t, restored, "note") == "" {
		t.Error(restored)
	}
	if content, _ := sim.FileContent("alice", "Docs/a (restored).txt"); string(content) != "one\ntwo\nthree\n" {
		t.Errorf("restored %q", content)
	}
	if text := s.Refused(t, "nc_webdav_restore_trash_item", fmt.Sprintf(`{"item":%q}`, item)); !strings.Contains(text, "not in the trash") {
		t.Error(text)
	}
	s.Read(t, "nc_webdav_delete_resource", `{"path":"/Docs/a.txt"}`, nil)
	if text := s.Refused(t, "nc_webdav_empty_trash", `{"total_count":7}`); !strings.Contains(text, "holds 1 items now, not 7") {
		t.Error(text)
	}
	if text := s.Read(t, "nc_webdav_empty_trash", `{"total_count":1}`, nil); !strings.Contains(text, "cannot be undone") {
		t.Error(text)
	}
	if text := s.Read(t, "nc_webdav_list_trash", `{}`, nil); !strings.Contains(text, `"total_count":0`) {
		t.Error(text)
	}
}

// TestTrashInFolders: a connection that is limited to a folder sees what was
// deleted there, and cannot empty the trash.
func TestTrashInFolders(t *testing.T) {
	sim, all := open(t, nil)
	all.Read(t, "nc_webdav_delete_resource", `{"path":"/Docs/a.txt"}`, nil)
	item := field(t, all.Read(t, "nc_webdav_delete_resource", `{"path":"/Private/diary.txt"}`, nil), "trash_item")
	s := tooltest.Connect(t, sim, &tooltest.Options{Policy: policy.Policy{Folders: []string{"/Docs"}}}, Tools.Set())
	if text := s.Read(t, "nc_webdav_list_trash", `{}`, nil); strings.Contains(text, "diary") || !strings.Contains(text, "/Docs/a.txt") {
		t.Error(text)
	}
	s.Refused(t, "nc_webdav_restore_trash_item", fmt.Sprintf(`{"item":%q}`, item))
	s.Refused(t, "nc_webdav_delete_trash_item", fmt.Sprintf(`{"item":%q}`, item))
	s.Refused(t, "nc_webdav_empty_trash", `{"total_count":2}`)
}

func TestVersionTools(t *testing.T) {
	sim, s := open(t, nil)
	sim.AddFile("alice", "Docs/a.txt", []byte("newer"))
	var v Versions
	s.Read(t, "nc_webdav_list_versions", `{"path":"Docs/a.txt"}`, &v)
	if len(v.Items) != 2 || !v.Items[0].Current || v.Items[1].Current || v.Items[1].Size != 14 {
		t.Fatalf("%+v", v)
	}
	old := v.Items[1].Version
	if text := field(t, s.Read(t, "nc_webdav_read_version", fmt.Sprintf(`{"path":"/Docs/a.txt","version":%q,"offset":4,"max_bytes":3}`, old), nil), "content"); text != "two" {
		t.Errorf("read %q", text)
	}
	undo := field(t, s.Read(t, "nc_webdav_restore_version", fmt.Sprintf(`{"path":"/Docs/a.txt","version":%q}`, old), nil), "undo")
	if content, _ := sim.FileContent("alice", "Docs/a.txt"); string(content) != "one\ntwo\nthree\n" || !strings.Contains(undo, v.Items[0].Version) {
		t.Errorf("%q, undo %q", content, undo)
	}
	sim.LockFile("alice", "Docs/a.txt", "bob")
	if text := s.Refused(t, "nc_webdav_restore_version", fmt.Sprintf(`{"path":"/Docs/a.txt","version":%q}`, v.Items[0].Version)); !strings.Contains(text, "Bob Example") {
		t.Error(text)
	}
	sim.ShareReadOnly("alice", "Docs", "bob")
	bob := tooltest.Connect(t, sim, &tooltest.Options{User: "bob", Password: "bob-password-1"}, Tools.Set())
	if text := bob.Refused(t, "nc_webdav_restore_version", fmt.Sprintf(`{"path":"/Docs/a.txt","version":%q}`, v.Items[0].Version)); !strings.Contains(text, "not allowed") {
		t.Error(text)
	}
}

func TestCommentTools(t *testing.T) {
	sim, s := open(t, nil)
	for i := range 25 {
		sim.AddComment("alice", "Docs/a.txt", "bob", fmt.Sprintf("from bob %d", i))
	}
	var page Comments
	s.Read(t, "nc_webdav_list_comments", `{"path":"/Docs/a.txt"}`, &page)
	if len(page.Items) != 20 || page.NextOffset != 20 || page.Items[0].Message != "from bob 24" || !page.Items[0].Unread {
		t.Errorf("%+v", page)
	}
	s.Read(t, "nc_webdav_list_comments", `{"path":"/Docs/a.txt","offset":20}`, &page)
	if text := s.Refused(t, "nc_webdav_delete_comment", `{"path":"/Docs/a.txt","comment_id":1}`); !strings.Contains(text, "only Bob Example") {
		t.Error(text)
	}
	if text := s.Refused(t, "nc_webdav_delete_comment", `{"path":"/Docs/b.md","comment_id":1}`); !strings.Contains(text, "no such comment") {
		t.Error(text)
	}
	var made SavedComment
	s.Read(t, "nc_webdav_create_comment", `{"path":"/Docs/a.txt","message":"mine"}`, &made)
	if text := s.Read(t, "nc_webdav_delete_comment", fmt.Sprintf(`{"path":"/Docs/a.txt","comment_id":%d}`, made.CommentID), nil); !strings.Contains(text, `\"mine\"`) {
		t.Errorf("the undo does not hold the text: %s", text)
	}
	for _, limit := range []int{-1, 201} {
		s.Refused(t, "nc_webdav_list_comments", fmt.Sprintf(`{"path":"/Docs/a.txt","limit":%d}`, limit))
	}
}

// excluding is a session that a tag keeps from alice's folder Private and her
// file Docs/Sub/c.txt.
func excluding(t *testing.T, sim *nextcloudtest.Server) *tooltest.Session {
	t.Helper()
	return tooltest.Connect(t, sim, &tooltest.Options{ExcludedTags: []string{"no-ai"}}, Tools.Set())
}

// TestExcludedTags: what a tag excludes is neither seen nor touched, by any tool
// that takes a path and on any way to it.
func TestExcludedTags(t *testing.T) {
	sim, plain := open(t, nil)
	sim.AddTag("alice", "no-ai", "Private", "Docs/Sub/c.txt")
	old := field(t, plain.Read(t, "nc_webdav_delete_resource", `{"path":"/Docs/data.bin"}`, nil), "trash_item")
	s := excluding(t, sim)
	for name, args := range map[string]string{
		"nc_webdav_list_directory": `{}`, "nc_webdav_list_tree": `{}`, "nc_webdav_search_files": `{"name_pattern":"*"}`,
		"nc_webdav_find_by_name": `{"pattern":"*"}`, "nc_webdav_list_recent_files": `{}`, "nc_webdav_list_tags": `{}`,
	} {
		if answer := s.Read(t, name, args, nil); strings.Contains(answer, "Private") || strings.Contains(answer, "diary") || strings.Contains(answer, "c.txt") || strings.Contains(answer, "no-ai") {
			t.Errorf("%s shows %s", name, answer)
		}
	}
	for _, path := range []string{"/Private", "Private/", "/Private/diary.txt", "/Private/new.txt", "/Docs/Sub/c.txt", "/docs/sub/C.TXT", "/PRIVATE/x"} {
		for _, c := range []struct{ name, more string }{
			{"nc_webdav_list_directory", ``},
			{"nc_webdav_get_info", ``},
			{"nc_webdav_read_file", ``},
			{"nc_webdav_list_versions", ``},
			{"nc_webdav_read_version", `,"version":"1"`},
			{"nc_webdav_restore_version", `,"version":"1"`},
			{"nc_webdav_label_version", `,"version":"1","label":"x"`},
			{"nc_webdav_write_file", `,"content":"x"`},
			{"nc_webdav_write_file", `,"content":"x","if_match":"*"`},
			{"nc_webdav_append_file", `,"content":"x"`},
			{"nc_webdav_edit_file", `,"old_text":"a","new_text":"b"`},
			{"nc_webdav_create_directory", ``},
			{"nc_webdav_delete_resource", ``},
			{"nc_webdav_set_favorite", `,"favorite":true`},
			{"nc_webdav_tag_file", `,"tag":"x"`},
			{"nc_webdav_untag_file", `,"tag":"no-ai"`},
			{"nc_webdav_list_comments", ``},
			{"nc_webdav_create_comment", `,"message":"x"`},
			{"nc_webdav_update_comment", `,"comment_id":1,"message":"x"`},
			{"nc_webdav_delete_comment", `,"comment_id":1`},
			{"nc_webdav_get_download_link", ``},
		} {
			if text := s.Refused(t, c.name, fmt.Sprintf(`{"path":%q%s}`, path, c.more)); !strings.Contains(text, "not found") {
				t.Errorf("%s %s: %s", c.name, path, text)
			}
		}
		for _, tool := range []string{"nc_webdav_move_resource", "nc_webdav_copy_resource"} {
			s.Refused(t, tool, fmt.Sprintf(`{"source_path":%q,"destination_path":"/x"}`, path))
			s.Refused(t, tool, fmt.Sprintf(`{"source_path":"/Docs/a.txt","destination_path":%q,"overwrite":true}`, path))
		}
	}
	// A folder that holds something excluded is not worked on as a whole.
	for name, args := range map[string]string{
		"nc_webdav_delete_resource": `{"path":"/Docs"}`,
		"nc_webdav_move_resource":   `{"source_path":"/Docs","destination_path":"/Elsewhere"}`,
		"nc_webdav_copy_resource":   `{"source_path":"/Docs/Sub","destination_path":"/Elsewhere"}`,
	} {
		if text := s.Refused(t, name, args); !strings.Contains(text, "keeps from assistants") {
			t.Errorf("%s: %s", name, text)
		}
	}
	// The tag itself is for people.
	for name, args := range map[string]string{
		"nc_webdav_tag_file": `{"path":"/Docs/a.txt","tag":"no-ai"}`, "nc_webdav_untag_file": `{"path":"/Docs/a.txt","tag":"NO-AI"}`,
		"nc_webdav_find_by_tag": `{"tags":["no-ai"]}`, "nc_webdav_create_tag": `{"name":"No-AI"}`,
	} {
		if text := s.Refused(t, name, args); !strings.Contains(text, "only people") {
			t.Errorf("%s: %s", name, text)
		}
	}
	// Of the trash only what was deleted here is known.
	if text := s.Read(t, "nc_webdav_list_trash", `{}`, nil); strings.Contains(text, "data.bin") || !strings.Contains(text, "tags of older items") {
		t.Error(text)
	}
	s.Refused(t, "nc_webdav_restore_trash_item", fmt.Sprintf(`{"item":%q}`, old))
	s.Refused(t, "nc_webdav_delete_trash_item", fmt.Sprintf(`{"item":%q}`, old))
	s.Refused(t, "nc_webdav_empty_trash", `{"total_count":1}`)
	item := field(t, s.Read(t, "nc_webdav_delete_resource", `{"path":"/Docs/b.md"}`, nil), "trash_item")
	if text := s.Read(t, "nc_webdav_list_trash", `{}`, nil); !strings.Contains(text, "/Docs/b.md") {
		t.Error(text)
	}
	s.Read(t, "nc_webdav_restore_trash_item", fmt.Sprintf(`{"item":%q}`, item), nil)
	if content, _ := sim.FileContent("alice", "Private/diary.txt"); string(content) != "secret" {
		t.Errorf("the diary is %q", content)
	}
	if content, _ := sim.FileContent("alice", "Docs/Sub/c.txt"); string(content) != "c" {
		t.Errorf("c.txt is %q", content)
	}
	// In a share, the recipient sees the tag too.
	sim.Share("alice", "Docs", "bob")
	bob := tooltest.Connect(t, sim, &tooltest.Options{User: "bob", Password: "bob-password-1", ExcludedTags: []string{"no-ai"}}, Tools.Set())
	bob.Refused(t, "nc_webdav_read_file", `{"path":"/Docs/Sub/c.txt"}`)
	bob.Read(t, "nc_webdav_read_file", `{"path":"/Docs/a.txt"}`, nil)
}

// TestExcludedCost: the tags are looked up once in a while, and never where
// nothing is excluded.
func TestExcludedCost(t *testing.T) {
	sim, _ := open(t, nil)
	sim.AddTag("alice", "no-ai", "Private")
	s := excluding(t, sim)
	s.Read(t, "nc_webdav_read_file", `{"path":"/Docs/a.txt"}`, nil)
	if got := s.Requests(); got != 3 { // the tag's id, what carries it, the file
		t.Errorf("%d requests for the first file", got)
	}
	s.Read(t, "nc_webdav_list_directory", `{"path":"/Docs"}`, nil)
	if got := s.Requests(); got != 1 {
		t.Errorf("%d requests for what comes next", got)
	}
}

// TestExcludedUnknown: when it is not known what is excluded, nothing is
// reached, and nothing is asked for.
func TestExcludedUnknown(t *testing.T) {
	calls := map[string]string{
		"nc_webdav_list_directory":  `{"path":"/Docs"}`,
		"nc_webdav_read_file":       `{"path":"/Docs/a.txt"}`,
		"nc_webdav_search_files":    `{"name_pattern":"*"}`,
		"nc_webdav_delete_resource": `{"path":"/Docs/a.txt"}`,
		"nc_webdav_list_trash":      `{}`,
		"nc_webdav_list_versions":   `{"path":"/Docs/a.txt"}`,
		"nc_webdav_create_comment":  `{"path":"/Docs/a.txt","message":"x"}`,
		"nc_webdav_find_by_tag":     `{"tags":["Red"]}`,
	}
	for name, prepare := range map[string]func(*nextcloudtest.Server){
		"no such tag":   func(*nextcloudtest.Server) {},
		"tags fail":     fault("PROPFIND", "/remote.php/dav/systemtags/", nextcloudtest.Fault{Status: 500}),
		"tags are HTML": fault("PROPFIND", "/remote.php/dav/systemtags/", nextcloudtest.Fault{HTML: true}),
		"report fails":  fault("REPORT", "/remote.php/dav/files/", nextcloudtest.Fault{Status: 403}),
		"report is cut": fault("REPORT", "/remote.php/dav/files/", nextcloudtest.Fault{CutBody: 200}),
		"report broken": fault("REPORT", "/remote.php/dav/files/", nextcloudtest.Fault{GarbageXML: true}),
	} {
		t.Run(name, func(t *testing.T) {
			sim, _ := open(t, nil)
			if name != "no such tag" {
				sim.AddTag("alice", "no-ai", "Private")
			}
			sim.AddTag("alice", "Red", "Docs/a.txt")
			prepare(sim)
			s := excluding(t, sim)
			for tool, args := range calls {
				if text := s.Refused(t, tool, args); strings.Contains(text, "three") || strings.Contains(text, "diary") {
					t.Errorf("%s: %s", tool, text)
				}
			}
			if content, _ := sim.FileContent("alice", "Docs/a.txt"); string(content) != "one\ntwo\nthree\n" {
				t.Errorf("it was changed: %q", content)
			}
		})
	}
}

func fault(method, path string, f nextcloudtest.Fault) func(*nextcloudtest.Server) {
	f.Method, f.PathPrefix = method, path
	return func(sim *nextcloudtest.Server) { sim.Fault(f) }
}

// TestTrashPages reads a large trash page by page.
func TestTrashPages(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	sim := nextcloudtest.New(&nextcloudtest.Options{Now: func() time.Time { return now }})
	s := tooltest.Connect(t, sim, nil, Tools.Set())
	for i := range 45 {
		name := fmt.Sprintf("/f%02d.txt", i)
		sim.AddFile("alice", name, []byte("x"))
		sim.DeleteFile("alice", name)
		if i%3 == 0 {
			now = now.Add(time.Second)
		}
	}
	seen := map[string]bool{}
	args := map[string]any{"limit": 7}
	for {
		b, _ := json.Marshal(args)
		var page Trash
		s.Read(t, "nc_webdav_list_trash", string(b), &page)
		if page.TotalCount != 45 || page.TotalSize != 45 || len(page.Items) > 7 {
			t.Fatalf("%+v", page)
		}
		for _, i := range page.Items {
			if seen[i.Item] {
				t.Errorf("%s comes twice", i.Item)
			}
			seen[i.Item] = true
		}
		if page.NextCursor == "" {
			break
		}
		args["cursor"] = page.NextCursor
	}
	if len(seen) != 45 {
		t.Errorf("%d of 45 items", len(seen))
	}
}
