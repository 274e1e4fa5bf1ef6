package nextcloudtest

import (
	"crypto/md5" //nolint:gosec // the server's ETags, not secrets
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// syncPrefix begins every sync token.
const syncPrefix = "http://sabre.io/ns/sync/"

// trashRetention is how long the calendar trash keeps things, in seconds; Nextcloud's default of 30 days.
const trashRetention = "2592000"

// Bounds of one account.
const (
	maxCalendars = 30 // Nextcloud: subscriptions count, too
	maxObjects   = 20_000
)

// calendarKind tells what may be done with a calendar.
type calendarKind int

const (
	calendarOwn calendarKind = iota
	calendarBirthdays
	calendarApp          // made by an app such as Deck: no sync token, not writable
	calendarSubscription // a webcal feed
)

// calendarHome is the calendars of one user.
type calendarHome struct {
	// lock is one for all homes of a server, because shares and invitations reach from one account into another. It
	// guards the fields below.
	lock          *sync.Mutex
	uid           string
	now           func() time.Time
	calendars     []*calendar // own ones, the trashed included
	apps          []*calendar
	subscriptions []*calendar
	shared        []*sharedCalendar // other people's
	inbox         []*calendarObject
	availability  string // VAVAILABILITY: when the person works
	lastID        int
}

// newCalendarHome makes what a new Nextcloud account has: a personal calendar for events only, the birthdays of the
// contacts, and the read-only task list that Deck makes of its welcome board.
func newCalendarHome(s *Server, u User) *calendarHome {
	uid := u.ID
	h := &calendarHome{lock: &sync.Mutex{}, uid: uid, now: s.now}
	for _, other := range s.accounts {
		h.lock = other.calendars.lock
	}
	personal := h.create("personal", []string{"VEVENT"}, leaf(nsDAV, "displayname", "Personal"), leaf(nsApple, "calendar-color", "#00679e"))
	personal.kind = calendarOwn
	birthdays := h.create("contact_birthdays", []string{"VEVENT"},
		leaf(nsDAV, "displayname", "Contact birthdays"), leaf(nsApple, "calendar-color", "#E9D859"))
	birthdays.kind = calendarBirthdays
	deck := newCalendar(uid, "app-generated--deck--board-1", []string{"VTODO"},
		leaf(nsDAV, "displayname", "Deck: Welcome to Nextcloud Deck!"), leaf(nsApple, "calendar-color", "#bf678b"))
	deck.kind = calendarApp
	h.apps = append(h.apps, deck)
	return h
}

// calendar is one collection.
type calendar struct {
	owner      string
	uri        string
	kind       calendarKind
	components []string
	props      map[xml.Name]*xmlNode
	objects    map[string]*calendarObject
	trash      []*calendarObject
	token      int
	changes    []calendarChange
	deletedAt  time.Time // zero unless the calendar lies in the trash
	invites    []calendarInvite
	published  string
}

// calendarChange is one line of the change log that sync-collection reads.
type calendarChange struct {
	token   int
	uri     string
	deleted bool
}

// calendarInvite is one share of a calendar.
type calendarInvite struct {
	uid       string
	group     string // in the place of uid
	readWrite bool
}

// sharedCalendar is another user's calendar in a home.
type sharedCalendar struct {
	*calendar
	readWrite bool
	props     map[xml.Name]*xmlNode // how this user sees it, in the place of the owner's
	group     string                // the group it came through, if any
}

// calendarObject is one .ics; data is what the client sent unless the server had to repair it.
type calendarObject struct {
	id        int
	uri       string
	data      string
	component string
	uid       string
	modified  time.Time
	deletedAt time.Time
}

func (o *calendarObject) etag() string { return `"` + md5Hex(o.data) + `"` }

func md5Hex(s string) string {
	return fmt.Sprintf("%x", md5.Sum([]byte(s))) //nolint:gosec // as above
}

// parsed reads the stored text; what is stored has been validated, so an error yields an empty calendar.
func (o *calendarObject) parsed() *icalComponent {
	calendar, err := parseICal(o.data)
	if err != nil {
		return &icalComponent{name: "VCALENDAR"}
	}
	return calendar
}

func newCalendar(owner, uri string, components []string, props ...*xmlNode) *calendar {
	c := &calendar{
		owner: owner, uri: uri, components: components, token: 1,
		props: map[xml.Name]*xmlNode{}, objects: map[string]*calendarObject{},
	}
	for _, p := range props {
		c.props[p.name] = p
	}
	return c
}

// create adds an own calendar.
func (h *calendarHome) create(uri string, components []string, props ...*xmlNode) *calendar {
	c := newCalendar(h.uid, uri, components, props...)
	h.calendars = append(h.calendars, c)
	return c
}

// subscribe adds a webcal feed with what it holds.
func (h *calendarHome) subscribe(uri, source string, props ...*xmlNode) *calendar {
	c := newCalendar(h.uid, uri, []string{"VEVENT", "VTODO", "VJOURNAL"}, append(props, hrefIn(nsCalServer, "source", source))...)
	c.kind = calendarSubscription
	h.subscriptions = append(h.subscriptions, c)
	return c
}

// calendarView is a calendar as one user sees it.
type calendarView struct {
	*calendar
	home   *calendarHome
	name   string // last segment of its path
	shared bool
	write  bool
	cached bool                  // a subscription shown with its objects
	own    map[xml.Name]*xmlNode // properties that hide those of the calendar
}

func (h *calendarHome) view(c *calendar) *calendarView {
	return &calendarView{calendar: c, home: h, name: c.uri, write: c.kind == calendarOwn && c.deletedAt.IsZero()}
}

func (v *calendarView) href() string { return davHref("calendars", v.home.uid, v.name) + "/" }

func (v *calendarView) objectHref(uri string) string {
	return davHref("calendars", v.home.uid, v.name, uri)
}

// views lists the calendars of a home in Nextcloud's order: own, shared, trashed.
func (h *calendarHome) views() []*calendarView {
	var live, trashed []*calendarView
	for _, c := range h.calendars {
		if c.deletedAt.IsZero() {
			live = append(live, h.view(c))
		} else {
			trashed = append(trashed, h.view(c))
		}
	}
	for _, s := range h.shared {
		if s.deletedAt.IsZero() {
			live = append(live, h.sharedView(s))
		}
	}
	return append(live, trashed...)
}

func (h *calendarHome) sharedView(s *sharedCalendar) *calendarView {
	return &calendarView{calendar: s.calendar, home: h, name: s.uri + "_shared_by_" + s.owner, shared: true, write: s.readWrite, own: s.props}
}

// subscriptionViews are calendars only for a client that asks for the cached feeds.
func (h *calendarHome) subscriptionViews(cached bool) []*calendarView {
	var views []*calendarView
	for _, c := range h.subscriptions {
		v := h.view(c)
		v.cached = cached
		views = append(views, v)
	}
	return views
}

func (h *calendarHome) appViews() []*calendarView {
	var views []*calendarView
	for _, c := range h.apps {
		views = append(views, h.view(c))
	}
	return views
}

// find returns the calendar of a path segment.
func (h *calendarHome) find(name string, cached bool) *calendarView {
	for _, views := range [][]*calendarView{h.views(), h.subscriptionViews(cached), h.appViews()} {
		for _, v := range views {
			if v.name == name {
				return v
			}
		}
	}
	return nil
}

// hasEvents tells whether objects may be read; a plain subscription and a trashed calendar show none.
func (v *calendarView) hasEvents() bool {
	return v.deletedAt.IsZero() && (v.kind != calendarSubscription || v.cached)
}

// sorted returns the objects in the order of their names, as the database index yields them.
func (c *calendar) sorted() []*calendarObject {
	objects := make([]*calendarObject, 0, len(c.objects))
	for _, o := range c.objects {
		objects = append(objects, o)
	}
	slices.SortFunc(objects, func(a, b *calendarObject) int { return strings.Compare(a.uri, b.uri) })
	return objects
}

// changed writes the change log and moves the sync token.
func (c *calendar) changed(uri string, deleted bool) {
	c.token++
	c.changes = append(c.changes, calendarChange{token: c.token, uri: uri, deleted: deleted})
}

// byUID finds a live object.
func (c *calendar) byUID(uid string) *calendarObject {
	for _, o := range c.objects {
		if o.uid == uid {
			return o
		}
	}
	return nil
}

// trashed finds an object of a UID in the trash.
func (c *calendar) trashed(uid string) bool {
	return slices.ContainsFunc(c.trash, func(o *calendarObject) bool { return o.uid == uid })
}

// store creates or replaces an object without asking anything.
func (h *calendarHome) store(c *calendar, uri, data, component, uid string) *calendarObject {
	o, ok := c.objects[uri]
	if !ok {
		h.lastID++
		o = &calendarObject{id: h.lastID, uri: uri}
		c.objects[uri] = o
	}
	o.data, o.component, o.uid, o.modified = data, component, uid, h.now()
	c.changed(uri, false)
	return o
}

// remove takes an object out of its calendar into the trash.
func (h *calendarHome) remove(c *calendar, o *calendarObject) {
	delete(c.objects, o.uri)
	o.deletedAt = h.now()
	c.trash = append(c.trash, o)
	c.changed(o.uri, true)
}

// trashedObject finds what lies in the trash of any calendar by its file name there. Nextcloud: the trash of a shared
// calendar shows for everybody who has it.
func (h *calendarHome) trashedObject(name string) (*calendarView, *calendarObject) {
	id, err := strconv.Atoi(strings.TrimSuffix(name, ".ics"))
	if err != nil {
		return nil, nil
	}
	for _, v := range h.views() {
		for _, o := range v.trash {
			if o.id == id {
				return v, o
			}
		}
	}
	return nil, nil
}

// dropTrashed removes an object from the trash.
func (c *calendar) dropTrashed(o *calendarObject) {
	c.trash = slices.DeleteFunc(c.trash, func(other *calendarObject) bool { return other == o })
}

// allTrashed lists the trash, oldest deletion first.
func (h *calendarHome) allTrashed() []*calendarObject {
	var objects []*calendarObject
	for _, v := range h.views() {
		if v.deletedAt.IsZero() {
			objects = append(objects, v.trash...)
		}
	}
	slices.SortStableFunc(objects, func(a, b *calendarObject) int { return a.deletedAt.Compare(b.deletedAt) })
	return objects
}

func (c *calendar) syncToken() string { return syncPrefix + strconv.Itoa(c.token) }

// displayName is the name that the owner gave.
func (c *calendar) displayName() string {
	if p, ok := c.props[xml.Name{Space: nsDAV, Local: "displayname"}]; ok {
		return p.text
	}
	return ""
}
