package terminal

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rsc.io/qr"
)

func env(pairs ...string) Getenv {
	return func(name string) string {
		for _, pair := range pairs {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func TestIs(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if Is(file) || Is(&bytes.Buffer{}) {
		t.Error("a file or a buffer is taken for a terminal")
	}
}

func TestDraws(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want bool
	}{
		{nil, false},
		{[]string{"LANG=en_GB.UTF-8"}, true},
		{[]string{"LANG=C.utf8"}, true},
		{[]string{"LANG=C"}, false},
		{[]string{"LC_ALL=C", "LANG=en_GB.UTF-8"}, false},
		{[]string{"LC_CTYPE=en_GB.UTF-8", "LANG=C"}, true},
		{[]string{"LANG=en_GB.UTF-8", "TERM=dumb"}, false},
		{[]string{"LANG=en_GB.UTF-8", "NO_COLOR=1"}, false},
	} {
		if got := Draws(env(c.env...)); got != c.want {
			t.Errorf("%q: %v", c.env, got)
		}
	}
}

// TestQRCode reads the drawing back, module by module.
func TestQRCode(t *testing.T) {
	const text = "https://cloud.example.org/index.php/login/v2/flow/abcdefghijklmnopqrstuvwxyz0123456789"
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(QRCode(text), "\n"), "\n")
	side := code.Size + 2*quietZone
	if len(lines) != (side+1)/2 {
		t.Fatalf("%d lines for %d rows", len(lines), side)
	}
	for i, line := range lines {
		drawn, ok := strings.CutPrefix(line, "\x1b[30;47m")
		drawn, ok2 := strings.CutSuffix(drawn, "\x1b[0m")
		halves := []rune(drawn)
		if !ok || !ok2 || len(halves) != side {
			t.Fatalf("line %d: %q", i, line)
		}
		for j, half := range halves {
			x, y := j-quietZone, 2*i-quietZone
			upper, lower := slices.Contains([]rune("▀█"), half), slices.Contains([]rune("▄█"), half)
			if upper != code.Black(x, y) || lower != code.Black(x, y+1) {
				t.Fatalf("module %d, %d is %q", x, y, half)
			}
		}
	}
	if got := QRCode(strings.Repeat("x", 5000)); got != "" {
		t.Errorf("a text that is too long is drawn in %d bytes", len(got))
	}
}

func TestOpener(t *testing.T) {
	for _, c := range []struct {
		system string
		env    []string
		want   string
	}{
		{"linux", nil, ""},
		{"linux", []string{"DISPLAY=:0"}, "xdg-open"},
		{"freebsd", []string{"WAYLAND_DISPLAY=wayland-0"}, "xdg-open"},
		{"linux", []string{"DISPLAY=localhost:10", "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22"}, ""},
		{"darwin", nil, "open"},
		{"windows", nil, "rundll32 url.dll,FileProtocolHandler"},
	} {
		if got := strings.Join(opener(c.system, env(c.env...)), " "); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.system, c.env, got, c.want)
		}
	}
}

// TestOpenBrowserWithoutOne: a missing program is no failure.
func TestOpenBrowserWithoutOne(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if OpenBrowser(env("DISPLAY=:0"), "https://cloud.example.org") {
		t.Error("a browser was opened that is not there")
	}
}
