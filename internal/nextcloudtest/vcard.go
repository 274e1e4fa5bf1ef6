package nextcloudtest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// simLine is one property of a vCard.
type simLine struct {
	group  string
	name   string   // upper case
	params []string // as written
	value  string
}

// simCard is a vCard as Sabre's parser reads it.
type simCard struct{ lines []*simLine }

var (
	errNoCard  = errors.New("This parser only supports VCARD and VCALENDAR files") //nolint:revive,staticcheck // the server's words
	errCutCard = errors.New("End of document reached prematurely")                 //nolint:revive,staticcheck // the server's words
)

// parseVCard reads one card the way Sabre's MimeDir parser does.
func parseVCard(data string) (*simCard, error) {
	lines := unfoldVCard(data)
	if len(lines) == 0 || (!strings.EqualFold(lines[0], "BEGIN:VCARD") && !strings.EqualFold(lines[0], "BEGIN:VCALENDAR")) {
		return nil, errNoCard
	}
	v := &simCard{}
	for i, text := range lines[1:] {
		if len(text) >= 4 && strings.EqualFold(text[:4], "END:") {
			if !strings.EqualFold(text, "END:VCARD") && !strings.EqualFold(text, "END:VCALENDAR") {
				return nil, fmt.Errorf("Invalid MimeDir file. expected: %q got: %q", "END:VCARD", text) //nolint:revive,staticcheck // the server's words
			}
			return v, nil
		}
		l := parseSimLine(text)
		if l == nil {
			return nil, fmt.Errorf("Invalid Mimedir file. Line starting at %d did not follow iCalendar/vCard conventions", i+2) //nolint:revive,staticcheck // the server's words
		}
		v.lines = append(v.lines, l)
	}
	return nil, errCutCard
}

// parseSimLine reads one unfolded line, or answers nil when it is none.
func parseSimLine(text string) *simLine {
	name := simWord(text, "-._/\\")
	if name == "" {
		return nil
	}
	l, rest := &simLine{name: strings.ToUpper(name)}, text[len(name):]
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		l.group, l.name = name[:dot], strings.ToUpper(name[dot+1:])
	}
	for strings.HasPrefix(rest, ";") {
		param := rest[1:]
		word := simWord(param, "-")
		if word == "" {
			return nil
		}
		rest = param[len(word):]
		for strings.HasPrefix(rest, "=") || strings.HasPrefix(rest, ",") {
			rest = rest[1:]
			if strings.HasPrefix(rest, `"`) {
				end := strings.IndexByte(rest[1:], '"')
				if end < 0 {
					return nil
				}
				rest = rest[end+2:]
			} else {
				end := strings.IndexAny(rest, `";:,`)
				if end < 0 {
					return nil
				}
				rest = rest[end:]
			}
		}
		l.params = append(l.params, param[:len(param)-len(rest)])
	}
	value, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return nil
	}
	l.value = value
	return l
}

// simWord is the letters, digits and further characters in front of s.
func simWord(s, further string) string {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(further, c) < 0 {
			return s[:i]
		}
	}
	return s
}

// unfoldVCard joins folded lines. An empty line ends a fold.
func unfoldVCard(data string) []string {
	var out []string
	open := false
	for part := range strings.SplitSeq(strings.TrimPrefix(data, "\ufeff"), "\n") {
		part = strings.TrimRight(part, "\r")
		switch {
		case part == "":
			open = false
		case open && (part[0] == ' ' || part[0] == '\t'):
			out[len(out)-1] += part[1:]
		default:
			out = append(out, part)
			open = true
		}
	}
	return out
}

func (v *simCard) all(name string) []*simLine {
	var out []*simLine
	for _, l := range v.lines {
		if l.name == name {
			out = append(out, l)
		}
	}
	return out
}

func (v *simCard) value(name string) string {
	for _, l := range v.lines {
		if l.name == name {
			return l.value
		}
	}
	return ""
}

func (l *simLine) param(name string) string {
	for _, p := range l.params {
		key, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(key, name) {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

func (l *simLine) dropParam(name string) {
	l.params = slices.DeleteFunc(l.params, func(p string) bool {
		key, _, _ := strings.Cut(p, "=")
		return strings.EqualFold(key, name)
	})
}

var simUnescape = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`)

// text is the value as a text-match sees it.
func (l *simLine) text() string {
	if l.name == "N" || l.name == "ADR" || l.name == "ORG" {
		return l.value
	}
	return simUnescape.Replace(l.value)
}

// String writes the card as Sabre serialises it: VERSION first, folded.
func (v *simCard) String() string {
	var b strings.Builder
	b.WriteString("BEGIN:VCARD\r\n")
	write := func(l *simLine) {
		line := l.name
		if l.group != "" {
			line = l.group + "." + line
		}
		params, value := l.params, l.value
		if v.value("VERSION") == "4.0" && slices.Contains([]string{"PHOTO", "LOGO", "SOUND"}, l.name) && strings.HasPrefix(value, "data:") {
			// Sabre: in vCard 4 these are written as addresses, and the comma as if it separated two.
			value = strings.Replace(value, ",", `\,`, 1)
			if l.param("VALUE") == "" {
				params = append(slices.Clone(params), "VALUE=URI")
			}
		}
		for _, p := range params {
			line += ";" + p
		}
		line += ":" + value
		for width := 75; len(line) > width; width = 74 {
			cut := width
			for cut > 1 && !utf8.RuneStart(line[cut]) {
				cut--
			}
			b.WriteString(line[:cut] + "\r\n ")
			line = line[cut:]
		}
		b.WriteString(line + "\r\n")
	}
	for _, l := range v.all("VERSION") {
		write(l)
	}
	for _, l := range v.lines {
		if l.name != "VERSION" {
			write(l)
		}
	}
	b.WriteString("END:VCARD\r\n")
	return b.String()
}

func unsupportedVCard(message string) *davFailure {
	return &davFailure{status: http.StatusUnsupportedMediaType, exception: `Sabre\DAV\Exception\UnsupportedMediaType`, message: message}
}

func unreadableVCard(err error) *davFailure {
	return &davFailure{status: http.StatusInternalServerError, exception: `Sabre\VObject\ParseException`, message: err.Error()}
}

var (
	atMostOnce = []string{"ANNIVERSARY", "BDAY", "GENDER", "KIND", "N", "PRODID", "REV", "UID"}
	vcardDate  = regexp.MustCompile(`^(\d{4}-?\d{2}-?\d{2}|--\d{2}-?\d{2}|\d{4}(-\d{2})?|---\d{2})(T.*)?$`)
)

// validateVCard looks at what a client wants to store and repairs what Sabre repairs.
func validateVCard(data string) (v *simCard, warning string, failure *davFailure) {
	v, err := parseVCard(data)
	if err != nil {
		return nil, "", unsupportedVCard("This resource only supports valid vCard or jCard data. Parse error: " + err.Error())
	}
	if strings.HasPrefix(strings.ToUpper(data), "BEGIN:VCALENDAR") {
		return nil, "", unsupportedVCard("This collection can only support vcard objects.")
	}
	refuse := func(format string, args ...any) (*simCard, string, *davFailure) {
		return nil, "", unsupportedVCard("Validation error in vCard: " + fmt.Sprintf(format, args...))
	}
	warn := func(text string) {
		if warning == "" {
			warning = text
		}
	}
	for _, name := range atMostOnce {
		if len(v.all(name)) > 1 {
			return refuse("%s MUST NOT appear more than once in a VCARD component", name)
		}
	}
	switch n := len(v.all("VERSION")); {
	case n > 1:
		return refuse("VERSION MUST appear exactly once in a VCARD component")
	case n == 0:
		v.lines = append(v.lines, &simLine{name: "VERSION", value: "4.0"})
		warn("VERSION MUST appear exactly once in a VCARD component")
	}
	version := v.value("VERSION")
	for _, l := range v.lines {
		switch encoding := l.param("ENCODING"); {
		case (l.name == "BDAY" || l.name == "ANNIVERSARY") && !strings.EqualFold(l.param("VALUE"), "text") && !vcardDate.MatchString(l.value):
			return refuse("The supplied value (%s) is not a correct DATE-AND-OR-TIME property", l.value)
		case encoding == "":
		case version == "4.0":
			return refuse("ENCODING parameter is not valid in vCard 4.")
		case version == "3.0" && strings.EqualFold(encoding, "BASE64"):
			l.dropParam("ENCODING")
			l.params = append([]string{"ENCODING=B"}, l.params...)
			warn("ENCODING=BASE64 has been transformed to ENCODING=B.")
		case version == "3.0" && !strings.EqualFold(encoding, "B"):
			return refuse("ENCODING=%s is not valid for this document type.", encoding)
		}
	}
	switch version {
	case "3.0", "4.0":
	case "2.1":
		return refuse("CardDAV servers are not allowed to accept vCard 2.1.")
	default:
		return refuse("Only vcard version 4.0 (RFC6350), version 3.0 (RFC2426) or version 2.1 (icm-vcard-2.1) are supported.")
	}
	if len(v.all("UID")) == 0 {
		v.lines = append(v.lines, &simLine{name: "UID", value: cardUUID(data)})
		warn("vCards on CardDAV servers MUST have a UID property.")
	}
	if n := len(v.all("FN")); n != 1 {
		const message = "The FN property must appear in the VCARD component exactly 1 time"
		name := v.fallbackName()
		if n > 1 || name == "" {
			return refuse(message)
		}
		v.lines = append(v.lines, &simLine{name: "FN", value: name})
		warn(message)
	}
	return v, warning, nil
}

// cardUUID is a made-up UID; the same text gets the same one.
func cardUUID(data string) string {
	sum := md5Hex(data)
	return sum[:8] + "-" + sum[8:12] + "-" + sum[12:16] + "-" + sum[16:20] + "-" + sum[20:]
}

// fallbackName is what Sabre takes for a missing FN.
func (v *simCard) fallbackName() string {
	if n := v.all("N"); len(n) > 0 {
		parts := strings.Split(n[0].value, ";")
		if len(parts) > 1 && parts[1] != "" {
			return parts[1] + " " + parts[0]
		}
		return parts[0]
	}
	if org := v.value("ORG"); org != "" {
		return org
	}
	return v.value("EMAIL")
}

// photo decodes the picture.
func (v *simCard) photo() (data []byte, media string) {
	for _, l := range v.all("PHOTO") {
		if rest, ok := strings.CutPrefix(strings.ReplaceAll(l.value, `\,`, ","), "data:"); ok {
			head, coded, _ := strings.Cut(rest, ",")
			media, _, _ = strings.Cut(head, ";")
			data, _ = base64.StdEncoding.DecodeString(coded)
			return data, media
		}
		if strings.EqualFold(l.param("ENCODING"), "b") {
			data, _ = base64.StdEncoding.DecodeString(l.value)
			return data, "image/" + strings.ToLower(l.param("TYPE"))
		}
	}
	return nil, ""
}

// convertVCard answers stored data in the version asked for, with only some properties when they are named. What needs
// no change comes as it is stored.
func convertVCard(data string, v4 bool, only []string) (string, *davFailure) {
	v, err := parseVCard(data)
	if err != nil {
		return "", unreadableVCard(err)
	}
	if len(only) > 0 {
		only = append([]string{"UID", "VERSION", "FN"}, only...)
		v.lines = slices.DeleteFunc(v.lines, func(l *simLine) bool { return !slices.Contains(only, l.name) })
		data = v.String()
	}
	target := "3.0"
	if v4 {
		target = "4.0"
	}
	if v.value("VERSION") == target {
		return data, nil
	}
	out := &simCard{lines: []*simLine{
		{name: "VERSION", value: target},
		{name: "PRODID", value: "-//Sabre//Sabre VObject 4.5.6//EN"},
	}}
	for _, l := range v.lines {
		switch {
		case l.name == "VERSION" || l.name == "PRODID":
		case v4:
			out.lines = append(out.lines, toV4(l)...)
		default:
			out.lines = append(out.lines, toV3(l)...)
		}
	}
	return out.String(), nil
}

func toV3(l *simLine) []*simLine {
	c := *l
	c.params = slices.Clone(l.params)
	if c.param("PREF") != "" {
		c.dropParam("PREF")
		c.params = append(c.params, "TYPE=PREF")
	}
	year, yearless := strings.CutPrefix(c.value, "--")
	switch {
	case c.name == "PHOTO" && strings.HasPrefix(c.value, "data:"):
		head, coded, _ := strings.Cut(strings.ReplaceAll(c.value, `\,`, ","), ",")
		media := strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(head, "data:"), ";base64"), "image/")
		c.dropParam("VALUE")
		c.params = append([]string{"ENCODING=b", "TYPE=" + strings.ToUpper(media)}, c.params...)
		c.value = coded
	case c.name == "ANNIVERSARY":
		c.name = "X-ANNIVERSARY"
		return []*simLine{
			{group: "ITEM1", name: "X-ABDATE", params: []string{"VALUE=DATE-AND-OR-TIME"}, value: c.value},
			{group: "ITEM1", name: "X-ABLABEL", value: "_$!<Anniversary>!$_"},
			&c,
		}
	case c.name == "BDAY" && yearless:
		year = strings.ReplaceAll(year, "-", "")
		c.value = "1604-" + year[:min(2, len(year))] + "-" + year[min(2, len(year)):]
		c.params = append(c.params, "X-APPLE-OMIT-YEAR=1604")
	case c.name == "KIND" && strings.EqualFold(c.value, "individual"):
		return nil
	case c.name == "KIND" && strings.EqualFold(c.value, "group"):
		c.name, c.value = "X-ADDRESSBOOKSERVER-KIND", "GROUP"
	case c.name == "KIND" && strings.EqualFold(c.value, "org"):
		c.name, c.value = "X-ABSHOWAS", "COMPANY"
	case c.name == "MEMBER":
		c.name = "X-ADDRESSBOOKSERVER-MEMBER"
	}
	return []*simLine{&c}
}

func toV4(l *simLine) []*simLine {
	c := *l
	c.params = nil
	for _, p := range l.params {
		switch {
		case strings.EqualFold(p, "TYPE=PREF"):
			p = "PREF=1"
		case l.name == "PHOTO" && strings.HasPrefix(strings.ToUpper(p), "TYPE="):
			continue
		case strings.HasPrefix(strings.ToUpper(p), "ENCODING="):
			continue
		}
		c.params = append(c.params, p)
	}
	switch {
	case slices.Contains([]string{"NAME", "MAILER", "LABEL", "CLASS"}, c.name):
		return nil
	case c.name == "PHOTO" && strings.EqualFold(l.param("ENCODING"), "b"):
		c.params = append([]string{"VALUE=URI"}, c.params...)
		c.value = "data:image/" + strings.ToLower(l.param("TYPE")) + ";base64," + l.value
	case c.name == "X-ANNIVERSARY":
		c.name = "ANNIVERSARY"
	}
	return []*simLine{&c}
}
