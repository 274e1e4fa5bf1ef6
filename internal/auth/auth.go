// Package auth holds what every front door agrees on: who a caller is
// (Principal), how a door proves it (Verifier) and how it says no (Error). It
// is a leaf, so that doors, registry and data leg can share it without knowing
// each other.
package auth

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
)

// Subject is a token's "sub" at one issuer (OpenID Connect Core, 2). It is
// neither a Nextcloud login name nor a Nextcloud user id.
type Subject string

// Secret is a credential that must never reach a log, an error or a result:
// every formatting of it reads "[redacted]". It must not be the key of a map:
// encoding/json writes those as they are.
type Secret string

// String hides the value.
func (Secret) String() string { return "[redacted]" }

// Format hides the value from every verb of fmt, %d included. Only misuse that
// vet refuses (%p, %w) goes past it.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// LogValue hides the value from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MarshalText hides the value from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Reveal is the value itself, for the one place that sends it.
func (s Secret) Reveal() string { return string(s) }

// Principal is who a request acts for, as a front door proved it.
type Principal struct {
	Issuer   string    // who vouches for the subject; empty in the single-user modes
	Subject  Subject   // the person at that issuer
	ClientID string    // the MCP client application; may be empty
	Name     string    // a name for logs, such as preferred_username; may be empty
	Scopes   scope.Set // what the caller may do
	Expires  time.Time // when the proof ends; zero means never
	Token    Secret    // the bearer, or the password of Basic, that proved it; empty in the single-user modes

	// GrantID is the connection that this server's own authorization server
	// granted; empty for everybody else.
	GrantID string
	// ClientName is how the client of that connection calls itself; may be
	// empty.
	ClientName string
	// GrantEnds is when that connection ends by itself; zero means never.
	GrantEnds time.Time
	// Policy is what the person allows the connection beyond its scopes.
	Policy policy.Policy

	// LoginName is what the person typed beside the password of Basic; empty
	// for everybody else. It is not the Nextcloud user id.
	LoginName string

	// Trusted marks a person who needs no scope: the one of a single-user mode,
	// and everybody who signs in with Basic.
	Trusted bool
}

// Allows reports whether the principal may do what needs the given scopes.
func (p *Principal) Allows(needed scope.Set) bool {
	return p != nil && (p.Trusted || p.Scopes.HasAll(needed))
}

// Person identifies the person alone: issuer and subject. A client that
// registers anew in the middle of a session keeps it.
func (p *Principal) Person() string {
	return fmt.Sprintf("%q %q", p.Issuer, string(p.Subject))
}

// Grant identifies what one client may do for one person: issuer, subject and
// client together. It is stable over token renewals.
func (p *Principal) Grant() string {
	return fmt.Sprintf("%q %q %q", p.Issuer, string(p.Subject), p.ClientID)
}

// A Verifier proves who a bearer token speaks for.
//
// Verify answers an *Error when the token is refused (401) or cannot be
// checked now (503); it never lets an unchecked token in.
type Verifier interface {
	Verify(ctx context.Context, token string) (*Principal, error)
}

// SignInRequired says that this server holds no credential of the person for
// Nextcloud, or no longer a good one, so that a call cannot go on until the
// person has signed in. A data leg answers it.
type SignInRequired struct { //nolint:errname // it is not a failure, it is what to do next
	// URL is where the person signs in, an address of this server that holds
	// no secret.
	URL string
	// Reason is one sentence for the person, without a full stop; may be empty.
	Reason string
}

// Error is the reason and the address.
func (e *SignInRequired) Error() string {
	reason := e.Reason
	if reason == "" {
		reason = "the person has to sign in to Nextcloud"
	}
	return reason + ": " + e.URL
}

// The error codes of RFC 6750, 3.1 and RFC 6749, 4.1.2.1.
const (
	CodeInvalidRequest         = "invalid_request"
	CodeInvalidToken           = "invalid_token"
	CodeInsufficientScope      = "insufficient_scope"
	CodeTemporarilyUnavailable = "temporarily_unavailable"
)

// Error is a refusal in the OAuth vocabulary. Code and Description are meant
// for the caller; Err is the cause, meant for the log only.
type Error struct {
	Status      int           // the HTTP status to answer
	Code        string        // one of the Code constants
	Description string        // one sentence that holds no secret
	RetryAfter  time.Duration // for 503; zero means not said
	Err         error         // the cause; may be nil
}

// Error is the code and the description, and the cause when there is one.
func (e *Error) Error() string {
	msg := e.Code + ": " + e.Description
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	return msg
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }
