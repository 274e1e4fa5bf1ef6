package nextcloudtest

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strconv"
)

// maxVersions bounds the older contents of one file.
const maxVersions = 100

// fileVersion is a content that a file had, known by the second it was written.
type fileVersion struct {
	time    int64
	content blob
	label   string
	author  string
}

// keepVersion stores the content that is about to be replaced. Nextcloud: an empty file leaves no version, and of those
// of one second the last stays.
func (n *fileNode) keepVersion() {
	if n.size == 0 {
		return
	}
	n.dropVersion(n.mtime)
	n.versions = append(n.versions, &fileVersion{time: n.mtime, content: n.content, label: n.label, author: n.author})
	for len(n.versions) > maxVersions {
		n.dropVersion(n.versions[0].time)
	}
}

func (n *fileNode) dropVersion(at int64) {
	n.versions = slices.DeleteFunc(n.versions, func(v *fileVersion) bool {
		if v.time == at {
			n.home.bytes -= v.content.kept()
		}
		return v.time == at
	})
}

// history is every version by time, the current one included.
func (n *fileNode) history() []*fileVersion {
	current := &fileVersion{time: n.mtime, content: n.content, label: n.label, author: n.author}
	out := []*fileVersion{current}
	for _, v := range n.versions {
		if v.time != n.mtime {
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b *fileVersion) int { return cmp.Compare(a.time, b.time) })
	return out
}

// serveVersions answers below versions/<uid>/.
func (s *Server) serveVersions(w http.ResponseWriter, r *http.Request, a *account, segments []string) {
	if segments[0] != a.id || (len(segments) > 1 && segments[1] != "versions") || len(segments) > 4 {
		writeDAVFailure(w, davNotFound("File not found: %s in 'versions'", segments[0]))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDAVBody))
	if err != nil {
		writeDAVFailure(w, davBadRequest("%s", err))
		return
	}
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		if len(segments) < 3 {
			serveCollection(w, r, propRequest{all: true}, append([]string{"versions"}, segments...)...)
			return nil
		}
		id, _ := strconv.Atoi(segments[2])
		p, found := a.files.byID(id)
		if !found || p.node.isFolder() {
			writeDAVFailure(w, davNotFound(""))
			return nil
		}
		v := &versionRequest{Request: r, w: w, server: s, p: p, uid: a.id, body: body}
		if len(segments) == 3 {
			v.list()
			return nil
		}
		return v.one(segments[3])
	})
}

// versionRequest is one request about the versions of a file.
type versionRequest struct {
	*http.Request
	w      http.ResponseWriter
	server *Server
	p      spot
	uid    string
	body   []byte
}

func (v *versionRequest) href(more ...string) string {
	return davHref(append([]string{"versions", v.uid, "versions", strconv.Itoa(v.p.node.id)}, more...)...)
}

func (v *versionRequest) list() {
	if v.Method != "PROPFIND" {
		writeDAVFailure(v.w, davForbidden(""))
		return
	}
	request, failure := parsePropfind(v.body)
	if failure != nil {
		writeDAVFailure(v.w, failure)
		return
	}
	v.w.Header().Set("DAV", davBase+davTail)
	folder := newDAVResource(v.href() + "/")
	folder.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	resources := []*davResource{folder}
	if davDepth(v.Request, 1) == 1 {
		for _, version := range v.p.node.history() {
			resources = append(resources, v.resource(version))
		}
	}
	writePropfind(v.w, filePrefixes, request, resources)
}

func (v *versionRequest) resource(version *fileVersion) *davResource {
	at := strconv.FormatInt(version.time, 10)
	r := newDAVResource(v.href(at))
	r.addListed(
		leaf(nsDAV, "getlastmodified", httpTime(version.time)),
		leaf(nsDAV, "getcontentlength", strconv.FormatInt(version.content.size(), 10)),
		node(nsDAV, "resourcetype"), leaf(nsDAV, "getetag", at), leaf(nsDAV, "getcontenttype", typeOfName(v.p.node.name)))
	r.add(leaf(nsDAV, "displayname", at), leaf(nsFiles, "has-preview", strconv.FormatBool(previewed(v.p.node.name))))
	if version.label != "" {
		r.add(leaf(nsFiles, "version-label", version.label))
	}
	if version.author != "" {
		r.add(leaf(nsFiles, "version-author", version.author))
	}
	return r
}

func (v *versionRequest) one(name string) io.Reader {
	at, _ := strconv.ParseInt(name, 10, 64)
	n := v.p.node
	var version *fileVersion
	for _, other := range n.history() {
		if other.time == at {
			version = other
		}
	}
	changes := v.p.rights&mayUpdate != 0
	switch {
	case version == nil:
		writeDAVFailure(v.w, davNotFound(""))
	case v.Method == "PROPFIND":
		request, failure := parsePropfind(v.body)
		if failure != nil {
			writeDAVFailure(v.w, failure)
			return nil
		}
		v.w.Header().Set("DAV", davBase+davTail)
		writePropfind(v.w, filePrefixes, request, []*davResource{v.resource(version)})
	case v.Method == http.MethodGet || v.Method == http.MethodHead:
		c := davContent{
			name: n.name, contentType: withCharset(typeOfName(n.name)), etag: name, modified: httpTime(at), content: version.content,
			// Nextcloud: the two names come in the other order here.
			plainNameFirst: true,
		}
		return c.serve(v.w, v.Request)
	case !changes:
		writeDAVFailure(v.w, davForbidden(""))
	case v.Method == "MOVE":
		target, failure := v.server.readDestination(v.Request, "versions/"+v.uid)
		switch {
		case failure != nil:
			writeDAVFailure(v.w, failure)
		case target != "/restore/target":
			writeDAVFailure(v.w, davForbidden(""))
		case n.locked(v.uid):
			writeDAVFailure(v.w, davLocked(v.p.path))
		default:
			v.server.files.rollback(n, version, v.uid)
			writeDAVEmpty(v.w, http.StatusCreated)
		}
	case v.Method == http.MethodDelete:
		n.dropVersion(at)
		writeDAVEmpty(v.w, http.StatusNoContent)
	case v.Method == "PROPPATCH":
		v.label(version)
	default:
		writeDAVFailure(v.w, davNotImplemented(v.Method))
	}
	return nil
}

// rollback makes an older content the current one; its time comes back with it.
func (s *fileStore) rollback(n *fileNode, version *fileVersion, who string) {
	if version.time == n.mtime {
		return
	}
	n.keepVersion()
	grown := version.content.size() - n.size
	n.content, n.size, n.mtime, n.uploaded = version.content, version.content.size(), version.time, s.now().Unix()
	n.label, n.author, n.checksum = version.label, who, ""
	n.home.bytes += n.content.kept()
	n.dropVersion(version.time)
	n.etag = n.fileETag()
	s.touch(n, grown)
}

func (v *versionRequest) label(version *fileVersion) {
	root, err := parseXML(v.body)
	if err != nil {
		writeDAVFailure(v.w, davBadRequest("%s", err))
		return
	}
	var label *xmlNode
	if set := root.child(nsDAV, "set"); set != nil {
		if prop := set.child(nsDAV, "prop"); prop != nil {
			label = prop.child(nsFiles, "version-label")
		}
	}
	if label == nil {
		writeDAVFailure(v.w, davForbidden(""))
		return
	}
	version.label = label.text
	if version.time == v.p.node.mtime {
		v.p.node.label = label.text
	}
	writeMultistatus(v.w, filePrefixes, "", node(nsDAV, "response",
		leaf(nsDAV, "href", v.href(strconv.FormatInt(version.time, 10))),
		propstat(node(nsDAV, "prop", node(nsFiles, "version-label")), "200 OK")))
}
