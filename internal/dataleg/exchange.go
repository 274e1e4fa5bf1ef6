package dataleg

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// exchanged is an app password that Nextcloud gave for a bearer token.
type exchanged struct {
	user     nextcloud.UserID
	password auth.Secret
}

// exchange trades the bearer token of a client for an app password (OCS
// core/getapppassword) and proves that it works. The User-Agent of the client
// names the password in the person's security settings.
func exchange(ctx context.Context, host *nextcloud.Host, bearer *nextcloud.Client, user nextcloud.UserID) (*exchanged, error) {
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
	x := &exchanged{user: user, password: auth.Secret(data.AppPassword)}
	// An OpenID sign-in uses the uid as login name, which is what the password
	// is tied to; asking proves it, so that a wrong guess is found here.
	owner, err := x.client(host, nil).CurrentUser(ctx)
	switch {
	case errors.Is(err, nextcloud.ErrUnauthenticated):
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Status: http.StatusUnauthorized, Message: "Nextcloud does not take the app password that it gave"}
	case err == nil && owner.ID != user:
		err = &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Status: http.StatusOK, Message: "Nextcloud gave the app password of somebody else"}
	}
	if err != nil {
		// Unknown to us, it would stay in the person's settings for ever.
		return nil, errors.Join(err, revoke(context.WithoutCancel(ctx), host, x))
	}
	return x, nil
}

func (x *exchanged) client(host *nextcloud.Host, refused func()) *nextcloud.Client {
	credentials := nextcloud.Basic{LoginName: nextcloud.LoginName(x.user), Password: x.password}
	return nextcloud.New(host, credentials, &nextcloud.ClientOptions{UserID: x.user, Refused: refused})
}

// revoke deletes an app password at Nextcloud with itself.
func revoke(ctx context.Context, host *nextcloud.Host, x *exchanged) error {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	return x.client(host, nil).OCS(ctx, nextcloud.Request{
		Op: "delete an app password", Method: http.MethodDelete, Path: "/ocs/v2.php/core/apppassword",
	}, nil)
}

// dying is the age after which some versions end an exchanged password
// (Nextcloud 30.0.5, 31.0.2: five minutes), less what two clocks may differ.
const dying = 5*time.Minute - 15*time.Second

// settled is an age at which a password that still works is there to stay.
const settled = 5*time.Minute + 30*time.Second

// lasting reports whether exchanged passwords are known to last on a version
// (as OCS and status.php spell it, "34.0.1").
func lasting(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	return len(major) == 2 && major >= "34"
}
