package pages

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (p Waiting) draw(t view) sheet {
	title, lead := t.waiting.accountTitle, t.waiting.accountLead
	var name string
	if p.Client != nil {
		title, lead, name = t.waiting.title, t.waiting.lead, t.named(p.Client.Name)
	}
	if p.Linked {
		title, lead = t.link.waitingTitle, t.link.waitingLead
	}
	nextcloud := part{"nextcloud", h.Strong(outside(p.Nextcloud))}
	self := webLink(p.SelfURL)
	return sheet{
		title: fill(title, "client", name), scripted: true, polls: true, popup: true, slim: true,
		head: h.NoScript(h.Meta(g.Attr("http-equiv", "refresh"), h.Content("4;url="+self))),
		main: h.Main(
			h.H1(say(title, t.who(name))),
			g.If(t.reasons[p.Reason] != "", h.P(h.Class("note"), g.Text(t.reasons[p.Reason]))),
			h.P(say(lead, t.who(name), nextcloud)),
			h.Div(h.Class("card"),
				t.tabLink("button main wide", webLink(p.OpenURL), say(t.waiting.open, part{"nextcloud", outside(p.Nextcloud)})),
				h.P(h.Class("wait"), h.Span(h.Role("status"),
					h.Data("status", webLink(p.StatusURL)), h.Data("next", self),
					h.Data("done", t.waiting.success), h.Data("lost", t.waiting.lost),
					g.Text(t.waiting.state))),
				h.NoScript(h.P(h.Class("soft"), g.Text(t.waiting.reloads))),
			),
			g.Iff(webLink(p.PhoneURL) != "", func() node { return p.phone(t) }),
			g.If(webLink(p.Other) != "", h.P(link(webLink(p.Other), g.Text(t.waiting.other)))),
			g.If(webLink(p.CancelURL) != "", h.Div(h.Class("row"),
				post(webLink(p.CancelURL), p.CSRF, h.Name("decision"), h.Value("deny"), g.Text(t.waiting.cancel)))),
		),
	}
}

// phone is the way to sign in on another device.
func (p Waiting) phone(t view) node {
	return h.Details(h.Class("card"),
		h.Summary(g.Text(t.waiting.phone)),
		h.P(g.Text(t.waiting.phoneHow)),
		qrCode(p.PhoneURL, t.waiting.qr),
		h.P(say(t.waiting.code, part{"code", h.Strong(outside(p.Code))})),
		h.P(h.Class("soft"), g.Text(t.waiting.phoneLink), g.Text(": "), h.Code(g.Text(p.PhoneURL))),
	)
}

func (p Phone) draw(t view) sheet {
	lead := t.phone.accountLead
	var name string
	if p.Client != nil {
		lead, name = t.phone.lead, t.named(p.Client.Name)
	}
	return sheet{
		title: t.phone.title, popup: true, slim: true,
		main: h.Main(
			h.H1(g.Text(t.phone.title)),
			h.P(say(lead, t.who(name), part{"server", h.Strong(outside(p.Server))})),
			h.Div(h.Class("card"),
				h.P(g.Text(t.phone.code)),
				h.P(h.Class("code"), outside(p.Code)),
				h.P(h.Class("bad"), g.Text(t.phone.warning)),
				h.A(h.Class("button main wide"), h.Href(webLink(p.ContinueURL)),
					say(t.phone.next, part{"nextcloud", outside(p.Nextcloud)})),
			),
		),
	}
}
