package ical

import (
	"fmt"
	"strings"
	"time"
)

// Kind is how a time is bound (RFC 5545, 3.3.4 and 3.3.5).
type Kind int

// The kinds.
const (
	Date     Kind = iota + 1 // a day without a time
	Floating                 // a wall clock time wherever one is
	UTC                      // an instant
	Zoned                    // a wall clock time in a zone
)

// DateTime is a DATE or DATE-TIME value. Its zero value is no time.
type DateTime struct {
	Kind Kind
	Wall time.Time      // the clock's reading, carried in UTC
	Zone *time.Location // for Zoned
	TZID string         // for Zoned, as the object writes it
}

// The forms of values.
const (
	formDate  = "20060102"
	formLocal = "20060102T150405"
	formUTC   = "20060102T150405Z"
)

// DateOf is the day of t's clock reading.
func DateOf(t time.Time) DateTime {
	y, m, d := t.Date()
	return DateTime{Kind: Date, Wall: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}

// UTCOf is t as an instant.
func UTCOf(t time.Time) DateTime {
	return DateTime{Kind: UTC, Wall: t.UTC().Truncate(time.Second)}
}

// In is the instant t on the clock of loc, bound to loc under its own name.
func In(t time.Time, loc *time.Location) DateTime {
	if loc == time.UTC {
		return UTCOf(t)
	}
	return DateTime{Kind: Zoned, Wall: wallOf(t.In(loc)), Zone: loc, TZID: loc.String()}
}

// wallOf is t's clock reading carried in UTC, without fractions.
func wallOf(t time.Time) time.Time {
	y, m, d := t.Date()
	h, mi, s := t.Clock()
	return time.Date(y, m, d, h, mi, s, 0, time.UTC)
}

// IsZero reports whether there is no time.
func (d DateTime) IsZero() bool { return d.Kind == 0 }

// Instant is the moment; days and floating times are read on the clock of
// elsewhere.
func (d DateTime) Instant(elsewhere *time.Location) time.Time {
	switch d.Kind {
	case UTC:
		return d.Wall
	case Zoned:
		return resolve(d.Wall, d.Zone)
	default:
		return resolve(d.Wall, elsewhere)
	}
}

// At is the same kind of time, in the same zone, with another clock reading.
func (d DateTime) At(wall time.Time) DateTime {
	d.Wall = wall
	if d.Kind == Date {
		y, m, day := wall.Date()
		d.Wall = time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
	}
	return d
}

// Like is the time in the kind and zone of pattern: the same moment when both
// are moments, the same clock reading otherwise.
func (d DateTime) Like(pattern DateTime) DateTime {
	if d.Kind == pattern.Kind && d.Kind != Zoned {
		return d
	}
	moment := d.Kind == UTC || d.Kind == Zoned
	switch {
	case moment && pattern.Kind == Zoned:
		out := In(d.Instant(nil), pattern.Zone)
		return DateTime{Kind: Zoned, Wall: wallOf(d.Instant(nil).In(pattern.Zone)), Zone: pattern.Zone, TZID: orTZID(pattern.TZID, out.TZID)}
	case moment && pattern.Kind == UTC:
		return UTCOf(d.Instant(nil))
	default:
		return pattern.At(d.Wall)
	}
}

func orTZID(tzid, other string) string {
	if tzid != "" {
		return tzid
	}
	return other
}

// Same reports whether both are the same moment, day or clock reading.
func (d DateTime) Same(o DateTime) bool {
	moment := d.Kind == UTC || d.Kind == Zoned
	if moment && (o.Kind == UTC || o.Kind == Zoned) {
		return d.Instant(nil).Equal(o.Instant(nil))
	}
	return d.Wall.Equal(o.Wall)
}

// Value is the time as a property value.
func (d DateTime) Value() string {
	switch d.Kind {
	case Date:
		return d.Wall.Format(formDate)
	case UTC:
		return d.Wall.Format(formUTC)
	default:
		return d.Wall.Format(formLocal)
	}
}

// Line is the property name with the time and the parameters that it needs.
func (d DateTime) Line(name string) *Line {
	switch {
	case d.Kind == Date:
		return NewLine(name, d.Value(), Param{"VALUE", []string{"DATE"}})
	case d.Kind == Zoned, d.Kind == Floating && d.TZID != "":
		// A zone that is not known here is known to whoever wrote it.
		return NewLine(name, d.Value(), Param{"TZID", []string{d.TZID}})
	}
	return NewLine(name, d.Value())
}

// Put writes the time into c, keeping what other parameters the property has.
func (d DateTime) Put(c *Component, name string) {
	l := c.Prop(name)
	if l == nil {
		c.Add(d.Line(name))
		return
	}
	fresh := d.Line(name)
	if l.Value() == fresh.Value() && l.Param("TZID") == fresh.Param("TZID") {
		return
	}
	l.SetParam("VALUE", fresh.Param("VALUE"))
	l.SetParam("TZID", fresh.Param("TZID"))
	l.SetValue(fresh.Value())
}

// String is the time as people and models get it: RFC 3339 with the offset of
// its zone, without one when it floats, and a plain date for a day.
func (d DateTime) String() string {
	switch d.Kind {
	case 0:
		return ""
	case Date:
		return d.Wall.Format(time.DateOnly)
	case Floating:
		return d.Wall.Format("2006-01-02T15:04:05")
	case Zoned:
		return resolve(d.Wall, d.Zone).In(d.Zone).Format(time.RFC3339)
	default:
		return d.Wall.Format(time.RFC3339)
	}
}

// ZoneName is the IANA name of the zone, "UTC", "floating", or "" for a day.
func (d DateTime) ZoneName() string {
	switch d.Kind {
	case Floating:
		return "floating"
	case UTC:
		return "UTC"
	case Zoned:
		return d.Zone.String()
	default:
		return ""
	}
}

// Read reads the time of a property. A zone that is not known makes the time
// floating, as RFC 5545 leaves nothing better.
func (z *Zones) Read(l *Line) (DateTime, error) {
	if l == nil {
		return DateTime{}, nil
	}
	return z.read(l, l.Value())
}

// ReadAll reads all times of all given properties (EXDATE, RDATE). Of periods
// the start is taken.
func (z *Zones) ReadAll(lines []*Line) ([]DateTime, error) {
	var out []DateTime
	for _, l := range lines {
		for v := range strings.SplitSeq(l.Value(), ",") {
			v, _, _ = strings.Cut(v, "/")
			d, err := z.read(l, v)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
	}
	return out, nil
}

func (z *Zones) read(l *Line, value string) (DateTime, error) {
	value = strings.TrimSpace(value)
	if len(value) == len(formDate) {
		t, err := time.Parse(formDate, value)
		if err != nil {
			return DateTime{}, badTime(l)
		}
		return DateTime{Kind: Date, Wall: t}, nil
	}
	if strings.HasSuffix(value, "Z") {
		t, err := time.Parse(formUTC, value)
		if err != nil {
			return DateTime{}, badTime(l)
		}
		return DateTime{Kind: UTC, Wall: t}, nil
	}
	t, err := time.Parse(formLocal, value)
	if err != nil {
		return DateTime{}, badTime(l)
	}
	tzid := l.Param("TZID")
	if tzid == "" {
		return DateTime{Kind: Floating, Wall: t}, nil
	}
	loc, ok := z.Location(tzid)
	if !ok {
		return DateTime{Kind: Floating, Wall: t, TZID: tzid}, nil
	}
	return DateTime{Kind: Zoned, Wall: t, Zone: loc, TZID: tzid}, nil
}

func badTime(l *Line) error {
	return fmt.Errorf("%s holds no time: %.40q", l.Name(), l.Value())
}

// resolve is the moment at which the clock of loc reads wall. A reading that a
// change skips is counted from before the change; of two the first is taken
// (RFC 5545, 3.3.5).
func resolve(wall time.Time, loc *time.Location) time.Time {
	y, m, d := wall.Date()
	h, mi, s := wall.Clock()
	t := time.Date(y, m, d, h, mi, s, 0, loc)
	start, end := t.ZoneBounds()
	for _, change := range []time.Time{start, end} {
		if change.IsZero() {
			continue
		}
		_, before := change.Add(-time.Second).Zone()
		early := wall.Add(-time.Duration(before) * time.Second)
		_, after := change.Zone()
		late := wall.Add(-time.Duration(after) * time.Second)
		skipped := !early.Before(change) && late.Before(change)
		twice := early.Before(change) && !late.Before(change)
		if skipped || twice {
			return early.In(loc)
		}
	}
	return t
}
