package docgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tools"
)

const toolsIntro = `# Tools

<!-- Generated from the declarations of the tools by "go generate ./..."; do not edit. -->

What clients are offered depends on ` + "`--tier`" + ` (extended contains core, complete contains all; unless it is set, lists show core, and more to clients that search
tools by themselves or ask with ` + "`?tier=`" + `),
` + "`--areas`, `--tools`, `--exclude-tools` and `--read-only`" + `: see [configuration.md](configuration.md). Each tool needs its scope;
a write scope contains the read scope of its area.
`

// Tools is docs/tools.md.
func Tools() []byte {
	var b bytes.Buffer
	b.WriteString(toolsIntro)
	sets := tools.All()
	scopes := scope.Set{}
	for _, set := range sets {
		fmt.Fprintf(&b, "\n## %s (`%s`)\n\n", set.Title, set.Name)
		if set.Connections {
			b.WriteString("Offered where clients are connected by this server's own authorization server.\n\n")
		}
		fmt.Fprint(&b, "| Tool | Tier | Scope | Effect | What it does |\n|---|---|---|---|---|\n")
		for _, t := range set.Tools {
			scopes = scopes.Union(t.Needs())
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code(t.Name), t.Tier, needed(t), t.Effect, cell(t.Description))
		}
		for _, t := range set.Tools {
			writeArguments(&b, t)
		}
		if len(set.Resources) == 0 {
			continue
		}
		b.WriteString("\n### Resources\n\n| URI | Scope | Content |\n|---|---|---|\n")
		for _, r := range set.Resources {
			scopes = scopes.Union(scope.NewSet(r.Scope))
			fmt.Fprintf(&b, "| %s | %s | %s |\n", code(r.URI), code(string(r.Scope)), cell(r.Description))
		}
	}
	b.WriteString("\n## Scopes\n\n")
	for _, s := range scopes.Strings() {
		fmt.Fprintf(&b, "- %s\n", code(s))
	}
	return b.Bytes()
}

// needed are the scopes of a tool.
func needed(t *tool.Tool) string {
	if t.Anyone {
		return "none"
	}
	return code(t.Needs().String())
}

// argumentSchema is what the page needs of an input schema.
type argumentSchema struct {
	Properties map[string]struct {
		Type        string   `json:"type"`
		Description string   `json:"description"`
		Enum        []string `json:"enum"`
	} `json:"properties"`
	Required []string `json:"required"`
}

func writeArguments(b *bytes.Buffer, t *tool.Tool) {
	decl, err := t.MCP()
	if err != nil {
		panic(err) // a declaration that cannot be served; the tests of tools say which
	}
	raw, _ := decl.InputSchema.(json.RawMessage)
	var s argumentSchema
	if err := json.Unmarshal(raw, &s); err != nil {
		panic(err)
	}
	fmt.Fprintf(b, "\n### %s\n\n", t.Name)
	if len(s.Properties) == 0 {
		b.WriteString("No arguments.\n")
		return
	}
	b.WriteString("| Argument | Type | Meaning |\n|---|---|---|\n")
	names := slices.Sorted(maps.Keys(s.Properties))
	slices.SortStableFunc(names, func(x, y string) int { return rank(s.Required, x) - rank(s.Required, y) })
	for _, name := range names {
		p := s.Properties[name]
		kind := p.Type
		if slices.Contains(s.Required, name) {
			kind += ", required"
		}
		text := p.Description
		if len(p.Enum) > 0 {
			text += ": " + strings.Join(p.Enum, ", ")
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", code(name), kind, cell(text))
	}
}

// rank puts required arguments first, in their declared order.
func rank(required []string, name string) int {
	if i := slices.Index(required, name); i >= 0 {
		return i - len(required)
	}
	return 0
}
