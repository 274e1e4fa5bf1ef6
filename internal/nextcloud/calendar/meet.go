package calendar

import (
	"context"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// Meet makes an event at a date and a time of day that takes so many minutes,
// in the default calendar when none is named.
func (c *Client) Meet(ctx context.Context, calendar, date, clockTime string, minutes int, f Fields) (*Written, error) {
	const op = "create meeting"
	if calendar == "" {
		cal, err := c.Default(ctx, op)
		if err != nil {
			return nil, err
		}
		calendar = cal.Name
	}
	start, err := parseWhen(op, "date and time", strings.TrimSpace(date)+"T"+strings.TrimSpace(clockTime))
	if err != nil {
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
	end := lasting(at.bind(start), time.Duration(minutes)*time.Minute)
	written := start.wall.Format("2006-01-02T15:04:05")
	if start.fixed {
		written = start.moment.Format(time.RFC3339)
	}
	f.Start, f.End = &written, new(end.Instant(at.loc).Format(time.RFC3339))
	if end.Kind != ical.UTC && !start.fixed {
		f.End = new(end.Wall.Format("2006-01-02T15:04:05"))
	}
	return c.Create(ctx, calendar, f)
}
