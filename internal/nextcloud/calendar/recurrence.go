package calendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// Scope says how much of a recurring event a change is for.
type Scope string

// The scopes. The zero value is no choice, which only an event that does not
// recur takes.
const (
	This          Scope = "this"            // one occurrence
	ThisAndFuture Scope = "this_and_future" // it and all that follow
	All           Scope = "all"             // the series
)

// occurrence is the occurrence that starts at the time the caller wrote.
func (o *object) occurrence(op, at string, p *person) (ical.Occurrence, error) {
	w, err := parseWhen(op, "recurrence_id", at)
	if err != nil {
		return ical.Occurrence{}, err
	}
	start, _, err := o.Times(o.First())
	if err != nil {
		return ical.Occurrence{}, unreadable(op, err)
	}
	var id ical.DateTime
	switch {
	case w.fixed:
		id = ical.UTCOf(w.moment)
		if start.Kind == ical.Floating || start.Kind == ical.Date {
			id = start.At(w.wall)
		}
	case w.day && start.Kind != ical.Date:
		// A day names the occurrence of that day.
		return o.onDay(op, w.wall, p)
	case start.Kind == ical.UTC:
		id = ical.In(time.Unix(0, 0), p.zone).At(w.wall)
	default:
		id = start.At(w.wall)
	}
	occ, ok, err := o.Find(id, p.zone)
	switch {
	case err != nil:
		return occ, unreadable(op, err)
	case !ok:
		return occ, o.noOccurrence(op, at, id, p)
	}
	return occ, nil
}

// single refuses an occurrence whose component also stands for all later ones
// (RFC 5545, 3.2.13), which old programs write: it cannot be changed alone.
func single(op string, occ ical.Occurrence) error {
	if occ.Changed && strings.EqualFold(occ.Component.Prop("RECURRENCE-ID").Param("RANGE"), "THISANDFUTURE") {
		return invalidf(op, "what this occurrence says holds for all later ones too, so it cannot be changed alone; use recurrence_scope=this_and_future, or the next occurrence")
	}
	return nil
}

// onDay is the one occurrence whose start by the rule is on that day.
func (o *object) onDay(op string, day time.Time, p *person) (ical.Occurrence, error) {
	loc := p.zone
	if start, _, err := o.Times(o.First()); err == nil && start.Kind == ical.Zoned {
		loc = start.Zone
	}
	from := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, loc)
	all, err := o.Expand(from.AddDate(-1, 0, 0), from.AddDate(1, 0, 0), loc)
	if err != nil {
		return ical.Occurrence{}, unreadable(op, err)
	}
	all = slices.DeleteFunc(all, func(occ ical.Occurrence) bool {
		return !ical.DateOf(occ.ID.Instant(loc).In(loc)).Wall.Equal(day)
	})
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		return ical.Occurrence{}, o.noOccurrence(op, day.Format(time.DateOnly), ical.DateOf(day), p)
	}
	return ical.Occurrence{}, invalidf(op, "the event occurs several times on %s; give recurrence_id with its time, such as %s", day.Format(time.DateOnly), all[0].ID)
}

// noOccurrence names the nearest occurrences.
func (o *object) noOccurrence(op, at string, id ical.DateTime, p *person) error {
	moment := id.Instant(p.zone)
	near, err := o.Expand(moment.AddDate(0, -2, 0), moment.AddDate(0, 2, 0), p.zone)
	if err != nil || len(near) == 0 {
		return notFoundf(op, "the event has no occurrence at %.40q; list_events names its occurrences", at)
	}
	slices.SortFunc(near, func(a, b ical.Occurrence) int {
		return int((a.ID.Instant(p.zone).Sub(moment).Abs() - b.ID.Instant(p.zone).Sub(moment).Abs()) / time.Second)
	})
	var ids []string
	for _, n := range near[:min(3, len(near))] {
		ids = append(ids, n.ID.String())
	}
	slices.Sort(ids)
	return notFoundf(op, "the event has no occurrence at %.40q; the nearest are %s", at, strings.Join(ids, ", "))
}

// choose checks that a change of a recurring event says how much it is for.
func (o *object) choose(op string, scope Scope, recurrenceID string) (Scope, error) {
	if !o.Recurs() {
		return All, nil
	}
	switch scope {
	case All:
		if o.Master == nil {
			return All, invalidf(op, "only single occurrences of this series are in the calendar; use recurrence_scope=this with recurrence_id")
		}
		return All, nil
	case This, ThisAndFuture:
		if recurrenceID == "" {
			return scope, invalidf(op, "recurrence_scope=%s needs recurrence_id, the start of the occurrence as list_events shows it", scope)
		}
		if scope == ThisAndFuture && o.Master == nil {
			return scope, invalidf(op, "only single occurrences of this series are in the calendar; use recurrence_scope=this")
		}
		return scope, nil
	}
	return scope, invalidf(op, "the event recurs, so ask the person and say with recurrence_scope what is meant: this or this_and_future (each with recurrence_id, the start of the occurrence) or all")
}

// rule is the rule that the fields ask for, for a series that starts at start.
// nil means none.
func (f *Fields) rule(op string, old *ical.Rule, start ical.DateTime, at clock) (*ical.Rule, error) {
	if f.Recurring != nil && !*f.Recurring {
		if f.Rule != nil && *f.Rule != "" {
			return nil, invalidf(op, "recurring=false and a recurrence_rule contradict each other")
		}
		return nil, nil //nolint:nilnil // no rule is an answer here
	}
	rule := old
	if f.Rule != nil {
		if strings.TrimSpace(*f.Rule) == "" {
			return nil, nil //nolint:nilnil // cleared
		}
		var err error
		if rule, err = ical.ParseRule(*f.Rule); err != nil {
			return nil, invalidf(op, "recurrence_rule: %s; write for example FREQ=WEEKLY;BYDAY=MO;COUNT=10", err)
		}
		if f.RuleEnd != nil && *f.RuleEnd != "" && (rule.Get("COUNT") != "" || rule.Get("UNTIL") != "") {
			return nil, invalidf(op, "give the end of the series once: by COUNT or UNTIL in recurrence_rule, or by recurrence_end_date")
		}
	}
	if rule == nil {
		if f.RuleEnd != nil && *f.RuleEnd != "" {
			return nil, invalidf(op, "recurrence_end_date needs a recurrence_rule")
		}
		if f.Recurring != nil && *f.Recurring {
			return nil, invalidf(op, "recurring=true needs a recurrence_rule such as FREQ=WEEKLY")
		}
		return nil, nil //nolint:nilnil // there was none
	}
	if f.RuleEnd != nil {
		if err := endRule(op, rule, *f.RuleEnd, start, at); err != nil {
			return nil, err
		}
	} else if until := rule.Until(); !until.IsZero() && f.Rule != nil {
		rule.EndAt(fitUntil(until, start))
	}
	if until := rule.Until(); !until.IsZero() && until.Like(start).Wall.Before(start.Wall) {
		return nil, invalidf(op, "the series ends on %s, before it starts on %s", until, start)
	}
	return rule, nil
}

// endRule ends a rule with the day, or at the moment, that text names.
func endRule(op string, rule *ical.Rule, text string, start ical.DateTime, at clock) error {
	if text == "" {
		rule.Set("UNTIL", "")
		rule.Set("COUNT", "")
		return nil
	}
	w, err := parseWhen(op, "recurrence_end_date", text)
	if err != nil {
		return err
	}
	switch {
	case start.Kind == ical.Date:
		rule.EndAt(ical.DateOf(w.wall))
	case w.day:
		// The whole day belongs to the series, in the zone of its start.
		end := w.wall.AddDate(0, 0, 1).Add(-time.Second)
		if start.Kind == ical.UTC {
			rule.EndAt(ical.In(time.Unix(0, 0), at.loc).At(end))
		} else {
			rule.EndAt(start.At(end))
		}
	case w.fixed && start.Kind != ical.Floating:
		rule.EndAt(ical.UTCOf(w.moment))
	default:
		rule.EndAt(start.At(w.wall))
	}
	return nil
}

// fitUntil is UNTIL in the kind that DTSTART asks for (RFC 5545, 3.3.10).
func fitUntil(until, start ical.DateTime) ical.DateTime {
	switch {
	case start.Kind == ical.Date:
		return ical.DateOf(until.Wall)
	case until.Kind == ical.Date:
		return start.At(until.Wall.AddDate(0, 0, 1).Add(-time.Second))
	case until.Kind == ical.Floating:
		return start.At(until.Wall)
	}
	return until.Like(start)
}

// putRule writes the rule into the master and drops what belongs to a series
// when there is none any more.
func putRule(op string, s *ical.Series, rule *ical.Rule) error {
	if rule != nil {
		setLine(s.Master, "RRULE", rule.String())
		return nil
	}
	if s.Master.Prop("RRULE") == nil && s.Master.Prop("RDATE") == nil {
		return nil
	}
	if len(s.Overrides) > 0 {
		return invalidf(op, "the series has %d changed occurrences, which would be lost; delete them first (recurrence_scope=this), or end the series with recurrence_end_date", len(s.Overrides))
	}
	for _, name := range []string{"RRULE", "RDATE", "EXDATE"} {
		s.Master.Remove(name)
	}
	return nil
}

// maxDates bounds the dates that one argument lists.
const maxDates = 500

// putDates writes the additional and the excluded dates of a series that
// starts at start in the place of those that it had.
func (f *Fields) putDates(op string, master *ical.Component, start ical.DateTime) error {
	for _, list := range []struct {
		name, argument string
		text           *string
	}{{"RDATE", "recurrence_dates", f.ExtraDates}, {"EXDATE", "excluded_dates", f.ExcludedDates}} {
		if list.text == nil {
			continue
		}
		var dates []ical.DateTime
		for part := range strings.SplitSeq(*list.text, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			if len(dates) >= maxDates {
				return invalidf(op, "%s takes at most %d dates", list.argument, maxDates)
			}
			w, err := parseWhen(op, list.argument, part)
			if err != nil {
				return err
			}
			dates = append(dates, dateOf(w, start))
		}
		if list.name == "EXDATE" && len(dates) > 0 && master.Prop("RRULE") == nil && master.Prop("RDATE") == nil {
			return invalidf(op, "excluded_dates need a recurring event")
		}
		master.Remove(list.name)
		for _, d := range dates {
			master.Add(d.Line(list.name))
		}
	}
	return nil
}

// dateOf is a date of a series that starts at start: a day alone means the
// time of day of the start.
func dateOf(w when, start ical.DateTime) ical.DateTime {
	switch {
	case start.Kind == ical.Date:
		return ical.DateOf(w.wall)
	case w.day:
		h, m, s := start.Wall.Clock()
		return start.At(w.wall.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second))
	case w.fixed && start.Kind != ical.Floating:
		return ical.UTCOf(w.moment).Like(start)
	}
	return start.At(w.wall)
}

// shiftSeries makes exclusions, additions, changed occurrences and the end of
// a series follow its start, so that they name the same occurrences as before.
func shiftSeries(op string, s *ical.Series, was, is span, ruleGiven bool) error {
	if was.start.Line("X").String() == is.start.Line("X").String() {
		return nil
	}
	delta := is.start.Wall.Sub(was.start.Wall)
	move := func(d ical.DateTime) ical.DateTime { return is.start.At(d.Like(was.start).Wall.Add(delta)) }
	if rule := s.Rule(); rule != nil {
		if !ruleGiven {
			if err := followRule(op, rule, was.start.Wall, is.start.Wall); err != nil {
				return err
			}
			if until := rule.Until(); !until.IsZero() {
				rule.EndAt(move(until))
			}
			setLine(s.Master, "RRULE", rule.String())
		}
	}
	for _, name := range []string{"EXDATE", "RDATE"} {
		lines := s.Master.PropAll(name)
		for _, l := range lines {
			if strings.Contains(l.Value(), "/") {
				return invalidf(op, "the series lists periods (RDATE), which cannot be moved; change single occurrences instead")
			}
		}
		dates, err := s.Zones.ReadAll(lines)
		if err != nil {
			return unreadable(op, err)
		}
		s.Master.Remove(name)
		for _, d := range dates {
			s.Master.Add(move(d).Line(name))
		}
	}
	for _, o := range s.Overrides {
		id, err := s.Zones.Read(o.Prop("RECURRENCE-ID"))
		start, end, terr := s.Times(o)
		if err != nil || terr != nil {
			return invalidf(op, "a changed occurrence of the series cannot be read, so the series cannot be moved")
		}
		move(id).Put(o, "RECURRENCE-ID")
		if start.Same(id) {
			// It changed something else than its time, so it moves along.
			before := span{start, end}
			now := span{move(start), end}
			now.end = lasting(now.start, end.Instant(time.UTC).Sub(start.Instant(time.UTC)))
			if now.start.Kind == ical.Date {
				now.end = now.start.At(now.start.Wall.Add(max(24*time.Hour, end.Wall.Sub(start.Wall))))
			}
			now.put(o, before)
		}
	}
	return nil
}

// followRule makes a rule that names the old day of its start name the new
// one. A rule that names days in another way cannot follow.
func followRule(op string, rule *ical.Rule, was, is time.Time) error {
	sameDay := was.Year() == is.Year() && was.YearDay() == is.YearDay()
	if sameDay || !rule.By() {
		return nil
	}
	weeks := int(is.Truncate(24*time.Hour).Sub(was.Truncate(24*time.Hour)).Hours()) / 24 % 7
	onlyBy := func(keys ...string) bool {
		for _, k := range []string{"BYDAY", "BYMONTHDAY", "BYMONTH", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"} {
			if rule.Get(k) != "" && !slices.Contains(keys, k) {
				return false
			}
		}
		return true
	}
	byday := func(t time.Time) string { return strings.ToUpper(t.Weekday().String()[:2]) }
	switch freq := rule.Get("FREQ"); {
	case freq == "WEEKLY" && onlyBy("BYDAY") && weeks == 0:
		return nil
	case freq == "WEEKLY" && onlyBy("BYDAY") && rule.Get("BYDAY") == byday(was):
		rule.Set("BYDAY", byday(is))
		return nil
	case freq == "MONTHLY" && onlyBy("BYMONTHDAY") && rule.Get("BYMONTHDAY") == strconv.Itoa(was.Day()):
		rule.Set("BYMONTHDAY", strconv.Itoa(is.Day()))
		return nil
	case freq == "YEARLY" && onlyBy("BYMONTH", "BYMONTHDAY") && rule.Get("BYMONTH") == strconv.Itoa(int(was.Month())) &&
		(rule.Get("BYMONTHDAY") == "" || rule.Get("BYMONTHDAY") == strconv.Itoa(was.Day())):
		rule.Set("BYMONTH", strconv.Itoa(int(is.Month())))
		if rule.Get("BYMONTHDAY") != "" {
			rule.Set("BYMONTHDAY", strconv.Itoa(is.Day()))
		}
		return nil
	}
	return invalidf(op, "the series repeats by the rule %s, which the new day does not fit; give recurrence_rule as well", rule)
}

// orphans counts the changed occurrences that are none of the series' own any
// more.
func orphans(s *ical.Series, loc *time.Location) int {
	n := 0
	for _, o := range s.Overrides {
		id, err := s.Zones.Read(o.Prop("RECURRENCE-ID"))
		if err != nil {
			continue
		}
		if dates, err := s.Dates(id.Instant(loc).Add(time.Second), loc, true); err == nil &&
			!slices.ContainsFunc(dates, func(d ical.DateTime) bool { return d.Same(id) }) {
			n++
		}
	}
	return n
}

func orphanNote(n int) string {
	return fmt.Sprintf("%d changed occurrences no longer belong to the rule and were kept as they are.", n)
}
