package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/server"
)

// DemoOptions are what the demo has beside the server's own settings.
type DemoOptions struct {
	NextcloudPort int  // of the simulated Nextcloud
	JSON          bool // print one line of JSON instead of instructions
}

// Demo runs the server in OAuth mode with a simulated Nextcloud beside it,
// both on loopback, until ctx ends. Nothing is kept.
func Demo(ctx context.Context, cfg *config.Config, opts DemoOptions, s Streams) error {
	dir, err := os.MkdirTemp("", "nextcloud-mcp-demo-")
	if err != nil {
		return fmt.Errorf("make a directory for the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	users := nextcloudtest.DefaultUsers()
	sim := nextcloudtest.New(&nextcloudtest.Options{Users: users, SampleData: true, Consent: true})
	if err := sim.Listen(ctx, fmt.Sprintf("127.0.0.1:%d", opts.NextcloudPort)); err != nil {
		return fmt.Errorf("start the simulated Nextcloud: %w", portError(err, "--nextcloud-port"))
	}
	defer sim.Close()
	base := sim.URL()
	host, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("start the simulated Nextcloud: %w", err)
	}
	cfg.Nextcloud.Host, cfg.Nextcloud.Public = host, host
	if cfg.Server.PublicURL.Hostname() == "localhost" {
		// One name everywhere: clients compare the address they were given with
		// the one the server states.
		public := *cfg.Server.PublicURL
		public.Host = net.JoinHostPort("127.0.0.1", public.Port())
		cfg.Server.PublicURL = &public
	}
	cfg.Storage.Database = filepath.Join(dir, "demo.db")
	cfg.SignIn.Clients.InsecureDocuments = true
	return serve(ctx, cfg, s, func() {
		d := demo{MCP: server.ResourceURL(cfg.Server.PublicURL), Nextcloud: base}
		for _, u := range users {
			d.Users = append(d.Users, demoUser{u.ID, u.Password})
		}
		d.print(s, opts.JSON)
	})
}

// demo is what a person or a program needs to use the demo.
type demo struct {
	MCP       string     `json:"mcp_url"`
	Nextcloud string     `json:"nextcloud_url"`
	Users     []demoUser `json:"users"`
}

type demoUser struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

func (d *demo) print(s Streams, asJSON bool) {
	if asJSON {
		_ = json.NewEncoder(s.Out).Encode(d)
		return
	}
	who := make([]string, len(d.Users))
	for i, u := range d.Users {
		who[i] = u.User + " / " + u.Password
	}
	fmt.Fprintf(s.Out, `
The demo is running. Add this address to an MCP client:

    %[1]s

  Claude Code    claude mcp add --transport http nextcloud-demo %[1]s
  VS Code        code --add-mcp '{"name":"nextcloud-demo","type":"http","url":"%[1]s"}'
  Inspector      npx @modelcontextprotocol/inspector   (Streamable HTTP, the address above)

Sign in at the simulated Nextcloud (%[2]s) as one of
    %[3]s
and ask for notes or for next week's events. Ctrl-C stops both; nothing is kept.

`, d.MCP, d.Nextcloud, strings.Join(who, "\n    "))
}
