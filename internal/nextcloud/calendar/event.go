package calendar

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Summary is an event, or one occurrence of it, as lists show it.
type Summary struct {
	UID          string   `json:"uid"`
	Title        string   `json:"summary"`
	Start        string   `json:"start"`              // RFC 3339 with offset; a date when all-day; no offset when it floats
	End          string   `json:"end,omitempty"`      // the same; exclusive, so for all-day the day after the last one
	LastDay      string   `json:"last_day,omitempty"` // the last day of an all-day event
	StartTZ      string   `json:"start_tz,omitempty"` // IANA name, "UTC" or "floating"
	EndTZ        string   `json:"end_tz,omitempty"`   // when it is another one
	AllDay       bool     `json:"all_day,omitempty"`
	Location     string   `json:"location,omitempty"`
	Description  string   `json:"description,omitempty"`
	Categories   []string `json:"categories,omitempty"`
	Status       string   `json:"status,omitempty"` // in lists only when not CONFIRMED
	CalendarName string   `json:"calendar_name"`
	Recurring    bool     `json:"recurring,omitempty"`
	RecurrenceID string   `json:"recurrence_id,omitempty"` // which occurrence
}

// Event is an event with all that is known of it.
type Event struct {
	Summary
	CalendarDisplayName string      `json:"calendar_display_name,omitempty"`
	RecurrenceRule      string      `json:"recurrence_rule,omitempty"` // RRULE
	Exceptions          []Exception `json:"exceptions,omitempty"`
	Attendees           []Attendee  `json:"attendees,omitempty"`
	Organizer           *Attendee   `json:"organizer,omitempty"`
	Reminders           []Reminder  `json:"reminders,omitempty"`
	Priority            int         `json:"priority,omitempty"`
	Privacy             string      `json:"privacy,omitempty"` // CLASS
	Transparency        string      `json:"transparency,omitempty"`
	URL                 string      `json:"url,omitempty"`
	Color               string      `json:"color,omitempty"`
	DurationMinutes     int         `json:"duration_minutes,omitempty"`
	Attachments         []string    `json:"attachments,omitempty"`
	Created             string      `json:"created,omitempty"`
	LastModified        string      `json:"last_modified,omitempty"`
	ReadOnly            bool        `json:"read_only,omitempty"`
	ETag                string      `json:"etag"`
	Link                string      `json:"link,omitempty"` // opens the event in a browser
	Note                string      `json:"note,omitempty"`
}

// Exception is an occurrence that differs from its series.
type Exception struct {
	RecurrenceID string `json:"recurrence_id"`
	Deleted      bool   `json:"deleted,omitempty"`
	Start        string `json:"start,omitempty"`
	End          string `json:"end,omitempty"`
	Summary      string `json:"summary,omitempty"`
}

// maxExceptions bounds the exceptions that an event shows.
const maxExceptions = 50

// summarize is an occurrence as lists show it.
func (o *object) summarize(occ ical.Occurrence) Summary {
	c := occ.Component
	s := Summary{
		UID: c.Text("UID"), Title: c.Text("SUMMARY"), CalendarName: o.cal.Name,
		Start: occ.Start.String(), End: occ.End.String(), StartTZ: occ.Start.ZoneName(),
		AllDay: occ.Start.Kind == ical.Date, Location: c.Text("LOCATION"),
		Description: c.Text("DESCRIPTION"), Status: strings.ToUpper(c.Text("STATUS")),
		Categories: categories(c), Recurring: o.Recurs(),
	}
	if tz := occ.End.ZoneName(); tz != s.StartTZ {
		s.EndTZ = tz
	}
	if s.AllDay {
		s.LastDay = occ.Start.String()
		if last := occ.End.At(occ.End.Wall.AddDate(0, 0, -1)); last.Wall.After(occ.Start.Wall) {
			s.LastDay = last.String()
		}
	}
	if s.Recurring {
		s.RecurrenceID = occ.ID.String()
	}
	return s
}

func categories(c *ical.Component) []string {
	var out []string
	for _, l := range c.PropAll("CATEGORIES") {
		for _, t := range l.Texts() {
			if t = strings.TrimSpace(t); t != "" {
				out = append(out, t)
			}
		}
	}
	return out
}

// master is the whole event, or the whole series, as an occurrence.
func (o *object) master() (ical.Occurrence, error) {
	c := o.First()
	start, end, err := o.Times(c)
	if err != nil {
		return ical.Occurrence{}, err
	}
	id := start
	if l := c.Prop("RECURRENCE-ID"); l != nil {
		if id, err = o.Zones.Read(l); err != nil {
			return ical.Occurrence{}, err
		}
	}
	return ical.Occurrence{ID: id, Start: start, End: end, Component: c}, nil
}

// event is an occurrence with all that is known of it.
func (c *Client) event(o *object, occ ical.Occurrence, whole bool) *Event {
	p := occ.Component
	e := &Event{
		Summary: o.summarize(occ), CalendarDisplayName: o.cal.DisplayName,
		Reminders: readReminders(p), Privacy: strings.ToUpper(p.Text("CLASS")),
		URL: p.Prop("URL").Value(), Color: p.Text("COLOR"), ETag: o.etag, ReadOnly: o.cal.ReadOnly,
		Created: momentOf(o, p, "CREATED"), LastModified: momentOf(o, p, "LAST-MODIFIED"),
		Link: c.link(o.path),
	}
	if whole {
		e.RecurrenceID = ""
	}
	if strings.EqualFold(p.Text("TRANSP"), "TRANSPARENT") {
		e.Transparency = "TRANSPARENT"
	}
	e.Priority, _ = strconv.Atoi(p.Text("PRIORITY")) // 0 is "undefined"
	if o.Master != nil {
		e.RecurrenceRule = o.Master.Prop("RRULE").Value()
	}
	if e.RecurrenceRule != "" && o.Rule() == nil {
		e.Note = "The recurrence rule cannot be read here, so only the first occurrence is listed."
	}
	for _, l := range p.PropAll("ATTENDEE") {
		e.Attendees = append(e.Attendees, readAttendee(l))
	}
	if l := p.Prop("ORGANIZER"); l != nil {
		a := readAttendee(l)
		a.Status, a.Role = "", ""
		e.Organizer = &a
	}
	e.Attachments = attachments(p)
	if occ.Start.Kind != ical.Date && !occ.End.IsZero() {
		e.DurationMinutes = int(occ.End.Instant(time.UTC).Sub(occ.Start.Instant(time.UTC)).Minutes())
	}
	if whole {
		e.Exceptions = o.exceptions()
		if len(e.Exceptions) > maxExceptions {
			e.Exceptions = e.Exceptions[:maxExceptions]
			e.Note = strings.TrimSpace(e.Note + " Only the first " + strconv.Itoa(maxExceptions) + " exceptions are shown.")
		}
	}
	return e
}

// attachments are the names or addresses of what is attached.
func attachments(c *ical.Component) []string {
	var out []string
	for _, l := range c.PropAll("ATTACH") {
		name := l.Param("FILENAME")
		switch {
		case name != "":
		case strings.EqualFold(l.Param("VALUE"), "BINARY"):
			name = "inside the entry, without a name"
		default:
			name = l.Value()
		}
		out = append(out, name)
	}
	return out
}

func momentOf(o *object, c *ical.Component, name string) string {
	d, err := o.Zones.Read(c.Prop(name))
	if err != nil {
		return ""
	}
	return d.String()
}

// exceptions are the deleted and the changed occurrences.
func (o *object) exceptions() []Exception {
	var out []Exception
	if o.Master != nil {
		pattern, _, err := o.Times(o.Master)
		gone, gerr := o.Zones.ReadAll(o.Master.PropAll("EXDATE"))
		if err == nil && gerr == nil {
			for _, d := range gone {
				if d.Kind != ical.Date {
					d = d.Like(pattern)
				}
				out = append(out, Exception{RecurrenceID: d.String(), Deleted: true})
			}
		}
	}
	for _, c := range o.Overrides {
		id, err := o.Zones.Read(c.Prop("RECURRENCE-ID"))
		start, end, terr := o.Times(c)
		if err != nil || terr != nil || c == o.First() {
			continue
		}
		out = append(out, Exception{RecurrenceID: id.String(), Start: start.String(), End: end.String(), Summary: c.Text("SUMMARY")})
	}
	return out
}

// link opens an object in Nextcloud's Calendar app, which takes the object's
// address in Base64 and finds the occurrence to show itself.
func (c *Client) link(path string) string {
	public, err := url.Parse(c.nc.Host().PublicURL(""))
	if err != nil || path == "" || !strings.HasPrefix(path, dav.Root) {
		return ""
	}
	address := strings.TrimSuffix(public.Path, "/") + path
	return c.nc.Host().PublicURL("/index.php/apps/calendar/edit/" + base64.StdEncoding.EncodeToString([]byte(address)))
}
