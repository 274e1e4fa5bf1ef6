package install_test

import (
	"encoding/json"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/clientguide"
	"nextcloud-mcp-server/internal/install"
)

func TestFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the paths of the table are those of Unix")
	}
	got := map[string]string{}
	for _, c := range install.Clients() {
		for _, s := range []install.System{
			{OS: "linux", Home: "/home/a"},
			{OS: "freebsd", Home: "/home/a", Config: "/cfg"},
			{OS: "darwin", Home: "/Users/a", Config: "/cfg"},
			{OS: "windows", Home: "/c/Users/a", AppData: "/c/Users/a/AppData/Roaming"},
		} {
			if !c.HasFile() {
				continue
			}
			file, err := c.File(s)
			if err != nil {
				t.Error(err)
			}
			got[c.Key+" "+s.OS] = file
		}
	}
	want := map[string]string{
		"claude-desktop linux":   "/home/a/.config/Claude/claude_desktop_config.json",
		"claude-desktop freebsd": "/cfg/Claude/claude_desktop_config.json",
		"claude-desktop darwin":  "/Users/a/Library/Application Support/Claude/claude_desktop_config.json",
		"claude-desktop windows": "/c/Users/a/AppData/Roaming/Claude/claude_desktop_config.json",
		"cursor linux":           "/home/a/.cursor/mcp.json",
		"cursor freebsd":         "/home/a/.cursor/mcp.json",
		"cursor darwin":          "/Users/a/.cursor/mcp.json",
		"cursor windows":         "/c/Users/a/.cursor/mcp.json",
		"vscode linux":           "/home/a/.config/Code/User/mcp.json",
		"vscode freebsd":         "/cfg/Code/User/mcp.json",
		"vscode darwin":          "/Users/a/Library/Application Support/Code/User/mcp.json",
		"vscode windows":         "/c/Users/a/AppData/Roaming/Code/User/mcp.json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for missing, s := range map[string]install.System{
		"HOME": {OS: "linux", Config: "relative"}, "APPDATA": {OS: "windows", Home: "/c/Users/a"},
	} {
		if _, err := client(t, "vscode").File(s); err == nil || !strings.Contains(err.Error(), missing+" is not set") {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	if _, err := client(t, "cursor").File(install.System{OS: "windows"}); err == nil || !strings.Contains(err.Error(), "USERPROFILE is not set") {
		t.Errorf("without a profile: %v", err)
	}
}

// TestSnippetsAgree: what is written is what the web pages tell people to
// write.
func TestSnippetsAgree(t *testing.T) {
	const name, address = "nextcloud", "https://mcp.example.org/mcp"
	for _, c := range install.Clients() {
		guide, ok := clientguide.Find(c.Key)
		if !c.HasFile() || !ok || guide.File.Text == nil {
			continue
		}
		var got, want any
		if err := json.Unmarshal([]byte(c.Snippet(install.Server{Name: name, URL: address})), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(guide.File.Text(name, address)), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-guide +install)\n%s", c.Key, diff)
		}
	}
}

func TestCommand(t *testing.T) {
	for want, s := range map[string]install.Server{
		"claude mcp add --scope user --transport http nextcloud https://mcp.example.org/mcp": {Name: "nextcloud", URL: "https://mcp.example.org/mcp"},
		"claude mcp add --scope user nextcloud -- '/a b/x' --transport stdio":                {Name: "nextcloud", Command: "/a b/x", Args: program.Args},
		"claude mcp add --env A=1 --env B=2 --scope user nextcloud -- /x":                    {Name: "nextcloud", Command: "/x", Env: map[string]string{"B": "2", "A": "1"}},
	} {
		if got := clientguide.ShellLine(install.Command(s)); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

// TestShell: the printed command is the one that runs.
func TestShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no POSIX shell here")
	}
	words := install.Command(install.Server{Name: "n", Command: "/it's $(here) & \"there\"", Args: []string{"a\\b", ""}})
	out, err := exec.CommandContext(t.Context(), sh, "-c", "claude() { printf '%s\\n' \"$@\"; }; "+clientguide.ShellLine(words)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Join(words[1:], "\n")+"\n", string(out)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
