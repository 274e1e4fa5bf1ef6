package calendar

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

func at(hour, minute int) time.Time { return time.Date(2027, 3, 10, hour, minute, 0, 0, time.UTC) }

func slotsOf(list []Slot) []string {
	var out []string
	for _, s := range list {
		text := s.Start[11:16] + "-" + s.End[11:16]
		if s.Preferred {
			text += " preferred"
		}
		if len(s.Tentative) > 0 {
			text += " " + strings.Join(s.Tentative, "+")
		}
		out = append(out, text)
	}
	return out
}

func TestSlots(t *testing.T) {
	taken := []period{
		{from: at(12, 0), to: at(13, 0), kind: Busy},
		{from: at(8, 0), to: at(9, 30), kind: Busy},
		{from: at(9, 0), to: at(9, 20), kind: Busy}, // inside of another one
		{from: at(14, 0), to: at(15, 0), kind: Tentative, title: "maybe"},
		{from: at(16, 0), to: at(24, 0), kind: Unavailable},
	}
	grid := slotGrid{from: at(8, 0), to: at(20, 0), loc: time.UTC, length: time.Hour}
	for name, c := range map[string]struct {
		buffer             time.Duration
		working, preferred string
		limit              int
		want               []string
	}{
		"all":       {0, "", "", 0, []string{"09:30-10:30", "10:30-11:30", "13:00-14:00", "15:00-16:00", "14:00-15:00 maybe"}},
		"buffer":    {15 * time.Minute, "", "", 0, []string{"09:45-10:45", "10:45-11:45", "15:00-16:00", "13:15-14:15 maybe"}},
		"preferred": {0, "", "15:00-16:00,10:00-11:00", 0, []string{"10:00-11:00 preferred", "15:00-16:00 preferred", "11:00-12:00", "13:00-14:00", "14:00-15:00 maybe"}},
		"hours":     {0, "13:00-14:30", "", 0, []string{"13:00-14:00"}},
		"limit":     {0, "", "", 2, []string{"09:30-10:30", "10:30-11:30"}},
	} {
		g := grid
		g.buffer = c.buffer
		working, err := parseHours("working_hours", c.working)
		if err != nil {
			t.Fatal(err)
		}
		preferred, err := parseHours("preferred_times", c.preferred)
		if err != nil {
			t.Fatal(err)
		}
		got := slotsOf(g.best(taken, working, preferred, Search{Limit: c.limit}))
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for _, bad := range []string{"9", "09:00", "17:00-09:00", "09:00-25:00", "a-b", "09:00-09:00"} {
		if _, err := parseHours("x", bad); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestSlotsClockChange: the hour that the clock skips is no time for anybody.
func TestSlotsClockChange(t *testing.T) {
	berlin := mustZone(t, "Europe/Berlin")
	g := slotGrid{from: time.Date(2027, 3, 28, 0, 0, 0, 0, berlin), to: time.Date(2027, 3, 28, 4, 0, 0, 0, berlin), loc: berlin, length: 30 * time.Minute}
	if d := cmp.Diff([]string{"00:00-00:30", "00:30-01:00", "01:00-01:30", "01:30-03:00", "03:00-03:30", "03:30-04:00"}, slotsOf(g.best(nil, nil, nil, Search{}))); d != "" {
		t.Error(d)
	}
}

// TestSlotsProperty: no slot meets what is firm, or another slot, and they are
// in order.
func TestSlotsProperty(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var taken []period
		for range r.IntN(20) {
			from := at(0, 0).Add(time.Duration(r.IntN(72*60)) * time.Minute)
			taken = append(taken, period{from: from, to: from.Add(time.Duration(1+r.IntN(300)) * time.Minute), kind: []BusyKind{Busy, Tentative, Unavailable}[r.IntN(3)], title: fmt.Sprint(r.IntN(3))})
		}
		g := slotGrid{from: at(1, 7), to: at(60, 0), loc: time.UTC, length: time.Duration(5+r.IntN(180)) * time.Minute, buffer: time.Duration(r.IntN(40)) * time.Minute}
		var seen periods
		for _, s := range g.best(taken, nil, nil, Search{Limit: 50}) {
			from, err1 := time.Parse(time.RFC3339, s.Start)
			to, err2 := time.Parse(time.RFC3339, s.End)
			if err1 != nil || err2 != nil || to.Sub(from) != g.length || from.Before(g.from) || to.After(g.to) {
				t.Fatalf("seed %d: slot %+v", seed, s)
			}
			for _, b := range taken {
				margin := g.buffer
				if b.kind == Unavailable {
					margin = 0
				}
				meets := b.from.Before(to.Add(margin)) && b.to.After(from.Add(-margin))
				if b.kind != Tentative && meets {
					t.Fatalf("seed %d: %+v meets %+v", seed, s, b)
				}
				if b.kind == Tentative && b.from.Before(to) && b.to.After(from) && !slices.Contains(s.Tentative, b.title) {
					t.Fatalf("seed %d: %+v does not name %+v", seed, s, b)
				}
			}
			for _, o := range seen {
				if o.from.Before(to) && o.to.After(from) {
					t.Fatalf("seed %d: slots overlap", seed)
				}
			}
			seen = append(seen, period{from: from, to: to})
		}
	}
}

func TestReadBusy(t *testing.T) {
	answer := func(status, lines string) attendance {
		t.Helper()
		doc, err := dav.ParseDocument([]byte(`<cal:response xmlns:cal="urn:ietf:params:xml:ns:caldav"><cal:request-status>` + status + `</cal:request-status><cal:calendar-data>BEGIN:VCALENDAR
BEGIN:VFREEBUSY
` + lines + `END:VFREEBUSY
END:VCALENDAR
</cal:calendar-data></cal:response>`))
		if err != nil {
			t.Fatal(err)
		}
		return readBusy(doc)
	}
	a := answer("2.0;Success", "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270310T120000Z/PT90M\nFREEBUSY:20270310T080000Z/20270310T090000Z,20270310T100000Z/20270310T110000Z\nFREEBUSY;FBTYPE=FREE:20270310T100000Z/PT1H\n")
	if a.problem != "" || len(a.busy) != 3 || !a.busy[0].from.Equal(at(8, 0)) || a.busy[2].kind != Tentative || !a.busy[2].to.Equal(at(13, 30)) {
		t.Errorf("busy = %+v", a)
	}
	for status, lines := range map[string]string{"3.7;Could not find principal": "", "2.0;Success": "FREEBUSY:nonsense\n", "": ""} {
		if a := answer(status, lines); a.problem == "" {
			t.Errorf("%q %q: %+v", status, lines, a)
		}
	}
}

func TestWorkHours(t *testing.T) {
	object, err := ical.Parse([]byte("BEGIN:VCALENDAR\nBEGIN:VAVAILABILITY\nBEGIN:AVAILABLE\nUID:1\nDTSTART;TZID=Europe/Berlin:20270104T090000\nDTEND;TZID=Europe/Berlin:20270104T120000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE\nEND:AVAILABLE\n" +
		"BEGIN:AVAILABLE\nUID:2\nDTSTART;TZID=Europe/Berlin:20270106T140000\nDTEND;TZID=Europe/Berlin:20270106T150000\nRRULE:FREQ=WEEKLY\nEND:AVAILABLE\nBEGIN:AVAILABLE\nUID:3\nDTSTART:nonsense\nEND:AVAILABLE\nEND:VAVAILABILITY\nEND:VCALENDAR\n"))
	if err != nil {
		t.Fatal(err)
	}
	work, ok := workHours(object, at(0, 0), at(24, 0), time.UTC)
	if !ok || len(work) != 2 || !work[0].from.Equal(at(8, 0)) || !work[1].to.Equal(at(14, 0)) {
		t.Errorf("work = %+v, %v", work, ok)
	}
}

func TestCalendarSlug(t *testing.T) {
	for in, want := range map[string]string{
		"Arbeit": "arbeit", "Größe & Maß": "gr-e-ma", "Inbox": "calendar-inbox", "日本": "calendar", "  --a  b--": "a-b", strings.Repeat("x", 200): strings.Repeat("x", 60),
	} {
		if got := calendarSlug(in); got != want || !calendarName.MatchString(got) {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestDelivery(t *testing.T) {
	for in, want := range map[string]string{"": "", "1.2": "delivered (1.2)", "2.0.4": "answered (2.0.4)", "5.1;Could not": "not delivered: the mail could not be sent (5.1;Could not)", "9.9": "9.9"} {
		if got := delivery(in); got != want {
			t.Errorf("%q is %q", in, got)
		}
	}
}

func TestUnpack(t *testing.T) {
	one := icsOf("UID:a", "DTSTART:20270310T090000Z", "SUMMARY:A\nX-END:END:VCALENDAR")
	parcels, other, err := unpack(one + "\r\n" + strings.ToLower(icsOf("UID:b", "DTSTART:20270310T090000Z")) + "\n\n")
	if err != nil || len(parcels) != 2 || other != 0 {
		t.Fatalf("%d, %d, %v", len(parcels), other, err)
	}
	if p := parcels[0]; p.UID != "a" || p.root.Prop("METHOD") != nil || p.root.Children("VEVENT")[0].Prop("DTSTAMP") == nil {
		t.Errorf("parcel = %+v", p)
	}
	if _, _, err := unpack(one + "garbage"); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("garbage behind: %v", err)
	}
	var many strings.Builder
	for i := range MaxImport + 1 {
		many.WriteString(icsOf(fmt.Sprint("UID:", i), "DTSTART:20270310T090000Z"))
	}
	if _, _, err := unpack(many.String()); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("too many: %v", err)
	}
}

// FuzzUnpack: whatever text is imported, nothing panics, and each event that
// is taken can be read again.
func FuzzUnpack(f *testing.F) {
	for _, data := range eventCorpus(f) {
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		parcels, _, err := unpack(text)
		if err != nil {
			return
		}
		for _, p := range parcels {
			if _, err := ical.Parse(p.root.Encode()); err != nil {
				t.Errorf("%v in %q", err, p.root.Encode())
			}
		}
	})
}
