package nextcloudtest

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxSystemTags bounds a server.
const maxSystemTags = 1000

// systemTag is a tag that everybody shares.
type systemTag struct {
	id         int
	name       string
	visible    bool // to people who are no administrators
	assignable bool // by them
	color      string
}

func (t *systemTag) canAssign(a *account) bool {
	return a.profile().Admin || (t.visible && t.assignable)
}

// element is the tag as nc:system-tags lists it.
func (t *systemTag) element() *xmlNode {
	n := leaf(nsFiles, "system-tag", t.name)
	for _, a := range [][2]string{
		{"oc:can-assign", strconv.FormatBool(t.assignable)},
		{"oc:id", strconv.Itoa(t.id)},
		{"oc:user-assignable", strconv.FormatBool(t.assignable)},
		{"oc:user-visible", strconv.FormatBool(t.visible)},
		{"nc:color", t.color},
	} {
		n.attrs = append(n.attrs, xml.Attr{Name: xml.Name{Local: a[0]}, Value: a[1]})
	}
	return n
}

// tagStore is the system tags of a server.
type tagStore struct {
	byID   map[int]*systemTag
	lastID int
}

func newTagStore() tagStore { return tagStore{byID: map[int]*systemTag{}} }

// visible returns a tag that the account may see, or nil.
func (s *tagStore) visible(id int, a *account) *systemTag {
	t := s.byID[id]
	if t == nil || (!t.visible && !a.profile().Admin) {
		return nil
	}
	return t
}

func (s *tagStore) list(a *account) []*systemTag {
	var out []*systemTag
	for id := range s.byID {
		if t := s.visible(id, a); t != nil {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *systemTag) int { return cmp.Compare(a.id, b.id) })
	return out
}

// of lists the tags of a file that the account may see.
func (s *tagStore) of(n *fileNode, a *account) []*systemTag {
	return slices.DeleteFunc(s.list(a), func(t *systemTag) bool { return !n.tags[t.id] })
}

func (s *tagStore) named(name string) *systemTag {
	for _, t := range s.byID {
		if t.name == name {
			return t
		}
	}
	return nil
}

func (s *tagStore) create(t systemTag) *systemTag {
	s.lastID++
	t.id = s.lastID
	s.byID[t.id] = &t
	return &t
}

// tagsRequest is one request about system tags.
type tagsRequest struct {
	*http.Request
	w     http.ResponseWriter
	store *fileStore
	user  *account
	body  []byte
}

// serveTags answers below systemtags/ and systemtags-relations/.
func (s *Server) serveTags(w http.ResponseWriter, r *http.Request, a *account, segments []string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDAVBody))
	if err != nil {
		writeDAVFailure(w, davBadRequest("%s", err))
		return
	}
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		t := &tagsRequest{Request: r, w: w, store: s.files, user: a, body: body}
		switch {
		case segments[0] == "systemtags-relations":
			t.relations(segments[1:])
		case len(segments) == 1 && r.Method == http.MethodPost:
			t.create()
		case len(segments) == 1:
			t.list()
		case len(segments) == 2:
			t.one(segments[1])
		default:
			writeDAVFailure(w, davNotFound(""))
		}
		return nil
	})
}

func (t *tagsRequest) fail(failure *davFailure) { writeDAVFailure(t.w, failure) }

func davPreconditionFailed(message string) *davFailure {
	return &davFailure{status: http.StatusPreconditionFailed, exception: `Sabre\DAV\Exception\PreconditionFailed`, message: message}
}

func (t *tagsRequest) create() {
	var in struct {
		Name           string `json:"name"`
		UserVisible    *bool  `json:"userVisible"`
		UserAssignable *bool  `json:"userAssignable"`
	}
	admin := t.user.profile().Admin
	if !strings.Contains(t.Header.Get("Content-Type"), "application/json") {
		t.fail(&davFailure{status: http.StatusUnsupportedMediaType, exception: `Sabre\DAV\Exception\UnsupportedMediaType`})
		return
	}
	if json.Unmarshal(t.body, &in) != nil || strings.TrimSpace(in.Name) == "" {
		t.fail(davBadRequest("Missing \"name\" attribute"))
		return
	}
	visible, assignable := in.UserVisible == nil || *in.UserVisible, in.UserAssignable == nil || *in.UserAssignable
	switch {
	case !admin && (!visible || !assignable):
		t.fail(davBadRequest("Not sufficient permissions"))
	case t.store.tags.named(strings.TrimSpace(in.Name)) != nil:
		t.fail(davConflict("Tag already exists"))
	case len(t.store.tags.byID) >= maxSystemTags:
		t.fail(davUnaccepted(errFilesFull))
	default:
		tag := t.store.tags.create(systemTag{name: strings.TrimSpace(in.Name), visible: visible, assignable: assignable})
		t.w.Header().Set("Content-Location", fmt.Sprintf("%ssystemtags/%d", davRoot, tag.id))
		writeDAVEmpty(t.w, http.StatusCreated)
	}
}

func (t *tagsRequest) propfind(resources ...*davResource) {
	request, failure := parsePropfind(t.body)
	if failure != nil {
		t.fail(failure)
		return
	}
	t.w.Header().Set("DAV", davBase+davTail)
	writePropfind(t.w, filePrefixes, request, resources)
}

func (t *tagsRequest) resource(tag *systemTag, segments ...string) *davResource {
	r := newDAVResource(davHref(append(segments, strconv.Itoa(tag.id))...))
	r.addListed(node(nsDAV, "resourcetype"))
	r.add(
		leaf(nsOwnCloud, "id", strconv.Itoa(tag.id)), leaf(nsOwnCloud, "display-name", tag.name),
		leaf(nsOwnCloud, "user-visible", strconv.FormatBool(tag.visible)), leaf(nsOwnCloud, "user-assignable", strconv.FormatBool(tag.assignable)),
		leaf(nsOwnCloud, "can-assign", strconv.FormatBool(tag.canAssign(t.user))), leaf(nsFiles, "color", tag.color))
	return r
}

func (t *tagsRequest) list() {
	if t.Method != "PROPFIND" {
		t.fail(davForbidden(""))
		return
	}
	home := newDAVResource(davHref("systemtags") + "/")
	home.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	resources := []*davResource{home}
	if davDepth(t.Request, 1) == 1 {
		for _, tag := range t.store.tags.list(t.user) {
			r := t.resource(tag, "systemtags")
			// Nextcloud: in this list, and nowhere else, a tag's href has a slash at the end.
			r.href += "/"
			resources = append(resources, r)
		}
	}
	t.propfind(resources...)
}

func (t *tagsRequest) one(name string) {
	id, _ := strconv.Atoi(name)
	tag := t.store.tags.visible(id, t.user)
	switch {
	case tag == nil:
		t.fail(davNotFound("Tag with id %s not found", name))
	case t.Method == "PROPFIND":
		t.propfind(t.resource(tag, "systemtags"))
	case t.Method == http.MethodDelete && !t.user.profile().Admin:
		t.fail(davForbidden("No permission to delete tag " + name))
	case t.Method == http.MethodDelete:
		delete(t.store.tags.byID, id)
		for _, n := range t.store.byID {
			delete(n.tags, id)
		}
		writeDAVEmpty(t.w, http.StatusNoContent)
	default:
		t.fail(davNotImplemented(t.Method))
	}
}

// relations answers below systemtags-relations/files/<id>.
func (t *tagsRequest) relations(segments []string) {
	if len(segments) < 2 || segments[0] != "files" || len(segments) > 3 {
		t.fail(davNotFound(""))
		return
	}
	id, _ := strconv.Atoi(segments[1])
	p, found := t.user.files.byID(id)
	if !found {
		t.fail(davNotFound("Entity does not exist or is not available"))
		return
	}
	if len(segments) == 3 {
		t.relation(p, segments[2])
		return
	}
	if t.Method != "PROPFIND" {
		t.fail(davForbidden(""))
		return
	}
	folder := newDAVResource(davHref("systemtags-relations", "files", segments[1]) + "/")
	folder.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	resources := []*davResource{folder}
	if davDepth(t.Request, 1) == 1 {
		for _, tag := range t.store.tags.of(p.node, t.user) {
			r := t.resource(tag, "systemtags-relations", "files", segments[1])
			r.addListed(leaf(nsDAV, "getetag", `"`+md5Hex(fmt.Sprint(p.node.id, tag.id))+`"`))
			resources = append(resources, r)
		}
	}
	t.propfind(resources...)
}

func (t *tagsRequest) relation(p spot, name string) {
	id, _ := strconv.Atoi(name)
	tag := t.store.tags.visible(id, t.user)
	switch {
	case t.Method == http.MethodPut && tag == nil:
		t.fail(davPreconditionFailed("Tag with id " + name + " does not exist, cannot assign"))
	case tag == nil, t.Method != http.MethodPut && !p.node.tags[id]:
		t.fail(davNotFound("Tag with id %s not present for object %d", name, p.node.id))
	case t.Method == http.MethodPut && p.node.tags[id]:
		t.fail(davConflict("PUT is not allowed on non-files."))
	case t.Method == "PROPFIND":
		t.propfind(t.resource(tag, "systemtags-relations", "files", strconv.Itoa(p.node.id)))
	case !tag.canAssign(t.user) || p.rights&mayUpdate == 0:
		t.fail(davForbidden("No permission to assign tag " + name))
	case t.Method == http.MethodPut:
		p.node.tag(id)
		writeDAVEmpty(t.w, http.StatusCreated)
	case t.Method == http.MethodDelete:
		delete(p.node.tags, id)
		writeDAVEmpty(t.w, http.StatusNoContent)
	default:
		t.fail(davNotImplemented(t.Method))
	}
}

func (n *fileNode) tag(id int) {
	if n.tags == nil {
		n.tags = map[int]bool{}
	}
	n.tags[id] = true
}
