package nextcloudtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	davAlice   = "/remote.php/dav/files/alice"
	davBob     = "/remote.php/dav/files/bob"
	trashAlice = "/remote.php/dav/trashbin/alice"
)

// want calls and compares status and a part of the answer.
func want(t *testing.T, s *Server, status int, part, user, method, target, body string, header ...string) string {
	t.Helper()
	answer := mustCall(t, s, status, user, method, target, body, header...)
	if !strings.Contains(answer, part) {
		t.Errorf("%s %s: %q is not in %s", method, target, part, answer)
	}
	return answer
}

func TestFileRefusals(t *testing.T) {
	s := New(nil)
	s.AddFile("alice", "docs/a.txt", []byte("a"))
	s.AddFile("alice", "docs/b.txt", []byte("b"))
	s.AddFile("alice", "read/only.txt", []byte("r"))
	s.LockFile("alice", "docs/a.txt", "bob")
	mounted := s.ShareReadOnly("alice", "read", "bob")
	if mounted != "read" {
		t.Fatalf("mounted as %q", mounted)
	}
	for _, c := range []struct {
		user, method, target, body string
		status                     int
		part                       string
		header                     []string
	}{
		{"alice", "PUT", davAlice + "/docs/a.txt", "x", 423, "is locked", nil},
		{"alice", "DELETE", davAlice + "/docs/a.txt", "", 423, "is locked", nil},
		{"alice", "DELETE", davAlice + "/docs", "", 423, "is locked", nil},
		{"alice", "MOVE", davAlice + "/docs/a.txt", "", 423, "is locked", []string{"Destination", davAlice + "/c.txt"}},
		{"alice", "COPY", davAlice + "/docs/b.txt", "", 423, "is locked", []string{"Destination", davAlice + "/docs/a.txt"}},
		{"bob", "PUT", davBob + "/read/only.txt", "x", 403, "Forbidden", nil},
		{"bob", "PUT", davBob + "/read/new.txt", "x", 403, "Forbidden", nil},
		{"bob", "MKCOL", davBob + "/read/new", "", 403, "Forbidden", nil},
		{"bob", "DELETE", davBob + "/read/only.txt", "", 403, "Forbidden", nil},
		{"bob", "MOVE", davBob + "/read/only.txt", "", 403, "Forbidden", []string{"Destination", davBob + "/mine.txt"}},
		{"alice", "MKCOL", davAlice + "/" + strings.Repeat("x", 251), "", 400, "too long", nil},
		{"alice", "MKCOL", davAlice + "/a%0ab", "", 400, "invalid character", nil},
		{"alice", "PUT", davAlice + "/a.part", "x", 400, "forbidden file type", nil},
		{"alice", "PUT", davAlice + "/docs", "x", 409, "non-files", nil},
		{"alice", "DELETE", davAlice + "/", "", 403, "", nil},
		{"alice", "MOVE", davAlice + "/docs/b.txt", "", 403, "out of base uri", []string{"Destination", "http://else.example/x"}},
		{"alice", "MOVE", davAlice + "/docs/b.txt", "", 409, "not found", []string{"Destination", davBob + "/b.txt"}},
		{"alice", "COPY", davAlice + "/docs/b.txt", "", 412, "If header", []string{"Destination", davAlice + "/read/only.txt", "If", "<" + davAlice + `/read/only.txt> (["stale"])`}},
		{"alice", "REPORT", davAlice, `<oc:filter-files xmlns:oc="http://owncloud.org/ns"><oc:filter-rules><oc:systemtag>99</oc:systemtag></oc:filter-rules></oc:filter-files>`, 412, "non-existing tag", nil},
		{"alice", "PROPPATCH", davAlice + "/docs/b.txt", `<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><d:getetag>x</d:getetag></d:prop></d:set></d:propertyupdate>`, 207, "403 Forbidden", nil},
	} {
		want(t, s, c.status, c.part, c.user, c.method, c.target, c.body, c.header...)
	}
	if content, _ := s.FileContent("alice", "docs/a.txt"); string(content) != "a" {
		t.Errorf("a.txt holds %q", content)
	}
	// The lock of one's own does not hinder.
	s.LockFile("alice", "docs/a.txt", "alice")
	mustCall(t, s, 204, "alice", "PUT", davAlice+"/docs/a.txt", "mine")
	// What was shared can be read, and put out of one's own view.
	want(t, s, 200, "r", "bob", "GET", davBob+"/read/only.txt", "")
	mustCall(t, s, 204, "bob", "DELETE", davBob+"/read", "")
	mustCall(t, s, 404, "bob", "GET", davBob+"/read/only.txt", "")
	mustCall(t, s, 200, "alice", "GET", davAlice+"/read/only.txt", "")
}

func TestQuota(t *testing.T) {
	s := New(nil)
	s.AddFile("alice", "a.txt", []byte("12345"))
	s.SetQuota("alice", 10)
	want(t, s, 507, "Insufficient space in files/alice, 6 required, 5 available", "alice", "PUT", davAlice+"/b.txt", "123456")
	mustCall(t, s, 204, "alice", "PUT", davAlice+"/a.txt", "1234567890")
	want(t, s, 507, "", "alice", "COPY", davAlice+"/a.txt", "", "Destination", davAlice+"/c.txt")
	want(t, s, 207, "<d:quota-available-bytes>0<", "alice", "PROPFIND", davAlice, "", "Depth", "0")
	mustCall(t, s, 201, "alice", "MOVE", davAlice+"/a.txt", "", "Destination", davAlice+"/c.txt")
	mustCall(t, s, 204, "alice", "DELETE", davAlice+"/c.txt", "")
	mustCall(t, s, 201, "alice", "PUT", davAlice+"/b.txt", "123456")
}

func TestFileTrash(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := New(&Options{Now: func() time.Time { return now }})
	first := s.AddFile("alice", "docs/deep/a.txt", []byte("first"))
	mustCall(t, s, 204, "alice", "DELETE", davAlice+"/docs/deep", "")
	s.AddFile("alice", "docs/deep", []byte("in the way"))
	want(t, s, 207, "trash/deep.d1800000000/a.txt", "alice", "PROPFIND", trashAlice+"/trash/deep.d1800000000", "", "Depth", "1")
	want(t, s, 200, "first", "alice", "GET", trashAlice+"/trash/deep.d1800000000/a.txt", "")
	mustCall(t, s, 403, "alice", "MOVE", trashAlice+"/trash/deep.d1800000000", "", "Destination", trashAlice+"/elsewhere/x")
	mustCall(t, s, 201, "alice", "MOVE", trashAlice+"/trash/deep.d1800000000", "", "Destination", trashAlice+"/restore/deep")
	if id := s.FileID("alice", "docs/deep (restored)/a.txt"); id != first {
		t.Errorf("restored as %d, want %d", id, first)
	}
	// A folder that is gone: back to the top.
	mustCall(t, s, 204, "alice", "DELETE", davAlice+"/docs/deep%20(restored)/a.txt", "")
	mustCall(t, s, 204, "alice", "DELETE", davAlice+"/docs", "")
	mustCall(t, s, 201, "alice", "MOVE", trashAlice+"/trash/a.txt.d1800000000", "", "Destination", trashAlice+"/restore/a.txt")
	if id := s.FileID("alice", "a.txt"); id != first {
		t.Errorf("restored as %d, want %d", id, first)
	}
	mustCall(t, s, 404, "bob", "PROPFIND", trashAlice+"/trash", "", "Depth", "1")
	mustCall(t, s, 204, "alice", "DELETE", trashAlice+"/trash", "")
	answer := mustCall(t, s, 207, "alice", "PROPFIND", trashAlice+"/trash", "", "Depth", "1")
	if strings.Count(answer, "<d:response>") != 1 {
		t.Errorf("not empty: %s", answer)
	}
	home := s.account("alice").files
	if home.files != 2 || home.bytes != int64(len("first")) {
		t.Errorf("%d files with %d bytes are left", home.files, home.bytes)
	}
}

func TestFileVersions(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := New(&Options{Now: func() time.Time { return now }})
	id := s.AddFile("alice", "a.txt", []byte("one"))
	now = now.Add(time.Minute)
	mustCall(t, s, 204, "alice", "PUT", davAlice+"/a.txt", "two")
	now = now.Add(time.Minute)
	mustCall(t, s, 204, "alice", "PUT", davAlice+"/a.txt", "three")
	list := fmt.Sprintf("/remote.php/dav/versions/alice/versions/%d", id)
	if answer := mustCall(t, s, 207, "alice", "PROPFIND", list, ""); strings.Count(answer, "<d:response>") != 4 {
		t.Errorf("versions: %s", answer)
	}
	want(t, s, 200, "one", "alice", "GET", list+"/1800000000", "")
	mustCall(t, s, 201, "alice", "MOVE", list+"/1800000000", "", "Destination", "/remote.php/dav/versions/alice/restore/target")
	want(t, s, 200, "one", "alice", "GET", davAlice+"/a.txt", "")
	want(t, s, 200, "three", "alice", "GET", list+"/1800000120", "")
	mustCall(t, s, 204, "alice", "DELETE", list+"/1800000060", "")
	mustCall(t, s, 404, "alice", "GET", list+"/1800000060", "")
	mustCall(t, s, 404, "bob", "PROPFIND", list, "")
	if home := s.account("alice").files; home.bytes != int64(len("one")+len("three")) {
		t.Errorf("%d bytes are kept", home.bytes)
	}
}

// search is a SEARCH below a folder of alice.
func search(where, more string) string {
	return `<d:searchrequest xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:ns="https://github.com/icewind1991/SearchDAV/ns"><d:basicsearch>
<d:select><d:prop><d:displayname/></d:prop></d:select><d:from><d:scope><d:href>/files/alice/in</d:href><d:depth>infinity</d:depth></d:scope></d:from>
<d:where>` + where + `</d:where>` + more + `</d:basicsearch></d:searchrequest>`
}

func TestFileSearch(t *testing.T) {
	s := New(nil)
	for i := range 150 {
		s.AddFileAt("alice", fmt.Sprintf("in/f%03d.txt", i), make([]byte, i), time.Unix(int64(1_700_000_000+i), 0))
	}
	s.AddFile("alice", "in/sub/Photo.PNG", []byte("x"))
	s.AddFile("alice", "out/f000.txt", []byte("x"))
	s.SetFavorite("alice", "in/f007.txt", true)
	compare := func(op, prop, literal string) string {
		return "<d:" + op + "><d:prop><" + prop + "/></d:prop><d:literal>" + literal + "</d:literal></d:" + op + ">"
	}
	for _, c := range []struct {
		where, more string
		count       int
		first       string
	}{
		{compare("like", "d:displayname", "f%.txt"), "", defaultResults, "f000.txt"}, // a silent limit
		{compare("like", "d:displayname", "f%.txt"), "<d:limit><d:nresults>1000</d:nresults></d:limit>", 150, "f000.txt"},
		{compare("like", "d:displayname", "F%.TXT"), "<d:limit><d:nresults>5</d:nresults><ns:firstresult>3</ns:firstresult></d:limit>", 5, "f003.txt"},
		{compare("like", "d:displayname", "photo.png"), "", 1, "Photo.PNG"},
		{compare("eq", "d:displayname", "photo.png"), "", 0, ""},
		{compare("like", "d:getcontenttype", "image/%"), "", 1, "Photo.PNG"},
		{"<d:is-collection/>", "", 1, "sub"},
		{compare("eq", "oc:favorite", "yes"), "", 1, "f007.txt"},
		{compare("eq", "oc:favorite", "1"), "<d:limit><d:nresults>1000</d:nresults></d:limit>", 151, "f000.txt"}, // only "yes" is true
		{compare("gte", "oc:size", "148"), "<d:orderby><d:order><d:prop><oc:size/></d:prop><d:descending/></d:order></d:orderby>", 2, "f149.txt"},
		{compare("lt", "d:getlastmodified", "2023-11-14T22:13:22+00:00"), "", 2, "f000.txt"},
		{compare("lt", "d:getlastmodified", "1700000003"), "", 3, "f000.txt"},
		{compare("lt", "d:getlastmodified", "2023-11-14"), "", 0, ""}, // no date: 1970
		{"<d:and>" + compare("like", "d:displayname", "f%") + "<d:not>" + compare("gt", "oc:size", "0") + "</d:not></d:and>", "", 1, "f000.txt"},
		{"<d:or>" + compare("eq", "d:displayname", "f001.txt") + compare("eq", "d:displayname", "f002.txt") + "</d:or>", "", 2, "f001.txt"},
	} {
		answer := mustCall(t, s, 207, "alice", "SEARCH", "/remote.php/dav/", search(c.where, c.more), "Content-Type", "text/xml")
		_, first, _ := strings.Cut(answer, "<d:displayname>")
		first, _, _ = strings.Cut(first, "<")
		if n := strings.Count(answer, "<d:response>"); n != c.count || first != c.first {
			t.Errorf("%s %s: %d results, first %q; want %d, %q", c.where, c.more, n, first, c.count, c.first)
		}
	}
	want(t, s, 400, "is not a valid scope", "bob", "SEARCH", "/remote.php/dav/", search(compare("eq", "d:displayname", "x"), ""), "Content-Type", "text/xml")
	want(t, s, 501, "", "alice", "SEARCH", "/remote.php/dav/", search(compare("eq", "d:displayname", "x"), ""), "Content-Type", "text/plain")
}

func TestTagsAndComments(t *testing.T) {
	s := New(nil)
	id := s.AddFile("alice", "docs/a.txt", []byte("x"))
	tag := s.AddTag("alice", "secret", "docs")
	s.ShareReadOnly("alice", "docs", "bob")
	report := fmt.Sprintf(`<oc:filter-files xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><oc:fileid/></d:prop><oc:filter-rules><oc:systemtag>%d</oc:systemtag></oc:filter-rules></oc:filter-files>`, tag)
	want(t, s, 207, "<d:href>"+davAlice+"/docs</d:href>", "alice", "REPORT", davAlice, report)
	want(t, s, 207, "<d:href>"+davBob+"/docs</d:href>", "bob", "REPORT", davBob, report)
	relation := fmt.Sprintf("/remote.php/dav/systemtags-relations/files/%d/%d", id, tag)
	mustCall(t, s, 403, "bob", "PUT", relation, "")
	mustCall(t, s, 404, "admin", "PUT", relation, "")
	mustCall(t, s, 404, "alice", "DELETE", relation, "")
	mustCall(t, s, 201, "alice", "PUT", relation, "")
	mustCall(t, s, 412, "alice", "PUT", strings.TrimSuffix(relation, strconv.Itoa(tag))+"99", "")
	want(t, s, 409, "already exists", "alice", "POST", "/remote.php/dav/systemtags/", `{"name":"secret"}`, "Content-Type", "application/json")
	want(t, s, 400, "permissions", "alice", "POST", "/remote.php/dav/systemtags/", `{"name":"x","userVisible":false,"userAssignable":false}`, "Content-Type", "application/json")
	mustCall(t, s, 403, "alice", "DELETE", fmt.Sprintf("/remote.php/dav/systemtags/%d", tag), "")

	comments := fmt.Sprintf("/remote.php/dav/comments/files/%d", id)
	theirs := s.AddComment("alice", "docs/a.txt", "bob", "from bob")
	want(t, s, 207, "<oc:comments-unread>1<", "alice", "PROPFIND", davAlice+"/docs/a.txt", `<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><oc:comments-unread/></d:prop></d:propfind>`, "Depth", "0")
	edit := `<d:propertyupdate xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:set><d:prop><oc:message>changed</oc:message></d:prop></d:set></d:propertyupdate>`
	mustCall(t, s, 403, "alice", "PROPPATCH", fmt.Sprintf("%s/%d", comments, theirs), edit)
	mustCall(t, s, 403, "alice", "DELETE", fmt.Sprintf("%s/%d", comments, theirs), "")
	mustCall(t, s, 207, "bob", "PROPPATCH", fmt.Sprintf("%s/%d", comments, theirs), edit)
	want(t, s, 207, "<oc:message>changed<", "alice", "PROPFIND", comments, "", "Depth", "1")
	mustCall(t, s, 400, "alice", "POST", comments, `{"actorType":"users","verb":"comment","message":"`+strings.Repeat("x", 1001)+`"}`, "Content-Type", "application/json")
	mustCall(t, s, 204, "bob", "DELETE", fmt.Sprintf("%s/%d", comments, theirs), "")
	mustCall(t, s, 404, "admin", "PROPFIND", comments, "")
}

// TestLargeFile: a file of holes is read in parts, and uploads are counted when they need not be kept.
func TestLargeFile(t *testing.T) {
	s := New(nil)
	s.AddLargeFile("alice", "big.bin", 3<<30)
	w := call(s, "alice", "GET", davAlice+"/big.bin", "", "Range", "bytes=3221225462-")
	if w.Code != http.StatusPartialContent || w.Body.Len() != 10 || w.Header().Get("Content-Range") != "bytes 3221225462-3221225471/3221225472" {
		t.Errorf("%d, %d bytes, %s", w.Code, w.Body.Len(), w.Header().Get("Content-Range"))
	}
	s.ForgetUploads(true)
	const upload = "/remote.php/dav/uploads/alice/u1"
	mustCall(t, s, 201, "alice", "MKCOL", upload, "")
	for i := range 3 {
		mustCall(t, s, 201, "alice", "PUT", fmt.Sprintf("%s/%d", upload, 3-i), "12345")
	}
	mustCall(t, s, 201, "alice", "MOVE", upload+"/.file", "", "Destination", davAlice+"/made.bin", "Oc-Total-Length", "15")
	w = call(s, "alice", "HEAD", davAlice+"/made.bin", "")
	if home := s.account("alice").files; w.Header().Get("Content-Length") != "15" || home.bytes != 0 || len(home.uploads) != 0 {
		t.Errorf("%s bytes, %d kept, %d uploads", w.Header().Get("Content-Length"), home.bytes, len(home.uploads))
	}
}

// TestNotesAreFiles: one file is both.
func TestNotesAreFiles(t *testing.T) {
	s := New(nil)
	id := s.AddNote("alice", SampleNote{Title: "Plan", Category: "Work", Content: "one"})
	want(t, s, 200, "one", "alice", "GET", davAlice+"/Notes/Work/Plan.md", "")
	if got := s.FileID("alice", "Notes/Work/Plan.md"); got != id {
		t.Errorf("file %d, note %d", got, id)
	}
	mustCall(t, s, 204, "alice", "PUT", davAlice+"/Notes/Work/Plan.md", "two")
	note := fmt.Sprintf("/index.php/apps/notes/api/v1/notes/%d", id)
	want(t, s, 200, `"content":"two"`, "alice", "GET", note, "")
	mustCall(t, s, 201, "alice", "MOVE", davAlice+"/Notes/Work", "", "Destination", davAlice+"/Notes/Home")
	want(t, s, 200, `"category":"Home"`, "alice", "GET", note, "")
	mustCall(t, s, 200, "alice", "DELETE", note, "")
	mustCall(t, s, 404, "alice", "GET", davAlice+"/Notes/Home/Plan.md", "")
	want(t, s, 207, "Notes/Home/Plan.md", "alice", "PROPFIND", trashAlice+"/trash",
		`<d:propfind xmlns:d="DAV:" xmlns:nc="http://nextcloud.org/ns"><d:prop><nc:trashbin-original-location/></d:prop></d:propfind>`, "Depth", "1")
}
