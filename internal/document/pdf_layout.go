package document

import (
	"math"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// layout puts the signs of a page into lines. They are taken in the order in
// which the page draws them, which keeps columns and cells together; where a
// new line, a gap or a new paragraph is, is seen from their places.
func layout(glyphs []glyph) string {
	var b strings.Builder
	var last glyph // the one before
	var end struct{ x, y float64 }
	lineHeight := 0.0
	for i, g := range glyphs {
		if i > 0 && g.text != "" {
			b.WriteString(between(&last, &g, end.x, end.y, &lineHeight))
		}
		b.WriteString(g.text)
		last = g
		end.x, end.y = g.x+g.dx, g.y+g.dy
	}
	return tidy(b.String())
}

// between is what stands between two signs: nothing, a space, a wide gap, a
// new line or a new paragraph.
func between(last, g *glyph, endX, endY float64, lineHeight *float64) string {
	size := math.Max(last.size, g.size)
	if size <= 0 {
		size = 1
	}
	// The direction of the text: along the last sign.
	ux, uy := last.dx, last.dy
	if n := math.Hypot(ux, uy); n > 0 {
		ux, uy = ux/n, uy/n
	} else {
		ux, uy = 1, 0
	}
	dx, dy := g.x-endX, g.y-endY
	along := dx*ux + dy*uy
	across := dx*-uy + dy*ux
	if math.Abs(across) > 0.5*size || turned(last, g) {
		gap := math.Abs(across)
		paragraph := *lineHeight > 0 && gap > 1.5**lineHeight && gap > 1.4*size
		if *lineHeight == 0 {
			paragraph = gap > 2*size
		}
		if across < 0 && gap < 4*size && !paragraph {
			*lineHeight = gap
		}
		if paragraph || across > 0.5*size {
			*lineHeight = 0
			return "\n\n"
		}
		return "\n"
	}
	switch {
	case along < -1.5*size: // back on the same line: another column or cell
		return "\n"
	case along > 2*size:
		return "   "
	case along > 0.18*size && last.text != " " && g.text != " ":
		return " "
	}
	return ""
}

// turned reports whether two signs run in different directions.
func turned(a, b *glyph) bool {
	cross := a.dx*b.dy - a.dy*b.dx
	product := math.Hypot(a.dx, a.dy) * math.Hypot(b.dx, b.dy)
	return product > 0 && math.Abs(cross) > 0.2*product
}

// tidy takes out white space that nobody sees, joins words that a line break
// parts, and writes ligatures as letters.
func tidy(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	blank := 0
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimRight(line, " \u00a0\t")
		if strings.TrimSpace(line) == "" {
			blank++
			continue
		}
		switch {
		case b.Len() == 0:
		case blank > 0:
			b.WriteString("\n\n")
		default:
			b.WriteByte('\n')
		}
		blank = 0
		b.WriteString(line)
	}
	out := strings.Map(func(r rune) rune {
		if r < 32 && r != '\n' && r != '\t' || r == 0xad || r == utf8.RuneError {
			if r == utf8.RuneError {
				return r
			}
			return -1
		}
		return r
	}, b.String())
	return ligatures.Replace(norm.NFC.String(out))
}

var ligatures = strings.NewReplacer("ﬀ", "ff", "ﬁ", "fi", "ﬂ", "fl", "ﬃ", "ffi", "ﬄ", "ffl", "ﬅ", "st", "ﬆ", "st")
