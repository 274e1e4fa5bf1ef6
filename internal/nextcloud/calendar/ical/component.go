package ical

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The bounds of one object.
const (
	maxObject = 8 << 20 // bytes
	maxNested = 16
)

// Component is a component with its lines and components in the order in which
// they were written.
type Component struct {
	name  string // as written
	items []item
}

// item is a line or a component.
type item struct {
	line *Line
	comp *Component
}

// NewComponent is an empty component.
func NewComponent(name string) *Component { return &Component{name: name} }

// Parse reads one VCALENDAR object. Lines that are no content lines are kept
// as they are; a document that is not one complete VCALENDAR is an error.
func Parse(data []byte) (*Component, error) {
	if len(data) > maxObject {
		return nil, errors.New("calendar object is too large")
	}
	var (
		root  *Component
		stack []*Component
	)
	for _, raw := range unfold(string(data)) {
		l := parseLine(raw)
		switch {
		case l.Is("BEGIN"):
			c := &Component{name: strings.TrimSpace(l.value)}
			if len(stack) == 0 {
				if root != nil {
					return nil, errors.New("calendar object has more than one root")
				}
				root = c
			} else {
				top := stack[len(stack)-1]
				top.items = append(top.items, item{comp: c})
			}
			if len(stack) >= maxNested {
				return nil, errors.New("calendar object is nested too deep")
			}
			stack = append(stack, c)
		case l.Is("END"):
			if len(stack) == 0 || !strings.EqualFold(strings.TrimSpace(l.value), stack[len(stack)-1].name) {
				return nil, fmt.Errorf("calendar object has an END:%.40s that does not fit", l.value)
			}
			stack = stack[:len(stack)-1]
		case len(stack) > 0:
			top := stack[len(stack)-1]
			top.items = append(top.items, item{line: l})
		default:
			return nil, errors.New("calendar object has lines outside of VCALENDAR")
		}
	}
	switch {
	case root == nil || !root.Is("VCALENDAR"):
		return nil, errors.New("calendar object is not a VCALENDAR")
	case len(stack) > 0:
		return nil, errors.New("calendar object is cut off")
	}
	return root, nil
}

// unfold joins the parts of folded lines and drops empty lines. What is not
// folded, as most lines are, is a part of s.
func unfold(s string) []string {
	s = strings.TrimPrefix(s, "\ufeff")
	out := make([]string, 0, strings.Count(s, "\n")+1)
	var joined strings.Builder // of the last line, when it has several parts
	for part := range strings.SplitSeq(s, "\n") {
		part = strings.TrimSuffix(part, "\r")
		if len(out) > 0 && part != "" && (part[0] == ' ' || part[0] == '\t') {
			if joined.Len() == 0 {
				joined.WriteString(out[len(out)-1])
			}
			joined.WriteString(part[1:])
			continue
		}
		// An empty line ends nothing: what follows it with a leading space
		// would be read as a continuation after writing, so it is one now.
		if part = strings.TrimLeft(part, " \t"); part == "" {
			continue
		}
		if joined.Len() > 0 {
			out[len(out)-1] = joined.String()
			joined.Reset()
		}
		out = append(out, part)
	}
	if joined.Len() > 0 {
		out[len(out)-1] = joined.String()
	}
	return out
}

// Encode writes the object with CRLF and folded lines.
func (c *Component) Encode() []byte {
	var b strings.Builder
	for _, l := range c.Lines() {
		fold(&b, l)
	}
	return []byte(b.String())
}

// Lines are the unfolded lines of the component and of all below it.
func (c *Component) Lines() []string {
	out := []string{"BEGIN:" + c.name}
	for _, it := range c.items {
		if it.line != nil {
			out = append(out, it.line.String())
		} else {
			out = append(out, it.comp.Lines()...)
		}
	}
	return append(out, "END:"+c.name)
}

// Is reports whether the component is of that kind, such as "VEVENT".
func (c *Component) Is(name string) bool { return strings.EqualFold(c.name, name) }

// Clone is a copy that shares nothing with c.
func (c *Component) Clone() *Component {
	out := &Component{name: c.name, items: make([]item, len(c.items))}
	for i, it := range c.items {
		if it.line != nil {
			out.items[i].line = it.line.Clone()
		} else {
			out.items[i].comp = it.comp.Clone()
		}
	}
	return out
}

// Children are the components of that kind directly below c.
func (c *Component) Children(name string) []*Component {
	var out []*Component
	for _, it := range c.items {
		if it.comp != nil && it.comp.Is(name) {
			out = append(out, it.comp)
		}
	}
	return out
}

// Prop is the first property of that name, or nil.
func (c *Component) Prop(name string) *Line {
	for _, it := range c.items {
		if it.line != nil && it.line.Is(name) {
			return it.line
		}
	}
	return nil
}

// PropAll are all properties of that name.
func (c *Component) PropAll(name string) []*Line {
	var out []*Line
	for _, it := range c.items {
		if it.line != nil && it.line.Is(name) {
			out = append(out, it.line)
		}
	}
	return out
}

// Text is the text of the first property of that name; "" when there is none.
func (c *Component) Text(name string) string { return c.Prop(name).Text() }

// Set puts line in the place of the first property of its name, or behind the
// other properties. Further properties of that name are left alone.
func (c *Component) Set(line *Line) {
	for i, it := range c.items {
		if it.line != nil && it.line.Is(line.name) {
			c.items[i].line = line
			return
		}
	}
	c.Add(line)
}

// SetText sets the text of a property and keeps its parameters; an empty text
// removes the property.
func (c *Component) SetText(name, text string) {
	switch l := c.Prop(name); {
	case text == "":
		c.Remove(name)
	case l == nil:
		c.Add(NewText(name, text))
	case l.Text() != text:
		l.SetValue(EscapeText(text))
		// A parameter of the old text such as an alternate representation
		// (ALTREP) would now say something else.
		if l.Param("ALTREP") != "" {
			l.SetParam("ALTREP", "")
		}
	}
}

// Add puts a line behind the other properties and before the components.
func (c *Component) Add(line *Line) {
	i := len(c.items)
	for i > 0 && c.items[i-1].comp != nil {
		i--
	}
	c.items = slices.Insert(c.items, i, item{line: line})
}

// AddChild puts a component at the end.
func (c *Component) AddChild(child *Component) { c.items = append(c.items, item{comp: child}) }

// InsertChild puts a component before the first component of kind before, or
// at the end.
func (c *Component) InsertChild(child *Component, before string) {
	for i, it := range c.items {
		if it.comp != nil && it.comp.Is(before) {
			c.items = slices.Insert(c.items, i, item{comp: child})
			return
		}
	}
	c.AddChild(child)
}

// Remove drops all properties of that name.
func (c *Component) Remove(name string) {
	c.items = slices.DeleteFunc(c.items, func(it item) bool { return it.line != nil && it.line.Is(name) })
}

// RemoveLine drops this very line.
func (c *Component) RemoveLine(line *Line) {
	c.items = slices.DeleteFunc(c.items, func(it item) bool { return it.line == line && line != nil })
}

// RemoveChild drops this very component.
func (c *Component) RemoveChild(child *Component) {
	c.items = slices.DeleteFunc(c.items, func(it item) bool { return it.comp == child && child != nil })
}
