package vcard

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Line is one content line (RFC 6350, 3.3). A line that nobody changes is
// written back byte for byte.
type Line struct {
	raw   string // as read, with its folds and line breaks; empty when the line was made or changed
	group string // as written, without the dot
	name  string // as written; empty for what is no content line
	param []Param
	value string // unfolded, still encoded
}

// Param is a property parameter with its values, without their quotes. A
// parameter of vCard 2.1 that is only a word (TEL;HOME) has no name.
type Param struct {
	Name   string
	Values []string
	raw    string // as written, without the semicolon before it; empty when made or changed
}

// NewLine is a line name:value with parameters. The value has to be encoded
// for its type already; see NewText for text. Line breaks cannot occur in a
// content line and become spaces.
func NewLine(name, value string, params ...Param) *Line {
	return &Line{name: name, value: breaks.Replace(value), param: params}
}

// NewText is a line whose value is one text (RFC 6350, 4.1).
func NewText(name, text string, params ...Param) *Line {
	return NewLine(name, EscapeText(text), params...)
}

var breaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

// parseLine reads an unfolded line that was written as raw. A line that is no
// content line keeps its bytes and has no name.
func parseLine(raw, text string) *Line {
	l := &Line{raw: raw}
	i := strings.IndexAny(text, ";:")
	if i <= 0 {
		return l
	}
	name, rest := text[:i], text[i:]
	group := ""
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		group, name = name[:dot], name[dot+1:]
	}
	if name == "" {
		return l
	}
	var params []Param
	for strings.HasPrefix(rest, ";") {
		p, after, ok := parseParam(rest[1:])
		if !ok {
			return l
		}
		params, rest = append(params, p), after
	}
	if !strings.HasPrefix(rest, ":") {
		return l
	}
	l.group, l.name, l.param, l.value = group, name, params, rest[1:]
	return l
}

// parseParam reads one parameter from the front of s.
func parseParam(s string) (p Param, rest string, ok bool) {
	end := strings.IndexAny(s, "=;:")
	if end < 0 {
		return p, s, false
	}
	rest = s[end:]
	if s[end] != '=' {
		// vCard 2.1: a value without the name of its parameter.
		word := s[:end]
		return Param{Values: []string{word}, raw: word}, rest, true
	}
	p.Name, rest = s[:end], s[end+1:]
	for {
		var v string
		if strings.HasPrefix(rest, `"`) {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return p, s, false
			}
			v, rest = rest[1:1+end], rest[1+end+1:]
		} else {
			end := strings.IndexAny(rest, ",;:")
			if end < 0 {
				return p, s, false
			}
			v, rest = rest[:end], rest[end:]
		}
		if strings.Contains(v, "^") {
			v = caretDecode.Replace(v)
		}
		p.Values = append(p.Values, v)
		if !strings.HasPrefix(rest, ",") {
			break
		}
		rest = rest[1:]
	}
	p.raw = s[:len(s)-len(rest)]
	return p, rest, true
}

// RFC 6868: what a parameter value cannot hold is written with a caret.
var (
	caretDecode = strings.NewReplacer("^n", "\n", "^'", `"`, "^^", "^")
	caretEncode = strings.NewReplacer("^", "^^", "\r\n", "^n", "\n", "^n", "\r", "^n", `"`, "^'")
)

func (p Param) text() string {
	if p.raw != "" {
		return p.raw
	}
	values := make([]string, len(p.Values))
	for i, v := range p.Values {
		v = caretEncode.Replace(v)
		if strings.ContainsAny(v, ",;:") {
			v = `"` + v + `"`
		}
		values[i] = v
	}
	if p.Name == "" {
		return strings.Join(values, ",")
	}
	return p.Name + "=" + strings.Join(values, ",")
}

// Is reports whether the line is the property of that name.
func (l *Line) Is(name string) bool { return l.name != "" && strings.EqualFold(l.name, name) }

// Name is the property's name in upper case; empty for what is no content line.
func (l *Line) Name() string { return strings.ToUpper(l.name) }

// Group is what ties lines together ("item1"), as written; "" for nil.
func (l *Line) Group() string {
	if l == nil {
		return ""
	}
	return l.group
}

// Value is the value as it is encoded in the line; "" for nil.
func (l *Line) Value() string {
	if l == nil {
		return ""
	}
	return l.value
}

// Param is the first value of a parameter; "" when there is none.
func (l *Line) Param(name string) string {
	if l == nil {
		return ""
	}
	for _, p := range l.param {
		if strings.EqualFold(p.Name, name) && len(p.Values) > 0 {
			return p.Values[0]
		}
	}
	return ""
}

// SetValue changes the encoded value and keeps the parameters.
func (l *Line) SetValue(value string) {
	value = breaks.Replace(value)
	if value == l.value && l.raw != "" {
		return
	}
	l.raw, l.value = "", value
}

// SetParam sets, or with no values removes, a parameter.
func (l *Line) SetParam(name string, values ...string) {
	l.raw = ""
	kept := make([]Param, 0, len(l.param)+1)
	done := len(values) == 0
	for _, p := range l.param {
		switch {
		case !strings.EqualFold(p.Name, name):
			kept = append(kept, p)
		case !done:
			kept, done = append(kept, Param{Name: p.Name, Values: values}), true
		}
	}
	if !done {
		kept = append(kept, Param{Name: name, Values: values})
	}
	l.param = kept
}

// Clone is a copy that shares nothing with l.
func (l *Line) Clone() *Line {
	c := *l
	c.param = make([]Param, len(l.param))
	for i, p := range l.param {
		c.param[i] = Param{p.Name, slices.Clone(p.Values), p.raw}
	}
	return &c
}

// String is the unfolded line without its line break.
func (l *Line) String() string {
	if l.name == "" {
		return strings.TrimRight(l.raw, "\r\n")
	}
	var b strings.Builder
	if l.group != "" {
		b.WriteString(l.group + ".")
	}
	b.WriteString(l.name)
	for _, p := range l.param {
		b.WriteString(";" + p.text())
	}
	b.WriteString(":" + l.value)
	return b.String()
}

// write adds the line to b as it is in the card.
func (l *Line) write(b *strings.Builder, eol string) {
	if l.raw != "" {
		b.WriteString(l.raw)
		return
	}
	fold(b, l.String(), eol)
}

// foldWidth is the longest line in octets, without its line break.
const foldWidth = 75

// fold writes line, broken so that no part exceeds the limit and no character
// is split.
func fold(b *strings.Builder, line, eol string) {
	width := foldWidth
	for len(line) > width {
		cut := width
		for cut > 1 && !utf8.RuneStart(line[cut]) {
			cut--
		}
		b.WriteString(line[:cut] + eol + " ")
		line = line[cut:]
		width = foldWidth - 1 // the space that leads the next part
	}
	b.WriteString(line + eol)
}

// Copy is the line for another card: with its name, parameters and value, and
// without its group.
func (l *Line) Copy() *Line {
	c := l.Clone()
	if c.group != "" {
		c.raw, c.group = "", ""
	}
	if !strings.HasSuffix(c.raw, "\n") {
		c.raw = ""
	}
	return c
}
