package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAllowsPath(t *testing.T) {
	some := Policy{Folders: []string{"/Projects/Moon", "/Öffentlich"}}
	for path, want := range map[string]bool{
		"/Projects/Moon":                  true,
		"Projects/Moon/plan.md":           true,
		"/Projects/Moonshine":             false,
		"/Projects":                       false,
		"/":                               false,
		"":                                false,
		"/Projects/Moon/../Sun":           false,
		"/Projects/Sun/../Moon/a":         true,
		"/../../Projects/Moon/a":          true,
		"/projects/moon/a":                false,
		"/Öffentlich/a":                   true,
		"//Projects//Moon//a":             true,
		"/Projects/Moon/./a":              true,
		"/Projects/Moon/a/../../../../..": false,
	} {
		if got := some.AllowsPath(path); got != want {
			t.Errorf("AllowsPath(%q) = %v, want %v", path, got, want)
		}
	}
	if !(Policy{}).AllowsPath("/anything") {
		t.Error("a policy without folders forbids a path")
	}
	if !(Policy{Folders: []string{"/"}}).AllowsPath("/anything") {
		t.Error("the root does not contain everything")
	}
}

func TestParseFolders(t *testing.T) {
	got, err := ParseFolders(" Projects/Moon/ \r\n\n/Projects/Moon/deep\n/A b/ü\n/A b/ü\n/Projects/Moon2\n")
	want := []string{"/A b/ü", "/Projects/Moon", "/Projects/Moon2"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, (-want +got)\n%s", err, diff)
	}
	if got, err := ParseFolders(" \n"); got != nil || err != nil {
		t.Errorf("blank lines: %q, %v", got, err)
	}
	for _, bad := range []string{"/a/../b", `\a`, "a\x00b", "\xff", strings.Repeat("x", 1001)} {
		if _, err := ParseFolders(bad); !errors.Is(err, ErrBadFolder) {
			t.Errorf("ParseFolders(%q): %v", bad, err)
		}
	}
	var many strings.Builder
	for i := range 21 {
		many.WriteString("/folder" + strings.Repeat("i", i) + "x\n")
	}
	if _, err := ParseFolders(many.String()); !errors.Is(err, ErrTooManyFolders) {
		t.Errorf("21 folders: %v", err)
	}
}
