package document

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"
)

// numberFormat is how a cell shows its number. Dates and percentages are shown
// as such; other numbers keep all their digits.
type numberFormat struct {
	date, clock, percent, elapsed bool
}

var plainFormat numberFormat

// xlsxFormats reads the formats of cells, by the index that cells name.
func xlsxFormats(p *pack) ([]numberFormat, error) {
	custom := map[string]string{}
	var formats []numberFormat
	inCells := false
	err := p.walk("xl/styles.xml", func(_ *xmlReader, e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			custom[attr(e, "numFmtId")] = attr(e, "formatCode")
		case "cellXfs":
			inCells = true
		case "cellStyles", "cellStyleXfs", "dxfs":
			inCells = false
		case "xf":
			if inCells && len(formats) < 1<<16 {
				id := attr(e, "numFmtId")
				if code, ok := custom[id]; ok {
					formats = append(formats, parseFormat(code))
				} else {
					formats = append(formats, builtinFormat(id))
				}
			}
		}
		return nil
	})
	return formats, err
}

// builtinFormat is a format that is not written down in files (ECMA-376 part
// 1, 18.8.30). Those from 27 to 58 depend on the language and are dates.
func builtinFormat(id string) numberFormat {
	n, err := strconv.Atoi(id)
	switch {
	case err != nil:
		return plainFormat
	case n == 9, n == 10:
		return numberFormat{percent: true}
	case n >= 14 && n <= 17, n >= 27 && n <= 31, n == 36, n >= 50 && n <= 58:
		return numberFormat{date: true}
	case n >= 18 && n <= 21, n >= 32 && n <= 35, n == 45, n == 47:
		return numberFormat{clock: true}
	case n == 22:
		return numberFormat{date: true, clock: true}
	case n == 46:
		return numberFormat{elapsed: true}
	}
	return plainFormat
}

// parseFormat reads the first section of a format code.
func parseFormat(code string) (f numberFormat) {
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case ';':
			return f
		case '"':
			if end := strings.IndexByte(code[i+1:], '"'); end >= 0 {
				i += end + 1
			}
		case '\\', '_', '*':
			i++
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return f
			}
			switch strings.ToLower(code[i+1 : i+end]) {
			case "h", "hh", "m", "mm", "s", "ss":
				f.elapsed = true
			}
			i += end
		case '%':
			f.percent = true
		case 'y', 'Y', 'd', 'D':
			f.date = true
		case 'h', 'H', 's', 'S':
			f.clock = true
		}
	}
	return f
}

// show is a number as its cell shows it; what is no number stays as it is.
func (f numberFormat) show(value string, from int) string {
	n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return value
	}
	switch {
	case f.elapsed:
		seconds := int64(math.Round(n * 86400))
		if seconds < 0 || n > 1e6 {
			break
		}
		return strconv.FormatInt(seconds/3600, 10) + time.Unix(seconds, 0).UTC().Format(":04:05")
	case (f.date || f.clock) && n >= 0 && n < 2958466: // the end of the year 9999
		return f.time(n, from)
	case f.percent:
		return decimal(n*100) + "%"
	}
	return decimal(n)
}

func (f numberFormat) time(n float64, from int) string {
	// Day 60 of the 1900 system is a 29 February that never was (ECMA-376
	// part 1, 18.17.4.1).
	start := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	if from == 1904 {
		start = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	} else if n < 60 {
		start = start.AddDate(0, 0, 1)
	}
	day := math.Floor(n)
	t := start.AddDate(0, 0, int(day)).Add(time.Duration(math.Round((n-day)*86400)) * time.Second)
	layout := "15:04"
	if t.Second() != 0 {
		layout = "15:04:05"
	}
	switch {
	case f.date && (f.clock || t.Hour() != 0 || t.Minute() != 0 || t.Second() != 0):
		layout = "2006-01-02 " + layout
	case f.date:
		layout = "2006-01-02"
	}
	return t.Format(layout)
}

// decimal is a number with the 15 digits that spreadsheets calculate with.
func decimal(n float64) string {
	if math.Abs(n) >= 1e15 || (n != 0 && math.Abs(n) < 1e-7) {
		return strconv.FormatFloat(n, 'g', 15, 64)
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(n, 'g', 15, 64), 64)
	if err != nil {
		rounded = n
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}
