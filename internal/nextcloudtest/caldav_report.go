package nextcloudtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func reportNotSupported() *davFailure {
	return &davFailure{
		status: http.StatusForbidden, exception: `Sabre\DAV\Exception\ReportNotSupported`, message: "Your request is not supported",
		extra: []*xmlNode{node(nsDAV, "supported-report")},
	}
}

// reportObject is an object that a REPORT may return.
type reportObject struct {
	object   *calendarObject
	resource *davResource
}

// report answers REPORT on a calendar.
func (c *calendarServer) report(r *davRequest, v *calendarView) {
	var objects []reportObject
	if v.hasEvents() {
		for _, o := range v.sorted() {
			objects = append(objects, reportObject{o, c.objectResource(v.objectHref(o.uri), o, r.uid, v.owner)})
		}
	}
	root, err := parseXML(r.body)
	switch {
	case err != nil:
		r.fail(davBadRequest("%s", err))
	case root.is(nsCalDAV, "free-busy-query"):
		c.freeBusyQuery(r, root, objects)
	case root.is(nsDAV, "sync-collection"):
		c.syncCollection(r, root, v)
	default:
		c.reportOn(r, objects, davDepth(r.Request, 0))
	}
}

// reportOn answers calendar-query and calendar-multiget over some objects.
func (c *calendarServer) reportOn(r *davRequest, objects []reportObject, depth int) {
	root, err := parseXML(r.body)
	if err != nil {
		r.fail(davBadRequest("%s", err))
		return
	}
	request := propRequest{all: true}
	if prop := root.child(nsDAV, "prop"); prop != nil {
		request = propRequest{names: prop.children}
	}
	var found []reportObject
	var failure *davFailure
	switch {
	case root.is(nsCalDAV, "calendar-query"):
		if depth == 0 {
			r.fail(davBadRequest("A calendar-query REPORT on a calendar with a Depth: 0 is undefined. Set Depth to 1"))
			return
		}
		found, failure = queryObjects(root, objects)
	case root.is(nsCalDAV, "calendar-multiget"):
		found = multiget(root, objects)
	default:
		failure = reportNotSupported()
	}
	if failure != nil {
		r.fail(failure)
		return
	}
	from, to, expand, failure := expansion(request)
	if failure != nil {
		r.fail(failure)
		return
	}
	var resources []*davResource
	for _, o := range found {
		if expand {
			o.resource.add(leaf(nsCalDAV, "calendar-data", o.object.parsed().expand(from, to).String()))
		}
		resources = append(resources, o.resource)
	}
	writePropfind(r.w, calendarPrefixes, request, resources)
}

// expansion reads CALDAV:expand. Nextcloud ignores limit-recurrence-set, limit-freebusy-set and partial retrieval.
func expansion(request propRequest) (from, to time.Time, expand bool, failure *davFailure) {
	for _, p := range request.names {
		if !p.is(nsCalDAV, "calendar-data") {
			continue
		}
		if e := p.child(nsCalDAV, "expand"); e != nil {
			from, to, failure = timeRange(e)
			if failure == nil && (e.attr("start") == "" || e.attr("end") == "") {
				failure = davBadRequest("The start and end attributes are required for the CALDAV:expand element")
			}
			return from, to, true, failure
		}
	}
	return from, to, false, nil
}

// timeRange reads start and end attributes; what is missing is unbounded.
func timeRange(n *xmlNode) (from, to time.Time, failure *davFailure) {
	from, to = time.Time{}, farFuture
	for _, bound := range []struct {
		name string
		t    *time.Time
	}{{"start", &from}, {"end", &to}} {
		value := n.attr(bound.name)
		if value == "" {
			continue
		}
		t, err := time.Parse(icalUTCLayout, value)
		if err != nil {
			return from, to, davBadRequest("The supplied iCalendar datetime value is incorrect: %s", value)
		}
		*bound.t = t
	}
	if !to.After(from) {
		return from, to, davBadRequest("The end-date must be larger than the start-date in the time-range filter.")
	}
	return from, to, nil
}

func queryObjects(root *xmlNode, objects []reportObject) ([]reportObject, *davFailure) {
	filter := root.child(nsCalDAV, "filter")
	if filter == nil {
		return nil, davBadRequest("The {urn:ietf:params:xml:ns:caldav}filter element is required for this request")
	}
	comp := filter.child(nsCalDAV, "comp-filter")
	if comp == nil {
		return nil, davBadRequest("The {urn:ietf:params:xml:ns:caldav}comp-filter element is required")
	}
	query, failure := parseCompFilter(comp, 0)
	if failure != nil {
		return nil, failure
	}
	var found []reportObject
	for _, o := range objects {
		if query.matches(o.object.parsed()) {
			found = append(found, o)
		}
	}
	return found, nil
}

// multiget picks objects by href, in the order asked; what is missing is left out without a word.
func multiget(root *xmlNode, objects []reportObject) []reportObject {
	byPath := map[string]reportObject{}
	for _, o := range objects {
		segments, _ := davPath(o.resource.href)
		byPath[strings.Join(segments, "\x00")] = o
	}
	var found []reportObject
	for _, href := range root.all(nsDAV, "href") {
		segments, ok := davPath(href.text)
		if !ok {
			continue
		}
		key := strings.Join(segments, "\x00")
		if o, ok := byPath[key]; ok {
			found = append(found, o)
			delete(byPath, key)
		}
	}
	return found
}

// freeBusyQuery answers RFC 4791, section 7.10.
func (c *calendarServer) freeBusyQuery(r *davRequest, root *xmlNode, objects []reportObject) {
	bounds := root.child(nsCalDAV, "time-range")
	if bounds == nil || bounds.attr("start") == "" || bounds.attr("end") == "" {
		r.fail(davBadRequest("The freebusy report must have a time-range filter"))
		return
	}
	from, to, failure := timeRange(bounds)
	if failure != nil {
		r.fail(failure)
		return
	}
	var calendars []*icalComponent
	for _, o := range objects {
		calendars = append(calendars, o.object.parsed())
	}
	r.w.Header().Set("Content-Type", "text/calendar;charset=UTF-8")
	_, _ = r.w.Write([]byte(freeBusy(calendars, from, to, c.now()).String()))
}

// syncCollection answers RFC 6578.
func (c *calendarServer) syncCollection(r *davRequest, root *xmlNode, v *calendarView) {
	if v.kind == calendarApp || !v.hasEvents() {
		r.fail(reportNotSupported())
		return
	}
	token, limit := "", 0
	if n := root.child(nsDAV, "sync-token"); n != nil {
		token = n.text
	}
	if n := root.child(nsDAV, "limit"); n != nil {
		if results := n.child(nsDAV, "nresults"); results != nil {
			limit, _ = strconv.Atoi(strings.TrimSpace(results.text))
		}
	}
	request := propRequest{}
	if prop := root.child(nsDAV, "prop"); prop != nil {
		request.names = prop.children
	}
	if token == "" {
		c.initialSync(r, v, request, limit)
		return
	}
	number, isOurs := strings.CutPrefix(token, syncPrefix)
	since, err := strconv.Atoi(number)
	if !isOurs || err != nil {
		r.fail(&davFailure{
			status: http.StatusForbidden, exception: `Sabre\DAV\Exception\InvalidSyncToken`, message: "Invalid or unknown sync token",
			extra: []*xmlNode{node(nsDAV, "valid-sync-token")},
		})
		return
	}
	// Nextcloud: a token from the future is taken for one that has seen everything.
	last := v.token
	changes := v.changesSince(since)
	if limit > 0 && len(changes) > limit {
		changes = changes[:limit]
		last = changes[limit-1].token
	}
	var present, removed []*xmlNode
	for _, change := range changes {
		href := v.objectHref(change.uri)
		o := v.objects[change.uri]
		if o == nil {
			removed = append(removed, (&davResource{href: href, gone: true}).response(request))
			continue
		}
		present = append(present, c.objectResource(href, o, r.uid, v.owner).response(request))
	}
	all := slices.Concat(present, removed, []*xmlNode{leaf(nsDAV, "sync-token", syncPrefix+strconv.Itoa(last))})
	writeMultistatus(r.w, calendarPrefixes, " ", all...)
}

func (c *calendarServer) initialSync(r *davRequest, v *calendarView, request propRequest, limit int) {
	if limit > 0 {
		r.fail(&davFailure{
			status: http.StatusInsufficientStorage, exception: `OCA\DAV\Exception\UnsupportedLimitOnInitialSyncException`,
			extra: []*xmlNode{node(nsDAV, "number-of-matches-within-limits")},
		})
		return
	}
	var all []*xmlNode
	for _, o := range v.sorted() {
		all = append(all, c.objectResource(v.objectHref(o.uri), o, r.uid, v.owner).response(request))
	}
	all = append(all, leaf(nsDAV, "sync-token", v.syncToken()))
	writeMultistatus(r.w, calendarPrefixes, " ", all...)
}

// changesSince lists the last change of every object after a token, in order.
func (c *calendar) changesSince(token int) []calendarChange {
	latest := map[string]int{}
	for _, change := range c.changes {
		latest[change.uri] = change.token
	}
	var changes []calendarChange
	for _, change := range c.changes {
		if change.token > token && change.uri != "" && latest[change.uri] == change.token {
			changes = append(changes, change)
		}
	}
	return changes
}
