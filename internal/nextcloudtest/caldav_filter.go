package nextcloudtest

import (
	"strings"
	"time"
)

// maxFilterDepth bounds nested comp-filters; VALARM inside VEVENT inside VCALENDAR is three.
const maxFilterDepth = 8

// compFilter is CALDAV:comp-filter (RFC 4791, section 9.7.1), evaluated as Sabre's CalendarQueryValidator does.
type compFilter struct {
	name         string
	isNotDefined bool
	comps        []compFilter
	props        []propFilter
	hasRange     bool
	from, to     time.Time
}

// propFilter is CALDAV:prop-filter (section 9.7.2).
type propFilter struct {
	name         string
	isNotDefined bool
	text         *textMatch
	params       []paramFilter
	hasRange     bool
	from, to     time.Time
}

// paramFilter is CALDAV:param-filter (section 9.7.3).
type paramFilter struct {
	name         string
	isNotDefined bool
	text         *textMatch
}

// textMatch is CALDAV:text-match (section 9.7.5): always a substring.
type textMatch struct {
	value  string
	fold   bool
	negate bool
}

func parseCompFilter(n *xmlNode, depth int) (compFilter, *davFailure) {
	f := compFilter{name: strings.ToUpper(n.attr("name"))}
	if depth > maxFilterDepth {
		return f, davBadRequest("The filter nests too deeply")
	}
	for _, child := range n.children {
		var failure *davFailure
		switch {
		case child.is(nsCalDAV, "is-not-defined"):
			f.isNotDefined = true
		case child.is(nsCalDAV, "time-range"):
			if f.name == "VCALENDAR" {
				return f, davBadRequest("You cannot add time-range filters on the VCALENDAR component")
			}
			f.hasRange = true
			f.from, f.to, failure = timeRange(child)
		case child.is(nsCalDAV, "comp-filter"):
			var comp compFilter
			comp, failure = parseCompFilter(child, depth+1)
			f.comps = append(f.comps, comp)
		case child.is(nsCalDAV, "prop-filter"):
			var prop propFilter
			prop, failure = parsePropFilter(child)
			f.props = append(f.props, prop)
		}
		if failure != nil {
			return f, failure
		}
	}
	return f, nil
}

func parsePropFilter(n *xmlNode) (propFilter, *davFailure) {
	f := propFilter{name: strings.ToUpper(n.attr("name"))}
	for _, child := range n.children {
		var failure *davFailure
		switch {
		case child.is(nsCalDAV, "is-not-defined"):
			f.isNotDefined = true
		case child.is(nsCalDAV, "time-range"):
			f.hasRange = true
			f.from, f.to, failure = timeRange(child)
		case child.is(nsCalDAV, "text-match"):
			f.text, failure = parseTextMatch(child)
		case child.is(nsCalDAV, "param-filter"):
			param := paramFilter{name: child.attr("name"), isNotDefined: child.child(nsCalDAV, "is-not-defined") != nil}
			if text := child.child(nsCalDAV, "text-match"); text != nil {
				param.text, failure = parseTextMatch(text)
			}
			f.params = append(f.params, param)
		}
		if failure != nil {
			return f, failure
		}
	}
	return f, nil
}

func parseTextMatch(n *xmlNode) (*textMatch, *davFailure) {
	m := &textMatch{value: n.text, negate: n.attr("negate-condition") == "yes", fold: true}
	switch n.attr("collation") {
	case "", "i;ascii-casemap", "i;unicode-casemap":
	case "i;octet":
		m.fold = false
	default:
		return nil, davBadRequest("Collation type: %s is not supported", n.attr("collation"))
	}
	return m, nil
}

func (m *textMatch) matches(text string) bool {
	value := m.value
	if m.fold {
		text, value = strings.ToLower(text), strings.ToLower(value)
	}
	return strings.Contains(text, value) != m.negate
}

// matches evaluates the outermost filter, which names the calendar itself.
func (f compFilter) matches(calendar *icalComponent) bool {
	return calendar.name == f.name && f.within(calendar, calendar, calendar.zones())
}

// within evaluates what a filter asks of one component that has its name; parent is what an alarm belongs to.
func (f compFilter) within(c, parent *icalComponent, zones icalZones) bool {
	if f.hasRange && !zones.overlaps(c, parent, f.from, f.to) {
		return false
	}
	for _, comp := range f.comps {
		if !comp.amongChildren(c, zones) {
			return false
		}
	}
	for _, prop := range f.props {
		if !prop.matches(c, zones) {
			return false
		}
	}
	return true
}

func (f compFilter) amongChildren(parent *icalComponent, zones icalZones) bool {
	children := parent.named(f.name)
	if f.isNotDefined || len(children) == 0 {
		return f.isNotDefined && len(children) == 0
	}
	for _, child := range children {
		if f.within(child, parent, zones) {
			return true
		}
	}
	return false
}

// matches evaluates one prop-filter. A property that is missing never matches, not even a negated text: a task without
// STATUS is not found by "STATUS is not COMPLETED".
func (f propFilter) matches(c *icalComponent, zones icalZones) bool {
	found := false
	for _, line := range c.lines {
		if line.name != f.name {
			continue
		}
		found = true
		if !f.isNotDefined && f.matchesLine(line, zones) {
			return true
		}
	}
	return f.isNotDefined && !found
}

func (f propFilter) matchesLine(line icalLine, zones icalZones) bool {
	if f.hasRange {
		times := zones.times(line)
		if len(times) == 0 || times[0].Before(f.from) || !times[0].Before(f.to) {
			return false
		}
	}
	if f.text != nil && !f.text.matches(line.text()) {
		return false
	}
	for _, param := range f.params {
		value := line.param(param.name)
		switch {
		case param.isNotDefined && value != "", !param.isNotDefined && value == "":
			return false
		case param.text != nil && !param.text.matches(value):
			return false
		}
	}
	return true
}

// overlaps is the time-range test of a component (RFC 4791, section 9.9).
func (z icalZones) overlaps(c, parent *icalComponent, from, to time.Time) bool {
	switch c.name {
	case "VEVENT":
		return z.eventOverlaps(c, from, to)
	case "VTODO":
		return z.todoOverlaps(c, from, to)
	case "VJOURNAL":
		return z.journalOverlaps(c, from, to)
	case "VALARM":
		return z.alarmOverlaps(c, parent, from, to)
	}
	return false
}

// alarmOverlaps tests the moment an alarm first rings, in the first instance of what it belongs to.
func (z icalZones) alarmOverlaps(alarm, parent *icalComponent, from, to time.Time) bool {
	trigger, ok := alarm.line("TRIGGER")
	if !ok {
		return false
	}
	if at := z.times(trigger); len(at) > 0 {
		return !at[0].Before(from) && at[0].Before(to)
	}
	delay, ok := parseICalDuration(trigger.value)
	start, end, hasStart := z.span(parent)
	if due, hasDue := z.time(parent, "DUE"); hasDue {
		end = due
		if !hasStart {
			start, hasStart = due, true
		}
	}
	if !ok || !hasStart {
		return false
	}
	base := start.Time
	if strings.EqualFold(trigger.param("RELATED"), "END") {
		base = end.Time
	}
	at := delay.after(base)
	return !at.Before(from) && at.Before(to)
}
