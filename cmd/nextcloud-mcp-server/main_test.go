package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"nextcloud-mcp-server/internal/config"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){program: main, "xdg-open": browse, "claude": claude})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Values[cloudKey{}] = new([]*cloud)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"usage": usageExit, "nextcloud": cloudCommand},
	})
}

// usageExit is the script command "usage ARGS": it runs the program, which
// must end with the exit code of a wrong call.
func usageExit(ts *testscript.TestScript, neg bool, args []string) {
	if !neg {
		ts.Fatalf("usage: write ! usage, because the program fails")
	}
	err := ts.Exec(program, args...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != exitUsage {
		ts.Fatalf("exit: %v, want exit code %d", err, exitUsage)
	}
}

func TestReport(t *testing.T) {
	problems := config.Problems{{Variable: "MCP_AREAS", Source: "--areas", Wrong: "x is\nno area", Example: "MCP_AREAS=notes"}}
	const shown = "Configuration problems:\n  MCP_AREAS (--areas): x is no area\n    example: MCP_AREAS=notes\n"
	tests := []struct {
		name string
		err  error
		code int
		want string
	}{
		{name: "none", code: exitOK},
		{name: "problems", err: problems, code: exitUsage, want: shown},
		{name: "wrapped problems", err: fmt.Errorf("serve: %w", problems), code: exitUsage, want: shown},
		{name: "usage", err: usagef("no %s", "flag"), code: exitUsage, want: "error: no flag\n"},
		{name: "other", err: errors.New("listen:\n  address in use"), code: exitFailure, want: "error: listen: address in use\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if code := report(&b, tt.err); code != tt.code || b.String() != tt.want {
				t.Errorf("exit code %d, printed %q; want %d, %q", code, b.String(), tt.code, tt.want)
			}
		})
	}
}

func TestTune(t *testing.T) {
	before := debug.SetGCPercent(123)
	defer debug.SetGCPercent(before)
	tune(t.Context(), []string{"GOGC=50"})
	if got := debug.SetGCPercent(123); got != 123 {
		t.Errorf("GOGC was overruled with %d", got)
	}
	tune(t.Context(), []string{"GOGC=", "GOGCX=1"})
	if got := debug.SetGCPercent(123); got != 400 {
		t.Errorf("percentage is %d, want 400", got)
	}
}

// call is run with what it printed.
func call(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	var out, err bytes.Buffer
	code = run(t.Context(), args, environ, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func TestHealthcheck(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		code   int
		stderr string
	}{
		{name: "alive", answer: func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/health/live" {
				http.NotFound(w, r)
			}
		}, code: exitOK},
		{name: "not alive", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}, code: exitFailure, stderr: "answered 503"},
		{name: "something else on the port", answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1/", http.StatusFound)
		}, code: exitFailure, stderr: "answered 302"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			_, port, err := net.SplitHostPort(server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			// Neither the other settings nor a proxy may matter.
			env := []string{"PORT=" + port, "MCP_TIER=nosuch", "HTTP_PROXY=http://127.0.0.1:1"}
			for _, args := range [][]string{{"healthcheck"}, {"healthcheck", "--port", port}} {
				code, stdout, stderr := call(t, env, args...)
				if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.stderr) || strings.Count(stderr, "\n") > 1 {
					t.Errorf("%q: exit code %d, want %d; stdout %q, stderr %q", args, code, tt.code, stdout, stderr)
				}
			}
		})
	}
}

func TestHealthcheckWithoutServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := call(t, nil, "healthcheck", "-p", port)
	if code != exitFailure || !strings.HasPrefix(stderr, "error: health check: ") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}
