package doctor

import (
	"context"
	"net/http"
	"time"
)

// streamWait is how long an event stream may take to open.
const streamWait = 5 * time.Second

// serverToken is the token to begin a session at the MCP server with; empty
// when the one that was given is for Nextcloud.
func (v *visit) serverToken() string {
	if v.cfg == nil || v.ownToken() || !v.ownServer() {
		return v.opts.Token.Reveal()
	}
	return ""
}

func (v *visit) hasServerToken() bool { return v.hasServer() && v.serverToken() != "" }

// checkToken begins a session with the token.
func (v *visit) checkToken(ctx context.Context) finding {
	if v.door() != oauthDoor {
		return finding{}
	}
	a := v.postMCP(ctx, v.serverToken())
	v.end(ctx, a)
	switch a.status {
	case http.StatusOK:
		return tokenAccepted()
	case http.StatusUnauthorized:
		return tokenRefused()
	}
	return v.foreign(a)
}

// checkStream opens an event stream: a proxy that buffers holds back even its
// beginning.
func (v *visit) checkStream(ctx context.Context) finding {
	var begun *answer
	switch d := v.door(); {
	case d == openDoor:
		begun = v.challenge()
	case d == oauthDoor && v.serverToken() != "":
		begun = v.postMCP(ctx, v.serverToken())
	case d == oauthDoor:
		return streamUntried()
	default:
		return finding{}
	}
	session := begun.header.Get("Mcp-Session-Id")
	if begun.status != http.StatusOK || session == "" {
		return finding{} // why is said by other checks
	}
	defer v.end(ctx, begun)
	wait, cancel := context.WithTimeout(ctx, min(streamWait, v.opts.Each/2))
	defer cancel()
	req, err := http.NewRequestWithContext(wait, http.MethodGet, v.base.String()+"/mcp", nil)
	if err != nil {
		return finding{}
	}
	v.inSession(req, session)
	req.Header.Set("Accept", "text/event-stream")
	res, err := v.stranger.Do(req)
	switch {
	case err != nil && wait.Err() != nil:
		return streamBuffered()
	case err != nil:
		return noConnection(err, v.base, "NEXTCLOUD_MCP_SERVER_URL")
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return v.foreign(&answer{url: req.URL.String(), status: res.StatusCode, header: res.Header})
	}
	return streamOpens()
}

// end ends a session that a check began, if it did.
func (v *visit) end(ctx context.Context, begun *answer) {
	session := begun.header.Get("Mcp-Session-Id")
	if session == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), v.opts.Each)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, v.base.String()+"/mcp", nil)
	if err != nil {
		return
	}
	v.inSession(req, session)
	if res, err := v.stranger.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

func (v *visit) inSession(req *http.Request, session string) {
	req.Header.Set("Mcp-Session-Id", session)
	req.Header.Set("Mcp-Protocol-Version", "2025-06-18")
	req.Header.Set("User-Agent", userAgent)
	if token := v.serverToken(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
}
