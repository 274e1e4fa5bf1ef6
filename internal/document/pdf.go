package document

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// pdfFile is an open PDF (ISO 32000-1). pdfcpu reads its structure, decrypts
// and repairs it; what its pages say is read here.
type pdfFile struct {
	w     *work
	ctx   *model.Context
	fonts map[int]*pdfFont // by object number
}

var pdfConfiguration = sync.OnceValue(func() *model.Configuration {
	model.ConfigPath = "disable" // or it writes files into the home directory
	c := model.NewDefaultConfiguration()
	c.ValidationMode = model.ValidationRelaxed
	c.Cmd = model.LISTINFO // needs no right of the author, as every viewer
	c.Offline = true
	c.Limits = model.ResourceLimits{
		MaxStreamBytes: MaxInput, MaxDecodeBytes: 128 << 20, MaxImagePixels: 1, MaxImageBytes: 1,
		MaxObjectCount: 2_000_000, MaxObjectStreamCount: 200_000, MaxObjectStreamFirst: 8 << 20, MaxXRefEntries: 2_000_000, MaxRecursionDepth: 100,
	}
	return c
})

func readPDF(w *work, data []byte) error {
	w.doc.Unit = "page"
	if i := bytes.Index(data[:min(len(data), 1024)], []byte("%PDF-")); i > 0 {
		data = data[i:] // what mail gateways and printers put before it
	}
	err := readPDFHere(w, data)
	if err == nil || isFull(err) || errors.Is(err, ErrEncrypted) || errors.Is(err, ErrTooLarge) || w.ctx.Err() != nil {
		return err
	}
	if w.req.Tools.PDFToText == "" {
		return err
	}
	return pdfToText(w, data, err)
}

func readPDFHere(w *work, data []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("read PDF: panic: %v", p)
		}
	}()
	conf := *pdfConfiguration()
	ctx, err := pdfcpu.ReadWithContext(w.ctx, bytes.NewReader(data), &conf)
	if err != nil {
		if errors.Is(err, pdfcpu.ErrWrongPassword) || errors.Is(err, pdfcpu.ErrOwnerPasswordRequired) {
			return encrypted()
		}
		return err
	}
	if err := ctx.EnsurePageCount(); err != nil {
		return err
	}
	f := &pdfFile{w: w, ctx: ctx, fonts: map[int]*pdfFont{}}
	w.doc.Total = ctx.PageCount
	w.doc.Title = f.title()
	stats := pdfStats{}
	for n := max(1, w.req.First); n <= w.doc.Total && w.req.wants(n); n++ {
		if len(w.doc.Parts) == w.limits.Pages {
			w.note("Only %d pages are read at once; ask for the next ones from page %d.", w.limits.Pages, n)
			break
		}
		text, err := f.page(n, &stats)
		if err != nil {
			if w.ctx.Err() != nil || isFull(err) || errors.Is(err, ErrTooLarge) {
				return err
			}
			w.note("Page %d cannot be read: it is damaged.", n)
			stats.failed++
		}
		w.doc.Parts = append(w.doc.Parts, Part{Number: n, Text: text})
		if err := w.add(len(text)); err != nil {
			return err
		}
	}
	return f.judge(data, &stats)
}

// pdfStats are what tells a scan and an unreadable font from a text.
type pdfStats struct{ letters, unknown, images, failed int }

// judge finds out whether what was read is a text.
func (f *pdfFile) judge(data []byte, s *pdfStats) error {
	w := f.w
	pages := len(w.doc.Parts)
	if pages == 0 {
		return nil
	}
	if s.failed == pages || s.unknown*3 > s.letters+s.unknown {
		if w.req.Tools.PDFToText != "" {
			return errors.New("the fonts of the PDF do not say what their signs mean")
		}
		w.note("Most of the text cannot be read: the PDF does not say which letters its signs are.")
	}
	w.doc.Scanned = s.letters < 20*pages && s.images > 0
	switch {
	case w.doc.Scanned && w.req.OCR:
		return w.ocrPDF(data, w.doc.Total)
	case w.doc.Scanned:
		w.note("The pages are pictures with hardly any text: this is probably a scan. OCR can be asked for.")
	case s.letters+s.unknown == 0 && s.failed == 0:
		w.note("The pages hold no text.")
	}
	return nil
}

// pdfToText reads a PDF with poppler, after our own reading failed.
func pdfToText(w *work, data []byte, cause error) error {
	first, last := max(1, w.req.First), w.req.Last
	if last == 0 || last-first >= w.limits.Pages {
		last = first + w.limits.Pages - 1
	}
	out, err := w.run(w.req.Tools.PDFToText, data, "-layout", "-enc", "UTF-8", "-f", strconv.Itoa(first), "-l", strconv.Itoa(last), "-", "-")
	if err != nil {
		if w.ctx.Err() != nil {
			return err
		}
		return cause
	}
	text := strings.ToValidUTF8(string(out), "\ufffd")
	pages := strings.Split(strings.TrimSuffix(text, "\f"), "\f")
	w.doc.Parts, w.doc.Notes = nil, nil
	w.doc.Total = max(w.doc.Total, first+len(pages)-1)
	for i, p := range pages {
		if err := w.add(len(p)); err != nil {
			return err
		}
		w.doc.Parts = append(w.doc.Parts, Part{Number: first + i, Text: p})
	}
	return nil
}

func (f *pdfFile) title() string {
	defer func() { _ = recover() }() // a title is not worth failing for
	if f.ctx.Info == nil {
		return ""
	}
	d, err := f.ctx.DereferenceDict(*f.ctx.Info)
	if err != nil || d == nil {
		return ""
	}
	o, ok := d.Find("Title")
	if !ok {
		return ""
	}
	title, err := f.ctx.DereferenceText(o)
	if err != nil || len(title) > 500 || strings.IndexFunc(title, unicode.IsControl) >= 0 {
		return ""
	}
	return oneLine(title)
}

// page is the text of a page.
func (f *pdfFile) page(n int, s *pdfStats) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("page %d: panic: %v", n, p)
		}
	}()
	d, _, inherited, err := f.ctx.PageDict(n, false)
	if err != nil || d == nil {
		return "", fmt.Errorf("page %d: %w", n, err)
	}
	content, err := f.ctx.PageContent(d, n)
	if err != nil && !errors.Is(err, model.ErrNoContent) {
		return "", err
	}
	var resources types.Dict
	if o, ok := d.Find("Resources"); ok {
		resources = f.dict(o)
	}
	if resources == nil && inherited != nil {
		resources = inherited.Resources
	}
	c := &pdfContent{f: f, stats: s}
	if err := c.run(content, resources, 0); err != nil {
		return "", err
	}
	return layout(c.glyphs), nil
}

// object follows references; nil for what is not there.
func (f *pdfFile) object(o types.Object) types.Object {
	out, err := f.ctx.Dereference(o)
	if err != nil {
		return nil
	}
	return out
}

func (f *pdfFile) dict(o types.Object) types.Dict {
	switch d := f.object(o).(type) {
	case types.Dict:
		return d
	case types.StreamDict:
		return d.Dict
	}
	return nil
}

func (f *pdfFile) array(o types.Object) types.Array {
	a, _ := f.object(o).(types.Array)
	return a
}

func (f *pdfFile) number(o types.Object) (float64, bool) {
	switch n := f.object(o).(type) {
	case types.Integer:
		return float64(n), true
	case types.Float:
		return float64(n), true
	}
	return 0, false
}

func (f *pdfFile) name(o types.Object) string {
	n, _ := f.object(o).(types.Name)
	return string(n)
}

// stream is the content of a stream; nil for what cannot be decoded.
func (f *pdfFile) stream(o types.Object) []byte {
	sd, ok := f.object(o).(types.StreamDict)
	if !ok {
		return nil
	}
	if sd.Content == nil {
		if err := sd.DecodeWithLimit(f.ctx.Conf.Limits.MaxDecodeBytes); err != nil {
			return nil
		}
	}
	f.w.unpacked += int64(len(sd.Content))
	return sd.Content
}

// entry is a value of a dictionary; nil when there is none.
func entry(d types.Dict, key string) types.Object {
	if d == nil {
		return nil
	}
	o, _ := d.Find(key)
	return o
}
