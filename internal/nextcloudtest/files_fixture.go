package nextcloudtest

import (
	"path"
	"strings"
	"time"
)

// AddFile stores a file of a user, folders above it included, and returns its id; 0 when there is no such user or no
// room. An existing file gets a new version.
func (s *Server) AddFile(userID, name string, content []byte) int {
	return s.addFile(userID, name, blob{data: content}, time.Time{})
}

// AddFileAt is AddFile with the time of its last change.
func (s *Server) AddFileAt(userID, name string, content []byte, modified time.Time) int {
	return s.addFile(userID, name, blob{data: content}, modified)
}

// AddLargeFile stores a file of a size in bytes that reads as zeros and takes no memory.
func (s *Server) AddLargeFile(userID, name string, size int64) int {
	return s.addFile(userID, name, blob{hole: size}, time.Time{})
}

func (s *Server) addFile(userID, name string, content blob, modified time.Time) int {
	a := s.account(userID)
	if a == nil {
		return 0
	}
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	dir, base := path.Split(path.Join("/", name))
	folder, err := s.files.mkdirAll(a.files.root, dir)
	if err != nil {
		return 0
	}
	seconds := int64(0)
	if !modified.IsZero() {
		seconds = modified.Unix()
	}
	n, err := s.files.write(folder, base, content, seconds, userID)
	if err != nil {
		return 0
	}
	return n.id
}

// AddFolder makes a folder of a user, those above it included, and returns its id; 0 when it cannot.
func (s *Server) AddFolder(userID, name string) int {
	a := s.account(userID)
	if a == nil {
		return 0
	}
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	n, err := s.files.mkdirAll(a.files.root, name)
	if err != nil {
		return 0
	}
	return n.id
}

// FileContent is what a file holds now; ok is false when there is none.
func (s *Server) FileContent(userID, name string) (content []byte, ok bool) {
	s.withFile(userID, name, func(p spot) { content, ok = p.node.content.data, !p.node.isFolder() })
	return content, ok
}

// FileID is the id of a file or folder, 0 when there is none.
func (s *Server) FileID(userID, name string) int {
	id := 0
	s.withFile(userID, name, func(p spot) { id = p.node.id })
	return id
}

// withFile calls f on a file or folder of a user when it is there.
func (s *Server) withFile(userID, name string, f func(spot)) {
	a := s.account(userID)
	if a == nil {
		return
	}
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	if p, found := a.files.find(name); found {
		f(p)
	}
}

// LockFile locks a file as if another user had done so; an empty one takes the lock away.
func (s *Server) LockFile(userID, name, by string) {
	s.withFile(userID, name, func(p spot) {
		p.node.lock = nil
		if other := s.account(by); other != nil {
			p.node.lock = &fileLock{owner: by, display: other.profile().DisplayName, since: s.now().Unix(), token: uuid(name)}
		}
	})
}

// SetFileReadOnly forbids everybody to change a file or what is directly in a folder.
func (s *Server) SetFileReadOnly(userID, name string, readOnly bool) {
	s.withFile(userID, name, func(p spot) { p.node.readOnly = readOnly })
}

// Share mounts a user's file or folder among another user's files, at the top, and returns the name it got there; empty
// when it cannot.
func (s *Server) Share(userID, name, with string) string {
	return s.share(userID, name, with, allRights)
}

// ShareReadOnly is Share without the right to change anything.
func (s *Server) ShareReadOnly(userID, name, with string) string {
	return s.share(userID, name, with, mayRead)
}

func (s *Server) share(userID, name, with string, r rights) string {
	other := s.account(with)
	mounted := ""
	s.withFile(userID, name, func(p spot) {
		if other == nil || p.path == "/" {
			return
		}
		mounted = other.files.mountNode(p.node, r)
		p.node.shareTypes = []int{0}
	})
	return mounted
}

// mountNode shows a node of somebody else at the top of an account, under a name that is free.
func (h *fileHome) mountNode(n *fileNode, r rights) string {
	if old := h.mountOf(n); old != nil {
		old.mount.rights = r
		return old.name
	}
	name, extension := n.name, path.Ext(n.name)
	for i := 2; h.root.children[name] != nil; i++ {
		name = strings.TrimSuffix(n.name, extension) + " (" + string(rune('0'+i%10)) + ")" + extension
	}
	place := &fileNode{name: name, home: h, mount: &fileMount{target: n, rights: r, kind: mountShared}}
	h.store.attach(place, h.root)
	return name
}

// Unshare takes a mounted file or folder out of a user's view again.
func (s *Server) Unshare(userID, name string) {
	s.withFile(userID, name, func(p spot) {
		if p.place.mount != nil {
			s.files.detach(p.place)
		}
	})
}

// SetQuota limits what a user may store, in bytes; a negative number is no limit.
func (s *Server) SetQuota(userID string, bytes int64) {
	s.withFile(userID, "/", func(p spot) { p.home.quota = bytes })
}

// ForgetUploads makes the server count what is uploaded instead of keeping it: such files read as zeros.
func (s *Server) ForgetUploads(forget bool) {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	s.files.forget = forget
}

// AddTag makes a system tag, or finds it, and puts it on the given files of a user. It returns the tag's id.
func (s *Server) AddTag(userID, tag string, names ...string) int {
	a := s.account(userID)
	if a == nil {
		return 0
	}
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	t := s.files.tags.named(tag)
	if t == nil {
		t = s.files.tags.create(systemTag{name: tag, visible: true, assignable: true})
	}
	for _, name := range names {
		if p, found := a.files.find(name); found {
			p.node.tag(t.id)
		}
	}
	return t.id
}

// AddComment comments a file of a user in the name of anybody, and returns the comment's id.
func (s *Server) AddComment(userID, name, actor, message string) int {
	id := 0
	s.withFile(userID, name, func(p spot) { id = s.files.comment(p.node, actor, message).id })
	return id
}

// SetFavorite marks a file as a favourite of a user, or not.
func (s *Server) SetFavorite(userID, name string, favorite bool) {
	s.withFile(userID, name, func(p spot) { p.node.favor(userID, favorite) })
}

// DeleteFile puts a file or folder of a user into the trash.
func (s *Server) DeleteFile(userID, name string) {
	s.withFile(userID, name, func(p spot) {
		if p.path != "/" {
			s.files.discard(p.place, userID)
		}
	})
}
