package redirect

import (
	"net/netip"
	"strconv"
	"strings"
)

// MaxLength is how many bytes a redirect URI may have.
const MaxLength = 2000

// Error is the rule that a redirect URI breaks: one sentence in plain ASCII
// that says what to change. It repeats nothing of the URI but its scheme.
type Error string

// Error is the sentence.
func (e Error) Error() string { return string(e) }

// Check reports whether a client may have the redirect URI: https to any host,
// http to 127.0.0.1, [::1] and localhost, and the allowed private-use schemes.
// The error is an Error.
func Check(uri string, allowed Schemes) error {
	p, err := parse(uri)
	switch {
	case err != nil:
		return err
	case p.scheme == "https":
		if p.host == "" {
			return Error("an https redirect URI needs a host")
		}
	case p.scheme == "http":
		if !isLoopback(p.host) {
			return Error("an http redirect URI is allowed for 127.0.0.1, [::1] and localhost only: use https")
		}
	case !allowed.has(p.scheme):
		return Error("the redirect URI scheme " + p.scheme + " is not allowed here: use https or http on 127.0.0.1, or ask the administrator to add the scheme to " + SchemesSetting)
	}
	return nil
}

// isLoopback reports whether host is one of the three spellings that RFC 8252,
// 7.3 and 8.3 know. Other spellings of the same addresses are not theirs.
func isLoopback(host string) bool {
	return host == "127.0.0.1" || host == "[::1]" || host == "localhost"
}

// parts are what a redirect URI consists of, as it is written.
type parts struct {
	scheme string
	host   string // with brackets around an IPv6 address; may be empty in private-use schemes
	rest   string // path and query
}

// parse splits a URI. It takes less than RFC 3986 does: whatever programs are
// known to read differently is an error.
func parse(uri string) (parts, error) {
	switch {
	case uri == "":
		return parts{}, Error("the redirect URI is empty")
	case len(uri) > MaxLength:
		return parts{}, Error("the redirect URI is longer than " + strconv.Itoa(MaxLength) + " bytes")
	}
	if err := checkBytes(uri); err != nil {
		return parts{}, err
	}
	scheme, after, found := strings.Cut(uri, ":")
	if !found || !isScheme(scheme) {
		return parts{}, Error("the redirect URI must be absolute and begin with a scheme in lower case, such as https://")
	}
	p := parts{scheme: scheme, rest: after}
	if authority, ok := strings.CutPrefix(after, "//"); ok {
		end := strings.IndexAny(authority, "/?")
		if end < 0 {
			end = len(authority)
		}
		p.rest = authority[end:]
		var err error
		if p.host, err = splitAuthority(authority[:end]); err != nil {
			return parts{}, err
		}
	} else if scheme == "https" || scheme == "http" || !strings.HasPrefix(after, "/") {
		return parts{}, Error("the redirect URI needs // or, with a scheme of its own, a path that begins with / after the scheme")
	}
	if strings.ContainsAny(p.rest, "[]") {
		return parts{}, Error("square brackets in the path or query of a redirect URI must be percent-encoded")
	}
	return p, nil
}

// checkBytes takes the characters of RFC 3986, 2 without the fragment's # and
// the * that some take for a wildcard.
func checkBytes(uri string) error {
	for i := range len(uri) {
		switch c := uri[i]; {
		case c <= ' ' || c == 0x7f:
			return Error("the redirect URI must not have spaces or control characters")
		case c >= 0x80:
			return Error("the redirect URI must be ASCII: write hosts in punycode and percent-encode the rest")
		case c == '#':
			return Error("the redirect URI must not have a fragment")
		case c == '*':
			return Error("the redirect URI must not have a wildcard (*)")
		case c == '%':
			if i+2 >= len(uri) || !isHex(uri[i+1]) || !isHex(uri[i+2]) {
				return Error("the redirect URI has a % that is not followed by two hexadecimal digits")
			}
			if n := unhex(uri[i+1])<<4 | unhex(uri[i+2]); n < ' ' || n == 0x7f {
				return Error("the redirect URI must not have encoded control characters")
			}
		case strings.IndexByte("\\\"<>^`{|}", c) >= 0:
			return Error("the redirect URI must not have a backslash or another character that URIs do not have")
		}
	}
	return nil
}

// splitAuthority is the host of an authority without user information.
func splitAuthority(authority string) (host string, err error) {
	if strings.ContainsAny(authority, "@%") {
		return "", Error("the redirect URI must not have user information or encoded characters before its path")
	}
	var port string
	var hasPort bool
	if strings.HasPrefix(authority, "[") {
		end := strings.IndexByte(authority, ']') + 1
		if end == 0 {
			return "", Error("the redirect URI has a host that is not valid")
		}
		host = authority[:end]
		if port, hasPort = strings.CutPrefix(authority[end:], ":"); !hasPort && port != "" {
			return "", Error("the redirect URI has a host that is not valid")
		}
	} else {
		host, port, hasPort = strings.Cut(authority, ":")
	}
	if !isHost(host) && (host != "" || hasPort) {
		return "", Error("the redirect URI has a host that is not valid")
	}
	if hasPort && !isPort(port) {
		return "", Error("the redirect URI has a port that is not valid")
	}
	return host, nil
}

// isHost reports whether host is a name or an address that all programs read
// in one way.
func isHost(host string) bool {
	if strings.HasPrefix(host, "[") {
		addr, err := netip.ParseAddr(host[1 : len(host)-1])
		return err == nil && addr.Is6()
	}
	if len(host) > 253 {
		return false
	}
	last := ""
	for last = range strings.SplitSeq(host, ".") {
		if last == "" || len(last) > 63 {
			return false
		}
		for i := range len(last) {
			if c := last[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	// Browsers take any host whose last label is a number for an IPv4 address,
	// also 127.1, 0177.0.0.1 and 2130706433 (URL Standard, 3.5).
	if isNumber(last) {
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.Is4()
	}
	return true
}

// isNumber reports whether a label is a decimal or hexadecimal number.
func isNumber(label string) bool {
	digits := isDigit
	if strings.HasPrefix(label, "0x") || strings.HasPrefix(label, "0X") {
		label, digits = label[2:], isHex
	}
	for i := range len(label) {
		if !digits(label[i]) {
			return false
		}
	}
	return true
}

func isPort(s string) bool {
	if s == "" || len(s) > 5 || s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	n, err := strconv.Atoi(s)
	return err == nil && n <= 65535
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isHex(c byte) bool    { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
