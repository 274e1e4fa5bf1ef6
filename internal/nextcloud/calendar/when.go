package calendar

import (
	"regexp"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// when is a time as a caller wrote it.
type when struct {
	day    bool      // a date without a time
	fixed  bool      // has an offset, so it is a moment
	wall   time.Time // what the clock reads, carried in UTC
	moment time.Time // for fixed
}

// The forms that callers use, beside RFC 3339.
var whenForms = []string{
	"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05.999999999", "20060102T150405",
}

var whenOffset = regexp.MustCompile(`(?:[Zz]|[+-]\d{2}:?\d{2})$`)

// parseWhen reads a time of an argument.
func parseWhen(op, argument, s string) (when, error) {
	text := strings.TrimSpace(s)
	for _, form := range []string{time.DateOnly, "20060102"} {
		if t, err := time.Parse(form, text); err == nil {
			return when{day: true, wall: t}, sane(op, argument, t)
		}
	}
	text = strings.ToUpper(strings.Replace(text, " ", "T", 1))
	if off := whenOffset.FindString(text); off != "" && strings.Contains(text, "T") {
		local := strings.TrimSuffix(text, off)
		zone := "Z"
		if off != "Z" {
			zone = off[:3] + ":" + off[len(off)-2:]
		}
		for _, form := range whenForms {
			if _, err := time.Parse(form, local); err != nil {
				continue
			}
			t, err := time.Parse(form+"Z07:00", local+zone)
			if err == nil {
				t = t.Truncate(time.Second)
				return when{fixed: true, moment: t, wall: wallOf(t)}, sane(op, argument, t)
			}
		}
	} else {
		for _, form := range whenForms {
			if t, err := time.Parse(form, text); err == nil {
				return when{wall: t.Truncate(time.Second)}, sane(op, argument, t)
			}
		}
	}
	return when{}, invalidf(op, "%s %.60q is no date or time; write 2026-12-24, 2026-12-24T18:00 or 2026-12-24T18:00:00+01:00", argument, s)
}

// sane refuses years that are surely a mistake and that other programs choke
// on.
func sane(op, argument string, t time.Time) error {
	if t.Year() < 1900 || t.Year() > 2500 {
		return invalidf(op, "%s lies in the year %d; years from 1900 to 2500 are taken", argument, t.Year())
	}
	return nil
}

func wallOf(t time.Time) time.Time {
	y, m, d := t.Date()
	h, mi, s := t.Clock()
	return time.Date(y, m, d, h, mi, s, 0, time.UTC)
}

// zoneOf is the zone that the argument timezone names.
func zoneOf(op, name string) (*time.Location, error) {
	loc, ok := ical.LoadZone(strings.TrimSpace(name))
	if !ok {
		return nil, invalidf(op, "timezone %.60q is not known; write an IANA name such as Europe/Berlin", name)
	}
	return loc, nil
}

// clock is which zone the times of a call are read in, and why.
type clock struct {
	loc  *time.Location
	from string
}

// clockFor is the zone of the argument, else the person's own, else UTC.
func clockFor(op, argument string, p *person) (clock, error) {
	switch {
	case strings.TrimSpace(argument) != "":
		loc, err := zoneOf(op, argument)
		return clock{loc, asAsked}, err
	case p.zoneKnown:
		return clock{p.zone, "the person's zone in Nextcloud"}, nil
	}
	return clock{time.UTC, "the person has set no zone in Nextcloud"}, nil
}

// String says the zone and why.
func (c clock) String() string { return c.loc.String() + " (" + c.from + ")" }

// bind turns w into a time of a new event. A moment that the caller gave by
// its offset gets the clock's zone when that was asked for or has this very
// offset then, else it stays an instant.
func (c clock) bind(w when) ical.DateTime {
	switch {
	case w.day:
		return ical.DateOf(w.wall)
	case !w.fixed:
		d := ical.In(time.Unix(0, 0), c.loc)
		return d.At(w.wall)
	}
	_, given := w.moment.Zone()
	_, there := w.moment.In(c.loc).Zone()
	if c.from == asAsked || given == there {
		return ical.In(w.moment, c.loc)
	}
	return ical.UTCOf(w.moment)
}

const asAsked = "as asked"

// instant is w as a moment, days being midnight.
func (c clock) instant(w when) time.Time {
	if w.fixed {
		return w.moment
	}
	return ical.In(time.Unix(0, 0), c.loc).At(w.wall).Instant(c.loc)
}
