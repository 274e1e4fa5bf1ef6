package vcard

import (
	"strings"
)

// textual are properties whose commas separate nothing in vCard 2.1.
var textual = map[string]bool{"FN": true, "N": true, "ADR": true, "ORG": true, "TITLE": true, "ROLE": true, "NOTE": true, "LABEL": true}

// Upgrade turns a card of vCard 2.1, which CardDAV servers refuse (RFC 6352,
// 5.1), into one of 3.0, and reports whether it had to. Lines that both
// versions write alike keep their bytes.
func (c *Card) Upgrade() bool {
	if v := c.Version(); v == "3.0" || v == "4.0" {
		return false
	}
	for _, l := range c.lines {
		if l.name != "" {
			l.upgrade()
		}
	}
	if v := c.Prop("VERSION"); v != nil {
		v.SetValue("3.0")
		return true
	}
	c.lines = append([]*Line{NewLine("VERSION", "3.0")}, c.lines...)
	return true
}

func (l *Line) upgrade() {
	binary := false
	bare := false
	charset := l.Param("CHARSET") != ""
	for _, p := range l.param {
		bare = bare || p.Name == ""
		if p.Name == "" || strings.EqualFold(p.Name, "ENCODING") {
			for _, v := range p.Values {
				binary = binary || strings.EqualFold(v, "BASE64")
			}
		}
	}
	value := l.plain()
	quoted := l.quotedPrintable()
	if binary {
		value = strings.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, value)
	} else {
		value = strings.NewReplacer("\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(value)
		if textual[l.Name()] {
			value = escapeCommas(value)
		}
	}
	if !binary && !bare && !quoted && !charset && value == l.value {
		return
	}
	words := l.words()
	if bare || quoted || charset || binary {
		l.dropEncoding()
	}
	if bare {
		l.setWords(words)
	}
	if binary {
		l.param = append([]Param{{Name: "ENCODING", Values: []string{"b"}}}, l.param...)
	}
	l.raw = ""
	l.SetValue(value)
}

// escapeCommas escapes the commas of a text that has none escaped.
func escapeCommas(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			b.WriteString(s[i : i+2])
			i++
		case s[i] == ',':
			b.WriteString(`\,`)
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
