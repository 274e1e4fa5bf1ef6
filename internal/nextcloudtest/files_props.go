package nextcloudtest

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// instanceID is the installation's name in long file ids.
const instanceID = "ocfrnxeqityk"

// longID is a file id as OC-FileId and oc:id say it.
func (n *fileNode) longID() string {
	id := strconv.Itoa(n.id)
	return strings.Repeat("0", max(0, 8-len(id))) + id + instanceID
}

// href of a spot, that of a folder with a slash at the end.
func (p spot) href() string {
	segments := []string{"files", p.home.owner.id}
	for part := range strings.SplitSeq(strings.Trim(p.path, "/"), "/") {
		if part != "" {
			segments = append(segments, part)
		}
	}
	href := davHref(segments...)
	if p.node.isFolder() {
		href += "/"
	}
	return href
}

func (p spot) name() string {
	if p.path == "/" {
		return p.home.owner.id
	}
	return p.place.name
}

// permissions are Nextcloud's letters for what may be done.
func (p spot) permissions() string {
	out := ""
	if p.mount != nil && p.mount.mount.kind == mountShared {
		out += "S"
	}
	root := p.place.mount != nil
	add := func(right rights, letters string) {
		if p.rights&right != 0 {
			out += letters
		}
	}
	add(mayShare, "R")
	if p.mount != nil && p.mount.mount.kind != mountShared {
		out += "M"
	}
	add(mayRead, "G")
	// A mount can always be taken away and renamed, by the person who has it.
	if root {
		out += "DNV"
	} else {
		add(mayDelete, "D")
		add(mayUpdate, "NV")
	}
	if p.node.isFolder() {
		add(mayCreate, "CK")
	} else {
		add(mayUpdate, "W")
	}
	return out
}

// Kinds of mounts, as nc:mount-type says them.
const mountShared = "shared"

// allprop is what a request without a list of properties is told.
var (
	allpropFolder = []*xmlNode{
		node(nsDAV, "getlastmodified"), node(nsDAV, "resourcetype"), node(nsDAV, "quota-used-bytes"), node(nsDAV, "quota-available-bytes"), node(nsDAV, "getetag"),
	}
	allpropFile = []*xmlNode{
		node(nsDAV, "getlastmodified"), node(nsDAV, "getcontentlength"), node(nsDAV, "resourcetype"), node(nsDAV, "getetag"), node(nsDAV, "getcontenttype"),
	}
)

// resource collects what was asked for about a spot.
func (p spot) resource(request propRequest) *davResource {
	r := newDAVResource(p.href())
	names := request.names
	if request.all {
		if names = allpropFile; p.node.isFolder() {
			names = allpropFolder
		}
	}
	for _, name := range names {
		property := p.property(name.name)
		switch {
		case property == nil:
		case request.all:
			r.addListed(property)
		default:
			r.add(property)
		}
	}
	return r
}

// property is one property of a spot, nil when it has none of that name.
func (p spot) property(name xml.Name) *xmlNode {
	text := func(value string) *xmlNode { return &xmlNode{name: name, text: value} }
	switch name.Space {
	case nsDAV:
		return p.davProperty(name.Local, text)
	case nsOwnCloud:
		return p.ownCloudProperty(name.Local, text)
	case nsFiles:
		return p.nextcloudProperty(name.Local, text)
	case nsSharing:
		if name.Local == "share-permissions" {
			return text(strconv.Itoa(int(p.sharable())))
		}
	}
	return p.node.properties[name.Space+" "+name.Local]
}

// sharable are the rights that may be given on.
func (p spot) sharable() rights {
	if !p.node.isFolder() {
		return p.rights &^ (mayCreate | mayDelete)
	}
	return p.rights
}

func (p spot) davProperty(local string, text func(string) *xmlNode) *xmlNode {
	n, folder := p.node, p.node.isFolder()
	switch {
	case local == "getlastmodified":
		return text(time.Unix(n.mtime, 0).UTC().Format(http.TimeFormat))
	case local == "getetag":
		return text(`"` + n.etag + `"`)
	case local == "displayname":
		return text(p.name())
	case local == "creationdate":
		return text(time.Unix(n.created, 0).UTC().Format("2006-01-02T15:04:05+00:00"))
	case local == "resourcetype":
		out := text("")
		if folder {
			out.children = []*xmlNode{node(nsDAV, "collection")}
		}
		return out
	case local == "getcontenttype" && !folder:
		return text(typeOfName(n.name))
	case local == "getcontentlength" && !folder:
		return text(strconv.FormatInt(n.size, 10))
	case local == "quota-used-bytes" && folder:
		return text(strconv.FormatInt(n.size, 10))
	case local == "quota-available-bytes" && folder:
		return text(strconv.FormatInt(n.home.free(), 10))
	}
	return nil
}

func (p spot) ownCloudProperty(local string, text func(string) *xmlNode) *xmlNode {
	n := p.node
	switch local {
	case "id":
		return text(n.longID())
	case "fileid":
		return text(strconv.Itoa(n.id))
	case "size":
		return text(strconv.FormatInt(n.size, 10))
	case "permissions":
		return text(p.permissions())
	case "favorite":
		return text(phpDigit(n.favoriteOf[p.home.owner.id]))
	case "tags":
		return text("")
	case "owner-id":
		return text(n.home.owner.id)
	case "owner-display-name":
		return text(n.home.owner.profile().DisplayName)
	case "share-types":
		out := text("")
		if n.home == p.home {
			for _, kind := range n.shareTypes {
				out.children = append(out.children, leaf(nsOwnCloud, "share-type", strconv.Itoa(kind)))
			}
		}
		return out
	case "checksums":
		if n.checksum == "" {
			return nil
		}
		out := text("")
		out.children = []*xmlNode{leaf(nsOwnCloud, "checksum", n.checksum)}
		return out
	case "comments-unread":
		return text(strconv.Itoa(n.unread(p.home.owner.id)))
	}
	return nil
}

func (p spot) nextcloudProperty(local string, text func(string) *xmlNode) *xmlNode {
	n, folder := p.node, p.node.isFolder()
	if strings.HasPrefix(local, "lock") {
		// files_lock: a folder has the property when it is listed by its parent, and not when it is asked itself.
		if folder && !p.listed {
			return nil
		}
		return n.lock.property(local, text)
	}
	switch {
	case local == "has-preview":
		return text(strconv.FormatBool(!folder && previewed(n.name)))
	case local == "mount-type":
		out := text("")
		out.pair = true
		if p.mount != nil {
			out.text = p.mount.mount.kind
		}
		return out
	case local == "creation_time":
		return text(strconv.FormatInt(n.created, 10))
	case local == "upload_time" && !folder:
		return text(strconv.FormatInt(n.uploaded, 10))
	case local == "hidden":
		return text("false")
	case local == "contained-folder-count" && folder:
		return text(strconv.Itoa(n.count(true)))
	case local == "contained-file-count" && folder:
		return text(strconv.Itoa(n.count(false)))
	case local == "system-tags":
		out := text("")
		for _, tag := range p.home.store.tags.of(n, p.home.owner) {
			out.children = append(out.children, tag.element())
		}
		return out
	}
	return nil
}

func (n *fileNode) count(folders bool) int {
	count := 0
	for _, c := range n.children {
		if c.mount != nil {
			c = c.mount.target
		}
		if c.isFolder() == folders {
			count++
		}
	}
	return count
}

// previewed tells whether Nextcloud makes a picture of files of that name out of the box.
func previewed(name string) bool {
	t := typeOfName(name)
	return strings.HasPrefix(t, "text/") || slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, t)
}

func phpDigit(yes bool) string {
	if yes {
		return "1"
	}
	return "0"
}
