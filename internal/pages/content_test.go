package pages_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"nextcloud-mcp-server/internal/pages"
)

func fields(root *html.Node, name string) (all, on []string) {
	for _, n := range elements(root, "input") {
		if attr(n, "name") != name {
			continue
		}
		all = append(all, attr(n, "value"))
		if _, checked := attribute(n, "checked"); checked {
			on = append(on, attr(n, "value"))
		}
	}
	return all, on
}

// TestConsent checks what a person is told, and what their answer carries.
func TestConsent(t *testing.T) {
	consent := pages.Consent{
		Client: pages.ClientView{Name: "Robot", Kind: "registered", RedirectHost: "robot.example"},
		Action: "/oauth/connect/1/consent", CSRF: "token", UserName: "Alice A.", UserID: "alice", Nextcloud: "cloud.example.com", NotYouURL: "/oauth/connect/1/other",
		Areas: []pages.ConsentArea{
			{Area: "notes", Switches: []pages.Switch{{Scope: "notes.read", Right: "read", On: true}, {Scope: "notes.write", Right: "write"}}},
			{Area: "mail", Switches: []pages.Switch{{Scope: "mail.send", Right: "send", On: true}}},
			{Area: "robots", Switches: []pages.Switch{{Scope: "robots.write", Right: "write"}}},
		},
		AskFolders: true, Folders: "\n/A\n<b>", NoDelete: true, Lifetimes: []string{"unlimited", "7d"}, Lifetime: "7d",
	}
	root := parsed(t, consent, "")
	said := text(elements(root, "main")[0])
	for _, want := range []string{
		"Let Robot work in your Nextcloud?", "Its name is not verified.", "robot.example", "Alice A. (alice) at cloud.example.com", "Not you?",
		"read your notes", "create, change and delete notes", "send mail in your name", "robots", "goes to the AI service",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said in\n%s", want, said)
		}
	}
	all, on := fields(root, "scope")
	if diff := cmp.Diff([][]string{{"notes.read", "notes.write", "mail.send", "robots.write"}, {"notes.read", "mail.send"}}, [][]string{all, on}); diff != "" {
		t.Errorf("scopes (-want +got)\n%s", diff)
	}
	if _, on := fields(root, "read_only"); len(on) != 0 {
		t.Error("read_only is on")
	}
	if _, on := fields(root, "no_delete"); !slices.Equal(on, []string{"1"}) {
		t.Error("no_delete is off")
	}
	if got := elements(root, "textarea")[0]; attr(got, "name") != "folders" || got.FirstChild.Data != "\n/A\n<b>" {
		t.Errorf("folders: %q", got.FirstChild.Data)
	}
	var chosen []string
	for _, n := range elements(root, "option") {
		if _, ok := attribute(n, "selected"); ok {
			chosen = append(chosen, attr(n, "value"))
		}
	}
	if !slices.Equal(chosen, []string{"7d"}) {
		t.Errorf("lifetime: %q", chosen)
	}
	var decisions, actions []string
	for _, n := range elements(root, "button") {
		if attr(n, "name") == "decision" {
			decisions = append(decisions, attr(n, "value"))
		}
	}
	for _, n := range elements(root, "form") {
		actions = append(actions, attr(n, "action"))
	}
	if !slices.Equal(decisions, []string{"deny", "allow"}) {
		t.Errorf("decisions %q: Enter in a form presses the first", decisions)
	}
	if !slices.Equal(actions, []string{"/oauth/connect/1/other", "/oauth/connect/1/consent"}) {
		t.Errorf("forms go to %q", actions)
	}
	if strings.Contains(said, "allowed Robot before") || strings.Contains(said, "Nothing is ticked") {
		t.Error("a first question is shown as a second one")
	}

	consent.AskFolders, consent.NothingLeft, consent.Again = false, true, true
	root = parsed(t, consent, "de")
	said = text(root)
	if len(elements(root, "textarea")) != 0 {
		t.Error("folders are asked without files")
	}
	if !strings.Contains(said, "Nichts ist angekreuzt.") || !strings.Contains(said, "schon einmal erlaubt") {
		t.Errorf("German: %s", said)
	}
}

// TestWhoAsks checks how sure people are told to be of a name.
func TestWhoAsks(t *testing.T) {
	for _, test := range []struct {
		client    pages.ClientView
		want, not string
	}{
		{pages.ClientView{Kind: "registered", RedirectHost: "a.example"}, "not verified", "administrator"},
		{pages.ClientView{Kind: "anything", RedirectHost: "a.example"}, "not verified", "administrator"},
		{pages.ClientView{Kind: "configured", RedirectHost: "a.example"}, "named by the administrator", "not verified"},
		{pages.ClientView{Kind: "document", ID: "https://doc.example:8443/c", RedirectHost: "a.example"}, "described by doc.example:8443", "not verified"},
		{pages.ClientView{Kind: "document", ID: "no address", RedirectHost: "a.example"}, "not verified", "described"},
		{pages.ClientView{Kind: "document", ID: "https://doc.example/c", RedirectHost: "localhost:1", Local: true}, "a program on this computer", "localhost:1"},
		{pages.ClientView{Kind: "document", ID: "https://doc.example/c", RedirectHost: "localhost:1", Local: true}, "could use this name", "not verified"},
		{pages.ClientView{Name: "\u202e\u200b \t", Kind: "registered", RedirectHost: "a.example"}, "A program without a name", "\u202e"},
		{pages.ClientView{Name: "x", Kind: "registered", RedirectHost: "a.example", URI: "https://home.example/about"}, "Its home page: home.example", "https"},
	} {
		said := text(parsed(t, pages.Consent{Client: test.client}, ""))
		if !strings.Contains(said, test.want) || strings.Contains(said, test.not) {
			t.Errorf("%+v: want %q and not %q in\n%s", test.client, test.want, test.not, said)
		}
	}
}

// TestWaiting checks that the page goes on by its script, and without one too.
func TestWaiting(t *testing.T) {
	root := parsed(t, every(word)["waiting"], "")
	state := slices.IndexFunc(elements(root), func(n *html.Node) bool { _, ok := attribute(n, "data-status"); return ok })
	n := elements(root)[state]
	if attr(n, "data-status") != "/status" || attr(n, "data-next") != "/self" || attr(n, "role") != "status" || attr(n, "data-done") == "" || attr(n, "data-lost") == "" {
		t.Errorf("state: %+v", n.Attr)
	}
	refresh := elements(root, "noscript")[0]
	if meta := elements(refresh, "meta"); len(meta) != 1 || attr(meta[0], "content") != "4;url=/self" || !inside(meta[0], "head") {
		t.Error("without a script the page stays")
	}
	var open *html.Node
	for _, a := range elements(root, "a") {
		if attr(a, "href") == "/open" {
			open = a
		}
	}
	if open == nil || attr(open, "target") != "_blank" || !strings.Contains(attr(open, "rel"), "noopener") {
		t.Error("the link to Nextcloud")
	}
	if said := text(root); !strings.Contains(said, "needs one more step") || !strings.Contains(said, "https://mcp.example/oauth/phone/1") {
		t.Errorf("said: %s", said)
	}
	root = parsed(t, every(word)["waiting, account"], "")
	if len(elements(root, "form", "details", "svg")) != 0 || strings.Contains(text(root), "connect ") {
		t.Error("parts are shown that were not given")
	}
}

// TestLeaving checks the ways to the client: the script's, the refresh's and
// the link, and never the refresh beside the script.
func TestLeaving(t *testing.T) {
	for _, to := range []string{
		"https://client.example/cb?code=a%20b&state=%22%3C;url=x&iss=https://mcp.example",
		"http://127.0.0.1:4711/callback?code=1", "http://[::1]:4711/cb?code=1", "cursor://anysphere.cursor-mcp/cb?code=1", "com.example.app:/cb?code=1",
	} {
		root := parsed(t, pages.Leaving{To: to, ClientName: "Robot", Host: "h"}, "")
		var links []string
		for _, n := range elements(root, "a") {
			if _, ok := attribute(n, "data-leave"); ok {
				links = append(links, attr(n, "href")+" "+text(n))
			}
		}
		if !slices.Equal(links, []string{to + " Back to Robot"}) {
			t.Errorf("%s: links %q", to, links)
		}
		meta := elements(elements(root, "noscript")[0], "meta")
		if len(meta) != 1 || attr(meta[0], "http-equiv") != "refresh" || attr(meta[0], "content") != "0;url="+to {
			t.Errorf("%s: refresh %+v", to, meta)
		}
		if len(elements(root, "script")) != 1 {
			t.Errorf("%s: no script", to)
		}
	}
	if said := text(parsed(t, pages.Leaving{To: "https://c.example/", ClientName: "Robot", Denied: true}, "")); !strings.Contains(said, "Nothing was allowed.") {
		t.Errorf("denied: %s", said)
	}
}

// TestAccount checks what a person sees of a connection and can do with it.
func TestAccount(t *testing.T) {
	root := parsed(t, every("x")["account"], "de")
	said := text(elements(root, "main")[0])
	for _, want := range []string{"Die Verbindung ist beendet.", "Angehalten", "2. März 2026, 00:05 UTC", "Notizen: lesen, senden", "Es darf nur lesen.", "Es darf nichts löschen.", "nie", "wenn sie hier beendet wird", "erledigt"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said in\n%s", want, said)
		}
	}
	for _, n := range elements(root, "time") {
		if attr(n, "datetime") != "2026-03-02T00:05:00Z" {
			t.Errorf("time %q", attr(n, "datetime"))
		}
	}
	var actions []string
	for _, n := range elements(root, "form") {
		actions = append(actions, attr(n, "action"))
	}
	if diff := cmp.Diff([]string{
		"/base/account/sign-out", "/base/account/connections/x/resume", "/base/account/connections/x/end",
		"/base/account/connections/x/pause", "/base/account/connections/x/end", "/base/account/end-all",
	}, actions); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if said := text(parsed(t, pages.Account{MCPURL: "https://mcp.example/mcp"}, "")); !strings.Contains(said, "No program is connected") || !strings.Contains(said, "https://mcp.example/mcp") || !strings.Contains(said, "Nothing yet.") {
		t.Errorf("empty: %s", said)
	}
	if root := parsed(t, pages.Account{Connections: make([]pages.Connection, 1)}, ""); strings.Contains(text(root), "End all") {
		t.Error("one connection can be ended by itself")
	}
}

// TestLanding checks that the address is there for every client.
func TestLanding(t *testing.T) {
	root := parsed(t, pages.Landing{MCPURL: "https://mcp.example/mcp", Nextcloud: "cloud.example", AccountURL: "/account"}, "")
	if n := elements(root, "details"); len(n) != 9 {
		t.Errorf("%d clients", len(n))
	} else {
		for _, client := range n {
			if all := text(client); !strings.Contains(all, "https://mcp.example/mcp") {
				t.Errorf("the address is not in %s", all)
			}
		}
	}
	var links []string
	for _, n := range elements(root, "a") {
		scheme, _, _ := strings.Cut(attr(n, "href"), ":")
		links = append(links, scheme)
	}
	if !slices.Equal(links, []string{"/base/", "cursor", "vscode", "/account"}) {
		t.Errorf("links %q", links)
	}
	if said := text(parsed(t, pages.Landing{MCPURL: "https://mcp.example/mcp"}, "")); strings.Contains(said, "Passwords are typed") || strings.Contains(said, "your connections") {
		t.Error("a server without sign-in speaks of passwords")
	}
}
