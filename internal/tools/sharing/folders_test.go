package sharing

import (
	"net/http"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool/tooltest"
)

// TestFolders: a connection that is limited to a folder reaches no share of
// what lies outside, by its path or by its id.
func TestFolders(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	inside := w.share(t, args("path", "/Plans/Moon", "share_with", "bob"))
	above := w.share(t, args("path", "/Plans", "share_type", "link"))
	outside := w.share(t, args("path", "/Private", "share_with", "bob"))
	s := w.connect(t, "alice", policy.Policy{Folders: []string{"/Plans/Moon"}})
	var page Page
	if s.Read(t, "nc_share_list", args(), &page); len(page.Items) != 1 || page.Items[0].ShareID != inside || page.Total != 1 {
		t.Errorf("lists %+v", page)
	}
	s.Read(t, "nc_share_get", args("share_id", inside), nil)
	s.Read(t, "nc_share_list", args("path", "/Plans/Moon/rocket.txt"), nil)
	for _, c := range []struct{ name, args string }{
		{"nc_share_list", args("path", "/Private")},
		{"nc_share_list", args("path", "/Plans", "below", true)},
		{"nc_share_list", args("path", "/Plans/Moon/../../Private")},
		{"nc_share_get", args("share_id", outside)},
		{"nc_share_get", args("share_id", above)},
		{"nc_share_update", args("share_id", outside, "note", "x")},
		{"nc_share_delete", args("share_id", outside)},
		{"nc_share_create", args("path", "/Private", "share_with", "admin")},
		{"nc_share_create", args("path", "/Plans/Moon/../../Private", "share_with", "admin")},
		{"nc_share_create_public_link", args("path", "/Plans")},
		{"nc_share_explain_access", args("path", "/Plans")},
	} {
		text := s.Refused(t, c.name, c.args)
		contains(t, text, "limits this connection to these folders")
		if strings.Contains(c.args, "share_id") && strings.Contains(text, "Private") {
			t.Errorf("%s %s tells the path: %s", c.name, c.args, text)
		}
	}
	w.alice.Read(t, "nc_share_get", args("share_id", outside), nil)
	var a Access
	answer := s.Read(t, "nc_share_explain_access", args("path", "/Plans/Moon/rocket.txt"), &a)
	if len(a.Items) != 2 || strings.Contains(answer, "/s/") || strings.Contains(answer, `"`+above+`"`) {
		t.Errorf("the link of a folder above can be used: %s", answer)
	}
	contains(t, answer, "the folder /Plans is shared by alice", inside)
	s.Read(t, "nc_share_create", args("path", "/Plans/Moon/rocket.txt", "share_with", "bob"), nil)
}

// TestFoldersOfOthers: what waits is reached where it will be.
func TestFoldersOfOthers(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{MustAccept: true})
	plans := w.share(t, args("path", "/Plans", "share_with", "bob"))
	private := w.share(t, args("path", "/Private", "share_with", "bob"))
	remote := "remote:" + w.server.AddRemoteShare("bob", nextcloudtest.RemoteShare{Name: "Private", Remote: "https://far.example", Owner: "eve"})
	s := w.connect(t, "bob", policy.Policy{Folders: []string{"/Plans"}})
	var page Page
	if s.Read(t, "nc_share_list", args("which", "pending"), &page); len(page.Items) != 1 || page.Items[0].ShareID != plans {
		t.Errorf("pending %+v", page)
	}
	for _, id := range []string{private, remote} {
		contains(t, s.Refused(t, "nc_share_accept", args("share_id", id)), "limits this connection")
		contains(t, s.Refused(t, "nc_share_decline", args("share_id", id)), "limits this connection")
	}
	s.Read(t, "nc_share_accept", args("share_id", plans), nil)
	s.Read(t, "nc_share_list", args("path", "/Plans", "which", "with_me"), nil)
}

func TestPendingAndLeft(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{MustAccept: true})
	group := w.share(t, args("path", "/Plans", "share_with", "staff", "share_type", "group", "permissions", "all"))
	user := w.share(t, args("path", "/Private", "share_with", "bob"))
	remote := "remote:" + w.server.AddRemoteShare("bob", nextcloudtest.RemoteShare{Name: "Far", Remote: "https://far.example/", Owner: "eve", Folder: true})
	var page Page
	w.bob.Read(t, "nc_share_list", args("which", "pending"), &page)
	if len(page.Items) != 3 {
		t.Fatalf("pending %+v", page)
	}
	for _, i := range page.Items {
		if i.State != "pending" || i.Permissions != "" || i.Path == "" || i.SharedBy == "" {
			t.Errorf("pending %+v", i)
		}
	}
	w.bob.Read(t, "nc_share_accept", args("share_id", group), nil)
	w.bob.Read(t, "nc_share_accept", args("share_id", remote), nil)
	var declined Deleted
	w.bob.Read(t, "nc_share_decline", args("share_id", user), &declined)
	contains(t, declined.Undo, "Only alice can share it again")
	contains(t, w.bob.Refused(t, "nc_share_accept", args("share_id", group)), "in effect already")
	contains(t, w.bob.Refused(t, "nc_share_decline", args("share_id", group)), "removed, not declined")
	page = Page{}
	w.bob.Read(t, "nc_share_list", args("which", "with_me"), &page)
	if len(page.Items) != 2 || page.Items[1].ShareID != remote || page.Items[1].SharedBy != "eve@far.example" {
		t.Errorf("with bob %+v", page)
	}
	var left Deleted
	w.bob.Read(t, "nc_share_delete", args("share_id", group), &left)
	page = Page{}
	w.bob.Read(t, "nc_share_list", args("which", "left"), &page)
	if len(page.Items) != 1 || page.Items[0].State != "left" || page.Items[0].Path != "/Plans" {
		t.Errorf("left %+v", page)
	}
	name, call := undoCall(t, left.Undo)
	w.bob.Read(t, name, call, nil)
	w.bob.Read(t, "nc_share_get", args("share_id", group), nil)
	w.bob.Read(t, "nc_share_delete", args("share_id", remote), &left)
	contains(t, left.Undo, "Only eve@far.example")
	contains(t, w.bob.Refused(t, "nc_share_get", args("share_id", remote)), "not found")
}

// TestDeclinedGroup: a share with a group that was declined is left, and can be
// taken back.
func TestDeclinedGroup(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{MustAccept: true})
	id := w.share(t, args("path", "/Plans", "share_with", "staff", "share_type", "group"))
	var declined Deleted
	w.bob.Read(t, "nc_share_decline", args("share_id", id), &declined)
	var page Page
	if w.bob.Read(t, "nc_share_list", args("which", "pending"), &page); len(page.Items) != 0 {
		t.Errorf("still pending: %+v", page)
	}
	name, call := undoCall(t, declined.Undo)
	w.bob.Read(t, name, call, nil)
	w.bob.Read(t, "nc_share_get", args("share_id", id), nil)
}

// TestExcludedTags: what a tag keeps from assistants is neither shown nor
// shared, nor the folder around it.
func TestExcludedTags(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	moon := w.share(t, args("path", "/Plans/Moon", "share_with", "bob"))
	budget := w.share(t, args("path", "/Plans/budget.txt", "share_with", "bob"))
	plans := w.share(t, args("path", "/Plans", "share_with", "bob"))
	w.server.AddTag("alice", "secret", "/Plans/Moon")
	s := tooltest.Connect(t, w.server, &tooltest.Options{ExcludedTags: []string{"secret"}}, Tools.Set())
	var page Page
	s.Read(t, "nc_share_list", args(), &page)
	for _, i := range page.Items {
		if i.ShareID == moon {
			t.Errorf("shown: %+v", i)
		}
	}
	if page.Total != 2 {
		t.Errorf("%d shares", page.Total)
	}
	s.Read(t, "nc_share_get", args("share_id", budget), nil)
	for _, c := range []struct{ name, args string }{
		{"nc_share_get", args("share_id", moon)},
		{"nc_share_update", args("share_id", moon, "note", "x")},
		{"nc_share_delete", args("share_id", moon)},
		{"nc_share_list", args("path", "/Plans/Moon")},
		{"nc_share_explain_access", args("path", "/Plans/Moon/rocket.txt")},
		{"nc_share_create", args("path", "/Plans/Moon/rocket.txt", "share_with", "admin")},
	} {
		text := s.Refused(t, c.name, c.args)
		contains(t, text, "keeps")
		if strings.Contains(c.args, "share_id") && strings.Contains(text, "Moon") {
			t.Errorf("%s %s tells the path: %s", c.name, c.args, text)
		}
	}
	contains(t, s.Refused(t, "nc_share_create_public_link", args("path", "/Plans")), "holds something")
	contains(t, s.Refused(t, "nc_share_update", args("share_id", plans, "permissions", "all")), "holds something")
}

func TestPages(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	want := map[string]bool{}
	for range 7 {
		want[w.share(t, args("path", "/Plans", "share_type", "link"))] = true
	}
	call := args("limit", 3)
	for pages := 1; ; pages++ {
		var page Page
		w.alice.Read(t, "nc_share_list", call, &page)
		for _, i := range page.Items {
			if !want[i.ShareID] {
				t.Errorf("%s twice", i.ShareID)
			}
			delete(want, i.ShareID)
		}
		if page.NextCursor == "" {
			if pages != 3 || len(want) > 0 {
				t.Errorf("%d pages, %d missing", pages, len(want))
			}
			break
		}
		call = args("limit", 3, "cursor", page.NextCursor)
	}
	for _, bad := range []string{args("limit", 201), args("cursor", "x"), args("which", "pending", "path", "/Plans"), args("below", true)} {
		w.alice.Refused(t, "nc_share_list", bad)
	}
}

func TestFaults(t *testing.T) {
	const root = "/ocs/v2.php/apps/files_sharing/"
	for _, c := range []struct {
		name  string
		fault nextcloudtest.Fault
		want  string
	}{
		{"a web page", nextcloudtest.Fault{PathPrefix: root, HTML: true}, "web page"},
		{"no JSON", nextcloudtest.Fault{PathPrefix: root, GarbageJSON: true}, "not the JSON"},
		{"cut", nextcloudtest.Fault{PathPrefix: root, CutBody: 40}, "cut off"},
		{"throttled", nextcloudtest.Fault{PathPrefix: root, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"7"}}}, "7 seconds"},
		{"broken", nextcloudtest.Fault{PathPrefix: root, Status: http.StatusInternalServerError}, "not available now"},
		{"no such app", nextcloudtest.Fault{PathPrefix: root, Status: http.StatusNotFound, Body: `{"ocs":{"meta":{"status":"failure","statuscode":998,"message":"Invalid query"},"data":[]}}`}, "not installed"},
	} {
		w := newWorld(t, nextcloudtest.SharingPolicy{})
		w.share(t, args("path", "/Plans", "share_with", "admin")) // number 1
		w.server.Fault(c.fault)
		for _, call := range []struct{ name, args string }{
			{"nc_share_list", args()},
			{"nc_share_list", args("which", "pending")},
			{"nc_share_get", args("share_id", "1")},
			{"nc_share_create", args("path", "/Plans", "share_with", "bob")},
			{"nc_share_create_public_link", args("path", "/Plans")},
			{"nc_share_update", args("share_id", "1", "note", "x")},
			{"nc_share_delete", args("share_id", "1")},
			{"nc_share_search_recipients", args("query", "bob")},
			{"nc_share_explain_access", args("path", "/Plans")},
		} {
			if text := w.alice.Refused(t, call.name, call.args); !strings.Contains(text, c.want) {
				t.Errorf("%s, %s: %s", c.name, call.name, text)
			}
		}
	}
}

// TestHideFails: a link that could not be made as asked is taken back.
func TestHideFails(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	w.server.Fault(nextcloudtest.Fault{Method: http.MethodPut, PathPrefix: "/ocs/", Status: http.StatusBadRequest, Times: 1})
	contains(t, w.alice.Refused(t, "nc_share_create", args("path", "/Plans", "share_type", "link", "hide_download", true)), "taken back")
	var page Page
	if w.alice.Read(t, "nc_share_list", args(), &page); page.Total != 0 {
		t.Errorf("it is there: %+v", page)
	}
	w.server.Fault(nextcloudtest.Fault{Method: http.MethodPut, PathPrefix: "/ocs/", Status: http.StatusBadRequest, Times: 1})
	w.server.Fault(nextcloudtest.Fault{Method: http.MethodDelete, PathPrefix: "/ocs/", Status: http.StatusBadRequest, Times: 1})
	contains(t, w.alice.Refused(t, "nc_share_create", args("path", "/Plans", "share_type", "link", "hide_download", true)), "only partly done", "remove it")
}
