package dataleg

import (
	"context"
	"sync"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// Single is the data leg of a single-user mode: one static credential.
type Single struct {
	client *nextcloud.Client

	mu      sync.Mutex // guards the field below
	refused time.Time
}

// refusedPause is how long a refused credential is not sent again. Nextcloud
// throttles the whole address after a dozen refusals.
const refusedPause = time.Minute

// NewSingle is the leg of one person with fixed credentials.
func NewSingle(host *nextcloud.Host, credentials nextcloud.Basic) *Single {
	s := &Single{}
	s.client = nextcloud.New(host, credentials, &nextcloud.ClientOptions{Refused: func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refused = time.Now()
	}})
	return s
}

// Client implements tool.Clients.
func (s *Single) Client(context.Context, *auth.Principal) (*nextcloud.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.refused.IsZero() && time.Since(s.refused) < refusedPause {
		return nil, &nextcloud.Error{
			Op: "sign in to Nextcloud", Kind: nextcloud.ErrUnauthenticated, Status: 401,
			Message: "NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD are refused; make an app password in Settings, Security and set it",
		}
	}
	return s.client, nil
}

// Status implements the readiness report.
func (s *Single) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.refused.IsZero() && time.Since(s.refused) < refusedPause {
		return Status{Credential: "password from the environment", Detail: "refused by Nextcloud"}
	}
	return Status{Credential: "password from the environment"}
}
