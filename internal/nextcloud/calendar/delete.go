package calendar

import (
	"context"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Deleted is what a deletion came to.
type Deleted struct {
	UID      string
	Calendar *Calendar
	Scope    Scope // zero for an event that does not recur
	Whole    bool  // the object is in the trash of the calendar
	// Retention is how long the trash keeps it; 0 when Nextcloud does not say.
	Retention time.Duration
	Event     Summary // what was deleted: the event, or the (first) occurrence
	Rule      string  // the rule that the series had
	ETag      string  // of what is left
}

// lastInstant is after every occurrence that is looked at.
var lastInstant = time.Date(2600, 1, 1, 0, 0, 0, 0, time.UTC)

// Delete deletes an event, one occurrence, or an occurrence and all that
// follow.
func (c *Client) Delete(ctx context.Context, t Target) (*Deleted, error) {
	const op = "delete event"
	o, p, err := c.open(ctx, op, t)
	if err != nil {
		return nil, err
	}
	scope, err := o.choose(op, t.Scope, t.RecurrenceID)
	if err != nil {
		return nil, err
	}
	occ, err := o.master()
	if err != nil {
		occ = ical.Occurrence{Component: o.First()} // what cannot be read can be deleted
	}
	d := &Deleted{UID: t.UID, Calendar: o.cal, Rule: o.First().Prop("RRULE").Value()}
	if o.Recurs() {
		d.Scope = scope
	}
	if scope == All {
		d.Event = o.summarize(occ)
		return d, c.deleteWhole(ctx, op, o, d)
	}
	if occ, err = o.occurrence(op, t.RecurrenceID, p); err != nil {
		return nil, err
	}
	d.Event = o.summarize(occ)
	before := o.snapshot()
	whole := false
	if scope == This {
		if err := single(op, occ); err != nil {
			return nil, err
		}
		o.Exclude(occ)
		whole = o.isEmpty(p)
	} else {
		if whole, err = o.isFirst(occ, p); err != nil {
			return nil, unreadable(op, err)
		}
		if !whole {
			if err := o.Shorten(occ.ID, p.zone); err != nil {
				return nil, unreadable(op, err)
			}
		}
	}
	if whole {
		return d, c.deleteWhole(ctx, op, o, d)
	}
	before.finish(o, p, c.now)
	d.ETag, err = c.put(ctx, op, o.path, o.Object, dav.Condition{ETag: o.etag})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// isEmpty reports whether no occurrence is left.
func (o *object) isEmpty(p *person) bool {
	if len(o.Overrides) > 0 {
		return false
	}
	if o.Master == nil {
		return true
	}
	dates, err := o.Dates(lastInstant, p.zone, false)
	return err == nil && len(dates) == 0
}

func (c *Client) deleteWhole(ctx context.Context, op string, o *object, d *Deleted) error {
	d.Whole = true
	if h, _, err := c.home(ctx); err == nil {
		d.Retention = h.retention
	}
	err := c.dav.Delete(ctx, dav.Query{Op: op, Path: o.path}, dav.Condition{ETag: o.etag})
	if err != nil {
		return c.explain(ctx, err)
	}
	return nil
}
