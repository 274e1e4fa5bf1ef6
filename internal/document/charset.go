package document

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Decode is text in any of the usual encodings as UTF-8: by its byte order
// mark, else UTF-8 where it is valid, else UTF-16 where every other byte is
// zero, else Windows-1252, which contains Latin-1. The name of the encoding is
// empty for UTF-8.
func Decode(data []byte) (text, name string) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return string(bytes.ToValidUTF8(data[3:], []byte("\ufffd"))), ""
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return decoded(unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM), data), "UTF-16"
	}
	if order, ok := utf16Order(data); ok {
		return decoded(unicode.UTF16(order, unicode.IgnoreBOM), data), "UTF-16"
	}
	if utf8.Valid(data) {
		return string(data), ""
	}
	// A cut character at the end is a cut file, not another encoding.
	if cut := len(data) - utf8.UTFMax; cut > 0 {
		for i := len(data) - 1; i > cut; i-- {
			if !utf8.FullRune(data[i:]) && utf8.Valid(data[:i]) {
				return string(bytes.ToValidUTF8(data, []byte("\ufffd"))), ""
			}
		}
	}
	return decoded(charmap.Windows1252, data), "Windows-1252"
}

func decoded(e encoding.Encoding, data []byte) string {
	out, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return string(bytes.ToValidUTF8(data, []byte("\ufffd")))
	}
	return string(out)
}

// decodeLabel is text in the encoding of a label such as "iso-8859-15".
func decodeLabel(data []byte, label string) string {
	if e, _ := charset.Lookup(label); e != nil && e != encoding.Nop {
		return decoded(e, data)
	}
	text, _ := Decode(data)
	return text
}

// utf16Order finds UTF-16 without a mark: in western texts nearly every other
// byte is zero.
func utf16Order(data []byte) (unicode.Endianness, bool) {
	n := min(len(data), 4096) &^ 1
	if n < 4 {
		return unicode.LittleEndian, false
	}
	even, odd := 0, 0
	for i := 0; i < n; i += 2 {
		if data[i] == 0 {
			even++
		}
		if data[i+1] == 0 {
			odd++
		}
	}
	switch pairs := n / 2; {
	case odd*10 > pairs*7 && even*20 < pairs:
		return unicode.LittleEndian, true
	case even*10 > pairs*7 && odd*20 < pairs:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// binary reports whether data begin like something that is no text.
func binary(head []byte) bool {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return false
	}
	if _, wide := utf16Order(head); wide {
		return false
	}
	odd := 0
	for _, c := range head {
		switch {
		case c == 0:
			return true
		case c < 32 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\b' && c != 0x1b, c == 127:
			odd++
		}
	}
	return odd*20 > len(head)
}
