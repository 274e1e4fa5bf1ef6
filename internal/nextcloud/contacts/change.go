package contacts

import (
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
)

// Change adds, replaces or removes one of the several values of a field.
type Change struct {
	Field string // email, tel, adr, url, impp, social, nickname or categories
	Old   string // the value to replace or remove; for adr its street or whole line
	Value Value  // to add or put in its place, but for adr
	Address
}

// property is the property of a field that has several values.
func property(field string) (prop string, list bool) {
	switch strings.ToLower(field) {
	case "email":
		return "EMAIL", false
	case "tel", "phone":
		return "TEL", false
	case "url":
		return "URL", false
	case "impp":
		return "IMPP", false
	case "social":
		return "X-SOCIALPROFILE", false
	case "adr", "address":
		return "ADR", false
	case "nickname":
		return "NICKNAME", true
	case "categories", "group", "groups":
		return "CATEGORIES", true
	}
	return "", false
}

// Changes are changes of single values, in the order in which they are made.
type Changes struct {
	Remove, Replace, Add []Change
}

func (cs *Changes) apply(op string, card *vcard.Card) error {
	if len(cs.Remove)+len(cs.Replace)+len(cs.Add) > maxValues {
		return invalidf(op, "there are more than %d changes", maxValues)
	}
	for _, step := range []struct {
		list []Change
		do   func(op string, card *vcard.Card, ch Change, prop string, list bool) error
	}{{cs.Remove, remove}, {cs.Replace, replace}, {cs.Add, add}} {
		for _, ch := range step.list {
			prop, list := property(ch.Field)
			if prop == "" {
				return invalidf(op, "%.40q has no several values; fields that do: email, tel, adr, url, impp, social, nickname, categories", ch.Field)
			}
			if err := step.do(op, card, ch, prop, list); err != nil {
				return err
			}
		}
	}
	return nil
}

func remove(op string, card *vcard.Card, ch Change, prop string, list bool) error {
	if list {
		return changeList(op, card, prop, ch.Field, ch.Old, "")
	}
	l, err := only(op, card, prop, ch.Field, ch.Old)
	if err != nil {
		return err
	}
	card.RemoveLine(l)
	return nil
}

func replace(op string, card *vcard.Card, ch Change, prop string, list bool) error {
	if list {
		if strings.TrimSpace(ch.Value.Value) == "" {
			return invalidf(op, "the new value of %s is missing", ch.Field)
		}
		return changeList(op, card, prop, ch.Field, ch.Old, ch.Value.Value)
	}
	l, err := only(op, card, prop, ch.Field, ch.Old)
	if err != nil {
		return err
	}
	if prop == "ADR" {
		// What is not said of an address stays.
		for i, p := range ch.parts() {
			if p != "" {
				l.SetPart(i, 7, strings.TrimSpace(p))
			}
		}
		decorate(card, l, ch.Types, ch.Label, ch.Preferred)
		return nil
	}
	if ch.Value.Value != "" {
		if err := checkValue(op, ch.Field, ch.Value.Value); err != nil {
			return err
		}
		setValue(l, ch.Value.Value)
	}
	decorate(card, l, ch.Value.Types, ch.Value.Label, ch.Value.Preferred)
	return nil
}

func add(op string, card *vcard.Card, ch Change, prop string, list bool) error {
	switch {
	case prop == "ADR":
		if ch.line() == "" {
			return invalidf(op, "the address to add is empty; give street, city and so on")
		}
		addAddress(card, ch.Address)
		return nil
	case strings.TrimSpace(ch.Value.Value) == "":
		return invalidf(op, "the value of %s to add is missing", ch.Field)
	case list:
		var have []string
		for _, l := range card.PropAll(prop) {
			have = append(have, l.Texts()...)
		}
		setList(card, prop, append(have, ch.Value.Value))
		return nil
	}
	if err := checkValue(op, ch.Field, ch.Value.Value); err != nil {
		return err
	}
	for _, l := range card.PropAll(prop) {
		if sameValue(prop, text(l), ch.Value.Value) {
			decorate(card, l, ch.Value.Types, ch.Value.Label, ch.Value.Preferred)
			return nil
		}
	}
	addValue(card, prop, ch.Value)
	return nil
}

// changeList takes a text out of a list, or puts another in its place.
func changeList(op string, card *vcard.Card, prop, field, old, text string) error {
	var have []string
	for _, l := range card.PropAll(prop) {
		have = append(have, l.Texts()...)
	}
	i := slices.IndexFunc(have, func(s string) bool { return strings.EqualFold(s, strings.TrimSpace(old)) })
	if i < 0 {
		return invalidf(op, "%s has no %.80q; it has: %s", field, old, listed(have))
	}
	if text != "" {
		for _, l := range card.PropAll(prop) {
			texts := l.Texts()
			if j := slices.Index(texts, have[i]); j >= 0 {
				texts[j] = strings.TrimSpace(text)
				l.SetTexts(texts)
				return nil
			}
		}
	}
	setList(card, prop, slices.Delete(slices.Clone(have), i, i+1))
	return nil
}

// only is the one line that has a value.
func only(op string, card *vcard.Card, prop, field, value string) (*vcard.Line, error) {
	var hits []*vcard.Line
	var have []string
	for _, l := range card.PropAll(prop) {
		said := text(l)
		same := sameValue(prop, said, value)
		if prop == "ADR" {
			a := address(card, l)
			said = a.line()
			same = strings.EqualFold(said, strings.TrimSpace(value)) || a.Street != "" && strings.EqualFold(a.Street, strings.TrimSpace(value))
		}
		if have = append(have, said); same {
			hits = append(hits, l)
		}
	}
	switch {
	case len(hits) == 1:
		return hits[0], nil
	case len(hits) > 1:
		// Equal lines: the first of them, as a person would.
		return hits[0], nil
	}
	return nil, invalidf(op, "%s has no %.80q; it has: %s", field, value, listed(have))
}

func listed(have []string) string {
	if len(have) == 0 {
		return "none"
	}
	return strings.Join(have[:min(len(have), 20)], "; ")
}
