package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Charset is how a text is written as bytes.
type Charset string

// The charsets that are told apart. Every text that is neither UTF-8 nor UTF-16
// is read as Windows-1252, which ISO 8859-1 is a part of.
const (
	UTF8    Charset = "utf-8"
	UTF8BOM Charset = "utf-8 with BOM"
	UTF16LE Charset = "utf-16le"
	UTF16BE Charset = "utf-16be"
	Latin1  Charset = "windows-1252"
)

var boms = []struct {
	charset Charset
	mark    string
}{
	{UTF8BOM, "\xEF\xBB\xBF"},
	{UTF16LE, "\xFF\xFE"},
	{UTF16BE, "\xFE\xFF"},
}

func (c Charset) mark() string {
	for _, b := range boms {
		if b.charset == c {
			return b.mark
		}
	}
	return ""
}

func (c Charset) encoding() encoding.Encoding {
	switch c {
	case UTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case UTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case Latin1:
		return charmap.Windows1252
	default:
		return nil
	}
}

// unit is how many bytes belong together at least.
func (c Charset) unit() int {
	if c == UTF16LE || c == UTF16BE {
		return 2
	}
	return 1
}

// Sniff says how data is written, when it is text; data may be the start of a
// longer text, and end in the middle of a character.
func Sniff(data []byte) (charset Charset, text bool) {
	for _, b := range boms {
		if bytes.HasPrefix(data, []byte(b.mark)) {
			if b.charset == UTF8BOM && !validUTF8(data[3:]) {
				break
			}
			return b.charset, true
		}
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return sniffUTF16(data)
	}
	if validUTF8(data) {
		return UTF8, !controls(data)
	}
	return Latin1, !controls(data)
}

// validUTF8 is utf8.Valid that allows for a character cut at the end.
func validUTF8(data []byte) bool {
	return utf8.Valid(data[:len(data)-cutRune(data)])
}

// cutRune is how many bytes at the end are the start of a character whose rest
// is missing.
func cutRune(data []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(data); n++ {
		if b := data[len(data)-n]; utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRune(data[len(data)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// sniffUTF16 tells UTF-16 without a mark from bytes: the text of most languages
// has a zero in one half of nearly every unit.
func sniffUTF16(data []byte) (Charset, bool) {
	if len(data) < 4 {
		return "", false
	}
	var zeros [2]int
	for i, b := range data {
		if b == 0 {
			zeros[i%2]++
		}
	}
	half := len(data) / 2
	charset := Charset("")
	switch {
	case zeros[0] == 0 && zeros[1] > half*7/10:
		charset = UTF16LE
	case zeros[1] == 0 && zeros[0] > half*7/10:
		charset = UTF16BE
	default:
		return "", false
	}
	decoded, err := charset.encoding().NewDecoder().Bytes(data[:len(data)&^1])
	return charset, err == nil && !controls(decoded)
}

// controls reports whether data holds bytes that no text has.
func controls(data []byte) bool {
	return bytes.ContainsFunc(data, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != '\x1b' || r == 0x7f
	})
}

// Decode is a text in that charset as UTF-8, without a byte order mark. start
// says whether data begins the file. What cannot be decoded becomes U+FFFD.
func (c Charset) Decode(data []byte, start bool) string {
	if start {
		data = bytes.TrimPrefix(data, []byte(c.mark()))
	}
	enc := c.encoding()
	if enc == nil {
		return string(bytes.ToValidUTF8(data, []byte("\uFFFD")))
	}
	out, err := enc.NewDecoder().Bytes(data)
	if err != nil {
		return string(bytes.ToValidUTF8(data, []byte("\uFFFD")))
	}
	return string(out)
}

// Reader is r, which begins a file in that charset, as UTF-8 without a byte
// order mark.
func (c Charset) Reader(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if start, err := b.Peek(len(c.mark())); err == nil && string(start) == c.mark() {
		_, _ = b.Discard(len(start)) // they are in the buffer
	}
	if enc := c.encoding(); enc != nil {
		return enc.NewDecoder().Reader(b)
	}
	return b
}

// errCharset is a text that cannot be written in the charset of its file.
var errCharset = errors.New("the text holds characters that the charset of the file does not have")

// Encode is the reverse of Decode for a whole file.
func (c Charset) Encode(text string) ([]byte, error) {
	enc := c.encoding()
	if enc == nil {
		return []byte(c.mark() + text), nil
	}
	out, err := enc.NewEncoder().Bytes([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", errCharset, c)
	}
	return append([]byte(c.mark()), out...), nil
}

// Align moves the ends of a part of a text to where characters begin: it is how
// many bytes to leave out at the start and at the end. first and last say that
// the part has the start or the end of the file.
func (c Charset) Align(data []byte, offset int64, first, last bool) (head, tail int) {
	switch unit := c.unit(); {
	case unit == 2:
		head = int(offset % 2)
		tail = (len(data) - head) % 2
		// The halves of a character beyond the basic plane stay together.
		if !last && len(data)-head-tail >= 2 {
			at := len(data) - tail - 2
			high := data[at+1]
			if c == UTF16BE {
				high = data[at]
			}
			if high >= 0xD8 && high < 0xDC {
				tail += 2
			}
		}
	case c != Latin1:
		for !first && head < len(data) && head < utf8.UTFMax-1 && !utf8.RuneStart(data[head]) {
			head++
		}
		if !last {
			tail = cutRune(data[head:])
		}
	}
	return head, tail
}
