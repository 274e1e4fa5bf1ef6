package signin

import (
	"context"
	"errors"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/oidcclient"
)

// assumedLife is how long an access token is used whose provider does not say
// how long it lives.
const assumedLife = 5 * time.Minute

// Refresh gets an access token for the secret of a RefreshTokenCredential.
// next is what has to be kept in its place from now on: most providers end the
// old one at once, so it must be stored before the access token is used.
//
// Errors are *Problem: Refused when the provider no longer takes it, which
// ends the grant; any other code means that it may be tried again later.
func (o *OIDC) Refresh(ctx context.Context, credential auth.Secret) (access auth.Secret, expires time.Time, next auth.Secret, err error) {
	p, current, ok := o.provider()
	if !ok {
		return "", time.Time{}, "", &Problem{ProviderDown, errNoProvider}
	}
	id, token := unpackRefresh(credential)
	if id == "" {
		id = current.ID
	}
	client, err := o.client(ctx, current, id)
	switch {
	case errors.Is(err, oidcclient.ErrUnknownClient):
		// RFC 6749, 6: a refresh token is bound to its client.
		return "", time.Time{}, "", &Problem{Refused, err}
	case err != nil:
		return "", time.Time{}, "", &Problem{ProviderDown, err}
	}
	asked := o.opts.Now()
	// The answer may hold the only refresh token that is left: a caller who
	// leaves must not lose it.
	tokens, err := p.Refresh(context.WithoutCancel(ctx), o.opts.HTTP, client, token, o.resource(p))
	if err != nil {
		problem := providerProblem(err)
		switch problem.Code {
		case Refused, ProviderRefusesUs:
		default:
			problem.Code = ProviderDown
		}
		return "", time.Time{}, "", o.refused(ctx, problem, client.ID)
	}
	life := tokens.Life
	if life == 0 {
		life = assumedLife
	}
	next = credential
	if tokens.Refresh != "" {
		next = packRefresh(client.ID, tokens.Refresh)
	}
	return tokens.Access, asked.Add(life), next, nil
}

// separator stands between client id and token: neither may hold it (RFC 6749,
// appendix A).
const separator = "\n"

// packRefresh keeps the client with its refresh token: nobody else can use it
// (RFC 6749, 6), and this server's client may be another one by then.
func packRefresh(clientID string, token auth.Secret) auth.Secret {
	return auth.Secret(clientID + separator + token.Reveal())
}

func unpackRefresh(credential auth.Secret) (clientID string, token auth.Secret) {
	id, rest, ok := strings.Cut(credential.Reveal(), separator)
	if !ok {
		return "", credential
	}
	return id, auth.Secret(rest)
}
