package document

import (
	"sort"
	"unicode/utf16"
)

// cmap maps codes to letters (ToUnicode, ISO 32000-1, 9.10.3) or to the
// numbers of signs (9.7.5). Ranges stay ranges, however large they say to be.
type cmap struct {
	spaces []codeSpace
	chars  map[int]string
	ranges []codeRange
	cids   []codeRange
}

type codeSpace struct{ low, high, length int }

type codeRange struct {
	low, high, length int
	first             []uint16 // what low means; the last unit counts up
	list              []string // or what each means
	cid               int
}

// maxMappings bounds what is kept of one CMap.
const maxMappings = 100_000

func (f *pdfFile) readCMap(data []byte) *cmap {
	if data == nil {
		return nil
	}
	c := &cmap{chars: map[int]string{}}
	lex := &pdfLexer{data: data}
	var args []any
	for {
		t, ok := lex.next()
		if !ok || f.w.step() != nil {
			break
		}
		op, isOp := t.(operator)
		if !isOp {
			if len(args) < 3*maxMappings {
				args = append(args, t)
			}
			continue
		}
		switch op {
		case "endcodespacerange":
			c.addSpaces(args)
		case "endbfchar":
			c.addChars(args)
		case "endbfrange":
			c.addRanges(args)
		case "endcidrange":
			c.addCIDs(args, 3)
		case "endcidchar":
			c.addCIDs(args, 2)
		}
		args = args[:0]
	}
	sort.SliceStable(c.ranges, func(i, j int) bool { return c.ranges[i].low < c.ranges[j].low })
	sort.SliceStable(c.cids, func(i, j int) bool { return c.cids[i].low < c.cids[j].low })
	return c
}

func codeOf(t any) (code, length int, ok bool) {
	s, ok := t.(pdfString)
	if !ok || len(s) == 0 || len(s) > 4 {
		return 0, 0, false
	}
	for _, b := range s {
		code = code<<8 | int(b)
	}
	return code, len(s), true
}

func units(t any) []uint16 {
	s, _ := t.(pdfString)
	out := make([]uint16, 0, len(s)/2)
	if len(s) == 1 {
		return []uint16{uint16(s[0])}
	}
	for i := 0; i+1 < len(s) && i < 128; i += 2 {
		out = append(out, uint16(s[i])<<8|uint16(s[i+1]))
	}
	return out
}

func (c *cmap) addSpaces(args []any) {
	for i := 0; i+1 < len(args) && len(c.spaces) < 100; i += 2 {
		low, n, ok := codeOf(args[i])
		high, m, ok2 := codeOf(args[i+1])
		if ok && ok2 && n == m {
			c.spaces = append(c.spaces, codeSpace{low, high, n})
		}
	}
}

func (c *cmap) addChars(args []any) {
	for i := 0; i+1 < len(args) && len(c.chars) < maxMappings; i += 2 {
		if code, n, ok := codeOf(args[i]); ok {
			c.chars[n<<32|code] = string(utf16.Decode(units(args[i+1])))
		}
	}
}

func (c *cmap) addRanges(args []any) {
	for i := 0; i+2 < len(args) && len(c.ranges) < maxMappings; i += 3 {
		low, n, ok := codeOf(args[i])
		high, _, ok2 := codeOf(args[i+1])
		if !ok || !ok2 || high < low {
			continue
		}
		r := codeRange{low: low, high: high, length: n}
		if list, ok := args[i+2].([]any); ok {
			for _, t := range list {
				r.list = append(r.list, string(utf16.Decode(units(t))))
			}
		} else {
			r.first = units(args[i+2])
		}
		c.ranges = append(c.ranges, r)
	}
}

// addCIDs reads ranges (low, high, number) or single codes (code, number).
func (c *cmap) addCIDs(args []any, per int) {
	for i := 0; i+per <= len(args) && len(c.cids) < maxMappings; i += per {
		low, n, ok := codeOf(args[i])
		high, _, ok2 := codeOf(args[i+per-2])
		if number, isNumber := args[i+per-1].(float64); ok && ok2 && isNumber {
			c.cids = append(c.cids, codeRange{low: low, high: high, length: n, cid: int(number)})
		}
	}
}

// within is the range that holds a code; nil when there is none.
func within(ranges []codeRange, code int) *codeRange {
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].low > code })
	for i--; i >= 0; i-- {
		if code <= ranges[i].high {
			return &ranges[i]
		}
		if ranges[i].high < ranges[i].low {
			continue
		}
		break
	}
	return nil
}

// lookup is the text of a code of so many bytes.
func (c *cmap) lookup(code, length int) (string, bool) {
	if c == nil {
		return "", false
	}
	for _, n := range []int{length, 1, 2} { // some writers count bytes wrong
		if text, ok := c.chars[n<<32|code]; ok {
			return text, true
		}
	}
	r := within(c.ranges, code)
	if r == nil {
		return "", false
	}
	at := code - r.low
	if r.list != nil {
		if at < len(r.list) {
			return r.list[at], true
		}
		return "", false
	}
	if len(r.first) == 0 {
		return "", false
	}
	out := append([]uint16(nil), r.first...)
	out[len(out)-1] += uint16(at) //nolint:gosec // it counts within 16 bits by definition
	return string(utf16.Decode(out)), true
}

func (c *cmap) cid(code int) (int, bool) {
	if r := within(c.cids, code); r != nil {
		return r.cid + code - r.low, true
	}
	return 0, false
}

// codeLength is how many bytes the first code of s has; s is not empty.
func (c *cmap) codeLength(s pdfString) int {
	code := 0
	for n := 1; n <= min(4, len(s)); n++ {
		code = code<<8 | int(s[n-1])
		for _, space := range c.spaces {
			if space.length == n && code >= space.low && code <= space.high {
				return n
			}
		}
	}
	if len(c.spaces) > 0 {
		return min(c.spaces[0].length, len(s))
	}
	return min(2, len(s))
}
