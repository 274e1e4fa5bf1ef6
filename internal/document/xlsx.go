package document

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
)

// xlsx is a workbook of Office Open XML (ECMA-376 part 1, 18).
type xlsx struct {
	w       *work
	pack    *pack
	shared  []string
	formats []numberFormat // by the index that cells name
	from    int            // serial day 0 is 1900 or 1904
}

type xlsxSheet struct{ name, part, state string }

// The bounds of a sheet (ECMA-376 leaves them to applications; Excel's).
const (
	maxColumns = 16384
	maxShown   = 256 // columns of one sheet that become a table
)

func readXLSX(w *work, data []byte) error {
	p, err := openPack(w, data)
	if err != nil {
		return err
	}
	const book = "xl/workbook.xml"
	if _, ok := p.files["xl/workbook.bin"]; ok {
		return &Error{Kind: ErrUnsupported, Message: "the workbook is in Excel's binary format (xlsb): save it as xlsx"}
	}
	rels, err := p.relations(book)
	if err != nil {
		return err
	}
	x := &xlsx{w: w, pack: p, from: 1900}
	var sheets []xlsxSheet
	err = p.need(book, func(_ *xmlReader, e xml.StartElement) error {
		switch e.Name.Local {
		case "sheet":
			sheets = append(sheets, xlsxSheet{attr(e, "name"), rels[relationID(e)].target, attr(e, "state")})
		case "workbookPr":
			if v := attr(e, "date1904"); v == "1" || v == "true" {
				x.from = 1904
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.doc.Unit, w.doc.Total = "sheet", len(sheets)
	p.properties("docProps/core.xml")
	if err := x.strings(); err != nil {
		return err
	}
	if x.formats, err = xlsxFormats(p); err != nil {
		return err
	}
	for i, s := range sheets {
		if !w.req.wants(i + 1) {
			continue
		}
		if len(w.doc.Parts) >= w.limits.Pages {
			w.note("Only %d sheets are read at once.", w.limits.Pages)
			break
		}
		if s.state == "hidden" || s.state == "veryHidden" {
			w.note("The sheet %q is hidden in the file.", s.name)
		}
		m := &markdown{w: w}
		err := x.sheet(s, m)
		w.doc.Parts = append(w.doc.Parts, Part{Number: i + 1, Name: s.name, Text: m.String()})
		if err != nil {
			return err
		}
	}
	return nil
}

// strings reads the shared strings.
func (x *xlsx) strings() error {
	total := 0
	return x.pack.walk("xl/sharedStrings.xml", func(r *xmlReader, e xml.StartElement) error {
		if e.Name.Local != "si" {
			return nil
		}
		text, err := richText(r)
		if total += len(text) + 16; total > 8*x.w.limits.Text {
			return tooLarge("the workbook holds more than %d MiB of text", 8*x.w.limits.Text>>20)
		}
		x.shared = append(x.shared, text)
		return err
	})
}

// richText is the text of an element with runs, without its phonetic hints.
func richText(r *xmlReader) (string, error) {
	var b strings.Builder
	err := r.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "t":
			text, err := r.content()
			b.WriteString(text)
			return err
		case "rPh", "rPr":
			return r.skip()
		}
		return nil
	}, nil)
	return b.String(), err
}

// sheet reads the rows of one sheet into a table.
func (x *xlsx) sheet(s xlsxSheet, m *markdown) error {
	var rows [][]string
	read := func(r *xmlReader, e xml.StartElement) error {
		if e.Name.Local != "row" {
			return nil
		}
		row, cut, err := x.row(r)
		if cut {
			x.w.note("The sheet %q has more than %d columns; the others are left out.", s.name, maxShown)
		}
		if filled(row) > 0 {
			rows = append(rows, row)
		}
		return err
	}
	if s.part == "" || x.pack.files[s.part] == nil {
		return m.block("(This sheet has no cells: it is a chart or its data are missing.)")
	}
	err := x.pack.walk(s.part, read)
	if err != nil && !isFull(err) {
		return fmt.Errorf("sheet %q: %w", s.name, err)
	}
	if tableErr := m.table(rows); tableErr != nil {
		return tableErr
	}
	return err
}

func (x *xlsx) row(r *xmlReader) (row []string, cut bool, err error) {
	column := -1
	err = r.each(func(e xml.StartElement) error {
		if e.Name.Local != "c" {
			return nil
		}
		column++
		if n, ok := columnOf(attr(e, "r")); ok {
			column = n
		}
		text, err := x.cell(r, e)
		if err != nil || text == "" {
			return err
		}
		if column >= maxShown {
			cut = true
			return nil
		}
		if err := x.w.cell(); err != nil {
			return err
		}
		for len(row) <= column {
			row = append(row, "")
		}
		row[column] = text
		return nil
	}, nil)
	return row, cut, err
}

// columnOf is the column of a reference such as BC12, from 0.
func columnOf(ref string) (int, bool) {
	n := 0
	for _, c := range ref {
		if c < 'A' || c > 'Z' {
			break
		}
		if n = n*26 + int(c-'A') + 1; n > maxColumns {
			return 0, false
		}
	}
	return n - 1, n > 0
}

// cell reads a cell as people see it (ECMA-376 part 1, 18.3.1.4).
func (x *xlsx) cell(r *xmlReader, e xml.StartElement) (string, error) {
	kind, style := attr(e, "t"), attr(e, "s")
	var value, inline, formula string
	err := r.each(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "v":
			value, err = r.content()
		case "is":
			inline, err = richText(r)
		case "f":
			formula, err = r.content()
		}
		return err
	}, nil)
	if err != nil {
		return "", err
	}
	switch kind {
	case "s":
		if i, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && i >= 0 && i < len(x.shared) {
			return x.shared[i], nil
		}
		return "", nil
	case "inlineStr":
		return inline, nil
	case "b":
		if value == "1" {
			return "TRUE", nil
		}
		return "FALSE", nil
	case "str", "e", "d":
		return value, nil
	}
	if value == "" && formula != "" {
		return "=" + formula, nil // nobody has calculated it yet
	}
	if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(x.formats) {
		return x.formats[i].show(value, x.from), nil
	}
	return plainFormat.show(value, x.from), nil
}
