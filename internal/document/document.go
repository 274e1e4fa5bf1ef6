package document

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"nextcloud-mcp-server/internal/picture"
)

// Document is what was read of a file.
type Document struct {
	Format Format `json:"format"`
	Title  string `json:"title,omitempty"`
	// Unit is what Parts are: "page", "sheet" or "slide"; empty for a document
	// that is one flow of text.
	Unit string `json:"unit,omitempty"`
	// Total is how many units the whole file has, read or not.
	Total int    `json:"total,omitempty"`
	Parts []Part `json:"parts"`
	// Notes say what the text does not show: parts left out, a scan without
	// text, a limit that was met. For the model, one sentence each.
	Notes []string `json:"notes,omitempty"`
	// Scanned says that the pages are pictures: OCR may find text.
	Scanned bool `json:"scanned,omitempty"`

	Picture *picture.Picture `json:"picture,omitempty"` // of FitPicture
	Archive *Archive         `json:"archive,omitempty"` // of ListArchive and ReadMember
}

// Part is a page, a sheet or a slide, or the whole text.
type Part struct {
	Number int    `json:"number,omitempty"` // from 1; 0 for a document without units
	Name   string `json:"name,omitempty"`   // of a sheet
	Text   string `json:"text"`
}

// Request is what to read of a file.
type Request struct {
	Name string `json:"name"` // of the file, for its extension; never used as a path
	Type string `json:"type"` // media type, when known; empty otherwise
	Job  Job    `json:"job,omitempty"`
	// Member is the name of the member to read, for ReadMember; Most is its
	// largest size in bytes.
	Member string `json:"member,omitempty"`
	Most   int64  `json:"most,omitempty"`
	// Skip and Limit are the window of members, for ListArchive.
	Skip  int `json:"skip,omitempty"`
	Limit int `json:"limit,omitempty"`
	// First and Last are the units to read, from 1; 0 means from the start and
	// to the end.
	First int `json:"first,omitempty"`
	Last  int `json:"last,omitempty"`
	// OCR reads pictures and scanned pages with the host's tesseract.
	OCR   bool  `json:"ocr,omitempty"`
	Tools Tools `json:"tools"`
}

// wants reports whether a unit is asked for.
func (r *Request) wants(number int) bool {
	return number >= max(1, r.First) && (r.Last == 0 || number <= r.Last)
}

// Markdown is the text with a mark before each page, sheet or slide.
func (d *Document) Markdown() string {
	var b strings.Builder
	for _, p := range d.Parts {
		text := strings.TrimSpace(p.Text)
		if d.Unit != "" {
			fmt.Fprintf(&b, "<!-- %s %d of %d", d.Unit, p.Number, d.Total)
			if p.Name != "" {
				fmt.Fprintf(&b, ": %s", strings.ReplaceAll(p.Name, "--", "- -"))
			}
			b.WriteString(" -->\n")
		}
		b.WriteString(text)
		b.WriteString("\n\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// Read reads the text of data in this process. A panic on the way is an error;
// what takes too much time or memory is stopped only as far as the limits
// reach, so servers use an Extractor.
func Read(ctx context.Context, data []byte, req Request) (doc *Document, err error) {
	defer func() {
		if p := recover(); p != nil {
			doc, err = nil, &Error{Kind: ErrDamaged, Message: "the file cannot be read", Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	if int64(len(data)) > MaxInput {
		return nil, tooLarge("the file is larger than %d MiB", MaxInput>>20)
	}
	if len(data) == 0 && req.Job == ReadDocument {
		return &Document{Format: Text, Parts: []Part{}, Notes: []string{"The file is empty."}}, nil
	}
	if req.Job != ReadDocument {
		return req.do(ctx, data)
	}
	w := &work{ctx: ctx, req: req, limits: DefaultLimits}
	w.doc.Format = detect(data, req.Name, req.Type)
	read, ok := readers[w.doc.Format]
	if !ok {
		return nil, unsupported(data)
	}
	if err := read(w, data); err != nil && !isFull(err) {
		return nil, w.explain(err)
	}
	if w.doc.Unit != "" && len(w.doc.Parts) == 0 && w.doc.Total > 0 {
		return nil, &Error{Kind: ErrRange, Message: fmt.Sprintf("there is no such %s: the file has %d", w.doc.Unit, w.doc.Total)}
	}
	if w.doc.Parts == nil {
		w.doc.Parts = []Part{}
	}
	return &w.doc, nil
}

// readers are the formats that can be read.
var readers map[Format]func(*work, []byte) error

func init() {
	readers = map[Format]func(*work, []byte) error{
		PDF: readPDF, DOCX: readDOCX, XLSX: readXLSX, PPTX: readPPTX,
		ODT: readODT, ODS: readODS, ODP: readODP,
		HTML: readHTML, EML: readEML, RTF: readRTF, CSV: readCSV, Text: readText, Image: readImage,
	}
}
