package safehttp

import "errors"

// Why there is no answer, for errors.Is. The texts say the same about a host
// whatever it does behind a firewall.
var (
	ErrBadURL           = errors.New("the address cannot be used")
	ErrForbiddenAddress = errors.New("the host is not on the public internet")
	ErrUnreachable      = errors.New("the host cannot be reached") // name, connection, TLS or protocol
	ErrTimeout          = errors.New("the host does not answer in time")
	ErrTooLarge         = errors.New("the answer is too large")
)

// Error is a request without an answer. Its text may be shown to strangers;
// the cause is for the log only, since it may hold addresses.
type Error struct {
	Kind error // one of the Err values above
	Err  error // the cause; may be nil
}

// Error is the text of the kind.
func (e *Error) Error() string { return e.Kind.Error() }

// Is matches the kind.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }
