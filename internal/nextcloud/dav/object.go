package dav

import (
	"context"
	"net/http"

	"nextcloud-mcp-server/internal/nextcloud"
)

// Condition says when a write may happen (RFC 9110, 13.1). Its zero value is
// no condition.
type Condition struct {
	Absent bool   // only when there is nothing yet: If-None-Match: *
	ETag   string // only when the resource is still this one: If-Match
}

func (c Condition) set(h http.Header) {
	if c.Absent {
		h.Set("If-None-Match", "*")
	}
	if c.ETag != "" {
		h.Set("If-Match", nextcloud.QuoteETag(c.ETag))
	}
}

// Object is a resource's content with its entity tag.
type Object struct {
	Data []byte
	ETag string // without quotes
}

// Get reads a resource.
func (c *Client) Get(ctx context.Context, q Query, accept string) (*Object, error) {
	res, err := c.nc.Do(ctx, nextcloud.Request{Op: q.Op, Path: q.Path, Header: q.Header, Accept: accept, MaxBody: q.MaxBody})
	if err != nil {
		return nil, err
	}
	return &Object{Data: res.Body, ETag: res.ETag()}, nil
}

// Put writes a resource and answers its new entity tag, which is empty when
// the server stored something else than what was sent.
func (c *Client) Put(ctx context.Context, q Query, contentType string, data []byte, when Condition) (string, error) {
	h := q.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	when.set(h)
	res, err := c.nc.Do(ctx, nextcloud.Request{Op: q.Op, Method: http.MethodPut, Path: q.Path, Header: h, Body: data, Type: contentType, Accept: "application/xml"})
	if err != nil {
		return "", err
	}
	return res.ETag(), nil
}

// Delete removes a resource.
func (c *Client) Delete(ctx context.Context, q Query, when Condition) error {
	h := q.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	when.set(h)
	_, err := c.nc.Do(ctx, nextcloud.Request{Op: q.Op, Method: http.MethodDelete, Path: q.Path, Header: h, Accept: "application/xml"})
	return err
}

// Overwrite says what a Move or Copy does with what is at its target already.
type Overwrite string

// The ways to treat the target (RFC 4918, 10.6). Nextcloud's trash bins want
// Unsaid when something is restored.
const (
	Unsaid  Overwrite = ""
	Keep    Overwrite = "F" // nothing is moved: ErrPrecondition
	Replace Overwrite = "T"
)

// Move moves a resource to another path below the host's base (RFC 4918, 9.9).
func (c *Client) Move(ctx context.Context, q Query, to string, target Overwrite) error {
	_, err := c.Transfer(ctx, "MOVE", q, to, Target{Overwrite: target})
	return err
}

// Copy copies a resource to another path below the host's base, a collection
// with all that is in it (RFC 4918, 9.8).
func (c *Client) Copy(ctx context.Context, q Query, to string, target Overwrite) error {
	_, err := c.Transfer(ctx, "COPY", q, to, Target{Overwrite: target})
	return err
}

// Target is what is at the destination of a transfer.
type Target struct {
	Overwrite Overwrite
	ETag      string // only when the destination is still this one
}

// Transfer is Move or Copy, with a condition on the destination (RFC 4918,
// 10.4). Its answer has no body of interest.
func (c *Client) Transfer(ctx context.Context, method string, q Query, to string, target Target) (*nextcloud.Response, error) {
	h := q.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	destination := c.nc.Host().Base().String() + to
	h.Set("Destination", destination)
	if target.Overwrite != Unsaid {
		h.Set("Overwrite", string(target.Overwrite))
	}
	if target.ETag != "" {
		h.Set("If", "<"+destination+"> (["+nextcloud.QuoteETag(target.ETag)+"])")
	}
	return c.nc.Do(ctx, nextcloud.Request{Op: q.Op, Method: method, Path: q.Path, Header: h, Accept: "application/xml"})
}

// ETag asks for the entity tag of one resource.
func (c *Client) ETag(ctx context.Context, q Query) (string, error) {
	q.Depth = Self
	ms, err := c.Propfind(ctx, q, Name(NSDAV, "getetag"))
	if err != nil {
		return "", err
	}
	if len(ms.Responses) == 0 {
		return "", &nextcloud.Error{Op: q.Op, Kind: nextcloud.ErrNotFound, Status: http.StatusNotFound}
	}
	return nextcloud.UnquoteETag(ms.Responses[0].Prop(Name(NSDAV, "getetag")).String()), nil
}
