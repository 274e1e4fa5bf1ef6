package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// stdio serves one client over the standard streams until either side ends.
func (a *app) stdio(ctx context.Context, m *mcp.Server) error {
	a.announceStdio(ctx)
	in, out := io.Pipe()
	defer in.Close()
	p := &pipe{log: a.log, out: a.streams.Out, idle: make(chan struct{}, 1)}
	// Nothing ends a read of the standard input but its end, so this goroutine
	// may outlive the call; the process ends then.
	go func() { out.CloseWithError(p.feed(ctx, a.streams.In, out)) }()
	err := m.Run(ctx, &mcp.IOTransport{Reader: in, Writer: p})
	if err == nil || ctx.Err() != nil || errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("serve on the standard streams: %w", err)
}

func (a *app) announceStdio(ctx context.Context) {
	a.log.InfoContext(ctx, "MCP server ready on standard input and output")
	if a.whenReady != nil {
		a.whenReady()
	}
}

// maxLine bounds one message on standard input, in bytes.
const maxLine = 8 << 20

// pipe stands between the standard streams and the SDK, which ends the session
// with the first line that is no JSON, and leaves open requests unanswered
// when the input ends.
type pipe struct {
	log  *slog.Logger
	out  io.Writer
	idle chan struct{} // told when no request is open

	mu   sync.Mutex // guards the field below
	open int        // requests without an answer
}

// feed passes the messages of in on, and answers its end when the open
// requests are answered.
func (p *pipe) feed(ctx context.Context, in io.Reader, to io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if !json.Valid(line) {
			p.log.WarnContext(ctx, "A line on standard input is no JSON-RPC message; it is left out", "bytes", len(line))
			continue
		}
		if isRequest, _ := kindOf(line); isRequest {
			p.count(1)
		}
		if _, err := to.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	end := time.After(stopTimeout)
	for p.count(0) > 0 {
		select {
		case <-p.idle:
		case <-end:
			return io.EOF
		case <-ctx.Done():
			return io.EOF
		}
	}
	return io.EOF
}

// kindOf reports whether a message is a request that wants an answer, or the
// answer to one.
func kindOf(message []byte) (request, answer bool) {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if json.Unmarshal(message, &m) != nil || len(m.ID) == 0 {
		return false, false // a batch, or a notification
	}
	return m.Method != "", m.Method == ""
}

func (p *pipe) count(change int) (open int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = max(p.open+change, 0)
	if p.open == 0 {
		select {
		case p.idle <- struct{}{}:
		default:
		}
	}
	return p.open
}

// Write implements io.Writer; the SDK writes each message in one call.
func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.out.Write(b)
	if _, answer := kindOf(b); answer {
		p.count(-1)
	}
	return n, err
}

// Close implements io.Closer: the standard output stays open.
func (p *pipe) Close() error { return nil }
