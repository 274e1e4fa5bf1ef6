package nextcloudtest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestSampleContents(t *testing.T) {
	s := New(&Options{Now: func() time.Time { return recordedDay }})
	s.loadSample()
	var notes []noteJSON
	if err := json.Unmarshal([]byte(mustCall(t, s, 200, "bob", "GET", notesV1, "")), &notes); err != nil || len(notes) != 12 {
		t.Errorf("%d notes, %v", len(notes), err)
	}
	for _, v := range s.account("alice").calendars.views() {
		for _, o := range v.sorted() {
			if _, fault := validateICal(o.data, v.components, s.now()); fault != nil {
				t.Errorf("%s/%s would be refused: %s", v.uri, o.uri, fault.message)
			}
		}
	}
	week := mustCall(t, s, 207, "alice", "REPORT", aliceHome+"work/",
		query(`<c:comp-filter name="VEVENT"><c:time-range start="20261129T230000Z" end="20261206T230000Z"/></c:comp-filter>`), "Depth", "1")
	if !strings.Contains(week, "weekly.ics") {
		t.Errorf("the next week holds %s", week)
	}
	weekly := s.account("alice").calendars.find("work", false).objects["weekly.ics"].parsed()
	var starts []string
	for _, i := range weekly.instances(recordedDay, recordedDay.AddDate(0, 0, 22)) {
		starts = append(starts, i.start.Format("Mon 02 15:04"))
	}
	// Today's, the moved one of next week, none two weeks on, then as usual.
	if got, want := strings.Join(starts, ", "), "Mon 23 09:00, Mon 30 14:00, Mon 14 09:00"; got != want {
		t.Errorf("weekly meetings %s, want %s", got, want)
	}
	tasks := mustCall(t, s, 207, "alice", "REPORT", aliceHome+"tasks/", query(`<c:comp-filter name="VTODO"/>`), "Depth", "1")
	if n := strings.Count(tasks, "<d:response>"); n != 6 {
		t.Errorf("%d tasks, want 6", n)
	}
}
