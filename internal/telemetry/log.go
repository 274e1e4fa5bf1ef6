// Package telemetry is what the process says about itself: log lines and
// metrics. It is separate so that nobody else chooses formats, and so that
// secrets have one place where they are kept out.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// NewLogger writes log lines to w: JSON objects, or text for people with the
// time, the level and the message in front, then the attributes.
func NewLogger(w io.Writer, level slog.Level, asJSON bool) *slog.Logger {
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(&textHandler{w: w, mu: &sync.Mutex{}, level: level})
}

// textHandler writes the message as it is, without quotes, so that the lines
// of the setup guide can be read and searched for literally.
type textHandler struct {
	w     io.Writer
	mu    *sync.Mutex // guards w
	level slog.Level
	attrs string // rendered
	group string // prefix of attribute names
}

// Enabled implements slog.Handler.
func (h *textHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle implements slog.Handler.
func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if !r.Time.IsZero() {
		b.WriteString(r.Time.Format(time.RFC3339) + " ")
	}
	level := r.Level.String()
	if r.Level == slog.LevelWarn {
		level = "WARNING"
	}
	b.WriteString(level + " " + oneLine(r.Message) + h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&b, h.group, a)
		return true
	})
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

// WithAttrs implements slog.Handler.
func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		appendAttr(&b, h.group, a)
	}
	c := *h
	c.attrs += b.String()
	return &c
}

// WithGroup implements slog.Handler.
func (h *textHandler) WithGroup(name string) slog.Handler {
	c := *h
	if name != "" {
		c.group += name + "."
	}
	return &c
}

func appendAttr(b *strings.Builder, group string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, inner := range v.Group() {
			appendAttr(b, group, inner)
		}
		return
	}
	if a.Key == "" {
		return
	}
	text := v.String()
	if text == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, special) {
		text = strconv.Quote(text)
	}
	b.WriteString(" " + oneLine(group+a.Key) + "=" + text)
}

// special reports whether a value that holds r needs quotes.
func special(r rune) bool {
	return unicode.IsSpace(r) || r == '"' || r == '=' || !unicode.IsPrint(r)
}

// oneLine keeps a message that holds foreign text from forging log lines, with
// line ends of any kind or with characters that change what a terminal shows.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}
