package nextcloudtest

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The beginnings of addresses in Nextcloud's sharing requests.
const (
	sharePrefix      = "principal:principals/users/"
	groupSharePrefix = "principal:principals/groups/"
)

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
			if group := groupOfShare(set); group != "" {
				c.groupOfShare(v.calendar, group, set.child(nsOwnCloud, "read-write") != nil)
				continue
			}
			c.share(v.calendar, shareTarget(set), set.child(nsOwnCloud, "read-write") != nil)
		}
		for _, remove := range root.all(nsOwnCloud, "remove") {
			if group := groupOfShare(remove); group != "" {
				c.unshareGroup(v.calendar, group)
				continue
			}
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
	// Nextcloud: names are decoded once more than a URL would be.
	if decoded, err := url.QueryUnescape(uid); err == nil {
		return decoded
	}
	return uid
}

// groupOfShare reads the group of a set or remove element.
func groupOfShare(n *xmlNode) string {
	href := n.child(nsDAV, "href")
	if href == nil {
		return ""
	}
	group, _ := strings.CutPrefix(href.text, groupSharePrefix)
	if group == href.text {
		return ""
	}
	if decoded, err := url.QueryUnescape(group); err == nil {
		return decoded
	}
	return group
}

// groupOfShare gives a calendar to everybody of a group. Nextcloud: unknown groups are skipped.
func (c *calendarServer) groupOfShare(cal *calendar, group string, readWrite bool) {
	members := c.people.members(group)
	if len(members) == 0 {
		return
	}
	c.unshareGroup(cal, group)
	cal.invites = append(cal.invites, calendarInvite{group: group, readWrite: readWrite})
	for _, uid := range members {
		home := c.people.home(uid)
		if home == nil || uid == cal.owner || slices.ContainsFunc(home.shared, func(s *sharedCalendar) bool { return s.calendar == cal }) {
			continue
		}
		home.shared = append(home.shared, &sharedCalendar{calendar: cal, readWrite: readWrite, group: group})
	}
}

func (c *calendarServer) unshareGroup(cal *calendar, group string) {
	cal.invites = slices.DeleteFunc(cal.invites, func(i calendarInvite) bool { return i.group == group })
	for _, uid := range c.people.members(group) {
		if home := c.people.home(uid); home != nil {
			home.shared = slices.DeleteFunc(home.shared, func(s *sharedCalendar) bool { return s.calendar == cal && s.group == group })
		}
	}
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
	cal.invites = slices.DeleteFunc(cal.invites, func(i calendarInvite) bool { return i.group == "" && i.uid == uid })
	if home := c.people.home(uid); home != nil {
		home.shared = slices.DeleteFunc(home.shared, func(s *sharedCalendar) bool { return s.calendar == cal })
	}
}
