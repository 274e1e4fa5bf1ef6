package doctor

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The well-known places of metadata (RFC 9728, 3; RFC 8414, 3).
const (
	protectedResource = "/.well-known/oauth-protected-resource"
	authServer        = "/.well-known/oauth-authorization-server"
)

// wellKnown is where clients look for metadata of the MCP server: the
// well-known part stands between host and path (RFC 8414, 3.1).
func (v *visit) wellKnown(place string) string {
	return origin(v.base) + place + strings.TrimSuffix(v.base.EscapedPath(), "/")
}

// liveness is the answer of /health/live.
type liveness struct {
	Status string `json:"status"`
	Mode   string `json:"mode"`
}

func isAlive(a *answer) bool {
	var live liveness
	return a.status == http.StatusOK && a.json(&live) && live.Status == "alive" && live.Mode != ""
}

func (v *visit) checkAlive(context.Context) finding {
	a := v.alive()
	var live liveness
	switch {
	case isAlive(a) && a.json(&live):
		return alive(live.Mode, v.release())
	case a.err == nil && v.looksLikeOurs() && v.base.Path != "":
		// Health checks need not be below the path of the server.
		return aliveAtMCP()
	case a.err == nil && v.looksLikeOurs():
		return healthNotPassedOn(v.base)
	}
	return v.foreign(a)
}

// release is the version that the server tells to who may begin a session;
// empty where that needs a token.
func (v *visit) release() string {
	var begun struct {
		Result struct {
			ServerInfo struct {
				Version string `json:"version"`
			} `json:"serverInfo"`
		} `json:"result"`
	}
	a := *v.challenge()
	for line := range bytes.Lines(a.body) { // an event stream
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok && len(bytes.TrimSpace(data)) > 0 {
			a.body = data
		}
	}
	if a.status != http.StatusOK || !a.json(&begun) {
		return ""
	}
	return printable(begun.Result.ServerInfo.Version, 40)
}

// looksLikeOurs reports whether /mcp is answered by an MCP server, though
// other paths are not.
func (v *visit) looksLikeOurs() bool {
	a := v.challenge()
	return a.err == nil && (a.status == http.StatusUnauthorized && !a.html() && !a.fromNextcloud() || v.release() != "")
}

// door is how the server asks who a client is.
type door string

const (
	oauthDoor   door = "oauth"
	basicDoor   door = "basic"
	openDoor    door = "open"
	unknownDoor door = ""
)

func (v *visit) door() door {
	a := v.challenge()
	asked := strings.ToLower(a.header.Get("WWW-Authenticate"))
	var live liveness
	switch {
	case a.status == http.StatusOK:
		return openDoor
	case strings.HasPrefix(asked, "bearer"):
		return oauthDoor
	case isAlive(v.alive()) && v.alive().json(&live) && live.Mode == "oauth", v.protected().status == http.StatusOK:
		return oauthDoor
	case strings.HasPrefix(asked, "basic"):
		return basicDoor
	}
	return unknownDoor
}

// foreign says what is wrong with an answer that the server did not give, or
// not in this way.
func (v *visit) foreign(a *answer) finding {
	switch {
	case a.err != nil:
		return noConnection(a.err, v.base, "NEXTCLOUD_MCP_SERVER_URL")
	case a.status == http.StatusForbidden && bytes.Contains(a.body, []byte("not known under this host name")):
		return hostRefused(v.base)
	case a.status/100 == 3:
		return redirected(a)
	case a.fromNextcloud():
		return nextcloudAnswered(a)
	case a.status == http.StatusBadGateway, a.status == http.StatusGatewayTimeout, a.status == http.StatusServiceUnavailable && a.html():
		return gateway(a)
	case a.status == http.StatusServiceUnavailable:
		return waiting()
	case a.status == http.StatusNotFound:
		return notPassedOn(a)
	case a.status == http.StatusUnauthorized && strings.HasPrefix(strings.ToLower(a.header.Get("WWW-Authenticate")), "basic"):
		return proxyPassword(a)
	case a.html():
		return webPage(a)
	}
	return unexpected(a)
}

// readiness is the answer of /health/ready.
type readiness struct {
	Status string `json:"status"`
	Checks map[string]struct {
		Status string `json:"status"`
		Detail string `json:"detail"`
	} `json:"checks"`
}

func (v *visit) checkReady(ctx context.Context) finding {
	a := v.get(ctx, v.base.String()+"/health/ready")
	var ready readiness
	if (a.status != http.StatusOK && a.status != http.StatusServiceUnavailable) || !a.json(&ready) || ready.Status == "" {
		if !isAlive(v.alive()) {
			return finding{} // that was said
		}
		return v.foreign(a)
	}
	var out finding
	for _, name := range slices.Sorted(maps.Keys(ready.Checks)) {
		if c := ready.Checks[name]; c.Status == "problem" || (c.Status == "waiting" && a.status != http.StatusOK) {
			out = out.and(notReady(printable(name, 40), c.Status, printable(c.Detail, 300)))
		}
	}
	switch {
	case len(out.also) > 0:
		return out
	case a.status != http.StatusOK:
		return waiting()
	}
	return readyNow()
}

// challengeParam finds the parameters of WWW-Authenticate that matter here.
var challengeParam = regexp.MustCompile(`(?i)[\s,](error|resource_metadata)="([^"]*)"`)

func challengeParams(h http.Header) map[string]string {
	params := map[string]string{}
	for _, m := range challengeParam.FindAllStringSubmatch(h.Get("WWW-Authenticate"), -1) {
		params[strings.ToLower(m[1])] = m[2]
	}
	return params
}

func (v *visit) checkChallenge(context.Context) finding {
	a := v.challenge()
	want := v.wellKnown(protectedResource) + "/mcp"
	switch {
	case v.door() == openDoor && loopback(v.base.Hostname()):
		return openOnLoopback()
	case v.door() == openDoor:
		return openToAll(v.base)
	case v.door() == basicDoor && a.status == http.StatusUnauthorized:
		return asksForBasic()
	case a.status != http.StatusUnauthorized:
		return v.foreign(a)
	case a.header.Get("WWW-Authenticate") == "":
		return challengeStripped()
	}
	metadata := challengeParams(a.header)["resource_metadata"]
	u, err := url.Parse(metadata)
	switch {
	case metadata == "":
		return challengeForeign(a)
	case err != nil || !u.IsAbs():
		return challengeRelative(metadata)
	case metadata != want:
		return challengeElsewhere(metadata, want, v.base)
	}
	return challenged(metadata)
}

// nonsense is a bearer token that nobody issued.
const nonsense = "doctor-is-asking"

// checkBearer finds out whether the Authorization header arrives: a token that
// nobody issued is refused in other words than none.
func (v *visit) checkBearer(ctx context.Context) finding {
	if v.door() != oauthDoor {
		return finding{}
	}
	a := v.postMCP(ctx, nonsense)
	switch {
	case a.status == http.StatusServiceUnavailable && !a.html():
		return waiting()
	case a.status != http.StatusUnauthorized:
		return v.foreign(a)
	case challengeParams(a.header)["error"] == "invalid_token":
		return bearerArrives()
	}
	if a.header.Get("WWW-Authenticate") == "" {
		return finding{} // that it was stripped is said already
	}
	return bearerStripped()
}

// bigBody is more than clients send and less than a server takes, in bytes.
const bigBody = 4 << 20

// checkBody finds out whether large requests pass, without sending one where
// nobody wants it (RFC 9110, 10.1.1).
func (v *visit) checkBody(ctx context.Context) finding {
	t := v.transport(false)
	t.ExpectContinueTimeout = v.opts.Each
	defer t.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.base.String()+"/mcp", io.LimitReader(spaces{}, bigBody))
	if err != nil {
		return finding{}
	}
	req.ContentLength = bigBody
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Expect", "100-continue")
	req.Header.Set("User-Agent", userAgent)
	res, err := v.client(t).Do(req)
	if err != nil {
		return bodyUnknown()
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusRequestEntityTooLarge {
		return bodyRefused(&answer{header: res.Header, status: res.StatusCode})
	}
	return bodyPasses()
}

// spaces is an endless body that means nothing.
type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
