// Package signin lets a person prove to this server who they are in Nextcloud,
// and gets the credential that this server uses for them from then on: by
// Nextcloud's Login Flow v2, or by an OpenID provider. It is apart from the
// pages that lead a browser through it.
package signin

import (
	"errors"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/store"
)

// Person is who signed in, as Nextcloud itself says (OCS cloud/user).
type Person struct {
	UserID      nextcloud.UserID
	LoginName   nextcloud.LoginName
	DisplayName string
	Issuer      string       // who vouched: the OpenID issuer, or the Nextcloud's address
	Subject     auth.Subject // the person there
	Method      store.SignInMethod
}

// Outcome is what a sign-in came to.
type Outcome struct {
	Person Person
	// Credential is what requests to Nextcloud carry from now on; the zero
	// value when none was asked for.
	Credential store.Credential
	// LoginFlow is set when the provider vouched for the person, but Nextcloud
	// gives no lasting credential for that: the sign-in has to go on with Login
	// Flow v2, and this says why. Person is then only as far known as the
	// provider said; UserID is empty where Nextcloud did not say it.
	LoginFlow Reason
}

// Reason is why a sign-in at the provider is not enough.
type Reason string

// The reasons.
const (
	TokenNotTaken     Reason = "token_not_taken"    // Nextcloud does not accept the provider's tokens
	NoExchange        Reason = "no_exchange"        // this version gives no app password for a token
	ExchangeEndsSoon  Reason = "exchange_short"     // this version ends such app passwords after minutes
	ExchangeForbidden Reason = "exchange_forbidden" // app passwords for tokens are forbidden, and there is no refresh token
)

// ErrPending says that the person has not finished at Nextcloud yet.
var ErrPending = errors.New("the person has not signed in yet")

// Problem is why a sign-in cannot go on. Its code is the key of the words that
// people read.
type Problem struct { //nolint:errname // what a person meets
	Code ProblemCode
	Err  error // the cause, for the log; may be nil
}

// Error is the code and the cause.
func (p *Problem) Error() string {
	if p.Err != nil {
		return string(p.Code) + ": " + p.Err.Error()
	}
	return string(p.Code)
}

// Unwrap is the cause.
func (p *Problem) Unwrap() error { return p.Err }

// ProblemCode names a problem.
type ProblemCode string

// The problems.
const (
	FlowExpired        ProblemCode = "flow_expired"        // the 20 minutes are over, or the answer was fetched already
	FlowForbidden      ProblemCode = "flow_forbidden"      // the administrator restricts which applications may use Login Flow
	OtherServer        ProblemCode = "other_server"        // the answer names another Nextcloud than the configured one
	OtherPerson        ProblemCode = "other_person"        // somebody else signed in than before
	PasswordsForbidden ProblemCode = "passwords_forbidden" // the administrator forbids app passwords
	PasswordRefused    ProblemCode = "password_refused"    // Nextcloud refuses the app password that it just gave
	Unreachable        ProblemCode = "nextcloud_unreachable"
	Maintenance        ProblemCode = "nextcloud_maintenance"
	TooMany            ProblemCode = "too_many" // Nextcloud asks to slow down
	Refused            ProblemCode = "refused"  // the person, or the provider, said no
	ProviderDown       ProblemCode = "provider_unreachable"
	ProviderRefusesUs  ProblemCode = "provider_refuses_us" // our own client there is not accepted
	ProviderMistake    ProblemCode = "provider_mistake"    // its answer breaks the rules: issuer, nonce, signature, audience
	Internal           ProblemCode = "internal"
)
