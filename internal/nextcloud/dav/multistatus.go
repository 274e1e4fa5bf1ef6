package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Node is an element of an answer.
type Node struct {
	Name     xml.Name
	Attrs    []xml.Attr
	Text     string // all character data directly in the element
	Children []*Node
}

// Child is the first child element of that name, or nil.
func (n *Node) Child(name xml.Name) *Node {
	if n == nil {
		return nil
	}
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Has reports whether the element has a child of that name.
func (n *Node) Has(name xml.Name) bool { return n.Child(name) != nil }

// Attr is the value of an attribute without namespace, or "".
func (n *Node) Attr(local string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attrs {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// String is the text of the element without surrounding space; "" for nil.
func (n *Node) String() string {
	if n == nil {
		return ""
	}
	return strings.TrimSpace(n.Text)
}

// Response is one resource of a multistatus answer (RFC 4918, 14.24).
type Response struct {
	Href   string // as the server wrote it, percent-encoded
	Status int    // of the resource as a whole; 0 when only its properties have one
	Props  map[xml.Name]*Node
	Failed map[xml.Name]int // properties without a value, and their status
}

// Prop is a property that the server gave a value for, or nil.
func (r *Response) Prop(name xml.Name) *Node { return r.Props[name] }

// Multistatus is an answer about several resources (RFC 4918, 14.16).
type Multistatus struct {
	Responses []Response
	SyncToken string // RFC 6578; empty unless the request was a sync-collection
}

// ParseMultistatus reads a multistatus document. What it does not know it
// skips; a document that is cut, nested too deep or not a multistatus is an
// error.
func ParseMultistatus(data []byte) (*Multistatus, error) {
	d := NewDecoder(bytes.NewReader(data))
	ms := &Multistatus{}
	for {
		r, err := d.Next()
		if errors.Is(err, io.EOF) {
			ms.SyncToken = d.SyncToken()
			return ms, nil
		}
		if err != nil {
			return nil, err
		}
		ms.Responses = append(ms.Responses, *r)
	}
}

func readResponse(n *Node) Response {
	r := Response{
		Href:   n.Child(Name(NSDAV, "href")).String(),
		Status: statusCode(n.Child(Name(NSDAV, "status")).String()),
		Props:  make(map[xml.Name]*Node, 8),
		Failed: map[xml.Name]int{},
	}
	for _, ps := range n.Children {
		if ps.Name != Name(NSDAV, "propstat") {
			continue
		}
		status := statusCode(ps.Child(Name(NSDAV, "status")).String())
		prop := ps.Child(Name(NSDAV, "prop"))
		if prop == nil {
			continue
		}
		for _, p := range prop.Children {
			if status/100 == 2 {
				r.Props[p.Name] = p
			} else {
				r.Failed[p.Name] = status
			}
		}
	}
	return r
}

// statusCode is the code of a line such as "HTTP/1.1 200 OK"; 0 when there is
// none.
func statusCode(line string) int {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return 0
	}
	code, err := strconv.Atoi(fields[1])
	if err != nil || code < 100 || code > 599 {
		return 0
	}
	return code
}
