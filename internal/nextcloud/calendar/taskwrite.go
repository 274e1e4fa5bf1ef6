package calendar

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// SavedTask is a task after it was written.
type SavedTask struct {
	UID          string `json:"uid,omitempty"`
	ETag         string `json:"etag,omitempty"`
	Task         *Task  `json:"todo,omitempty"`
	TimeZoneUsed string `json:"time_zone_used,omitempty"` // of times without an offset, and why
	Link         string `json:"link,omitempty"`
	Note         string `json:"note,omitempty"`
}

// saved is the answer about a task as it is now.
func (t *Tasks) saved(o *object, etag string, p *person, zone clock, notes ...string) *SavedTask {
	o.etag = etag
	out := &SavedTask{UID: o.First().Text("UID"), ETag: etag, Link: t.link(o), Note: strings.Join(notes, " ")}
	if zone.loc != nil {
		out.TimeZoneUsed = zone.String()
	}
	now := t.c.now()
	at, err := o.turn(now, p.zone)
	if err != nil {
		at = turn{comp: o.First(), status: statusOf(o.First())}
	}
	task := o.task(at, now, p.zone)
	task.ETag, task.Description = "", clip(task.Description, maxDescription, "get_todo")
	out.Task = &task
	return out
}

// Create makes a task; it needs a title only.
func (t *Tasks) Create(ctx context.Context, list string, f TaskFields) (*SavedTask, error) {
	const op = "create task"
	cal, err := t.writable(ctx, op, list)
	if err != nil {
		return nil, err
	}
	p, err := t.c.person(ctx)
	if err != nil {
		return nil, err
	}
	if f.Title == nil {
		return nil, invalidf(op, "a task needs a summary")
	}
	now := ical.UTCOf(t.c.now()).Value()
	todo := ical.NewComponent(kindTask)
	todo.Add(ical.NewLine("UID", uuid.NewString()))
	for _, name := range []string{"DTSTAMP", "CREATED", "LAST-MODIFIED"} {
		todo.Add(ical.NewLine(name, now))
	}
	root := ical.NewComponent("VCALENDAR")
	root.Add(ical.NewLine("VERSION", "2.0"))
	root.Add(ical.NewLine("PRODID", productID))
	root.Add(ical.NewLine("CALSCALE", "GREGORIAN"))
	root.AddChild(todo)
	o, err := newTask(op, cal, root)
	if err != nil {
		return nil, err
	}
	zone, err := f.apply(op, o, todo, p)
	if err != nil {
		return nil, err
	}
	if finished, err := f.setStatus(op, todo); err != nil {
		return nil, err
	} else if finished {
		at, by, err := f.completedAt(op, t.c.now(), p)
		if err != nil {
			return nil, err
		}
		zone = cmp.Or(zone, by)
		complete(todo, at)
	} else if todo.Prop("STATUS") == nil {
		todo.Add(ical.NewLine("STATUS", statusOpen))
	}
	if parent := parentOf(todo); parent != "" {
		if _, err := t.findTask(ctx, op, TaskTarget{Calendar: cal.Name, UID: parent}); err != nil {
			return nil, noParent(op, parent, cal, err)
		}
	}
	ical.Define(root)
	etag, err := t.c.put(ctx, op, o.path, root, dav.Condition{Absent: true})
	if err != nil {
		return nil, err
	}
	return t.saved(o, etag, p, zone), nil
}

// newTask is an object of a list that is not written yet, in a file of its
// UID's name.
func newTask(op string, cal *Calendar, root *ical.Component) (*object, error) {
	series, err := ical.NewSeries(root, kindTask)
	if err != nil {
		return nil, unreadableTask(op, err)
	}
	path, err := nextcloud.Path(strings.TrimSuffix(cal.path, "/"), series.First().Text("UID")+".ics")
	if err != nil {
		return nil, err
	}
	return &object{cal: cal, path: path, Series: series}, nil
}

// Update changes the given fields of a task and nothing else. Of a task that
// recurs it changes the series; completing goes on to the next occurrence, see
// Complete.
func (t *Tasks) Update(ctx context.Context, target TaskTarget, f TaskFields) (*SavedTask, error) {
	const op = "update task"
	if f.empty() {
		return nil, invalidf(op, "no field to change was given")
	}
	o, p, err := t.openForFields(ctx, op, target, &f)
	if err != nil {
		return nil, err
	}
	before := o.snapshot()
	c := o.First()
	zone, err := f.apply(op, o, c, p)
	if err != nil {
		return nil, err
	}
	finished, err := f.setStatus(op, c)
	if err != nil {
		return nil, err
	}
	if o.Master != nil {
		carry(before[o.Master], o.Series)
	}
	var note string
	if finished {
		at, by, err := f.completedAt(op, t.c.now(), p)
		if err != nil {
			return nil, err
		}
		zone = cmp.Or(zone, by)
		if note, err = o.finishTurn(op, at, t.c.now(), p); err != nil {
			return nil, err
		}
	}
	return t.write(ctx, op, o, before, p, zone, note)
}

// openForFields reads the target. When it is to become a subtask, the whole
// list is read instead, to see where that leads.
func (t *Tasks) openForFields(ctx context.Context, op string, target TaskTarget, f *TaskFields) (*object, *person, error) {
	parent := strings.TrimSpace(text(f.Parent))
	if parent == "" || strings.TrimSpace(target.Calendar) == "" {
		o, p, err := t.openTask(ctx, op, target)
		if err != nil || parent == "" {
			return o, p, err
		}
		target.Calendar = o.cal.Name
	}
	p, err := t.c.person(ctx)
	if err != nil {
		return nil, nil, err
	}
	cal, err := t.writable(ctx, op, target.Calendar)
	if err != nil {
		return nil, nil, err
	}
	all, err := t.wholeList(ctx, op, cal)
	if err != nil {
		return nil, nil, err
	}
	tree := newTree(all)
	o := tree.find(target.UID)
	switch {
	case o == nil:
		return nil, nil, notFoundf(op, "there is no task with the uid %.80q in the task list %s", target.UID, cal.Name)
	case tree.find(parent) == nil:
		return nil, nil, noParent(op, parent, cal, nil)
	case parent == target.UID || tree.above(parent, target.UID):
		return nil, nil, invalidf(op, "the task %.80q is itself below this one", parent)
	}
	return o, p, target.check(op, o)
}

// noParent: Nextcloud's Tasks shows subtasks only in the list of their parent.
func noParent(op, uid string, cal *Calendar, cause error) error {
	if cause != nil && !isNotFound(cause) {
		return cause
	}
	return invalidf(op, "there is no task with the uid %.80q in the task list %s to be the parent; a subtask has to be in the same list", uid, cal.Name)
}

// write puts a changed task back, unless nothing changed.
func (t *Tasks) write(ctx context.Context, op string, o *object, before snapshot, p *person, zone clock, notes ...string) (*SavedTask, error) {
	if !before.finish(o, p, t.c.now) {
		return t.saved(o, o.etag, p, zone, "Nothing had to be changed."), nil
	}
	etag, err := t.c.put(ctx, op, o.path, o.Object, dav.Condition{ETag: o.etag})
	if err != nil {
		return nil, err
	}
	return t.saved(o, etag, p, zone, notes...), nil
}

// completedAt is when the task was done, and the zone that this was read in.
func (f *TaskFields) completedAt(op string, now time.Time, p *person) (time.Time, clock, error) {
	if text(f.Completed) == "" {
		return now, clock{}, nil
	}
	at, err := clockFor(op, text(f.TimeZone), p)
	if err != nil {
		return now, at, err
	}
	w, err := parseWhen(op, "completed", *f.Completed)
	if w.fixed {
		return w.moment, clock{}, err
	}
	return at.instant(w), at, err
}
