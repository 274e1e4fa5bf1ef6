package contract

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

func runTasks(t *testing.T, env *Env) {
	p := newPlan(t, env)
	for _, part := range []struct {
		name string
		run  func(t *testing.T, p *plan)
	}{
		{"lists", taskLists},
		{"no task list", taskNoList},
		{"create and get", taskCreate},
		{"times", taskTimes},
		{"nothing is lost", taskLossless},
		{"status", taskStatus},
		{"views", taskViews},
		{"order and pages", taskPages},
		{"subtasks", taskTree},
		{"recurring", taskRecurring},
		{"stale etag", taskStale},
		{"delete and restore", taskTrash},
		{"move", taskMove},
		{"clear completed", taskClear},
		{"list in the trash", taskListTrash},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, p) })
	}
}

// plan is a client with a task list of its own that vanishes with the suite.
type plan struct {
	*calendar.Tasks
	nc   *nextcloud.Client
	dav  *dav.Client
	name string
	path string
}

const planTitle = "Contract <&> Aufgaben"

func newPlan(t *testing.T, env *Env) *plan {
	t.Helper()
	nc := env.Client(t)
	p := &plan{Tasks: calendar.NewTasks(nc), nc: nc, dav: dav.New(nc)}
	p.name, p.path = p.make(t, unique(planTitle))
	return p
}

// make makes a task list and removes it, with its trash, at the end.
func (p *plan) make(t *testing.T, title string) (name, path string) {
	t.Helper()
	list, err := p.CreateList(t.Context(), title, "#31CC7C")
	if errors.Is(err, nextcloud.ErrRateLimited) {
		t.Skip("this Nextcloud lets nobody make more calendars now")
	}
	if err != nil {
		t.Fatal(err)
	}
	user, err := p.nc.UserID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	path, err = nextcloud.Path(dav.Root+"/calendars", string(user), list.Name)
	if err != nil {
		t.Fatal(err)
	}
	path += "/"
	t.Cleanup(func() {
		q := dav.Query{Op: "remove list", Path: path, Header: http.Header{"X-Nc-Caldav-No-Trashbin": {"1"}}}
		if err := p.dav.Delete(context.WithoutCancel(t.Context()), q, dav.Condition{}); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return list.Name, path
}

func (p *plan) create(t *testing.T, f calendar.TaskFields) *calendar.SavedTask {
	t.Helper()
	w, err := p.Create(t.Context(), p.name, f)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (p *plan) update(t *testing.T, uid string, f calendar.TaskFields) *calendar.SavedTask {
	t.Helper()
	w, err := p.Update(t.Context(), p.target(uid), f)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (p *plan) target(uid string) calendar.TaskTarget {
	return calendar.TaskTarget{Calendar: p.name, UID: uid}
}

func (p *plan) get(t *testing.T, uid string) *calendar.FullTask {
	t.Helper()
	task, err := p.Get(t.Context(), p.target(uid), true)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// titles are the tasks of the plan's list that a query finds.
func (p *plan) titles(t *testing.T, q calendar.TaskQuery) []string {
	t.Helper()
	if q.Calendar == "" {
		q.Calendar = p.name
	}
	page, err := p.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, task := range page.Tasks {
		out = append(out, strings.Repeat("- ", task.Depth)+task.Title)
	}
	return out
}

// put stores an object as another program would, and answers its path.
func (p *plan) put(t *testing.T, file string, lines ...string) string {
	t.Helper()
	path := p.path + file
	data := strings.Join(lines, "\r\n") + "\r\n"
	if _, err := p.dav.Put(t.Context(), dav.Query{Op: "put", Path: path}, "text/calendar; charset=utf-8", []byte(data), dav.Condition{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// raw is what the server holds, unfolded, in lines.
func (p *plan) raw(t *testing.T, path string) []string {
	t.Helper()
	o, err := p.dav.Get(t.Context(), dav.Query{Op: "get", Path: path}, "text/calendar")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(unfolder.Replace(string(o.Data))), "\n")
}

func taskLists(t *testing.T, p *plan) {
	lists, err := p.Lists(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(lists, func(c calendar.Calendar) bool { return c.Name == p.name })
	if i < 0 {
		t.Fatalf("%s is not in %+v", p.name, lists)
	}
	if l := lists[i]; !strings.HasPrefix(l.DisplayName, planTitle) || l.Color != "#31CC7C" || l.ReadOnly || l.IsDefault || !slices.Equal(l.Components, []string{"VTODO"}) {
		t.Errorf("list = %+v", l)
	}
	if slices.ContainsFunc(lists, func(c calendar.Calendar) bool { return !c.Holds("VTODO") && len(c.Components) > 0 }) {
		t.Errorf("a calendar without tasks in %+v", lists)
	}
	changed, err := p.ChangeList(t.Context(), strings.ToUpper(lists[i].DisplayName), lists[i].DisplayName+" 2", "#000000")
	if err != nil || changed.DisplayName != lists[i].DisplayName+" 2" {
		t.Fatalf("renamed to %+v, %v", changed, err)
	}
	if lists, err = p.Lists(t.Context()); err != nil || lists[i].DisplayName != changed.DisplayName || lists[i].Color != "#000000" {
		t.Errorf("renamed list = %+v, %v", lists[i], err)
	}
}

func taskNoList(t *testing.T, p *plan) {
	_, err := p.List(t.Context(), calendar.TaskQuery{Calendar: "no such list"})
	if !errors.Is(err, nextcloud.ErrNotFound) || !strings.Contains(err.Error(), p.name) {
		t.Errorf("error = %v, want one that names %s", err, p.name)
	}
	// Nextcloud: the calendar of a new account takes events only.
	_, err = p.Create(t.Context(), "personal", calendar.TaskFields{Title: new("x")})
	if !errors.Is(err, nextcloud.ErrInvalid) || !strings.Contains(err.Error(), p.name) {
		t.Errorf("a task among events: %v", err)
	}
	if _, err := p.DeleteList(t.Context(), "personal"); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("a calendar deleted as a task list: %v", err)
	}
}

func taskCreate(t *testing.T, p *plan) {
	w := p.create(t, calendar.TaskFields{
		Title: new("Einkaufen, viel; <b>"), Description: new("Milch\nBrot \\ 🍞"), Location: new("Köln"), Categories: new("Privat, Haus"), URL: new("https://example.org/a?b=1,2;c"),
		Priority: new("high"), Due: new("2030-03-10T18:00"), Start: new("2030-03-09T08:00"), TimeZone: new("Europe/Berlin"), Percent: new(25), Privacy: new("PRIVATE"),
		Reminders: &[]calendar.Reminder{{MinutesBefore: new(30)}, {TriggerAt: "2030-03-09T07:00:00Z"}},
	})
	if w.ETag == "" || w.Task.Due != "2030-03-10T18:00:00+01:00" || w.Task.Status != "IN-PROCESS" {
		t.Errorf("created %+v %+v", w, w.Task)
	}
	g := p.get(t, w.UID)
	if g.Title != "Einkaufen, viel; <b>" || g.Description != "Milch\nBrot \\ 🍞" || g.Location != "Köln" || !slices.Equal(g.Categories, []string{"Privat", "Haus"}) ||
		g.URL != "https://example.org/a?b=1,2;c" || g.Priority != 1 || g.PriorityWord != "high" || g.Start != "2030-03-09T08:00:00+01:00" || g.TimeZone != "Europe/Berlin" ||
		g.PercentComplete != 25 || g.Privacy != "PRIVATE" || len(g.Reminders) != 2 || g.ETag != w.ETag || g.Overdue {
		t.Errorf("task = %+v", g)
	}
	if raw := p.raw(t, p.path+w.UID+".ics"); !slices.Contains(raw, "BEGIN:VTIMEZONE") || !slices.Contains(raw, "DUE;TZID=Europe/Berlin:20300310T180000") || !slices.Contains(raw, "TRIGGER;RELATED=END:-PT30M") {
		t.Errorf("stored as\n%s", strings.Join(raw, "\n"))
	}
	bare := p.create(t, calendar.TaskFields{Title: new("Nur ein Titel")})
	if g := p.get(t, bare.UID); g.Due != "" || g.Status != "NEEDS-ACTION" {
		t.Errorf("bare = %+v", g)
	}
}

func taskTimes(t *testing.T, p *plan) {
	w := p.create(t, calendar.TaskFields{Title: new("Tag"), Due: new("2030-06-01")})
	if w.Task.Due != "2030-06-01" || w.TimeZoneUsed != "" {
		t.Errorf("a day = %+v", w)
	}
	u := p.update(t, w.UID, calendar.TaskFields{Due: new("2030-06-01T12:00:00Z")})
	if g := p.get(t, w.UID); g.Due != u.Task.Due || !strings.HasPrefix(g.Due, "2030-06-01T") {
		t.Errorf("a time = %+v", g)
	}
	if _, err := p.Update(t.Context(), p.target(w.UID), calendar.TaskFields{Start: new("2030-06-01")}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("a day with a time: %v", err)
	}
	if g := p.update(t, w.UID, calendar.TaskFields{Due: new("")}); g.Task.Due != "" {
		t.Errorf("cleared = %+v", g.Task)
	}
	same := p.update(t, w.UID, calendar.TaskFields{Title: new("Tag")})
	if g := p.get(t, w.UID); g.ETag != same.ETag || same.Note == "" {
		t.Errorf("a change of nothing wrote something: %+v", same)
	}
}

// awkwardTask is a task as other programs write them.
var awkwardTask = []string{
	"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Other//Program//EN", "X-WR-CALNAME:Mine", "CALSCALE:GREGORIAN",
	"BEGIN:VTODO", "UID:awkward-task", "DTSTAMP:20270101T000000Z", "CREATED:20260101T000000Z", "SEQUENCE:3",
	"DTSTART:20270501T090000Z", "DURATION:PT45M", "SUMMARY;LANGUAGE=de:Alt", "PRIORITY:3",
	"X-CUSTOM;X-P=\"a;b,c:d\";X-Q=1,\"2\",3:value with \\, and ; and : signs",
	"X-DUP:one", "X-DUP:two", "COMMENT:first", "COMMENT:second", "GEO:37.386013;-122.082932",
	"ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.txt:SGVsbG8=",
	"RELATED-TO;RELTYPE=SIBLING:other", "RELATED-TO:gone-parent", "X-APPLE-SORT-ORDER:42", "X-OC-HIDESUBTASKS:1",
	"BEGIN:VALARM", "ACTION:X-SOUND", "TRIGGER:-PT1H", "X-VOLUME:11", "END:VALARM",
	"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT5M", "DESCRIPTION:x", "X-WR-ALARMUID:1", "END:VALARM",
	"END:VTODO", "END:VCALENDAR",
}

func taskLossless(t *testing.T, p *plan) {
	path := p.put(t, "awkward-task.ics", awkwardTask...)
	before := p.raw(t, path)
	p.update(t, "awkward-task", calendar.TaskFields{Title: new("Neu"), Percent: new(10)})
	after := p.raw(t, path)
	changed := func(l string) bool {
		name := strings.FieldsFunc(l, func(r rune) bool { return r == ':' || r == ';' })[0]
		return slices.Contains([]string{"SUMMARY", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "STATUS", "PERCENT-COMPLETE"}, name)
	}
	wantList(t, slices.DeleteFunc(slices.Clone(after), changed), slices.DeleteFunc(slices.Clone(before), changed)...)
	if !slices.Contains(after, "SUMMARY;LANGUAGE=de:Neu") {
		t.Errorf("no new title in %q", after)
	}
	g := p.get(t, "awkward-task")
	if g.Due != "2027-05-01T09:45:00Z" || len(g.Related) != 1 || g.ParentUID != "" {
		t.Errorf("task = %+v", g)
	}
}

func taskStatus(t *testing.T, p *plan) {
	w := p.create(t, calendar.TaskFields{Title: new("Fertig werden")})
	done, err := p.Complete(t.Context(), p.target(w.UID), "2026-01-02T03:04:05Z", "")
	if err != nil || done.Task.Status != "COMPLETED" || done.Task.PercentComplete != 100 || done.Task.Completed != "2026-01-02T03:04:05Z" {
		t.Fatalf("completed %+v, %v", done, err)
	}
	again, err := p.Complete(t.Context(), p.target(w.UID), "", "")
	if err != nil || again.ETag != done.ETag {
		t.Errorf("completed twice: %+v, %v", again, err)
	}
	open, err := p.Reopen(t.Context(), p.target(w.UID))
	if err != nil || open.Task.Status != "NEEDS-ACTION" || open.Task.PercentComplete != 0 || open.Task.Completed != "" {
		t.Errorf("reopened %+v, %v", open, err)
	}
	if u := p.update(t, w.UID, calendar.TaskFields{Status: new("CANCELLED")}); u.Task.Status != "CANCELLED" {
		t.Errorf("cancelled %+v", u.Task)
	}
}

func taskRecurring(t *testing.T, p *plan) {
	w := p.create(t, calendar.TaskFields{Title: new("Müll"), Due: new("2031-03-03"), Rule: new("FREQ=WEEKLY;COUNT=3")})
	if !w.Task.Recurring {
		t.Errorf("created %+v", w.Task)
	}
	for _, due := range []string{"2031-03-10", "2031-03-17"} {
		w, err := p.Complete(t.Context(), p.target(w.UID), "", "")
		if err != nil || w.Task.Due != due || w.Task.Status != "NEEDS-ACTION" {
			t.Fatalf("next %+v, %v, want %s", w, err, due)
		}
	}
	last, err := p.Complete(t.Context(), p.target(w.UID), "", "")
	if err != nil || last.Task.Status != "COMPLETED" {
		t.Errorf("last %+v, %v", last, err)
	}
}

func taskStale(t *testing.T, p *plan) {
	w := p.create(t, calendar.TaskFields{Title: new("Eins")})
	p.update(t, w.UID, calendar.TaskFields{Title: new("Zwei")})
	old := calendar.TaskTarget{Calendar: p.name, UID: w.UID, ETag: w.ETag}
	if _, err := p.Update(t.Context(), old, calendar.TaskFields{Title: new("Drei")}); !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("update: %v", err)
	}
	if _, err := p.Delete(t.Context(), old, false); !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("delete: %v", err)
	}
	// The server itself keeps the promise, not only our look at the tag.
	path := p.path + w.UID + ".ics"
	stale := http.Header{"If-Match": {nextcloud.QuoteETag(w.ETag)}}
	if err := p.dav.Move(t.Context(), dav.Query{Op: "move", Path: path, Header: stale}, p.path+"elsewhere.ics", dav.Keep); !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("conditional MOVE: %v", err)
	}
	if g := p.get(t, w.UID); g.Title != "Zwei" {
		t.Errorf("task = %+v", g)
	}
	if _, err := p.Get(t.Context(), p.target("no-such-uid"), false); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("not there: %v", err)
	}
}

func taskTrash(t *testing.T, p *plan) {
	top := p.create(t, calendar.TaskFields{Title: new("Weg"), Description: new("Inhalt")})
	sub := p.create(t, calendar.TaskFields{Title: new("Mit weg"), Parent: &top.UID})
	gone, err := p.Delete(t.Context(), p.target(top.UID), true)
	if err != nil || len(gone.Tasks) != 2 {
		t.Fatalf("deleted %+v, %v", gone, err)
	}
	for _, uid := range []string{top.UID, sub.UID} {
		if _, err := p.Get(t.Context(), p.target(uid), false); !errors.Is(err, nextcloud.ErrNotFound) {
			t.Errorf("still there: %v", err)
		}
		if _, err := p.Restore(t.Context(), calendar.TaskTarget{UID: uid}); err != nil {
			t.Errorf("restore: %v", err)
		}
	}
	if g := p.get(t, top.UID); g.Description != "Inhalt" || len(g.Subtasks) != 1 {
		t.Errorf("restored %+v", g)
	}
	if _, err := p.Restore(t.Context(), calendar.TaskTarget{UID: top.UID}); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("restored twice: %v", err)
	}
}
