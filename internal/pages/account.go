package pages

import (
	"net/url"
	"slices"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (p Account) draw(t view) sheet {
	account := t.base + "/account"
	return sheet{
		title: t.account.title, scripted: len(p.Connections) == 0,
		main: h.Main(
			h.H1(g.Text(t.account.title)),
			g.If(t.notices[p.Notice] != "", h.P(h.Class("note"), h.Role("status"), g.Text(t.notices[p.Notice]))),
			h.P(say(t.account.signedIn, part{"name", h.Strong(outside(p.UserName))}, part{"id", outside(p.UserID)}, part{"nextcloud", outside(p.Nextcloud)})),
			post(account+"/sign-out", p.CSRF, h.Class("text"), g.Text(t.account.signOut)),
			h.Section(h.Aria("labelledby", "connections"),
				h.H2(h.ID("connections"), g.Text(t.account.connections)),
				p.connections(t, account)),
			h.Section(h.Class("card"),
				h.H2(h.ID("lately"), g.Text(t.account.lately)),
				h.P(h.Class("soft"), g.Text(t.account.latelyHint)),
				p.lately(t)),
		),
	}
}

func (p Account) connections(t view, account string) node {
	if len(p.Connections) == 0 {
		return h.Div(h.Class("card"),
			h.P(g.Text(t.account.none)),
			h.P(g.Text(t.account.noneHow)),
			t.copyable("url", p.MCPURL))
	}
	return g.Group{
		h.Ul(h.Class("plain"), g.Map(p.Connections, func(c Connection) node { return c.card(t, account, p.CSRF) })),
		h.P(h.Class("soft"), g.Text(t.account.endHint)),
		g.If(len(p.Connections) > 1, h.Details(
			h.Summary(g.Text(t.account.endAll)),
			h.P(g.Text(t.account.endAllHint)),
			post(account+"/end-all", p.CSRF, h.Class("risk"), g.Text(t.account.endAll)))),
	}
}

func (c Connection) card(t view, account, csrf string) node {
	name := t.named(c.Client.Name)
	path := account + "/connections/" + url.PathEscape(c.ID)
	// Buttons of several cards have the same words: who cannot see the card
	// hears the name with them.
	of := h.Span(h.Class("hidden"), g.Text(": "+name))
	toggle, word := "/pause", t.account.pause
	if c.Paused {
		toggle, word = "/resume", t.account.resume
	}
	return h.Li(h.Class("card"),
		h.H3(outside(name), g.If(c.Paused, h.Span(h.Class("badge"), g.Text(t.account.paused)))),
		h.P(h.Class("soft"), c.Client.trust(t)),
		h.Dl(
			h.Dt(g.Text(t.account.answer)), h.Dd(t.place(c.Client.RedirectHost, c.Client.Local)),
			h.Dt(g.Text(t.account.since)), h.Dd(t.when(c.Since, t.never)),
			h.Dt(g.Text(t.account.lastUsed)), h.Dd(t.when(c.LastUsed, t.never)),
			h.Dt(g.Text(t.account.ends)), h.Dd(t.when(c.Ends, t.account.noEnd)),
			h.Dt(g.Text(t.account.may)), h.Dd(c.may(t)),
			g.Iff(len(c.Folders) > 0, func() node {
				return g.Group{h.Dt(g.Text(t.account.folders)), h.Dd(h.Ul(h.Class("plain"),
					g.Map(c.Folders, func(folder string) node { return h.Li(h.Code(outside(folder))) })))}
			}),
		),
		h.Div(h.Class("row"),
			h.A(h.Class("button"), h.Href(path), g.Text(t.account.change), of),
			post(path+toggle, csrf, g.Text(word), of),
			post(path+"/end", csrf, h.Class("risk"), g.Text(t.account.end), of)),
	)
}

// may says in a few words what a connection was granted.
func (c Connection) may(t view) node {
	var lines g.Group
	for _, a := range c.Areas {
		var rights []string
		for _, s := range a.Switches {
			if s.On && !slices.Contains(rights, t.right(s.Right)) {
				rights = append(rights, t.right(s.Right))
			}
		}
		if len(rights) > 0 {
			lines = append(lines, h.Li(g.Text(t.areaName(a.Area)+": "+strings.Join(rights, ", "))))
		}
	}
	if c.ReadOnly {
		lines = append(lines, h.Li(h.Strong(g.Text(t.account.readOnly))))
	}
	if c.NoDelete {
		lines = append(lines, h.Li(h.Strong(g.Text(t.account.noDelete))))
	}
	return h.Ul(h.Class("plain"), lines)
}

func (t view) right(right string) string {
	if words, ok := t.rights[right]; ok {
		return words
	}
	return clean(right)
}

func (p Account) lately(t view) node {
	if len(p.Lately) == 0 {
		return h.P(g.Text(t.account.nothing))
	}
	column := func(name string) node { return h.Th(h.Scope("col"), g.Text(name)) }
	// The table is wider than a phone: who has no pointer reaches it to scroll.
	return h.Div(h.Class("scroll"), h.Role("region"), h.Aria("labelledby", "lately"), h.TabIndex("0"), h.Table(
		h.THead(h.Tr(column(t.account.when), column(t.account.client), column(t.account.tool), column(t.account.object), column(t.account.outcome))),
		h.TBody(g.Map(p.Lately, func(line AuditLine) node {
			outcome, ok := t.outcomes[line.Outcome]
			if !ok {
				outcome = clean(line.Outcome)
			}
			return h.Tr(h.Td(t.when(line.At, "")), h.Td(outside(line.Client)), h.Td(h.Code(g.Text(clean(line.Tool)))),
				h.Td(outside(line.Object)), h.Td(g.Text(outcome)))
		})),
	))
}

func (p SignedOut) draw(t view) sheet {
	return sheet{
		title: t.signedOut.title, slim: true,
		main: h.Main(
			h.H1(g.Text(t.signedOut.title)),
			h.P(g.Text(t.signedOut.lead)),
			g.If(webLink(p.AccountURL) != "", h.P(h.A(h.Class("button"), h.Href(webLink(p.AccountURL)), g.Text(t.signedOut.again)))),
		),
	}
}
