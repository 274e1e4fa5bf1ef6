package ical

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The bounds of a rule. They are far beyond what people enter and keep the
// work of expanding one small.
const (
	maxInterval   = 10_000
	maxClockTimes = 288     // times a day: every five minutes
	maxPeriods    = 300_000 // days, weeks, months or years that are looked at
	maxSteps      = 200_000 // steps of a rule that repeats within a day
)

// plan is a rule as numbers. The project steps through rules itself: the
// libraries at hand look for the next match without an end that can be set,
// which for a rule that never matches means minutes or for ever.
type plan struct {
	freq                                     string
	interval                                 int
	weekStart                                time.Weekday
	setPos, month, monthDay, yearDay, weekNo []int
	hour, minute, second                     []int
	day                                      []nthDay
}

// nthDay is a weekday, of the month or year when n is not zero.
type nthDay struct {
	n   int
	day time.Weekday
}

// plan reads the parts that say when; errors are fit to be shown.
func (r *Rule) plan() (*plan, error) {
	p := &plan{interval: 1, weekStart: time.Monday}
	for _, part := range r.parts {
		var err error
		switch part.key {
		case "FREQ":
			p.freq = part.value
			if !slices.Contains([]string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"}, p.freq) {
				err = fmt.Errorf("FREQ=%.20s is not one of YEARLY, MONTHLY, WEEKLY, DAILY", p.freq)
			}
		case "INTERVAL":
			p.interval, err = number(part, 1, maxInterval)
		case "COUNT":
			_, err = number(part, 1, 1<<30)
		case "UNTIL":
			if _, uerr := (&Zones{}).read(&Line{name: "UNTIL"}, part.value); uerr != nil {
				err = fmt.Errorf("UNTIL=%.30s is no date or time", part.value)
			}
		case "WKST":
			p.weekStart, err = weekday(part.value)
		case "BYDAY":
			p.day, err = nthDays(part.value)
		case "BYSETPOS":
			p.setPos, err = numbers(part, 1, 366, true)
		case "BYMONTH":
			p.month, err = numbers(part, 1, 12, false)
		case "BYMONTHDAY":
			p.monthDay, err = numbers(part, 1, 31, true)
		case "BYYEARDAY":
			p.yearDay, err = numbers(part, 1, 366, true)
		case "BYWEEKNO":
			p.weekNo, err = numbers(part, 1, 53, true)
		case "BYHOUR":
			p.hour, err = numbers(part, 0, 23, false)
		case "BYMINUTE":
			p.minute, err = numbers(part, 0, 59, false)
		case "BYSECOND":
			p.second, err = numbers(part, 0, 59, false)
		default:
			err = fmt.Errorf("%.30s is no part of a recurrence rule", part.key)
		}
		if err != nil {
			return nil, err
		}
	}
	if !p.often() && max(1, len(p.hour))*max(1, len(p.minute))*max(1, len(p.second)) > maxClockTimes {
		return nil, errors.New("the recurrence rule names too many times of the day")
	}
	if p.often() && (len(p.setPos) > 0 || len(p.weekNo) > 0 || len(p.yearDay) > 0) {
		return nil, fmt.Errorf("FREQ=%s with BYSETPOS, BYWEEKNO or BYYEARDAY is not taken", p.freq)
	}
	return p, nil
}

func number(part rulePart, least, most int) (int, error) {
	n, err := strconv.Atoi(part.value)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s has to be from %d to %d", part.key, least, most)
	}
	return n, nil
}

// numbers is a list without duplicates; with signed, values count from the end
// when they are negative.
func numbers(part rulePart, least, most int, signed bool) ([]int, error) {
	var out []int
	for v := range strings.SplitSeq(part.value, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(v))
		size := n
		if signed && n < 0 {
			size = -n
		}
		if err != nil || size < least || size > most {
			return nil, fmt.Errorf("%s holds %.20q, which is not from %d to %d", part.key, v, least, most)
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func weekday(s string) (time.Weekday, error) {
	if i := slices.Index(weekdays[:], s); i >= 0 {
		return time.Weekday(i), nil
	}
	return 0, fmt.Errorf("%.20q is no weekday such as MO", s)
}

func nthDays(s string) ([]nthDay, error) {
	var out []nthDay
	for v := range strings.SplitSeq(s, ",") {
		v = strings.TrimSpace(v)
		if len(v) < 2 {
			return nil, fmt.Errorf("BYDAY holds %.20q, which is no weekday such as MO", v)
		}
		day, err := weekday(v[len(v)-2:])
		if err != nil {
			return nil, err
		}
		d := nthDay{day: day}
		if n := v[:len(v)-2]; n != "" {
			if d.n, err = strconv.Atoi(n); err != nil || d.n == 0 || d.n < -53 || d.n > 53 {
				return nil, fmt.Errorf("BYDAY holds %.20q, which is no weekday such as MO or -1FR", v)
			}
		}
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out, nil
}

// often reports whether the rule repeats within a day.
func (p *plan) often() bool {
	return p.freq == "HOURLY" || p.freq == "MINUTELY" || p.freq == "SECONDLY"
}

// walk gives add the clock readings of the rule from start on, in order, until
// add wants no more or the days reach limit.
func (p *plan) walk(start, limit time.Time, add func(time.Time) bool) {
	if p.often() {
		p.steps(start, limit, add)
		return
	}
	q := p.filled(start)
	clocks := q.clocks(start)
	first := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, time.UTC)
	for k := range maxPeriods {
		from, to := q.period(first, k)
		if from.After(limit) || from.Year() > 9999 {
			return
		}
		var days []time.Time
		for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
			if q.takes(d) {
				days = append(days, d)
			}
		}
		for _, wall := range q.pick(days, clocks) {
			if !wall.Before(start) && !add(wall) {
				return
			}
		}
	}
}

// filled is the plan with what it leaves out taken from the start.
func (p *plan) filled(start time.Time) *plan {
	q := *p
	if len(q.yearDay) == 0 && len(q.monthDay) == 0 && len(q.day) == 0 {
		switch q.freq {
		case "YEARLY":
			if len(q.weekNo) > 0 {
				q.day = []nthDay{{day: start.Weekday()}}
				break
			}
			if len(q.month) == 0 {
				q.month = []int{int(start.Month())}
			}
			q.monthDay = []int{start.Day()}
		case "MONTHLY":
			q.monthDay = []int{start.Day()}
		case "WEEKLY":
			q.day = []nthDay{{day: start.Weekday()}}
		}
	}
	return &q
}

// clocks are the times of a day, in order.
func (p *plan) clocks(start time.Time) []time.Duration {
	or := func(list []int, v int) []int {
		if len(list) == 0 {
			return []int{v}
		}
		return list
	}
	var out []time.Duration
	for _, h := range or(p.hour, start.Hour()) {
		for _, m := range or(p.minute, start.Minute()) {
			for _, s := range or(p.second, start.Second()) {
				out = append(out, time.Duration(h)*time.Hour+time.Duration(m)*time.Minute+time.Duration(s)*time.Second)
			}
		}
	}
	return out
}

// period is the k-th stretch of days, [from, to), that the rule looks at.
func (p *plan) period(first time.Time, k int) (from, to time.Time) {
	k *= p.interval
	switch p.freq {
	case "YEARLY":
		from = time.Date(first.Year()+k, 1, 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(1, 0, 0)
	case "MONTHLY":
		from = time.Date(first.Year(), first.Month()+time.Month(k), 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 1, 0)
	case "WEEKLY":
		from = p.weekOf(first).AddDate(0, 0, 7*k)
		return from, from.AddDate(0, 0, 7)
	}
	from = first.AddDate(0, 0, k)
	return from, from.AddDate(0, 0, 1)
}

// weekOf is the first day of the week that d is in.
func (p *plan) weekOf(d time.Time) time.Time {
	return d.AddDate(0, 0, -(int(d.Weekday())-int(p.weekStart)+7)%7)
}

// takes reports whether the day passes all parts.
func (p *plan) takes(d time.Time) bool {
	if len(p.month) > 0 && !slices.Contains(p.month, int(d.Month())) {
		return false
	}
	if len(p.monthDay) > 0 {
		length := time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		if !slices.Contains(p.monthDay, d.Day()) && !slices.Contains(p.monthDay, d.Day()-length-1) {
			return false
		}
	}
	if len(p.yearDay) > 0 {
		length := time.Date(d.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
		if !slices.Contains(p.yearDay, d.YearDay()) && !slices.Contains(p.yearDay, d.YearDay()-length-1) {
			return false
		}
	}
	if len(p.weekNo) > 0 {
		no, weeks := p.weekNumber(d)
		if !slices.Contains(p.weekNo, no) && !slices.Contains(p.weekNo, no-weeks-1) {
			return false
		}
	}
	return len(p.day) == 0 || slices.ContainsFunc(p.day, func(n nthDay) bool { return p.takesDay(n, d) })
}

// takesDay: a number counts within the month, or within the year for a yearly
// rule that names no months; daily and weekly rules have none.
func (p *plan) takesDay(n nthDay, d time.Time) bool {
	if n.day != d.Weekday() {
		return false
	}
	var at, length int
	switch {
	case n.n == 0, p.freq == "DAILY", p.freq == "WEEKLY", len(p.weekNo) > 0:
		return true
	case p.freq == "YEARLY" && len(p.month) == 0:
		at, length = d.YearDay(), time.Date(d.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
	default:
		at, length = d.Day(), time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	}
	if n.n > 0 {
		return (at-1)/7+1 == n.n
	}
	return (length-at)/7+1 == -n.n
}

// weekNumber is the number of the week that d is in and how many its year has.
// A week belongs to the year that most of its days are in (ISO 8601).
func (p *plan) weekNumber(d time.Time) (no, weeks int) {
	middle := p.weekOf(d).AddDate(0, 0, 3)
	last := p.weekOf(time.Date(middle.Year(), 12, 31, 0, 0, 0, 0, time.UTC)).AddDate(0, 0, 3)
	if last.Year() != middle.Year() {
		last = last.AddDate(0, 0, -7)
	}
	return (middle.YearDay()-1)/7 + 1, (last.YearDay()-1)/7 + 1
}

// pick are the clock readings of a period: all times of all days, or those at
// the positions that BYSETPOS names.
func (p *plan) pick(days []time.Time, clocks []time.Duration) []time.Time {
	at := func(i int) time.Time { return days[i/len(clocks)].Add(clocks[i%len(clocks)]) }
	total := len(days) * len(clocks)
	var out []time.Time
	if len(p.setPos) == 0 {
		for i := range total {
			out = append(out, at(i))
		}
		return out
	}
	var places []int
	for _, pos := range p.setPos {
		if pos < 0 {
			pos += total
		} else {
			pos--
		}
		if pos >= 0 && pos < total {
			places = append(places, pos)
		}
	}
	slices.Sort(places)
	for _, i := range slices.Compact(places) {
		out = append(out, at(i))
	}
	return out
}

// steps walks a rule that repeats within a day, by the clock.
func (p *plan) steps(start, limit time.Time, add func(time.Time) bool) {
	step := map[string]time.Duration{"HOURLY": time.Hour, "MINUTELY": time.Minute, "SECONDLY": time.Second}[p.freq] * time.Duration(p.interval)
	passes := func(list []int, v int) bool { return len(list) == 0 || slices.Contains(list, v) }
	wall := start
	for range maxSteps {
		wall = wall.Add(step)
		if wall.After(limit) {
			return
		}
		if passes(p.hour, wall.Hour()) && passes(p.minute, wall.Minute()) && passes(p.second, wall.Second()) && p.takesStep(wall) && !add(wall) {
			return
		}
	}
}

func (p *plan) takesStep(wall time.Time) bool {
	days := plan{freq: "DAILY", month: p.month, monthDay: p.monthDay, day: p.day}
	return days.takes(wall)
}
