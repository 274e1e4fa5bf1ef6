package signin

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/store"
)

// isOurs reports whether the address in an answer is that of our Nextcloud, as
// this server or as browsers reach it. Only host and path count: behind a
// proxy Nextcloud may not know its scheme.
func (l *LoginFlow) isOurs(server string) bool {
	got, ok := hostAndPath(server)
	if !ok {
		return false
	}
	for _, own := range []string{l.host.Base().String(), l.host.PublicURL("")} {
		if want, ok := hostAndPath(own); ok && got == want {
			return true
		}
	}
	return false
}

func hostAndPath(address string) (string, bool) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return "", false
	}
	host := strings.ToLower(u.Host)
	for _, port := range []string{":443", ":80"} {
		host = strings.TrimSuffix(host, port)
	}
	return host + strings.TrimSuffix(strings.TrimSuffix(u.EscapedPath(), "/"), "/index.php"), true
}

// prove asks Nextcloud whose the app password is. The password was given only
// once, so a passing fault is waited out; when that does not help, it is
// deleted.
func (l *LoginFlow) prove(ctx context.Context, p apppassword.Password) (*nextcloud.User, *Problem) {
	const tries = 4
	nc := p.Client(l.host, nil)
	var err error
	for try := range tries {
		var user *nextcloud.User
		if user, err = nc.CurrentUser(ctx); err == nil {
			return user, nil
		}
		passing := errors.Is(err, nextcloud.ErrUnavailable) || errors.Is(err, nextcloud.ErrRateLimited) || errors.Is(err, nextcloud.ErrBadAnswer)
		if !passing || try == tries-1 || !pause(ctx, time.Second<<try) {
			break
		}
	}
	if errors.Is(err, nextcloud.ErrUnauthenticated) {
		// It could not delete itself, and every try counts as a failed login.
		return nil, &Problem{PasswordRefused, err}
	}
	l.drop(ctx, p)
	if errors.Is(err, nextcloud.ErrForbidden) {
		return nil, &Problem{PasswordsForbidden, err}
	}
	return nil, nextcloudProblem(err)
}

// pause waits, unless ctx ends first, which it reports as false.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// drop deletes an app password that nobody will use.
func (l *LoginFlow) drop(ctx context.Context, p apppassword.Password) {
	ctx = context.WithoutCancel(ctx)
	err := p.Delete(ctx, l.host)
	switch {
	case err == nil, errors.Is(err, nextcloud.ErrUnauthenticated):
		return
	case l.opts.Undeleted != nil:
		l.opts.Undeleted(ctx, p)
	default:
		l.opts.Log.WarnContext(ctx, "An app password that is not needed could not be deleted at Nextcloud; the person can do so in the security settings", "error", err)
	}
}

// Discard deletes the app password of an outcome at Nextcloud: for sign-ins
// that need no credential, or whose outcome could not be kept. When Nextcloud
// cannot be reached, Undeleted is told.
func (l *LoginFlow) Discard(ctx context.Context, o *Outcome) {
	if o == nil || o.Credential.Kind != store.AppPasswordCredential || o.Credential.Secret == "" {
		return
	}
	l.drop(ctx, apppassword.Password{LoginName: o.Person.LoginName, UserID: o.Person.UserID, Secret: o.Credential.Secret})
	o.Credential = store.Credential{}
}

// Continue checks that the person of a login flow is the one that a provider
// vouched for before, as far as Nextcloud said who that is. Otherwise the
// flow's outcome is discarded and the error is the Problem OtherPerson.
func (l *LoginFlow) Continue(ctx context.Context, before Person, flow *Outcome) error {
	if before.UserID == "" || before.UserID == flow.Person.UserID {
		return nil
	}
	l.Discard(ctx, flow)
	return &Problem{OtherPerson, nil}
}
