package nextcloudtest

import (
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// sharedFile is what sharing needs to know of a file.
type sharedFile struct {
	id, parent int
	folder     bool
	size       int
	modified   time.Time
}

// standIn holds files beside those of the Notes app.
type standIn struct {
	files map[string]*sharedFile // by user id and path
}

// ownFile finds a path in a user's own files.
func (s *Server) ownFile(a *account, name string) *sharedFile {
	if a == nil {
		return nil
	}
	name = path.Join("/", name)
	s.standInMu.Lock()
	f := s.standIn.files[a.id+name]
	s.standInMu.Unlock()
	if f != nil {
		return f
	}
	a.notes.mu.Lock()
	defer a.notes.mu.Unlock()
	tree := a.notes.tree()
	if file, ok := tree[name]; ok {
		return &sharedFile{id: nameID(a.id + name), parent: nameID(a.id + path.Dir(name)), size: len(file.content), modified: file.modified}
	}
	if folders(tree, a.notes.settings.NotesPath)[name] {
		return &sharedFile{id: nameID(a.id + name), parent: nameID(a.id + path.Dir(name)), folder: true, modified: s.now()}
	}
	return nil
}

func nameID(name string) int {
	id := 7
	for _, c := range []byte(name) {
		id = (id*31 + int(c)) % 1_000_003
	}
	return id
}

// childrenOf lists the paths directly below a folder of a user's own files.
func (s *Server) childrenOf(a *account, dir string) []string {
	var names []string
	add := func(name string) {
		if path.Dir(name) == dir && name != "/" {
			names = append(names, name)
		}
	}
	s.standInMu.Lock()
	for key := range s.standIn.files {
		if name, ok := strings.CutPrefix(key, a.id+"/"); ok {
			add("/" + name)
		}
	}
	s.standInMu.Unlock()
	a.notes.mu.Lock()
	defer a.notes.mu.Unlock()
	tree := a.notes.tree()
	for name := range tree {
		add(name)
	}
	for name := range folders(tree, a.notes.settings.NotesPath) {
		add(name)
	}
	return names
}

// serveStandIn answers for files that the Notes app does not have.
func (s *Server) serveStandIn(w http.ResponseWriter, r *http.Request, a *account, name string) bool {
	if r.Method == "PROPFIND" {
		s.sharing.mu.Lock()
		f := s.see(a, name)
		s.sharing.mu.Unlock()
		if f == nil || (f.mount == nil && s.standIn.files[a.id+name] == nil) {
			return false
		}
		request, failure := s.readPropfind(w, r)
		if failure != nil {
			writeDAVFailure(w, failure)
			return true
		}
		segments := append([]string{"files", a.id}, strings.Split(strings.Trim(name, "/"), "/")...)
		res := newDAVResource(davHref(segments...))
		res.addListed(node(nsDAV, "resourcetype"))
		if f.folder {
			res.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
		}
		res.add(leaf(nsOwnCloud, "owner-id", f.owner), leaf(nsOwnCloud, "owner-display-name", s.displayName(f.owner)),
			leaf("http://open-collaboration-services.org/ns", "share-permissions", strconv.Itoa(f.permissions)))
		writePropfind(w, filePrefixes, request, []*davResource{res})
		return true
	}
	key := a.id + name
	s.standInMu.Lock()
	defer s.standInMu.Unlock()
	if s.standIn.files == nil {
		s.standIn.files = map[string]*sharedFile{}
	}
	known := s.standIn.files[key]
	switch {
	case r.Method == "MKCOL":
		s.standIn.files[key] = &sharedFile{id: nameID(key), parent: nameID(path.Dir(key)), folder: true, modified: s.now()}
	case r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		s.standIn.files[key] = &sharedFile{id: nameID(key), parent: nameID(path.Dir(key)), size: len(body), modified: s.now()}
	case r.Method == http.MethodDelete && known != nil:
		for other := range s.standIn.files {
			if other == key || strings.HasPrefix(other, key+"/") {
				delete(s.standIn.files, other)
			}
		}
		writeDAVEmpty(w, http.StatusNoContent)
		return true
	default:
		return false
	}
	writeDAVEmpty(w, http.StatusCreated)
	return true
}
