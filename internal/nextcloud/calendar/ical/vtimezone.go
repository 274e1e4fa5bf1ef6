package ical

import (
	"fmt"
	"time"
)

// ruleYears is how many years a zone has to keep the same yearly rule for it
// to be written as a rule.
const ruleYears = 12

// Define makes sure that object has a VTIMEZONE for every zone that a time of
// one of its components names, and answers whether something was added. Zones
// that the object defines already are left alone.
func Define(object *Component) bool {
	zones := NewZones(object)
	since := map[string]time.Time{}
	var visit func(c *Component)
	visit = func(c *Component) {
		for _, it := range c.items {
			switch {
			case it.comp != nil:
				if !it.comp.Is("VTIMEZONE") {
					visit(it.comp)
				}
			case it.line.Param("TZID") != "":
				d, err := zones.Read(it.line)
				if err != nil || d.Kind != Zoned {
					continue
				}
				if first, ok := since[d.TZID]; !ok || d.Wall.Before(first) {
					since[d.TZID] = d.Wall
				}
			}
		}
	}
	visit(object)
	added := false
	for _, tzid := range sortedKeys(since) {
		if zones.Definition(tzid) != nil {
			continue
		}
		if loc, ok := zones.Location(tzid); ok {
			object.InsertChild(Timezone(tzid, loc, since[tzid]), "VEVENT")
			added = true
		}
	}
	return added
}

// Timezone is the definition of loc under the name tzid for times from since
// on (RFC 5545, 3.6.5). A zone that changes by the same rule each year is
// written with that rule, any other with the changes of the coming years.
func Timezone(tzid string, loc *time.Location, since time.Time) *Component {
	c := NewComponent("VTIMEZONE")
	c.Add(NewLine("TZID", tzid))
	start := time.Date(since.Year()-1, 1, 1, 0, 0, 0, 0, loc)
	changes := changesOf(loc, start, start.AddDate(ruleYears+1, 0, 0))
	if len(changes) == 0 {
		name, off := start.Zone()
		c.AddChild(observanceOf("STANDARD", time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), off, off, name))
		return c
	}
	if pair, ok := yearlyPair(changes); ok {
		for _, ch := range pair {
			o := ch.component()
			o.Add(NewLine("RRULE", ch.rule))
			c.AddChild(o)
		}
		return c
	}
	// The state before the first change has no change of its own to start it.
	name, off := start.Zone()
	c.AddChild(observanceOf("STANDARD", wallOf(start), off, off, name))
	for _, ch := range changes {
		c.AddChild(ch.component())
	}
	return c
}

// change is one change of a zone's offset.
type change struct {
	wall     time.Time // the clock's reading before the change
	from, to int
	name     string
	daylight bool
}

// changesOf are the changes of loc after from, up to until.
func changesOf(loc *time.Location, from, until time.Time) []change {
	var out []change
	for t := from; t.Before(until) && len(out) < 200; {
		_, end := t.ZoneBounds()
		if end.IsZero() || end.After(until) {
			return out
		}
		// Package time also has bounds at which nothing changes, at the end of
		// years beyond its tables, and some that it does not get past.
		if !end.After(t) {
			t = t.Add(24 * time.Hour)
			continue
		}
		t = end
		_, before := end.Add(-time.Second).Zone()
		name, after := end.In(loc).Zone()
		if before == after {
			continue
		}
		out = append(out, change{
			wall: end.UTC().Add(time.Duration(before) * time.Second),
			from: before, to: after, name: name, daylight: end.In(loc).IsDST(),
		})
	}
	return out
}

// yearly is a change that comes back each year, with its rule.
type yearly struct {
	change
	rule string
}

// yearlyPair are the two changes of the first year when all later years repeat
// them on the same weekday of the month.
func yearlyPair(changes []change) ([]yearly, bool) {
	if len(changes) < 2*ruleYears {
		return nil, false
	}
	var pair []yearly
	for half := range 2 {
		var same []change
		for i := half; i < len(changes); i += 2 {
			same = append(same, changes[i])
		}
		rule, ok := yearlyRule(same)
		if !ok {
			return nil, false
		}
		pair = append(pair, yearly{same[0], rule})
	}
	return pair, true
}

// yearlyRule is the rule that all the changes, one a year, follow.
func yearlyRule(changes []change) (string, bool) {
	first := changes[0]
	nth, last := (first.wall.Day()-1)/7+1, true
	for i, ch := range changes {
		monthEnd := time.Date(ch.wall.Year(), ch.wall.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		last = last && ch.wall.Day() > monthEnd-7
		if (ch.wall.Day()-1)/7+1 != nth {
			nth = 0
		}
		h, m, s := ch.wall.Clock()
		fh, fm, fs := first.wall.Clock()
		if ch.wall.Year() != first.wall.Year()+i || ch.wall.Month() != first.wall.Month() || ch.wall.Weekday() != first.wall.Weekday() ||
			h != fh || m != fm || s != fs || ch.from != first.from || ch.to != first.to {
			return "", false
		}
	}
	if last {
		nth = -1
	}
	if nth == 0 {
		return "", false
	}
	return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", first.wall.Month(), nth, weekdays[first.wall.Weekday()]), true
}

func (ch change) component() *Component {
	kind := "STANDARD"
	if ch.daylight {
		kind = "DAYLIGHT"
	}
	return observanceOf(kind, ch.wall, ch.from, ch.to, ch.name)
}

func observanceOf(kind string, wall time.Time, from, to int, name string) *Component {
	o := NewComponent(kind)
	o.Add(NewLine("DTSTART", wall.Format(formLocal)))
	o.Add(NewLine("TZOFFSETFROM", offsetValue(from)))
	o.Add(NewLine("TZOFFSETTO", offsetValue(to)))
	o.Add(NewText("TZNAME", name))
	return o
}

// offsetValue is an offset in seconds as a UTC-OFFSET value.
func offsetValue(off int) string {
	sign := '+'
	if off < 0 {
		sign, off = '-', -off
	}
	s := fmt.Sprintf("%c%02d%02d", sign, off/3600, off/60%60)
	if off%60 != 0 {
		s += fmt.Sprintf("%02d", off%60)
	}
	return s
}

var weekdays = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
