package contacts

import (
	"encoding/base64"
	"net/http"
	"net/mail"
	"net/url"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
)

// Fields are what to set of a contact. Nil leaves a field as it is, an empty
// one clears it; a list becomes exactly the given one.
type Fields struct {
	Name                                              *string
	GivenName, FamilyName, Additional, Prefix, Suffix *string
	Nickname, Organization, Department, Title, Role   *string
	Emails, Phones, URLs, Social, Chats               *[]Value
	Addresses                                         *[]Address
	Birthday, Anniversary                             *string // YYYY-MM-DD, or --MM-DD without a year
	Note                                              *string
	Categories                                        *[]string
	Photo                                             *string // base64
}

// MaxPhoto bounds a picture in bytes. Nextcloud refuses cards above 5 MiB.
const MaxPhoto = 2 << 20

// The bounds of what one call sets.
const (
	maxValues = 100
	maxText   = 100_000 // characters of one field
)

// check refuses what no card can hold, before anything is written.
func (f *Fields) check(op string) error {
	for _, d := range []struct {
		name string
		date *string
	}{{"bday", f.Birthday}, {"anniversary", f.Anniversary}} {
		if d.date != nil && *d.date != "" {
			if err := vcard.CheckDate(*d.date); err != nil {
				return invalidf(op, "%s: %s", d.name, err)
			}
		}
	}
	for name, list := range map[string]*[]Value{"email": f.Emails, "tel": f.Phones, "url": f.URLs, "social": f.Social, "impp": f.Chats} {
		if list == nil {
			continue
		}
		if len(*list) > maxValues {
			return invalidf(op, "%s has more than %d entries", name, maxValues)
		}
		for _, v := range *list {
			if err := checkValue(op, name, v.Value); err != nil {
				return err
			}
		}
	}
	if f.Addresses != nil && len(*f.Addresses) > maxValues || f.Categories != nil && len(*f.Categories) > maxValues {
		return invalidf(op, "there are more than %d entries", maxValues)
	}
	if f.Note != nil && len(*f.Note) > maxText {
		return invalidf(op, "the note is longer than %d bytes", maxText)
	}
	if f.Photo != nil && *f.Photo != "" {
		_, _, err := picture(op, *f.Photo)
		return err
	}
	return nil
}

// checkValue refuses a value that is none of its kind.
func checkValue(op, field, value string) error {
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return invalidf(op, "an entry of %s has no value", field)
	case len(value) > 2000:
		return invalidf(op, "an entry of %s is longer than 2000 bytes", field)
	case field == "email":
		if a, err := mail.ParseAddress(value); err != nil || a.Address != value {
			return invalidf(op, "%.80q is no mail address such as jane@example.org", value)
		}
	case field == "tel":
		if digits(value) == "" {
			return invalidf(op, "%.80q is no phone number", value)
		}
	case field == "url":
		if _, err := url.Parse(value); err != nil || strings.ContainsAny(value, " \r\n") {
			return invalidf(op, "%.80q is no address on the web", value)
		}
	}
	return nil
}

// picture decodes and looks at a picture.
func picture(op, coded string) (data []byte, media string, err error) {
	if rest, ok := strings.CutPrefix(coded, "data:"); ok {
		_, coded, _ = strings.Cut(rest, ",")
	}
	coded = strings.Join(strings.Fields(coded), "")
	if base64.StdEncoding.DecodedLen(len(coded)) > MaxPhoto+3 {
		return nil, "", invalidf(op, "the photo is larger than %d bytes; make it smaller first", MaxPhoto)
	}
	if data, err = base64.StdEncoding.DecodeString(coded); err != nil {
		if data, err = base64.RawStdEncoding.DecodeString(coded); err != nil {
			return nil, "", invalidf(op, "the photo is no base64")
		}
	}
	if len(data) > MaxPhoto {
		return nil, "", invalidf(op, "the photo is larger than %d bytes; make it smaller first", MaxPhoto)
	}
	switch media = http.DetectContentType(data); media {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return data, media, nil
	}
	return nil, "", invalidf(op, "the photo is neither JPEG, PNG, GIF nor WebP")
}
