package nextcloudtest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Namespaces of the DAV tree. Nextcloud uses two of its own: files live under .org, calendar properties under .com.
const (
	nsDAV       = "DAV:"
	nsSabre     = "http://sabredav.org/ns"
	nsCalDAV    = "urn:ietf:params:xml:ns:caldav"
	nsCalServer = "http://calendarserver.org/ns/"
	nsCardDAV   = "urn:ietf:params:xml:ns:carddav"
	nsOwnCloud  = "http://owncloud.org/ns"
	nsFiles     = "http://nextcloud.org/ns"
	nsNextcloud = "http://nextcloud.com/ns"
	nsSharing   = "http://open-collaboration-services.org/ns"
	nsApple     = "http://apple.com/ns/ical/"
)

// Bounds of what is read from a request.
const (
	maxXMLDepth = 64
	maxXMLNodes = 20_000
)

// xmlNode is one element; text and children do not mix in WebDAV.
type xmlNode struct {
	name     xml.Name
	attrs    []xml.Attr
	text     string
	children []*xmlNode
	pair     bool // written as two tags even when it is empty, as Sabre writes an empty text
}

// node makes an element with children, leaf one with text.
func node(space, local string, children ...*xmlNode) *xmlNode {
	return &xmlNode{name: xml.Name{Space: space, Local: local}, children: children}
}

func leaf(space, local, text string) *xmlNode {
	return &xmlNode{name: xml.Name{Space: space, Local: local}, text: text}
}

func hrefIn(space, local string, hrefs ...string) *xmlNode {
	n := node(space, local)
	for _, href := range hrefs {
		n.children = append(n.children, leaf(nsDAV, "href", href))
	}
	return n
}

func (n *xmlNode) is(space, local string) bool {
	return n.name.Space == space && n.name.Local == local
}

// child returns the first child of a name, or nil.
func (n *xmlNode) child(space, local string) *xmlNode {
	for _, c := range n.children {
		if c.is(space, local) {
			return c
		}
	}
	return nil
}

// all returns the children of a name.
func (n *xmlNode) all(space, local string) []*xmlNode {
	var found []*xmlNode
	for _, c := range n.children {
		if c.is(space, local) {
			found = append(found, c)
		}
	}
	return found
}

func (n *xmlNode) attr(local string) string {
	for _, a := range n.attrs {
		if a.Name.Local == local && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// named returns an empty element of the same name.
func (n *xmlNode) named() *xmlNode { return &xmlNode{name: n.name} }

var errXMLTooBig = errors.New("document is too large")

// parseXML reads one document within the bounds above. An empty body is (nil, nil) nowhere: callers ask for the length
// first, because an empty PROPFIND means allprop.
func parseXML(body []byte) (*xmlNode, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	root := &xmlNode{}
	stack := []*xmlNode{root}
	nodes := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			nodes++
			if len(stack) > maxXMLDepth || nodes > maxXMLNodes {
				return nil, errXMLTooBig
			}
			n := &xmlNode{name: token.Name}
			for _, a := range token.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					n.attrs = append(n.attrs, a)
				}
			}
			top.children = append(top.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(token)
		}
	}
	if len(root.children) != 1 {
		return nil, errors.New("document is empty")
	}
	root.children[0].trim()
	return root.children[0], nil
}

// trim drops the white space between elements.
func (n *xmlNode) trim() {
	if len(n.children) > 0 {
		n.text = ""
	}
	for _, c := range n.children {
		c.trim()
	}
}

// xmlPrefix is one namespace declared at the root of an answer.
type xmlPrefix struct{ prefix, space string }

// Each part of the DAV tree declares the namespaces of the plug-ins that are loaded for it.
var (
	cardPrefixes      = []xmlPrefix{{"d", nsDAV}, {"s", nsSabre}, {"card", nsCardDAV}, {"oc", nsOwnCloud}, {"nc", nsFiles}}
	filePrefixes      = []xmlPrefix{{"d", nsDAV}, {"s", nsSabre}, {"oc", nsOwnCloud}, {"nc", nsFiles}}
	calendarPrefixes  = []xmlPrefix{{"d", nsDAV}, {"s", nsSabre}, {"cal", nsCalDAV}, {"cs", nsCalServer}, {"oc", nsOwnCloud}, {"nc", nsFiles}}
	principalPrefixes = []xmlPrefix{
		{"d", nsDAV}, {"s", nsSabre}, {"cal", nsCalDAV}, {"cs", nsCalServer}, {"card", nsCardDAV}, {"oc", nsOwnCloud}, {"nc", nsFiles},
	}
	errorPrefixes = []xmlPrefix{{"d", nsDAV}, {"s", nsSabre}}
)

// xmlWriter writes the way Sabre does: known prefixes at the root; every other namespace is declared anew at each
// element as x1, x2, ... in order of first appearance.
type xmlWriter struct {
	b        strings.Builder
	prefixes map[string]string
	adHoc    map[string]string
	indent   string // of one level; empty writes no line breaks
	quotes   bool   // quotation marks in texts are written as they are
}

// writeXML serialises a document with an XML declaration.
func writeXML(root *xmlNode, prefixes []xmlPrefix, declaration, indent string) string {
	w := &xmlWriter{indent: indent}
	return w.document(root, prefixes, declaration)
}

// writeErrorXML serialises an error document, which another part of Sabre writes: with indentation, and with quotation
// marks as they are.
func writeErrorXML(root *xmlNode, prefixes []xmlPrefix) string {
	w := &xmlWriter{indent: "  ", quotes: true}
	return w.document(root, prefixes, `<?xml version="1.0" encoding="utf-8"?>`)
}

func (w *xmlWriter) document(root *xmlNode, prefixes []xmlPrefix, declaration string) string {
	w.prefixes, w.adHoc = map[string]string{}, map[string]string{}
	w.b.WriteString(declaration + "\n")
	var declared strings.Builder
	for _, p := range prefixes {
		w.prefixes[p.space] = p.prefix
		declared.WriteString(` xmlns:` + p.prefix + `="` + p.space + `"`)
	}
	w.element(root, declared.String(), 0)
	return w.b.String()
}

func (w *xmlWriter) element(n *xmlNode, declared string, depth int) {
	tag := n.name.Local
	if n.name.Space != "" {
		prefix, known := w.prefixes[n.name.Space]
		if !known {
			prefix = w.adHocPrefix(n.name.Space)
			declared += ` xmlns:` + prefix + `="` + escapeXML(n.name.Space) + `"`
		}
		tag = prefix + ":" + tag
	}
	w.b.WriteString("<" + tag + declared)
	for _, a := range n.attrs {
		w.b.WriteString(" " + a.Name.Local + `="` + escapeXML(a.Value) + `"`)
	}
	if n.text == "" && len(n.children) == 0 && !n.pair {
		w.b.WriteString("/>")
		return
	}
	text := escapeXML(n.text)
	if w.quotes {
		text = strings.ReplaceAll(text, "&quot;", `"`)
	}
	w.b.WriteString(">" + text)
	for _, c := range n.children {
		w.lineBreak(depth + 1)
		w.element(c, "", depth+1)
	}
	if len(n.children) > 0 {
		w.lineBreak(depth)
	}
	w.b.WriteString("</" + tag + ">")
}

func (w *xmlWriter) lineBreak(depth int) {
	if w.indent != "" {
		w.b.WriteString("\n" + strings.Repeat(w.indent, depth))
	}
}

func (w *xmlWriter) adHocPrefix(space string) string {
	prefix, ok := w.adHoc[space]
	if !ok {
		prefix = "x" + strconv.Itoa(len(w.adHoc)+1)
		w.adHoc[space] = prefix
	}
	return prefix
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;")

// escapeXML leaves bytes that are no UTF-8 as they are, as PHP does.
func escapeXML(s string) string { return xmlEscapes.Replace(s) }
