package server

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// hostCheck refuses requests under names that are not ours, and calls of MCP
// from web pages that are not ours (DNS rebinding, cross-site calls; MCP
// 2026-07-28, Transports: Origin MUST be validated). The other routes are for
// browsers: metadata and the endpoints of OAuth are open to any page, which
// gets nothing there without a secret of its own, and forms are guarded where
// they are read. Their Origin is often "null", since no page says whence a
// person came.
type hostCheck struct {
	hosts   []string // lower case; "name" or "name:port" or "name:*"
	origins []string // lower case
	// loopbackOrigins lets pages served from this machine in (Inspector). Only
	// where a bearer is needed: without one such a page could do anything, and
	// a browser that once asked for a password sends it along by itself.
	loopbackOrigins bool
}

func newHostCheck(cfg *Config) *hostCheck {
	c := &hostCheck{loopbackOrigins: cfg.Door != nil}
	for _, h := range append([]string{cfg.Public.Host}, cfg.AllowedHosts...) {
		c.hosts = append(c.hosts, plainHost(h))
	}
	for _, o := range append([]string{cfg.Public.Scheme + "://" + cfg.Public.Host}, cfg.AllowedOrigins...) {
		c.origins = append(c.origins, plainOrigin(strings.TrimSuffix(o, "/")))
	}
	return c
}

// host guards every route.
func (c *hostCheck) host(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !c.hostAllowed(r.Host) {
			http.Error(w, "This server is not known under this host name. Set NEXTCLOUD_MCP_SERVER_URL to the address that clients use, or add the name to MCP_ALLOWED_HOSTS.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// origin guards the MCP endpoint.
func (c *hostCheck) origin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origins := r.Header.Values("Origin")
		if len(origins) > 1 || (len(origins) == 1 && !c.originAllowed(origins[0])) {
			http.Error(w, "Web pages of this origin may not use this server. Add the origin to MCP_ALLOWED_ORIGINS to allow it.", http.StatusForbidden)
			return
		}
		if len(origins) == 1 {
			allowOrigin(w.Header(), origins[0])
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// allowOrigin lets a page of an accepted origin read the answers. Credentials
// that a browser adds by itself (cookies) are never allowed along.
func allowOrigin(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name")
	h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Mcp-Session-Id, Mcp-Protocol-Version, Retry-After")
	h.Set("Access-Control-Max-Age", "600")
}

func (c *hostCheck) hostAllowed(host string) bool {
	host = plainHost(host)
	name, port, _ := splitHost(host)
	if name == "" || strings.Trim(port, "0123456789") != "" {
		return false
	}
	if loopbackName(name) {
		return true
	}
	return slices.ContainsFunc(c.hosts, func(allowed string) bool {
		if base, wildcard := strings.CutSuffix(allowed, ":*"); wildcard {
			return name == strings.Trim(base, "[]")
		}
		return host == allowed
	})
}

// splitHost splits a Host header; the port may be missing, and the name of an
// IPv6 address comes without brackets.
func splitHost(host string) (name, port string, ok bool) {
	if name, port, err := net.SplitHostPort(host); err == nil {
		return name, port, true
	}
	return strings.Trim(host, "[]"), "", false
}

// plainHost is a host in lower case without a port that says nothing: proxies
// end TLS, so both default ports are none.
func plainHost(host string) string {
	host = strings.ToLower(host)
	if _, port, ok := splitHost(host); ok && (port == "443" || port == "80") {
		return strings.TrimSuffix(host, ":"+port)
	}
	return host
}

// plainOrigin is an origin in lower case without the default port of its
// scheme (RFC 6454, 6.1).
func plainOrigin(origin string) string {
	origin = strings.ToLower(origin)
	if strings.HasPrefix(origin, "https://") {
		return strings.TrimSuffix(origin, ":443")
	}
	return strings.TrimSuffix(origin, ":80")
}

func (c *hostCheck) originAllowed(origin string) bool {
	origin = plainOrigin(origin)
	if slices.Contains(c.origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return false
	}
	return c.loopbackOrigins && loopbackName(u.Hostname())
}

// loopbackName reports whether a name can only mean this machine.
func loopbackName(name string) bool {
	if name == "localhost" {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}
