package document

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Tools are programs of the host that help where they are installed. Each is
// the path of a program; empty where it is missing or not wanted.
type Tools struct {
	PDFToText string `json:"pdftotext,omitempty"` // of poppler, for a PDF that cannot be read here
	PDFToPPM  string `json:"pdftoppm,omitempty"`  // of poppler, which draws the pages of a scanned PDF
	Tesseract string `json:"tesseract,omitempty"`
	Languages string `json:"languages,omitempty"` // of Tesseract: "eng+deu"
}

// FindTools looks for the programs on the path.
func FindTools(ocr bool, languages string) Tools {
	find := func(name string) string {
		found, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		return found
	}
	t := Tools{PDFToText: find("pdftotext")}
	if ocr {
		t.PDFToPPM, t.Tesseract, t.Languages = find("pdftoppm"), find("tesseract"), languages
	}
	return t
}

const (
	maxOCRPages = 20 // pages of one reading, which take seconds each
	toolTimeout = 40 * time.Second
	ocrDPI      = 200
)

// readImage reads the text on a picture, when that is asked for.
func readImage(w *work, data []byte) error {
	if !w.req.OCR {
		return &Error{Kind: ErrUnsupported, Message: "the file is a picture: it has no text of its own, but OCR can be asked for"}
	}
	if err := w.canOCR(); err != nil {
		return err
	}
	text, err := w.recognize(data)
	if err != nil {
		return err
	}
	m := &markdown{w: w}
	err = m.block(text)
	w.doc.Parts = []Part{{Text: m.String()}}
	if m.String() == "" {
		w.note("OCR found no text on the picture.")
	} else {
		w.note("The text was recognized by OCR and can have mistakes.")
	}
	return err
}

func (w *work) canOCR() error {
	if w.req.Tools.Tesseract == "" {
		return &Error{Kind: ErrNoOCR, Message: "this server cannot recognize text on pictures: an administrator can install tesseract and set DOCUMENT_OCR_ENABLED=true"}
	}
	return nil
}

func (w *work) recognize(image []byte) (string, error) {
	args := []string{"stdin", "stdout"}
	if w.req.Tools.Languages != "" {
		args = append(args, "-l", w.req.Tools.Languages)
	}
	out, err := w.run(w.req.Tools.Tesseract, image, args...)
	return string(out), err
}

// ocrPDF reads the text on the pages of a scanned PDF.
func (w *work) ocrPDF(data []byte, pages int) error {
	if err := w.canOCR(); err != nil {
		return err
	}
	if w.req.Tools.PDFToPPM == "" {
		return &Error{Kind: ErrNoOCR, Message: "this server cannot draw the pages of a scanned PDF: an administrator can install pdftoppm (poppler-utils)"}
	}
	w.doc.Parts = nil
	for n := 1; n <= pages; n++ {
		if !w.req.wants(n) {
			continue
		}
		if len(w.doc.Parts) == maxOCRPages {
			w.note("OCR reads %d pages at once; ask for the next ones from page %d.", maxOCRPages, n)
			break
		}
		page := strconv.Itoa(n)
		image, err := w.run(w.req.Tools.PDFToPPM, data, "-r", strconv.Itoa(ocrDPI), "-scale-to", "3000", "-gray", "-f", page, "-l", page, "-singlefile", "-")
		if err != nil {
			return err
		}
		text, err := w.recognize(image)
		if err != nil {
			return err
		}
		text = strings.TrimSpace(text)
		w.doc.Parts = append(w.doc.Parts, Part{Number: n, Text: text})
		if err := w.add(len(text)); err != nil {
			return err
		}
	}
	w.note("The text was recognized by OCR and can have mistakes.")
	return nil
}

// run runs a program of the host on data, within time and size.
func (w *work) run(program string, data []byte, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(w.ctx, toolTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // the program is the administrator's, the arguments are ours
	cmd.Env = []string{"LC_ALL=C.UTF-8", "OMP_THREAD_LIMIT=1"}
	cmd.Stdin = bytes.NewReader(data)
	cmd.WaitDelay = time.Second
	out := &limitedBuffer{left: w.limits.Unpacked}
	cmd.Stdout = out
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, stopped(ctx.Err())
	case out.full:
		return nil, tooLarge("the document becomes too large on the way")
	case err != nil:
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return nil, &Error{Kind: ErrDamaged, Message: "the file is damaged or not what its name says", Err: fmt.Errorf("%s: %w", program, exit)}
		}
		return nil, fmt.Errorf("run %s: %w", program, err)
	}
	return out.b.Bytes(), nil
}

// limitedBuffer keeps what is written to it, up to a limit.
type limitedBuffer struct {
	b    bytes.Buffer
	left int64
	full bool
}

// Write implements io.Writer.
func (l *limitedBuffer) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		l.full = true
		return 0, io.ErrShortWrite
	}
	return l.b.Write(p)
}
