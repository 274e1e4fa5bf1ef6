package nextcloudtest

import (
	"net/http"
	"net/url"
	"strings"
)

type loginForm struct {
	Error, User, RedirectURL, RequestToken string
}

func (f loginForm) page() string {
	problem, query := "", ""
	if f.Error != "" {
		problem = markup(`<p class="error" role="alert">%s</p>`, f.Error)
	}
	if f.RedirectURL != "" {
		query = "?redirect_url=" + url.QueryEscape(f.RedirectURL)
	}
	return problem + markup(`
<form method="post" action="/login%s">
<label>Account name or email
<input type="text" name="user" value="%s" autocomplete="username" autocapitalize="none" autofocus required></label>
<label>Password
<input type="password" name="password" autocomplete="current-password" required></label>
<input type="hidden" name="requesttoken" value="%s">
<button type="submit">Log in</button>
</form>`, query, f.User, f.RequestToken)
}

func (s *Server) routesLogin() {
	s.handle("GET /login", familyOpen, s.showLogin)
	s.handle("POST /login", familyOpen, s.postLogin)
	s.handle("GET /logout", familyOpen, s.logout)
	s.handle("GET /{$}", familyWeb, func(w http.ResponseWriter, _ *http.Request, a *account) {
		writePage(w, http.StatusOK, "Dashboard", "You are logged in as "+a.profile().DisplayName+".")
	})
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request, _ *account) {
	one := s.browserSession(w, r)
	target := r.URL.Query().Get("redirect_url")
	if one.account != nil {
		redirect(w, localTarget(target))
		return
	}
	renderPage(w, http.StatusOK, "Log in", loginForm{RedirectURL: target, RequestToken: one.csrf}.page())
}

func (s *Server) postLogin(w http.ResponseWriter, r *http.Request, _ *account) {
	one := s.browserSession(w, r)
	form := loginForm{User: r.PostFormValue("user"), RedirectURL: r.FormValue("redirect_url"), RequestToken: one.csrf}
	if !csrfPasses(r, one) {
		refuseCSRF(w)
		return
	}
	who, no := s.login(r, form.User, r.PostFormValue("password"))
	switch no {
	case notRefused:
		s.signIn(w, one, who)
		redirect(w, localTarget(form.RedirectURL))
		return
	case tooManyAttempts:
		refuseCredentials(w, r, familyWeb, no)
		return
	case badPassword:
		form.Error = "Wrong login or password."
	case accountDisabled:
		form.Error = "This account is disabled"
	}
	renderPage(w, http.StatusOK, "Log in", form.page())
}

// signIn makes a browser's session one of a user, under a new id (session fixation).
func (s *Server) signIn(w http.ResponseWriter, one *session, who identity) {
	s.mu.Lock()
	signedIn := *one
	signedIn.id, signedIn.csrf = randomText(26), randomText(44)
	signedIn.account, signedIn.loginName, signedIn.how, signedIn.authTime = who.account, who.loginName, who.how, s.now()
	delete(s.sessions.byID, one.id)
	s.sessions.add(&signedIn)
	s.mu.Unlock()
	setSessionCookie(w, signedIn.id)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, _ *account) {
	s.endSession(s.session(r))
	redirect(w, "/login")
}

// localTarget keeps a redirect after login on this server.
func localTarget(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(target, "//") || strings.Contains(target, `\`) {
		return "/"
	}
	return target
}
