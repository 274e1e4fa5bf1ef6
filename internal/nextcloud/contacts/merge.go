package contacts

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Merge is what becomes of several contacts.
type Merge struct {
	Contact *Contact
	Added   []string // what the kept contact gets
	LeftOut []string // what the others say differently, or what it cannot hold
	Removed []Removed
	Done    bool
}

// Removed is a contact that went into another one.
type Removed struct {
	UID   string `json:"uid"`
	Name  string `json:"name"`
	VCard string `json:"vcard,omitempty"` // as it was stored
}

const maxMerged = 20

// Merge adds what other contacts of the address book say to one of them and
// removes the others. With dryRun it only says what would become of them.
func (c *Client) Merge(ctx context.Context, t Target, others []string, dryRun bool) (*Merge, error) {
	const op = "merge contacts"
	if len(others) == 0 || len(others) > maxMerged {
		return nil, invalidf(op, "give between 1 and %d other contacts", maxMerged)
	}
	return in(ctx, c, op, t.Addressbook, func(b *Book) (*Merge, error) {
		if err := mayWrite(op, b); err != nil {
			return nil, err
		}
		kept, err := c.find(ctx, op, b, t.UID)
		if err != nil {
			return nil, err
		}
		if err := kept.unchanged(op, t.ETag); err != nil {
			return nil, err
		}
		out := &Merge{}
		var gone []*object
		for _, uid := range others {
			o, err := c.find(ctx, op, b, uid)
			if err != nil {
				return nil, err
			}
			if o.path == kept.path || slices.ContainsFunc(gone, func(g *object) bool { return g.path == o.path }) {
				return nil, invalidf(op, "%.80q is named twice", uid)
			}
			gone = append(gone, o)
			out.take(kept.card, o.card)
			out.Removed = append(out.Removed, Removed{UID: o.card.UID(), Name: displayName(o.card)})
		}
		out.Contact = kept.contact()
		if dryRun {
			return out, nil
		}
		c.stamp(kept.card, false)
		out.Contact.ETag, err = c.put(ctx, op, kept.path, kept.card, dav.Condition{ETag: kept.etag})
		if err != nil {
			return nil, err
		}
		for i, o := range gone {
			if err := c.dav.Delete(ctx, dav.Query{Op: op, Path: o.path}, dav.Condition{ETag: o.etag}); err != nil {
				return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrPartly, Err: err, Message: fmt.Sprintf(
					"%s now holds everything, but %s could not be removed: %s", out.Contact.Name, out.Removed[i].UID, reason(explain(err)))}
			}
			c.forget(ctx, b, o.card.UID())
			out.Removed[i].VCard = string(o.data)
		}
		out.Done = true
		return out, nil
	})
}

// once are properties that a card has at most one of.
var once = []string{"N", "FN", "BDAY", "GENDER", "KIND", "ORG", "TITLE", "ROLE", "GEO", "TZ", "LANG", "X-ABSHOWAS", "PHOTO"}

// ownOnly are properties that say something of their own card alone.
var ownOnly = []string{"VERSION", "PRODID", "UID", "REV", "SOURCE", "CLIENTPIDMAP", "SORT-STRING", "X-ABADR", "X-ABLABEL", "NAME", "PROFILE", "CLASS", "CLOUD"}

// take adds what another card says.
func (m *Merge) take(card, other *vcard.Card) {
	for _, l := range other.Lines() {
		name := l.Name()
		switch {
		case name == "" || slices.Contains(ownOnly, name):
		case slices.Contains([]string{"EMAIL", "TEL", "URL", "IMPP", "X-SOCIALPROFILE", "ADR"}, name):
			m.takeValue(card, other, l)
		case name == "NOTE":
			m.takeNote(card, l.Text())
		case name == "CATEGORIES" || name == "NICKNAME":
			m.takeList(card, name, l.Texts())
		case slices.Contains([]string{"ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY"}, name) || other.Anniversary() == l:
			m.takeDate(card.Anniversary(), l, func(d string) { card.SetAnniversary(d) })
		case name == "BDAY":
			m.takeDate(card.Prop("BDAY"), l, func(d string) { card.SetDate("BDAY", d) })
		case name == "PHOTO":
			m.takePhoto(card, other)
		case slices.Contains(once, name):
			m.takeOnce(card, l)
		default:
			m.takeOther(card, other, l)
		}
	}
}

func (m *Merge) added(l *vcard.Line) {
	m.Added = append(m.Added, fmt.Sprintf("%s: %.120s", strings.ToLower(l.Name()), text(l)))
}

func (m *Merge) left(l *vcard.Line) {
	m.LeftOut = append(m.LeftOut, fmt.Sprintf("%s: %.120s", strings.ToLower(l.Name()), strings.Trim(text(l), "; ")))
}

// takeValue adds a line of a property with several values, unless it is there.
func (m *Merge) takeValue(card, other *vcard.Card, l *vcard.Line) {
	if strings.Trim(text(l), "; ") == "" {
		return
	}
	for _, have := range card.PropAll(l.Name()) {
		if sameValue(l.Name(), text(have), text(l)) {
			return
		}
	}
	m.copyLine(card, other, l)
	m.added(l)
}

// copyLine adds a line with its label. It is not the preferred one any more.
func (m *Merge) copyLine(card, other *vcard.Card, l *vcard.Line) {
	made := l.Copy()
	label := other.Label(l)
	card.Add(made)
	if len(card.PropAll(l.Name())) > 1 {
		card.SetPreferred(made, false)
	}
	if label != "" {
		card.SetLabel(made, label)
	}
}

func (m *Merge) takeNote(card *vcard.Card, note string) {
	note = strings.TrimSpace(note)
	have := card.Text("NOTE")
	switch {
	case note == "" || strings.Contains(have, note):
		return
	case have == "":
		card.SetText("NOTE", note)
	default:
		card.SetText("NOTE", have+"\n\n"+note)
	}
	m.Added = append(m.Added, fmt.Sprintf("note: %.120s", note))
}

func (m *Merge) takeList(card *vcard.Card, name string, texts []string) {
	var have []string
	for _, l := range card.PropAll(name) {
		have = append(have, l.Texts()...)
	}
	for _, t := range texts {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, t) }) {
			have = append(have, t)
			m.Added = append(m.Added, strings.ToLower(name)+": "+t)
		}
	}
	setList(card, name, have)
}

func (m *Merge) takeDate(have, l *vcard.Line, set func(date string)) {
	date := l.Date()
	switch {
	case date == "" || have != nil && have.Date() == date:
	case have != nil || vcard.CheckDate(date) != nil:
		m.LeftOut = append(m.LeftOut, fmt.Sprintf("%s: %.40s", strings.ToLower(l.Name()), date))
	default:
		set(date)
		m.Added = append(m.Added, strings.ToLower(l.Name())+": "+date)
	}
}

func (m *Merge) takePhoto(card, other *vcard.Card) {
	p := other.Photo()
	switch {
	case p == nil || len(p.Data) == 0:
	case card.Prop("PHOTO") != nil:
		if have := card.Photo(); have == nil || string(have.Data) != string(p.Data) {
			m.LeftOut = append(m.LeftOut, fmt.Sprintf("photo: %s, %d bytes", p.Type, len(p.Data)))
		}
	default:
		card.SetPhoto(p.Data, p.Type)
		m.Added = append(m.Added, fmt.Sprintf("photo: %s, %d bytes", p.Type, len(p.Data)))
	}
}

// takeOnce fills a property that the card lacks.
func (m *Merge) takeOnce(card *vcard.Card, l *vcard.Line) {
	empty := func(l *vcard.Line) bool { return strings.Trim(text(l), "; ") == "" }
	have := card.Prop(l.Name())
	switch {
	case empty(l):
	case have == nil || empty(have):
		if have != nil {
			card.RemoveLine(have)
		}
		card.Add(l.Copy())
		m.added(l)
	case !strings.EqualFold(strings.Trim(text(have), "; "), strings.Trim(text(l), "; ")):
		m.left(l)
	}
}

// takeOther adds a line that this package knows nothing of.
func (m *Merge) takeOther(card, other *vcard.Card, l *vcard.Line) {
	for _, have := range card.PropAll(l.Name()) {
		if have.Value() == l.Value() {
			return
		}
	}
	// What is written in base64 is written otherwise in the other version.
	if card.V4() != other.V4() && l.Param("ENCODING") != "" {
		m.LeftOut = append(m.LeftOut, strings.ToLower(l.Name()))
		return
	}
	m.copyLine(card, other, l)
	m.Added = append(m.Added, strings.ToLower(l.Name()))
}
