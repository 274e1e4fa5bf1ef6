package pages

import (
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// ShortID is a client's id as people can tell it from others at a glance: ids
// of registered clients are often long, and random. An address is its host.
func ShortID(id string) string {
	const longest, kept = 32, 16
	if host := hostOf(id); host != "" {
		return host
	}
	if runes := []rune(strings.TrimSpace(id)); len(runes) > longest {
		return string(runes[:kept]) + "…"
	}
	return id
}

func (p SignInLink) draw(t view) sheet {
	name := t.named(ShortID(p.Client))
	nextcloud, server := part{"nextcloud", h.Strong(outside(p.Nextcloud))}, part{"server", h.Strong(outside(p.Server))}
	return sheet{
		title: fill(t.link.title, "client", name), popup: true, slim: true,
		main: h.Main(
			h.H1(say(t.link.title, t.who(name))),
			h.P(say(t.link.lead, t.who(name), server, nextcloud)),
			h.Div(h.Class("card"),
				g.If(p.Client != "", h.P(h.Class("soft"), say(t.link.client, part{"client", h.Code(outside(p.Client))}))),
				h.P(h.Class("bad"), g.Text(t.link.warning)),
				h.A(h.Class("button main wide"), h.Href(webLink(p.ContinueURL)), g.Text(t.link.next)),
			),
		),
	}
}

func (p SignInDone) draw(t view) sheet {
	return sheet{
		title: t.link.doneTitle, popup: true, slim: true,
		main: h.Main(
			h.H1(g.Text(t.link.doneTitle)),
			h.Div(h.Class("card"), h.P(say(t.link.doneLead, t.who(ShortID(p.Client)), part{"nextcloud", h.Strong(outside(p.Nextcloud))}))),
		),
	}
}
