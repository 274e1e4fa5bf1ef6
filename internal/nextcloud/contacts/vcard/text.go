package vcard

import (
	"strings"
	"unicode/utf8"
)

var textEscaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// EscapeText encodes a text value (RFC 6350, 3.4). Control characters that no
// card may hold are left out.
func EscapeText(s string) string {
	s = strings.Map(func(r rune) rune {
		if (r < 0x20 && r != '\n' && r != '\r' && r != '\t') || r == 0x7f {
			return -1
		}
		return r
	}, s)
	return textEscaper.Replace(s)
}

// UnescapeText decodes a text value.
func UnescapeText(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n', 'N':
			b.WriteByte('\n')
		case '\\', ';', ',', ':', '"':
			b.WriteByte(s[i])
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// split cuts an encoded value at the separators that are not escaped.
func split(s string, separator byte) []string {
	var (
		out   []string
		start int
	)
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case separator:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// plain is the value without the transfer encoding and the character set of
// vCard 2.1, still with its escapes.
func (l *Line) plain() string {
	if l == nil {
		return ""
	}
	v := l.value
	if l.quotedPrintable() {
		v = decodeQuoted(v)
	}
	if utf8.ValidString(v) {
		return v
	}
	// What is not UTF-8 was written on a machine of western Europe, whatever
	// CHARSET says.
	var b strings.Builder
	for i := range len(v) {
		b.WriteRune(rune(v[i]))
	}
	return b.String()
}

func (l *Line) quotedPrintable() bool {
	for _, p := range l.param {
		if p.Name != "" && !strings.EqualFold(p.Name, "ENCODING") {
			continue
		}
		for _, v := range p.Values {
			if strings.EqualFold(v, "QUOTED-PRINTABLE") {
				return true
			}
		}
	}
	return false
}

// decodeQuoted decodes quoted-printable (RFC 2045, 6.7). What is no such code
// stays as it is.
func decodeQuoted(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo)) //nolint:gosec // two digits
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// Text is the value as text; "" for nil.
func (l *Line) Text() string {
	return strings.ReplaceAll(UnescapeText(l.plain()), "\r\n", "\n")
}

// Texts is the value as a list of texts, without empty ones.
func (l *Line) Texts() []string {
	if l == nil {
		return nil
	}
	var out []string
	for _, s := range split(l.plain(), ',') {
		if s = strings.TrimSpace(UnescapeText(s)); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Part is component i of a structured value (N, ADR, ORG); "" when there is
// none, or for nil.
func (l *Line) Part(i int) string {
	parts := split(l.plain(), ';')
	if i >= len(parts) {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(UnescapeText(parts[i]), "\r\n", "\n"))
}

// Parts are all components of a structured value.
func (l *Line) Parts() []string {
	parts := split(l.plain(), ';')
	for i := range parts {
		parts[i] = l.Part(i)
	}
	return parts
}

// SetText sets the text of the line and keeps its parameters.
func (l *Line) SetText(text string) {
	if l.Text() != text {
		l.setPlain(EscapeText(text))
	}
}

// SetTexts sets the list of texts.
func (l *Line) SetTexts(list []string) {
	escaped := make([]string, len(list))
	for i, s := range list {
		escaped[i] = EscapeText(s)
	}
	l.setPlain(strings.Join(escaped, ","))
}

// SetPart sets one component of a structured value. The others keep their
// bytes, and there are at least least components afterwards.
func (l *Line) SetPart(i, least int, text string) {
	if l.Part(i) == text {
		return
	}
	parts := split(l.plain(), ';')
	for len(parts) < max(least, i+1) {
		parts = append(parts, "")
	}
	parts[i] = EscapeText(text)
	l.setPlain(strings.Join(parts, ";"))
}

// setPlain sets a value that has no transfer encoding of vCard 2.1.
func (l *Line) setPlain(value string) {
	if l.quotedPrintable() {
		l.dropEncoding()
		value = strings.NewReplacer("\r\n", `\n`, "\n", `\n`).Replace(value)
	}
	l.SetValue(value)
}

// dropEncoding removes the parameters of vCard 2.1 that say how the value was
// encoded.
func (l *Line) dropEncoding() {
	l.raw = ""
	kept := l.param[:0:0]
	for _, p := range l.param {
		bare := p.Name == "" && len(p.Values) == 1 && encodings[strings.ToLower(p.Values[0])]
		if !bare && !strings.EqualFold(p.Name, "ENCODING") && !strings.EqualFold(p.Name, "CHARSET") {
			kept = append(kept, p)
		}
	}
	l.param = kept
}

// encodings are the words of vCard 2.1 that are no types.
var encodings = map[string]bool{"quoted-printable": true, "base64": true, "b": true, "7bit": true, "8bit": true}
