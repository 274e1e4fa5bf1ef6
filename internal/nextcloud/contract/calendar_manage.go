package contract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

func calendarFields(t *testing.T, d *diary) {
	w := d.create(t, calendar.Fields{
		Title: new("Serie"), Start: new("2027-09-06T18:00"), End: new("2027-09-06T19:00"), TimeZone: new("Europe/Berlin"),
		Rule: new("FREQ=WEEKLY;COUNT=3"), ExtraDates: new("2027-09-08, 2027-09-10T20:00"), ExcludedDates: new("2027-09-13T18:00+02:00"),
		Transparent: new(true), Reminders: &[]calendar.Reminder{{MinutesBefore: new(10)}, {Trigger: "-P1D"}, {TriggerAt: "2027-09-05T12:00:00Z", Action: "EMAIL"}},
	})
	wantList(t, d.starts(t, w.UID, "2027-09-01", "2027-09-30"),
		"2027-09-06T18:00:00+02:00 Serie", "2027-09-08T18:00:00+02:00 Serie", "2027-09-10T20:00:00+02:00 Serie", "2027-09-20T18:00:00+02:00 Serie")
	e, err := d.Get(t.Context(), d.name, w.UID, "")
	if err != nil {
		t.Fatal(err)
	}
	if e.Transparency != "TRANSPARENT" || len(e.Reminders) != 3 {
		t.Errorf("event = %+v", e)
	}
	d.update(t, calendar.Target{UID: w.UID, Scope: calendar.All}, calendar.Fields{ExtraDates: new(""), ExcludedDates: new("2027-09-20"), Transparent: new(false)})
	wantList(t, d.starts(t, w.UID, "2027-09-01", "2027-09-30"), "2027-09-06T18:00:00+02:00 Serie", "2027-09-13T18:00:00+02:00 Serie")
	if _, err := d.Update(t.Context(), calendar.Target{Calendar: d.name, UID: w.UID, Scope: calendar.This, RecurrenceID: "2027-09-06"},
		calendar.Fields{ExcludedDates: new("2027-09-13")}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("excluded dates of one occurrence: %v", err)
	}
	if _, err := d.Create(t.Context(), d.name, calendar.Fields{Title: new("x"), Start: new("2027-09-06T18:00"), ExcludedDates: new("2027-09-06")}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("excluded dates without a series: %v", err)
	}
}

// calendarNeighbours: what other programs have stored does not hide the rest.
func calendarNeighbours(t *testing.T, d *diary) {
	d.put(t, "split.ics", "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", "UID:split", "DTSTAMP:20270101T000000Z",
		"DTSTART:20280510T090000Z", "SUMMARY:K\xc3", " \xb6ln \xf0\x9f\x98", " \x80", "LOCATION:da", "END:VEVENT", "END:VCALENDAR")
	d.put(t, "zone.ics", "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", "UID:zone", "DTSTAMP:20270101T000000Z",
		"DTSTART;TZID=Nirgends/Wo:20280510T100000", "DTEND;TZID=Nirgends/Wo:20280510T110000", "SUMMARY:Zone", "END:VEVENT", "END:VCALENDAR")
	page, err := d.List(t.Context(), calendar.Query{Calendar: d.name, Start: "2028-05-10", End: "2028-05-10"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range page.Events {
		got = append(got, e.Title)
	}
	slices.Sort(got)
	wantList(t, got, "Köln 😀", "Zone")
	d.update(t, calendar.Target{UID: "split"}, calendar.Fields{Location: new("dort")})
	if raw := d.raw(t, d.path+"split.ics"); !strings.Contains(raw, "SUMMARY:Köln 😀\n") || !strings.Contains(raw, "LOCATION:dort\n") {
		t.Errorf("after a change:\n%s", raw)
	}
	d.update(t, calendar.Target{UID: "zone"}, calendar.Fields{Title: new("Zone 2")})
	if raw := d.raw(t, d.path+"zone.ics"); !strings.Contains(raw, "DTSTART;TZID=Nirgends/Wo:20280510T100000\n") {
		t.Errorf("the zone was lost:\n%s", raw)
	}
}

// named is the calendar of that name in the listing, or nil.
func (d *diary) named(t *testing.T, name string) *calendar.Calendar {
	t.Helper()
	list, err := d.Calendars(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(list, func(c calendar.Calendar) bool { return c.Name == name }); i >= 0 {
		return &list[i]
	}
	return nil
}

// drop removes a calendar for good when the part is over.
func (d *diary) drop(t *testing.T, name string) {
	t.Cleanup(func() {
		path := strings.Replace(d.path, d.name, name, 1)
		q := dav.Query{Op: "remove calendar", Path: path, Header: http.Header{"X-Nc-Caldav-No-Trashbin": {"1"}}}
		if err := d.dav.Delete(context.WithoutCancel(t.Context()), q, dav.Condition{}); err != nil && !errors.Is(err, nextcloud.ErrNotFound) {
			t.Errorf("clean up: %v", err)
		}
	})
}

func calendarManage(t *testing.T, d *diary) {
	title := unique("Größe & Maß")
	cal, err := d.CreateCalendar(t.Context(), calendar.NewCalendar{Look: calendar.Look{DisplayName: &title, Description: new("<b>&amp;"), Color: new("#12AB9F")}})
	if errors.Is(err, nextcloud.ErrRateLimited) {
		t.Skip("this Nextcloud lets nobody make more calendars now")
	}
	if err != nil {
		t.Fatal(err)
	}
	d.drop(t, cal.Name)
	got := d.named(t, cal.Name)
	if got == nil || got.DisplayName != title || got.Description != "<b>&amp;" || got.Color != "#12AB9F" || got.ReadOnly || !slices.Equal(got.Components, []string{"VEVENT"}) {
		t.Fatalf("created %+v, listed %+v", cal, got)
	}
	// The same title again has another name.
	twin, err := d.CreateCalendar(t.Context(), calendar.NewCalendar{Look: calendar.Look{DisplayName: &title}})
	if err != nil {
		t.Fatal(err)
	}
	d.drop(t, twin.Name)
	if twin.Name == cal.Name {
		t.Error("both are", cal.Name)
	}
	if _, err := d.CreateCalendar(t.Context(), calendar.NewCalendar{Name: cal.Name}); !errors.Is(err, nextcloud.ErrConflict) {
		t.Errorf("a name that is taken: %v", err)
	}
	renamed := unique("Umbenannt")
	if _, err := d.UpdateCalendar(t.Context(), cal.Name, calendar.Look{DisplayName: &renamed, Description: new(""), Color: new("#000000"), Transparent: new(true)}); err != nil {
		t.Fatal(err)
	}
	if got = d.named(t, cal.Name); got.DisplayName != renamed || got.Color != "#000000" || got.Description != "" || !got.Transparent {
		t.Errorf("changed to %+v", got)
	}
	for _, bad := range []calendar.Look{{}, {Color: new("red")}, {DisplayName: new(" ")}} {
		if _, err := d.UpdateCalendar(t.Context(), cal.Name, bad); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if w, err := d.Create(t.Context(), cal.Name, calendar.Fields{Title: new("Bleibt"), Start: new("2027-04-08")}); err != nil || w.CalendarName != cal.Name {
		t.Fatal(w, err)
	}
	gone, err := d.DeleteCalendar(t.Context(), cal.Name)
	if err != nil || gone.Left || d.named(t, cal.Name) != nil {
		t.Fatalf("deleted %+v, %v", gone, err)
	}
	trash, err := d.Trash(t.Context(), 500, "")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(trash.Items, func(x calendar.Trashed) bool { return x.ID == cal.Name })
	if i < 0 || trash.Items[i].Kind != "calendar" || trash.Items[i].Title != renamed || trash.Items[i].Deleted == "" {
		t.Fatalf("trash = %+v", trash)
	}
	if r, err := d.Restore(t.Context(), cal.Name); err != nil || r.Kind != "calendar" {
		t.Fatalf("restored %+v, %v", r, err)
	}
	page, err := d.List(t.Context(), calendar.Query{Calendar: cal.Name, Start: "2027-04-08", End: "2027-04-08"})
	if err != nil || len(page.Events) != 1 {
		t.Errorf("after restoring: %+v, %v", page, err)
	}

	feed := unique("Feiertage")
	sub, err := d.CreateCalendar(t.Context(), calendar.NewCalendar{Source: "https://calendar.example.org/holidays.ics", Look: calendar.Look{DisplayName: &feed}})
	if err != nil {
		t.Fatal(err)
	}
	d.drop(t, sub.Name)
	if got = d.named(t, sub.Name); got == nil || got.Source != "https://calendar.example.org/holidays.ics" || !got.ReadOnly || got.DisplayName != feed {
		t.Errorf("subscription = %+v", got)
	}
	if _, err := d.Create(t.Context(), sub.Name, calendar.Fields{Title: new("x"), Start: new("2027-04-08")}); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("write into a subscription: %v", err)
	}
	if _, err := d.DeleteCalendar(t.Context(), sub.Name); err != nil || d.named(t, sub.Name) != nil {
		t.Errorf("end the subscription: %v", err)
	}
	if _, err := d.CreateCalendar(t.Context(), calendar.NewCalendar{Source: "file:///etc/passwd", Look: calendar.Look{DisplayName: &feed}}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("a file: %v", err)
	}
}

func calendarTrash(t *testing.T, d *diary) {
	w := d.create(t, calendar.Fields{Title: new("Weg"), Start: new("2027-05-08T10:00"), TimeZone: new("Europe/Berlin")})
	before := d.raw(t, d.path+w.UID+".ics")
	if _, err := d.Delete(t.Context(), calendar.Target{Calendar: d.name, UID: w.UID}); err != nil {
		t.Fatal(err)
	}
	page, err := d.Trash(t.Context(), 500, "")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(page.Items, func(x calendar.Trashed) bool { return x.UID == w.UID })
	if i < 0 {
		t.Fatalf("not in the trash: %+v", page)
	}
	item := page.Items[i]
	if item.Kind != "event" || item.Title != "Weg" || item.Start != "2027-05-08T10:00:00+02:00" || item.Calendar != d.name || item.Deleted == "" || item.Until == "" {
		t.Errorf("item = %+v", item)
	}
	// The UID is still taken: what imports it is told the way out.
	res, err := d.Import(t.Context(), calendar.Import{Calendar: d.name, ICS: before})
	if err != nil || len(res.Results) != 1 || res.Results[0].Outcome != "failed" || !strings.Contains(res.Results[0].Reason, "trash") {
		t.Errorf("import of what lies in the trash: %+v, %v", res, err)
	}
	one, err := d.Trash(t.Context(), 1, "")
	if err != nil || len(one.Items) != 1 || (page.TotalFound > 1) != (one.NextCursor != "") {
		t.Errorf("one page = %+v, %v", one, err)
	}
	r, err := d.Restore(t.Context(), item.ID)
	if err != nil || r.UID != w.UID {
		t.Fatalf("restored %+v, %v", r, err)
	}
	if e, err := d.Get(t.Context(), d.name, w.UID, ""); err != nil || e.Title != "Weg" {
		t.Errorf("after restoring: %+v, %v", e, err)
	}
	for _, id := range []string{item.ID, "999999999.ics", "no-such-calendar", "../x"} {
		if _, err := d.Restore(t.Context(), id); !errors.Is(err, nextcloud.ErrNotFound) && !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("restore %s: %v", id, err)
		}
	}
}

func ics(events ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Other//EN\r\nMETHOD:PUBLISH\r\nX-WR-CALNAME:Mine\r\n" + strings.Join(events, "") + "END:VCALENDAR\r\n"
}

func vevent(uid string, lines ...string) string {
	if uid != "" {
		lines = append([]string{"UID:" + uid}, lines...)
	}
	return "BEGIN:VEVENT\r\nDTSTAMP:20270101T000000Z\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n"
}

func outcomes(r *calendar.ImportResult) []string {
	var out []string
	for _, o := range r.Results {
		out = append(out, o.Title+" "+o.Outcome)
	}
	return out
}

func calendarImport(t *testing.T, d *diary) {
	prefix := unique("import")
	prefix = strings.ReplaceAll(prefix, " ", "-")
	text := ics(
		vevent(prefix+"/a?", "DTSTART:20280110T090000Z", "SUMMARY:A", "X-KEEP;X=1:yes"),
		vevent(prefix+"b", "DTSTART;TZID=Europe/Berlin:20280111T090000", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:B"),
		vevent(prefix+"b", "RECURRENCE-ID;TZID=Europe/Berlin:20280112T090000", "DTSTART;TZID=Europe/Berlin:20280112T110000", "SUMMARY:B moved"),
		vevent("", "DTSTART;VALUE=DATE:20280113", "SUMMARY:C"),
		vevent(prefix+"d", "DTSTART:yesterday", "SUMMARY:D"),
		"BEGIN:VTODO\r\nUID:"+prefix+"t\r\nDTSTAMP:20270101T000000Z\r\nSUMMARY:T\r\nEND:VTODO\r\n",
	)
	in := calendar.Import{Calendar: d.name, ICS: text, DryRun: true}
	dry, err := d.Import(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, outcomes(dry), "A would_import", "B would_import", "C would_import", "D failed")
	if dry.Note == "" || dry.Counts["would_import"] != 3 {
		t.Errorf("dry = %+v", dry)
	}
	in.DryRun = false
	res, err := d.Import(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, outcomes(res), "A imported", "B imported", "C imported", "D failed")
	wantList(t, d.starts(t, prefix+"b", "2028-01-10", "2028-01-20"),
		"2028-01-11T09:00:00+01:00 B", "2028-01-12T11:00:00+01:00 B moved", "2028-01-13T09:00:00+01:00 B")
	again, err := d.Import(t.Context(), calendar.Import{Calendar: d.name, ICS: ics(vevent(prefix+"/a?", "DTSTART:20280110T100000Z", "SUMMARY:A2"), vevent(prefix+"e", "DTSTART:20280110T100000Z", "SUMMARY:E"))})
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, outcomes(again), "A2 skipped", "E imported")
	replaced, err := d.Import(t.Context(), calendar.Import{Calendar: d.name, Duplicate: calendar.Replace, ICS: ics(vevent(prefix+"/a?", "DTSTART:20280110T100000Z", "SUMMARY:A3"))})
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, outcomes(replaced), "A3 replaced")
	fresh, err := d.Import(t.Context(), calendar.Import{Calendar: d.name, Duplicate: calendar.NewUID, ICS: ics(vevent(prefix+"/a?", "DTSTART:20280110T110000Z", "SUMMARY:A4"))})
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, outcomes(fresh), "A4 imported")
	if fresh.Results[0].OldUID != prefix+"/a?" || fresh.Results[0].UID == prefix+"/a?" {
		t.Errorf("uid = %+v", fresh.Results[0])
	}
	e, err := d.Get(t.Context(), d.name, prefix+"/a?", "")
	if err != nil || e.Title != "A3" {
		t.Errorf("event = %+v, %v", e, err)
	}
	whole, err := d.Export(t.Context(), d.name, "", 0, calendar.MaxExport)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(whole.ICS, "SUMMARY:A3\n") || !strings.Contains(whole.ICS, "SUMMARY:B moved\n") || !strings.HasSuffix(whole.ICS, "END:VCALENDAR\n") {
		t.Errorf("export = %.2000s", whole.ICS)
	}
	one, err := d.Export(t.Context(), d.name, prefix+"b", 0, 0)
	if err != nil || strings.Count(one.ICS, "BEGIN:VEVENT") != 2 || strings.Contains(one.ICS, "METHOD") {
		t.Errorf("one event = %+v, %v", one, err)
	}
	var parts strings.Builder
	for offset, n := 0, 0; n == 0 || offset > 0; n++ {
		part, err := d.Export(t.Context(), d.name, prefix+"b", offset, 200)
		if err != nil || n > 100 {
			t.Fatal(n, err)
		}
		parts.WriteString(part.ICS)
		offset = part.NextOffset
	}
	if parts.String() != one.ICS {
		t.Errorf("the parts are\n%s\nnot\n%s", parts.String(), one.ICS)
	}
	for _, bad := range []string{"", "hello", "BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "BEGIN:VCALENDAR\nEND:VCALENDAR\n"} {
		if _, err := d.Import(t.Context(), calendar.Import{Calendar: d.name, ICS: bad}); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func calendarBulk(t *testing.T, d *diary) {
	tag := strings.ReplaceAll(unique("bulk"), " ", "")
	for i := range 3 {
		d.create(t, calendar.Fields{Title: new(fmt.Sprint(tag, " ", i)), Start: new(fmt.Sprintf("2029-03-0%dT10:00:00Z", i+1))})
	}
	series := d.create(t, calendar.Fields{Title: new(tag + " serie"), Start: new("2029-03-01T12:00:00Z"), Rule: new("FREQ=DAILY;COUNT=5")})
	b := calendar.Bulk{
		Operation: calendar.BulkUpdate, Fields: calendar.Fields{Location: new("Raum 9")},
		Query: calendar.Query{Calendar: d.name, TitleContains: tag, Start: "2029-03-01", End: "2029-03-03", TimeZone: "UTC"},
	}
	dry, err := d.Bulk(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if dry.Count != 3 || dry.Skipped != 1 || !dry.DryRun || dry.TotalFound != 6 || len(dry.Results) != 4 {
		t.Fatalf("dry = %+v", dry)
	}
	if e, err := d.Get(t.Context(), d.name, dry.Results[0].UID, ""); err != nil || e.Location != "" {
		t.Errorf("a dry run changed %+v, %v", e, err)
	}
	b.Apply, b.Expect = true, 2
	if _, err := d.Bulk(t.Context(), b); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("another count: %v", err)
	}
	b.Scope, b.Expect = calendar.This, 6
	res, err := d.Bulk(t.Context(), b)
	if err != nil || res.Count != 6 || res.Failed != 0 {
		t.Fatalf("result = %+v, %v", res, err)
	}
	page, err := d.List(t.Context(), calendar.Query{Calendar: d.name, TitleContains: tag, Start: "2029-03-01", End: "2029-03-09", TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	rooms := 0
	for _, e := range page.Events {
		if e.Location == "Raum 9" {
			rooms++
		}
	}
	if rooms != 6 || len(page.Events) != 8 {
		t.Errorf("%d of %d have the room", rooms, len(page.Events))
	}
	b = calendar.Bulk{Operation: calendar.BulkDelete, Query: b.Query, Scope: calendar.This, Apply: true, Expect: 6}
	if res, err = d.Bulk(t.Context(), b); err != nil || res.Count != 6 {
		t.Fatalf("delete = %+v, %v", res, err)
	}
	wantList(t, d.starts(t, series.UID, "2029-03-01", "2029-03-09"), "2029-03-04T12:00:00Z "+tag+" serie", "2029-03-05T12:00:00Z "+tag+" serie")
	if _, err := d.Bulk(t.Context(), calendar.Bulk{Operation: calendar.BulkDelete}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("without a filter: %v", err)
	}
}
