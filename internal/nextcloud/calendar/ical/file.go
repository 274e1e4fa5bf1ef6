package ical

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// maxCalendars bounds the VCALENDARs of one text.
const maxCalendars = 1000

// ParseAll reads one or several VCALENDAR objects that follow one another, as
// some programs write them into one file.
func ParseAll(data []byte) ([]*Component, error) {
	var (
		out   []*Component
		start int
		end   = []byte("END:VCALENDAR")
	)
	upper := bytes.ToUpper(data)
	if len(upper) != len(data) {
		upper = data // an odd letter changed its length: the common spelling has to do
	}
	for len(bytes.TrimSpace(data[start:])) > 0 {
		if len(out) >= maxCalendars {
			return nil, errors.New("too many calendars in one text")
		}
		stop := len(data)
		for from := start; ; {
			i := bytes.Index(upper[from:], end)
			if i < 0 {
				break
			}
			i += from
			from = i + len(end)
			// Only a line of its own ends a calendar.
			if (i == 0 || data[i-1] == '\n' || data[i-1] == '\r') && (from == len(data) || strings.ContainsRune("\r\n \t", rune(data[from]))) {
				stop = from
				break
			}
		}
		c, err := Parse(data[start:stop])
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		start = stop
	}
	if len(out) == 0 {
		return nil, errors.New("calendar object is empty")
	}
	return out, nil
}

// Split makes an object of its own of each component of that kind, with the
// changed occurrences of the same UID and the time zones that they name
// (RFC 4791, 4.1). The second answer counts the other components that are no
// time zones. Components without a UID stay alone.
func Split(object *Component, kind string) (objects []*Component, other int) {
	var keys []string
	groups := map[string][]*Component{}
	for i, it := range object.items {
		switch {
		case it.comp == nil || it.comp.Is("VTIMEZONE"):
		case it.comp.Is(kind):
			key := it.comp.Text("UID")
			if key == "" {
				key = "\x00" + strconv.Itoa(i)
			}
			if groups[key] == nil {
				keys = append(keys, key)
			}
			groups[key] = append(groups[key], it.comp)
		default:
			other++
		}
	}
	for _, key := range keys {
		out := NewComponent("VCALENDAR")
		for _, it := range object.items {
			if it.line != nil && !ofFile(it.line) {
				out.Add(it.line.Clone())
			}
		}
		named := map[string]bool{}
		for _, c := range groups[key] {
			c.tzids(named)
		}
		for _, z := range object.Children("VTIMEZONE") {
			if named[z.Text("TZID")] {
				out.AddChild(z.Clone())
			}
		}
		for _, c := range groups[key] {
			out.AddChild(c.Clone())
		}
		objects = append(objects, out)
	}
	return objects, other
}

// ofFile reports whether a property of a calendar speaks of the file as a
// whole, not of the objects in it.
func ofFile(l *Line) bool {
	return slices.Contains([]string{"METHOD", "X-WR-CALNAME", "X-WR-CALDESC", "X-APPLE-CALENDAR-COLOR", "REFRESH-INTERVAL", "X-PUBLISHED-TTL", "NAME", "COLOR"}, l.Name())
}

// tzids collects the time zones that the component's times name.
func (c *Component) tzids(into map[string]bool) {
	for _, it := range c.items {
		switch {
		case it.comp != nil:
			it.comp.tzids(into)
		case it.line.Param("TZID") != "":
			into[it.line.Param("TZID")] = true
		}
	}
}
