package calendar

import (
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// timing is when a task starts and is due; either may be missing.
type timing struct {
	start, due ical.DateTime
}

// timing reads DTSTART and DUE; DURATION counts from DTSTART
// (RFC 5545, 3.6.2).
func (o *object) timing(c *ical.Component) (timing, error) {
	var (
		t   timing
		err error
	)
	if t.start, err = o.Zones.Read(c.Prop("DTSTART")); err != nil {
		return t, err
	}
	if t.due, err = o.Zones.Read(c.Prop("DUE")); err != nil {
		return t, err
	}
	if t.due.IsZero() && c.Prop("DURATION") != nil && !t.start.IsZero() {
		_, t.due, err = o.Times(c)
	}
	return t, err
}

// anchor is the time that recurrence counts from. Nextcloud's Tasks and others
// write rules into tasks that are only due.
func (t timing) anchor() ical.DateTime {
	if t.start.IsZero() {
		return t.due
	}
	return t.start
}

// at is the timing of the occurrence whose anchor is id.
func (t timing) at(id ical.DateTime) timing {
	was := t.anchor()
	if t.start.IsZero() {
		return timing{due: id}
	}
	out := timing{start: id}
	if !t.due.IsZero() {
		out.due = moveBy(t.due, was, id)
	}
	return out
}

// moveBy is d as much later as is comes after was, on the clock of was.
func moveBy(d, was, is ical.DateTime) ical.DateTime {
	delta := is.Wall.Sub(was.Wall)
	if d.Kind == was.Kind || d.Kind == ical.Date || was.Kind == ical.Date {
		if d.Kind != ical.Zoned || was.Kind != ical.Zoned {
			return d.At(d.Wall.Add(delta))
		}
	}
	there := d.Like(was)
	return there.At(there.Wall.Add(delta)).Like(d)
}

// checked refuses a due time before the start, and a day with a time
// (RFC 5545, 3.8.2.3).
func (t timing) checked(op string) error {
	if t.start.IsZero() || t.due.IsZero() {
		return nil
	}
	if (t.start.Kind == ical.Date) != (t.due.Kind == ical.Date) {
		return invalidf(op, "dtstart and due have to be both dates or both times: give both, or clear one with an empty text. Now dtstart is %s and due %s", t.start, t.due)
	}
	if t.due.Instant(time.UTC).Before(t.start.Instant(time.UTC)) {
		return invalidf(op, "due %s lies before dtstart %s", t.due, t.start)
	}
	return nil
}

// put writes what differs from was.
func (t timing) put(c *ical.Component, was timing) {
	set := func(name string, is ical.DateTime) {
		if is.IsZero() {
			c.Remove(name)
		} else {
			is.Put(c, name)
		}
	}
	if t.start != was.start {
		set("DTSTART", t.start)
	}
	if c.Prop("DURATION") != nil && c.Prop("DUE") == nil && !t.start.IsZero() {
		if was.due.IsZero() && t.due.IsZero() || !was.start.IsZero() && moveBy(was.due, was.start, t.start).Same(t.due) {
			return // as long as before
		}
	}
	if t.due != was.due || c.Prop("DUE") == nil {
		set("DUE", t.due)
	}
	if t != was {
		c.Remove("DURATION") // a task has one or the other (RFC 5545, 3.6.2)
	}
}

// rebound is a time of a change: a moment or a clock reading takes the form
// that the task had, unless a zone was asked for.
func rebound(op, argument, value string, had ical.DateTime, zone *string, p *person) (ical.DateTime, clock, error) {
	asked := zone != nil && strings.TrimSpace(*zone) != ""
	at, err := clockFor(op, text(zone), p)
	if err != nil {
		return had, at, err
	}
	if had.Kind == ical.Zoned && !asked {
		at = clock{had.Zone, "the task's own zone"}
	}
	if strings.TrimSpace(value) == "" {
		return ical.DateTime{}, clock{}, nil
	}
	w, err := parseWhen(op, argument, value)
	switch {
	case err != nil:
		return had, at, err
	case w.day:
		return ical.DateOf(w.wall), clock{}, nil
	case w.fixed && !asked && (had.Kind == ical.Zoned || had.Kind == ical.UTC):
		return ical.UTCOf(w.moment).Like(had), at, nil
	case !w.fixed && !asked && had.Kind == ical.Zoned:
		return had.At(w.wall), at, nil
	case !w.fixed && !asked && had.Kind == ical.Floating && had.TZID == "":
		return had.At(w.wall), clock{}, nil
	case !w.fixed && !asked && had.Kind == ical.UTC:
		// The person means their own clock; the task keeps its form.
		return ical.UTCOf(at.instant(w)), at, nil
	}
	return at.bind(w), at, nil
}
