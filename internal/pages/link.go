package pages

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// webLink is a link of the web or of this server, or empty when it is anything
// else: an absolute http or https address, or a path of this server.
func webLink(raw string) string {
	u, ok := parse(raw)
	switch {
	case !ok, u.User != nil:
		return ""
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "":
		return raw
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//"):
		return raw
	}
	return ""
}

// unsafeSchemes are those that a browser runs, reads or shows itself. All other
// private schemes belong to programs, and whether one may be used is proven
// before a page is drawn.
var unsafeSchemes = []string{
	"about", "blob", "chrome", "chrome-extension", "data", "feed", "file", "filesystem", "ftp", "jar", "javascript",
	"livescript", "mailto", "mocha", "moz-extension", "ms-appx", "resource", "vbscript", "view-source", "ws", "wss",
}

// redirectLink is a client's redirect URI with its parameters, or empty when no
// browser should be sent there.
func redirectLink(raw string) string {
	u, ok := parse(raw)
	switch {
	case !ok, u.User != nil, u.Scheme == "", slices.Contains(unsafeSchemes, u.Scheme):
		return ""
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host == "":
		return ""
	}
	return raw
}

// parse reads an address, and refuses characters that browsers drop or turn
// into others before they read it themselves (URL Standard, 4.4).
func parse(raw string) (*url.URL, bool) {
	if raw == "" || strings.ContainsFunc(raw, func(r rune) bool {
		return r == '\\' || r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.IsSpace(r)
	}) {
		return nil, false
	}
	u, err := url.Parse(raw)
	return u, err == nil
}

// hostOf is the host of an address, with the port that it names; empty when
// there is none.
func hostOf(raw string) string {
	u, ok := parse(raw)
	if !ok {
		return ""
	}
	return u.Host
}
