package contract

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar"
)

func taskViews(t *testing.T, p *plan) {
	name, _ := p.make(t, unique("views"))
	own := *p
	own.name = name
	now := time.Now().UTC()
	day := func(n int) *string { return new(now.AddDate(0, 0, n).Format(time.DateOnly)) }
	own.create(t, calendar.TaskFields{Title: new("late"), Due: day(-2), Priority: new("5"), Categories: new("Rot,Alle")})
	own.create(t, calendar.TaskFields{Title: new("today"), Due: day(0), Priority: new("1")})
	own.create(t, calendar.TaskFields{Title: new("soon"), Due: day(3), Location: new("Keller")})
	own.create(t, calendar.TaskFields{Title: new("later"), Due: day(30), Description: new("im Keller")})
	own.create(t, calendar.TaskFields{Title: new("never"), Priority: new("9")})
	own.create(t, calendar.TaskFields{Title: new("done"), Due: day(-1), Status: new("COMPLETED")})
	own.create(t, calendar.TaskFields{Title: new("off"), Due: day(-1), Status: new("CANCELLED")})
	for name, c := range map[string]struct {
		q    calendar.TaskQuery
		want []string
	}{
		"open":      {calendar.TaskQuery{}, []string{"late", "today", "soon", "later", "never"}},
		"overdue":   {calendar.TaskQuery{View: "overdue"}, []string{"late"}},
		"today":     {calendar.TaskQuery{View: "today"}, []string{"late", "today"}},
		"upcoming":  {calendar.TaskQuery{View: "upcoming"}, []string{"today", "soon"}},
		"40 days":   {calendar.TaskQuery{View: "upcoming", Days: 40}, []string{"today", "soon", "later"}},
		"no date":   {calendar.TaskQuery{View: "no_date"}, []string{"never"}},
		"completed": {calendar.TaskQuery{View: "completed"}, []string{"done"}},
		"cancelled": {calendar.TaskQuery{Status: "CANCELLED"}, []string{"off"}},
		"all":       {calendar.TaskQuery{View: "all"}, []string{"late", "done", "off", "today", "soon", "later", "never"}},
		"priority":  {calendar.TaskQuery{Priority: "medium"}, []string{"late", "today"}},
		"category":  {calendar.TaskQuery{Categories: "blau, rot"}, []string{"late"}},
		"text":      {calendar.TaskQuery{Text: "keller"}, []string{"soon", "later"}},
		"title":     {calendar.TaskQuery{Title: "LATE"}, []string{"late", "later"}},
		"due":       {calendar.TaskQuery{DueFrom: *day(1), DueUntil: *day(3)}, []string{"soon"}},
	} {
		c.q.TimeZone = "UTC"
		if got := own.titles(t, c.q); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if all := own.titles(t, calendar.TaskQuery{Sort: "priority"}); !slices.Equal(all, []string{"today", "late", "never", "soon", "later"}) {
		t.Errorf("by priority %q", all)
	}
}

func taskPages(t *testing.T, p *plan) {
	name, _ := p.make(t, unique("pages"))
	own := *p
	own.name = name
	for i, title := range []string{"c", "a", "d", "b"} {
		own.create(t, calendar.TaskFields{Title: new(title), SortOrder: new(10 - i)})
	}
	wantList(t, own.titles(t, calendar.TaskQuery{Sort: "title"}), "a", "b", "c", "d")
	wantList(t, own.titles(t, calendar.TaskQuery{Sort: "manual"}), "b", "d", "a", "c")
	var walked []string
	q := calendar.TaskQuery{Calendar: name, Sort: "title", Limit: 3}
	for range 5 {
		page, err := own.List(t.Context(), q)
		if err != nil || page.TotalFound != 4 {
			t.Fatalf("page = %+v, %v", page, err)
		}
		for _, task := range page.Tasks {
			walked = append(walked, task.Title)
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
	}
	wantList(t, walked, "a", "b", "c", "d")
	all, err := own.List(t.Context(), calendar.TaskQuery{Limit: calendar.MaxLimit})
	if err != nil || !slices.ContainsFunc(all.Tasks, func(task calendar.Task) bool { return task.CalendarName == name }) {
		t.Errorf("not among all lists: %v", err)
	}
}

func taskTree(t *testing.T, p *plan) {
	top := p.create(t, calendar.TaskFields{Title: new("Baum"), Due: new("2031-01-02")})
	twig := p.create(t, calendar.TaskFields{Title: new("Zweig"), Parent: &top.UID})
	leaf := p.create(t, calendar.TaskFields{Title: new("Blatt"), Parent: &twig.UID, Due: new("2031-01-01")})
	wantList(t, p.titles(t, calendar.TaskQuery{DueFrom: "2031-01-01", DueUntil: "2031-01-02"}), "Blatt", "Baum")
	g := p.get(t, top.UID)
	if len(g.Subtasks) != 2 || g.Subtasks[0].UID != twig.UID || g.Subtasks[0].Depth != 1 || g.Subtasks[1].UID != leaf.UID || g.Subtasks[1].Depth != 2 {
		t.Errorf("subtasks = %+v", g.Subtasks)
	}
	if got := p.titles(t, calendar.TaskQuery{}); !slices.Contains(got, "- Zweig") || !slices.Contains(got, "- - Blatt") {
		t.Errorf("listed %q", got)
	}
	if _, err := p.Update(t.Context(), p.target(top.UID), calendar.TaskFields{Parent: &leaf.UID}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("a circle: %v", err)
	}
	if _, err := p.Create(t.Context(), p.name, calendar.TaskFields{Title: new("x"), Parent: new("nobody")}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("without a parent: %v", err)
	}
	p.update(t, leaf.UID, calendar.TaskFields{Parent: new("")})
	if g := p.get(t, leaf.UID); g.ParentUID != "" {
		t.Errorf("still below %s", g.ParentUID)
	}
}

func taskMove(t *testing.T, p *plan) {
	other, _ := p.make(t, unique("other"))
	path := p.put(t, "moving.ics", slices.Concat(
		[]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "BEGIN:VTODO", "UID:moving", "DTSTAMP:20270101T000000Z", "SUMMARY:Umzug", "X-KEEP;X-P=1:me", "END:VTODO", "END:VCALENDAR"})...)
	before := p.raw(t, path)
	sub := p.create(t, calendar.TaskFields{Title: new("Kiste"), Parent: new("moving")})
	m, err := p.Move(t.Context(), p.target("moving"), other)
	if err != nil || len(m.Tasks) != 2 || m.To.Name != other || m.Orphaned {
		t.Fatalf("moved %+v, %v", m, err)
	}
	wantList(t, p.raw(t, strings.Replace(path, "/"+p.name+"/", "/"+other+"/", 1)), before...)
	g, err := p.Get(t.Context(), calendar.TaskTarget{UID: "moving"}, true)
	if err != nil || g.CalendarName != other || len(g.Subtasks) != 1 || g.Subtasks[0].UID != sub.UID {
		t.Errorf("task = %+v, %v", g, err)
	}
	if m, err = p.Move(t.Context(), calendar.TaskTarget{UID: sub.UID}, p.name); err != nil || !m.Orphaned {
		t.Errorf("moved back %+v, %v", m, err)
	}
}

func taskClear(t *testing.T, p *plan) {
	name, _ := p.make(t, unique("clear"))
	own := *p
	own.name = name
	top := own.create(t, calendar.TaskFields{Title: new("Fertig"), Status: new("COMPLETED"), Completed: new("2026-01-01T00:00:00Z")})
	own.create(t, calendar.TaskFields{Title: new("Auch"), Status: new("COMPLETED"), Parent: &top.UID, Completed: new("2026-02-01T00:00:00Z")})
	half := own.create(t, calendar.TaskFields{Title: new("Halb"), Status: new("COMPLETED"), Completed: new("2026-01-01T00:00:00Z")})
	own.create(t, calendar.TaskFields{Title: new("Offen"), Parent: &half.UID})
	dry, err := own.Clear(t.Context(), name, "", "", true)
	if err != nil || len(dry.Tasks) != 2 || len(dry.Kept) != 1 {
		t.Fatalf("dry run %+v, %v", dry, err)
	}
	if early, err := own.Clear(t.Context(), name, "2026-01-15", "UTC", true); err != nil || len(early.Tasks) != 1 {
		t.Errorf("done before %+v, %v", early, err)
	}
	wet, err := own.Clear(t.Context(), name, "", "", false)
	if err != nil || len(wet.Tasks) != 2 || len(wet.Failed) != 0 {
		t.Errorf("cleared %+v, %v", wet, err)
	}
	wantList(t, own.titles(t, calendar.TaskQuery{View: "all"}), "Halb", "- Offen")
}

func taskListTrash(t *testing.T, p *plan) {
	title := unique("gone")
	name, _ := p.make(t, title)
	own := *p
	own.name = name
	own.create(t, calendar.TaskFields{Title: new("Darin")})
	if _, err := p.DeleteList(t.Context(), title); err != nil {
		t.Fatal(err)
	}
	if _, err := p.List(t.Context(), calendar.TaskQuery{Calendar: name}); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
	// The name of one in the trash is taken; the new list gets another.
	again, _ := p.make(t, title)
	if again == name {
		t.Errorf("both are called %s", name)
	}
	if _, err := p.RestoreList(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	wantList(t, own.titles(t, calendar.TaskQuery{}), "Darin")
	if _, err := p.RestoreList(t.Context(), name); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("restored twice: %v", err)
	}
}
