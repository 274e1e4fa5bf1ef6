package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// callDoctor is the command doctor with what it printed.
func callDoctor(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	var out, err bytes.Buffer
	cmd := newDoctor(environ)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&err)
	code = report(&err, cmd.ExecuteContext(t.Context()))
	return code, out.String(), err.String()
}

// TestDoctorExitCode: 0 without problems, 1 with, in text and in JSON.
func TestDoctorExitCode(t *testing.T) {
	sim := nextcloudtest.Start(t, nil)
	environ := []string{
		"NEXTCLOUD_HOST=" + sim.URL(), "NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=alice-password-1", "MCP_TRANSPORT=stdio",
	}
	for _, c := range []struct {
		name        string
		maintenance bool
		code        int
		worst       string
		stdout      string
		stderr      string
	}{
		{name: "well", code: exitOK, worst: "ok", stdout: "ok       Nextcloud                     Nextcloud 34.0.1\n"},
		{
			name: "maintenance", maintenance: true, code: exitFailure, worst: "problem", stderr: "error: 1 problem found\n",
			stdout: "problem  Nextcloud                     Nextcloud is in maintenance mode\n         -> occ maintenance:mode --off\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			sim.SetMaintenance(c.maintenance)
			code, stdout, stderr := callDoctor(t, environ)
			if code != c.code || !strings.Contains(stdout, c.stdout) || stderr != c.stderr {
				t.Errorf("exit code %d, stderr %q, stdout:\n%s", code, stderr, stdout)
			}
			code, stdout, stderr = callDoctor(t, environ, "--json")
			var got struct {
				Checks []map[string]string `json:"checks"`
				Worst  string              `json:"worst"`
			}
			if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != c.code || stderr != c.stderr || got.Worst != c.worst || len(got.Checks) == 0 {
				t.Fatalf("exit code %d, stderr %q, %v, stdout:\n%s", code, stderr, err, stdout)
			}
			for _, field := range []string{"id", "title", "status", "detail"} {
				if got.Checks[0][field] == "" {
					t.Errorf("the first check has no %s: %v", field, got.Checks[0])
				}
			}
		})
	}
}

// TestDoctorToken: the token comes from a file or the environment, and is not
// printed.
func TestDoctorToken(t *testing.T) {
	sim := nextcloudtest.New(&nextcloudtest.Options{AcceptBearer: func(token string) (string, bool) { return "alice", token == "good-token" }})
	if err := sim.Listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("good-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"NEXTCLOUD_HOST=" + sim.URL(), "TOKEN_STORAGE_DB=" + filepath.Join(t.TempDir(), "tokens.db")}
	const accepted = "Credentials at OCS            OCS takes the credentials"
	for name, got := range map[string]func() (int, string, string){
		"file":        func() (int, string, string) { return callDoctor(t, environ, "--token-file", file) },
		"environment": func() (int, string, string) { return callDoctor(t, append(environ, "DOCTOR_TOKEN=good-token")) },
	} {
		if _, stdout, stderr := got(); !strings.Contains(stdout, accepted) || strings.Contains(stdout+stderr, "good-token") {
			t.Errorf("%s: stderr %q, stdout:\n%s", name, stderr, stdout)
		}
	}
}

// TestDoctorAddress: an address is looked at without any settings, and a wrong
// one is not repeated: it may hold a password.
func TestDoctorAddress(t *testing.T) {
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	code, stdout, _ := callDoctor(t, []string{"NEXTCLOUD_HOST=nonsense"}, page.URL+"/mcp")
	if code != exitFailure || !strings.Contains(stdout, "problem  MCP server") || strings.Contains(stdout, "Settings") {
		t.Errorf("exit code %d, stdout:\n%s", code, stdout)
	}
	for _, args := range [][]string{
		{"mcp.example.org"},
		{"https://alice:hunter2@mcp.example.org"},
		{"ftp://mcp.example.org"},
		{"https://mcp.example.org/?token=hunter2"},
		{"https://a.example.org", "https://b.example.org"},
		{"--timeout", "0s"},
		{"--token-file", "none"},
	} {
		code, stdout, stderr := callDoctor(t, nil, args...)
		if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "hunter2") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}
