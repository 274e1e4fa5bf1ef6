package nextcloud

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What can go wrong, for errors.Is. Every error of this package and of the
// packages below that comes from an answer or from the way to it is one of
// these kinds.
var (
	ErrInvalid         = errors.New("invalid request")           // refused here or with 400, 409 on nonsense, 415, 422
	ErrUnauthenticated = errors.New("credentials refused")       // 401, OCS 997, a login page
	ErrForbidden       = errors.New("not allowed")               // 403
	ErrNotFound        = errors.New("not found")                 // 404, 410
	ErrConflict        = errors.New("conflict")                  // 405 on create, 409
	ErrPrecondition    = errors.New("changed since it was read") // 412
	ErrLocked          = errors.New("locked")                    // 423, after the retries
	ErrTooLarge        = errors.New("too large")                 // 413, or an answer beyond our limit
	ErrQuota           = errors.New("storage is full")           // 507
	ErrRateLimited     = errors.New("too many requests")         // 429
	ErrUnavailable     = errors.New("not available now")         // 5xx, no connection, time-out
	ErrMaintenance     = errors.New("in maintenance mode")       // 503 with the maintenance mark; also ErrUnavailable
	ErrAppMissing      = errors.New("app is not installed")      // the route of an app is not there
	ErrPartly          = errors.New("only partly done")          // a change of several writes stopped in the middle
	ErrBadAnswer       = errors.New("unexpected answer")         // no JSON, cut, HTML, wrong shape
)

// Error is what one exchange with Nextcloud came to. It holds no credentials,
// no URL with a query and no foreign HTML.
type Error struct {
	Op         string        // what was tried, in words: "get note"
	Kind       error         // one of the Err values above
	Status     int           // HTTP status; 0 when there was no answer
	OCS        int           // OCS status code; 0 when there was none
	Exception  string        // Sabre exception class, such as "Sabre\\DAV\\Exception\\NotFound"
	Message    string        // one sentence; from the server only when it is plain text
	RetryAfter time.Duration // for ErrRateLimited and ErrUnavailable; 0 means not said
	Body       []byte        // the start of the answer's body, for callers that know its shape; never shown
	Err        error         // the cause, when there was no answer
}

// Error is the operation, the kind, the status and the message.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	if e.Kind != nil {
		b.WriteString(e.Kind.Error())
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	return b.String()
}

// Is matches the kind; maintenance is a way of being unavailable.
func (e *Error) Is(target error) bool {
	return target == e.Kind || (e.Kind == ErrMaintenance && target == ErrUnavailable)
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of an HTTP status that is not a success.
func KindOf(status int) error {
	switch status {
	case 400, 415, 422:
		return ErrInvalid
	case 401:
		return ErrUnauthenticated
	case 403:
		return ErrForbidden
	case 404, 410:
		return ErrNotFound
	case 405, 409:
		return ErrConflict
	case 412:
		return ErrPrecondition
	case 413:
		return ErrTooLarge
	case 423:
		return ErrLocked
	case 429:
		return ErrRateLimited
	case 507:
		return ErrQuota
	}
	if status >= 500 {
		return ErrUnavailable
	}
	return ErrBadAnswer
}
