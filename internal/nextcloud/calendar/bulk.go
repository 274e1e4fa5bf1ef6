package calendar

import (
	"context"
	"errors"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// BulkOperation is what is done to many events.
type BulkOperation string

// The operations.
const (
	BulkUpdate BulkOperation = "update"
	BulkDelete BulkOperation = "delete"
	BulkMove   BulkOperation = "move"
)

// Bulk is a change of many events.
type Bulk struct {
	Operation BulkOperation
	Query     Query  // which ones; Limit, Cursor and Days are not looked at
	Fields    Fields // for BulkUpdate
	To        string // for BulkMove: a calendar
	// Scope is what is meant of a series: This are the occurrences that the
	// query finds, All the whole series. Zero leaves series alone.
	Scope Scope
	// Apply changes the events; without it they are only listed.
	Apply bool
	// Expect is how many changes the list had. With another number nothing is
	// changed, since it would not be what was looked at.
	Expect int
}

// Outcome is what became of one event.
type Outcome struct {
	UID          string `json:"uid"`
	CalendarName string `json:"calendar_name"`
	Title        string `json:"summary"`
	Start        string `json:"start"`
	RecurrenceID string `json:"recurrence_id,omitempty"`
	Outcome      string `json:"outcome"` // would_update, updated, failed, skipped, not_attempted, and so on
	Reason       string `json:"reason,omitempty"`
	ETag         string `json:"etag,omitempty"`
}

// BulkResult is what a change of many events came to.
type BulkResult struct {
	Operation    BulkOperation `json:"operation"`
	DryRun       bool          `json:"dry_run"`
	TotalFound   int           `json:"total_found"` // that the filters find
	Count        int           `json:"count"`       // that are or would be changed
	Failed       int           `json:"failed_count,omitempty"`
	Skipped      int           `json:"skipped_count,omitempty"`
	NotAttempted int           `json:"not_attempted_count,omitempty"`
	Results      []Outcome     `json:"results"`
	Asked        Asked         `json:"asked"`
	Unread       []string      `json:"unread,omitempty"` // calendars and events that could not be looked at
	Undo         string        `json:"undo,omitempty"`
	Note         string        `json:"note,omitempty"`
}

const (
	bulkOp = "change many events"
	// MaxBulk is the most events of one call.
	MaxBulk = 200
	// bulkReserve is left of the call's time for its answer.
	bulkReserve = 5 * time.Second
)

// bulkTask is one event, or one occurrence, to be changed.
type bulkTask struct {
	o    *object
	occs []ical.Occurrence // what the query found of it
	out  []Outcome
	skip string
}

// Bulk changes many events, one after the other, each only if it is still the
// one that was found. What became of each is in the result; nothing stops at
// a failure but the end of the call's time and a lost sign-in.
func (c *Client) Bulk(ctx context.Context, b Bulk) (*BulkResult, error) {
	p, err := c.person(ctx)
	if err != nil {
		return nil, err
	}
	var target *Calendar
	switch b.Operation {
	case BulkUpdate:
		if b.Fields.empty() {
			return nil, invalidf(bulkOp, "update needs at least one of the new_ arguments")
		}
	case BulkMove:
		if target, err = c.Resolve(ctx, bulkOp, b.To); err != nil {
			return nil, err
		}
		if err := mayWrite(bulkOp, target, "VEVENT"); err != nil {
			return nil, err
		}
		if b.Scope == This {
			return nil, invalidf(bulkOp, "single occurrences cannot be moved; use recurrence_scope=all for whole series")
		}
	case BulkDelete:
	default:
		return nil, invalidf(bulkOp, "operation has to be update, delete or move")
	}
	q := b.Query
	if q.Calendar == "" && q.TitleContains == "" && q.LocationContains == "" && q.Categories == "" && q.Status == "" && q.Start == "" && q.End == "" {
		return nil, invalidf(bulkOp, "say which events: at least one of title_contains, location_contains, categories, status, calendar_name, start_date and end_date")
	}
	out := &BulkResult{Operation: b.Operation, DryRun: !b.Apply, Results: []Outcome{}}
	tasks, err := c.matching(ctx, b, target, out)
	if err != nil {
		return nil, err
	}
	if out.Count+out.Skipped > MaxBulk {
		return nil, invalidf(bulkOp, "%d events are found, and at most %d are changed at once; narrow the filters or the dates", out.Count+out.Skipped, MaxBulk)
	}
	if b.Apply && b.Expect != out.Count {
		return nil, invalidf(bulkOp, "this would change %d events, but expected_count is %d; do the dry run again and look at its list", out.Count, b.Expect)
	}
	if b.Apply {
		out.Count = 0
		if err := c.runBulk(ctx, b, target, tasks, p, out); err != nil {
			return nil, err
		}
	}
	for _, t := range tasks {
		out.Results = append(out.Results, t.out...)
	}
	return out, nil
}

// matching are the events that the query finds, by object.
func (c *Client) matching(ctx context.Context, b Bulk, target *Calendar, out *BulkResult) ([]*bulkTask, error) {
	b.Query.Limit, b.Query.Cursor, b.Query.Days = 0, "", 0
	page, found, err := c.all(ctx, b.Query)
	if err != nil {
		return nil, err
	}
	out.Asked, out.Unread, out.Note, out.TotalFound = page.Asked, page.Skipped, page.Note, len(found)
	byPath := map[string]*bulkTask{}
	var tasks []*bulkTask
	for i := range found {
		l := &found[i]
		t := byPath[l.o.path]
		if t == nil {
			t = &bulkTask{o: l.o}
			byPath[l.o.path] = t
			tasks = append(tasks, t)
			t.skip = b.skips(t.o, target)
		}
		t.occs = append(t.occs, l.occ)
	}
	for _, t := range tasks {
		occs := t.occs
		if t.skip != "" || b.Scope != This || !t.o.Recurs() {
			occs = occs[:1]
		}
		for _, occ := range occs {
			s := t.o.summarize(occ)
			one := Outcome{UID: s.UID, CalendarName: s.CalendarName, Title: s.Title, Start: s.Start, Outcome: "would_" + string(b.Operation)}
			if b.Scope == This && t.skip == "" {
				one.RecurrenceID = s.RecurrenceID
			}
			if t.skip != "" {
				one.Outcome, one.Reason = "skipped", t.skip
				out.Skipped++
			} else {
				out.Count++
			}
			t.out = append(t.out, one)
		}
	}
	return tasks, nil
}

// skips is why an event is left alone; "" when it is not.
func (b *Bulk) skips(o *object, target *Calendar) string {
	switch {
	case mayWrite(bulkOp, o.cal, "VEVENT") != nil:
		return "its calendar can only be read"
	case o.Recurs() && b.Scope == "":
		return "it recurs; ask the person and set recurrence_scope to this (the occurrences found) or all (whole series)"
	case o.Master == nil && b.Scope == All && b.Operation == BulkUpdate:
		return "only single occurrences of this series are in the calendar; use recurrence_scope=this"
	case target != nil && target.path == o.cal.path:
		return "it is in that calendar already"
	}
	return ""
}

// runBulk does what was listed.
func (c *Client) runBulk(ctx context.Context, b Bulk, target *Calendar, tasks []*bulkTask, p *person, out *BulkResult) error {
	stop := ""
	deadline, limited := ctx.Deadline()
	for _, t := range tasks {
		if t.skip != "" {
			continue
		}
		switch {
		case stop != "":
		case ctx.Err() != nil, limited && time.Until(deadline) < bulkReserve:
			stop = "the time for one call was over; run it again"
		}
		if stop != "" {
			for i := range t.out {
				t.out[i].Outcome, t.out[i].Reason = "not_attempted", stop
			}
			out.NotAttempted += len(t.out)
			continue
		}
		err := c.bulkOne(ctx, b, target, t, p)
		if errors.Is(err, nextcloud.ErrUnauthenticated) && out.Count+out.Failed == 0 {
			return err
		}
		if errors.Is(err, nextcloud.ErrUnauthenticated) || errors.Is(err, nextcloud.ErrRateLimited) || errors.Is(err, nextcloud.ErrMaintenance) {
			stop = reason(err)
		}
		t.done(b, err)
		if err == nil {
			out.Count += len(t.out)
		} else {
			out.Failed += len(t.out)
		}
	}
	return nil
}

// done notes what became of the event.
func (t *bulkTask) done(b Bulk, err error) {
	for i := range t.out {
		o := &t.out[i]
		switch {
		case errors.Is(err, nextcloud.ErrUnavailable):
			o.Outcome, o.Reason = "unknown", reason(err) // the answer was lost, or the change was
		case err != nil:
			o.Outcome, o.Reason = "failed", reason(err)
		default:
			o.Outcome = map[BulkOperation]string{BulkUpdate: "updated", BulkDelete: "deleted", BulkMove: "moved"}[b.Operation]
			if b.Operation != BulkDelete || (b.Scope == This && t.o.Recurs()) {
				o.ETag = t.o.etag
			}
		}
	}
}

// bulkOne changes one event, or the occurrences of a series that were found,
// with one write.
func (c *Client) bulkOne(ctx context.Context, b Bulk, target *Calendar, t *bulkTask, p *person) error {
	o := t.o
	if b.Operation == BulkMove {
		m, err := c.moveObject(ctx, bulkOp, o, target)
		if err == nil {
			for i := range t.out {
				t.out[i].CalendarName = m.To.Name
			}
		}
		return err
	}
	if b.Operation == BulkUpdate && o.damaged() {
		return invalidf(bulkOp, "it holds bytes that are no text; change it by itself")
	}
	if o.Recurs() && b.Scope == This {
		return c.bulkOccurrences(ctx, b, t, p)
	}
	if b.Operation == BulkDelete {
		err := c.dav.Delete(ctx, dav.Query{Op: bulkOp, Path: o.path}, dav.Condition{ETag: o.etag})
		if err != nil {
			return c.explain(ctx, err)
		}
		return nil
	}
	before := o.snapshot()
	if _, _, _, err := b.Fields.apply(bulkOp, o.Series, ical.DateTime{}, p); err != nil {
		return err
	}
	return c.saveBulk(ctx, o, before, p)
}

func (c *Client) bulkOccurrences(ctx context.Context, b Bulk, t *bulkTask, p *person) error {
	o := t.o
	before := o.snapshot()
	for _, occ := range t.occs {
		if err := single(bulkOp, occ); err != nil {
			return err
		}
		if b.Operation == BulkDelete {
			o.Exclude(occ)
			continue
		}
		at, err := b.Fields.clock(bulkOp, occ.Start, p)
		if err != nil {
			return err
		}
		if _, err := b.Fields.write(bulkOp, o.Override(occ), p, at); err != nil {
			return err
		}
	}
	if b.Operation == BulkDelete && o.isEmpty(p) {
		err := c.dav.Delete(ctx, dav.Query{Op: bulkOp, Path: o.path}, dav.Condition{ETag: o.etag})
		if err != nil {
			return c.explain(ctx, err)
		}
		return nil
	}
	return c.saveBulk(ctx, o, before, p)
}

func (c *Client) saveBulk(ctx context.Context, o *object, before snapshot, p *person) error {
	if !before.finish(o, p, c.now) {
		return nil
	}
	etag, err := c.put(ctx, bulkOp, o.path, o.Object, dav.Condition{ETag: o.etag})
	if err != nil {
		return err
	}
	o.etag = etag
	return nil
}
