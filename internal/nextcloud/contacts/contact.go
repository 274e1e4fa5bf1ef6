package contacts

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
)

// Value is one of several values of a contact: a mail address, a number, an
// address on the web.
type Value struct {
	Value     string   `json:"value" jsonschema:"value"`
	Types     []string `json:"types,omitempty" jsonschema:"such as home, work, cell"`
	Label     *string  `json:"label,omitempty" jsonschema:"own name for it"`
	Preferred *bool    `json:"preferred,omitempty" jsonschema:"take this first"`
}

// Address is a postal address.
type Address struct {
	POBox      string   `json:"po_box,omitempty" jsonschema:"box"`
	Extended   string   `json:"extended,omitempty" jsonschema:"flat, floor"`
	Street     string   `json:"street,omitempty" jsonschema:"street and number"`
	City       string   `json:"city,omitempty" jsonschema:"city"`
	Region     string   `json:"region,omitempty" jsonschema:"state"`
	PostalCode string   `json:"postal_code,omitempty" jsonschema:"code"`
	Country    string   `json:"country,omitempty" jsonschema:"country"`
	Types      []string `json:"types,omitempty" jsonschema:"home, work"`
	Label      *string  `json:"label,omitempty" jsonschema:"own name for it"`
	Preferred  *bool    `json:"preferred,omitempty" jsonschema:"take this first"`
}

// parts are the components of ADR, in its order (RFC 6350, 6.3.1).
func (a *Address) parts() []string {
	return []string{a.POBox, a.Extended, a.Street, a.City, a.Region, a.PostalCode, a.Country}
}

// line is the address in one line.
func (a *Address) line() string {
	var out []string
	for _, p := range a.parts() {
		if p != "" {
			out = append(out, strings.ReplaceAll(p, "\n", ", "))
		}
	}
	return strings.Join(out, ", ")
}

// Contact is everything about a contact, but for its photo.
type Contact struct {
	UID         string `json:"uid"`
	Addressbook string `json:"addressbook"`
	ETag        string `json:"etag,omitempty"`

	Name         string    `json:"fn"`
	GivenName    string    `json:"given_name,omitempty"`
	FamilyName   string    `json:"family_name,omitempty"`
	Additional   string    `json:"additional_names,omitempty"`
	Prefix       string    `json:"prefix,omitempty"`
	Suffix       string    `json:"suffix,omitempty"`
	Nickname     string    `json:"nickname,omitempty"`
	Organization string    `json:"org,omitempty"`
	Department   string    `json:"department,omitempty"`
	Title        string    `json:"title,omitempty"`
	Role         string    `json:"role,omitempty"`
	Emails       []Value   `json:"email,omitempty"`
	Phones       []Value   `json:"tel,omitempty"`
	Addresses    []Address `json:"adr,omitempty"`
	URLs         []Value   `json:"url,omitempty"`
	Social       []Value   `json:"social,omitempty"`
	Chats        []Value   `json:"impp,omitempty"`
	Birthday     string    `json:"bday,omitempty"`
	Anniversary  string    `json:"anniversary,omitempty"`
	Note         string    `json:"note,omitempty"`
	NoteCut      string    `json:"note_cut,omitempty"`
	Categories   []string  `json:"categories,omitempty"`

	Kind     string   `json:"kind,omitempty"`    // "group" for a card that lists others
	Members  []string `json:"members,omitempty"` // their uids
	HasPhoto bool     `json:"has_photo,omitempty"`
	Version  string   `json:"vcard_version,omitempty"`
	Modified string   `json:"rev,omitempty"`
	Other    []string `json:"other,omitempty"` // names of properties that are kept and not shown
}

// shown are the properties that a Contact has fields for.
var shown = []string{
	"VERSION", "PRODID", "UID", "FN", "N", "NICKNAME", "ORG", "TITLE", "ROLE", "EMAIL", "TEL", "ADR", "URL", "X-SOCIALPROFILE", "IMPP",
	"BDAY", "ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY", "NOTE", "CATEGORIES", "KIND", "X-ADDRESSBOOKSERVER-KIND",
	"MEMBER", "X-ADDRESSBOOKSERVER-MEMBER", "PHOTO", "REV", "X-ABLABEL", "X-ABADR",
}

const (
	maxNote    = 20_000 // characters
	maxMembers = 500
)

// Get is one contact whole; uid may be its full name when only one has it.
func (c *Client) Get(ctx context.Context, addressbook, uid string) (*Contact, error) {
	const op = "get contact"
	return in(ctx, c, op, addressbook, func(b *Book) (*Contact, error) {
		o, err := c.find(ctx, op, b, uid)
		if err != nil {
			return nil, err
		}
		return o.contact(), nil
	})
}

func (o *object) contact() *Contact {
	out := describe(o.card)
	out.Addressbook, out.ETag = o.book.Name, o.etag
	return out
}

// describe is what a card says.
func describe(card *vcard.Card) *Contact {
	n := nameParts(card)
	out := &Contact{
		UID: card.UID(), Name: displayName(card),
		FamilyName: n[0], GivenName: n[1], Additional: n[2], Prefix: n[3], Suffix: n[4],
		Nickname: strings.Join(card.Prop("NICKNAME").Texts(), ", "), Title: card.Text("TITLE"), Role: card.Text("ROLE"),
		Emails: values(card, "EMAIL"), Phones: values(card, "TEL"), URLs: values(card, "URL"), Social: values(card, "X-SOCIALPROFILE"), Chats: values(card, "IMPP"),
		Note: card.Text("NOTE"), Categories: categories(card), HasPhoto: card.Prop("PHOTO") != nil, Version: card.Version(), Modified: card.Text("REV"),
	}
	if org := card.Prop("ORG").Parts(); len(org) > 0 {
		out.Organization = org[0]
		out.Department = strings.Join(slices.DeleteFunc(org[1:], func(s string) bool { return s == "" }), ", ")
	}
	if l := card.Prop("BDAY"); l != nil {
		out.Birthday = l.Date()
	}
	if l := card.Anniversary(); l != nil {
		out.Anniversary = l.Date()
	}
	if n := utf8.RuneCountInString(out.Note); n > maxNote {
		out.Note = string([]rune(out.Note)[:maxNote])
		out.NoteCut = "the first " + itoa(maxNote) + " of " + itoa(n) + " characters; an export has all"
	}
	for _, l := range card.PropAll("ADR") {
		if a := address(card, l); a.line() != "" {
			out.Addresses = append(out.Addresses, a)
		}
	}
	if card.IsGroup() {
		out.Kind = "group"
		for _, l := range card.PropAll("MEMBER", "X-ADDRESSBOOKSERVER-MEMBER") {
			if len(out.Members) < maxMembers {
				out.Members = append(out.Members, strings.TrimPrefix(l.Text(), "urn:uuid:"))
			}
		}
	}
	for _, l := range card.Lines() {
		if name := l.Name(); name != "" && !slices.Contains(shown, name) && !slices.Contains(out.Other, name) && len(out.Other) < 50 {
			out.Other = append(out.Other, name)
		}
	}
	return out
}

// values are the values of a property that are not empty.
func values(card *vcard.Card, name string) []Value {
	var out []Value
	for _, l := range card.PropAll(name) {
		v := Value{Value: text(l), Types: l.Types()}
		if v.Value == "" {
			continue
		}
		if label := card.Label(l); label != "" {
			v.Label = &label
		}
		if l.Preferred() {
			v.Preferred = new(true)
		}
		out = append(out, v)
	}
	return out
}

// text is the value of a line as people read it.
func text(l *vcard.Line) string {
	if l.Is("TEL") {
		return phone(l)
	}
	return strings.TrimSpace(l.Text())
}

func address(card *vcard.Card, l *vcard.Line) Address {
	a := Address{
		POBox: l.Part(0), Extended: l.Part(1), Street: l.Part(2), City: l.Part(3), Region: l.Part(4), PostalCode: l.Part(5), Country: l.Part(6),
		Types: l.Types(),
	}
	if label := card.Label(l); label != "" {
		a.Label = &label
	}
	if l.Preferred() {
		a.Preferred = new(true)
	}
	return a
}

// nameParts are family name, given name, additional names, prefixes and
// suffixes (RFC 6350, 6.2.2).
func nameParts(card *vcard.Card) [5]string {
	var out [5]string
	l := card.Prop("N")
	for i := range out {
		out[i] = l.Part(i)
	}
	return out
}

// compose is a full name of parts.
func compose(n [5]string) string {
	return strings.Join(strings.Fields(strings.Join([]string{n[3], n[1], n[2], n[0], n[4]}, " ")), " ")
}

// shortName is a full name of given and family name alone.
func shortName(n [5]string) string {
	return strings.Join(strings.Fields(n[1]+" "+n[0]), " ")
}
