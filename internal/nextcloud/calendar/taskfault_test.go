package calendar

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

// TestTasksOfOthers: what nobody can read is named and fails nothing else.
func TestTasksOfOthers(t *testing.T) {
	_, tasks := newTasks(t,
		taskOf("UID:good", "SUMMARY:good"),
		"BEGIN:VCALENDAR\r\nnonsense",
		taskOf("UID:when", "SUMMARY:bad date", "DUE:tomorrow"),
		icsOf("UID:event", "DTSTART:20270310T090000Z"),
		taskOf("UID:rule", "SUMMARY:odd rule", "DUE;VALUE=DATE:20270401", "RRULE:FREQ=SOMETIMES"),
		taskOf("UID:zone", "SUMMARY:odd zone", "DUE;TZID=Mars/Olympus:20270402T120000"),
		taskOf("UID:words", "SUMMARY:odd words", "STATUS:MAYBE", "PRIORITY:x", "PERCENT-COMPLETE:many", "RELATED-TO:"),
	)
	page, err := tasks.List(t.Context(), TaskQuery{Calendar: "personal"})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, task := range page.Tasks {
		titles = append(titles, task.Title)
	}
	if !slices.Equal(titles, []string{"odd rule", "odd zone", "good", "odd words"}) {
		t.Errorf("titles = %q", titles)
	}
	if len(page.Skipped) != 2 || !strings.Contains(page.Skipped[0], "2 unreadable") || !strings.Contains(page.Skipped[1], "task when") {
		t.Errorf("skipped = %q", page.Skipped)
	}
	// They can be repaired and deleted.
	at := func(uid string) TaskTarget { return TaskTarget{Calendar: "personal", UID: uid} }
	if _, err := tasks.Get(t.Context(), at("when"), false); !errors.Is(err, nextcloud.ErrBadAnswer) {
		t.Errorf("read: %v", err)
	}
	if w, err := tasks.Update(t.Context(), at("when"), TaskFields{Start: new("2027-05-01"), Due: new("2027-05-02")}); err != nil || w.Task.Due != "2027-05-02" {
		t.Errorf("repair: %+v, %v", w, err)
	}
	if w, err := tasks.Update(t.Context(), at("zone"), TaskFields{Due: new("2027-05-02T10:00")}); err != nil || w.Task.TimeZone != "Europe/Berlin" {
		t.Errorf("repair a zone: %+v, %v", w, err)
	}
	if g, err := tasks.Get(t.Context(), at("rule"), false); err != nil || g.Note == "" || g.Due != "2027-04-01" {
		t.Errorf("odd rule = %+v, %v", g, err)
	}
}

// TestTaskBombs: a rule that never ends or never begins takes bounded time.
func TestTaskBombs(t *testing.T) {
	var objects []string
	for _, rule := range []string{
		"FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=1", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31;COUNT=1000000", "FREQ=DAILY;COUNT=1073741823",
	} {
		objects = append(objects, taskOf("UID:"+rule, "DTSTART:19700101T000000Z", "RRULE:"+rule))
	}
	_, tasks := newTasks(t, objects...)
	started := time.Now()
	page, err := tasks.List(t.Context(), TaskQuery{Calendar: "personal"})
	if err != nil || len(page.Tasks)+len(page.Skipped) != len(objects) {
		t.Errorf("page = %+v, %v", page, err)
	}
	for _, o := range []string{"FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"} {
		_, err := tasks.Complete(t.Context(), TaskTarget{Calendar: "personal", UID: o}, "", "")
		t.Logf("%s: %v", o, err)
	}
	if took := time.Since(started); took > 2*expandBudget {
		t.Errorf("took %s", took)
	}
}

// TestTaskCircles: tasks that name each other as parents are still listed.
func TestTaskCircles(t *testing.T) {
	_, tasks := newTasks(t,
		taskOf("UID:a", "SUMMARY:a", "RELATED-TO:b"), taskOf("UID:b", "SUMMARY:b", "RELATED-TO:a"),
		taskOf("UID:self", "SUMMARY:self", "RELATED-TO:self"), taskOf("UID:gone", "SUMMARY:gone", "RELATED-TO:nobody"),
		taskOf("UID:top", "SUMMARY:top", "RELATED-TO;RELTYPE=CHILD:by-parent", "RELATED-TO;RELTYPE=CHILD:top"), taskOf("UID:by-parent", "SUMMARY:by parent"),
	)
	page, err := tasks.List(t.Context(), TaskQuery{Calendar: "personal", Sort: SortTitle})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, task := range page.Tasks {
		got = append(got, strings.Repeat("- ", task.Depth)+task.Title)
	}
	if len(got) != 6 || !slices.Contains(got, "- by parent") {
		t.Errorf("got %q", got)
	}
	if _, err := tasks.Delete(t.Context(), TaskTarget{Calendar: "personal", UID: "a"}, true); err != nil {
		t.Error(err)
	}
}

// TestTaskDeleteStops: a deletion of several that stops says what is gone.
func TestTaskDeleteStops(t *testing.T) {
	f, tasks := newTasks(t, taskOf("UID:a", "SUMMARY:top"), taskOf("UID:b", "SUMMARY:sub", "RELATED-TO:a"))
	f.fail = func(r *http.Request) int {
		if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/0.ics") {
			return http.StatusPreconditionFailed
		}
		return 0
	}
	_, err := tasks.Delete(t.Context(), TaskTarget{Calendar: "personal", UID: "a"}, true)
	if !errors.Is(err, nextcloud.ErrPartly) || !strings.Contains(err.Error(), "(sub)") {
		t.Errorf("error = %v", err)
	}
	if len(f.objects) != 1 {
		t.Errorf("left: %d", len(f.objects))
	}
}

// TestTaskLostAnswer: a write whose answer was lost is not reported as done.
func TestTaskLostAnswer(t *testing.T) {
	f, tasks := newTasks(t, taskOf("UID:a", "SUMMARY:a"))
	f.lose = func(*http.Request) int { return http.StatusBadGateway }
	if _, err := tasks.Complete(t.Context(), TaskTarget{Calendar: "personal", UID: "a"}, "", ""); !errors.Is(err, nextcloud.ErrUnavailable) {
		t.Errorf("error = %v", err)
	}
	f.lose = nil
	// Trying again finds it done and writes nothing.
	f.requests()
	w, err := tasks.Complete(t.Context(), TaskTarget{Calendar: "personal", UID: "a"}, "", "")
	if err != nil || w.Task.Status != statusDone || slices.ContainsFunc(f.requests(), func(r string) bool { return strings.HasPrefix(r, "PUT") }) {
		t.Errorf("again: %+v, %v", w, err)
	}
}
