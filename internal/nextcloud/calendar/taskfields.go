package calendar

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// TaskFields are the parts of a task that callers set. What is nil stays as it
// is; an empty text clears.
type TaskFields struct {
	Title       *string
	Description *string
	Location    *string
	Categories  *string // comma-separated
	URL         *string
	Privacy     *string
	Status      *string
	Priority    *string // high, medium, low, none, or 0 to 9
	Percent     *int    // 0 to 100
	Start       *string // date or time
	Due         *string // the same
	Completed   *string // when it was done
	TimeZone    *string // IANA name for times without an offset
	Rule        *string // RRULE
	RuleEnd     *string // the last date, inclusive
	Parent      *string // uid of the task that this one is a subtask of
	SortOrder   *int    // place in the manual order
	Reminders   *[]Reminder
}

func (f *TaskFields) empty() bool { return *f == TaskFields{} }

// apply writes the fields into a component of the task. zone is the zone that
// times without one were read in; it is zero when there were none.
func (f *TaskFields) apply(op string, o *object, c *ical.Component, p *person) (zone clock, err error) {
	if f.Title != nil {
		if strings.TrimSpace(*f.Title) == "" {
			return zone, invalidf(op, "a task needs a summary")
		}
		c.SetText("SUMMARY", *f.Title)
	}
	for _, t := range []struct {
		name  string
		value *string
	}{{"DESCRIPTION", f.Description}, {"LOCATION", f.Location}} {
		if t.value != nil {
			c.SetText(t.name, *t.value)
		}
	}
	if f.Description != nil {
		// Another program's formatted copy of the text would now differ.
		c.Remove("X-ALT-DESC")
	}
	if f.Categories != nil {
		setCategories(c, *f.Categories)
	}
	if err := setWord(op, c, "CLASS", "privacy", f.Privacy, "PUBLIC", "PRIVATE", "CONFIDENTIAL"); err != nil {
		return zone, err
	}
	if f.URL != nil {
		u, err := url.Parse(strings.TrimSpace(*f.URL))
		if err != nil || (*f.URL != "" && u.Scheme == "") {
			return zone, invalidf(op, "url has to be a complete address such as https://example.org/page")
		}
		setLine(c, "URL", strings.TrimSpace(*f.URL))
	}
	if f.Priority != nil {
		n, err := readPriority(op, *f.Priority)
		if err != nil {
			return zone, err
		}
		if n == 0 {
			c.Remove("PRIORITY")
		} else if priorityOf(c) != n {
			setLine(c, "PRIORITY", strconv.Itoa(n))
		}
	}
	if f.Parent != nil {
		setParent(c, strings.TrimSpace(*f.Parent))
	}
	if f.SortOrder != nil {
		setLine(c, "X-APPLE-SORT-ORDER", strconv.Itoa(*f.SortOrder))
	}
	if zone, err = f.applyTimes(op, o, c, p); err != nil {
		return zone, err
	}
	return f.applyReminders(op, c, p, zone)
}

// priorities are the words for priorities; Nextcloud's Tasks shows the numbers
// so.
var priorities = map[string]int{"": 0, "none": 0, "high": 1, "highest": 1, "urgent": 1, "medium": 5, "normal": 5, "low": 9, "lowest": 9}

func readPriority(op, s string) (int, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if n, ok := priorities[s]; ok {
		return n, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 9 {
		return 0, invalidf(op, "priority has to be high, medium, low, none, or from 1 (highest) to 9 (lowest)")
	}
	return n, nil
}

func (f *TaskFields) applyTimes(op string, o *object, c *ical.Component, p *person) (zone clock, err error) {
	if f.Start == nil && f.Due == nil && f.Rule == nil && f.RuleEnd == nil {
		if text(f.TimeZone) != "" && f.Completed == nil && f.Reminders == nil {
			return zone, invalidf(op, "timezone says how dtstart and due are read; give one of them too")
		}
		return zone, nil
	}
	was, err := o.timing(c)
	if err != nil && (f.Start == nil || f.Due == nil) {
		return zone, unreadableTask(op, err)
	}
	is := was
	for _, t := range []struct {
		argument string
		value    *string
		like     ical.DateTime
		to       *ical.DateTime
	}{{"dtstart", f.Start, was.start, &is.start}, {"due", f.Due, was.due, &is.due}} {
		if t.value == nil {
			continue
		}
		like := t.like
		if like.IsZero() {
			like = was.anchor() // the other one says in which zone the task lives
		}
		at, by, err := rebound(op, t.argument, *t.value, like, f.TimeZone, p)
		if err != nil {
			return zone, err
		}
		*t.to = at
		if by.loc != nil {
			zone = by
		}
	}
	if f.Start == nil && f.Due != nil && !is.due.IsZero() && was.start.Kind == was.due.Kind && !was.start.IsZero() && was.start.Same(was.due) {
		is.start = is.due // Apple and this server give the start the due time, for what needs one
	}
	if text(f.Rule) != "" && is.start.IsZero() {
		is.start = is.due // a rule needs a start (RFC 5545, 3.8.5.3)
	}
	if err := is.checked(op); err != nil {
		return zone, err
	}
	if o.Recurs() && is.anchor() != was.anchor() {
		if is.anchor().IsZero() {
			if f.Rule == nil || *f.Rule != "" {
				return zone, invalidf(op, "the task recurs, so it needs dtstart or due; clear recurrence_rule as well")
			}
		} else if len(o.Overrides) > 0 || o.First().Prop("RDATE") != nil {
			return zone, invalidf(op, "the task recurs and has changed occurrences, which would lose their place; change its dates in the program that made them")
		}
	}
	is.put(c, was)
	return zone, f.applyRule(op, o, c, is.anchor(), zone, p)
}

func (f *TaskFields) applyRule(op string, o *object, c *ical.Component, anchor ical.DateTime, zone clock, p *person) (err error) {
	if f.Rule == nil && f.RuleEnd == nil {
		return nil
	}
	if zone.loc == nil {
		if zone, err = clockFor(op, text(f.TimeZone), p); err != nil {
			return err
		}
	}
	fields := Fields{Rule: f.Rule, RuleEnd: f.RuleEnd}
	if f.Rule != nil && strings.TrimSpace(*f.Rule) != "" && anchor.IsZero() {
		return invalidf(op, "a recurring task needs dtstart or due")
	}
	var old *ical.Rule
	if l := c.Prop("RRULE"); l != nil {
		if old, err = ical.ParseRule(l.Value()); err != nil && f.Rule == nil {
			return invalidf(op, "the task has a rule that cannot be read here; give recurrence_rule as well")
		}
	}
	rule, err := fields.rule(op, old, anchor, zone)
	if err != nil {
		return err
	}
	switch {
	case rule != nil:
		setLine(c, "RRULE", rule.String())
	case len(o.Overrides) > 0:
		return invalidf(op, "the task has %d changed occurrences, which would be lost; end it with recurrence_end_date instead", len(o.Overrides))
	default:
		for _, name := range []string{"RRULE", "RDATE", "EXDATE"} {
			c.Remove(name)
		}
	}
	return nil
}

// applyReminders: what is so many minutes before counts from the due time when
// there is one, which RFC 5545 (3.8.6.3) calls the end, else from the start.
func (f *TaskFields) applyReminders(op string, c *ical.Component, p *person, zone clock) (clock, error) {
	if f.Reminders == nil {
		return zone, nil
	}
	at := zone
	if at.loc == nil {
		var err error
		if at, err = clockFor(op, text(f.TimeZone), p); err != nil {
			return zone, err
		}
	}
	due := c.Prop("DUE") != nil || c.Prop("DURATION") != nil
	list := slices.Clone(*f.Reminders)
	for i := range list {
		r := &list[i]
		if r.TriggerAt != "" {
			zone = at
			continue
		}
		if r.Related == "" {
			r.Related = "START"
			if due {
				r.Related = "END"
			}
		}
		if strings.EqualFold(r.Related, "END") && !due || !strings.EqualFold(r.Related, "END") && c.Prop("DTSTART") == nil {
			return zone, invalidf(op, "a reminder before a task needs its due or dtstart; give trigger_at for a moment")
		}
	}
	_, err := setReminders(op, c, list, p.email, at)
	return zone, err
}

// setStatus makes status, percent and the time of completion say the same, as
// Nextcloud's Tasks does. finished reports that the task is to be completed,
// which is for the caller to do.
func (f *TaskFields) setStatus(op string, c *ical.Component) (finished bool, err error) {
	status := strings.ToUpper(strings.TrimSpace(text(f.Status)))
	if f.Status != nil && !slices.Contains([]string{statusOpen, statusStarted, statusDone, statusCancelled}, status) {
		return false, invalidf(op, "status has to be one of NEEDS-ACTION, IN-PROCESS, COMPLETED, CANCELLED")
	}
	if n := f.Percent; n != nil {
		if *n < 0 || *n > 100 {
			return false, invalidf(op, "percent_complete has to be from 0 to 100")
		}
		if (status == statusDone && *n < 100) || ((status == statusOpen || status == statusStarted) && *n == 100) {
			return false, invalidf(op, "status %s and percent_complete %d contradict each other", status, *n)
		}
		if status == "" && statusOf(c) != statusCancelled {
			switch *n {
			case 0:
				status = statusOpen
			case 100:
				status = statusDone
			default:
				status = statusStarted
			}
		}
	}
	if status == "" && text(f.Completed) != "" {
		status = statusDone
	}
	if text(f.Completed) != "" && status != statusDone {
		return false, invalidf(op, "completed is only for a task with the status COMPLETED")
	}
	switch {
	case status == statusDone:
		return true, nil
	case status != "":
		reopen(c, status)
	}
	if f.Percent != nil && percentOf(c) != *f.Percent {
		setLine(c, "PERCENT-COMPLETE", strconv.Itoa(*f.Percent))
	}
	return false, nil
}

// reopen gives a task a status other than done.
func reopen(c *ical.Component, status string) {
	if statusOf(c) == status && c.Prop("STATUS") != nil {
		return
	}
	setLine(c, "STATUS", status)
	c.Remove("COMPLETED")
	if percentOf(c) == 100 && status != statusCancelled {
		c.Remove("PERCENT-COMPLETE")
	}
}
