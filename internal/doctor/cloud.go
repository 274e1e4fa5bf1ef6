package doctor

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/signin"
)

// oldest is the first major version of Nextcloud that is supported.
const oldest = 28

// statusPage is status.php.
type statusPage struct {
	Installed      bool   `json:"installed"`
	Maintenance    bool   `json:"maintenance"`
	NeedsDBUpgrade bool   `json:"needsDbUpgrade"`
	Version        string `json:"versionstring"`
}

func (v *visit) checkStatus(context.Context) finding {
	a := v.status()
	var s statusPage
	switch {
	case a.status != http.StatusOK:
		return v.cloudAnswer(a)
	case !a.json(&s) || s.Version == "":
		return noNextcloud(v.host.Base())
	case !s.Installed:
		return notInstalled()
	case s.Maintenance:
		return inMaintenance()
	case s.NeedsDBUpgrade:
		return needsUpgrade()
	}
	version := printable(s.Version, 40)
	major, err := strconv.Atoi(strings.SplitN(s.Version, ".", 2)[0])
	switch {
	case err != nil:
		return noNextcloud(v.host.Base())
	case major < oldest:
		return tooOld(version)
	case major < 30 && v.manyUsers() && !v.ownServer():
		return noBearerOnApps(version)
	}
	return nextcloudThere(version)
}

// cloudAnswer says what is wrong with an answer that Nextcloud did not give, or
// not in this way.
func (v *visit) cloudAnswer(a *answer) finding {
	body := bytes.ToLower(a.body)
	base := v.host.Base()
	switch {
	case a.err != nil:
		return noConnection(a.err, base, "NEXTCLOUD_HOST")
	case a.status == http.StatusBadRequest && bytes.Contains(body, []byte("trusted domain")), bytes.Contains(body, []byte("untrusted domain")):
		return untrustedDomain(base)
	case a.header.Get("X-Nextcloud-Maintenance-Mode") == "1":
		return inMaintenance()
	case a.status == http.StatusTooManyRequests:
		return throttled()
	case a.status/100 == 3:
		return cloudRedirects(a, base)
	case a.status == http.StatusBadGateway, a.status == http.StatusGatewayTimeout, a.status == http.StatusServiceUnavailable:
		return cloudDown(a)
	}
	return cloudUnexpected(a)
}

// checkOCS asks for the capabilities, which everybody may: without the header
// OCS-APIRequest Nextcloud refuses.
func (v *visit) checkOCS(context.Context) finding {
	a := v.caps()
	var page struct {
		OCS struct {
			Meta struct {
				StatusCode int `json:"statuscode"`
			} `json:"meta"`
		} `json:"ocs"`
	}
	switch {
	case a.status == http.StatusPreconditionFailed:
		return ocsHeaderStripped()
	case a.status != http.StatusOK:
		return v.cloudAnswer(a)
	case !a.json(&page) || page.OCS.Meta.StatusCode == 0:
		return ocsUnexpected(a)
	}
	return ocsAnswers()
}

// checkThrottle reads from the capabilities by how much Nextcloud slows this
// address down.
func (v *visit) checkThrottle(context.Context) finding {
	var page struct {
		OCS struct {
			Data struct {
				Capabilities struct {
					BruteForce *struct {
						Delay int `json:"delay"` // milliseconds
					} `json:"bruteforce"`
				} `json:"capabilities"`
			} `json:"data"`
		} `json:"ocs"`
	}
	a := v.caps()
	switch brute := &page.OCS.Data.Capabilities.BruteForce; {
	case a.status == http.StatusTooManyRequests:
		return throttled()
	case !a.json(&page) || *brute == nil:
		return finding{}
	case (*brute).Delay > 0:
		return slowed((*brute).Delay)
	}
	return notSlowed()
}

// checkLoginFlow begins a sign-in, which nobody goes on with.
func (v *visit) checkLoginFlow(ctx context.Context) finding {
	flow := signin.NewLoginFlow(v.host, &signin.LoginFlowOptions{Name: v.cfg.Server.PublicURL.Host})
	device := signin.DeviceName("", v.cfg.Server.PublicURL.Host)
	_, err := flow.Start(ctx, device)
	if problem, ok := errors.AsType[*signin.Problem](err); ok {
		switch problem.Code {
		case signin.FlowForbidden:
			return flowForbidden(device)
		case signin.TooMany:
			return throttled()
		case signin.Maintenance:
			return inMaintenance()
		default: // it fails in a way of its own
		}
	}
	if err != nil {
		return flowFails(v.host.Base())
	}
	return v.checkFlowAddress(ctx)
}

// checkFlowAddress compares the address that Nextcloud states for itself with
// the one that people use: a sign-in somewhere else is not accepted.
func (v *visit) checkFlowAddress(ctx context.Context) finding {
	var begun struct {
		Login string `json:"login"`
	}
	a := v.askNextcloud(ctx, http.MethodPost, "/index.php/login/v2")
	if a.status != http.StatusOK || !a.json(&begun) {
		return v.cloudAnswer(a)
	}
	stated, err := url.Parse(begun.Login)
	if err != nil || stated.Host == "" {
		return flowFails(v.host.Base())
	}
	// Behind a proxy Nextcloud may not know its scheme; the sign-in does not
	// look at it either.
	for _, ours := range []*url.URL{v.cfg.Nextcloud.Host, v.cfg.Nextcloud.Public} {
		if strings.EqualFold(hostPort(&url.URL{Scheme: ours.Scheme, Host: stated.Host}), hostPort(ours)) {
			return flowStarts()
		}
	}
	return flowElsewhere(stated, v.cfg.Nextcloud.Public)
}
