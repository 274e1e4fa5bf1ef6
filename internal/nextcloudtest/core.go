package nextcloudtest

import (
	"crypto/md5" //nolint:gosec // Nextcloud's own way to make an ETag
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
)

func (s *Server) routesCore() {
	s.handle("GET /status.php", familyOpen, s.status)
	for _, service := range []string{"caldav", "carddav"} {
		// Any method: clients look for the service with PROPFIND.
		s.handle("/.well-known/"+service, familyOpen, s.wellKnownDAV)
	}
	s.handle("GET /.well-known/webfinger", familyOpen, s.webfinger)
	s.handle("/.well-known/{service}", familyOpen, s.wellKnownUnsupported)

	s.handle("GET /ocs/v2.php/cloud/capabilities", familyOCSPublic, s.capabilities)
	s.handle("GET /ocs/v2.php/cloud/user", familyOCS, s.currentUser)
	s.handle("GET /ocs/v2.php/cloud/users/{id}", familyOCS, s.oneUser)
	s.handle("PUT /ocs/v2.php/cloud/users/{id}", familyOCS, s.editUser)
	s.handle("GET /ocs/v2.php/cloud/users", familyOCS, s.users)
	s.handle("GET /ocs/v2.php/cloud/groups", familyOCS, s.groups)
	s.handle("GET /ocs/v2.php/cloud/apps", familyOCS, s.apps)
	s.handle("GET /ocs/v2.php/cloud/user/apps", familyOCS, s.ownApps)
	s.handle("GET /ocs/v2.php/core/navigation/apps", familyOCS, s.navigation)

	s.handle("GET /ocs/v2.php/core/getapppassword", familyOCS, s.getAppPassword)
	s.handle("DELETE /ocs/v2.php/core/apppassword", familyOCS, s.deleteOwnAppPassword)
	s.handle("POST /ocs/v2.php/core/apppassword/rotate", familyOCS, s.rotateAppPassword)
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request, _ *account) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(phpJSON(struct {
		Installed       bool   `json:"installed"`
		Maintenance     bool   `json:"maintenance"`
		NeedsDBUpgrade  bool   `json:"needsDbUpgrade"`
		Version         string `json:"version"`
		VersionString   string `json:"versionstring"`
		Edition         string `json:"edition"`
		ProductName     string `json:"productname"`
		ExtendedSupport bool   `json:"extendedSupport"`
	}{
		Installed:     true,
		Maintenance:   s.switches().maintenance,
		Version:       s.opts.Version + ".2",
		VersionString: s.opts.Version,
		ProductName:   "Nextcloud",
	}))
}

func (s *Server) wellKnownDAV(w http.ResponseWriter, r *http.Request, _ *account) {
	w.Header().Set("Location", s.base(r)+"/remote.php/dav/")
	w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
	w.WriteHeader(http.StatusMovedPermanently)
	writeString(w, "<!DOCTYPE html><title>301 Moved Permanently</title><h1>Moved Permanently</h1>")
}

func (s *Server) webfinger(w http.ResponseWriter, r *http.Request, _ *account) {
	resource := r.URL.Query().Get("resource")
	w.Header().Set("X-NEXTCLOUD-WELL-KNOWN", "1")
	links := []map[string]string{}
	if !s.opts.DisableOIDC {
		links = append(links, map[string]string{"rel": "http://openid.net/specs/connect/1.0/issuer", "href": s.base(r)})
	}
	writeJSON(w, http.StatusOK, map[string]any{"subject": strings.TrimPrefix(resource, "acct:"), "links": links})
}

func (s *Server) wellKnownUnsupported(w http.ResponseWriter, r *http.Request, _ *account) {
	w.Header().Set("X-NEXTCLOUD-WELL-KNOWN", "1")
	writeJSON(w, http.StatusNotFound, map[string]string{"message": r.PathValue("service") + " not supported"})
}

// capabilities lists those of the apps that are simulated.
func (s *Server) capabilities(w http.ResponseWriter, r *http.Request, a *account) {
	base := s.base(r)
	list := map[string]any{
		"bruteforce": map[string]any{"delay": 0, "allow-listed": false},
		"calendar":   map[string]any{"webui": true},
		"theming": map[string]any{
			"name": "Simulated Nextcloud", "productName": "Nextcloud", "url": "https://nextcloud.com", "slogan": "a safe home for all your data",
			"color": "#00679e", "color-text": "#ffffff", "logo": base + "/core/img/logo/logo.svg?v=0",
		},
	}
	if a != nil {
		list["core"] = map[string]any{
			"pollinterval": 60, "webdav-root": "remote.php/webdav", "reference-api": true, "mod-rewrite-working": true,
			"user":                 map[string]any{"language": "", "locale": "", "timezone": a.profile().TimeZone},
			"can-create-app-token": !s.opts.ForbidAppPasswords,
		}
		list["dav"] = map[string]any{
			"chunking": "1.0", "public_shares_chunking": true, "search_supports_creation_time": true, "search_supports_upload_time": true,
			"search_supports_last_activity": true, "bulkupload": "1.0", "absence-supported": true, "absence-replacement": true,
		}
		list["files"] = filesCapability()
		list["systemtags"] = map[string]any{"enabled": true}
		list["provisioning_api"] = map[string]any{"version": "1.24.0", "AccountPropertyScopesVersion": 2, "AccountPropertyScopesFederatedEnabled": true, "AccountPropertyScopesPublishedEnabled": false}
		list["notifications"] = map[string]any{
			"ocs-endpoints": []string{"list", "get", "delete", "delete-all", "icons", "rich-strings", "action-web", "user-status", "exists", "test-push"},
		}
		list["activity"] = map[string]any{"apiv2": []string{"filters", "filters-api", "previews", "rich-strings"}}
		list["password_policy"] = map[string]any{"minLength": 10}
		list["files_sharing"] = s.sharingCapabilities()
		if !s.opts.DisableNotes {
			list["notes"] = map[string]any{"api_version": []string{"0.2", "1.3", "1.4"}, "version": "6.0.2", "notes_path": "Notes"}
		}
		if !s.opts.DisableDeck {
			list["deck"] = map[string]any{"version": "1.19.0-beta.1", "canCreateBoards": true, "apiVersions": []string{"1.0", "1.1"}}
		}
		if !s.opts.DisableTables {
			list["tables"] = map[string]any{
				"enabled": true, "version": "2.2.2", "apiVersions": []string{"1.0", "2.0", "2.1"}, "features": []string{"favorite", "archive"},
				"isCirclesEnabled": true, "column_types": []string{
					"text-line", "text-rich", "text-link", "number", "number-stars", "number-progress", "selection", "selection-multi",
					"selection-check", "datetime", "datetime-date", "datetime-time", "usergroup",
				},
			}
		}
		if !s.opts.DisableTalk {
			list["spreed"] = talkCapability()
		}
	}
	data := struct {
		Version      any `json:"version"`
		Capabilities any `json:"capabilities"`
	}{
		Version: struct {
			Major           int    `json:"major"`
			Minor           int    `json:"minor"`
			Micro           int    `json:"micro"`
			String          string `json:"string"`
			Edition         string `json:"edition"`
			ExtendedSupport bool   `json:"extendedSupport"`
		}{s.rules.major, s.rules.minor, s.rules.micro, s.opts.Version, "", false},
		Capabilities: list,
	}
	sum := md5.Sum(phpJSON(data)) //nolint:gosec // as above
	etag := fmt.Sprintf("%q", hex.EncodeToString(sum[:]))
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeOCS(w, r, data)
}
