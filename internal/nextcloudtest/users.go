package nextcloudtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// userData is what OCS tells people about themselves.
type userData struct {
	Enabled             bool            `json:"enabled"`
	ID                  string          `json:"id"`
	FirstLoginTimestamp int64           `json:"firstLoginTimestamp"`
	LastLoginTimestamp  int64           `json:"lastLoginTimestamp"`
	LastLogin           int64           `json:"lastLogin"` // milliseconds
	Backend             string          `json:"backend"`
	Subadmin            []string        `json:"subadmin"`
	Quota               map[string]any  `json:"quota"`
	Manager             string          `json:"manager"`
	AvatarScope         string          `json:"avatarScope"`
	Email               *string         `json:"email"`
	EmailScope          string          `json:"emailScope"`
	AdditionalMail      []string        `json:"additional_mail"`
	AdditionalMailScope []string        `json:"additional_mailScope"`
	DisplayName         string          `json:"displayname"`
	DisplayNameAgain    string          `json:"display-name"`
	DisplayNameScope    string          `json:"displaynameScope"`
	Phone               string          `json:"phone"`
	PhoneScope          string          `json:"phoneScope"`
	Address             string          `json:"address"`
	AddressScope        string          `json:"addressScope"`
	Website             string          `json:"website"`
	WebsiteScope        string          `json:"websiteScope"`
	Twitter             string          `json:"twitter"`
	TwitterScope        string          `json:"twitterScope"`
	Bluesky             string          `json:"bluesky"`
	BlueskyScope        string          `json:"blueskyScope"`
	Fediverse           string          `json:"fediverse"`
	FediverseScope      string          `json:"fediverseScope"`
	Organisation        string          `json:"organisation"`
	OrganisationScope   string          `json:"organisationScope"`
	Role                string          `json:"role"`
	RoleScope           string          `json:"roleScope"`
	Headline            string          `json:"headline"`
	HeadlineScope       string          `json:"headlineScope"`
	Biography           string          `json:"biography"`
	BiographyScope      string          `json:"biographyScope"`
	ProfileEnabled      string          `json:"profile_enabled"`
	ProfileEnabledScope string          `json:"profile_enabledScope"`
	Pronouns            string          `json:"pronouns"`
	PronounsScope       string          `json:"pronounsScope"`
	Groups              []string        `json:"groups"`
	Language            string          `json:"language"`
	Locale              string          `json:"locale"`
	TimeZone            string          `json:"timezone"`
	NotifyEmail         *string         `json:"notify_email"`
	BackendCapabilities map[string]bool `json:"backendCapabilities"`
}

func userDataOf(a *account) userData {
	a.mu.Lock()
	defer a.mu.Unlock()
	const local, federated = "v2-local", "v2-federated"
	u := a.user
	data := userData{
		Enabled:             !u.Disabled,
		ID:                  u.ID,
		FirstLoginTimestamp: unix(a.firstLogin),
		LastLoginTimestamp:  unix(a.lastLogin),
		LastLogin:           unix(a.lastLogin) * 1000,
		Backend:             "Database",
		Subadmin:            []string{},
		Quota:               a.files.quotaData(),
		AvatarScope:         federated, EmailScope: federated, DisplayNameScope: federated, PronounsScope: federated,
		AdditionalMail: []string{}, AdditionalMailScope: []string{},
		DisplayName: u.DisplayName, DisplayNameAgain: u.DisplayName,
		PhoneScope: local, AddressScope: local, WebsiteScope: local, TwitterScope: local, BlueskyScope: local,
		FediverseScope: local, OrganisationScope: local, RoleScope: local, HeadlineScope: local, BiographyScope: local,
		ProfileEnabled: "1", ProfileEnabledScope: local,
		Groups:              append([]string{}, u.Groups...),
		Language:            "en",
		TimeZone:            u.TimeZone,
		BackendCapabilities: map[string]bool{"setDisplayName": true, "setPassword": true},
	}
	if u.LoginName != u.ID {
		data.Backend = "LDAP"
	}
	if u.Email != "" {
		data.Email = &u.Email
	}
	return data
}

// quotaData is what OCS says about the room for files.
func (h *fileHome) quotaData() map[string]any {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	used, free := h.root.size, h.free()
	total, relative := h.quota, 0.0
	if h.quota > 0 {
		relative = float64(used*10_000/h.quota) / 100
	}
	return map[string]any{"free": free, "used": used, "total": total, "relative": relative, "quota": h.quota}
}

// unix is a time in seconds, zero when it never was.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func (s *Server) currentUser(w http.ResponseWriter, r *http.Request, a *account) {
	writeOCS(w, r, userDataOf(a))
}

func (s *Server) oneUser(w http.ResponseWriter, r *http.Request, a *account) {
	other := s.account(r.PathValue("id"))
	switch {
	case other == nil:
		writeOCSFailure(w, r, http.StatusNotFound, "User does not exist")
	case other != a && !a.profile().Admin:
		writeOCSFailure(w, r, ocsNotFound, "")
	default:
		writeOCS(w, r, userDataOf(other))
	}
}

// editUser changes the fields that simulated people can change of themselves.
func (s *Server) editUser(w http.ResponseWriter, r *http.Request, a *account) {
	if !s.passwordConfirmed(r) {
		refuseConfirmation(w, r)
		return
	}
	if r.PathValue("id") != a.id {
		writeOCSFailure(w, r, ocsNotFound, "")
		return
	}
	value := r.PostFormValue("value")
	a.mu.Lock()
	defer a.mu.Unlock()
	switch r.PostFormValue("key") {
	case "email":
		a.user.Email = value
	case "displayname", "display":
		a.user.DisplayName = value
	default:
		writeOCSFailure(w, r, 113, "")
		return
	}
	writeOCS(w, r, noData)
}

const notSubAdmin = "Logged in account must be at least a sub admin"

func (s *Server) users(w http.ResponseWriter, r *http.Request, a *account) {
	if !a.profile().Admin {
		writeOCSFailure(w, r, http.StatusForbidden, notSubAdmin)
		return
	}
	ids := []string{}
	for id := range s.accounts {
		if strings.Contains(strings.ToLower(id), strings.ToLower(r.URL.Query().Get("search"))) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	writeOCS(w, r, map[string]any{"users": ids})
}

func (s *Server) groups(w http.ResponseWriter, r *http.Request, a *account) {
	if !a.profile().Admin {
		writeOCSFailure(w, r, http.StatusForbidden, notSubAdmin)
		return
	}
	names := []string{"admin"}
	for _, other := range s.accounts {
		names = append(names, other.profile().Groups...)
	}
	slices.Sort(names)
	writeOCS(w, r, map[string]any{"groups": slices.Compact(names)})
}

func (s *Server) apps(w http.ResponseWriter, r *http.Request, a *account) {
	if !a.profile().Admin {
		writeOCSFailure(w, r, http.StatusForbidden, "Logged in account must be an admin")
		return
	}
	writeOCS(w, r, map[string]any{"apps": s.appNames()})
}

// ownApps would be the list for people who are no administrators. Nextcloud: 34 refuses it all the same.
func (s *Server) ownApps(w http.ResponseWriter, r *http.Request, a *account) {
	switch {
	case s.rules.major < 32:
		writeOCSFailure(w, r, ocsNotFound, "Invalid query, please check the syntax. API specifications are here: http://www.freedesktop.org/wiki/Specifications/open-collaboration-services.\n")
	case !a.profile().Admin:
		writeOCSFailure(w, r, http.StatusForbidden, notSubAdmin)
	default:
		writeOCS(w, r, map[string]any{"apps": s.appNames()})
	}
}

// navigation is the menu: an entry for each app that has pages.
func (s *Server) navigation(w http.ResponseWriter, r *http.Request, _ *account) {
	entries := []any{}
	for i, name := range s.appNames() {
		switch name {
		case "comments", "dav", "files_lock", "files_trashbin", "files_versions", "notifications", "oidc", "provisioning_api", "settings", "systemtags", "user_oidc":
			continue // no pages of their own
		}
		entries = append(entries, map[string]any{
			"id": name, "app": name, "order": i, "href": "/index.php/apps/" + name + "/", "icon": "/apps/" + name + "/img/app.svg",
			"type": "link", "name": strings.ToUpper(name[:1]) + name[1:], "active": false, "classes": "", "unread": 0, "default": i == 0,
		})
	}
	writeOCS(w, r, entries)
}

// appNames are the apps that are enabled, by id.
func (s *Server) appNames() []string {
	names := []string{
		"activity", "calendar", "comments", "dav", "files", "files_lock", "files_trashbin", "files_versions", "notifications", "provisioning_api", "settings",
		"systemtags",
	}
	if !s.opts.DisableMail {
		names = append(names, "mail")
	}
	if !s.opts.DisableNotes {
		names = append(names, "notes")
	}
	if !s.opts.DisableDeck {
		names = append(names, "deck")
	}
	if !s.opts.DisableTables {
		names = append(names, "tables")
	}
	if !s.opts.DisableTalk {
		names = append(names, "spreed")
	}
	if !s.opts.DisableOIDC {
		names = append(names, "oidc")
	}
	if !s.opts.DisableUserOIDC {
		names = append(names, "user_oidc")
	}
	return names
}

// passwordConfirmed tells whether a request may do what asks for the password again. People who sign in elsewhere, as
// bearer tokens stand for, have none to give.
func (s *Server) passwordConfirmed(r *http.Request) bool {
	return identityOf(r).how != byAppPassword
}

func refuseConfirmation(w http.ResponseWriter, r *http.Request) {
	writeOCSFailure(w, r, http.StatusForbidden, "Password confirmation is required")
}

// getAppPassword exchanges an account password or a bearer token for an app password, named by the User-Agent.
func (s *Server) getAppPassword(w http.ResponseWriter, r *http.Request, a *account) {
	who := identityOf(r)
	exchanged := who.how == byBearer
	switch {
	case !s.passwordConfirmed(r), exchanged && !s.rules.exchange:
		refuseConfirmation(w, r)
		return
	case s.opts.ForbidAppPasswords:
		writeOCSFailure(w, r, http.StatusForbidden, "Creating app passwords is disabled")
		return
	}
	secret := s.createAppPassword(a, who.loginName, r.UserAgent(), exchanged)
	writeOCS(w, r, map[string]string{"apppassword": secret})
}

func (s *Server) deleteOwnAppPassword(w http.ResponseWriter, r *http.Request, _ *account) {
	if secret := identityOf(r).secret; secret == "" || !s.revokeAppPassword(secret) {
		writeOCSFailure(w, r, http.StatusForbidden, "no app password in use")
		return
	}
	writeOCS(w, r, noData)
}

// rotateAppPassword replaces the app password of the request by a new secret for the same entry.
func (s *Server) rotateAppPassword(w http.ResponseWriter, r *http.Request, _ *account) {
	secret := s.changeAppPassword(identityOf(r).secret)
	if secret == "" {
		writeOCSFailure(w, r, http.StatusForbidden, "no app password in use")
		return
	}
	writeOCS(w, r, map[string]string{"apppassword": secret})
}
