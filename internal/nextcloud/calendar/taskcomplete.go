package calendar

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

func isNotFound(err error) bool { return errors.Is(err, nextcloud.ErrNotFound) }

// Complete completes a task. Of one that recurs it completes the occurrence
// that lists show, and the task stays open for the next one; after the last it
// is done. completed is when that was, empty for now.
func (t *Tasks) Complete(ctx context.Context, target TaskTarget, completed, zone string) (*SavedTask, error) {
	const op = "complete task"
	o, p, err := t.openTask(ctx, op, target)
	if err != nil {
		return nil, err
	}
	at, by, err := (&TaskFields{Completed: &completed, TimeZone: &zone}).completedAt(op, t.c.now(), p)
	if err != nil {
		return nil, err
	}
	before := o.snapshot()
	note, err := o.finishTurn(op, at, t.c.now(), p)
	if err != nil {
		return nil, err
	}
	return t.write(ctx, op, o, before, p, by, note)
}

// Reopen makes a completed or cancelled task one to do again.
func (t *Tasks) Reopen(ctx context.Context, target TaskTarget) (*SavedTask, error) {
	const op = "reopen task"
	o, p, err := t.openTask(ctx, op, target)
	if err != nil {
		return nil, err
	}
	before := o.snapshot()
	c, note := o.First(), ""
	if o.Recurs() && !closed(statusOf(c)) {
		// The last occurrence that is done on its own.
		at, err := o.timing(c)
		if err != nil {
			return nil, unreadableTask(op, err)
		}
		changed, last, err := o.changedTurns(at.anchor())
		if err != nil {
			return nil, unreadableTask(op, err)
		}
		if last.IsZero() {
			return nil, invalidf(op, "the task recurs and is open, due %s; to do an earlier occurrence again, set dtstart and due back with nc_calendar_update_todo", at.due)
		}
		c, note = changed[last.Value()], fmt.Sprintf("The occurrence of %s is open again.", last)
	}
	reopen(c, statusOpen)
	return t.write(ctx, op, o, before, p, clock{}, note)
}

// complete says in a component that it is done.
func complete(c *ical.Component, at time.Time) {
	setLine(c, "STATUS", statusDone)
	setLine(c, "PERCENT-COMPLETE", "100")
	ical.UTCOf(at).Put(c, "COMPLETED")
}

// finishTurn completes what of the task is to be done now. A task that does
// not recur is done. One that recurs moves on to its next occurrence, as
// Nextcloud's Tasks, Apple's Reminders and tasks.org do, so that every program
// shows it as open with its new date. A series that has changed or added
// occurrences already is kept as it is and gets one more, which is done, as
// the programs that write such series do it.
func (o *object) finishTurn(op string, at, now time.Time, p *person) (note string, err error) {
	turn, err := o.turn(now, p.zone)
	switch {
	case err != nil:
		return "", unreadableTask(op, err)
	case turn.note != "":
		return "", notFollowed(op)
	}
	switch {
	case closed(turn.status) && turn.status == statusDone:
		return "", nil
	case turn.id.IsZero():
		complete(turn.comp, at)
		return "", nil
	}
	first, err := o.timing(o.Master)
	if err != nil {
		return "", unreadableTask(op, err)
	}
	series, err := o.counted(first)
	if err != nil {
		return "", unreadableTask(op, err)
	}
	next, passed, more, err := series.Next(turn.id, p.zone)
	if err != nil {
		return "", notFollowed(op)
	}
	if len(o.Overrides) > 0 || o.Master.Prop("RDATE") != nil {
		complete(o.overrideTurn(turn), at)
		if !more {
			return fmt.Sprintf("The occurrence of %s was the last one.", turn.id), nil
		}
		return stays(turn, next), nil
	}
	if !more {
		complete(o.Master, at)
		return fmt.Sprintf("The occurrence of %s was the last one, so the task is done.", turn.id), nil
	}
	rule := o.Rule()
	if n := rule.Count(); n > 0 {
		rule.Set("COUNT", strconv.Itoa(max(1, n-passed)))
		setLine(o.Master, "RRULE", rule.String())
	}
	first.at(next).put(o.Master, first)
	reopenForNext(o.Master)
	return stays(turn, next), nil
}

func notFollowed(op string) error {
	return invalidf(op, "the task recurs by a rule that cannot be followed here; complete it in the program that made it, or give it another recurrence_rule first")
}

// reopenForNext: the next occurrence starts from nothing.
func reopenForNext(c *ical.Component) {
	setLine(c, "STATUS", statusOpen)
	c.Remove("COMPLETED")
	c.Remove("PERCENT-COMPLETE")
}

func stays(done turn, next ical.DateTime) string {
	note := fmt.Sprintf("The task recurs: the occurrence of %s is done, the next one is of %s.", done.id, next)
	if done.missed > 0 {
		note += fmt.Sprintf(" %d earlier ones that were not done are passed over.", done.missed)
	}
	return note
}

// overrideTurn is the component of the occurrence alone.
func (o *object) overrideTurn(t turn) *ical.Component {
	if t.comp != o.Master {
		return t.comp
	}
	c := o.Master.Clone()
	for _, name := range []string{"RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"} {
		c.Remove(name)
	}
	was, err := o.timing(o.Master)
	if err == nil {
		t.put(c, was)
	}
	c.Add(t.id.Line("RECURRENCE-ID"))
	o.Object.AddChild(c)
	o.Overrides = append(o.Overrides, c)
	return c
}
