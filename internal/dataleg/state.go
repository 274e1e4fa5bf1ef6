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
}

// hostState is what has been learnt of the Nextcloud, for all people.
type hostState struct {
	mu         sync.Mutex // guards the fields below
	nextcloud  string     // its version
	exchange   string
	bearer     string
	why        string
	tryAgainAt time.Time // when a forbidden exchange is tried again
}

// forbiddenPause is how long a forbidden exchange is not tried again: an
// administrator may allow it at any time.
const forbiddenPause = 10 * time.Minute

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
	return s.why
}

func (s *hostState) mayExchange(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exchange != "dies" && !now.Before(s.tryAgainAt)
}

func (s *hostState) exchangeWorks() {
	s.set(func() {
		if s.exchange != "lasts" {
			s.exchange = "works"
		}
		s.bearer, s.why = "works", ""
	})
}
func (s *hostState) exchangeLasts() { s.set(func() { s.exchange, s.why = "lasts", "" }) }
func (s *hostState) exchangeDies() {
	s.set(func() { s.exchange, s.why = "dies", "this version ends exchanged app passwords after five minutes" })
}

func (s *hostState) exchangeForbidden(now time.Time, err error) {
	s.set(func() { s.exchange, s.why, s.tryAgainAt = "forbidden", err.Error(), now.Add(forbiddenPause) })
}
func (s *hostState) bearerWorks() { s.set(func() { s.bearer = "works" }) }
func (s *hostState) bearerRefused() {
	s.set(func() {
		s.bearer, s.why = "refused", "user_oidc does not validate bearer tokens (oidc_provider_bearer_validation)"
	})
}

// SetVersion tells the leg which Nextcloud it speaks to ("34.0.1").
func (l *Leg) SetVersion(version string) {
	l.state.set(func() {
		if l.state.nextcloud != "" && l.state.nextcloud != version {
			// After an update everything may be different.
			l.state.exchange, l.state.why, l.state.tryAgainAt = "", "", time.Time{}
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
		Detail: l.state.why, Version: l.state.nextcloud,
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
	return st
}
