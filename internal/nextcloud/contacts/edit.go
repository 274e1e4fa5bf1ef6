package contacts

import (
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
)

// apply changes a card in place and answers what the person may want to know
// about it.
func (f *Fields) apply(op string, card *vcard.Card) (note string, err error) {
	if err := f.check(op); err != nil {
		return "", err
	}
	note = f.applyName(card)
	for _, t := range []struct {
		prop string
		text *string
	}{{"TITLE", f.Title}, {"ROLE", f.Role}, {"NOTE", f.Note}} {
		if t.text != nil && card.Text(t.prop) != strings.TrimSpace(*t.text) {
			card.SetText(t.prop, strings.TrimSpace(*t.text))
		}
	}
	if f.Nickname != nil {
		setList(card, "NICKNAME", splitList(*f.Nickname))
	}
	f.applyOrg(card)
	for _, v := range []struct {
		prop string
		list *[]Value
	}{{"EMAIL", f.Emails}, {"TEL", f.Phones}, {"URL", f.URLs}, {"X-SOCIALPROFILE", f.Social}, {"IMPP", f.Chats}} {
		if v.list != nil {
			setValues(card, v.prop, *v.list)
		}
	}
	if f.Addresses != nil {
		setAddresses(card, *f.Addresses)
	}
	if f.Birthday != nil {
		card.SetDate("BDAY", *f.Birthday)
	}
	if f.Anniversary != nil {
		card.SetAnniversary(*f.Anniversary)
	}
	if f.Categories != nil {
		setList(card, "CATEGORIES", *f.Categories)
	}
	if f.Photo != nil {
		data, media := []byte(nil), ""
		if *f.Photo != "" {
			if data, media, err = picture(op, *f.Photo); err != nil {
				return "", err
			}
		}
		card.SetPhoto(data, media)
	}
	return note, nil
}

// applyName sets the full name and its parts. Where one of the two says only
// what the other says, it follows.
func (f *Fields) applyName(card *vcard.Card) (note string) {
	before, full := nameParts(card), card.Text("FN")
	derived := full == "" || full == compose(before) || full == shortName(before)
	parts := []*string{f.FamilyName, f.GivenName, f.Additional, f.Prefix, f.Suffix}
	named := slices.ContainsFunc(parts, func(p *string) bool { return p != nil })
	if named {
		setParts(card, "N", 5, parts)
	}
	switch {
	case f.Name != nil && strings.TrimSpace(*f.Name) != "":
		name := strings.TrimSpace(*f.Name)
		if name == full {
			break
		}
		card.SetText("FN", name)
		if named || card.Prop("N") == nil && !derived {
			break
		}
		if !derived {
			return "The structured name (given_name, family_name) was left as it is; phones show that one."
		}
		family, given := splitName(name)
		setParts(card, "N", 5, []*string{&family, &given, new(""), new(""), new("")})
	case named && derived:
		if name := compose(nameParts(card)); name != "" {
			card.SetText("FN", name)
		}
	case named:
		return "The full name (fn) was left as it is."
	}
	return ""
}

// splitName guesses family and given name of a full name: the last word is the
// family name.
func splitName(name string) (family, given string) {
	words := strings.Fields(name)
	if len(words) < 2 {
		return "", name
	}
	last := len(words) - 1
	return words[last], strings.Join(words[:last], " ")
}

// setParts sets components of a structured property; nil leaves one.
func setParts(card *vcard.Card, prop string, least int, parts []*string) {
	l := card.Prop(prop)
	if l == nil {
		l = vcard.NewLine(prop, strings.Repeat(";", least-1))
		card.Add(l)
	}
	for i, p := range parts {
		if p != nil {
			l.SetPart(i, least, strings.TrimSpace(*p))
		}
	}
}

func (f *Fields) applyOrg(card *vcard.Card) {
	if f.Organization == nil && f.Department == nil {
		return
	}
	l := card.Prop("ORG")
	have := func(p *string, i int) bool { return p == nil || l.Part(i) == strings.TrimSpace(*p) }
	if have(f.Organization, 0) && have(f.Department, 1) {
		return
	}
	least := 1
	if l.Part(1) != "" || (f.Department != nil && *f.Department != "") {
		least = 2
	}
	setParts(card, "ORG", least, []*string{f.Organization, nil})
	if f.Department != nil && (least == 2 || *f.Department != "") {
		setParts(card, "ORG", least, []*string{nil, f.Department})
	}
	if strings.Trim(card.Text("ORG"), "; ") == "" {
		card.RemoveLine(card.Prop("ORG"))
	}
}

// splitList cuts a list that a person wrote.
func splitList(s string) []string {
	var out []string
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// setList makes a list of texts exactly this one. A list that is the same
// stays as it is written.
func setList(card *vcard.Card, prop string, list []string) {
	var wanted []string
	for _, v := range list {
		if v = strings.TrimSpace(v); v != "" && !slices.Contains(wanted, v) {
			wanted = append(wanted, v)
		}
	}
	lines := card.PropAll(prop)
	var have []string
	for _, l := range lines {
		have = append(have, l.Texts()...)
	}
	switch {
	case slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(wanted))):
		return
	case len(wanted) == 0:
		card.Remove(prop)
		return
	case len(lines) == 0:
		l := vcard.NewLine(prop, "")
		l.SetTexts(wanted)
		card.Add(l)
		return
	}
	// Values stay in the line they are in; new ones go into the first.
	rest := slices.Clone(wanted)
	for i, l := range lines {
		texts := l.Texts()
		kept := slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return !slices.Contains(rest, t) })
		rest = slices.DeleteFunc(rest, func(t string) bool { return slices.Contains(kept, t) })
		if i == 0 {
			for _, t := range wanted {
				if !slices.Contains(have, t) {
					kept = append(kept, t)
				}
			}
		}
		switch {
		case len(kept) == 0:
			card.RemoveLine(l)
		case !slices.Equal(kept, texts):
			l.SetTexts(kept)
		}
	}
}

// setValues makes the lines of a property say exactly these values. A line
// whose value stays keeps everything else that it has.
func setValues(card *vcard.Card, prop string, wanted []Value) {
	lines := card.PropAll(prop)
	if len(lines) == 1 && len(wanted) == 1 {
		// One for one is a change of that line.
		setValue(lines[0], wanted[0].Value)
		decorate(card, lines[0], wanted[0].Types, wanted[0].Label, wanted[0].Preferred)
		return
	}
	used := map[*vcard.Line]bool{}
	var missing []Value
	for _, v := range wanted {
		i := slices.IndexFunc(lines, func(l *vcard.Line) bool { return !used[l] && sameValue(prop, text(l), v.Value) })
		if i < 0 {
			missing = append(missing, v)
			continue
		}
		used[lines[i]] = true
		decorate(card, lines[i], v.Types, v.Label, v.Preferred)
	}
	for _, v := range missing {
		used[addValue(card, prop, v)] = true
	}
	for _, l := range lines {
		if !used[l] {
			card.RemoveLine(l)
		}
	}
}

// sameValue compares values as people do.
func sameValue(prop, a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if strings.EqualFold(a, b) {
		return true
	}
	return prop == "TEL" && digits(a) != "" && digits(a) == digits(b) && strings.HasPrefix(a, "+") == strings.HasPrefix(b, "+")
}

// addValue adds a line.
func addValue(card *vcard.Card, prop string, v Value) *vcard.Line {
	l := vcard.NewLine(prop, "")
	card.Add(l)
	setValue(l, v.Value)
	decorate(card, l, v.Types, v.Label, v.Preferred)
	return l
}

// setValue writes a value in the way of its property.
func setValue(l *vcard.Line, value string) {
	value = strings.TrimSpace(value)
	if text(l) == value {
		return
	}
	switch {
	case l.Is("URL"), l.Is("IMPP"), l.Is("X-SOCIALPROFILE"):
		l.SetValue(value) // addresses are not escaped
	case l.Is("TEL") && strings.EqualFold(l.Param("VALUE"), "uri"):
		l.SetParam("VALUE", "text")
		l.SetText(value)
	default:
		l.SetText(value)
	}
}

// decorate sets types, label and preference of a line; nil leaves each.
func decorate(card *vcard.Card, l *vcard.Line, types []string, label *string, preferred *bool) {
	if types != nil {
		l.SetTypes(cleanTypes(types))
	}
	if preferred != nil {
		card.SetPreferred(l, *preferred)
	}
	if label != nil {
		card.SetLabel(l, strings.TrimSpace(*label))
	}
}

// cleanTypes are types without characters that a parameter cannot hold.
func cleanTypes(types []string) []string {
	var out []string
	for _, t := range types {
		t = strings.Map(func(r rune) rune {
			if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r
			}
			return -1
		}, t)
		if t != "" && len(t) <= 40 {
			out = append(out, t)
		}
	}
	return out
}

// setAddresses makes the postal addresses exactly these.
func setAddresses(card *vcard.Card, wanted []Address) {
	lines := card.PropAll("ADR")
	if len(lines) == 1 && len(wanted) == 1 {
		fill(card, lines[0], &wanted[0])
		return
	}
	used := map[*vcard.Line]bool{}
	var missing []Address
	for _, a := range wanted {
		i := slices.IndexFunc(lines, func(l *vcard.Line) bool {
			have := address(card, l)
			return !used[l] && slices.Equal(have.parts(), a.parts())
		})
		if i < 0 {
			missing = append(missing, a)
			continue
		}
		used[lines[i]] = true
		decorate(card, lines[i], a.Types, a.Label, a.Preferred)
	}
	for _, a := range missing {
		used[addAddress(card, a)] = true
	}
	for _, l := range lines {
		if !used[l] {
			card.RemoveLine(l)
		}
	}
}

func addAddress(card *vcard.Card, a Address) *vcard.Line {
	l := vcard.NewLine("ADR", ";;;;;;")
	card.Add(l)
	fill(card, l, &a)
	return l
}

func fill(card *vcard.Card, l *vcard.Line, a *Address) {
	for i, p := range a.parts() {
		l.SetPart(i, 7, strings.TrimSpace(p))
	}
	decorate(card, l, a.Types, a.Label, a.Preferred)
}
