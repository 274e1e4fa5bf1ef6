package safehttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// What Options leave out.
const (
	DefaultMaxBody = 64 << 10 // bytes
	DefaultTimeout = 5 * time.Second
)

const (
	maxHeader    = 16 << 10 // bytes
	maxURL       = 2000     // bytes
	maxAddresses = 4        // tried for one name
)

// Resolver finds the addresses of a name. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options say how to fetch. The zero value fetches https on port 443 from the
// public internet.
type Options struct {
	// Allow are blocks that may be reached although they are not public, on any
	// port.
	Allow []netip.Prefix
	// Insecure lets http through to loopback addresses that Allow names. It is
	// for demonstrations and tests.
	Insecure  bool
	Resolver  Resolver       // default net.DefaultResolver
	RootCAs   *x509.CertPool // default those of the system
	MaxBody   int64          // bytes; default DefaultMaxBody
	Timeout   time.Duration  // of everything from the name to the last byte; default DefaultTimeout
	UserAgent string         // default "nextcloud-mcp-server"
}

// Client fetches documents. It is safe for concurrent use.
type Client struct {
	opts   Options
	secure *http.Client
	plain  *http.Client // nil unless http is allowed
}

// New is a client with these options.
func New(opts Options) *Client {
	if opts.Resolver == nil {
		opts.Resolver = net.DefaultResolver
	}
	if opts.MaxBody <= 0 {
		opts.MaxBody = DefaultMaxBody
	}
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.UserAgent == "" {
		opts.UserAgent = "nextcloud-mcp-server"
	}
	c := &Client{opts: opts}
	c.secure = c.httpClient(c.dial)
	if opts.Insecure && allowsLoopback(opts.Allow) {
		c.plain = c.httpClient(c.dialLoopback)
	}
	return c
}

func allowsLoopback(allow []netip.Prefix) bool {
	return contains(allow, netip.AddrFrom4([4]byte{127, 0, 0, 1})) || contains(allow, netip.IPv6Loopback())
}

func (c *Client) httpClient(dial func(ctx context.Context, network, addr string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would resolve the name again
			DialContext:            dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.opts.RootCAs},
			TLSHandshakeTimeout:    c.opts.Timeout,
			DisableKeepAlives:      true, // each request looks at the addresses anew
			DisableCompression:     true, // the limit counts what arrives
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Answer is what a host answered, whatever its status. A redirect is an answer
// like any other.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get fetches rawURL. The error is an *Error, or the context's own.
func (c *Client) Get(ctx context.Context, rawURL string) (*Answer, error) {
	u, client, err := c.target(rawURL)
	if err != nil {
		return nil, &Error{Kind: ErrBadURL, Err: err}
	}
	limited, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	answer, err := c.get(limited, client, u)
	if err == nil {
		return answer, nil
	}
	return nil, c.failure(ctx, limited, err)
}

// failure is an error of a request that limited bounds, in this package's
// words.
func (c *Client) failure(ctx, limited context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	own, said := errors.AsType[*Error](err)
	late, slow := errors.AsType[net.Error](err)
	switch {
	case said && !errors.Is(own.Kind, ErrUnreachable):
		return own
	case limited.Err() != nil, errors.Is(err, context.DeadlineExceeded), slow && late.Timeout():
		return &Error{Kind: ErrTimeout, Err: err}
	case said:
		return own
	}
	return &Error{Kind: ErrUnreachable, Err: err}
}

func (c *Client) get(ctx context.Context, client *http.Client, u *url.URL) (*Answer, error) {
	resp, err := c.send(ctx, client, u, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.opts.MaxBody+1))
	if err == nil {
		err = ctx.Err() // a body may seem to end when the request is given up
	}
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > c.opts.MaxBody {
		return nil, &Error{Kind: ErrTooLarge}
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

func (c *Client) send(ctx context.Context, client *http.Client, u *url.URL, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, &Error{Kind: ErrBadURL, Err: err}
	}
	maps.Copy(req.Header, header)
	req.Header.Set("User-Agent", c.opts.UserAgent)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > c.opts.MaxBody {
		_ = resp.Body.Close()
		return nil, &Error{Kind: ErrTooLarge}
	}
	return resp, nil
}

// target is the parsed URL and the client for its scheme.
func (c *Client) target(rawURL string) (*url.URL, *http.Client, error) {
	if len(rawURL) > maxURL {
		return nil, nil, fmt.Errorf("longer than %d bytes", maxURL)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, err
	}
	client := c.secure
	if u.Scheme == "http" {
		client = c.plain
	} else if u.Scheme != "https" {
		client = nil
	}
	host := u.Hostname()
	switch {
	case client == nil:
		return nil, nil, fmt.Errorf("scheme %q", u.Scheme)
	case u.User != nil || u.Opaque != "":
		return nil, nil, errors.New("user information or no //")
	case host == "" || strings.Contains(host, "%"):
		return nil, nil, errors.New("no host, or one with a zone")
	case endsInNumber(host) && !isAddress(host):
		return nil, nil, errors.New("an IPv4 address in an unusual form")
	}
	return u, client, nil
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// endsInNumber reports whether resolvers may take host for an IPv4 address,
// such as 127.1, 0177.0.0.1, 0x7f.1 and 2130706433.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
