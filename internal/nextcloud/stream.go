package nextcloud

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// Stream is a success whose body is not held in memory. Who gets it has to
// close Body.
type Stream struct {
	Status int
	Header http.Header
	Length int64 // of the body, in bytes; negative when Nextcloud did not say
	// Body ends in an *Error when it was cut off, or when it is longer than
	// Request.MaxBody.
	Body io.ReadCloser
}

// ETag is the answer's entity tag without its quotes; empty when there is none.
func (s *Stream) ETag() string { return UnquoteETag(s.Header.Get("ETag")) }

// maxErrorBody bounds what is read of an answer that is no success, in bytes.
const maxErrorBody = 1 << 20

// Stream is Do for an answer that is read bit by bit. It ends with ctx, and
// has no time limit of its own.
func (c *Client) Stream(ctx context.Context, r Request) (*Stream, error) {
	return retried(ctx, c, r, c.stream)
}

func (c *Client) stream(ctx context.Context, r Request, body io.Reader) (*Stream, error) {
	httpRes, err := c.send(ctx, r, body)
	if err != nil {
		return nil, err
	}
	keep := false
	defer func() {
		if !keep {
			_ = httpRes.Body.Close()
		}
	}()
	res := &Response{Status: httpRes.StatusCode, Header: httpRes.Header}
	if res.Status/100 != 2 {
		if res, err = c.readAll(ctx, r, httpRes, maxErrorBody); err != nil {
			return nil, err
		}
	}
	if err := c.failure(r, httpRes, res); err != nil {
		return nil, err
	}
	limit := r.limit()
	if httpRes.ContentLength > limit {
		return nil, tooLarge(r.Op, res.Status, limit)
	}
	keep = true
	return &Stream{
		Status: res.Status, Header: res.Header, Length: httpRes.ContentLength,
		Body: &limited{ctx: ctx, op: r.Op, status: res.Status, limit: limit, left: limit, body: httpRes.Body},
	}, nil
}

// limited is the body of a Stream.
type limited struct {
	ctx         context.Context //nolint:containedctx // of the request that the body belongs to
	op          string
	status      int
	limit, left int64
	body        io.ReadCloser
}

func (l *limited) Read(p []byte) (int, error) {
	// One byte beyond the limit tells a body that is too long from one that
	// just fits.
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.body.Read(p)
	if int64(n) > l.left {
		n, err = int(l.left), tooLarge(l.op, l.status, l.limit)
	}
	l.left -= int64(n)
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return n, err
	case l.ctx.Err() != nil:
		return n, connectionError(l.op, l.ctx.Err())
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return n, e
	}
	return n, cutOff(l.op, err)
}

func (l *limited) Close() error { return l.body.Close() }

// replay is the body of a request, for each try.
type replay struct {
	body  []byte
	r     io.Reader
	seek  io.Seeker // nil when r cannot be read again
	start int64     // where seek was at first
	sent  *lent     // r as the try before has it
}

func newReplay(r Request) *replay {
	p := &replay{body: r.Body, r: r.Reader}
	if s, ok := r.Reader.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			p.seek, p.start = s, at
		}
	}
	return p
}

// next is the body for the next try; nil when there is none.
func (p *replay) next() io.Reader {
	switch {
	case p.r != nil:
		p.sent = &lent{r: p.r}
		return p.sent
	case p.body != nil:
		return bytes.NewReader(p.body)
	}
	return nil
}

// rewind prepares another try; false when what was sent cannot be sent again.
func (p *replay) rewind() bool {
	if p.r == nil {
		return true
	}
	if p.seek == nil {
		return false
	}
	// The transport may still be sending when an early answer is there.
	_ = p.sent.Close()
	_, err := p.seek.Seek(p.start, io.SeekStart)
	return err == nil
}

// lent is a reader that the transport may use until it is taken back.
type lent struct {
	mu sync.Mutex // guards the field below and the reading
	r  io.Reader  // nil when taken back
}

func (l *lent) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.r == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	return l.r.Read(p)
}

// Close takes the reader back; it is not closed itself.
func (l *lent) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.r = nil
	return nil
}
