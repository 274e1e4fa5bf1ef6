package document

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// MaxInput is the largest file that is read, in bytes.
const MaxInput = 64 << 20

// Limits bound the reading of one document.
type Limits struct {
	Unpacked int64 // bytes after decompression, of all parts together
	Ratio    int64 // bytes that one byte of a compressed part may become
	Entries  int   // files in a package
	Depth    int   // nesting of XML elements, lists and messages
	Text     int   // bytes of text in the result
	Pages    int   // pages, sheets or slides in one reading
	Cells    int   // cells of tables
	Steps    int   // operators of page contents
}

// DefaultLimits are far above what people write and far below what hurts.
var DefaultLimits = Limits{
	Unpacked: 512 << 20, Ratio: 400, Entries: 20_000, Depth: 200,
	Text: 8 << 20, Pages: 2000, Cells: 500_000, Steps: 20_000_000,
}

// ratioFrom is how many bytes a part may become whatever their ratio: short
// repetitive parts are no bomb.
const ratioFrom = 32 << 20

// work is the reading of one document.
type work struct {
	ctx    context.Context
	req    Request
	limits Limits
	doc    Document

	unpacked int64
	text     int
	cells    int
	steps    int
}

// note adds a sentence about what the text does not show, once.
func (w *work) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if len(w.doc.Notes) < 50 && !slices.Contains(w.doc.Notes, text) {
		w.doc.Notes = append(w.doc.Notes, text)
	}
}

// add counts n bytes of text. The error is errFull when there is no room.
func (w *work) add(n int) error {
	if w.text += n; w.text > w.limits.Text {
		w.note("The text is cut after %d MiB; ask for fewer pages or sheets at once.", w.limits.Text>>20)
		return errFull
	}
	return w.ctx.Err()
}

// cell counts a cell of a table.
func (w *work) cell() error {
	if w.cells++; w.cells > w.limits.Cells {
		w.note("Only the first %d cells are shown; ask for fewer sheets at once.", w.limits.Cells)
		return errFull
	}
	return nil
}

// step counts a piece of work that yields no text by itself.
func (w *work) step() error {
	if w.steps++; w.steps > w.limits.Steps {
		return tooLarge("the document holds more drawing steps than can be read (%d)", w.limits.Steps)
	}
	if w.steps%4096 == 0 {
		return w.ctx.Err()
	}
	return nil
}

// unpack bounds what comes out of a compressed part of packed bytes.
func (w *work) unpack(r io.Reader, packed int64) io.Reader {
	return &unpacking{w: w, r: r, packed: packed}
}

type unpacking struct {
	w            *work
	r            io.Reader
	packed, read int64
}

// Read implements io.Reader.
func (u *unpacking) Read(p []byte) (int, error) {
	if err := u.w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := u.r.Read(p)
	u.read += int64(n)
	u.w.unpacked += int64(n)
	if u.w.unpacked > u.w.limits.Unpacked {
		return 0, tooLarge("the document is larger than %d MiB when unpacked", u.w.limits.Unpacked>>20)
	}
	if u.read > ratioFrom && u.read/max(1, u.packed) > u.w.limits.Ratio {
		return 0, tooLarge("a part of the document unpacks to more than %d times its size: it looks like a zip bomb", u.w.limits.Ratio)
	}
	return n, err
}
