package nextcloudtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// serveObject answers requests to one .ics.
func (c *calendarServer) serveObject(r *davRequest, v *calendarView, uri string) {
	if !v.hasEvents() {
		r.fail(davNotFound("Calendar object not found"))
		return
	}
	o := v.objects[uri]
	if o == nil && r.Method != http.MethodPut {
		if f := checkConditions(r.Request, ""); f != nil && r.Method != "PROPFIND" {
			r.fail(f)
			return
		}
		r.fail(davNotFound("Calendar object not found"))
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		r.content(o)
	case "PROPFIND":
		r.propfind([]*davResource{c.objectResource(v.objectHref(uri), o, r.uid, v.owner)})
	case "REPORT":
		c.reportOn(r, []reportObject{{o, c.objectResource(v.objectHref(uri), o, r.uid, v.owner)}}, 1)
	case http.MethodPut:
		c.putObject(r, v, uri, o)
	case http.MethodDelete:
		c.deleteObject(r, v, o)
	case "MOVE":
		c.moveObject(r, v, o)
	default:
		r.fail(davNotImplemented(r.Method))
	}
}

func (r *davRequest) content(o *calendarObject) {
	serveDAVContent(r.w, r.Request, o.uri, o.contentType(), o.etag(), o.modified.UTC().Format(http.TimeFormat), []byte(o.data))
}

// putObject creates or replaces an object, with every refusal that Nextcloud knows.
func (c *calendarServer) putObject(r *davRequest, v *calendarView, uri string, o *calendarObject) {
	etag := ""
	if o != nil {
		etag = o.etag()
	}
	if f := checkConditions(r.Request, etag); f != nil {
		r.fail(f)
		return
	}
	if !v.write {
		if o == nil {
			r.fail(davNeedPrivilege(strings.TrimSuffix(v.href(), "/"), "bind"))
		} else {
			r.fail(davNeedPrivilege(v.objectHref(uri), "write-content"))
		}
		return
	}
	object, fault := validateICal(string(r.body), v.components, c.now())
	if fault != nil {
		f := &davFailure{status: fault.status, exception: fault.exception, message: fault.message}
		if strings.HasSuffix(fault.exception, "InvalidComponentType") {
			f.extra = []*xmlNode{node(nsCalDAV, "supported-calendar-component")}
		}
		r.fail(f)
		return
	}
	if f := v.uidFree(object.uid, o); f != nil {
		r.fail(f)
		return
	}
	if o == nil && len(v.objects) >= maxObjects {
		r.fail(davForbidden("Calendar object limit reached"))
		return
	}
	if object.warning != "" {
		r.w.Header().Set("X-Sabre-Ew-Gross", object.warning)
	}
	data := c.schedule(r.uid, o, object)
	status := http.StatusCreated
	if o != nil {
		status = http.StatusNoContent
	}
	o = c.people.home(v.owner).store(v.calendar, uri, data, object.component, object.uid)
	// Nextcloud: an ETag is only sent when what was stored is what was sent.
	if data == string(r.body) {
		r.w.Header().Set("ETag", o.etag())
		r.w.Header().Set("OC-ETag", o.etag())
	}
	writeDAVEmpty(r.w, status)
}

// uidFree tells whether a UID may be stored in a calendar, in the place of the given object or as a new one.
func (c *calendar) uidFree(uid string, o *calendarObject) *davFailure {
	if other := c.byUID(uid); other != nil && other != o {
		return davBadRequest("Calendar object with uid already exists in this calendar collection.")
	}
	if (o == nil || o.uid != uid) && c.trashed(uid) {
		// Nextcloud: the trash shares the table and its unique index with the calendar.
		return &davFailure{
			status: http.StatusInternalServerError, exception: `OC\DB\Exceptions\DbalException`,
			message: "An exception occurred while executing a query: SQLSTATE[23000]: Integrity constraint violation: 19 UNIQUE constraint failed: " +
				"oc_calendarobjects.calendarid, oc_calendarobjects.calendartype, oc_calendarobjects.uid",
		}
	}
	return nil
}

func (c *calendarServer) deleteObject(r *davRequest, v *calendarView, o *calendarObject) {
	if f := checkConditions(r.Request, o.etag()); f != nil {
		r.fail(f)
		return
	}
	if !v.write {
		r.fail(davNeedPrivilege(strings.TrimSuffix(v.href(), "/"), "unbind"))
		return
	}
	c.cancel(r.uid, o)
	// Nextcloud: X-NC-CalDAV-No-Trashbin is obeyed for calendars only; an object goes to the trash all the same.
	c.people.home(v.owner).remove(v.calendar, o)
	writeDAVEmpty(r.w, http.StatusNoContent)
}

// destination reads the Destination header as a path below calendars/.
func (r *davRequest) destination() ([]string, *davFailure) {
	header := r.Header.Get("Destination")
	if header == "" {
		return nil, davBadRequest("The destination header was not supplied")
	}
	target, err := url.Parse(header)
	if err != nil {
		return nil, davBadRequest("Destination header could not be parsed")
	}
	segments, ok := davPath(target.EscapedPath())
	if !ok || len(segments) < 3 || segments[0] != "calendars" {
		return nil, davForbidden(fmt.Sprintf("Destination header contains a path outside of the calendars: %q", target.Path))
	}
	if segments[1] != r.uid {
		return nil, davNotFound("Calendar with name '%s' could not be found", segments[2])
	}
	return segments[2:], nil
}

// isRestore tells whether a destination is the trash bin's way out; its last segment is arbitrary.
func isRestore(target []string) bool {
	return len(target) == 3 && target[0] == "trashbin" && target[1] == "restore"
}

// moveObject moves an object to another calendar of the same home.
func (c *calendarServer) moveObject(r *davRequest, v *calendarView, o *calendarObject) {
	target, failure := r.destination()
	if failure != nil {
		r.fail(failure)
		return
	}
	if f := checkConditions(r.Request, o.etag()); f != nil {
		r.fail(f)
		return
	}
	if len(target) != 2 {
		r.fail(davForbidden("Permission denied to move node"))
		return
	}
	to := r.home.find(target[0], r.cachedFeeds())
	switch {
	case to == nil || !to.hasEvents():
		r.fail(davConflict("The destination node is not found"))
		return
	case !v.write:
		r.fail(davNeedPrivilege(strings.TrimSuffix(v.href(), "/"), "unbind"))
		return
	case !to.write:
		r.fail(davNeedPrivilege(strings.TrimSuffix(to.href(), "/"), "bind"))
		return
	case !slices.Contains(to.components, o.component):
		r.fail(davForbidden("Permission denied to move node"))
		return
	}
	existing := to.objects[target[1]]
	if existing != nil && r.Header.Get("Overwrite") == "F" {
		r.fail(davPrecondition("Overwrite", "The destination node already exists, and the overwrite header is set to false", ""))
		return
	}
	if to.calendar != v.calendar {
		if f := to.uidFree(o.uid, existing); f != nil {
			r.fail(f)
			return
		}
	}
	status := http.StatusCreated
	if existing != nil && existing != o {
		c.people.home(to.owner).remove(to.calendar, existing)
		status = http.StatusNoContent
	}
	delete(v.objects, o.uri)
	v.changed(o.uri, true)
	o.uri = target[1]
	to.objects[o.uri] = o
	to.changed(o.uri, false)
	writeDAVEmpty(r.w, status)
}

// serveTrash answers below trashbin/.
func (c *calendarServer) serveTrash(r *davRequest) {
	switch {
	case len(r.path) == 1 && r.Method == "PROPFIND":
		resources := []*davResource{c.trashbinResource(r.home)}
		if davDepth(r.Request, 1) > 0 {
			for _, name := range []string{"restore", "objects"} {
				resources = append(resources, c.folderResource(r.home, davHref("calendars", r.home.uid, "trashbin", name)+"/"))
			}
		}
		r.propfind(resources)
	case len(r.path) == 2 && r.path[1] == "objects":
		c.serveTrashObjects(r)
	case len(r.path) == 3 && r.path[1] == "objects":
		c.serveTrashObject(r)
	case len(r.path) <= 2:
		r.fail(davNotImplemented(r.Method))
	default:
		r.fail(davNotFound("Node with name '%s' could not be found", r.path[len(r.path)-1]))
	}
}

func (c *calendarServer) serveTrashObjects(r *davRequest) {
	var objects []reportObject
	for _, o := range r.home.allTrashed() {
		cal, _ := r.home.trashedObject(strconv.Itoa(o.id))
		objects = append(objects, reportObject{o, c.trashedResource(r.home, cal, o)})
	}
	switch r.Method {
	case "PROPFIND":
		if davDepth(r.Request, 1) > 0 {
			// Nextcloud: what lies in the trash is found by calendar-query only.
			r.fail(davNotImplementedMessage(""))
			return
		}
		r.propfind([]*davResource{c.folderResource(r.home, davHref("calendars", r.home.uid, "trashbin", "objects")+"/")})
	case "REPORT":
		c.trashReport(r, objects)
	default:
		r.fail(davNotImplemented(r.Method))
	}
}

// trashReport answers calendar-query on the trash, which looks at no filter.
func (c *calendarServer) trashReport(r *davRequest, objects []reportObject) {
	root, err := parseXML(r.body)
	if err != nil {
		r.fail(davBadRequest("%s", err))
		return
	}
	prop := root.child(nsDAV, "prop")
	if !root.is(nsCalDAV, "calendar-query") || prop == nil || davDepth(r.Request, 0) == 0 {
		c.reportOn(r, objects, davDepth(r.Request, 0))
		return
	}
	resources := make([]*davResource, 0, len(objects))
	for _, o := range objects {
		resources = append(resources, o.resource)
	}
	writePropfind(r.w, calendarPrefixes, propRequest{names: prop.children}, resources)
}

func (c *calendarServer) serveTrashObject(r *davRequest) {
	cal, o := r.home.trashedObject(r.path[2])
	if o == nil {
		r.fail(davNotFound("Node with name '%s' could not be found", r.path[2]))
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		r.content(o)
	case "PROPFIND":
		r.propfind([]*davResource{c.trashedResource(r.home, cal, o)})
	case http.MethodDelete:
		cal.dropTrashed(o)
		writeDAVEmpty(r.w, http.StatusNoContent)
	case "MOVE":
		target, failure := r.destination()
		if failure != nil {
			r.fail(failure)
			return
		}
		if !isRestore(target) {
			r.fail(davForbidden("Permission denied to move node"))
			return
		}
		if !cal.write {
			r.fail(davForbidden("Read-only sharees cannot restore trashbin entries"))
			return
		}
		cal.dropTrashed(o)
		cal.objects[o.uri] = o
		cal.changed(o.uri, false)
		writeDAVEmpty(r.w, http.StatusCreated)
	default:
		r.fail(davNotImplemented(r.Method))
	}
}

// export answers GET ?export: one calendar with every object and each time zone once.
func (c *calendarServer) export(r *davRequest, v *calendarView) {
	name := v.displayName()
	if v.shared {
		name += " (" + c.displayName(v.owner) + ")"
	}
	out := &icalComponent{name: "VCALENDAR", lines: []icalLine{
		{name: "VERSION", value: "2.0"},
		{name: "CALSCALE", value: "GREGORIAN"},
		{name: "PRODID", value: "-//SabreDAV//SabreDAV//EN"},
		{name: "X-WR-CALNAME", value: name},
	}}
	if color, ok := v.props[leaf(nsApple, "calendar-color", "").name]; ok {
		out.lines = append(out.lines, icalLine{name: "X-APPLE-CALENDAR-COLOR", value: color.text})
	}
	out.lines = append(out.lines,
		icalLine{name: "REFRESH-INTERVAL", params: ";VALUE=DURATION", value: "PT4H"}, icalLine{name: "X-PUBLISHED-TTL", value: "PT4H"})
	zones := map[string]bool{}
	var components []*icalComponent
	for _, o := range v.sorted() {
		for _, child := range o.parsed().children {
			if child.name != "VTIMEZONE" {
				components = append(components, child)
			} else if tzid := child.value("TZID"); !zones[tzid] {
				zones[tzid] = true
				out.children = append(out.children, child)
			}
		}
	}
	out.children = append(out.children, components...)
	file := v.name + "-" + c.now().UTC().Format("2006-01-02")
	h := r.w.Header()
	if r.URL.Query().Get("accept") == "jcal" || strings.Contains(r.Header.Get("Accept"), "application/calendar+json") {
		h.Set("Content-Disposition", `attachment; filename="`+file+`.json"`)
		h.Set("Content-Type", "application/calendar+json")
		// Sabre: the JSON form keeps the order in which properties were set.
		out.lines[0], out.lines[1] = out.lines[1], out.lines[0]
		_, _ = r.w.Write(out.jCal())
		return
	}
	h.Set("Content-Disposition", `attachment; filename="`+file+`.ics"`)
	h.Set("Content-Type", "text/calendar;charset=UTF-8")
	_, _ = r.w.Write([]byte(out.String()))
}
