package nextcloudtest

import (
	"errors"
	"slices"
	"time"

	"github.com/teambition/rrule-go"
)

// maxInstances bounds every expansion, as Sabre's Settings::$maxRecurrences does.
const maxInstances = 3500

// sabreProductID is what Sabre writes into calendars it makes itself.
const sabreProductID = "-//Sabre//Sabre VObject 4.5.6//EN"

// errNoInstances is the message of Sabre's NoInstancesException.
var errNoInstances = errors.New("This recurrence rule does not generate any valid instances") //nolint:staticcheck // the server's own words

// isRecurring tells whether a component has more than one instance by itself.
func (c *icalComponent) isRecurring() bool {
	return c.count("RRULE") > 0 || c.count("RDATE") > 0
}

// starts yields the beginnings of a component's instances in order, without its EXDATEs and without looking at
// overrides, until the given moment or maxInstances.
func (z icalZones) starts(c *icalComponent, until time.Time) []time.Time {
	start, ok := z.time(c, "DTSTART")
	if !ok {
		return nil
	}
	set := rrule.Set{}
	for _, line := range c.lines {
		switch line.name {
		case "RRULE":
			option, err := rrule.StrToROptionInLocation(line.value, start.Location())
			if err != nil {
				continue
			}
			option.Dtstart = start.Time
			if !searchEnds(option) {
				continue
			}
			if rule, err := rrule.NewRRule(*option); err == nil {
				set.RRule(rule)
			}
		case "RDATE":
			for _, t := range z.times(line) {
				set.RDate(t.Time)
			}
		case "EXDATE":
			for _, t := range z.times(line) {
				set.ExDate(t.Time)
			}
		}
	}
	// RFC 5545, section 3.8.5.3: DTSTART is always the first instance.
	set.RDate(start.Time)
	var found []time.Time
	next := set.Iterator()
	for range maxInstances {
		t, ok := next()
		if !ok || t.After(until) {
			break
		}
		if len(found) == 0 || !found[len(found)-1].Equal(t) {
			found = append(found, t)
		}
	}
	return found
}

// searchEnds tells whether rrule-go finds out in reasonable time that a rule has no further instance. It tries one interval
// after the other until the year 9999, which takes for ever with rules that repeat within the day and fit no hour or date;
// of those only DTSTART counts here.
func searchEnds(option *rrule.ROption) bool {
	switch option.Freq {
	case rrule.HOURLY, rrule.MINUTELY, rrule.SECONDLY:
		clock := len(option.Byhour) + len(option.Byminute) + len(option.Bysecond)
		dates := len(option.Bymonth) + len(option.Bymonthday) + len(option.Byyearday) + len(option.Byweekno) + len(option.Bysetpos)
		return dates == 0 && (option.Interval <= 1 || clock == 0)
	default:
		return true
	}
}

// hasInstances tells whether anything remains of a series after its exceptions; Nextcloud refuses to store one that is
// empty.
func (c *icalComponent) hasInstances() bool {
	zones := c.zones()
	for _, event := range c.named("VEVENT") {
		if !event.isRecurring() || event.count("RECURRENCE-ID") > 0 || len(zones.starts(event, farFuture)) > 0 {
			return true
		}
	}
	return len(c.named("VEVENT")) == 0
}

// farFuture is after every instance that is looked at; rrule-go itself ends with the year 9999.
var farFuture = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// eventOverlaps is Sabre's VEvent::isInTimeRange.
//
// Nextcloud: a series is tested without its overrides, so the original place of an instance that was moved still matches.
func (z icalZones) eventOverlaps(event *icalComponent, from, to time.Time) bool {
	start, end, ok := z.span(event)
	if !ok {
		return false
	}
	if !event.isRecurring() {
		return from.Before(end.Time) && to.After(start.Time)
	}
	length := end.Sub(start.Time)
	for _, t := range z.starts(event, to) {
		if t.Before(to) && t.Add(length).After(from) {
			return true
		}
	}
	return false
}

// todoOverlaps is Sabre's VTodo::isInTimeRange, the table of RFC 4791, section 9.9; a recurring task is not expanded.
func (z icalZones) todoOverlaps(todo *icalComponent, from, to time.Time) bool {
	start, hasStart := z.time(todo, "DTSTART")
	due, hasDue := z.time(todo, "DUE")
	completed, hasCompleted := z.time(todo, "COMPLETED")
	created, hasCreated := z.time(todo, "CREATED")
	notAfter := func(a, b time.Time) bool { return !a.After(b) }
	if hasStart {
		if d, ok := parseICalDuration(todo.value("DURATION")); ok {
			return notAfter(from, d.after(start.Time)) && to.After(start.Time)
		}
		if hasDue {
			return (from.Before(due.Time) || notAfter(from, start.Time)) && (to.After(start.Time) || notAfter(due.Time, to))
		}
		return notAfter(from, start.Time) && to.After(start.Time)
	}
	switch {
	case hasDue:
		return from.Before(due.Time) && notAfter(due.Time, to)
	case hasCompleted && hasCreated:
		return (notAfter(from, created.Time) || notAfter(from, completed.Time)) &&
			(notAfter(created.Time, to) || notAfter(completed.Time, to))
	case hasCompleted:
		return notAfter(from, completed.Time) && notAfter(completed.Time, to)
	case hasCreated:
		return to.After(created.Time)
	}
	return true
}

// journalOverlaps is Sabre's VJournal::isInTimeRange.
func (z icalZones) journalOverlaps(journal *icalComponent, from, to time.Time) bool {
	start, end, ok := z.span(journal.without("DTEND", "DURATION"))
	return ok && !from.After(end.Time) && to.After(start.Time)
}

// instance is one occurrence of an event; component is its series or its override.
type instance struct {
	recurrenceID time.Time // zero for an event that does not recur
	start, end   icalTime
	component    *icalComponent
}

// instances lists what of an object happens within [from, to), overrides in the place of what they replace.
func (c *icalComponent) instances(from, to time.Time) []instance {
	zones := c.zones()
	overrides := map[int64]instance{}
	var found []instance
	keep := func(i instance) {
		if i.start.Before(to) && i.end.After(from) {
			found = append(found, i)
		}
	}
	for _, event := range c.named("VEVENT") {
		start, end, ok := zones.span(event)
		if id, overridden := zones.time(event, "RECURRENCE-ID"); ok && overridden {
			overrides[id.Unix()] = instance{recurrenceID: id.Time, start: start, end: end, component: event}
		}
	}
	for _, event := range c.named("VEVENT") {
		start, end, ok := zones.span(event)
		if !ok || event.count("RECURRENCE-ID") > 0 {
			continue
		}
		if !event.isRecurring() {
			if from.Before(end.Time) && to.After(start.Time) {
				found = append(found, instance{start: start, end: end, component: event})
			}
			continue
		}
		length := end.Sub(start.Time)
		for _, t := range zones.starts(event, to) {
			if _, replaced := overrides[t.Unix()]; replaced {
				continue
			}
			keep(instance{
				recurrenceID: t,
				start:        icalTime{Time: t, date: start.date},
				end:          icalTime{Time: t.Add(length), date: end.date},
				component:    event,
			})
		}
	}
	for _, override := range overrides {
		keep(override)
	}
	slices.SortStableFunc(found, func(a, b instance) int { return a.start.Compare(b.start.Time) })
	return found
}

// expand does what CALDAV:expand asks for (RFC 4791, section 9.6.5), the way Sabre does it: every time becomes UTC, zones
// and rules go away, instances of a series get a RECURRENCE-ID at their end, tasks and journals vanish.
func (c *icalComponent) expand(from, to time.Time) *icalComponent {
	out := newSabreCalendar()
	zones := c.zones()
	for _, i := range c.instances(from, to) {
		event := i.component.without("RRULE", "RDATE", "EXDATE", "EXRULE")
		series := i.component.isRecurring()
		for n, line := range event.lines {
			times := zones.times(line)
			switch {
			case series && line.name == "DTSTART":
				event.lines[n] = utcLine(line, i.start)
			case series && line.name == "DTEND":
				event.lines[n] = utcLine(line, i.end)
			case isTimeProperty(line.name) && len(times) == 1:
				event.lines[n] = utcLine(line, times[0])
			}
		}
		if series {
			event.lines = append(event.lines, utcLine(icalLine{name: "RECURRENCE-ID"}, icalTime{Time: i.recurrenceID, date: i.start.date}))
		}
		out.children = append(out.children, event)
	}
	return out
}

func newSabreCalendar() *icalComponent {
	return &icalComponent{name: "VCALENDAR", lines: []icalLine{
		{name: "VERSION", value: "2.0"}, {name: "PRODID", value: sabreProductID}, {name: "CALSCALE", value: "GREGORIAN"},
	}}
}

func isTimeProperty(name string) bool {
	switch name {
	case "DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED":
		return true
	}
	return false
}

func utcLine(line icalLine, t icalTime) icalLine {
	if t.date {
		return icalLine{name: line.name, params: ";VALUE=DATE", value: t.Format(icalDateLayout)}
	}
	return icalLine{name: line.name, value: t.UTC().Format(icalUTCLayout)}
}

// busy lists the times an object takes within a range (RFC 4791, section 7.10).
func (c *icalComponent) busy(from, to time.Time) []busyTime {
	var found []busyTime
	for _, i := range c.instances(from, to) {
		status := i.component.value("STATUS")
		if i.component.value("TRANSP") == "TRANSPARENT" || status == "CANCELLED" || !i.end.After(i.start.Time) {
			continue
		}
		kind := ""
		if status == "TENTATIVE" {
			kind = ";FBTYPE=BUSY-TENTATIVE"
		}
		found = append(found, busyTime{start: i.start.UTC(), end: i.end.UTC(), params: kind})
	}
	return found
}

type busyTime struct {
	start, end time.Time
	params     string
}

// merged sorts times and joins those of a kind that overlap or touch.
func merged(times []busyTime) []busyTime {
	slices.SortStableFunc(times, func(a, b busyTime) int { return a.start.Compare(b.start) })
	var out []busyTime
	for _, t := range times {
		last := len(out) - 1
		if last >= 0 && out[last].params == t.params && !t.start.After(out[last].end) {
			if t.end.After(out[last].end) {
				out[last].end = t.end
			}
			continue
		}
		out = append(out, t)
	}
	return out
}

// freeBusy is a VFREEBUSY calendar over several objects.
func freeBusy(objects []*icalComponent, from, to, now time.Time) *icalComponent {
	var times []busyTime
	for _, object := range objects {
		times = append(times, object.busy(from, to)...)
	}
	times = merged(times)
	busy := &icalComponent{name: "VFREEBUSY", lines: []icalLine{
		{name: "DTSTART", value: from.UTC().Format(icalUTCLayout)},
		{name: "DTEND", value: to.UTC().Format(icalUTCLayout)},
		{name: "DTSTAMP", value: now.UTC().Format(icalUTCLayout)},
	}}
	for _, t := range times {
		busy.lines = append(busy.lines, icalLine{
			name: "FREEBUSY", params: t.params,
			value: t.start.Format(icalUTCLayout) + "/" + t.end.Format(icalUTCLayout),
		})
	}
	calendar := newSabreCalendar()
	calendar.children = []*icalComponent{busy}
	return calendar
}
