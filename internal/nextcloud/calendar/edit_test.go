package calendar

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

func TestParseWhen(t *testing.T) {
	for in, want := range map[string]string{
		"2027-03-10": "day 2027-03-10T00:00", "20270310": "day 2027-03-10T00:00", "2027-03-10T09:30": "2027-03-10T09:30", "2027-03-10 09:30:15": "2027-03-10T09:30",
		"2027-03-10T09:30:00Z": "fixed 2027-03-10T09:30", "2027-03-10T09:30+02:00": "fixed 2027-03-10T07:30", "2027-03-10T09:30:00.123-0500": "fixed 2027-03-10T14:30",
		"20270310T093000Z": "fixed 2027-03-10T09:30", " 2027-03-10t09:30z ": "fixed 2027-03-10T09:30",
	} {
		w, err := parseWhen("test", "start", in)
		got := w.wall.Format("2006-01-02T15:04")
		switch {
		case w.day:
			got = "day " + got
		case w.fixed:
			got = "fixed " + w.moment.UTC().Format("2006-01-02T15:04")
		}
		if err != nil || got != want {
			t.Errorf("%q = %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "tomorrow", "2027-13-01", "2027-02-30", "10:00", "2027-03-10T25:00", "2027-03-10T09:30 Europe/Berlin", "1027-03-10", "9999-01-01", "2027-03-10T09:30+99:99"} {
		if w, err := parseWhen("test", "start", in); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%q = %+v, %v", in, w, err)
		}
	}
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, ok := ical.LoadZone(name)
	if !ok {
		t.Fatal(name)
	}
	return loc
}

// edited is an object after a change, without the stamps of the change.
func edited(t *testing.T, src string, target Target, f Fields) ([]string, error) {
	t.Helper()
	fake, c := newFake(t, src)
	target.Calendar, target.UID = "personal", "w"
	_, err := c.Update(t.Context(), target, f)
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(fake.objects[personal+"0.ics"], "\r", "")), "\n")
	return slices.DeleteFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "DTSTAMP") || strings.HasPrefix(l, "LAST-MODIFIED") || strings.HasPrefix(l, "SEQUENCE")
	}), err
}

func has(t *testing.T, lines []string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(lines, w) {
			t.Errorf("no %q in\n%s", w, strings.Join(lines, "\n"))
		}
	}
}

func TestUpdateTimes(t *testing.T) {
	utc := icsOf("UID:w", "DTSTART:20270310T090000Z", "DTEND:20270310T100000Z", "SUMMARY:x")
	floating := icsOf("UID:w", "DTSTART:20270310T090000", "DURATION:PT90M", "SUMMARY:x")
	day := icsOf("UID:w", "DTSTART;VALUE=DATE:20270310", "SUMMARY:x")
	tokyo := icsOf("UID:w", "DTSTART;TZID=Asia/Tokyo;X-P=1:20270310T090000", "DTEND;TZID=Asia/Tokyo:20270310T100000", "SUMMARY:x")
	for _, c := range []struct {
		name string
		src  string
		f    Fields
		want []string
	}{
		{"UTC keeps UTC with an offset", utc, Fields{Start: new("2027-03-10T12:00+01:00")}, []string{"DTSTART:20270310T110000Z", "DTEND:20270310T120000Z"}},
		{"UTC with the person's clock", utc, Fields{Start: new("2027-03-10T12:00")}, []string{"DTSTART;TZID=Europe/Berlin:20270310T120000", "DTEND;TZID=Europe/Berlin:20270310T130000"}},
		{"floating floats", floating, Fields{Start: new("2027-03-11T08:00")}, []string{"DTSTART:20270311T080000", "DURATION:PT90M"}},
		{"another length", floating, Fields{End: new("2027-03-10T09:30")}, []string{"DTSTART:20270310T090000", "DTEND:20270310T093000"}},
		{"a day stays a day", day, Fields{Start: new("2027-04-01")}, []string{"DTSTART;VALUE=DATE:20270401"}},
		{"days", day, Fields{End: new("2027-03-13")}, []string{"DTSTART;VALUE=DATE:20270310", "DTEND;VALUE=DATE:20270313"}},
		{"own zone", tokyo, Fields{Start: new("2027-03-11T10:00")}, []string{"DTSTART;TZID=Asia/Tokyo;X-P=1:20270311T100000", "DTEND;TZID=Asia/Tokyo:20270311T110000"}},
		{"own zone with an offset", tokyo, Fields{Start: new("2027-03-11T10:00Z")}, []string{"DTSTART;TZID=Asia/Tokyo;X-P=1:20270311T190000"}},
		{"another zone alone", tokyo, Fields{TimeZone: new("Europe/Berlin")}, []string{"DTSTART;TZID=Europe/Berlin;X-P=1:20270310T090000", "DTEND;TZID=Europe/Berlin:20270310T100000", "TZID:Europe/Berlin"}},
		{"to a day", tokyo, Fields{AllDay: new(true)}, []string{"DTSTART;X-P=1;VALUE=DATE:20270310", "DTEND;VALUE=DATE:20270311"}},
		{"from a day", day, Fields{AllDay: new(false), Start: new("2027-03-10T09:00"), End: new("2027-03-10T10:00")}, []string{"DTSTART;TZID=Europe/Berlin:20270310T090000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, err := edited(t, c.src, Target{}, c.f)
			if err != nil {
				t.Fatal(err)
			}
			has(t, lines, c.want...)
		})
	}
	for name, f := range map[string]Fields{
		"time for a day": {Start: new("2027-03-10T09:00")}, "end before start": {End: new("2027-03-09")}, "half a switch": {AllDay: new(false), Start: new("2027-03-10T09:00")},
		"clear the start": {Start: new("")}, "unknown zone": {TimeZone: new("X/Y"), Title: new("y")}, "nothing": {},
	} {
		if lines, err := edited(t, day, Target{}, f); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%s: %v\n%q", name, err, lines)
		}
	}
}

func TestUpdateFields(t *testing.T) {
	src := icsOf("UID:w", "DTSTART:20270310T090000Z", "SUMMARY:x", "LOCATION:here", "DESCRIPTION:long", "X-ALT-DESC;FMTTYPE=text/html:<b>long</b>", "CATEGORIES:a,b", "CATEGORIES:c", "PRIORITY:3", "CLASS:PRIVATE", "URL:https://e.org",
		"BEGIN:VALARM", "ACTION:PROCEDURE", "TRIGGER:-PT1M", "END:VALARM", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM")
	lines, err := edited(t, src, Target{}, Fields{Location: new(""), Description: new("short"), Categories: new("d, e\\f"), Priority: new(0), Privacy: new(""), URL: new(""), ReminderMinutes: new(30)})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split("BEGIN:VCALENDAR VERSION:2.0 PRODID:x BEGIN:VEVENT UID:w DTSTART:20270310T090000Z SUMMARY:x DESCRIPTION:short CATEGORIES:d,e\\\\f "+
		"BEGIN:VALARM ACTION:PROCEDURE TRIGGER:-PT1M END:VALARM BEGIN:VALARM ACTION:DISPLAY TRIGGER:-PT30M DESCRIPTION:x END:VALARM END:VEVENT END:VCALENDAR", " ")
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
	for name, f := range map[string]Fields{
		"title": {Title: new(" ")}, "status": {Status: new("MAYBE")}, "priority": {Priority: new(10)}, "url": {URL: new("no scheme")}, "color": {Color: new("#zz")},
		"attendees": {Attendees: new("nobody")}, "minutes": {ReminderMinutes: new(-1)}, "rule end": {RuleEnd: new("2027-04-01")}, "recurring": {Recurring: new(true)},
		"two triggers": {Reminders: &[]Reminder{{MinutesBefore: new(1), Trigger: "-PT1M"}}}, "no trigger": {Reminders: &[]Reminder{{}}}, "rule": {Rule: new("FREQ=X")},
		"two ends": {Rule: new("FREQ=DAILY;COUNT=2"), RuleEnd: new("2027-04-01")}, "ends before it starts": {Rule: new("FREQ=DAILY"), RuleEnd: new("2027-03-01")},
	} {
		if lines, err := edited(t, src, Target{}, f); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%s: %v\n%q", name, err, lines)
		}
	}
}

func TestSequence(t *testing.T) {
	src := icsOf("UID:w", "DTSTART:20270310T090000Z", "SUMMARY:x", "SEQUENCE:4")
	guest := icsOf("UID:w", "DTSTART:20270310T090000Z", "SUMMARY:x", "SEQUENCE:4", "ORGANIZER:mailto:boss@example.org")
	for _, c := range []struct {
		name, src string
		f         Fields
		want      string
	}{
		{"title", src, Fields{Title: new("y")}, "SEQUENCE:4"},
		{"time", src, Fields{Start: new("2027-03-11T09:00Z")}, "SEQUENCE:5"},
		{"status", src, Fields{Status: new("CANCELLED")}, "SEQUENCE:5"},
		{"guest", guest, Fields{Status: new("CANCELLED")}, "SEQUENCE:4"},
	} {
		f, client := newFake(t, c.src)
		if _, err := client.Update(t.Context(), Target{Calendar: "personal", UID: "w"}, c.f); err != nil {
			t.Fatal(err)
		}
		if got := f.objects[personal+"0.ics"]; !strings.Contains(got, c.want+"\r\n") || !strings.Contains(got, "DTSTAMP:20270310T223000Z") {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestUntilAgreesWithStart(t *testing.T) {
	for _, c := range []struct {
		name  string
		start string
		f     Fields
		want  string
	}{
		{"day", "DTSTART;VALUE=DATE:20270310", Fields{Rule: new("FREQ=DAILY;UNTIL=20270320T120000Z")}, "RRULE:FREQ=DAILY;UNTIL=20270320"},
		{"zone, day", "DTSTART;TZID=Europe/Berlin:20270310T090000", Fields{Rule: new("FREQ=DAILY;UNTIL=20270320")}, "RRULE:FREQ=DAILY;UNTIL=20270320T225959Z"},
		{"zone, local", "DTSTART;TZID=Europe/Berlin:20270310T090000", Fields{Rule: new("FREQ=DAILY;UNTIL=20270320T090000")}, "RRULE:FREQ=DAILY;UNTIL=20270320T080000Z"},
		{"floating", "DTSTART:20270310T090000", Fields{Rule: new("FREQ=DAILY"), RuleEnd: new("2027-03-20")}, "RRULE:FREQ=DAILY;UNTIL=20270320T235959"},
		{"end date in the zone", "DTSTART;TZID=America/New_York:20270310T210000", Fields{Rule: new("FREQ=DAILY"), RuleEnd: new("2027-03-20")}, "RRULE:FREQ=DAILY;UNTIL=20270321T035959Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, err := edited(t, icsOf("UID:w", c.start, "SUMMARY:x"), Target{}, c.f)
			if err != nil {
				t.Fatal(err)
			}
			has(t, lines, c.want)
		})
	}
}

func TestSeriesMoves(t *testing.T) {
	override := "END:VEVENT\nBEGIN:VEVENT\nUID:w\nRECURRENCE-ID;TZID=Europe/Berlin:20270308T090000\nDTSTART;TZID=Europe/Berlin:20270308T090000\nDTEND;TZID=Europe/Berlin:20270308T100000\nSUMMARY:Special\nLOCATION:Attic"
	src := icsOf(weekly+"\nEXDATE;TZID=Europe/Berlin:20270315T090000,20270322T090000\nLOCATION:Hall", override)
	lines, err := edited(t, src, Target{Scope: All}, Fields{Start: new("2027-03-02T10:30"), Title: new("Renamed"), Location: new("Roof")})
	if err != nil {
		t.Fatal(err)
	}
	has(t, lines, "DTSTART;TZID=Europe/Berlin:20270302T103000", "DTEND;TZID=Europe/Berlin:20270302T113000", "RRULE:FREQ=WEEKLY;COUNT=8",
		"EXDATE;TZID=Europe/Berlin:20270316T103000", "EXDATE;TZID=Europe/Berlin:20270323T103000",
		"RECURRENCE-ID;TZID=Europe/Berlin:20270309T103000", "DTSTART;TZID=Europe/Berlin:20270309T103000", "DTEND;TZID=Europe/Berlin:20270309T113000",
		"SUMMARY:Special", "SUMMARY:Renamed", "LOCATION:Attic", "LOCATION:Roof")

	// What an override only repeats follows the series.
	lines, err = edited(t, icsOf(weekly, strings.ReplaceAll(override, "Special", "Weekly")), Target{Scope: All}, Fields{Title: new("Renamed")})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(lines, "SUMMARY:Weekly") {
		t.Errorf("the changed occurrence has the old title:\n%s", strings.Join(lines, "\n"))
	}

	byday := icsOf(strings.Replace(weekly, "COUNT=8", "BYDAY=MO,WE", 1))
	if _, err := edited(t, byday, Target{Scope: All}, Fields{Start: new("2027-03-02T09:00")}); !errors.Is(err, nextcloud.ErrInvalid) || !strings.Contains(err.Error(), "recurrence_rule") {
		t.Errorf("a rule that cannot follow: %v", err)
	}
	if _, err := edited(t, byday, Target{Scope: All}, Fields{Start: new("2027-03-08T09:00")}); err != nil {
		t.Errorf("by a week: %v", err)
	}
	if _, err := edited(t, src, Target{Scope: All}, Fields{Recurring: new(false)}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("changed occurrences would be lost: %v", err)
	}
	lines, err = edited(t, icsOf(weekly+"\nEXDATE:20270308T080000Z"), Target{Scope: All}, Fields{Recurring: new(false)})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "RRULE:FREQ=WEEKLY") || strings.HasPrefix(l, "EXDATE")
	}) {
		t.Errorf("still recurs: %q", lines)
	}
}

func TestNewEventZone(t *testing.T) {
	known := &person{zone: mustZone(t, "Europe/Berlin"), zoneKnown: true}
	for _, c := range []struct {
		start, zone, want string
		p                 *person
	}{
		{"2027-07-01T09:00", "", "DTSTART;TZID=Europe/Berlin:20270701T090000", known},
		{"2027-07-01T09:00", "Asia/Tokyo", "DTSTART;TZID=Asia/Tokyo:20270701T090000", known},
		{"2027-07-01T09:00+02:00", "", "DTSTART;TZID=Europe/Berlin:20270701T090000", known},
		{"2027-07-01T09:00-04:00", "", "DTSTART:20270701T130000Z", known},
		{"2027-07-01T09:00Z", "Asia/Tokyo", "DTSTART;TZID=Asia/Tokyo:20270701T180000", known},
		{"2027-07-01T09:00", "", "DTSTART:20270701T090000Z", &person{zone: time.UTC}},
		{"2027-07-01T09:00", "W. Europe Standard Time", "DTSTART;TZID=Europe/Berlin:20270701T090000", known},
		{"2027-07-01", "", "DTSTART;VALUE=DATE:20270701", known},
	} {
		at, err := clockFor("test", c.zone, c.p)
		if err != nil {
			t.Fatal(err)
		}
		s, err := (&Fields{Start: &c.start}).fresh("test", at)
		if err != nil || s.start.Line("DTSTART").String() != c.want {
			t.Errorf("%s in %q: %s, %v, want %s", c.start, c.zone, s.start.Line("DTSTART"), err, c.want)
		}
	}
	at, err := clockFor("test", "", known)
	if err != nil {
		t.Fatal(err)
	}
	for end, want := range map[string]string{"": "2027-07-02", "2027-07-01": "2027-07-02", "2027-07-03": "2027-07-03", "2027-07-02T23:59": "2027-07-03"} {
		s, err := (&Fields{Start: new("2027-07-01"), End: &end}).fresh("test", at)
		if err != nil || s.end.String() != want {
			t.Errorf("until %q: %s, %v, want %s", end, s.end, err, want)
		}
	}
}

func TestReminders(t *testing.T) {
	all := []Reminder{
		{Action: "DISPLAY", MinutesBefore: new(10)},
		{Action: "EMAIL", Trigger: "-P1D", Related: "END", Description: "soon"},
		{Action: "AUDIO", TriggerAt: "2027-03-10T08:00:00Z"},
		{Action: "DISPLAY", Trigger: "PT5M"},
	}
	event := ical.NewComponent("VEVENT")
	event.SetText("SUMMARY", "x")
	if _, err := setReminders("test", event, all, "a@example.org", clock{loc: time.UTC}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all, readReminders(event)); d != "" {
		t.Error(d)
	}
	if n, err := setReminders("test", event, nil, "", clock{loc: time.UTC}); err != nil || n != 4 || len(event.Children("VALARM")) != 0 {
		t.Errorf("cleared %d, %v", n, err)
	}
}
