package files

import (
	"context"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Info is all that is known of one file or folder.
type Info struct {
	Entry
	Created   time.Time // as the file system or the uploading program said; may be zero
	Uploaded  time.Time // may be zero
	OwnerID   string
	OwnerName string
	Mount     string // "shared", "external", "group" or what else is mounted here; empty for the person's own storage
	MountRoot bool   // the mounted folder or shared file itself
	Shared    []int  // kinds of shares of it, as the sharing API numbers them
	Tags      []string
	Checksums []string // such as "SHA1:a9993e36..."
	Comments  int      // unread ones
	Preview   bool
	Encrypted bool // end to end: nobody but the person's devices can read it
	Hidden    bool
	Lock      *Lock
	Files     int   // directly in a folder; negative when not known
	Folders   int   // directly in a folder; negative when not known
	Free      int64 // bytes that still fit into a folder; negative when not known or not limited
}

// Lock is who holds a file.
type Lock struct {
	Owner string    // display name or id
	By    LockKind  // what holds it
	App   string    // for ByApp
	Until time.Time // zero: until it is unlocked
}

// LockKind is what holds a file locked.
type LockKind int

// The kinds of locks, as Nextcloud numbers them.
const (
	ByPerson LockKind = iota
	ByApp             // an editor
	ByClient          // a WebDAV client's own lock
)

var (
	ncMount      = dav.Name(dav.NSNextcloudFiles, "mount-type")
	ncMountRoot  = dav.Name(dav.NSNextcloudFiles, "is-mount-root")
	ncTags       = dav.Name(dav.NSNextcloudFiles, "system-tags")
	ncTag        = dav.Name(dav.NSNextcloudFiles, "system-tag")
	ncPreview    = dav.Name(dav.NSNextcloudFiles, "has-preview")
	ncEncrypted  = dav.Name(dav.NSNextcloudFiles, "is-encrypted")
	ncHidden     = dav.Name(dav.NSNextcloudFiles, "hidden")
	ncCreated    = dav.Name(dav.NSNextcloudFiles, "creation_time")
	ncUploaded   = dav.Name(dav.NSNextcloudFiles, "upload_time")
	ncFiles      = dav.Name(dav.NSNextcloudFiles, "contained-file-count")
	ncFolders    = dav.Name(dav.NSNextcloudFiles, "contained-folder-count")
	ncLock       = dav.Name(dav.NSNextcloudFiles, "lock")
	ncLockKind   = dav.Name(dav.NSNextcloudFiles, "lock-owner-type")
	ncLockOwner  = dav.Name(dav.NSNextcloudFiles, "lock-owner")
	ncLockName   = dav.Name(dav.NSNextcloudFiles, "lock-owner-displayname")
	ncLockEditor = dav.Name(dav.NSNextcloudFiles, "lock-owner-editor")
	ncLockTime   = dav.Name(dav.NSNextcloudFiles, "lock-time")
	ncLockLasts  = dav.Name(dav.NSNextcloudFiles, "lock-timeout")
	ocOwner      = dav.Name(dav.NSOwnCloud, "owner-id")
	ocOwnerName  = dav.Name(dav.NSOwnCloud, "owner-display-name")
	ocShares     = dav.Name(dav.NSOwnCloud, "share-types")
	ocChecksums  = dav.Name(dav.NSOwnCloud, "checksums")
	ocComments   = dav.Name(dav.NSOwnCloud, "comments-unread")
	davFree      = dav.Name(dav.NSDAV, "quota-available-bytes")
)

var lockProps = []xml.Name{ncLock, ncLockKind, ncLockOwner, ncLockName, ncLockEditor, ncLockTime, ncLockLasts}

var infoProps = slices.Concat(entryProps, lockProps, []xml.Name{
	ncMount, ncMountRoot, ncTags, ncPreview, ncEncrypted, ncHidden, ncCreated, ncUploaded, ncFiles, ncFolders,
	ocOwner, ocOwnerName, ocShares, ocChecksums, ocComments, davFree,
})

// Info asks for all that is known of one path.
func (c *Client) Info(ctx context.Context, name string) (*Info, error) {
	op := named("look at", name)
	e, r, err := c.stat(ctx, op, name, infoProps)
	if err != nil {
		return nil, err
	}
	i := &Info{
		Entry:    *e,
		Created:  moment(r.Prop(ncCreated)),
		Uploaded: moment(r.Prop(ncUploaded)),
		OwnerID:  r.Prop(ocOwner).String(), OwnerName: r.Prop(ocOwnerName).String(),
		Mount: r.Prop(ncMount).String(), MountRoot: truth(r.Prop(ncMountRoot)),
		Comments: int(number(r.Prop(ocComments).String(), 0)),
		Preview:  truth(r.Prop(ncPreview)), Encrypted: truth(r.Prop(ncEncrypted)), Hidden: truth(r.Prop(ncHidden)),
		Lock:  lock(r),
		Files: int(number(r.Prop(ncFiles).String(), -1)), Folders: int(number(r.Prop(ncFolders).String(), -1)),
		Free: number(r.Prop(davFree).String(), -1),
	}
	if n := r.Prop(ncTags); n != nil {
		for _, tag := range n.Children {
			if name := tag.String(); tag.Name == ncTag && name != "" {
				i.Tags = append(i.Tags, name)
			}
		}
	}
	if n := r.Prop(ocChecksums); n != nil {
		for _, sum := range n.Children {
			i.Checksums = append(i.Checksums, strings.Fields(sum.String())...)
		}
	}
	if n := r.Prop(ocShares); n != nil {
		for _, kind := range n.Children {
			i.Shared = append(i.Shared, int(number(kind.String(), -1)))
		}
	}
	return i, nil
}

// Stat is a path's Entry.
func (c *Client) Stat(ctx context.Context, name string) (*Entry, error) {
	e, _, err := c.stat(ctx, named("look at", name), name, entryProps)
	return e, err
}

func (c *Client) stat(ctx context.Context, op, name string, props []xml.Name) (*Entry, *dav.Response, error) {
	q, clean, err := c.query(ctx, op, name)
	if err != nil {
		return nil, nil, err
	}
	home, err := c.home(ctx)
	if err != nil {
		return nil, nil, err
	}
	ms, err := c.dav.Propfind(ctx, q, props...)
	if err != nil {
		return nil, nil, c.explain(ctx, clean, err)
	}
	for i := range ms.Responses {
		if e, ok := c.entry(home, &ms.Responses[i]); ok {
			return &e, &ms.Responses[i], nil
		}
	}
	return nil, nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Status: http.StatusNotFound}
}

// lock is the lock that a response tells of, or nil.
func lock(r *dav.Response) *Lock {
	if r.Prop(ncLock).String() != "1" {
		return nil
	}
	l := &Lock{Owner: r.Prop(ncLockName).String(), By: LockKind(number(r.Prop(ncLockKind).String(), 0)), App: r.Prop(ncLockEditor).String()}
	if l.Owner == "" {
		l.Owner = r.Prop(ncLockOwner).String()
	}
	if l.By != ByApp {
		l.App = ""
	}
	// Nextcloud: a lock without an end has a timeout that is not positive.
	if since, lasts := moment(r.Prop(ncLockTime)), number(r.Prop(ncLockLasts).String(), 0); lasts > 0 && !since.IsZero() {
		l.Until = since.Add(time.Duration(lasts) * time.Second)
	}
	return l
}

// moment is a property in seconds since 1970; zero for none.
func moment(n *dav.Node) time.Time {
	s := number(n.String(), 0)
	if s <= 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

func truth(n *dav.Node) bool { return n.String() == "1" || n.String() == "true" }

// Rights are what Nextcloud's letters for permissions allow, in words.
func Rights(letters string, folder bool) []string {
	words := []struct {
		letter byte
		word   string
	}{
		{'G', "read"},
		{'W', "change"},
		{'N', "rename"},
		{'V', "move"},
		{'D', "delete"},
		{'R', "share"},
		{'C', "create files in it"},
		{'K', "create folders in it"},
	}
	var out []string
	for _, w := range words {
		if strings.IndexByte(letters, w.letter) >= 0 && (folder || (w.letter != 'C' && w.letter != 'K')) {
			out = append(out, w.word)
		}
	}
	return out
}
