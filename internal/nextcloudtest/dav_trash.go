package nextcloudtest

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// trashItem is something that was deleted, with what it held.
type trashItem struct {
	node     *fileNode
	name     string // what it was called
	location string // where it lay, without a slash in front
	deleted  int64
	by       string
	serial   int
}

// key is its name in the trash.
func (t *trashItem) key() string { return fmt.Sprintf("%s.d%d", t.name, t.deleted) }

// discard moves a node into the trash of its owner.
func (s *fileStore) discard(n *fileNode, by string) {
	if n.parent == nil {
		return
	}
	t := &trashItem{node: n, name: n.name, location: strings.TrimPrefix(n.path(), "/"), deleted: s.now().Unix(), by: by}
	s.detach(n)
	if n.mount != nil {
		return
	}
	home := n.home
	// Nextcloud: two things of one name and one second share a name in the trash, the later one wins.
	home.trash = slices.DeleteFunc(home.trash, func(other *trashItem) bool {
		same := other.key() == t.key()
		if same {
			s.forgetNode(other.node)
		}
		return same
	})
	s.changes++
	t.serial = s.changes
	home.trash = append(home.trash, t)
}

// trashed lists the trash, what was deleted last first.
func (h *fileHome) trashed() []*trashItem {
	return slices.SortedFunc(slices.Values(h.trash), func(a, b *trashItem) int {
		return cmp.Or(-cmp.Compare(a.deleted, b.deleted), -cmp.Compare(a.serial, b.serial))
	})
}

func (h *fileHome) trashItem(key string) *trashItem {
	for _, t := range h.trash {
		if t.key() == key {
			return t
		}
	}
	return nil
}

// purge deletes an item for good.
func (h *fileHome) purge(t *trashItem) {
	h.store.forgetNode(t.node)
	h.trash = slices.DeleteFunc(h.trash, func(other *trashItem) bool { return other == t })
}

// restore puts an item back where it lay, or at the top when that folder is gone, under a name that is free.
func (h *fileHome) restore(t *trashItem) {
	folder, found := h.find(path.Dir(t.location))
	if !found || !folder.node.isFolder() {
		folder = h.rootSpot()
	}
	name, extension := t.name, path.Ext(t.name)
	for i := 1; folder.node.children[name] != nil; i++ {
		suffix := " (restored)"
		if i > 1 {
			suffix = fmt.Sprintf(" (restored %d)", i)
		}
		name = strings.TrimSuffix(t.name, extension) + suffix + extension
	}
	h.trash = slices.DeleteFunc(h.trash, func(other *trashItem) bool { return other == t })
	t.node.name = name
	h.store.attach(t.node, folder.node)
}

// trashSpot is the place of a node in the trash.
type trashSpot struct {
	item *trashItem // nil for the trash itself
	node *fileNode
	path string // below trashbin/<uid>/trash
}

func (h *fileHome) findTrash(segments []string) (trashSpot, bool) {
	if len(segments) == 0 {
		return trashSpot{}, true
	}
	t := h.trashItem(segments[0])
	if t == nil {
		return trashSpot{}, false
	}
	s := trashSpot{item: t, node: t.node, path: segments[0]}
	for _, name := range segments[1:] {
		child := s.node.children[name]
		if child == nil || child.mount != nil {
			return trashSpot{}, false
		}
		s.node, s.path = child, s.path+"/"+name
	}
	return s, true
}

// serveTrash answers below trashbin/<uid>/.
func (s *Server) serveTrash(w http.ResponseWriter, r *http.Request, a *account, segments []string) {
	if segments[0] != a.id || (len(segments) > 1 && segments[1] != "trash" && segments[1] != "restore") {
		writeDAVFailure(w, davNotFound("File not found: %s in 'trashbin'", segments[0]))
		return
	}
	request, failure := s.readPropfindIf(w, r)
	if failure != nil {
		writeDAVFailure(w, failure)
		return
	}
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		return s.trashRequest(w, r, a, segments[1:], request)
	})
}

func (s *Server) trashRequest(w http.ResponseWriter, r *http.Request, a *account, segments []string, request propRequest) io.Reader {
	home := a.files
	if len(segments) == 0 || segments[0] == "restore" {
		serveCollection(w, r, request, append([]string{"trashbin", a.id}, segments...)...)
		return nil
	}
	p, found := home.findTrash(segments[1:])
	switch {
	case !found:
		writeDAVFailure(w, davNotFound("File not found: %s in 'trash'", segments[len(segments)-1]))
	case r.Method == "PROPFIND":
		w.Header().Set("DAV", davBase+davTail)
		writePropfind(w, filePrefixes, request, home.trashResources(p, davDepth(r, 1)))
	case r.Method == http.MethodGet && p.node != nil && !p.node.isFolder():
		c := davContent{
			name: p.node.name, contentType: withCharset(typeOfName(p.node.name)), etag: strconv.FormatInt(p.item.deleted, 10),
			modified: httpTime(p.node.mtime), content: p.node.content,
		}
		return c.serve(w, r)
	case r.Method == http.MethodDelete && p.item == nil:
		for _, t := range home.trashed() {
			home.purge(t)
		}
		writeDAVEmpty(w, http.StatusNoContent)
	case r.Method == http.MethodDelete && p.node == p.item.node:
		home.purge(p.item)
		writeDAVEmpty(w, http.StatusNoContent)
	case r.Method == "MOVE" && p.item != nil:
		target, failure := s.readDestination(r, "trashbin/"+a.id)
		switch {
		case failure != nil:
			writeDAVFailure(w, failure)
		case path.Dir(target) != "/restore":
			writeDAVFailure(w, davForbidden(""))
		case p.node != p.item.node:
			writeDAVFailure(w, davForbidden("Only what lies at the top of the trash is restored here"))
		default:
			home.restore(p.item)
			writeDAVEmpty(w, http.StatusCreated)
		}
	default:
		writeDAVFailure(w, davForbidden(""))
	}
	return nil
}

func (h *fileHome) trashResources(p trashSpot, depth int) []*davResource {
	out := []*davResource{h.trashResource(p)}
	if depth == 0 {
		return out
	}
	if p.item == nil {
		for _, t := range h.trashed() {
			out = append(out, h.trashResource(trashSpot{item: t, node: t.node, path: t.key()}))
		}
		return out
	}
	for _, child := range (spot{home: h, node: p.node}).list() {
		if child.place.mount == nil {
			out = append(out, h.trashResource(trashSpot{item: p.item, node: child.node, path: p.path + "/" + child.node.name}))
		}
	}
	return out
}

func (h *fileHome) trashResource(p trashSpot) *davResource {
	segments := []string{"trashbin", h.owner.id, "trash"}
	if p.path != "" {
		segments = append(segments, strings.Split(p.path, "/")...)
	}
	r := newDAVResource(davHref(segments...))
	if p.item == nil {
		r.href += "/"
		r.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
		return r
	}
	n, deleted := p.node, strconv.FormatInt(p.item.deleted, 10)
	location := path.Join(p.item.location, strings.TrimPrefix(p.path, p.item.key()))
	kind := node(nsDAV, "resourcetype")
	if n.isFolder() {
		r.href += "/"
		kind.children = []*xmlNode{node(nsDAV, "collection")}
	} else {
		r.addListed(leaf(nsDAV, "getcontenttype", typeOfName(n.name)))
		r.add(leaf(nsFiles, "has-preview", strconv.FormatBool(previewed(n.name))))
	}
	r.addListed(
		leaf(nsDAV, "getlastmodified", httpTime(n.mtime)), kind,
		leaf(nsDAV, "getcontentlength", strconv.FormatInt(n.size, 10)), leaf(nsDAV, "getetag", deleted))
	r.add(
		leaf(nsFiles, "trashbin-filename", path.Base(location)),
		leaf(nsFiles, "trashbin-original-location", location),
		leaf(nsFiles, "trashbin-deletion-time", deleted),
		leaf(nsFiles, "trashbin-title", location),
		leaf(nsFiles, "trashbin-deleted-by-id", p.item.by),
		leaf(nsOwnCloud, "size", strconv.FormatInt(n.size, 10)),
		leaf(nsOwnCloud, "fileid", strconv.Itoa(n.id)),
		// Nextcloud: here the id comes without the name of the installation.
		leaf(nsOwnCloud, "id", strconv.Itoa(n.id)),
		leaf(nsFiles, "trashbin-deleted-by-display-name", p.item.by),
		leaf(nsDAV, "displayname", path.Base(location)),
		leaf(nsOwnCloud, "permissions", "GD"))
	return r
}

// serveCollection answers for a folder that only holds others together.
func serveCollection(w http.ResponseWriter, r *http.Request, request propRequest, segments ...string) {
	if r.Method != "PROPFIND" {
		writeDAVFailure(w, davForbidden(""))
		return
	}
	w.Header().Set("DAV", davBase+davTail)
	home := newDAVResource(davHref(segments...) + "/")
	home.addListed(node(nsDAV, "resourcetype", node(nsDAV, "collection")))
	writePropfind(w, filePrefixes, request, []*davResource{home})
}

// readPropfindIf reads the body of a PROPFIND; other methods have none of that kind.
func (s *Server) readPropfindIf(w http.ResponseWriter, r *http.Request) (propRequest, *davFailure) {
	if r.Method != "PROPFIND" {
		return propRequest{}, nil
	}
	return s.readPropfind(w, r)
}
