package vcard

import (
	"errors"
	"slices"
	"strings"
)

// The bounds of one card.
const (
	maxCard  = 8 << 20 // bytes
	maxLines = 20_000
)

// The ways in which a text is no card.
var (
	ErrNone     = errors.New("this is no vCard")
	ErrCut      = errors.New("the vCard is cut off")
	ErrTooLarge = errors.New("the vCard is too large")
	ErrSeveral  = errors.New("this is more than one vCard")
)

// Card is a vCard with its lines in the order in which they were written.
type Card struct {
	head  string // BEGIN and what is before it
	tail  string // END and what is behind it
	eol   string // the line break of lines that are made
	lines []*Line
}

// New is a card of a version ("3.0" or "4.0") without anything.
func New(version string) *Card {
	c := &Card{head: "BEGIN:VCARD\r\n", tail: "END:VCARD\r\n", eol: "\r\n"}
	c.Add(NewLine("VERSION", version))
	return c
}

// Parse reads one card. Lines that are no content lines are kept as they are.
// A text that is not one complete card is an error.
func Parse(data []byte) (*Card, error) {
	parts := ParseAll(data)
	switch {
	case len(parts) == 0:
		return nil, ErrNone
	case len(parts) > 1:
		return nil, ErrSeveral
	case parts[0].Err != nil:
		return nil, parts[0].Err
	}
	// Empty lines around the card belong to its bytes.
	return parts[0].Card, nil
}

// Part is a card of a file, or what is wrong with it.
type Part struct {
	Card *Card
	Err  error
}

// ParseAll reads a file of cards. What cannot be read is an error in its place,
// and fails no other card.
func ParseAll(data []byte) []Part {
	r := &reader{all: string(data)}
	r.rest = r.all
	var (
		parts []Part
		cur   *Card
		depth int
		size  int
		wild  bool  // something outside of cards was named already
		from  int   // where the empty lines before the next card, or the end of the last one, begin
		last  *Card // that only empty lines have followed
	)
	flush := func(err error) {
		parts = append(parts, Part{Card: cur, Err: err})
		if err != nil {
			parts[len(parts)-1].Card = nil
		}
		cur, last, depth, size, wild = nil, cur, 0, 0, false
		if err != nil {
			last = nil
		}
	}
	for {
		at := len(data) - len(r.rest)
		raw, text, ok := r.next()
		if !ok {
			break
		}
		l := parseLine(raw, text)
		begin := l.Is("BEGIN") && strings.EqualFold(strings.TrimSpace(l.value), "VCARD")
		if cur == nil {
			switch {
			case begin:
				if last != nil {
					last.tail, from = r.all[from:at], at
				}
				cur, last = &Card{head: r.all[from : at+len(raw)], eol: "\r\n"}, nil
				if !strings.HasSuffix(raw, "\r\n") {
					cur.eol = "\n"
				}
				size = len(raw)
			case text == "":
			case !wild:
				wild = true
				parts = append(parts, Part{Err: ErrNone})
				fallthrough
			default:
				if last != nil {
					last.tail, last = r.all[from:at], nil
				}
				from = at + len(raw)
			}
			continue
		}
		size += len(raw)
		switch {
		case size > maxCard || len(cur.lines) >= maxLines:
			flush(ErrTooLarge)
			wild = true // the rest of it is not named again
			from = at + len(raw)
		case l.Is("END") && depth == 0:
			from = at
			cur.tail = raw
			flush(nil)
		case l.Is("END"):
			depth--
			cur.lines = append(cur.lines, &Line{raw: raw})
		case begin && depth == 0 && len(cur.lines) > 0 && !cur.lines[len(cur.lines)-1].Is("AGENT"):
			// The card before never ended.
			flush(ErrCut)
			cur = &Card{head: raw, eol: "\r\n"}
			if !strings.HasSuffix(raw, "\r\n") {
				cur.eol = "\n"
			}
			size = len(raw)
		case l.Is("BEGIN"):
			depth++
			cur.lines = append(cur.lines, &Line{raw: raw})
		case depth > 0:
			cur.lines = append(cur.lines, &Line{raw: raw}) // of another card inside of this one
		default:
			cur.lines = append(cur.lines, l)
		}
	}
	switch {
	case cur != nil:
		flush(ErrCut)
	case last != nil:
		last.tail = r.all[from:]
	}
	return parts
}

// reader takes content lines from a text.
type reader struct{ all, rest string }

// physical takes one line with its line break.
func (r *reader) physical() string {
	i := strings.IndexByte(r.rest, '\n') + 1
	if i == 0 {
		i = len(r.rest)
	}
	line := r.rest[:i]
	r.rest = r.rest[i:]
	return line
}

// next takes one content line: raw with its folds, text without.
func (r *reader) next() (raw, text string, ok bool) {
	if r.rest == "" {
		return "", "", false
	}
	whole := len(r.rest)
	start := r.rest
	first := strings.TrimRight(r.physical(), "\r\n")
	if strings.Trim(first, " \t\ufeff") == "" {
		return start[:whole-len(r.rest)], "", true
	}
	text = strings.TrimPrefix(first, "\ufeff")
	colon := strings.IndexByte(first, ':')
	quoted := colon >= 0 && strings.Contains(strings.ToUpper(first[:colon]), "QUOTED-PRINTABLE")
	var folded []byte // of a line with more than one part
	last := first
	for r.rest != "" {
		soft := quoted && strings.HasSuffix(last, "=")
		if !soft && r.rest[0] != ' ' && r.rest[0] != '\t' {
			break
		}
		if folded == nil {
			folded = []byte(text)
		}
		last = strings.TrimRight(r.physical(), "\r\n")
		if soft {
			// A soft line break of quoted-printable: the next line needs no space.
			folded = append(folded[:len(folded)-1], last...)
		} else {
			folded = append(folded, last[1:]...)
		}
	}
	if folded != nil {
		text = string(folded)
	}
	return start[:whole-len(r.rest)], text, true
}

// Encode is the card as bytes. Without an edit they are the bytes it was read
// from.
func (c *Card) Encode() []byte {
	var b strings.Builder
	b.WriteString(c.head)
	for _, l := range c.lines {
		l.write(&b, c.eol)
	}
	b.WriteString(c.tail)
	return []byte(b.String())
}

// Clone is a copy that shares nothing with c.
func (c *Card) Clone() *Card {
	out := *c
	out.lines = make([]*Line, len(c.lines))
	for i, l := range c.lines {
		out.lines[i] = l.Clone()
	}
	return &out
}

// Lines are the lines between BEGIN and END, in order.
func (c *Card) Lines() []*Line { return slices.Clone(c.lines) }

// Version is "2.1", "3.0" or "4.0"; "" when the card does not say.
func (c *Card) Version() string { return strings.TrimSpace(c.Prop("VERSION").Value()) }

// V4 reports whether the card is written as vCard 4.
func (c *Card) V4() bool { return c.Version() == "4.0" }

// UID is the card's identifier.
func (c *Card) UID() string { return c.Text("UID") }

// Prop is the first property of that name, or nil.
func (c *Card) Prop(name string) *Line {
	for _, l := range c.lines {
		if l.Is(name) {
			return l
		}
	}
	return nil
}

// PropAll are all properties of one of the names, in the order of the card.
func (c *Card) PropAll(names ...string) []*Line {
	var out []*Line
	for _, l := range c.lines {
		if slices.ContainsFunc(names, l.Is) {
			out = append(out, l)
		}
	}
	return out
}

// Text is the text of the first property of that name; "" when there is none.
func (c *Card) Text(name string) string { return strings.TrimSpace(c.Prop(name).Text()) }

// SetText sets the text of the first property of that name and keeps its
// parameters; an empty text removes all of them.
func (c *Card) SetText(name, text string) {
	switch l := c.Prop(name); {
	case text == "":
		c.Remove(name)
	case l == nil:
		c.Add(NewText(name, text))
	default:
		l.SetText(text)
	}
}

// Add puts a line behind the last one of its name, or behind all.
func (c *Card) Add(line *Line) {
	for i := len(c.lines) - 1; i >= 0; i-- {
		if !c.lines[i].Is(line.name) {
			continue
		}
		// What belongs to the group of that line stays next to it.
		for i+1 < len(c.lines) && c.lines[i].group != "" && c.lines[i+1].group == c.lines[i].group {
			i++
		}
		c.lines = slices.Insert(c.lines, i+1, line)
		return
	}
	c.lines = append(c.lines, line)
}

// Remove drops all properties of that name, and the labels that only they had.
func (c *Card) Remove(name string) {
	for _, l := range c.PropAll(name) {
		c.RemoveLine(l)
	}
}

// RemoveLine drops this very line, and its label when nothing else has it.
func (c *Card) RemoveLine(line *Line) {
	c.lines = slices.DeleteFunc(c.lines, func(l *Line) bool { return l == line && line != nil })
	if line.Group() == "" {
		return
	}
	for _, l := range c.lines {
		if strings.EqualFold(l.group, line.group) && !l.annotates() {
			return
		}
	}
	c.lines = slices.DeleteFunc(c.lines, func(l *Line) bool { return strings.EqualFold(l.group, line.group) && l.annotates() })
}

// annotates reports whether the line only says something about the others of
// its group.
func (l *Line) annotates() bool {
	return l.Is("X-ABLABEL") || l.Is("X-ABADR") || l.Is("X-ABRELATEDNAMES-LABEL")
}
