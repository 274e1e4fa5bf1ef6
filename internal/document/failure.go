package document

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// The kinds of failure.
var (
	ErrUnsupported = errors.New("not a format that can be read")
	ErrEncrypted   = errors.New("protected by a password")
	ErrDamaged     = errors.New("damaged")
	ErrTooLarge    = errors.New("too large")
	ErrTimeout     = errors.New("took too long")
	ErrRange       = errors.New("not in the file")
	ErrNoOCR       = errors.New("no OCR on this server")
)

// Error is a file that could not be read.
type Error struct {
	Kind    error  // one of the errors above
	Message string // a sentence without its stop, for the model
	Err     error  // for the log; may be nil
}

// Error says what is wrong.
func (e *Error) Error() string { return e.Message }

// Is matches the kind.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

func tooLarge(format string, args ...any) error {
	return &Error{Kind: ErrTooLarge, Message: fmt.Sprintf(format, args...)}
}

func damaged(format string, args ...any) error {
	return &Error{Kind: ErrDamaged, Message: fmt.Sprintf(format, args...)}
}

func encrypted() error {
	return &Error{Kind: ErrEncrypted, Message: "the file is protected by a password and cannot be read without it"}
}

// errFull ends the reading when the text has reached its limit. What was read
// so far is the result, with a note.
var errFull = errors.New("the text is full")

func isFull(err error) bool { return errors.Is(err, errFull) }

// explain is the error of a reader as an *Error.
func (w *work) explain(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if cause := w.ctx.Err(); cause != nil {
		return stopped(cause)
	}
	e := &Error{Kind: ErrDamaged, Message: fmt.Sprintf("the %s file is damaged or not what its name says", w.doc.Format), Err: err}
	var syntax *xml.SyntaxError
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax) && syntax.Msg == "unexpected EOF":
		e.Message = fmt.Sprintf("the %s file ends too early: it was probably cut off", w.doc.Format)
	case errors.Is(err, zip.ErrFormat):
		e.Message = fmt.Sprintf("the %s file is damaged: its end is missing or it is no such file", w.doc.Format)
	case errors.Is(err, zip.ErrChecksum), errors.As(err, &corrupt):
		e.Message = fmt.Sprintf("the %s file is damaged: its compressed data are wrong", w.doc.Format)
	}
	return e
}

func stopped(cause error) error {
	if errors.Is(cause, context.DeadlineExceeded) {
		return &Error{Kind: ErrTimeout, Message: "reading the document took too long and was stopped", Err: cause}
	}
	return cause
}

// unsupported says of a file that has no text what it is, as far as its first
// bytes tell.
func unsupported(data []byte) error {
	what := "it is no text and no document of a known format"
	for _, m := range []struct{ magic, what string }{
		{cfbMagic, "it is a document of Microsoft Office before 2007 or an Outlook message: save it in the newer format (docx, xlsx, pptx, eml)"},
		{"PK", "it is a zip archive, which the archive tools can list"},
		{"\x7fELF", "it is a program"},
		{"MZ", "it is a program"},
		{"\x1f\x8b", "it is compressed with gzip, which the archive tools can open"},
		{"7z\xbc\xaf", "it is a 7z archive"},
		{"Rar!", "it is a RAR archive"},
		{"OggS", "it is a sound or a film"},
		{"ID3", "it is a sound"},
		{"\x1aE\xdf\xa3", "it is a film"},
		{"SQLite format 3", "it is a database"},
	} {
		if bytes.HasPrefix(data, []byte(m.magic)) {
			what = m.what
			if m.magic == cfbMagic && bytes.Contains(data, utf16le("EncryptedPackage")) {
				return encrypted()
			}
			break
		}
	}
	if len(data) > 12 && string(data[4:8]) == "ftyp" {
		what = "it is a film or a sound"
	}
	return &Error{Kind: ErrUnsupported, Message: "the file has no text that can be read: " + what}
}

// cfbMagic begins a compound file (MS-CFB, 2.2): Office before 2007, and newer
// files with a password.
const cfbMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

func utf16le(s string) []byte {
	out := make([]byte, 0, 2*len(s))
	for i := range len(s) {
		out = append(out, s[i], 0)
	}
	return out
}
