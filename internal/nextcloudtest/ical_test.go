package nextcloudtest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestICalKeepsWhatItDoesNotKnow(t *testing.T) {
	text := event("e", "DTSTART;TZID=\"Europe/Berlin\":20261201T090000", "X-A;X-P=\"a:b;c\":value:with;all", "SUMMARY:"+strings.Repeat("ü", 60))
	calendar, err := parseICal(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseICal(calendar.String())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(calendar, again, cmp.AllowUnexported(icalComponent{}, icalLine{})); diff != "" {
		t.Errorf("a round trip changed it:\n%s", diff)
	}
	for line := range strings.SplitSeq(calendar.String(), "\r\n") {
		if len(line) > 75 {
			t.Errorf("line of %d octets: %q", len(line), line)
		}
	}
	x, _ := calendar.children[0].line("X-A")
	if x.param("x-p") != "a:b;c" || x.value != "value:with;all" {
		t.Errorf("X-A is %+v", x)
	}
}

func TestICalRefusals(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":  "",
		"vCard":    "BEGIN:VCARD\nEND:VCARD\n",
		"mismatch": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VTODO\nEND:VCALENDAR\n",
		"no colon": "BEGIN:VCALENDAR\nnonsense\nEND:VCALENDAR\n",
		"deep":     "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:X\n", 1000),
	} {
		if _, err := parseICal(text); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestICalDurations(t *testing.T) {
	from := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"PT15M":   from.Add(15 * time.Minute),
		"-PT1H":   from.Add(-time.Hour),
		"P1DT2H":  from.Add(26 * time.Hour),
		"+P2W":    from.AddDate(0, 0, 14),
		"-P1D":    from.AddDate(0, 0, -1),
		"PT1M30S": from.Add(90 * time.Second),
	} {
		d, ok := parseICalDuration(text)
		if !ok || !d.after(from).Equal(want) {
			t.Errorf("%s leads to %s, %t; want %s", text, d.after(from), ok, want)
		}
	}
	for _, text := range []string{"", "P", "15M", "P1H", "PT5", "P99999999999D"} {
		if _, ok := parseICalDuration(text); ok {
			t.Errorf("%q was accepted", text)
		}
	}
}

// A series keeps its local time when the clocks change, and its instances become UTC when expanded.
func TestExpandAcrossTheEndOfSummerTime(t *testing.T) {
	calendar, err := parseICal(event("s", "DTSTART;TZID=Europe/Berlin:20261019T090000", "DTEND;TZID=Europe/Berlin:20261019T100000",
		"RRULE:FREQ=WEEKLY;UNTIL=20261102T080000Z", "EXDATE;TZID=Europe/Berlin:20261109T090000"))
	if err != nil {
		t.Fatal(err)
	}
	expanded := calendar.expand(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	var got []string
	for _, e := range expanded.named("VEVENT") {
		got = append(got, e.value("DTSTART")+" "+e.value("RECURRENCE-ID"))
	}
	want := []string{"20261019T070000Z 20261019T070000Z", "20261026T080000Z 20261026T080000Z", "20261102T080000Z 20261102T080000Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("instances (-want +got):\n%s", diff)
	}
}

func TestZoneThatOnlyTheObjectKnows(t *testing.T) {
	calendar, err := parseICal("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Custom\nBEGIN:STANDARD\nTZOFFSETTO:+0330\nEND:STANDARD\nEND:VTIMEZONE\n" +
		"BEGIN:VEVENT\nUID:x\nDTSTART;TZID=Custom:20261201T090000\nEND:VEVENT\nEND:VCALENDAR\n")
	if err != nil {
		t.Fatal(err)
	}
	start, _, _ := calendar.zones().span(calendar.named("VEVENT")[0])
	if got, want := start.UTC().Format(icalUTCLayout), "20261201T053000Z"; got != want {
		t.Errorf("starts %s, want %s", got, want)
	}
}

func TestFreeBusyLeavesOutWhatTakesNoTime(t *testing.T) {
	parse := func(lines ...string) *icalComponent {
		calendar, err := parseICal(event("e", lines...))
		if err != nil {
			t.Fatal(err)
		}
		return calendar
	}
	objects := []*icalComponent{
		parse("DTSTART:20261201T090000Z", "DTEND:20261201T100000Z"),
		parse("DTSTART:20261201T093000Z", "DTEND:20261201T110000Z"),
		parse("DTSTART:20261201T120000Z", "DTEND:20261201T130000Z", "STATUS:TENTATIVE"),
		parse("DTSTART:20261201T140000Z", "DTEND:20261201T150000Z", "STATUS:CANCELLED"),
		parse("DTSTART:20261201T140000Z", "DTEND:20261201T150000Z", "TRANSP:TRANSPARENT"),
		parse("DTSTART:20261201T160000Z"),
	}
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	var got []string
	for _, line := range freeBusy(objects, day, day.AddDate(0, 0, 1), day).children[0].lines {
		if line.name == "FREEBUSY" {
			got = append(got, line.params+line.value)
		}
	}
	want := []string{"20261201T090000Z/20261201T110000Z", ";FBTYPE=BUSY-TENTATIVE20261201T120000Z/20261201T130000Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("busy (-want +got):\n%s", diff)
	}
}

func TestRulesWithoutInstancesEnd(t *testing.T) {
	for _, rule := range []string{
		"FREQ=SECONDLY;INTERVAL=7;BYSECOND=1;BYMINUTE=2;BYHOUR=4;BYYEARDAY=366;BYMONTH=1",
		"FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=3",
		"FREQ=HOURLY;INTERVAL=24;BYHOUR=5",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
	} {
		calendar, err := parseICal(event("e", "DTSTART:20260101T000000Z", "RRULE:"+rule))
		if err != nil {
			t.Fatal(err)
		}
		if got := calendar.zones().starts(calendar.children[0], farFuture); len(got) != 1 {
			t.Errorf("%s: %d instances, want DTSTART alone", rule, len(got))
		}
	}
}
