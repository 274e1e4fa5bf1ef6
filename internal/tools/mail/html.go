package mail

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// markdown is HTML that strangers wrote as Markdown: without scripts, styles,
// pictures and whatever a mail program does not show, with links whose target
// can be seen. Warnings tell of links that pretend another target.
func markdown(text string) (md string, warnings []string) {
	c := &cleaner{}
	defer func() {
		if recover() != nil {
			md = c.plainText(text)
		}
	}()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return c.plainText(text), nil
	}
	c.clean(root, 0)
	if len(text) > maxRich || c.nodes > maxNodes || c.deepest > maxNesting {
		// What makes a converter slow is no letter: its words are enough.
		var b strings.Builder
		visibleText(&b, root, 0)
		return b.String(), c.warnings
	}
	out, err := converter.NewConverter(converter.WithPlugins(
		base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(),
		table.NewTablePlugin(table.WithSkipEmptyRows(true), table.WithHeaderPromotion(true), table.WithCellPaddingBehavior(table.CellPaddingBehaviorMinimal)),
	)).ConvertNode(root)
	if err != nil {
		return c.plainText(text), c.warnings
	}
	return string(out), c.warnings
}

// cleaner takes out of a tree what people do not see.
type cleaner struct {
	warnings       []string
	nodes, deepest int
}

// The bounds of HTML whose form is kept; of what goes beyond them only the
// visible text is.
const (
	maxRich    = 256 << 10 // bytes
	maxNodes   = 8000
	maxNesting = 100
)

// visibleText writes the text of a cleaned tree, each block on its own line.
func visibleText(b *strings.Builder, n *html.Node, depth int) {
	switch n.Type {
	case html.TextNode:
		b.WriteString(n.Data)
	case html.ElementNode:
		switch n.DataAtom {
		case atom.A, atom.B, atom.I, atom.U, atom.Em, atom.Strong, atom.Span, atom.Font:
		default:
			b.WriteByte('\n')
		}
	default:
	}
	for child := n.FirstChild; child != nil && depth <= maxDepth; child = child.NextSibling {
		visibleText(b, child, depth+1)
	}
	if n.DataAtom == atom.A {
		if target := attribute(n, "href"); target != "" {
			b.WriteString(" (" + target + ") ")
		}
	}
}

// maxDepth bounds the nesting of HTML.
const maxDepth = 600

// plainText is the visible text of HTML that cannot be converted.
func (c *cleaner) plainText(text string) string {
	var b strings.Builder
	skip := 0
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		kind := z.Next()
		switch kind {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if skip == 0 {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.EndTagToken:
			name, _ := z.TagName()
			if a := atom.Lookup(name); a == atom.Script || a == atom.Style {
				if skip = 0; kind == html.StartTagToken {
					skip = 1
				}
			}
			b.WriteByte('\n')
		case html.SelfClosingTagToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

func (c *cleaner) clean(n *html.Node, depth int) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling
		c.nodes++
		c.deepest = max(c.deepest, depth)
		if depth > maxDepth || hidden(child) {
			n.RemoveChild(child)
			child = next
			continue
		}
		arranges := child.DataAtom == atom.Table && !isData(child)
		c.clean(child, depth+1)
		switch child.DataAtom {
		case atom.Img:
			// A picture is data of somebody's server; its description is text.
			if alt := oneLine(attribute(child, "alt")); alt != "" {
				n.InsertBefore(&html.Node{Type: html.TextNode, Data: "[image: " + alt + "]"}, child)
			}
			n.RemoveChild(child)
		case atom.A:
			c.link(child)
		case atom.Table:
			if arranges {
				unwrap(child)
			}
		default:
		}
		child = next
	}
}

// hidden reports whether a mail program shows nothing of a node. Text that only
// a machine sees is a way to talk to models behind people's backs.
func hidden(n *html.Node) bool {
	switch n.Type {
	case html.CommentNode:
		return true
	case html.ElementNode:
	default:
		return false
	}
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Template, atom.Noscript, atom.Iframe, atom.Object, atom.Embed, atom.Svg, atom.Math, atom.Link, atom.Meta,
		atom.Title, atom.Canvas, atom.Input, atom.Select, atom.Textarea, atom.Video, atom.Audio, atom.Datalist:
		return true
	default:
	}
	for _, a := range n.Attr {
		switch a.Key {
		case "hidden":
			return true
		case "style":
			if hiddenStyle(a.Val) {
				return true
			}
		case "color":
			if n.DataAtom == atom.Font && strings.EqualFold(a.Val, "transparent") {
				return true
			}
		}
	}
	return false
}

// farAway is how far to the left or above something is out of sight, in any
// unit of length.
const farAway = -500

func hiddenStyle(style string) bool {
	small := map[string]bool{}
	for rule := range strings.SplitSeq(strings.ToLower(style), ";") {
		name, value, ok := strings.Cut(rule, ":")
		if !ok {
			continue
		}
		name = strings.TrimSpace(name)
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		number, err := strconv.ParseFloat(strings.TrimRight(value, "abcdefghijklmnopqrstuvwxyz% "), 64)
		isNumber := err == nil
		switch name {
		case "display":
			if value == "none" {
				return true
			}
		case "visibility":
			if value == "hidden" || value == "collapse" {
				return true
			}
		case "font-size", "opacity", "line-height":
			limit := 0.05
			if name == "font-size" && !strings.HasSuffix(value, "em") {
				limit = 2
			}
			if isNumber && number <= limit && name != "line-height" {
				return true
			}
		case "max-height", "max-width", "height", "width":
			small[name] = isNumber && number <= 1
		case "overflow":
			small[name] = value == "hidden"
		case "color":
			if value == "transparent" {
				return true
			}
		case "left", "top", "text-indent", "margin-left", "margin-top":
			if isNumber && number <= farAway {
				return true
			}
		case "mso-hide":
			return value == "all"
		}
	}
	return small["max-height"] || small["max-width"] || small["overflow"] && (small["height"] || small["width"])
}

// link keeps only targets that people follow, and warns of a text that names
// another one.
func (c *cleaner) link(n *html.Node) {
	target := strings.TrimSpace(attribute(n, "href"))
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "mailto" || len(target) > 2000 {
		n.Attr = nil
		n.DataAtom, n.Data = atom.Span, "span"
		return
	}
	n.Attr = []html.Attribute{{Key: "href", Val: target}}
	shown := oneLine(textOf(n, 0))
	if shown == "" {
		n.AppendChild(&html.Node{Type: html.TextNode, Data: u.Host})
		return
	}
	named, err := url.Parse(shown)
	if err != nil || named.Host == "" || u.Host == "" || strings.EqualFold(site(named.Host), site(u.Host)) {
		return
	}
	const most = 5
	if len(c.warnings) < most {
		c.warnings = append(c.warnings, fmt.Sprintf("A link reads %s and leads to %s.", named.Host, u.Host))
	}
}

func site(host string) string { return strings.TrimPrefix(host, "www.") }

// isData reports whether a table holds data; most tables of mail only arrange
// what is in them.
func isData(table *html.Node) bool {
	if attribute(table, "role") == "presentation" {
		return false
	}
	columns := 0
	return rows(table, 0, &columns) && columns > 1
}

// maxCell is the longest text of a cell of data, in bytes.
const maxCell = 200

// rows reports whether there are only short texts in the cells of a table, and
// counts its columns. It stops at the first that is no data: tables in each
// other must not be looked at again and again.
func rows(n *html.Node, depth int, columns *int) bool {
	cells := 0
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		switch child.DataAtom {
		case atom.Table, atom.Ul, atom.Ol, atom.Blockquote, atom.H1, atom.H2, atom.H3, atom.Pre:
			return false
		case atom.Td, atom.Th:
			cells++
			if room := maxCell; longer(child, &room, depth) {
				return false
			}
		default:
		}
		if depth > maxDepth || !rows(child, depth+1, columns) {
			return false
		}
	}
	*columns = max(*columns, cells)
	return true
}

// longer reports whether the text of a node takes more than room bytes.
func longer(n *html.Node, room *int, depth int) bool {
	if n.Type == html.TextNode {
		*room -= len(n.Data)
	}
	for child := n.FirstChild; child != nil && *room >= 0 && depth <= maxDepth; child = child.NextSibling {
		if longer(child, room, depth+1) {
			return true
		}
	}
	return *room < 0
}

// unwrap makes blocks of a table's parts. Tables in its cells are for
// themselves.
func unwrap(n *html.Node) {
	switch n.DataAtom {
	case atom.Table, atom.Tbody, atom.Thead, atom.Tfoot, atom.Tr, atom.Td, atom.Th, atom.Caption:
		n.DataAtom, n.Data, n.Attr = atom.Div, "div", nil
	case atom.Colgroup, atom.Col:
		n.DataAtom, n.Data, n.Attr = atom.Span, "span", nil
	default:
		return
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if child.DataAtom != atom.Table {
			unwrap(child)
		}
	}
}

func textOf(n *html.Node, depth int) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for child := n.FirstChild; child != nil && depth < maxDepth; child = child.NextSibling {
		b.WriteString(textOf(child, depth+1))
	}
	return b.String()
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
