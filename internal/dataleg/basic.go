package dataleg

import (
	"context"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// Basic is the data leg of people who send their own login name and password
// with each request: those very credentials go on to Nextcloud.
type Basic struct {
	host   *nextcloud.Host
	forget func(*auth.Principal)
}

// NewBasic is the leg to host. forget is told whose credentials Nextcloud
// refused in the middle of a call, so that the front door does not let them in
// any longer; it may be nil.
func NewBasic(host *nextcloud.Host, forget func(*auth.Principal)) *Basic {
	return &Basic{host, forget}
}

// Client implements tool.Clients. The front door has proved the credentials
// and knows the user id, so nothing is asked.
func (b *Basic) Client(_ context.Context, p *auth.Principal) (*nextcloud.Client, error) {
	if p == nil || p.LoginName == "" || p.Token == "" || p.Subject == "" {
		return nil, refusedError("the request carries no login name and password", nil)
	}
	opts := &nextcloud.ClientOptions{UserID: nextcloud.UserID(p.Subject)}
	if b.forget != nil {
		opts.Refused = func() { b.forget(p) }
	}
	return nextcloud.New(b.host, nextcloud.Basic{LoginName: nextcloud.LoginName(p.LoginName), Password: p.Token}, opts), nil
}

// Status implements the readiness report.
func (*Basic) Status() Status { return Status{Credential: "password of each request"} }
