package nextcloudtest

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

// routesCalDAV registers the DAV tree: principals, calendars, address books, and files with all that hangs on them.
func (s *Server) routesCalDAV() {
	calendars := &calendarServer{people: accountDirectory{s}, now: s.now}
	cards := &cardServer{people: accountDirectory{s}, now: s.now}
	serve := func(w http.ResponseWriter, r *http.Request, a *account) {
		segments, ok := davPath(r.URL.EscapedPath())
		switch {
		case !ok:
			writeDAVFailure(w, davBadRequest("The path is not well-formed"))
		case !knownDAVMethod(r.Method):
			writeDAVFailure(w, davNotImplemented(r.Method))
		case len(segments) == 0 && r.Method == "SEARCH":
			s.serveSearch(w, r, a)
		case len(segments) == 0:
			s.serveDAVRoot(w, r, a)
		case len(segments) >= 2 && segments[0] == "calendars":
			calendars.serve(w, r, a.id, segments[1:])
		case len(segments) >= 2 && segments[0] == "addressbooks":
			cards.serve(w, r, a.id, segments[1:])
		case len(segments) >= 2 && segments[0] == "files":
			s.serveFiles(w, r, a, segments[1:])
		case len(segments) >= 2 && segments[0] == "trashbin":
			s.serveTrash(w, r, a, segments[1:])
		case len(segments) >= 2 && segments[0] == "versions":
			s.serveVersions(w, r, a, segments[1:])
		case len(segments) >= 2 && segments[0] == "uploads":
			s.serveUploads(w, r, a, segments[1:])
		case len(segments) >= 2 && segments[0] == "comments":
			s.serveComments(w, r, a, segments[1:])
		case segments[0] == "systemtags", segments[0] == "systemtags-relations":
			s.serveTags(w, r, a, segments)
		case len(segments) == 1 && segments[0] == "bulk":
			s.serveBulk(w, r, a)
		case len(segments) == 3 && segments[0] == "principals" && segments[1] == "users":
			s.servePrincipal(w, r, a, segments[2])
		default:
			writeDAVFailure(w, davNotFound("File not found: %s in 'root'", segments[0]))
		}
	}
	s.handle(davRoot, familyDAV, serve)
	s.handle(strings.TrimSuffix(davRoot, "/"), familyDAV, serve)
}

func knownDAVMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodOptions,
		"PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR", "COPY", "MOVE", "SEARCH", "LOCK", "UNLOCK":
		return true
	}
	return false
}

// accountDirectory is the directory of a Server.
type accountDirectory struct{ s *Server }

func (d accountDirectory) home(uid string) *calendarHome {
	if a := d.s.account(uid); a != nil {
		return a.calendars
	}
	return nil
}

func (d accountDirectory) person(uid string) (name, mail string) {
	if a := d.s.account(uid); a != nil {
		u := a.profile()
		return u.DisplayName, u.Email
	}
	return "", ""
}

func (d accountDirectory) uidOfMail(mail string) string {
	for _, a := range d.s.accounts {
		if u := a.profile(); mail != "" && strings.EqualFold(u.Email, mail) {
			return a.id
		}
	}
	return ""
}

func (d accountDirectory) members(group string) []string {
	var ids []string
	for _, a := range d.s.accounts {
		if slices.Contains(a.profile().Groups, group) {
			ids = append(ids, a.id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (d accountDirectory) baseURL(r *http.Request) string { return d.s.base(r) }

// readPropfind reads and parses a PROPFIND body within bounds.
func (s *Server) readPropfind(w http.ResponseWriter, r *http.Request) (propRequest, *davFailure) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDAVBody))
	if err != nil {
		return propRequest{}, davBadRequest("%s", err)
	}
	return parsePropfind(body)
}

// serveDAVRoot answers at the root of the tree: who am I?
func (s *Server) serveDAVRoot(w http.ResponseWriter, r *http.Request, a *account) {
	root := newDAVResource(davRoot)
	root.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	root.add(hrefIn(nsDAV, "current-user-principal", principalHref(a.id)),
		hrefIn(nsDAV, "principal-collection-set", davRoot+"principals/users/"))
	s.serveNode(w, r, filePrefixes, davBase+davTail, root)
}

// servePrincipal answers for a user; everybody may read everybody's.
func (s *Server) servePrincipal(w http.ResponseWriter, r *http.Request, a *account, uid string) {
	owner := s.account(uid)
	if owner == nil {
		writeDAVFailure(w, davNotFound("Principal with name %s not found", uid))
		return
	}
	u := owner.profile()
	p := newDAVResource(principalHref(uid))
	p.addListed(node(nsDAV, "resourcetype", node(nsDAV, "principal")), leaf(nsDAV, "displayname", u.DisplayName))
	p.add(
		hrefIn(nsDAV, "current-user-principal", principalHref(a.id)),
		hrefIn(nsDAV, "principal-URL", principalHref(uid)),
		hrefIn(nsCalDAV, "calendar-home-set", davHref("calendars", uid)+"/"),
		hrefIn(nsCalDAV, "schedule-inbox-URL", davHref("calendars", uid, "inbox")+"/"),
		hrefIn(nsCalDAV, "schedule-outbox-URL", davHref("calendars", uid, "outbox")+"/"),
		hrefIn(nsCalDAV, "schedule-default-calendar-URL", davHref("calendars", uid, "personal")+"/"),
		leaf(nsCalDAV, "calendar-user-type", "INDIVIDUAL"),
		hrefIn(nsCardDAV, "addressbook-home-set", davHref("addressbooks", "users", uid)+"/"))
	addresses := []string{principalHref(uid)}
	if u.Email != "" {
		addresses = append([]string{"mailto:" + u.Email}, addresses...)
		p.add(node(nsCalServer, "email-address-set", leaf(nsCalServer, "email-address", u.Email)))
	}
	p.add(hrefIn(nsCalDAV, "calendar-user-address-set", addresses...))
	s.serveNode(w, r, principalPrefixes, davBase+davCalendar+"addressbook, "+davTail, p)
}

// serveNode answers for a node without children and without content.
func (s *Server) serveNode(w http.ResponseWriter, r *http.Request, prefixes []xmlPrefix, dav string, n *davResource) {
	switch r.Method {
	case "PROPFIND":
		w.Header().Set("DAV", dav)
		request, failure := s.readPropfind(w, r)
		if failure != nil {
			w.Header().Del("DAV")
			writeDAVFailure(w, failure)
			return
		}
		writePropfind(w, prefixes, request, []*davResource{n})
	case http.MethodOptions:
		w.Header().Set("DAV", dav)
		w.Header().Set("Allow", davAllow)
		w.Header().Set("MS-Author-Via", "DAV")
		writeDAVEmpty(w, http.StatusOK)
	case "REPORT":
		writeDAVFailure(w, reportNotSupported())
	default:
		writeDAVFailure(w, davNotImplemented(r.Method))
	}
}
