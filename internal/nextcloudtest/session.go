package nextcloudtest

import (
	"net/http"
	"time"
)

// sessionCookie is the instance id that names the cookie of a real server.
const sessionCookie = "ocsimulated"

// maxSessions bounds the sessions in memory; the oldest goes first.
const maxSessions = 4096

// session is what a cookie stands for. Browsers get one before they sign in, API requests each time they come without.
type session struct {
	id        string
	account   *account // nil before login
	loginName string
	how       means
	csrf      string // the requesttoken of its pages
	created   time.Time
	authTime  time.Time // of the login

	stateToken string // of the login flow that is under way
	flow       string // login token of that flow
	authorize  string // query of the authorization request that waits for login or consent
}

// sessions are the open sessions by id. The owner's lock guards them.
type sessions struct {
	byID  map[string]*session
	order []string
}

func newSessions() sessions { return sessions{byID: map[string]*session{}} }

func (s *sessions) add(one *session) {
	if len(s.order) >= maxSessions {
		delete(s.byID, s.order[0])
		s.order = s.order[1:]
	}
	s.byID[one.id] = one
	s.order = append(s.order, one.id)
}

// openSession starts a session and sends its cookie.
func (s *Server) openSession(w http.ResponseWriter, who identity) *session {
	one := &session{
		id:        randomText(26),
		account:   who.account,
		loginName: who.loginName,
		how:       who.how,
		csrf:      randomText(44),
		created:   s.now(),
		authTime:  s.now(),
	}
	s.mu.Lock()
	s.sessions.add(one)
	s.mu.Unlock()
	setSessionCookie(w, one.id)
	return one
}

func setSessionCookie(w http.ResponseWriter, id string) {
	//nolint:gosec // a simulator on loopback has no TLS, so the cookie cannot be Secure
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// session returns the session of a request's cookie, or nil.
func (s *Server) session(r *http.Request) *session {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions.byID[cookie.Value]
}

// browserSession returns the session of a request, opening an anonymous one for a new browser.
func (s *Server) browserSession(w http.ResponseWriter, r *http.Request) *session {
	if one := s.session(r); one != nil {
		return one
	}
	return s.openSession(w, identity{})
}

// endSession logs a session out.
func (s *Server) endSession(one *session) {
	if one == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions.byID, one.id)
}

// Sessions counts the open sessions of a user: what "Devices & sessions" of the security settings shows beside app
// passwords. Each request without a cookie leaves one.
func (s *Server) Sessions(userID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, one := range s.sessions.byID {
		if one.account != nil && one.account.id == userID {
			n++
		}
	}
	return n
}
