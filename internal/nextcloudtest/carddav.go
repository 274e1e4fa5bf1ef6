package nextcloudtest

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// cardServer is the CardDAV part of the DAV tree. Its methods run with the lock of the homes held.
type cardServer struct {
	people accountDirectory
	now    func() time.Time
}

// cardRequest is one request below addressbooks/users/ after authentication.
type cardRequest struct {
	*http.Request
	w    http.ResponseWriter
	uid  string   // who asks
	path []string // below addressbooks/users/<uid>/
	body []byte
	home *cardHome
}

func (r *cardRequest) fail(f *davFailure) { writeDAVFailure(r.w, f) }

// cards returns the address books of a user, or nil.
func (d accountDirectory) cards(uid string) *cardHome {
	if a := d.s.account(uid); a != nil {
		return a.cards
	}
	return nil
}

func (c *cardServer) displayName(uid string) string {
	name, _ := c.people.person(uid)
	return name
}

// serve answers a request below addressbooks/; segments begin with the kind of principal.
func (c *cardServer) serve(w http.ResponseWriter, r *http.Request, uid string, segments []string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDAVBody))
	if err != nil {
		writeDAVFailure(w, &davFailure{status: http.StatusRequestEntityTooLarge, exception: `Sabre\DAV\Exception`, message: "request is too large"})
		return
	}
	if len(segments) < 2 || segments[0] != "users" || segments[1] != uid {
		// Nextcloud: what belongs to somebody else does not exist.
		writeDAVFailure(w, davNotFound("Addressbook with name '%s' could not be found", segments[len(segments)-1]))
		return
	}
	home := c.people.cards(uid)
	home.lock.Lock()
	defer home.lock.Unlock()
	req := &cardRequest{Request: r, w: w, uid: uid, path: segments[2:], body: body, home: home}
	const dav = davBase + "oc-resource-sharing, addressbook, " + davTail
	switch r.Method {
	case "PROPFIND":
		w.Header().Set("DAV", dav)
	case http.MethodOptions:
		w.Header().Set("DAV", dav)
		w.Header().Set("Allow", davAllow)
		w.Header().Set("MS-Author-Via", "DAV")
		writeDAVEmpty(w, http.StatusOK)
		return
	}
	c.route(req)
}

func (c *cardServer) route(r *cardRequest) {
	if len(r.path) == 0 {
		c.serveHome(r)
		return
	}
	view := r.home.find(r.path[0])
	makes := r.Method == "MKCOL"
	switch {
	case view == nil && len(r.path) == 1 && makes:
		c.makeBook(r)
	case view == nil && makes:
		r.fail(davConflict("Parent node does not exist"))
	case view == nil:
		r.fail(davNotFound("Addressbook with name '%s' could not be found", r.path[0]))
	case len(r.path) == 1:
		c.serveBook(r, view)
	case len(r.path) == 2:
		c.serveCard(r, view, r.path[1])
	default:
		r.fail(davNotFound("Card not found"))
	}
}

func (c *cardServer) serveHome(r *cardRequest) {
	switch r.Method {
	case "PROPFIND":
		resources := []*davResource{c.homeResource(r.home)}
		if davDepth(r.Request, 1) > 0 {
			for _, v := range r.home.views() {
				resources = append(resources, c.bookResource(v))
			}
		}
		r.propfind(resources)
	case "REPORT":
		r.fail(reportNotSupported())
	case http.MethodDelete:
		r.fail(davForbidden("Permission denied to delete node"))
	case "MKCOL":
		r.fail(davAlreadyExists())
	default:
		r.fail(davNotImplemented(r.Method))
	}
}

func (r *cardRequest) propfind(resources []*davResource) {
	request, failure := parsePropfind(r.body)
	if failure != nil {
		r.w.Header().Del("DAV")
		r.fail(failure)
		return
	}
	writePropfind(r.w, cardPrefixes, request, resources)
}

// serveBook answers requests to a collection.
func (c *cardServer) serveBook(r *cardRequest, v *bookView) {
	switch r.Method {
	case "PROPFIND":
		resources := []*davResource{c.bookResource(v)}
		if davDepth(r.Request, 1) > 0 {
			for _, o := range v.sorted() {
				resources = append(resources, c.cardResource(v.cardHref(o.uri), o, r.uid, v.owner))
			}
		}
		r.propfind(resources)
	case "PROPPATCH":
		c.patchBook(r, v)
	case "REPORT":
		c.report(r, v)
	case http.MethodGet:
		if r.URL.Query().Has("export") {
			c.export(r, v)
			return
		}
		r.fail(davNotImplemented(r.Method))
	case http.MethodPost:
		c.shareBook(r, v)
	case http.MethodDelete:
		c.deleteBook(r, v)
	case "MKCOL":
		r.fail(davAlreadyExists())
	case http.MethodPut:
		r.fail(davConflict("PUT is not allowed on non-files."))
	default:
		r.fail(davNotImplemented(r.Method))
	}
}

// makeBook answers the extended MKCOL (RFC 5689, RFC 6352 section 6.3.1).
func (c *cardServer) makeBook(r *cardRequest) {
	var kept []*xmlNode
	isBook := false
	if len(r.body) > 0 {
		root, err := parseXML(r.body)
		if err != nil {
			r.fail(davBadRequest("%s", err))
			return
		}
		for _, set := range root.all(nsDAV, "set") {
			prop := set.child(nsDAV, "prop")
			if prop == nil {
				continue
			}
			for _, p := range prop.children {
				if p.is(nsDAV, "resourcetype") {
					isBook = isBook || p.child(nsCardDAV, "addressbook") != nil
				} else {
					kept = append(kept, p)
				}
			}
		}
	}
	switch {
	case strings.HasPrefix(r.path[0], "z-app-generated"):
		r.fail(davMethodNotAllowed("The resource you tried to create has a reserved name"))
	case !isBook:
		r.fail(&davFailure{
			status: http.StatusForbidden, exception: `Sabre\DAV\Exception\InvalidResourceType`, message: "Unknown resourceType for this collection",
			extra: []*xmlNode{node(nsDAV, "valid-resourcetype")},
		})
	case len(r.home.books) >= maxAddressBooks:
		r.fail(davForbidden("AddressBook limit reached"))
	default:
		r.home.create(r.path[0], kept...)
		writeDAVEmpty(r.w, http.StatusCreated)
	}
}

// patchBook answers PROPPATCH (RFC 4918, section 9.2): all or nothing.
func (c *cardServer) patchBook(r *cardRequest, v *bookView) {
	root, err := parseXML(r.body)
	if err != nil {
		r.fail(davBadRequest("%s", err))
		return
	}
	if v.shared || v.kind != bookOwn {
		r.fail(davForbidden(""))
		return
	}
	var names, refused []*xmlNode
	var change []func()
	for _, instruction := range root.children {
		prop := instruction.child(nsDAV, "prop")
		if prop == nil {
			continue
		}
		for _, p := range prop.children {
			names = append(names, p.named())
			switch {
			case protectedProps[p.name]:
				refused = append(refused, p.named())
			case instruction.is(nsDAV, "remove"):
				change = append(change, func() { delete(v.props, p.name) })
			default:
				change = append(change, func() { v.props[p.name] = p })
			}
		}
	}
	out := node(nsDAV, "response", leaf(nsDAV, "href", strings.TrimSuffix(v.href(), "/")))
	if len(refused) > 0 {
		names = slices.DeleteFunc(names, func(n *xmlNode) bool { return protectedProps[n.name] })
		out.children = append(out.children, propstat(node(nsDAV, "prop", refused...), "403 Forbidden"))
		if len(names) > 0 {
			out.children = append(out.children, propstat(node(nsDAV, "prop", names...), "424 Failed Dependency"))
		}
		writeMultistatus(r.w, cardPrefixes, "", out)
		return
	}
	for _, apply := range change {
		apply()
	}
	v.changed("", false)
	out.children = append(out.children, propstat(node(nsDAV, "prop", names...), "200 OK"))
	writeMultistatus(r.w, cardPrefixes, "", out)
}

// deleteBook removes an own address book with everything in it, for good; a share is given up.
func (c *cardServer) deleteBook(r *cardRequest, v *bookView) {
	switch {
	case v.shared:
		c.unshare(v.addressBook, r.uid)
	case v.kind == bookSystem:
		r.fail(davForbidden(""))
		return
	case v.kind == bookRecent:
		clear(v.cards)
	default:
		for _, i := range slices.Clone(v.invites) {
			c.unshare(v.addressBook, i.uid)
		}
		r.home.books = slices.DeleteFunc(r.home.books, func(b *addressBook) bool { return b == v.addressBook })
	}
	writeDAVEmpty(r.w, http.StatusNoContent)
}

// shareBook answers POST on an address book: oc:share.
func (c *cardServer) shareBook(r *cardRequest, v *bookView) {
	root, err := parseXML(r.body)
	switch {
	case err != nil:
		r.fail(davBadRequest("%s", err))
		return
	case v.shared || v.kind != bookOwn:
		r.fail(davNeedPrivilege(strings.TrimSuffix(v.href(), "/"), "share"))
		return
	case !root.is(nsOwnCloud, "share"):
		r.fail(davNotImplemented(r.Method))
		return
	}
	for _, set := range root.all(nsOwnCloud, "set") {
		c.share(v.addressBook, shareTarget(set), set.child(nsOwnCloud, "read-write") != nil)
	}
	for _, remove := range root.all(nsOwnCloud, "remove") {
		c.unshare(v.addressBook, shareTarget(remove))
	}
	r.w.Header().Set("X-Sabre-Status", "everything-went-well")
	writeDAVEmpty(r.w, http.StatusOK)
}

func (c *cardServer) share(b *addressBook, uid string, readWrite bool) {
	home := c.people.cards(uid)
	if home == nil || uid == b.owner {
		return
	}
	c.unshare(b, uid)
	b.invites = append(b.invites, calendarInvite{uid: uid, readWrite: readWrite})
	home.shared = append(home.shared, &sharedBook{addressBook: b, readWrite: readWrite})
}

func (c *cardServer) unshare(b *addressBook, uid string) {
	b.invites = slices.DeleteFunc(b.invites, func(i calendarInvite) bool { return i.uid == uid })
	if home := c.people.cards(uid); home != nil {
		home.shared = slices.DeleteFunc(home.shared, func(s *sharedBook) bool { return s.addressBook == b })
	}
}

// export answers GET ?export: every card, each as it is stored.
func (c *cardServer) export(r *cardRequest, v *bookView) {
	var b strings.Builder
	for _, o := range v.sorted() {
		parsed, err := parseVCard(o.data)
		if err != nil {
			continue
		}
		b.WriteString(parsed.String())
	}
	h := r.w.Header()
	h.Set("Content-Disposition", `attachment; filename="`+v.name+"-"+c.now().UTC().Format("2006-01-02")+`.vcf"`)
	h.Set("Content-Type", "text/directory;charset=UTF-8")
	_, _ = io.WriteString(r.w, b.String())
}

// destination reads the Destination header as a path below the home of who asks.
func (r *cardRequest) destination() ([]string, *davFailure) {
	header := r.Header.Get("Destination")
	if header == "" {
		return nil, davBadRequest("The destination header was not supplied")
	}
	target, err := url.Parse(header)
	if err != nil {
		return nil, davBadRequest("Destination header could not be parsed")
	}
	segments, ok := davPath(target.EscapedPath())
	if !ok || len(segments) < 4 || segments[0] != "addressbooks" || segments[1] != "users" {
		return nil, davForbidden("Destination header contains a path outside of the address books")
	}
	if segments[2] != r.uid {
		return nil, davNotFound("Addressbook with name '%s' could not be found", segments[3])
	}
	return segments[3:], nil
}

// Properties of address books.
func (c *cardServer) commonProps(r *davResource, viewer string) {
	r.add(hrefIn(nsDAV, "current-user-principal", principalHref(viewer)),
		hrefIn(nsDAV, "principal-collection-set", davRoot+"principals/users/"))
}

func (c *cardServer) homeResource(h *cardHome) *davResource {
	r := newDAVResource(davHref("addressbooks", "users", h.uid) + "/")
	c.commonProps(r, h.uid)
	r.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	r.add(ownerNode(h.uid), privilegeSet(privilegeNodes(nsDAV, privilegesTrash)...))
	return r
}

// Privileges as the server lists them on address books: in another order than on calendars.
var (
	privilegesBook   = []string{"write-properties", "write", "write-content", "unlock", "bind", "unbind", "write-acl", "read", "read-acl", "read-current-user-privilege-set"}
	privilegesRecent = []string{"unbind", "read", "read-acl", "read-current-user-privilege-set"}
)

func (c *cardServer) bookResource(v *bookView) *davResource {
	r := newDAVResource(v.href())
	c.commonProps(r, v.home.uid)
	r.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection"), node(nsCardDAV, "addressbook")))
	types := node(nsCardDAV, "supported-address-data")
	for _, t := range [][2]string{{"text/vcard", "3.0"}, {"text/vcard", "4.0"}, {"application/vcard+json", "4.0"}} {
		kind := node(nsCardDAV, "address-data-type")
		kind.attrs = []xml.Attr{{Name: xml.Name{Local: "content-type"}, Value: t[0]}, {Name: xml.Name{Local: "version"}, Value: t[1]}}
		types.children = append(types.children, kind)
	}
	r.add(types)
	for _, p := range v.props {
		r.add(p)
	}
	owner := v.owner
	privileges := privilegesBook
	switch {
	case v.kind == bookRecent:
		r.add(leaf(nsCalServer, "getctag", v.syncToken()), leaf(nsOwnCloud, "read-only", "1"))
		privileges = privilegesRecent
	case v.kind == bookSystem:
		r.add(leaf(nsOwnCloud, "read-only", "1"))
		privileges, owner = privilegesRead, ""
	case v.shared:
		r.add(leaf(nsDAV, "displayname", v.displayName()+" ("+c.displayName(v.owner)+")"), leaf(nsOwnCloud, "owner-principal", "principals/users/"+v.owner))
		readOnly := leaf(nsOwnCloud, "read-only", "")
		readOnly.pair = true
		if !v.write {
			readOnly.text = "1"
			privileges = privilegesRead
		}
		r.add(readOnly)
	}
	if owner != "" {
		r.add(ownerNode(owner))
	} else {
		r.add(hrefIn(nsDAV, "owner", davRoot+"principals/system/system/"))
	}
	r.add(privilegeSet(privilegeNodes(nsDAV, privileges)...))
	if v.kind != bookRecent {
		r.add(leaf(nsCalServer, "getctag", strings.TrimPrefix(v.syncToken(), syncPrefix)), leaf(nsDAV, "sync-token", v.syncToken()), c.invites(v))
	}
	return r
}

func (c *cardServer) invites(v *bookView) *xmlNode {
	invite := node(nsOwnCloud, "invite")
	if v.shared {
		return invite
	}
	for _, i := range v.invites {
		access := "read"
		if i.readWrite {
			access = "read-write"
		}
		invite.children = append(invite.children, node(nsOwnCloud, "user",
			leaf(nsDAV, "href", "principal:principals/users/"+i.uid),
			leaf(nsOwnCloud, "common-name", c.displayName(i.uid)),
			node(nsOwnCloud, "invite-accepted"),
			node(nsOwnCloud, "access", node(nsOwnCloud, access))))
	}
	return invite
}
