package calendar

import (
	"context"
	"net/http"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// MovedTasks is what a move came to.
type MovedTasks struct {
	From, To *Calendar
	Tasks    []GoneTask // in the order of the tree, with the list they are in now
	Orphaned bool       // its parent stayed in the old list
}

// Move moves a task to another list, by the server, so that nothing of it
// changes. Its subtasks go along, since Nextcloud's Tasks shows them in the
// list of their parent only.
func (t *Tasks) Move(ctx context.Context, target TaskTarget, list string) (*MovedTasks, error) {
	const op = "move task"
	if strings.TrimSpace(list) == "" {
		return nil, invalidf(op, "the list to move to is missing")
	}
	to, err := t.writable(ctx, op, list)
	if err != nil {
		return nil, err
	}
	family, from, err := t.family(ctx, op, target, true)
	if err != nil {
		return nil, err
	}
	if from.Name == to.Name {
		return nil, invalidf(op, "the task is in the list %s already", to.Name)
	}
	out := &MovedTasks{From: from, To: to, Orphaned: parentOf(family[0].First()) != ""}
	for _, o := range family {
		path, err := nextcloud.Path(strings.TrimSuffix(to.path, "/"), dav.Base(o.path))
		if err != nil {
			return nil, err
		}
		q := dav.Query{Op: op, Path: o.path, Header: http.Header{"If-Match": {nextcloud.QuoteETag(o.etag)}}}
		if err := t.c.dav.Move(ctx, q, path, dav.Keep); err != nil {
			return nil, t.stopped(ctx, err, "moved", out.Tasks)
		}
		moved := o.gone()
		moved.CalendarName = to.Name
		out.Tasks = append(out.Tasks, moved)
	}
	return out, nil
}
