package pages

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

type node = g.Node

// maxOutside bounds how many characters of a foreign name or path are shown.
const maxOutside = 300

// clean makes a string that comes from outside fit to be shown in one line: no
// control characters, nothing that turns the direction of the text around it,
// not endless.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.TrimSpace(s)
	if runes := []rune(s); len(runes) > maxOutside {
		return string(runes[:maxOutside]) + "…"
	}
	return s
}

// outside shows a string that comes from outside, isolated from the direction
// of the words around it.
func outside(s string) node { return g.El("bdi", g.Text(clean(s))) }

// part is what stands for one name in braces.
type part struct {
	name string
	node node
}

// say puts parts into a sentence. A name in braces that has no part is left out.
func say(sentence string, parts ...part) node {
	var out g.Group
	for sentence != "" {
		before, rest, found := strings.Cut(sentence, "{")
		if before != "" {
			out = append(out, g.Text(before))
		}
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		for _, p := range parts {
			if p.name == name {
				out = append(out, p.node)
			}
		}
		sentence = after
	}
	return out
}

// fill is say for places where only text may stand: titles and attributes.
func fill(sentence string, nameValues ...string) string {
	pairs := make([]string, len(nameValues))
	for i, s := range nameValues {
		if i%2 == 0 {
			pairs[i] = "{" + s + "}"
		} else {
			pairs[i] = clean(s)
		}
	}
	return strings.NewReplacer(pairs...).Replace(sentence)
}

// named is the name of a client, or words for one that has none.
func (t *texts) named(name string) string {
	if name = clean(name); name == "" {
		return t.nameless
	}
	return name
}

// who is the part {client}.
func (t *texts) who(name string) part {
	return part{"client", h.Strong(outside(t.named(name)))}
}

// place is where an answer goes.
func (t *texts) place(host string, local bool) node {
	if local {
		return g.Text(t.local)
	}
	return outside(host)
}

// when shows a time; the zero time as the given words.
func (t *texts) when(at time.Time, zero string) node {
	if at.IsZero() {
		return g.Text(zero)
	}
	at = at.UTC()
	return h.Time(h.DateTime(at.Format(time.RFC3339)), g.Text(fill(t.moment,
		"day", strconv.Itoa(at.Day()),
		"month", t.months[at.Month()-1],
		"year", strconv.Itoa(at.Year()),
		"time", fmt.Sprintf("%02d:%02d", at.Hour(), at.Minute()))))
}
