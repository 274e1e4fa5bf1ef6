package document

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
)

func readODS(w *work, data []byte) error {
	o, err := openODF(w, data)
	if err != nil {
		return err
	}
	o.alone = true
	w.doc.Unit = "sheet"
	err = o.body("spreadsheet", func(x *xmlReader) error {
		return x.each(func(e xml.StartElement) error {
			switch e.Name.Local {
			case "table":
				return o.sheet(x, attr(e, "name"))
			case "tracked-changes", "forms", "dde-links":
				return x.skip()
			}
			return nil
		}, nil)
	})
	return err
}

func (o *odf) sheet(x *xmlReader, name string) error {
	w := o.w
	w.doc.Total++
	if !w.req.wants(w.doc.Total) {
		return x.skip()
	}
	if len(w.doc.Parts) >= w.limits.Pages {
		w.note("Only %d sheets are read at once.", w.limits.Pages)
		return x.skip()
	}
	rows, err := o.table(x)
	m := &markdown{w: w}
	if err == nil || isFull(err) {
		if tableErr := m.table(rows); err == nil {
			err = tableErr
		}
	}
	w.doc.Parts = append(w.doc.Parts, Part{Number: w.doc.Total, Name: name, Text: m.String()})
	return err
}

// table reads the rows of a table (OpenDocument 1.3 part 3, 9). Rows without
// anything are left out: sheets end with a million of them.
func (o *odf) table(x *xmlReader) (rows [][]string, err error) {
	err = x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "table-row":
			row, err := o.row(x)
			if filled(row) == 0 {
				return err
			}
			rows = append(rows, row)
			for range repeated(e, "number-rows-repeated") - 1 {
				for range row {
					if err := o.w.cell(); err != nil {
						return err
					}
				}
				rows = append(rows, slices.Clone(row))
			}
			return err
		case "shapes", "forms", "table-source", "scenario":
			return x.skip()
		}
		return nil
	}, nil)
	return rows, err
}

func repeated(e xml.StartElement, name string) int {
	n, err := strconv.Atoi(attr(e, name))
	if err != nil || n < 1 {
		return 1
	}
	return min(n, maxColumns*64)
}

func (o *odf) row(x *xmlReader) (row []string, err error) {
	column := 0
	err = x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "table-cell", "covered-table-cell":
			text, err := o.cell(x, e)
			times := repeated(e, "number-columns-repeated")
			if text == "" || err != nil {
				column += times
				return err
			}
			for range times {
				if column >= maxShown {
					o.w.note("A table has more than %d columns; the others are left out.", maxShown)
					break
				}
				if err := o.w.cell(); err != nil {
					return err
				}
				for len(row) <= column {
					row = append(row, "")
				}
				row[column] = text
				column++
			}
		}
		return nil
	}, nil)
	return row, err
}

// cell is what a cell shows; its value where it shows nothing.
func (o *odf) cell(x *xmlReader, e xml.StartElement) (string, error) {
	m := &markdown{w: o.w}
	err := x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "p", "h", "list":
			return o.block(x, e, m)
		case "table":
			rows, err := o.table(x)
			for _, row := range rows {
				if err == nil {
					err = m.block(strings.Join(row, ", "))
				}
			}
			return err
		case "annotation":
			var b strings.Builder
			if err := o.note(x, e, &b); err != nil {
				return err
			}
			return m.block(strings.TrimSpace(b.String()))
		case "shapes", "frame":
			return x.skip()
		}
		return nil
	}, nil)
	text := strings.ReplaceAll(m.String(), "\n\n", "\n")
	if text == "" {
		for _, name := range []string{"date-value", "time-value", "string-value", "boolean-value", "value"} {
			if v := attr(e, name); v != "" {
				return v, err
			}
		}
	}
	return text, err
}

func readODP(w *work, data []byte) error {
	o, err := openODF(w, data)
	if err != nil {
		return err
	}
	o.alone = true
	w.doc.Unit = "slide"
	return o.body("presentation", func(x *xmlReader) error {
		return x.each(func(e xml.StartElement) error {
			if e.Name.Local != "page" {
				return nil
			}
			w.doc.Total++
			if !w.req.wants(w.doc.Total) {
				return x.skip()
			}
			if len(w.doc.Parts) >= w.limits.Pages {
				w.note("Only %d slides are read at once.", w.limits.Pages)
				return x.skip()
			}
			m := &markdown{w: w}
			err := o.slide(x, m)
			w.doc.Parts = append(w.doc.Parts, Part{Number: w.doc.Total, Text: m.String()})
			return err
		}, nil)
	})
}

func (o *odf) slide(x *xmlReader, m *markdown) error {
	class := ""
	return x.each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "frame", "custom-shape":
			class = attr(e, "class")
		case "p", "h":
			text, boxes, err := o.inline(x)
			switch {
			case err != nil:
				return err
			case class == "title":
				err = m.heading(2, text)
			default:
				err = m.block(text)
			}
			return appendBoxes(m, boxes, err)
		case "list", "table":
			return o.block(x, e, m)
		case "desc":
			text, err := x.content()
			if text = oneLine(text); text != "" && err == nil {
				err = m.block("[image: " + text + "]")
			}
			return err
		case "notes":
			notes := &markdown{w: o.w}
			if err := o.blocks(x, notes); err != nil {
				return err
			}
			if text := notes.String(); text != "" {
				return m.block("Notes: " + text)
			}
		case "title", "forms", "binary-data", "animations", "par":
			return x.skip()
		}
		return nil
	}, nil)
}
