package document

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// rtf reads the text of Rich Text Format 1.9.1: paragraphs, tabs and cells;
// not what they look like.
type rtf struct {
	w     *work
	data  []byte
	at    int
	out   strings.Builder
	raw   []byte // bytes of the document's code page that wait for their end
	high  rune   // first half of a pair of UTF-16
	page  encoding.Encoding
	state rtfState
	stack []rtfState
}

// rtfState is what a group inherits and gives back.
type rtfState struct {
	skip     bool // a destination without text
	fallback int  // characters that stand for one \u
}

// rtfSkipped are destinations that hold no text of the document.
var rtfSkipped = map[string]bool{
	"fonttbl": true, "colortbl": true, "stylesheet": true, "info": true, "pict": true, "header": true, "footer": true,
	"headerl": true, "headerr": true, "headerf": true, "footerl": true, "footerr": true, "footerf": true, "object": true,
	"fldinst": true, "listtable": true, "listoverridetable": true, "rsidtbl": true, "generator": true, "themedata": true,
	"datastore": true, "latentstyles": true, "xmlnstbl": true, "bkmkstart": true, "bkmkend": true, "revtbl": true,
}

var rtfPages = map[int]encoding.Encoding{
	437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 866: charmap.CodePage866,
	932: japanese.ShiftJIS, 936: simplifiedchinese.GBK, 949: korean.EUCKR, 950: traditionalchinese.Big5,
	1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252, 1253: charmap.Windows1253,
	1254: charmap.Windows1254, 1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257,
	1258: charmap.Windows1258, 10000: charmap.Macintosh,
}

func readRTF(w *work, data []byte) error {
	r := &rtf{w: w, data: data, page: charmap.Windows1252, state: rtfState{fallback: 1}}
	err := r.read()
	r.flush()
	m := &markdown{w: w}
	for p := range strings.SplitSeq(r.out.String(), "\n") {
		if err == nil {
			err = m.block(p)
		}
	}
	w.doc.Parts = []Part{{Text: m.String()}}
	return err
}

func (r *rtf) read() error {
	for r.at < len(r.data) {
		if err := r.w.step(); err != nil {
			return err
		}
		if r.out.Len() > r.w.limits.Text {
			return nil // the text is counted, and cut, by its reader
		}
		c := r.data[r.at]
		r.at++
		switch c {
		case '{':
			if len(r.stack) >= 10*r.w.limits.Depth {
				return tooLarge("the rtf file is nested too deeply")
			}
			r.stack = append(r.stack, r.state)
		case '}':
			r.flush()
			if len(r.stack) == 0 {
				return nil // what follows the document is not part of it
			}
			r.state, r.stack = r.stack[len(r.stack)-1], r.stack[:len(r.stack)-1]
		case '\\':
			r.control()
		case '\r', '\n':
		default:
			r.char(c)
		}
	}
	if len(r.stack) > 0 {
		r.w.note("The file ends too early: it was probably cut off.")
	}
	return nil
}

// control reads what follows a backslash.
func (r *rtf) control() {
	if r.at >= len(r.data) {
		return
	}
	c := r.data[r.at]
	if !letter(c) {
		r.at++
		switch c {
		case '\\', '{', '}':
			r.char(c)
		case '\'':
			if r.at+2 <= len(r.data) {
				if n, err := strconv.ParseUint(string(r.data[r.at:r.at+2]), 16, 8); err == nil {
					r.char(byte(n))
				}
				r.at += 2
			}
		case '*':
			r.state.skip = true
		case '~':
			r.text(" ")
		case '_':
			r.text("-")
		case '\n', '\r':
			r.text("\n")
		}
		return
	}
	start := r.at
	for r.at < len(r.data) && letter(r.data[r.at]) && r.at-start < 32 {
		r.at++
	}
	word := string(r.data[start:r.at])
	start = r.at
	if r.at < len(r.data) && r.data[r.at] == '-' {
		r.at++
	}
	for r.at < len(r.data) && r.data[r.at] >= '0' && r.data[r.at] <= '9' && r.at-start < 11 {
		r.at++
	}
	n, err := strconv.Atoi(string(r.data[start:r.at]))
	has := err == nil
	if r.at < len(r.data) && r.data[r.at] == ' ' {
		r.at++
	}
	r.word(word, n, has)
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (r *rtf) word(word string, n int, has bool) {
	switch word {
	case "par", "sect", "page", "line", "row":
		r.text("\n")
	case "tab":
		r.text("\t")
	case "cell", "nestcell":
		r.text(" | ")
	case "emdash":
		r.text("—")
	case "endash":
		r.text("–")
	case "bullet":
		r.text("•")
	case "lquote":
		r.text("‘")
	case "rquote":
		r.text("’")
	case "ldblquote":
		r.text("“")
	case "rdblquote":
		r.text("”")
	case "uc":
		r.state.fallback = min(max(n, 0), 16)
	case "u":
		r.unicode(n)
	case "ansicpg":
		if p, ok := rtfPages[n]; ok {
			r.page = p
		}
	case "mac":
		r.page = charmap.Macintosh
	case "bin":
		if has && n > 0 {
			r.at = min(len(r.data), r.at+n)
		}
	default:
		if rtfSkipped[word] {
			r.state.skip = true
		}
	}
}

// unicode is \uN: a character, followed by what older readers show instead.
func (r *rtf) unicode(n int) {
	c := rune(uint16(n)) //nolint:gosec // RTF writes 16 bits, with a sign above 32767
	switch {
	case utf16.IsSurrogate(c) && r.high == 0:
		r.flush()
		r.high = c
	case r.high != 0:
		r.text(string(utf16.DecodeRune(r.high, c)))
		r.high = 0
	default:
		r.text(string(c))
	}
	for range r.state.fallback {
		switch {
		case r.at+4 <= len(r.data) && r.data[r.at] == '\\' && r.data[r.at+1] == '\'':
			r.at += 4
		case r.at < len(r.data) && r.data[r.at] != '\\' && r.data[r.at] != '{' && r.data[r.at] != '}':
			r.at++
		}
	}
}

func (r *rtf) char(c byte) {
	if !r.state.skip {
		r.raw = append(r.raw, c)
	}
}

func (r *rtf) text(s string) {
	r.flush()
	if !r.state.skip {
		r.out.WriteString(s)
	}
}

func (r *rtf) flush() {
	if len(r.raw) > 0 {
		r.out.WriteString(decoded(r.page, r.raw))
		r.raw = r.raw[:0]
	}
}
