package nextcloudtest

import (
	"net"
	"net/http"
	"slices"
	"time"
)

// badLoginWindow is how long Nextcloud counts a bad login for an address.
const badLoginWindow = 30 * time.Minute

// maxBadLogins bounds what is remembered of all addresses together.
const maxBadLogins = 10_000

// badLogins are the failed password logins of the last half hour. The owner's lock guards them.
type badLogins struct {
	list []badLogin
}

type badLogin struct {
	address string
	at      time.Time
}

func newBadLogins() badLogins { return badLogins{} }

// forgetOld drops what is out of the window.
func (b *badLogins) forgetOld(now time.Time) {
	b.list = slices.DeleteFunc(b.list, func(one badLogin) bool { return now.Sub(one.at) > badLoginWindow })
}

// noteBadLogin counts a failed password login for the address of a request.
func (s *Server) noteBadLogin(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.attempts.forgetOld(now)
	if len(s.attempts.list) < maxBadLogins {
		s.attempts.list = append(s.attempts.list, badLogin{address: address(r), at: now})
	}
}

// throttled tells whether the address of a request is locked out of password logins, with whatever credentials.
func (s *Server) throttled(r *http.Request) bool {
	if s.opts.BruteForceLimit < 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts.forgetOld(s.now())
	n, from := 0, address(r)
	for _, one := range s.attempts.list {
		if one.address == from {
			n++
		}
	}
	return n >= s.opts.BruteForceLimit
}

// ResetBruteForce forgets all bad logins, as "occ security:bruteforce:reset" does.
func (s *Server) ResetBruteForce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts.list = nil
}

// BadLogins counts the bad logins of all addresses within the last half hour.
func (s *Server) BadLogins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts.forgetOld(s.now())
	return len(s.attempts.list)
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
