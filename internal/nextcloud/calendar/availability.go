package calendar

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// Search says what times to look for.
type Search struct {
	DurationMinutes  int
	Attendees        string // addresses, comma-separated
	Start, End       string // dates or times; default a week from today on
	TimeZone         string
	BusinessHours    bool
	ExcludeWeekends  bool
	WorkingHours     string // such as 09:00-17:00
	Preferred        string // such as 09:00-12:00,14:00-16:00
	MinNoticeMinutes int
	BufferMinutes    int // before and after
	Limit            int
}

// Slot is a time in which everybody who was asked for is free.
type Slot struct {
	Start           string `json:"start"`
	End             string `json:"end"`
	Date            string `json:"date"`
	DurationMinutes int    `json:"duration_minutes"`
	Preferred       bool   `json:"preferred,omitempty"`
	// Tentative are those who have something in this time that is not settled.
	Tentative []string `json:"tentative_conflicts,omitempty"`
}

// Availability are the best slots, the best first: without conflicts before
// those with tentative ones, then preferred times, then the earliest.
type Availability struct {
	Slots            []Slot   `json:"available_slots"`
	Duration         int      `json:"duration_requested"`
	Start            string   `json:"date_range_start"`
	End              string   `json:"date_range_end"`
	TimeZoneUsed     string   `json:"time_zone_used"`
	Hours            string   `json:"hours"`
	AttendeesChecked []string `json:"attendees_checked"`
	NotChecked       []string `json:"not_checked,omitempty"` // whose time is not known, and why
	Note             string   `json:"note,omitempty"`
}

const (
	availabilityOp = "find availability"
	ownHours       = "the working hours set in Nextcloud"
	slotStep       = 15 * time.Minute
	maxSlots       = 50
)

// hours is a part of a day, in minutes since midnight.
type hours struct{ from, to int }

// parseHours reads a list such as 09:00-12:00,14:00-16:00.
func parseHours(argument, list string) ([]hours, error) {
	var out []hours
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		a, b, ok := strings.Cut(part, "-")
		from, err1 := time.Parse("15:04", strings.TrimSpace(a))
		b = strings.TrimSpace(b)
		end := 24 * 60
		var err2 error
		if b != "24:00" {
			var to time.Time
			to, err2 = time.Parse("15:04", b)
			end = to.Hour()*60 + to.Minute()
		}
		h := hours{from.Hour()*60 + from.Minute(), end}
		if !ok || err1 != nil || err2 != nil || h.to <= h.from {
			return nil, invalidf(availabilityOp, "%s %.40q is no time of day; write 09:00-12:00, several separated by commas", argument, part)
		}
		out = append(out, h)
		if len(out) > 24 {
			return nil, invalidf(availabilityOp, "%s takes at most 24 parts", argument)
		}
	}
	return out, nil
}

// within reports whether the time of day from a to b lies in one of the parts.
func within(list []hours, a, b int) bool {
	return slices.ContainsFunc(list, func(h hours) bool { return a >= h.from && b <= h.to })
}

// Available finds times that are free for the person and all attendees.
func (c *Client) Available(ctx context.Context, q Search) (*Availability, error) {
	p, err := c.person(ctx)
	if err != nil {
		return nil, err
	}
	at, err := clockFor(availabilityOp, q.TimeZone, p)
	if err != nil {
		return nil, err
	}
	if q.DurationMinutes < 1 || q.DurationMinutes > 24*60 {
		return nil, invalidf(availabilityOp, "duration_minutes has to be from 1 to 1440")
	}
	if q.BufferMinutes < 0 || q.BufferMinutes > 24*60 || q.MinNoticeMinutes < 0 {
		return nil, invalidf(availabilityOp, "buffer_minutes has to be from 0 to 1440, min_notice_minutes 0 or more")
	}
	mails, err := guests(availabilityOp, q.Attendees)
	if err != nil {
		return nil, err
	}
	preferred, err := parseHours("preferred_times", q.Preferred)
	if err != nil {
		return nil, err
	}
	working, err := parseHours("working_hours", q.WorkingHours)
	if err != nil {
		return nil, err
	}
	from, to, err := c.busyWindow(availabilityOp, q.Start, q.End, at)
	if err != nil {
		return nil, err
	}
	out := &Availability{
		Slots: []Slot{}, Duration: q.DurationMinutes, TimeZoneUsed: at.String(), AttendeesChecked: []string{},
		Start: from.In(at.loc).Format(time.RFC3339), End: to.In(at.loc).Format(time.RFC3339),
	}
	if earliest := c.now().Add(time.Duration(q.MinNoticeMinutes) * time.Minute); from.Before(earliest) {
		from = earliest
	}
	taken, err := c.everybody(ctx, p, mails, from, to, at, q, out)
	if err != nil {
		return nil, err
	}
	switch {
	case !q.BusinessHours:
		working, out.Hours = nil, "any"
	case len(working) > 0:
		out.Hours = q.WorkingHours
	case out.Hours == ownHours:
	default:
		working, out.Hours = []hours{{9 * 60, 17 * 60}}, "09:00-17:00"
	}
	grid := slotGrid{from: from, to: to, loc: at.loc, length: time.Duration(q.DurationMinutes) * time.Minute, buffer: time.Duration(q.BufferMinutes) * time.Minute}
	out.Slots = append(out.Slots, grid.best(taken, working, preferred, q)...)
	if len(out.Slots) == 0 {
		out.Note = "Nothing is free. Ask for a longer time, a shorter duration, or business_hours_only=false."
	}
	if len(out.NotChecked) > 0 {
		out.Note = strings.TrimSpace(out.Note + " Whoever is in not_checked may be busy.")
	}
	return out, nil
}

// everybody are the times in which the person or an attendee is not free.
func (c *Client) everybody(ctx context.Context, p *person, mails []string, from, to time.Time, at clock, q Search, out *Availability) ([]period, error) {
	if !from.Before(to) {
		return nil, nil
	}
	own := strings.ToLower(p.email)
	var (
		busy, off []period
		known     map[string]attendance
	)
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		busy, err = c.ownBusy(gctx, from, to, at.loc, p, out)
		return err
	})
	if len(mails) > 0 {
		group.Go(func() (err error) {
			known, err = c.askBusy(gctx, availabilityOp, p, mails, from, to)
			return err
		})
	}
	if q.BusinessHours && q.WorkingHours == "" {
		group.Go(func() (err error) {
			var set bool
			if off, set, err = c.offHours(gctx, from, to, at.loc); set {
				out.Hours = ownHours
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	busy = append(busy, off...)
	for _, mail := range mails {
		a := known[strings.ToLower(mail)]
		if a.problem != "" {
			out.NotChecked = append(out.NotChecked, mail+": "+a.problem)
			continue
		}
		out.AttendeesChecked = append(out.AttendeesChecked, mail)
		for _, b := range a.busy {
			if strings.EqualFold(mail, own) || (b.kind == Unavailable && !q.BusinessHours) {
				continue // the own events are known better
			}
			b.title = mail
			busy = append(busy, b)
		}
	}
	return busy, nil
}

// ownBusy are the times that the person's own calendars take.
func (c *Client) ownBusy(ctx context.Context, from, to time.Time, loc *time.Location, p *person, out *Availability) ([]period, error) {
	h, _, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	own := c.addresses(ctx, p)
	var (
		mu   sync.Mutex // guards busy and out
		busy []period
	)
	wide := timeRange(from.Add(-26*time.Hour), to.Add(26*time.Hour))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range h.calendars {
		cal := &h.calendars[i]
		// What others share is their time; Nextcloud counts no subscriptions.
		if cal.Shared || cal.Transparent || cal.Source != "" || cal.Name == "contact_birthdays" || !cal.Holds("VEVENT") {
			continue
		}
		group.Go(func() error {
			objects, broken, err := c.report(ctx, availabilityOp, cal, "VEVENT", wide)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				return err // free would be a guess
			}
			if broken > 0 {
				out.NotChecked = append(out.NotChecked, fmt.Sprintf("calendar %s: %d unreadable events", cal.Name, broken))
			}
			for i := range objects {
				occurrences, err := objects[i].Expand(from, to, loc)
				if err != nil {
					out.NotChecked = append(out.NotChecked, fmt.Sprintf("calendar %s: event %.60s: %s", cal.Name, objects[i].First().Text("UID"), err))
					continue
				}
				if len(busy)+len(occurrences) > maxListed {
					return invalidf(availabilityOp, "there are too many events in this time; ask for a shorter one")
				}
				for _, occ := range occurrences {
					if b, takes := busyBy(occ, own, loc); takes {
						busy = append(busy, b)
					}
				}
			}
			return nil
		})
	}
	return busy, group.Wait()
}

// busyBy is the time that an occurrence takes; false for what leaves the
// person free.
func busyBy(occ ical.Occurrence, own []string, loc *time.Location) (period, bool) {
	e := occ.Component
	b := period{from: occ.Start.Instant(loc), to: occ.End.Instant(loc), kind: Busy, title: cmp.Or(e.Text("SUMMARY"), "an event without a title")}
	status, answer := strings.ToUpper(e.Text("STATUS")), ""
	if l := attendeeLine(e, own); l != nil && !isOrganizer(e, own) {
		answer = cmp.Or(strings.ToUpper(l.Param("PARTSTAT")), "NEEDS-ACTION")
	}
	if strings.EqualFold(e.Text("TRANSP"), "TRANSPARENT") || status == "CANCELLED" || answer == "DECLINED" || !b.to.After(b.from) {
		return b, false
	}
	if status == "TENTATIVE" || answer == "TENTATIVE" || answer == "NEEDS-ACTION" {
		b.kind = Tentative
	}
	return b, true
}
