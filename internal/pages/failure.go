package pages

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (p Failure) draw(t view) sheet {
	words, known := t.problems[p.Code]
	if !known {
		words = t.otherwise
	}
	var name string
	if p.Client != nil {
		name = p.Client.Name
	}
	retry, back := webLink(p.RetryURL), redirectLink(p.BackTo)
	return sheet{
		title: words.title, popup: true, slim: true,
		main: h.Main(
			h.H1(g.Text(words.title)),
			h.Div(h.Class("card"),
				h.P(g.Text(words.happened)),
				h.P(h.Strong(g.Text(words.next))),
				g.If(p.Detail != "", h.P(h.Class("soft"), h.Lang("en"), outside(p.Detail))),
				h.Div(h.Class("row"),
					g.If(retry != "", h.A(h.Class("button main"), h.Href(retry), g.Text(t.failure.again))),
					g.If(back != "", h.A(h.Class("button"), h.Href(back), say(t.failure.back, part{"client", outside(t.named(name))}))),
				),
			),
			g.If(known, h.P(h.Class("soft"), say(t.failure.code, part{"code", h.Code(g.Text(p.Code))}))),
		),
	}
}
