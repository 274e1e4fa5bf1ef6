package basic

import (
	"errors"
	"net/http"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// The codes of errors that OAuth has no word for.
const (
	codeRefused = "invalid_credentials"
	codeTooMany = "too_many_requests"
)

var errRefused = &auth.Error{
	Status: http.StatusUnauthorized, Code: codeRefused,
	Description: "Nextcloud refuses this login name and password. Make an app password in Nextcloud (Settings, Security) and use it here; the same credentials are not tried again for some minutes.",
}

// errBusy is for who waited long.
var errBusy = &auth.Error{
	Status: http.StatusServiceUnavailable, Code: auth.CodeTemporarilyUnavailable,
	Description: "Nextcloud has not yet said whether the credentials are good.", RetryAfter: 5 * time.Second,
}

func tooMany(wait time.Duration) error {
	return &auth.Error{
		Status: http.StatusTooManyRequests, Code: codeTooMany, RetryAfter: wait,
		Description: "Too many wrong passwords were tried lately, so these credentials were not sent to Nextcloud, which would lock out everybody. Try again later.",
	}
}

func unavailable(err error) error {
	wait := 5 * time.Second
	var e *nextcloud.Error
	switch {
	case errors.Is(err, nextcloud.ErrMaintenance):
		wait = time.Minute
	case errors.As(err, &e) && e.RetryAfter > 0:
		wait = e.RetryAfter
	}
	return &auth.Error{
		Status: http.StatusServiceUnavailable, Code: auth.CodeTemporarilyUnavailable, RetryAfter: wait, Err: err,
		Description: "Nextcloud cannot be asked now whether the credentials are good.",
	}
}
