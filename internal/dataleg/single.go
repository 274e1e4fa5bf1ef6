package dataleg

import (
	"context"
	"errors"
	"sync"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// Single is the data leg of a single-user mode: one static credential.
type Single struct {
	client *nextcloud.Client
	opts   SingleOptions
	now    func() time.Time
	turn   chan struct{} // held by whoever proves the credential

	mu      sync.Mutex // guards the fields below
	proven  bool
	refused int       // times in a row
	again   time.Time // when a refused credential is sent again
}

const (
	// refusedPause is how long a refused credential is not sent again.
	// Nextcloud throttles the whole address after a dozen refusals.
	refusedPause = time.Minute
	// maxRefusedPause is the same after several refusals in a row: what stands
	// in the environment does not get better.
	maxRefusedPause = time.Hour
)

// SingleOptions are the optional parts of a Single; nil means all defaults,
// which are those of credentials in the environment.
type SingleOptions struct {
	Credential string // where it comes from, for the readiness report
	Refused    string // what a call says once Nextcloud refuses it: one sentence with what to do
}

// NewSingle is the leg of one person with fixed credentials.
func NewSingle(host *nextcloud.Host, credentials nextcloud.Basic, opts *SingleOptions) *Single {
	s := &Single{now: time.Now, turn: make(chan struct{}, 1), opts: SingleOptions{
		Credential: "password from the environment",
		Refused:    "NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD are refused; make an app password in Settings, Security and set it",
	}}
	if opts != nil {
		s.opts = *opts
	}
	s.client = nextcloud.New(host, credentials, &nextcloud.ClientOptions{Refused: s.noteRefusal})
	return s
}

// noteRefusal doubles the pause with each refusal; those of calls that ran at
// the same time count once.
func (s *Single) noteRefusal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.proven = false; now.Before(s.again) {
		return
	}
	s.again = now.Add(min(refusedPause<<min(s.refused, 10), maxRefusedPause))
	s.refused++
}

// Client implements tool.Clients. The first call proves the credential before
// others may use it: a client that begins with a dozen calls at once would
// otherwise send a wrong one a dozen times.
func (s *Single) Client(ctx context.Context, _ *auth.Principal) (*nextcloud.Client, error) {
	if ok, err := s.known(); ok || err != nil {
		return s.client, err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if ok, err := s.known(); ok || err != nil {
		return s.client, err
	}
	// This also finds out the uid, which nearly every call needs.
	if _, err := s.client.CurrentUser(ctx); errors.Is(err, nextcloud.ErrUnauthenticated) {
		_, err = s.known()
		return nil, err
	} else if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proven, s.refused, s.again = true, 0, time.Time{}
	return s.client, nil
}

// known reports whether the credential was proved; the error is that of one
// that was refused a short time ago.
func (s *Single) known() (proven bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Before(s.again) {
		return false, refusedError(s.opts.Refused, nil)
	}
	return s.proven, nil
}

// Status implements the readiness report.
func (s *Single) Status() Status {
	st := Status{Credential: s.opts.Credential}
	if _, err := s.known(); err != nil {
		st.Detail, st.Problem = "refused by Nextcloud", true
	}
	return st
}
