package nextcloudtest

import (
	"encoding/xml"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Privilege sets as the server lists them.
var (
	privilegesWrite = []string{"write", "write-properties", "write-content", "unlock", "bind", "unbind", "write-acl", "read", "read-acl", "read-current-user-privilege-set"}
	privilegesRead  = []string{"write-properties", "read", "read-acl", "read-current-user-privilege-set"}
	// Nextcloud: a cached subscription may not even be renamed through its privileges.
	privilegesFeed  = []string{"read", "read-acl", "read-current-user-privilege-set"}
	privilegesTrash = []string{"all", "read", "write", "write-properties", "write-content", "unlock", "bind", "unbind", "write-acl", "read-acl", "read-current-user-privilege-set"}
	privilegesIn    = []string{"unbind", "write-properties", "read", "read-acl", "read-current-user-privilege-set"}
	privilegesOut   = []string{"read", "read-acl", "read-current-user-privilege-set"}

	scheduleIn  = []string{"schedule-deliver", "schedule-deliver-invite", "schedule-deliver-reply", "schedule-query-freebusy"}
	scheduleOut = []string{"schedule-send", "schedule-send-invite", "schedule-send-reply", "schedule-send-freebusy", "schedule-post-vevent"}
)

func privilegeSet(nodes ...*xmlNode) *xmlNode {
	set := node(nsDAV, "current-user-privilege-set")
	for _, n := range nodes {
		set.children = append(set.children, node(nsDAV, "privilege", n))
	}
	return set
}

func privilegeNodes(space string, names []string) []*xmlNode {
	var nodes []*xmlNode
	for _, name := range names {
		nodes = append(nodes, node(space, name))
	}
	return nodes
}

func principalHref(uid string) string { return davHref("principals", "users", uid) + "/" }

func ownerNode(uid string) *xmlNode { return hrefIn(nsDAV, "owner", principalHref(uid)) }

// commonProps are on every node.
func (c *calendarServer) commonProps(r *davResource, viewer string) {
	r.add(hrefIn(nsDAV, "current-user-principal", principalHref(viewer)),
		hrefIn(nsDAV, "principal-collection-set", davRoot+"principals/users/"))
}

func (c *calendarServer) homeResource(h *calendarHome) *davResource {
	r := newDAVResource(davHref("calendars", h.uid) + "/")
	c.commonProps(r, h.uid)
	r.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	r.add(ownerNode(h.uid), privilegeSet(privilegeNodes(nsDAV, privilegesWrite)...))
	return r
}

func (c *calendarServer) inboxResource(h *calendarHome) *davResource {
	r := newDAVResource(davHref("calendars", h.uid, "inbox") + "/")
	c.commonProps(r, h.uid)
	r.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection"), node(nsCalDAV, "schedule-inbox")))
	r.add(ownerNode(h.uid), privilegeSet(append(privilegeNodes(nsCalDAV, scheduleIn), privilegeNodes(nsDAV, privilegesIn)...)...),
		hrefIn(nsCalDAV, "schedule-default-calendar-URL", davHref("calendars", h.uid, "personal")+"/"))
	if h.availability != "" {
		r.add(leaf(nsCalDAV, "calendar-availability", h.availability))
	}
	return r
}

func (c *calendarServer) outboxResource(h *calendarHome) *davResource {
	r := newDAVResource(davHref("calendars", h.uid, "outbox") + "/")
	c.commonProps(r, h.uid)
	r.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection"), node(nsCalDAV, "schedule-outbox")))
	r.add(ownerNode(h.uid), privilegeSet(append(privilegeNodes(nsCalDAV, scheduleOut), privilegeNodes(nsDAV, privilegesOut)...)...))
	return r
}

func (c *calendarServer) trashbinResource(h *calendarHome) *davResource {
	r := newDAVResource(davHref("calendars", h.uid, "trashbin") + "/")
	c.commonProps(r, h.uid)
	r.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection"), node(nsNextcloud, "trash-bin")))
	r.add(ownerNode(h.uid), privilegeSet(privilegeNodes(nsDAV, privilegesTrash)...),
		leaf(nsNextcloud, "trash-bin-retention-duration", trashRetention))
	return r
}

// folderResource is a plain collection of the trash bin.
func (c *calendarServer) folderResource(h *calendarHome, href string) *davResource {
	r := newDAVResource(href)
	c.commonProps(r, h.uid)
	r.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	r.add(ownerNode(h.uid))
	return r
}

// stored copies a property that the calendar keeps, if it does.
func (r *davResource) stored(c *calendar, space, local string) {
	if p, ok := c.props[xml.Name{Space: space, Local: local}]; ok {
		r.addListed(p)
	}
}

// calendarResource describes a calendar; listed tells that it was found by listing the home.
func (c *calendarServer) calendarResource(v *calendarView, listed bool) *davResource {
	r := newDAVResource(v.href())
	c.commonProps(r, v.home.uid)
	kind := node(nsDAV, "resourcetype", node(nsDAV, "collection"))
	switch {
	case !v.deletedAt.IsZero():
		kind.children = append(kind.children, node(nsNextcloud, "deleted-calendar"))
		r.add(leaf(nsNextcloud, "deleted-at", davTime(v.deletedAt)))
	case v.kind == calendarSubscription && !v.cached:
		kind.children = append(kind.children, node(nsCalServer, "subscribed"))
	default:
		kind.children = append(kind.children, node(nsCalDAV, "calendar"))
	}
	r.addListed(kind)

	components := node(nsCalDAV, "supported-calendar-component-set")
	for _, name := range v.components {
		comp := node(nsCalDAV, "comp")
		comp.attrs = []xml.Attr{{Name: xml.Name{Local: "name"}, Value: name}}
		components.children = append(components.children, comp)
	}
	// Nextcloud: calendars that an app generates have no sync token, no order and no stored owner.
	if v.kind != calendarApp && v.hasEvents() {
		r.addListed(leaf(nsCalServer, "getctag", v.syncToken()), leaf(nsSabre, "sync-token", strconv.Itoa(v.token)))
		r.add(leaf(nsDAV, "sync-token", v.syncToken()))
	}
	r.addListed(components)
	if v.kind != calendarApp {
		r.addListed(node(nsCalDAV, "schedule-calendar-transp", node(nsCalDAV, "opaque")))
	}
	r.add(supportedReports())
	maps.Copy(r.props, v.props)
	r.stored(v.calendar, nsDAV, "displayname")
	if v.shared {
		r.add(leaf(nsDAV, "displayname", v.displayName()+" ("+c.displayName(v.owner)+")"))
	}
	if v.kind != calendarApp {
		order := xml.Name{Space: nsApple, Local: "calendar-order"}
		if _, ok := r.props[order]; !ok {
			r.add(leaf(nsApple, "calendar-order", "0"))
		}
		r.all = append(r.all, order)
	}
	r.stored(v.calendar, nsApple, "calendar-color")
	r.stored(v.calendar, nsCalDAV, "calendar-description")
	r.stored(v.calendar, nsCalDAV, "calendar-timezone")
	for _, p := range v.own {
		r.add(p)
	}
	r.add(ownerNode(v.owner))
	c.ownership(r, v, listed)
	r.add(privilegeSet(v.privileges()...))
	return r
}

// ownership adds what tells whose calendar it is and with whom it is shared.
func (c *calendarServer) ownership(r *davResource, v *calendarView, listed bool) {
	if v.kind == calendarApp || v.kind == calendarSubscription {
		return
	}
	// Nextcloud: the owner's principal is only filled in when the home is listed.
	if listed && v.deletedAt.IsZero() {
		r.addListed(leaf(nsOwnCloud, "owner-principal", "principals/users/"+v.owner))
	}
	r.addListed(leaf(nsNextcloud, "owner-displayname", c.displayName(v.owner)))
	if v.shared {
		readOnly := leaf(nsOwnCloud, "read-only", "")
		readOnly.pair = true
		if !v.write {
			readOnly.text = "1"
		}
		r.add(readOnly)
		return
	}
	invite := node(nsOwnCloud, "invite")
	for _, i := range v.invites {
		access := "read"
		if i.readWrite {
			access = "read-write"
		}
		href, name := sharePrefix+i.uid, c.displayName(i.uid)
		if i.group != "" {
			href, name = groupSharePrefix+i.group, i.group
		}
		invite.children = append(invite.children, node(nsOwnCloud, "user",
			leaf(nsDAV, "href", href),
			leaf(nsOwnCloud, "common-name", name),
			node(nsOwnCloud, "invite-accepted"),
			node(nsOwnCloud, "access", node(nsOwnCloud, access))))
	}
	r.add(invite)
	if v.published != "" {
		r.add(hrefIn(nsCalServer, "publish-url", c.base+davHref("public-calendars", v.published)))
	}
}

func (v *calendarView) privileges() []*xmlNode {
	names := privilegesRead
	switch {
	case v.write:
		names = privilegesWrite
	case v.kind == calendarSubscription:
		names = privilegesFeed
	}
	return append(privilegeNodes(nsDAV, names), node(nsCalDAV, "read-free-busy"))
}

func supportedReports() *xmlNode {
	set := node(nsDAV, "supported-report-set")
	add := func(space, name string) {
		set.children = append(set.children, node(nsDAV, "supported-report", node(nsDAV, "report", node(space, name))))
	}
	add(nsCalDAV, "calendar-multiget")
	add(nsCalDAV, "calendar-query")
	add(nsCalDAV, "free-busy-query")
	add(nsDAV, "sync-collection")
	return set
}

// objectResource describes one .ics.
func (c *calendarServer) objectResource(href string, o *calendarObject, viewer, owner string) *davResource {
	r := newDAVResource(href)
	c.commonProps(r, viewer)
	r.addListed(
		leaf(nsDAV, "getlastmodified", o.modified.UTC().Format(http.TimeFormat)),
		leaf(nsDAV, "getcontentlength", strconv.Itoa(len(o.data))),
		node(nsDAV, "resourcetype"),
		leaf(nsDAV, "getetag", o.etag()),
		leaf(nsDAV, "getcontenttype", o.contentType()))
	// Sabre: carriage returns are taken out of calendar-data, unless it was expanded.
	r.add(ownerNode(owner), leaf(nsCalDAV, "calendar-data", strings.ReplaceAll(o.data, "\r", "")))
	return r
}

func (o *calendarObject) contentType() string {
	if o.component == "" {
		return "text/calendar; charset=utf-8"
	}
	return "text/calendar; charset=utf-8; component=" + strings.ToLower(o.component)
}

// trashedResource describes an object in the trash bin.
func (c *calendarServer) trashedResource(h *calendarHome, v *calendarView, o *calendarObject) *davResource {
	r := c.objectResource(davHref("calendars", h.uid, "trashbin", "objects", strconv.Itoa(o.id)+".ics"), o, h.uid, h.uid)
	r.add(leaf(nsNextcloud, "deleted-at", davTime(o.deletedAt)),
		leaf(nsNextcloud, "calendar-uri", v.name),
		leaf(nsNextcloud, "source-calendar-uri", v.name))
	return r
}

// davTime is PHP's DATE_ATOM.
func davTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }
