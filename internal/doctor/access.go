package doctor

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

// person is a client of Nextcloud with the credentials there are.
func (v *visit) person() (c *nextcloud.Client, bearer, ok bool) {
	credentials, ok := v.credentials()
	if !ok {
		return nil, false, false
	}
	_, bearer = credentials.(nextcloud.Bearer)
	return nextcloud.New(v.host, credentials, nil), bearer, true
}

// whose asks Nextcloud, once, who the credentials belong to.
func (v *visit) whose(ctx context.Context) (nextcloud.UserID, error) {
	c, _, ok := v.person()
	if !ok {
		return "", errNoCredentials
	}
	return c.UserID(ctx)
}

var errNoCredentials = errors.New("no credentials")

// checkUser finds out whose the credentials are.
func (v *visit) checkUser(context.Context) finding {
	_, bearer, ok := v.person()
	if !ok {
		return noCredentials()
	}
	user, err := v.user()
	if err != nil {
		return accessFails("OCS", err, bearer)
	}
	if !bearer && string(user) != string(v.cfg.Nextcloud.Username) {
		return otherUserID()
	}
	return accessWorks("OCS")
}

// family is a kind of API of Nextcloud, each with its own way of checking
// credentials.
type family struct {
	name   string
	method string
	path   func(user string) string
}

var (
	webDAV = family{"WebDAV", "PROPFIND", func(user string) string { return "/remote.php/dav/files/" + user + "/" }}
	calDAV = family{"CalDAV", "PROPFIND", func(user string) string { return "/remote.php/dav/calendars/" + user + "/" }}
	notes  = family{"Notes", "GET", func(string) string { return "/index.php/apps/notes/api/v1/settings" }}
)

// checkAccess tries the credentials at one family.
func checkAccess(f family) func(context.Context, *visit) finding {
	return func(ctx context.Context, v *visit) finding {
		c, bearer, ok := v.person()
		if !ok {
			return finding{} // that was said
		}
		user, err := v.user()
		if err != nil {
			return finding{} // that too
		}
		// Nextcloud: each request with a bearer token writes a session, and
		// SQLite does not take several at once.
		v.access.Lock()
		defer v.access.Unlock()
		r := nextcloud.Request{Op: "try " + f.name, Method: f.method, Path: f.path(url.PathEscape(string(user))), MaxBody: maxAnswer}
		if f.method == "PROPFIND" {
			r.Header = map[string][]string{"Depth": {"0"}}
			r.Accept = "application/xml"
		}
		_, err = c.Do(ctx, r)
		switch {
		case errors.Is(err, nextcloud.ErrNotFound) && f.name == notes.name:
			return appMissing("notes")
		case err != nil:
			return accessFails(f.name, err, bearer)
		}
		return accessWorks(f.name)
	}
}

// checkApps lists the apps that say something of themselves.
func (v *visit) checkApps(ctx context.Context) finding {
	c, bearer, ok := v.person()
	if !ok {
		return finding{} // that was said
	}
	v.access.Lock()
	defer v.access.Unlock()
	var page struct {
		Capabilities map[string]any `json:"capabilities"`
	}
	if err := c.OCS(ctx, nextcloud.Request{Op: "ask for capabilities", Path: "/ocs/v2.php/cloud/capabilities"}, &page); err != nil {
		return accessFails("OCS", err, bearer)
	}
	var have []string
	for _, app := range []string{"notes", "deck", "tables", "spreed", "mail", "news", "cookbook", "collectives", "files_sharing", "user_status"} {
		if _, there := page.Capabilities[app]; there {
			have = append(have, app)
		}
	}
	slices.Sort(have)
	return appsFound(strings.Join(have, ", "))
}
