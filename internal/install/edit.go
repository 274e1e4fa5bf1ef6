package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// ErrUnclear says that a file cannot be changed without risk to what else is
// in it: it is no plain JSON (comments, commas at the end), or not of the shape
// that the client documents.
var ErrUnclear = errors.New("the file cannot be changed safely")

func unclear(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnclear, fmt.Sprintf(format, args...))
}

// Edit is the file with the server in it, in place of one of the same name.
// All other bytes stay as they are, and what is added follows the file's own
// style. A file that holds the server already comes back unchanged.
func (c Client) Edit(file []byte, s Server) ([]byte, error) {
	const mark = "\ufeff"
	if rest, ok := bytes.CutPrefix(file, []byte(mark)); ok {
		edited, err := c.Edit(rest, s)
		return append([]byte(mark), edited...), err
	}
	if len(bytes.TrimSpace(file)) == 0 {
		return []byte(c.Snippet(s)), nil
	}
	if !json.Valid(file) {
		return nil, unclear("it is not plain JSON; it may hold comments")
	}
	start := bytes.IndexFunc(file, func(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) })
	top, err := readObject(file, start)
	if err != nil {
		return nil, unclear("it is no JSON object")
	}
	e := c.entry(s)
	style := styleOf(file, top)
	servers, n := top.find(c.member)
	switch {
	case n > 1:
		return nil, unclear("%q is in it twice", c.member)
	case n == 0:
		return top.add(file, style, "", c.member, map[string]entry{s.Name: e}), nil
	}
	inner, err := readObject(file, servers.start)
	if err != nil {
		return nil, unclear("%q in it is no object", c.member)
	}
	old, n := inner.find(s.Name)
	switch {
	case n > 1:
		return nil, unclear("the server %q is in it twice", s.Name)
	case n == 0:
		return inner.add(file, style, top.indent, s.Name, e), nil
	}
	if same(file[old.start:old.end], e) {
		return file, nil
	}
	value := style.write(e, inner.indent, inner.flat)
	return splice(file, old.start, old.end, value), nil
}

// same reports whether a value in the file is the entry.
func same(raw []byte, e entry) bool {
	var have, want any
	if json.Unmarshal(raw, &have) != nil || json.Unmarshal([]byte(encode(e, "", "")), &want) != nil {
		return false
	}
	return reflect.DeepEqual(have, want)
}

func splice(file []byte, start, end int, text string) []byte {
	out := make([]byte, 0, len(file)+len(text))
	out = append(out, file[:start]...)
	out = append(out, text...)
	return append(out, file[end:]...)
}

// object is where an object and its members stand in a file.
type object struct {
	start, end int // of the braces; end is behind the closing one
	members    []member
	indent     string // before each member, where they have lines of their own
	flat       bool   // the first member stands on the line of the brace
}

type member struct {
	name       string
	start, end int // of the value
}

// readObject reads the object that begins at start of a file of valid JSON.
func readObject(file []byte, start int) (*object, error) {
	d := json.NewDecoder(bytes.NewReader(file[start:]))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("no object")
	}
	o := &object{start: start}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		name, _ := key.(string) // JSON has no other keys
		end := start + int(d.InputOffset())
		o.members = append(o.members, member{name: name, start: end - len(value), end: end})
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	o.end = start + int(d.InputOffset())
	if len(o.members) > 0 {
		inside := file[start+1 : o.members[0].start]
		space := string(inside[:bytes.IndexByte(inside, '"')])
		line := strings.LastIndexByte(space, '\n')
		o.flat, o.indent = line < 0, space[line+1:]
	}
	return o, nil
}

// find is the last member of that name, and how many there are.
func (o *object) find(name string) (found member, n int) {
	for _, m := range o.members {
		if m.name == name {
			found = m
			n++
		}
	}
	return found, n
}

// add is the file with one more member at the end of the object. The indent is
// that of the member that the object is the value of.
func (o *object) add(file []byte, s style, indent, name string, value any) []byte {
	key := encode(name, "", "") + ": "
	switch {
	case len(o.members) > 0 && o.flat:
		last := o.members[len(o.members)-1]
		return splice(file, last.end, last.end, ", "+key+s.write(value, "", true))
	case len(o.members) > 0:
		last := o.members[len(o.members)-1]
		return splice(file, last.end, last.end, ","+s.newline+o.indent+key+s.write(value, o.indent, false))
	case s.flat:
		return splice(file, o.start, o.end, "{"+key+s.write(value, "", true)+"}")
	}
	inner := indent + s.unit
	return splice(file, o.start, o.end, "{"+s.newline+inner+key+s.write(value, inner, false)+s.newline+indent+"}")
}

// style is how a file is laid out.
type style struct {
	newline string
	unit    string // of indentation
	flat    bool   // everything is on one line
}

func styleOf(file []byte, top *object) style {
	s := style{newline: "\n", unit: "  ", flat: top.flat}
	if bytes.Contains(file, []byte("\r\n")) {
		s.newline = "\r\n"
	}
	if top.indent != "" {
		s.unit = top.indent
	}
	return s
}

func (s style) write(value any, indent string, flat bool) string {
	if flat {
		return encode(value, "", "")
	}
	return strings.ReplaceAll(encode(value, indent, s.unit), "\n", s.newline)
}
