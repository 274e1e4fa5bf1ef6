package document

import (
	"math"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// matrix is [a b c d e f] (ISO 32000-1, 8.3.3).
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// mul is m followed by n.
func (m matrix) mul(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// glyph is a sign on the page, on its baseline.
type glyph struct {
	text   string
	x, y   float64 // where it begins
	dx, dy float64 // where the next one would begin, from here
	size   float64 // its height, in points
}

// textState is the part of the graphics state that places text (9.3).
type textState struct {
	ctm                       matrix
	font                      *pdfFont
	size                      float64
	char, word, leading, rise float64
	scale                     float64
}

// pdfContent runs the operators of a page's content (Annex A).
type pdfContent struct {
	f      *pdfFile
	stats  *pdfStats
	glyphs []glyph
	forms  int

	state        textState
	stack        []textState
	matrix, line matrix // of the text object
}

const (
	maxFormDepth = 12
	maxForms     = 5000 // drawn on one page
	maxGlyphs    = 500_000
	maxStack     = 1000
)

func (c *pdfContent) run(content []byte, resources types.Dict, depth int) error {
	if depth == 0 {
		c.state = textState{ctm: identity, scale: 1}
	}
	lex := &pdfLexer{data: content}
	var args []any
	for {
		t, ok := lex.next()
		if !ok {
			return nil
		}
		op, isOp := t.(operator)
		if !isOp {
			if len(args) < 64 {
				args = append(args, t)
			}
			continue
		}
		if err := c.f.w.step(); err != nil {
			return err
		}
		if op == "BI" {
			lex.skipInlineImage()
			c.stats.images++
		} else if err := c.do(string(op), args, resources, depth); err != nil {
			return err
		}
		args = args[:0]
	}
}

func num(args []any, i int) float64 {
	if i < len(args) {
		if n, ok := args[i].(float64); ok {
			return n
		}
	}
	return 0
}

func (c *pdfContent) do(op string, args []any, resources types.Dict, depth int) error {
	s := &c.state
	switch op {
	case "q":
		if len(c.stack) < maxStack {
			c.stack = append(c.stack, *s)
		}
	case "Q":
		if n := len(c.stack); n > 0 {
			c.state, c.stack = c.stack[n-1], c.stack[:n-1]
		}
	case "cm":
		if len(args) >= 6 {
			s.ctm = matrixOf(args).mul(s.ctm)
		}
	case "BT":
		c.matrix, c.line = identity, identity
	case "Tc":
		s.char = num(args, 0)
	case "Tw":
		s.word = num(args, 0)
	case "Tz":
		s.scale = num(args, 0) / 100
	case "TL":
		s.leading = num(args, 0)
	case "Ts":
		s.rise = num(args, 0)
	case "Tf":
		if len(args) >= 2 {
			name, _ := args[0].(pdfName)
			s.font, s.size = c.font(resources, string(name)), num(args, 1)
		}
	case "Td":
		c.move(num(args, 0), num(args, 1))
	case "TD":
		s.leading = -num(args, 1)
		c.move(num(args, 0), num(args, 1))
	case "Tm":
		if len(args) >= 6 {
			c.matrix = matrixOf(args)
			c.line = c.matrix
		}
	case "T*":
		c.move(0, -s.leading)
	case "Tj":
		return c.show(args, 0)
	case "'":
		c.move(0, -s.leading)
		return c.show(args, 0)
	case "\"":
		s.word, s.char = num(args, 0), num(args, 1)
		c.move(0, -s.leading)
		return c.show(args, 2)
	case "TJ":
		if len(args) == 0 {
			return nil
		}
		list, _ := args[0].([]any)
		for _, part := range list {
			switch part := part.(type) {
			case pdfString:
				if err := c.text(part); err != nil {
					return err
				}
			case float64:
				c.matrix = matrix{1, 0, 0, 1, -part / 1000 * s.size * s.scale, 0}.mul(c.matrix)
			}
		}
	case "Do":
		return c.draw(args, resources, depth)
	}
	return nil
}

func matrixOf(args []any) (m matrix) {
	for i := range m {
		m[i] = num(args, i)
	}
	return m
}

func (c *pdfContent) move(x, y float64) {
	c.line = matrix{1, 0, 0, 1, x, y}.mul(c.line)
	c.matrix = c.line
}

func (c *pdfContent) show(args []any, i int) error {
	if i < len(args) {
		if s, ok := args[i].(pdfString); ok {
			return c.text(s)
		}
	}
	return nil
}

// text places the signs of a string (9.4.4).
func (c *pdfContent) text(s pdfString) error {
	st := &c.state
	if st.font == nil {
		return nil
	}
	for _, ch := range st.font.decode(s) {
		if len(c.glyphs) >= maxGlyphs {
			return tooLarge("a page holds more than %d letters", maxGlyphs)
		}
		advance := ch.width/1000*st.size + st.char
		if ch.space {
			advance += st.word
		}
		tx, ty := advance*st.scale, 0.0
		if st.font.vertical {
			tx, ty = 0, -st.size-st.char
		}
		trm := matrix{st.size * st.scale, 0, 0, st.size, 0, st.rise}.mul(c.matrix).mul(st.ctm)
		next := matrix{1, 0, 0, 1, tx, ty}.mul(c.matrix)
		whole := c.matrix.mul(st.ctm)
		g := glyph{
			text: ch.text, x: trm[4], y: trm[5],
			dx: tx*whole[0] + ty*whole[2], dy: tx*whole[1] + ty*whole[3],
			size: math.Hypot(trm[2], trm[3]),
		}
		c.matrix = next
		switch {
		case ch.text == "\ufffd":
			c.stats.unknown++
		case ch.text != " " && ch.text != "":
			c.stats.letters++
		}
		if ch.text != "" && finite(g.x, g.y, g.dx, g.dy, g.size) {
			c.glyphs = append(c.glyphs, g)
		}
		if err := c.f.w.step(); err != nil {
			return err
		}
	}
	return nil
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// draw runs a form, and counts a picture (8.10, 8.9).
func (c *pdfContent) draw(args []any, resources types.Dict, depth int) error {
	if len(args) == 0 {
		return nil
	}
	name, _ := args[0].(pdfName)
	o := entry(c.f.dict(entry(resources, "XObject")), string(name))
	d := c.f.dict(o)
	switch c.f.name(entry(d, "Subtype")) {
	case "Image":
		c.stats.images++
	case "Form":
		if c.forms++; depth >= maxFormDepth || c.forms > maxForms {
			return nil
		}
		state, stack, text, line := c.state, c.stack, c.matrix, c.line
		if m := c.f.array(entry(d, "Matrix")); len(m) == 6 {
			var own matrix
			for i := range own {
				own[i], _ = c.f.number(m[i])
			}
			c.state.ctm = own.mul(c.state.ctm)
		}
		inner := c.f.dict(entry(d, "Resources"))
		if inner == nil {
			inner = resources
		}
		c.stack = nil
		err := c.run(c.f.stream(o), inner, depth+1)
		c.state, c.stack, c.matrix, c.line = state, stack, text, line
		return err
	}
	return nil
}

// font is a font of the resources, read once.
func (c *pdfContent) font(resources types.Dict, name string) *pdfFont {
	o := entry(c.f.dict(entry(resources, "Font")), name)
	if o == nil {
		return nil
	}
	ref, ok := o.(types.IndirectRef)
	if !ok {
		return c.f.readFont(c.f.dict(o))
	}
	n := ref.ObjectNumber.Value()
	if f, ok := c.f.fonts[n]; ok {
		return f
	}
	f := c.f.readFont(c.f.dict(o))
	c.f.fonts[n] = f
	return f
}
