package nextcloudtest

import (
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// calendarServer is the CalDAV part of the DAV tree. Its methods run with the lock of the calendar homes held.
type calendarServer struct {
	people directory
	now    func() time.Time
	base   string // the address of the server, for absolute links; set with each request
}

// directory finds the people of the simulated server.
type directory interface {
	// home returns the calendars of a user, or nil.
	home(uid string) *calendarHome
	// person returns display name and mail address of a user.
	person(uid string) (name, mail string)
	// uidOfMail finds a user by mail address, "" when there is none.
	uidOfMail(mail string) string
	// members are the people of a group.
	members(group string) []string
	// baseURL is the address that people use.
	baseURL(r *http.Request) string
}

func (c *calendarServer) displayName(uid string) string {
	name, _ := c.people.person(uid)
	return name
}

// davRequest is one request to the DAV tree after authentication.
type davRequest struct {
	*http.Request
	w    http.ResponseWriter
	uid  string   // who asks
	path []string // below calendars/<uid>/
	body []byte
	home *calendarHome
}

func (r *davRequest) fail(f *davFailure) { writeDAVFailure(r.w, f) }

func (r *davRequest) cachedFeeds() bool { return r.Header.Get("X-NC-CalDAV-Webcal-Caching") == "On" }

func (r *davRequest) noTrash() bool { return r.Header.Get("X-NC-CalDAV-No-Trashbin") != "" }

// serve answers a request below calendars/; segments begin with the user of the home.
func (c *calendarServer) serve(w http.ResponseWriter, r *http.Request, uid string, segments []string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDAVBody))
	if err != nil {
		writeDAVFailure(w, &davFailure{status: http.StatusRequestEntityTooLarge, exception: `Sabre\DAV\Exception`, message: "request is too large"})
		return
	}
	lock := c.people.home(uid).lock
	lock.Lock()
	defer lock.Unlock()
	c.base = c.people.baseURL(r)
	req := &davRequest{Request: r, w: w, uid: uid, path: segments[1:], body: body, home: c.people.home(segments[0])}
	if r.Method == "PROPFIND" || r.Method == http.MethodOptions {
		w.Header().Set("DAV", davBase+davCalendar+davTail)
	}
	if segments[0] != uid || req.home == nil {
		// Nextcloud: what belongs to somebody else does not exist.
		name := segments[len(segments)-1]
		req.fail(davNotFound("Calendar with name '%s' could not be found", name))
		return
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", davAllow)
		w.Header().Set("MS-Author-Via", "DAV")
		writeDAVEmpty(w, http.StatusOK)
		return
	}
	c.route(req)
}

func (c *calendarServer) route(r *davRequest) {
	if len(r.path) == 0 {
		c.serveHome(r)
		return
	}
	switch r.path[0] {
	case "inbox":
		c.serveInbox(r)
	case "outbox":
		c.serveOutbox(r)
	case "trashbin":
		c.serveTrash(r)
	default:
		view := r.home.find(r.path[0], r.cachedFeeds())
		switch {
		case view == nil && len(r.path) == 1 && (r.Method == "MKCALENDAR" || r.Method == "MKCOL"):
			c.makeCalendar(r)
		case view == nil && (r.Method == "MKCALENDAR" || r.Method == "MKCOL"):
			r.fail(davConflict("Parent node does not exist"))
		case view == nil:
			r.fail(davNotFound("Node with name '%s' could not be found", r.path[0]))
		case len(r.path) == 1:
			c.serveCalendar(r, view)
		case len(r.path) == 2:
			c.serveObject(r, view, r.path[1])
		default:
			r.fail(davNotFound("Calendar object not found"))
		}
	}
}

func (c *calendarServer) serveHome(r *davRequest) {
	switch r.Method {
	case "PROPFIND":
		resources := []*davResource{c.homeResource(r.home)}
		if davDepth(r.Request, 1) > 0 {
			for _, v := range r.home.views() {
				resources = append(resources, c.calendarResource(v, true))
			}
			resources = append(resources, c.inboxResource(r.home), c.outboxResource(r.home), c.trashbinResource(r.home))
			for _, v := range append(r.home.subscriptionViews(r.cachedFeeds()), r.home.appViews()...) {
				resources = append(resources, c.calendarResource(v, true))
			}
		}
		r.propfind(resources)
	case "REPORT":
		r.fail(reportNotSupported())
	case http.MethodDelete:
		r.fail(davForbidden("Permission denied to delete node"))
	case "MKCALENDAR", "MKCOL":
		r.fail(davAlreadyExists())
	default:
		r.fail(davNotImplemented(r.Method))
	}
}

// propfind answers with what the body asks of the collected resources.
func (r *davRequest) propfind(resources []*davResource) {
	request, failure := parsePropfind(r.body)
	if failure != nil {
		r.w.Header().Del("DAV")
		r.fail(failure)
		return
	}
	writePropfind(r.w, calendarPrefixes, request, resources)
}

// serveCalendar answers requests to a collection.
func (c *calendarServer) serveCalendar(r *davRequest, v *calendarView) {
	switch r.Method {
	case "PROPFIND":
		resources := []*davResource{c.calendarResource(v, false)}
		if davDepth(r.Request, 1) > 0 && v.hasEvents() {
			for _, o := range v.sorted() {
				resources = append(resources, c.objectResource(v.objectHref(o.uri), o, r.uid, v.owner))
			}
		}
		r.propfind(resources)
	case "PROPPATCH":
		c.patchCalendar(r, v)
	case "REPORT":
		c.report(r, v)
	case http.MethodGet:
		if r.URL.Query().Has("export") && v.hasEvents() {
			c.export(r, v)
			return
		}
		r.fail(davNotImplemented(r.Method))
	case http.MethodPost:
		c.shareCalendar(r, v)
	case http.MethodDelete:
		c.deleteCalendar(r, v)
	case "MOVE":
		c.restoreCalendar(r, v)
	case "MKCALENDAR", "MKCOL":
		r.fail(davAlreadyExists())
	case http.MethodPut:
		r.fail(davConflict("PUT is not allowed on non-files."))
	default:
		r.fail(davNotImplemented(r.Method))
	}
}

// calendarComponents are what a collection without a restriction holds.
var calendarComponents = []string{"VEVENT", "VTODO", "VJOURNAL"}

// makeCalendar answers MKCALENDAR (RFC 4791, section 5.3.1) and the extended MKCOL (RFC 5689), which also makes webcal
// subscriptions.
func (c *calendarServer) makeCalendar(r *davRequest) {
	var props []*xmlNode
	if len(r.body) > 0 {
		root, err := parseXML(r.body)
		if err != nil {
			r.fail(davBadRequest("%s", err))
			return
		}
		for _, set := range root.all(nsDAV, "set") {
			if prop := set.child(nsDAV, "prop"); prop != nil {
				props = append(props, prop.children...)
			}
		}
	}
	if len(r.home.calendars)+len(r.home.subscriptions) >= maxCalendars {
		r.fail(davForbidden("Calendar limit reached"))
		return
	}
	components, source, subscribed := calendarComponents, "", false
	var kept []*xmlNode
	for _, p := range props {
		switch {
		case p.is(nsCalDAV, "supported-calendar-component-set"):
			components = nil
			for _, comp := range p.all(nsCalDAV, "comp") {
				components = append(components, strings.ToUpper(comp.attr("name")))
			}
		case p.is(nsDAV, "resourcetype"):
			subscribed = p.child(nsCalServer, "subscribed") != nil
		case p.is(nsCalServer, "source"):
			if href := p.child(nsDAV, "href"); href != nil {
				source = href.text
			}
		default:
			kept = append(kept, p)
		}
	}
	if r.Method == "MKCOL" && subscribed {
		if source == "" {
			r.fail(davForbidden("The {http://calendarserver.org/ns/}source property is required when creating subscriptions"))
			return
		}
		r.home.subscribe(r.path[0], source, kept...)
	} else {
		r.home.create(r.path[0], components, kept...)
	}
	writeDAVEmpty(r.w, http.StatusCreated)
}

// protectedProps cannot be changed by PROPPATCH.
var protectedProps = map[xml.Name]bool{
	{Space: nsDAV, Local: "getetag"}:                             true,
	{Space: nsDAV, Local: "resourcetype"}:                        true,
	{Space: nsDAV, Local: "sync-token"}:                          true,
	{Space: nsDAV, Local: "owner"}:                               true,
	{Space: nsDAV, Local: "current-user-privilege-set"}:          true,
	{Space: nsCalServer, Local: "getctag"}:                       true,
	{Space: nsCalDAV, Local: "supported-calendar-component-set"}: true,
	{Space: nsOwnCloud, Local: "owner-principal"}:                true,
	{Space: nsNextcloud, Local: "owner-displayname"}:             true,
	{Space: nsNextcloud, Local: "trash-bin-retention-duration"}:  true,
	{Space: nsNextcloud, Local: "deleted-at"}:                    true,
	{Space: nsDAV, Local: "supported-report-set"}:                true,
	{Space: nsOwnCloud, Local: "read-only"}:                      true,
	{Space: nsOwnCloud, Local: "invite"}:                         true,
	{Space: nsCalServer, Local: "publish-url"}:                   true,
	{Space: "http://sabredav.org/ns", Local: "sync-token"}:       true,
	{Space: nsDAV, Local: "current-user-principal"}:              true,
	{Space: nsDAV, Local: "principal-collection-set"}:            true,
	{Space: nsCalDAV, Local: "supported-calendar-data"}:          true,
	{Space: nsCalDAV, Local: "schedule-default-calendar-URL"}:    true,
}

// patchCalendar answers PROPPATCH (RFC 4918, section 9.2): all or nothing.
func (c *calendarServer) patchCalendar(r *davRequest, v *calendarView) {
	root, err := parseXML(r.body)
	if err != nil {
		r.fail(davBadRequest("%s", err))
		return
	}
	var set, removed, refused, names []*xmlNode
	for _, instruction := range root.children {
		prop := instruction.child(nsDAV, "prop")
		if prop == nil {
			continue
		}
		for _, p := range prop.children {
			names = append(names, p.named())
			switch {
			case protectedProps[p.name] || v.kind == calendarApp:
				refused = append(refused, p.named())
			case instruction.is(nsDAV, "remove"):
				removed = append(removed, p)
			default:
				set = append(set, p)
			}
		}
	}
	// Sabre answers with the path as it knows it, without the slash at the end.
	out := node(nsDAV, "response", leaf(nsDAV, "href", strings.TrimSuffix(v.href(), "/")))
	if len(refused) > 0 {
		out.children = append(out.children, propstat(node(nsDAV, "prop", refused...), "403 Forbidden"))
		if rest := slices.Concat(set, removed); len(rest) > 0 {
			for i := range rest {
				rest[i] = rest[i].named()
			}
			out.children = append(out.children, propstat(node(nsDAV, "prop", rest...), "424 Failed Dependency"))
		}
		writeMultistatus(r.w, calendarPrefixes, "", out)
		return
	}
	// Nextcloud: who has a calendar shared changes only how they see it.
	props := v.props
	if v.shared {
		props = v.own
	} else {
		v.changed("", false)
	}
	for _, p := range set {
		props[p.name] = p
	}
	for _, p := range removed {
		delete(props, p.name)
	}
	out.children = append(out.children, propstat(node(nsDAV, "prop", names...), "200 OK"))
	writeMultistatus(r.w, calendarPrefixes, "", out)
}

// deleteCalendar moves an own calendar to the trash, or removes what lies there already; a share or a subscription is
// given up.
func (c *calendarServer) deleteCalendar(r *davRequest, v *calendarView) {
	switch {
	case v.shared:
		c.unshare(v.calendar, r.uid)
	case v.kind == calendarSubscription:
		r.home.subscriptions = without(r.home.subscriptions, v.calendar)
	case v.kind == calendarApp:
		r.fail(davForbidden("Deleting an entire board is not allowed"))
		return
	case r.noTrash() || !v.deletedAt.IsZero():
		for _, i := range slices.Clone(v.invites) {
			if i.group != "" {
				c.unshareGroup(v.calendar, i.group)
			} else {
				c.unshare(v.calendar, i.uid)
			}
		}
		r.home.calendars = without(r.home.calendars, v.calendar)
	default:
		v.deletedAt = c.now()
	}
	writeDAVEmpty(r.w, http.StatusNoContent)
}

func without(calendars []*calendar, gone *calendar) []*calendar {
	var kept []*calendar
	for _, c := range calendars {
		if c != gone {
			kept = append(kept, c)
		}
	}
	return kept
}

// restoreCalendar answers the only MOVE of a collection: out of the trash.
func (c *calendarServer) restoreCalendar(r *davRequest, v *calendarView) {
	target, failure := r.destination()
	if failure != nil {
		r.fail(failure)
		return
	}
	if v.deletedAt.IsZero() || !isRestore(target) {
		r.fail(davForbidden("Calendars cannot be moved"))
		return
	}
	v.deletedAt = time.Time{}
	writeDAVEmpty(r.w, http.StatusCreated)
}
