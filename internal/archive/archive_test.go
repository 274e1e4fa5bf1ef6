package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type file struct{ name, content string }

func zipOf(tb testing.TB, files ...file) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: time.Date(2024, 2, 29, 10, 0, 0, 0, time.UTC)})
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, f.content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func tarOf(tb testing.TB, headers ...tar.Header) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := h.Uname // carries the content here
		h.Uname, h.Size, h.Mode = "", int64(len(content)), 0o644
		if err := w.WriteHeader(&h); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func names(t *testing.T, data []byte) (format string, out []string) {
	t.Helper()
	format, err := List(t.Context(), data, func(m Member) bool {
		n := m.Name
		if m.Unsafe {
			n += " (unsafe)"
		}
		out = append(out, n)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return format, out
}

func TestListAndRead(t *testing.T) {
	tarred := tarOf(t,
		tar.Header{Name: "d/", Typeflag: tar.TypeDir}, tar.Header{Name: "d/a.txt", Uname: "hello"},
		tar.Header{Name: "../../etc/cron.d/x", Uname: "evil"}, tar.Header{Name: "l", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink})
	zipped := zipOf(t, file{"d/", ""}, file{"d/a.txt", "hello"}, file{"../../etc/cron.d/x", "evil"}, file{`..\x`, ""}, file{"C:/x", ""}, file{"a\u202etxt.exe", ""})
	for _, c := range []struct {
		data   []byte
		format string
		want   []string
	}{
		{zipped, "zip", []string{"d/", "d/a.txt", "../../etc/cron.d/x (unsafe)", `..\x (unsafe)`, "C:/x (unsafe)", "a\u202etxt.exe (unsafe)"}},
		{tarred, "tar", []string{"d/", "d/a.txt", "../../etc/cron.d/x (unsafe)", "l (unsafe)"}},
		{gzipOf(t, tarred), "tar.gz", []string{"d/", "d/a.txt", "../../etc/cron.d/x (unsafe)", "l (unsafe)"}},
	} {
		format, got := names(t, c.data)
		if format != c.format || !cmp.Equal(c.want, got) {
			t.Errorf("%s: %s", format, cmp.Diff(c.want, got))
		}
		m, content, err := Read(t.Context(), c.data, "d/a.txt", 100)
		if err != nil || string(content) != "hello" || m.Size != 5 {
			t.Errorf("%s: %q, %+v, %v", c.format, content, m, err)
		}
		for _, name := range []string{"d/", "nothing", "d/A.TXT", ""} {
			if _, _, err := Read(t.Context(), c.data, name, 100); !errors.Is(err, ErrNoMember) {
				t.Errorf("%s: %q: %v", c.format, name, err)
			}
		}
		if _, _, err := Read(t.Context(), c.data, "d/a.txt", 4); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: a limit of 4 bytes: %v", c.format, err)
		}
		if _, _, err := Read(t.Context(), c.data[:len(c.data)/6], "d/a.txt", 100); err == nil {
			t.Errorf("%s: read of a sixth", c.format)
		}
	}
	if _, _, err := Read(t.Context(), tarred, "l", 100); !errors.Is(err, ErrNoMember) {
		t.Errorf("a link was read: %v", err)
	}
}

// TestLies believes nothing that an archive says of sizes.
func TestLies(t *testing.T) {
	bomb := zipOf(t, file{"bomb", strings.Repeat("\x00", 64<<20)})
	if _, _, err := Read(t.Context(), bomb, "bomb", 1<<40); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "bomb") {
		t.Errorf("zip bomb: %v", err)
	}
	if _, _, err := Read(t.Context(), bomb, "bomb", 1<<20); !errors.Is(err, ErrTooLarge) {
		t.Errorf("zip bomb with a limit: %v", err)
	}
	tarBomb := gzipOf(t, tarOf(t, tar.Header{Name: "bomb", Uname: strings.Repeat("\x00", 64<<20)}, tar.Header{Name: "behind", Uname: "x"}))
	if _, _, err := Read(t.Context(), tarBomb, "behind", 100); !errors.Is(err, ErrTooLarge) {
		t.Errorf("tar bomb: %v", err)
	}
	if _, err := List(t.Context(), tarBomb, func(Member) bool { return true }); !errors.Is(err, ErrTooLarge) {
		t.Errorf("list of a tar bomb: %v", err)
	}
	locked := zipOf(t, file{"a", "secret"})
	for i := 0; i+4 < len(locked); i++ {
		switch string(locked[i : i+4]) {
		case "PK\x03\x04":
			locked[i+6] |= 1
		case "PK\x01\x02":
			locked[i+8] |= 1
		}
	}
	if _, _, err := Read(t.Context(), locked, "a", 100); !errors.Is(err, ErrEncrypted) {
		t.Errorf("a password: %v", err)
	}
	if _, got := names(t, locked); !cmp.Equal(got, []string{"a"}) {
		t.Errorf("names are not locked: %q", got)
	}
	for _, data := range [][]byte{nil, []byte("hello"), []byte("Rar!\x1a\x07"), bytes.Repeat([]byte{0}, 2000)} {
		if _, err := List(t.Context(), data, func(Member) bool { return true }); !errors.Is(err, ErrFormat) {
			t.Errorf("%.10q: %v", data, err)
		}
	}
	if _, err := List(t.Context(), gzipOf(t, []byte("just a text")), func(Member) bool { return true }); err == nil {
		t.Error("a compressed text was listed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := List(ctx, zipOf(t, file{"a", "x"}), func(Member) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(zipOf(f, file{"a", "hello"}, file{"b/", ""}), "a")
	f.Add(tarOf(f, tar.Header{Name: "a", Uname: "hello"}), "a")
	f.Add(gzipOf(f, tarOf(f, tar.Header{Name: "a", Uname: "hello"})), "a")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		n := 0
		_, _ = List(t.Context(), data, func(Member) bool { n++; return n < 1000 })
		if _, content, err := Read(t.Context(), data, name, 1<<20); err == nil && len(content) > 1<<20 {
			t.Errorf("%d bytes", len(content))
		}
	})
}
