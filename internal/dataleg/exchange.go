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

// exchange trades a bearer token for an app password (OCS
// core/getapppassword) and proves that it works. The User-Agent names the
// password in the person's security settings.
func exchange(ctx context.Context, host *nextcloud.Host, token auth.Secret, name string) (*exchanged, error) {
	const op = "get an app password"
	opts := &nextcloud.ClientOptions{UserAgent: name}
	bearer := nextcloud.New(host, nextcloud.Bearer{Token: token}, opts)
	var data struct {
		AppPassword string `json:"apppassword"`
	}
	err := bearer.OCS(ctx, nextcloud.Request{Op: op, Path: "/ocs/v2.php/core/getapppassword"}, &data)
	if err != nil {
		return nil, err
	}
	if data.AppPassword == "" {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud gave none"}
	}
	user, err := bearer.UserID(ctx)
	if err != nil {
		return nil, err
	}
	x := &exchanged{user: user, password: auth.Secret(data.AppPassword)}
	// An OpenID sign-in uses the uid as login name, which is what the password
	// is tied to; asking proves it, so that a wrong guess is found here.
	if _, err := x.client(host, nil).CurrentUser(ctx); errors.Is(err, nextcloud.ErrUnauthenticated) {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrForbidden, Message: "Nextcloud does not take the app password that it gave"}
	} else if err != nil {
		return nil, err
	}
	return x, nil
}

func (x *exchanged) client(host *nextcloud.Host, refused func()) *nextcloud.Client {
	credentials := nextcloud.Basic{LoginName: nextcloud.LoginName(x.user), Password: x.password}
	return nextcloud.New(host, credentials, &nextcloud.ClientOptions{UserID: x.user, Refused: refused})
}

// revoke deletes an app password at Nextcloud with itself. One that is gone
// already is a success.
func revoke(ctx context.Context, host *nextcloud.Host, user nextcloud.UserID, password auth.Secret) error {
	x := &exchanged{user: user, password: password}
	err := x.client(host, nil).OCS(ctx, nextcloud.Request{
		Op: "delete an app password", Method: http.MethodDelete, Path: "/ocs/v2.php/core/apppassword",
	}, nil)
	if errors.Is(err, nextcloud.ErrUnauthenticated) {
		return nil
	}
	return err
}

// dying is the age after which some versions end an exchanged password
// (Nextcloud 30.0.5, 31.0.2: five minutes).
const dying = 5 * time.Minute

// settled is an age at which a password that still works is there to stay.
const settled = dying + 30*time.Second

// lasting reports whether exchanged passwords are known to last on a version
// (as OCS and status.php spell it, "34.0.1").
func lasting(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	return len(major) == 2 && major >= "34"
}
