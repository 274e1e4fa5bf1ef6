package pages

import (
	"crypto/sha256"
	_ "embed" // the style and the script
	"encoding/base64"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// One style and one script for all pages: a page carries them itself, so that
// it needs nothing else, and the policy of its headers names them by hash.
var (
	//go:embed style.css
	styleFile string
	//go:embed script.js
	scriptFile string

	style, script         = strings.TrimSpace(styleFile), strings.TrimSpace(scriptFile)
	styleHash, scriptHash = hash(style), hash(script)
)

// hash is a source expression of a content security policy (CSP 3, 2.3.1).
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

const product = "Nextcloud MCP Server"

// document is the whole page.
func (s sheet) document(t *texts, base string) node {
	return h.Doctype(h.HTML(
		h.Lang(t.tag),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.TitleEl(g.Text(s.title+" · "+product)),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			g.If(!s.public, h.Meta(h.Name("robots"), h.Content("noindex"))),
			s.head,
			h.StyleEl(g.Raw(style)),
		),
		h.Body(
			g.If(s.slim, h.Class("slim")),
			h.Header(h.A(h.Href(base+"/"), g.Text(product))),
			s.main,
			g.If(s.scripted, h.Script(g.Raw(script))),
		),
	))
}

// link is a link, or only its words when the address may not be followed.
func link(address string, children ...node) node {
	if address == "" {
		return g.Group(children)
	}
	return h.A(h.Href(address), g.Group(children))
}

// tabLink opens another tab, which knows nothing of this one. Screen readers
// say so.
func (t *texts) tabLink(class, address string, children ...node) node {
	return h.A(g.If(class != "", h.Class(class)), h.Href(address), h.Target("_blank"), h.Rel("noopener noreferrer"),
		g.Group(children), h.Span(h.Class("hidden"), g.Text(" "+t.newTab)))
}

// post is a form with one button.
func post(action, csrf string, button ...node) node {
	return h.Form(h.Method("post"), h.Action(action), hidden("csrf", csrf), h.Button(g.Group(button)))
}

func hidden(name, value string) node {
	return h.Input(h.Type("hidden"), h.Name(name), h.Value(value))
}

// copyable is a text with a button that copies it. Without a script there is
// no button, and one click marks the text.
func (t *texts) copyable(id, text string) node {
	return h.Div(h.Class("row"),
		h.Code(h.ID(id), h.Class("address"), g.Text(text)),
		h.Button(h.Type("button"), h.Hidden(""), h.Data("copy", id), h.Data("ready", t.landing.ready), g.Text(t.landing.copy)),
		h.Span(h.Role("status")),
	)
}
