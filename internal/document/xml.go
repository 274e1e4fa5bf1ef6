package document

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
)

// xmlReader reads one XML part, element by element, within the limits. The
// names of elements are compared without their namespaces: the two of Office
// (transitional and strict) differ in nothing else.
type xmlReader struct {
	w     *work
	dec   *xml.Decoder
	depth int
}

func newXML(w *work, r io.Reader) *xmlReader {
	buffered := bufio.NewReaderSize(r, 32<<10)
	r = buffered
	if head, err := buffered.Peek(2); err == nil && (string(head) == "\xff\xfe" || string(head) == "\xfe\xff") {
		r = unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Reader(buffered)
	}
	x := &xmlReader{w: w, dec: xml.NewDecoder(r)}
	// Entities are not expanded, so there is no bomb of them.
	x.dec.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if strings.HasPrefix(strings.ToLower(label), "utf-16") {
			return in, nil // decoded above
		}
		return charset.NewReaderLabel(label, in)
	}
	return x
}

// next is the next token; io.EOF at the end of the part.
func (x *xmlReader) next() (xml.Token, error) {
	if err := x.w.step(); err != nil {
		return nil, err
	}
	t, err := x.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t.(type) {
	case xml.StartElement:
		if x.depth++; x.depth > x.w.limits.Depth {
			return nil, tooLarge("the document is nested more than %d levels deep", x.w.limits.Depth)
		}
	case xml.EndElement:
		x.depth--
	}
	return t, nil
}

// skip passes over the rest of the element that was just begun.
func (x *xmlReader) skip() error {
	return x.each(func(xml.StartElement) error { return nil }, nil)
}

// each calls start for every child element of the element that was just begun,
// and text for its character data. A start that does not read its element to
// the end leaves its children to the same functions.
func (x *xmlReader) each(start func(xml.StartElement) error, text func(string) error) error {
	end := x.depth - 1
	for {
		t, err := x.next()
		if err != nil {
			if errors.Is(err, io.EOF) && end < 0 {
				return nil
			}
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := start(t); err != nil {
				return err
			}
		case xml.CharData:
			if text != nil {
				if err := text(string(t)); err != nil {
					return err
				}
			}
		case xml.EndElement:
			if x.depth <= end {
				return nil
			}
		}
	}
}

// content is the character data of the element that was just begun.
func (x *xmlReader) content() (string, error) {
	var b strings.Builder
	err := x.each(func(xml.StartElement) error { return nil }, func(s string) error {
		if b.Len()+len(s) > x.w.limits.Text {
			return tooLarge("a part of the document holds more than %d MiB of text", x.w.limits.Text>>20)
		}
		b.WriteString(s)
		return nil
	})
	return b.String(), err
}

// attr is an attribute by its name without namespace; empty when absent.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// relationID is the attribute that names a relation; others are called id too.
func relationID(e xml.StartElement) string {
	for _, a := range e.Attr {
		if a.Name.Local == "id" && strings.HasSuffix(a.Name.Space, "relationships") {
			return a.Value
		}
	}
	return ""
}
