//go:build unix

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nextcloud-mcp-server/internal/store"
)

// Nothing stops root from writing, so the test lends the work to a process of
// another user when it runs as root.
func TestReadOnly(t *testing.T) {
	base, err := os.MkdirTemp("", "store") //nolint:usetesting // the other user may not enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	const nobody = 65534
	binary := executable(t)
	if os.Getuid() == 0 {
		data, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		binary = filepath.Join(base, "child")
		if err := errors.Join(os.Chmod(base, 0o755), os.WriteFile(binary, data, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name      string
		prepared  bool
		file, dir os.FileMode
	}{
		{"directory, no database yet", false, 0, 0o555},
		{"directory", true, 0o600, 0o555},
		{"file", true, 0o400, 0o700},
		{"file of another", true, 0, 0o700},
		{"both", true, 0o400, 0o500},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(base, strings.ReplaceAll(test.name, " ", "-"))
			file := filepath.Join(dir, "store.db")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if test.prepared {
				open(t, store.Options{Path: file}).Close()
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if os.Getuid() == 0 {
				for _, e := range entries {
					if err := os.Chown(filepath.Join(dir, e.Name()), nobody, nobody); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.Chown(dir, nobody, nobody); err != nil {
					t.Fatal(err)
				}
			}
			if test.prepared {
				if err := os.Chmod(file, test.file); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, test.dir); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
			before := snapshotAsOwner(t, file)

			cmd := child(t, binary, "open", file)
			if os.Getuid() == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got := string(out); !strings.HasSuffix(got, "|readonly=true") || !strings.Contains(got, "not writable: give this user write access") || !strings.Contains(got, "TOKEN_STORAGE_DB") {
				t.Errorf("got %s", got)
			}
			if after := snapshotAsOwner(t, file); after != before {
				t.Errorf("files changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

// snapshotAsOwner is snapshot for files that only root can read just now; for
// others there is nothing to compare.
func snapshotAsOwner(t *testing.T, file string) string {
	t.Helper()
	if os.Getuid() != 0 {
		return ""
	}
	return snapshot(t, file)
}
