package files

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Entry is a file or a folder.
type Entry struct {
	Path        string // in the person's files: "/Projects/plan.md"
	Name        string
	Folder      bool
	FileID      int64
	Size        int64  // in bytes, of a folder with all that is below it; negative when not known
	Type        string // media type; empty for a folder
	Modified    time.Time
	ETag        string // without quotes
	Permissions string // Nextcloud's letters, see Rights; empty in listings of a folder
	Favorite    bool
	URL         string // opens it in a browser
}

// The names of properties. Nextcloud's own are in two namespaces.
var (
	davETag     = dav.Name(dav.NSDAV, "getetag")
	davLength   = dav.Name(dav.NSDAV, "getcontentlength")
	davType     = dav.Name(dav.NSDAV, "getcontenttype")
	davModified = dav.Name(dav.NSDAV, "getlastmodified")
	davKind     = dav.Name(dav.NSDAV, "resourcetype")
	davName     = dav.Name(dav.NSDAV, "displayname")
	davFolder   = dav.Name(dav.NSDAV, "collection")

	ocFileID      = dav.Name(dav.NSOwnCloud, "fileid")
	ocSize        = dav.Name(dav.NSOwnCloud, "size")
	ocPermissions = dav.Name(dav.NSOwnCloud, "permissions")
	ocFavorite    = dav.Name(dav.NSOwnCloud, "favorite")
)

// listProps are the properties of an Entry in a listing, where each one costs
// its time thousands of times.
var listProps = []xml.Name{davETag, davType, davModified, davKind, ocFileID, ocSize, ocFavorite}

// entryProps are the properties that an Entry is made of.
var entryProps = []xml.Name{davETag, davType, davModified, davKind, ocFileID, ocSize, ocPermissions, ocFavorite}

// entry is what a response says of a file below the given home; false when it
// is not about one.
func (c *Client) entry(home string, r *dav.Response) (Entry, bool) {
	name, ok := pathOf(home, r.Href, c.nc.Host().Base())
	if !ok || (r.Status != 0 && r.Status/100 != 2) || len(r.Props) == 0 {
		return Entry{}, false
	}
	e := Entry{
		Path: name, Name: base(name), Size: -1,
		Folder:      r.Prop(davKind).Has(davFolder),
		FileID:      number(r.Prop(ocFileID).String(), 0),
		ETag:        nextcloud.UnquoteETag(r.Prop(davETag).String()),
		Permissions: r.Prop(ocPermissions).String(),
		Favorite:    r.Prop(ocFavorite).String() == "1",
	}
	e.Modified, _ = http.ParseTime(r.Prop(davModified).String())
	if !e.Folder {
		e.Type = r.Prop(davType).String()
	}
	for _, size := range []xml.Name{ocSize, davLength} {
		if e.Size < 0 {
			e.Size = number(r.Prop(size).String(), -1)
		}
	}
	e.URL = c.url(e.FileID)
	return e, true
}

// pathOf is the path in the person's files of an href below home.
func pathOf(home, href string, base *url.URL) (string, bool) {
	if rest, ok := strings.CutPrefix(href, base.EscapedPath()+home+"/"); ok {
		// What nearly all are like, in a listing of thousands.
		rest, err := url.PathUnescape(rest)
		if rest = inside(rest); err != nil || rest == "" {
			return "", false
		}
		return rest, true
	}
	u, err := url.Parse(href)
	if err != nil || u.Opaque != "" || (u.Host != "" && u.Host != base.Host) {
		return "", false
	}
	below, err := url.PathUnescape(home)
	if err != nil {
		return "", false
	}
	rest, ok := strings.CutPrefix(u.Path, base.Path+below)
	if !ok || (rest != "" && rest[0] != '/') {
		return "", false
	}
	rest = inside(rest)
	return rest, rest != ""
}

// inside is a decoded path below home as an absolute one; empty when it leads
// elsewhere. Names in listings are the server's: what could not be asked for
// again is still shown.
func inside(rest string) string {
	for s := range strings.SplitSeq(rest, "/") {
		if s == "." || s == ".." {
			return ""
		}
	}
	return "/" + strings.Trim(rest, "/")
}

// number is a whole number, or otherwise.
func number(s string, otherwise int64) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}
