package clientguide_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/clientguide"
)

const address = "https://mcp.example.com/mcp"

// TestCommandLines pins what people are told to type.
func TestCommandLines(t *testing.T) {
	want := map[string]string{
		"claude":      "",
		"claude-code": "claude mcp add --transport http nextcloud https://mcp.example.com/mcp",
		"chatgpt":     "",
		"cursor":      "",
		"vscode":      `code --add-mcp '{"name":"nextcloud","type":"http","url":"https://mcp.example.com/mcp"}'`,
		"open-webui":  "",
		"gemini-cli":  "gemini mcp add --scope user --transport http nextcloud https://mcp.example.com/mcp",
		"codex":       "codex mcp add nextcloud --url https://mcp.example.com/mcp",
		"inspector":   "npx @modelcontextprotocol/inspector",
	}
	got := map[string]string{}
	for _, c := range clientguide.All() {
		got[c.Key] = c.CommandLine("nextcloud", address)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCommandLineQuoting checks that a shell reads back the very arguments,
// whatever is in them.
func TestCommandLineQuoting(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no POSIX shell here")
	}
	name, hostile := "it's $(touch x) `id`", "https://h/?a=1&b=2;c|d>e <f> \"g\" \\ ~ * #"
	for _, c := range clientguide.All() {
		if c.Command == nil {
			continue
		}
		words := c.Command(name, hostile)
		_, args, _ := strings.Cut(c.CommandLine(name, hostile), " ")
		out, err := exec.CommandContext(t.Context(), sh, "-c", `printf '%s\n' `+args).Output()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Join(words[1:], "\n")+"\n", string(out)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.Key, diff)
		}
	}
}

// TestDeepLinks reads the links as the clients do.
func TestDeepLinks(t *testing.T) {
	const name, hostile = "my cloud & co", "https://h/mcp?a=1&b=2+3#4"
	for _, c := range clientguide.All() {
		if c.DeepLink == nil {
			continue
		}
		link, err := url.Parse(c.DeepLink(name, hostile))
		if err != nil {
			t.Fatal(err)
		}
		var text, wantName string
		switch c.Key {
		case "cursor":
			if link.Scheme != "cursor" || link.Host != "anysphere.cursor-deeplink" || link.Path != "/mcp/install" {
				t.Errorf("cursor: %s", link)
			}
			config, err := base64.StdEncoding.DecodeString(link.Query().Get("config"))
			if err != nil {
				t.Fatal(err)
			}
			text, wantName = string(config), link.Query().Get("name")
		case "vscode":
			if link.Scheme != "vscode" || link.Opaque != "mcp/install" || strings.Contains(link.RawQuery, "+") {
				t.Errorf("vscode: %s", link)
			}
			if text, err = url.PathUnescape(link.RawQuery); err != nil { // decodeURIComponent
				t.Fatal(err)
			}
			wantName = name
		default:
			t.Errorf("%s: a link that nothing checks", c.Key)
		}
		var config struct{ Name, Type, URL string }
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			t.Fatalf("%s: %q: %v", c.Key, text, err)
		}
		if config.URL != hostile || wantName != name || (c.Key == "vscode" && (config.Name != name || config.Type != "http")) {
			t.Errorf("%s: %+v, name %q", c.Key, config, wantName)
		}
	}
}

// TestFiles pins the configuration files.
func TestFiles(t *testing.T) {
	want := map[string]string{
		"claude-code .mcp.json":              `{"mcpServers":{"nextcloud":{"type":"http","url":"https://mcp.example.com/mcp"}}}`,
		"cursor ~/.cursor/mcp.json":          `{"mcpServers":{"nextcloud":{"url":"https://mcp.example.com/mcp"}}}`,
		"vscode .vscode/mcp.json":            `{"servers":{"nextcloud":{"type":"http","url":"https://mcp.example.com/mcp"}}}`,
		"gemini-cli ~/.gemini/settings.json": `{"mcpServers":{"nextcloud":{"httpUrl":"https://mcp.example.com/mcp"}}}`,
		"codex ~/.codex/config.toml":         "[mcp_servers.nextcloud]\nurl = \"https://mcp.example.com/mcp\"\n",
	}
	got := map[string]string{}
	for _, c := range clientguide.All() {
		if c.File.Text == nil {
			continue
		}
		text := c.File.Text("nextcloud", address)
		if c.File.Syntax == "json" {
			var v any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			b, _ := json.Marshal(v)
			text = string(b)
		}
		got[c.Key+" "+c.File.Path] = text
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	codex, _ := clientguide.Find("codex")
	if got := codex.File.Text("my cloud", address); !strings.HasPrefix(got, "[mcp_servers.\"my cloud\"]\n") {
		t.Errorf("a name with a space: %q", got)
	}
}

// TestSteps checks that every client has as many steps in every language, with
// the same values in them, and none left to fill in.
func TestSteps(t *testing.T) {
	for _, c := range clientguide.All() {
		english := c.Steps("en", "NAME", address)
		for _, language := range clientguide.Languages() {
			steps := c.Steps(language, "NAME", address)
			if language != "en" && slices.Equal(steps, english) {
				t.Errorf("%s: no steps in %s", c.Key, language)
			}
			if len(steps) != len(english) {
				t.Errorf("%s: %d steps in %s, %d in English", c.Key, len(steps), language, len(english))
			}
			all := strings.Join(steps, "\n")
			if slices.Contains(steps, "") || strings.ContainsAny(all, "{}") {
				t.Errorf("%s: %q", c.Key, steps)
			}
			for _, value := range []string{"NAME", address} {
				if strings.Contains(all, value) != strings.Contains(strings.Join(english, "\n"), value) {
					t.Errorf("%s: %s is not in both %s and English", c.Key, value, language)
				}
			}
		}
		if got := c.Steps("xx", "NAME", address); !slices.Equal(got, english) {
			t.Errorf("%s: an unknown language is answered by %q", c.Key, got)
		}
		if c.Command == nil && c.DeepLink == nil && !strings.Contains(strings.Join(english, ""), address) {
			t.Errorf("%s: the address is nowhere", c.Key)
		}
	}
}

func TestFind(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range clientguide.All() {
		if seen[c.Key] || c.Name == "" {
			t.Errorf("%q: twice, or without a name", c.Key)
		}
		seen[c.Key] = true
		if got, ok := clientguide.Find(c.Key); !ok || got.Name != c.Name {
			t.Errorf("%q is not found", c.Key)
		}
	}
	if _, ok := clientguide.Find("emacs"); ok {
		t.Error("found what is not there")
	}
}
