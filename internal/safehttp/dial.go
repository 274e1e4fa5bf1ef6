package safehttp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// dial connects to a host that may be reached over TLS.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return c.connect(ctx, network, addr, func(ip netip.Addr, port uint16) bool {
		return contains(c.opts.Allow, ip) || port == 443 && isPublic(ip)
	})
}

// dialLoopback connects to a host that may be reached without TLS.
func (c *Client) dialLoopback(ctx context.Context, network, addr string) (net.Conn, error) {
	return c.connect(ctx, network, addr, func(ip netip.Addr, _ uint16) bool {
		return ip.Unmap().IsLoopback() && contains(c.opts.Allow, ip)
	})
}

// connect resolves the host of addr once and connects to one of its addresses,
// when all of them may be reached: a name that also leads inside is not to be
// trusted.
func (c *Client) connect(ctx context.Context, network, addr string, allowed func(netip.Addr, uint16) bool) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &Error{Kind: ErrBadURL, Err: err}
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, &Error{Kind: ErrBadURL, Err: err}
	}
	// The transport lets go of the request's deadline here.
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	addresses, err := c.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, ip := range addresses {
		if !allowed(ip, uint16(port)) {
			return nil, &Error{Kind: ErrForbiddenAddress, Err: fmt.Errorf("%s is %s, port %d", host, ip, port)}
		}
	}
	// Where IPv6 is configured and leads nowhere, it costs its share of the
	// time first.
	slices.SortStableFunc(addresses, func(a, b netip.Addr) int { return cmp.Compare(a.BitLen(), b.BitLen()) })
	addresses = addresses[:min(len(addresses), maxAddresses)]
	failures := make([]error, 0, len(addresses))
	for i, ip := range addresses {
		conn, err := dialOne(ctx, network, netip.AddrPortFrom(ip, uint16(port)), len(addresses)-i)
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// dialOne gives one of the remaining addresses its share of the time that is
// left.
func dialOne(ctx context.Context, network string, to netip.AddrPort, remaining int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(remaining))
		defer cancel()
	}
	return (&net.Dialer{}).DialContext(ctx, network, to.String())
}

// resolve is the addresses of host, without IPv4 in IPv6 clothes.
func (c *Client) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	found, err := c.opts.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	if len(found) == 0 {
		return nil, errors.New("resolve: no address")
	}
	out := make([]netip.Addr, len(found))
	for i, ip := range found {
		out[i] = ip.Unmap()
	}
	return out, nil
}
