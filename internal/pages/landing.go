package pages

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"nextcloud-mcp-server/internal/clientguide"
)

// serverName is how clients are told to name this server.
const serverName = "nextcloud"

func (p Landing) draw(t view) sheet {
	signIn := p.AccountURL != ""
	return sheet{
		title: t.landing.title, scripted: true, public: true,
		main: h.Main(
			h.H1(g.Text(t.landing.title)),
			g.If(signIn, h.P(say(t.landing.lead, part{"nextcloud", h.Strong(outside(p.Nextcloud))}))),
			h.Section(h.Class("card"), h.Aria("labelledby", "address"),
				h.H2(h.ID("address"), g.Text(t.landing.address)),
				h.P(g.Text(t.landing.paste)),
				t.copyable("url", p.MCPURL),
			),
			h.Section(h.Class("card"), h.Aria("labelledby", "how"),
				h.H2(h.ID("how"), g.Text(t.landing.how)),
				g.Map(clientguide.All(), func(c clientguide.Client) node { return t.howTo(c, p.MCPURL) }),
			),
			h.Section(h.Class("card"), h.Aria("labelledby", "privacy"),
				h.H2(h.ID("privacy"), g.Text(t.landing.privacy)),
				h.P(g.Text(t.landing.stores)),
				h.P(g.Text(t.landing.service)),
				g.If(signIn, h.P(g.Text(t.landing.signIn))),
			),
			g.If(signIn, h.P(link(webLink(p.AccountURL), g.Text(t.landing.account)))),
		),
	}
}

// howTo is how one client is told about this server.
func (t view) howTo(c clientguide.Client, address string) node {
	parts := g.Group{
		h.Summary(g.Text(c.Name)),
		g.If(c.Hosted, h.P(h.Class("soft"), g.Text(t.landing.hosted))),
		h.Ol(g.Map(c.Steps(t.tag, serverName, address), func(step string) node { return h.Li(g.Text(step)) })),
	}
	if c.DeepLink != nil {
		// The table of clients makes this link, not somebody outside.
		parts = append(parts, h.P(h.A(h.Class("button"), h.Href(c.DeepLink(serverName, address)),
			g.Text(fill(t.landing.link, "client", c.Name)))))
	}
	if line := c.CommandLine(serverName, address); line != "" {
		parts = append(parts, h.P(g.Text(t.landing.run)), t.copyable("run-"+c.Key, line))
	}
	if c.File.Text != nil {
		parts = append(parts, h.P(say(t.landing.file, part{"file", h.Code(g.Text(c.File.Path))})),
			h.Pre(h.Code(g.Text(c.File.Text(serverName, address)))))
	}
	return h.Details(parts)
}
