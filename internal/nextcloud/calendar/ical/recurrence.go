package ical

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// maxOccurrences bounds the occurrences of one series that are looked at.
const maxOccurrences = 20_000

// Series is a VEVENT or VTODO with its changed occurrences, as one object
// holds them.
type Series struct {
	Object    *Component
	Master    *Component   // nil when the object holds single occurrences only
	Overrides []*Component // the components with a RECURRENCE-ID
	Zones     *Zones

	kind string
}

// NewSeries are the components of that kind ("VEVENT") in object.
func NewSeries(object *Component, kind string) (*Series, error) {
	s := &Series{Object: object, Zones: NewZones(object), kind: kind}
	for _, c := range object.Children(kind) {
		switch {
		case c.Prop("RECURRENCE-ID") != nil:
			s.Overrides = append(s.Overrides, c)
		case s.Master == nil:
			s.Master = c
		default:
			return nil, fmt.Errorf("calendar object holds more than one %s", kind)
		}
	}
	if s.Master == nil && len(s.Overrides) == 0 {
		return nil, fmt.Errorf("calendar object holds no %s", kind)
	}
	return s, nil
}

// First is the master, or the first single occurrence.
func (s *Series) First() *Component {
	if s.Master != nil {
		return s.Master
	}
	return s.Overrides[0]
}

// Recurs reports whether there is more than one occurrence by nature.
func (s *Series) Recurs() bool {
	return s.Master == nil || s.Master.Prop("RRULE") != nil || s.Master.Prop("RDATE") != nil
}

// Rule is the rule of the master; nil when there is none or it cannot be read.
func (s *Series) Rule() *Rule {
	if s.Master == nil {
		return nil
	}
	l := s.Master.Prop("RRULE")
	if l == nil {
		return nil
	}
	r, err := ParseRule(l.Value())
	if err != nil {
		return nil
	}
	return r
}

// Occurrence is one occurrence of a series.
type Occurrence struct {
	ID         DateTime // its start by the rule: RECURRENCE-ID
	Start, End DateTime
	Component  *Component // the master, or the override that applies
	Changed    bool       // has an override of its own
}

// Times are the start and the end of a component. A missing end follows from
// DURATION, or is the start, or the day after a day (RFC 5545, 3.6.1).
func (s *Series) Times(c *Component) (start, end DateTime, err error) {
	if start, err = s.Zones.Read(c.Prop("DTSTART")); err != nil {
		return start, end, err
	}
	if end, err = s.Zones.Read(c.Prop("DTEND")); err != nil || !end.IsZero() {
		return start, end, err
	}
	if l := c.Prop("DURATION"); l != nil && !start.IsZero() {
		d, err := ParseDuration(l.Value())
		if err != nil {
			return start, end, err
		}
		return start, after(start, d), nil
	}
	if start.Kind == Date {
		return start, start.At(start.Wall.AddDate(0, 0, 1)), nil
	}
	return start, start, nil
}

// after is start plus a duration: days on the calendar, the rest on the clock.
func after(start DateTime, d Duration) DateTime {
	if d.Negative {
		return start
	}
	day := start.At(start.Wall.AddDate(0, 0, d.Days))
	if d.Clock == 0 || start.Kind == Date {
		return day
	}
	if day.Kind == Zoned {
		return day.At(wallOf(day.Instant(nil).Add(d.Clock).In(day.Zone)))
	}
	return day.At(day.Wall.Add(d.Clock))
}

// Dates are the starts that rule, RDATE and EXDATE give to the master before
// the moment end, in order, at most 20 000. With raw, EXDATE is not applied.
func (s *Series) Dates(end time.Time, elsewhere *time.Location, raw bool) ([]DateTime, error) {
	start, err := s.Zones.Read(s.Master.Prop("DTSTART"))
	if err != nil {
		return nil, err
	}
	if start.IsZero() {
		return nil, fmt.Errorf("%s has no DTSTART", s.kind)
	}
	moment := func(wall time.Time) time.Time { return start.At(wall).Instant(elsewhere) }
	walls := []time.Time{start.Wall}
	if l := s.Master.Prop("RRULE"); l != nil {
		rule, err := ParseRule(l.Value())
		if err != nil {
			return nil, err
		}
		walls = rule.walls(start.Wall, end, moment, maxOccurrences)
	}
	dates := make([]DateTime, 0, len(walls))
	for _, w := range walls {
		dates = append(dates, start.At(w))
	}
	extra, err := s.Zones.ReadAll(s.Master.PropAll("RDATE"))
	if err != nil {
		return nil, err
	}
	for _, d := range extra {
		if d = d.Like(start); d.Instant(elsewhere).Before(end) {
			dates = append(dates, d)
		}
	}
	gone := map[string]bool{}
	if !raw {
		without, err := s.Zones.ReadAll(s.Master.PropAll("EXDATE"))
		if err != nil {
			return nil, err
		}
		for _, d := range without {
			gone[exclusionKey(d, start)] = true
		}
	}
	slices.SortFunc(dates, func(a, b DateTime) int { return a.Wall.Compare(b.Wall) })
	dates = slices.CompactFunc(dates, func(a, b DateTime) bool { return a.Wall.Equal(b.Wall) })
	return slices.DeleteFunc(dates, func(d DateTime) bool {
		return gone[d.Value()] || gone[d.Wall.Format(formDate)]
	}), nil
}

// exclusionKey is what an EXDATE has in common with the start that it names.
// A day as the exclusion of a time means that day.
func exclusionKey(d, start DateTime) string {
	if d.Kind == Date {
		return d.Wall.Format(formDate)
	}
	return d.Like(start).Value()
}

// Expand are the occurrences that overlap [from, to), in the order of their
// starts. Days and floating times are read on the clock of elsewhere.
func (s *Series) Expand(from, to time.Time, elsewhere *time.Location) ([]Occurrence, error) {
	var out []Occurrence
	keep := func(o Occurrence) {
		start, end := o.Start.Instant(elsewhere), o.End.Instant(elsewhere)
		if start.Before(to) && (end.After(from) || (!start.Before(from) && !end.After(start))) {
			out = append(out, o)
		}
	}
	if s.plainEvent() {
		// Most events: nothing has to be worked out.
		start, end, err := s.Times(s.Master)
		if err == nil && start.IsZero() {
			err = fmt.Errorf("%s has no DTSTART", s.kind)
		}
		if err != nil {
			return nil, err
		}
		keep(Occurrence{ID: start, Start: start, End: end, Component: s.Master})
		return out, nil
	}
	own, ranged, err := s.overrides()
	if err != nil {
		return nil, err
	}
	if s.Master != nil {
		start, end, err := s.Times(s.Master)
		if err != nil {
			return nil, err
		}
		// An override may have moved an occurrence by weeks; a ranged one
		// moves all that follow.
		dates, err := s.Dates(to.AddDate(0, 0, 1), elsewhere, false)
		if err != nil {
			return nil, err
		}
		for _, d := range dates {
			id := d.Value()
			if o, ok := own[id]; ok {
				keep(o)
				delete(own, id)
				continue
			}
			keep(s.plain(d, start, end, ranged))
		}
	}
	// Overrides of dates beyond the window may have been moved into it.
	for _, k := range slices.Sorted(maps.Keys(own)) {
		keep(own[k])
	}
	slices.SortStableFunc(out, func(a, b Occurrence) int {
		return cmp.Or(a.Start.Instant(elsewhere).Compare(b.Start.Instant(elsewhere)), a.ID.Wall.Compare(b.ID.Wall))
	})
	return out, nil
}

// plainEvent reports whether the master is all there is.
func (s *Series) plainEvent() bool {
	return s.Master != nil && len(s.Overrides) == 0 && !s.Recurs() && s.Master.Prop("EXDATE") == nil
}

// plain is the occurrence id without an override of its own.
func (s *Series) plain(id, start, end DateTime, ranged []Occurrence) Occurrence {
	o := Occurrence{ID: id, Start: id, End: shift(id, start, end), Component: s.Master}
	for _, r := range ranged {
		if !id.Wall.Before(r.ID.Wall) {
			o.Component = r.Component
			o.Start = id.At(id.Wall.Add(r.Start.Like(id).Wall.Sub(r.ID.Wall)))
			o.End = shift(o.Start, r.Start, r.End)
		}
	}
	return o
}

// shift is the end of an occurrence at start when the first one lasts from a
// to b: the same days on the calendar for days, the same time on the clock
// for times.
func shift(start, a, b DateTime) DateTime {
	if start.Kind == Zoned && a.Kind != Date && b.Kind != Date {
		length := b.Instant(start.Zone).Sub(a.Instant(start.Zone))
		return start.At(wallOf(start.Instant(nil).Add(length).In(start.Zone)))
	}
	return start.At(start.Wall.Add(b.Like(a).Wall.Sub(a.Wall)))
}

// overrides are the changed occurrences by the value of their id in the form
// of the master's start, and those that also change what follows.
func (s *Series) overrides() (own map[string]Occurrence, ranged []Occurrence, err error) {
	own = map[string]Occurrence{}
	var pattern DateTime
	if s.Master != nil {
		if pattern, err = s.Zones.Read(s.Master.Prop("DTSTART")); err != nil {
			return nil, nil, err
		}
	}
	for _, c := range s.Overrides {
		id, err := s.Zones.Read(c.Prop("RECURRENCE-ID"))
		if err != nil {
			return nil, nil, err
		}
		start, end, err := s.Times(c)
		if err != nil {
			return nil, nil, err
		}
		if start.IsZero() {
			continue
		}
		if !pattern.IsZero() {
			id = id.Like(pattern)
		}
		o := Occurrence{ID: id, Start: start, End: end, Component: c, Changed: true}
		own[id.Value()] = o
		if c.Prop("RECURRENCE-ID").Param("RANGE") == "THISANDFUTURE" {
			ranged = append(ranged, o)
		}
	}
	slices.SortFunc(ranged, func(a, b Occurrence) int { return a.ID.Wall.Compare(b.ID.Wall) })
	return own, ranged, nil
}

// Find is the occurrence whose id is at; false when there is none.
func (s *Series) Find(at DateTime, elsewhere *time.Location) (Occurrence, bool, error) {
	own, ranged, err := s.overrides()
	if err != nil {
		return Occurrence{}, false, err
	}
	if s.Master == nil {
		for _, o := range own {
			if o.ID.Same(at.Like(o.ID)) {
				return o, true, nil
			}
		}
		return Occurrence{}, false, nil
	}
	start, end, err := s.Times(s.Master)
	if err != nil || start.IsZero() {
		return Occurrence{}, false, err
	}
	want := at.Like(start)
	dates, err := s.Dates(want.Instant(elsewhere).Add(time.Second), elsewhere, false)
	if err != nil || !slices.ContainsFunc(dates, func(d DateTime) bool { return d.Wall.Equal(want.Wall) }) {
		return Occurrence{}, false, err
	}
	if o, ok := own[want.Value()]; ok {
		return o, true, nil
	}
	return s.plain(want, start, end, ranged), true, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
