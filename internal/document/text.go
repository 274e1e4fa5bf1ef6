package document

import (
	"encoding/csv"
	"errors"
	"io"
	"path"
	"strings"
)

func readText(w *work, data []byte) error {
	text, name := Decode(data)
	if name != "" {
		w.note("The file is in %s.", name)
	}
	if len(text) > w.limits.Text {
		w.note("The text is cut after %d MiB.", w.limits.Text>>20)
		text = strings.ToValidUTF8(text[:w.limits.Text], "")
	}
	w.doc.Parts = []Part{{Text: text}}
	return w.add(len(text))
}

// readCSV reads a table of text (RFC 4180, with any of the usual separators).
func readCSV(w *work, data []byte) error {
	text, name := Decode(data)
	if name != "" {
		w.note("The file is in %s.", name)
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = separator(text, w.req.Name)
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, false
	var rows [][]string
	var full error
	for full == nil {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return damaged("the csv file is no table: %v", err)
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		for range row {
			if full == nil {
				full = w.cell()
			}
		}
		if full == nil {
			rows = append(rows, row)
		}
	}
	m := &markdown{w: w}
	err := m.table(rows)
	w.doc.Parts = []Part{{Text: m.String()}}
	if err == nil {
		err = full
	}
	return err
}

// separator is what most often stands between the fields of the first lines.
func separator(text, name string) rune {
	if strings.EqualFold(path.Ext(name), ".tsv") {
		return '\t'
	}
	head, quoted := text[:min(len(text), 8192)], false
	counts := map[rune]int{}
	for _, r := range head {
		switch r {
		case '"':
			quoted = !quoted
		case ',', ';', '\t', '|':
			if !quoted {
				counts[r]++
			}
		}
	}
	best := ','
	for _, r := range []rune{';', '\t', '|'} {
		if counts[r] > counts[best] {
			best = r
		}
	}
	return best
}
