package calendar

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// taskOf is a task as another program would write it.
func taskOf(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
}

// newTasks is a Nextcloud whose calendar personal takes tasks, at today, which
// is the evening of a Wednesday in Berlin.
func newTasks(t *testing.T, objects ...string) (*fake, *Tasks) {
	t.Helper()
	f, c := newFake(t, objects...)
	f.home = regexp.MustCompile(`(<[a-z0-9]+:comp name=")VEVENT"`).ReplaceAllString(f.home, `${1}VTODO"`)
	return f, &Tasks{c: c}
}

// corpus are tasks as real programs write them.
func corpus(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/tasks/*.ics")
	if err != nil || len(files) < 15 {
		t.Fatal(files, err)
	}
	out := map[string]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".ics")] = string(b)
	}
	return out
}

func uidIn(t *testing.T, data string) string {
	t.Helper()
	root, err := ical.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ical.NewSeries(root, kindTask)
	if err != nil {
		t.Fatal(err)
	}
	return s.First().Text("UID")
}

// edits are changes and the properties that each may touch.
var edits = []struct {
	name    string
	fields  TaskFields
	touches []string
}{
	{"title", TaskFields{Title: new("Neu, anders; \\ 🎉")}, []string{"SUMMARY"}},
	{"notes", TaskFields{Description: new("Zeile\nZeile")}, []string{"DESCRIPTION"}},
	{"no notes", TaskFields{Description: new("")}, []string{"DESCRIPTION"}},
	{"place", TaskFields{Location: new("Köln")}, []string{"LOCATION"}},
	{"categories", TaskFields{Categories: new("x, y")}, []string{"CATEGORIES"}},
	{"priority", TaskFields{Priority: new("high")}, []string{"PRIORITY"}},
	{"no priority", TaskFields{Priority: new("0")}, []string{"PRIORITY"}},
	{"url", TaskFields{URL: new("https://example.org/x,y;z")}, []string{"URL"}},
	{"class", TaskFields{Privacy: new("PRIVATE")}, []string{"CLASS"}},
	{"started", TaskFields{Percent: new(60), Status: new("IN-PROCESS")}, []string{"STATUS", "PERCENT-COMPLETE", "COMPLETED"}},
	{"open", TaskFields{Status: new("NEEDS-ACTION")}, []string{"STATUS", "PERCENT-COMPLETE", "COMPLETED"}},
	{"cancelled", TaskFields{Status: new("CANCELLED")}, []string{"STATUS", "COMPLETED"}},
	{"order", TaskFields{SortOrder: new(7)}, []string{"X-APPLE-SORT-ORDER"}},
	{"both dates", TaskFields{Start: new("2027-04-01"), Due: new("2027-04-02")}, []string{"DTSTART", "DUE", "DURATION"}},
	{"both times", TaskFields{Start: new("2027-04-01T10:00"), Due: new("2027-04-01T12:00"), TimeZone: new("Europe/Berlin")}, []string{"DTSTART", "DUE", "DURATION", "VTIMEZONE"}},
	{"no dates", TaskFields{Start: new(""), Due: new(""), Rule: new("")}, []string{"DTSTART", "DUE", "DURATION", "RRULE", "EXDATE"}},
	{"done", TaskFields{Status: new("COMPLETED")}, []string{"STATUS", "PERCENT-COMPLETE", "COMPLETED", "DTSTART", "DUE", "RRULE", "SECOND"}},
}

// stamps are what every change touches.
var stamps = []string{"DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}

// TestTasksLossless: after random edits everything that was not asked to
// change is as it was, in its order.
func TestTasksLossless(t *testing.T) {
	for name, data := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			uid := uidIn(t, data)
			for seed := range uint64(25) {
				f, tasks := newTasks(t, data)
				dice := rand.New(rand.NewPCG(seed, 1))
				touched, did := slices.Clone(stamps), []string{}
				for range 1 + dice.IntN(3) {
					e := edits[dice.IntN(len(edits))]
					_, err := tasks.Update(t.Context(), TaskTarget{Calendar: "personal", UID: uid}, e.fields)
					if errors.Is(err, nextcloud.ErrInvalid) {
						continue // refused: nothing may have changed
					}
					if err != nil {
						t.Fatalf("%s: %v", e.name, err)
					}
					touched, did = append(touched, e.touches...), append(did, e.name)
				}
				after := f.objects[personal+"0.ics"]
				if d := cmp.Diff(untouched(t, data, data, touched), untouched(t, data, after, touched)); d != "" {
					t.Fatalf("seed %d, %q:\n%s", seed, did, d)
				}
				if len(did) == 0 && after != data {
					t.Fatalf("seed %d: changed by refusals only", seed)
				}
				if _, err := tasks.Get(t.Context(), TaskTarget{Calendar: "personal", UID: uid}, true); err != nil {
					t.Fatalf("seed %d, %q: cannot be read any more: %v", seed, did, err)
				}
			}
		})
	}
}

// untouched are the lines of an object that changes of the named properties
// leave alone. A zone that known only names may have got its definition.
func untouched(t *testing.T, known, data string, touched []string) []string {
	t.Helper()
	root, err := ical.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range root.Children("VTIMEZONE") {
		if slices.Contains(touched, "VTIMEZONE") || !strings.Contains(known, "\nTZID:"+z.Prop("TZID").Value()) {
			root.RemoveChild(z)
		}
	}
	todos := root.Children(kindTask)
	for i, c := range todos {
		if slices.Contains(touched, "SECOND") && i > 0 && c.Prop("RECURRENCE-ID") != nil {
			root.RemoveChild(c) // an occurrence of its own may have been added
		}
		for _, name := range touched {
			c.Remove(name)
		}
	}
	return root.Lines()
}

// TestCorpusIsRead: what other programs write is understood.
func TestCorpusIsRead(t *testing.T) {
	type seen struct {
		Status, Due string
		Percent     int
		Priority    int
		Missed      int
		Overdue     bool
	}
	want := map[string]seen{
		"nextcloud":          {"IN-PROCESS", "2027-03-31", 40, 1, 0, false},
		"nextcloud-subtask":  {"NEEDS-ACTION", "", 0, 0, 0, false},
		"apple-reminder":     {"NEEDS-ACTION", "2027-03-12T18:00:00+01:00", 0, 5, 0, false},
		"apple-location":     {"NEEDS-ACTION", "", 0, 0, 0, false},
		"apple-recurring":    {"NEEDS-ACTION", "2027-03-05", 0, 0, 0, true},
		"thunderbird":        {"IN-PROCESS", "2027-03-12T17:00:00+01:00", 20, 0, 0, false},
		"thunderbird-series": {"NEEDS-ACTION", "2027-03-05T16:00:00Z", 0, 0, 0, true},
		"tasksorg":           {"NEEDS-ACTION", "2027-03-10", 0, 9, 0, false},
		"opentasks":          {"NEEDS-ACTION", "2027-03-06T12:30:00+01:00", 0, 0, 0, true},
		"jtx":                {"IN-PROCESS", "2027-03-18T08:00:00+01:00", 100, 3, 0, false},
		"evolution":          {"NEEDS-ACTION", "2027-04-01T12:00:00+01:00", 0, 7, 0, false},
		"completed-only":     {"COMPLETED", "", 100, 0, 0, false},
		"percent-mismatch":   {"COMPLETED", "2027-01-05T09:00:00", 100, 0, 0, false},
		"cancelled":          {"CANCELLED", "2027-05-01", 0, 0, 0, false},
		"monthly-count":      {"IN-PROCESS", "2027-03-03T17:00:00-05:00", 30, 0, 1, true},
		"folded":             {"NEEDS-ACTION", "", 0, 0, 0, false},
		"planner":            {"NEEDS-ACTION", "2027-03-11T07:00:00", 0, 0, 0, false},
		"korganizer":         {"NEEDS-ACTION", "2027-03-08T09:00:00Z", 0, 0, 2, true},
	}
	for name, data := range corpus(t) {
		_, tasks := newTasks(t, data)
		page, err := tasks.List(t.Context(), TaskQuery{Calendar: "personal", View: ViewAll})
		if err != nil || len(page.Tasks) != 1 {
			t.Errorf("%s: %+v, %v", name, page, err)
			continue
		}
		g := page.Tasks[0]
		if d := cmp.Diff(want[name], seen{g.Status, g.Due, g.PercentComplete, g.Priority, g.Missed, g.Overdue}); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// completed is a task after it was completed, without the stamps of the change.
func completed(t *testing.T, src string) (lines []string, note string, err error) {
	t.Helper()
	f, tasks := newTasks(t, src)
	w, err := tasks.Complete(t.Context(), TaskTarget{Calendar: "personal", UID: "w"}, "", "")
	if err == nil {
		note = w.Note
	}
	lines = strings.Split(strings.TrimSpace(strings.ReplaceAll(f.objects[personal+"0.ics"], "\r", "")), "\n")
	return slices.DeleteFunc(lines, func(l string) bool {
		return slices.ContainsFunc(stamps, func(s string) bool { return strings.HasPrefix(l, s) })
	}), note, err
}

func TestCompleteRecurring(t *testing.T) {
	for _, c := range []struct {
		name string
		src  []string
		want []string
		not  []string
		note string
	}{
		{
			"not recurring",
			[]string{"DUE;VALUE=DATE:20270301", "STATUS:NEEDS-ACTION"},
			[]string{"STATUS:COMPLETED", "PERCENT-COMPLETE:100", "COMPLETED:20270310T223000Z", "DUE;VALUE=DATE:20270301"},
			nil, "",
		},
		{
			"weekly",
			[]string{"DTSTART;TZID=Europe/Berlin:20270308T090000", "DUE;TZID=Europe/Berlin:20270309T120000", "RRULE:FREQ=WEEKLY", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:50"},
			[]string{"DTSTART;TZID=Europe/Berlin:20270315T090000", "DUE;TZID=Europe/Berlin:20270316T120000", "STATUS:NEEDS-ACTION", "RRULE:FREQ=WEEKLY"},
			[]string{"COMPLETED", "PERCENT-COMPLETE"},
			"2027-03-08T09:00:00+01:00 is done, the next one is of 2027-03-15T09:00:00+01:00",
		},
		{
			"over the change of the clock",
			[]string{"DTSTART;TZID=Europe/Berlin:20270308T090000", "DUE:20270308T090000Z", "RRULE:FREQ=WEEKLY;INTERVAL=3"},
			[]string{"DTSTART;TZID=Europe/Berlin:20270329T090000", "DUE:20270329T080000Z"},
			nil, "",
		},
		{
			"missed ones are passed over",
			[]string{"DUE;VALUE=DATE:20270301", "RRULE:FREQ=DAILY"},
			[]string{"DUE;VALUE=DATE:20270311"},
			[]string{"DTSTART"},
			"9 earlier ones",
		},
		{
			"count",
			[]string{"DTSTART;VALUE=DATE:20270306", "DUE;VALUE=DATE:20270307", "RRULE:FREQ=DAILY;INTERVAL=2;COUNT=5", "EXDATE;VALUE=DATE:20270312"},
			[]string{"DTSTART;VALUE=DATE:20270314", "DUE;VALUE=DATE:20270315", "RRULE:FREQ=DAILY;INTERVAL=2;COUNT=1"},
			nil, "",
		},
		{
			"done before it begins",
			[]string{"DTSTART;VALUE=DATE:20270401", "RRULE:FREQ=MONTHLY"},
			[]string{"DTSTART;VALUE=DATE:20270501"},
			nil, "2027-04-01 is done",
		},
		{
			"the last one",
			[]string{"DTSTART;VALUE=DATE:20270308", "RRULE:FREQ=DAILY;UNTIL=20270310"},
			[]string{"STATUS:COMPLETED", "RRULE:FREQ=DAILY;UNTIL=20270310"},
			nil, "last one",
		},
		{
			"31st",
			[]string{"DUE;VALUE=DATE:20270131", "RRULE:FREQ=MONTHLY"},
			[]string{"DUE;VALUE=DATE:20270331"},
			nil, "",
		},
		{
			"duration",
			[]string{"DTSTART:20270310T100000Z", "DURATION:PT2H", "RRULE:FREQ=DAILY"},
			[]string{"DTSTART:20270311T100000Z", "DURATION:PT2H"},
			[]string{"DUE"},
			"",
		},
		{
			"changed occurrences",
			[]string{"DTSTART:20270301T100000Z", "DUE:20270301T110000Z", "SUMMARY:x", "RRULE:FREQ=WEEKLY", "END:VTODO", "BEGIN:VTODO", "UID:w", "RECURRENCE-ID:20270301T100000Z", "DTSTART:20270301T100000Z", "STATUS:COMPLETED"},
			[]string{"DTSTART:20270301T100000Z", "RRULE:FREQ=WEEKLY", "RECURRENCE-ID:20270301T100000Z", "RECURRENCE-ID:20270308T100000Z", "DUE:20270308T110000Z", "COMPLETED:20270310T223000Z"},
			nil, "2027-03-15T10:00:00Z",
		},
		{
			"added occurrences",
			[]string{"DTSTART:20270301T100000Z", "RRULE:FREQ=MONTHLY", "RDATE:20270305T100000Z"},
			[]string{"DTSTART:20270301T100000Z", "RECURRENCE-ID:20270305T100000Z"},
			nil, "2027-04-01T10:00:00Z",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, note, err := completed(t, taskOf(append([]string{"UID:w"}, c.src...)...))
			if err != nil {
				t.Fatal(err)
			}
			has(t, lines, c.want...)
			for _, n := range c.not {
				if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, n) }) {
					t.Errorf("%s in %q", n, lines)
				}
			}
			if !strings.Contains(note, c.note) {
				t.Errorf("note %q, want %q", note, c.note)
			}
		})
	}
	src := taskOf("UID:w", "DUE;VALUE=DATE:20270301", "RRULE:FREQ=SOMETIMES")
	if lines, _, err := completed(t, src); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("a rule that nobody can read: %v %q", err, lines)
	}
}

// TestCompleteTwice: completing on and on goes through the rest of the series
// as the rule gives it, and ends.
func TestCompleteTwice(t *testing.T) {
	for _, rule := range []string{"FREQ=WEEKLY;BYDAY=MO,TH;COUNT=9", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=7", "FREQ=DAILY;INTERVAL=2;UNTIL=20270330T090000Z", "FREQ=YEARLY;COUNT=3"} {
		for _, start := range []string{"DTSTART:20270311T090000Z\r\nDUE:20270311T100000Z", "DUE:20270311T090000Z"} {
			src := taskOf("UID:w", start, "RRULE:"+rule, "EXDATE:20270315T090000Z")
			root, err := ical.Parse([]byte(strings.Replace(src, "DUE:20270311T09", "DTSTART:20270311T09", 1)))
			if err != nil {
				t.Fatal(err)
			}
			series, err := ical.NewSeries(root, kindTask)
			if err != nil {
				t.Fatal(err)
			}
			all, err := series.Dates(today.AddDate(20, 0, 0), time.UTC, false)
			if err != nil {
				t.Fatal(err)
			}
			var want, got []string
			for _, d := range all {
				want = append(want, d.String())
			}
			_, tasks := newTasks(t, src)
			for range len(all) + 3 {
				task, err := tasks.Get(t.Context(), TaskTarget{Calendar: "personal", UID: "w"}, false)
				if err != nil {
					t.Fatal(err)
				}
				if closed(task.Status) {
					break
				}
				at := task.Start
				if at == "" {
					at = task.Due
				}
				got = append(got, at)
				if _, err := tasks.Complete(t.Context(), TaskTarget{Calendar: "personal", UID: "w"}, "", ""); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s from %s:\n%s", rule, start, d)
			}
		}
	}
}

// updated is a task after a change, without the stamps of the change.
func updated(t *testing.T, src string, f TaskFields) (lines []string, err error) {
	t.Helper()
	fake, tasks := newTasks(t, src)
	_, err = tasks.Update(t.Context(), TaskTarget{Calendar: "personal", UID: "w"}, f)
	lines = strings.Split(strings.TrimSpace(strings.ReplaceAll(fake.objects[personal+"0.ics"], "\r", "")), "\n")
	return lines, err
}

func TestTaskTimes(t *testing.T) {
	none := taskOf("UID:w", "SUMMARY:x")
	days := taskOf("UID:w", "DTSTART;VALUE=DATE:20270310", "DUE;VALUE=DATE;X-P=1:20270312")
	tokyo := taskOf("UID:w", "DUE;TZID=Asia/Tokyo:20270312T090000")
	utc := taskOf("UID:w", "DUE:20270312T090000Z")
	floating := taskOf("UID:w", "DUE:20270312T090000")
	lasting := taskOf("UID:w", "DTSTART:20270312T090000Z", "DURATION:PT2H")
	for _, c := range []struct {
		name, src string
		f         TaskFields
		want      []string
	}{
		{"a day", none, TaskFields{Due: new("2027-04-01")}, []string{"DUE;VALUE=DATE:20270401"}},
		{"the person's clock", none, TaskFields{Due: new("2027-04-01T18:00")}, []string{"DUE;TZID=Europe/Berlin:20270401T180000", "TZID:Europe/Berlin"}},
		{"another clock", none, TaskFields{Due: new("2027-04-01T18:00"), TimeZone: new("America/New_York")}, []string{"DUE;TZID=America/New_York:20270401T180000"}},
		{"an offset", none, TaskFields{Due: new("2027-04-01T18:00-04:00")}, []string{"DUE:20270401T220000Z"}},
		{"days stay days", days, TaskFields{Due: new("2027-03-15")}, []string{"DUE;VALUE=DATE;X-P=1:20270315"}},
		{"days to times", days, TaskFields{Start: new("2027-03-10T08:00"), Due: new("2027-03-12T10:00")}, []string{"DTSTART;TZID=Europe/Berlin:20270310T080000", "DUE;X-P=1;TZID=Europe/Berlin:20270312T100000"}},
		{"no start", days, TaskFields{Start: new("")}, []string{"DUE;VALUE=DATE;X-P=1:20270312"}},
		{"own zone", tokyo, TaskFields{Due: new("2027-03-13T10:00")}, []string{"DUE;TZID=Asia/Tokyo:20270313T100000"}},
		{"own zone with an offset", tokyo, TaskFields{Due: new("2027-03-13T10:00Z")}, []string{"DUE;TZID=Asia/Tokyo:20270313T190000"}},
		{"a start in the zone of due", tokyo, TaskFields{Start: new("2027-03-11T10:00")}, []string{"DTSTART;TZID=Asia/Tokyo:20270311T100000"}},
		{"UTC, the person's clock", utc, TaskFields{Due: new("2027-03-13T10:00")}, []string{"DUE:20270313T090000Z"}},
		{"floating floats", floating, TaskFields{Due: new("2027-03-13T10:00")}, []string{"DUE:20270313T100000"}},
		{"as long as before", lasting, TaskFields{Start: new("2027-03-13T09:00Z"), Due: new("2027-03-13T11:00Z")}, []string{"DTSTART:20270313T090000Z", "DURATION:PT2H"}},
		{"another due", lasting, TaskFields{Due: new("2027-03-13T12:00Z")}, []string{"DTSTART:20270312T090000Z", "DUE:20270313T120000Z"}},
		{"duration without start", lasting, TaskFields{Start: new("")}, []string{"DUE:20270312T110000Z"}},
		{"a rule", utc, TaskFields{Rule: new("FREQ=WEEKLY"), RuleEnd: new("2027-05-01")}, []string{"RRULE:FREQ=WEEKLY;UNTIL=20270501T215959Z", "DTSTART:20270312T090000Z"}},
		{"a start that is the due time", taskOf("UID:w", "DTSTART:20270312T090000Z", "DUE:20270312T090000Z"), TaskFields{Due: new("2027-03-01")}, []string{"DTSTART;VALUE=DATE:20270301", "DUE;VALUE=DATE:20270301"}},
		{"a reminder before due", utc, TaskFields{Reminders: &[]Reminder{{MinutesBefore: new(5)}}}, []string{"TRIGGER;RELATED=END:-PT5M"}},
		{"a reminder at a moment", none, TaskFields{Reminders: &[]Reminder{{TriggerAt: "2027-03-11T08:00"}}}, []string{"TRIGGER;VALUE=DATE-TIME:20270311T070000Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, err := updated(t, c.src, c.f)
			if err != nil {
				t.Fatal(err)
			}
			has(t, lines, c.want...)
			if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "DURATION") }) && slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "DUE") }) {
				t.Errorf("both DUE and DURATION: %q", lines)
			}
		})
	}
	series := taskOf("UID:w", "DUE:20270312T090000Z", "RRULE:FREQ=DAILY")
	for name, c := range map[string]struct {
		src string
		f   TaskFields
	}{
		"a time for days":       {days, TaskFields{Due: new("2027-03-12T10:00")}},
		"due before start":      {days, TaskFields{Due: new("2027-03-01")}},
		"no date for a series":  {series, TaskFields{Due: new("")}},
		"a rule without a date": {none, TaskFields{Rule: new("FREQ=DAILY")}},
		"reminder without due":  {none, TaskFields{Reminders: &[]Reminder{{MinutesBefore: new(5)}}}},
		"zone alone":            {utc, TaskFields{TimeZone: new("Asia/Tokyo")}},
		"unknown zone":          {utc, TaskFields{Due: new("2027-03-12T10:00"), TimeZone: new("X/Y")}},
		"bad date":              {utc, TaskFields{Due: new("soon")}},
		"bomb":                  {utc, TaskFields{Rule: new("FREQ=SECONDLY;BYSETPOS=1")}},
		"status":                {utc, TaskFields{Status: new("DONE")}},
		"percent":               {utc, TaskFields{Percent: new(101)}},
		"contradiction":         {utc, TaskFields{Percent: new(10), Status: new("COMPLETED")}},
		"completed but open":    {utc, TaskFields{Completed: new("2027-03-01"), Status: new("NEEDS-ACTION")}},
		"priority":              {utc, TaskFields{Priority: new("very")}},
		"title":                 {utc, TaskFields{Title: new(" ")}},
		"url":                   {utc, TaskFields{URL: new("nowhere")}},
		"no parent":             {utc, TaskFields{Parent: new("nobody")}},
		"own parent":            {utc, TaskFields{Parent: new("w")}},
		"nothing":               {utc, TaskFields{}},
	} {
		if lines, err := updated(t, c.src, c.f); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%s: %v\n%q", name, err, lines)
		} else if strings.Join(lines, "\r\n")+"\r\n" != c.src {
			t.Errorf("%s: refused but changed", name)
		}
	}
}

func TestTaskStatus(t *testing.T) {
	done := taskOf("UID:w", "STATUS:COMPLETED", "COMPLETED:20270101T000000Z", "PERCENT-COMPLETE:100")
	open := taskOf("UID:w", "PERCENT-COMPLETE:20")
	for _, c := range []struct {
		name, src string
		f         TaskFields
		want, not string
	}{
		{"percent starts", open, TaskFields{Percent: new(50)}, "STATUS:IN-PROCESS PERCENT-COMPLETE:50", "COMPLETED"},
		{"percent ends", open, TaskFields{Percent: new(100)}, "STATUS:COMPLETED PERCENT-COMPLETE:100 COMPLETED:20270310T223000Z", "-"},
		{"when", open, TaskFields{Completed: new("2027-03-09T12:00")}, "STATUS:COMPLETED COMPLETED:20270309T110000Z", "-"},
		{"open again", done, TaskFields{Status: new("NEEDS-ACTION")}, "STATUS:NEEDS-ACTION", "COMPLETED PERCENT-COMPLETE"},
		{"back to half", done, TaskFields{Percent: new(50)}, "STATUS:IN-PROCESS PERCENT-COMPLETE:50", "COMPLETED"},
		{"back to nothing", done, TaskFields{Percent: new(0)}, "STATUS:NEEDS-ACTION", "COMPLETED PERCENT-COMPLETE"},
		{"cancelled", done, TaskFields{Status: new("CANCELLED")}, "STATUS:CANCELLED PERCENT-COMPLETE:100", "COMPLETED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, err := updated(t, c.src, c.f)
			if err != nil {
				t.Fatal(err)
			}
			has(t, lines, strings.Fields(c.want)...)
			for n := range strings.FieldsSeq(c.not) {
				if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, n+":") }) {
					t.Errorf("%s in %q", n, lines)
				}
			}
		})
	}
}
