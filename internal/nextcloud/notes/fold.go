package notes

import (
	"unicode"
	"unicode/utf8"
)

// appendFold appends s to dst with case differences removed, rune by rune
// (Unicode simple case folding, and ß as ss).
func appendFold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		end := i
		for end < len(s) && s[end] < utf8.RuneSelf {
			end++
		}
		at := len(dst)
		dst = append(dst, s[i:end]...)
		for k, b := range []byte(s[i:end]) {
			if 'A' <= b && b <= 'Z' {
				dst[at+k] = b + 'a' - 'A'
			}
		}
		if i = end; i < len(s) {
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = appendFoldRune(dst, r)
			i += n
		}
	}
	return dst
}

func appendFoldRune(dst []byte, r rune) []byte {
	if r == 'ß' || r == 'ẞ' {
		return append(dst, "ss"...)
	}
	// The runes that differ only in case form a circle; its smallest stands
	// for all of them, in lower case so that ASCII stays as above.
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return utf8.AppendRune(dst, unicode.ToLower(least))
}

func foldString(s string) string { return string(appendFold(nil, s)) }

// unfold is the offset in s whose folded text begins at offset at.
func unfold(s string, at int) int {
	var buf [8]byte
	for i, r := range s {
		if at <= 0 {
			return i
		}
		at -= len(appendFoldRune(buf[:0], r))
	}
	return len(s)
}
