package bearer

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"nextcloud-mcp-server/internal/auth"
)

// Reason says in a word why a token was not let in, for logs and metrics.
type Reason string

// The faults of the token, answered with 401.
const (
	Malformed     Reason = "malformed"     // not a token, or not one this server reads
	BadAlgorithm  Reason = "bad_algorithm" // not signed by an accepted algorithm
	UnknownKey    Reason = "unknown_key"   // signed by a key the issuer does not publish
	BadSignature  Reason = "bad_signature"
	WrongType     Reason = "wrong_type" // an ID, refresh or logout token
	BadIssuer     Reason = "bad_issuer"
	BadAudience   Reason = "bad_audience"
	Expired       Reason = "expired"
	NotYetValid   Reason = "not_yet_valid"
	NoSubject     Reason = "no_subject"
	Inactive      Reason = "inactive"       // the issuer does not vouch for it
	Refused       Reason = "refused"        // Nextcloud refused what it stands for
	NotConfigured Reason = "not_configured" // no way to check this kind of token
)

// The faults of this server or the issuer, answered with 503.
const (
	NoSigningKeys Reason = "no_signing_keys" // the issuer's keys cannot be had
	NoClient      Reason = "no_client"       // this server has no client at the issuer
	InvalidClient Reason = "invalid_client"  // the issuer refused this server's client
	NetworkError  Reason = "network_error"   // the issuer did not answer usefully
)

// descriptions are the sentences for the caller.
var descriptions = map[Reason]string{
	Malformed:     "the access token is malformed",
	BadAlgorithm:  "the access token is signed in a way that is not accepted",
	UnknownKey:    "the signature of the access token is not valid",
	BadSignature:  "the signature of the access token is not valid",
	WrongType:     "the token is not an access token",
	BadIssuer:     "the access token comes from another issuer",
	BadAudience:   "the access token was issued for another audience",
	Expired:       "the access token has expired",
	NotYetValid:   "the access token is not valid yet",
	NoSubject:     "the access token names no person",
	Inactive:      "the access token is not active",
	Refused:       "the access token is no longer accepted",
	NotConfigured: "this kind of access token is not accepted",
	NoSigningKeys: "access tokens cannot be checked at the moment",
	NoClient:      "access tokens cannot be checked at the moment",
	InvalidClient: "access tokens cannot be checked at the moment",
	NetworkError:  "access tokens cannot be checked at the moment",
}

// refusal is the cause of every *auth.Error of this package.
type refusal struct {
	reason Reason
	err    error // may be nil
}

func (r *refusal) Error() string {
	if r.err == nil {
		return string(r.reason)
	}
	return string(r.reason) + ": " + r.err.Error()
}

func (r *refusal) Unwrap() error { return r.err }

// ReasonOf is why Verify answered err; empty when err is not of Verify.
func ReasonOf(err error) Reason {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.reason
	}
	return ""
}

// refuse is the answer to a token that is not let in (RFC 6750, 3.1). The
// cause reaches the log only; it must not quote the token.
func refuse(why Reason, cause error) *auth.Error {
	return &auth.Error{
		Status:      http.StatusUnauthorized,
		Code:        auth.CodeInvalidToken,
		Description: descriptions[why],
		Err:         &refusal{why, cause},
	}
}

// unavailable is the answer when a token cannot be checked now.
func unavailable(why Reason, wait time.Duration, cause error) *auth.Error {
	return &auth.Error{
		Status:      http.StatusServiceUnavailable,
		Code:        auth.CodeTemporarilyUnavailable,
		Description: descriptions[why],
		RetryAfter:  wait,
		Err:         &refusal{why, cause},
	}
}

// copied keeps one caller from changing the error that others get too.
func copied(err error) error {
	e, ok := errors.AsType[*auth.Error](err)
	if !ok {
		return unavailable(NetworkError, 0, err)
	}
	own := *e
	return &own
}

// logged writes a refusal down, once per check, and returns it.
func (v *Verifier) logged(ctx context.Context, err error) error {
	level := slog.LevelInfo
	if e, ok := errors.AsType[*auth.Error](err); ok && e.Status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	v.log.Log(ctx, level, "Token refused", "reason", string(ReasonOf(err)), "cause", err.Error())
	return err
}
