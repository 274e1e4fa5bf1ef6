package calendar

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Trashed is something in the trash of the calendars.
type Trashed struct {
	ID       string `json:"id"`   // what Restore takes
	Kind     string `json:"kind"` // calendar, event, task, journal or unreadable
	UID      string `json:"uid,omitempty"`
	Title    string `json:"summary,omitempty"` // of a calendar: its display name
	Start    string `json:"start,omitempty"`
	Calendar string `json:"calendar_name,omitempty"` // where it was
	Deleted  string `json:"deleted,omitempty"`
	Until    string `json:"kept_until,omitempty"` // then Nextcloud deletes it for good
}

// TrashPage is a part of what lies in the trash, the last deleted first.
type TrashPage struct {
	Items      []Trashed `json:"items"`
	TotalFound int       `json:"total_found"`
	NextCursor string    `json:"next_cursor,omitempty"`
	Skipped    []string  `json:"skipped,omitempty"`
}

var (
	propTrashedAt   = dav.Name(dav.NSNextcloud, "deleted-at")
	propTrashedFrom = dav.Name(dav.NSNextcloud, "calendar-uri")

	trashedObjectID = regexp.MustCompile(`^[0-9]{1,19}\.ics$`)
)

// trashKinds are the words for what components are.
var trashKinds = map[string]string{"VEVENT": "event", "VTODO": "task", "VJOURNAL": "journal"}

func trashedCalendar(r *dav.Response) Trashed {
	return Trashed{ID: dav.Base(r.Href), Kind: "calendar", Title: r.Prop(propDisplayName).String(), Deleted: r.Prop(propTrashedAt).String()}
}

// Trash lists what lies in the trash.
func (c *Client) Trash(ctx context.Context, limit int, cursor string) (*TrashPage, error) {
	const op = "list calendar trash"
	from, err := strconv.Atoi(cmp.Or(cursor, "0"))
	if err != nil || from < 0 {
		return nil, invalidf(op, "the cursor is not one that this tool gave; leave it out to start again")
	}
	root, err := c.homePath(ctx)
	if err != nil {
		return nil, err
	}
	var (
		h  *home
		ms *dav.Multistatus
	)
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		h, err = c.readHome(gctx)
		return err
	})
	group.Go(func() (err error) {
		ms, err = c.trashQuery(gctx, op, root, "VEVENT")
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	page := &TrashPage{Items: []Trashed{}}
	all := slices.Clone(h.trashed)
	for i := range ms.Responses {
		if t, ok := readTrashed(&ms.Responses[i]); ok {
			all = append(all, t)
		}
	}
	for i := range all {
		if t, err := time.Parse(time.RFC3339, all[i].Deleted); err == nil && h.retention > 0 {
			all[i].Until = t.Add(h.retention).Format(time.RFC3339)
		}
	}
	slices.SortStableFunc(all, func(a, b Trashed) int {
		return cmp.Or(strings.Compare(b.Deleted, a.Deleted), strings.Compare(a.ID, b.ID))
	})
	page.TotalFound = len(all)
	if limit <= 0 || limit > MaxLimit {
		limit = 50
	}
	all = all[min(from, len(all)):]
	if len(all) > limit {
		all, page.NextCursor = all[:limit], strconv.Itoa(from+limit)
	}
	page.Items = append(page.Items, all...)
	return page, nil
}

// trashQuery reads the objects of that kind in the trash. Nextcloud: it looks
// at no filter there, but wants one.
func (c *Client) trashQuery(ctx context.Context, op, root, kind string, filter ...dav.Element) (*dav.Multistatus, error) {
	return c.dav.Report(ctx, dav.Query{Op: op, Path: root + "/trashbin/objects/", Depth: dav.Children, MaxBody: 64 << 20},
		dav.El(dav.Name(dav.NSCalDAV, "calendar-query"), dav.Props(propETag, propTrashedAt, propTrashedFrom, propData), holding(kind, filter...)))
}

func readTrashed(r *dav.Response) (Trashed, bool) {
	t := Trashed{ID: dav.Base(r.Href), Kind: "unreadable", Calendar: r.Prop(propTrashedFrom).String(), Deleted: r.Prop(propTrashedAt).String()}
	if !trashedObjectID.MatchString(t.ID) {
		return t, false
	}
	data := r.Prop(propData)
	if data == nil {
		return t, true
	}
	root, err := ical.Parse([]byte(data.Text))
	if err != nil {
		return t, true
	}
	for _, kind := range []string{"VEVENT", "VTODO", "VJOURNAL"} {
		s, err := ical.NewSeries(root, kind)
		if err != nil {
			continue
		}
		first := s.First()
		t.Kind, t.UID, t.Title = trashKinds[kind], first.Text("UID"), first.Text("SUMMARY")
		if start, _, err := s.Times(first); err == nil && !start.IsZero() {
			t.Start = start.String()
		}
		break
	}
	return t, true
}

// Restore takes something out of the trash, by the id that Trash gave.
func (c *Client) Restore(ctx context.Context, id string) (*Trashed, error) {
	const op = "restore from calendar trash"
	root, err := c.homePath(ctx)
	if err != nil {
		return nil, err
	}
	id = strings.TrimSpace(id)
	out := &Trashed{ID: id, Kind: "calendar"}
	from := root + "/trashbin/objects/" + id
	if !trashedObjectID.MatchString(id) {
		h, err := c.readHome(ctx)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(h.trashed, func(t Trashed) bool { return t.ID == id })
		if i < 0 {
			return nil, notFoundf(op, "nothing with the id %.60q is in the trash; list the trash to see what is", id)
		}
		*out = h.trashed[i]
		out.Calendar = id
		if from, err = nextcloud.Path(root, id); err != nil {
			return nil, err
		}
		from += "/"
	} else if err := c.describeTrashed(ctx, op, from, out); err != nil {
		return nil, err
	}
	err = c.putBack(ctx, op, root, from)
	c.forget(ctx)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// putBack takes out of the trash what lies at that path.
func (c *Client) putBack(ctx context.Context, op, root, from string) error {
	// Nextcloud: the last segment is of no meaning.
	err := c.dav.Move(ctx, dav.Query{Op: op, Path: from}, root+"/trashbin/restore/file", dav.Unsaid)
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	failure := *e
	switch {
	case errors.Is(e.Kind, nextcloud.ErrNotFound):
		c.forget(ctx)
		failure.Message = "it is not in the trash any more, or its calendar is in the trash too and has to be restored first"
	case e.Status == http.StatusInternalServerError, errors.Is(e.Kind, nextcloud.ErrInvalid), errors.Is(e.Kind, nextcloud.ErrConflict):
		failure.Kind = nextcloud.ErrConflict
		failure.Message = "Nextcloud could not restore it: an entry with the same uid or file may be in the calendar now"
	}
	return &failure
}

// describeTrashed reads what is about to be restored.
func (c *Client) describeTrashed(ctx context.Context, op, path string, t *Trashed) error {
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: op, Path: path}, propTrashedAt, propTrashedFrom, propData)
	if err != nil {
		if errors.Is(err, nextcloud.ErrNotFound) {
			return notFoundf(op, "nothing with the id %.60q is in the trash; list the trash to see what is", t.ID)
		}
		return err
	}
	if len(ms.Responses) > 0 {
		if read, ok := readTrashed(&ms.Responses[0]); ok {
			*t = read
		}
	}
	return nil
}
