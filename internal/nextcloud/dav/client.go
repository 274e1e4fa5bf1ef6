package dav

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

// Root is where DAV lives below the host's base.
const Root = "/remote.php/dav"

const xmlType = "application/xml; charset=utf-8"

// Depth is how far a request reaches (RFC 4918, 10.2).
type Depth string

// The depths. Infinity is left out on purpose: its answers have no bound.
const (
	Self     Depth = "0"
	Children Depth = "1"
)

// Client sends DAV requests for one person.
type Client struct {
	nc *nextcloud.Client
}

// New is a DAV client on nc.
func New(nc *nextcloud.Client) *Client { return &Client{nc} }

// Query is a request with an XML body that asks about a resource.
type Query struct {
	Op      string // what is tried, in words, for errors
	Path    string // below the host's base, encoded
	Depth   Depth  // default Self
	Header  http.Header
	MaxBody int64 // bytes accepted of the answer; default nextcloud.DefaultMaxBody
}

// Propfind asks for properties (RFC 4918, 9.1).
func (c *Client) Propfind(ctx context.Context, q Query, names ...xml.Name) (*Multistatus, error) {
	return c.multistatus(ctx, "PROPFIND", q, El(Name(NSDAV, "propfind"), Props(names...)))
}

// Report runs a report (RFC 3253, 3.6), such as a calendar-query.
func (c *Client) Report(ctx context.Context, q Query, report Element) (*Multistatus, error) {
	return c.multistatus(ctx, "REPORT", q, report)
}

// Proppatch sets and removes properties (RFC 4918, 9.2). Either all of them
// are changed or none, and then the error says which one was refused.
func (c *Client) Proppatch(ctx context.Context, q Query, set []Element, remove ...xml.Name) error {
	body := El(Name(NSDAV, "propertyupdate"))
	if len(set) > 0 {
		body.Children = append(body.Children, El(Name(NSDAV, "set"), El(Name(NSDAV, "prop"), set...)))
	}
	if len(remove) > 0 {
		body.Children = append(body.Children, El(Name(NSDAV, "remove"), Props(remove...)))
	}
	ms, err := c.multistatus(ctx, "PROPPATCH", q, body)
	if err != nil {
		return err
	}
	for _, r := range ms.Responses {
		for name, status := range r.Failed {
			// 424 marks the properties that failed because another one did.
			if status != http.StatusFailedDependency {
				return &nextcloud.Error{Op: q.Op, Kind: nextcloud.KindOf(status), Status: status, Message: "Nextcloud refused the property " + name.Local}
			}
		}
	}
	return nil
}

// Mkcalendar makes a calendar collection (RFC 4791, 5.3.1).
func (c *Client) Mkcalendar(ctx context.Context, q Query, props ...Element) error {
	body := El(Name(NSCalDAV, "mkcalendar"), El(Name(NSDAV, "set"), El(Name(NSDAV, "prop"), props...)))
	_, err := c.send(ctx, "MKCALENDAR", q, &body)
	return err
}

// Mkcol makes a collection; with properties it is an extended MKCOL
// (RFC 5689), without it is a plain one (RFC 4918, 9.3).
func (c *Client) Mkcol(ctx context.Context, q Query, props ...Element) error {
	if len(props) == 0 {
		_, err := c.send(ctx, "MKCOL", q, nil)
		return err
	}
	body := El(Name(NSDAV, "mkcol"), El(Name(NSDAV, "set"), El(Name(NSDAV, "prop"), props...)))
	_, err := c.send(ctx, "MKCOL", q, &body)
	return err
}

func (c *Client) multistatus(ctx context.Context, method string, q Query, body Element) (*Multistatus, error) {
	res, err := c.send(ctx, method, q, &body)
	if err != nil {
		return nil, err
	}
	ms, err := ParseMultistatus(res.Body)
	if err != nil {
		return nil, notXML(q.Op, res.Status, err)
	}
	return ms, nil
}

func notXML(op string, status int, err error) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Status: status, Message: "the answer is not the XML that was expected", Err: err}
}

func (c *Client) send(ctx context.Context, method string, q Query, body *Element) (*nextcloud.Response, error) {
	r, err := request(method, q, body)
	if err != nil {
		return nil, err
	}
	return c.nc.Do(ctx, r)
}

// request is q with a body; nil for none.
func request(method string, q Query, body *Element) (nextcloud.Request, error) {
	r := nextcloud.Request{Op: q.Op, Method: method, Path: q.Path, Header: http.Header{}, Accept: "application/xml", MaxBody: q.MaxBody}
	for k, v := range q.Header {
		r.Header[k] = slices.Clone(v)
	}
	if method == "PROPFIND" || method == "REPORT" {
		depth := q.Depth
		if depth == "" {
			depth = Self
		}
		r.Header.Set("Depth", string(depth))
	}
	if body != nil {
		b, err := encode(*body)
		if err != nil {
			return r, &nextcloud.Error{Op: q.Op, Kind: nextcloud.ErrInvalid, Message: "the request cannot be written as XML", Err: err}
		}
		r.Body, r.Type = b, xmlType
	}
	return r, nil
}

// Local is the path below the host's base of an href that the server gave. An
// href that leads to another host or out of the DAV root is refused.
func (c *Client) Local(href string) (string, error) { return local(c.nc.Host().Base(), href) }

func local(base *url.URL, href string) (string, error) {
	u, err := url.Parse(href)
	if err != nil || (u.Host != "" && u.Host != base.Host) || u.Opaque != "" {
		return "", badHref(href)
	}
	p := u.EscapedPath()
	rest, ok := strings.CutPrefix(p, base.EscapedPath())
	if !ok || !strings.HasPrefix(rest, Root+"/") {
		return "", badHref(href)
	}
	for s := range strings.SplitSeq(u.Path, "/") {
		if s == ".." || s == "." {
			return "", badHref(href)
		}
	}
	return rest, nil
}

func badHref(href string) error {
	return &nextcloud.Error{Op: "read address", Kind: nextcloud.ErrBadAnswer, Message: fmt.Sprintf("Nextcloud named a resource outside of its DAV root: %.80q", href)}
}

// Base is the last segment of an href or encoded path, decoded.
func Base(href string) string {
	u, err := url.Parse(strings.TrimSuffix(href, "/"))
	if err != nil {
		return ""
	}
	seg := path.Base(u.EscapedPath())
	name, err := url.PathUnescape(seg)
	if err != nil || seg == "." || seg == "/" {
		return ""
	}
	return name
}
