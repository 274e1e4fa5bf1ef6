package prompts_test

import (
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tools"
	"nextcloud-mcp-server/internal/tools/prompts"
)

// TestPrompts: a prompt speaks of tools that exist, of all that it declares and
// of no other.
func TestPrompts(t *testing.T) {
	names := map[string]bool{}
	for _, set := range tools.All() {
		for _, tl := range set.Tools {
			names[tl.Name] = true
		}
	}
	seen := map[string]bool{}
	for _, p := range prompts.All() {
		if seen[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		seen[p.Name] = true
		args := map[string]string{}
		for _, a := range p.Arguments {
			args[a.Name] = "«" + a.Name + "»"
		}
		text, bare := p.Text(args), p.Text(required(args, p.Arguments))
		for _, a := range p.Arguments {
			if !strings.Contains(text, "«"+a.Name+"»") {
				t.Errorf("%s: the argument %s is not in the text", p.Name, a.Name)
			}
			if !a.Required && strings.Contains(bare, "{}") {
				t.Errorf("%s: without %s: %s", p.Name, a.Name, bare)
			}
		}
		for _, name := range p.Tools {
			if !names[name] {
				t.Errorf("%s: there is no tool %s", p.Name, name)
			}
			if !strings.Contains(text, name) {
				t.Errorf("%s: its text does not speak of %s", p.Name, name)
			}
		}
		for name := range names {
			if strings.Contains(name, "_") && strings.Contains(text, name) && !declares(p.Tools, name) {
				t.Errorf("%s: speaks of %s without declaring it", p.Name, name)
			}
		}
		if strings.ContainsAny(p.Title+p.Description, ";→\n") {
			t.Errorf("%s: semicolon, arrow or line break in title or description", p.Name)
		}
	}
}

// required are the arguments that have to be there.
func required(all map[string]string, declared []tool.PromptArgument) map[string]string {
	out := map[string]string{}
	for _, a := range declared {
		if a.Required {
			out[a.Name] = all[a.Name]
		}
	}
	return out
}

func declares(tools []string, name string) bool {
	for _, t := range tools {
		if strings.Contains(t, name) {
			return true
		}
	}
	return false
}
