package oauth

import (
	"net/url"
	"slices"
	"strings"
)

// ours reports whether every resource that a request names is this server's.
// None is fine: clients from before RFC 8707 name none, and there is only one.
func (s *Server) ours(resources []string) bool {
	for _, r := range resources {
		if sameResource(r, s.cfg.Resource) || slices.Contains(s.cfg.SameResource, r) {
			continue
		}
		return false
	}
	return true
}

// sameResource compares resource identifiers byte for byte, except for what
// clients are known to change: a slash at the end, the case of scheme and host,
// and a default port.
func sameResource(given, own string) bool {
	if given == own {
		return true
	}
	a, errA := url.Parse(given)
	b, errB := url.Parse(own)
	if errA != nil || errB != nil || strings.ContainsAny(given, "#?") || a.User != nil {
		return false
	}
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b) &&
		strings.TrimSuffix(a.EscapedPath(), "/") == strings.TrimSuffix(b.EscapedPath(), "/")
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if strings.EqualFold(u.Scheme, "https") {
		return "443"
	}
	return "80"
}
