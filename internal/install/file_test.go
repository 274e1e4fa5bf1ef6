package install_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/install"
)

func write(t *testing.T, file, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWrite(t *testing.T) {
	c := client(t, "cursor")
	dir := filepath.Join(t.TempDir(), "new", "folder")
	file := filepath.Join(dir, "mcp.json")
	done, err := c.Write(file, program)
	if err != nil || !done.Wrote || done.Backup != "" || content(t, file) != c.Snippet(program) {
		t.Fatalf("%+v, %v: %s", done, err, content(t, file))
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if done, err = c.Write(file, program); err != nil || done.Wrote || done.Backup != "" {
		t.Errorf("a second time: %+v, %v", done, err)
	}
	// Another mode and a backup for each change.
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	first := content(t, file)
	for i, name := range []string{"mcp.json.bak", "mcp.json.bak2"} {
		before := content(t, file)
		other := program
		other.Command += strings.Repeat("x", i+1)
		done, err := c.Write(file, other)
		if err != nil || !done.Wrote || done.Backup != filepath.Join(dir, name) || content(t, done.Backup) != before {
			t.Errorf("%+v, %v", done, err)
		}
		for _, f := range []string{file, done.Backup} {
			if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("%s: %v, %v", f, info.Mode(), err)
			}
		}
	}
	if content(t, filepath.Join(dir, "mcp.json.bak")) != first {
		t.Error("the first backup was overwritten")
	}
	if got := names(t, dir); !slices.Equal(got, []string{"mcp.json", "mcp.json.bak", "mcp.json.bak2"}) {
		t.Errorf("left in the folder: %q", got)
	}
}

// TestWriteThroughLink: a link into a folder of dotfiles stays a link.
func TestWriteThroughLink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.json"), filepath.Join(dir, "mcp.json")
	write(t, real, "{}", 0o600)
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	if _, err := client(t, "cursor").Write(link, program); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 || content(t, real) == "{}" {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestWriteRefuses: one sentence that names the file, and nothing is changed
// nor left behind.
func TestWriteRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		mode    fs.FileMode
		unclear bool
		says    string
	}{
		"comments":  {"{\n  // mine\n}", 0o600, true, "may hold comments"},
		"read-only": {"{}", 0o400, false, "it is read-only"},
		"too large": {"{}" + strings.Repeat(" ", 4<<20), 0o600, false, "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "mcp.json")
			write(t, file, c.content, c.mode)
			done, err := client(t, "cursor").Write(file, program)
			if err == nil || errors.Is(err, install.ErrUnclear) != c.unclear || !strings.HasPrefix(err.Error(), file+" was not changed: ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%+v, %v", done, err)
			}
			if content(t, file) != c.content || len(names(t, dir)) != 1 || done.Wrote {
				t.Errorf("something was changed: %q", names(t, dir))
			}
		})
	}
	dir := t.TempDir()
	if _, err := client(t, "cursor").Write(dir, program); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder: %v", err)
	}
	file := filepath.Join(dir, "file")
	write(t, file, "", 0o600)
	if _, err := client(t, "cursor").Write(filepath.Join(file, "mcp.json"), program); err == nil || !strings.Contains(err.Error(), "mcp.json was not changed: not a directory") {
		t.Errorf("below a file: %v", err)
	}
}
