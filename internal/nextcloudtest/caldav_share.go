package nextcloudtest

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

// sharePrefix begins the address of a user in Nextcloud's sharing requests.
const sharePrefix = "principal:principals/users/"

// shareCalendar answers POST on a calendar: oc:share and publishing.
func (c *calendarServer) shareCalendar(r *davRequest, v *calendarView) {
	root, err := parseXML(r.body)
	if err != nil {
		r.fail(davBadRequest("%s", err))
		return
	}
	if v.shared || v.kind != calendarOwn {
		r.fail(davNeedPrivilege(strings.TrimSuffix(v.href(), "/"), "share"))
		return
	}
	status := http.StatusOK
	switch {
	case root.is(nsOwnCloud, "share"):
		for _, set := range root.all(nsOwnCloud, "set") {
			c.share(v.calendar, shareTarget(set), set.child(nsOwnCloud, "read-write") != nil)
		}
		for _, remove := range root.all(nsOwnCloud, "remove") {
			c.unshare(v.calendar, shareTarget(remove))
		}
	case root.is(nsCalServer, "publish-calendar"):
		v.published = md5Hex(v.owner + "/" + v.uri)[:16]
		status = http.StatusAccepted
	case root.is(nsCalServer, "unpublish-calendar"):
		v.published = ""
	default:
		r.fail(davNotImplemented(r.Method))
		return
	}
	r.w.Header().Set("X-Sabre-Status", "everything-went-well")
	writeDAVEmpty(r.w, status)
}

// shareTarget reads the user of a set or remove element.
func shareTarget(n *xmlNode) string {
	href := n.child(nsDAV, "href")
	if href == nil {
		return ""
	}
	uid, ok := strings.CutPrefix(href.text, sharePrefix)
	if !ok {
		return ""
	}
	return uid
}

// share gives a calendar to another user, or changes what that user may do. Nextcloud: unknown users are skipped.
func (c *calendarServer) share(cal *calendar, uid string, readWrite bool) {
	home := c.people.home(uid)
	if home == nil || uid == cal.owner {
		return
	}
	c.unshare(cal, uid)
	cal.invites = append(cal.invites, calendarInvite{uid: uid, readWrite: readWrite})
	home.shared = append(home.shared, &sharedCalendar{calendar: cal, readWrite: readWrite, props: map[xml.Name]*xmlNode{}})
}

func (c *calendarServer) unshare(cal *calendar, uid string) {
	cal.invites = slices.DeleteFunc(cal.invites, func(i calendarInvite) bool { return i.uid == uid })
	if home := c.people.home(uid); home != nil {
		home.shared = slices.DeleteFunc(home.shared, func(s *sharedCalendar) bool { return s.calendar == cal })
	}
}
