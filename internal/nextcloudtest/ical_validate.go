package nextcloudtest

import (
	"crypto/md5" //nolint:gosec // names, not secrets
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// icalFault is a refusal of a calendar object, in the words and with the exception class of Sabre.
type icalFault struct {
	status    int
	exception string
	message   string
}

func notSupported(format string, args ...any) *icalFault {
	return &icalFault{415, `Sabre\DAV\Exception\UnsupportedMediaType`, fmt.Sprintf(format, args...)}
}

// validatedObject is a calendar object that passed.
type validatedObject struct {
	calendar  *icalComponent
	data      string // to be stored
	component string // VEVENT, VTODO or VJOURNAL
	uid       string
	warning   string // value of X-Sabre-Ew-Gross, when the server repaired something
}

// singleProperties may occur at most once in an event, task or journal (RFC 5545, section 3.6).
var singleProperties = []string{
	"CLASS", "CREATED", "DESCRIPTION", "DTEND", "DUE", "COMPLETED", "DURATION", "GEO", "LAST-MODIFIED", "LOCATION", "ORGANIZER",
	"PERCENT-COMPLETE", "PRIORITY", "RECURRENCE-ID", "SEQUENCE", "STATUS", "SUMMARY", "TRANSP", "URL",
}

// validateICal repeats what Sabre\CalDAV\Plugin::validateICalendar does with a PUT: what is not iCalendar is 415, what it
// can repair (UID, DTSTAMP, VERSION, PRODID) it repairs and stores changed, wrong components are 403.
func validateICal(body string, supported []string, now time.Time) (*validatedObject, *icalFault) {
	calendar, err := parseICal(body)
	if err != nil {
		return nil, notSupported("This resource only supports valid iCalendar 2.0 data. Parse error: %s", err)
	}
	out := &validatedObject{calendar: calendar, data: body}
	repair := func(c *icalComponent, property, value string) {
		c.lines = append(c.lines, icalLine{name: property, value: value})
		if out.warning == "" {
			out.warning = fmt.Sprintf("iCalendar validation warning: %s MUST appear exactly once in a %s component", property, c.name)
		}
	}
	if calendar.count("METHOD") > 0 {
		return nil, notSupported("Validation error in iCalendar: A calendar object on a CalDAV server MUST NOT have a METHOD property.")
	}
	if calendar.count("VERSION") == 0 {
		repair(calendar, "VERSION", "2.0")
	}
	if calendar.count("PRODID") == 0 {
		repair(calendar, "PRODID", sabreProductID)
	}
	madeUp := "sabre-vobject-" + nameFromContent(body, now)
	for _, c := range calendar.main() {
		switch c.name {
		case "VEVENT", "VTODO", "VJOURNAL":
		default:
			return nil, &icalFault{400, `Sabre\DAV\Exception\BadRequest`, "You are not allowed to create components of type: " + c.name + " here"}
		}
		if out.component == "" {
			out.component, out.uid = c.name, c.value("UID")
		}
		if c.name != out.component {
			return nil, notSupported("Validation error in iCalendar: A calendar object on a CalDAV server may only have 1 type of component (VEVENT, VTODO or VJOURNAL).")
		}
		if c.value("UID") != out.uid {
			return nil, notSupported("Validation error in iCalendar: A calendar object on a CalDAV server may only have components with the same UID.")
		}
		if c.name == "VEVENT" && c.count("DTSTART") != 1 {
			return nil, notSupported("Validation error in iCalendar: DTSTART MUST appear exactly once in a VEVENT component")
		}
		for _, name := range singleProperties {
			if c.count(name) > 1 {
				return nil, notSupported("Validation error in iCalendar: %s MUST NOT appear more than once in a %s component", name, c.name)
			}
		}
		if fault := checkTimes(c, calendar.zones()); fault != nil {
			return nil, fault
		}
		if c.count("UID") == 0 {
			repair(c, "UID", madeUp)
		}
		if c.count("DTSTAMP") == 0 {
			repair(c, "DTSTAMP", now.UTC().Format(icalUTCLayout))
		}
	}
	if out.component == "" {
		return nil, notSupported("Validation error in iCalendar: A calendar object on a CalDAV server must have at least 1 component (VTODO, VEVENT, VJOURNAL).")
	}
	if !slices.Contains(supported, out.component) {
		return nil, &icalFault{403, `Sabre\CalDAV\Exception\InvalidComponentType`, "iCalendar objects must at least have a component of type " + strings.Join(supported, ", ")}
	}
	if !calendar.hasInstances() {
		return nil, &icalFault{403, `Sabre\DAV\Exception\Forbidden`, errNoInstances.Error()}
	}
	if out.warning != "" {
		out.data = calendar.String()
		out.uid = calendar.main()[0].value("UID")
	}
	return out, nil
}

// icalTimeProperties hold a DATE-TIME unless they say otherwise.
var icalTimeProperties = []string{
	"COMPLETED", "DTEND", "DUE", "DTSTART", "RECURRENCE-ID", "EXDATE", "RDATE", "CREATED", "DTSTAMP", "LAST-MODIFIED", "ACKNOWLEDGED",
}

// icalTimeForms are the values that Sabre takes for dates and times.
var icalTimeForms = map[string]*regexp.Regexp{
	"DATE":      regexp.MustCompile(`^\d{4}[01]\d[0-3]\d$`),
	"DATE-TIME": regexp.MustCompile(`^\d{4}[01]\d[0-3]\dT[0-2]\d[0-5]\d[0-5]\dZ?$`),
}

func (l icalLine) timeType() string {
	if kind := strings.ToUpper(l.param("VALUE")); kind != "" {
		return kind
	}
	return "DATE-TIME"
}

// checkTimes refuses what is no time, and tasks that are due before they begin or mix days and times.
func checkTimes(c *icalComponent, zones icalZones) *icalFault {
	for _, line := range c.lines {
		form := icalTimeForms[line.timeType()]
		if form == nil || !slices.Contains(icalTimeProperties, line.name) {
			continue
		}
		for value := range strings.SplitSeq(line.value, ",") {
			if !form.MatchString(value) {
				return notSupported("Validation error in iCalendar: The supplied value (%s) is not a correct %s", value, line.timeType())
			}
		}
	}
	for _, child := range c.children {
		if fault := checkTimes(child, zones); fault != nil {
			return fault
		}
	}
	start, begins := c.line("DTSTART")
	due, ends := c.line("DUE")
	if c.name != "VTODO" || !begins || !ends {
		return nil
	}
	if start.timeType() != due.timeType() {
		return notSupported("Validation error in iCalendar: The value type (DATE or DATE-TIME) must be identical for DUE and DTSTART")
	}
	from, _ := zones.time(c, "DTSTART")
	to, _ := zones.time(c, "DUE")
	if to.Before(from.Time) {
		return notSupported("Validation error in iCalendar: DUE must occur after DTSTART")
	}
	return nil
}

// nameFromContent makes a UUID-like name that differs with content and time.
func nameFromContent(content string, now time.Time) string {
	sum := md5.Sum([]byte(now.String() + content)) //nolint:gosec // as above
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:])
}
