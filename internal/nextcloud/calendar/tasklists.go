package calendar

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Lists are the person's task lists, read anew.
func (t *Tasks) Lists(ctx context.Context) ([]Calendar, error) {
	h, err := t.c.readHome(ctx)
	if err != nil {
		return nil, err
	}
	lists := h.taskLists()
	for i := range lists {
		lists[i].IsDefault = false // that one is for events
	}
	return lists, nil
}

// CreateList makes a task list. The name of its address is made of the display
// name.
func (t *Tasks) CreateList(ctx context.Context, title, color string) (*Calendar, error) {
	const op = "create task list"
	title = strings.TrimSpace(title)
	if title == "" {
		return nil, invalidf(op, "the list needs a name")
	}
	if err := checkColor(op, color); err != nil {
		return nil, err
	}
	user, err := t.c.nc.UserID(ctx)
	if err != nil {
		return nil, err
	}
	props := []dav.Element{
		dav.Text(propDisplayName, title),
		dav.El(propComponents, dav.El(dav.Name(dav.NSCalDAV, "comp")).With("name", kindTask)),
	}
	if color != "" {
		props = append(props, dav.Text(propColor, color))
	}
	name := slug(title)
	for range 2 {
		path, err := nextcloud.Path(dav.Root+"/calendars", string(user), name)
		if err != nil {
			return nil, err
		}
		err = t.c.dav.Mkcalendar(ctx, dav.Query{Op: op, Path: path + "/"}, props...)
		t.c.forget(ctx)
		if errors.Is(err, nextcloud.ErrConflict) {
			// Another one has this name, or one in the trash does.
			name += "-" + uuid.NewString()[:8]
			continue
		}
		if err != nil {
			return nil, limited(err)
		}
		return &Calendar{Name: name, DisplayName: title, Color: color, Components: []string{kindTask}, path: path + "/"}, nil
	}
	return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrConflict, Message: "its address is taken"}
}

// limited says what Nextcloud's refusals of new calendars mean.
func limited(err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok || (e.Status != http.StatusForbidden && e.Status != http.StatusTooManyRequests) {
		return err
	}
	out := *e
	out.Message = "Nextcloud allows only so many calendars and lists in all, and so many new ones in an hour"
	return &out
}

// slug is a name for an address.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	// Nextcloud: these are no calendars.
	if s := strings.Trim(b.String(), "-"); !slices.Contains([]string{"", "inbox", "outbox", "trashbin"}, s) {
		return s
	}
	return "tasks-" + uuid.NewString()[:8]
}

func checkColor(op, color string) error {
	if color != "" && (!colorForm.MatchString(color) || color[0] != '#') {
		return invalidf(op, "color has to be written as #RRGGBB")
	}
	return nil
}

// ChangeList gives a list another display name or colour; empty leaves it. Of
// a list that somebody else shares it changes only how this person sees it.
func (t *Tasks) ChangeList(ctx context.Context, list, title, color string) (*Calendar, error) {
	const op = "change task list"
	if title == "" && color == "" {
		return nil, invalidf(op, "no field to change was given")
	}
	if err := checkColor(op, color); err != nil {
		return nil, err
	}
	cal, err := t.onlyTasks(ctx, op, list)
	if err != nil {
		return nil, err
	}
	var set []dav.Element
	if title != "" {
		set = append(set, dav.Text(propDisplayName, title))
		cal.DisplayName = title
	}
	if color != "" {
		set = append(set, dav.Text(propColor, color))
		cal.Color = color
	}
	if err := t.c.dav.Proppatch(ctx, dav.Query{Op: op, Path: cal.path}, set); err != nil {
		return nil, t.c.explain(ctx, err)
	}
	t.c.forget(ctx)
	return cal, nil
}

// onlyTasks is a copy of a list that holds nothing but tasks: whoever may
// change tasks may not change what is a calendar of events as well.
func (t *Tasks) onlyTasks(ctx context.Context, op, name string) (*Calendar, error) {
	cal, err := t.list(ctx, op, name)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(cal.Components, []string{kindTask}) {
		return nil, invalidf(op, "%s is a calendar that holds events as well; change it as a calendar", cal.Name)
	}
	out := *cal
	return &out, nil
}

// DeletedList is a list that was deleted.
type DeletedList struct {
	Calendar  *Calendar
	Retention time.Duration // how long the trash keeps it; 0 when Nextcloud does not say
}

// DeleteList moves a list with its tasks to the trash. A list that somebody
// else shares leaves only this person's lists.
func (t *Tasks) DeleteList(ctx context.Context, list string) (*DeletedList, error) {
	const op = "delete task list"
	cal, err := t.onlyTasks(ctx, op, list)
	if err != nil {
		return nil, err
	}
	if cal.ReadOnly && !cal.Shared {
		return nil, mayChange(op, cal)
	}
	out := &DeletedList{Calendar: cal}
	if h, _, err := t.c.home(ctx); err == nil {
		out.Retention = h.retention
	}
	if err := t.c.dav.Delete(ctx, dav.Query{Op: op, Path: cal.path}, dav.Condition{}); err != nil {
		return nil, t.c.explain(ctx, err)
	}
	t.c.forget(ctx)
	return out, nil
}

// RestoreList brings a deleted list back, with what was in it.
func (t *Tasks) RestoreList(ctx context.Context, name string) (*Calendar, error) {
	const op = "restore task list"
	name = strings.TrimSpace(name)
	user, err := t.c.nc.UserID(ctx)
	if err != nil {
		return nil, err
	}
	root, err := nextcloud.Path(dav.Root+"/calendars", string(user))
	if err != nil {
		return nil, err
	}
	ms, err := t.c.dav.Propfind(ctx, dav.Query{Op: op, Path: root + "/", Depth: dav.Children, Header: webcal(false)}, propDisplayName, propType, propComponents, propColor)
	if err != nil {
		return nil, err
	}
	var found []Calendar
	for i := range ms.Responses {
		r := &ms.Responses[i]
		path, err := t.c.dav.Local(r.Href)
		if err != nil || !r.Prop(propType).Has(dav.Name(dav.NSNextcloud, "deleted-calendar")) {
			continue
		}
		cal := Calendar{Name: dav.Base(path), DisplayName: r.Prop(propDisplayName).String(), Color: r.Prop(propColor).String(), path: path}
		if set := r.Prop(propComponents); set != nil {
			for _, comp := range set.Children {
				cal.Components = append(cal.Components, strings.ToUpper(comp.Attr("name")))
			}
		}
		if slices.Equal(cal.Components, []string{kindTask}) {
			found = append(found, cal)
		}
	}
	if len(found) == 0 {
		return nil, notFoundf(op, "no task list is in the trash")
	}
	cal, err := pick(op, found, name)
	if err != nil {
		if isNotFound(err) {
			return nil, notFoundf(op, "no task list %.80q is in the trash. In the trash: %s", name, candidates(found))
		}
		return nil, err
	}
	err = t.c.putBack(ctx, op, root, cal.path)
	t.c.forget(ctx)
	if err != nil {
		return nil, err
	}
	return cal, nil
}
