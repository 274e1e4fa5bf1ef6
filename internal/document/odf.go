package document

import (
	"encoding/xml"
	"strconv"
	"strings"
)

// odf is an OpenDocument file (OpenDocument 1.3 part 3).
type odf struct {
	w     *work
	pack  *pack
	lists map[string]map[int]bool // list style -> level -> whether it counts
	notes []string
	alone bool // the text stands in a cell or a note, where no notes are begun
}

func openODF(w *work, data []byte) (*odf, error) {
	p, err := openPack(w, data)
	if err != nil {
		return nil, err
	}
	if _, ok := p.files["encrypted-package"]; ok {
		return nil, encrypted()
	}
	locked := false
	err = p.walk("META-INF/manifest.xml", func(_ *xmlReader, e xml.StartElement) error {
		locked = locked || e.Name.Local == "encryption-data"
		return nil
	})
	if locked {
		return nil, encrypted()
	}
	if err != nil {
		return nil, err
	}
	p.properties("meta.xml")
	o := &odf{w: w, pack: p, lists: map[string]map[int]bool{}}
	style := ""
	err = p.walk("styles.xml", func(_ *xmlReader, e xml.StartElement) error {
		o.listStyle(e, &style)
		return nil
	})
	return o, err
}

// listStyle notes which levels of a list style count.
func (o *odf) listStyle(e xml.StartElement, style *string) {
	switch e.Name.Local {
	case "list-style":
		*style = attr(e, "name")
		o.lists[*style] = map[int]bool{}
	case "list-level-style-number":
		if n, err := strconv.Atoi(attr(e, "level")); err == nil && o.lists[*style] != nil && n >= 1 && n <= 10 {
			o.lists[*style][n-1] = attr(e, "num-format") != ""
		}
	}
}

// body calls read at the start of the element that holds the content: text,
// spreadsheet or presentation.
func (o *odf) body(name string, read func(*xmlReader) error) error {
	style := ""
	return o.pack.need("content.xml", func(x *xmlReader, e xml.StartElement) error {
		o.listStyle(e, &style)
		if e.Name.Local == name && strings.HasSuffix(e.Name.Space, ":office:1.0") {
			return read(x)
		}
		return nil
	})
}

func readODT(w *work, data []byte) error {
	o, err := openODF(w, data)
	if err != nil {
		return err
	}
	m := &markdown{w: w}
	err = o.body("text", func(x *xmlReader) error { return o.blocks(x, m) })
	for i, note := range o.notes {
		if err == nil {
			err = m.block("[^" + strconv.Itoa(i+1) + "]: " + strings.ReplaceAll(note, "\n", "\n    "))
		}
	}
	w.doc.Parts = []Part{{Text: m.String()}}
	return err
}

// blocks reads headings, paragraphs, lists and tables up to the end of the
// element that was just begun.
func (o *odf) blocks(x *xmlReader, m *markdown) error {
	return x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "h", "p", "list", "table", "tracked-changes", "forms", "notes":
			return o.block(x, e, m)
		}
		return nil
	}, nil)
}

func (o *odf) block(x *xmlReader, e xml.StartElement, m *markdown) error {
	switch e.Name.Local {
	case "h":
		level, _ := strconv.Atoi(attr(e, "outline-level"))
		text, boxes, err := o.inline(x)
		if err == nil {
			err = m.heading(level, text)
		}
		return appendBoxes(m, boxes, err)
	case "p":
		text, boxes, err := o.inline(x)
		if err == nil {
			err = m.block(text)
		}
		return appendBoxes(m, boxes, err)
	case "list":
		return o.list(x, m, attr(e, "style-name"), 0)
	case "table":
		rows, err := o.table(x)
		if err != nil {
			return err
		}
		return m.table(rows)
	}
	return x.skip()
}

func appendBoxes(m *markdown, boxes []*markdown, err error) error {
	for _, b := range boxes {
		if err == nil {
			err = m.block(b.String())
		}
	}
	return err
}

func (o *odf) list(x *xmlReader, m *markdown, style string, depth int) error {
	return x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "list":
			inner := attr(e, "style-name")
			if inner == "" {
				inner = style
			}
			return o.list(x, m, inner, depth+1)
		case "p", "h":
			text, boxes, err := o.inline(x)
			if err == nil {
				err = m.item(depth, o.lists[style][depth], text)
			}
			return appendBoxes(m, boxes, err)
		}
		return nil
	}, nil)
}

// inline reads the text of a paragraph, and the text boxes that hang on it.
func (o *odf) inline(x *xmlReader) (string, []*markdown, error) {
	var b strings.Builder
	var boxes []*markdown
	err := x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "s":
			n, err := strconv.Atoi(attr(e, "c"))
			if err != nil || n < 1 {
				n = 1
			}
			b.WriteString(strings.Repeat(" ", min(n, 200)))
		case "tab":
			b.WriteByte('\t')
		case "line-break":
			b.WriteByte('\n')
		case "a":
			text, inner, err := o.inline(x)
			b.WriteString(link(text, attr(e, "href")))
			boxes = append(boxes, inner...)
			return err
		case "note", "annotation":
			return o.note(x, e, &b)
		case "text-box":
			box := &markdown{w: o.w}
			boxes = append(boxes, box)
			return o.blocks(x, box)
		case "desc":
			text, err := x.content()
			if text = oneLine(text); text != "" {
				b.WriteString("[image: " + text + "]")
			}
			return err
		case "title", "object", "binary-data", "ruby-text":
			return x.skip()
		}
		return nil
	}, func(s string) error {
		if o.w.ctx.Err() != nil {
			return o.w.ctx.Err()
		}
		collapse(&b, s)
		return nil
	})
	return b.String(), boxes, err
}

// collapse adds text with its white space made one space, as OpenDocument
// reads it (1.3 part 3, 6.1.2).
func collapse(b *strings.Builder, s string) {
	space := b.Len() == 0 || strings.HasSuffix(b.String(), " ") || strings.HasSuffix(b.String(), "\n")
	for _, r := range s {
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		b.WriteRune(r)
		space = false
	}
}

// note reads a footnote, an endnote or a comment.
func (o *odf) note(x *xmlReader, e xml.StartElement, b *strings.Builder) error {
	m := &markdown{w: o.w}
	author := ""
	err := x.each(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "note-citation", "date", "date-string", "creator-initials":
			return x.skip()
		case "creator":
			author, err = x.content()
			return err
		case "p", "h", "list", "table":
			return o.block(x, e, m)
		}
		return nil
	}, nil)
	text := m.String()
	if e.Name.Local == "annotation" && author != "" {
		text = "Comment of " + author + ": " + text
	}
	if text == "" {
		return err
	}
	if o.alone {
		b.WriteString(" (" + oneLine(text) + ")")
		return err
	}
	o.notes = append(o.notes, text)
	b.WriteString("[^" + strconv.Itoa(len(o.notes)) + "]")
	return err
}
