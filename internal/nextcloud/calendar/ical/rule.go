package ical

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// Rule is a RECUR value (RFC 5545, 3.3.10), with its parts in the order in
// which they were written.
type Rule struct {
	parts []rulePart
}

type rulePart struct{ key, value string }

// The bounds of a rule. They are far beyond what people enter and keep the
// work of expanding one small.
const (
	maxInterval   = 10_000
	maxClockTimes = 288 // times a day: every five minutes
)

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
	opt, err := r.options(time.Unix(0, 0).UTC())
	if err != nil {
		return nil, err
	}
	if _, err := rrule.NewRRule(*opt); err != nil {
		return nil, fmt.Errorf("the recurrence rule cannot be used: %w", err)
	}
	return r, nil
}

// options is the rule as the library takes it, starting at wall, without its
// end.
func (r *Rule) options(wall time.Time) (*rrule.ROption, error) {
	var parts []string
	for _, p := range r.parts {
		switch p.key {
		case "FREQ", "INTERVAL", "WKST", "COUNT", "BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND":
			parts = append(parts, p.key+"="+p.value)
		case "UNTIL":
			if _, err := (&Zones{}).read(&Line{name: "UNTIL"}, p.value); err != nil {
				return nil, fmt.Errorf("UNTIL=%.30s is no date or time", p.value)
			}
		default:
			return nil, fmt.Errorf("%.30s is no part of a recurrence rule", p.key)
		}
	}
	opt, err := rrule.StrToROption(strings.Join(parts, ";"))
	if err != nil {
		return nil, fmt.Errorf("the recurrence rule cannot be used: %w", err)
	}
	for _, p := range []struct {
		key   string
		value int
		most  int
	}{{"INTERVAL", opt.Interval, maxInterval}, {"COUNT", opt.Count, 1 << 30}} {
		if r.Get(p.key) != "" && (p.value < 1 || p.value > p.most) {
			return nil, fmt.Errorf("%s has to be from 1 to %d", p.key, p.most)
		}
	}
	for _, list := range [][]int{opt.Bysetpos, opt.Bymonth, opt.Bymonthday, opt.Byyearday, opt.Byweekno} {
		if len(list) > 400 || slices.Contains(list, 0) {
			return nil, errors.New("a list in the recurrence rule is too long or holds 0")
		}
	}
	for _, list := range [][]int{opt.Byhour, opt.Byminute, opt.Bysecond} {
		if len(list) > 60 {
			return nil, errors.New("a list in the recurrence rule is too long")
		}
	}
	if len(opt.Byweekday) > 100 || clockTimes(opt) > maxClockTimes {
		return nil, errors.New("the recurrence rule names too many times")
	}
	opt.Dtstart = wall
	return opt, nil
}

func clockTimes(opt *rrule.ROption) int {
	if opt.Freq >= rrule.HOURLY {
		return 1
	}
	return max(1, len(opt.Byhour)) * max(1, len(opt.Byminute)) * max(1, len(opt.Bysecond))
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
	opt, err := r.options(start)
	if err != nil {
		return []time.Time{start}
	}
	count := opt.Count
	if count == 0 || count > most {
		count = most
	}
	opt.Count = 0
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
	if opt.Freq >= rrule.HOURLY {
		r.often(opt, start, add)
		return out
	}
	rule, err := rrule.NewRRule(*opt)
	if err != nil {
		return out
	}
	next := rule.Iterator()
	for {
		wall, ok := next()
		if !ok || !add(wall) {
			return out
		}
	}
}

// maxSteps bounds the steps of a rule that repeats within a day.
const maxSteps = 200_000

// often steps through a rule that repeats hourly or more often. The library
// is not used for it: it never ends on a rule whose filters match nothing.
func (r *Rule) often(opt *rrule.ROption, start time.Time, add func(time.Time) bool) {
	if len(opt.Bysetpos) > 0 || len(opt.Byweekno) > 0 || len(opt.Byyearday) > 0 {
		return
	}
	step := map[rrule.Frequency]time.Duration{rrule.HOURLY: time.Hour, rrule.MINUTELY: time.Minute, rrule.SECONDLY: time.Second}[opt.Freq]
	step *= time.Duration(max(1, opt.Interval))
	days := map[int]bool{}
	for _, w := range opt.Byweekday {
		days[w.Day()] = true
	}
	passes := func(list []int, v int) bool { return len(list) == 0 || slices.Contains(list, v) }
	wall := start
	for range maxSteps {
		wall = wall.Add(step)
		monthEnd := time.Date(wall.Year(), wall.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		monday := (int(wall.Weekday()) + 6) % 7
		if !passes(opt.Bymonth, int(wall.Month())) || (len(days) > 0 && !days[monday]) ||
			!(passes(opt.Bymonthday, wall.Day()) || slices.Contains(opt.Bymonthday, wall.Day()-monthEnd-1)) ||
			!passes(opt.Byhour, wall.Hour()) || !passes(opt.Byminute, wall.Minute()) || !passes(opt.Bysecond, wall.Second()) {
			continue
		}
		if !add(wall) {
			return
		}
	}
}
