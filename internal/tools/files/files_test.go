package files

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool/tooltest"
)

// open is a simulated Nextcloud whose alice has some files, and a session with
// its tools.
func open(t *testing.T, opts *tooltest.Options) (*nextcloudtest.Server, *tooltest.Session) {
	t.Helper()
	sim := nextcloudtest.New(nil)
	long := time.Now().Add(-time.Hour)
	for name, content := range map[string]string{
		"Docs/a.txt": "one\ntwo\nthree\n", "Docs/b.md": "# B\n", "Docs/Sub/c.txt": "c", "Private/diary.txt": "secret",
		"Docs/pic.png": string(pictureOf(t, 2, 1)), "Docs/data.bin": "\x00\x01\x02\x03\xff\xfe\xfd",
	} {
		sim.AddFileAt("alice", name, []byte(content), long)
	}
	return sim, tooltest.Connect(t, sim, opts, Tools.Set())
}

// field is a text of a result in JSON.
func field(t *testing.T, answer, name string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(answer), &m); err != nil {
		t.Fatal(err)
	}
	text, _ := m[name].(string)
	return text
}

// TestRequests holds how many requests each tool costs Nextcloud.
func TestRequests(t *testing.T) {
	_, s := open(t, nil)
	etag := field(t, s.Read(t, "nc_webdav_get_info", `{"path":"/Docs/a.txt"}`, nil), "etag")
	s.Requests()
	for _, c := range []struct {
		name, args string
		want       int
	}{
		{"nc_webdav_list_directory", `{"path":"/Docs"}`, 1},
		{"nc_webdav_get_info", `{"path":"/Docs/a.txt"}`, 1},
		{"nc_webdav_list_tree", `{"path":"/"}`, 2}, // the folder itself, and those below it
		{"nc_webdav_read_file", `{"path":"/Docs/a.txt"}`, 1},
		{"nc_webdav_read_file", `{"path":"/Docs/a.txt","start_line":2,"end_line":2}`, 1},
		{"nc_webdav_read_file", `{"path":"/Docs/pic.png"}`, 1},
		{"nc_webdav_search_files", `{"name_pattern":"a","kind":"file","min_size":1}`, 1},
		{"nc_webdav_find_by_name", `{"pattern":"*.txt"}`, 1},
		{"nc_webdav_find_by_type", `{"mime_type":"image/"}`, 1},
		{"nc_webdav_list_favorites", `{}`, 1},
		{"nc_webdav_list_recent_files", `{}`, 1},
		{"nc_webdav_get_download_link", `{"path":"/Docs/a.txt"}`, 2}, // its id, and the link
		{"nc_webdav_write_file", `{"path":"/Docs/new.txt","content":"x"}`, 1},
		{"nc_webdav_write_file", `{"path":"/Docs/a.txt","content":"1\n2\n3\n","if_match":"` + etag + `"}`, 1},
		{"nc_webdav_write_file", `{"path":"/Docs/b.md","content":"# C\n","if_match":"*"}`, 1},
		{"nc_webdav_edit_file", `{"path":"/Docs/Sub/c.txt","old_text":"c","new_text":"d"}`, 2}, // read, write
		{"nc_webdav_create_directory", `{"path":"/Docs/New"}`, 1},
		{"nc_webdav_copy_resource", `{"source_path":"/Docs/new.txt","destination_path":"/Docs/copy.txt"}`, 1},
		{"nc_webdav_move_resource", `{"source_path":"/Docs/copy.txt","destination_path":"/Docs/moved.txt"}`, 1},
		{"nc_webdav_delete_resource", `{"path":"/Docs/moved.txt"}`, 2}, // and where it is in the trash
	} {
		s.Read(t, c.name, c.args, nil)
		if got := s.Requests(); got != c.want {
			t.Errorf("%s %s: %d requests, want %d", c.name, c.args, got, c.want)
		}
	}
	// What is refused here costs nothing.
	for _, args := range []string{`{"path":"../x"}`, `{"path":"/a/%2e%2e/b"}`, `{"path":"/a%00b"}`, `{"path":"/a\u0000b"}`, `{"path":"/a\\b"}`} {
		s.Refused(t, "nc_webdav_read_file", args)
	}
	if got := s.Requests(); got != 0 {
		t.Errorf("%d requests for paths that are refused", got)
	}
}

func TestListing(t *testing.T) {
	_, s := open(t, nil)
	var l Listing
	s.Read(t, "nc_webdav_list_directory", `{"path":"Docs","limit":2}`, &l)
	if l.Path != "/Docs" || l.TotalCount != 5 || l.Files != 4 || l.Directories != 1 || len(l.Items) != 2 || l.Items[0].Path != "/Docs/Sub" || !l.Items[0].Folder || l.NextCursor == "" {
		t.Errorf("%+v", l)
	}
	if it := l.Items[1]; it.Path != "/Docs/a.txt" || it.Size != 14 || it.Type != "text/plain" || it.ETag == "" || it.FileID == 0 || it.Modified == "" || !strings.Contains(it.URL, "/index.php/f/") {
		t.Errorf("%+v", it)
	}
	s.Read(t, "nc_webdav_list_directory", fmt.Sprintf(`{"path":"Docs","cursor":%q}`, l.NextCursor), &l)
	if len(l.Items) != 3 {
		t.Errorf("%+v", l.Items)
	}
	for args, want := range map[string]string{
		`{"path":"/nope"}`:       "Could not list /nope: not found",
		`{"path":"/Docs/a.txt"}`: "it is a file, not a folder",
		`{"limit":501}`:          "limit has to be between 1 and 500",
		`{"cursor":"x"}`:         "the cursor is not one that this tool gave",
		`{"path":"/a/../b"}`:     "cannot be used",
	} {
		if got := s.Refused(t, "nc_webdav_list_directory", args); !strings.Contains(got, want) {
			t.Errorf("%s: %s", args, got)
		}
	}
	var f Forest
	s.Read(t, "nc_webdav_list_tree", `{"path":"/","depth":1}`, &f)
	if !f.Deeper || f.Size == 0 {
		t.Errorf("%+v", f)
	}
	var i Info
	s.Read(t, "nc_webdav_get_info", `{"path":"/Docs"}`, &i)
	if !i.Folder || *i.Files != 4 || *i.Folders != 1 || !strings.Contains(strings.Join(i.Permissions, ","), "create files in it") || i.Owner != "alice" {
		t.Errorf("%+v", i)
	}
}

// TestSearching checks conditions together, in pages.
func TestSearching(t *testing.T) {
	_, s := open(t, nil)
	for args, want := range map[string]string{
		`{"name_pattern":"*.txt"}`:                                       "/Docs/Sub/c.txt /Docs/a.txt /Private/diary.txt",
		`{"scope":"/Docs","mime_type":"text","kind":"file"}`:             "/Docs/Sub/c.txt /Docs/a.txt /Docs/b.md",
		`{"scope":"Docs","min_size":3,"max_size":8,"kind":"file"}`:       "/Docs/b.md /Docs/data.bin",
		`{"modified_before":"2020-01-01"}`:                               "",
		`{"scope":"/Docs","kind":"folder"}`:                              "/Docs/Sub",
		`{"scope":"/Docs","sort":"size","limit":1,"kind":"file"}`:        "/Docs/pic.png",
		`{"only_favorites":true}`:                                        "",
		`{"modified_after":"2020-01-01T00:00:00Z","mime_type":"image/"}`: "/Docs/pic.png",
	} {
		var f Found
		s.Read(t, "nc_webdav_search_files", args, &f)
		var got []string
		for _, i := range f.Items {
			got = append(got, i.Path)
		}
		if sorted(got) != want {
			t.Errorf("%s: %s, want %s", args, sorted(got), want)
		}
	}
	for args, want := range map[string]string{
		`{"scope":"/nope"}`:           "the folder /nope is not there",
		`{"scope":"/Docs/a.txt"}`:     "is a file",
		`{"name_pattern":"a/b"}`:      "a name holds no slash",
		`{"modified_after":"monday"}`: "modified_after has to be a date",
		`{"min_size":-1}`:             "sizes cannot be negative",
		`{"cursor":"!"}`:              "the cursor is not one",
	} {
		if got := s.Refused(t, "nc_webdav_search_files", args); !strings.Contains(got, want) {
			t.Errorf("%s: %s", args, got)
		}
	}
}

// TestFolders checks that a connection that is limited to folders reaches
// nothing else, whatever the tool.
func TestFolders(t *testing.T) {
	_, s := open(t, &tooltest.Options{Policy: policy.Policy{Folders: []string{"/Docs"}}})
	for _, call := range [][2]string{
		{"nc_webdav_list_directory", `{"path":"/Private"}`},
		{"nc_webdav_list_directory", `{}`},
		{"nc_webdav_list_directory", `{"path":"/Docs/../Private"}`},
		{"nc_webdav_get_info", `{"path":"/Private/diary.txt"}`},
		{"nc_webdav_read_file", `{"path":"/Private/diary.txt"}`},
		{"nc_webdav_list_tree", `{"path":"/"}`},
		{"nc_webdav_search_files", `{"scope":"/Private"}`},
		{"nc_webdav_get_download_link", `{"path":"/Private/diary.txt"}`},
		{"nc_webdav_write_file", `{"path":"/x.txt","content":"x"}`},
		{"nc_webdav_edit_file", `{"path":"/Private/diary.txt","old_text":"s","new_text":"x"}`},
		{"nc_webdav_append_file", `{"path":"/Private/diary.txt","content":"x"}`},
		{"nc_webdav_create_directory", `{"path":"/New"}`},
		{"nc_webdav_delete_resource", `{"path":"/Private"}`},
		{"nc_webdav_move_resource", `{"source_path":"/Docs/a.txt","destination_path":"/a.txt"}`},
		{"nc_webdav_move_resource", `{"source_path":"/Private/diary.txt","destination_path":"/Docs/d.txt"}`},
		{"nc_webdav_copy_resource", `{"source_path":"/Private/diary.txt","destination_path":"/Docs/d.txt"}`},
		{"nc_webdav_copy_resource", `{"source_path":"/Docs/a.txt","destination_path":"/Private/a.txt"}`},
		{"nc_webdav_upload_file", `{"path":"/x.bin","url":"https://example.com/"}`},
	} {
		if got := s.Refused(t, call[0], call[1]); !strings.Contains(got, "limits this connection to these folders") && !strings.Contains(got, "cannot be used") {
			t.Errorf("%s %s: %s", call[0], call[1], got)
		}
	}
	if got := s.Requests(); got != 0 {
		t.Errorf("%d requests were made", got)
	}
	var f Found
	s.Read(t, "nc_webdav_search_files", `{"name_pattern":"*.txt"}`, &f)
	if f.Scope != "/Docs" || len(f.Items) != 2 {
		t.Errorf("%+v", f)
	}
	s.Read(t, "nc_webdav_list_directory", `{"path":"/Docs"}`, nil)
	if _, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "nextcloud://files/Private/diary.txt"}); err == nil {
		t.Error("the resource is read")
	}

	// Of several folders, a search sees all and nothing else.
	_, s = open(t, &tooltest.Options{Policy: policy.Policy{Folders: []string{"/Docs/Sub", "/Private"}}})
	s.Read(t, "nc_webdav_search_files", `{"name_pattern":"*.txt"}`, &f)
	if len(f.Items) != 2 || f.Items[0].Path == "/Docs/a.txt" || f.Items[1].Path == "/Docs/a.txt" {
		t.Errorf("%+v", f.Items)
	}
}

// TestExcluded checks that what carries an excluded tag is not there.
func TestExcluded(t *testing.T) {
	sim, s := open(t, &tooltest.Options{ExcludedTags: []string{"no-ai"}})
	sim.AddTag("alice", "no-ai", "Private")
	for _, call := range [][2]string{
		{"nc_webdav_read_file", `{"path":"/Private/diary.txt"}`},
		{"nc_webdav_delete_resource", `{"path":"/Private"}`},
		{"nc_webdav_move_resource", `{"source_path":"/Private/diary.txt","destination_path":"/Docs/d.txt"}`},
		{"nc_webdav_write_file", `{"path":"/Private/x.txt","content":"x"}`},
	} {
		if got := s.Refused(t, call[0], call[1]); !strings.Contains(got, "not found") || strings.Contains(got, "secret") {
			t.Errorf("%s %s: %s", call[0], call[1], got)
		}
	}
	for _, call := range [][2]string{
		{"nc_webdav_list_directory", `{}`}, {"nc_webdav_search_files", `{}`}, {"nc_webdav_list_tree", `{}`}, {"nc_webdav_list_recent_files", `{}`},
	} {
		if got := s.Read(t, call[0], call[1], nil); strings.Contains(got, "Private") || !strings.Contains(got, "Docs") {
			t.Errorf("%s: %s", call[0], got)
		}
	}
	if _, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "nextcloud://files/Private/diary.txt"}); err == nil {
		t.Error("the resource is read")
	}
}
