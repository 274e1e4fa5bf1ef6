package calendar

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

const calendarType = "text/calendar; charset=utf-8"

// object is one calendar object as the server holds it.
type object struct {
	cal  *Calendar
	path string // below the host's base, encoded
	etag string
	*ical.Series
}

// stamp is a moment as calendar-query takes it.
const stamp = "20060102T150405Z"

// report runs a calendar-query for components of that kind (RFC 4791, 7.8).
// Objects that cannot be read are counted, and fail nothing.
func (c *Client) report(ctx context.Context, op string, cal *Calendar, kind string, filter ...dav.Element) (found []object, broken int, err error) {
	query := dav.El(dav.Name(dav.NSCalDAV, "calendar-query"), dav.Props(propETag, propData), holding(kind, filter...))
	// Nextcloud: a calendar-query of depth 0 is refused.
	for r, err := range c.dav.ReportEach(ctx, dav.Query{Op: op, Path: cal.path, Depth: dav.Children, Header: webcal(true), MaxBody: 64 << 20}, query) {
		if err != nil {
			if errors.Is(err, nextcloud.ErrNotFound) {
				c.forget(ctx)
			}
			return nil, 0, err
		}
		data := r.Prop(propData)
		if data == nil {
			continue
		}
		path, err := c.dav.Local(r.Href)
		if err != nil {
			broken++
			continue
		}
		o, err := readObject(cal, path, nextcloud.UnquoteETag(r.Prop(propETag).String()), []byte(data.Text), kind)
		if err != nil {
			broken++
			continue
		}
		found = append(found, *o)
	}
	return found, broken, nil
}

// holding is the filter for objects with a component of that kind that passes
// filter (RFC 4791, 9.7).
func holding(kind string, filter ...dav.Element) dav.Element {
	comp := dav.Name(dav.NSCalDAV, "comp-filter")
	return dav.El(dav.Name(dav.NSCalDAV, "filter"), dav.El(comp, dav.El(comp, filter...).With("name", kind)).With("name", "VCALENDAR"))
}

func readObject(cal *Calendar, path, etag string, data []byte, kind string) (*object, error) {
	root, err := ical.Parse(data)
	if err != nil {
		return nil, err
	}
	series, err := ical.NewSeries(root, kind)
	if err != nil {
		return nil, err
	}
	return &object{cal: cal, path: path, etag: etag, Series: series}, nil
}

// damaged reports whether the object may hold bytes that XML cannot carry, so
// that it has to be fetched by itself before it is written back.
func (o *object) damaged() bool {
	return slices.ContainsFunc(o.Object.Lines(), func(l string) bool { return strings.ContainsRune(l, utf8.RuneError) })
}

func timeRange(from, to time.Time) dav.Element {
	return dav.El(dav.Name(dav.NSCalDAV, "time-range")).With("start", from.UTC().Format(stamp)).With("end", to.UTC().Format(stamp))
}

func uidIs(uid string) dav.Element {
	return dav.El(dav.Name(dav.NSCalDAV, "prop-filter"),
		dav.Text(dav.Name(dav.NSCalDAV, "text-match"), uid).With("collation", "i;octet")).With("name", "UID")
}

// find is the object with that UID. The name of an object's file is not its
// UID, so the server is asked for the property, unless its place is known.
func (c *Client) find(ctx context.Context, op string, cal *Calendar, uid string) (*object, error) {
	if strings.TrimSpace(uid) == "" {
		return nil, invalidf(op, "the uid is missing")
	}
	if o, err := c.known(ctx, op, cal, eventKind, uid); err != nil || o != nil {
		return o, err
	}
	found, _, err := c.report(ctx, op, cal, eventKind, uidIs(uid))
	if err != nil {
		return nil, err
	}
	// A text-match finds UIDs that contain the text, too.
	for i := range found {
		if found[i].First().Text("UID") == uid {
			c.remember(ctx, cal, uid, found[i].path)
			if found[i].damaged() {
				return c.fetch(ctx, op, cal, eventKind, found[i].path)
			}
			return &found[i], nil
		}
	}
	return nil, notFoundf(op, "there is no event with the uid %.80q in the calendar %s", uid, cal.Name)
}

// put writes an object and answers its new entity tag.
func (c *Client) put(ctx context.Context, op, path string, root *ical.Component, when dav.Condition) (string, error) {
	etag, _, err := c.save(ctx, op, path, root, when)
	return etag, err
}

// save is put that also answers those whom Nextcloud told of the change.
func (c *Client) save(ctx context.Context, op, path string, root *ical.Component, when dav.Condition) (etag string, invited []Attendee, err error) {
	etag, err = c.dav.Put(ctx, dav.Query{Op: op, Path: path}, calendarType, root.Encode(), when)
	if err != nil {
		return "", nil, c.explain(ctx, err)
	}
	if etag != "" {
		return etag, nil, nil
	}
	// Nextcloud: no ETag when it stored something else than it was sent, as it
	// does for events with attendees, where it notes what became of the
	// messages to them.
	stored, err := c.dav.Get(ctx, dav.Query{Op: op, Path: path}, "text/calendar")
	if err != nil {
		return "", nil, nil //nolint:nilerr // it is written; only the tag is missing
	}
	if now, err := ical.Parse(stored.Data); err == nil {
		invited = scheduled(now)
	}
	return stored.ETag, invited, nil
}

// explain says what Nextcloud's answers to writes mean.
func (c *Client) explain(ctx context.Context, err error) error {
	var e *nextcloud.Error
	if !errors.As(err, &e) {
		return err
	}
	out := *e
	switch {
	case e.Status == http.StatusInternalServerError && strings.Contains(string(e.Body), "onstraint"):
		// Nextcloud: the UID of an event in the calendar trash is still taken.
		out.Kind = nextcloud.ErrConflict
		out.Message = "an entry with this uid lies in the trash of this calendar and keeps the uid taken; restore that one and change it, or use another uid"
	case e.Status == http.StatusBadRequest && strings.Contains(e.Message, "uid already exists"):
		out.Kind = nextcloud.ErrConflict
		out.Message = "the calendar has an entry with this uid already"
	case errors.Is(e.Kind, nextcloud.ErrForbidden) && strings.HasSuffix(e.Exception, "InvalidComponentType"):
		out.Kind = nextcloud.ErrInvalid
		out.Message = "this calendar does not take entries of this kind; use another one"
	case errors.Is(e.Kind, nextcloud.ErrForbidden):
		out.Message = "Nextcloud refused it: the calendar is read-only for this person, or the entry is an invitation that only its organizer may change"
	case errors.Is(e.Kind, nextcloud.ErrNotFound):
		c.forget(ctx)
		out.Message = "the calendar or the entry is not there any more"
	default:
		return err
	}
	return &out
}

// eventKind is the component of events.
const eventKind = "VEVENT"

// mayWrite refuses what a read-only calendar would refuse.
func mayWrite(op string, cal *Calendar) error {
	switch {
	case cal.Source != "":
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: fmt.Sprintf("the calendar %s is a subscription, which can only be read", cal.Name)}
	case cal.ReadOnly:
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: fmt.Sprintf("the calendar %s can only be read by this person", cal.Name)}
	case len(cal.Components) > 0 && !cal.Holds(eventKind):
		return invalidf(op, "the calendar %s takes no events; it holds %s", cal.Name, strings.Join(cal.Components, ", "))
	}
	return nil
}
