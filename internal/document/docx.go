package document

import (
	"encoding/xml"
	"strconv"
	"strings"
)

// docx is a text document of Office Open XML (ECMA-376 part 1, 17).
type docx struct {
	w      *work
	pack   *pack
	styles map[string]docxStyle
	lists  map[string]map[int]bool // numId -> level -> whether it counts
	rels   map[string]relation
	notes  []docxNote // in the order of their references
}

// docxNote is a reference to a footnote, an endnote or a comment.
type docxNote struct{ part, id string }

func readDOCX(w *work, data []byte) error {
	p, err := openPack(w, data)
	if err != nil {
		return err
	}
	const main = "word/document.xml"
	d := &docx{w: w, pack: p}
	if d.styles, err = docxStyles(p); err != nil {
		return err
	}
	if d.lists, err = docxLists(p); err != nil {
		return err
	}
	if d.rels, err = p.relations(main); err != nil {
		return err
	}
	p.properties("docProps/core.xml")
	m := &markdown{w: w}
	err = p.need(main, func(x *xmlReader, e xml.StartElement) error {
		if e.Name.Local == "body" {
			return d.blocks(x, m)
		}
		return nil
	})
	if err == nil {
		err = d.footnotes(m)
	}
	w.doc.Parts = []Part{{Text: m.String()}}
	return err
}

// blocks reads paragraphs and tables up to the end of the element that was
// just begun.
func (d *docx) blocks(x *xmlReader, m *markdown) error {
	return x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "p":
			return d.paragraph(x, m)
		case "tbl":
			rows, err := d.table(x)
			if err != nil {
				return err
			}
			return m.table(rows)
		case "sectPr", "del", "moveFrom", "sdtPr", "Fallback":
			return x.skip()
		}
		return nil // what only wraps other blocks
	}, nil)
}

// docxParagraph is a paragraph under way.
type docxParagraph struct {
	style   string
	level   int // of a heading, 0 for none
	list    string
	depth   int
	text    strings.Builder
	further []*markdown // text boxes that hang on it
}

func (d *docx) paragraph(x *xmlReader, m *markdown) error {
	p := &docxParagraph{}
	if err := d.inline(x, p); err != nil {
		return err
	}
	style := d.styles[p.style]
	if p.level == 0 {
		p.level = style.level
	}
	if p.list == "" {
		p.list, p.depth = style.list, max(p.depth, style.depth)
	}
	text := strings.TrimSpace(p.text.String())
	var err error
	switch levels, listed := d.lists[p.list]; {
	case p.level > 0:
		err = m.heading(p.level, text)
	case listed && p.list != "0":
		err = m.item(p.depth, levels[p.depth], text)
	default:
		err = m.block(text)
	}
	for _, box := range p.further {
		if err == nil {
			err = m.block(box.String())
		}
	}
	return err
}

// inline reads what is inside a paragraph.
func (d *docx) inline(x *xmlReader, p *docxParagraph) error {
	return x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "pPr":
			return d.properties(x, p)
		case "t":
			text, err := x.content()
			p.text.WriteString(text)
			return err
		case "tab", "ptab":
			p.text.WriteByte('\t')
		case "br", "cr":
			p.text.WriteByte('\n')
		case "noBreakHyphen":
			p.text.WriteByte('-')
		case "hyperlink":
			return d.hyperlink(x, e, p)
		case "footnoteReference":
			d.refer(p, "footnotes", e)
		case "endnoteReference":
			d.refer(p, "endnotes", e)
		case "commentReference":
			d.refer(p, "comments", e)
		case "docPr":
			if text := oneLine(attr(e, "descr")); text != "" {
				p.text.WriteString("[image: " + text + "]")
			}
		case "txbxContent":
			box := &markdown{w: d.w}
			p.further = append(p.further, box)
			return d.blocks(x, box)
		case "rPr", "del", "moveFrom", "instrText", "delText", "Fallback", "fldData", "sdtPr":
			return x.skip()
		}
		return nil
	}, nil)
}

func (d *docx) properties(x *xmlReader, p *docxParagraph) error {
	return x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "pStyle":
			p.style = attr(e, "val")
		case "outlineLvl":
			if n, err := strconv.Atoi(attr(e, "val")); err == nil && n < 9 {
				p.level = n + 1
			}
		case "numId":
			p.list = attr(e, "val")
		case "ilvl":
			p.depth, _ = strconv.Atoi(attr(e, "val"))
		case "rPr", "pPrChange":
			return x.skip()
		}
		return nil
	}, nil)
}

func (d *docx) hyperlink(x *xmlReader, e xml.StartElement, p *docxParagraph) error {
	inner := &docxParagraph{}
	if err := d.inline(x, inner); err != nil {
		return err
	}
	p.text.WriteString(link(inner.text.String(), d.rels[relationID(e)].target))
	p.further = append(p.further, inner.further...)
	return nil
}

func (d *docx) refer(p *docxParagraph, part string, e xml.StartElement) {
	d.notes = append(d.notes, docxNote{part, attr(e, "id")})
	p.text.WriteString("[^" + strconv.Itoa(len(d.notes)) + "]")
}

// footnotes adds the notes that the text refers to.
func (d *docx) footnotes(m *markdown) error {
	texts := map[docxNote]string{}
	for _, part := range []string{"footnotes", "endnotes", "comments"} {
		err := d.pack.walk("word/"+part+".xml", func(x *xmlReader, e xml.StartElement) error {
			switch e.Name.Local {
			case "footnote", "endnote", "comment":
				note := &markdown{w: d.w}
				if err := d.blocks(x, note); err != nil {
					return err
				}
				text := note.String()
				if author := attr(e, "author"); part == "comments" && author != "" {
					text = "Comment of " + author + ": " + text
				}
				texts[docxNote{part, attr(e, "id")}] = text
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i, n := range d.notes {
		if text := texts[n]; text != "" {
			if err := m.block("[^" + strconv.Itoa(i+1) + "]: " + strings.ReplaceAll(text, "\n", "\n    ")); err != nil {
				return err
			}
		}
	}
	return nil
}

// table reads the rows of a table. A table in a cell becomes lines of it.
func (d *docx) table(x *xmlReader) (rows [][]string, err error) {
	err = x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "tr":
			row, err := d.row(x)
			rows = append(rows, row)
			return err
		case "tblPr", "tblGrid", "del":
			return x.skip()
		}
		return nil
	}, nil)
	return rows, err
}

func (d *docx) row(x *xmlReader) (row []string, err error) {
	err = x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "tc":
			text, span, err := d.cell(x)
			for row = append(row, text); span > 1; span-- {
				row = append(row, "")
			}
			return err
		case "trPr", "tblPrEx":
			return x.skip()
		}
		return nil
	}, nil)
	return row, err
}

// cell reads a cell, and how many columns it covers (at most 64 are believed).
func (d *docx) cell(x *xmlReader) (text string, span int, err error) {
	if err := d.w.cell(); err != nil {
		return "", 1, err
	}
	m := &markdown{w: d.w}
	span = 1
	err = x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "gridSpan":
			span, _ = strconv.Atoi(attr(e, "val"))
			span = min(max(span, 1), 64)
		case "p":
			return d.paragraph(x, m)
		case "tbl":
			rows, err := d.table(x)
			for _, row := range rows {
				if err == nil {
					err = m.block(strings.Join(row, ", "))
				}
			}
			return err
		case "Fallback":
			return x.skip()
		}
		return nil
	}, nil)
	return strings.ReplaceAll(m.String(), "\n\n", "\n"), span, err
}
