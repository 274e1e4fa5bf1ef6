package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// Tasks is one person's tasks (VTODO). In CalDAV a task list is a calendar
// that takes tasks, so that both share this package.
type Tasks struct {
	c *Client
}

// NewTasks is a client of the tasks on nc.
func NewTasks(nc *nextcloud.Client) *Tasks { return &Tasks{c: New(nc)} }

// kindTask is the component of tasks.
const kindTask = "VTODO"

// noLists is what a person without a task list is told.
const noLists = "no calendar of this person takes tasks; nc_calendar_create_todo_list makes a list for them"

// taskLists are the calendars that take tasks.
func (h *home) taskLists() []Calendar {
	return slices.DeleteFunc(slices.Clone(h.calendars), func(c Calendar) bool {
		return len(c.Components) > 0 && !c.Holds(kindTask)
	})
}

// list is the task list of that name, or of that display name when only one
// has it.
func (t *Tasks) list(ctx context.Context, op, name string) (*Calendar, error) {
	name = strings.TrimSpace(strings.Trim(strings.TrimSpace(name), "/"))
	h, fresh, err := t.c.home(ctx)
	if err != nil {
		return nil, err
	}
	cal, err := pickList(op, h, name)
	if errors.Is(err, nextcloud.ErrNotFound) && !fresh {
		if h, err = t.c.readHome(ctx); err != nil {
			return nil, err
		}
		return pickList(op, h, name)
	}
	return cal, err
}

func pickList(op string, h *home, name string) (*Calendar, error) {
	lists := h.taskLists()
	if len(lists) == 0 {
		return nil, notFoundf(op, "%s", noLists)
	}
	cal, err := pick(op, lists, name)
	if errors.Is(err, nextcloud.ErrNotFound) {
		if other, e := pick(op, h.calendars, name); e == nil {
			return nil, invalidf(op, "the calendar %s takes no tasks. Task lists: %s", other.Name, candidates(lists))
		}
		return nil, notFoundf(op, "there is no task list %.80q. Task lists: %s", name, candidates(lists))
	}
	return cal, err
}

// lists are the task list of that name, or all of them when it is empty.
func (t *Tasks) lists(ctx context.Context, op, name string) ([]*Calendar, error) {
	if strings.TrimSpace(name) != "" {
		cal, err := t.list(ctx, op, name)
		if err != nil {
			return nil, err
		}
		return []*Calendar{cal}, nil
	}
	h, _, err := t.c.home(ctx)
	if err != nil {
		return nil, err
	}
	all := h.taskLists()
	out := make([]*Calendar, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out, nil
}

// writable is the list that takes a new task: the one named, or the only one
// there is.
func (t *Tasks) writable(ctx context.Context, op, name string) (*Calendar, error) {
	if strings.TrimSpace(name) != "" {
		cal, err := t.list(ctx, op, name)
		if err != nil {
			return nil, err
		}
		return cal, mayChange(op, cal)
	}
	all, err := t.lists(ctx, op, "")
	if err != nil {
		return nil, err
	}
	own := slices.DeleteFunc(slices.Clone(all), func(c *Calendar) bool { return c.ReadOnly })
	switch {
	case len(own) == 0:
		return nil, notFoundf(op, "%s", noLists)
	case len(own) > 1:
		names := make([]Calendar, len(own))
		for i, c := range own {
			names[i] = *c
		}
		return nil, invalidf(op, "calendar_name is missing. Task lists: %s", candidates(names))
	}
	return own[0], nil
}

// mayChange refuses what a read-only list would refuse.
func mayChange(op string, cal *Calendar) error {
	if cal.ReadOnly || cal.Source != "" {
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: fmt.Sprintf("the task list %s can only be read by this person", cal.Name)}
	}
	return nil
}

// TaskTarget says which task.
type TaskTarget struct {
	Calendar string // name or display name of its list; empty to look in all
	UID      string
	ETag     string // when given, the task must still be this one
}

// findTask is the task with that UID, in one list or in whichever has it.
func (t *Tasks) findTask(ctx context.Context, op string, target TaskTarget) (*object, error) {
	if strings.TrimSpace(target.UID) == "" {
		return nil, invalidf(op, "the uid is missing")
	}
	lists, err := t.lists(ctx, op, target.Calendar)
	if err != nil {
		return nil, err
	}
	found := make([]*object, len(lists))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, cal := range lists {
		group.Go(func() error {
			objects, _, err := t.c.report(ctx, op, cal, kindTask, uidIs(target.UID))
			// A text-match finds UIDs that contain the text, too.
			for k := range objects {
				if objects[k].First().Text("UID") == target.UID {
					found[i] = &objects[k]
				}
			}
			return err
		})
	}
	err = group.Wait()
	found = slices.DeleteFunc(found, func(o *object) bool { return o == nil })
	switch {
	case len(found) == 1:
		// A list that could not be read does not matter any more.
		return found[0], target.check(op, found[0])
	case err != nil:
		return nil, err
	case len(found) == 0:
		where := "in any task list"
		if len(lists) == 1 {
			where = "in the task list " + lists[0].Name
		}
		return nil, notFoundf(op, "there is no task with the uid %.80q %s", target.UID, where)
	}
	names := make([]string, len(found))
	for i, o := range found {
		names[i] = o.cal.Name
	}
	return nil, invalidf(op, "several lists have a task with this uid; give calendar_name, one of %s", strings.Join(names, ", "))
}

// check refuses a task that is not the one that the caller saw.
func (target TaskTarget) check(op string, o *object) error {
	if target.ETag != "" && nextcloud.UnquoteETag(target.ETag) != o.etag {
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrPrecondition}
	}
	return nil
}

// openTask reads the target for a change.
func (t *Tasks) openTask(ctx context.Context, op string, target TaskTarget) (*object, *person, error) {
	p, err := t.c.person(ctx)
	if err != nil {
		return nil, nil, err
	}
	o, err := t.findTask(ctx, op, target)
	if err != nil {
		return nil, nil, err
	}
	return o, p, mayChange(op, o.cal)
}

// wholeList is every task of one list, for questions about more than one task.
func (t *Tasks) wholeList(ctx context.Context, op string, cal *Calendar) ([]object, error) {
	objects, _, err := t.c.report(ctx, op, cal, kindTask)
	return objects, err
}

// unreadableTask is about a task that another program wrote in a way that
// nobody can read.
func unreadableTask(op string, err error) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "the task holds something that cannot be read: " + err.Error(), Err: err}
}

// parentOf is the task that c is a subtask of; "" when it is none.
func parentOf(c *ical.Component) string {
	if l := parentLine(c); l != nil {
		return l.Text()
	}
	return ""
}

// parentLine is the RELATED-TO that names the parent: the relation is PARENT
// when nothing else is said (RFC 5545, 3.2.15).
func parentLine(c *ical.Component) *ical.Line {
	for _, l := range c.PropAll("RELATED-TO") {
		if kind := l.Param("RELTYPE"); kind == "" || strings.EqualFold(kind, "PARENT") {
			return l
		}
	}
	return nil
}

// setParent makes c a subtask of the task with that UID, or of none. Other
// relations stay.
func setParent(c *ical.Component, uid string) {
	l := parentLine(c)
	switch {
	case uid == "" && l != nil:
		c.RemoveLine(l)
	case uid == "":
	case l == nil:
		c.Add(ical.NewText("RELATED-TO", uid, ical.Param{Name: "RELTYPE", Values: []string{"PARENT"}}))
	case l.Text() != uid:
		l.SetValue(ical.EscapeText(uid))
	}
}
