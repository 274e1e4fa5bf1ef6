package app_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/app"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/freeport"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestRegistrationSwitchedOnLater: who does what the log asks for need not
// start the server again.
func TestRegistrationSwitchedOnLater(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{DisableRegistration: true})
	r := start(t, database(t), "NEXTCLOUD_HOST="+sim.URL())
	until(t, "the failure", func() bool { return r.log.has("occ config:app:set oidc dynamic_client_registration") })
	_, body, _ := r.get(t, "/health/ready")
	if client := check(body, "oauth_client"); client["status"] != "waiting" || !strings.Contains(fmt.Sprint(client["detail"]), "occ config:app:set") {
		t.Errorf("the report does not say what to do: %v", body)
	}
	sim.SetDisableRegistration(false)
	r.awaitReady(t)
	if status, body, _ := r.get(t, "/health/ready"); status != http.StatusOK {
		t.Errorf("ready: %d %v", status, body)
	}
}

func check(body map[string]any, name string) map[string]any {
	checks, _ := body["checks"].(map[string]any)
	c, _ := checks[name].(map[string]any)
	return c
}

// TestReportNamesNoAddress: anybody may read it.
func TestReportNamesNoAddress(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	address := strings.TrimPrefix(sim.URL(), "http://")
	if err := sim.Close(); err != nil {
		t.Fatal(err)
	}
	r := start(t, database(t), "NEXTCLOUD_HOST=http://"+address)
	until(t, "the first failure", func() bool { return r.log.has("OIDC discovery failed") })
	until(t, "the failures in the report", func() bool {
		_, body, _ := r.get(t, "/health/ready")
		return check(body, "oidc_discovery")["detail"] != nil && check(body, "nextcloud")["detail"] != nil
	})
	if text := r.text(t, "/health/ready"); strings.Contains(text, address) {
		t.Errorf("the report: %s", text)
	}
	if !r.log.has(address) {
		t.Error("the log does not name the address either")
	}
}

// TestStopDuringSlowCalls: calls that hang do not hold up the stop, however
// many sessions there are.
func TestStopDuringSlowCalls(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	r := start(t, database(t), "NEXTCLOUD_HOST="+sim.URL(), "NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=alice-password-1")
	r.awaitReady(t)
	defer sim.Fault(nextcloudtest.Fault{PathPrefix: "/apps/notes", Delay: time.Minute})()
	defer sim.Fault(nextcloudtest.Fault{PathPrefix: "/index.php/apps/notes", Delay: time.Minute})()
	var calls sync.WaitGroup
	defer calls.Wait()
	for _, revision := range []string{"2025-11-25", "2025-11-25", "2026-07-28"} {
		client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
		s, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: r.url + "/mcp", MaxRetries: -1}, &mcp.ClientSessionOptions{ProtocolVersion: revision})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls.Go(func() {
			_, _ = s.CallTool(ctx, &mcp.CallToolParams{Name: "nc_notes_search_notes", Arguments: map[string]any{"query": ""}})
		})
	}
	time.Sleep(50 * time.Millisecond) // the calls are under way, or not yet: the stop must be quick anyhow
	began := time.Now()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("the stop took %s", took)
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	cfg, _, err := config.Load(nil, []string{
		"NEXTCLOUD_HOST=http://127.0.0.1:9", "TOKEN_STORAGE_DB=" + database(t), fmt.Sprintf("PORT=%d", taken),
	}, config.EnvFile{}, app.CheckTools)
	if err != nil {
		t.Fatal(err)
	}
	err = app.Serve(t.Context(), cfg, app.Streams{In: strings.NewReader(""), Out: &lockedBuffer{}, Err: &transcript{}})
	if err == nil || !strings.Contains(err.Error(), "--port") {
		t.Errorf("server: %v", err)
	}
	err = app.Demo(t.Context(), cfg, app.DemoOptions{NextcloudPort: taken}, app.Streams{Out: &lockedBuffer{}, Err: &transcript{}})
	if err == nil || !strings.Contains(err.Error(), "--nextcloud-port") {
		t.Errorf("demo: %v", err)
	}
}

// TestDemoLeavesNothing: neither ports nor files.
func TestDemoLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	port, nextcloud := freeport.Take(t), freeport.Take(t)
	cfg, _, err := config.Load(nil, []string{
		fmt.Sprintf("NEXTCLOUD_HOST=http://127.0.0.1:%d", nextcloud), "TOKEN_STORAGE_DB=demo.db", fmt.Sprintf("PORT=%d", port),
	}, config.EnvFile{}, app.CheckTools)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // at once again on the same ports
		ctx, cancel := context.WithCancel(t.Context())
		var out lockedBuffer
		done := make(chan error, 1)
		go func() {
			done <- app.Demo(ctx, cfg, app.DemoOptions{NextcloudPort: nextcloud, JSON: true}, app.Streams{Out: &out, Err: &transcript{}})
		}()
		until(t, "the demo", func() bool { return strings.Contains(out.String(), `"mcp_url":`) })
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*demo*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
