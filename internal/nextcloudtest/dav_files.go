package nextcloudtest

import (
	"crypto/md5" //nolint:gosec // the server's ETags, not secrets
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serveFiles answers below files/<uid>/. Of a user's files only those of the Notes app exist: enough to read and delete
// attachments the way clients did before version 1.4 of its API.
func (s *Server) serveFiles(w http.ResponseWriter, r *http.Request, a *account, segments []string) {
	if r.Method == "PROPFIND" || r.Method == http.MethodOptions {
		w.Header().Set("DAV", davBase+davTail)
	}
	if r.Method == http.MethodOptions {
		w.Header().Set("Allow", davAllow)
		w.Header().Set("MS-Author-Via", "DAV")
		writeDAVEmpty(w, http.StatusOK)
		return
	}
	name := path.Join("/", strings.Join(segments[1:], "/"))
	missing := davNotFound("File with name %s could not be located", name)
	if segments[0] != a.id {
		s.serveForeignFiles(w, r, segments, missing)
		return
	}
	if s.serveStandIn(w, r, a, name) {
		return
	}
	book := a.notes
	book.mu.Lock()
	defer book.mu.Unlock()
	tree := book.tree()
	file, isFile := tree[name]
	isFolder := folders(tree, book.settings.NotesPath)[name]
	switch {
	case !isFile && !isFolder:
		writeDAVFailure(w, missing)
	case r.Method == "PROPFIND":
		request, failure := s.readPropfind(w, r)
		if failure != nil {
			w.Header().Del("DAV")
			writeDAVFailure(w, failure)
			return
		}
		writePropfind(w, filePrefixes, request, fileResources(a.id, tree, book.settings.NotesPath, name, davDepth(r, 1)))
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && isFile:
		contentType := typeOfName(name)
		if strings.HasPrefix(contentType, "text/") && !strings.Contains(contentType, "charset") {
			contentType += ";charset=UTF-8"
		}
		serveDAVContent(w, r, path.Base(name), contentType, file.etag(name), file.modified.UTC().Format(http.TimeFormat), file.content)
	case r.Method == http.MethodDelete:
		if f := checkConditions(r, file.etag(name)); f != nil {
			writeDAVFailure(w, f)
			return
		}
		book.removePath(name)
		writeDAVEmpty(w, http.StatusNoContent)
	default:
		writeDAVFailure(w, davNotImplemented(r.Method))
	}
}

// serveForeignFiles: another user's home is there and empty, its files are not there.
func (s *Server) serveForeignFiles(w http.ResponseWriter, r *http.Request, segments []string, missing *davFailure) {
	if r.Method != "PROPFIND" || len(segments) > 1 || s.account(segments[0]) == nil {
		writeDAVFailure(w, missing)
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

// removePath deletes a file, a note, or a folder with all it holds.
func (b *notebook) removePath(name string) {
	below := func(p string) bool { return p == name || strings.HasPrefix(p, name+"/") }
	for id, n := range b.notes {
		if below(n.path()) && !n.readOnly {
			delete(b.notes, id)
		}
	}
	maps.DeleteFunc(b.files, func(p string, _ *noteFile) bool { return below(p) })
}

// etag of a file. Nextcloud: it follows name and time in seconds, so two writes within one second share it.
func (f *noteFile) etag(name string) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf(`"%x"`, md5.Sum(fmt.Appendf(nil, "%s\x00%d", name, f.modified.Unix()))) //nolint:gosec // as above
}

func fileResources(uid string, tree map[string]*noteFile, notesPath, name string, depth int) []*davResource {
	dirs := folders(tree, notesPath)
	var names []string
	for p := range dirs {
		names = append(names, p)
	}
	for p := range tree {
		names = append(names, p)
	}
	slices.Sort(names)
	var resources []*davResource
	for _, p := range names {
		if p != name && (depth == 0 || path.Dir(p) != name || p == "/") {
			continue
		}
		segments := []string{"files", uid}
		for part := range strings.SplitSeq(strings.Trim(p, "/"), "/") {
			if part != "" {
				segments = append(segments, part)
			}
		}
		r := newDAVResource(davHref(segments...))
		file, isFile := tree[p]
		if !isFile {
			r.href += "/"
			modified := newestBelow(tree, p)
			r.addListed(
				leaf(nsDAV, "getlastmodified", modified.UTC().Format(http.TimeFormat)),
				node(nsDAV, "resourcetype", node(nsDAV, "collection")),
				leaf(nsDAV, "quota-available-bytes", "-3"),
				leaf(nsDAV, "getetag", `"`+md5Hex(fmt.Sprint(p, modified.Unix()))[:13]+`"`))
			resources = append(resources, r)
			continue
		}
		r.addListed(
			leaf(nsDAV, "getlastmodified", file.modified.UTC().Format(http.TimeFormat)),
			leaf(nsDAV, "getcontentlength", strconv.Itoa(len(file.content))),
			node(nsDAV, "resourcetype"),
			leaf(nsDAV, "getetag", file.etag(p)),
			leaf(nsDAV, "getcontenttype", typeOfName(p)))
		r.add(leaf(nsDAV, "displayname", path.Base(p)), leaf(nsOwnCloud, "size", strconv.Itoa(len(file.content))))
		resources = append(resources, r)
	}
	// The node that was asked for comes first, and sorting puts a parent before its children.
	return resources
}

func newestBelow(tree map[string]*noteFile, dir string) time.Time {
	newest := time.Unix(0, 0)
	for p, file := range tree {
		if strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/") && file.modified.After(newest) {
			newest = file.modified
		}
	}
	return newest
}
