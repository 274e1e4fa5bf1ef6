package nextcloudtest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jCal is the JSON form of a calendar (RFC 7265), as far as exports need it.
func (c *icalComponent) jCal() []byte { return phpJSON(c.jCalValue()) }

func (c *icalComponent) jCalValue() []any {
	props, children := make([]any, 0, len(c.lines)), make([]any, 0, len(c.children))
	for _, line := range c.lines {
		props = append(props, line.jCalValue())
	}
	for _, child := range c.children {
		children = append(children, child.jCalValue())
	}
	return []any{strings.ToLower(c.name), props, children}
}

func (l icalLine) jCalValue() []any {
	params := map[string]string{}
	for _, part := range splitParams(strings.TrimPrefix(l.params, ";")) {
		if key, value, ok := strings.Cut(part, "="); ok && !strings.EqualFold(key, "VALUE") {
			params[strings.ToLower(key)] = strings.Trim(value, `"`)
		}
	}
	kind := l.jCalType()
	out := []any{strings.ToLower(l.name), params, kind}
	switch kind {
	case "recur":
		return append(out, recurJSON(l.value))
	case "utc-offset":
		if len(l.value) == 5 {
			return append(out, l.value[:3]+":"+l.value[3:])
		}
	case "date", "date-time":
		for value := range strings.SplitSeq(l.value, ",") {
			out = append(out, jCalTime(value))
		}
		return out
	case "text":
		if l.name == "CATEGORIES" || l.name == "RESOURCES" {
			for value := range strings.SplitSeq(l.value, ",") {
				out = append(out, icalLine{value: value}.text())
			}
			return out
		}
	}
	return append(out, l.text())
}

// recurJSON is a rule as an object, its parts in the order they were written.
func recurJSON(rule string) json.RawMessage {
	var parts [][]byte
	for part := range strings.SplitSeq(rule, ";") {
		key, value, _ := strings.Cut(part, "=")
		// Strings always marshal.
		name, _ := json.Marshal(strings.ToLower(key))
		text, _ := json.Marshal(value)
		if number, err := strconv.Atoi(value); err == nil && (key == "COUNT" || key == "INTERVAL") {
			text, _ = json.Marshal(number)
		}
		parts = append(parts, slices.Concat(name, []byte{':'}, text))
	}
	return slices.Concat([]byte{'{'}, bytes.Join(parts, []byte{','}), []byte{'}'})
}

// jCalType is the value type of a property (RFC 7265, section 3.4.1).
func (l icalLine) jCalType() string {
	if value := l.param("VALUE"); value != "" {
		return strings.ToLower(value)
	}
	switch l.name {
	case "DTSTART", "DTEND", "DUE", "DTSTAMP", "CREATED", "COMPLETED", "LAST-MODIFIED", "RECURRENCE-ID", "EXDATE", "RDATE":
		return "date-time"
	case "RRULE", "EXRULE":
		return "recur"
	case "TZOFFSETFROM", "TZOFFSETTO":
		return "utc-offset"
	case "DURATION", "TRIGGER", "REFRESH-INTERVAL":
		return "duration"
	case "PRIORITY", "SEQUENCE", "PERCENT-COMPLETE", "REPEAT":
		return "integer"
	case "ATTENDEE", "ORGANIZER":
		return "cal-address"
	case "URL", "ATTACH", "TZURL":
		return "uri"
	}
	if strings.HasPrefix(l.name, "X-") {
		return "unknown"
	}
	return "text"
}

func jCalTime(value string) string {
	for layout, to := range map[string]string{
		icalDateLayout: "2006-01-02", icalLocalLayout: "2006-01-02T15:04:05", icalUTCLayout: "2006-01-02T15:04:05Z",
	} {
		if t, err := time.Parse(layout, value); err == nil {
			return t.Format(to)
		}
	}
	return value
}
