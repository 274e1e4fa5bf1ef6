package pages

import (
	"slices"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (p Consent) draw(t view) sheet {
	name := t.named(p.Client.Name)
	return sheet{
		title: fill(t.consent.title, "client", name), popup: true,
		main: h.Main(
			h.H1(say(t.consent.title, t.who(name))),
			g.If(p.Again, h.P(h.Class("note"), say(t.consent.again, t.who(name)))),
			h.Section(h.Class("card"), h.Aria("labelledby", "who"),
				h.H2(h.ID("who"), g.Text(t.consent.who)),
				h.P(h.Strong(outside(name)), g.Text(". "), p.Client.trust(t)),
				p.Client.homePage(t),
				h.Dl(
					h.Dt(g.Text(t.consent.answer)), h.Dd(h.Strong(t.place(p.Client.RedirectHost, p.Client.Local))),
					h.Dt(g.Text(t.consent.signedIn)), h.Dd(p.person(t)),
				),
				h.P(h.Class("soft"), say(t.consent.own, t.who(name))),
			),
			p.form(t, t.consent.nothing, g.Group{
				h.P(h.Class("soft"), say(t.consent.service, t.who(name))),
				// Refusing comes first, so that Enter inside the form never allows.
				h.Div(h.Class("row end"),
					h.Button(h.Name("decision"), h.Value("deny"), g.Text(t.consent.deny)),
					h.Button(h.Class("main"), h.Name("decision"), h.Value("allow"), g.Text(t.consent.allow))),
			}),
		),
	}
}

// person is who is signed in, with a way to become somebody else.
func (p Consent) person(t view) node {
	return g.Group{
		say(t.consent.account, part{"name", h.Strong(outside(p.UserName))}, part{"id", outside(p.UserID)}, part{"nextcloud", outside(p.Nextcloud)}),
		g.If(webLink(p.NotYouURL) != "",
			post(webLink(p.NotYouURL), p.CSRF, h.Class("text"), g.Text(t.consent.notYou))),
	}
}

// form asks what the client may do. Nothing refers to what comes after it, so
// that the page can be read from the top.
func (p Consent) form(t view, nothing string, end node) node {
	return h.Form(h.Method("post"), h.Action(webLink(p.Action)),
		hidden("csrf", p.CSRF),
		h.Section(h.Class("card"), h.Aria("labelledby", "what"),
			h.H2(h.ID("what"), g.Text(t.consent.what)),
			g.If(p.NothingLeft, h.P(h.Class("bad"), h.Role("alert"), g.Text(nothing))),
			h.P(h.Class("soft"), g.Text(t.consent.implied)),
			h.Div(h.Class("areas"), g.Map(p.Areas, func(a ConsentArea) node {
				return h.FieldSet(h.Legend(g.Text(t.areaName(a.Area))), g.Map(a.Switches, func(s Switch) node {
					return tick("scope", s.Scope, s.On, t.words(a.Area, s.Right))
				}))
			})),
		),
		h.Section(h.Class("card"), h.Aria("labelledby", "limits"),
			h.H2(h.ID("limits"), g.Text(t.consent.limits)),
			tick("read_only", "1", p.ReadOnly, t.consent.readOnly),
			tick("no_delete", "1", p.NoDelete, t.consent.noDelete),
			g.Iff(p.AskFolders, func() node { return p.folders(t) }),
			g.Iff(len(p.Lifetimes) > 0, func() node { return p.lifetime(t) }),
		),
		end,
	)
}

// tick is a switch with its words.
func tick(name, value string, on bool, words string) node {
	return h.Label(h.Class("tick"),
		h.Input(h.Type("checkbox"), h.Name(name), h.Value(value), g.If(on, h.Checked())),
		h.Span(g.Text(words)))
}

func (p Consent) folders(t view) node {
	bad := t.folderBads[p.FoldersBad]
	if bad == "" && p.FoldersBad != "" {
		bad = t.folderBads["path"]
	}
	return h.Div(h.Class("field"),
		h.Label(h.For("folders"), g.Text(t.consent.folders)),
		h.P(h.Class("soft"), h.ID("folders-hint"), g.Text(t.consent.foldersHint)),
		g.If(bad != "", h.P(h.Class("bad"), h.ID("folders-bad"), h.Role("alert"), g.Text(bad))),
		h.Textarea(h.ID("folders"), h.Name("folders"), h.Rows("3"), g.Attr("spellcheck", "false"),
			h.Aria("describedby", "folders-hint"+map[bool]string{true: " folders-bad"}[bad != ""]),
			g.If(bad != "", h.Aria("invalid", "true")),
			// A parser drops the first line break of a text area.
			g.Text("\n"+p.Folders)),
	)
}

func (p Consent) lifetime(t view) node {
	all := p.Lifetimes
	if p.Lifetime != "" && !slices.Contains(all, p.Lifetime) {
		all = append(slices.Clone(all), p.Lifetime)
	}
	return h.Div(h.Class("field"),
		h.Label(h.For("lifetime"), g.Text(t.consent.lifetime)),
		h.Select(h.ID("lifetime"), h.Name("lifetime"), g.Map(all, func(value string) node {
			words, ok := t.lifetimes[value]
			if !ok {
				words = clean(value)
			}
			return h.Option(h.Value(value), g.If(value == p.Lifetime, h.Selected()), g.Text(words))
		})),
	)
}

func (p Change) draw(t view) sheet {
	name := t.named(p.Client.Name)
	return sheet{
		title: fill(t.consent.changeTitle, "client", name),
		main: h.Main(
			h.H1(say(t.consent.changeTitle, t.who(name))),
			h.P(say(t.consent.changeLead, t.who(name))),
			p.form(t, t.consent.changeNothing, h.Div(h.Class("row end"),
				g.If(webLink(p.BackURL) != "", h.A(h.Class("button"), h.Href(webLink(p.BackURL)), g.Text(t.consent.changeBack))),
				h.Button(h.Class("main"), h.Name("decision"), h.Value("save"), g.Text(t.consent.save)))),
		),
	}
}
