package contract

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

func runCalendar(t *testing.T, env *Env) {
	d := newDiary(t, env)
	for _, part := range []struct {
		name string
		run  func(t *testing.T, d *diary)
	}{
		{"calendars", calendarList},
		{"unknown calendar", calendarUnknown},
		{"create and get", calendarCreate},
		{"all-day", calendarAllDay},
		{"zones", calendarZones},
		{"nothing is lost", calendarLossless},
		{"update", calendarUpdate},
		{"stale etag", calendarStale},
		{"list", calendarWindow},
		{"filters and pages", calendarFilters},
		{"attendees", calendarAttendees},
		{"delete", calendarDelete},
		{"expand", calendarExpand},
		{"one occurrence", calendarThis},
		{"this and future", calendarFuture},
		{"all occurrences", calendarAll},
		{"delete occurrences", calendarDeleteScopes},
		{"not there", calendarNotThere},
		{"read-only", calendarReadOnly},
		{"move between calendars", calendarMove},
		{"unreadable neighbours", calendarNeighbours},
		{"fields", calendarFields},
		{"manage", calendarManage},
		{"trash", calendarTrash},
		{"import and export", calendarImport},
		{"bulk", calendarBulk},
		{"free times", calendarFree},
		{"invitations", calendarInvitations},
		{"series of others", calendarInvitedSeries},
		{"share", calendarShare},
		{"publish", calendarPublish},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, d) })
	}
}

// diary is a client with a calendar of its own that vanishes with the suite.
// Nextcloud limits how many calendars a person may make in an hour, so that
// all parts share one.
type diary struct {
	*calendar.Client
	nc   *nextcloud.Client
	dav  *dav.Client
	name string
	path string
	env  *Env
}

const diaryTitle = "Contract <&> Kalender"

func newDiary(t *testing.T, env *Env) *diary {
	t.Helper()
	nc := env.Client(t)
	d := &diary{Client: calendar.New(nc), nc: nc, env: env, dav: dav.New(nc), name: strings.ReplaceAll(unique("contract"), " ", "-")}
	d.path = d.make(t, d.name, diaryTitle+" "+d.name)
	return d
}

// make makes a calendar for events and removes it, with its trash, at the end.
func (d *diary) make(t *testing.T, name, title string) string {
	t.Helper()
	user, err := d.nc.UserID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	path, err := nextcloud.Path(dav.Root+"/calendars", string(user), name)
	if err != nil {
		t.Fatal(err)
	}
	path += "/"
	err = d.dav.Mkcalendar(t.Context(), dav.Query{Op: "make calendar", Path: path},
		dav.Text(dav.Name(dav.NSDAV, "displayname"), title),
		dav.Text(dav.Name(dav.NSApple, "calendar-color"), "#FF7A66"),
		dav.El(dav.Name(dav.NSCalDAV, "supported-calendar-component-set"),
			dav.El(dav.Name(dav.NSCalDAV, "comp")).With("name", "VEVENT")))
	if errors.Is(err, nextcloud.ErrRateLimited) {
		t.Skip("this Nextcloud lets nobody make more calendars now")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		q := dav.Query{Op: "remove calendar", Path: path, Header: http.Header{"X-Nc-Caldav-No-Trashbin": {"1"}}}
		if err := d.dav.Delete(context.WithoutCancel(t.Context()), q, dav.Condition{}); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return path
}

// put stores an object as another program would, and answers its path.
func (d *diary) put(t *testing.T, file string, lines ...string) string {
	t.Helper()
	path := d.path + file
	data := strings.Join(lines, "\r\n") + "\r\n"
	if _, err := d.dav.Put(t.Context(), dav.Query{Op: "put", Path: path}, "text/calendar; charset=utf-8", []byte(data), dav.Condition{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// raw is what the server holds, unfolded.
func (d *diary) raw(t *testing.T, path string) string {
	t.Helper()
	o, err := d.dav.Get(t.Context(), dav.Query{Op: "get", Path: path}, "text/calendar")
	if err != nil {
		t.Fatal(err)
	}
	return unfolder.Replace(string(o.Data))
}

var unfolder = strings.NewReplacer("\r\n ", "", "\n ", "", "\r\n", "\n")

func (d *diary) create(t *testing.T, f calendar.Fields) *calendar.Written {
	t.Helper()
	w, err := d.Create(t.Context(), d.name, f)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (d *diary) update(t *testing.T, target calendar.Target, f calendar.Fields) *calendar.Written {
	t.Helper()
	target.Calendar = d.name
	w, err := d.Update(t.Context(), target, f)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// starts are the starts of the occurrences of one event in a window.
func (d *diary) starts(t *testing.T, uid, from, to string) []string {
	t.Helper()
	page, err := d.List(t.Context(), calendar.Query{Calendar: d.name, Start: from, End: to, TimeZone: "Europe/Berlin"})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range page.Events {
		if e.UID == uid {
			out = append(out, e.Start+" "+e.Title)
		}
	}
	return out
}

func wantList(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func calendarList(t *testing.T, d *diary) {
	list, err := d.Calendars(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defaults := 0
	var own *calendar.Calendar
	for i := range list {
		if list[i].IsDefault {
			defaults++
		}
		if list[i].Name == d.name {
			own = &list[i]
		}
	}
	if own == nil {
		t.Fatalf("%s is not in %+v", d.name, list)
	}
	if own.DisplayName != diaryTitle+" "+d.name || own.Color != "#FF7A66" || own.ReadOnly || own.Shared || !slices.Equal(own.Components, []string{"VEVENT"}) {
		t.Errorf("calendar = %+v", own)
	}
	if defaults != 1 {
		t.Errorf("%d default calendars", defaults)
	}
}

func calendarUnknown(t *testing.T, d *diary) {
	_, err := d.List(t.Context(), calendar.Query{Calendar: "no such calendar"})
	if !errors.Is(err, nextcloud.ErrNotFound) || !strings.Contains(err.Error(), d.name) {
		t.Errorf("error = %v, want one that names %s", err, d.name)
	}
	if _, err := d.Resolve(t.Context(), "x", strings.ToUpper(diaryTitle+" "+d.name)); err != nil {
		t.Errorf("by display name: %v", err)
	}
}

func calendarCreate(t *testing.T, d *diary) {
	w := d.create(t, calendar.Fields{
		Title: new("Zahnarzt, 2. Stock; Über <b>"), Start: new("2027-03-10T09:30"), End: new("2027-03-10T10:15"), TimeZone: new("Europe/Berlin"),
		Description: new("Zeile 1\nZeile 2 mit \\ und 🦷"), Location: new("Hauptstr. 1, Köln"), Categories: new("Privat, Arzt"),
		Status: new("TENTATIVE"), Priority: new(5), Privacy: new("PRIVATE"), URL: new("https://example.org/a?b=1,2;c"), Color: new("tomato"),
		ReminderMinutes: new(15), ReminderEmail: new(true),
	})
	if w.ETag == "" || w.Start != "2027-03-10T09:30:00+01:00" || w.End != "2027-03-10T10:15:00+01:00" {
		t.Errorf("written = %+v", w)
	}
	e, err := d.Get(t.Context(), d.name, w.UID, "")
	if err != nil {
		t.Fatal(err)
	}
	if e.ETag != w.ETag {
		t.Errorf("etag %q, created as %q", e.ETag, w.ETag)
	}
	if e.Title != "Zahnarzt, 2. Stock; Über <b>" || e.Description != "Zeile 1\nZeile 2 mit \\ und 🦷" || e.Location != "Hauptstr. 1, Köln" ||
		!slices.Equal(e.Categories, []string{"Privat", "Arzt"}) || e.Status != "TENTATIVE" || e.Priority != 5 || e.Privacy != "PRIVATE" ||
		e.URL != "https://example.org/a?b=1,2;c" || e.Color != "tomato" || e.StartTZ != "Europe/Berlin" || e.DurationMinutes != 45 || len(e.Reminders) != 2 {
		t.Errorf("event = %+v", e)
	}
	if raw := d.raw(t, d.path+w.UID+".ics"); !strings.Contains(raw, "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\n") || !strings.Contains(raw, "DTSTART;TZID=Europe/Berlin:20270310T093000") {
		t.Errorf("stored without its zone:\n%s", raw)
	}
	for name, f := range map[string]calendar.Fields{
		"end before start": {Title: new("x"), Start: new("2027-03-10T09:30"), End: new("2027-03-10T08:30")},
		"bad date":         {Title: new("x"), Start: new("tomorrow")},
		"bad zone":         {Title: new("x"), Start: new("2027-03-10T09:30"), TimeZone: new("Mars/Olympus")},
		"bad rule":         {Title: new("x"), Start: new("2027-03-10T09:30"), Rule: new("FREQ=SOMETIMES")},
		"no title":         {Title: new(" "), Start: new("2027-03-10T09:30")},
	} {
		if _, err := d.Create(t.Context(), d.name, f); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func calendarAllDay(t *testing.T, d *diary) {
	w := d.create(t, calendar.Fields{Title: new("Ferien"), Start: new("2027-12-24"), End: new("2027-12-27")})
	if w.Start != "2027-12-24" || w.End != "2027-12-27" || w.LastDay != "2027-12-26" {
		t.Errorf("written = %+v", w)
	}
	for day, want := range map[string]int{"2027-12-23": 0, "2027-12-24": 1, "2027-12-26": 1, "2027-12-27": 0} {
		for _, zone := range []string{"Pacific/Auckland", "America/Los_Angeles"} {
			page, err := d.List(t.Context(), calendar.Query{Calendar: d.name, Start: day, End: day, TimeZone: zone})
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Events) != want {
				t.Errorf("%s in %s: %d events, want %d", day, zone, len(page.Events), want)
			}
		}
	}
	one := d.create(t, calendar.Fields{Title: new("Tag"), Start: new("2028-01-06")})
	if one.End != "2028-01-07" || one.LastDay != "2028-01-06" {
		t.Errorf("one day = %+v", one)
	}
	// A new title leaves the days days.
	u := d.update(t, calendar.Target{UID: w.UID}, calendar.Fields{Title: new("Urlaub")})
	if u.Start != "2027-12-24" || u.End != "2027-12-27" || u.ETag == w.ETag {
		t.Errorf("updated = %+v", u)
	}
	if raw := d.raw(t, d.path+w.UID+".ics"); !strings.Contains(raw, "DTSTART;VALUE=DATE:20271224\n") {
		t.Errorf("the date became something else:\n%s", raw)
	}
}

func calendarZones(t *testing.T, d *diary) {
	d.put(t, "windows.ics",
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN",
		"BEGIN:VTIMEZONE", "TZID:W. Europe Standard Time",
		"BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "END:STANDARD",
		"BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT",
		"END:VTIMEZONE",
		"BEGIN:VEVENT", "UID:windows", "DTSTAMP:20270101T000000Z", "SUMMARY:Outlook",
		"DTSTART;TZID=W. Europe Standard Time:20270701T100000", "DTEND;TZID=W. Europe Standard Time:20270701T110000", "END:VEVENT", "END:VCALENDAR")
	e, err := d.Get(t.Context(), d.name, "windows", "")
	if err != nil {
		t.Fatal(err)
	}
	if e.Start != "2027-07-01T10:00:00+02:00" || e.StartTZ != "Europe/Berlin" {
		t.Errorf("start = %s %s", e.Start, e.StartTZ)
	}
	w := d.update(t, calendar.Target{UID: "windows"}, calendar.Fields{Start: new("2027-07-01T12:00:00Z")})
	if w.Start != "2027-07-01T14:00:00+02:00" || w.End != "2027-07-01T15:00:00+02:00" {
		t.Errorf("moved to %s - %s", w.Start, w.End)
	}
	if raw := d.raw(t, d.path+"windows.ics"); !strings.Contains(raw, "DTSTART;TZID=W. Europe Standard Time:20270701T140000") || strings.Count(raw, "BEGIN:VTIMEZONE") != 1 {
		t.Errorf("the zone was not kept:\n%s", raw)
	}
}

// awkward is an event as other programs write them.
var awkward = []string{
	"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Other//Program//EN", "X-WR-CALNAME:Mine", "CALSCALE:GREGORIAN",
	"BEGIN:VEVENT", "UID:awkward", "DTSTAMP:20270101T000000Z", "CREATED:20260101T000000Z", "SEQUENCE:3",
	"DTSTART:20270501T090000Z", "DURATION:PT45M", "SUMMARY;LANGUAGE=de:Alt",
	"X-CUSTOM;X-P=\"a;b,c:d\";X-Q=1,\"2\",3:value with \\, and ; and : signs",
	"X-DUP:one", "X-DUP:two", "COMMENT:first", "COMMENT:second",
	"ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.txt:SGVsbG8=",
	"GEO:37.386013;-122.082932", "CONFERENCE;VALUE=URI;FEATURE=VIDEO;LABEL=\"Talk: room\":https://example.org/call/abc",
	"BEGIN:VALARM", "ACTION:X-SOUND", "TRIGGER:-PT1H", "X-VOLUME:11", "END:VALARM",
	"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT5M", "DESCRIPTION:x", "X-WR-ALARMUID:1", "END:VALARM",
	"END:VEVENT", "END:VCALENDAR",
}

func calendarLossless(t *testing.T, d *diary) {
	path := d.put(t, "awkward.ics", awkward...)
	before := strings.Split(strings.TrimSpace(d.raw(t, path)), "\n")
	d.update(t, calendar.Target{UID: "awkward"}, calendar.Fields{Title: new("Neu")})
	after := strings.Split(strings.TrimSpace(d.raw(t, path)), "\n")
	changed := func(l string) bool {
		return strings.HasPrefix(l, "SUMMARY") || strings.HasPrefix(l, "DTSTAMP") || strings.HasPrefix(l, "LAST-MODIFIED")
	}
	wantList(t, slices.DeleteFunc(slices.Clone(after), changed), slices.DeleteFunc(slices.Clone(before), changed)...)
	if !slices.Contains(after, "SUMMARY;LANGUAGE=de:Neu") {
		t.Errorf("no new title in %q", after)
	}
}

func calendarUpdate(t *testing.T, d *diary) {
	w := d.create(t, calendar.Fields{
		Title: new("Treffen"), Start: new("2027-04-01T10:00"), End: new("2027-04-01T11:30"), TimeZone: new("Europe/Berlin"),
		Description: new("Text"), Location: new("Hier"), ReminderMinutes: new(15),
	})
	u := d.update(t, calendar.Target{UID: w.UID, ETag: w.ETag}, calendar.Fields{Start: new("2027-04-02T14:00"), Location: new(""), ReminderMinutes: new(0)})
	if u.Start != "2027-04-02T14:00:00+02:00" || u.End != "2027-04-02T15:30:00+02:00" {
		t.Errorf("moved to %s - %s", u.Start, u.End)
	}
	e, err := d.Get(t.Context(), d.name, w.UID, "")
	if err != nil {
		t.Fatal(err)
	}
	if e.Location != "" || e.Description != "Text" || len(e.Reminders) != 0 || e.ETag != u.ETag {
		t.Errorf("event = %+v", e)
	}
	flip := d.update(t, calendar.Target{UID: w.UID}, calendar.Fields{AllDay: new(true)})
	if flip.Start != "2027-04-02" || flip.LastDay != "2027-04-02" {
		t.Errorf("all-day = %+v", flip)
	}
	if _, err := d.Update(t.Context(), calendar.Target{Calendar: d.name, UID: w.UID}, calendar.Fields{Start: new("2027-04-02T09:00")}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("a time for an all-day event: %v", err)
	}
	back := d.update(t, calendar.Target{UID: w.UID}, calendar.Fields{AllDay: new(false), Start: new("2027-04-02T09:00"), End: new("2027-04-02T10:00"), TimeZone: new("America/New_York")})
	if back.Start != "2027-04-02T09:00:00-04:00" {
		t.Errorf("with times = %+v", back)
	}
	same := d.update(t, calendar.Target{UID: w.UID}, calendar.Fields{Title: new("Treffen")})
	if same.ETag != back.ETag {
		t.Errorf("an update without a change wrote something")
	}
}

func calendarStale(t *testing.T, d *diary) {
	w := d.create(t, calendar.Fields{Title: new("Eins"), Start: new("2027-04-05T10:00")})
	d.update(t, calendar.Target{UID: w.UID}, calendar.Fields{Title: new("Zwei")})
	_, err := d.Update(t.Context(), calendar.Target{Calendar: d.name, UID: w.UID, ETag: w.ETag}, calendar.Fields{Title: new("Drei")})
	if !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("update: %v", err)
	}
	_, err = d.Delete(t.Context(), calendar.Target{Calendar: d.name, UID: w.UID, ETag: w.ETag})
	if !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("delete: %v", err)
	}
	// The server itself keeps the promise, not only our look at the tag.
	_, err = d.dav.Put(t.Context(), dav.Query{Op: "put", Path: d.path + w.UID + ".ics"}, "text/calendar", []byte(strings.Join(awkward, "\r\n")), dav.Condition{ETag: w.ETag})
	if !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("conditional PUT: %v", err)
	}
	if e, err := d.Get(t.Context(), d.name, w.UID, ""); err != nil || e.Title != "Zwei" {
		t.Errorf("event = %+v, %v", e, err)
	}
}

func calendarWindow(t *testing.T, d *diary) {
	w := d.create(t, calendar.Fields{Title: new("Nacht"), Start: new("2029-06-01T23:00"), End: new("2029-06-02T01:00"), TimeZone: new("Europe/Berlin")})
	for _, c := range []struct {
		from, to string
		want     int
	}{
		{"2029-06-01", "2029-06-01", 1},
		{"2029-06-02", "2029-06-02", 1},
		{"2029-05-31", "2029-05-31", 0},
		{"2029-06-03", "2029-06-03", 0},
		{"2029-06-02T01:00", "2029-06-02T02:00", 0},
		{"2029-06-01T22:00", "2029-06-01T23:00", 0},
		{"2029-06-01T22:00", "2029-06-01T23:30", 1},
	} {
		if got := d.starts(t, w.UID, c.from, c.to); len(got) != c.want {
			t.Errorf("%s - %s: %q, want %d", c.from, c.to, got, c.want)
		}
	}
	all, err := d.List(t.Context(), calendar.Query{Start: "2029-06-01", End: "2029-06-02"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all.Events, func(s calendar.Summary) bool { return s.UID == w.UID && s.CalendarName == d.name }) {
		t.Errorf("not in all calendars: %+v", all)
	}
}

func calendarFilters(t *testing.T, d *diary) {
	for i, title := range []string{"Alpha", "Beta", "Gamma", "Delta"} {
		start := time.Date(2030, 2, 1, 10, 0, 0, 0, time.UTC).Add(time.Duration(i%2) * time.Hour)
		d.create(t, calendar.Fields{
			Title: new(title), Start: new(start.Format(time.RFC3339)), End: new(start.Add(time.Duration(i+1) * 20 * time.Minute).Format(time.RFC3339)),
			Categories: new([]string{"Rot", "Blau"}[i%2] + ",Alle"), Status: new([]string{"CONFIRMED", "TENTATIVE"}[i/2]), Location: new("Raum " + title),
		})
	}
	base := calendar.Query{Calendar: d.name, Start: "2030-02-01", End: "2030-02-01", TimeZone: "UTC"}
	titles := func(q calendar.Query) []string {
		t.Helper()
		page, err := d.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range page.Events {
			out = append(out, e.Title)
		}
		slices.Sort(out)
		return out
	}
	q := base
	q.MinDurationMinutes = 60
	wantList(t, titles(q), "Delta", "Gamma")
	q = base
	q.Categories = "rot"
	wantList(t, titles(q), "Alpha", "Gamma")
	q = base
	q.Status = "tentative"
	wantList(t, titles(q), "Delta", "Gamma")
	q = base
	q.TitleContains, q.LocationContains = "ET", "raum"
	wantList(t, titles(q), "Beta")
	q = base
	q.MinAttendees = 1
	wantList(t, titles(q))

	var walked []string
	q = base
	q.Limit = 1
	for range 10 {
		page, err := d.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if page.TotalFound != 4 || len(page.Events) != 1 {
			t.Fatalf("page = %+v", page)
		}
		walked = append(walked, page.Events[0].Title)
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
	}
	slices.Sort(walked)
	wantList(t, walked, "Alpha", "Beta", "Delta", "Gamma")
}
