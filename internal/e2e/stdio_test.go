package e2e_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// TestStdio drives the built program as a desktop client does.
func TestStdio(t *testing.T) {
	t.Parallel()
	binary := build(t)
	sim := nextcloudtest.Start(t, &nextcloudtest.Options{SampleData: true})
	password := sim.CreateAppPassword("alice", "desktop")
	for _, revision := range revisions {
		t.Run(revision, func(t *testing.T) {
			var said bytes.Buffer
			cmd := exec.CommandContext(t.Context(), binary, "--transport", "stdio", "--log-level", "debug")
			cmd.Env = []string{"HOME=" + t.TempDir(), "NEXTCLOUD_HOST=" + sim.URL(), "NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=" + password}
			cmd.Stderr = &said
			client := mcp.NewClient(&mcp.Implementation{Name: "desktop", Version: "1"}, nil)
			s, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: cmd}, &mcp.ClientSessionOptions{ProtocolVersion: revision})
			if err != nil {
				t.Fatalf("%v\n%s", err, said.String())
			}
			var hits found
			call(t, s, "nc_notes_search_notes", map[string]any{"query": ""}, &hits)
			if len(hits.Items) == 0 {
				t.Error("no notes in the sample data")
			}
			if err := s.Close(); err != nil {
				t.Errorf("the program did not end well: %v", err)
			}
			if strings.Contains(said.String(), password) {
				t.Error("the password is in the log")
			}
			if !strings.Contains(said.String(), "BasicAuth mode detected (NEXTCLOUD_USERNAME/PASSWORD set)") {
				t.Errorf("the log: %s", said.String())
			}
		})
	}
}
