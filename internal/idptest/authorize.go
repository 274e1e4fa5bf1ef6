package idptest

import (
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const sessionCookie = "idptest"

// authorize is the authorization endpoint (RFC 6749, 4.1.1; OpenID Connect
// Core, 3.1.2).
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !s.provenClient(w, q) {
		return
	}
	if code := s.wrongWith(q); code != "" {
		s.sendBack(w, r, q, url.Values{"error": {code}})
		return
	}
	user, signedIn := s.session(r)
	prompts := strings.Fields(q.Get("prompt"))
	switch {
	case !signedIn && slices.Contains(prompts, "none"):
		s.sendBack(w, r, q, url.Values{"error": {"login_required"}})
	case !signedIn, slices.Contains(prompts, "login"):
		writePage(w, http.StatusOK, "Sign in", loginForm(q, ""))
	case s.opts.Consent:
		writePage(w, http.StatusOK, "Allow access", markup(`<p>Allow %s, %s?</p>
<form method="post" action="/consent"><input type="hidden" name="query" value="%s">
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>`, q.Get("client_id"), user.Name, q.Encode()))
	default:
		s.sendBack(w, r, q, url.Values{"code": {s.issueCode(q, user)}})
	}
}

// provenClient reports whether client and redirect belong together. Otherwise
// it answers with a page: nothing may be sent to an unproven redirect.
func (s *Server) provenClient(w http.ResponseWriter, q url.Values) bool {
	s.mu.Lock()
	c, ok := s.clients[q.Get("client_id")]
	s.mu.Unlock()
	if !ok || !slices.Contains(c.RedirectURIs, q.Get("redirect_uri")) {
		writePage(w, http.StatusBadRequest, "Error", "<p>Unknown client or redirect.</p>")
		return false
	}
	return true
}

func (s *Server) wrongWith(q url.Values) string {
	scopes := strings.Fields(q.Get("scope"))
	switch {
	case q.Get("response_type") != "code":
		return "unsupported_response_type"
	case q.Get("code_challenge_method") != "S256", len(q.Get("code_challenge")) != 43, !slices.Contains(scopes, "openid"):
		return "invalid_request"
	case slices.ContainsFunc(scopes, func(scope string) bool { return !s.knows(scope) }):
		return "invalid_scope"
	}
	return ""
}

// sendBack answers to the client.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, q, answer url.Values) {
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if s.opts.Keycloak && answer.Has("code") {
		answer.Set("session_state", rand.Text())
	}
	s.mu.Lock()
	other := s.callback
	s.mu.Unlock()
	switch {
	case other != "":
		answer.Set("iss", other)
	case s.opts.IssParameter, s.opts.Keycloak:
		answer.Set("iss", s.Issuer())
	}
	target, separator := q.Get("redirect_uri"), "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	http.Redirect(w, r, target+separator+answer.Encode(), http.StatusSeeOther) //nolint:gosec // registered with the client
}

func loginForm(q url.Values, problem string) string {
	return markup(`<p role="alert">%s</p>
<form method="post" action="/login"><input type="hidden" name="query" value="%s">
<label>User name <input type="text" name="username" autocomplete="username"></label>
<label>Password <input type="password" name="password" autocomplete="current-password"></label>
<button type="submit">Sign in</button></form>`, problem, q.Encode())
}

// login is the login form. It goes on with the authorization request.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.PostFormValue("query"))
	if err != nil {
		http.Error(w, "bad form", http.StatusBadRequest)
		return
	}
	i := slices.IndexFunc(s.opts.Users, func(u User) bool {
		return strings.EqualFold(u.Username, r.PostFormValue("username")) && same(u.Password, r.PostFormValue("password"))
	})
	if i < 0 {
		writePage(w, http.StatusOK, "Sign in", loginForm(q, "Wrong user name or password."))
		return
	}
	id := rand.Text()
	s.mu.Lock()
	disabled := s.disabled[s.opts.Users[i].Username]
	if !disabled {
		keep(s.sessions, id, s.opts.Users[i])
	}
	s.mu.Unlock()
	if disabled {
		writePage(w, http.StatusOK, "Sign in", loginForm(q, "Account is disabled, contact your administrator."))
		return
	}
	//nolint:gosec // a simulator on loopback has no TLS, so the cookie cannot be Secure
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	q.Del("prompt")
	http.Redirect(w, r, "/authorize?"+q.Encode(), http.StatusSeeOther) //nolint:gosec // a path of its own
}

func (s *Server) consent(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.PostFormValue("query"))
	user, ok := s.session(r)
	if err != nil || !ok || !s.provenClient(w, q) {
		http.Error(w, "bad form", http.StatusBadRequest)
		return
	}
	if r.PostFormValue("decision") != "allow" || s.wrongWith(q) != "" {
		s.sendBack(w, r, q, url.Values{"error": {"access_denied"}})
		return
	}
	s.sendBack(w, r, q, url.Values{"code": {s.issueCode(q, user)}})
}

// session is who a browser is signed in as.
func (s *Server) session(r *http.Request) (User, bool) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return User{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.sessions[c.Value]
	return u, ok && !s.disabled[u.Username]
}

// markup is format with its arguments escaped for HTML.
func markup(format string, args ...string) string {
	escaped := make([]any, len(args))
	for i, a := range args {
		escaped[i] = html.EscapeString(a)
	}
	return fmt.Sprintf(format, escaped...)
}

func writePage(w http.ResponseWriter, status int, title, content string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The only way this fails is a client that has gone away.
	_, _ = io.WriteString(w, markup(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>%[1]s – Simulated provider</title></head><body><main><h1>%[1]s</h1>`, title)+content+"</main></body></html>")
}
