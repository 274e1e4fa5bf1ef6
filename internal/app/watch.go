package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/server"
)

// nextcloudState is what the last look at Nextcloud found.
type nextcloudState struct {
	mu      sync.Mutex // guards the fields below
	version string
	problem string
	looked  bool
}

func (s *nextcloudState) check() server.Check {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.looked:
		return server.Check{Status: "waiting"}
	case s.problem != "":
		return server.Check{Status: "problem", Detail: s.problem}
	}
	return server.Check{Status: "ok", Detail: "version " + s.version}
}

// currentVersion is Nextcloud's version, empty while nobody knows it.
func (s *nextcloudState) currentVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// watchNextcloud looks at Nextcloud from time to time, for the readiness
// report; found is told its version and may be nil.
func (a *app) watchNextcloud(ctx context.Context, found func(version string)) {
	for {
		wait := 5 * time.Minute
		status, err := a.host.Status(ctx)
		if ctx.Err() != nil {
			return
		}
		problem := ""
		switch {
		case err != nil:
			problem, wait = sentence(err), 15*time.Second
		case status.Maintenance:
			problem, wait = "Nextcloud is in maintenance mode", 15*time.Second
		}
		a.nextcloud.mu.Lock()
		changed := a.nextcloud.problem != problem || !a.nextcloud.looked
		a.nextcloud.problem, a.nextcloud.looked = problem, true
		if err == nil {
			a.nextcloud.version = status.Version
		}
		a.nextcloud.mu.Unlock()
		switch {
		case changed && problem != "":
			a.log.WarnContext(ctx, "Nextcloud cannot be used now: "+problem)
		case err == nil && found != nil:
			found(status.Version)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// sentence is what a person needs to know of an error of the way to Nextcloud.
func sentence(err error) string {
	var e *nextcloud.Error
	if errors.As(err, &e) && e.Message != "" {
		return e.Message
	}
	return err.Error()
}

// legCheck is the data leg in the readiness report.
func legCheck(s dataleg.Status) server.Check {
	c := server.Check{Status: "ok", Data: s}
	if s.Problem {
		c.Status = "problem"
	}
	return c
}
