package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// GoneTask is a task that was deleted, or would be.
type GoneTask struct {
	UID          string `json:"uid"`
	Title        string `json:"summary"`
	CalendarName string `json:"calendar_name"`
	Completed    string `json:"completed,omitempty"`
}

func (o *object) gone() GoneTask {
	c := o.First()
	return GoneTask{c.Text("UID"), c.Text("SUMMARY"), o.cal.Name, momentOf(o, c, "COMPLETED")}
}

// DeletedTasks is what a deletion came to. What is deleted in a list of
// somebody else lies in their trash and in the person's own.
type DeletedTasks struct {
	Tasks     []GoneTask
	Retention time.Duration // how long the trash keeps them; 0 when Nextcloud does not say
}

// Delete deletes a task. Its subtasks go along when that is asked for, else
// they stay and stand for themselves.
func (t *Tasks) Delete(ctx context.Context, target TaskTarget, subtasks bool) (*DeletedTasks, error) {
	const op = "delete task"
	family, _, err := t.family(ctx, op, target, subtasks)
	if err != nil {
		return nil, err
	}
	out := &DeletedTasks{}
	if h, _, err := t.c.home(ctx); err == nil {
		out.Retention = h.retention
	}
	// Subtasks first: what is left when it stops is a tree still.
	slices.Reverse(family)
	for _, o := range family {
		if err := t.c.dav.Delete(ctx, dav.Query{Op: op, Path: o.path}, dav.Condition{ETag: o.etag}); err != nil {
			return nil, t.stopped(ctx, err, "deleted", out.Tasks)
		}
		out.Tasks = append(out.Tasks, o.gone())
	}
	slices.Reverse(out.Tasks)
	return out, nil
}

// stopped is the error of a change of several tasks that one of them stopped.
func (t *Tasks) stopped(ctx context.Context, err error, what string, done []GoneTask) error {
	err = t.c.explain(ctx, err)
	if len(done) == 0 {
		return err
	}
	names := make([]string, 0, 10)
	for _, d := range done[:min(len(done), 10)] {
		names = append(names, fmt.Sprintf("%.60s", d.Title))
	}
	return partly(err, fmt.Sprintf("%d subtasks were %s (%s), then: %s", len(done), what, strings.Join(names, ", "), reason(err)))
}

// family is the target, and with subtasks all that is below it.
func (t *Tasks) family(ctx context.Context, op string, target TaskTarget, subtasks bool) ([]*object, *Calendar, error) {
	if !subtasks || strings.TrimSpace(target.Calendar) == "" {
		o, _, err := t.openTask(ctx, op, target)
		if err != nil {
			return nil, nil, err
		}
		if !subtasks {
			return []*object{o}, o.cal, nil
		}
		target.Calendar = o.cal.Name
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
	if o == nil {
		return nil, nil, notFoundf(op, "there is no task with the uid %.80q in the task list %s", target.UID, cal.Name)
	}
	return append([]*object{o}, tree.below(target.UID)...), cal, target.check(op, o)
}

// trashed is a task in the trash.
type trashed struct {
	*object
	list string
}

// trash are the tasks with that UID that the person's trash holds.
func (t *Tasks) trash(ctx context.Context, op, uid string) ([]trashed, error) {
	root, err := t.c.homePath(ctx)
	if err != nil {
		return nil, err
	}
	ms, err := t.c.trashQuery(ctx, op, root, kindTask, uidIs(uid))
	if err != nil {
		return nil, err
	}
	var out []trashed
	for i := range ms.Responses {
		r := &ms.Responses[i]
		path, err := t.c.dav.Local(r.Href)
		data := r.Prop(propData)
		if err != nil || data == nil {
			continue
		}
		list := r.Prop(propTrashedFrom).String()
		o, err := readObject(&Calendar{Name: list}, path, nextcloud.UnquoteETag(r.Prop(propETag).String()), []byte(data.Text), kindTask)
		if err == nil && o.First().Text("UID") == uid {
			out = append(out, trashed{o, list})
		}
	}
	return out, nil
}

// Restore brings a deleted task back into its list.
func (t *Tasks) Restore(ctx context.Context, target TaskTarget) (*SavedTask, error) {
	const op = "restore task"
	if strings.TrimSpace(target.UID) == "" {
		return nil, invalidf(op, "the uid is missing")
	}
	p, err := t.c.person(ctx)
	if err != nil {
		return nil, err
	}
	found, err := t.trash(ctx, op, target.UID)
	if err != nil {
		return nil, err
	}
	if target.Calendar != "" {
		cal, err := t.list(ctx, op, target.Calendar)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(o trashed) bool { return o.list != cal.Name })
	}
	switch {
	case len(found) == 0:
		return nil, notFoundf(op, "no task with the uid %.80q is in the trash", target.UID)
	case len(found) > 1:
		names := make([]string, len(found))
		for i, o := range found {
			names[i] = o.list
		}
		return nil, invalidf(op, "the trash has this task from several lists; give calendar_name, one of %s", strings.Join(names, ", "))
	}
	o := found[0]
	root, err := t.c.homePath(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.c.putBack(ctx, op, root, o.path); err != nil {
		return nil, err
	}
	o.path = "" // it has its old name again, which the trash does not say
	return t.saved(o.object, "", p, clock{}), nil
}

// Cleared is what clearing completed tasks came to.
type Cleared struct {
	Tasks     []GoneTask // deleted, or what would be
	Kept      []string   // completed tasks that stay, and why
	Failed    []string
	More      bool // there are more than one call deletes
	Retention time.Duration
}

// MaxCleared is the most tasks that one call clears.
const MaxCleared = 200

// Clear deletes the completed tasks of a list, or of all lists, that were done
// before a day, or finds out what it would delete. A task with something open
// below it stays.
func (t *Tasks) Clear(ctx context.Context, list, before, zone string, dry bool) (*Cleared, error) {
	const op = "clear completed tasks"
	p, err := t.c.person(ctx)
	if err != nil {
		return nil, err
	}
	at, err := clockFor(op, zone, p)
	if err != nil {
		return nil, err
	}
	limit := t.c.now()
	if before != "" {
		w, err := parseWhen(op, "completed_before", before)
		if err != nil {
			return nil, err
		}
		limit = at.instant(w)
	}
	lists, err := t.lists(ctx, op, list)
	if err != nil {
		return nil, err
	}
	if list == "" {
		lists = slices.DeleteFunc(lists, func(c *Calendar) bool { return c.ReadOnly || c.Source != "" || c.Shared })
	} else if err := mayChange(op, lists[0]); err != nil {
		return nil, err
	}
	out := &Cleared{Tasks: []GoneTask{}}
	if h, _, err := t.c.home(ctx); err == nil {
		out.Retention = h.retention
	}
	var doomed []*object
	for _, cal := range lists {
		all, err := t.wholeList(ctx, op, cal)
		if err != nil {
			return nil, err
		}
		doomed = append(doomed, out.choose(all, limit, at.loc)...)
	}
	if len(doomed) > MaxCleared {
		doomed, out.More = doomed[:MaxCleared], true
	}
	if dry {
		for _, o := range doomed {
			out.Tasks = append(out.Tasks, o.gone())
		}
		return out, nil
	}
	t.clear(ctx, op, doomed, out)
	return out, nil
}

// choose are the tasks to clear, subtasks before their parents.
func (out *Cleared) choose(all []object, limit time.Time, zone *time.Location) []*object {
	tree := newTree(all)
	var doomed []*object
	for i := range all {
		o := &all[i]
		c := o.First()
		if o.Master == nil || statusOf(c) != statusDone {
			continue
		}
		done, err := o.Zones.Read(c.Prop("COMPLETED"))
		if err != nil || (!done.IsZero() && !done.Instant(zone).Before(limit)) {
			continue
		}
		if slices.ContainsFunc(tree.below(c.Text("UID")), func(sub *object) bool { return !closed(statusOf(sub.First())) }) {
			out.Kept = append(out.Kept, fmt.Sprintf("%.80s: a subtask is open", c.Text("SUMMARY")))
			continue
		}
		doomed = append(doomed, o)
	}
	slices.SortStableFunc(doomed, func(a, b *object) int {
		return tree.depth(b.First().Text("UID")) - tree.depth(a.First().Text("UID"))
	})
	return doomed
}

// clear deletes, some at a time. One that changed meanwhile stays and is named.
func (t *Tasks) clear(ctx context.Context, op string, doomed []*object, out *Cleared) {
	var mu sync.Mutex // guards out
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, o := range doomed {
		group.Go(func() error {
			err := ctx.Err()
			if err == nil {
				err = t.c.dav.Delete(ctx, dav.Query{Op: op, Path: o.path}, dav.Condition{ETag: o.etag})
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				out.Tasks = append(out.Tasks, o.gone())
			case !errors.Is(err, nextcloud.ErrNotFound):
				out.Failed = append(out.Failed, fmt.Sprintf("%.80s: %s", o.First().Text("SUMMARY"), reason(err)))
			}
			return nil
		})
	}
	_ = group.Wait() // the functions report through out
}
