package calendar

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

const productID = "-//nextcloud-mcp-server//EN"

// Written is what a write came to.
type Written struct {
	UID          string `json:"-"`
	ETag         string `json:"-"`
	CalendarName string `json:"calendar_name"`
	Title        string `json:"summary"`
	Start        string `json:"start"`              // as it is stored now; see Summary
	End          string `json:"end"`                // exclusive
	LastDay      string `json:"last_day,omitempty"` // of an all-day event
	RecurrenceID string `json:"recurrence_id,omitempty"`
	TimeZoneUsed string `json:"time_zone_used,omitempty"`
	Scope        Scope  `json:"recurrence_scope,omitempty"`
	OldUID       string `json:"old_uid,omitempty"` // the series that was split, which ends before
	Link         string `json:"link,omitempty"`
	// Invited are the attendees whom Nextcloud told of the change, with what
	// became of it.
	Invited []Attendee `json:"invited,omitempty"`
	Note    string     `json:"-"`
}

// written is the answer about an occurrence of an object.
func (c *Client) written(o *object, occ ical.Occurrence, etag string, at clock, notes []string) *Written {
	s := o.summarize(occ)
	w := &Written{
		UID: s.UID, CalendarName: s.CalendarName, Title: s.Title, Start: s.Start, End: s.End, LastDay: s.LastDay,
		ETag: etag, Link: c.link(o.path), Note: strings.Join(notes, " "),
	}
	if !s.AllDay && at.loc != nil {
		w.TimeZoneUsed = at.String()
	}
	return w
}

// Create makes an event. Its title and start are needed; the rest has the
// defaults of the fields, which are confirmed, public, and an hour or a day.
func (c *Client) Create(ctx context.Context, calendar string, f Fields) (*Written, error) {
	const op = "create event"
	cal, err := c.Resolve(ctx, op, calendar)
	if err != nil {
		return nil, err
	}
	if err := mayWrite(op, cal, "VEVENT"); err != nil {
		return nil, err
	}
	p, err := c.person(ctx)
	if err != nil {
		return nil, err
	}
	at, err := clockFor(op, text(f.TimeZone), p)
	if err != nil {
		return nil, err
	}
	if f.Title == nil {
		return nil, invalidf(op, "an event needs a title")
	}
	times, err := f.fresh(op, at)
	if err != nil {
		return nil, err
	}
	rule, err := f.rule(op, nil, times.start, at)
	if err != nil {
		return nil, err
	}
	now := ical.UTCOf(c.now()).Value()
	event := ical.NewComponent("VEVENT")
	event.Add(ical.NewLine("UID", uuid.NewString()))
	event.Add(ical.NewLine("DTSTAMP", now))
	event.Add(ical.NewLine("CREATED", now))
	event.Add(ical.NewLine("LAST-MODIFIED", now))
	event.Add(ical.NewLine("SEQUENCE", "0"))
	event.Add(times.start.Line("DTSTART"))
	event.Add(times.end.Line("DTEND"))
	if rule != nil {
		event.Add(ical.NewLine("RRULE", rule.String()))
	}
	if err := f.putDates(op, event, times.start); err != nil {
		return nil, err
	}
	notes, err := f.write(op, event, p, at)
	if err != nil {
		return nil, err
	}
	root := ical.NewComponent("VCALENDAR")
	root.Add(ical.NewLine("VERSION", "2.0"))
	root.Add(ical.NewLine("PRODID", productID))
	root.Add(ical.NewLine("CALSCALE", "GREGORIAN"))
	root.AddChild(event)
	ical.Define(root)
	o, err := c.newObject(op, cal, root)
	if err != nil {
		return nil, err
	}
	etag, invited, err := c.save(ctx, op, o.path, root, dav.Condition{Absent: true})
	if err != nil {
		return nil, err
	}
	c.remember(ctx, cal, event.Text("UID"), o.path)
	w := c.written(o, ical.Occurrence{ID: times.start, Start: times.start, End: times.end, Component: event}, etag, at, notes)
	w.Invited = invited
	return w, nil
}

// newObject is an object of cal that is not written yet, in a file of its
// UID's name.
func (c *Client) newObject(op string, cal *Calendar, root *ical.Component) (*object, error) {
	series, err := ical.NewSeries(root, "VEVENT")
	if err != nil {
		return nil, unreadable(op, err)
	}
	path, err := nextcloud.Path(strings.TrimSuffix(cal.path, "/"), series.First().Text("UID")+".ics")
	if err != nil {
		return nil, err
	}
	return &object{cal: cal, path: path, Series: series}, nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
