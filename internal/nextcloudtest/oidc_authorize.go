package nextcloudtest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var challengeFormat = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// afterLogin continues an authorization request that had to wait for the login.
//
// Nextcloud: this is a page whose script loads the authorization endpoint; a redirect does the same without scripts.
func (s *Server) afterLogin(w http.ResponseWriter, r *http.Request, _ *account) {
	redirect(w, "/apps/oidc/authorize?"+r.URL.RawQuery)
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request, _ *account) {
	who, _ := s.identify(r)
	query := r.URL.Query()
	if who.account == nil && query.Get("prompt") != "none" {
		s.browserSession(w, r)
		redirect(w, "/login?redirect_url="+url.QueryEscape("/apps/oidc/redirect?"+r.URL.RawQuery))
		return
	}
	if who.account != nil {
		w.Header().Set("X-User-Id", who.account.id)
	}
	c := s.authorizingClient(w, query)
	if c == nil {
		return
	}
	if code, description := s.wrongWith(query, who); code != "" {
		separator := "?"
		if slices.Contains(strings.Fields(query.Get("response_type")), "token") {
			separator = "#"
		}
		redirect(w, errorRedirect(query, separator, code, description))
		return
	}
	scope := allowedScope(query.Get("scope"), c.scope)
	one := who.session
	if one == nil {
		one = s.openSession(w, who)
	}
	if s.switches().consent && !s.consented(who.account, c, scope) {
		query.Set("scope", scope)
		s.mu.Lock()
		one.authorize = query.Encode()
		s.mu.Unlock()
		redirect(w, "/apps/oidc/consent")
		return
	}
	code := s.issueCode(c, who.account, one, query, scope)
	redirect(w, joinQuery(query.Get("redirect_uri"), "?")+"state="+queryEscape(query.Get("state"))+"&code="+code)
}

// authorizingClient returns a copy of the client of an authorization request, or answers with an error page.
func (s *Server) authorizingClient(w http.ResponseWriter, query url.Values) *oauthClient {
	s.oidc.mu.Lock()
	defer s.oidc.mu.Unlock()
	s.oidc.cleanUp(s.now(), s.opts.ClientLifetime)
	c := s.oidc.clients[query.Get("client_id")]
	// Nextcloud: these pages come with status 200.
	if c == nil {
		writePage(w, http.StatusOK, "Access forbidden", "Your client is not authorized to connect. Please inform the administrator of your client.")
		return nil
	}
	if !slices.Contains(c.redirects, query.Get("redirect_uri")) {
		writePage(w, http.StatusOK, "Access forbidden", "The received redirect URI is not accepted to connect. Please inform the administrator of your client.")
		return nil
	}
	snapshot := *c
	return &snapshot
}

// wrongWith checks the rest of an authorization request; an empty code means that nothing is wrong.
func (s *Server) wrongWith(query url.Values, who identity) (code, description string) {
	types := strings.Fields(strings.ToLower(query.Get("response_type")))
	challenge, method := query.Get("code_challenge"), query.Get("code_challenge_method")
	switch {
	case who.account == nil:
		return "login_required", "User is not logged in."
	case slices.Contains(types, "token") && !slices.Contains(types, "id_token"):
		return "request_not_supported", "Missing id_token"
	case !slices.Equal(types, []string{"code"}):
		return "unsupported_response_type", "Response type is not supported"
	case s.rules.pkce && challenge != "" && !challengeFormat.MatchString(challenge):
		return "invalid_request", "Invalid code_challenge format"
	case s.rules.pkce && challenge != "" && !slices.Contains([]string{"", "plain", "S256"}, method):
		return "invalid_request", "Invalid code_challenge_method"
	}
	return "", ""
}

// errorRedirect sends an error back to the client (RFC 6749, section 4.1.2.1).
func errorRedirect(query url.Values, separator, code, description string) string {
	return joinQuery(query.Get("redirect_uri"), separator) + "error=" + code + "&error_description=" + queryEscape(description) +
		"&state=" + queryEscape(query.Get("state"))
}

// joinQuery ends an address so that parameters can follow.
func joinQuery(address, separator string) string {
	if separator == "?" && strings.Contains(address, "?") {
		return address + "&"
	}
	return address + separator
}

// queryEscape writes a space as %20.
func queryEscape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// allowedScope cuts requested scopes to those a client may have, without a word.
func allowedScope(requested, allowed string) string {
	scopes := strings.Fields(strings.ToLower(requested))
	if limit := strings.Fields(strings.ToLower(allowed)); len(limit) > 0 {
		scopes = slices.DeleteFunc(scopes, func(scope string) bool { return !slices.Contains(limit, scope) })
	}
	if len(scopes) == 0 {
		return defaultScope
	}
	return strings.Join(scopes, " ")
}
