package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// answer is what came back to one request.
type answer struct {
	url    string
	status int // 0 when there was none
	header http.Header
	body   []byte
	err    error     // why there was none
	asked  time.Time // halfway between the request and the answer
}

// ask sends one request without following redirects.
func (v *visit) ask(ctx context.Context, client *http.Client, method, address string, header http.Header, body []byte) *answer {
	a := &answer{url: address}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		a.err = errors.New("not a URL")
		return a
	}
	maps.Copy(req.Header, header)
	req.Header.Set("User-Agent", userAgent)
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	start := v.opts.Now()
	res, err := own.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	defer res.Body.Close()
	now := v.opts.Now()
	a.asked = now.Add(start.Sub(now) / 2)
	a.status, a.header = res.StatusCode, res.Header
	// What was cut off is no JSON, and is found out then.
	a.body, _ = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return a
}

// get asks as a stranger.
func (v *visit) get(ctx context.Context, address string) *answer {
	return v.ask(ctx, v.stranger, http.MethodGet, address, http.Header{"Accept": {"application/json"}}, nil)
}

// initialize is how every client begins, in the oldest form that all servers
// take.
const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"doctor","version":"1"}}}`

// postMCP begins a session, with a bearer token unless it is empty.
func (v *visit) postMCP(ctx context.Context, bearer string) *answer {
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
	if bearer != "" {
		h.Set("Authorization", "Bearer "+bearer)
	}
	return v.ask(ctx, v.stranger, http.MethodPost, v.base.String()+"/mcp", h, []byte(initialize))
}

// askNextcloud asks as the server does, without credentials.
func (v *visit) askNextcloud(ctx context.Context, method, path string) *answer {
	h := http.Header{"Accept": {"application/json"}, "Ocs-Apirequest": {"true"}}
	return v.ask(ctx, v.host.HTTP(), method, v.host.Base().String()+path, h, nil)
}

// json reads the body into out and reports whether it is JSON of that shape.
func (a *answer) json(out any) bool {
	return a.err == nil && json.Unmarshal(a.body, out) == nil
}

// html reports whether a page for people came.
func (a *answer) html() bool {
	start := bytes.ToLower(bytes.TrimSpace(a.body[:min(len(a.body), 512)]))
	return bytes.HasPrefix(start, []byte("<!doctype")) || bytes.HasPrefix(start, []byte("<html")) || bytes.HasPrefix(start, []byte("<"))
}

// fromNextcloud reports whether Nextcloud itself answered: its cookies are
// unmistakable.
func (a *answer) fromNextcloud() bool {
	for _, c := range a.header.Values("Set-Cookie") {
		if strings.HasPrefix(c, "oc_sessionPassphrase=") || strings.HasPrefix(c, "__Host-nc_sameSite") || strings.HasPrefix(c, "nc_sameSite") {
			return true
		}
	}
	return a.header.Get("X-Nextcloud-Well-Known") != "" || bytes.Contains(a.body, []byte("data-requesttoken"))
}

// location is where a redirect leads, absolute; empty when it says nothing.
func (a *answer) location() string {
	from, err := url.Parse(a.url)
	if err != nil {
		return ""
	}
	to, err := from.Parse(a.header.Get("Location"))
	if err != nil || a.header.Get("Location") == "" {
		return ""
	}
	return to.String()
}

// server is what answered, as it calls itself; in brackets, for texts.
func (a *answer) server() string {
	if name := printable(a.header.Get("Server"), 40); name != "" {
		return " (" + name + ")"
	}
	return ""
}

// skew is by how much the answerer's clock is ahead of ours; ok is false when
// it does not say.
func (a *answer) skew() (d time.Duration, ok bool) {
	if a.err != nil {
		return 0, false
	}
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return date.Sub(a.asked), true
}

// shown is a URL from outside as results show it: without user, query and
// fragment, which may hold anything.
func shown(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "something that is no URL"
	}
	return printable(u.Scheme+"://"+u.Host+u.EscapedPath(), 200)
}

// origin is scheme, host and port of a URL, without a port that says nothing.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// printable is the start of foreign text without what a terminal would obey.
func printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
