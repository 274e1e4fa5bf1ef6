package nextcloudtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// consentLife is how long a choice of scopes lasts.
const consentLife = 90 * 24 * time.Hour

type consentKey struct{ user, client string }

type consent struct {
	scopes  []string
	expires time.Time
}

// consented tells whether a user has agreed to all these scopes for a client.
func (s *Server) consented(a *account, c *oauthClient, scope string) bool {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	given, ok := s.oidc.consents[consentKey{a.id, c.id}]
	if !ok || s.now().After(given.expires) {
		return false
	}
	for one := range strings.FieldsSeq(scope) {
		if !slices.Contains(given.scopes, one) {
			return false
		}
	}
	return true
}

// RevokeConsents forgets all consents of a user, as the user can in the settings.
func (s *Server) RevokeConsents(userID string) {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	for key := range s.oidc.consents {
		if key.user == userID {
			delete(s.oidc.consents, key)
		}
	}
}

func consentPage(client, name, requestToken string, scopes []string) string {
	var boxes strings.Builder
	for _, scope := range scopes {
		if scope == "openid" {
			boxes.WriteString(`<input type="hidden" name="scopes" value="openid">
<label><input type="checkbox" checked disabled> openid (required)</label>
`)
			continue
		}
		boxes.WriteString(markup(`<label><input type="checkbox" name="scopes" value="%[1]s" checked> %[1]s</label>
`, scope))
	}
	return markup(`<p><strong>%s</strong> wants to access your account, %s.</p>
<form method="post" action="/apps/oidc/consent/grant">
<input type="hidden" name="requesttoken" value="%s">
<fieldset>
<legend>Choose what it may do</legend>
`, client, name, requestToken) + boxes.String() + `</fieldset>
<button type="submit">Allow</button>
<button type="submit" class="secondary" formaction="/apps/oidc/consent/deny">Deny</button>
</form>`
}

// pending returns the authorization request that waits for a session's consent.
func (s *Server) pending(one *session) url.Values {
	if one == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	query, err := url.ParseQuery(one.authorize)
	if err != nil || one.authorize == "" {
		return nil
	}
	return query
}

func (s *Server) settle(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.authorize = ""
}

func (s *Server) showConsent(w http.ResponseWriter, r *http.Request, a *account) {
	one := s.session(r)
	query := s.pending(one)
	if query == nil {
		writePage(w, http.StatusOK, "Error", "No consent request pending.")
		return
	}
	s.oidc.mu.Lock()
	name := "Unknown Application"
	if c := s.oidc.clients[query.Get("client_id")]; c != nil {
		name = c.name
	}
	s.oidc.mu.Unlock()
	content := consentPage(name, a.profile().DisplayName, one.csrf, strings.Fields(query.Get("scope")))
	renderPage(w, http.StatusOK, "Authorize access", content)
}

// grantConsent remembers the choice and goes back to the authorization endpoint with the scopes that are left.
func (s *Server) grantConsent(w http.ResponseWriter, r *http.Request, a *account) {
	one := s.session(r)
	query := s.pending(one)
	if query == nil {
		redirect(w, s.base(r))
		return
	}
	requested := strings.Fields(query.Get("scope"))
	granted := requested
	// The page sends one field a scope, Nextcloud's script one field with all.
	if r.ParseForm() == nil && r.PostForm.Has("scopes") {
		granted = strings.Fields(strings.Join(r.PostForm["scopes"], " "))
	}
	granted = slices.DeleteFunc(slices.Clone(granted), func(scope string) bool { return !slices.Contains(requested, scope) })
	if !slices.Contains(granted, "openid") {
		granted = append([]string{"openid"}, granted...)
	}
	s.oidc.mu.Lock()
	if len(s.oidc.consents) >= maxConsents {
		clear(s.oidc.consents)
	}
	s.oidc.consents[consentKey{a.id, query.Get("client_id")}] = consent{scopes: granted, expires: s.now().Add(consentLife)}
	s.oidc.mu.Unlock()
	s.settle(one)
	query.Set("scope", strings.Join(granted, " "))
	redirect(w, "/apps/oidc/authorize?"+strings.ReplaceAll(query.Encode(), "+", "%20"))
}

func (s *Server) denyConsent(w http.ResponseWriter, r *http.Request, _ *account) {
	one := s.session(r)
	query := s.pending(one)
	if query == nil {
		redirect(w, s.base(r))
		return
	}
	s.settle(one)
	redirect(w, errorRedirect(query, "?", "access_denied", "The user denied the request."))
}
