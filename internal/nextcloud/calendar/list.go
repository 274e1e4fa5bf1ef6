package calendar

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// Query says which events to list. Its zero value is the next 30 days of all
// calendars.
type Query struct {
	Calendar string // name or display name; empty for all
	Start    string // date or time; default today
	End      string // date or time, inclusive; default 30 days after the start
	TimeZone string // IANA name; default the person's
	Days     int    // with neither Start nor End: from now on for so many days

	MinAttendees       int
	MinDurationMinutes int
	Categories         string // comma-separated, any of them
	Status             string
	TitleContains      string
	LocationContains   string

	Limit          int // default 50, at most MaxLimit
	Cursor         string
	MaxDescription int // characters of a description; default 200
}

// Page is a part of a listing.
type Page struct {
	Events     []Summary `json:"events"`
	TotalFound int       `json:"total_found"` // in all pages
	NextCursor string    `json:"next_cursor,omitempty"`
	Asked      Asked     `json:"asked"`
	Skipped    []string  `json:"skipped,omitempty"`
	Note       string    `json:"note,omitempty"`
}

// Asked is what a listing covers.
type Asked struct {
	CalendarName string `json:"calendar_name,omitempty"` // empty for all
	Start        string `json:"start_date"`
	End          string `json:"end_date"` // a date belongs to it, a moment does not
	TimeZoneUsed string `json:"time_zone_used"`
}

// MaxLimit is the most events of one page.
const MaxLimit = 500

// The bounds of one listing.
const (
	defaultDays    = 30
	maxDays        = 366 * 20
	maxListed      = 20_000
	expandBudget   = 5 * time.Second
	atOnce         = 4 // requests at the same time
	maxDescription = 200
)

const listOp = "list events"

// listed is an occurrence with what it is sorted by.
type listed struct {
	at  time.Time
	key string
	o   *object
	occ ical.Occurrence
}

// List lists the occurrences that overlap the time asked for, by their start.
func (c *Client) List(ctx context.Context, q Query) (*Page, error) {
	page, found, err := c.all(ctx, q)
	if err != nil {
		return nil, err
	}
	shown, err := page.cut(found, q)
	if err != nil {
		return nil, err
	}
	for _, l := range shown {
		c.remember(ctx, l.o.cal, l.o.First().Text("UID"), l.o.path)
	}
	return page, nil
}

// all are all occurrences that a query finds, and its page without them.
func (c *Client) all(ctx context.Context, q Query) (*Page, []listed, error) {
	p, err := c.person(ctx)
	if err != nil {
		return nil, nil, err
	}
	at, err := clockFor(listOp, q.TimeZone, p)
	if err != nil {
		return nil, nil, err
	}
	page := &Page{Events: []Summary{}, Asked: Asked{TimeZoneUsed: at.String()}}
	from, to, err := c.window(q, at, page)
	if err != nil {
		return nil, nil, err
	}
	h, _, err := c.home(ctx)
	if err != nil {
		return nil, nil, err
	}
	var calendars []*Calendar
	if strings.TrimSpace(q.Calendar) != "" {
		cal, err := c.Resolve(ctx, listOp, q.Calendar)
		if err != nil {
			return nil, nil, err
		}
		page.Asked.CalendarName = cal.Name
		calendars = []*Calendar{cal}
	} else {
		for i := range h.calendars {
			if cal := &h.calendars[i]; len(cal.Components) == 0 || cal.Holds("VEVENT") {
				calendars = append(calendars, cal)
			}
		}
	}
	found, err := c.collect(ctx, calendars, from, to, at.loc, q, page)
	if err != nil {
		return nil, nil, err
	}
	return page, found, nil
}

// window is the time asked for as moments, [from, to).
func (c *Client) window(q Query, at clock, page *Page) (from, to time.Time, err error) {
	now := c.now().In(at.loc)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, at.loc)
	from, page.Asked.Start = today, today.Format(time.DateOnly)
	if q.Start == "" && q.End == "" && q.Days > 0 {
		if q.Days > maxDays {
			return from, to, invalidf(listOp, "days_ahead has to be at most %d", maxDays)
		}
		from, to = now.Truncate(time.Second), now.Truncate(time.Second).AddDate(0, 0, q.Days)
		page.Asked.Start, page.Asked.End = from.Format(time.RFC3339), to.Format(time.RFC3339)
		return from, to, nil
	}
	if q.Start != "" {
		w, err := parseWhen(listOp, "start_date", q.Start)
		if err != nil {
			return from, to, err
		}
		from, page.Asked.Start = at.instant(w), q.Start
	}
	if q.End == "" {
		last := from.In(at.loc).AddDate(0, 0, defaultDays)
		to = time.Date(last.Year(), last.Month(), last.Day()+1, 0, 0, 0, 0, at.loc)
		page.Asked.End = last.Format(time.DateOnly)
		page.Note = fmt.Sprintf("No end_date was given, so %d days from start_date on are listed.", defaultDays)
	} else {
		w, err := parseWhen(listOp, "end_date", q.End)
		if err != nil {
			return from, to, err
		}
		to, page.Asked.End = at.instant(w), q.End
		if w.day {
			// The end day belongs to the time asked for.
			w.wall = w.wall.AddDate(0, 0, 1)
			to = at.instant(w)
		} else if to.Equal(from) {
			to = to.Add(time.Second)
		}
		if q.Start == "" && !to.After(from) {
			from = to.AddDate(0, 0, -defaultDays)
			page.Asked.Start = from.In(at.loc).Format(time.DateOnly)
			page.Note = fmt.Sprintf("No start_date was given, so the %d days before end_date are listed.", defaultDays)
		}
	}
	switch {
	case !to.After(from):
		return from, to, invalidf(listOp, "end_date lies before start_date")
	case to.Sub(from) > maxDays*24*time.Hour:
		return from, to, invalidf(listOp, "the time asked for is longer than 20 years; ask for less")
	}
	return from, to, nil
}

// collect reads all calendars, some at a time, and keeps what passes the
// filters. A calendar that cannot be read is named in the page and fails
// nothing, unless none can be read.
func (c *Client) collect(ctx context.Context, calendars []*Calendar, from, to time.Time, loc *time.Location, q Query, page *Page) ([]listed, error) {
	keep := q.filter()
	var (
		mu     sync.Mutex // guards the fields below and page
		out    []listed
		failed error
		read   int
		spent  time.Duration // on expanding
	)
	// Floating and all-day times are moments only on somebody's clock, and the
	// server reads them on another one: ask for a day more and look here.
	wide := timeRange(from.Add(-26*time.Hour), to.Add(26*time.Hour))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, cal := range calendars {
		group.Go(func() error {
			objects, broken, err := c.report(ctx, listOp, cal, "VEVENT", wide)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				if failed == nil || errors.Is(err, nextcloud.ErrUnauthenticated) {
					failed = err
				}
				page.Skipped = append(page.Skipped, fmt.Sprintf("calendar %s: %s", cal.Name, reason(err)))
				return nil
			}
			read++
			if broken > 0 {
				page.Skipped = append(page.Skipped, fmt.Sprintf("calendar %s: %d unreadable", cal.Name, broken))
			}
			for i := range objects {
				o := &objects[i]
				if len(out) > maxListed || spent > expandBudget || ctx.Err() != nil {
					page.Skipped = append(page.Skipped, fmt.Sprintf("calendar %s: %d not looked at, too many occurrences; ask for a shorter time", cal.Name, len(objects)-i))
					break
				}
				started := time.Now()
				occurrences, err := o.Expand(from, to, loc)
				spent += time.Since(started)
				if err != nil {
					page.Skipped = append(page.Skipped, fmt.Sprintf("calendar %s: event %.60s: %s", cal.Name, o.First().Text("UID"), err))
					continue
				}
				for _, occ := range occurrences {
					if keep(occ, loc) {
						out = append(out, o.listed(occ, loc))
					}
				}
			}
			return nil
		})
	}
	_ = group.Wait() // the functions report through the page
	if failed != nil && (read == 0 || errors.Is(failed, nextcloud.ErrUnauthenticated)) {
		return nil, failed
	}
	slices.Sort(page.Skipped)
	slices.SortFunc(out, func(a, b listed) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.key, b.key))
	})
	return out, nil
}

func (o *object) listed(occ ical.Occurrence, loc *time.Location) listed {
	return listed{occ.Start.Instant(loc), o.path + " " + occ.ID.Value(), o, occ}
}

// reason is an error in a few words.
func reason(err error) string {
	var e *nextcloud.Error
	if errors.As(err, &e) && e.Kind != nil {
		if e.Message != "" {
			return e.Kind.Error() + " (" + e.Message + ")"
		}
		return e.Kind.Error()
	}
	return "not readable"
}

// filter is what an occurrence has to pass.
func (q Query) filter() func(ical.Occurrence, *time.Location) bool {
	var wanted []string
	for c := range strings.SplitSeq(q.Categories, ",") {
		if c = strings.TrimSpace(c); c != "" {
			wanted = append(wanted, strings.ToLower(c))
		}
	}
	status := strings.ToUpper(strings.TrimSpace(q.Status))
	title, place := strings.ToLower(q.TitleContains), strings.ToLower(q.LocationContains)
	return func(o ical.Occurrence, loc *time.Location) bool {
		c := o.Component
		if q.MinAttendees > 0 && len(c.PropAll("ATTENDEE")) < q.MinAttendees {
			return false
		}
		if q.MinDurationMinutes > 0 && o.End.Instant(loc).Sub(o.Start.Instant(loc)) < time.Duration(q.MinDurationMinutes)*time.Minute {
			return false
		}
		if status != "" {
			// Without a status an event is confirmed (RFC 5545 has no default,
			// Nextcloud shows it so).
			have := strings.ToUpper(c.Text("STATUS"))
			if have == "" {
				have = "CONFIRMED"
			}
			if have != status {
				return false
			}
		}
		if len(wanted) > 0 && !slices.ContainsFunc(categories(c), func(s string) bool { return slices.Contains(wanted, strings.ToLower(s)) }) {
			return false
		}
		return strings.Contains(strings.ToLower(c.Text("SUMMARY")), title) && strings.Contains(strings.ToLower(c.Text("LOCATION")), place)
	}
}

// cut fills the page with the part of found that the query asks for, and
// answers that part.
func (p *Page) cut(found []listed, q Query) ([]listed, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, MaxLimit)
	p.TotalFound = len(found)
	if q.Cursor != "" {
		at, key, err := readCursor(q.Cursor)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(l listed) bool {
			return cmp.Or(l.at.Compare(at), cmp.Compare(l.key, key)) <= 0
		})
	}
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		p.NextCursor = base64.RawURLEncoding.EncodeToString([]byte(last.at.UTC().Format(time.RFC3339) + " " + last.key))
	}
	most := q.MaxDescription
	if most <= 0 {
		most = maxDescription
	}
	for _, l := range found {
		s := l.o.summarize(l.occ)
		if s.Status == "CONFIRMED" {
			s.Status = ""
		}
		s.Description = shorten(s.Description, most)
		p.Events = append(p.Events, s)
	}
	return found, nil
}

// readCursor is the last occurrence of the page before.
func readCursor(s string) (time.Time, string, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	stampText, key, ok := strings.Cut(string(b), " ")
	at, terr := time.Parse(time.RFC3339, stampText)
	if err != nil || !ok || terr != nil {
		return time.Time{}, "", invalidf(listOp, "the cursor is not one that this tool gave; leave it out to start again")
	}
	return at, key, nil
}

// shorten cuts a text and says so.
func shorten(s string, most int) string { return clip(s, most, "get_event") }

// clip cuts a text and says which tool has the rest.
func clip(s string, most int, tool string) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return strings.TrimSpace(string(r[:most])) + fmt.Sprintf("… [%d more characters, see %s]", len(r)-most, tool)
}

// Get is one event with all that is known of it; at names one occurrence of a
// series by its start, and is empty for the series itself.
func (c *Client) Get(ctx context.Context, calendar, uid, at string) (*Event, error) {
	const op = "get event"
	cal, err := c.Resolve(ctx, op, calendar)
	if err != nil {
		return nil, err
	}
	o, err := c.find(ctx, op, cal, "VEVENT", uid)
	if err != nil {
		return nil, err
	}
	if at == "" {
		occ, err := o.master()
		if err != nil {
			return nil, unreadable(op, err)
		}
		return c.event(o, occ, true), nil
	}
	p, err := c.person(ctx)
	if err != nil {
		return nil, err
	}
	occ, err := o.occurrence(op, at, p)
	if err != nil {
		return nil, err
	}
	return c.event(o, occ, false), nil
}

func unreadable(op string, err error) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "the event holds something that cannot be read: " + err.Error(), Err: err}
}
