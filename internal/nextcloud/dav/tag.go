package dav

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"
)

const spaces = " \t\r\n"

// maxNames is how many names are kept with their namespaces. Nextcloud's
// answers have some dozens.
const maxNames = 200

// inQuotes reports whether a tag is within the value of an attribute where b
// ends.
func inQuotes(b []byte) bool {
	for {
		i := bytes.IndexAny(b, `"'`)
		if i < 0 {
			return false
		}
		end := bytes.IndexByte(b[i+1:], b[i])
		if end < 0 {
			return true
		}
		b = b[i+1+end+1:]
	}
}

// push opens the element of a start tag, which is given without its brackets.
func (s *scanner) push(tag []byte) (token, error) {
	n := bytes.IndexAny(tag, spaces)
	if n < 0 {
		n = len(tag)
	}
	e, known := s.names[string(tag[:n])]
	if !known {
		if !nameLike(tag[:n]) {
			return token{}, errSyntax
		}
		e.raw = string(tag[:n])
	}
	attrs, err := s.attributes(tag[n:])
	if err != nil {
		return token{}, err
	}
	e.bound = len(s.bound)
	for _, a := range attrs {
		switch {
		case a.Name.Space == "xmlns":
			s.bound = append(s.bound, binding{a.Name.Local, a.Value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			s.bound = append(s.bound, binding{"", a.Value})
		}
	}
	if len(s.bound) != e.bound {
		clear(s.names)
		known = false
	}
	if !known {
		e.name = prefixed(e.raw)
		s.translate(&e.name, true)
		if len(s.names) < maxNames {
			s.names[e.raw] = e
		}
	}
	for i := range attrs {
		s.translate(&attrs[i].Name, false)
	}
	s.stack = append(s.stack, e)
	return token{kind: startOf, name: e.name, attrs: attrs}, nil
}

// pop closes the innermost element.
func (s *scanner) pop() token {
	e := s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
	if len(s.bound) != e.bound {
		s.bound = s.bound[:e.bound]
		clear(s.names)
	}
	return token{kind: endOf, name: e.name}
}

// attributes reads the attributes of a start tag, with the prefixes of their
// names.
func (s *scanner) attributes(b []byte) ([]xml.Attr, error) {
	var attrs []xml.Attr
	for {
		if b = bytes.TrimLeft(b, spaces); len(b) == 0 {
			return attrs, nil
		}
		name, rest, ok := bytes.Cut(b, []byte("="))
		name, rest = bytes.TrimRight(name, spaces), bytes.TrimLeft(rest, spaces)
		if !ok || !nameLike(name) || len(rest) < 2 || (rest[0] != '"' && rest[0] != '\'') {
			return nil, errSyntax
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil, errSyntax
		}
		value, err := s.plain(rest[1:1+end], true)
		if err != nil {
			return nil, err
		}
		attrs = append(attrs, xml.Attr{Name: prefixed(string(name)), Value: string(value)})
		b = rest[1+end+1:]
	}
}

// nameLike reports whether b may be the name of an element or an attribute.
func nameLike(b []byte) bool {
	return len(b) > 0 && !bytes.ContainsAny(b, "<>&\"'=/?!"+spaces)
}

// prefixed is a name as written, with its prefix in place of the namespace.
func prefixed(raw string) xml.Name {
	if i := strings.IndexByte(raw, ':'); i > 0 && i < len(raw)-1 {
		return xml.Name{Space: raw[:i], Local: raw[i+1:]}
	}
	return xml.Name{Local: raw}
}

// translate puts the namespace in the place of a prefix. One that is not
// declared stays.
func (s *scanner) translate(n *xml.Name, element bool) {
	switch {
	case n.Space == "xmlns", n.Space == "" && (!element || n.Local == "xmlns"):
		return
	case n.Space == "xml":
		n.Space = "http://www.w3.org/XML/1998/namespace"
		return
	}
	for _, b := range slices.Backward(s.bound) {
		if b.prefix == n.Space {
			n.Space = b.space
			return
		}
	}
}
