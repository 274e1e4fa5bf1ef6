package nextcloudtest

import (
	"encoding/xml"
	"slices"
	"strconv"
)

// maxCustomProperties bounds what clients store at one file.
const maxCustomProperties = 100

// computed are properties that no client can set.
var computed = []string{
	"getetag", "getcontenttype", "getcontentlength", "resourcetype", "displayname", "quota-available-bytes", "quota-used-bytes",
	"id", "fileid", "size", "permissions", "owner-id", "owner-display-name", "share-types", "checksums", "comments-unread",
	"has-preview", "mount-type", "contained-folder-count", "contained-file-count", "lock", "system-tags",
}

// proppatch sets and removes properties: favourite, times, and any that Nextcloud does not know.
func (f *filesRequest) proppatch(p spot, body []byte) {
	root, err := parseXML(body)
	if err != nil || !root.is(nsDAV, "propertyupdate") {
		f.fail(davBadRequest("Expected {DAV:}propertyupdate"))
		return
	}
	var changes, removals []*xmlNode
	for _, part := range root.children {
		prop := part.child(nsDAV, "prop")
		switch {
		case prop == nil:
		case part.is(nsDAV, "set"):
			changes = append(changes, prop.children...)
		case part.is(nsDAV, "remove"):
			removals = append(removals, prop.children...)
		}
	}
	all := slices.Concat(changes, removals)
	names, refused := node(nsDAV, "prop"), node(nsDAV, "prop")
	for _, c := range all {
		if known := c.name.Space == nsDAV || c.name.Space == nsOwnCloud || c.name.Space == nsFiles; known && slices.Contains(computed, c.name.Local) {
			refused.children = append(refused.children, c.named())
			continue
		}
		names.children = append(names.children, c.named())
	}
	response := node(nsDAV, "response", leaf(nsDAV, "href", p.href()))
	switch {
	case len(refused.children) > 0:
		response.children = append(response.children, propstat(refused, "403 Forbidden"))
		if len(names.children) > 0 {
			response.children = append(response.children, propstat(names, "424 Failed Dependency"))
		}
	default:
		for _, c := range changes {
			f.set(p, c)
		}
		for _, c := range removals {
			delete(p.node.properties, c.name.Space+" "+c.name.Local)
		}
		response.children = append(response.children, propstat(names, "200 OK"))
	}
	writeMultistatus(f.w, filePrefixes, "", response)
}

func (f *filesRequest) set(p spot, c *xmlNode) {
	n := p.node
	switch c.name {
	case xml.Name{Space: nsOwnCloud, Local: "favorite"}:
		n.favor(f.home.owner.id, c.text == "1" || c.text == "true")
	case xml.Name{Space: nsDAV, Local: "lastmodified"}:
		if seconds, err := strconv.ParseInt(c.text, 10, 64); err == nil {
			n.mtime = seconds
			if !n.isFolder() {
				n.etag = n.fileETag()
			}
			f.store.touch(n, 0)
		}
	case xml.Name{Space: nsFiles, Local: "creation_time"}, xml.Name{Space: nsDAV, Local: "creationdate"}:
		if seconds, err := strconv.ParseInt(c.text, 10, 64); err == nil {
			n.created = seconds
		}
	default:
		if n.properties == nil {
			n.properties = map[string]*xmlNode{}
		}
		if len(n.properties) < maxCustomProperties {
			n.properties[c.name.Space+" "+c.name.Local] = c
		}
	}
}
