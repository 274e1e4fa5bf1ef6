package vcard

import (
	"fmt"
	"slices"
	"strings"
)

// Types are the types of a line ("home", "work", "cell") in lower case,
// without the marks that say something else.
func (l *Line) Types() []string {
	var out []string
	for _, t := range l.words() {
		if t != "pref" && t != "internet" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// words are the values of TYPE and the words of vCard 2.1, in lower case.
func (l *Line) words() []string {
	var out []string
	for _, p := range l.param {
		if p.Name != "" && !strings.EqualFold(p.Name, "TYPE") {
			continue
		}
		for _, v := range p.Values {
			// Some programs quote the whole list.
			for t := range strings.SplitSeq(v, ",") {
				if t = strings.ToLower(strings.TrimSpace(t)); t != "" && (p.Name != "" || !encodings[t]) {
					out = append(out, t)
				}
			}
		}
	}
	return out
}

// Preferred reports whether the line is marked as the one to take first.
func (l *Line) Preferred() bool {
	return slices.Contains(l.words(), "pref") || l.Param("PREF") != ""
}

// SetTypes changes the types of a line, and nothing when it has them already.
func (l *Line) SetTypes(types []string) {
	wanted := make([]string, 0, len(types))
	for _, t := range types {
		t = strings.ToLower(strings.TrimSpace(t))
		if t != "" && t != "pref" && t != "internet" && !slices.Contains(wanted, t) {
			wanted = append(wanted, t)
		}
	}
	have := l.Types()
	if slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(wanted))) {
		return
	}
	for _, mark := range []string{"internet", "pref"} {
		if slices.Contains(l.words(), mark) {
			wanted = append(wanted, mark)
		}
	}
	l.setWords(wanted)
}

func (l *Line) setWords(words []string) {
	l.raw = ""
	kept := l.param[:0:0]
	for _, p := range l.param {
		bare := p.Name == "" && !slices.ContainsFunc(p.Values, func(v string) bool { return encodings[strings.ToLower(v)] })
		if !bare && !strings.EqualFold(p.Name, "TYPE") {
			kept = append(kept, p)
		}
	}
	if len(words) > 0 {
		values := make([]string, len(words))
		for i, w := range words {
			values[i] = strings.ToUpper(w)
		}
		kept = append(kept, Param{Name: "TYPE", Values: values})
	}
	l.param = kept
}

// SetPreferred marks a line as the preferred one, or takes the mark away, in
// the way of the card's version.
func (c *Card) SetPreferred(l *Line, on bool) {
	if l.Preferred() == on {
		return
	}
	words := slices.DeleteFunc(l.words(), func(w string) bool { return w == "pref" })
	switch {
	case on && c.V4():
		l.SetParam("PREF", "1")
	case on:
		l.setWords(append(words, "pref"))
	default:
		if l.Param("PREF") != "" {
			l.SetParam("PREF")
		}
		if len(words) != len(l.words()) {
			l.setWords(words)
		}
	}
}

// Label is what a person called the value of a line (X-ABLabel in the same
// group); "" when there is none.
func (c *Card) Label(line *Line) string {
	l := c.label(line)
	text := strings.TrimSpace(l.Text())
	// Apple: labels that it translates are marked.
	if inner, ok := strings.CutPrefix(text, "_$!<"); ok {
		text = strings.TrimSuffix(inner, ">!$_")
	}
	return text
}

func (c *Card) label(line *Line) *Line {
	if line.Group() == "" {
		return nil
	}
	for _, l := range c.lines {
		if l.Is("X-ABLABEL") && strings.EqualFold(l.group, line.group) {
			return l
		}
	}
	return nil
}

// SetLabel names the value of a line; an empty text takes the name away.
func (c *Card) SetLabel(line *Line, text string) {
	if c.Label(line) == text {
		return
	}
	l := c.label(line)
	switch {
	case text == "":
		c.lines = slices.DeleteFunc(c.lines, func(o *Line) bool { return o == l })
	case l != nil:
		l.SetText(text)
	default:
		if line.group == "" {
			line.raw, line.group = "", c.freeGroup()
		}
		made := NewText("X-ABLabel", text)
		made.group = line.group
		i := slices.Index(c.lines, line)
		c.lines = slices.Insert(c.lines, i+1, made)
	}
}

// freeGroup is a name that no group of the card has.
func (c *Card) freeGroup() string {
	for n := 1; ; n++ {
		name := fmt.Sprintf("item%d", n)
		if !slices.ContainsFunc(c.lines, func(l *Line) bool { return strings.EqualFold(l.group, name) }) {
			return name
		}
	}
}

// IsGroup reports whether the card is a list of other cards and no contact.
func (c *Card) IsGroup() bool {
	return strings.EqualFold(c.Text("KIND"), "group") || strings.EqualFold(c.Text("X-ADDRESSBOOKSERVER-KIND"), "group")
}
