package document

import (
	"strings"
)

// markdown is a text under way. Its errors are those of work.add.
type markdown struct {
	w    *work
	b    strings.Builder
	list bool // the last block is an item of a list
}

// block adds a paragraph or another piece that stands for itself.
func (m *markdown) block(text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	m.separate("\n\n")
	m.list = false
	m.b.WriteString(text)
	return m.w.add(len(text) + 2)
}

// heading adds a heading; levels run from 1 to 6.
func (m *markdown) heading(level int, text string) error {
	text = oneLine(text)
	if text == "" {
		return nil
	}
	return m.block(strings.Repeat("#", min(max(level, 1), 6)) + " " + text)
}

// item adds an item of a list, at a depth from 0.
func (m *markdown) item(depth int, ordered bool, text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	if m.list {
		m.separate("\n")
	} else {
		m.separate("\n\n")
	}
	m.list = true
	indent := strings.Repeat("  ", min(max(depth, 0), 8))
	mark := "- "
	if ordered {
		mark = "1. " // Markdown counts by itself
		indent = strings.Repeat("   ", min(max(depth, 0), 8))
	}
	text = strings.ReplaceAll(text, "\n", "\n"+indent+"  ")
	m.b.WriteString(indent + mark + text)
	return m.w.add(len(indent) + len(mark) + len(text) + 1)
}

// table adds a table; its first row is the head.
func (m *markdown) table(rows [][]string) error {
	width := 0
	for _, r := range rows {
		width = max(width, filled(r))
	}
	if width == 0 {
		return nil
	}
	m.separate("\n\n")
	m.list = false
	head := true
	for _, r := range rows {
		var line strings.Builder
		for i := range width {
			cell := ""
			if i < len(r) {
				cell = cellText(r[i])
			}
			line.WriteString("| " + cell + " ")
		}
		line.WriteString("|\n")
		if head {
			line.WriteString(strings.Repeat("| --- ", width) + "|\n")
			head = false
		}
		m.b.WriteString(line.String())
		if err := m.w.add(line.Len()); err != nil {
			return err
		}
	}
	return nil
}

// filled is how many cells of a row there are up to the last that is not empty.
func filled(row []string) int {
	for i := len(row); i > 0; i-- {
		if strings.TrimSpace(row[i-1]) != "" {
			return i
		}
	}
	return 0
}

var cellEscapes = strings.NewReplacer("|", `\|`, "\r\n", "<br>", "\n", "<br>", "\r", "<br>", "\t", " ")

func cellText(s string) string { return cellEscapes.Replace(strings.TrimSpace(s)) }

func (m *markdown) separate(by string) {
	if m.b.Len() == 0 {
		return
	}
	if strings.HasSuffix(m.b.String(), "\n") && by == "\n\n" {
		by = "\n"
	}
	m.b.WriteString(by)
}

func (m *markdown) String() string { return strings.TrimSpace(m.b.String()) }

// link is text that leads to target. Only addresses that people follow are
// shown.
func link(text, target string) string {
	text = strings.TrimSpace(text)
	lower := strings.ToLower(target)
	known := strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "mailto:")
	if !known || text == "" || text == target || len(target) > 2000 || strings.ContainsAny(target, " \n<>()") {
		return text
	}
	return "[" + text + "](" + target + ")"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
