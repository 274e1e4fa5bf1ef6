package document

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/pdfcpu/pdfcpu/pkg/font"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
	"golang.org/x/text/encoding/charmap"
)

// pdfFont is what is needed of a font: which letters its codes are and how far
// each moves (ISO 32000-1, 9.6 to 9.10).
type pdfFont struct {
	toUnicode *cmap
	codes     *cmap // of a composite font; nil for two bytes a code
	composite bool
	utf16     bool // the codes are UTF-16 themselves
	vertical  bool
	base      [256]string // letters of a simple font
	widths    map[int]float64
	width     float64 // of codes that widths does not have
	core      string  // one of the fonts that every reader has
}

// pdfChar is a sign of a string.
type pdfChar struct {
	text  string
	width float64 // in thousandths of the size
	space bool    // it is the single byte 32, which word spacing applies to
}

func (f *pdfFile) readFont(d types.Dict) *pdfFont {
	out := &pdfFont{widths: map[int]float64{}, width: 500}
	if o := entry(d, "ToUnicode"); o != nil {
		out.toUnicode = f.readCMap(f.stream(o))
	}
	if f.name(entry(d, "Subtype")) == "Type0" {
		f.readComposite(d, out)
		return out
	}
	out.base = f.encoding(d)
	f.readWidths(d, out)
	return out
}

// readComposite reads a font whose codes have several bytes (9.7).
func (f *pdfFile) readComposite(d types.Dict, out *pdfFont) {
	out.composite, out.width = true, 1000
	switch name := f.name(entry(d, "Encoding")); {
	case name == "":
		out.codes = f.readCMap(f.stream(entry(d, "Encoding")))
	case strings.Contains(name, "UCS2"), strings.Contains(name, "UTF16"):
		out.utf16 = true
		out.vertical = strings.HasSuffix(name, "-V")
	default:
		out.vertical = strings.HasSuffix(name, "-V")
	}
	kids := f.array(entry(d, "DescendantFonts"))
	if len(kids) == 0 {
		return
	}
	cid := f.dict(kids[0])
	if n, ok := f.number(entry(cid, "DW")); ok {
		out.width = n
	}
	w := f.array(entry(cid, "W")) // 9.7.4.3
	for i := 0; i+1 < len(w) && len(out.widths) < 1<<17; {
		first, ok := f.number(w[i])
		if !ok {
			return
		}
		if list, ok := f.object(w[i+1]).(types.Array); ok {
			for j, o := range list {
				if n, ok := f.number(o); ok && len(out.widths) < 1<<17 {
					out.widths[int(first)+j] = n
				}
			}
			i += 2
			continue
		}
		if i+2 >= len(w) {
			return
		}
		last, _ := f.number(w[i+1])
		n, _ := f.number(w[i+2])
		for c := int(first); c <= int(last) && c < 1<<16 && c >= 0; c++ {
			out.widths[c] = n
		}
		i += 3
	}
}

func (f *pdfFile) readWidths(d types.Dict, out *pdfFont) {
	descriptor := f.dict(entry(d, "FontDescriptor"))
	if n, ok := f.number(entry(descriptor, "MissingWidth")); ok && n > 0 {
		out.width = n
	}
	list := f.array(entry(d, "Widths"))
	first, _ := f.number(entry(d, "FirstChar"))
	scale := 1.0
	if m := f.array(entry(d, "FontMatrix")); len(m) == 6 { // of a Type 3 font
		if a, ok := f.number(m[0]); ok && a > 0 {
			scale = a * 1000
		}
	}
	for i, o := range list {
		if code := int(first) + i; code >= 0 && code < 256 {
			if n, ok := f.number(o); ok {
				out.widths[code] = n * scale
			}
		}
	}
	if name := f.name(entry(d, "BaseFont")); len(list) == 0 && font.IsCoreFont(name) {
		out.core = name
	}
}

// encoding are the letters of the codes of a simple font (9.6.6).
func (f *pdfFile) encoding(d types.Dict) (letters [256]string) {
	name, differences := "", types.Array(nil)
	switch o := f.object(entry(d, "Encoding")).(type) {
	case types.Name:
		name = string(o)
	case types.Dict:
		name = f.name(entry(o, "BaseEncoding"))
		differences = f.array(entry(o, "Differences"))
	}
	page := charmap.Windows1252
	if name == "MacRomanEncoding" {
		page = charmap.Macintosh
	}
	for c := 32; c < 256; c++ {
		if r := page.DecodeByte(byte(c)); r != 0xfffd && r >= 32 {
			letters[c] = string(r)
		}
	}
	if name == "" || name == "StandardEncoding" {
		for c, text := range standardEncoding {
			letters[c] = text
		}
	}
	code := 0
	for _, o := range differences {
		switch o := f.object(o).(type) {
		case types.Integer:
			code = int(o)
		case types.Name:
			if code >= 0 && code < 256 {
				letters[code] = glyphText(string(o))
			}
			code++
		}
	}
	return letters
}

// decode is a string as signs.
func (p *pdfFont) decode(s pdfString) []pdfChar {
	if p.composite {
		return p.decodeComposite(s)
	}
	out := make([]pdfChar, 0, len(s))
	for _, b := range s {
		code := int(b)
		c := pdfChar{width: p.width, space: b == ' '}
		if w, ok := p.widths[code]; ok {
			c.width = w
		} else if p.core != "" {
			c.width = coreWidth(p.core, p.base[code])
		}
		text, ok := p.toUnicode.lookup(code, 1)
		if !ok {
			text = p.base[code]
		}
		if text == "" && code >= 32 {
			text = "\ufffd"
		}
		c.text = text
		out = append(out, c)
	}
	return out
}

func coreWidth(name, text string) float64 {
	if r, _ := utf8.DecodeRuneInString(text); text != "" {
		if w, err := font.CharWidth(name, r); err == nil && w > 0 {
			return float64(w)
		}
	}
	return 500
}

func (p *pdfFont) decodeComposite(s pdfString) []pdfChar {
	out := make([]pdfChar, 0, len(s)/2)
	for len(s) > 0 {
		n := min(2, len(s))
		if p.codes != nil {
			n = p.codes.codeLength(s)
		} else if p.toUnicode != nil && len(p.toUnicode.spaces) > 0 {
			n = p.toUnicode.codeLength(s)
		}
		code := 0
		for _, b := range s[:n] {
			code = code<<8 | int(b)
		}
		cid := code
		if p.codes != nil {
			if n, ok := p.codes.cid(code); ok {
				cid = n
			}
		}
		c := pdfChar{width: p.width, space: n == 1 && code == ' '}
		if w, ok := p.widths[cid]; ok {
			c.width = w
		}
		text, ok := p.toUnicode.lookup(code, n)
		switch {
		case ok:
		case p.utf16:
			text = string(utf16.Decode([]uint16{uint16(code)}))
		default:
			text = "\ufffd"
		}
		c.text = text
		out = append(out, c)
		s = s[n:]
	}
	return out
}
