// Package apppassword is the life of an app password at Nextcloud: made from
// a bearer token, used, deleted with itself. It is apart from the client
// because whoever makes one has a secret of a person to account for: what
// cannot be handed on has to be deleted.
package apppassword

import (
	"context"
	"errors"
	"net/http"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// deleteTimeout bounds the deletion of a password that nobody waits for.
const deleteTimeout = 30 * time.Second

// Password is an app password with what Basic authentication takes beside it.
type Password struct {
	LoginName nextcloud.LoginName
	UserID    nextcloud.UserID // empty when Nextcloud has not said it yet
	Secret    auth.Secret
}

// Client is a client of host that signs in with the password. opts may be nil;
// its UserID is that of the password.
func (p *Password) Client(host *nextcloud.Host, opts *nextcloud.ClientOptions) *nextcloud.Client {
	var o nextcloud.ClientOptions
	if opts != nil {
		o = *opts
	}
	o.UserID = p.UserID
	return nextcloud.New(host, nextcloud.Basic{LoginName: p.LoginName, Password: p.Secret}, &o)
}

// Delete deletes the password at Nextcloud with itself (OCS DELETE
// core/apppassword), within 30 seconds. The error is
// nextcloud.ErrUnauthenticated when it is gone already. Callers whose own
// caller may have left pass a context without its end.
func (p *Password) Delete(ctx context.Context, host *nextcloud.Host) error {
	ctx, cancel := context.WithTimeout(ctx, deleteTimeout)
	defer cancel()
	return p.Client(host, nil).OCS(ctx, nextcloud.Request{
		Op: "delete an app password", Method: http.MethodDelete, Path: "/ocs/v2.php/core/apppassword",
	}, nil)
}

// Exchange trades the bearer token of a client for an app password of user
// (OCS core/getapppassword) and proves that it works. The User-Agent of the
// client names the password in the person's security settings.
//
// nextcloud.ErrForbidden means that this Nextcloud gives none for a token, or
// none that it takes. After any error no password is left at Nextcloud, as far
// as it could still be reached.
func Exchange(ctx context.Context, host *nextcloud.Host, bearer *nextcloud.Client, user nextcloud.UserID) (*Password, error) {
	const op = "get an app password"
	var data struct {
		AppPassword string `json:"apppassword"`
	}
	err := bearer.OCS(ctx, nextcloud.Request{Op: op, Path: "/ocs/v2.php/core/getapppassword"}, &data)
	if err != nil {
		return nil, err
	}
	if data.AppPassword == "" {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Status: http.StatusOK, Message: "Nextcloud gave none"}
	}
	// An OpenID sign-in uses the uid as login name, which is what the password
	// is tied to; asking proves it, so that a wrong guess is found here.
	p := &Password{LoginName: nextcloud.LoginName(user), UserID: user, Secret: auth.Secret(data.AppPassword)}
	owner, err := p.Client(host, nil).CurrentUser(ctx)
	switch {
	case errors.Is(err, nextcloud.ErrUnauthenticated):
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Status: http.StatusUnauthorized, Message: "Nextcloud does not take the app password that it gave"}
	case err == nil && owner.ID != user:
		err = &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Status: http.StatusOK, Message: "Nextcloud gave the app password of somebody else"}
	}
	if err != nil {
		// Unknown to us, it would stay in the person's settings for ever.
		return nil, errors.Join(err, p.Delete(context.WithoutCancel(ctx), host))
	}
	return p, nil
}
