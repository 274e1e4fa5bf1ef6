package calendar

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// FuzzFinishTurn completes whatever another program may have written: nothing
// panics or runs away, a refusal changes nothing, and what comes out can be
// read again and goes forward only.
func FuzzFinishTurn(f *testing.F) {
	files, err := filepath.Glob("testdata/tasks/*.ics")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(taskOf("UID:w", "DTSTART:99991231T235959Z", "DURATION:P999999D", "RRULE:FREQ=YEARLY;INTERVAL=9999")))
	f.Add([]byte(taskOf("UID:w", "DUE:00010101", "RRULE:FREQ=DAILY;COUNT=2", "RDATE:20270101/PT1H", "EXDATE:x")))
	berlin, ok := ical.LoadZone("Europe/Berlin")
	if !ok {
		f.Fatal("no zone")
	}
	p := &person{zone: berlin, zoneKnown: true}
	f.Fuzz(func(t *testing.T, data []byte) {
		cal := &Calendar{Name: "personal"}
		o, err := readObject(cal, "/remote.php/dav/calendars/alice/personal/0.ics", "e", data, kindTask)
		if err != nil {
			return
		}
		before := o.Object.Lines()
		started := time.Now()
		was, err := o.turn(today, berlin)
		if err == nil {
			o.task(was, today, berlin)
			taskReminders(was.comp)
		}
		if _, ferr := o.finishTurn("fuzz", today, today, p); ferr != nil {
			if !slices.Equal(before, o.Object.Lines()) {
				t.Fatalf("%v, but changed", ferr)
			}
			return
		}
		if time.Since(started) > 20*time.Second {
			t.Fatal("takes too long")
		}
		again, err := readObject(cal, o.path, "e", o.Object.Encode(), kindTask)
		if err != nil {
			t.Fatalf("cannot be read any more: %v", err)
		}
		is, err := again.turn(today, berlin)
		if err != nil {
			t.Fatalf("cannot be read any more: %v", err)
		}
		if !closed(is.status) && !is.id.IsZero() && !was.id.IsZero() && !is.id.Wall.After(was.id.Wall) {
			t.Fatalf("from %s to %s", was.id, is.id)
		}
	})
}
