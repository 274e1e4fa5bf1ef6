package tables

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/tables"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ImportInput is the input of nc_tables_import_rows.
type ImportInput struct {
	Table   string `json:"table" jsonschema:"id or title"`
	CSV     string `json:"csv" jsonschema:"column titles in the first line, several options parted by |"`
	SkipBad bool   `json:"skip_bad,omitempty" jsonschema:"write the good lines although others are bad"`
}

// Imported is the outcome of nc_tables_import_rows.
type Imported struct {
	Imported int       `json:"imported"`
	FirstID  int64     `json:"first_id,omitempty"`
	LastID   int64     `json:"last_id,omitempty"`
	Bad      []BadLine `json:"bad,omitempty"`       // not written
	Stopped  string    `json:"stopped,omitempty"`   // why the rest was not tried
	NextLine int       `json:"next_line,omitempty"` // the first line that was not tried
}

// BadLine is a line that could not be written.
type BadLine struct {
	Line int    `json:"line"`
	Why  string `json:"why"`
}

const (
	maxImport      = 500
	maxImportBytes = 512 << 10
	importTime     = 5 * time.Minute
)

var importRows = tool.New(tool.Def{
	Name:        "nc_tables_import_rows",
	Title:       "Add rows from CSV",
	Description: "Add up to 500 rows from CSV. All lines are checked first, and nothing is written if one is bad.",
	Scope:       scope.TablesWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Aliases:     map[string]string{"table_id": "table"},
	Object:      []string{"table"},
	Timeout:     importTime,
}, func(ctx context.Context, c *api.Client, in ImportInput) (*Imported, error) {
	if len(in.CSV) > maxImportBytes {
		return nil, tool.Invalidf("the CSV has %d bytes, at most %d go at once", len(in.CSV), maxImportBytes)
	}
	id, err := c.Find(ctx, in.Table)
	if err != nil {
		return nil, err
	}
	columns, err := c.Columns(ctx, id)
	if err != nil {
		return nil, err
	}
	lines, bad, err := parse(in.CSV, columns)
	if err != nil {
		return nil, err
	}
	if len(bad) > 0 && !in.SkipBad {
		return nil, tool.Invalidf("%s. Nothing was written. Correct them, or set skip_bad.", summary(bad))
	}
	return write(ctx, c, id, columns, lines, bad), nil
})

// line is a checked line of CSV.
type line struct {
	number int
	cells  api.Cells
}

// parse reads and checks all lines.
func parse(text string, columns *api.Columns) ([]line, []BadLine, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	r := csv.NewReader(strings.NewReader(text))
	first, _, _ := strings.Cut(text, "\n")
	for _, comma := range []rune{';', '\t'} {
		if strings.Count(first, string(comma)) > strings.Count(first, string(r.Comma)) {
			r.Comma = comma
		}
	}
	head, err := r.Read()
	if err != nil {
		return nil, nil, tool.Invalidf("the first line has to name the columns")
	}
	kinds := make([]*api.Column, len(head))
	for i, name := range head {
		if kinds[i], err = columns.Find(name); err != nil {
			return nil, nil, tool.Invalidf("first line: %v", err)
		}
	}
	var lines []line
	var bad []BadLine
	for n := 0; ; n++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok && !errors.Is(err, csv.ErrFieldCount) {
			return nil, nil, tool.Invalidf("line %d is no CSV: %v", wrong.Line, wrong.Err)
		}
		if n == maxImport {
			return nil, nil, tool.Invalidf("these are more than %d rows: import them in several calls", maxImport)
		}
		number, _ := r.FieldPos(0)
		if err != nil {
			bad = append(bad, BadLine{number, fmt.Sprintf("%d values for %d columns", len(record), len(head))})
			continue
		}
		values := map[string]any{}
		for i, v := range record {
			switch kind := kinds[i]; {
			case v == "":
			case kind.Type == "selection-multi" || kind.Multiple:
				var parts []any
				for part := range strings.SplitSeq(v, "|") {
					parts = append(parts, strings.TrimSpace(part))
				}
				values[head[i]] = parts
			default:
				values[head[i]] = v
			}
		}
		cells, err := columns.Encode("", values, true)
		if err != nil {
			bad = append(bad, BadLine{number, reason(err)})
			continue
		}
		lines = append(lines, line{number, cells})
	}
	if len(lines)+len(bad) == 0 {
		return nil, nil, tool.Invalidf("there are no rows below the first line")
	}
	return lines, bad, nil
}

// reason is why a line is bad, without what every error says.
func reason(err error) string {
	if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Message != "" {
		return e.Message
	}
	return err.Error()
}

func summary(bad []BadLine) string {
	const most = 10
	var words []string
	for _, b := range bad[:min(most, len(bad))] {
		words = append(words, fmt.Sprintf("line %d: %s", b.Line, b.Why))
	}
	if n := len(bad) - most; n > 0 {
		words = append(words, fmt.Sprintf("and %d more bad lines", n))
	}
	return strings.Join(words, "; ")
}

// write adds rows one after the other, so that they keep their order. A line
// that the server refuses is reported; anything else ends the import.
func write(ctx context.Context, c *api.Client, table int64, columns *api.Columns, lines []line, bad []BadLine) *Imported {
	out := &Imported{Bad: bad}
	for _, l := range lines {
		row, err := c.CreateRow(ctx, table, l.cells)
		switch {
		case errors.Is(err, nextcloud.ErrInvalid):
			out.Bad = append(out.Bad, BadLine{l.number, reason(err)})
			continue
		case err != nil:
			out.Stopped = fmt.Sprintf("%v. Look whether line %d was written before you go on.", err, l.number)
			out.NextLine = l.number
			return out
		}
		if lost := columns.Lost(l.cells, row); len(lost) > 0 {
			out.Bad = append(out.Bad, BadLine{l.number, fmt.Sprintf("written as row %d, but Nextcloud kept nothing in %s", row.ID, strings.Join(lost, ", "))})
		}
		if out.Imported++; out.FirstID == 0 {
			out.FirstID = row.ID
		}
		out.LastID = row.ID
	}
	return out
}
