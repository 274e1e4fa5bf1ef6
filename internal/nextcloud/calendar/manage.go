package calendar

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Look is what people can set of a calendar. What is nil stays as it is; an
// empty text clears.
type Look struct {
	DisplayName *string
	Description *string
	Color       *string // #RRGGBB
	// Transparent says that the calendar does not count for free-busy.
	Transparent *bool
}

// NewCalendar is a calendar to be made.
type NewCalendar struct {
	Name       string   // the last segment of its address; empty: made of the display name
	Components []string // default VEVENT
	Source     string   // for a subscription: the address to read from
	Look
}

var (
	propTransp = dav.Name(dav.NSCalDAV, "schedule-calendar-transp")

	calendarName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	calendarColor = regexp.MustCompile(`^#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?$`)
)

// reserved are names in a calendar home that Nextcloud uses itself.
var reserved = []string{"inbox", "outbox", "trashbin", "notifications", "contact_birthdays"}

// defaultColor is what Nextcloud gives a calendar.
const defaultColor = "#0082c9"

// elements are the properties to set.
func (l *Look) elements(op string) (set []dav.Element, err error) {
	if l.DisplayName != nil {
		name := strings.TrimSpace(*l.DisplayName)
		if name == "" || len([]rune(name)) > 200 {
			return nil, invalidf(op, "display_name has to have from 1 to 200 characters")
		}
		set = append(set, dav.Text(propDisplayName, name))
	}
	if l.Description != nil {
		set = append(set, dav.Text(propDescription, *l.Description))
	}
	if l.Color != nil && *l.Color != "" {
		if !calendarColor.MatchString(*l.Color) {
			return nil, invalidf(op, "color has to be like #1976D2")
		}
		set = append(set, dav.Text(propColor, *l.Color))
	}
	if l.Transparent != nil {
		word := "opaque"
		if *l.Transparent {
			word = "transparent"
		}
		set = append(set, dav.El(propTransp, dav.El(dav.Name(dav.NSCalDAV, word))))
	}
	return set, nil
}

// calendarSlug is a name made of a display name.
func calendarSlug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := strings.Trim(b.String(), "-")
	if s == "" || slices.Contains(reserved, s) {
		s = strings.Trim("calendar-"+s, "-")
	}
	return s[:min(len(s), 60)]
}

// CreateCalendar makes a calendar, or a subscription when it has a source.
func (c *Client) CreateCalendar(ctx context.Context, n NewCalendar) (*Calendar, error) {
	op := "create calendar"
	if n.Source != "" {
		op = "subscribe to calendar"
	}
	if n.DisplayName == nil || strings.TrimSpace(*n.DisplayName) == "" {
		if n.Name == "" {
			return nil, invalidf(op, "display_name is missing")
		}
		n.DisplayName = &n.Name
	}
	if n.Color == nil || *n.Color == "" {
		n.Color = new(defaultColor)
	}
	set, err := n.elements(op)
	if err != nil {
		return nil, err
	}
	cal := &Calendar{
		Name: n.Name, DisplayName: strings.TrimSpace(*n.DisplayName), Color: *n.Color, Description: text(n.Description),
		Components: n.Components, ReadOnly: n.Source != "", Source: n.Source,
	}
	switch {
	case cal.Name == "":
		cal.Name = calendarSlug(cal.DisplayName)
	case !calendarName.MatchString(cal.Name) || slices.Contains(reserved, cal.Name):
		return nil, invalidf(op, "the calendar name %.60q is not usable; take letters, digits, - and _, or leave it out and give display_name", cal.Name)
	}
	if len(cal.Components) == 0 {
		cal.Components = []string{"VEVENT"}
	}
	if n.Source != "" {
		if cal.Source, err = feed(op, n.Source); err != nil {
			return nil, err
		}
		cal.Components = []string{"VEVENT", "VTODO", "VJOURNAL"}
	}
	err = c.make(ctx, op, cal, set)
	if errors.Is(err, nextcloud.ErrConflict) && n.Name == "" {
		// The name is taken, maybe by a calendar in the trash.
		cal.Name += "-" + strings.ToLower(rand.Text()[:6])
		err = c.make(ctx, op, cal, set)
	}
	if err != nil {
		return nil, limits(err)
	}
	c.forget(ctx)
	return cal, nil
}

func (c *Client) make(ctx context.Context, op string, cal *Calendar, set []dav.Element) error {
	root, err := c.homePath(ctx)
	if err != nil {
		return err
	}
	path, err := nextcloud.Path(root, cal.Name)
	if err != nil {
		return err
	}
	cal.path = path + "/"
	q := dav.Query{Op: op, Path: cal.path}
	if cal.Source != "" {
		return c.dav.Mkcol(ctx, q, append(slices.Clone(set),
			dav.El(propType, dav.El(dav.Name(dav.NSDAV, "collection")), dav.El(dav.Name(dav.NSCalendarServer, "subscribed"))),
			dav.El(propSource, dav.Text(propHref, cal.Source)))...)
	}
	comps := dav.El(propComponents)
	for _, name := range cal.Components {
		comps.Children = append(comps.Children, dav.El(dav.Name(dav.NSCalDAV, "comp")).With("name", name))
	}
	return c.dav.Mkcalendar(ctx, q, append(slices.Clone(set), comps)...)
}

// homePath is the person's calendar home, without a slash at the end.
func (c *Client) homePath(ctx context.Context) (string, error) {
	user, err := c.nc.UserID(ctx)
	if err != nil {
		return "", err
	}
	return nextcloud.Path(dav.Root+"/calendars", string(user))
}

// feed checks the address of a subscription.
func feed(op, source string) (string, error) {
	source = strings.TrimSpace(source)
	u, err := url.Parse(source)
	if err != nil || u.Host == "" || u.User != nil || !slices.Contains([]string{"https", "http", "webcal", "webcals"}, strings.ToLower(u.Scheme)) {
		return "", invalidf(op, "source has to be the address of a calendar, such as https://example.org/holidays.ics or webcal://...")
	}
	return source, nil
}

// limits says what Nextcloud's refusals to make a calendar mean.
func limits(err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	out := *e
	switch {
	case errors.Is(e.Kind, nextcloud.ErrRateLimited):
		out.Message = "Nextcloud lets a person make only so many calendars in an hour, 10 unless an administrator changed it"
	case errors.Is(e.Kind, nextcloud.ErrForbidden) && strings.Contains(e.Message, "limit"):
		out.Message = "Nextcloud allows a person only so many calendars and subscriptions, 30 unless an administrator changed it; one has to go first"
	case errors.Is(e.Kind, nextcloud.ErrConflict):
		out.Message = "a calendar of that name is there already, or lies in the trash: restore that one, or take another name"
	default:
		return err
	}
	return &out
}

// UpdateCalendar changes how a calendar looks.
func (c *Client) UpdateCalendar(ctx context.Context, name string, look Look) (*Calendar, error) {
	const op = "change calendar"
	if look == (Look{}) {
		return nil, invalidf(op, "nothing to change was given: display_name, description, color or free_busy")
	}
	cal, err := c.Resolve(ctx, op, name)
	if err != nil {
		return nil, err
	}
	set, err := look.elements(op)
	if err != nil {
		return nil, err
	}
	if look.Color != nil && *look.Color == "" {
		return nil, invalidf(op, "color cannot be cleared; give one such as #1976D2")
	}
	if err := c.dav.Proppatch(ctx, dav.Query{Op: op, Path: cal.path}, set); err != nil {
		return nil, c.explain(ctx, err)
	}
	c.forget(ctx)
	out := *cal
	if look.DisplayName != nil {
		out.DisplayName = strings.TrimSpace(*look.DisplayName)
	}
	if look.Description != nil {
		out.Description = *look.Description
	}
	if look.Color != nil {
		out.Color = *look.Color
	}
	return &out, nil
}

// RemovedCalendar is what the deletion of a calendar came to.
type RemovedCalendar struct {
	Calendar  Calendar
	Left      bool // it is somebody else's, and only the share is given up
	Retention time.Duration
}

// DeleteCalendar puts an own calendar into the trash, ends a subscription, or
// leaves a calendar that somebody else shares.
func (c *Client) DeleteCalendar(ctx context.Context, name string) (*RemovedCalendar, error) {
	const op = "delete calendar"
	cal, err := c.Resolve(ctx, op, name)
	if err != nil {
		return nil, err
	}
	if cal.Name == "contact_birthdays" {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: "Nextcloud makes the birthday calendar itself; it is switched off in the settings of the Calendar app"}
	}
	h, _, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	err = c.dav.Delete(ctx, dav.Query{Op: op, Path: cal.path}, dav.Condition{})
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	c.forget(ctx)
	return &RemovedCalendar{Calendar: *cal, Left: cal.Shared, Retention: h.retention}, nil
}

// mine refuses what only the owner of a calendar can do.
func mine(op string, cal *Calendar) error {
	switch {
	case cal.Shared:
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: fmt.Sprintf("the calendar %s belongs to %s, and only the owner can do this", cal.Name, cal.Owner)}
	case cal.Source != "":
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: fmt.Sprintf("the calendar %s is a subscription; share its address instead", cal.Name)}
	case cal.ReadOnly:
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: fmt.Sprintf("Nextcloud makes the calendar %s itself, and it cannot be shared", cal.Name)}
	}
	return nil
}
