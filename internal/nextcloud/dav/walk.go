package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"iter"

	"nextcloud-mcp-server/internal/nextcloud"
)

// MaxWalk bounds the answer of a walk that has no limit of its own, in bytes.
// It is never in memory as a whole.
const MaxWalk = 512 << 20

// PropfindEach is Propfind for collections of any size: the responses come one
// by one, while they arrive. An error is the last thing that comes.
func (c *Client) PropfindEach(ctx context.Context, q Query, names ...xml.Name) iter.Seq2[*Response, error] {
	return c.each(ctx, "PROPFIND", q, El(Name(NSDAV, "propfind"), Props(names...)))
}

// ReportEach is Report for answers of any size.
func (c *Client) ReportEach(ctx context.Context, q Query, report Element) iter.Seq2[*Response, error] {
	return c.each(ctx, "REPORT", q, report)
}

// SearchEach runs a search (RFC 5323).
func (c *Client) SearchEach(ctx context.Context, q Query, search Element) iter.Seq2[*Response, error] {
	return c.each(ctx, "SEARCH", q, search)
}

func (c *Client) each(ctx context.Context, method string, q Query, body Element) iter.Seq2[*Response, error] {
	return func(yield func(*Response, error) bool) {
		if q.MaxBody == 0 {
			q.MaxBody = MaxWalk
		}
		r, err := request(method, q, &body)
		if err != nil {
			yield(nil, err)
			return
		}
		// Whoever stops early gives the rest of the answer up.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		s, err := c.nc.Stream(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.Body.Close()
		d := NewDecoder(s.Body)
		for {
			res, err := d.Next()
			switch lost, ok := errors.AsType[*nextcloud.Error](err); {
			case errors.Is(err, io.EOF):
				return
			case ok: // the connection failed, not the document
				yield(nil, lost)
				return
			case err != nil:
				yield(nil, notXML(q.Op, s.Status, err))
				return
			case !yield(res, nil):
				return
			}
		}
	}
}
