package calendar

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// Fields are the parts of an event that callers set. What is nil stays as it
// is; an empty text clears.
type Fields struct {
	Title       *string
	Start       *string // date or time
	End         *string // the same; exclusive for days
	AllDay      *bool
	TimeZone    *string // IANA name for times without an offset
	Description *string
	Location    *string
	Categories  *string // comma-separated
	Status      *string
	Priority    *int // 0 to 9, 0 for none
	Privacy     *string
	Transparent *bool // whether the time stays free
	URL         *string
	Color       *string
	Attendees   *string // comma-separated addresses

	Recurring *bool
	Rule      *string // RRULE
	RuleEnd   *string // the last date, inclusive

	ExtraDates    *string // RDATE, comma-separated: all of them
	ExcludedDates *string // EXDATE, the same

	ReminderMinutes *int // 0 clears
	ReminderEmail   *bool
	Reminders       *[]Reminder
}

// empty reports whether nothing is to be set.
func (f *Fields) empty() bool { return *f == Fields{} }

var colorForm = regexp.MustCompile(`^(#[0-9A-Fa-f]{3,8}|[A-Za-z]{3,24})$`)

// carried are the properties that an override of a series usually only
// repeats: where it does, a change of the series reaches it too.
var carried = []string{"SUMMARY", "DESCRIPTION", "LOCATION", "CATEGORIES", "STATUS", "PRIORITY", "CLASS", "URL", "COLOR", "TRANSP"}

// write sets everything but times and recurrence, and answers what a caller
// should know.
func (f *Fields) write(op string, event *ical.Component, p *person, at clock) (notes []string, err error) {
	if f.Title != nil {
		if strings.TrimSpace(*f.Title) == "" {
			return nil, invalidf(op, "an event needs a title")
		}
		event.SetText("SUMMARY", *f.Title)
	}
	for _, t := range []struct {
		name  string
		value *string
	}{{"DESCRIPTION", f.Description}, {"LOCATION", f.Location}} {
		if t.value != nil {
			event.SetText(t.name, *t.value)
		}
	}
	if f.Description != nil {
		// Another program's formatted copy of the text would now differ.
		event.Remove("X-ALT-DESC")
	}
	if f.Categories != nil {
		setCategories(event, *f.Categories)
	}
	if err := setWord(op, event, "STATUS", "status", f.Status, "CONFIRMED", "TENTATIVE", "CANCELLED"); err != nil {
		return nil, err
	}
	if err := setWord(op, event, "CLASS", "privacy", f.Privacy, "PUBLIC", "PRIVATE", "CONFIDENTIAL"); err != nil {
		return nil, err
	}
	if f.Transparent != nil {
		switch was := strings.ToUpper(event.Text("TRANSP")); {
		case *f.Transparent:
			setLine(event, "TRANSP", "TRANSPARENT")
		case was != "" && was != "OPAQUE":
			setLine(event, "TRANSP", "OPAQUE")
		}
	}
	if f.Priority != nil {
		switch n := *f.Priority; {
		case n < 0 || n > 9:
			return nil, invalidf(op, "priority has to be from 0 (none) over 1 (highest) to 9 (lowest)")
		case n == 0:
			event.Remove("PRIORITY")
		default:
			setLine(event, "PRIORITY", strconv.Itoa(n))
		}
	}
	if f.URL != nil {
		u, err := url.Parse(strings.TrimSpace(*f.URL))
		if err != nil || (*f.URL != "" && u.Scheme == "") {
			return nil, invalidf(op, "url has to be a complete address such as https://example.org/page")
		}
		setLine(event, "URL", strings.TrimSpace(*f.URL))
	}
	if f.Color != nil {
		color := strings.TrimSpace(*f.Color)
		if color != "" && !colorForm.MatchString(color) {
			return nil, invalidf(op, "color has to be a CSS name such as tomato")
		}
		if strings.HasPrefix(color, "#") {
			notes = append(notes, "Nextcloud's web page shows colours by CSS name only, such as tomato.")
		}
		setLine(event, "COLOR", color)
	}
	if f.Attendees != nil {
		list, err := parseAttendees(op, *f.Attendees)
		if err != nil {
			return nil, err
		}
		setAttendees(event, list, p)
		if len(list) > 0 && p.email == "" {
			notes = append(notes, "The person has no e-mail address in Nextcloud, so no invitations are sent.")
		}
	}
	more, err := f.writeReminders(op, event, p, at)
	return append(notes, more...), err
}

func (f *Fields) writeReminders(op string, event *ical.Component, p *person, at clock) ([]string, error) {
	var list []Reminder
	switch {
	case f.Reminders != nil:
		list = *f.Reminders
	case f.ReminderMinutes != nil || f.ReminderEmail != nil:
		if n := f.ReminderMinutes; n != nil && *n < 0 {
			return nil, invalidf(op, "reminder_minutes has to be 0 (none) or more")
		}
		list = shorthand(f.ReminderMinutes, f.ReminderEmail, readReminders(event))
	default:
		return nil, nil
	}
	replaced, err := setReminders(op, event, list, p.email, at)
	if err != nil {
		return nil, err
	}
	if f.Reminders == nil && replaced > 2 {
		return []string{"Its " + strconv.Itoa(replaced) + " reminders were replaced; use reminders to set several."}, nil
	}
	return nil, nil
}

// setCategories writes one CATEGORIES property in the place of all.
func setCategories(event *ical.Component, list string) {
	var names []string
	for c := range strings.SplitSeq(list, ",") {
		if c = strings.TrimSpace(c); c != "" && !slices.Contains(names, c) {
			names = append(names, c)
		}
	}
	if slices.Equal(names, categories(event)) {
		return
	}
	event.Remove("CATEGORIES")
	if len(names) > 0 {
		event.Add(ical.NewLine("CATEGORIES", ical.EscapeTexts(names)))
	}
}

func setWord(op string, event *ical.Component, name, argument string, value *string, words ...string) error {
	if value == nil {
		return nil
	}
	v := strings.ToUpper(strings.TrimSpace(*value))
	if v != "" && !slices.Contains(words, v) {
		return invalidf(op, "%s has to be one of %s", argument, strings.Join(words, ", "))
	}
	setLine(event, name, v)
	return nil
}

// setLine sets the value of a property, or removes it when the value is empty.
func setLine(event *ical.Component, name, value string) {
	switch l := event.Prop(name); {
	case value == "":
		event.Remove(name)
	case l == nil:
		event.Add(ical.NewLine(name, value))
	default:
		l.SetValue(value)
	}
}

// carry copies to the overrides of a series what changed in its master, where
// they had what the master had before.
func carry(before *ical.Component, s *ical.Series) {
	for _, name := range carried {
		was, is := before.Prop(name), s.Master.Prop(name)
		if lineText(was) == lineText(is) {
			continue
		}
		for _, o := range s.Overrides {
			if lineText(o.Prop(name)) != lineText(was) {
				continue
			}
			if is == nil {
				o.Remove(name)
			} else {
				o.Set(is.Clone())
			}
		}
	}
}

func lineText(l *ical.Line) string {
	if l == nil {
		return ""
	}
	return l.String()
}
