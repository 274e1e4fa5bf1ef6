package e2e_test

import (
	"testing"
	"time"

	"nextcloud-mcp-server/internal/connect/connecttest"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestClockJumps: a clock that jumps forward ends access tokens early, one
// that jumps back lets them live longer; neither ends a connection or keeps
// people out.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	s := connecttest.Start(t, connecttest.Options{Nextcloud: nextcloudtest.Options{SampleData: true}})
	join := func() (*program, pair) {
		t.Helper()
		p := newProgram(s.URL + "/mcp")
		if err := p.public(t.Context()); err != nil {
			t.Fatal(err)
		}
		tokens, err := p.signIn(t.Context(), person("alice"))
		return p, grants(t, tokens, err)
	}
	good := func(tokens pair) bool {
		_, err := s.OAuth.Verify(t.Context(), tokens.Access)
		return err == nil
	}
	p, tokens := join()
	for _, jump := range []time.Duration{2 * time.Hour, -26 * time.Hour, 60 * day, -60 * day, -365 * day} {
		s.Forward(jump)
		if still := good(tokens); still != (jump < 0) {
			t.Errorf("after %s the access token is good: %t", jump, still)
		}
		next, err := p.refresh(t.Context(), tokens.Refresh)
		if tokens = grants(t, next, err); !good(tokens) {
			t.Errorf("after %s new tokens are not good", jump)
		}
		if _, fresh := join(); !good(fresh) {
			t.Errorf("after %s nobody can sign in", jump)
		}
	}
	s.Forward(91 * day)
	got, err := p.refresh(t.Context(), tokens.Refresh)
	denies(t, "a refresh token that nobody used for three months", "invalid_grant", got, err)
}

const day = 24 * time.Hour
