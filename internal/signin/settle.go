package signin

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/oidcclient"
	"nextcloud-mcp-server/internal/store"
)

// settle finds out who the person is in Nextcloud, and gets the credential
// that lasts: an app password for the token where the version gives one, else
// the refresh token. Where neither is to be had, the outcome says why the
// sign-in has to go on with Login Flow.
func (o *OIDC) settle(ctx context.Context, p *oidcclient.Provider, client oidcclient.Client, a *Attempt, tokens *oidcclient.Tokens, id *oidcclient.Identity) (*Outcome, error) {
	out := &Outcome{Person: Person{Issuer: p.Issuer, Subject: id.Subject, Method: store.ByOIDC}}
	nc := nextcloud.New(o.host, nextcloud.Bearer{Token: tokens.Access}, &nextcloud.ClientOptions{UserAgent: a.Device})
	user, err := nc.CurrentUser(ctx)
	switch {
	case errors.Is(err, nextcloud.ErrUnauthenticated):
		o.refreshUseless.Store(true)
		out.Person.DisplayName = o.name(ctx, p, tokens.Access, id)
		return o.goOn(ctx, out, TokenNotTaken), nil
	case err != nil:
		return nil, nextcloudProblem(err)
	}
	// An OpenID sign-in uses the uid as login name.
	out.Person.UserID, out.Person.LoginName, out.Person.DisplayName = user.ID, nextcloud.LoginName(user.ID), user.DisplayName
	if a.NoCredential {
		return out, nil
	}
	version := o.opts.Version()
	if version == "" {
		status, err := o.host.Status(ctx)
		if err != nil {
			return nil, nextcloudProblem(err)
		}
		version = status.Version
	}
	switch exchangeOn(version) {
	case exchangeNone:
		return o.goOn(ctx, out, NoExchange), nil
	case exchangeShort:
		return o.goOn(ctx, out, ExchangeEndsSoon), nil
	case exchangeLasts:
	}
	password, err := apppassword.Exchange(ctx, o.host, nc, user.ID)
	switch {
	case err == nil:
		o.refreshUseless.Store(true)
		out.Credential = store.Credential{Kind: store.AppPasswordCredential, Secret: password.Secret, Host: o.host.Base().String()}
		return out, nil
	case errors.Is(err, nextcloud.ErrUnauthenticated):
		return o.goOn(ctx, out, TokenNotTaken), nil
	case !errors.Is(err, nextcloud.ErrForbidden) && !errors.Is(err, nextcloud.ErrNotFound) && !errors.Is(err, nextcloud.ErrAppMissing):
		return nil, nextcloudProblem(err)
	}
	o.refreshUseless.Store(false)
	if tokens.Refresh == "" {
		return o.goOn(ctx, out, ExchangeForbidden), nil
	}
	out.Credential = store.Credential{
		Kind: store.RefreshTokenCredential, Secret: packRefresh(client.ID, tokens.Refresh), Host: o.host.Base().String(),
	}
	o.opts.Log.InfoContext(ctx, "Nextcloud gives no app password for a token; this server's own token is refreshed instead", "user", string(user.ID), "error", err)
	return out, nil
}

// goOn makes out one that has to go on with Login Flow.
func (o *OIDC) goOn(ctx context.Context, out *Outcome, why Reason) *Outcome {
	out.LoginFlow = why
	o.opts.Log.InfoContext(ctx, "The sign-in at the provider goes on with Login Flow", "reason", string(why))
	return out
}

// name is what the person is called as far as the provider says it.
func (o *OIDC) name(ctx context.Context, p *oidcclient.Provider, access auth.Secret, id *oidcclient.Identity) string {
	if id.Name == "" && id.Username == "" && p.UserinfoEndpoint != "" {
		more, err := p.Userinfo(ctx, o.opts.HTTP, access, id.Subject)
		if err != nil {
			o.opts.Log.DebugContext(ctx, "The provider tells no name", "error", err)
			return ""
		}
		id = more
	}
	if id.Name != "" {
		return id.Name
	}
	return id.Username
}

// exchange is what a version does with tokens that are exchanged for app
// passwords.
type exchange int

const (
	exchangeNone  exchange = iota // refused, and app APIs take no token either
	exchangeShort                 // the password dies after five minutes
	exchangeLasts
)

// exchangeOn is what a version such as "31.0.2" does. Nextcloud: 28 and 29
// refuse the exchange. In 30, and in 31 before 31.0.3, the password dies
// (server PR 48915, mended by 51130).
func exchangeOn(version string) exchange {
	var v [3]int
	for i, part := range strings.SplitN(version, ".", 4) {
		if i < len(v) {
			v[i], _ = strconv.Atoi(part)
		}
	}
	switch {
	case v[0] < 30:
		return exchangeNone
	case v[0] == 30, v[0] == 31 && v[1] == 0 && v[2] < 3:
		return exchangeShort
	}
	return exchangeLasts
}

// mayExchange reports whether a version may give a lasting password; yes when
// it is not known.
func mayExchange(version string) bool {
	return version == "" || exchangeOn(version) == exchangeLasts
}
