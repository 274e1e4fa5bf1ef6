package contract

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

func calendarAttendees(t *testing.T, d *diary) {
	u, err := d.nc.CurrentUser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if u.Email == "" {
		t.Skip("the person has no e-mail address")
	}
	w := d.create(t, calendar.Fields{
		Title: new("Runde"), Start: new("2027-08-01T10:00"), TimeZone: new("Europe/Berlin"),
		Attendees: new("Ada Lovelace <ada@invalid.example>, bob@invalid.example"),
	})
	if w.ETag == "" {
		t.Error("no etag, though the server can be asked for it")
	}
	e, err := d.Get(t.Context(), d.name, w.UID, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Attendees) != 2 || e.Attendees[0].Name != "Ada Lovelace" || e.Attendees[0].Status != "NEEDS-ACTION" || e.Organizer == nil || !strings.EqualFold(e.Organizer.Email, u.Email) {
		t.Fatalf("event = %+v", e)
	}
	// Ada answers, in some other program.
	path := d.path + w.UID + ".ics"
	raw := strings.Replace(d.raw(t, path), "PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED", 1)
	if _, err := d.dav.Put(t.Context(), dav.Query{Op: "put", Path: path}, "text/calendar", []byte(strings.ReplaceAll(raw, "\n", "\r\n")), dav.Condition{}); err != nil {
		t.Fatal(err)
	}
	d.update(t, calendar.Target{UID: w.UID}, calendar.Fields{Attendees: new("ADA@invalid.example, carol@invalid.example")})
	if e, err = d.Get(t.Context(), d.name, w.UID, ""); err != nil {
		t.Fatal(err)
	}
	if len(e.Attendees) != 2 || e.Attendees[0].Status != "ACCEPTED" || e.Attendees[1].Email != "carol@invalid.example" {
		t.Errorf("attendees = %+v", e.Attendees)
	}
}

func calendarDelete(t *testing.T, d *diary) {
	w := d.create(t, calendar.Fields{Title: new("Weg"), Start: new("2027-04-07T10:00")})
	gone, err := d.Delete(t.Context(), calendar.Target{Calendar: d.name, UID: w.UID, ETag: w.ETag})
	if err != nil {
		t.Fatal(err)
	}
	if !gone.Whole || gone.Event.Title != "Weg" {
		t.Errorf("deleted = %+v", gone)
	}
	if _, err := d.Get(t.Context(), d.name, w.UID, ""); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if _, err := d.Delete(t.Context(), calendar.Target{Calendar: d.name, UID: w.UID}); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("delete again: %v", err)
	}
}

// series is a weekly one in the zone of Berlin, over the end of summer time,
// with one occurrence left out and one moved.
func (d *diary) series(t *testing.T, uid string) calendar.Target {
	t.Helper()
	d.put(t, uid+".ics",
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN",
		"BEGIN:VTIMEZONE", "TZID:Europe/Berlin",
		"BEGIN:DAYLIGHT", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "TZNAME:CEST", "DTSTART:19700329T020000", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT",
		"BEGIN:STANDARD", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "TZNAME:CET", "DTSTART:19701025T030000", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "END:STANDARD",
		"END:VTIMEZONE",
		"BEGIN:VEVENT", "UID:"+uid, "DTSTAMP:20270101T000000Z", "SUMMARY:Chor", "X-KEEP:yes",
		"DTSTART;TZID=Europe/Berlin:20271013T190000", "DTEND;TZID=Europe/Berlin:20271013T203000",
		"RRULE:FREQ=WEEKLY;COUNT=6;BYDAY=WE", "EXDATE;TZID=Europe/Berlin:20271027T190000", "END:VEVENT",
		"BEGIN:VEVENT", "UID:"+uid, "DTSTAMP:20270101T000000Z", "SUMMARY:Chor (Probe)", "RECURRENCE-ID;TZID=Europe/Berlin:20271110T190000",
		"DTSTART;TZID=Europe/Berlin:20271111T180000", "DTEND;TZID=Europe/Berlin:20271111T193000", "END:VEVENT",
		"END:VCALENDAR")
	return calendar.Target{Calendar: d.name, UID: uid}
}

const seriesFrom, seriesTo = "2027-10-01", "2027-12-31"

func calendarExpand(t *testing.T, d *diary) {
	s := d.series(t, "expand")
	wantList(t, d.starts(t, s.UID, seriesFrom, seriesTo),
		"2027-10-13T19:00:00+02:00 Chor", "2027-10-20T19:00:00+02:00 Chor", "2027-11-03T19:00:00+01:00 Chor",
		"2027-11-11T18:00:00+01:00 Chor (Probe)", "2027-11-17T19:00:00+01:00 Chor")
	wantList(t, d.starts(t, s.UID, "2027-11-11", "2027-11-11"), "2027-11-11T18:00:00+01:00 Chor (Probe)")
	wantList(t, d.starts(t, s.UID, "2027-11-10", "2027-11-10"))
	e, err := d.Get(t.Context(), d.name, s.UID, "")
	if err != nil {
		t.Fatal(err)
	}
	if !e.Recurring || e.RecurrenceRule != "FREQ=WEEKLY;COUNT=6;BYDAY=WE" || len(e.Exceptions) != 2 || !e.Exceptions[0].Deleted {
		t.Errorf("event = %+v", e)
	}
	for _, call := range []func() error{
		func() error { _, err := d.Update(t.Context(), s, calendar.Fields{Title: new("x")}); return err },
		func() error { _, err := d.Delete(t.Context(), s); return err },
		func() error {
			_, err := d.Delete(t.Context(), calendar.Target{Calendar: d.name, UID: s.UID, Scope: calendar.This})
			return err
		},
	} {
		if err := call(); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("without saying how much is meant: %v", err)
		}
	}
	_, err = d.Update(t.Context(), calendar.Target{Calendar: d.name, UID: s.UID, Scope: calendar.This, RecurrenceID: "2027-10-27T19:00"}, calendar.Fields{Title: new("x")})
	if !errors.Is(err, nextcloud.ErrNotFound) || !strings.Contains(err.Error(), "2027-10-20T19:00:00+02:00") {
		t.Errorf("an excluded occurrence: %v", err)
	}
}

func calendarThis(t *testing.T, d *diary) {
	s := d.series(t, "this")
	s.Scope, s.RecurrenceID = calendar.This, "2027-11-03T19:00:00+01:00"
	w := d.update(t, s, calendar.Fields{Title: new("Chor im Saal"), Start: new("2027-11-03T20:00")})
	if w.Scope != calendar.This || w.Start != "2027-11-03T20:00:00+01:00" || w.End != "2027-11-03T21:30:00+01:00" {
		t.Errorf("written = %+v", w)
	}
	wantList(t, d.starts(t, s.UID, seriesFrom, seriesTo),
		"2027-10-13T19:00:00+02:00 Chor", "2027-10-20T19:00:00+02:00 Chor", "2027-11-03T20:00:00+01:00 Chor im Saal",
		"2027-11-11T18:00:00+01:00 Chor (Probe)", "2027-11-17T19:00:00+01:00 Chor")
	// Again, and one that was changed before.
	d.update(t, s, calendar.Fields{Location: new("Saal")})
	s.RecurrenceID = "2027-11-10"
	d.update(t, s, calendar.Fields{Title: new("Probe")})
	raw := d.raw(t, d.path+"this.ics")
	if strings.Count(raw, "BEGIN:VEVENT") != 3 || strings.Count(raw, "X-KEEP:yes") != 2 || strings.Count(raw, "RECURRENCE-ID;TZID=Europe/Berlin:20271103T190000") != 1 {
		t.Errorf("stored:\n%s", raw)
	}
}

func calendarFuture(t *testing.T, d *diary) {
	s := d.series(t, "future")
	s.Scope, s.RecurrenceID = calendar.ThisAndFuture, "2027-11-03T19:00"
	w := d.update(t, s, calendar.Fields{Title: new("Ensemble"), Start: new("2027-11-03T18:30")})
	if w.UID == s.UID || w.OldUID != s.UID || w.Start != "2027-11-03T18:30:00+01:00" {
		t.Errorf("written = %+v", w)
	}
	wantList(t, d.starts(t, s.UID, seriesFrom, seriesTo), "2027-10-13T19:00:00+02:00 Chor", "2027-10-20T19:00:00+02:00 Chor")
	wantList(t, d.starts(t, w.UID, seriesFrom, seriesTo),
		"2027-11-03T18:30:00+01:00 Ensemble", "2027-11-11T18:00:00+01:00 Chor (Probe)", "2027-11-17T18:30:00+01:00 Ensemble")
	e, err := d.Get(t.Context(), d.name, w.UID, "")
	if err != nil {
		t.Fatal(err)
	}
	if e.RecurrenceRule != "FREQ=WEEKLY;COUNT=3;BYDAY=WE" || e.ETag != w.ETag {
		t.Errorf("new series = %+v", e)
	}
}

func calendarAll(t *testing.T, d *diary) {
	s := d.series(t, "all")
	s.Scope = calendar.All
	// The caller saw the third occurrence and wants it, and so all, an hour later.
	s.RecurrenceID = "2027-11-03T19:00:00+01:00"
	d.update(t, s, calendar.Fields{Start: new("2027-11-03T20:00"), Location: new("Kirche")})
	wantList(t, d.starts(t, s.UID, seriesFrom, seriesTo),
		"2027-10-13T20:00:00+02:00 Chor", "2027-10-20T20:00:00+02:00 Chor", "2027-11-03T20:00:00+01:00 Chor",
		"2027-11-11T18:00:00+01:00 Chor (Probe)", "2027-11-17T20:00:00+01:00 Chor")
	s.RecurrenceID = ""
	// To Thursdays: the rule follows.
	d.update(t, s, calendar.Fields{Start: new("2027-10-14T19:00")})
	wantList(t, d.starts(t, s.UID, seriesFrom, seriesTo),
		"2027-10-14T19:00:00+02:00 Chor", "2027-10-21T19:00:00+02:00 Chor", "2027-11-04T19:00:00+01:00 Chor",
		"2027-11-11T18:00:00+01:00 Chor (Probe)", "2027-11-18T19:00:00+01:00 Chor")
	d.update(t, s, calendar.Fields{RuleEnd: new("2027-10-31")})
	wantList(t, d.starts(t, s.UID, seriesFrom, "2027-11-05"), "2027-10-14T19:00:00+02:00 Chor", "2027-10-21T19:00:00+02:00 Chor")
}

func calendarDeleteScopes(t *testing.T, d *diary) {
	s := d.series(t, "delete")
	s.Scope, s.RecurrenceID = calendar.This, "2027-11-10T19:00:00+01:00"
	gone, err := d.Delete(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if gone.Whole || gone.Event.Title != "Chor (Probe)" || gone.ETag == "" {
		t.Errorf("deleted = %+v", gone)
	}
	wantList(t, d.starts(t, s.UID, seriesFrom, seriesTo),
		"2027-10-13T19:00:00+02:00 Chor", "2027-10-20T19:00:00+02:00 Chor", "2027-11-03T19:00:00+01:00 Chor", "2027-11-17T19:00:00+01:00 Chor")
	s.Scope, s.RecurrenceID = calendar.ThisAndFuture, "2027-11-03"
	if _, err := d.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	wantList(t, d.starts(t, s.UID, seriesFrom, seriesTo), "2027-10-13T19:00:00+02:00 Chor", "2027-10-20T19:00:00+02:00 Chor")
	// What undoes it.
	d.update(t, calendar.Target{UID: s.UID, Scope: calendar.All}, calendar.Fields{Rule: &gone.Rule})
	wantList(t, d.starts(t, s.UID, seriesFrom, seriesTo),
		"2027-10-13T19:00:00+02:00 Chor", "2027-10-20T19:00:00+02:00 Chor", "2027-11-03T19:00:00+01:00 Chor", "2027-11-17T19:00:00+01:00 Chor")
	s.Scope, s.RecurrenceID = calendar.ThisAndFuture, "2027-10-13T19:00"
	if gone, err = d.Delete(t.Context(), s); err != nil || !gone.Whole {
		t.Errorf("from the first on: %+v, %v", gone, err)
	}
	if _, err := d.Get(t.Context(), d.name, s.UID, ""); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
}

func calendarNotThere(t *testing.T, d *diary) {
	d.create(t, calendar.Fields{Title: new("Da"), Start: new("2027-04-08")})
	if _, err := d.Get(t.Context(), d.name, "no-such-uid", ""); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if _, err := d.Update(t.Context(), calendar.Target{Calendar: d.name, UID: "no-such-uid"}, calendar.Fields{Title: new("x")}); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("update: %v", err)
	}
	// A UID that only begins like one that is there is not that one.
	d.put(t, "long.ics", "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", "UID:long-uid-2", "DTSTAMP:20270101T000000Z",
		"DTSTART:20270409T100000Z", "SUMMARY:Lang", "END:VEVENT", "END:VCALENDAR")
	if _, err := d.Get(t.Context(), d.name, "long-uid", ""); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("a part of a uid: %v", err)
	}
	// A UID in the trash is still taken, and says so.
	if _, err := d.Delete(t.Context(), calendar.Target{Calendar: d.name, UID: "long-uid-2"}); err != nil {
		t.Fatal(err)
	}
}

func calendarReadOnly(t *testing.T, d *diary) {
	list, err := d.Calendars(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(c calendar.Calendar) bool { return c.ReadOnly && c.Holds("VEVENT") })
	if i < 0 {
		t.Skip("the person has no read-only calendar")
	}
	_, err = d.Create(t.Context(), list[i].Name, calendar.Fields{Title: new("x"), Start: new("2027-04-08")})
	if !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("create in %s: %v", list[i].Name, err)
	}
}

func calendarMove(t *testing.T, d *diary) {
	path := d.put(t, "umzug.ics", strings.Split(strings.ReplaceAll(strings.Join(awkward, "\n"), "UID:awkward", "UID:umzug"), "\n")...)
	before := d.raw(t, path)
	def, err := d.Default(t.Context(), "x")
	if err != nil {
		t.Skip("the person has no default calendar")
	}
	m, err := d.Move(t.Context(), calendar.Target{Calendar: d.name, UID: "umzug"}, def.Name)
	if err != nil {
		t.Fatal(err)
	}
	to := strings.Replace(path, d.name, def.Name, 1)
	t.Cleanup(func() {
		err := d.dav.Delete(context.WithoutCancel(t.Context()), dav.Query{Op: "delete", Path: to}, dav.Condition{})
		if err != nil && !errors.Is(err, nextcloud.ErrNotFound) {
			t.Errorf("clean up: %v", err)
		}
		purge(t, d.Client, d.nc, "umzug")
	})
	if m.From.Name != d.name || m.To.Name != def.Name || m.Event.Title != "Alt" {
		t.Errorf("moved = %+v", m)
	}
	if after := d.raw(t, to); after != before {
		t.Errorf("the server changed it:\n%s\nbefore:\n%s", after, before)
	}
	if _, err := d.Get(t.Context(), d.name, "umzug", ""); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("still in the old calendar: %v", err)
	}
	if e, err := d.Get(t.Context(), def.Name, "umzug", ""); err != nil || e.ETag != m.ETag {
		t.Errorf("in the new one: %+v, %v, want %s", e, err, m.ETag)
	}
	// Back into a calendar that has the UID by now.
	d.put(t, "twin.ics", "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", "UID:umzug", "DTSTAMP:20270101T000000Z",
		"DTSTART:20270409T100000Z", "SUMMARY:Zwilling", "END:VEVENT", "END:VCALENDAR")
	if _, err := d.Move(t.Context(), calendar.Target{Calendar: def.Name, UID: "umzug"}, d.name); err == nil {
		t.Error("moved onto an event with the same uid")
	}
	if _, err := d.Move(t.Context(), calendar.Target{Calendar: def.Name, UID: "umzug"}, "contact_birthdays"); !errors.Is(err, nextcloud.ErrForbidden) && !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("into the birthdays: %v", err)
	}
}
