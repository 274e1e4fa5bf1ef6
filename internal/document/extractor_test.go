package document

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func apart(t *testing.T, mode string, opts Options) *Extractor {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	opts.Command = []string{self, mode}
	return NewExtractor(&opts)
}

// TestApart reads the same in a process of its own as here.
func TestApart(t *testing.T) {
	for name, data := range map[string][]byte{
		"a.pdf": samplePDF("BT /F1 9 Tf 72 700 Td (x < y) Tj ET"), "a.docx": sampleDOCX(t, `<w:p><w:r><w:t>Grüße</w:t></w:r></w:p>`),
		"a.pptx": samplePPTX(t), "a.txt": []byte("x"),
	} {
		want, err := Read(t.Context(), data, Request{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		got, err := apart(t, "child", Options{}).Extract(t.Context(), bytes.NewReader(data), Request{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(name, diff)
		}
	}
	_, err := apart(t, "child", Options{}).Extract(t.Context(), strings.NewReader(cfbMagic+"\x00"), Request{Name: "a.doc"})
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "before 2007") {
		t.Errorf("an error of a child: %v", err)
	}
}

// TestContained keeps what goes wrong in a child away from the server.
func TestContained(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("limits of memory are set on Linux only")
	}
	for _, c := range []struct {
		mode string
		kind error
	}{
		{"hog", ErrTooLarge}, {"crash", ErrDamaged}, {"silent", ErrDamaged}, {"spin", ErrTimeout}, {"chatter", ErrDamaged},
	} {
		t.Run(c.mode, func(t *testing.T) {
			if raceEnabled && c.mode == "hog" {
				t.Skip("the race detector needs more memory than the limit")
			}
			opts := Options{Timeout: 20 * time.Second}
			if c.mode == "spin" {
				opts.Timeout = 200 * time.Millisecond
			}
			_, err := apart(t, c.mode, opts).Extract(t.Context(), strings.NewReader("x"), Request{Name: "a.txt"})
			if !errors.Is(err, c.kind) {
				t.Errorf("got %v, want %v", err, c.kind)
			}
			if err != nil && strings.Contains(err.Error(), "goroutine") {
				t.Errorf("a stack in the message: %v", err)
			}
		})
	}
}

// TestOwnSecrets gives a child nothing of the server's environment.
func TestOwnSecrets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	t.Setenv("NEXTCLOUD_PASSWORD", "canary")
	e := NewExtractor(&Options{Command: []string{"/bin/sh", "-c", `cat >/dev/null; printf '{"kind":"damaged","message":"env:%s"}' "$NEXTCLOUD_PASSWORD"`}})
	_, err := e.Extract(t.Context(), strings.NewReader("x"), Request{Name: "a.txt"})
	if err == nil || err.Error() != "env:" {
		t.Errorf("got %v", err)
	}
}

type cut struct{ r io.Reader }

func (c cut) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if errors.Is(err, io.EOF) {
		return n, errCut
	}
	return n, err
}

var errCut = errors.New("the connection was cut")

// TestSource passes on what went wrong on the way to the document.
func TestSource(t *testing.T) {
	for _, e := range []*Extractor{NewExtractor(&Options{MaxSize: 100}), apart(t, "child", Options{MaxSize: 100})} {
		if _, err := e.Extract(t.Context(), strings.NewReader(strings.Repeat("x", 101)), Request{Name: "a.txt"}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("too large: %v", err)
		}
		if _, err := e.Extract(t.Context(), cut{strings.NewReader("half")}, Request{Name: "a.txt"}); !errors.Is(err, errCut) {
			t.Errorf("cut: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := e.Extract(ctx, strings.NewReader("x"), Request{Name: "a.txt"}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// script is a program of the host that a test stands in for.
func script(t *testing.T, name, body string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestHostTools uses programs of the host for what is asked or cannot be read
// otherwise.
func TestHostTools(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	broken := []byte("%PDF-1.4\nnothing that can be repaired")
	tools := Tools{PDFToText: script(t, "pdftotext", `cat >/dev/null; printf 'one\ftwo\f'`)}
	doc, err := Read(t.Context(), broken, Request{Name: "a.pdf", Tools: tools})
	if err != nil || doc.Markdown() != "<!-- page 1 of 2 -->\none\n\n<!-- page 2 of 2 -->\ntwo" {
		t.Errorf("%+v, %v", doc, err)
	}
	tools.PDFToText = script(t, "pdftotext", `exit 1`)
	if _, err := Read(t.Context(), broken, Request{Name: "a.pdf", Tools: tools}); !errors.Is(err, ErrDamaged) {
		t.Errorf("a converter that fails: %v", err)
	}
	png := []byte("\x89PNG\r\n\x1a\n")
	if _, err := Read(t.Context(), png, Request{Name: "a.png", OCR: true}); !errors.Is(err, ErrNoOCR) {
		t.Errorf("no tesseract: %v", err)
	}
	tools = Tools{Tesseract: script(t, "tesseract", `cat >/dev/null; echo "seen $*"`), PDFToPPM: script(t, "pdftoppm", `cat >/dev/null; echo drawn`), Languages: "deu"}
	doc, err = Read(t.Context(), png, Request{Name: "a.png", OCR: true, Tools: tools})
	if err != nil || doc.Markdown() != "seen stdin stdout -l deu" {
		t.Errorf("%+v, %v", doc, err)
	}
	scan := samplePDF("q 600 0 0 800 0 0 cm BI /W 1 /H 1 ID x EI Q")
	doc, err = Read(t.Context(), scan, Request{Name: "a.pdf"})
	if err != nil || !doc.Scanned {
		t.Errorf("a scan: %+v, %v", doc, err)
	}
	doc, err = Read(t.Context(), scan, Request{Name: "a.pdf", OCR: true, Tools: tools})
	if err != nil || !strings.Contains(doc.Markdown(), "seen") {
		t.Errorf("OCR of a scan: %+v, %v", doc, err)
	}
}
