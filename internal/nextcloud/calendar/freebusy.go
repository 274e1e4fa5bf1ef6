package calendar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// BusyKind is why somebody is not free (RFC 5545, 3.2.9).
type BusyKind string

// The kinds. The last one is a time outside of somebody's working hours.
const (
	Busy        BusyKind = "BUSY"
	Tentative   BusyKind = "BUSY-TENTATIVE"
	Unavailable BusyKind = "BUSY-UNAVAILABLE"
)

// period is a time, [from, to), in which somebody is not free.
type period struct {
	from, to time.Time
	kind     BusyKind
	title    string // of an own event
}

// BusyTime is a period as callers see it.
type BusyTime struct {
	Start string   `json:"start"`
	End   string   `json:"end"`
	Kind  BusyKind `json:"kind"`
}

// PersonBusy is what Nextcloud says of one person.
type PersonBusy struct {
	Email   string     `json:"email"`
	Busy    []BusyTime `json:"busy"`
	Problem string     `json:"problem,omitempty"` // why nothing is known of them
}

// FreeBusy is when people are busy.
type FreeBusy struct {
	People       []PersonBusy `json:"people"`
	Start        string       `json:"start"`
	End          string       `json:"end"`
	TimeZoneUsed string       `json:"time_zone_used"`
}

// The bounds of free-busy requests.
const (
	maxBusyDays   = 92
	maxBusyPeople = 50
	maxBusyTimes  = 2000
)

// FreeBusy asks Nextcloud when people with an account there are busy. With no
// attendees it is the person alone.
func (c *Client) FreeBusy(ctx context.Context, attendees, start, end, zone string) (*FreeBusy, error) {
	const op = "read free-busy"
	p, err := c.person(ctx)
	if err != nil {
		return nil, err
	}
	at, err := clockFor(op, zone, p)
	if err != nil {
		return nil, err
	}
	mails, err := guests(op, attendees)
	if err != nil {
		return nil, err
	}
	if len(mails) == 0 {
		if p.email == "" {
			return nil, invalidf(op, "the person has no e-mail address in Nextcloud, which it needs for this; list the events instead")
		}
		mails = []string{p.email}
	}
	from, to, err := c.busyWindow(op, start, end, at)
	if err != nil {
		return nil, err
	}
	known, err := c.askBusy(ctx, op, p, mails, from, to)
	if err != nil {
		return nil, err
	}
	out := &FreeBusy{Start: from.In(at.loc).Format(time.RFC3339), End: to.In(at.loc).Format(time.RFC3339), TimeZoneUsed: at.String()}
	for _, mail := range mails {
		k := known[strings.ToLower(mail)]
		one := PersonBusy{Email: mail, Busy: []BusyTime{}, Problem: k.problem}
		for _, b := range k.busy {
			one.Busy = append(one.Busy, BusyTime{b.from.In(at.loc).Format(time.RFC3339), b.to.In(at.loc).Format(time.RFC3339), b.kind})
		}
		out.People = append(out.People, one)
	}
	return out, nil
}

// guests are the addresses of an argument.
func guests(op, list string) ([]string, error) {
	parsed, err := parseAttendees(op, list)
	if err != nil {
		return nil, err
	}
	if len(parsed) > maxBusyPeople {
		return nil, invalidf(op, "at most %d attendees can be asked for at once", maxBusyPeople)
	}
	var mails []string
	for _, a := range parsed {
		mails = append(mails, a.Email)
	}
	return mails, nil
}

// busyWindow is the time asked for, by default a week from today on. The last
// day belongs to it.
func (c *Client) busyWindow(op, start, end string, at clock) (from, to time.Time, err error) {
	now := c.now().In(at.loc)
	from = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, at.loc)
	if start != "" {
		w, err := parseWhen(op, "start", start)
		if err != nil {
			return from, to, err
		}
		from = at.instant(w)
	}
	to = from.In(at.loc).AddDate(0, 0, 7)
	if end != "" {
		w, err := parseWhen(op, "end", end)
		if err != nil {
			return from, to, err
		}
		if w.day {
			w.wall = w.wall.AddDate(0, 0, 1)
		}
		to = at.instant(w)
	}
	switch {
	case !to.After(from):
		return from, to, invalidf(op, "the end lies before the start")
	case to.Sub(from) > maxBusyDays*24*time.Hour:
		return from, to, invalidf(op, "the time asked for is longer than %d days; ask for less", maxBusyDays)
	}
	return from, to, nil
}

// attendance is what is known of one person.
type attendance struct {
	busy    []period
	problem string
}

// askBusy sends a free-busy request to the person's outbox (RFC 6638, 5). The
// answers are by addresses in lower case.
func (c *Client) askBusy(ctx context.Context, op string, p *person, mails []string, from, to time.Time) (map[string]attendance, error) {
	root, err := c.homePath(ctx)
	if err != nil {
		return nil, err
	}
	organizer := "mailto:" + p.email
	if p.email == "" {
		// Nextcloud takes only what is in the calendar-user-address-set.
		user, err := c.nc.UserID(ctx)
		if err != nil {
			return nil, err
		}
		principal, err := nextcloud.Path(dav.Root+"/principals/users", string(user))
		if err != nil {
			return nil, err
		}
		organizer = c.nc.Host().Base().EscapedPath() + principal + "/"
	}
	ask := ical.NewComponent("VFREEBUSY")
	ask.Add(ical.NewLine("UID", uuid.NewString()))
	ask.Add(ical.NewLine("DTSTAMP", ical.UTCOf(c.now()).Value()))
	ask.Add(ical.NewLine("DTSTART", ical.UTCOf(from).Value()))
	ask.Add(ical.NewLine("DTEND", ical.UTCOf(to).Value()))
	ask.Add(ical.NewLine("ORGANIZER", organizer))
	for _, mail := range mails {
		ask.Add(ical.NewLine("ATTENDEE", "mailto:"+mail))
	}
	object := ical.NewComponent("VCALENDAR")
	object.Add(ical.NewLine("VERSION", "2.0"))
	object.Add(ical.NewLine("PRODID", productID))
	object.Add(ical.NewLine("METHOD", "REQUEST"))
	object.AddChild(ask)
	res, err := c.nc.Do(ctx, nextcloud.Request{
		Op: op, Method: http.MethodPost, Path: root + "/outbox/", Type: calendarType, Body: object.Encode(), Accept: "application/xml",
	})
	if err != nil {
		return nil, busyRefused(err)
	}
	doc, err := dav.ParseDocument(res.Body)
	if err != nil || doc.Name != dav.Name(dav.NSCalDAV, "schedule-response") {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Status: res.Status, Message: "the answer is no free-busy answer", Err: err}
	}
	out := map[string]attendance{}
	for _, mail := range mails {
		out[strings.ToLower(mail)] = attendance{problem: "Nextcloud said nothing about this address"}
	}
	for _, r := range doc.Children {
		mail := strings.TrimPrefix(strings.ToLower(r.Child(dav.Name(dav.NSCalDAV, "recipient")).Child(propHref).String()), "mailto:")
		if _, asked := out[mail]; asked {
			out[mail] = readBusy(r)
		}
	}
	return out, nil
}

func busyRefused(err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok || !errors.Is(e.Kind, nextcloud.ErrForbidden) {
		return err
	}
	out := *e
	out.Message = "Nextcloud refuses to say when these people are busy"
	return &out
}

// readBusy reads the answer about one person.
func readBusy(r *dav.Node) attendance {
	status := r.Child(dav.Name(dav.NSCalDAV, "request-status")).String()
	if !strings.HasPrefix(status, "2.") {
		return attendance{problem: "nobody in this Nextcloud has this address, so it is not known when they are busy"}
	}
	root, err := ical.Parse([]byte(r.Child(propData).String()))
	if err != nil {
		return attendance{problem: "the answer cannot be read"}
	}
	var a attendance
	for _, fb := range root.Children("VFREEBUSY") {
		for _, l := range fb.PropAll("FREEBUSY") {
			kind := BusyKind(strings.ToUpper(cmp.Or(l.Param("FBTYPE"), string(Busy))))
			if kind == "FREE" {
				continue
			}
			for part := range strings.SplitSeq(l.Value(), ",") {
				if len(a.busy) >= maxBusyTimes {
					return attendance{problem: "they have too many events in this time; ask for less"}
				}
				from, to, err := readPeriod(part)
				if err != nil {
					return attendance{problem: "the answer cannot be read"}
				}
				a.busy = append(a.busy, period{from: from, to: to, kind: kind})
			}
		}
	}
	slices.SortFunc(a.busy, func(x, y period) int { return cmp.Or(x.from.Compare(y.from), x.to.Compare(y.to)) })
	return a
}

// readPeriod reads a PERIOD in UTC (RFC 5545, 3.3.9).
func readPeriod(s string) (from, to time.Time, err error) {
	a, b, ok := strings.Cut(strings.TrimSpace(s), "/")
	if from, err = time.Parse(stamp, a); err != nil || !ok {
		return from, to, fmt.Errorf("period %.40q", s)
	}
	if to, err = time.Parse(stamp, b); err == nil {
		return from, to, nil
	}
	d, err := ical.ParseDuration(b)
	if err != nil {
		return from, to, err
	}
	return from, from.Add(d.Exact()), nil
}
