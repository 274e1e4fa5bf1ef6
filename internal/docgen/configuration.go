package docgen

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/config"
)

const configurationIntro = `# Configuration

<!-- Generated from the table of settings by "go generate ./..."; do not edit. -->

Every setting is an environment variable, and many are flags too. A flag outranks the environment, the environment
outranks the ` + "`.env`" + ` file, and that outranks the default. A variable that is empty counts as not set.

- **` + "`.env`" + `** is read from the working directory when it is there; ` + "`--env-file FILE`" + ` names another one. Lines are
  ` + "`NAME=value`" + `, with ` + "`export`" + ` before them if you like; ` + "`#`" + ` begins a comment. Values are taken as they stand: nothing is
  expanded. In double quotes, ` + "`\\n`, `\\\"` and `\\\\`" + ` mean a line end, a quote and a backslash; in single quotes, nothing has a
  meaning. Make the file readable for yourself only (` + "`chmod 600 .env`" + `).
- **Secrets** can come from files: set the variable's name with ` + "`_FILE`" + ` behind it to the path. Secrets on the command
  line can be read by every user of the machine.
- **Mistakes** are all shown at once, and the program exits with code 2. A misspelt variable is warned about.

With ` + "`NEXTCLOUD_USERNAME` and `NEXTCLOUD_PASSWORD`" + ` the server works for that one user (stdio, or HTTP on this machine);
without them people sign in with OAuth. ` + "`--oauth` and `--no-oauth`" + ` decide it in words.
`

const configurationOutro = `
## Other variables

The Go runtime's own variables work too: ` + "`GOGC`" + ` (400 unless set) and ` + "`GOMEMLIMIT`" + ` govern memory, ` + "`HTTPS_PROXY`" + ` and
` + "`NO_PROXY`" + ` the way out.
`

// Configuration is docs/configuration.md.
func Configuration() []byte {
	var b bytes.Buffer
	b.WriteString(configurationIntro)
	for _, section := range config.Sections() {
		fmt.Fprintf(&b, "\n## %s\n\n| Variable | Flag | Default | Meaning |\n|---|---|---|---|\n", section)
		for _, s := range config.Settings() {
			if s.Section == section {
				fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", variables(&s), flags(&s), defaultOf(&s), meaning(&s))
			}
		}
	}
	b.WriteString("\n## Variables without effect\n\n" +
		"People bring these along, most of them from the Python server of the same name. They are accepted and warned about.\n\n| Variable | Instead |\n|---|---|\n")
	instead := config.WithoutEffect()
	for _, name := range slices.Sorted(maps.Keys(instead)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, cell(instead[name]))
	}
	b.WriteString(configurationOutro)
	return b.Bytes()
}

func variables(s *config.Setting) string {
	names := []string{code(s.Env)}
	if file := s.FileEnv(); file != "" {
		names = append(names, code(file))
	}
	return strings.Join(names, "<br>")
}

func flags(s *config.Setting) string {
	var names []string
	if s.Flag != "" {
		name := code("--" + s.Flag)
		if s.Short != "" {
			name += ", " + code("-"+s.Short)
		}
		names = append(names, name)
	}
	for _, sw := range s.Switches {
		names = append(names, code("--"+sw.Flag))
	}
	return strings.Join(names, "<br>")
}

func defaultOf(s *config.Setting) string {
	switch {
	case s.Derived != "":
		return cell(s.Derived)
	case s.Default != "":
		return code(s.Default)
	}
	return ""
}

func meaning(s *config.Setting) string {
	text := cell(s.Doc)
	if allowed := s.Allowed(); len(allowed) > 1 && s.Default != "true" && s.Default != "false" {
		for i := range allowed {
			allowed[i] = code(allowed[i])
		}
		text += " One of " + strings.Join(allowed, ", ") + "."
	}
	if s.Example != "" && !s.Secret {
		text += " Example: " + code(s.Example) + "."
	}
	parts := []string{text}
	for _, sw := range s.Switches {
		parts = append(parts, code("--"+sw.Flag)+" means "+code(sw.Value)+".")
	}
	for _, old := range s.Aliases {
		parts = append(parts, "Older name: "+code(old)+".")
	}
	return strings.Join(parts, " ")
}

func code(text string) string { return "`" + cell(text) + "`" }

// cell is text for a cell of a Markdown table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), "|", `\|`)
}
