package calendar

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// TaskPage is a part of a listing.
type TaskPage struct {
	Tasks        []Task   `json:"todos"`
	TotalFound   int      `json:"total_count"` // in all pages
	NextCursor   string   `json:"next_cursor,omitempty"`
	CalendarName string   `json:"calendar_name,omitempty"`
	View         string   `json:"view"`
	TimeZoneUsed string   `json:"time_zone_used"`
	Skipped      []string `json:"skipped,omitempty"`
	Note         string   `json:"note,omitempty"`
}

const listTasksOp = "list tasks"

// listedTask is a task with what it is chosen and sorted by.
type listedTask struct {
	Task
	start, due, created, done time.Time // zero when there is none
	order                     int
	path, parent              string
}

// List lists tasks, subtasks behind their parents.
func (t *Tasks) List(ctx context.Context, q TaskQuery) (*TaskPage, error) {
	p, err := t.c.person(ctx)
	if err != nil {
		return nil, err
	}
	at, err := clockFor(listTasksOp, q.TimeZone, p)
	if err != nil {
		return nil, err
	}
	now := t.c.now()
	keep, err := q.filter(at, now)
	if err != nil {
		return nil, err
	}
	order, err := q.order()
	if err != nil {
		return nil, err
	}
	lists, err := t.lists(ctx, listTasksOp, q.Calendar)
	if err != nil {
		return nil, err
	}
	page := &TaskPage{Tasks: []Task{}, View: q.View, TimeZoneUsed: at.String()}
	switch {
	case len(lists) == 0:
		page.Note = "There are no tasks: " + noLists + "."
	case q.Calendar != "":
		page.CalendarName = lists[0].Name
	}
	found, err := t.collect(ctx, lists, q.onServer(), now, at.loc, keep, page)
	if err != nil {
		return nil, err
	}
	return page, page.cut(outline(found, order), q)
}

// onServer leaves out at the server what surely does not belong, as
// Nextcloud's Tasks does it: a list keeps what was done for years.
func (q *TaskQuery) onServer() []dav.Element {
	switch q.View {
	case ViewOpen, ViewToday, ViewOverdue, ViewUpcoming, ViewNoDate:
		return []dav.Element{dav.El(dav.Name(dav.NSCalDAV, "prop-filter"), dav.El(dav.Name(dav.NSCalDAV, "is-not-defined"))).With("name", "COMPLETED")}
	}
	return nil
}

// collect reads all lists, some at a time. A list that cannot be read is named
// in the page and fails nothing, unless none can be read.
func (t *Tasks) collect(ctx context.Context, lists []*Calendar, filter []dav.Element, now time.Time, zone *time.Location, keep func(*listedTask) bool, page *TaskPage) ([]listedTask, error) {
	var (
		mu     sync.Mutex // guards the fields below and page
		out    []listedTask
		failed error
		read   int
		spent  time.Duration // on expanding
	)
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, cal := range lists {
		group.Go(func() error {
			objects, broken, err := t.c.report(ctx, listTasksOp, cal, kindTask, filter...)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				if failed == nil || errors.Is(err, nextcloud.ErrUnauthenticated) {
					failed = err
				}
				page.Skipped = append(page.Skipped, fmt.Sprintf("list %s: %s", cal.Name, reason(err)))
				return nil
			}
			read++
			if broken > 0 {
				page.Skipped = append(page.Skipped, fmt.Sprintf("list %s: %d unreadable", cal.Name, broken))
			}
			tree := newTree(objects)
			for i := range objects {
				o := &objects[i]
				if spent > expandBudget || ctx.Err() != nil {
					page.Skipped = append(page.Skipped, fmt.Sprintf("list %s: %d not looked at, their recurrence takes too long", cal.Name, len(objects)-i))
					break
				}
				started := time.Now()
				l, err := o.listedTask(now, zone)
				spent += time.Since(started)
				if err != nil {
					page.Skipped = append(page.Skipped, fmt.Sprintf("list %s: task %.60s: %s", cal.Name, o.First().Text("UID"), err))
					continue
				}
				l.parent = tree.parent[l.UID]
				if keep(l) {
					out = append(out, *l)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // the functions report through the page
	if failed != nil && (read == 0 || errors.Is(failed, nextcloud.ErrUnauthenticated)) {
		return nil, failed
	}
	slices.Sort(page.Skipped)
	return out, nil
}

func (o *object) listedTask(now time.Time, zone *time.Location) (*listedTask, error) {
	at, err := o.turn(now, zone)
	if err != nil {
		return nil, err
	}
	l := &listedTask{Task: o.task(at, now, zone), path: o.path, order: o.sortOrder()}
	moment := func(d ical.DateTime) time.Time {
		if d.IsZero() {
			return time.Time{}
		}
		return d.Instant(zone)
	}
	l.start, l.due = moment(at.start), moment(at.due)
	if d, err := o.Zones.Read(at.comp.Prop("CREATED")); err == nil {
		l.created = moment(d)
	}
	if d, err := o.Zones.Read(at.comp.Prop("COMPLETED")); err == nil {
		l.done = moment(d)
	}
	return l, nil
}

// sortOrder is the place in the manual order. Apple and Nextcloud count a task
// without one by the seconds of its making since 2001.
func (o *object) sortOrder() int {
	c := o.First()
	if n, err := strconv.Atoi(strings.TrimSpace(c.Text("X-APPLE-SORT-ORDER"))); err == nil {
		return n
	}
	d, err := o.Zones.Read(c.Prop("CREATED"))
	if err != nil || d.IsZero() {
		return 0
	}
	return int(d.Instant(time.UTC).Sub(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)) / time.Second)
}

// outline puts the tasks in order, each before its subtasks. A subtask whose
// parent is not listed stands for itself.
func outline(list []listedTask, order func(a, b *listedTask) int) []listedTask {
	slices.SortFunc(list, func(a, b listedTask) int { return order(&a, &b) })
	key := func(calendar, uid string) string { return calendar + "\n" + uid }
	here := map[string]bool{}
	for i := range list {
		here[key(list[i].CalendarName, list[i].UID)] = true
	}
	below := map[string][]int{}
	var roots []int
	for i := range list {
		if parent := key(list[i].CalendarName, list[i].parent); list[i].parent != "" && here[parent] {
			below[parent] = append(below[parent], i)
		} else {
			roots = append(roots, i)
		}
	}
	out := make([]listedTask, 0, len(list))
	var add func(of []int, depth int)
	add = func(of []int, depth int) {
		for _, i := range of {
			l := list[i]
			l.Depth = depth
			out = append(out, l)
			add(below[key(l.CalendarName, l.UID)], depth+1)
		}
	}
	add(roots, 0)
	return out
}

// cut fills the page with the part of found that the query asks for.
func (p *TaskPage) cut(found []listedTask, q TaskQuery) error {
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, MaxLimit)
	p.TotalFound = len(found)
	from, err := q.from(found)
	if err != nil {
		return err
	}
	to := min(from+limit, len(found))
	for _, l := range found[from:to] {
		l.Description = clip(l.Description, maxDescription, "get_todo")
		p.Tasks = append(p.Tasks, l.Task)
	}
	if to < len(found) {
		p.NextCursor = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to) + " " + found[to-1].path))
	}
	return nil
}

// from is where the page begins: behind the last task of the page before, or
// at its place when that task is not listed any more.
func (q *TaskQuery) from(found []listedTask) (int, error) {
	if q.Cursor == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	place, path, ok := strings.Cut(string(b), " ")
	n, nerr := strconv.Atoi(place)
	if err != nil || !ok || nerr != nil || n < 0 {
		return 0, invalidf(listTasksOp, "the cursor is not one that this tool gave; leave it out to start again")
	}
	if i := slices.IndexFunc(found, func(l listedTask) bool { return l.path == path }); i >= 0 {
		return i + 1, nil
	}
	return min(max(n-1, 0), len(found)), nil
}

// Get is one task with all that is known of it. With subtasks, its whole list
// is read.
func (t *Tasks) Get(ctx context.Context, target TaskTarget, subtasks bool) (*FullTask, error) {
	const op = "get task"
	p, err := t.c.person(ctx)
	if err != nil {
		return nil, err
	}
	if target.Calendar == "" || !subtasks {
		o, err := t.findTask(ctx, op, target)
		if err != nil {
			return nil, err
		}
		target.Calendar = o.cal.Name
		if !subtasks {
			at, err := o.turn(t.c.now(), p.zone)
			if err != nil {
				return nil, unreadableTask(op, err)
			}
			return t.full(o, at, p.zone), nil
		}
	}
	cal, err := t.list(ctx, op, target.Calendar)
	if err != nil {
		return nil, err
	}
	all, err := t.wholeList(ctx, op, cal)
	if err != nil {
		return nil, err
	}
	tree := newTree(all)
	o := tree.find(target.UID)
	if o == nil {
		return nil, notFoundf(op, "there is no task with the uid %.80q in the task list %s", target.UID, cal.Name)
	}
	now := t.c.now()
	at, err := o.turn(now, p.zone)
	if err != nil {
		return nil, unreadableTask(op, err)
	}
	full := t.full(o, at, p.zone)
	full.ParentUID = tree.parent[target.UID]
	base := tree.depth(target.UID)
	for _, sub := range tree.below(target.UID) {
		uid := sub.First().Text("UID")
		s := Subtask{UID: uid, Title: sub.First().Text("SUMMARY"), Status: statusOf(sub.First()), Depth: tree.depth(uid) - base}
		if at, err := sub.turn(now, p.zone); err == nil {
			s.Status, s.Due = at.status, at.due.String()
		}
		full.Subtasks = append(full.Subtasks, s)
	}
	return full, nil
}
