package sharing

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// State says where a share of somebody else stands for this person.
type State string

// The states; a share without one is in effect.
const (
	Pending State = "pending" // waits until this person accepts it
	Left    State = "left"    // of a group, and this person removed it for themselves
)

// The marks in front of ids that are not those of the table of shares.
const (
	remoteMark = "remote:"     // incoming federated shares have a table and numbers of their own
	leftMark   = "ocinternal:" // Nextcloud's own, for shares that were left
)

// Share is one share as this person sees it.
type Share struct {
	ID          string
	Kind        Kind
	Path        string // in this person's files; of a pending share, where it will be
	Folder      bool
	Permissions Permissions // 0 when Nextcloud does not say
	With        string      // account, group, address, team or room; empty for links
	WithName    string
	By          string // account of who shared it, or name@host
	ByName      string
	Owner       string // account of the owner of the file
	OwnerName   string
	Created     time.Time // zero when not told
	// Expires is the last moment, as 2027-01-31T23:59:59 in the person's time
	// zone; empty for never.
	Expires      string
	URL          string // of a link
	Token        string // the last part of URL; of a link or mail
	Password     bool   // it asks for a password
	ByTalk       bool   // the password is given by Talk
	Note         string // to the receiver
	Label        string // of a link or mail, for its maker
	HideDownload bool
	Via          string // of an inherited share: the folder above that is shared
	State        State
	Remote       bool // it comes from another server

	canEdit, canDelete bool
	attributes         []json.RawMessage
}

// wireShare is a share on the wire (Nextcloud: Files_SharingShare).
type wireShare struct {
	ID           lenient.Text  `json:"id"`
	Kind         *lenient.Int  `json:"share_type"`
	By           lenient.Text  `json:"uid_owner"`
	ByName       lenient.Text  `json:"displayname_owner"`
	Permissions  lenient.Int   `json:"permissions"`
	ItemBits     *lenient.Int  `json:"item_permissions"`
	CanEdit      *lenient.Bool `json:"can_edit"`
	CanDelete    *lenient.Bool `json:"can_delete"`
	Created      lenient.Int   `json:"stime"`
	Expiration   lenient.Text  `json:"expiration"`
	Token        lenient.Text  `json:"token"`
	Owner        lenient.Text  `json:"uid_file_owner"`
	OwnerName    lenient.Text  `json:"displayname_file_owner"`
	Note         lenient.Text  `json:"note"`
	Label        lenient.Text  `json:"label"`
	Path         lenient.Text  `json:"path"`
	ItemType     lenient.Text  `json:"item_type"`
	Target       lenient.Text  `json:"file_target"`
	With         lenient.Text  `json:"share_with"`
	WithName     lenient.Text  `json:"share_with_displayname"`
	Password     lenient.Text  `json:"password"`
	ByTalk       lenient.Bool  `json:"send_password_by_talk"`
	URL          lenient.Text  `json:"url"`
	HideDownload lenient.Bool  `json:"hide_download"`
	Attributes   lenient.Text  `json:"attributes"`
	Via          lenient.Text  `json:"via_path"`
}

// Check implements lenient.Checker. Without its kind nobody can tell a public
// link from a share with one person.
func (w *wireShare) Check() error {
	if w.ID == "" || w.Kind == nil {
		return lenient.NoID()
	}
	return nil
}

func (w *wireShare) share(host *nextcloud.Host) *Share {
	s := &Share{
		ID: string(w.ID), Kind: Kind(*w.Kind), Path: string(w.Path), Folder: w.ItemType == "folder", Permissions: Permissions(w.Permissions) & All,
		With: string(w.With), WithName: string(w.WithName), By: string(w.By), ByName: string(w.ByName),
		Owner: string(w.Owner), OwnerName: string(w.OwnerName), Expires: expires(string(w.Expiration)), Token: string(w.Token),
		Password: w.Password != "", ByTalk: bool(w.ByTalk), Note: string(w.Note), Label: string(w.Label), HideDownload: bool(w.HideDownload), Via: string(w.Via),
		canEdit: w.CanEdit == nil || bool(*w.CanEdit), canDelete: w.CanDelete == nil || bool(*w.CanDelete),
	}
	if w.Created > 0 {
		s.Created = time.Unix(int64(w.Created), 0)
	}
	if s.Kind == Link {
		// Nextcloud: of a link, share_with is the mark of its password.
		s.Password = s.Password || s.With != ""
		s.With, s.WithName = "", ""
	}
	if s.Kind.public() && s.Token != "" {
		s.URL = linkURL(host, string(w.URL), s.Token)
	}
	if !s.Kind.public() {
		s.Token = "" // of no use to anybody here
	}
	s.attributes = readAttributes(string(w.Attributes))
	s.HideDownload = s.HideDownload || !attributeAllows(s.attributes, downloadAttribute)
	return s
}

// linkURL is the address of a link for browsers. The server builds it from the
// address that it was asked at, which people may not reach.
func linkURL(host *nextcloud.Host, told, token string) string {
	path := "/index.php/s/" + url.PathEscape(token)
	if u, err := url.Parse(told); err == nil {
		rest, ok := strings.CutPrefix(u.EscapedPath(), host.Base().EscapedPath())
		if ok && strings.HasSuffix(rest, "/s/"+url.PathEscape(token)) && strings.HasPrefix(rest, "/") {
			path = rest
		}
	}
	return host.PublicURL(path)
}

// expires is the server's "2027-01-31 23:59:59" as RFC 3339 writes it.
func expires(text string) string {
	if t, err := time.Parse(time.DateTime, text); err == nil {
		return t.Format("2006-01-02T15:04:05")
	}
	return text
}

// attribute is one entry of a share's attributes. Nextcloud 30 renamed
// "enabled" to "value".
type attribute struct {
	Scope   string        `json:"scope"`
	Key     string        `json:"key"`
	Value   *lenient.Bool `json:"value"`
	Enabled *lenient.Bool `json:"enabled"`
}

var downloadAttribute = attribute{Scope: "permissions", Key: "download"}

// readAttributes splits the attributes, which are JSON inside of a string. What
// each of them holds beyond what is known here is kept.
func readAttributes(text string) []json.RawMessage {
	var list []json.RawMessage
	if text == "" || json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	return list
}

func (a attribute) same(raw json.RawMessage) (attribute, bool) {
	var other attribute
	if json.Unmarshal(raw, &other) != nil {
		return attribute{}, false
	}
	return other, other.Scope == a.Scope && other.Key == a.Key
}

// attributeAllows is what the list says of an attribute; true when it says
// nothing.
func attributeAllows(list []json.RawMessage, a attribute) bool {
	for _, raw := range list {
		if found, ok := a.same(raw); ok {
			value := found.Value
			if value == nil {
				value = found.Enabled
			}
			return value == nil || bool(*value)
		}
	}
	return true
}

// withAttribute is the list with one attribute set; the others stay as they
// came.
func withAttribute(list []json.RawMessage, a attribute, allow bool) string {
	kept := slices.DeleteFunc(slices.Clone(list), func(raw json.RawMessage) bool {
		_, same := a.same(raw)
		return same
	})
	kept = append(kept, nextcloud.JSONBody(map[string]any{"scope": a.Scope, "key": a.Key, "value": allow, "enabled": allow}))
	return string(nextcloud.JSONBody(kept))
}
