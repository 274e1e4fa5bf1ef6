package files

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

func content(t *testing.T, sim *nextcloudtest.Server, name string) string {
	t.Helper()
	b, ok := sim.FileContent("alice", name)
	if !ok {
		t.Errorf("%s is not there", name)
	}
	return string(b)
}

func absent(t *testing.T, sim *nextcloudtest.Server, name string) {
	t.Helper()
	if _, ok := sim.FileContent("alice", name); ok {
		t.Errorf("%s is there", name)
	}
}

func TestWriting(t *testing.T) {
	sim, s := open(t, nil)
	var w Saved
	s.Read(t, "nc_webdav_write_file", `{"path":"/Docs/n.txt","content":"grüße"}`, &w)
	if !w.Created || w.Size != 7 || w.ETag == "" || w.Undo != "" || content(t, sim, "Docs/n.txt") != "grüße" {
		t.Errorf("%+v", w)
	}
	got := s.Refused(t, "nc_webdav_write_file", `{"path":"/Docs/n.txt","content":"other"}`)
	if !strings.Contains(got, "a file is there already, and it is kept: its etag is "+w.ETag) {
		t.Error(got)
	}
	got = s.Refused(t, "nc_webdav_write_file", `{"path":"/Docs/n.txt","content":"other","if_match":"0123"}`)
	if !strings.Contains(got, "its etag is now "+w.ETag) {
		t.Error(got)
	}
	if content(t, sim, "Docs/n.txt") != "grüße" {
		t.Error("it was overwritten")
	}
	s.Read(t, "nc_webdav_write_file", fmt.Sprintf(`{"path":"/Docs/n.txt","content":"other","if_match":%q}`, w.ETag), &w)
	if w.Undo == "" || content(t, sim, "Docs/n.txt") != "other" {
		t.Errorf("%+v", w)
	}
	binary := "\x00\xff\x01"
	s.Read(t, "nc_webdav_write_file", fmt.Sprintf(`{"path":"/Docs/n.bin","content":%q,"content_type":"application/x-thing;base64"}`, base64.StdEncoding.EncodeToString([]byte(binary))), nil)
	if content(t, sim, "Docs/n.bin") != binary {
		t.Error("base64")
	}
	s.Read(t, "nc_webdav_write_file", `{"path":"/A/B/n.txt","content":"x","create_parents":true}`, nil)
	if content(t, sim, "A/B/n.txt") != "x" {
		t.Error("parents")
	}
	for args, want := range map[string]string{
		`{"path":"/nope/n.txt","content":"x"}`:                                 "the folder /nope is not there",
		`{"path":"/Docs/n2.bin","content":"abc!","content_type":"x/y;base64"}`: "content is no base64",
		`{"path":"/Docs/.htaccess","content":"x"}`:                             "is not allowed in Nextcloud",
		`{"path":"/Docs/x.part","content":"x"}`:                                "are kept for uploads",
		`{"path":"/Docs/` + strings.Repeat("x", 251) + `","content":"x"}`:      "longer than 250 bytes",
		`{"path":"/Docs/evil\u202Etxt.exe","content":"x"}`:                     "invisible character U+202E",
		`{"path":"/Docs/a\u0085b","content":"x"}`:                              "invisible character U+0085",
		`{"path":"/Docs/ x ","content":"x"}`:                                   "begins or ends with a space",
		`{"path":"/Docs/a\nb","content":"x"}`:                                  "holds the character",
		`{"path":"/Docs/","content":"x"}`:                                      "the path names a folder",
		`{"path":"/","content":"x"}`:                                           "folder",
		`{"path":"/Docs/../../x","content":"x"}`:                               "cannot be used",
		`{"path":"/Docs/%2e%2e/%2e%2e/x","content":"x"}`:                       "percent-encoding",
		`{"path":"/Docs/%252e%252e/x","content":"x"}`:                          "percent-encoding",
		`{"path":"/Docs/x%00.txt","content":"x"}`:                              "percent-encoding",
		`{"path":"/Docs/..%2fx","content":"x"}`:                                "percent-encoding",
		`{"path":"/Docs/..\\x","content":"x"}`:                                 "holds the character",
		`{"path":"/Docs/\ud800x","content":"x"}`:                               "lost on the way",
		`{"path":"/` + strings.Repeat("y/", 2001) + `x","content":"x"}`:        "longer than 4000 bytes",
		`{"path":"/Docs/Sub","content":"x","if_match":"*"}`:                    "a folder of this name is there",
		`{"path":"/Docs/n.txt","content":"x","if_match":"a\" , \"b"}`:          "the etag is not one",
	} {
		if got := s.Refused(t, "nc_webdav_write_file", args); !strings.Contains(got, want) {
			t.Errorf("%.80s: %s", args, got)
		}
	}
}

func TestEditing(t *testing.T) {
	sim, s := open(t, nil)
	s.Read(t, "nc_webdav_edit_file", `{"path":"/Docs/a.txt","old_text":"two\n","new_text":"2\n2b\n"}`, nil)
	if got := content(t, sim, "Docs/a.txt"); got != "one\n2\n2b\nthree\n" {
		t.Errorf("%q", got)
	}
	s.Read(t, "nc_webdav_edit_file", `{"path":"/Docs/a.txt","patch":"--- a\n+++ b\n@@ -1,2 +1,2 @@\n-one\n+ONE\n 2\n"}`, nil)
	if got := content(t, sim, "Docs/a.txt"); got != "ONE\n2\n2b\nthree\n" {
		t.Errorf("%q", got)
	}
	s.Read(t, "nc_webdav_append_file", `{"path":"/Docs/a.txt","content":"four"}`, nil)
	if got := content(t, sim, "Docs/a.txt"); got != "ONE\n2\n2b\nthree\nfour" {
		t.Errorf("%q", got)
	}
	sim.AddFile("alice", "latin.txt", []byte("gr\xfc\xdfe\r\nx\r\n"))
	s.Read(t, "nc_webdav_edit_file", `{"path":"/latin.txt","old_text":"grüße\nx","new_text":"Ä\ny"}`, nil)
	if got := content(t, sim, "latin.txt"); got != "\xc4\r\ny\r\n" {
		t.Errorf("%q", got)
	}
	for args, want := range map[string]string{
		`{"path":"/Docs/a.txt","old_text":"nine","new_text":"9"}`:             "is not in the text",
		`{"path":"/Docs/a.txt","old_text":"2","new_text":"3"}`:                "is there 2 times, in lines 2, 3",
		`{"path":"/Docs/a.txt","old_text":"2"}`:                               "give either old_text and new_text, or a patch",
		`{"path":"/Docs/a.txt","old_text":"2b","new_text":"2b"}`:              "changes nothing",
		`{"path":"/Docs/a.txt","patch":"hello"}`:                              "this is no unified diff",
		`{"path":"/Docs/a.txt","old_text":"2b","new_text":"x","etag":"0123"}`: "its etag is now",
		`{"path":"/Docs/data.bin","old_text":"a","new_text":"b"}`:             "it is not a text",
		`{"path":"/latin.txt","old_text":"y","new_text":"日本"}`:                "does not have (windows-1252)",
		`{"path":"/nope.txt","old_text":"y","new_text":"z"}`:                  "not found",
	} {
		if got := s.Refused(t, "nc_webdav_edit_file", args); !strings.Contains(got, want) {
			t.Errorf("%s: %s", args, got)
		}
	}
	if got := content(t, sim, "Docs/a.txt"); got != "ONE\n2\n2b\nthree\nfour" {
		t.Errorf("a refused edit left %q", got)
	}
}

func TestMoving(t *testing.T) {
	sim, s := open(t, nil)
	var m Transferred
	s.Read(t, "nc_webdav_move_resource", `{"source_path":"/Docs/a.txt","destination_path":"/Docs/Sub/ä.txt"}`, &m)
	if m.Replaced || m.ETag == "" || !strings.Contains(m.Undo, "nc_webdav_move_resource from /Docs/Sub/ä.txt to /Docs/a.txt") {
		t.Errorf("%+v", m)
	}
	absent(t, sim, "Docs/a.txt")
	for args, want := range map[string]string{
		`{"source_path":"/Docs/b.md","destination_path":"/Docs/Sub/c.txt"}`:                                                "/Docs/Sub/c.txt is there already, and it is kept",
		`{"source_path":"/Docs/b.md","destination_path":"/Docs/Sub/c.txt","if_destination_match":"x"}`:                     "goes with overwrite",
		`{"source_path":"/Docs/b.md","destination_path":"/Docs/Sub/c.txt","overwrite":true,"if_destination_match":"0123"}`: "its etag is now",
		`{"source_path":"/Docs/b.md","destination_path":"/nope/b.md"}`:                                                     "the folder /nope is not there",
		`{"source_path":"/nope.md","destination_path":"/b.md"}`:                                                            "/nope.md is not there",
		`{"source_path":"/Docs","destination_path":"/Docs/Sub/Docs"}`:                                                      "cannot go into itself",
		`{"source_path":"/Docs","destination_path":"/Docs"}`:                                                               "both paths are the same",
		`{"source_path":"/","destination_path":"/x"}`:                                                                      "the root itself",
		`{"source_path":"/Docs/b.md","destination_path":"/Docs/b\u202e.md"}`:                                               "invisible character",
		`{"source_path":"/Docs/b.md","destination_path":"/%2e%2e/b.md"}`:                                                   "percent-encoding",
	} {
		for _, name := range []string{"nc_webdav_move_resource", "nc_webdav_copy_resource"} {
			if got := s.Refused(t, name, args); !strings.Contains(got, want) {
				t.Errorf("%s %s: %s", name, args, got)
			}
		}
	}
	s.Read(t, "nc_webdav_copy_resource", `{"source_path":"/Docs/b.md","destination_path":"/Docs/Sub/c.txt","overwrite":true}`, &m)
	if !m.Replaced || !strings.Contains(m.Undo, "What was replaced is in the trash") || content(t, sim, "Docs/Sub/c.txt") != "# B\n" {
		t.Errorf("%+v", m)
	}
	var d Deleted
	s.Read(t, "nc_webdav_delete_resource", `{"path":"/Docs/Sub"}`, &d)
	if !d.Folder || !strings.HasPrefix(d.TrashItem, "Sub.d") || !strings.Contains(d.Undo, d.TrashItem) {
		t.Errorf("%+v", d)
	}
	for args, want := range map[string]string{
		`{"path":"/Docs/Sub"}`:                "not found",
		`{"path":"/"}`:                        "the root itself cannot be deleted",
		`{"path":""}`:                         "the root itself cannot be deleted",
		`{"path":"/Docs/b.md","etag":"0123"}`: "its etag is now",
	} {
		if got := s.Refused(t, "nc_webdav_delete_resource", args); !strings.Contains(got, want) {
			t.Errorf("%s: %s", args, got)
		}
	}
	var f Folder
	s.Read(t, "nc_webdav_create_directory", `{"path":"/Docs"}`, &f)
	if f.Created || f.Note == "" {
		t.Errorf("%+v", f)
	}
	if got := s.Refused(t, "nc_webdav_create_directory", `{"path":"/x/y"}`); !strings.Contains(got, "the folder /x is not there") {
		t.Error(got)
	}
}

// TestFaults checks that what goes wrong at Nextcloud is said, and nothing is
// reported as done that is not.
func TestFaults(t *testing.T) {
	t.Parallel()
	const files = "/remote.php/dav/files/alice/"
	for name, c := range map[string]struct {
		fault      nextcloudtest.Fault
		tool, args string
		want       string
	}{
		"cut while reading":    {nextcloudtest.Fault{Method: "GET", PathPrefix: files, CutBody: 5}, "nc_webdav_read_file", `{"path":"/Docs/a.txt"}`, "cut off"},
		"too short":            {nextcloudtest.Fault{Method: "GET", PathPrefix: files, WrongContentLength: true}, "nc_webdav_read_file", `{"path":"/Docs/a.txt"}`, "cut off"},
		"cut while listing":    {nextcloudtest.Fault{Method: "PROPFIND", PathPrefix: files, CutBody: 700}, "nc_webdav_list_directory", `{"path":"/Docs"}`, "not available now"},
		"no XML":               {nextcloudtest.Fault{Method: "PROPFIND", PathPrefix: files, GarbageXML: true}, "nc_webdav_list_directory", `{"path":"/Docs"}`, "not the XML that was expected"},
		"a web page":           {nextcloudtest.Fault{Method: "PROPFIND", PathPrefix: files, HTML: true}, "nc_webdav_list_directory", `{"path":"/Docs"}`, "unexpected answer"},
		"search without XML":   {nextcloudtest.Fault{Method: "SEARCH", GarbageXML: true}, "nc_webdav_search_files", `{}`, "not the XML that was expected"},
		"bomb":                 {nextcloudtest.Fault{Method: "PROPFIND", PathPrefix: files, Status: 207, Body: `<!DOCTYPE x [<!ENTITY a "b">]><d:multistatus xmlns:d="DAV:"><d:response><d:href>&a;</d:href></d:response></d:multistatus>`}, "nc_webdav_list_directory", `{"path":"/Docs"}`, "not the XML that was expected"},
		"deep":                 {nextcloudtest.Fault{Method: "PROPFIND", PathPrefix: files, Status: 207, Body: `<d:multistatus xmlns:d="DAV:">` + strings.Repeat("<d:response>", 5000)}, "nc_webdav_list_directory", `{"path":"/Docs"}`, "not the XML that was expected"},
		"empty answer":         {nextcloudtest.Fault{Method: "PROPFIND", PathPrefix: files, Status: 207, Body: `<d:multistatus xmlns:d="DAV:"/>`}, "nc_webdav_list_directory", `{"path":"/Docs"}`, "not about this folder"},
		"quota":                {nextcloudtest.Fault{Method: "PUT", Status: 507}, "nc_webdav_write_file", `{"path":"/Docs/q.txt","content":"x"}`, "does not fit into the quota"},
		"read-only":            {nextcloudtest.Fault{Method: "PUT", Status: 403}, "nc_webdav_write_file", `{"path":"/Docs/q.txt","content":"x"}`, "does not give this person the right"},
		"slow down":            {nextcloudtest.Fault{Method: "PUT", Status: 429, Header: http.Header{"Retry-After": {"7"}}}, "nc_webdav_write_file", `{"path":"/Docs/q.txt","content":"x"}`, "Wait 7 seconds"},
		"maintenance":          {nextcloudtest.Fault{Method: "DELETE", Status: 503, Header: http.Header{"X-Nextcloud-Maintenance-Mode": {"1"}}}, "nc_webdav_delete_resource", `{"path":"/Docs/b.md"}`, "maintenance"},
		"lost answer":          {nextcloudtest.Fault{Method: "PUT", Reset: true}, "nc_webdav_write_file", `{"path":"/Docs/q.txt","content":"x"}`, "look first whether it was done"},
		"too large for server": {nextcloudtest.Fault{Method: "PUT", Status: 413}, "nc_webdav_write_file", `{"path":"/Docs/q.txt","content":"x"}`, "too large"},
		"broken server":        {nextcloudtest.Fault{Method: "MOVE", Status: 500, Body: "SQLSTATE secret"}, "nc_webdav_move_resource", `{"source_path":"/Docs/b.md","destination_path":"/Docs/x.md"}`, "not available now"},
	} {
		sim, s := open(t, nil)
		sim.Fault(c.fault)
		got := s.Refused(t, c.tool, c.args)
		if !strings.Contains(got, c.want) || strings.ContainsAny(got, "<>") || strings.Contains(got, "SQLSTATE") {
			t.Errorf("%s: %s", name, got)
		}
		absent(t, sim, "Docs/q.txt")
	}
	// What is locked says by whom.
	sim, s := open(t, nil)
	sim.LockFile("alice", "Docs/b.md", "bob")
	for _, call := range [][2]string{
		{"nc_webdav_write_file", `{"path":"/Docs/b.md","content":"x","if_match":"*"}`},
		{"nc_webdav_delete_resource", `{"path":"/Docs/b.md"}`},
	} {
		if got := s.Refused(t, call[0], call[1]); !strings.Contains(got, "locked by ") || !strings.Contains(got, "ob") {
			t.Errorf("%s: %s", call[0], got)
		}
	}
	// A share without the right to write, and a quota.
	sim, s = open(t, nil)
	sim.AddFile("bob", "Team/plan.txt", []byte("plan"))
	sim.ShareReadOnly("bob", "Team", "alice")
	for _, call := range [][2]string{
		{"nc_webdav_write_file", `{"path":"/Team/new.txt","content":"x"}`},
		{"nc_webdav_edit_file", `{"path":"/Team/plan.txt","old_text":"plan","new_text":"x"}`},
		{"nc_webdav_create_directory", `{"path":"/Team/Sub"}`},
	} {
		if got := s.Refused(t, call[0], call[1]); !strings.Contains(got, "not allowed") {
			t.Errorf("%s: %s", call[0], got)
		}
	}
	sim.SetQuota("alice", 200)
	if got := s.Refused(t, "nc_webdav_write_file", `{"path":"/Docs/q.txt","content":"`+strings.Repeat("x", 500)+`"}`); !strings.Contains(got, "does not fit into the quota") {
		t.Error(got)
	}
	absent(t, sim, "Docs/q.txt")
}
