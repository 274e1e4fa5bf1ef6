package nextcloudtest

import (
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// filesRequest is one request below files/<uid>/.
type filesRequest struct {
	*http.Request
	w       http.ResponseWriter
	server  *Server
	store   *fileStore
	home    *fileHome
	path    string
	content blob      // of a PUT
	stream  io.Reader // sent after the answer's head
}

// answer runs a handler under the store's lock and sends what it wrote afterwards: a client that reads slowly holds up
// nobody.
func (s *fileStore) answer(w http.ResponseWriter, serve func(w http.ResponseWriter) io.Reader) {
	answer := &buffered{header: w.Header()}
	stream := func() io.Reader {
		s.mu.Lock()
		defer s.mu.Unlock()
		return serve(answer)
	}()
	w.WriteHeader(answer.statusOr(http.StatusOK))
	_, _ = answer.body.WriteTo(w)
	if stream != nil {
		_, _ = io.Copy(w, stream)
	}
}

// serveFiles answers below files/<uid>/.
func (s *Server) serveFiles(w http.ResponseWriter, r *http.Request, a *account, segments []string) {
	if r.Method == "PROPFIND" || r.Method == http.MethodOptions {
		w.Header().Set("DAV", davBase+davTail)
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", davAllow)
		w.Header().Set("MS-Author-Via", "DAV")
		w.Header().Set("Accept-Ranges", "bytes")
		writeDAVEmpty(w, http.StatusOK)
		return
	}
	if segments[0] != a.id {
		s.serveForeignFiles(w, r, segments)
		return
	}
	f := &filesRequest{
		Request: r, server: s, store: s.files, home: a.files,
		path: path.Join("/", strings.Join(segments[1:], "/")),
	}
	var body []byte
	var err error
	if r.Method == http.MethodPut {
		f.content, err = readBlob(r.Body, s.files.forgets())
	} else {
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxDAVBody))
	}
	if err != nil {
		writeDAVFailure(w, davBadRequest("%s", err))
		return
	}
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		f.w = w
		f.serve(body)
		return f.stream
	})
}

func (s *fileStore) forgets() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forget
}

func (f *filesRequest) serve(body []byte) {
	p, exists := f.home.find(f.path)
	switch f.Method {
	case http.MethodPut:
		f.put(p, exists)
		return
	case "MKCOL":
		f.mkcol(exists)
		return
	case "MOVE", "COPY":
		f.transfer(p, exists)
		return
	}
	etag := ""
	if exists {
		etag = `"` + p.node.etag + `"`
	}
	switch {
	case !exists:
		f.fail(davNoFile(f.path))
	case f.Method == "PROPFIND":
		f.propfind(p, body)
	case f.Method == http.MethodGet || f.Method == http.MethodHead:
		f.get(p)
	case f.Method == http.MethodDelete:
		if failure := checkConditions(f.Request, etag); failure != nil {
			f.fail(failure)
			return
		}
		f.remove(p)
	case f.Method == "PROPPATCH":
		f.proppatch(p, body)
	case f.Method == "REPORT":
		f.report(p, body)
	case f.Method == "LOCK" || f.Method == "UNLOCK":
		f.serveLock(p)
	default:
		f.fail(davNotImplemented(f.Method))
	}
}

func (f *filesRequest) fail(failure *davFailure) { writeDAVFailure(f.w, failure) }

func davNoFile(name string) *davFailure {
	return davNotFound("File with name %s could not be located", name)
}

// serveForeignFiles: another user's home is there and empty, its files are not there.
func (s *Server) serveForeignFiles(w http.ResponseWriter, r *http.Request, segments []string) {
	known := s.account(segments[0]) != nil
	if r.Method != "PROPFIND" || len(segments) > 1 || !known {
		name := segments[len(segments)-1]
		if len(segments) == 1 || !known {
			writeDAVFailure(w, davNotFound("Principal with name %s not found", segments[0]))
			return
		}
		writeDAVFailure(w, davNotFound("File not found: %s in '%s'", name, segments[0]))
		return
	}
	request, failure := s.readPropfind(w, r)
	if failure != nil {
		writeDAVFailure(w, failure)
		return
	}
	home := newDAVResource(davHref("files", segments[0]) + "/")
	home.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	writePropfind(w, filePrefixes, request, []*davResource{home})
}

func (f *filesRequest) propfind(p spot, body []byte) {
	request, failure := parsePropfind(body)
	if failure != nil {
		f.w.Header().Del("DAV")
		f.fail(failure)
		return
	}
	responses := []*xmlNode{p.resource(request).response(request)}
	depth := f.Header.Get("Depth")
	var descend func(p spot)
	descend = func(p spot) {
		for _, child := range p.list() {
			child.listed = true
			responses = append(responses, child.resource(request).response(request))
			if depth == "infinity" {
				descend(child)
			}
		}
	}
	if depth != "0" {
		descend(p)
	}
	writeMultistatus(f.w, filePrefixes, "", responses...)
}

func (f *filesRequest) get(p spot) {
	if p.node.isFolder() {
		f.w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		writeString(f.w, "This is the WebDAV interface. It can only be accessed by WebDAV clients such as the Nextcloud desktop sync client.")
		return
	}
	n := p.node
	c := davContent{
		name: n.name, contentType: withCharset(typeOfName(n.name)), etag: `"` + n.etag + `"`, modified: httpTime(n.mtime), content: n.content,
	}
	f.stream = c.serve(f.w, f.Request)
}

// withCharset: Apache names the encoding of texts.
func withCharset(contentType string) string {
	if strings.HasPrefix(contentType, "text/") && !strings.Contains(contentType, "charset") {
		return contentType + ";charset=UTF-8"
	}
	return contentType
}

// put writes a file.
func (f *filesRequest) put(p spot, exists bool) {
	dir, name := path.Split(f.path)
	etag := ""
	if exists {
		etag = `"` + p.node.etag + `"`
	}
	if failure := checkConditions(f.Request, etag); failure != nil {
		f.fail(failure)
		return
	}
	if f.Header.Get("X-Nc-Webdav-Auto-Mkcol") == "1" {
		if _, err := f.store.mkdirAll(f.home.root, dir); err != nil {
			f.fail(davUnaccepted(err))
			return
		}
	}
	folder, found := f.home.find(dir)
	switch {
	case !found || !folder.node.isFolder():
		f.fail(davNoFile(path.Clean(dir)))
		return
	case exists && p.node.isFolder():
		f.fail(davConflict("PUT is not allowed on non-files."))
		return
	}
	if failure := f.writable(p, exists, folder, name, f.content.size()); failure != nil {
		f.fail(failure)
		return
	}
	mtime := f.times()
	n, err := f.store.write(folder.node, name, f.content, mtime, f.home.owner.id)
	if err != nil {
		f.fail(davUnaccepted(err))
		return
	}
	n.checksum = f.Header.Get("Oc-Checksum")
	if created, err := strconv.ParseInt(f.Header.Get("X-Oc-Ctime"), 10, 64); err == nil {
		n.created = created
		f.w.Header().Set("X-Oc-Ctime", "accepted")
	}
	p, _ = f.home.find(f.path)
	h := f.w.Header()
	h.Set("Oc-Fileid", n.longID())
	h.Set("Etag", `"`+n.etag+`"`)
	h.Set("Oc-Etag", `"`+n.etag+`"`)
	h.Set("X-Nc-Ownerid", n.home.owner.id)
	h.Set("X-Nc-Permissions", p.permissions())
	f.done(exists)
}

// times reads the modification time that the client wants, 0 when it says none.
func (f *filesRequest) times() int64 {
	mtime, err := strconv.ParseInt(f.Header.Get("X-Oc-Mtime"), 10, 64)
	if err != nil {
		return 0
	}
	f.w.Header().Set("X-Oc-Mtime", "accepted")
	return mtime
}

// done answers 204 when something was there before and 201 when not.
func (f *filesRequest) done(existed bool) {
	if existed {
		writeDAVEmpty(f.w, http.StatusNoContent)
		return
	}
	writeDAVEmpty(f.w, http.StatusCreated)
}

// writable tells why a content of some bytes may not be written to a place.
func (f *filesRequest) writable(p spot, exists bool, folder spot, name string, bytes int64) *davFailure {
	if exists {
		switch {
		case p.rights&mayUpdate == 0:
			return davForbidden("")
		case p.node.locked(f.home.owner.id):
			return davLocked(p.path)
		}
		bytes -= p.node.size
	} else {
		if failure := checkFileName(name, path.Join(folder.path, name)); failure != nil {
			return failure
		}
		if folder.rights&mayCreate == 0 {
			return davForbidden("")
		}
	}
	if free := folder.node.home.free(); free != quotaUnlimited && bytes > free {
		return davInsufficientStorage(path.Join("files", f.home.owner.id, folder.path), bytes, free)
	}
	return nil
}

func (f *filesRequest) mkcol(exists bool) {
	dir, name := path.Split(f.path)
	folder, found := f.home.find(dir)
	switch {
	case exists:
		f.fail(davAlreadyExists())
		return
	case !found:
		f.fail(davConflict("Parent node does not exist"))
		return
	case !folder.node.isFolder():
		f.fail(davConflict("Parent node is not a collection"))
		return
	}
	if failure := f.writable(spot{}, false, folder, name, 0); failure != nil {
		f.fail(failure)
		return
	}
	n, err := f.store.mkdir(folder.node, name)
	if err != nil {
		f.fail(davUnaccepted(err))
		return
	}
	f.w.Header().Set("Oc-Fileid", n.longID())
	writeDAVEmpty(f.w, http.StatusCreated)
}

// remove puts something into the trash of its owner; what was shared with the account is only taken out of its view.
func (f *filesRequest) remove(p spot) {
	switch {
	case p.place.mount != nil:
		f.store.detach(p.place)
	case p.path == "/" || p.rights&mayDelete == 0:
		f.fail(davForbidden(""))
		return
	case p.node.locked(f.home.owner.id):
		f.fail(davLocked(p.path))
		return
	default:
		f.store.discard(p.node, f.home.owner.id)
	}
	writeDAVEmpty(f.w, http.StatusNoContent)
}
