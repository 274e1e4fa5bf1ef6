package nextcloudtest

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of one account's files, versions and trash included.
const (
	maxFiles     = 60_000
	maxFileBytes = 256 << 20
	maxFileDepth = 100
)

var errFilesFull = errors.New("the account holds too many files")

// fileStore is what every account of a server has in files. One lock guards all of it: shares let one file be seen from
// several accounts.
type fileStore struct {
	now func() time.Time

	mu       sync.Mutex // guards everything below, and every tree
	homes    map[string]*fileHome
	byID     map[int]*fileNode // living ones and those in a trash
	lastID   int
	changes  int // makes ETags of folders different within one microsecond
	tags     tagStore
	comments int // the last comment's id
	direct   map[string]directLink
	forget   bool // contents of uploads are counted, not kept
}

func newFileStore(now func() time.Time) *fileStore {
	return &fileStore{
		now: now, homes: map[string]*fileHome{}, byID: map[int]*fileNode{}, lastID: 100,
		tags: newTagStore(), direct: map[string]directLink{},
	}
}

// fileHome is the files of one account.
type fileHome struct {
	store   *fileStore
	owner   *account
	root    *fileNode
	trash   []*trashItem
	uploads map[string]*upload
	quota   int64 // bytes, quotaUnlimited when there is none
	files   int   // how many nodes belong to the account
	bytes   int64 // of their contents that are kept in memory
}

// quotaUnlimited is how Nextcloud says that there is no quota.
const quotaUnlimited = -3

func (s *fileStore) newHome(a *account) *fileHome {
	h := &fileHome{store: s, owner: a, uploads: map[string]*upload{}, quota: quotaUnlimited}
	h.root = &fileNode{home: h, children: map[string]*fileNode{}, mtime: s.now().Unix()}
	s.number(h.root)
	h.root.etag = s.folderETag()
	s.homes[a.id] = h
	return h
}

// fileNode is a file, a folder, or the place where somebody else's node is mounted.
type fileNode struct {
	id       int
	name     string
	parent   *fileNode // nil for a root and for what lies in the trash
	home     *fileHome // whose it is
	children map[string]*fileNode
	mount    *fileMount // set on the place where a share appears

	content  blob
	size     int64 // of a folder: everything below
	mtime    int64
	created  int64 // 0 unless a client said so
	uploaded int64
	etag     string // without quotes
	checksum string

	readOnly   bool // nobody may change it
	favoriteOf map[string]bool
	properties map[string]*xmlNode // what clients stored with PROPPATCH
	lock       *fileLock
	versions   []*fileVersion // older contents, oldest first
	label      string         // of the current version
	author     string         // of the current version
	tags       map[int]bool
	comments   []*comment
	readMarks  map[string]time.Time // by account: up to where comments were read
	shareTypes []int
	note       noteState
}

// fileMount says what is mounted and with which rights.
type fileMount struct {
	target *fileNode
	rights rights
	kind   string // nc:mount-type
}

func (n *fileNode) isFolder() bool { return n.children != nil }

// rights are Nextcloud's permission bits.
type rights int

const (
	mayRead rights = 1 << iota
	mayUpdate
	mayCreate
	mayDelete
	mayShare

	allRights = mayRead | mayUpdate | mayCreate | mayDelete | mayShare
)

// spot is a node as one account sees it.
type spot struct {
	home   *fileHome // whose view it is
	node   *fileNode
	place  *fileNode // the mount itself when the spot is one, else node
	mount  *fileNode // the mount it was reached through, nil among one's own
	path   string    // below the account's root, "/" for the root
	rights rights
	listed bool // by a request about its folder
}

func (h *fileHome) rootSpot() spot {
	return spot{home: h, node: h.root, place: h.root, path: "/", rights: allRights}
}

// child looks one name up.
func (p spot) child(name string) (spot, bool) {
	n := p.node.children[name]
	if n == nil {
		return spot{}, false
	}
	return p.down(n), true
}

func (p spot) down(n *fileNode) spot {
	s := spot{home: p.home, node: n, place: n, mount: p.mount, path: path.Join(p.path, n.name), rights: p.rights}
	if n.mount != nil {
		s.node, s.mount, s.rights = n.mount.target, n, n.mount.rights
	}
	if s.node.readOnly {
		s.rights &^= mayUpdate | mayCreate | mayDelete
	}
	return s
}

// list returns the children in the order of their ids, which is that of the database.
func (p spot) list() []spot {
	out := make([]spot, 0, len(p.node.children))
	for _, n := range p.node.children {
		out = append(out, p.down(n))
	}
	slices.SortFunc(out, func(a, b spot) int { return cmp.Compare(a.node.id, b.node.id) })
	return out
}

// find resolves a path below the account's root.
func (h *fileHome) find(name string) (spot, bool) {
	s := h.rootSpot()
	for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
		if part == "" {
			continue
		}
		next, ok := s.child(part)
		if !ok {
			return spot{}, false
		}
		s = next
	}
	return s, true
}

// byID finds a node of the account's view by its id.
func (h *fileHome) byID(id int) (spot, bool) {
	n := h.store.byID[id]
	if n == nil {
		return spot{}, false
	}
	var names []string
	for at := n; ; at = at.parent {
		if at == h.root {
			return h.find(strings.Join(names, "/"))
		}
		if m := h.mountOf(at); m != nil {
			return h.find(path.Join(append([]string{m.path()}, names...)...))
		}
		if at.parent == nil {
			return spot{}, false
		}
		names = append([]string{at.name}, names...)
	}
}

// mountOf is where the account has a node mounted.
func (h *fileHome) mountOf(n *fileNode) *fileNode {
	for _, c := range h.root.children {
		if c.mount != nil && c.mount.target == n {
			return c
		}
	}
	return nil
}

// path is where a node lies in the files of its owner.
func (n *fileNode) path() string {
	if n.parent == nil {
		return "/"
	}
	return path.Join(n.parent.path(), n.name)
}

// number gives a node its id.
func (s *fileStore) number(n *fileNode) {
	s.lastID++
	n.id = s.lastID
	s.byID[n.id] = n
	n.home.files++
}

// folderETag follows the microsecond of a change; no two changes share one.
func (s *fileStore) folderETag() string {
	s.changes++
	return fmt.Sprintf("%08x%05x", s.now().Unix(), s.changes%0x100000)
}

// fileETag of a content that was just written. Nextcloud: it follows the time in seconds and not the content, so two
// writes within one second share it.
func (n *fileNode) fileETag() string {
	return md5Hex(fmt.Sprintf("%d\x00%d", n.id, n.mtime))
}

// touch carries a change up to the root: every folder above gets a new ETag, time and size.
func (s *fileStore) touch(n *fileNode, grown int64) {
	etag, now := s.folderETag(), s.now().Unix()
	for at := n.parent; at != nil; at = at.parent {
		at.etag, at.mtime = etag, max(at.mtime, now)
		at.size += grown
	}
}

// attach puts a node into a folder.
func (s *fileStore) attach(n, folder *fileNode) {
	n.parent = folder
	folder.children[n.name] = n
	s.touch(n, n.size)
}

// detach takes a node out of its folder.
func (s *fileStore) detach(n *fileNode) {
	s.touch(n, -n.size)
	delete(n.parent.children, n.name)
	n.parent = nil
}

// mkdir makes one folder.
func (s *fileStore) mkdir(folder *fileNode, name string) (*fileNode, error) {
	if folder.home.files >= maxFiles {
		return nil, errFilesFull
	}
	n := &fileNode{name: name, home: folder.home, children: map[string]*fileNode{}, mtime: s.now().Unix()}
	s.number(n)
	s.attach(n, folder)
	n.etag = folder.etag
	return n, nil
}

// mkdirAll makes a path of folders below one of the store's folders.
func (s *fileStore) mkdirAll(folder *fileNode, name string) (*fileNode, error) {
	for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
		if part == "" {
			continue
		}
		next := folder.children[part]
		if next == nil {
			made, err := s.mkdir(folder, part)
			if err != nil {
				return nil, err
			}
			next = made
		}
		if next.mount != nil {
			next = next.mount.target
		}
		if !next.isFolder() {
			return nil, errors.New(part + " is not a folder")
		}
		folder = next
	}
	return folder, nil
}

// write stores a content under a name, as a new file or a new version of the old one. who is its author.
func (s *fileStore) write(folder *fileNode, name string, content blob, modified int64, who string) (*fileNode, error) {
	home := folder.home
	n := folder.children[name]
	if n != nil && n.mount != nil {
		n = n.mount.target
		home = n.home
	}
	if home.bytes+content.kept() > maxFileBytes || (n == nil && home.files >= maxFiles) {
		return nil, errFilesFull
	}
	home.bytes += content.kept()
	now := s.now().Unix()
	if modified == 0 {
		modified = now
	}
	if n == nil {
		n = &fileNode{name: name, home: home, content: content, size: content.size()}
		s.number(n)
		n.mtime, n.uploaded, n.author = modified, now, who
		n.etag = n.fileETag()
		s.attach(n, folder)
		return n, nil
	}
	n.keepVersion()
	grown := content.size() - n.size
	n.content, n.size, n.mtime, n.uploaded = content, content.size(), modified, now
	n.checksum, n.label, n.author = "", "", who
	n.etag = n.fileETag()
	s.touch(n, grown)
	return n, nil
}

// clone copies a node and what is below it, comments, tags and versions left behind.
func (s *fileStore) clone(n, folder *fileNode, name string) (*fileNode, error) {
	if folder.home.files >= maxFiles || folder.home.bytes+n.content.kept() > maxFileBytes {
		return nil, errFilesFull
	}
	c := &fileNode{
		name: name, home: folder.home, content: n.content, size: n.content.size(), mtime: n.mtime, created: n.created,
		uploaded: n.uploaded, checksum: n.checksum, author: n.author,
		// Nextcloud: the cache entry is copied, ETag included.
		etag: n.etag,
	}
	folder.home.bytes += n.content.kept()
	if n.isFolder() {
		c.children, c.mtime = map[string]*fileNode{}, s.now().Unix()
	}
	s.number(c)
	s.attach(c, folder)
	for _, child := range n.children {
		if child.mount != nil {
			child = child.mount.target
		}
		if _, err := s.clone(child, c, child.name); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// forgetNode gives up a node for good.
func (s *fileStore) forgetNode(n *fileNode) {
	delete(s.byID, n.id)
	n.home.files--
	n.home.bytes -= n.content.kept()
	for _, v := range n.versions {
		n.home.bytes -= v.content.kept()
	}
	for _, c := range n.children {
		s.forgetNode(c)
	}
}

// below tells whether a node is another one or lies in it.
func (n *fileNode) below(folder *fileNode) bool {
	for at := n; at != nil; at = at.parent {
		if at == folder {
			return true
		}
	}
	return false
}

// free is how many bytes may still be written, or quotaUnlimited.
func (h *fileHome) free() int64 {
	if h.quota < 0 {
		return quotaUnlimited
	}
	return max(0, h.quota-h.root.size)
}
