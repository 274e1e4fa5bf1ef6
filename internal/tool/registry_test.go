package tool_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

func names(r *tool.Registry) string {
	var out []string
	for _, t := range r.Tools() {
		out = append(out, t.Name)
	}
	return strings.Join(out, " ")
}

func TestSelect(t *testing.T) {
	const core = "nc_echo nc_nil nc_panic nc_picture nc_secret nc_unencodable nc_wait nc_write"
	for name, test := range map[string]struct {
		sel  tool.Selection
		want string
	}{
		"core":             {tool.Selection{Tier: tool.Core}, "nc_deck_both nc_deck_read " + core},
		"extended":         {tool.Selection{Tier: tool.Extended}, "nc_deck_both nc_deck_read nc_echo nc_extended nc_nil nc_panic nc_picture nc_secret nc_unencodable nc_wait nc_write"},
		"complete":         {tool.Selection{Tier: tool.Complete}, "nc_complete nc_deck_both nc_deck_read nc_echo nc_extended nc_nil nc_panic nc_picture nc_secret nc_unencodable nc_wait nc_write"},
		"one area":         {tool.Selection{Tier: tool.Core, Areas: []string{"deck"}}, "nc_deck_both nc_deck_read"},
		"area and tool":    {tool.Selection{Tier: tool.Core, Areas: []string{"deck"}, Tools: []string{"nc_complete"}}, "nc_complete nc_deck_both nc_deck_read"},
		"tools only":       {tool.Selection{Tier: tool.Core, Tools: []string{"nc_write", "nc_extended"}}, "nc_extended nc_write"},
		"exclude":          {tool.Selection{Tier: tool.Core, Areas: []string{"deck"}, Exclude: []string{"nc_deck_both"}}, "nc_deck_read"},
		"exclude wins":     {tool.Selection{Tier: tool.Core, Tools: []string{"nc_write", "nc_echo"}, Exclude: []string{"nc_write"}}, "nc_echo"},
		"read-only":        {tool.Selection{Tier: tool.Complete, Areas: []string{"deck"}, ReadOnly: true}, "nc_deck_read"},
		"read-only wins":   {tool.Selection{Tier: tool.Complete, Tools: []string{"nc_write", "nc_complete", "nc_echo"}, ReadOnly: true}, "nc_echo"},
		"nothing is asked": {tool.Selection{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, unknown := tool.Select(sample(), test.sel)
			if len(unknown) > 0 {
				t.Fatal(unknown[0])
			}
			if diff := cmp.Diff(test.want, names(r)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for _, tl := range r.Tools() {
				if needs, ok := r.ToolNeeds(tl.Name); !ok || needs.Empty() {
					t.Errorf("%s: needs %v, offered %v", tl.Name, needs, ok)
				}
				if why, off := r.Off(tl.Name); off {
					t.Errorf("%s is offered and off: %s", tl.Name, why)
				}
			}
		})
	}
}

func TestSelectReportsEveryUnknownName(t *testing.T) {
	_, unknown := tool.Select(sample(), tool.Selection{
		Tier: tool.Core, Areas: []string{"notes", "noets", "x"}, Tools: []string{"nc_no"}, Exclude: []string{"nc_echo", "nc_never"},
	})
	var got []string
	for _, u := range unknown {
		got = append(got, u.Switch+" "+u.Name)
		if !strings.Contains(u.Error(), u.Name) || len(u.Known) == 0 || !strings.Contains(u.Error(), u.Known[0]) {
			t.Errorf("%q does not say what is unknown and what is known", u.Error())
		}
	}
	if diff := cmp.Diff([]string{"areas noets", "areas x", "tools nc_no", "exclude-tools nc_never"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOff(t *testing.T) {
	for name, test := range map[string]struct {
		sel  tool.Selection
		want string
	}{
		"read-only": {tool.Selection{Tier: tool.Core, ReadOnly: true}, "The tool nc_write is not available: this server is read-only, and nothing was changed."},
		"excluded":  {tool.Selection{Tier: tool.Core, Exclude: []string{"nc_write"}}, "The tool nc_write is not available: it is excluded on this server."},
		"area":      {tool.Selection{Tier: tool.Core, Areas: []string{"deck"}}, "The tool nc_write is not available: its area is switched off on this server."},
	} {
		t.Run(name, func(t *testing.T) {
			session := connect(t, setup{selection: test.sel})
			text, failed := call(t, session, "nc_write", nil)
			if !failed || text != test.want {
				t.Errorf("failed %v: %s", failed, text)
			}
			list, err := session.ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, tl := range list.Tools {
				if tl.Name == "nc_write" {
					t.Error("it is listed")
				}
			}
		})
	}
	session := connect(t, setup{selection: tool.Selection{Tier: tool.Core}})
	if text, failed := call(t, session, "nc_complete", nil); !failed || text != "The tool nc_complete is not available: this server offers the core tier only." {
		t.Errorf("failed %v: %s", failed, text)
	}
	if _, err := session.CallTool(t.Context(), callParams("nc_never", "{}")); err == nil || !strings.Contains(err.Error(), "nc_never") {
		t.Errorf("a tool that does not exist: %v", err)
	}
}

func TestNeeds(t *testing.T) {
	r, _ := tool.Select(sample(), tool.Selection{Tier: tool.Core})
	if needs, ok := r.ToolNeeds("nc_deck_both"); !ok || needs.String() != "deck.write files.read" {
		t.Errorf("nc_deck_both needs %q, %v", needs, ok)
	}
	for _, name := range []string{"nc_complete", "nc_never", "", "NC_ECHO"} {
		if needs, ok := r.ToolNeeds(name); ok || !needs.Empty() {
			t.Errorf("%q needs %q, %v", name, needs, ok)
		}
	}
	for uri, want := range map[string]string{
		"nc://notes/settings":           "notes.read",
		"nc://notes/17":                 "notes.read",
		"nc://notes/{id}":               "notes.read", // completion names the template
		"nc://notes/17/files/a%20b.png": "files.read",
		"nc://notes/17/files/a/b":       "",
		"NC://notes/17":                 "",
		" nc://notes/17":                "", //nolint:gocritic // the space is what is tested
		"nc://notes/17\n":               "",
		"":                              "",
		"nc://notes/" + strings.Repeat("x", 1<<20): "",
	} {
		if needs, ok := r.ResourceNeeds(uri); needs.String() != want || ok != (want != "") {
			t.Errorf("%.40s needs %q, %v; want %q", uri, needs, ok, want)
		}
	}
	if got, want := r.Scopes().String(), "deck.read deck.write files.read notes.read notes.write"; got != want {
		t.Errorf("Scopes = %q, want %q", got, want)
	}
}

// TestResourceNeedsAll checks that the gate takes the scopes of every resource
// that a URI could mean: which one is read is not its decision.
func TestResourceNeedsAll(t *testing.T) {
	read := func(tool.Vars) (tool.Content, error) { return tool.Content{}, nil }
	g := tool.Group[*client]{Name: "a", Client: newClient, Resources: []tool.ResourceOf[*client]{
		resource("x://{a}", "one", scope.NotesRead, read), resource("x://{b}", "two", scope.FilesRead, read),
	}}
	r, _ := tool.Select([]tool.Set{g.Set()}, tool.Selection{Tier: tool.Core})
	if needs, _ := r.ResourceNeeds("x://1"); needs.String() != "files.read notes.read" {
		t.Errorf("needs %q", needs)
	}
}

func TestSelectedResources(t *testing.T) {
	for name, test := range map[string]struct {
		sel  tool.Selection
		want bool
	}{
		"all":        {tool.Selection{Tier: tool.Core}, true},
		"read-only":  {tool.Selection{Tier: tool.Core, ReadOnly: true}, true},
		"area":       {tool.Selection{Tier: tool.Core, Areas: []string{"notes"}}, true},
		"other area": {tool.Selection{Tier: tool.Core, Areas: []string{"deck"}}, false},
		"tools only": {tool.Selection{Tier: tool.Core, Tools: []string{"nc_echo"}}, false},
	} {
		r, _ := tool.Select(sample(), test.sel)
		if _, ok := r.ResourceNeeds("nc://notes/17"); ok != test.want {
			t.Errorf("%s: offered %v", name, ok)
		}
	}
}

// TestConnections checks that what is about connections is offered only where
// there are some.
func TestConnections(t *testing.T) {
	sets := audited()
	sets[0].Connections = true
	for _, there := range []bool{true, false} {
		for _, sel := range []tool.Selection{{Tier: tool.Core}, {Tier: tool.Core, Areas: []string{"notes"}}, {Tier: tool.Core, Tools: []string{"nc_plain"}}} {
			sel.Connections = there
			r, unknown := tool.Select(sets, sel)
			if len(unknown) > 0 {
				t.Error(unknown[0])
			}
			if _, offered := r.ToolNeeds("nc_plain"); offered != there {
				t.Errorf("%+v: offered %v", sel, offered)
			}
			if _, offered := r.ResourceNeeds("nc://notes/17"); offered != (there && len(sel.Tools) == 0) {
				t.Errorf("%+v: resources offered %v", sel, offered)
			}
			if why, off := r.Off("nc_plain"); off == there || off && !strings.Contains(why, "no connections of its own") {
				t.Errorf("%+v: off %v, %s", sel, off, why)
			}
		}
	}
}

func TestInstructions(t *testing.T) {
	open, _ := tool.Select(sample(), tool.Selection{Tier: tool.Core})
	closed, _ := tool.Select(sample(), tool.Selection{Tier: tool.Core, ReadOnly: true})
	if strings.Contains(open.Instructions(), "read-only") || !strings.Contains(closed.Instructions(), "read-only") {
		t.Error("the instructions do not say whether anything can be changed")
	}
}

func TestParseTier(t *testing.T) {
	for _, tier := range []tool.Tier{tool.Core, tool.Extended, tool.Complete} {
		if got, err := tool.ParseTier(tier.String()); err != nil || got != tier {
			t.Errorf("%s: %v, %v", tier, got, err)
		}
	}
	if _, err := tool.ParseTier("all"); err == nil || !strings.Contains(err.Error(), "core, extended, complete") {
		t.Errorf("%v", err)
	}
}

func TestIncompleteDeclarationsPanic(t *testing.T) {
	whole := define("nc_tool", scope.NotesRead, tool.Reads, tool.Core)
	does(whole, func(context.Context) (*nothing, error) { return nil, nil }) // does not panic
	for name, change := range map[string]func(*tool.Def){
		"name":         func(d *tool.Def) { d.Name = "Notes.Create" },
		"empty name":   func(d *tool.Def) { d.Name = "" },
		"long name":    func(d *tool.Def) { d.Name = strings.Repeat("n", 65) },
		"title":        func(d *tool.Def) { d.Title = "" },
		"description":  func(d *tool.Def) { d.Description = "" },
		"scope":        func(d *tool.Def) { d.Scope = "" },
		"effect":       func(d *tool.Def) { d.Effect = 0 },
		"other effect": func(d *tool.Def) { d.Effect = tool.Deletes + 1 },
		"tier":         func(d *tool.Def) { d.Tier = 0 },
		"two rules":    func(d *tool.Def) { d.Anyone = true },
		"free change":  func(d *tool.Def) { d.Anyone, d.Scope, d.Effect = true, "", tool.Updates },
		"free scopes":  func(d *tool.Def) { d.Anyone, d.Scope, d.Also = true, "", []scope.Scope{scope.NotesRead} },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			def := whole
			change(&def)
			does(def, func(context.Context) (*nothing, error) { return nil, nil })
		}()
	}
}
