package tool_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	own "nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

const account = "https://mcp.example.org/account"

// PathInput names a file.
type PathInput struct {
	Path string `json:"path" jsonschema:"path of the file"`
}

// Reached is what a handler was told of its call.
type Reached struct {
	Path    string `json:"path"`
	Account string `json:"account"`
	User    string `json:"user"`
	Token   string `json:"token"`
}

// office are tools of every effect, and of every way to reach files.
func office() []tool.Set {
	do := func(name string, s scope.Scope, e tool.Effect, change func(*tool.Def)) tool.Of[*client] {
		def := define(name, s, e, tool.Core)
		if change != nil {
			change(&def)
		}
		return does(def, func(context.Context) (*nothing, error) { return &nothing{}, nil })
	}
	careful := define("files_careful", scope.FilesRead, tool.Reads, tool.Core)
	careful.Folders = true
	text := func(tool.Vars) (tool.Content, error) { return tool.Content{Text: "text"}, nil }
	return []tool.Set{
		tool.Group[*client]{
			Name: "office", Title: "Office", Client: newClient,
			Tools: []tool.Of[*client]{
				do("deck_attach", scope.DeckWrite, tool.Creates, func(d *tool.Def) { d.Also = []scope.Scope{scope.FilesRead} }),
				do("files_read", scope.FilesRead, tool.Reads, nil),
				do("files_delete", scope.FilesWrite, tool.Deletes, nil),
				do("notes_read", scope.NotesRead, tool.Reads, nil),
				do("notes_create", scope.NotesWrite, tool.Creates, nil),
				do("notes_update", scope.NotesWrite, tool.Updates, nil),
				do("notes_delete", scope.NotesWrite, tool.Deletes, nil),
				do("share_list", scope.SharingRead, tool.Reads, nil),
				tool.New(careful, func(ctx context.Context, _ *client, in PathInput) (*Reached, error) {
					if err := tool.CheckPath(ctx, in.Path); err != nil {
						return nil, err
					}
					caller := tool.Caller(ctx)
					return &Reached{in.Path, tool.AccountURL(ctx), string(caller.Subject), caller.Token.Reveal()}, nil
				}),
			},
			Resources: []tool.ResourceOf[*client]{
				resource("nc://files/{path}", "file", scope.FilesRead, text),
				resource("nc://notes/all", "all", scope.NotesRead, text),
				resource("nc://notes/{id}", "note", scope.NotesRead, text),
			},
		}.Set(),
		tool.Group[struct{}]{
			Name: "whoami", Title: "Who", Tools: []tool.Of[struct{}]{
				tool.New(tool.Def{Name: "who", Title: "Who", Description: "Says who.", Anyone: true, Effect: tool.Reads, Tier: tool.Core},
					func(ctx context.Context, _ struct{}, _ struct{}) (*Reached, error) {
						return &Reached{User: string(tool.Caller(ctx).Subject)}, nil
					}),
			},
		}.Set(),
	}
}

// everything are the scopes that the office needs.
var everything = scope.NewSet(scope.DeckWrite, scope.FilesWrite, scope.NotesWrite, scope.SharingWrite)

func person(p policy.Policy, scopes scope.Set) *own.Principal {
	return &own.Principal{Subject: "alice", Token: "token-of-alice", Scopes: scopes, Policy: p, GrantID: "g1"}
}

// policies are connections with what is left of the office, and the start of
// the answer to everything else.
var policies = map[string]struct {
	policy policy.Policy
	scopes scope.Set
	left   string            // tools and resources that are listed
	denied map[string]string // tool or URI -> how its answer begins
}{
	"none": {
		policy.Policy{},
		everything,
		"deck_attach files_careful files_delete files_read notes_create notes_delete notes_read notes_update share_list who nc://notes/all nc://files/{path} nc://notes/{id} greet",
		nil,
	},
	"paused": {
		policy.Policy{Paused: true},
		everything, "",
		map[string]string{
			"notes_read":     "This connection is paused; the person can resume it at " + account + ".",
			"who":            "This connection is paused;",
			"no_such_tool":   "This connection is paused;",
			"nc://notes/17":  "This connection is paused;",
			"nc://notes/all": "This connection is paused;",
			"x://nothing":    "This connection is paused;",
		},
	},
	"read-only": {
		policy.Policy{ReadOnly: true},
		everything,
		"files_careful files_read notes_read share_list who nc://notes/all nc://files/{path} nc://notes/{id} greet",
		map[string]string{
			"notes_create": "The person allows this connection only to read, and nothing was changed; they can change that at " + account,
			"notes_delete": "The person allows this connection only to read",
			"deck_attach":  "The person allows this connection only to read",
		},
	},
	"no deletion": {
		policy.Policy{NoDelete: true},
		everything,
		"deck_attach files_careful files_read notes_create notes_read notes_update share_list who nc://notes/all nc://files/{path} nc://notes/{id} greet",
		map[string]string{
			"notes_delete": "The person does not allow this connection to delete anything",
			"files_delete": "The person does not allow this connection to delete anything",
		},
	},
	"folders": {
		policy.Policy{Folders: []string{"/Projects"}},
		everything,
		"files_careful notes_create notes_delete notes_read notes_update who nc://notes/all nc://notes/{id} greet",
		map[string]string{
			"files_read":     "The person limits this connection to some folders, which this tool cannot keep to",
			"files_delete":   "The person limits this connection to some folders",
			"deck_attach":    "The person limits this connection to some folders",
			"share_list":     "The person limits this connection to some folders",
			"nc://files/abc": "The person limits this connection to some folders",
		},
	},
	"writing refused": {
		policy.Policy{Refused: []string{"notes.write"}},
		scope.NewSet(scope.NotesRead, scope.DeckWrite, scope.FilesWrite, scope.SharingRead),
		"deck_attach files_careful files_delete files_read notes_read share_list who nc://notes/all nc://files/{path} nc://notes/{id} greet",
		map[string]string{
			"notes_create": "The person did not allow this connection notes.write when connecting it; they can change that at " + account,
			"notes_delete": "The person did not allow this connection notes.write",
		},
	},
	"reading refused": {
		// Whoever refuses that something is read does not let it be written.
		policy.Policy{Refused: []string{"files.read"}},
		scope.NewSet(scope.DeckWrite, scope.NotesWrite, scope.SharingRead),
		"notes_create notes_delete notes_read notes_update share_list who nc://notes/all nc://notes/{id} greet",
		map[string]string{
			"files_delete":   "The person did not allow this connection files.write",
			"deck_attach":    "The person did not allow this connection files.read",
			"nc://files/abc": "The person did not allow this connection files.read",
		},
	},
	"granted since": {
		policy.Policy{Refused: []string{"notes.read", "notes.write"}},
		everything,
		"deck_attach files_careful files_delete files_read notes_create notes_delete notes_read notes_update share_list who nc://notes/all nc://files/{path} nc://notes/{id} greet",
		nil,
	},
	"all at once": {
		policy.Policy{ReadOnly: true, NoDelete: true, Folders: []string{"/a"}, Refused: []string{"deck.write"}},
		scope.NewSet(scope.FilesWrite, scope.NotesWrite, scope.SharingRead),
		"files_careful notes_read who nc://notes/all nc://notes/{id} greet",
		map[string]string{
			"deck_attach":  "The person did not allow this connection deck.write",
			"files_delete": "The person allows this connection only to read",
		},
	},
}

// TestPolicy checks for each policy and in both protocol generations what a
// client is shown and what it is answered.
func TestPolicy(t *testing.T) {
	for name, test := range policies {
		for _, version := range []string{"2026-07-28", "2025-11-25"} {
			t.Run(name+" "+version, func(t *testing.T) {
				c := &clients{}
				session := connect(t, setup{sets: office(), principal: person(test.policy, test.scopes), clients: c, account: account, version: version})
				if diff := cmp.Diff(test.left, strings.Join(everythingListed(t, session), " ")); diff != "" {
					t.Errorf("lists (-want +got)\n%s", diff)
				}
				for what, want := range test.denied {
					text, denied := ask(t, session, what)
					if !denied || !strings.HasPrefix(text, want) {
						t.Errorf("%s: denied %v, %s", what, denied, text)
					}
				}
				if len(c.seen) > 0 {
					t.Error("something denied got a client of Nextcloud")
				}
				for what := range strings.FieldsSeq(test.left) {
					if what == "files_careful" || what == "greet" {
						continue
					}
					if text, denied := ask(t, session, strings.NewReplacer("{path}", "abc", "{id}", "17").Replace(what)); denied {
						t.Errorf("%s: %s", what, text)
					}
				}
			})
		}
	}
}

// TestGateKnowsPolicy checks that the front door is told of the same denials
// as a call meets.
func TestGateKnowsPolicy(t *testing.T) {
	registry, _ := tool.Select(office(), tool.Selection{Tier: tool.Core})
	for name, test := range policies {
		p := person(test.policy, test.scopes)
		for _, what := range []string{
			"deck_attach", "files_careful", "files_delete", "files_read", "notes_create", "notes_delete", "notes_read", "notes_update", "share_list", "who",
			"nc://notes/all", "nc://files/abc", "nc://notes/17",
		} {
			listed := strings.NewReplacer("abc", "{path}", "17", "{id}").Replace(what)
			want := !slices.Contains(strings.Fields(test.left), listed)
			got := registry.DeniesTool(p, what)
			if strings.Contains(what, ":") {
				got = registry.DeniesResource(p, what)
			}
			if got != want {
				t.Errorf("%s: %s denied %v", name, what, got)
			}
		}
	}
	// A completion names the template.
	folders := person(policies["folders"].policy, everything)
	if !registry.DeniesResource(folders, "nc://files/{path}") || registry.DeniesResource(folders, "nc://notes/{id}") {
		t.Error("a template is not what its resources are")
	}
}

// TestScopesAreStillChecked checks that a policy that allows something gives
// no scope for it.
func TestScopesAreStillChecked(t *testing.T) {
	session := connect(t, setup{sets: office(), principal: person(policy.Policy{Refused: []string{"deck.write"}, ReadOnly: true}, scope.NewSet(scope.NotesRead))})
	text, denied := ask(t, session, "files_read")
	if !denied || !strings.Contains(text, "lacks the scope files.read") {
		t.Errorf("%v, %s", denied, text)
	}
}

// TestPausedAnswersNothing checks the requests that are neither lists nor
// calls.
func TestPausedAnswersNothing(t *testing.T) {
	for _, paused := range []bool{false, true} {
		session := connect(t, setup{sets: office(), principal: person(policy.Policy{Paused: paused}, everything), version: "2025-11-25"})
		_, prompt := session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "greet"})
		_, complete := session.Complete(t.Context(), &mcp.CompleteParams{Ref: &mcp.CompleteReference{Type: "ref/resource", URI: "nc://notes/{id}"}})
		_, completePrompt := session.Complete(t.Context(), &mcp.CompleteParams{Ref: &mcp.CompleteReference{Type: "ref/prompt", Name: "greet"}})
		subscribe := session.Subscribe(t.Context(), &mcp.SubscribeParams{URI: "nc://notes/17"})
		for name, err := range map[string]error{"prompt": prompt, "completion": complete, "completion of a prompt": completePrompt, "subscription": subscribe} {
			if refused := err != nil && strings.Contains(err.Error(), "This connection is paused"); refused != paused {
				t.Errorf("%s, paused %v: %v", name, paused, err)
			}
		}
	}
	// Folders bind what a URI leads to, too.
	session := connect(t, setup{sets: office(), principal: person(policy.Policy{Folders: []string{"/a"}}, everything), version: "2025-11-25"})
	if err := session.Subscribe(t.Context(), &mcp.SubscribeParams{URI: "nc://files/abc"}); err == nil || !strings.Contains(err.Error(), "some folders") {
		t.Errorf("subscription to a file: %v", err)
	}
}

// TestFolders checks what a tool is told that checks its paths itself.
func TestFolders(t *testing.T) {
	session := connect(t, setup{sets: office(), account: account, principal: person(policy.Policy{Folders: []string{"/Projects"}}, everything)})
	text, failed := call(t, session, "files_careful", raw(`{"path":"/Projects/Moon/plan.md"}`))
	if want := `{"path":"/Projects/Moon/plan.md","account":"` + account + `","user":"alice","token":""}`; failed || text != want {
		t.Errorf("failed %v, %s; want %s", failed, text, want)
	}
	for _, path := range []string{"/Private/diary.md", "/Projects/../Private", "/Projects-old", "/"} {
		text, failed = call(t, session, "files_careful", map[string]any{"path": path})
		if !failed || !strings.Contains(text, "/Projects") || !strings.Contains(text, account) {
			t.Errorf("%s: failed %v, %s", path, failed, text)
		}
	}
}

// TestOutsideOfACall checks that a handler that was given no context of a call
// may do nothing.
func TestOutsideOfACall(t *testing.T) {
	ctx := t.Context()
	if tool.Caller(ctx) != nil || tool.AccountURL(ctx) != "" {
		t.Error("somebody calls")
	}
	p := tool.Policy(ctx)
	if !p.Paused || !p.ReadOnly || !p.NoDelete || p.AllowsPath("/") || p.AllowsPath("/a") {
		t.Errorf("%+v", p)
	}
	if tool.CheckPath(ctx, "/a") == nil {
		t.Error("a path is allowed")
	}
}

// TestLocalTools checks that a tool that never asks Nextcloud works while there
// is no way to Nextcloud, for everybody who is signed in and nobody else.
func TestLocalTools(t *testing.T) {
	c := &clients{err: &nextcloud.Error{Kind: nextcloud.ErrUnavailable}}
	session := connect(t, setup{sets: office(), clients: c, principal: person(policy.Policy{}, scope.Set{})})
	if text, failed := call(t, session, "who", nil); failed || !strings.Contains(text, "alice") {
		t.Errorf("failed %v, %s", failed, text)
	}
	if len(c.seen) > 0 {
		t.Error("it got a client of Nextcloud")
	}
	session = connect(t, setup{sets: office(), nobody: true})
	if text, failed := call(t, session, "who", nil); !failed {
		t.Errorf("nobody is told %s", text)
	}
}

// everythingListed are the names and URIs that a client is shown.
func everythingListed(t *testing.T, session *mcp.ClientSession) []string {
	t.Helper()
	var out []string
	tools, err := session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tl := range tools.Tools {
		out = append(out, tl.Name)
	}
	fixed, err := session.ListResources(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range fixed.Resources {
		out = append(out, r.URI)
	}
	templates, err := session.ListResourceTemplates(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range templates.ResourceTemplates {
		out = append(out, r.URITemplate)
	}
	prompts, err := session.ListPrompts(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range prompts.Prompts {
		out = append(out, p.Name)
	}
	return out
}

// ask calls a tool or reads a URI.
func ask(t *testing.T, session *mcp.ClientSession, what string) (text string, denied bool) {
	t.Helper()
	if !strings.Contains(what, ":") {
		return call(t, session, what, nil)
	}
	got, err := read(t, session, what)
	if err != nil {
		// The client puts the method before the message.
		_, text, _ := strings.Cut(err.Error(), `: `)
		return text, true
	}
	return got.Text, false
}
