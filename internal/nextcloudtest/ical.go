package nextcloudtest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxICalDepth bounds how deeply components may nest; real files need three levels.
const maxICalDepth = 16

// errNotICal is what Sabre says about text that does not begin as iCalendar.
var errNotICal = errors.New("This parser only supports VCARD and VCALENDAR files") //nolint:staticcheck // the server's own words

// icalLine is one unfolded content line (RFC 5545, section 3.1). Parameters and value stay as they were written,
// because the simulator hands back what it was given.
type icalLine struct {
	name   string // upper case
	params string // with the leading semicolon, or empty
	value  string
}

// icalComponent is one BEGIN/END block. Lines keep their order.
type icalComponent struct {
	name     string // upper case
	lines    []icalLine
	children []*icalComponent
}

// parseICal reads one VCALENDAR. It accepts what Sabre's lenient parser accepts: any property, any component, bare LF.
func parseICal(text string) (*icalComponent, error) {
	lines := unfoldICal(text)
	if len(lines) == 0 || !strings.EqualFold(strings.TrimPrefix(lines[0], "\ufeff"), "BEGIN:VCALENDAR") {
		return nil, errNotICal
	}
	root := &icalComponent{name: "VCALENDAR"}
	stack := []*icalComponent{root}
	for i, text := range lines[1:] {
		if text == "" {
			continue
		}
		line, ok := parseICalLine(text)
		if !ok {
			return nil, fmt.Errorf("Invalid Mimedir file. Line starting at %d did not follow iCalendar/vCard conventions", i+2) //nolint:staticcheck // the server's own words
		}
		top := stack[len(stack)-1]
		switch line.name {
		case "BEGIN":
			if len(stack) >= maxICalDepth {
				return nil, errors.New("Invalid Mimedir file. Components nest too deeply") //nolint:staticcheck // as above
			}
			child := &icalComponent{name: strings.ToUpper(line.value)}
			top.children = append(top.children, child)
			stack = append(stack, child)
		case "END":
			if !strings.EqualFold(line.value, top.name) {
				return nil, fmt.Errorf("Invalid MimeDir file. expected: \"END:%s\" got: \"END:%s\"", top.name, line.value) //nolint:staticcheck // as above
			}
			stack = stack[:len(stack)-1]
			if len(stack) == 0 {
				return root, nil
			}
		default:
			top.lines = append(top.lines, line)
		}
	}
	return nil, errors.New("End of document reached prematurely") //nolint:staticcheck // as above
}

// unfoldICal splits text into logical lines (RFC 5545, section 3.1).
func unfoldICal(text string) []string {
	var lines []string
	for raw := range strings.SplitSeq(text, "\n") {
		raw = strings.TrimSuffix(raw, "\r")
		if len(lines) > 0 && raw != "" && (raw[0] == ' ' || raw[0] == '\t') {
			lines[len(lines)-1] += raw[1:]
			continue
		}
		lines = append(lines, raw)
	}
	return lines
}

// parseICalLine splits name, parameters and value; a colon or semicolon inside quotes separates nothing.
func parseICalLine(text string) (icalLine, bool) {
	nameEnd := strings.IndexAny(text, ";:")
	if nameEnd <= 0 {
		return icalLine{}, false
	}
	quoted := false
	for i := nameEnd; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ':' && !quoted:
			return icalLine{
				name:   strings.ToUpper(text[:nameEnd]),
				params: text[nameEnd:i],
				value:  text[i+1:],
			}, true
		}
	}
	return icalLine{}, false
}

// param returns the value of a parameter without quotes.
func (l icalLine) param(name string) string {
	for _, part := range splitParams(l.params) {
		key, value, found := strings.Cut(part, "=")
		if found && strings.EqualFold(key, name) {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// withParam returns the line with one parameter set, in place when it is there already.
func (l icalLine) withParam(name, value string) icalLine {
	parts := splitParams(strings.TrimPrefix(l.params, ";"))
	set := false
	var params strings.Builder
	for _, part := range parts {
		if part == "" {
			continue
		}
		key, _, _ := strings.Cut(part, "=")
		if strings.EqualFold(key, name) {
			part, set = key+"="+value, true
		}
		params.WriteString(";" + part)
	}
	if !set {
		params.WriteString(";" + name + "=" + value)
	}
	l.params = params.String()
	return l
}

// text returns the value with the escapes of RFC 5545, section 3.3.11 undone.
func (l icalLine) text() string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";").Replace(l.value)
}

// splitParams splits at the semicolons that are outside quotes.
func splitParams(s string) []string {
	var parts []string
	quoted, from := false, 0
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

// line returns the first property of a name.
func (c *icalComponent) line(name string) (icalLine, bool) {
	for _, line := range c.lines {
		if line.name == name {
			return line, true
		}
	}
	return icalLine{}, false
}

// value returns the raw value of the first property of a name, or "".
func (c *icalComponent) value(name string) string {
	line, _ := c.line(name)
	return line.value
}

// count returns how often a property occurs.
func (c *icalComponent) count(name string) int {
	n := 0
	for _, line := range c.lines {
		if line.name == name {
			n++
		}
	}
	return n
}

// set replaces the first property of a name, or appends it.
func (c *icalComponent) set(name, value string) {
	for i := range c.lines {
		if c.lines[i].name == name {
			c.lines[i] = icalLine{name: name, value: value}
			return
		}
	}
	c.lines = append(c.lines, icalLine{name: name, value: value})
}

// without returns a shallow copy that lacks the named properties.
func (c *icalComponent) without(names ...string) *icalComponent {
	out := &icalComponent{name: c.name, children: c.children}
lines:
	for _, line := range c.lines {
		for _, name := range names {
			if line.name == name {
				continue lines
			}
		}
		out.lines = append(out.lines, line)
	}
	return out
}

// named returns the direct children of a name.
func (c *icalComponent) named(name string) []*icalComponent {
	var found []*icalComponent
	for _, child := range c.children {
		if child.name == name {
			found = append(found, child)
		}
	}
	return found
}

// main returns the components that carry the data: everything but time zones.
func (c *icalComponent) main() []*icalComponent {
	var found []*icalComponent
	for _, child := range c.children {
		if child.name != "VTIMEZONE" {
			found = append(found, child)
		}
	}
	return found
}

// String serialises with CRLF and folded lines.
func (c *icalComponent) String() string {
	var b strings.Builder
	c.write(&b)
	return b.String()
}

func (c *icalComponent) write(b *strings.Builder) {
	b.WriteString("BEGIN:" + c.name + "\r\n")
	for _, line := range c.lines {
		foldICal(b, line.name+line.params+":"+line.value)
	}
	for _, child := range c.children {
		child.write(b)
	}
	b.WriteString("END:" + c.name + "\r\n")
}

// foldICal writes one line folded at 75 octets, never inside a character.
func foldICal(b *strings.Builder, line string) {
	for limit := 75; len(line) > limit; limit = 74 {
		cut := limit
		for cut > 1 && !utf8.RuneStart(line[cut]) {
			cut--
		}
		b.WriteString(line[:cut] + "\r\n ")
		line = line[cut:]
	}
	b.WriteString(line + "\r\n")
}
