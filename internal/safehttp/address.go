package safehttp

import (
	"net/netip"
	"strings"
)

// public holds what IPv6 has assigned for global use so far.
var public = netip.MustParsePrefix("2000::/3")

// special are the address blocks that are not somebody's public host: those of
// RFC 6890 and the IANA special-purpose registries as far as they are not
// globally reachable, multicast, and what tunnels to an IPv4 address.
var special = prefixes(`
	0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12
	192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
	224.0.0.0/4 240.0.0.0/4
	2001::/23 2001:db8::/32 2002::/16 3fff::/20`)

// nat64 is the prefix under which name servers of networks without IPv4 show
// IPv4 hosts (RFC 6052, 2.1): the last four bytes decide.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func prefixes(list string) []netip.Prefix {
	var out []netip.Prefix
	for field := range strings.FieldsSeq(list) {
		out = append(out, netip.MustParsePrefix(field))
	}
	return out
}

// isPublic reports whether addr is an address of the public internet.
func isPublic(addr netip.Addr) bool {
	addr = addr.Unmap()
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !addr.IsValid() || addr.Zone() != "" || addr.Is6() && !public.Contains(addr) {
		return false
	}
	return !contains(special, addr)
}

func contains(list []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, prefix := range list {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}
