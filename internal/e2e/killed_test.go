package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/freeport"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// process is the built program serving at an address.
type process struct {
	cmd  *exec.Cmd
	said log
	over chan struct{} // closed when it has ended
}

// start runs the built program and waits until it answers.
func start(t *testing.T, binary, nextcloud, file string, port int) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), binary, "--oauth"), over: make(chan struct{})}
	at := fmt.Sprintf("http://127.0.0.1:%d", port)
	p.cmd.Env = []string{
		"HOME=" + filepath.Dir(file), "TOKEN_STORAGE_DB=" + file, "NEXTCLOUD_HOST=" + nextcloud, "MCP_SIGN_IN=loginflow",
		"NEXTCLOUD_MCP_SERVER_URL=" + at, fmt.Sprintf("PORT=%d", port), "FORWARDED_ALLOW_IPS=127.0.0.1",
	}
	p.cmd.Stderr = &p.said
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.over)
		_ = p.cmd.Wait()
	}()
	client := newProgram(at + "/mcp")
	until(t, "the program", func() bool {
		a, err := client.send(t.Context(), http.MethodGet, at+"/health/ready", "", "")
		return err == nil && a.status == http.StatusOK
	})
	return p
}

// kill ends it as a loss of power does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.over
}

// worker is one client that signs in, refreshes and ends without a pause. What
// it was told before the server died must hold afterwards.
type worker struct {
	program  program
	user     string
	used     [2]string // a code that gave tokens, and its verifier
	have     pair      // the newest tokens
	ended    pair      // of a connection that is known to have ended
	told     int       // answers
	refreshs int       // since the sign-in
}

// work goes on until something fails, which is the death of the server; any
// other failure is an error.
func (w *worker) work(ctx context.Context) error {
	for {
		if err := w.step(ctx); err != nil {
			if strings.Contains(err.Error(), "wrong:") {
				return err
			}
			return nil
		}
		w.told++
	}
}

func (w *worker) step(ctx context.Context) error {
	switch {
	case w.have.Refresh == "":
		code, verifier, err := w.program.code(ctx, person(w.user))
		if err != nil {
			return err
		}
		got, err := w.program.redeem(ctx, code, verifier)
		if err != nil {
			return err
		}
		if got.status != http.StatusOK {
			return fmt.Errorf("wrong: a fresh code is answered %d %s", got.status, got.body)
		}
		w.used, w.have, w.refreshs = [2]string{code, verifier}, got, 0
	case w.refreshs < 6:
		got, err := w.program.refresh(ctx, w.have.Refresh)
		if err != nil {
			return err
		}
		if got.status != http.StatusOK {
			return fmt.Errorf("wrong: refresh %d is answered %d %s", w.refreshs, got.status, got.body)
		}
		w.have = got
		w.refreshs++
	default:
		// From here on nobody knows whether it ended, until that is answered.
		ending := w.have
		w.have = pair{}
		a, err := w.program.revoke(ctx, ending.Refresh)
		if err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return fmt.Errorf("wrong: revocation is answered %d %s", a.status, a.body)
		}
		w.ended = ending
	}
	return nil
}

// holds checks, at a server that was started again, what the worker was told.
func (w *worker) holds(ctx context.Context) error {
	if w.ended.Access != "" {
		if _, status, err := w.program.works(ctx, w.ended.Access); err != nil || status != http.StatusUnauthorized {
			return fmt.Errorf("an access token that had ended is answered %d, %w", status, err)
		}
		if got, err := w.program.refresh(ctx, w.ended.Refresh); err != nil || got.Error != "invalid_grant" {
			return fmt.Errorf("a refresh token that had ended is answered %d %s, %w", got.status, got.body, err)
		}
	}
	if w.have.Refresh == "" {
		return nil
	}
	// The answer to the last refresh may have died with the server: then the
	// token before it is taken again.
	got, err := w.program.refresh(ctx, w.have.Refresh)
	if err != nil || got.status != http.StatusOK {
		return fmt.Errorf("the refresh token is answered %d %s, %w", got.status, got.body, err)
	}
	if ok, status, err := w.program.works(ctx, got.Access); !ok {
		return fmt.Errorf("the access token is answered %d, %w", status, err)
	}
	w.have = got
	return nil
}

// endsWithItsCode uses the code of the connection a second time.
func (w *worker) endsWithItsCode(ctx context.Context) error {
	if w.have.Refresh == "" {
		return nil
	}
	again, err := w.program.redeem(ctx, w.used[0], w.used[1])
	if err != nil || again.Error != "invalid_grant" {
		return fmt.Errorf("the second use of a code is answered %d %s, %w", again.status, again.body, err)
	}
	if _, status, err := w.program.works(ctx, w.have.Access); err != nil || status != http.StatusUnauthorized {
		return fmt.Errorf("after the second use of its code a token is answered %d, %w", status, err)
	}
	w.have = pair{}
	return nil
}

// TestKilled kills the program in the middle of sign-ins, refreshes and
// endings. Started again, it keeps all that it said, and goes on.
func TestKilled(t *testing.T) {
	t.Parallel()
	binary := build(t)
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true, DisableOIDC: true})
	file, port := filepath.Join(t.TempDir(), "tokens.db"), freeport.Take(t)
	server := start(t, binary, sim.URL(), file, port)
	workers := make([]*worker, 4)
	for i := range workers {
		workers[i] = &worker{program: *newProgram(fmt.Sprintf("http://127.0.0.1:%d/mcp", port)), user: []string{"alice", "bob"}[i%2]}
		// Each from an address of its own, so that no limit ends the work.
		workers[i].program.headers = http.Header{"X-Forwarded-For": {fmt.Sprintf("203.0.113.%d", i)}}
		if err := workers[i].program.public(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const most, rounds = 20 * time.Second, 8
	began := time.Now()
	for round := range rounds {
		if time.Since(began) > most {
			break
		}
		failures := make(chan error, len(workers))
		for _, w := range workers {
			go func() { failures <- w.work(t.Context()) }()
		}
		time.AfterFunc(time.Duration(60+130*round)*time.Millisecond, server.kill)
		for range workers {
			if err := <-failures; err != nil {
				t.Error(err)
			}
		}
		<-server.over
		for what, bad := range map[string]string{"an internal error": "panic", "damage": "malformed"} {
			if strings.Contains(server.said.String(), bad) {
				t.Errorf("round %d: %s:\n%s", round, what, server.said.String())
			}
		}
		server = start(t, binary, sim.URL(), file, port)
		for i, w := range workers {
			if err := w.holds(t.Context()); err != nil {
				t.Errorf("round %d, worker %d: %v", round, i, err)
				w.have = pair{}
			}
		}
	}
	told := 0
	for _, w := range workers {
		if err := w.endsWithItsCode(t.Context()); err != nil {
			t.Error(err)
		}
		told += w.told
	}
	if told < len(workers)*rounds/2 {
		t.Errorf("the workers had only %d answers, so that little was proved", told)
	}
	server.kill()
	sound(t, file)
}

// build is the program as it is delivered.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "nextcloud-mcp-server")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/nextcloud-mcp-server").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// sound checks a database by SQLite's own means, and that nothing in it lost
// what it belongs to.
func sound(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %s, %v", verdict, err)
	}
	for what, query := range map[string]string{
		"families without grant":             "SELECT count(*) FROM families WHERE grant_id NOT IN (SELECT id FROM grants WHERE state = 'active')",
		"access tokens without family":       "SELECT count(*) FROM access_tokens WHERE family_id NOT IN (SELECT id FROM families)",
		"people with two grants of a client": "SELECT count(*) FROM (SELECT 1 FROM grants WHERE state = 'active' GROUP BY user_id, client_id HAVING count(*) > 1)",
	} {
		var n int
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil || n > 0 {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
}
