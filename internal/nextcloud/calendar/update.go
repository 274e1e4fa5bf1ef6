package calendar

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Target says which event, and how much of a recurring one.
type Target struct {
	Calendar     string // name or display name
	UID          string
	ETag         string // when given, the event must still be this one
	Scope        Scope
	RecurrenceID string // the start of the occurrence, for This and ThisAndFuture
}

// open reads the target's object for a change.
func (c *Client) open(ctx context.Context, op string, t Target) (*object, *person, error) {
	cal, err := c.Resolve(ctx, op, t.Calendar)
	if err != nil {
		return nil, nil, err
	}
	if err := mayWrite(op, cal, "VEVENT"); err != nil {
		return nil, nil, err
	}
	p, err := c.person(ctx)
	if err != nil {
		return nil, nil, err
	}
	o, err := c.find(ctx, op, cal, "VEVENT", t.UID)
	if err != nil {
		return nil, nil, err
	}
	if t.ETag != "" && nextcloud.UnquoteETag(t.ETag) != o.etag {
		return nil, nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrPrecondition}
	}
	return o, p, nil
}

// Update changes the given fields of an event and nothing else.
func (c *Client) Update(ctx context.Context, t Target, f Fields) (*Written, error) {
	const op = "update event"
	if f.empty() {
		return nil, invalidf(op, "no field to change was given")
	}
	o, p, err := c.open(ctx, op, t)
	if err != nil {
		return nil, err
	}
	scope, err := o.choose(op, t.Scope, t.RecurrenceID)
	if err != nil {
		return nil, err
	}
	if scope == This {
		return c.updateOne(ctx, op, o, t, f, p)
	}
	var occ ical.Occurrence
	if o.Recurs() && t.RecurrenceID != "" {
		if occ, err = o.occurrence(op, t.RecurrenceID, p); err != nil {
			return nil, err
		}
	}
	if scope == ThisAndFuture {
		first, err := o.isFirst(occ, p)
		if err != nil {
			return nil, unreadable(op, err)
		}
		if !first {
			return c.updateFuture(ctx, op, o, occ, f, p)
		}
	}
	return c.updateAll(ctx, op, o, occ, f, p)
}

// isFirst reports whether nothing of the series comes before the occurrence.
func (o *object) isFirst(occ ical.Occurrence, p *person) (bool, error) {
	dates, err := o.Dates(occ.ID.Instant(p.zone), p.zone, false)
	return len(dates) == 0, err
}

// updateAll changes the master: an event that does not recur, or a series.
func (c *Client) updateAll(ctx context.Context, op string, o *object, occ ical.Occurrence, f Fields, p *person) (*Written, error) {
	before := o.snapshot()
	times, at, notes, err := f.apply(op, o.Series, occ.Start, p)
	if err != nil {
		return nil, err
	}
	if !before.finish(o, p, c.now) {
		notes = append(notes, "Nothing had to be changed.")
		return c.finished(o, times, o.etag, at, notes), nil
	}
	etag, invited, err := c.save(ctx, op, o.path, o.Object, dav.Condition{ETag: o.etag})
	if err != nil {
		return nil, err
	}
	w := c.finished(o, times, etag, at, notes)
	w.Invited = invited
	return w, nil
}

func (c *Client) finished(o *object, times span, etag string, at clock, notes []string) *Written {
	w := c.written(o, ical.Occurrence{ID: times.start, Start: times.start, End: times.end, Component: o.Master}, etag, at, notes)
	if o.Recurs() {
		w.Scope = All
	}
	return w
}

// apply writes the fields into the master of a series and makes the rest of
// the series follow. base is the occurrence that the caller saw, if any.
func (f *Fields) apply(op string, s *ical.Series, base ical.DateTime, p *person) (span, clock, []string, error) {
	if s.Master == nil {
		return span{}, clock{}, nil, invalidf(op, "only single occurrences of this series are in the calendar; use recurrence_scope=this with recurrence_id")
	}
	original := s.Master.Clone()
	start, end, err := s.Times(s.Master)
	if err != nil || start.IsZero() {
		return span{}, clock{}, nil, unreadable(op, errors.Join(err, errors.New("it has no start")))
	}
	was := span{start, end}
	is, at, err := f.moved(op, was, base, p)
	if err != nil {
		return was, at, nil, err
	}
	ruleGiven := f.Rule != nil || f.RuleEnd != nil || f.Recurring != nil
	if s.Master.Prop("RRULE") != nil && s.Rule() == nil && (f.Rule == nil || *f.Rule == "") && is != was {
		return was, at, nil, invalidf(op, "the series has a rule that cannot be read here; give recurrence_rule as well")
	}
	if s.Master.Prop("RRULE") != nil || s.Master.Prop("RDATE") != nil {
		if err := shiftSeries(op, s, was, is, ruleGiven); err != nil {
			return was, at, nil, err
		}
	}
	if is != was {
		is.put(s.Master, was)
	}
	if ruleGiven {
		rule, err := f.rule(op, s.Rule(), is.start, at)
		if err != nil {
			return was, at, nil, err
		}
		if err := putRule(op, s, rule); err != nil {
			return was, at, nil, err
		}
	}
	if err := f.putDates(op, s.Master, is.start); err != nil {
		return was, at, nil, err
	}
	notes, err := f.write(op, s.Master, p, at)
	if err != nil {
		return was, at, nil, err
	}
	carry(original, s)
	if len(s.Overrides) > 0 {
		if n := orphans(s, at.loc); n > 0 {
			notes = append(notes, orphanNote(n))
		}
	}
	return is, at, notes, nil
}

// updateOne changes one occurrence of a series.
func (c *Client) updateOne(ctx context.Context, op string, o *object, t Target, f Fields, p *person) (*Written, error) {
	if f.Rule != nil || f.RuleEnd != nil || f.Recurring != nil || f.ExtraDates != nil || f.ExcludedDates != nil {
		return nil, invalidf(op, "one occurrence has no recurrence of its own; use recurrence_scope=this_and_future or all for that")
	}
	occ, err := o.occurrence(op, t.RecurrenceID, p)
	if err != nil {
		return nil, err
	}
	if err := single(op, occ); err != nil {
		return nil, err
	}
	before := o.snapshot()
	one := o.Override(occ)
	was := span{occ.Start, occ.End}
	is, at, err := f.moved(op, was, ical.DateTime{}, p)
	if err != nil {
		return nil, err
	}
	if is != was {
		is.put(one, was)
	}
	notes, err := f.write(op, one, p, at)
	if err != nil {
		return nil, err
	}
	before.finish(o, p, c.now)
	etag, invited, err := c.save(ctx, op, o.path, o.Object, dav.Condition{ETag: o.etag})
	if err != nil {
		return nil, err
	}
	w := c.written(o, ical.Occurrence{ID: occ.ID, Start: is.start, End: is.end, Component: one}, etag, at, notes)
	w.Scope, w.RecurrenceID, w.Invited = This, occ.ID.String(), invited
	return w, nil
}

// updateFuture splits a series: what follows goes on as a new one with the
// changes, the old one ends before. The new one is written first, so that
// nothing is lost when a write fails; see unsplit for when the second does.
func (c *Client) updateFuture(ctx context.Context, op string, o *object, occ ical.Occurrence, f Fields, p *person) (*Written, error) {
	tail, err := o.Tail(occ.ID, uuid.NewString(), p.zone)
	if err != nil {
		return nil, invalidf(op, "the series cannot be split here (%s); use recurrence_scope=this or all", err)
	}
	oldUID := o.Master.Text("UID")
	o2, err := c.newObject(op, o.cal, tail.Object)
	if err != nil {
		return nil, err
	}
	head := o.snapshot()
	if err := o.Shorten(occ.ID, p.zone); err != nil {
		return nil, unreadable(op, err)
	}
	head.finish(o, p, c.now)

	before := o2.snapshot()
	times, at, notes, err := f.apply(op, o2.Series, ical.DateTime{}, p)
	if err != nil {
		return nil, err
	}
	if occ.Changed && (f.Start != nil || f.End != nil) {
		// The occurrence was moved on its own before; it goes with the rest now.
		if c := o2.override(times.start); c != nil {
			times.put(c, span{occ.Start, occ.End})
		}
	}
	now := ical.UTCOf(c.now()).Value()
	setLine(o2.Master, "CREATED", now)
	o2.Master.Add(ical.NewLine("RELATED-TO", oldUID, ical.Param{Name: "RELTYPE", Values: []string{"SIBLING"}}))
	before.finish(o2, p, c.now)
	for _, e := range append([]*ical.Component{o2.Master}, o2.Overrides...) {
		setLine(e, "SEQUENCE", "0")
	}
	newTag, invited, err := c.save(ctx, op, o2.path, o2.Object, dav.Condition{Absent: true})
	switch {
	case err == nil:
	case refused(err):
		return nil, err
	default:
		return nil, partly(err, "it is not known whether the series was continued under the new uid "+o2.Master.Text("UID")+
			"; the old one was not changed, so if the new one is there, delete it, then try again")
	}
	// From here on nobody may walk away: a split that stops in the middle is
	// the later occurrences twice.
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), splitTimeout)
	defer cancel()
	if _, err := c.put(rest, op, o.path, o.Object, dav.Condition{ETag: o.etag}); err != nil {
		if err := c.unsplit(rest, op, o, o2, occ.ID, p, newTag, err); err != nil {
			return nil, err
		}
	}
	w := c.written(o2, ical.Occurrence{ID: times.start, Start: times.start, End: times.end, Component: o2.Master}, newTag, at, notes)
	w.Scope, w.OldUID, w.Invited = ThisAndFuture, oldUID, invited
	c.remember(ctx, o.cal, w.UID, o2.path)
	return w, nil
}

// override is the component of the changed occurrence id, or nil.
func (o *object) override(id ical.DateTime) *ical.Component {
	for _, c := range o.Overrides {
		if d, err := o.Zones.Read(c.Prop("RECURRENCE-ID")); err == nil && d.Same(id) {
			return c
		}
	}
	return nil
}

// splitTimeout bounds the second write of a split and what follows when it
// fails.
const splitTimeout = time.Minute

// refused reports whether Nextcloud said that it did not do what was asked.
// After a time-out, a cut answer or a failure inside of it, nobody knows.
func refused(err error) bool {
	e, ok := errors.AsType[*nextcloud.Error](err)
	return ok && e.Status/100 == 4 && e.Status != http.StatusRequestTimeout
}

// partly is the error of a change that stopped in the middle.
func partly(cause error, message string) error {
	out := nextcloud.Error{Err: cause}
	if e, ok := errors.AsType[*nextcloud.Error](cause); ok {
		out = *e
	}
	out.Kind, out.Message = nextcloud.ErrPartly, message
	return &out
}

// unsplit settles a split whose old half could not be shortened: nil when it
// was shortened all the same. The new half is taken back only when Nextcloud
// refused the write and the old half is seen to be whole; otherwise the later
// occurrences are better there twice than not at all.
func (c *Client) unsplit(ctx context.Context, op string, o, o2 *object, at ical.DateTime, p *person, newTag string, cause error) error {
	twice := partly(cause, "the series was continued under the new uid "+o2.Master.Text("UID")+
		" but the old one is not known to have ended, so the later occurrences may be there twice; if they are, delete the event with the new uid, then try again")
	old, err := c.find(ctx, op, o.cal, "VEVENT", o.Master.Text("UID"))
	if err != nil {
		return twice
	}
	_, whole, err := old.Find(at, p.zone)
	switch {
	case err != nil:
		return twice
	case !whole && old.Master != nil && old.Master.Text("RRULE") == o.Master.Text("RRULE"):
		return nil // only the answer was lost
	case !whole || !refused(cause):
		return twice
	}
	err = c.dav.Delete(ctx, dav.Query{Op: op, Path: o2.path}, dav.Condition{ETag: newTag})
	if err == nil || errors.Is(err, nextcloud.ErrNotFound) {
		return cause
	}
	return twice
}

// snapshot is the events of an object as they were before a change.
type snapshot map[*ical.Component]*ical.Component

func (o *object) snapshot() snapshot {
	s := snapshot{}
	if o.Master != nil {
		s[o.Master] = o.Master.Clone()
	}
	for _, c := range o.Overrides {
		s[c] = c.Clone()
	}
	return s
}

// significant are the properties whose change makes a new revision for those
// who take part (RFC 5546, 2.1.4).
var significant = []string{"DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "STATUS", "RECURRENCE-ID"}

// finish stamps what changed (RFC 5545, 3.8.7) and defines the zones it names;
// false when nothing changed.
func (s snapshot) finish(o *object, p *person, now func() time.Time) bool {
	list := slices.Clone(o.Overrides)
	if o.Master != nil {
		list = append(list, o.Master)
	}
	changed := len(list) != len(s)
	stampNow := ical.UTCOf(now()).Value()
	for _, c := range list {
		before, known := s[c]
		if known && slices.Equal(before.Lines(), c.Lines()) {
			continue
		}
		changed = true
		setLine(c, "DTSTAMP", stampNow)
		setLine(c, "LAST-MODIFIED", stampNow)
		if organizer := c.Prop("ORGANIZER"); organizer != nil && p.email != "" && !strings.EqualFold(address(organizer), p.email) {
			continue // only the organizer counts revisions
		}
		if !known || revised(before, c) {
			n, _ := strconv.Atoi(c.Text("SEQUENCE")) // 0 when there is none
			setLine(c, "SEQUENCE", strconv.Itoa(n+1))
		}
	}
	if changed {
		ical.Define(o.Object)
	}
	return changed
}

func revised(before, after *ical.Component) bool {
	for _, name := range significant {
		a, b := before.PropAll(name), after.PropAll(name)
		if !slices.EqualFunc(a, b, func(x, y *ical.Line) bool { return x.String() == y.String() }) {
			return true
		}
	}
	return false
}
