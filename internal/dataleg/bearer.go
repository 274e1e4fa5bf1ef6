package dataleg

import (
	"context"
	"errors"
	"sync/atomic"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// useBearer is the client with the person's own token.
func (l *Leg) useBearer(ctx context.Context, p *auth.Principal, g *grant, hash digest) (*nextcloud.Client, error) {
	if l.opts.NeverBearer {
		return nil, l.askToSignIn(ctx, p, g, &nextcloud.Error{
			Op: "sign in to Nextcloud", Kind: nextcloud.ErrForbidden,
			Message: "no app password can be had (" + l.state.detail() + ") and NEXTCLOUD_BEARER_PASSTHROUGH=never forbids sending the token: an administrator can allow app passwords (auth_can_create_app_token) or set it to auto",
		})
	}
	if g.bearer != nil && g.bearerOf == hash {
		return g.bearer, nil
	}
	var worked atomic.Bool
	user := g.user
	nc := nextcloud.New(l.host, nextcloud.Bearer{Token: p.Token}, &nextcloud.ClientOptions{
		UserID: user, Refused: func() {
			if worked.Load() {
				l.endGrant(context.WithoutCancel(ctx), g, user)
			}
		},
	})
	if user == "" {
		// The uid is the user segment of DAV paths; this also proves the token.
		var err error
		if user, err = nc.UserID(ctx); err != nil {
			if errors.Is(err, nextcloud.ErrUnauthenticated) {
				return nil, l.tokenRefused(ctx, p, g, hash, err)
			}
			return nil, err
		}
		g.user = user
	}
	worked.Store(true)
	l.state.bearerWorks()
	g.bearer, g.bearerOf = nc, hash
	return nc, nil
}

// tokenRefused is the error for a token that passed the front door and that
// Nextcloud refuses. It is not sent again for a while.
func (l *Leg) tokenRefused(ctx context.Context, p *auth.Principal, g *grant, hash digest, cause error) error {
	if g.bearerOf == hash {
		// It was taken before: the grant has ended.
		l.endGrant(ctx, g, g.user)
		return endedError(cause)
	}
	// No 401 at the front door: the client would sign in again and again.
	message := "Nextcloud takes other people's tokens but not this one: the account may be disabled or unknown there"
	if l.state.bearerRefused() {
		message = "Nextcloud refused the token: an administrator has to enable the user_oidc app and run: occ config:system:set user_oidc oidc_provider_bearer_validation --value=true --type=boolean"
	}
	err := refusedError(message, cause)
	l.notTaken.Add(hash, err)
	l.log.WarnContext(ctx, message, "grant", g.key)
	return l.askToSignIn(ctx, p, g, err)
}
