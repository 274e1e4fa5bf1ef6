package calendar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Calendar is one calendar or subscription.
type Calendar struct {
	Name        string   `json:"name"` // the last segment of its address; what tools take
	DisplayName string   `json:"display_name"`
	Color       string   `json:"color,omitempty"`
	Description string   `json:"description,omitempty"`
	Components  []string `json:"components"` // VEVENT, VTODO, VJOURNAL
	ReadOnly    bool     `json:"read_only"`
	Owner       string   `json:"owner,omitempty"` // display name, or id
	Shared      bool     `json:"shared,omitempty"`
	IsDefault   bool     `json:"is_default,omitempty"`
	Source      string   `json:"source,omitempty"`      // the address a subscription reads from
	Transparent bool     `json:"transparent,omitempty"` // does not count for free-busy
	SharedWith  []Share  `json:"shared_with,omitempty"` // of own calendars
	Public      *Public  `json:"public,omitempty"`

	path string // below the host's base, ends in a slash
}

// Holds reports whether the calendar takes components of that kind ("VEVENT").
func (c *Calendar) Holds(kind string) bool { return slices.Contains(c.Components, kind) }

// home is what one listing of a person's calendars gave.
type home struct {
	calendars []Calendar
	trashed   []Trashed     // calendars in the trash
	retention time.Duration // how long the trash keeps what was deleted; 0 when not said
	read      time.Time
}

const (
	homeKey     = "calendar/home"
	homeAge     = time.Minute
	standardKey = "calendar/default"
	standardAge = 10 * time.Minute
)

// The properties of calendars (RFC 4791, 5.2; CalendarServer; Nextcloud).
var (
	propDisplayName = dav.Name(dav.NSDAV, "displayname")
	propType        = dav.Name(dav.NSDAV, "resourcetype")
	propOwner       = dav.Name(dav.NSDAV, "owner")
	propPrivileges  = dav.Name(dav.NSDAV, "current-user-privilege-set")
	propETag        = dav.Name(dav.NSDAV, "getetag")
	propHref        = dav.Name(dav.NSDAV, "href")
	propColor       = dav.Name(dav.NSApple, "calendar-color")
	propOrder       = dav.Name(dav.NSApple, "calendar-order")
	propComponents  = dav.Name(dav.NSCalDAV, "supported-calendar-component-set")
	propDescription = dav.Name(dav.NSCalDAV, "calendar-description")
	propDefault     = dav.Name(dav.NSCalDAV, "schedule-default-calendar-URL")
	propAddresses   = dav.Name(dav.NSCalDAV, "calendar-user-address-set")
	propData        = dav.Name(dav.NSCalDAV, "calendar-data")
	propSource      = dav.Name(dav.NSCalendarServer, "source")
	propReadOnly    = dav.Name(dav.NSOwnCloud, "read-only")
	propOwnerName   = dav.Name(dav.NSNextcloud, "owner-displayname")
	propRetention   = dav.Name(dav.NSNextcloud, "trash-bin-retention-duration")
)

// Calendars are the person's calendars and subscriptions, read anew.
func (c *Client) Calendars(ctx context.Context) ([]Calendar, error) {
	h, err := c.readHome(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(h.calendars), nil
}

// home answers from memory for a minute.
func (c *Client) home(ctx context.Context) (h *home, fresh bool, err error) {
	if v, ok := c.nc.Cached(ctx, homeKey); ok {
		if h, ok := v.(*home); ok && c.now().Sub(h.read) < homeAge {
			return h, false, nil
		}
	}
	h, err = c.readHome(ctx)
	return h, true, err
}

// self is what the person's principal says: the default calendar and the
// addresses under which the person is invited. Both hardly ever change. Without
// an answer it is empty, and the first calendar and the person's e-mail address
// are taken.
func (c *Client) self(ctx context.Context, principal string) remembered {
	if v, ok := c.nc.Cached(ctx, standardKey); ok {
		if known, ok := v.(remembered); ok && c.now().Sub(known.read) < standardAge {
			return known
		}
	}
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: "ask for the default calendar", Path: principal + "/"}, propDefault, propAddresses)
	if err != nil || len(ms.Responses) == 0 {
		return remembered{}
	}
	r := &ms.Responses[0]
	known := remembered{name: dav.Base(r.Prop(propDefault).Child(propHref).String()), read: c.now()}
	if set := r.Prop(propAddresses); set != nil {
		for _, href := range set.Children {
			if mail, ok := strings.CutPrefix(strings.ToLower(href.String()), "mailto:"); ok && mail != "" {
				known.addresses = append(known.addresses, mail)
			}
		}
	}
	c.nc.Store(ctx, standardKey, known, 256+64*len(known.addresses))
	return known
}

// remembered is what a principal said, and when it was asked.
type remembered struct {
	name      string   // of the default calendar
	addresses []string // e-mail addresses in lower case
	read      time.Time
}

// addresses are the e-mail addresses of the person in lower case.
func (c *Client) addresses(ctx context.Context, p *person) []string {
	var list []string
	if user, err := c.nc.UserID(ctx); err == nil {
		if principal, err := nextcloud.Path(dav.Root+"/principals/users", string(user)); err == nil {
			list = slices.Clone(c.self(ctx, principal).addresses)
		}
	}
	if own := strings.ToLower(p.email); own != "" && !slices.Contains(list, own) {
		list = append(list, own)
	}
	return list
}

func (c *Client) readHome(ctx context.Context) (*home, error) {
	const op = "list calendars"
	user, err := c.nc.UserID(ctx)
	if err != nil {
		return nil, err
	}
	root, err := nextcloud.Path(dav.Root+"/calendars", string(user))
	if err != nil {
		return nil, err
	}
	principal, err := nextcloud.Path(dav.Root+"/principals/users", string(user))
	if err != nil {
		return nil, err
	}
	var (
		list     *dav.Multistatus
		standard string
	)
	read := func(ctx context.Context) (err error) {
		list, err = c.dav.Propfind(ctx, dav.Query{Op: op, Path: root + "/", Depth: dav.Children, Header: webcal(false)},
			propDisplayName, propType, propOwner, propOwnerName, propPrivileges, propColor, propOrder,
			propComponents, propDescription, propSource, propReadOnly, propRetention, propTransp, propInvite, propPublishURL, propTrashedAt)
		return err
	}
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error { return read(gctx) })
	group.Go(func() error {
		standard = c.self(gctx, principal).name
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	h := c.parseHome(list, string(user), standard)
	if len(h.calendars) == 0 {
		// Nextcloud: the calendar of a new account is made during its first
		// request, so that this one does not list it yet.
		if err := read(ctx); err != nil {
			return nil, err
		}
		h = c.parseHome(list, string(user), c.self(ctx, principal).name)
	}
	size := 256
	for _, cal := range h.calendars {
		size += 256 + len(cal.Description) + len(cal.Source) + 128*len(cal.SharedWith)
	}
	c.nc.Store(ctx, homeKey, h, size)
	return h, nil
}

func (c *Client) parseHome(ms *dav.Multistatus, user, standard string) *home {
	h := &home{read: c.now()}
	type ordered struct {
		Calendar
		order int
	}
	var found []ordered
	for i := range ms.Responses {
		r := &ms.Responses[i]
		if v := r.Prop(propRetention).String(); v != "" {
			if s, err := strconv.Atoi(v); err == nil && s > 0 {
				h.retention = time.Duration(min(s, 1<<31)) * time.Second
			}
		}
		kind := r.Prop(propType)
		subscribed := kind.Has(dav.Name(dav.NSCalendarServer, "subscribed"))
		// Nextcloud: a calendar in the trash stays listed, as deleted-calendar.
		if kind.Has(dav.Name(dav.NSNextcloud, "deleted-calendar")) {
			h.trashed = append(h.trashed, trashedCalendar(r))
			continue
		}
		if !kind.Has(dav.Name(dav.NSCalDAV, "calendar")) && !subscribed {
			continue
		}
		path, err := c.dav.Local(r.Href)
		if err != nil {
			continue
		}
		cal := Calendar{
			Name: dav.Base(path), DisplayName: r.Prop(propDisplayName).String(), Color: r.Prop(propColor).String(),
			Description: r.Prop(propDescription).String(), Source: r.Prop(propSource).Child(propHref).String(),
			path: strings.TrimSuffix(path, "/") + "/", Components: []string{},
		}
		if cal.Name == "" {
			continue
		}
		if cal.DisplayName == "" {
			cal.DisplayName = cal.Name
		}
		if set := r.Prop(propComponents); set != nil {
			for _, comp := range set.Children {
				if name := comp.Attr("name"); name != "" {
					cal.Components = append(cal.Components, strings.ToUpper(name))
				}
			}
		}
		owner := dav.Base(r.Prop(propOwner).Child(propHref).String())
		cal.Shared = owner != "" && owner != user
		cal.Owner = r.Prop(propOwnerName).String()
		if cal.Owner == "" {
			cal.Owner = owner
		}
		cal.Transparent = r.Prop(propTransp).Has(dav.Name(dav.NSCalDAV, "transparent"))
		cal.SharedWith, cal.Public = readShares(r), c.readPublic(r)
		cal.ReadOnly = subscribed || !writable(r)
		order, _ := strconv.Atoi(r.Prop(propOrder).String()) // 0 when not said
		found = append(found, ordered{cal, order})
	}
	slices.SortStableFunc(found, func(a, b ordered) int { return a.order - b.order })
	for _, f := range found {
		h.calendars = append(h.calendars, f.Calendar)
	}
	if i := defaultIndex(h.calendars, standard); i >= 0 {
		h.calendars[i].IsDefault = true
	}
	return h
}

// writable: Nextcloud grants write-content on calendars whose events may be
// changed; the birthday calendar and read-only shares lack it.
func writable(r *dav.Response) bool {
	if v := r.Prop(propReadOnly).String(); v == "1" || v == "true" {
		return false
	}
	set := r.Prop(propPrivileges)
	if set == nil {
		return true // not said: the server refuses what is not allowed
	}
	for _, p := range set.Children {
		for _, name := range []string{"write", "write-content", "bind", "all"} {
			if p.Has(dav.Name(dav.NSDAV, name)) {
				return true
			}
		}
	}
	return false
}

// defaultIndex is the calendar that takes new events when none is named: the
// person's choice, else "personal" as Nextcloud makes it, else the first own
// one.
func defaultIndex(list []Calendar, standard string) int {
	fits := func(c *Calendar) bool { return !c.ReadOnly && c.Holds("VEVENT") }
	for _, name := range []string{standard, "personal"} {
		if i := slices.IndexFunc(list, func(c Calendar) bool { return c.Name == name && fits(&c) }); i >= 0 {
			return i
		}
	}
	return slices.IndexFunc(list, func(c Calendar) bool { return !c.Shared && fits(&c) })
}

// Resolve is the calendar of that name, or of that display name when only one
// has it.
func (c *Client) Resolve(ctx context.Context, op, name string) (*Calendar, error) {
	name = strings.TrimSpace(strings.Trim(strings.TrimSpace(name), "/"))
	h, fresh, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	cal, err := pick(op, h.calendars, name)
	if errors.Is(err, nextcloud.ErrNotFound) && !fresh {
		if h, err = c.readHome(ctx); err != nil {
			return nil, err
		}
		return pick(op, h.calendars, name)
	}
	return cal, err
}

// Default is the calendar that takes events when none is named.
func (c *Client) Default(ctx context.Context, op string) (*Calendar, error) {
	h, _, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	for i := range h.calendars {
		if h.calendars[i].IsDefault {
			return &h.calendars[i], nil
		}
	}
	return nil, notFoundf(op, "the person has no calendar for events that can be written; name one of %s", candidates(h.calendars))
}

func pick(op string, list []Calendar, name string) (*Calendar, error) {
	if name == "" {
		return nil, invalidf(op, "calendar_name is missing. Calendars: %s", candidates(list))
	}
	for i := range list {
		if list[i].Name == name {
			return &list[i], nil
		}
	}
	var hits []*Calendar
	for i := range list {
		if strings.EqualFold(list[i].DisplayName, name) {
			hits = append(hits, &list[i])
		}
	}
	switch len(hits) {
	case 1:
		return hits[0], nil
	case 0:
		return nil, notFoundf(op, "there is no calendar %.80q. Calendars: %s", name, candidates(list))
	}
	names := make([]string, len(hits))
	for i, h := range hits {
		names[i] = h.Name
	}
	return nil, invalidf(op, "several calendars are called %.80q; use one of their names: %s", name, strings.Join(names, ", "))
}

// candidates names the calendars that a caller may mean.
func candidates(list []Calendar) string {
	if len(list) == 0 {
		return "none"
	}
	names := make([]string, 0, len(list))
	for _, c := range list[:min(len(list), 40)] {
		n := c.Name
		if c.DisplayName != c.Name {
			n += fmt.Sprintf(" (%.60s)", c.DisplayName)
		}
		names = append(names, n)
	}
	return strings.Join(names, ", ")
}

// forget drops the remembered calendars after an answer that contradicts them.
func (c *Client) forget(ctx context.Context) { c.nc.Forget(ctx, homeKey) }
