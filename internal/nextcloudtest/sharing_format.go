package nextcloudtest

import (
	"maps"
	"strconv"
)

// shareJSON is a share on the wire. It is a map because each kind has keys of its own.
type shareJSON map[string]any

func itoaID(id int) string { return strconv.Itoa(id) }

// formatShare shows a share to a user; nil when the user does not have the file. Where says as what the file is shown,
// nil for where the user has it.
func (s *Server) formatShare(base string, sh *share, a *account, where *spot) shareJSON {
	f := where
	if f == nil {
		f = seen(a.files.byID(sh.node.id))
	}
	if f == nil {
		return nil
	}
	out := shareJSON{
		"id": itoaID(sh.id), "share_type": sh.kind,
		"uid_owner": sh.by, "displayname_owner": s.displayName(sh.by),
		"permissions": sh.permissions, "can_edit": sh.canEdit(a), "can_delete": sh.canDelete(a),
		"stime": sh.created.Unix(), "parent": nil, "expiration": nil, "token": nil,
		"uid_file_owner": sh.owner(), "displayname_file_owner": s.displayName(sh.owner()),
		"note": sh.note, "label": sh.label, "path": f.path,
		"item_permissions": s.itemPermissions(sh, a, f),
		"mail_send":        flag(sh.mail), "hide_download": flag(sh.hide), "attributes": shareAttributesText(sh.attributes),
	}
	addItem(out, f, sh.targetFor(a))
	if !sh.expires.IsZero() {
		out["expiration"] = sh.expires.In(zoneOf(a)).Format("2006-01-02 15:04:05")
	}
	s.addRecipient(out, base, sh)
	maps.Copy(out, sh.extra)
	return out
}

// targetFor is where the share is, or will be, among a recipient's files.
func (sh *share) targetFor(a *account) string {
	if sh.target != "" {
		return sh.target
	}
	if place := a.files.mountOf(sh.node); place != nil {
		return "/" + place.name
	}
	return "/" + sh.node.name
}

// addItem tells about the file.
func addItem(out shareJSON, f *spot, target string) {
	n := f.node
	out["item_type"], out["mimetype"] = "file", typeOfName(n.name)
	if n.isFolder() {
		out["item_type"], out["mimetype"] = "folder", "httpd/unix-directory"
	}
	out["is-mount-root"], out["mount-type"], out["storage_id"] = f.place.mount != nil, "", "home::"+n.home.owner.id
	if f.mount != nil {
		out["mount-type"], out["storage_id"] = f.mount.mount.kind, "shared::/"+f.mount.name
	}
	out["has_preview"] = !n.isFolder() && previewed(n.name)
	out["storage"], out["item_source"], out["file_source"], out["file_parent"] = 5, n.id, n.id, n.parent.id
	out["file_target"], out["item_size"], out["item_mtime"] = target, n.size, n.mtime
}

// itemPermissions: recipients are told the permissions of the share, and that they may rename or remove what they got.
func (s *Server) itemPermissions(sh *share, a *account, f *spot) rights {
	if sh.owner() == a.id {
		return f.rights
	}
	permissions := sh.permissions
	if sh.canDelete(a) || s.canLeave(sh, a) {
		permissions |= mayDelete
	}
	if sh.canEdit(a) {
		permissions |= mayUpdate
	}
	return permissions
}

// addRecipient tells whom the share is for, in the keys of its kind.
func (s *Server) addRecipient(out shareJSON, base string, sh *share) {
	// Nextcloud: the password itself is never told.
	var password any
	if sh.password != "" {
		password = "redacted"
	}
	switch sh.kind {
	case shareUser:
		out["share_with"], out["share_with_displayname"], out["share_with_displayname_unique"] = sh.with, s.displayName(sh.with), sh.with
		if a := s.account(sh.with); a != nil && a.profile().Email != "" {
			out["share_with_displayname_unique"] = a.profile().Email
		}
	case shareLink:
		out["share_with"], out["share_with_displayname"], out["password"] = password, "(Shared link)", password
		out["send_password_by_talk"], out["token"], out["url"] = sh.byTalk, sh.token, base+"/s/"+sh.token
	case shareMail:
		out["share_with"], out["share_with_displayname"], out["password"] = sh.with, sh.with, password
		out["password_expiration_time"], out["send_password_by_talk"], out["token"] = nil, sh.byTalk, sh.token
		out["file_target"] = nil
	case shareFederated:
		out["share_with"], out["share_with_displayname"], out["token"] = sh.with, sh.with, sh.token
		out["is_trusted_server"] = false
	case shareTeam:
		out["share_with"], out["share_with_displayname"], out["share_with_avatar"] = sh.with, sh.with, ""
		if c := s.sharing.teams[sh.with]; c != nil {
			out["share_with_displayname"] = c.name + " (Team owned by " + s.displayName(c.members[0]) + ")"
		}
	case shareRoom:
		out["share_with"], out["share_with_displayname"], out["share_with_link"] = sh.with, "", base+"/call/"+sh.with
		if c := s.sharing.rooms[sh.with]; c != nil {
			out["share_with_displayname"] = c.name
		}
	default:
		out["share_with"], out["share_with_displayname"] = sh.with, sh.with
	}
}

// pendingJSON is a share that waits: Nextcloud tells only the name of the file, and no permissions.
func (s *Server) pendingJSON(base string, sh *share, a *account) shareJSON {
	out := s.formatShare(base, sh, a, seen(sh.node.home.byID(sh.node.id)))
	out["path"], out["permissions"] = "/"+sh.node.name, 0
	if sh.left[a.id] {
		// Nextcloud: what was declined is still listed; only this tells it from what waits.
		out["item_permissions"] = mayDelete
	}
	return out
}

// deletedJSON is a share that a member of a group removed for themselves. Its id carries the name of its provider, and
// its path is that of who shared it.
func (s *Server) deletedJSON(sh *share, a *account) shareJSON {
	f := seen(s.account(sh.by).files.byID(sh.node.id))
	if f == nil {
		return nil
	}
	out := shareJSON{
		"id": "ocinternal:" + itoaID(sh.id), "share_type": sh.kind, "uid_owner": sh.by, "displayname_owner": s.displayName(sh.by),
		"permissions": 0, "stime": sh.created.Unix(), "parent": nil, "expiration": nil, "token": nil,
		"uid_file_owner": sh.owner(), "displayname_file_owner": s.displayName(sh.owner()), "path": f.path,
		"share_with": sh.with, "share_with_displayname": sh.with,
	}
	addItem(out, f, sh.targetFor(a))
	for _, key := range []string{"has_preview", "is-mount-root", "mount-type"} {
		delete(out, key)
	}
	if !sh.expires.IsZero() {
		out["expiration"] = sh.expires.Format("2006-01-02 00:00:00")
	}
	return out
}

func (s *Server) displayName(uid string) string {
	if a := s.account(uid); a != nil {
		return a.profile().DisplayName
	}
	return uid
}

// flag is how PHP writes a bool into a number.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
