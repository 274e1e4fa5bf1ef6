package pages

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (p Leaving) draw(t view) sheet {
	name := t.named(p.ClientName)
	title, lead := t.leaving.title, t.leaving.lead
	if p.Denied {
		title, lead = t.leaving.deniedTitle, t.leaving.deniedLead
	}
	place := part{"host", t.place(p.Host, p.Local)}
	return away(redirectLink(p.To), sheet{title: fill(title, "client", name)},
		h.H1(say(title, t.who(name))),
		h.P(say(lead, t.who(name), place)),
		say(t.leaving.back, part{"client", outside(name)}),
		h.P(h.Class("soft"), g.Text(t.leaving.close)))
}

func (p Onward) draw(t view) sheet {
	to := webLink(p.To)
	host := part{"host", h.Strong(outside(hostOf(to)))}
	return away(to, sheet{title: t.leaving.onward},
		h.H1(g.Text(t.leaving.onward)),
		h.P(say(t.leaving.onwardLead, host)),
		say(t.leaving.onwardLink, part{"host", outside(hostOf(to))}),
		nil)
}

// away is a page that sends the browser elsewhere: by the script, without one
// by the refresh, and by a link where a browser wants a click, as for the
// address of a program. The script and the refresh never act both: a code is
// good once.
func away(to string, s sheet, heading, lead, words, hint node) sheet {
	s.popup, s.slim = true, true
	if to == "" {
		s.main = h.Main(heading)
		return s
	}
	s.scripted = true
	s.head = h.NoScript(h.Meta(g.Attr("http-equiv", "refresh"), h.Content("0;url="+to)))
	s.main = h.Main(heading, lead,
		h.Div(h.Class("card"),
			h.A(h.Class("button main wide"), h.Href(to), h.Data("leave", ""), words),
			hint))
	return s
}
