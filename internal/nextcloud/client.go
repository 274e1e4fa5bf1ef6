package nextcloud

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// DefaultMaxBody bounds an answer that a caller set no limit for, in bytes.
const DefaultMaxBody = 16 << 20

// Host is one Nextcloud as this process reaches it: address, transport, cache.
// It holds no credentials and is shared by all people's clients.
type Host struct {
	base      *url.URL
	public    *url.URL
	http      *http.Client
	userAgent string
	cache     *Cache
}

// HostOptions are the optional parts of a Host; nil means all defaults.
type HostOptions struct {
	Public    *url.URL          // the address people's browsers use; default: base
	Transport http.RoundTripper // default: NewTransport(nil)
	UserAgent string            // default: "nextcloud-mcp-server"
	Cache     *Cache            // default: 32 MiB
}

// NewHost is the Nextcloud at base, which may have a path
// (https://example.org/nextcloud).
func NewHost(base *url.URL, opts *HostOptions) *Host {
	if opts == nil {
		opts = &HostOptions{}
	}
	b := *base
	b.Path = strings.TrimSuffix(b.Path, "/")
	b.RawPath, b.RawQuery, b.Fragment, b.User = "", "", "", nil
	h := &Host{base: &b, public: &b, userAgent: "nextcloud-mcp-server", cache: opts.Cache}
	if opts.Public != nil {
		p := *opts.Public
		p.RawQuery, p.Fragment, p.User = "", "", nil
		h.public = &p
	}
	if opts.UserAgent != "" {
		h.userAgent = opts.UserAgent
	}
	if h.cache == nil {
		h.cache = NewCache(32 << 20)
	}
	transport := opts.Transport
	if transport == nil {
		transport = NewTransport(nil)
	}
	// No cookie jar: Nextcloud's cookies outrank the credentials of a request,
	// so a shared one would answer one person's request as another.
	h.http = &http.Client{Transport: transport, CheckRedirect: sameHostRedirects}
	return h
}

// Base is the address requests go to, without a trailing slash.
func (h *Host) Base() *url.URL { u := *h.base; return &u }

// PublicURL is path on the address that people's browsers use, for links in
// results.
func (h *Host) PublicURL(path string) string {
	return strings.TrimSuffix(h.public.String(), "/") + path
}

// HTTP is the host's own HTTP client: pooled, without cookies, never leaving
// the host by a redirect.
func (h *Host) HTTP() *http.Client { return h.http }

// Client speaks to a Host for one person. It is safe for concurrent use.
type Client struct {
	host        *Host
	credentials Credentials
	userAgent   string
	refused     func()

	mu   sync.Mutex // guards the fields below
	user UserID
}

// ClientOptions are the optional parts of a Client; nil means all defaults.
type ClientOptions struct {
	// UserID saves the request that finds it out.
	UserID UserID
	// UserAgent overrides the host's, for the requests whose name Nextcloud
	// shows to the person (app passwords are named by it).
	UserAgent string
	// Refused is called when Nextcloud answers these credentials with 401, so
	// that they are not sent again: Nextcloud throttles the whole address.
	Refused func()
}

// New is a client of host with one person's credentials.
func New(host *Host, credentials Credentials, opts *ClientOptions) *Client {
	if opts == nil {
		opts = &ClientOptions{}
	}
	c := &Client{host: host, credentials: credentials, userAgent: host.userAgent, user: opts.UserID, refused: opts.Refused}
	if opts.UserAgent != "" {
		c.userAgent = opts.UserAgent
	}
	return c
}

// Format keeps the credentials out of whatever prints a client: fmt looks into
// unexported fields without asking their types how they want to be shown.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "nextcloud.Client") }

// Host is the Nextcloud the client speaks to.
func (c *Client) Host() *Host { return c.host }

// User is what Nextcloud says of the signed-in person (OCS cloud/user).
type User struct {
	ID          UserID
	DisplayName string
	Email       string
	TimeZone    string // IANA name; empty when the server does not say
	Locale      string
}

// UserID is the person's Nextcloud uid. The first call asks OCS cloud/user;
// later ones cost nothing.
func (c *Client) UserID(ctx context.Context) (UserID, error) {
	c.mu.Lock()
	user := c.user
	c.mu.Unlock()
	if user != "" {
		return user, nil
	}
	u, err := c.CurrentUser(ctx)
	if err != nil {
		return "", err
	}
	return u.ID, nil
}

// CurrentUser asks OCS cloud/user who the credentials belong to. It is the
// way to prove credentials: capabilities answer anybody.
func (c *Client) CurrentUser(ctx context.Context) (*User, error) {
	var data struct {
		ID          string `json:"id"`
		DisplayName string `json:"displayname"`
		Display     string `json:"display-name"`
		Email       string `json:"email"`
		TimeZone    string `json:"timezone"`
		Locale      string `json:"locale"`
	}
	err := c.OCS(ctx, Request{Op: "ask who is signed in", Path: "/ocs/v2.php/cloud/user"}, &data)
	if err != nil {
		return nil, err
	}
	if data.ID == "" {
		return nil, &Error{Op: "ask who is signed in", Kind: ErrBadAnswer, Status: 200, Message: "Nextcloud named no user"}
	}
	if data.DisplayName == "" {
		data.DisplayName = data.Display
	}
	c.mu.Lock()
	c.user = UserID(data.ID)
	c.mu.Unlock()
	return &User{
		ID: UserID(data.ID), DisplayName: data.DisplayName, Email: data.Email,
		TimeZone: data.TimeZone, Locale: data.Locale,
	}, nil
}

// Cached is what Store kept under key for this person, while there was room.
func (c *Client) Cached(ctx context.Context, key string) (any, bool) {
	user, err := c.UserID(ctx)
	if err != nil {
		return nil, false
	}
	return c.host.cache.get(cacheKey{user, key})
}

// Store keeps value under key for this person; size is its weight in bytes.
// The value must not be changed afterwards.
func (c *Client) Store(ctx context.Context, key string, value any, size int) {
	user, err := c.UserID(ctx)
	if err != nil {
		return
	}
	c.host.cache.put(cacheKey{user, key}, value, size)
}

// Forget drops what is kept under key for this person.
func (c *Client) Forget(ctx context.Context, key string) {
	user, err := c.UserID(ctx)
	if err != nil {
		return
	}
	c.host.cache.remove(cacheKey{user, key})
}

// requestTimeout bounds one exchange with all its retries when the caller's
// context has no earlier end.
const requestTimeout = 60 * time.Second
