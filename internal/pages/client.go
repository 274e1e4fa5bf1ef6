package pages

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

// The kinds of clients, as package store spells them.
const (
	kindDocument   = "document"
	kindRegistered = "registered"
	kindConfigured = "configured"
)

// trust says how far the name of a client is known.
func (c ClientView) trust(t view) node {
	switch {
	case c.Kind == kindDocument && hostOf(c.ID) != "":
		return g.Group{
			say(t.client.document, part{"host", h.Strong(outside(hostOf(c.ID)))}),
			g.If(c.Local, g.Text(" "+t.client.localName)),
		}
	case c.Kind == kindConfigured:
		return g.Text(t.client.configured)
	}
	return g.Text(t.client.registered)
}

// homePage is a link to what the client says is its home page.
func (c ClientView) homePage(t view) node {
	address := webLink(c.URI)
	if hostOf(address) == "" {
		return nil
	}
	return h.P(h.Class("soft"), g.Text(t.client.homePage), g.Text(": "), t.tabLink("", address, outside(hostOf(address))))
}

// words say what a switch allows.
func (t view) words(area string, right string) string {
	a, ok := t.areas[area]
	if !ok {
		a = t.otherArea
	}
	switch right {
	case "read":
		return a.read
	case "write":
		return a.write
	case "send":
		if a.send == "" {
			return t.otherArea.send
		}
		return a.send
	}
	return clean(right)
}

// areaName is what people call an area.
func (t view) areaName(area string) string {
	if a, ok := t.areas[area]; ok {
		return a.name
	}
	return clean(area)
}
