package nextcloudtest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// davRoot is where the DAV tree begins.
const davRoot = "/remote.php/dav/"

// maxDAVBody bounds what a DAV request may carry.
const maxDAVBody = 10 << 20

// What the DAV header says depends on the part of the tree that was asked.
const (
	davBase     = "1, 3, extended-mkcol, access-control, calendarserver-principal-property-search, "
	davCalendar = "oc-resource-sharing, calendar-access, calendar-proxy, calendar-auto-schedule, calendar-availability, nc-calendar-trashbin, " +
		"nc-calendar-webcal-cache, calendarserver-subscribed, oc-calendar-publishing, calendarserver-sharing, "
	davTail = "nc-paginate, nextcloud-checksum-update, nc-calendar-search, nc-enable-birthday-calendar, 2"
)

const davAllow = "OPTIONS, GET, HEAD, DELETE, PROPFIND, PUT, PROPPATCH, COPY, MOVE, REPORT, LOCK, UNLOCK"

// davFailure is an error answer of Sabre: status, PHP class, message and what the class adds.
type davFailure struct {
	status    int
	exception string
	message   string
	etag      string // sent along with a failed If-Match
	extra     []*xmlNode
	ownCloud  bool // the document declares ownCloud's namespace
	anonymous bool // the answer does not say whose request it was
}

func davNotFound(format string, args ...any) *davFailure {
	return &davFailure{status: http.StatusNotFound, exception: `Sabre\DAV\Exception\NotFound`, message: fmt.Sprintf(format, args...)}
}

func davBadRequest(format string, args ...any) *davFailure {
	return &davFailure{status: http.StatusBadRequest, exception: `Sabre\DAV\Exception\BadRequest`, message: fmt.Sprintf(format, args...)}
}

func davForbidden(message string) *davFailure {
	return &davFailure{status: http.StatusForbidden, exception: `Sabre\DAV\Exception\Forbidden`, message: message}
}

func davConflict(message string) *davFailure {
	return &davFailure{status: http.StatusConflict, exception: `Sabre\DAV\Exception\Conflict`, message: message}
}

// davAlreadyExists is how Sabre refuses to make a collection where one is.
func davAlreadyExists() *davFailure {
	return davMethodNotAllowed("The resource you tried to create already exists")
}

func davMethodNotAllowed(message string) *davFailure {
	return &davFailure{status: http.StatusMethodNotAllowed, exception: `Sabre\DAV\Exception\MethodNotAllowed`, message: message}
}

func davNotImplemented(method string) *davFailure {
	message := "There was no plugin in the system that was willing to handle this " + method + " method."
	if method == http.MethodGet {
		message += " Enable the Browser plugin to get a better result here."
	}
	return &davFailure{status: http.StatusNotImplemented, exception: `Sabre\DAV\Exception\NotImplemented`, message: message}
}

// davPrecondition is a failed If-Match or If-None-Match.
func davPrecondition(header, message, etag string) *davFailure {
	return &davFailure{
		status: http.StatusPreconditionFailed, exception: `Sabre\DAV\Exception\PreconditionFailed`, message: message, etag: etag,
		extra: []*xmlNode{leaf(nsSabre, "header", header)},
	}
}

// davNeedPrivilege is what Sabre's ACL plug-in answers to a write without the right.
func davNeedPrivilege(href, privilege string) *davFailure {
	return &davFailure{
		status: http.StatusForbidden, exception: `Sabre\DAVACL\Exception\NeedPrivileges`,
		message: fmt.Sprintf("User did not have the required privileges ({DAV:}%s) for path %q", privilege, strings.TrimPrefix(href, davRoot)),
		extra: []*xmlNode{node(nsDAV, "need-privileges", node(nsDAV, "resource",
			leaf(nsDAV, "href", href), node(nsDAV, "privilege", node(nsDAV, privilege))))},
	}
}

// writeDAVFailure sends an error document. Its extra elements declare their namespaces where they stand.
func writeDAVFailure(w http.ResponseWriter, f *davFailure) {
	body := node(nsDAV, "error", leaf(nsSabre, "exception", f.exception), leaf(nsSabre, "message", f.message))
	body.children = append(body.children, f.extra...)
	if f.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", davAllow)
	}
	if f.etag != "" {
		w.Header().Set("ETag", f.etag)
	}
	prefixes := errorPrefixes
	if f.ownCloud {
		prefixes = append(slices.Clone(prefixes), xmlPrefix{"o", nsOwnCloud})
	}
	if f.anonymous {
		w.Header().Del("X-User-Id")
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, writeErrorXML(body, prefixes)+"\n") //nolint:gosec // XML, and every text in it is escaped
}

// writeDAVEmpty answers without a body; PHP's default content type goes with everything but 204.
func writeDAVEmpty(w http.ResponseWriter, status int) {
	if status != http.StatusNoContent {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.Header().Set("Content-Length", "0")
	}
	w.WriteHeader(status)
}

// davResource is what a PROPFIND or REPORT tells about one node.
type davResource struct {
	href  string
	props map[xml.Name]*xmlNode
	all   []xml.Name // what allprop shows, in order
	gone  bool       // listed by sync-collection as removed
}

func newDAVResource(href string) *davResource {
	return &davResource{href: href, props: map[xml.Name]*xmlNode{}}
}

// add sets properties that are only shown when asked for by name.
func (r *davResource) add(props ...*xmlNode) {
	for _, p := range props {
		r.props[p.name] = p
	}
}

// addListed sets properties that allprop shows as well.
func (r *davResource) addListed(props ...*xmlNode) {
	for _, p := range props {
		r.props[p.name] = p
		r.all = append(r.all, p.name)
	}
}

// propRequest is the list of properties a client asks for.
type propRequest struct {
	names []*xmlNode
	all   bool
}

// parsePropfind reads a PROPFIND body; none means allprop (RFC 4918, section 9.1).
func parsePropfind(body []byte) (propRequest, *davFailure) {
	if len(body) == 0 {
		return propRequest{all: true}, nil
	}
	root, err := parseXML(body)
	if err != nil {
		return propRequest{}, davBadRequest("%s", err)
	}
	if !root.is(nsDAV, "propfind") {
		return propRequest{}, davBadRequest("Expected {DAV:}propfind but received {%s}%s as the root element", root.name.Space, root.name.Local)
	}
	if prop := root.child(nsDAV, "prop"); prop != nil {
		return propRequest{names: prop.children}, nil
	}
	return propRequest{all: true}, nil
}

// response builds one d:response: what was found in the order it was asked for, then what was not.
func (r *davResource) response(request propRequest) *xmlNode {
	out := node(nsDAV, "response", leaf(nsDAV, "href", r.href))
	if r.gone {
		out.children = append(out.children, leaf(nsDAV, "status", "HTTP/1.1 404 Not Found"))
		return out
	}
	found, missing := node(nsDAV, "prop"), node(nsDAV, "prop")
	if request.all {
		for _, name := range r.all {
			found.children = append(found.children, r.props[name])
		}
	}
	for _, name := range request.names {
		if p, ok := r.props[name.name]; ok {
			found.children = append(found.children, p)
		} else {
			missing.children = append(missing.children, name.named())
		}
	}
	if len(found.children) > 0 || len(missing.children) == 0 {
		out.children = append(out.children, propstat(found, "200 OK"))
	}
	if len(missing.children) > 0 {
		out.children = append(out.children, propstat(missing, "404 Not Found"))
	}
	return out
}

func propstat(prop *xmlNode, status string) *xmlNode {
	return node(nsDAV, "propstat", prop, leaf(nsDAV, "status", "HTTP/1.1 "+status))
}

// writeMultistatus answers 207.
func writeMultistatus(w http.ResponseWriter, prefixes []xmlPrefix, indent string, children ...*xmlNode) {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(http.StatusMultiStatus)
	_, _ = io.WriteString(w, writeXML(node(nsDAV, "multistatus", children...), prefixes, `<?xml version="1.0"?>`, indent)+"\n")
}

// writePropfind answers a PROPFIND for resources that were collected already.
func writePropfind(w http.ResponseWriter, prefixes []xmlPrefix, request propRequest, resources []*davResource) {
	responses := make([]*xmlNode, 0, len(resources))
	for _, r := range resources {
		responses = append(responses, r.response(request))
	}
	writeMultistatus(w, prefixes, "", responses...)
}

// davDepth reads the Depth header. Nextcloud answers infinity as 1.
func davDepth(r *http.Request, missing int) int {
	switch r.Header.Get("Depth") {
	case "0":
		return 0
	case "1", "infinity":
		return 1
	}
	return missing
}

// davPath splits a request path below the DAV root, each segment decoded by itself.
func davPath(escaped string) ([]string, bool) {
	_, rest, found := strings.Cut(escaped, davRoot)
	if !found {
		return nil, strings.HasSuffix(escaped, strings.TrimSuffix(davRoot, "/"))
	}
	var segments []string
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" {
			continue
		}
		decoded, err := url.PathUnescape(segment)
		if err != nil || decoded == "." || decoded == ".." {
			return nil, false
		}
		segments = append(segments, decoded)
	}
	return segments, true
}

// davHref is the path of a node; a folder ends in a slash.
func davHref(segments ...string) string {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = davEscape(s)
	}
	return davRoot + strings.Join(escaped, "/")
}

// davEscape encodes like Sabre\HTTP\encodePathSegment: lower-case hexadecimal for bytes beyond ASCII, upper-case below.
func davEscape(segment string) string {
	var b strings.Builder
	for i := range len(segment) {
		c := segment[i]
		switch {
		case c >= 0x80:
			fmt.Fprintf(&b, "%%%02x", c)
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("_-.~()@:", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// checkConditions evaluates If-Match and If-None-Match (RFC 9110, section 13) against the current ETag, "" when the
// node does not exist.
func checkConditions(r *http.Request, etag string) *davFailure {
	if match := r.Header.Get("If-Match"); match != "" {
		if etag == "" {
			return davPrecondition("If-Match", "An If-Match header was specified and the resource did not exist", "")
		}
		if match != "*" && !matchesETag(match, etag) {
			return davPrecondition("If-Match", "An If-Match header was specified, but none of the specified ETags matched.", etag)
		}
	}
	if none := r.Header.Get("If-None-Match"); none != "" && etag != "" && (none == "*" || matchesETag(none, etag)) {
		return davPrecondition("If-None-Match", "An If-None-Match header was specified, but the ETag matched (or * was specified).", "")
	}
	return nil
}

func matchesETag(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		if strings.Trim(strings.TrimSpace(candidate), `"`) == strings.Trim(etag, `"`) {
			return true
		}
	}
	return false
}
