package app

import (
	"errors"
	"testing"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/auth/bearer"
)

// TestEndedTokenStaysEnded: also for the verifier of a provider that was
// described anew, which remembers nothing.
func TestEndedTokenStaysEnded(t *testing.T) {
	s := newSignIn(nil, nil, false)
	s.refuse("ended")
	s.current.Store(&provider{verifier: bearer.New(bearer.Config{}, nil)})
	_, err := s.Verify(t.Context(), "ended")
	if e, ok := errors.AsType[*auth.Error](err); !ok || e.Status != 401 || e.Code != auth.CodeInvalidToken {
		t.Errorf("%v", err)
	}
	if _, err := s.Verify(t.Context(), "another"); errors.Is(err, errEnded) {
		t.Error("every token is refused")
	}
}
