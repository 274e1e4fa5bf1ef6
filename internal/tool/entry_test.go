package tool_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	own "nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// MoveInput names two things and holds a text.
type MoveInput struct {
	NoteID  int64    `json:"note_id" jsonschema:"id"`
	Folder  string   `json:"folder,omitempty" jsonschema:"folder"`
	Tags    []string `json:"tags,omitempty" jsonschema:"words"`
	Content string   `json:"content,omitempty" jsonschema:"text"`
}

// audited are tools and a resource whose use somebody wants to know.
func audited() []tool.Set {
	move := define("nc_move", scope.NotesWrite, tool.Updates, tool.Core)
	move.Object = []string{"folder", "note_id", "tags"}
	move.Aliases = map[string]string{"id": "note_id", "to": "folder", "into": "folder"}
	gone := define("nc_gone", scope.NotesRead, tool.Reads, tool.Core)
	gone.Object = []string{"note_id"}
	return []tool.Set{tool.Group[*client]{
		Name: "notes", Title: "Notes", Client: newClient,
		Tools: []tool.Of[*client]{
			tool.New(move, func(context.Context, *client, MoveInput) (*nothing, error) { return &nothing{}, nil }),
			tool.New(gone, func(context.Context, *client, MoveInput) (*nothing, error) {
				return nil, &nextcloud.Error{Kind: nextcloud.ErrNotFound, Message: "the secret plan"}
			}),
			does(define("nc_plain", scope.NotesRead, tool.Reads, tool.Core), func(context.Context) (*nothing, error) { return &nothing{}, nil }),
		},
		Resources: []tool.ResourceOf[*client]{
			resource("nc://notes/{id}", "note", scope.NotesRead, func(v tool.Vars) (tool.Content, error) {
				if v["id"] == "missing" {
					return tool.Content{}, &nextcloud.Error{Kind: nextcloud.ErrNotFound}
				}
				return tool.Content{Text: "text"}, nil
			}),
		},
	}.Set()}
}

func TestAudit(t *testing.T) {
	p := &own.Principal{Subject: "alice", GrantID: "g1", Scopes: scope.NewSet(scope.NotesWrite)}
	reader := &own.Principal{Subject: "alice", GrantID: "g2", Scopes: scope.NewSet(scope.NotesRead)}
	paused := &own.Principal{Subject: "alice", GrantID: "g3", Scopes: scope.NewSet(scope.NotesWrite), Policy: policy.Policy{Paused: true}}
	for name, test := range map[string]struct {
		principal      *own.Principal
		what, args     string
		object, result string
	}{
		"call":            {p, "nc_move", `{"note_id":17,"folder":"Work","content":"my diary"}`, "Work, 17", "ok"},
		"one object":      {p, "nc_move", `{"note_id":17}`, "17", "ok"},
		"as text":         {p, "nc_move", `{"note_id":"17"}`, "17", "ok"},
		"older name":      {p, "nc_move", `{"id":17,"into":"Work"}`, "Work, 17", "ok"},
		"null":            {p, "nc_move", `{"note_id":17,"folder":null}`, "17", "ok"},
		"no single value": {p, "nc_move", `{"note_id":17,"tags":["a"]}`, "17", "ok"},
		"wrong arguments": {p, "nc_move", `{"note_id":17,"secret":"x"}`, "17", "refused"},
		"object missing":  {p, "nc_move", `{}`, "", "refused"},
		"no arguments":    {p, "nc_move", `null`, "", "refused"},
		"long":            {p, "nc_move", `{"note_id":1,"folder":"` + strings.Repeat("ä", 300) + `"}`, strings.Repeat("ä", 199) + "…", "ok"},
		"just fits":       {p, "nc_move", `{"note_id":1,"folder":"` + strings.Repeat("ä", 197) + `"}`, strings.Repeat("ä", 197) + ", 1", "ok"},
		"control":         {p, "nc_move", `{"note_id":1,"folder":"a\r\n\u0000\u202eb\u2028c\u200bd"}`, "abcd, 1", "ok"},
		"Nextcloud error": {p, "nc_gone", `{"note_id":17}`, "17", "not found"},
		"no object":       {p, "nc_plain", `{}`, "", "ok"},
		"no scope":        {reader, "nc_move", `{"note_id":17}`, "17", "refused"},
		"paused":          {paused, "nc_move", `{"note_id":17}`, "17", "refused"},
		"resource":        {p, "nc://notes/17", "", "nc://notes/17", "ok"},
		"no resource":     {p, "nc://notes/missing", "", "nc://notes/missing", "not found"},
		"paused resource": {paused, "nc://notes/17", "", "nc://notes/17", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []tool.Entry
			session := connect(t, setup{sets: audited(), principal: test.principal, audit: func(e tool.Entry) { got = append(got, e) }})
			want := tool.Entry{Principal: test.principal, Tool: test.what, Object: test.object, Outcome: test.result}
			if test.args == "" {
				want.Tool = "resources/read"
				_, _ = read(t, session, test.what)
			} else {
				call(t, session, test.what, json.RawMessage(test.args))
			}
			same := cmp.Comparer(func(a, b *own.Principal) bool { return a == b })
			if diff := cmp.Diff([]tool.Entry{want}, got, same); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestAuditIsForConnections checks that nothing is noted for those who granted
// nothing here.
func TestAuditIsForConnections(t *testing.T) {
	for name, s := range map[string]setup{
		"a token from elsewhere": {principal: &own.Principal{Subject: "alice", Scopes: scope.NewSet(scope.NotesWrite)}},
		"a single user":          {},
		"nobody":                 {nobody: true},
	} {
		s.sets, s.audit = audited(), func(e tool.Entry) { t.Errorf("%s: %+v", name, e) }
		session := connect(t, s)
		call(t, session, "nc_plain", nil)
		_, _ = read(t, session, "nc://notes/17")
	}
}

// FuzzObject checks the promise of Entry.Object for whatever a caller sends.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{"note_id":1}`, `{"folder":"a\u0000\u202e"}`, `{"folder":"` + strings.Repeat("x", 500) + `"}`, `[]`, `null`, `{"id":{}}`, "{\"folder\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	move := audited()[0].Tools[0]
	f.Fuzz(func(t *testing.T, args []byte) {
		object := tool.ObjectOf(move, args)
		if !utf8.ValidString(object) || utf8.RuneCountInString(object) > 200 || strings.ContainsFunc(object, unicode.IsControl) {
			t.Errorf("%q", object)
		}
	})
}
