package clients

import (
	"strings"
	"unicode"

	"nextcloud-mcp-server/internal/oauth/redirect"
)

const maxName = 100 // runes

// invisible are letters and marks that show nothing, beside the categories
// that cleanName takes out.
var invisible = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, // combining grapheme joiner
		{Lo: 0x115f, Hi: 0x1160, Stride: 1}, // Hangul fillers
		{Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, // Khmer inherent vowels
		{Lo: 0x180b, Hi: 0x180f, Stride: 1}, // Mongolian selectors
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // Braille blank
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
		{Lo: 0xfe00, Hi: 0xfe0f, Stride: 1}, // variation selectors
		{Lo: 0xffa0, Hi: 0xffa0, Stride: 1}, // halfwidth Hangul filler
	},
	R32: []unicode.Range32{{Lo: 0xe0000, Hi: 0xe0fff, Stride: 1}}, // tags, selectors and their block
}

// cleanName is a name as it can be shown in a sentence: on one line, in the
// order it is read, without what cannot be seen, and not long.
func cleanName(name string) string {
	var out strings.Builder
	length, marks, space := 0, 0, false
	for _, r := range name {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Z, r):
			space = true
			continue
		case r == unicode.ReplacementChar, !unicode.IsGraphic(r), unicode.Is(unicode.Co, r), unicode.Is(invisible, r):
			continue
		case unicode.Is(unicode.M, r):
			// Piled up marks cover the lines around them.
			if marks++; marks > 2 || length == 0 || space {
				continue
			}
		default:
			marks = 0
		}
		if space && length > 0 {
			out.WriteByte(' ')
			length++
		}
		space = false
		if length >= maxName {
			break
		}
		out.WriteRune(r)
		length++
	}
	return strings.TrimSpace(out.String())
}

// displayName is the cleaned name, or where the answers go.
func displayName(name string, redirectURIs []string) string {
	if name = cleanName(name); name != "" || len(redirectURIs) == 0 {
		return name
	}
	host, _ := redirect.Host(redirectURIs[0])
	return host
}

// homePage is uri when people can be given it as a link.
func homePage(uri string) string {
	if !strings.HasPrefix(uri, "https://") || redirect.Check(uri, nil) != nil {
		return ""
	}
	return uri
}

const maxScope = 2000 // bytes

// isScopeText reports whether s can be a scope (RFC 6749, 3.3).
func isScopeText(s string) bool {
	if len(s) > maxScope {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
