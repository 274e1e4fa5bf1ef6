package nextcloudtest

import (
	"slices"
	"time"
)

// patchInbox answers PROPPATCH on the inbox, where calendar-availability (RFC 7953, section 7.2.4) is kept.
func (c *calendarServer) patchInbox(r *davRequest) {
	root, err := parseXML(r.body)
	if err != nil {
		r.fail(davBadRequest("%s", err))
		return
	}
	out := node(nsDAV, "response", leaf(nsDAV, "href", davHref("calendars", r.home.uid, "inbox")))
	for _, instruction := range root.children {
		prop := instruction.child(nsDAV, "prop")
		if prop == nil {
			continue
		}
		for _, p := range prop.children {
			status := "403 Forbidden"
			if p.is(nsCalDAV, "calendar-availability") {
				status, r.home.availability = "200 OK", p.text
				if instruction.is(nsDAV, "remove") {
					status, r.home.availability = "204 No Content", ""
				}
			}
			out.children = append(out.children, propstat(node(nsDAV, "prop", p.named()), status))
		}
	}
	writeMultistatus(r.w, calendarPrefixes, "", out)
}

// unavailable are the FREEBUSY lines of the times outside of somebody's working hours.
func unavailable(availability string, from, to time.Time) []icalLine {
	calendar, err := parseICal(availability)
	if err != nil {
		return nil
	}
	zones := calendar.zones()
	type span struct{ from, to time.Time }
	var free []span
	for _, hours := range calendar.named("VAVAILABILITY") {
		for _, available := range hours.named("AVAILABLE") {
			first, ok1 := zones.time(available, "DTSTART")
			last, ok2 := zones.time(available, "DTEND")
			if !ok1 || !ok2 {
				continue
			}
			for _, start := range zones.starts(available, to) {
				free = append(free, span{start, start.Add(last.Sub(first.Time))})
			}
		}
	}
	slices.SortFunc(free, func(a, b span) int { return a.from.Compare(b.from) })
	var lines []icalLine
	at := from
	add := func(until time.Time) {
		if until.After(to) {
			until = to
		}
		if until.After(at) {
			lines = append(lines, icalLine{name: "FREEBUSY", params: ";FBTYPE=BUSY-UNAVAILABLE", value: at.UTC().Format(icalUTCLayout) + "/" + until.UTC().Format(icalUTCLayout)})
		}
	}
	for _, f := range free {
		if f.to.After(from) && f.from.Before(to) {
			add(f.from)
			at = f.to
		}
	}
	add(to)
	return lines
}
