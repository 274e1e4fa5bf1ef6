package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTextLine(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, test := range []struct {
		level slog.Level
		msg   string
		attrs []slog.Attr
		want  string
	}{
		{slog.LevelInfo, "MCP server ready at http://127.0.0.1:8000", nil, "INFO MCP server ready at http://127.0.0.1:8000"},
		{slog.LevelWarn, "careful", nil, "WARNING careful"},
		{slog.LevelError, "failed", []slog.Attr{slog.Int("status", 503), slog.Bool("retry", true)}, "ERROR failed status=503 retry=true"},
		{slog.LevelInfo, "m", []slog.Attr{slog.String("k", "two words")}, `INFO m k="two words"`},
		{slog.LevelInfo, "m", []slog.Attr{slog.String("k", "")}, `INFO m k=""`},
		{slog.LevelInfo, "m", []slog.Attr{slog.String("k", `a"b`)}, `INFO m k="a\"b"`},
		{slog.LevelInfo, "m", []slog.Attr{slog.String("k", "a=b")}, `INFO m k="a=b"`},
		{slog.LevelInfo, "m", []slog.Attr{slog.String("k", "ümläut")}, "INFO m k=ümläut"},
		{slog.LevelInfo, "m", []slog.Attr{slog.String("k", "\xff\xfe")}, `INFO m k="\xff\xfe"`},
		{slog.LevelInfo, "m", []slog.Attr{slog.String("k", "a\nERROR forged")}, `INFO m k="a\nERROR forged"`},
		{slog.LevelInfo, "m", []slog.Attr{slog.String("k", "\x1b[2J\u202e")}, `INFO m k="\x1b[2J\u202e"`},
		{slog.LevelInfo, "a\nERROR b\r\u2028c\u0085d\x1b[2J\u202ee", nil, "INFO a ERROR b  c d [2J e"},
		{slog.LevelInfo, "m", []slog.Attr{slog.String("k\nERROR forged", "v")}, "INFO m k ERROR forged=v"},
		{slog.LevelInfo, "m", []slog.Attr{slog.Group("http", slog.Int("status", 1), slog.Group("in", slog.Int("n", 2)))}, "INFO m http.status=1 http.in.n=2"},
		{slog.LevelInfo, "m", []slog.Attr{slog.Group("", slog.Int("n", 2)), {}, slog.Group("empty")}, "INFO m n=2"},
		{slog.LevelInfo, "m", []slog.Attr{slog.Any("error", errors.New("not found"))}, `INFO m error="not found"`},
		{slog.LevelInfo, "m", []slog.Attr{slog.Any("nothing", nil), slog.Duration("took", time.Second)}, "INFO m nothing=<nil> took=1s"},
	} {
		t.Run(test.want, func(t *testing.T) {
			var b bytes.Buffer
			r := slog.NewRecord(at, test.level, test.msg, 0)
			r.AddAttrs(test.attrs...)
			if err := NewLogger(&b, slog.LevelDebug, false).Handler().Handle(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if got, want := b.String(), "2026-03-04T05:06:07Z "+test.want+"\n"; got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestTextWithoutTime(t *testing.T) {
	var b bytes.Buffer
	_ = NewLogger(&b, slog.LevelDebug, false).Handler().Handle(t.Context(), slog.NewRecord(time.Time{}, slog.LevelInfo, "m", 0))
	if got := b.String(); got != "INFO m\n" {
		t.Errorf("%q", got)
	}
}

func TestTextGroups(t *testing.T) {
	var b bytes.Buffer
	log := NewLogger(&b, slog.LevelInfo, false)
	log.With("a", 1).WithGroup("g").With("b", 2).WithGroup("").WithGroup("h").Info("m", "c", 3)
	log.Info("untouched")
	lines := strings.Split(b.String(), "\n")
	if !strings.HasSuffix(lines[0], " INFO m a=1 g.b=2 g.h.c=3") {
		t.Errorf("%q", lines[0])
	}
	if !strings.HasSuffix(lines[1], " INFO untouched") {
		t.Errorf("With changed the logger it came from: %q", lines[1])
	}
}

func TestLevel(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var b bytes.Buffer
		log := NewLogger(&b, slog.LevelWarn, asJSON)
		log.Info("hidden")
		log.Warn("shown")
		if log.Enabled(t.Context(), slog.LevelInfo) || strings.Contains(b.String(), "hidden") || !strings.Contains(b.String(), "shown") {
			t.Errorf("JSON %v: %s", asJSON, b.String())
		}
	}
}

// chunks notes each Write by itself.
type chunks struct {
	mu    sync.Mutex
	lines []string
}

func (c *chunks) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, string(p))
	return len(p), nil
}

func TestTextConcurrently(t *testing.T) {
	const loggers, each = 8, 50
	var b bytes.Buffer // has no lock of its own: the race detector sees a missing one
	log := NewLogger(&b, slog.LevelInfo, false)
	var wg sync.WaitGroup
	for i := range loggers {
		wg.Go(func() {
			mine := log.With("logger", i)
			for n := range each {
				mine.InfoContext(context.Background(), "line", "n", n)
			}
		})
	}
	wg.Wait()
	line := regexp.MustCompile(`^\S+ INFO line logger=(\d) n=(\d+)$`)
	seen := map[string]bool{}
	for l := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\n"), "\n") {
		m := line.FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("mixed line %q", l)
		}
		seen[m[1]+" "+m[2]] = true
	}
	if len(seen) != loggers*each {
		t.Errorf("%d lines, want %d", len(seen), loggers*each)
	}
}

func TestTextWritesLinesWhole(t *testing.T) {
	var c chunks
	NewLogger(&c, slog.LevelInfo, false).Info("m", "k", "v")
	if len(c.lines) != 1 || !strings.HasSuffix(c.lines[0], "\n") {
		t.Errorf("%q", c.lines)
	}
}

// panicky panics when it is printed.
type panicky struct{}

func (panicky) String() string { panic("no") }

func TestTextSurvivesValues(t *testing.T) {
	var b bytes.Buffer
	NewLogger(&b, slog.LevelInfo, false).Info("m", "k", panicky{}, "nil", (*panicky)(nil))
	if !strings.Contains(b.String(), "INFO m k=") {
		t.Errorf("%q", b.String())
	}
}
