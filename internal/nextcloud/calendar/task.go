package calendar

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Task is a task as lists show it. Of one that recurs it shows the occurrence
// that is to be done now.
type Task struct {
	UID             string   `json:"uid"`
	Title           string   `json:"summary"`
	CalendarName    string   `json:"calendar_name"`
	Status          string   `json:"status"` // NEEDS-ACTION, IN-PROCESS, COMPLETED or CANCELLED
	Priority        int      `json:"priority,omitempty"`
	PriorityWord    string   `json:"priority_word,omitempty"` // high, medium or low
	PercentComplete int      `json:"percent_complete,omitempty"`
	Start           string   `json:"dtstart,omitempty"` // RFC 3339 with offset; a date for a day; no offset when it floats
	Due             string   `json:"due,omitempty"`     // the same
	TimeZone        string   `json:"time_zone,omitempty"`
	Overdue         bool     `json:"overdue,omitempty"`
	Completed       string   `json:"completed,omitempty"`
	Description     string   `json:"description,omitempty"`
	Location        string   `json:"location,omitempty"`
	Categories      []string `json:"categories,omitempty"`
	Recurring       bool     `json:"recurring,omitempty"`
	Missed          int      `json:"missed,omitempty"` // earlier occurrences that are not done either
	ParentUID       string   `json:"parent_uid,omitempty"`
	Depth           int      `json:"depth,omitempty"` // below the task that comes before it with less
	ETag            string   `json:"etag,omitempty"`
}

// FullTask is a task with all that is known of it.
type FullTask struct {
	Task
	CalendarDisplayName string     `json:"calendar_display_name,omitempty"`
	RecurrenceRule      string     `json:"recurrence_rule,omitempty"` // RRULE
	Reminders           []Reminder `json:"reminders,omitempty"`
	URL                 string     `json:"url,omitempty"`
	Privacy             string     `json:"privacy,omitempty"` // CLASS
	Subtasks            []Subtask  `json:"subtasks,omitempty"`
	Related             []Relation `json:"related,omitempty"`
	Attachments         []string   `json:"attachments,omitempty"`
	Created             string     `json:"created,omitempty"`
	LastModified        string     `json:"last_modified,omitempty"`
	ReadOnly            bool       `json:"read_only,omitempty"`
	Link                string     `json:"link,omitempty"` // opens the task in Nextcloud's Tasks app
	Note                string     `json:"note,omitempty"`
}

// Subtask is a task below another one, in the order of the tree.
type Subtask struct {
	UID    string `json:"uid"`
	Title  string `json:"summary"`
	Status string `json:"status"`
	Due    string `json:"due,omitempty"`
	Depth  int    `json:"depth"` // 1 is directly below
}

// Relation is another RELATED-TO than the one to the parent.
type Relation struct {
	UID  string `json:"uid"`
	Type string `json:"type"` // CHILD, SIBLING or what another program wrote
}

// The statuses of tasks (RFC 5545, 3.8.1.11).
const (
	statusOpen      = "NEEDS-ACTION"
	statusStarted   = "IN-PROCESS"
	statusDone      = "COMPLETED"
	statusCancelled = "CANCELLED"
)

// statusOf is the status of a task. A COMPLETED time means that it is done,
// whatever STATUS says, as Nextcloud's Tasks reads it; some programs write
// only one of the two, or only 100 percent.
func statusOf(c *ical.Component) string {
	status := strings.ToUpper(strings.TrimSpace(c.Text("STATUS")))
	switch {
	case status == statusCancelled:
		return status
	case status == statusDone, c.Prop("COMPLETED") != nil, status == "" && percentOf(c) == 100:
		return statusDone
	case status == statusStarted, status == "" && percentOf(c) > 0:
		return statusStarted
	}
	return statusOpen
}

func percentOf(c *ical.Component) int {
	n, _ := strconv.Atoi(strings.TrimSpace(c.Text("PERCENT-COMPLETE"))) // 0 when there is none
	return min(max(n, 0), 100)
}

func priorityOf(c *ical.Component) int {
	n, _ := strconv.Atoi(strings.TrimSpace(c.Text("PRIORITY"))) // 0 is "undefined"
	if n < 0 || n > 9 {
		return 0
	}
	return n
}

// priorityWord: 1 to 4 are high, 5 is medium, 6 to 9 are low (RFC 5545,
// 3.8.1.9).
func priorityWord(n int) string {
	switch {
	case n == 0:
		return ""
	case n < 5:
		return "high"
	case n == 5:
		return "medium"
	}
	return "low"
}

// closed reports whether nothing is left to do.
func closed(status string) bool { return status == statusDone || status == statusCancelled }

// turn is what of a task is to be done now: of a task that recurs the last
// occurrence that has begun, or the next one.
type turn struct {
	timing
	id     ical.DateTime   // the start by the rule; zero for a task that does not recur
	comp   *ical.Component // the master, or the override that applies
	missed int             // earlier occurrences that are not done either
	status string
	note   string
}

// maxMissed is how many occurrences that are not done are counted: a daily
// task of 27 years.
const maxMissed = 10_000

// turn reads the task as it is at now.
func (o *object) turn(now time.Time, zone *time.Location) (turn, error) {
	c := o.First()
	at, err := o.timing(c)
	t := turn{timing: at, comp: c, status: statusOf(c)}
	if err != nil {
		return t, err
	}
	if !o.Recurs() || o.Master == nil || closed(t.status) || at.anchor().IsZero() {
		return t, nil
	}
	if o.Master.Prop("RRULE") != nil && o.Rule() == nil {
		t.note = "The recurrence rule cannot be read here."
		return t, nil
	}
	series, err := o.counted(at)
	if err != nil {
		return t, err
	}
	changed, last, err := o.changedTurns(at.anchor())
	if err != nil {
		return t, err
	}
	begun, err := series.Dates(now.Add(time.Second), zone, false)
	if err != nil {
		return t, err
	}
	if !last.IsZero() {
		begun = slices.DeleteFunc(begun, func(d ical.DateTime) bool { return !d.Wall.After(last.Wall) })
	}
	switch {
	case len(begun) > maxMissed:
		t.note = "The task recurs more often than can be counted here."
		return t, nil
	case len(begun) > 0:
		t.id, t.missed = begun[len(begun)-1], len(begun)-1
	default:
		after := last
		if last.IsZero() {
			after = at.anchor()
			after = after.At(after.Wall.AddDate(0, 0, -1))
		}
		if t.id, _, _, err = series.Next(after, zone); err != nil {
			return t, err
		}
	}
	if t.id.IsZero() {
		t.status = statusDone // every occurrence is
		return t, nil
	}
	t.timing = at.at(t.id)
	if own := changed[t.id.Value()]; own != nil {
		t.comp, t.status = own, statusOf(own)
		moved, err := o.timing(own)
		if err != nil {
			return t, err
		}
		if !moved.anchor().IsZero() {
			t.timing = moved
		}
	}
	return t, nil
}

// counted is the task as a series that counts from its anchor.
func (o *object) counted(at timing) (*ical.Series, error) {
	if !at.start.IsZero() {
		return o.Series, nil
	}
	series, err := ical.NewSeries(o.Object.Clone(), kindTask)
	if err != nil {
		return nil, err
	}
	series.Master.Add(at.due.Line("DTSTART"))
	return series, nil
}

// changedTurns are the occurrences that have a component of their own, by
// their start, and the last one of them that is done.
func (o *object) changedTurns(pattern ical.DateTime) (changed map[string]*ical.Component, last ical.DateTime, err error) {
	changed = map[string]*ical.Component{}
	for _, c := range o.Overrides {
		id, err := o.Zones.Read(c.Prop("RECURRENCE-ID"))
		if err != nil {
			return nil, last, err
		}
		id = id.Like(pattern)
		changed[id.Value()] = c
		if closed(statusOf(c)) && (last.IsZero() || id.Wall.After(last.Wall)) {
			last = id
		}
	}
	return changed, last, nil
}

// task is the task as lists show it.
func (o *object) task(t turn, now time.Time, zone *time.Location) Task {
	c := t.comp
	out := Task{
		UID: c.Text("UID"), Title: c.Text("SUMMARY"), CalendarName: o.cal.Name, Status: t.status, Priority: priorityOf(c),
		PercentComplete: percentOf(c), Start: t.start.String(), Due: t.due.String(), TimeZone: t.due.ZoneName(),
		Description: c.Text("DESCRIPTION"), Location: c.Text("LOCATION"), Categories: categories(c),
		Recurring: o.Recurs(), Missed: t.missed, ParentUID: parentOf(o.First()), ETag: o.etag,
	}
	out.PriorityWord = priorityWord(out.Priority)
	if out.TimeZone == "" {
		out.TimeZone = t.start.ZoneName()
	}
	if t.status == statusDone {
		out.Completed = momentOf(o, c, "COMPLETED")
		out.PercentComplete = 100
	}
	out.Overdue = !closed(t.status) && late(t.due, now, zone)
	return out
}

// late reports whether a due time has passed; a day has when it is over.
func late(due ical.DateTime, now time.Time, zone *time.Location) bool {
	if due.IsZero() {
		return false
	}
	if due.Kind == ical.Date {
		due = due.At(due.Wall.AddDate(0, 0, 1))
	}
	return !due.Instant(zone).After(now)
}

// full is the task with all that is known of it.
func (t *Tasks) full(o *object, at turn, zone *time.Location) *FullTask {
	c := at.comp
	f := &FullTask{
		Task: o.task(at, t.c.now(), zone), CalendarDisplayName: o.cal.DisplayName, Reminders: taskReminders(c),
		URL: c.Prop("URL").Value(), Privacy: strings.ToUpper(c.Text("CLASS")), ReadOnly: o.cal.ReadOnly,
		Created: momentOf(o, c, "CREATED"), LastModified: momentOf(o, c, "LAST-MODIFIED"),
		Link: t.link(o), Note: at.note,
	}
	if o.Master != nil {
		f.RecurrenceRule = o.Master.Prop("RRULE").Value()
	}
	parent := parentLine(c)
	for _, l := range c.PropAll("RELATED-TO") {
		if l != parent {
			f.Related = append(f.Related, Relation{l.Text(), strings.ToUpper(l.Param("RELTYPE"))})
		}
	}
	f.Attachments = attachments(c)
	return f
}

// link opens a task in Nextcloud's Tasks app, which takes the names of the
// list and of the object.
func (t *Tasks) link(o *object) string {
	if o.path == "" {
		return ""
	}
	return t.c.nc.Host().PublicURL("/index.php/apps/tasks/calendars/" + url.PathEscape(o.cal.Name) + "/tasks/" + url.PathEscape(dav.Base(o.path)))
}

// taskReminders are the reminders of a task. One before the end is one before
// it is due.
func taskReminders(c *ical.Component) []Reminder {
	list := readReminders(c)
	for i := range list {
		d, err := ical.ParseDuration(list[i].Trigger)
		if list[i].Related == "END" && err == nil && d.Exact() <= 0 && d.Exact()%time.Minute == 0 {
			n := int(-d.Exact() / time.Minute)
			list[i].MinutesBefore, list[i].Trigger = &n, ""
		}
	}
	return list
}
