package nextcloudtest

import (
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the demo must know Europe/Berlin on a machine without a zone database
)

const (
	icalDateLayout  = "20060102"
	icalLocalLayout = "20060102T150405"
	icalUTCLayout   = "20060102T150405Z"
)

// icalZones resolves TZID within one calendar object.
type icalZones map[string]*time.Location

// zones collects the time zones an object defines itself. A zone that the system does not know is reduced to the fixed
// offset of its last STANDARD block: enough to place an event, and the server does no better with invented names.
func (c *icalComponent) zones() icalZones {
	zones := icalZones{}
	for _, zone := range c.named("VTIMEZONE") {
		for _, standard := range zone.named("STANDARD") {
			if offset, ok := parseICalOffset(standard.value("TZOFFSETTO")); ok {
				zones[zone.value("TZID")] = time.FixedZone(zone.value("TZID"), offset)
			}
		}
	}
	return zones
}

func (z icalZones) location(tzid string) *time.Location {
	if tzid == "" || tzid == "Local" {
		return time.UTC
	}
	if location, err := time.LoadLocation(tzid); err == nil {
		return location
	}
	if location, ok := z[tzid]; ok {
		return location
	}
	return time.UTC
}

// parseICalOffset reads +0100 as seconds.
func parseICalOffset(s string) (int, bool) {
	if len(s) != 5 || (s[0] != '+' && s[0] != '-') {
		return 0, false
	}
	hours, err1 := strconv.Atoi(s[1:3])
	minutes, err2 := strconv.Atoi(s[3:5])
	if err1 != nil || err2 != nil {
		return 0, false
	}
	offset := hours*3600 + minutes*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// icalTime is one point of an iCalendar property. A DATE is midnight UTC, as the server's UTC reference zone has it.
type icalTime struct {
	time.Time
	date bool
}

// times reads a DATE, DATE-TIME or PERIOD list; of a period the start.
func (z icalZones) times(line icalLine) []icalTime {
	var times []icalTime
	for value := range strings.SplitSeq(line.value, ",") {
		value, _, _ = strings.Cut(value, "/")
		if t, ok := z.parse(value, line.param("TZID")); ok {
			times = append(times, t)
		}
	}
	return times
}

func (z icalZones) time(c *icalComponent, property string) (icalTime, bool) {
	line, ok := c.line(property)
	if !ok {
		return icalTime{}, false
	}
	return z.parse(line.value, line.param("TZID"))
}

func (z icalZones) parse(value, tzid string) (icalTime, bool) {
	var t time.Time
	var err error
	switch len(value) {
	case len(icalDateLayout):
		t, err = time.Parse(icalDateLayout, value)
	case len(icalUTCLayout):
		t, err = time.Parse(icalUTCLayout, value)
	default:
		t, err = time.ParseInLocation(icalLocalLayout, value, z.location(tzid))
	}
	return icalTime{Time: t, date: len(value) == len(icalDateLayout)}, err == nil
}

// icalDuration is a duration of RFC 5545, section 3.3.6: days are days of the calendar, the rest is exact.
type icalDuration struct {
	days  int
	clock time.Duration
}

func parseICalDuration(s string) (icalDuration, bool) {
	sign := 1
	if strings.HasPrefix(s, "-") {
		sign = -1
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(s, "+-"), "P")
	if !ok || rest == "" {
		return icalDuration{}, false
	}
	var d icalDuration
	inTime, number := false, ""
	for _, r := range rest {
		if r >= '0' && r <= '9' {
			number += string(r)
			continue
		}
		if r == 'T' {
			inTime = true
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n > 1_000_000 {
			return icalDuration{}, false
		}
		number = ""
		switch {
		case r == 'W':
			d.days += sign * 7 * n
		case r == 'D':
			d.days += sign * n
		case r == 'H' && inTime:
			d.clock += time.Duration(sign*n) * time.Hour
		case r == 'M' && inTime:
			d.clock += time.Duration(sign*n) * time.Minute
		case r == 'S' && inTime:
			d.clock += time.Duration(sign*n) * time.Second
		default:
			return icalDuration{}, false
		}
	}
	return d, number == ""
}

func (d icalDuration) after(t time.Time) time.Time {
	return t.AddDate(0, 0, d.days).Add(d.clock)
}

// span returns the beginning and the effective end of a component: DTEND, else DTSTART + DURATION, else the whole day of
// a DATE, else the start itself (RFC 5545, section 3.6.1).
func (z icalZones) span(c *icalComponent) (start, end icalTime, ok bool) {
	start, ok = z.time(c, "DTSTART")
	if !ok {
		return icalTime{}, icalTime{}, false
	}
	if end, ok = z.time(c, "DTEND"); ok {
		return start, end, true
	}
	end = start
	if d, ok := parseICalDuration(c.value("DURATION")); ok {
		end.Time = d.after(start.Time)
	} else if start.date {
		end.Time = start.AddDate(0, 0, 1)
	}
	return start, end, true
}
