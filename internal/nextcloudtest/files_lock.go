package nextcloudtest

import (
	"fmt"
	"net/http"
	"strconv"
)

// fileLock is a lock of the files_lock app.
type fileLock struct {
	kind    int // 0 by a person, 1 by an app, 2 by a token
	owner   string
	display string
	since   int64
	token   string
}

// property is one of the lock properties; of a file that is not locked they are empty.
func (l *fileLock) property(local string, text func(string) *xmlNode) *xmlNode {
	if l == nil {
		if local != "lock" {
			return nil
		}
		out := text("")
		out.pair = true
		return out
	}
	switch local {
	case "lock":
		return text("1")
	case "lock-owner-type":
		return text(strconv.Itoa(l.kind))
	case "lock-owner", "lock-owner-editor":
		return text(l.owner)
	case "lock-owner-displayname":
		return text(l.display)
	case "lock-time":
		return text(strconv.FormatInt(l.since, 10))
	case "lock-timeout":
		return text("-60")
	case "lock-token":
		return text("files_lock/" + l.token)
	}
	return nil
}

// heldFrom tells whether the lock keeps somebody from writing.
func (l *fileLock) heldFrom(user string) bool {
	return l != nil && (l.kind != 0 || l.owner != user)
}

// locked looks for a lock of somebody else on a node or below it.
func (n *fileNode) locked(user string) bool {
	if n.lock.heldFrom(user) {
		return true
	}
	for _, c := range n.children {
		if c.mount == nil && c.locked(user) {
			return true
		}
	}
	return false
}

var lockProperties = []string{"lock", "lock-owner-type", "lock-owner", "lock-owner-displayname", "lock-owner-editor", "lock-time", "lock-timeout", "lock-token"}

// serveLock answers LOCK and UNLOCK with X-User-Lock: 1, which are those of people.
func (f *filesRequest) serveLock(p spot) {
	user := f.home.owner
	n := p.node
	switch {
	case f.Header.Get("X-User-Lock") != "1", n.isFolder():
		writeDAVFailure(f.w, davNotImplemented(f.Method))
		return
	case n.lock.heldFrom(user.id):
		writeDAVFailure(f.w, davLocked(p.path))
		return
	case f.Method == "LOCK":
		n.lock = &fileLock{
			owner: user.id, display: user.profile().DisplayName, since: f.store.now().Unix(),
			token: uuid(fmt.Sprintf("lock %d %d", n.id, f.store.changes)),
		}
	case n.lock == nil:
		writeDAVFailure(f.w, &davFailure{status: http.StatusPreconditionFailed, exception: `Sabre\DAV\Exception\PreconditionFailed`, message: "File is not locked"})
		return
	default:
		n.lock = nil
	}
	prop := node(nsDAV, "prop", leaf(nsDAV, "getetag", f.store.folderETag()))
	for _, local := range lockProperties {
		text := func(value string) *xmlNode { return leaf(nsFiles, local, value) }
		property := n.lock.property(local, text)
		if property == nil {
			property = text("")
		}
		prop.children = append(prop.children, property)
	}
	f.w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	f.w.WriteHeader(http.StatusOK)
	writeString(f.w, writeXML(prop, filePrefixes, `<?xml version="1.0"?>`, " ")+"\n")
}

// uuid makes one of a seed.
func uuid(seed string) string {
	h := md5Hex(seed)
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}
