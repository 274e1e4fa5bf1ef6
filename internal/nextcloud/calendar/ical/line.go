package ical

import (
	"strings"
	"unicode/utf8"
)

// Line is one content line (RFC 5545, 3.1). A line that nobody changes is
// written back as it was read.
type Line struct {
	raw   string // unfolded, as read; empty when the line was made or changed
	name  string // as written; compare with Is
	param []Param
	value string
}

// Param is a property parameter with its values, without their quotes.
type Param struct {
	Name   string
	Values []string
}

// NewLine is a line name:value with parameters. The value has to be encoded
// for its type already; see NewText for text. Line breaks cannot occur in a
// content line and become spaces.
func NewLine(name, value string, params ...Param) *Line {
	return &Line{name: name, value: breaks.Replace(value), param: params}
}

// NewText is a line whose value is one text (RFC 5545, 3.3.11).
func NewText(name, text string, params ...Param) *Line {
	return NewLine(name, EscapeText(text), params...)
}

var breaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

// parseLine reads an unfolded line. A line that is no content line keeps its
// text and has no name.
func parseLine(raw string) *Line {
	l := &Line{raw: raw}
	i := strings.IndexAny(raw, ";:")
	if i <= 0 {
		return l
	}
	name, rest := raw[:i], raw[i:]
	var params []Param
	for strings.HasPrefix(rest, ";") {
		eq := strings.IndexAny(rest[1:], "=;:")
		if eq < 0 || rest[1+eq] != '=' {
			return l
		}
		p := Param{Name: rest[1 : 1+eq]}
		rest = rest[1+eq+1:]
		for {
			var v string
			if strings.HasPrefix(rest, `"`) {
				end := strings.IndexByte(rest[1:], '"')
				if end < 0 {
					return l
				}
				v, rest = rest[1:1+end], rest[1+end+1:]
			} else {
				end := strings.IndexAny(rest, ",;:")
				if end < 0 {
					return l
				}
				v, rest = rest[:end], rest[end:]
			}
			p.Values = append(p.Values, decodeParam(v))
			if !strings.HasPrefix(rest, ",") {
				break
			}
			rest = rest[1:]
		}
		params = append(params, p)
	}
	if !strings.HasPrefix(rest, ":") {
		return l
	}
	l.name, l.param, l.value = name, params, rest[1:]
	return l
}

// Is reports whether the line is the property of that name.
func (l *Line) Is(name string) bool { return strings.EqualFold(l.name, name) }

// Name is the property's name in upper case; empty for what is no content line.
func (l *Line) Name() string { return strings.ToUpper(l.name) }

// Value is the value as it is encoded in the line; "" for nil.
func (l *Line) Value() string {
	if l == nil {
		return ""
	}
	return l.value
}

// Text is the value as text; "" for nil.
func (l *Line) Text() string { return UnescapeText(l.Value()) }

// Texts is the value as a list of texts.
func (l *Line) Texts() []string {
	if l == nil {
		return nil
	}
	return splitTexts(l.value)
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

// SetValue changes the value and keeps the parameters.
func (l *Line) SetValue(value string) {
	value = breaks.Replace(value)
	if value == l.value && l.raw != "" {
		return
	}
	l.raw, l.value = "", value
}

// SetParam sets, or with an empty value removes, a parameter.
func (l *Line) SetParam(name, value string) {
	l.raw = ""
	var kept []Param
	done := value == ""
	for _, p := range l.param {
		switch {
		case !strings.EqualFold(p.Name, name):
			kept = append(kept, p)
		case !done:
			kept, done = append(kept, Param{p.Name, []string{value}}), true
		}
	}
	if !done {
		kept = append(kept, Param{name, []string{value}})
	}
	l.param = kept
}

// String is the unfolded line.
func (l *Line) String() string {
	if l.raw != "" || l.name == "" {
		return l.raw
	}
	var b strings.Builder
	b.WriteString(l.name)
	for _, p := range l.param {
		b.WriteString(";" + p.Name + "=")
		for i, v := range p.Values {
			if i > 0 {
				b.WriteByte(',')
			}
			v = encodeParam(v)
			if strings.ContainsAny(v, ",;:") {
				v = `"` + v + `"`
			}
			b.WriteString(v)
		}
	}
	b.WriteString(":" + l.value)
	return b.String()
}

// Clone is a copy that shares nothing with l.
func (l *Line) Clone() *Line {
	c := *l
	c.param = make([]Param, len(l.param))
	for i, p := range l.param {
		c.param[i] = Param{p.Name, append([]string(nil), p.Values...)}
	}
	return &c
}

// RFC 6868: what a parameter value cannot hold is written with a caret.
var (
	caretDecode = strings.NewReplacer("^n", "\n", "^'", `"`, "^^", "^")
	caretEncode = strings.NewReplacer("^", "^^", "\r\n", "^n", "\n", "^n", "\r", "^n", `"`, "^'")
)

func decodeParam(v string) string { return caretDecode.Replace(v) }

func encodeParam(v string) string { return caretEncode.Replace(v) }

// foldWidth is the longest line in octets, without its line break.
const foldWidth = 75

// fold writes line with CRLF, broken so that no part exceeds the limit and no
// character is split.
func fold(b *strings.Builder, line string) {
	width := foldWidth
	for len(line) > width {
		cut := width
		for cut > 1 && !utf8.RuneStart(line[cut]) {
			cut--
		}
		b.WriteString(line[:cut] + "\r\n ")
		line = line[cut:]
		width = foldWidth - 1 // the space that leads the next part
	}
	b.WriteString(line + "\r\n")
}
