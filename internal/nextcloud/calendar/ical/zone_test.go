package ical

import (
	"strings"
	"testing"
	"time"
)

func utc(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func berlin(tb testing.TB) *time.Location {
	tb.Helper()
	return zone(tb, "Europe/Berlin")
}

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, ok := LoadZone(name)
	if !ok {
		tb.Fatalf("no zone %s", name)
	}
	return loc
}

// TestTimezone reads the definitions that are written back, and compares
// their offsets with the zone database, hour by hour around changes.
func TestTimezone(t *testing.T) {
	for _, name := range []string{
		"Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "America/Santiago", "Africa/Casablanca",
		"Europe/Dublin", "Asia/Jerusalem", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "Africa/Cairo", "Etc/GMT+5", "Asia/Tehran", "Australia/Lord_Howe",
	} {
		t.Run(name, func(t *testing.T) {
			loc := zone(t, name)
			for _, year := range []int{1995, 2027, 2033, 2040, 2068} {
				since := time.Date(year, 5, 1, 0, 0, 0, 0, time.UTC)
				def := Timezone("X", loc, since)
				own := customZone("X", def)
				if own == nil {
					t.Fatalf("the definition cannot be read: %q", def.Lines())
				}
				for at := since; at.Before(since.AddDate(10, 0, 0)); at = at.Add(17 * time.Hour) {
					_, want := at.In(loc).Zone()
					if _, got := at.In(own).Zone(); got != want {
						t.Fatalf("%s: offset %d, want %d\n%s", at, got, want, strings.Join(def.Lines(), "\n"))
					}
				}
			}
		})
	}
	rules := strings.Join(Timezone("Europe/Berlin", berlin(t), utc("2027-05-01T00:00:00Z")).Lines(), "\n")
	for _, want := range []string{"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "TZOFFSETTO:+0200", "TZNAME:CEST"} {
		if !strings.Contains(rules, want) {
			t.Errorf("no %s in\n%s", want, rules)
		}
	}
}

func TestZones(t *testing.T) {
	object, err := Parse([]byte(strings.Join([]string{
		"BEGIN:VCALENDAR",
		"BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", "DTSTART:20200101T000000", "TZOFFSETFROM:+0545", "TZOFFSETTO:+0545", "END:STANDARD", "END:VTIMEZONE",
		"BEGIN:VTIMEZONE", "TZID:Hint", "X-LIC-LOCATION:Asia/Tokyo", "END:VTIMEZONE",
		"BEGIN:VTIMEZONE", "TZID:Broken", "BEGIN:STANDARD", "DTSTART:x", "END:STANDARD", "END:VTIMEZONE",
		"END:VCALENDAR",
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	zones := NewZones(object)
	for tzid, want := range map[string]string{
		"Europe/Berlin": "+02:00", "W. Europe Standard Time": "+02:00", "/citadel.org/20210210_1/Europe/Berlin": "+02:00",
		"/freeassociation.sourceforge.net/America/Argentina/Salta": "-03:00", "Own": "+05:45", "Hint": "+09:00", "Eastern Standard Time": "-04:00",
	} {
		loc, ok := zones.Location(tzid)
		if !ok {
			t.Errorf("%s: not found", tzid)
			continue
		}
		if got := utc("2027-07-01T12:00:00Z").In(loc).Format("-07:00"); got != want {
			t.Errorf("%s: %s, want %s", tzid, got, want)
		}
	}
	for _, tzid := range []string{"", "Local", "Broken", "No/Such", "../../etc/passwd", "/etc/passwd", strings.Repeat("x", 1000)} {
		if loc, ok := zones.Location(tzid); ok {
			t.Errorf("%q: %s", tzid, loc)
		}
	}
	for name, iana := range windowsZones {
		if _, ok := loadIANA(iana); !ok {
			t.Errorf("%s: no zone %s", name, iana)
		}
	}
}

// TestResolve: RFC 5545, 3.3.5, on clock readings that are skipped or repeated.
func TestResolve(t *testing.T) {
	for wall, want := range map[string]string{
		"2027-03-28T01:59:00Z": "2027-03-28T00:59:00Z", "2027-03-28T02:30:00Z": "2027-03-28T01:30:00Z", "2027-03-28T03:00:00Z": "2027-03-28T01:00:00Z",
		"2027-10-31T02:30:00Z": "2027-10-31T00:30:00Z", "2027-10-31T03:00:00Z": "2027-10-31T02:00:00Z", "2027-07-01T12:00:00Z": "2027-07-01T10:00:00Z",
	} {
		if got := resolve(utc(wall), berlin(t)).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s is %s, want %s", wall, got, want)
		}
	}
}

func TestDefine(t *testing.T) {
	object, err := Parse([]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=Europe/Berlin:20270501T090000\nDTEND;TZID=America/New_York:20270501T090000\nEND:VEVENT\nEND:VCALENDAR"))
	if err != nil {
		t.Fatal(err)
	}
	if !Define(object) || Define(object) {
		t.Error("zones have to be defined once")
	}
	if n := len(object.Children("VTIMEZONE")); n != 2 {
		t.Errorf("%d zones", n)
	}
	if object.items[len(object.items)-1].comp.name != "VEVENT" {
		t.Error("zones stand behind the event")
	}
}
