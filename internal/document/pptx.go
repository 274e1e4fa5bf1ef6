package document

import (
	"encoding/xml"
	"errors"
	"io/fs"
	"strconv"
	"strings"
)

func readPPTX(w *work, data []byte) error {
	p, err := openPack(w, data)
	if err != nil {
		return err
	}
	const show = "ppt/presentation.xml"
	rels, err := p.relations(show)
	if err != nil {
		return err
	}
	var slides []string
	err = p.need(show, func(_ *xmlReader, e xml.StartElement) error {
		if e.Name.Local == "sldId" {
			slides = append(slides, rels[relationID(e)].target)
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.doc.Unit, w.doc.Total = "slide", len(slides)
	p.properties("docProps/core.xml")
	for i, part := range slides {
		if !w.req.wants(i + 1) {
			continue
		}
		if len(w.doc.Parts) >= w.limits.Pages {
			w.note("Only %d slides are read at once.", w.limits.Pages)
			break
		}
		m := &markdown{w: w}
		err := slide(p, part, i+1, m)
		w.doc.Parts = append(w.doc.Parts, Part{Number: i + 1, Text: m.String()})
		if err != nil {
			return err
		}
	}
	return nil
}

// slide reads a slide (ECMA-376 part 1, 19.3.1.38) with its notes.
func slide(p *pack, part string, number int, m *markdown) error {
	rels, err := p.relations(part)
	if err != nil {
		return err
	}
	s := &slideReader{w: p.w, rels: rels, m: m}
	x, closer, err := p.part(part)
	if errors.Is(err, fs.ErrNotExist) {
		return damaged("the pptx file is damaged: slide %d is missing", number)
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	if err := s.shapes(x, number); err != nil {
		return err
	}
	for _, r := range rels {
		if r.kind != "notesSlide" {
			continue
		}
		notes := &slideReader{w: p.w, m: &markdown{w: p.w}, notes: true}
		n, closer, err := p.part(r.target)
		if err != nil {
			break // a slide without its notes is still one
		}
		err = notes.shapes(n, 0)
		_ = closer.Close()
		if err != nil {
			return err
		}
		if text := notes.m.String(); text != "" {
			return m.block("Notes: " + text)
		}
	}
	return nil
}

// slideReader reads the shapes of a slide or of its notes.
type slideReader struct {
	w     *work
	rels  map[string]relation
	m     *markdown
	notes bool
	kind  string // of the placeholder that is being read
}

func (s *slideReader) shapes(x *xmlReader, number int) error {
	return x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "sld":
			if v := attr(e, "show"); v == "0" || v == "false" {
				s.w.note("Slide %d is hidden in the file.", number)
			}
		case "sp":
			s.kind = ""
		case "ph":
			if s.kind = attr(e, "type"); s.kind == "" {
				s.kind = "obj" // ECMA-376 part 1, 19.7.10: the default
			}
		case "txBody":
			if s.leftOut() {
				return x.skip()
			}
			return s.body(x)
		case "tbl":
			rows, err := s.table(x)
			if err != nil {
				return err
			}
			return s.m.table(rows)
		case "cNvPr":
			if text := oneLine(attr(e, "descr")); text != "" && !s.notes {
				return s.m.block("[image: " + text + "]")
			}
		case "Fallback":
			return x.skip()
		}
		return nil
	}, nil)
}

// leftOut reports whether a placeholder repeats what every slide has.
func (s *slideReader) leftOut() bool {
	switch s.kind {
	case "sldNum", "dt", "ftr", "hdr":
		return true
	}
	return s.notes && s.kind != "body"
}

func (s *slideReader) body(x *xmlReader) error {
	title := s.kind == "title" || s.kind == "ctrTitle"
	return x.each(func(e xml.StartElement) error {
		if e.Name.Local != "p" {
			return nil
		}
		text, depth, bullet, err := s.paragraph(x)
		switch {
		case err != nil:
			return err
		case title:
			return s.m.heading(2, text)
		case bullet:
			return s.m.item(depth, false, text)
		}
		return s.m.block(text)
	}, nil)
}

// paragraph reads a paragraph of DrawingML (ECMA-376 part 1, 21.1.2.2.6).
func (s *slideReader) paragraph(x *xmlReader) (text string, depth int, bullet bool, err error) {
	var b strings.Builder
	target := ""
	bullet = (s.kind == "body" || s.kind == "obj") && !s.notes
	err = x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "pPr":
			depth, _ = strconv.Atoi(attr(e, "lvl"))
		case "buNone":
			bullet = false
		case "buChar", "buAutoNum", "buBlip":
			bullet = true
		case "r", "fld":
			target = ""
		case "hlinkClick":
			target = s.rels[relationID(e)].target
		case "br":
			b.WriteByte('\n')
		case "tab":
			b.WriteByte('\t')
		case "t":
			run, err := x.content()
			if linked := link(run, target); target != "" && linked != strings.TrimSpace(run) {
				run = linked
			}
			b.WriteString(run)
			return err
		}
		return nil
	}, nil)
	return b.String(), depth, bullet, err
}

func (s *slideReader) table(x *xmlReader) (rows [][]string, err error) {
	kind := s.kind
	s.kind = "cell"
	defer func() { s.kind = kind }()
	err = x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "tr":
			rows = append(rows, nil)
		case "tc":
			if err := s.w.cell(); err != nil {
				return err
			}
			if len(rows) == 0 {
				return nil
			}
			rows[len(rows)-1] = append(rows[len(rows)-1], "")
		case "p":
			text, _, _, err := s.paragraph(x)
			if len(rows) == 0 || len(rows[len(rows)-1]) == 0 {
				return err
			}
			last := rows[len(rows)-1]
			last[len(last)-1] = strings.TrimSpace(last[len(last)-1] + "\n" + text)
			return err
		}
		return nil
	}, nil)
	return rows, err
}
