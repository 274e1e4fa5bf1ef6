package ical

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rule is a RECUR value (RFC 5545, 3.3.10), with its parts in the order in
// which they were written.
type Rule struct {
	parts []rulePart
}

type rulePart struct{ key, value string }

// ParseRule reads a rule such as FREQ=WEEKLY;BYDAY=MO and checks it. A leading
// "RRULE:" is allowed.
func ParseRule(s string) (*Rule, error) {
	s = strings.TrimSpace(s)
	if len(s) > 6 && strings.EqualFold(s[:6], "RRULE:") {
		s = s[6:]
	}
	if len(s) > 2000 {
		return nil, errors.New("the recurrence rule is too long")
	}
	r := &Rule{}
	for part := range strings.SplitSeq(strings.Trim(s, "; "), ";") {
		k, v, ok := strings.Cut(part, "=")
		k, v = strings.ToUpper(strings.TrimSpace(k)), strings.ToUpper(strings.TrimSpace(v))
		if !ok || k == "" || v == "" {
			return nil, fmt.Errorf("%.40q is no part of a recurrence rule", part)
		}
		if strings.HasPrefix(k, "X-") {
			continue
		}
		if r.Get(k) != "" {
			return nil, fmt.Errorf("the recurrence rule has %s twice", k)
		}
		r.parts = append(r.parts, rulePart{k, v})
	}
	if r.Get("FREQ") == "" {
		return nil, errors.New("a recurrence rule needs FREQ, such as FREQ=WEEKLY")
	}
	if r.Get("COUNT") != "" && r.Get("UNTIL") != "" {
		return nil, errors.New("a recurrence rule has COUNT or UNTIL, not both")
	}
	if _, err := r.plan(); err != nil {
		return nil, err
	}
	return r, nil
}

// Get is the value of a part; "" when the rule has none.
func (r *Rule) Get(key string) string {
	for _, p := range r.parts {
		if p.key == key {
			return p.value
		}
	}
	return ""
}

// Set sets a part; an empty value removes it.
func (r *Rule) Set(key, value string) {
	for i, p := range r.parts {
		if p.key == key {
			if value == "" {
				r.parts = slices.Delete(r.parts, i, i+1)
			} else {
				r.parts[i].value = value
			}
			return
		}
	}
	if value != "" {
		r.parts = append(r.parts, rulePart{key, value})
	}
}

// Count is COUNT; 0 when there is none.
func (r *Rule) Count() int {
	n, _ := strconv.Atoi(r.Get("COUNT")) // checked when it was parsed
	return n
}

// Until is UNTIL; the zero value when there is none.
func (r *Rule) Until() DateTime {
	v := r.Get("UNTIL")
	if v == "" {
		return DateTime{}
	}
	d, _ := (&Zones{}).read(&Line{name: "UNTIL"}, v) // checked when it was parsed
	return d
}

// EndAt makes the rule end at until, which has to agree in kind with DTSTART
// (RFC 5545, 3.3.10): a day for days, floating for floating, else an instant.
func (r *Rule) EndAt(until DateTime) {
	r.Set("COUNT", "")
	if until.Kind == Zoned {
		until = UTCOf(until.Instant(nil))
	}
	r.Set("UNTIL", until.Value())
}

// String is the rule as it is written.
func (r *Rule) String() string {
	parts := make([]string, len(r.parts))
	for i, p := range r.parts {
		parts[i] = p.key + "=" + p.value
	}
	return strings.Join(parts, ";")
}

func (r *Rule) yearlyOrMonthly() bool {
	return r.Get("FREQ") == "YEARLY" || r.Get("FREQ") == "MONTHLY"
}

// By reports whether the rule picks days by any part, so that it does not
// simply repeat the day of its start.
func (r *Rule) By() bool {
	for _, k := range []string{"BYDAY", "BYMONTHDAY", "BYMONTH", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"} {
		if r.Get(k) != "" {
			return true
		}
	}
	return false
}

// walls are the clock readings that the rule gives from start on, start itself
// always being the first (RFC 5545, 3.8.5.3), until a moment that is not
// before end, the rule's own end, or most of them. moment says at which moment
// a clock reads wall.
func (r *Rule) walls(start, end time.Time, moment func(wall time.Time) time.Time, most int) []time.Time {
	p, err := r.plan()
	if err != nil {
		return []time.Time{start}
	}
	count := r.Count()
	if count == 0 || count > most {
		count = most
	}
	past := func(wall time.Time) bool { return !moment(wall).Before(end) }
	if until := r.Until(); !until.IsZero() {
		switch until.Kind {
		case UTC:
			past = func(wall time.Time) bool {
				m := moment(wall)
				return !m.Before(end) || m.After(until.Wall)
			}
		case Date:
			// A day as the end of a series of times means that whole day.
			past = func(wall time.Time) bool {
				return !moment(wall).Before(end) || !wall.Before(until.Wall.AddDate(0, 0, 1))
			}
		default:
			past = func(wall time.Time) bool { return !moment(wall).Before(end) || wall.After(until.Wall) }
		}
	}
	if past(start) {
		return nil
	}
	out := []time.Time{start}
	add := func(wall time.Time) bool {
		if len(out) >= count || past(wall) {
			return false
		}
		if wall.After(start) {
			out = append(out, wall)
		}
		return true
	}
	// No clock differs from UTC by two days.
	p.walk(start, end.UTC().AddDate(0, 0, 2), add)
	return out
}
