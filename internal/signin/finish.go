package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/store"
)

// maxCode is how long an authorization code may be, in bytes.
const maxCode = 8 << 10

// finishTimeout bounds what follows on a code. It goes on for this long even
// when the caller has left, so that no credential is lost half-way.
const finishTimeout = 90 * time.Second

// Finish ends a sign-in with what the provider sent the browser back with: it
// redeems the code, proves the ID token, and settles the data leg. Errors are
// *Problem. An Outcome with an app password must be kept, or handed to
// LoginFlow.Discard.
//
// An attempt is good for one Finish; whoever keeps it sees to that.
func (o *OIDC) Finish(ctx context.Context, a *Attempt, callback url.Values) (*Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Problem{ProviderDown, err}
	}
	state, ok := one(callback, "state")
	if !ok || a.State == "" || subtle.ConstantTimeCompare([]byte(state), []byte(a.State)) != 1 {
		return nil, mistake("the state is that of another sign-in")
	}
	if o.opts.Now().Sub(a.StartedAt) >= AttemptLife {
		return nil, &Problem{FlowExpired, nil}
	}
	p, current, ok := o.provider()
	if !ok {
		return nil, &Problem{ProviderDown, errNoProvider}
	}
	if p.Issuer != a.Issuer {
		return nil, mistake("the sign-in was begun at another provider than the one configured now")
	}
	// RFC 9207, 2.4: before anything of the answer is believed, errors too.
	issuer, ok := one(callback, "iss")
	switch {
	case !ok, issuer != "" && issuer != p.Issuer:
		return nil, mistake("the answer came from another provider")
	case issuer == "" && p.IssParameter:
		return nil, mistake("the answer does not say which provider it came from")
	}
	if problem := callbackError(callback); problem != nil {
		if code := callback.Get("error"); code != "unauthorized_client" {
			return nil, problem
		}
		return nil, o.refused(ctx, problem, a.ClientID)
	}
	code, ok := one(callback, "code")
	if !ok || code == "" || len(code) > maxCode {
		return nil, mistake("the answer holds no code")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	client, err := o.client(ctx, current, a.ClientID)
	switch {
	case errors.Is(err, oidcclient.ErrUnknownClient):
		return nil, &Problem{ProviderRefusesUs, err}
	case err != nil:
		return nil, &Problem{Internal, err}
	}
	return o.finish(ctx, p, client, a, auth.Secret(code))
}

func (o *OIDC) finish(ctx context.Context, p *oidcclient.Provider, client oidcclient.Client, a *Attempt, code auth.Secret) (*Outcome, error) {
	tokens, err := p.Redeem(ctx, o.opts.HTTP, client, o.authorization(a), code)
	if err != nil {
		return nil, o.refused(ctx, providerProblem(err), client.ID)
	}
	if tokens.ID == "" {
		return nil, mistake("there is no ID token")
	}
	id, err := p.VerifyIDToken(ctx, o.signingKeys(p), tokens.ID, &oidcclient.Expected{
		ClientID: client.ID, Nonce: a.Nonce, Access: tokens.Access, Now: o.opts.Now(),
	})
	if err != nil {
		return nil, providerProblem(err)
	}
	outcome, err := o.settle(ctx, p, client, a, tokens, id)
	if tokens.Refresh != "" && (outcome == nil || outcome.Credential.Kind != store.RefreshTokenCredential) {
		o.dispose(ctx, p, client, tokens.Refresh)
	}
	return outcome, err
}

// dispose ends a refresh token that nobody will use, where the provider can.
func (o *OIDC) dispose(ctx context.Context, p *oidcclient.Provider, client oidcclient.Client, refresh auth.Secret) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := p.Revoke(ctx, o.opts.HTTP, client, refresh); err != nil {
		o.opts.Log.DebugContext(ctx, "A refresh token that is not needed was not revoked", "error", err)
	}
}

func mistake(why string) *Problem { return &Problem{ProviderMistake, errors.New(why)} }

// callbackError is the problem of an error answer (RFC 6749, 4.1.2.1; OpenID
// Connect Core, 3.1.2.6); nil when it is none.
func callbackError(callback url.Values) *Problem {
	code, ok := one(callback, "error")
	if ok && code == "" {
		return nil
	}
	// Not the description: it is for people, and anything may stand in it.
	err := fmt.Errorf("the provider answered %.64q", code)
	switch code {
	case "access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required":
		return &Problem{Refused, err}
	case "server_error", "temporarily_unavailable":
		return &Problem{ProviderDown, err}
	case "unauthorized_client", "invalid_scope", "invalid_target", "unsupported_response_type", "invalid_request":
		return &Problem{ProviderRefusesUs, err}
	}
	return &Problem{ProviderMistake, err}
}
