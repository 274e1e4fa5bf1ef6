package document

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Extractor reads documents for a whole process. Its zero value is not ready:
// see NewExtractor.
type Extractor struct {
	command []string
	slots   chan struct{}
	timeout time.Duration
	max     int64
	tools   Tools
}

// Options are the optional parts of an Extractor; nil means all defaults.
type Options struct {
	// Command starts a process that calls Child and nothing else. Without it,
	// documents are read in this process.
	Command []string
	Timeout time.Duration // of one document; default 45 seconds
	MaxSize int64         // of a file in bytes; default and most MaxInput
	Slots   int           // documents at a time; default 2
	Tools   Tools         // programs of the host
}

const defaultTimeout = 45 * time.Second

// NewExtractor makes an Extractor.
func NewExtractor(opts *Options) *Extractor {
	if opts == nil {
		opts = &Options{}
	}
	e := &Extractor{command: opts.Command, timeout: opts.Timeout, max: opts.MaxSize, tools: opts.Tools}
	if e.timeout <= 0 {
		e.timeout = defaultTimeout
	}
	if e.max <= 0 || e.max > MaxInput {
		e.max = MaxInput
	}
	slots := opts.Slots
	if slots <= 0 {
		slots = 2
	}
	e.slots = make(chan struct{}, slots)
	return e
}

// MaxSize is the largest file that is read, in bytes.
func (e *Extractor) MaxSize() int64 { return e.max }

// CanOCR reports whether text on pictures can be recognized.
func (e *Extractor) CanOCR() bool { return e.tools.Tesseract != "" }

// The exit codes of a child beside 0.
const childFailed = 3 // the answer says why

// Extract reads the text of a file. Its errors are *Error, or that of ctx, or
// that of the reader. The file goes straight to the process that reads it, so
// that it costs no memory here.
func (e *Extractor) Extract(ctx context.Context, file io.Reader, req Request) (*Document, error) {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, e.timeout, errOwnLimit)
	defer cancel()
	req.Tools = e.tools
	source := &source{r: file, left: e.max, max: e.max}
	var doc *Document
	var err error
	if len(e.command) == 0 {
		doc, err = readHere(ctx, source, req)
	} else {
		doc, err = e.readApart(ctx, source, req)
	}
	switch {
	case source.err != nil:
		return nil, source.err // what Nextcloud said of the file outranks what became of half of it
	case err != nil && errors.Is(context.Cause(ctx), errOwnLimit):
		return nil, &Error{Kind: ErrTimeout, Message: fmt.Sprintf("reading the document took more than %d seconds and was stopped", int(e.timeout.Seconds()))}
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return doc, err
}

var errOwnLimit = errors.New("the time of one document is over")

func readHere(ctx context.Context, file io.Reader, req Request) (*Document, error) {
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return Read(ctx, data, req)
}

// source is a file on its way to its reader.
type source struct {
	r         io.Reader
	left, max int64
	err       error // why it ended too early
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.left -= int64(n); s.left < 0 {
		s.err = tooLarge("the file is larger than %d MiB, the most that is read", s.max>>20)
		return 0, s.err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// answer is what a child prints.
type answer struct {
	Document *Document `json:"document,omitempty"`
	Kind     string    `json:"kind,omitempty"`
	Message  string    `json:"message,omitempty"`
	Detail   string    `json:"detail,omitempty"`
}

// kinds are the failures by the names that a child gives them.
var kinds = map[string]error{
	"unsupported": ErrUnsupported, "encrypted": ErrEncrypted, "damaged": ErrDamaged, "large": ErrTooLarge,
	"timeout": ErrTimeout, "range": ErrRange, "ocr": ErrNoOCR,
}

// maxAnswer bounds what is read of a child, in bytes: JSON needs up to six for
// one of text.
const maxAnswer = 64 << 20

// memory is what a child may use, in bytes.
const memory = 768 << 20

func (e *Extractor) readApart(ctx context.Context, file io.Reader, req Request) (*Document, error) {
	head, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, e.command[0], e.command[1:]...) //nolint:gosec // it is our own program
	// Nothing of the environment: it holds the administrator's secrets.
	cmd.Env = []string{
		"GOMEMLIMIT=" + strconv.Itoa(memory/2), "GOMAXPROCS=" + strconv.Itoa(min(2, runtime.NumCPU())), "GOTRACEBACK=single",
	}
	cmd.Dir = os.TempDir()
	cmd.Stdin = io.MultiReader(bytes.NewReader(append(head, '\n')), file)
	out, words := &limitedBuffer{left: maxAnswer}, &limitedBuffer{left: 64 << 10}
	cmd.Stdout, cmd.Stderr = out, &lossy{words}
	cmd.WaitDelay = time.Second
	isolate(cmd)
	runErr := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var a answer
	if err := json.Unmarshal(out.b.Bytes(), &a); err == nil && (a.Document != nil || a.Message != "") {
		if a.Document != nil {
			return a.Document, nil
		}
		kind, ok := kinds[a.Kind]
		if !ok {
			kind = ErrDamaged
		}
		var cause error
		if a.Detail != "" {
			cause = errors.New(a.Detail)
		}
		return nil, &Error{Kind: kind, Message: a.Message, Err: cause}
	}
	said := words.b.String()
	exit, ended := errors.AsType[*exec.ExitError](runErr)
	switch {
	case strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate memory"), ended && killedByKernel(exit):
		return nil, tooLarge("reading the document needs more memory or time than one document may use")
	case ended, runErr == nil:
		// The program that read it broke down, which is what it is there for.
		return nil, &Error{Kind: ErrDamaged, Message: "the document cannot be read: it is damaged or built in an unusual way", Err: fmt.Errorf("%w: %s", runErr, said)}
	}
	return nil, fmt.Errorf("start the reader of documents: %w", runErr)
}

// lossy takes everything and keeps what there is room for.
type lossy struct{ to *limitedBuffer }

// Write implements io.Writer.
func (l *lossy) Write(p []byte) (int, error) {
	_, _ = l.to.Write(p)
	return len(p), nil
}
