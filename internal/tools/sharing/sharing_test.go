package sharing

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool/tooltest"
)

// world is a Nextcloud with two people and their assistants.
type world struct {
	server     *nextcloudtest.Server
	alice, bob *tooltest.Session
}

// newWorld is a Nextcloud in which alice has two folders, one in the other, and
// a file in each.
func newWorld(t *testing.T, rules nextcloudtest.SharingPolicy) *world {
	t.Helper()
	users := nextcloudtest.DefaultUsers()
	users[0].Groups, users[1].Groups = []string{"staff"}, []string{"staff"}
	server := nextcloudtest.New(&nextcloudtest.Options{Users: users, Sharing: rules})
	w := &world{server: server}
	for _, dir := range []string{"Plans", "Plans/Moon", "Private"} {
		w.dav(t, "MKCOL", dir, "")
	}
	for _, file := range []string{"Plans/budget.txt", "Plans/Moon/rocket.txt", "Private/diary.txt"} {
		w.dav(t, http.MethodPut, file, "text")
	}
	w.alice = w.connect(t, "alice", policy.Policy{})
	w.bob = w.connect(t, "bob", policy.Policy{})
	return w
}

func (w *world) dav(t *testing.T, method, path, body string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/remote.php/dav/files/alice/"+path, strings.NewReader(body))
	r.SetBasicAuth("alice", "alice-password-1")
	answer := httptest.NewRecorder()
	w.server.ServeHTTP(answer, r)
	if answer.Code != http.StatusCreated {
		t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
}

func (w *world) connect(t *testing.T, user string, p policy.Policy) *tooltest.Session {
	t.Helper()
	return tooltest.Connect(t, w.server, &tooltest.Options{
		User: user, Password: user + "-password-1", Policy: p, Public: "https://cloud.example",
	}, Tools.Set())
}

// share makes a share and answers its id.
func (w *world) share(t *testing.T, args string) string {
	t.Helper()
	var made Created
	w.alice.Read(t, "nc_share_create", args, &made)
	return made.ShareID
}

func args(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// contains checks that a text holds all of some words.
func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("no %q in %s", word, text)
		}
	}
}

func TestBudget(t *testing.T) {
	const budget = 7800
	total := 0
	for _, tl := range Tools.Set().Tools {
		decl, err := tl.MCP()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(decl)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		if !tl.Folders {
			t.Errorf("%s does not keep to folders", tl.Name)
		}
	}
	if total > budget {
		t.Errorf("the tools take %d bytes of tools/list, more than %d", total, budget)
	}
}

// TestRequests is how many requests each tool asks of Nextcloud.
func TestRequests(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{MustAccept: true})
	user := w.share(t, args("path", "/Plans", "share_with", "bob"))
	link := w.share(t, args("path", "/Plans", "share_type", "link"))
	declined := w.share(t, args("path", "/Private", "share_with", "bob"))
	remote := w.server.AddRemoteShare("bob", nextcloudtest.RemoteShare{Name: "Far", Remote: "https://far.example", Owner: "eve"})
	fresh := w.connect(t, "alice", policy.Policy{}) // it remembers no settings yet
	for _, c := range []struct {
		session *tooltest.Session
		name    string
		args    string
		want    int
	}{
		{w.alice, "nc_share_list", args(), 1},
		{w.alice, "nc_share_list", args("path", "/Plans"), 1},
		{w.bob, "nc_share_list", args("which", "with_me"), 2}, // this server's and other servers'
		{w.bob, "nc_share_list", args("which", "pending"), 2}, // the same
		{w.bob, "nc_share_list", args("which", "left"), 1},
		{w.alice, "nc_share_get", args("share_id", user), 1},
		{w.bob, "nc_share_get", args("share_id", user), 2}, // it waits, and has no place of its own yet
		{w.alice, "nc_share_search_recipients", args("query", "bob"), 1},
		{w.alice, "nc_share_search_recipients", args(), 1},
		{w.alice, "nc_share_create", args("path", "/Plans/Moon", "share_with", "bob"), 1},
		{fresh, "nc_share_create", args("path", "/Plans", "share_type", "link"), 2},                          // the settings, and the link
		{fresh, "nc_share_create", args("path", "/Plans", "share_type", "link"), 1},                          // the settings are known now
		{fresh, "nc_share_create", args("path", "/Plans", "share_type", "link", "hide_download", true), 2},   // hidden afterwards
		{fresh, "nc_share_create_public_link", args("path", "/Plans"), 1},                                    // as before
		{w.alice, "nc_share_update", args("share_id", user, "note", "hello"), 2},                             // read, and write
		{w.alice, "nc_share_update", args("share_id", link, "permissions", "read, edit, create, delete"), 2}, // the same
		{w.bob, "nc_share_accept", args("share_id", user), 3},                                                // found among those that wait
		{w.bob, "nc_share_accept", args("share_id", "remote:"+remote), 2},
		{w.bob, "nc_share_decline", args("share_id", declined), 3},
		{w.alice, "nc_share_explain_access", args("path", "/Plans/budget.txt"), 3}, // the file, its shares, those above
		{w.alice, "nc_share_explain_access", args("path", "/Plans", "below", true), 4},
		{w.alice, "nc_share_delete", args("share_id", link), 2},
	} {
		c.session.Requests()
		c.session.Read(t, c.name, c.args, nil)
		if got := c.session.Requests(); got != c.want {
			t.Errorf("%s %s: %d requests, want %d", c.name, c.args, got, c.want)
		}
	}
}

// TestLife is a share from its making to its end, as both sides see it.
func TestLife(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	var made Created
	w.alice.Read(t, "nc_share_create", args("path", "Plans/", "share_with", "bob", "permissions", "read, edit", "note", "have a look", "expire_date", "2999-01-31"), &made)
	if made.Type != "user" || made.Path != "/Plans" || made.Permissions != "read, edit" || made.PermissionBits != 3 || made.ShareWith != "bob" ||
		made.Name != "Bob Example" || made.Expires != "2999-01-31T23:59:59" || made.Note != "have a look" || made.Item.Item != "folder" || made.AlreadyShared {
		t.Errorf("made %+v", made)
	}
	var got Page
	w.bob.Read(t, "nc_share_list", args("shared_with_me", true), &got)
	if len(got.Items) != 1 || got.Items[0].Path != "/Plans" || got.Items[0].SharedBy != "alice" || got.Items[0].Permissions != "read, edit" {
		t.Errorf("bob got %+v", got)
	}
	contains(t, w.bob.Refused(t, "nc_share_update", args("share_id", made.ShareID, "permissions", "all")), "Alice Example, who alone can change it")
	contains(t, w.bob.Refused(t, "nc_share_create", args("path", "/Plans", "share_with", "admin")), "without the right to share it on")
	var changed Updated
	w.alice.Read(t, "nc_share_update", args("share_id", made.ShareID, "permissions", "read, share"), &changed)
	if changed.Permissions != "read, share" || changed.Note != "have a look" || changed.Expires != "2999-01-31T23:59:59" || changed.AlsoChanged != nil {
		t.Errorf("changed %+v", changed)
	}
	contains(t, changed.Undo, `nc_share_update: share_id="`+made.ShareID+`", permissions="read, edit".`)
	contains(t, w.bob.Refused(t, "nc_share_create", args("path", "/Plans", "share_with", "admin", "permissions", "edit")), "Nobody can give more than they have")
	w.bob.Read(t, "nc_share_create", args("path", "/Plans", "share_with", "admin"), nil)
	var deleted Deleted
	w.alice.Read(t, "nc_share_delete", args("share_id", made.ShareID), &deleted)
	contains(t, deleted.Undo, `nc_share_create: path="/Plans", share_type="user", share_with="bob", permissions="read, share", expire_date="2999-01-31", note="have a look".`)
	contains(t, w.alice.Refused(t, "nc_share_get", args("share_id", made.ShareID)), "not found")
}

// TestUndo: what undo says brings the share back.
func TestUndo(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	for _, c := range []string{
		args("path", "/Plans", "share_with", "bob", "permissions", "read, create", "note", `say "hi"`, "hide_download", true),
		args("path", "/Plans/budget.txt", "share_with", "staff", "share_type", "group", "permissions", "read, edit, share", "expire_date", "2999-12-31"),
		args("path", "/Plans", "share_type", "link", "permissions", "upload only", "label", "Drop"),
		args("path", "/Plans", "share_type", "mail", "share_with", "eve@example.com", "permissions", "read, edit, create, delete"),
		args("path", "/Plans", "share_type", "federated", "share_with", "eve@far.example"),
	} {
		var made, again Created
		var deleted Deleted
		w.alice.Read(t, "nc_share_create", c, &made)
		w.alice.Read(t, "nc_share_delete", args("share_id", made.ShareID), &deleted)
		name, call := undoCall(t, deleted.Undo)
		w.alice.Read(t, name, call, &again)
		made.ShareID, made.URL, made.DownloadURL, made.Info = again.ShareID, again.URL, again.DownloadURL, again.Info
		if fmt.Sprintf("%+v", made) != fmt.Sprintf("%+v", again) {
			t.Errorf("was  %+v\nback %+v\nby %s", made, again, deleted.Undo)
		}
	}
}

// undoCall reads `tool: name=value, name=value. words`.
func undoCall(t *testing.T, text string) (name, call string) {
	t.Helper()
	name, rest, ok := strings.Cut(text, ": ")
	if !ok {
		t.Fatalf("undo %q", text)
	}
	found := map[string]any{}
	for {
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			t.Fatalf("undo %q", text)
		}
		dec := json.NewDecoder(strings.NewReader(after))
		var v any
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("undo %q: %v", text, err)
		}
		found[key] = v
		rest = after[dec.InputOffset():]
		if next, more := strings.CutPrefix(rest, ", "); more {
			rest = next
			continue
		}
		break
	}
	b, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	return name, string(b)
}

// TestTwice: Nextcloud keeps the first share and says nothing of it.
func TestTwice(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	id := w.share(t, args("path", "/Plans", "share_with", "bob"))
	var again Created
	w.alice.Read(t, "nc_share_create", args("path", "/Plans", "share_with", "bob", "permissions", "all", "note", "more"), &again)
	if !again.AlreadyShared || again.ShareID != id || again.Permissions != "read" {
		t.Errorf("again %+v", again)
	}
	contains(t, strings.Join(again.Info, " "), "nothing was changed", "read, not read, edit, create, delete, share", "nc_share_update")
	var same Created
	w.alice.Read(t, "nc_share_create", args("path", "/Plans", "share_with", "bob", "permissions", 1), &same)
	if same.AlreadyShared || same.ShareID != id {
		t.Errorf("the same again %+v", same)
	}
}

func TestKinds(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	team := w.server.AddTeam("Rocket team", "alice", "bob")
	w.server.AddShareRoom("tok3n", "Launch", "alice", "bob")
	for _, c := range []struct {
		kind, with, want, name string
	}{
		{"user", "bob", "user", "Bob Example"},
		{"0", "admin", "user", ""},
		{"group", "staff", "group", ""},
		{"email", "eve@example.com", "mail", ""},
		{"federated", "eve@far.example", "federated", ""},
		{"circle", team, "team", "Rocket team (Team owned by Alice Example)"},
		{"talk", "tok3n", "room", "Launch"},
	} {
		var made Created
		w.alice.Read(t, "nc_share_create", args("path", "/Plans/budget.txt", "share_type", c.kind, "share_with", c.with, "permissions", "edit"), &made)
		if made.Type != c.want || made.ShareWith != c.with || made.Name != c.name || made.Permissions != "read, edit" {
			t.Errorf("%s: %+v", c.kind, made)
		}
	}
	var page Page
	w.alice.Read(t, "nc_share_list", args("path", "/Plans/budget.txt"), &page)
	if len(page.Items) != 7 {
		t.Errorf("%d shares", len(page.Items))
	}
}

func TestSearchRecipients(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	team := w.server.AddTeam("Bobsled", "alice")
	var found Recipients
	w.alice.Read(t, "nc_share_search_recipients", args("query", "bo"), &found)
	want := []Recipient{
		{ShareType: "user", ShareWith: "bob", Name: "Bob Example", Detail: "bob@example.org"},
		{ShareType: "team", ShareWith: team, Name: "Bobsled"},
	}
	if fmt.Sprint(found.Items) != fmt.Sprint(want) {
		t.Errorf("found %+v", found.Items)
	}
	w.alice.Read(t, "nc_share_search_recipients", args("query", "bob", "share_type", "user"), &found)
	if len(found.Items) != 1 || !found.Items[0].Exact {
		t.Errorf("exactly %+v", found.Items)
	}
	w.share(t, args("path", "/Plans", "share_with", "bob"))
	found = Recipients{}
	w.alice.Read(t, "nc_share_search_recipients", args(), &found)
	if len(found.Items) != 1 || found.Items[0].ShareWith != "bob" || found.Items[0].Exact {
		t.Errorf("frequent %+v", found.Items)
	}
	first := Recipients{}
	w.alice.Read(t, "nc_share_search_recipients", args("query", "m", "share_type", "user", "limit", 1), &first)
	if len(first.Items) != 1 || first.NextCursor != "2" {
		t.Errorf("first page %+v", first)
	}
	second := Recipients{}
	w.alice.Read(t, "nc_share_search_recipients", args("query", "m", "share_type", "user", "limit", 1, "cursor", "2"), &second)
	if len(second.Items) != 1 || second.Items[0] == first.Items[0] {
		t.Errorf("second page %+v", second)
	}
}

func TestExplainAccess(t *testing.T) {
	w := newWorld(t, nextcloudtest.SharingPolicy{})
	w.share(t, args("path", "/Plans", "share_with", "bob", "permissions", "read, share"))
	w.share(t, args("path", "/Plans/Moon", "share_with", "bob", "permissions", "read, edit"))
	w.share(t, args("path", "/Plans/Moon/rocket.txt", "share_type", "link", "password", "long-enough-1"))
	var a Access
	w.alice.Read(t, "nc_share_explain_access", args("path", "/Plans/Moon/rocket.txt"), &a)
	if a.You != "owner" || a.Owner != "alice" || len(a.Items) != 2 {
		t.Fatalf("%+v", a)
	}
	link, bob := a.Items[0], a.Items[1]
	if link.Type != "link" || !link.HasPassword || link.URL == "" || link.Permissions != "read" {
		t.Errorf("link %+v", link)
	}
	if bob.ShareWith != "bob" || bob.Permissions != "read, edit, share" || len(bob.Why) != 2 || bob.Why[0] != "the folder /Plans/Moon is shared by alice" {
		t.Errorf("bob %+v", bob)
	}
	w.alice.Read(t, "nc_share_explain_access", args("path", "/Plans", "below", true), &a)
	if len(a.Below) != 1 || a.Below[0].Path != "/Plans/Moon" {
		t.Errorf("below %+v", a.Below)
	}
	a = Access{}
	w.bob.Read(t, "nc_share_explain_access", args("path", "/Moon"), &a)
	if a.Owner != "alice" || a.You != "read, edit" || len(a.Items) != 0 {
		t.Errorf("bob sees %+v", a)
	}
	contains(t, strings.Join(a.Info, " "), "may not share it on", "Alice Example owns it")
	contains(t, w.alice.Refused(t, "nc_share_explain_access", args("path", "/Nowhere")), `no file or folder "/Nowhere"`)
	contains(t, w.alice.Refused(t, "nc_share_explain_access", args("path", "/")), "root")
}
