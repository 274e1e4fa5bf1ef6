package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"nextcloud-mcp-server/internal/config"
)

// healthTimeout bounds a health check; container runtimes give up after some
// seconds too.
const healthTimeout = 3 * time.Second

func newHealthcheck(environ []string) *cobra.Command {
	var envFile string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server on this machine whether it is alive",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// What is wrong with other settings is the server's to say.
			cfg, _, _ := config.Load(cmd.Flags(), environ, readEnvFile(envFile))
			return healthcheck(cmd.Context(), cfg.Server)
		},
	}
	config.RegisterFlags(cmd.Flags(), config.SectionServer)
	envFileFlag(cmd.Flags(), &envFile)
	cmd.Flags().VisitAll(hideAllBut("host", "port", "env-file"))
	return cmd
}

// here is the address to ask a server that listens on host.
func here(host string) string {
	switch host {
	case "", "0.0.0.0":
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return host
}

func healthcheck(ctx context.Context, s config.Server) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	url := "http://" + net.JoinHostPort(here(s.Host), strconv.Itoa(s.Port)) + "/health/live"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	// No proxy: the question is about this machine.
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("health check: %s answered %s", url, resp.Status)
	}
	return nil
}
