package document

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

func readHTML(w *work, data []byte) error {
	e, _, sure := charset.DetermineEncoding(data, w.req.Type)
	var text string
	if sure {
		text = decoded(e, data)
	} else {
		text, _ = Decode(data)
	}
	md, title, err := htmlToMarkdown(w, text)
	if err != nil {
		return err
	}
	w.doc.Title = title
	m := &markdown{w: w}
	err = m.block(md)
	w.doc.Parts = []Part{{Text: m.String()}}
	return err
}

// maxHTML is the largest HTML that is read, in bytes: a tree of it takes many
// times its size.
const maxHTML = 16 << 20

// htmlToMarkdown is the visible text of a page, and its title.
func htmlToMarkdown(w *work, text string) (md, title string, err error) {
	if len(text) > maxHTML {
		return "", "", tooLarge("the HTML is larger than %d MiB", maxHTML>>20)
	}
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return "", "", damaged("the HTML cannot be read: it is nested too deeply or damaged")
	}
	title, err = clean(w, root, 0)
	if err != nil {
		return "", "", err
	}
	out, err := converter.NewConverter(converter.WithPlugins(
		base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(),
		table.NewTablePlugin(table.WithSkipEmptyRows(true), table.WithHeaderPromotion(true), table.WithCellPaddingBehavior(table.CellPaddingBehaviorMinimal)),
	)).ConvertNode(root, converter.WithContext(w.ctx))
	if err != nil {
		return "", "", fmt.Errorf("convert HTML: %w", err)
	}
	return string(bytes.TrimSpace(out)), title, nil
}

// clean takes out of a tree what people do not see, and answers the title.
func clean(w *work, n *html.Node, depth int) (title string, err error) {
	if depth > 4*w.limits.Depth {
		return "", tooLarge("the HTML is nested too deeply")
	}
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if err := w.step(); err != nil {
			return "", err
		}
		switch {
		case c.DataAtom == atom.Title && c.FirstChild != nil && title == "":
			title = oneLine(strings.ToValidUTF8(c.FirstChild.Data[:min(len(c.FirstChild.Data), 500)], ""))
			n.RemoveChild(c)
		case hiddenNode(c):
			n.RemoveChild(c)
		default:
			inner, err := clean(w, c, depth+1)
			if err != nil {
				return "", err
			}
			if title == "" {
				title = inner
			}
		}
		c = next
	}
	return title, nil
}

// hiddenNode reports whether a browser shows nothing of a node. Text that only
// a machine sees is a way to talk to models behind people's backs.
func hiddenNode(n *html.Node) bool {
	switch n.Type {
	case html.CommentNode:
		return true
	case html.ElementNode:
	default:
		return false
	}
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Template, atom.Noscript, atom.Iframe, atom.Object, atom.Embed, atom.Svg, atom.Link, atom.Meta, atom.Canvas, atom.Input:
		return true
	default:
	}
	for i, a := range n.Attr {
		switch a.Key {
		case "hidden":
			return true
		case "style":
			if hiddenStyle(a.Val) {
				return true
			}
		case "src", "href":
			if lower := strings.ToLower(strings.TrimSpace(a.Val)); strings.HasPrefix(lower, "data:") || strings.HasPrefix(lower, "javascript:") {
				n.Attr[i].Val = ""
			}
		}
	}
	return false
}

func hiddenStyle(style string) bool {
	for rule := range strings.SplitSeq(strings.ToLower(style), ";") {
		name, value, ok := strings.Cut(rule, ":")
		if !ok {
			continue
		}
		name = strings.TrimSpace(name)
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		switch name {
		case "display":
			if value == "none" {
				return true
			}
		case "visibility":
			if value == "hidden" || value == "collapse" {
				return true
			}
		case "opacity", "font-size", "max-height", "max-width":
			if number := strings.TrimRight(value, "pxemrt%"); strings.Trim(number, "0.") == "" && number != "" {
				return true
			}
		case "mso-hide":
			return true
		}
	}
	return false
}
