package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/e2e"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// rig is a simulated Nextcloud and where the measured server runs.
type rig struct {
	binary   string
	database string
	calls    int
	sim      *nextcloudtest.Server
	port     int
}

func newRig(ctx context.Context, binary, dir string, calls int) (*rig, error) {
	r := &rig{binary: binary, calls: calls, database: filepath.Join(dir, strconv.FormatInt(time.Now().UnixNano(), 36)+".db")}
	r.sim = nextcloudtest.New(&nextcloudtest.Options{SampleData: true})
	if err := r.sim.Listen(ctx, "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the simulated Nextcloud: %w", err)
	}
	free, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	if addr, ok := free.Addr().(*net.TCPAddr); ok {
		r.port = addr.Port
	}
	return r, free.Close()
}

func (r *rig) close() { _ = r.sim.Close() }

func (r *rig) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", r.port, path) }

// process is a running server.
type process struct {
	cmd   *exec.Cmd
	log   bytes.Buffer
	began time.Time
}

// start runs the server and waits for its first answer.
func (r *rig) start(ctx context.Context) (*process, time.Duration, error) {
	p := &process{cmd: exec.CommandContext(ctx, r.binary, "--oauth", "--port", strconv.Itoa(r.port))}
	p.cmd.Env = []string{
		"HOME=" + filepath.Dir(r.database), "TOKEN_STORAGE_DB=" + r.database,
		"NEXTCLOUD_HOST=" + r.sim.URL(), "NEXTCLOUD_MCP_SERVER_URL=" + r.url(""),
	}
	p.cmd.Stderr = &p.log
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, 0, fmt.Errorf("start the server: %w", err)
	}
	if err := await(ctx, r.url("/health/live"), p.began); err != nil {
		p.stop()
		return nil, 0, fmt.Errorf("%w; it said:\n%s", err, p.log.String())
	}
	return p, time.Since(p.began), nil
}

// await polls until the URL answers 200.
func await(ctx context.Context, url string, began time.Time) error {
	for time.Since(began) < 20*time.Second {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(200 * time.Microsecond)
	}
	return errors.New("the server did not answer in 20 seconds: " + url)
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
}

// memory is a field of /proc/PID/status such as VmRSS, in megabytes.
func (p *process) memory(field string) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name != field {
			continue
		}
		kB, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		return kB * 1024 / 1e6, err
	}
	return 0, fmt.Errorf("read memory: no %s", field)
}

// cpu is the processor time the process has used.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	// The name of the program stands in brackets and may hold spaces.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const user, system = 11, 12 // proc(5), fields 14 and 15
	u, err1 := strconv.Atoi(fields[user])
	s, err2 := strconv.Atoi(fields[system])
	const tick = 10 * time.Millisecond
	return time.Duration(u+s) * tick, errors.Join(err1, err2)
}

// signIn is a session of alice, and her access token.
func (r *rig) signIn(ctx context.Context) (*mcp.ClientSession, string, error) {
	if err := await(ctx, r.url("/health/ready"), time.Now()); err != nil {
		return nil, "", err
	}
	user := nextcloudtest.DefaultUsers()[0]
	var token string
	session, err := e2e.Connect(ctx, r.url("/mcp"), user.ID, user.Password, &e2e.Options{Tokens: func(t string) { token = t }})
	return session, token, err
}

// bearer adds a token to every request.
type bearer struct {
	token string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}
