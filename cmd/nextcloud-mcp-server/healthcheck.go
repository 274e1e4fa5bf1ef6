package main

import (
	"context"
	"fmt"
	"net/http"
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
			return healthcheck(cmd.Context(), cfg.Server.Port)
		},
	}
	config.RegisterFlags(cmd.Flags(), config.SectionServer)
	envFileFlag(cmd.Flags(), &envFile)
	cmd.Flags().VisitAll(hideAllBut("port", "env-file"))
	return cmd
}

func healthcheck(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	url := fmt.Sprintf("http://127.0.0.1:%d/health/live", port)
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
