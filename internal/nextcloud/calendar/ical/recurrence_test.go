package ical

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func series(tb testing.TB, lines ...string) *Series {
	tb.Helper()
	object, err := Parse([]byte("BEGIN:VCALENDAR\n" + strings.Join(lines, "\n") + "\nEND:VCALENDAR"))
	if err != nil {
		tb.Fatal(err)
	}
	s, err := NewSeries(object, "VEVENT")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func event(lines ...string) []string {
	return append(append([]string{"BEGIN:VEVENT", "UID:1"}, lines...), "END:VEVENT")
}

func starts(tb testing.TB, s *Series, from, to string) []string {
	tb.Helper()
	list, err := s.Expand(utc(from+"T00:00:00Z"), utc(to+"T00:00:00Z"), berlin(tb))
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, o := range list {
		out = append(out, o.Start.String())
	}
	return out
}

func TestExpand(t *testing.T) {
	const in = "DTSTART;TZID=Europe/Berlin:"
	for _, c := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{
			"over the change of the clock",
			[]string{in + "20271029T090000", "RRULE:FREQ=DAILY;COUNT=4"},
			[]string{"2027-10-29T09:00:00+02:00", "2027-10-30T09:00:00+02:00", "2027-10-31T09:00:00+01:00", "2027-11-01T09:00:00+01:00"},
		},
		{
			"last Friday",
			[]string{in + "20270129T090000", "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"},
			[]string{"2027-01-29T09:00:00+01:00", "2027-02-26T09:00:00+01:00", "2027-03-26T09:00:00+01:00"},
		},
		{
			"until in UTC, inclusive",
			[]string{in + "20270101T090000", "RRULE:FREQ=DAILY;UNTIL=20270103T080000Z"},
			[]string{"2027-01-01T09:00:00+01:00", "2027-01-02T09:00:00+01:00", "2027-01-03T09:00:00+01:00"},
		},
		{
			"until a day",
			[]string{in + "20270101T090000", "RRULE:FREQ=DAILY;UNTIL=20270102"},
			[]string{"2027-01-01T09:00:00+01:00", "2027-01-02T09:00:00+01:00"},
		},
		{
			"start does not fit the rule",
			[]string{in + "20270105T090000", "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3"},
			[]string{"2027-01-05T09:00:00+01:00", "2027-01-06T09:00:00+01:00", "2027-01-13T09:00:00+01:00"},
		},
		{
			"excluded in UTC, added",
			[]string{in + "20270101T090000", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20270102T080000Z", "RDATE;TZID=Europe/Berlin:20270110T120000"},
			[]string{"2027-01-01T09:00:00+01:00", "2027-01-03T09:00:00+01:00", "2027-01-10T12:00:00+01:00"},
		},
		{
			"excluded by the day",
			[]string{in + "20270101T090000", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20270102,20270103"},
			[]string{"2027-01-01T09:00:00+01:00"},
		},
		{"all-day", []string{"DTSTART;VALUE=DATE:20280229", "RRULE:FREQ=YEARLY;COUNT=2"}, []string{"2028-02-29", "2032-02-29"}},
		{"floating", []string{"DTSTART:20270101T090000", "RRULE:FREQ=DAILY;COUNT=2"}, []string{"2027-01-01T09:00:00", "2027-01-02T09:00:00"}},
		{
			"hours with a filter",
			[]string{"DTSTART:20270101T090000Z", "RRULE:FREQ=HOURLY;INTERVAL=4;BYHOUR=9,13;COUNT=3"},
			[]string{"2027-01-01T09:00:00Z", "2027-01-01T13:00:00Z", "2027-01-02T09:00:00Z"},
		},
		{"Windows zone", []string{"DTSTART;TZID=W. Europe Standard Time:20270701T090000", "RRULE:FREQ=DAILY;COUNT=1"}, []string{"2027-07-01T09:00:00+02:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, starts(t, series(t, event(c.lines...)...), "2026-01-01", "2040-01-01")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestExpandOverrides(t *testing.T) {
	s := series(t, slices.Concat(
		event("DTSTART;TZID=Europe/Berlin:20270104T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=6", "SUMMARY:a"),
		event("RECURRENCE-ID:20270105T080000Z", "DTSTART:20270201T100000Z", "DTEND:20270201T110000Z", "SUMMARY:far"),
		event("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20270107T090000", "DTSTART;TZID=Europe/Berlin:20270107T110000", "DURATION:PT2H", "SUMMARY:late"),
	)...)
	want := []string{"2027-01-04T09:00:00+01:00", "2027-01-06T09:00:00+01:00", "2027-01-07T11:00:00+01:00", "2027-01-08T11:00:00+01:00", "2027-01-09T11:00:00+01:00", "2027-02-01T10:00:00Z"}
	if d := cmp.Diff(want, starts(t, s, "2027-01-01", "2027-03-01")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"2027-02-01T10:00:00Z"}, starts(t, s, "2027-02-01", "2027-02-02")); d != "" {
		t.Errorf("moved into the window: %s", d)
	}
	occ, ok, err := s.Find(UTCOf(utc("2027-01-08T08:00:00Z")), berlin(t))
	if err != nil || !ok || occ.Component.Text("SUMMARY") != "late" || occ.End.String() != "2027-01-08T13:00:00+01:00" {
		t.Errorf("found %+v %v %v", occ, ok, err)
	}
	if _, ok, _ := s.Find(UTCOf(utc("2027-01-08T08:30:00Z")), berlin(t)); ok {
		t.Error("found what is not there")
	}
}

// TestSplit: the two halves of a series have together what it had.
func TestSplit(t *testing.T) {
	for name, lines := range map[string][]string{
		"count":    event("DTSTART;TZID=Europe/Berlin:20271001T090000", "DTEND;TZID=Europe/Berlin:20271001T100000", "RRULE:FREQ=DAILY;COUNT=40", "EXDATE;TZID=Europe/Berlin:20271003T090000,20271020T090000", "RDATE;TZID=Europe/Berlin:20271002T150000", "RDATE;TZID=Europe/Berlin:20271130T150000"),
		"until":    event("DTSTART:20271001T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20271201T000000Z"),
		"days":     event("DTSTART;VALUE=DATE:20271001", "RRULE:FREQ=DAILY;INTERVAL=3;COUNT=15"),
		"floating": event("DTSTART:20271001T090000", "RRULE:FREQ=DAILY;COUNT=30"),
		"overrides": slices.Concat(event("DTSTART:20271001T090000Z", "RRULE:FREQ=DAILY;COUNT=30"),
			event("RECURRENCE-ID:20271005T090000Z", "DTSTART:20271005T120000Z"), event("RECURRENCE-ID:20271021T090000Z", "DTSTART:20271021T120000Z")),
	} {
		t.Run(name, func(t *testing.T) {
			whole := starts(t, series(t, lines...), "2027-09-01", "2028-03-01")
			ids, err := series(t, lines...).Dates(utc("2028-03-01T00:00:00Z"), berlin(t), false)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids[1:] {
				head := series(t, lines...)
				tail, err := head.Tail(id, "2", berlin(t))
				if added := strings.Contains(id.Value(), "T150000"); added {
					if err == nil {
						t.Errorf("split at %s, which the rule does not know", id)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := head.Shorten(id, berlin(t)); err != nil {
					t.Fatal(err)
				}
				both := append(starts(t, head, "2027-09-01", "2028-03-01"), starts(t, tail, "2027-09-01", "2028-03-01")...)
				if d := cmp.Diff(whole, both); d != "" {
					t.Fatalf("split at %s: %s\nhead %q\ntail %q", id, d, head.Object.Lines(), tail.Object.Lines())
				}
				for _, c := range append(tail.Overrides, tail.Master) {
					if c.Text("UID") != "2" {
						t.Errorf("uid %s", c.Text("UID"))
					}
				}
			}
		})
	}
}

// TestHostileRules: no rule takes long, whatever it says.
func TestHostileRules(t *testing.T) {
	for _, rule := range []string{
		"FREQ=SECONDLY", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=HOURLY;INTERVAL=24;BYHOUR=5", "FREQ=MINUTELY;BYHOUR=25", "FREQ=SECONDLY;INTERVAL=2;BYSECOND=1",
		"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
		"FREQ=YEARLY;INTERVAL=9999", "FREQ=DAILY;INTERVAL=2147483647", "FREQ=DAILY;COUNT=2147483647", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYMONTH=6", "FREQ=DAILY;BYSETPOS=366",
		"FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1", "FREQ=DAILY;UNTIL=99991231T235959Z", "FREQ=YEARLY;BYHOUR=" + all(24) + ";BYMINUTE=" + all(60) + ";BYSECOND=" + all(60) + ";BYDAY=MO,TU,WE,TH,FR,SA,SU",
	} {
		t.Run(rule[:min(40, len(rule))], func(t *testing.T) {
			s := series(t, event("DTSTART:19700101T090000Z", "RRULE:"+rule)...)
			began := time.Now()
			_, _ = s.Expand(utc("2027-01-01T00:00:00Z"), utc("2027-02-01T00:00:00Z"), time.UTC)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func all(n int) string {
	var s []string
	for i := range n {
		s = append(s, strconv.Itoa(i))
	}
	return strings.Join(s, ",")
}

func TestParseRule(t *testing.T) {
	for in, want := range map[string]string{
		"FREQ=WEEKLY;BYDAY=MO": "FREQ=WEEKLY;BYDAY=MO", "rrule:freq=daily;count=3;": "FREQ=DAILY;COUNT=3", "COUNT=2; FREQ=DAILY": "COUNT=2;FREQ=DAILY",
	} {
		r, err := ParseRule(in)
		if err != nil || r.String() != want {
			t.Errorf("%s = %v, %v", in, r, err)
		}
	}
	for _, in := range []string{
		"", "WEEKLY", "FREQ=SOMETIMES", "BYDAY=MO", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=DAILY;FREQ=DAILY",
		"FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;UNTIL=soon", "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;DTSTART=20270101", "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=DAILY;FOO=1", "FREQ=DAILY;COUNT=-1",
	} {
		if r, err := ParseRule(in); err == nil {
			t.Errorf("%q = %s", in, r)
		}
	}
}

func FuzzRRule(f *testing.F) {
	for _, s := range []string{
		"FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10", "FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20281231T235959Z", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "FREQ=HOURLY;INTERVAL=24;BYHOUR=5",
		"FREQ=SECONDLY;BYSECOND=59", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR", "FREQ=YEARLY;BYYEARDAY=-1,366", "RRULE:FREQ=DAILY;BYHOUR=0,12;BYMINUTE=0,30",
	} {
		f.Add(s, int64(1_800_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		rule, err := ParseRule(text)
		if err != nil {
			return
		}
		again, err := ParseRule(rule.String())
		if err != nil || again.String() != rule.String() {
			t.Fatalf("%q written as %q: %v", text, rule, err)
		}
		start := time.Unix(unix%4_000_000_000, 0).UTC()
		began := time.Now()
		walls := rule.walls(start, start.AddDate(1, 0, 0), func(w time.Time) time.Time { return w }, 1000)
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%q took %s", text, took)
		}
		if len(walls) > 1000 || !slices.IsSortedFunc(walls, time.Time.Compare) {
			t.Fatalf("%q gave %d times, sorted %v", text, len(walls), slices.IsSortedFunc(walls, time.Time.Compare))
		}
		if n := rule.Count(); n > 0 && len(walls) > n {
			t.Fatalf("%q gave %d times", text, len(walls))
		}
	})
}
