package calendar

import (
	"context"
	"errors"
	"slices"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

var propAvailability = dav.Name(dav.NSCalDAV, "calendar-availability")

// maxAvailable bounds the parts of somebody's working hours.
const maxAvailable = 100

// offHours are the times, [from, to), in which the person does not work, as
// they have set it in Nextcloud (RFC 7953; it lies at the inbox). false when
// they have set nothing.
func (c *Client) offHours(ctx context.Context, from, to time.Time, loc *time.Location) ([]period, bool, error) {
	root, err := c.homePath(ctx)
	if err != nil {
		return nil, false, err
	}
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: availabilityOp, Path: root + "/inbox/"}, propAvailability)
	if errors.Is(err, nextcloud.ErrNotFound) || (err == nil && len(ms.Responses) == 0) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	data := ms.Responses[0].Prop(propAvailability)
	if data == nil {
		return nil, false, nil
	}
	object, err := ical.Parse([]byte(data.Text))
	if err != nil {
		return nil, false, nil //nolint:nilerr // what cannot be read says nothing
	}
	work, ok := workHours(object, from, to, loc)
	if !ok {
		return nil, false, nil
	}
	var off []period
	at := from
	for _, w := range work {
		if w.from.After(at) {
			off = append(off, period{from: at, to: w.from, kind: Unavailable})
		}
		if w.to.After(at) {
			at = w.to
		}
	}
	if at.Before(to) {
		off = append(off, period{from: at, to: to, kind: Unavailable})
	}
	return off, true, nil
}

// workHours are the times of an availability, in order; false when it names
// none that can be read.
func workHours(object *ical.Component, from, to time.Time, loc *time.Location) (work []period, ok bool) {
	count := 0
	for _, availability := range object.Children("VAVAILABILITY") {
		for _, a := range availability.Children("AVAILABLE") {
			if count++; count > maxAvailable {
				return nil, false
			}
			alone := ical.NewComponent("VCALENDAR")
			for _, zone := range object.Children("VTIMEZONE") {
				alone.AddChild(zone)
			}
			alone.AddChild(a)
			series, err := ical.NewSeries(alone, "AVAILABLE")
			if err != nil {
				continue
			}
			occurrences, err := series.Expand(from, to, loc)
			if err != nil {
				continue
			}
			ok = true
			for _, occ := range occurrences {
				work = append(work, period{from: occ.Start.Instant(loc), to: occ.End.Instant(loc)})
			}
		}
	}
	slices.SortFunc(work, byStart)
	return work, ok
}
