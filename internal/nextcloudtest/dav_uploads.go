package nextcloudtest

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Bounds of chunked uploads of one account.
const (
	maxUploads = 100
	maxChunks  = 10_000
)

// upload is one chunked upload (version 2): a folder of chunks that becomes a file.
type upload struct {
	id     string
	mtime  int64
	etag   string
	chunks map[string]*chunk
}

type chunk struct {
	content blob
	mtime   int64
	etag    string
}

func (u *upload) size() int64 {
	var size int64
	for _, c := range u.chunks {
		size += c.content.size()
	}
	return size
}

func (u *upload) kept() int64 {
	var kept int64
	for _, c := range u.chunks {
		kept += c.content.kept()
	}
	return kept
}

// names are the chunks in the order of their numbers.
func (u *upload) names() []string {
	return slices.SortedFunc(maps.Keys(u.chunks), func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	})
}

// serveUploads answers below uploads/<uid>/.
func (s *Server) serveUploads(w http.ResponseWriter, r *http.Request, a *account, segments []string) {
	if segments[0] != a.id || len(segments) < 2 || len(segments) > 3 {
		writeDAVFailure(w, davNotFound("File not found: %s in 'uploads'", segments[0]))
		return
	}
	var content blob
	var request propRequest
	var failure *davFailure
	if r.Method == http.MethodPut {
		var err error
		if content, err = readBlob(r.Body, s.files.forgets()); err != nil {
			failure = davBadRequest("%s", err)
		}
	} else {
		request, failure = s.readPropfindIf(w, r)
	}
	if failure != nil {
		writeDAVFailure(w, failure)
		return
	}
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		f := &filesRequest{Request: r, w: w, server: s, store: s.files, home: a.files, content: content}
		u := a.files.uploads[segments[1]]
		switch {
		case len(segments) == 2 && r.Method == "MKCOL":
			f.beginUpload(segments[1], u)
		case u == nil:
			f.fail(davNotFound("File not found: %s in '%s'", segments[1], a.id))
		case len(segments) == 3 && r.Method == http.MethodPut:
			f.putChunk(u, segments[2])
		case len(segments) == 3 && segments[2] == ".file" && r.Method == "MOVE":
			f.assemble(u)
		case len(segments) == 3 && r.Method == http.MethodDelete:
			if c := u.chunks[segments[2]]; c != nil {
				f.home.bytes -= c.content.kept()
				delete(u.chunks, segments[2])
			}
			writeDAVEmpty(w, http.StatusNoContent)
		case len(segments) == 2 && r.Method == http.MethodDelete:
			f.dropUpload(u)
			writeDAVEmpty(w, http.StatusNoContent)
		case len(segments) == 2 && r.Method == "PROPFIND":
			w.Header().Set("DAV", davBase+davTail)
			writePropfind(w, filePrefixes, request, f.uploadResources(u))
		default:
			f.fail(davForbidden(""))
		}
		return nil
	})
}

func (f *filesRequest) beginUpload(id string, u *upload) {
	switch {
	case u != nil:
		f.fail(davAlreadyExists())
		return
	case len(f.home.uploads) >= maxUploads:
		f.fail(davUnaccepted(errFilesFull))
		return
	}
	f.home.uploads[id] = &upload{id: id, mtime: f.store.now().Unix(), etag: f.store.folderETag(), chunks: map[string]*chunk{}}
	writeDAVEmpty(f.w, http.StatusCreated)
}

func (f *filesRequest) putChunk(u *upload, name string) {
	number, err := strconv.Atoi(name)
	old := u.chunks[name]
	kept := f.content.kept()
	if old != nil {
		kept -= old.content.kept()
	}
	free := f.home.free()
	switch {
	case err != nil || number < 1 || number > maxChunks:
		f.fail(davBadRequest("Invalid chunk name, must be numeric between 1 and %d", maxChunks))
		return
	case f.home.bytes+kept > maxFileBytes:
		f.fail(davUnaccepted(errFilesFull))
		return
	case free != quotaUnlimited && u.size()+f.content.size() > free:
		f.fail(davInsufficientStorage("uploads/"+f.home.owner.id, u.size()+f.content.size(), free))
		return
	}
	f.home.bytes += kept
	f.store.changes++
	u.chunks[name] = &chunk{content: f.content, mtime: f.store.now().Unix(), etag: md5Hex(fmt.Sprint(u.id, name, f.store.changes))}
	if old != nil {
		writeDAVEmpty(f.w, http.StatusNoContent)
		return
	}
	writeDAVEmpty(f.w, http.StatusCreated)
}

// assemble makes a file of the chunks.
func (f *filesRequest) assemble(u *upload) {
	total, err := strconv.ParseInt(f.Header.Get("Oc-Total-Length"), 10, 64)
	if err == nil && total != u.size() {
		f.fail(davBadRequest("Chunks on server do not sum up to %d but to %d bytes", total, u.size()))
		return
	}
	d, failure := f.destination()
	if failure == nil && d.exists {
		failure = checkConditions(f.Request, `"`+d.old.node.etag+`"`)
		switch {
		case failure != nil:
		case d.old.node.isFolder():
			failure = davConflict("The destination is a folder")
		case f.Header.Get("Overwrite") == "F":
			failure = davPrecondition("Overwrite", "The destination node already exists, and the overwrite header is set to false", "")
		}
	} else if failure == nil && f.Header.Get("If-Match") != "" {
		failure = checkConditions(f.Request, "")
	}
	if failure == nil {
		failure = f.checkIf()
	}
	if failure == nil {
		failure = f.writable(d.old, d.exists, d.folder, d.name, u.size())
	}
	if failure != nil {
		f.fail(failure)
		return
	}
	var parts []blob
	for _, name := range u.names() {
		parts = append(parts, u.chunks[name].content)
	}
	mtime := f.times()
	f.home.bytes -= u.kept()
	n, err := f.store.write(d.folder.node, d.name, join(parts), mtime, f.home.owner.id)
	if err != nil {
		f.home.bytes += u.kept()
		f.fail(davUnaccepted(err))
		return
	}
	n.checksum = f.Header.Get("Oc-Checksum")
	delete(f.home.uploads, u.id)
	h := f.w.Header()
	h.Set("Oc-Etag", `"`+n.etag+`"`)
	h.Set("Etag", `"`+n.etag+`"`)
	h.Set("Oc-Fileid", n.longID())
	f.done(d.exists)
}

func (f *filesRequest) dropUpload(u *upload) {
	f.home.bytes -= u.kept()
	delete(f.home.uploads, u.id)
}

// uploadResources lists the folder, the file that it would become, and the chunks.
func (f *filesRequest) uploadResources(u *upload) []*davResource {
	base := []string{"uploads", f.home.owner.id, u.id}
	folder := newDAVResource(davHref(base...) + "/")
	folder.addListed(leaf(nsDAV, "getlastmodified", httpTime(u.mtime)), node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	out := []*davResource{folder}
	if f.Header.Get("Depth") == "0" {
		return out
	}
	add := func(name string, mtime, size int64, etag string) {
		r := newDAVResource(davHref(append(slices.Clone(base), name)...))
		r.addListed(
			leaf(nsDAV, "getlastmodified", httpTime(mtime)), leaf(nsDAV, "getcontentlength", strconv.FormatInt(size, 10)),
			node(nsDAV, "resourcetype"), leaf(nsDAV, "getetag", `"`+etag+`"`), leaf(nsDAV, "getcontenttype", "application/octet-stream"))
		r.add(leaf(nsDAV, "displayname", path.Base(name)))
		out = append(out, r)
	}
	add(".file", u.mtime, u.size(), u.etag)
	for _, name := range u.names() {
		c := u.chunks[name]
		add(name, c.mtime, c.content.size(), c.etag)
	}
	return out
}

// serveBulk answers POST /bulk: small files in one multipart body, each part with its path and length.
func (s *Server) serveBulk(w http.ResponseWriter, r *http.Request, a *account) {
	if r.Method != http.MethodPost {
		writeDAVFailure(w, davNotImplemented(r.Method))
		return
	}
	files, failure := readBulk(r)
	if failure != nil {
		writeDAVFailure(w, failure)
		return
	}
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		out := map[string]any{}
		for _, file := range files {
			dir, name := path.Split(path.Join("/", file.path))
			folder, err := s.files.mkdirAll(a.files.root, dir)
			var n *fileNode
			if err == nil {
				n, err = s.files.write(folder, name, blob{data: file.content}, 0, a.id)
			}
			if err != nil {
				out[file.path] = map[string]any{"error": true, "message": err.Error()}
				continue
			}
			p, _ := a.files.find(path.Join(dir, name))
			out[file.path] = map[string]any{"error": false, "etag": n.etag, "fileid": n.longID(), "permissions": p.permissions()}
		}
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(http.StatusOK)
		writeString(w, strings.TrimSpace(string(phpJSON(out))))
		return nil
	})
}
