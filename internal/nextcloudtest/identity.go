package nextcloudtest

import (
	"context"
	"net/http"
	"strings"
)

// means is how a request proved who it is from.
type means int

const (
	noMeans means = iota
	byPassword
	byAppPassword
	byBearer
)

// identity is who a request is from. A zero identity is nobody.
type identity struct {
	account   *account
	loginName string
	how       means    // for a session: how it was opened
	session   *session // when a cookie decided
	secret    string   // the app password, when it was used in this request
}

// refusal is why credentials do not count.
type refusal int

const (
	notRefused refusal = iota
	badPassword
	accountDisabled
	tooManyAttempts
)

type identityKey struct{}

func withIdentity(ctx context.Context, who identity) context.Context {
	return context.WithValue(ctx, identityKey{}, who)
}

func identityOf(r *http.Request) identity {
	who, _ := r.Context().Value(identityKey{}).(identity)
	return who
}

// ocsHeader tells whether the header is there that makes the CSRF check pass.
func ocsHeader(r *http.Request) bool { return r.Header.Get("OCS-APIRequest") == "true" }

func bearerToken(r *http.Request) (string, bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), found && strings.EqualFold(scheme, "Bearer")
}

// identify finds out who a request is from.
//
// Nextcloud: a session cookie outranks Authorization, whoever's credentials are in it and whether or not they are valid.
func (s *Server) identify(r *http.Request) (identity, refusal) {
	if one := s.session(r); one != nil && one.account != nil && !one.account.profile().Disabled {
		return identity{account: one.account, loginName: one.loginName, how: one.how, session: one}, notRefused
	}
	if token, ok := bearerToken(r); ok {
		return s.identifyBearer(token), notRefused
	}
	return s.identifyBasic(r)
}

// identifyBearer knows OAuth access tokens and app passwords. Nothing else is said about a bad one: it is nobody's.
func (s *Server) identifyBearer(token string) identity {
	if a, loginName, state := s.checkAppPassword(token, ""); state == goodAppPassword && !a.profile().Disabled {
		return identity{account: a, loginName: loginName, how: byAppPassword, secret: token}
	}
	if s.opts.DisableUserOIDC {
		return identity{}
	}
	userID, ok := "", false
	if !s.opts.DisableOIDC {
		userID, ok = s.acceptToken(token)
	}
	if !ok && s.opts.AcceptBearer != nil {
		userID, ok = s.opts.AcceptBearer(token)
	}
	a := s.account(userID)
	if !ok || a == nil || a.profile().Disabled {
		return identity{}
	}
	return identity{account: a, loginName: a.id, how: byBearer}
}

func (s *Server) identifyBasic(r *http.Request) (identity, refusal) {
	name, password, ok := r.BasicAuth()
	if !ok {
		return identity{}, notRefused
	}
	return s.login(r, name, password)
}

// login checks a login name with an account or app password.
func (s *Server) login(r *http.Request, name, password string) (identity, refusal) {
	if s.throttled(r) {
		return identity{}, tooManyAttempts
	}
	who := identity{loginName: name, how: byAppPassword, secret: password}
	a, loginName, state := s.checkAppPassword(password, name)
	switch state {
	case goodAppPassword:
		who.account, who.loginName = a, loginName
	case refusedAppPassword:
		// Not to be mistaken for an account password.
	case notAnAppPassword:
		who.account, who.how, who.secret = s.checkPassword(name, password), byPassword, ""
	}
	if who.account == nil {
		s.noteBadLogin(r)
		return identity{}, badPassword
	}
	if who.account.profile().Disabled {
		return identity{}, accountDisabled
	}
	if who.how == byPassword {
		who.loginName = who.account.profile().LoginName
		s.notePasswordLogin(who.account)
	}
	return who, notRefused
}

// checkPassword returns the user whose login name (or mail address) and account password these are, or nil.
func (s *Server) checkPassword(name, password string) *account {
	for _, a := range s.accounts {
		u := a.profile()
		known := strings.EqualFold(name, u.LoginName) || (u.Email != "" && strings.EqualFold(name, u.Email))
		if known && same(u.Password, password) {
			return a
		}
	}
	return nil
}

// notePasswordLogin remembers a login with the account password, which also revives app passwords that were suspended.
func (s *Server) notePasswordLogin(a *account) {
	now := s.now()
	a.mu.Lock()
	if a.firstLogin.IsZero() {
		a.firstLogin = now
	}
	a.lastLogin, a.passwordLogin = now, now
	a.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.tokens.byHash {
		if p.account == a.id {
			p.suspended = false
		}
	}
}
