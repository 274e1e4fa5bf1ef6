package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/app"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// pipes runs a server over in until it ends or ctx does, and answers what it
// wrote.
func pipes(ctx context.Context, t *testing.T, in io.Reader, settings ...string) (messages []map[string]any, said string, err error) {
	t.Helper()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	sim.AddTag("alice", "no-ai", "Notes")
	cfg, _, err := config.Load(nil, append([]string{
		"NEXTCLOUD_HOST=" + sim.URL(), "NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=alice-password-1",
		"MCP_TRANSPORT=stdio", "LOG_LEVEL=debug", "TOKEN_STORAGE_DB=" + database(t),
	}, settings...), config.EnvFile{}, app.CheckTools)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Server.Transport != config.Stdio {
		t.Fatalf("transport %q", cfg.Server.Transport)
	}
	var out lockedBuffer
	log := &transcript{}
	err = app.Serve(ctx, cfg, app.Streams{In: in, Out: &out, Err: log})
	for line := range strings.Lines(out.String()) {
		var m map[string]any
		if json.Unmarshal([]byte(line), &m) != nil || m["jsonrpc"] != "2.0" {
			t.Errorf("standard output carries something else than the protocol: %q", line)
		}
		messages = append(messages, m)
	}
	return messages, strings.Join(log.all(), "\n"), err
}

type lockedBuffer struct {
	mu sync.Mutex // guards the field below
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const (
	hello  = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}` + "\n"
	begun  = `{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	search = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"nc_notes_search_notes","arguments":{"query":""}}}` + "\n"
)

func answers(messages []map[string]any) map[any]bool {
	ids := map[any]bool{}
	for _, m := range messages {
		if m["result"] != nil {
			ids[m["id"]] = true
		}
	}
	return ids
}

// TestStdioAnswersBeforeTheEnd: whoever pipes some messages in gets all
// answers.
func TestStdioAnswersBeforeTheEnd(t *testing.T) {
	t.Parallel()
	messages, _, err := pipes(t.Context(), t, strings.NewReader(hello+begun+search))
	if ids := answers(messages); err != nil || !ids[1.0] || !ids[2.0] {
		t.Errorf("%v, %v", err, messages)
	}
}

func TestStdioGarbage(t *testing.T) {
	t.Parallel()
	garbage := "hello\n\n{\"jsonrpc\":\n\x00\xff\x1b[0m\n"
	messages, said, err := pipes(t.Context(), t, strings.NewReader(garbage+hello+begun+garbage+search))
	if ids := answers(messages); err != nil || !ids[1.0] || !ids[2.0] {
		t.Errorf("%v, %v", err, messages)
	}
	if !strings.Contains(said, "no JSON-RPC message") || strings.Contains(said, "hello") {
		t.Errorf("the log: %s", said)
	}
}

func TestStdioTooLong(t *testing.T) {
	t.Parallel()
	_, _, err := pipes(t.Context(), t, io.MultiReader(strings.NewReader(hello), strings.NewReader(strings.Repeat("x", 9<<20))))
	if err == nil || !strings.Contains(err.Error(), "token too long") {
		t.Errorf("a line without end: %v", err)
	}
}

func TestStdioStops(t *testing.T) {
	t.Parallel()
	in, hold := io.Pipe()
	defer hold.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = io.WriteString(hold, hello+begun+search)
		cancel()
	}()
	began := time.Now()
	if _, _, err := pipes(ctx, t, in); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %s", took)
	}
}

// TestExcludedTags: EXCLUDED_TAGS reaches the tools.
func TestExcludedTags(t *testing.T) {
	for setting, want := range map[string]bool{"EXCLUDED_TAGS=": true, "EXCLUDED_TAGS=other, no-ai": false, "EXCLUDED_TAGS=no-ai": false} {
		messages, _, err := pipes(t.Context(), t, strings.NewReader(hello+begun+search), setting)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(messages)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(b), "Shopping"); got != want || !answers(messages)[2.0] {
			t.Errorf("%s: notes are shown: %v", setting, got)
		}
	}
}
