package dataleg

import (
	"sync"
	"time"
)

// Status is the data leg as the readiness report shows it.
type Status struct {
	Credential string `json:"credential"`         // what requests to Nextcloud carry
	Exchange   string `json:"exchange,omitempty"` // untried, works, lasts, forbidden, dies
	Bearer     string `json:"bearer,omitempty"`   // untried, works, refused
	Detail     string `json:"detail,omitempty"`   // why, when something does not work
	Version    string `json:"nextcloud_version,omitempty"`
	Problem    bool   `json:"-"` // nobody, or not the person, can be served
}

// hostState is what has been learnt of the Nextcloud, for all people.
type hostState struct {
	mu          sync.Mutex // guards the fields below
	nextcloud   string     // its version
	exchange    string
	exchangeWhy string // why there is no exchange
	bearer      string
	bearerWhy   string    // why no token is taken
	refusals    int       // tokens refused since one was taken
	tryAgainAt  time.Time // when an exchange that did not work is tried again
	linked      bool      // people who could not be served were given links
}

const (
	// forbiddenPause is how long a forbidden exchange is not tried again: an
	// administrator may allow it at any time.
	forbiddenPause = 10 * time.Minute
	// failurePause is the same after an answer that says nothing of the reason.
	failurePause = time.Minute
	// deathPause is the same where exchanged passwords die. Somebody who ends a
	// connection in its sixth minute looks like that, too.
	deathPause = 24 * time.Hour
)

func (s *hostState) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *hostState) version() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nextcloud
}

func (s *hostState) detail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why()
}

// why is what does not work, in words. The caller holds mu.
func (s *hostState) why() string {
	if s.exchangeWhy != "" && s.bearerWhy != "" {
		return s.exchangeWhy + "; " + s.bearerWhy
	}
	return s.exchangeWhy + s.bearerWhy
}

func (s *hostState) mayExchange(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !now.Before(s.tryAgainAt)
}

func (s *hostState) passwordsDie() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exchange == "dies"
}

func (s *hostState) exchangeWorks() {
	s.set(func() {
		if s.exchange != "lasts" {
			s.exchange = "works"
		}
		s.exchangeWhy = ""
	})
}

func (s *hostState) exchangeLasts() { s.set(func() { s.exchange, s.exchangeWhy = "lasts", "" }) }

func (s *hostState) exchangeDies(now time.Time) {
	s.set(func() {
		s.exchange, s.exchangeWhy, s.tryAgainAt = "dies", "this version ends exchanged app passwords after five minutes", now.Add(deathPause)
	})
}

func (s *hostState) exchangeForbidden(until time.Time, why string) {
	s.set(func() { s.exchange, s.exchangeWhy, s.tryAgainAt = "forbidden", why, until })
}

func (s *hostState) bearerWorks() {
	s.set(func() { s.bearer, s.bearerWhy, s.refusals = "works", "", 0 })
}

// bearerRefused notes that a token was refused, and reports whether that seems
// true of all: where some were taken before, one says nothing of the others.
func (s *hostState) bearerRefused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	const several = 5
	if s.refusals++; s.bearer == "works" && s.refusals < several {
		return false
	}
	s.bearer, s.bearerWhy = "refused", "user_oidc does not validate bearer tokens (oidc_provider_bearer_validation)"
	return true
}

// SetVersion tells the leg which Nextcloud it speaks to ("34.0.1").
func (l *Leg) SetVersion(version string) {
	l.state.set(func() {
		if l.state.nextcloud != "" && l.state.nextcloud != version {
			// After an update everything may be different.
			l.state.exchange, l.state.exchangeWhy, l.state.tryAgainAt = "", "", time.Time{}
			l.state.bearer, l.state.bearerWhy = "", ""
		}
		l.state.nextcloud = version
	})
}

// Status implements the readiness report.
func (l *Leg) Status() Status {
	l.state.mu.Lock()
	defer l.state.mu.Unlock()
	st := Status{
		Credential: "app password of each grant", Exchange: l.state.exchange, Bearer: l.state.bearer,
		Detail: l.state.why(), Version: l.state.nextcloud,
	}
	if st.Exchange == "" {
		st.Exchange = "untried"
	}
	if st.Bearer == "" {
		st.Bearer = "untried"
	}
	if st.Exchange == "dies" || st.Exchange == "forbidden" {
		st.Credential = "bearer token of each request"
		if l.opts.NeverBearer {
			st.Credential = "none"
		}
	}
	st.Problem = st.Credential == "none" || st.Bearer == "refused"
	if st.Problem && l.state.linked {
		st.Credential, st.Problem = "app password of each grant, by a link to sign in", false
	}
	return st
}
