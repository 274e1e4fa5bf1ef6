package tool_test

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	own "nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
)

// logBuffer is a log that a test reads.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: level}))
}

// TestSecondScopeCheck checks the net under the gate of the front door.
func TestSecondScopeCheck(t *testing.T) {
	reader := &own.Principal{Subject: "alice", Scopes: scope.NewSet(scope.NotesRead, scope.DeckWrite)}
	c := &clients{}
	session := connect(t, setup{principal: reader, clients: c})
	if text, failed := call(t, session, "nc_echo", raw(`{"id":1}`)); failed {
		t.Errorf("reading: %s", text)
	}
	if len(c.seen) != 1 || c.seen[0] != reader {
		t.Errorf("the client was asked for %v", c.seen)
	}
	for name, lacks := range map[string]string{"nc_write": "notes.write", "nc_deck_both": "files.read"} {
		text, failed := call(t, session, name, nil)
		if !failed || !strings.Contains(text, "it lacks the scope "+lacks+".") {
			t.Errorf("%s: failed %v, %s", name, failed, text)
		}
	}
	if len(c.seen) != 1 {
		t.Error("a refused call got a client of Nextcloud")
	}
	if _, err := read(t, session, "nc://notes/1/files/a"); err == nil || !strings.Contains(err.Error(), "it lacks the scope files.read") {
		t.Errorf("resource: %v", err)
	}
}

func TestNobodyIsSignedIn(t *testing.T) {
	c := &clients{}
	session := connect(t, setup{nobody: true, clients: c})
	text, failed := call(t, session, "nc_echo", raw(`{"id":1}`))
	if !failed || !strings.Contains(text, "sign in again") {
		t.Errorf("failed %v, %s", failed, text)
	}
	if _, err := read(t, session, "nc://notes/1"); err == nil {
		t.Error("a resource was read by nobody")
	}
	if len(c.seen) > 0 {
		t.Error("nobody got a client of Nextcloud")
	}
}

func TestNoClient(t *testing.T) {
	session := connect(t, setup{clients: &clients{err: &nextcloud.Error{Kind: nextcloud.ErrUnauthenticated}}})
	text, failed := call(t, session, "nc_echo", raw(`{"id":1}`))
	if !failed || !strings.Contains(text, "credentials refused") {
		t.Errorf("failed %v, %s", failed, text)
	}
}

var reference = regexp.MustCompile(`\(ref ([A-Z2-7]{8})\)`)

// TestInternalError checks that what nobody foresaw is hidden behind a
// reference that the log has exactly once.
func TestInternalError(t *testing.T) {
	for _, name := range []string{"nc_secret", "nc_panic", "nc_unencodable", "nc_nil"} {
		t.Run(name, func(t *testing.T) {
			var log logBuffer
			var outcomes []string
			session := connect(t, setup{log: log.logger(slog.LevelDebug), observe: func(_, outcome string, _ time.Duration) { outcomes = append(outcomes, outcome) }})
			text, failed := call(t, session, name, nil)
			ref := reference.FindStringSubmatch(text)
			if !failed || ref == nil {
				t.Fatalf("failed %v, %s", failed, text)
			}
			if strings.Contains(text, "hunter2") || strings.Contains(text, "10.0.0.1") || strings.Contains(text, ".go") {
				t.Errorf("the model sees the cause: %s", text)
			}
			if n := strings.Count(log.String(), ref[1]); n != 1 {
				t.Errorf("the log has the reference %d times:\n%s", n, log.String())
			}
			if n := strings.Count(log.String(), "hunter2"); n > 1 {
				t.Errorf("the cause is logged %d times", n)
			}
			if name != "nc_nil" && !strings.Contains(log.String(), "hunter2") {
				t.Error("the cause is not logged")
			}
			if diff := cmp.Diff([]string{"internal error"}, outcomes); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if text, failed := call(t, session, "nc_echo", raw(`{"id":1}`)); failed {
				t.Errorf("afterwards: %s", text)
			}
		})
	}
}

// TestPanicInResource checks the same for resources.
func TestPanicInResource(t *testing.T) {
	var log logBuffer
	session := connect(t, setup{log: log.logger(slog.LevelInfo)})
	_, err := read(t, session, "nc://notes/panic")
	if err == nil || strings.Contains(err.Error(), "hunter2") || !reference.MatchString(err.Error()) {
		t.Errorf("%v", err)
	}
	if !strings.Contains(log.String(), "hunter2") {
		t.Error("the panic is not logged")
	}
	if _, err := read(t, session, "nc://notes/1"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestTimeout(t *testing.T) {
	var outcomes []string
	session := connect(t, setup{timeout: time.Millisecond, observe: func(name, outcome string, _ time.Duration) { outcomes = append(outcomes, name+" "+outcome) }})
	text, failed := call(t, session, "nc_wait", nil)
	if !failed || !strings.HasPrefix(text, "This took too long and was stopped.") {
		t.Errorf("failed %v, %s", failed, text)
	}
	if diff := cmp.Diff([]string{"nc_wait timed out"}, outcomes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestArgumentsAreNotLogged checks that what people write stays out of the log.
func TestArgumentsAreNotLogged(t *testing.T) {
	var log logBuffer
	session := connect(t, setup{log: log.logger(slog.LevelDebug)})
	call(t, session, "nc_echo", raw(`{"id":1,"text":"my-diary"}`))
	call(t, session, "nc_echo", raw(`{"id":"my-diary","my-diary":1}`))
	call(t, session, "nc_secret", raw(`{"text":"my-diary"}`))
	if strings.Contains(log.String(), "my-diary") {
		t.Error(log.String())
	}
}

func TestContenter(t *testing.T) {
	session := connect(t, setup{})
	res, err := session.CallTool(t.Context(), callParams("nc_picture", "{}"))
	if err != nil || len(res.Content) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	image, ok := res.Content[0].(*mcp.ImageContent)
	if !ok || string(image.Data) != "p<&>" || image.MIMEType != "image/png" {
		t.Errorf("%#v", res.Content[0])
	}
	if diff := cmp.Diff(map[string]any{"name": "p<&>"}, res.StructuredContent); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTextIsNotEscaped checks that a model reads < as one character.
func TestTextIsNotEscaped(t *testing.T) {
	session := connect(t, setup{})
	text, _ := call(t, session, "nc_echo", raw(`{"id":1,"text":"<a> & b"}`))
	if !strings.Contains(text, "<a> & b") {
		t.Error(text)
	}
}

func TestAnnotations(t *testing.T) {
	yes, no := true, false
	want := map[string]*mcp.ToolAnnotations{
		"nc_echo":      {ReadOnlyHint: true, IdempotentHint: true, DestructiveHint: &no, OpenWorldHint: &yes},
		"nc_deck_both": {DestructiveHint: &no, OpenWorldHint: &yes},
		"nc_write":     {DestructiveHint: &yes, OpenWorldHint: &yes},
		"nc_complete":  {IdempotentHint: true, DestructiveHint: &yes, OpenWorldHint: &yes},
	}
	list, err := connect(t, setup{}).ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]*mcp.ToolAnnotations{}
	for _, tl := range list.Tools {
		if want[tl.Name] != nil {
			got[tl.Name] = tl.Annotations
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestPrincipalsAreNotMixed calls for two people at once through one server.
func TestPrincipalsAreNotMixed(t *testing.T) {
	c := &clients{}
	var wg sync.WaitGroup
	for _, name := range []own.Subject{"alice", "bob"} {
		p := &own.Principal{Subject: name, Scopes: scope.NewSet(scope.NotesRead)}
		session := connect(t, setup{principal: p, clients: c})
		wg.Go(func() {
			for range 20 {
				_, err := session.CallTool(context.WithoutCancel(t.Context()), callParams("nc_echo", `{"id":1}`))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	count := map[own.Subject]int{}
	for _, p := range c.seen {
		count[p.Subject]++
	}
	if diff := cmp.Diff(map[own.Subject]int{"alice": 20, "bob": 20}, count); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func read(t *testing.T, session *mcp.ClientSession, uri string) (*mcp.ResourceContents, error) {
	t.Helper()
	res, err := session.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri})
	if err != nil {
		return nil, err
	}
	if len(res.Contents) != 1 {
		t.Fatalf("%d contents", len(res.Contents))
	}
	return res.Contents[0], nil
}
