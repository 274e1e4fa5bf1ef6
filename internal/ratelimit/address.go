package ratelimit

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the reverse proxies before this server. Only
// they are believed about whom they speak for.
type Proxies []netip.Prefix

// maxHops is how many addresses of X-Forwarded-For are looked at, from the
// right; nobody has more proxies.
const maxHops = 16

// Of is the address that a request comes from: the nearest one that is not a
// listed proxy. X-Forwarded-For counts only as far as listed proxies wrote it,
// read from the right; what is left of the first other address, anybody may
// have written. The zero Addr means that it is not known (a Unix socket).
func (p Proxies) Of(r *http.Request) netip.Addr {
	addr := parse(r.RemoteAddr)
	left := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for range maxHops {
		if !p.contain(addr) || left == "" {
			break
		}
		var hop string
		if i := strings.LastIndexByte(left, ','); i >= 0 {
			left, hop = left[:i], left[i+1:]
		} else {
			left, hop = "", left
		}
		next := parse(strings.Trim(hop, " \t"))
		if !next.IsValid() {
			break // the proxy does not know either
		}
		addr = next
	}
	return addr
}

func (p Proxies) contain(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// parse reads an address with or without a port; the zero Addr when it is none.
func parse(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr())
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return plain(addr)
}

// plain takes an IPv4 address out of its IPv6 form, and the zone away.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// Key names the bucket of an address. One subscriber has a whole /64 of IPv6,
// so all of it shares one bucket.
func Key(addr netip.Addr) string {
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.String()
		}
	}
	return addr.String()
}
