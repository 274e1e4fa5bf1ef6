package calendar

import (
	"cmp"
	"slices"
	"time"
)

// slotGrid are the times that are looked at: each quarter of an hour on the
// clock of loc.
type slotGrid struct {
	from, to       time.Time
	loc            *time.Location
	length, buffer time.Duration
}

// candidate is a time that is free but for what is tentative.
type candidate struct {
	start     time.Time
	preferred bool
	tentative []string
}

// best are the best slots that do not overlap.
func (g slotGrid) best(taken []period, working, preferred []hours, q Search) []Slot {
	limit := q.Limit
	if limit <= 0 || limit > maxSlots {
		limit = 10
	}
	firm, soft, off := split(taken)
	var all []candidate
	for day := midnight(g.from, g.loc); day.Before(g.to); day = day.AddDate(0, 0, 1) {
		if wd := day.Weekday(); q.ExcludeWeekends && (wd == time.Saturday || wd == time.Sunday) {
			continue
		}
		for minute := 0; minute < 24*60; minute += int(slotStep / time.Minute) {
			start := time.Date(day.Year(), day.Month(), day.Day(), 0, minute, 0, 0, g.loc)
			end := start.Add(g.length)
			if start.Hour()*60+start.Minute() != minute || start.Before(g.from) || end.After(g.to) {
				continue // in the hour that the clock skips, or outside
			}
			last := minute + int(g.length/time.Minute)
			if len(working) > 0 && !within(working, minute, last) {
				continue
			}
			if off.overlaps(start, end) || firm.overlaps(start.Add(-g.buffer), end.Add(g.buffer)) {
				continue
			}
			all = append(all, candidate{start, within(preferred, minute, last), soft.titles(start, end)})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(min(len(a.tentative), 1), min(len(b.tentative), 1)), rank(b.preferred)-rank(a.preferred), a.start.Compare(b.start))
	})
	var out []Slot
	var chosen periods
	for _, cand := range all {
		end := cand.start.Add(g.length)
		if chosen.overlaps(cand.start, end) {
			continue
		}
		if len(out) == limit {
			break
		}
		chosen = append(chosen, period{from: cand.start, to: end})
		slices.SortFunc(chosen, byStart)
		out = append(out, Slot{
			Start: cand.start.Format(time.RFC3339), End: end.In(g.loc).Format(time.RFC3339), Date: cand.start.Format(time.DateOnly),
			DurationMinutes: int(g.length / time.Minute), Preferred: cand.preferred, Tentative: cand.tentative,
		})
	}
	return out
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func midnight(t time.Time, loc *time.Location) time.Time {
	t = t.In(loc)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc)
}

// periods are in the order of their starts.
type periods []period

func byStart(a, b period) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) }

// split separates what is firm and the time outside of working hours, both
// merged, from what is tentative.
func split(taken []period) (firm, soft, off periods) {
	taken = slices.Clone(taken)
	slices.SortFunc(taken, byStart)
	for _, b := range taken {
		switch b.kind {
		case Tentative:
			soft = append(soft, b)
		case Unavailable:
			off = off.with(b)
		default:
			firm = firm.with(b)
		}
	}
	return firm, soft, off
}

// with are the periods and one that does not begin before the last one, merged
// with it where they meet.
func (p periods) with(b period) periods {
	last := len(p) - 1
	if last < 0 || b.from.After(p[last].to) {
		return append(p, b)
	}
	if b.to.After(p[last].to) {
		p[last].to = b.to
	}
	return p
}

// overlaps reports whether one of the periods, which do not overlap one
// another, has a part in [from, to).
func (p periods) overlaps(from, to time.Time) bool {
	i, _ := slices.BinarySearchFunc(p, from, func(b period, t time.Time) int {
		if b.to.After(t) {
			return 1
		}
		return -1
	})
	return i < len(p) && p[i].from.Before(to)
}

// maxConflicts bounds the tentative conflicts that a slot names.
const maxConflicts = 5

// titles are what lies in [from, to).
func (p periods) titles(from, to time.Time) []string {
	var out []string
	for _, b := range p {
		if !b.from.Before(to) {
			break
		}
		if b.to.After(from) && len(out) < maxConflicts && !slices.Contains(out, b.title) {
			out = append(out, b.title)
		}
	}
	return out
}
