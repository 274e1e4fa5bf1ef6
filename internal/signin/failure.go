package signin

import (
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oidcclient"
)

// nextcloudProblem is what an error of a request to Nextcloud means for a
// sign-in, where the request has no meaning of its own for it.
func nextcloudProblem(err error) *Problem {
	switch {
	case errors.Is(err, nextcloud.ErrRateLimited):
		return &Problem{TooMany, err}
	case errors.Is(err, nextcloud.ErrMaintenance):
		return &Problem{Maintenance, err}
	}
	return &Problem{Unreachable, err}
}

// providerProblem is what an error of the token endpoint or of the provider's
// keys means.
func providerProblem(err error) *Problem {
	if e, ok := errors.AsType[*auth.Error](err); ok && e.Status == http.StatusServiceUnavailable {
		return &Problem{ProviderDown, err}
	}
	e, ok := errors.AsType[*oidcclient.TokenError](err)
	if !ok {
		return &Problem{ProviderMistake, err}
	}
	switch {
	case e.Maintenance:
		return &Problem{Maintenance, err}
	case e.Status == http.StatusTooManyRequests:
		return &Problem{TooMany, err}
	case e.Status == 0, e.Status >= 500, e.Code == "temporarily_unavailable", e.Code == "server_error":
		return &Problem{ProviderDown, err}
	case e.Code == "invalid_grant":
		return &Problem{Refused, err}
	case e.Code == "invalid_client", e.Code == "unauthorized_client", e.Status == http.StatusUnauthorized:
		return &Problem{ProviderRefusesUs, err}
	}
	return &Problem{ProviderMistake, err}
}
