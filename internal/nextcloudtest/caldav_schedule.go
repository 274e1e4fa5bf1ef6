package nextcloudtest

import (
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// maxInbox bounds the scheduling messages an account keeps.
const maxInbox = 1000

// serveInbox answers below inbox/.
func (c *calendarServer) serveInbox(r *davRequest) {
	if len(r.path) == 1 {
		switch r.Method {
		case "PROPFIND":
			resources := []*davResource{c.inboxResource(r.home)}
			if davDepth(r.Request, 1) > 0 {
				for _, o := range r.home.inbox {
					resources = append(resources, c.inboxItem(r, o))
				}
			}
			r.propfind(resources)
		case "PROPPATCH":
			c.patchInbox(r)
		case "REPORT":
			var objects []reportObject
			for _, o := range r.home.inbox {
				objects = append(objects, reportObject{o, c.inboxItem(r, o)})
			}
			c.reportOn(r, objects, davDepth(r.Request, 0))
		default:
			r.fail(davNotImplemented(r.Method))
		}
		return
	}
	for i, o := range r.home.inbox {
		if o.uri != r.path[1] || len(r.path) != 2 {
			continue
		}
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			r.content(o)
		case "PROPFIND":
			r.propfind([]*davResource{c.inboxItem(r, o)})
		case http.MethodDelete:
			r.home.inbox = append(r.home.inbox[:i:i], r.home.inbox[i+1:]...)
			writeDAVEmpty(r.w, http.StatusNoContent)
		default:
			r.fail(davNotImplemented(r.Method))
		}
		return
	}
	r.fail(davNotFound("Calendar object not found"))
}

func (c *calendarServer) inboxItem(r *davRequest, o *calendarObject) *davResource {
	return c.objectResource(davHref("calendars", r.home.uid, "inbox", o.uri), o, r.uid, r.home.uid)
}

// serveOutbox answers below outbox/: properties, and free-busy requests (RFC 6638, section 5).
func (c *calendarServer) serveOutbox(r *davRequest) {
	switch {
	case len(r.path) > 1:
		r.fail(davNotFound("File not found: %s in 'outbox'", r.path[1]))
	case r.Method == "PROPFIND":
		r.propfind([]*davResource{c.outboxResource(r.home)})
	case r.Method == http.MethodPost:
		c.freeBusyRequest(r)
	default:
		r.fail(davNotImplemented(r.Method))
	}
}

func (c *calendarServer) freeBusyRequest(r *davRequest) {
	request, err := parseICal(string(r.body))
	if err != nil {
		r.fail(davBadRequest("The request body must be a valid iCalendar object. Parse error: %s", err))
		return
	}
	busy := request.named("VFREEBUSY")
	if request.value("METHOD") != "REQUEST" || len(busy) != 1 {
		r.fail(davNotImplementedMessage("We only support VFREEBUSY (REQUEST) on this endpoint"))
		return
	}
	if !c.isAddressOf(r.uid, busy[0].value("ORGANIZER")) {
		r.fail(davForbidden("The organizer in the request did not match any of the addresses for the owner of this inbox"))
		return
	}
	if busy[0].count("ATTENDEE") == 0 {
		r.fail(davBadRequest("You must at least specify 1 attendee"))
		return
	}
	zones := request.zones()
	from, ok1 := zones.time(busy[0], "DTSTART")
	to, ok2 := zones.time(busy[0], "DTEND")
	if !ok1 || !ok2 {
		r.fail(davBadRequest("DTSTART and DTEND must both be specified"))
		return
	}
	out := node(nsCalDAV, "schedule-response")
	for _, line := range busy[0].lines {
		if line.name != "ATTENDEE" {
			continue
		}
		answer := node(nsCalDAV, "response", node(nsCalDAV, "recipient", leaf(nsDAV, "href", line.value)))
		home := c.people.home(c.people.uidOfMail(mailOf(line.value)))
		if home == nil {
			answer.children = append(answer.children, leaf(nsCalDAV, "request-status", "3.7;Could not find principal"))
			out.children = append(out.children, answer)
			continue
		}
		var objects []*icalComponent
		for _, v := range home.views() {
			if v.shared || !v.hasEvents() || v.isTransparent() {
				continue
			}
			for _, o := range v.sorted() {
				objects = append(objects, o.parsed())
			}
		}
		reply := freeBusy(objects, from.Time, to.Time, c.now())
		reply.children[0].lines = append(reply.children[0].lines, unavailable(home.availability, from.Time, to.Time)...)
		reply.set("METHOD", "REPLY")
		reply.children[0].lines = append(reply.children[0].lines, line,
			icalLine{name: "UID", value: busy[0].value("UID")}, icalLine{name: "ORGANIZER", value: busy[0].value("ORGANIZER")})
		answer.children = append(answer.children,
			leaf(nsCalDAV, "request-status", "2.0;Success"),
			leaf(nsCalDAV, "calendar-data", strings.ReplaceAll(reply.String(), "\r", "")))
		out.children = append(out.children, answer)
	}
	r.w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(r.w, writeXML(out, calendarPrefixes, `<?xml version="1.0" encoding="utf-8"?>`, "  ")+"\n")
}

// isAddressOf tells whether a calendar address is, to the letter, one of a user's.
func (c *calendarServer) isAddressOf(uid, address string) bool {
	_, mail := c.people.person(uid)
	return (mail != "" && address == "mailto:"+mail) || address == principalHref(uid)
}

// isTransparent tells whether a calendar does not count for free-busy (RFC 6638, section 9.1).
func (c *calendar) isTransparent() bool {
	p, ok := c.props[xml.Name{Space: nsCalDAV, Local: "schedule-calendar-transp"}]
	return ok && p.child(nsCalDAV, "transparent") != nil
}

func davNotImplementedMessage(message string) *davFailure {
	return &davFailure{status: http.StatusNotImplemented, exception: `Sabre\DAV\Exception\NotImplemented`, message: message}
}

// mailOf strips the scheme of a calendar address.
func mailOf(address string) string {
	if len(address) > 7 && strings.EqualFold(address[:7], "mailto:") {
		return strings.ToLower(address[7:])
	}
	return strings.ToLower(address)
}

// organizes tells whether a user is the organizer of an object that has guests.
func (c *calendarServer) organizes(uid string, calendar *icalComponent) bool {
	_, mail := c.people.person(uid)
	for _, component := range calendar.main() {
		if component.count("ATTENDEE") > 0 && mail != "" {
			return mailOf(component.value("ORGANIZER")) == strings.ToLower(mail)
		}
	}
	return false
}

// schedule does what RFC 6638 asks of a server when an object is written, and returns the text to store: organizers'
// invitations are delivered and every guest is marked, guests' answers reach the organizer.
func (c *calendarServer) schedule(uid string, before *calendarObject, object *validatedObject) string {
	if !c.organizes(uid, object.calendar) {
		c.reply(uid, object.calendar)
		return object.data
	}
	_, own := c.people.person(uid)
	guests := map[string]bool{}
	for _, component := range object.calendar.main() {
		for i, line := range component.lines {
			if line.name != "ATTENDEE" || mailOf(line.value) == strings.ToLower(own) || !scheduled(line) {
				continue
			}
			guests[mailOf(line.value)] = true
			// Nextcloud: without a mail server the mail fails after the local delivery and 5.0 is what remains.
			component.lines[i] = line.withParam("SCHEDULE-STATUS", "5.0")
		}
	}
	for guest := range guests {
		if to := c.people.uidOfMail(guest); to != "" && to != uid {
			c.deliver(to, object.uid, invitation(object.calendar, "REQUEST"), invitation(object.calendar, ""))
		}
	}
	if before != nil {
		for _, gone := range attendees(before.parsed()) {
			if to := c.people.uidOfMail(gone); !guests[gone] && to != "" && to != uid {
				c.deliver(to, object.uid, cancellation(before.parsed(), "CANCEL"), cancellation(before.parsed(), ""))
			}
		}
	}
	return object.calendar.String()
}

// scheduled tells whether the server is to send a guest's messages (RFC 6638, section 7.1).
func scheduled(guest icalLine) bool {
	agent := guest.param("SCHEDULE-AGENT")
	return agent == "" || strings.EqualFold(agent, "SERVER")
}

// cancel tells the guests of a deleted event, or its organizer that a guest does not come.
func (c *calendarServer) cancel(uid string, o *calendarObject) {
	calendar := o.parsed()
	if !c.organizes(uid, calendar) {
		c.decline(uid, o)
		return
	}
	for _, guest := range attendees(calendar) {
		if to := c.people.uidOfMail(guest); to != "" && to != uid {
			c.deliver(to, o.uid, cancellation(calendar, "CANCEL"), cancellation(calendar, ""))
		}
	}
}

func attendees(calendar *icalComponent) []string {
	var mails []string
	seen := map[string]bool{}
	for _, component := range calendar.main() {
		for _, line := range component.lines {
			if mail := mailOf(line.value); line.name == "ATTENDEE" && !seen[mail] {
				seen[mail] = true
				mails = append(mails, mail)
			}
		}
	}
	return mails
}

// invitation is what a guest gets. With a METHOD it goes to the inbox and keeps the head of the organizer's calendar;
// without one it goes into the guest's calendar and Sabre writes the head.
func invitation(calendar *icalComponent, method string) *icalComponent {
	out := newSabreCalendar()
	if method != "" {
		out.lines = append(slices.Clone(calendar.lines), icalLine{name: "METHOD", value: method})
	}
	for _, component := range calendar.children {
		copied := &icalComponent{name: component.name, children: component.children}
		for _, line := range component.lines {
			if line.name == "ATTENDEE" {
				line = withoutParam(line, "SCHEDULE-STATUS")
			}
			copied.lines = append(copied.lines, line)
		}
		if component.name == "VEVENT" && component.count("SEQUENCE") == 0 {
			copied.lines = append(copied.lines, icalLine{name: "SEQUENCE", value: "0"})
		}
		out.children = append(out.children, copied)
	}
	return out
}

func cancellation(calendar *icalComponent, method string) *icalComponent {
	out := invitation(calendar, method)
	for _, event := range out.named("VEVENT") {
		event.set("STATUS", "CANCELLED")
	}
	return out
}

func withoutParam(line icalLine, name string) icalLine {
	var params strings.Builder
	for _, part := range splitParams(strings.TrimPrefix(line.params, ";")) {
		if key, _, _ := strings.Cut(part, "="); part != "" && !strings.EqualFold(key, name) {
			params.WriteString(";" + part)
		}
	}
	line.params = params.String()
	return line
}

// deliver puts a message into an inbox and its event into the calendar of the recipient.
func (c *calendarServer) deliver(to, uid string, message, event *icalComponent) {
	home := c.people.home(to)
	if home == nil || len(home.inbox) >= maxInbox {
		return
	}
	name := c.notify(home, uid, message)
	for _, v := range home.views() {
		if existing := v.byUID(uid); existing != nil && !v.shared {
			home.store(v.calendar, existing.uri, event.String(), "VEVENT", uid)
			return
		}
	}
	if personal := home.find("personal", false); personal != nil && personal.hasEvents() && !personal.trashed(uid) {
		home.store(personal.calendar, name, event.String(), "VEVENT", uid)
	}
}

// reply carries a guest's answers into the organizer's copy and inbox: of the series by its master, of an occurrence by
// its RECURRENCE-ID.
func (c *calendarServer) reply(uid string, calendar *icalComponent) {
	_, mail := c.people.person(uid)
	answers, organizer, object := map[string]*icalComponent{}, "", ""
	for _, component := range calendar.main() {
		for _, line := range component.lines {
			status := line.param("PARTSTAT")
			if line.name == "ATTENDEE" && mail != "" && mailOf(line.value) == strings.ToLower(mail) && status != "" && status != "NEEDS-ACTION" {
				answers[component.value("RECURRENCE-ID")] = component
				organizer, object = c.people.uidOfMail(mailOf(component.value("ORGANIZER"))), component.value("UID")
			}
		}
	}
	home := c.people.home(organizer)
	if home == nil || organizer == uid {
		return
	}
	for _, v := range home.views() {
		o := v.byUID(object)
		if o == nil || v.shared {
			continue
		}
		theirs := o.parsed()
		for _, id := range slices.Sorted(maps.Keys(answers)) {
			theirs.answer(id, answers[id], mail)
		}
		if data := theirs.String(); data != o.data {
			home.store(v.calendar, o.uri, data, o.component, o.uid)
			c.notify(home, object, invitation(calendar, "REPLY"))
		}
	}
}

// answer writes one answer into the organizer's copy; an occurrence without a component of its own gets one.
func (c *icalComponent) answer(id string, theirs *icalComponent, mail string) {
	status := ""
	for _, line := range theirs.lines {
		if line.name == "ATTENDEE" && mailOf(line.value) == strings.ToLower(mail) {
			status = line.param("PARTSTAT")
		}
	}
	var target *icalComponent
	for _, component := range c.main() {
		if component.value("RECURRENCE-ID") == id {
			target = component
		}
	}
	if target == nil {
		target = &icalComponent{name: theirs.name, lines: slices.Clone(theirs.lines)}
		c.children = append(c.children, target)
	}
	for i, line := range target.lines {
		if line.name == "ATTENDEE" && mailOf(line.value) == strings.ToLower(mail) && line.param("PARTSTAT") != status {
			target.lines[i] = line.withParam("PARTSTAT", status).withParam("SCHEDULE-STATUS", "2.0")
		}
	}
}

// decline is what a guest's deletion of an event tells the organizer.
func (c *calendarServer) decline(uid string, o *calendarObject) {
	_, mail := c.people.person(uid)
	calendar := o.parsed()
	for _, component := range calendar.main() {
		for i, line := range component.lines {
			if line.name == "ATTENDEE" && mail != "" && mailOf(line.value) == strings.ToLower(mail) {
				component.lines[i] = line.withParam("PARTSTAT", "DECLINED")
			}
		}
	}
	c.reply(uid, calendar)
}

// notify puts a message into an inbox.
func (c *calendarServer) notify(home *calendarHome, uid string, message *icalComponent) (name string) {
	home.lastID++
	name = "sabredav-" + nameFromContent(message.String()+home.uid, c.now()) + ".ics"
	home.inbox = append(home.inbox, &calendarObject{id: home.lastID, uri: name, data: message.String(), uid: uid, modified: c.now()})
	return name
}
