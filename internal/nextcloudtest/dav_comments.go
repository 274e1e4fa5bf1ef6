package nextcloudtest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of comments; the length is Nextcloud's own.
const (
	maxComment  = 1000
	maxComments = 2000
)

// comment is what somebody said about a file.
type comment struct {
	id      int
	actor   string
	message string
	created time.Time
}

// unread counts the comments of others since the account looked.
func (n *fileNode) unread(uid string) int {
	count := 0
	for _, c := range n.comments {
		if c.actor != uid && c.created.After(n.readMarks[uid]) {
			count++
		}
	}
	return count
}

func (n *fileNode) markRead(uid string, at time.Time) {
	if n.readMarks == nil {
		n.readMarks = map[string]time.Time{}
	}
	n.readMarks[uid] = at
}

func (s *fileStore) comment(n *fileNode, actor, message string) *comment {
	s.comments++
	c := &comment{id: s.comments, actor: actor, message: message, created: s.now()}
	n.comments = append(n.comments, c)
	return c
}

// commentsRequest is one request about the comments of a file.
type commentsRequest struct {
	*http.Request
	w      http.ResponseWriter
	server *Server
	user   *account
	n      *fileNode
	body   []byte
}

// serveComments answers below comments/files/.
func (s *Server) serveComments(w http.ResponseWriter, r *http.Request, a *account, segments []string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDAVBody))
	if err != nil {
		writeDAVFailure(w, davBadRequest("%s", err))
		return
	}
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		if len(segments) < 2 || segments[0] != "files" || len(segments) > 3 {
			writeDAVFailure(w, davNotFound("Entity type not found"))
			return nil
		}
		id, _ := strconv.Atoi(segments[1])
		p, found := a.files.byID(id)
		if !found {
			writeDAVFailure(w, davNotFound("Id '%s' does not exist for entity 'files'", segments[1]))
			return nil
		}
		c := &commentsRequest{Request: r, w: w, server: s, user: a, n: p.node, body: body}
		if len(segments) == 3 {
			c.one(segments[2])
			return nil
		}
		c.all()
		return nil
	})
}

func (c *commentsRequest) href(more ...string) string {
	return davHref(append([]string{"comments", "files", strconv.Itoa(c.n.id)}, more...)...)
}

func (c *commentsRequest) all() {
	switch c.Method {
	case http.MethodPost:
		c.create()
	case "PROPFIND":
		request, failure := parsePropfind(c.body)
		if failure != nil {
			writeDAVFailure(c.w, failure)
			return
		}
		c.w.Header().Set("DAV", davBase+davTail)
		folder := newDAVResource(c.href() + "/")
		folder.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
		if mark, ok := c.n.readMarks[c.user.id]; ok {
			folder.addListed(leaf(nsOwnCloud, "readMarker", mark.UTC().Format(http.TimeFormat)))
		}
		resources := []*davResource{folder}
		if davDepth(c.Request, 1) == 1 {
			for _, one := range slices.Backward(c.n.comments) {
				resources = append(resources, c.resource(one))
			}
		}
		writePropfind(c.w, filePrefixes, request, resources)
	case "PROPPATCH":
		c.n.markRead(c.user.id, c.server.now())
		writeMultistatus(c.w, filePrefixes, "", node(nsDAV, "response", leaf(nsDAV, "href", c.href()),
			propstat(node(nsDAV, "prop", node(nsOwnCloud, "readMarker")), "200 OK")))
	case "REPORT":
		c.report()
	default:
		writeDAVFailure(c.w, davForbidden(""))
	}
}

func (c *commentsRequest) create() {
	var in struct {
		ActorType string `json:"actorType"`
		Verb      string `json:"verb"`
		Message   string `json:"message"`
	}
	if !strings.HasPrefix(c.Header.Get("Content-Type"), "application/json") {
		writeDAVFailure(c.w, &davFailure{status: http.StatusUnsupportedMediaType, exception: `Sabre\DAV\Exception\UnsupportedMediaType`})
		return
	}
	message := ""
	if json.Unmarshal(c.body, &in) == nil {
		message = strings.TrimSpace(in.Message)
	}
	switch {
	case in.ActorType != "users" || in.Verb == "" || message == "":
		writeDAVFailure(c.w, davBadRequest("Invalid input values"))
	case utf8.RuneCountInString(message) > maxComment:
		writeDAVFailure(c.w, davBadRequest("Message exceeds allowed character limit of %d", maxComment))
	case len(c.n.comments) >= maxComments:
		writeDAVFailure(c.w, davUnaccepted(errFilesFull))
	default:
		made := c.server.files.comment(c.n, c.user.id, message)
		c.n.markRead(c.user.id, made.created)
		c.w.Header().Set("Content-Location", c.href(strconv.Itoa(made.id)))
		writeDAVEmpty(c.w, http.StatusCreated)
	}
}

// report answers oc:filter-comments: what was said last comes first.
func (c *commentsRequest) report() {
	root, err := parseXML(c.body)
	if err != nil || !root.is(nsOwnCloud, "filter-comments") {
		writeDAVFailure(c.w, reportNotSupported())
		return
	}
	number := func(local string) int {
		n := 0
		if child := root.child(nsOwnCloud, local); child != nil {
			n, _ = strconv.Atoi(strings.TrimSpace(child.text))
		}
		return max(0, n)
	}
	found := slices.Clone(c.n.comments)
	slices.Reverse(found)
	found = found[min(number("offset"), len(found)):]
	if limit := number("limit"); limit > 0 {
		found = found[:min(limit, len(found))]
	}
	responses := make([]*xmlNode, 0, len(found))
	for _, one := range found {
		r := c.resource(one)
		request := propRequest{}
		for _, local := range commentReport {
			request.names = append(request.names, node(nsOwnCloud, local))
		}
		responses = append(responses, r.response(request))
	}
	writeMultistatus(c.w, filePrefixes, " ", responses...)
}

// commentReport is what the report tells, in its order.
var commentReport = []string{
	"id", "parentId", "topmostParentId", "childrenCount", "verb", "actorType", "actorId", "creationDateTime", "latestChildDateTime",
	"objectType", "objectId", "message", "actorDisplayName", "isUnread", "mentions",
}

func (c *commentsRequest) resource(one *comment) *davResource {
	r := newDAVResource(c.href(strconv.Itoa(one.id)))
	text := func(local, value string) { r.addListed(leaf(nsOwnCloud, local, value)) }
	r.addListed(node(nsDAV, "resourcetype"))
	text("id", strconv.Itoa(one.id))
	text("parentId", "0")
	text("topmostParentId", "0")
	text("childrenCount", "0")
	text("message", one.message)
	text("verb", "comment")
	text("actorType", "users")
	text("actorId", one.actor)
	text("creationDateTime", one.created.UTC().Format(http.TimeFormat))
	for _, local := range []string{"latestChildDateTime", "objectType", "objectId", "referenceId", "metaData", "reactions", "expireDate"} {
		switch local {
		case "objectType":
			text(local, "files")
		case "objectId":
			text(local, strconv.Itoa(c.n.id))
		default:
			text(local, "")
		}
	}
	name := one.actor
	if a := c.server.account(one.actor); a != nil {
		name = a.profile().DisplayName
	}
	text("actorDisplayName", name)
	text("mentions", "")
	unread := one.actor != c.user.id && one.created.After(c.n.readMarks[c.user.id])
	text("isUnread", strconv.FormatBool(unread))
	return r
}

func (c *commentsRequest) one(name string) {
	id, _ := strconv.Atoi(name)
	i := slices.IndexFunc(c.n.comments, func(one *comment) bool { return one.id == id })
	if i < 0 {
		writeDAVFailure(c.w, davNotFound(""))
		return
	}
	one := c.n.comments[i]
	own := one.actor == c.user.id
	switch {
	case c.Method == "PROPFIND":
		request, failure := parsePropfind(c.body)
		if failure != nil {
			writeDAVFailure(c.w, failure)
			return
		}
		c.w.Header().Set("DAV", davBase+davTail)
		writePropfind(c.w, filePrefixes, request, []*davResource{c.resource(one)})
	case c.Method == http.MethodDelete && !own:
		writeDAVFailure(c.w, davForbidden("Only authors are allowed to edit their comment."))
	case c.Method == http.MethodDelete:
		c.n.comments = slices.Delete(c.n.comments, i, i+1)
		writeDAVEmpty(c.w, http.StatusNoContent)
	case c.Method == "PROPPATCH":
		c.edit(one, own)
	default:
		writeDAVFailure(c.w, davForbidden(""))
	}
}

func (c *commentsRequest) edit(one *comment, own bool) {
	root, err := parseXML(c.body)
	if err != nil {
		writeDAVFailure(c.w, davBadRequest("%s", err))
		return
	}
	var message *xmlNode
	if set := root.child(nsDAV, "set"); set != nil {
		if prop := set.child(nsDAV, "prop"); prop != nil {
			message = prop.child(nsOwnCloud, "message")
		}
	}
	switch {
	case !own:
		writeDAVFailure(c.w, davForbidden("Only authors are allowed to edit their comment."))
	case message == nil:
		writeDAVFailure(c.w, davForbidden(""))
	case utf8.RuneCountInString(message.text) > maxComment:
		writeDAVFailure(c.w, davBadRequest("Message exceeds allowed character limit of %d", maxComment))
	default:
		one.message = message.text
		writeMultistatus(c.w, filePrefixes, "", node(nsDAV, "response", leaf(nsDAV, "href", c.href(strconv.Itoa(one.id))),
			propstat(node(nsDAV, "prop", node(nsOwnCloud, "message")), "200 OK")))
	}
}
