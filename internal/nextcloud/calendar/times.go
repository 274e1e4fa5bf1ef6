package calendar

import (
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// span is when an event takes place.
type span struct {
	start, end ical.DateTime
}

// fresh is the span of a new event.
func (f *Fields) fresh(op string, at clock) (span, error) {
	if f.Start == nil || *f.Start == "" {
		return span{}, invalidf(op, "start_datetime is missing")
	}
	first, err := parseWhen(op, "start_datetime", *f.Start)
	if err != nil {
		return span{}, err
	}
	allDay := first.day
	if f.AllDay != nil {
		allDay = *f.AllDay
		if first.day && !allDay {
			return span{}, invalidf(op, "start_datetime is a date without a time; give a time, or leave all_day out")
		}
	}
	s := span{start: at.bind(first)}
	if allDay {
		s.start = ical.DateOf(first.wall)
	}
	if f.End == nil || *f.End == "" {
		s.end = after(s.start, time.Hour)
		return s, nil
	}
	last, err := parseWhen(op, "end_datetime", *f.End)
	if err != nil {
		return span{}, err
	}
	switch {
	case allDay:
		s.end = ical.DateOf(last.wall)
		if last.wall.After(s.end.Wall) {
			s.end = after(s.end, 0) // until a time of that day: the day belongs to it
		}
	case last.day:
		return span{}, invalidf(op, "end_datetime is a date without a time, but the event starts at a time")
	default:
		s.end = at.bind(last)
	}
	return s.checked(op)
}

// after is the end of an event without one: a day for days, else length.
func after(start ical.DateTime, length time.Duration) ical.DateTime {
	if start.Kind == ical.Date {
		return start.At(start.Wall.AddDate(0, 0, 1))
	}
	return start.At(start.Wall.Add(length))
}

// checked refuses an end before the start. The end of a day that is the day
// itself means that one day.
func (s span) checked(op string) (span, error) {
	if s.start.Kind == ical.Date && s.end.Wall.Equal(s.start.Wall) {
		s.end = after(s.start, 0)
	}
	if (s.start.Kind == ical.Floating) != (s.end.Kind == ical.Floating) {
		return s, invalidf(op, "give both start_datetime and end_datetime: the event has times without a zone so far")
	}
	if s.end.Instant(time.UTC).Before(s.start.Instant(time.UTC)) {
		return s, invalidf(op, "the end %s lies before the start %s", s.end, s.start)
	}
	return s, nil
}

// moved is the span after a change of an event that takes place in was. base,
// when it is not zero, is the occurrence that the caller saw: then a new start
// says how far that one moves.
func (f *Fields) moved(op string, was span, base ical.DateTime, p *person) (span, clock, error) {
	at, err := f.clock(op, was.start, p)
	if err != nil {
		return span{}, at, err
	}
	s := was
	allDay := was.start.Kind == ical.Date
	if f.AllDay != nil && *f.AllDay != allDay {
		s, err = f.flipped(op, was, at)
		return s, at, err
	}
	if f.Start == nil && f.End == nil {
		if f.TimeZone != nil && !allDay {
			// The same clock reading in another zone.
			s.start = ical.In(time.Unix(0, 0), at.loc).At(was.start.Wall)
			s.end = ical.In(time.Unix(0, 0), at.loc).At(was.end.Wall)
		}
		return s, at, nil
	}
	offset := time.Duration(0)
	if !base.IsZero() {
		offset = base.Like(was.start).Wall.Sub(was.start.Wall)
	}
	if f.Start != nil {
		if s.start, err = f.rebind(op, "start_datetime", *f.Start, was.start, at); err != nil {
			return s, at, err
		}
		s.start = s.start.At(s.start.Wall.Add(-offset))
		length := was.end.Instant(time.UTC).Sub(was.start.Instant(time.UTC))
		if allDay {
			s.end = s.start.At(s.start.Wall.Add(was.end.Wall.Sub(was.start.Wall)))
		} else {
			s.end = lasting(s.start, length)
		}
	}
	if f.End != nil {
		pattern := was.end
		if pattern.Kind != was.start.Kind {
			pattern = was.start
		}
		if s.end, err = f.rebind(op, "end_datetime", *f.End, pattern, at); err != nil {
			return s, at, err
		}
		s.end = s.end.At(s.end.Wall.Add(-offset))
	}
	s, err = s.checked(op)
	return s, at, err
}

// lasting is the end of what starts at start and takes so long.
func lasting(start ical.DateTime, length time.Duration) ical.DateTime {
	if start.Kind == ical.Zoned {
		end := ical.In(start.Instant(nil).Add(length), start.Zone)
		end.TZID = start.TZID
		return end
	}
	return start.At(start.Wall.Add(length))
}

// clock is the zone that times of a change are read in: as asked, else the
// event's own, else the person's.
func (f *Fields) clock(op string, start ical.DateTime, p *person) (clock, error) {
	if f.TimeZone != nil && *f.TimeZone != "" {
		return clockFor(op, *f.TimeZone, p)
	}
	if start.Kind == ical.Zoned {
		return clock{start.Zone, "the event's own zone"}, nil
	}
	return clockFor(op, "", p)
}

// rebind is a time of a change in the form that the event has: a day stays a
// day, a floating time floats, a zone keeps its name.
func (f *Fields) rebind(op, argument, text string, pattern ical.DateTime, at clock) (ical.DateTime, error) {
	if text == "" {
		return pattern, invalidf(op, "%s cannot be cleared", argument)
	}
	w, err := parseWhen(op, argument, text)
	if err != nil {
		return pattern, err
	}
	switch {
	case pattern.Kind == ical.Date && !w.day:
		return pattern, invalidf(op, "the event is all-day: give %s as a date, or all_day=false with start_datetime and end_datetime", argument)
	case pattern.Kind == ical.Date:
		return ical.DateOf(w.wall), nil
	case w.day:
		return pattern, invalidf(op, "the event has times: give %s with a time, or all_day=true", argument)
	case f.TimeZone != nil && *f.TimeZone != "":
		return at.bind(w), nil
	case w.fixed && (pattern.Kind == ical.Zoned || pattern.Kind == ical.UTC):
		return ical.UTCOf(w.moment).Like(pattern), nil
	case w.fixed:
		return at.bind(w), nil
	case pattern.Kind == ical.UTC:
		return at.bind(w), nil
	default:
		return pattern.At(w.wall), nil
	}
}

// flipped is the span of an event that becomes all-day, or stops to be.
func (f *Fields) flipped(op string, was span, at clock) (span, error) {
	allDay := *f.AllDay
	if f.Start == nil && f.End == nil && allDay {
		first, last := was.start.Wall, was.end.Wall
		if was.end.Kind != ical.Floating {
			first, last = wallOf(was.start.Instant(at.loc).In(at.loc)), wallOf(was.end.Instant(at.loc).In(at.loc))
		}
		s := span{ical.DateOf(first), ical.DateOf(last)}
		if last.After(s.end.Wall) || !s.end.Wall.After(s.start.Wall) {
			s.end = after(s.end, 0)
		}
		return s, nil
	}
	if f.Start == nil || f.End == nil {
		if allDay {
			return was, invalidf(op, "give both start_datetime and end_datetime as dates to make the event all-day, or neither")
		}
		return was, invalidf(op, "give both start_datetime and end_datetime with times when all_day is false")
	}
	g := Fields{Start: f.Start, End: f.End, AllDay: f.AllDay}
	return g.fresh(op, at)
}

// put writes the span into an event. Where it had a DURATION and the length
// stays, it keeps it.
func (s span) put(event *ical.Component, was span) {
	s.start.Put(event, "DTSTART")
	switch {
	case event.Prop("DTEND") != nil:
		s.end.Put(event, "DTEND")
	case s.start.Kind == was.start.Kind && sameLength(s, was):
	default:
		event.Remove("DURATION")
		s.end.Put(event, "DTEND")
	}
}

func sameLength(a, b span) bool {
	return a.end.Instant(time.UTC).Sub(a.start.Instant(time.UTC)) == b.end.Instant(time.UTC).Sub(b.start.Instant(time.UTC))
}
