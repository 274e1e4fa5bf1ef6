package safehttp

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// Stream is an answer, whatever its status, whose body is read while it comes.
// Who gets it has to close Body.
type Stream struct {
	Status int
	Header http.Header
	Length int64 // of the body in bytes; negative when the host did not say
	// Body ends in an *Error when it is cut off, too late or too large.
	Body io.ReadCloser
}

// Open is Get for a large body. The timeout of the options bounds it up to its
// last byte.
func (c *Client) Open(ctx context.Context, rawURL string, header http.Header) (*Stream, error) {
	u, client, err := c.target(rawURL)
	if err != nil {
		return nil, &Error{Kind: ErrBadURL, Err: err}
	}
	limited, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	resp, err := c.send(limited, client, u, header) //nolint:bodyclose // whoever gets the Stream closes it
	if err != nil {
		cancel()
		return nil, c.failure(ctx, limited, err)
	}
	b := &body{c: c, ctx: ctx, limited: limited, cancel: cancel, left: c.opts.MaxBody, r: resp.Body}
	return &Stream{Status: resp.StatusCode, Header: resp.Header, Length: resp.ContentLength, Body: b}, nil
}

// body is the body of a Stream.
type body struct {
	c       *Client
	ctx     context.Context //nolint:containedctx // of the request that the body belongs to
	limited context.Context //nolint:containedctx // as above
	cancel  context.CancelFunc
	left    int64
	r       io.ReadCloser
}

func (b *body) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		return int(b.left), &Error{Kind: ErrTooLarge}
	}
	b.left -= int64(n)
	// A body may seem to end when the request is given up.
	if errors.Is(err, io.EOF) && b.limited.Err() == nil {
		return n, io.EOF
	}
	if err != nil {
		err = b.c.failure(b.ctx, b.limited, err)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.r.Close()
	b.cancel()
	return err
}
