package dav

import (
	"bytes"
	"encoding/xml"
	"slices"
)

// The namespaces that Nextcloud uses. It has two of its own: files are in
// nextcloud.org, calendars in nextcloud.com.
const (
	NSDAV            = "DAV:"
	NSCalDAV         = "urn:ietf:params:xml:ns:caldav"
	NSCardDAV        = "urn:ietf:params:xml:ns:carddav"
	NSCalendarServer = "http://calendarserver.org/ns/"
	NSApple          = "http://apple.com/ns/ical/"
	NSOwnCloud       = "http://owncloud.org/ns"
	NSNextcloud      = "http://nextcloud.com/ns"
	NSNextcloudFiles = "http://nextcloud.org/ns"
)

// Name is a property or element name.
func Name(space, local string) xml.Name { return xml.Name{Space: space, Local: local} }

// Element is an XML element to be sent. Its text comes before its children.
type Element struct {
	Name     xml.Name
	Attrs    []xml.Attr
	Text     string
	Children []Element
}

// El is an element with children.
func El(name xml.Name, children ...Element) Element {
	return Element{Name: name, Children: children}
}

// Text is an element that holds text.
func Text(name xml.Name, text string) Element { return Element{Name: name, Text: text} }

// With is the element with one more attribute, which is in no namespace.
func (e Element) With(attr, value string) Element {
	e.Attrs = append(slices.Clip(e.Attrs), xml.Attr{Name: xml.Name{Local: attr}, Value: value})
	return e
}

// Props is the DAV:prop element that asks for the named properties.
func Props(names ...xml.Name) Element {
	prop := El(Name(NSDAV, "prop"))
	for _, n := range names {
		prop.Children = append(prop.Children, El(n))
	}
	return prop
}

// encode is the document with root e.
func encode(e Element) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	if err := e.write(enc); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (e Element) write(enc *xml.Encoder) error {
	start := xml.StartElement{Name: e.Name, Attr: e.Attrs}
	if err := enc.EncodeToken(start); err != nil {
		return err
	}
	if e.Text != "" {
		if err := enc.EncodeToken(xml.CharData(e.Text)); err != nil {
			return err
		}
	}
	for _, c := range e.Children {
		if err := c.write(enc); err != nil {
			return err
		}
	}
	return enc.EncodeToken(start.End())
}
