package nextcloudtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shareFault is a refusal: an HTTP status and a sentence.
type shareFault struct {
	code    int
	message string
}

func refuseShare(code int, format string, args ...any) *shareFault {
	return &shareFault{code, fmt.Sprintf(format, args...)}
}

// What Nextcloud says when it does not want to say why.
var (
	failedToCreate = &shareFault{http.StatusForbidden, "Failed to create share."}
	failedToUpdate = &shareFault{http.StatusBadRequest, "Failed to update share."}
	noSuchShare    = &shareFault{http.StatusNotFound, "Wrong share ID, share does not exist"}
	noSuchPath     = &shareFault{http.StatusNotFound, "Wrong path, file/folder does not exist"}
)

// shareParams are the parameters of a request, from its query, form or JSON object.
type shareParams map[string]string

func readShareParams(r *http.Request) (shareParams, *shareFault) {
	p := shareParams{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var body map[string]any
		decoder := json.NewDecoder(r.Body)
		decoder.UseNumber() // a large id is no float
		if err := decoder.Decode(&body); err != nil {
			return nil, refuseShare(http.StatusBadRequest, "")
		}
		for name, value := range body {
			if value != nil {
				p[name] = phpString(value)
			}
		}
	} else if err := r.ParseForm(); err != nil {
		return nil, refuseShare(http.StatusBadRequest, "")
	}
	for name, values := range r.Form {
		p[name] = values[0]
	}
	return p, nil
}

func (p shareParams) number(name string) (int, bool) {
	text, ok := p[name]
	n, err := strconv.Atoi(text)
	return n, ok && err == nil
}

// rights are the permissions of a request, if it says any.
func (p shareParams) rights() (rights, bool) {
	n, given := p.number("permissions")
	return rights(n), given
}

// createShare answers POST shares.
func (s *Server) createShare(a *account, p shareParams) (*share, *shareFault) {
	if s.opts.Sharing.RateLimit {
		if f := s.limitShares(a); f != nil {
			return nil, f
		}
	}
	name, ok := p["path"]
	if !ok {
		return nil, refuseShare(http.StatusNotFound, "Please specify a file or folder path")
	}
	f := seen(a.files.find(name))
	if f == nil {
		return nil, noSuchPath
	}
	sh := &share{
		kind: -1, node: f.node, by: a.id, created: s.now(), note: p["note"], accepted: map[string]bool{}, left: map[string]bool{},
	}
	if kind, given := p.number("shareType"); given {
		sh.kind = kind
	}
	if fault := s.permissionsOfNew(sh, f, p); fault != nil {
		return nil, fault
	}
	if fault := sh.setAttributes(p); fault != nil {
		return nil, fault
	}
	noEnd := false
	if text, given := p["expireDate"]; given {
		date, fault := shareDate(a, text)
		if fault != nil {
			return nil, refuseShare(http.StatusNotFound, "%s", fault.message)
		}
		sh.expires, noEnd = date, text == ""
	}
	sh.mail = p["sendMail"] == "true" || (p["sendMail"] == "" && (sh.kind != shareMail || p["shareWith"] != ""))
	if fault := s.recipientOfNew(sh, f, p); fault != nil {
		return nil, fault
	}
	if fault := s.checkShare(sh, f); fault != nil {
		return nil, fault
	}
	if existing := s.sameShare(sh); existing != nil {
		if sh.kind == shareMail || sh.kind == shareFederated {
			return nil, failedToCreate
		}
		// Nextcloud: what is shared with somebody already is answered as it is, whatever was asked for.
		again := *existing
		again.mail = false
		return &again, nil
	}
	if fault := s.checkExpiry(sh, a, noEnd, true); fault != nil {
		return nil, fault
	}
	if fault := s.checkLink(sh, f); fault != nil {
		return nil, fault
	}
	d := &s.sharing
	if len(d.shares) >= maxShares {
		return nil, failedToCreate
	}
	d.lastID++
	sh.id = d.lastID
	for _, uid := range s.recipients(sh) {
		sh.accepted[uid] = !s.opts.Sharing.MustAccept || (sh.kind != shareUser && sh.kind != shareGroup)
	}
	d.shares = append(d.shares, sh)
	s.settleShares(sh.node)
	return sh, nil
}

// limitShares counts what one user shares within ten minutes.
func (s *Server) limitShares(a *account) *shareFault {
	d := &s.sharing
	if d.created == nil {
		d.created = map[string][]time.Time{}
	}
	recent := slices.DeleteFunc(d.created[a.id], func(t time.Time) bool { return s.now().Sub(t) >= 10*time.Minute })
	if len(recent) >= 20 {
		return refuseShare(http.StatusTooManyRequests, "")
	}
	d.created[a.id] = append(recent, s.now())
	return nil
}

func (s *Server) permissionsOfNew(sh *share, f *spot, p shareParams) *shareFault {
	permissions, given := p.rights()
	if sh.kind == shareLink || sh.kind == shareMail {
		if !given {
			permissions = mayRead
		}
		fault := s.linkPermissions(&permissions, f, p["publicUpload"])
		if fault != nil {
			return fault
		}
	} else {
		if !given {
			permissions = rights(s.opts.Sharing.DefaultPermissions)
		}
		permissions |= mayRead
	}
	if !f.node.isFolder() {
		permissions &^= mayCreate | mayDelete
	}
	sh.permissions = permissions
	return nil
}

// linkPermissions completes and checks the permissions of a link or a share by mail.
func (s *Server) linkPermissions(permissions *rights, f *spot, publicUpload string) *shareFault {
	switch publicUpload {
	case "true":
		*permissions = mayRead | mayCreate | mayUpdate | mayDelete
	case "false":
		*permissions = mayRead
	}
	if *permissions&mayRead != 0 && !s.opts.Sharing.NoFederation {
		*permissions |= mayShare
	}
	switch {
	case publicUpload == "true" && !f.node.isFolder():
		return refuseShare(http.StatusBadRequest, "Public upload is only possible for publicly shared folders")
	case *permissions&(mayRead|mayCreate) == 0:
		return refuseShare(http.StatusBadRequest, "Share must at least have READ or CREATE permissions")
	case *permissions&mayRead == 0 && *permissions&(mayUpdate|mayDelete) != 0:
		return refuseShare(http.StatusBadRequest, "Share must have READ permission if UPDATE or DELETE permission is set")
	case *permissions&mayCreate != 0 && s.opts.Sharing.NoPublicUpload:
		return refuseShare(http.StatusForbidden, "Public upload disabled by the administrator")
	}
	return nil
}

// recipientOfNew reads whom a new share is for.
func (s *Server) recipientOfNew(sh *share, f *spot, p shareParams) *shareFault {
	with, given := p["shareWith"]
	switch sh.kind {
	case shareUser:
		if s.account(with) == nil {
			return refuseShare(http.StatusNotFound, "Please specify a valid account to share with")
		}
	case shareGroup:
		if s.opts.Sharing.NoGroups {
			return refuseShare(http.StatusNotFound, "Group sharing is disabled by the administrator")
		}
		if !s.groupExists(with) {
			return refuseShare(http.StatusNotFound, "Please specify a valid group")
		}
	case shareLink, shareMail:
		if fault := s.linkOfNew(sh, f, p); fault != nil {
			return fault
		}
		if sh.kind == shareLink {
			// Nextcloud: a link takes no recipient, and says nothing when it is given one.
			return nil
		}
	case shareFederated:
		if s.opts.Sharing.NoFederation {
			return refuseShare(http.StatusForbidden, "Sharing /%s/files%s failed because the back end does not allow shares from type %d", sh.by, f.path, sh.kind)
		}
		if !given {
			return refuseShare(http.StatusNotFound, "Please specify a valid federated account ID")
		}
		user, host, ok := strings.Cut(with, "@")
		switch {
		case !ok || user == "":
			return refuseShare(http.StatusForbidden, "Invalid cloud id")
		case strings.HasSuffix(host, ".invalid"):
			return failedToCreate
		}
		sh.token = randomText(15)
	case shareTeam:
		if s.sharing.teams[with] == nil {
			// Nextcloud: an exception of the Teams app that nothing catches.
			return refuseShare(ocsServerError, "Internal Server Error\n")
		}
	case shareRoom:
		if s.sharing.rooms[with] == nil {
			return refuseShare(http.StatusNotFound, "Conversation not found")
		}
		sh.token = randomText(15)
	default:
		return refuseShare(http.StatusBadRequest, "Unknown share type")
	}
	sh.with = with
	return nil
}

func (s *Server) linkOfNew(sh *share, f *spot, p shareParams) *shareFault {
	if s.opts.Sharing.NoLinks {
		return refuseShare(http.StatusNotFound, "Public link sharing is disabled by the administrator")
	}
	// Once more, now that a file has lost the permissions it cannot have.
	if fault := s.linkPermissions(&sh.permissions, f, ""); fault != nil {
		return fault
	}
	sh.password, sh.token = p["password"], randomText(15)
	if sh.kind == shareMail && sh.mail {
		if _, err := mail.ParseAddress(p["shareWith"]); err != nil {
			return refuseShare(http.StatusNotFound, "Please specify a valid email address")
		}
	}
	return sh.setLabel(p)
}

func (sh *share) setLabel(p shareParams) *shareFault {
	if label, given := p["label"]; given {
		if len(label) > 255 {
			return refuseShare(http.StatusBadRequest, "Maximum label length is 255")
		}
		sh.label = label
	}
	return nil
}

func (sh *share) setAttributes(p shareParams) *shareFault {
	text, given := p["attributes"]
	if !given {
		return nil
	}
	var list []shareAttribute
	if json.Unmarshal([]byte(text), &list) != nil {
		return refuseShare(http.StatusBadRequest, "Invalid share attributes provided: %q", text)
	}
	sh.attributes = list
	return nil
}

// checkShare are the rules for every share, new or changed.
func (s *Server) checkShare(sh *share, f *spot) *shareFault {
	rules := s.opts.Sharing
	forbidden := func(message string) *shareFault { return &shareFault{http.StatusForbidden, message} }
	switch {
	case rules.Disabled:
		return failedToCreate
	case sh.kind == shareMail && sh.with == "":
		return forbidden("Share recipient should not be empty")
	case sh.kind == shareUser && sh.with == sh.by:
		return forbidden("Cannot share with yourself")
	case f.path == "/":
		return forbidden("You cannot share your root folder")
	case f.rights&mayShare == 0:
		return refuseShare(http.StatusNotFound, "You are not allowed to share %s", f.node.name)
	case sh.permissions < 0 || sh.permissions > allRights:
		return forbidden("Valid permissions are required for sharing")
	case !f.node.isFolder() && sh.permissions&(mayCreate|mayDelete) != 0:
		return forbidden("File shares cannot have create or delete permissions")
	case sh.permissions&^f.rights != 0:
		return refuseShare(http.StatusNotFound, "Cannot increase permissions of %s", f.path)
	case sh.kind != shareLink && sh.kind != shareMail && sh.permissions&mayRead == 0:
		return forbidden("Shares need at least read permissions")
	case f.node.isFolder() && holdsMount(f.node):
		return forbidden("You cannot share a folder that contains other shares")
	case sh.kind == shareUser && rules.OnlyGroupMembers && !s.shareGroups(sh.by, sh.with):
		return failedToCreate
	case sh.kind == shareUser && sh.with == sh.owner():
		return forbidden("Cannot share with the share owner")
	}
	return nil
}

// holdsMount reports whether a folder holds something that others shared with its owner.
func holdsMount(n *fileNode) bool {
	for _, c := range n.children {
		if c.mount != nil || holdsMount(c) {
			return true
		}
	}
	return false
}

func (s *Server) shareGroups(one, other string) bool {
	return slices.ContainsFunc(s.account(one).profile().Groups, func(g string) bool { return slices.Contains(s.membersOf(g), other) })
}

// sameShare is the share of the same file with the same recipient, if there is one.
func (s *Server) sameShare(sh *share) *share {
	for _, other := range s.live() {
		if other.kind == sh.kind && other.with == sh.with && other.node == sh.node && sh.with != "" {
			return other
		}
	}
	return nil
}

// checkLink are the rules of links and shares by mail.
func (s *Server) checkLink(sh *share, f *spot) *shareFault {
	if sh.kind != shareLink && sh.kind != shareMail {
		return nil
	}
	if f.node.isFolder() && s.opts.Sharing.NoPublicUpload && sh.permissions&(mayCreate|mayUpdate|mayDelete) != 0 {
		return refuseShare(http.StatusForbidden, "Public upload is not allowed")
	}
	return s.checkSharePassword(sh.password)
}

// checkSharePassword is the password policy; an empty password is none.
func (s *Server) checkSharePassword(password string) *shareFault {
	var wrong []string
	switch {
	case password == "" && s.opts.Sharing.EnforceLinkPassword:
		return refuseShare(http.StatusForbidden, "Passwords are enforced for link and mail shares")
	case password == "":
		return nil
	}
	if slices.Contains([]string{"123", "1234567890", "password", "qwertyuiop"}, password) {
		wrong = append(wrong, "Password is among the 1,000,000 most common ones. Please make it unique.")
	}
	if len(password) < 10 {
		wrong = append(wrong, "Password needs to be at least 10 characters long.")
	}
	if len(wrong) > 0 {
		return refuseShare(http.StatusBadRequest, "%s", strings.Join(wrong, " "))
	}
	return nil
}

// shareDate reads a date: its day in the user's time zone, up to its end.
func shareDate(a *account, text string) (time.Time, *shareFault) {
	if text == "" {
		return time.Time{}, nil
	}
	day, _, _ := strings.Cut(strings.Trim(text, `"`), "T")
	date, err := time.ParseInLocation("2006-01-02", day, zoneOf(a))
	if err != nil {
		return time.Time{}, refuseShare(http.StatusBadRequest, "Invalid date. Format must be YYYY-MM-DD")
	}
	return endOfDay(date), nil
}

func endOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 23, 59, 59, 0, t.Location())
}

// checkExpiry applies the default and the limits of expiry dates.
func (s *Server) checkExpiry(sh *share, a *account, noEnd, isNew bool) *shareFault {
	rules := s.opts.Sharing
	days, enforced := rules.InternalExpireDays, rules.EnforceInternalExpiry
	switch sh.kind {
	case shareLink, shareMail:
		days, enforced = rules.LinkExpireDays, rules.EnforceLinkExpiry
	case shareFederated:
		days, enforced = rules.RemoteExpireDays, rules.EnforceRemoteExpiry
	case shareUser, shareGroup:
	default:
		return nil
	}
	enforced = enforced && days > 0
	if noEnd && !enforced {
		return nil
	}
	now := s.now().In(zoneOf(a))
	today := endOfDay(now)
	if !sh.expires.IsZero() && sh.expires.Before(today.AddDate(0, 0, -1).Add(time.Second)) {
		return refuseShare(http.StatusNotFound, "Expiration date is in the past")
	}
	if sh.expires.IsZero() && isNew && days > 0 {
		sh.expires = today.AddDate(0, 0, days)
	}
	if enforced && sh.expires.IsZero() {
		return refuseShare(http.StatusForbidden, "Expiration date is enforced")
	}
	if enforced && sh.expires.After(today.AddDate(0, 0, days)) {
		return refuseShare(http.StatusNotFound, "Cannot set expiration date more than %d days in the future", days)
	}
	return nil
}

// updateShare answers PUT shares/{id}. What is not given stays as it is.
func (s *Server) updateShare(a *account, old *share, p shareParams) *shareFault {
	switch {
	case !s.canAccess(old, a, false):
		return noSuchShare
	case !old.canEdit(a):
		return refuseShare(http.StatusForbidden, "You are not allowed to edit incoming shares")
	}
	given := func(name string) bool { _, ok := p[name]; return ok }
	if !slices.ContainsFunc([]string{
		"permissions", "password", "sendPasswordByTalk", "publicUpload", "expireDate", "note", "label", "hideDownload", "attributes", "sendMail", "token",
	}, given) {
		return refuseShare(http.StatusBadRequest, "Wrong or no update parameter given")
	}
	f := seen(a.files.byID(old.node.id))
	if f == nil {
		return noSuchShare
	}
	sh := *old
	if given("note") {
		sh.note = p["note"]
	}
	if fault := sh.setAttributes(p); fault != nil {
		return fault
	}
	if given("sendMail") {
		sh.mail = p["sendMail"] == "true"
	}
	if fault := s.updateKind(&sh, f, p); fault != nil {
		return fault
	}
	if given("expireDate") {
		date, fault := shareDate(a, p["expireDate"])
		if fault != nil {
			return fault
		}
		sh.expires = date
	}
	if fault := s.checkShare(&sh, f); fault != nil {
		return unexplained(fault)
	}
	if fault := s.checkExpiry(&sh, a, false, false); fault != nil {
		return unexplained(fault)
	}
	if sh.password != old.password {
		if fault := s.checkSharePassword(sh.password); fault != nil {
			return unexplained(fault)
		}
	}
	if sh.byTalk && sh.password == "" {
		return failedToUpdate
	}
	*old = sh
	s.settleShares(sh.node)
	return nil
}

// unexplained is a refusal of an update: Nextcloud says why only for the refusals that it gave a code of their own.
func unexplained(f *shareFault) *shareFault {
	if f.code == http.StatusForbidden {
		return failedToUpdate
	}
	return f
}

// updateKind changes what depends on the kind of the share.
func (s *Server) updateKind(sh *share, f *spot, p shareParams) *shareFault {
	permissions, given := p.rights()
	if sh.kind != shareLink && sh.kind != shareMail {
		if given {
			sh.permissions = permissions
		}
		return nil
	}
	switch p["hideDownload"] {
	case "true":
		sh.hide = true
	case "false":
		sh.hide = false
	}
	if upload, asked := p["publicUpload"]; given || asked {
		if !given {
			permissions = mayRead
		}
		if fault := s.linkPermissions(&permissions, f, upload); fault != nil {
			return fault
		}
		sh.permissions = permissions
	}
	if password, asked := p["password"]; asked {
		sh.password = password
	}
	if fault := sh.setLabel(p); fault != nil {
		return fault
	}
	if talk, asked := p["sendPasswordByTalk"]; asked {
		sh.byTalk = talk == "true"
	}
	if token, asked := p["token"]; asked {
		if !s.opts.Sharing.CustomTokens {
			return refuseShare(http.StatusForbidden, "Custom share link tokens have been disabled by the administrator")
		}
		if token == "" || strings.Trim(token, alphanumeric+"-") != "" {
			return refuseShare(http.StatusBadRequest, "Tokens must contain at least 1 character and may only contain letters, numbers, or a hyphen")
		}
		sh.token = token
	}
	return nil
}
