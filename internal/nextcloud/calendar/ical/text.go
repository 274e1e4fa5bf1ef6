package ical

import "strings"

var textEscaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// EscapeText encodes a text value (RFC 5545, 3.3.11). Control characters that
// no calendar may hold are left out.
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

// EscapeTexts encodes a list of texts.
func EscapeTexts(list []string) string {
	escaped := make([]string, len(list))
	for i, s := range list {
		escaped[i] = EscapeText(s)
	}
	return strings.Join(escaped, ",")
}

// splitTexts decodes a list of texts, separated by commas that are not escaped.
func splitTexts(s string) []string {
	var (
		out   []string
		start int
	)
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ',':
			out = append(out, UnescapeText(s[start:i]))
			start = i + 1
		}
	}
	return append(out, UnescapeText(s[start:]))
}
