package calendar

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Client is one person's calendars.
type Client struct {
	nc  *nextcloud.Client
	dav *dav.Client
	now func() time.Time
}

// New is a calendar client on nc.
func New(nc *nextcloud.Client) *Client {
	return &Client{nc: nc, dav: dav.New(nc), now: time.Now}
}

// invalidf is a refusal of what the caller asked for; nothing was written.
func invalidf(op, format string, args ...any) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrInvalid, Message: fmt.Sprintf(format, args...)}
}

func notFoundf(op, format string, args ...any) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Message: fmt.Sprintf(format, args...)}
}

// webcal are the headers of requests that read events. Nextcloud: this one
// makes subscriptions answer reports from its cache of them; without it they
// are listed with their source.
func webcal(on bool) http.Header {
	if on {
		return http.Header{"X-Nc-Caldav-Webcal-Caching": {"On"}}
	}
	return http.Header{"X-Nc-Caldav-Webcal-Caching": {"Off"}}
}

// person is what is known of the signed-in person.
type person struct {
	zone        *time.Location
	zoneKnown   bool // the person has a zone in Nextcloud
	email, name string
	read        time.Time
}

const (
	personKey = "calendar/person"
	personAge = 10 * time.Minute
)

// person answers from memory for some minutes.
func (c *Client) person(ctx context.Context) (*person, error) {
	if v, ok := c.nc.Cached(ctx, personKey); ok {
		if p, ok := v.(*person); ok && c.now().Sub(p.read) < personAge {
			return p, nil
		}
	}
	u, err := c.nc.CurrentUser(ctx)
	if err != nil {
		return nil, err
	}
	p := &person{zone: time.UTC, email: u.Email, name: u.DisplayName, read: c.now()}
	if loc, ok := ical.LoadZone(u.TimeZone); ok {
		p.zone, p.zoneKnown = loc, true
	}
	c.nc.Store(ctx, personKey, p, 512)
	return p, nil
}
