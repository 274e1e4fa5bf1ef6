package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/signin"
)

// oldestVersion is the first major version of Nextcloud that this program
// works with.
const oldestVersion = 28

// checkNextcloud reports in one sentence why nobody can log in at host.
func checkNextcloud(ctx context.Context, host *nextcloud.Host) error {
	status, err := host.Status(ctx)
	base := host.Base().String()
	switch {
	case ctx.Err() != nil:
		return errStopped
	case errors.Is(err, nextcloud.ErrUnavailable), errors.Is(err, nextcloud.ErrRateLimited):
		return fmt.Errorf("%s cannot be reached: %s", base, because(err))
	case err != nil:
		return fmt.Errorf("%s does not answer as a Nextcloud; give the address that the browser shows, up to /index.php or /apps", base)
	case status.Maintenance:
		return fmt.Errorf("%s is in maintenance mode; try again later", base)
	}
	major, _, _ := strings.Cut(status.Version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < oldestVersion {
		return fmt.Errorf("%s is Nextcloud %s, which is too old: %d or newer is needed", base, status.Version, oldestVersion)
	}
	return nil
}

// explain is a problem of the login in one sentence.
func (l *login) explain(err error) error {
	base := l.host.Base().String()
	problem, ok := errors.AsType[*signin.Problem](err)
	if !ok {
		return err
	}
	switch problem.Code {
	case signin.FlowExpired:
		return fmt.Errorf("access was not granted within %d minutes; run the command again", int(signin.FlowLife.Minutes()))
	case signin.FlowForbidden:
		return fmt.Errorf("%s does not let this program log in: an administrator has to add it to core.login_flow_v2.allowed_user_agents in config.php", base)
	case signin.OtherServer:
		return fmt.Errorf("%w; run the command with the address that the browser shows", problem.Err)
	case signin.PasswordsForbidden:
		return fmt.Errorf("%s does not allow app passwords to be used; an administrator decides that", base)
	case signin.PasswordRefused:
		return fmt.Errorf("%s refuses the app password that it just gave; run the command again", base)
	case signin.Maintenance:
		return fmt.Errorf("%s is in maintenance mode; try again later", base)
	case signin.TooMany:
		return fmt.Errorf("%s asks to slow down; try again in some minutes", base)
	default: // of providers, which have no part in this
		return fmt.Errorf("%s cannot be used: %s", base, because(problem))
	}
}
